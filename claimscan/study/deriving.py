"""Codings from a report, and a report from codings: levels and flags are worked out from what was coded, never judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from claimscan import pipeline
from claimscan.codebook import Tables
from claimscan.correcting.anchors import page
from claimscan.records import Document, Evidence, Mention, Population, Product, Sentence
from claimscan.report import Report
from claimscan.sentences import sentences
from claimscan.study.codings import ALSO, DOCUMENT, MENTION, WHO, Coding, in_order

MACHINE = "claimscan"  # the coder whose codings are a report's
CODED = "coded"  # the rule of what a person coded


def codings_of(whole: Mapping[str, Any], coder: str = MACHINE) -> tuple[Coding, ...]:
    """What a report says, as codings. Evidence that is about no product is left out: it decides nothing.

    Args:
        whole: the report as plain values (``claimscan/report/1``).
    """
    document = whole["document"]["id"]
    names = thing_names(whole["products"])
    made = [
        Coding(
            document,
            m["start"],
            m["end"],
            f"{MENTION}/{m['type']}",
            names.get(m["product"], ""),
            _also(hedged=m["hedge"], part=m["scope"] == "part", presentation=m["scope"] == "presentation"),
            coder=coder,
        )
        for m in whole["mentions"]
    ]
    made += [
        Coding(
            document,
            e["start"],
            e["end"],
            f"{e['slot']}/{e['value']}",
            names[e["product"]],
            _also(e["who"] or "", borderline=e["certainty"] == "borderline"),
            {k: v for k, v in e["detail"].items() if v not in (None, "")},
            coder=coder,
        )
        for e in whole["evidence"]
        if e["product"] in names
    ]
    return in_order(made)


def thing_names(products: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A name for each product of a report, by id, that no other has; :data:`DOCUMENT` for the document itself."""
    found: dict[str, str] = {}
    for product in products:
        name = DOCUMENT if product["is_document"] else " ".join(product["name"].replace("/", " ").split())[:250]
        name = name or "something"
        found[product["id"]] = f"{name} ({product['id']})" if name in found.values() else name
    return found


def population_of(whole: Mapping[str, Any]) -> Population:
    """Who a document is about, as its report has it (codebook E1)."""
    return Population(**whole["document"]["population"])


def derive(
    document: Document,
    population: Population,
    codings: Iterable[Coding],
    provenance: Mapping[str, str],
    tables: Tables | None = None,
) -> Report:
    """The report of one document from one coder's codings.

    Args:
        codings: of this document and one coder.
        tables: another codebook than claimscan's own, for levels, caps and flags.
    """
    codings = [c for c in codings if c.document == document.id]
    ids = {name: f"p{n}" for n, name in enumerate(dict.fromkeys(c.thing for c in codings if c.thing), 1)}
    cut = tuple(sentences(document))
    spoken = tuple(
        _mention(document, c, ids, cut, n)
        for n, c in enumerate([c for c in codings if c.code.startswith(f"{MENTION}/")], 1)
    )
    linked = tuple(
        _evidence(document, c, ids, n)
        for n, c in enumerate([c for c in codings if not c.code.startswith(f"{MENTION}/")], 1)
    )
    made = tuple(
        Product(key, name, name == DOCUMENT, tuple(m.id for m in spoken if m.product == key))
        for name, key in ids.items()
        if pipeline.stands((m for m in spoken if m.product == key), (e for e in linked if e.product == key))
    )
    kept = {p.id for p in made}
    spoken = tuple(m if m.product in kept else replace(m, product="") for m in spoken)
    linked = tuple(e for e in linked if e.product in kept)
    findings = {p.id: pipeline.finding(p, spoken, linked, population, document, tables) for p in made}
    boxes = pipeline.located(document, spoken, linked)
    return Report(document, population, spoken, made, findings, linked, (), boxes, dict(provenance))


def _also(who: str = "", **said: bool) -> tuple[str, ...]:
    return tuple(sorted([*(f"{ALSO}/{name}" for name, so in said.items() if so), *([f"{WHO}/{who}"] if who else [])]))


def _mention(document: Document, c: Coding, ids: Mapping[str, str], cut: tuple[Sentence, ...], n: int) -> Mention:
    text = document.text[c.start : c.end]
    around = next((s for s in cut if s.start <= c.start < s.end), None)
    number = page(document, c.start)
    scope = next((s for s in ("part", "presentation") if f"{ALSO}/{s}" in c.also), "whole")
    return Mention(
        f"m{n}",
        c.start,
        c.end,
        text,
        number,
        around or Sentence(c.start, c.end, text, number, 0),
        "core",
        c.code.partition("/")[2],
        CODED,
        1.0,
        f"{ALSO}/hedged" in c.also,
        scope,
        product=ids.get(c.thing, ""),
    )


def _evidence(document: Document, c: Coding, ids: Mapping[str, str], n: int) -> Evidence:
    slot, _, value = c.code.partition("/")
    return Evidence(
        f"e{n}",
        slot,
        value,
        c.start,
        c.end,
        document.text[c.start : c.end],
        page(document, c.start),
        CODED,
        1.0,
        next((t.partition("/")[2] for t in c.also if t.startswith(f"{WHO}/")), ""),
        "borderline" if f"{ALSO}/borderline" in c.also else "explicit",
        ids.get(c.thing, ""),
        dict(c.detail),
    )
