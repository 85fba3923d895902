"""The tables of agreement of a study: every variable of :mod:`claimscan.study.units`, its codes, its spans, what to discuss."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from claimscan.codebook import CLAIM_TYPES, MENTION_TYPES, Tables, tables
from claimscan.errors import UsageError
from claimscan.study import agreement as figures
from claimscan.study.codings import MENTION, Coding
from claimscan.study.deriving import MACHINE
from claimscan.study.folder import Study
from claimscan.study.units import Rating, orders, ratings

FIGURES = ("percent", "within_one", "alpha", "kappa", "ac1")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "ratings": ("variable", "unit", "document", "source", "page", "quote", "coder", "value"),
    "agreement": (
        *("variable", "level_of_measurement", "coders", "documents", "units", "units_of_one_coder", "pairs"),
        *(f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")),
        *("target", "reached", "note"),
    ),
    "codes": ("variable", "code", "prevalence", "ratings", "positive", "percent", "alpha", "kappa", "ac1"),
    "spans": ("spans", "measure", "value", "low", "high", "documents", "marked", "trimmed", "note"),
    "disagreements": ("variable", "document", "source", "page", "quote", "values", "pairs", "of_pairs", "distance"),
}

Row = dict[str, Any]


def made(
    study: Study, coders: Sequence[str], *, seed: int, draws: int, table: Tables | None = None
) -> dict[str, list[Row]]:
    """The rows of every table of :data:`COLUMNS`, for documents that two or more of the coders have coded.

    Args:
        coders: who is compared; claimscan is one like any other. ``draws``: of the bootstrap by document.

    Raises:
        UsageError: a coder is not known, or no document was coded by two of them.
    """
    known = {*study.coders(), MACHINE}
    for who in coders:
        if who not in known:
            raise UsageError(f"Nobody called “{who}” has coded anything.", f"There are: {', '.join(sorted(known))}.")
    returned = {who: study.returned(who) for who in coders}
    by_document: dict[str, list[str]] = {}
    for who in coders:
        for document, _ in returned[who].coded:
            by_document.setdefault(document, []).append(who)
    by_document = {document: who for document, who in by_document.items() if len(who) > 1}
    if not by_document:
        raise UsageError(
            "No document was coded by two of these coders.",
            f"Import the codings of two people, or compare one with “{MACHINE}”.",
        )
    every = [c for one in returned.values() for c in one.codings if c.document in by_document]
    rated: list[Row] = []
    lengths: dict[str, int] = {}
    for row in study.sample():
        if row["document"] in by_document:
            read = study.document(row["document"], row["source"])
            own = [c for c in every if c.document == read.id]
            found = ratings(read, study.population(read.id), own, by_document[read.id], table)
            rated += [{**_plain(rating), "source": row["source"]} for rating in found]
            lengths[read.id] = len(read.text)
    out = tables_of(rated, seed=seed, draws=draws, table=table)
    out["spans"] = _spans(every, lengths, by_document, seed, draws)
    return out


def tables_of(rated: Sequence[Row], *, seed: int, draws: int, table: Tables | None = None) -> dict[str, list[Row]]:
    """The tables that follow from the ratings alone."""
    table = table or tables()
    ordered = orders(table)
    by_variable: dict[str, list[Row]] = {}
    for row in rated:
        by_variable.setdefault(row["variable"], []).append(row)
    out: dict[str, list[Row]] = {"ratings": list(rated), "agreement": [], "codes": [], "disagreements": []}
    for variable, rows in by_variable.items():
        order = ordered.get(variable, ())
        level: figures.Level = "ordinal" if order else "nominal"
        given = [figures.Rating(r["unit"], r["document"], r["coder"], r["value"]) for r in rows]
        found = figures.agreement(given, level, order, codes=_codes(variable, table), seed=seed, draws=draws)
        out["agreement"].append(_row(variable, found))
        out["codes"] += [_code_row(variable, code) for code in found.codes if code.n]
        where = {(r["unit"], r["document"]): r for r in rows}
        for one in figures.disagreements(given, level, order):
            at = where[one.unit, one.document]
            said = "; ".join(f"{coder}: {value}" for coder, value in one.values)
            row = {key: at[key] for key in ("variable", "document", "source", "page", "quote")}
            out["disagreements"].append(
                {**row, "values": said, "pairs": one.pairs, "of_pairs": one.of_pairs, "distance": one.distance}
            )
    return out


def _plain(rating: Rating) -> Row:
    return {name: getattr(rating, name) for name in Rating.__slots__}


def _codes(variable: str, table: Tables) -> Iterable[str]:
    """The values that could have been given: AC1 depends on how many there are."""
    name, _, slot = variable.partition(" ")
    if name == "type":
        return MENTION_TYPES
    if name == "value" and not table.slots[slot].many and slot != "count":
        return [v for v in table.slots[slot].values if v not in ("not_stated", "none_stated")]
    if name == "grade":
        return [*table.statuses, *(level.id for level in table.levels)]
    if name == "status":
        return ["on the scale", *table.statuses]
    return ()


def _row(variable: str, found: figures.Agreement) -> Row:
    row: Row = {
        "variable": variable,
        "level_of_measurement": found.level,
        "coders": ", ".join(found.coders),
        "documents": found.n_documents,
        "units": found.n_units,
        "units_of_one_coder": found.n_single,
        "pairs": found.n_pairs,
    }
    notes = []
    for name in FIGURES:
        measure = measure_of(found.measures, name)
        if measure is None:
            continue
        row |= {name: number(measure.value), f"{name}_low": number(measure.low), f"{name}_high": number(measure.high)}
        notes += [f"{name}: {said}" for said in (measure.reason, measure.no_interval) if said]
    target = _target(variable)
    row |= {"target": _target_text(target), "reached": _reached(found, target), "note": " ".join(dict.fromkeys(notes))}
    return row


def measure_of(measures: Iterable[figures.Measure], name: str) -> figures.Measure | None:
    """The measure of this name; ``kappa`` is Cohen's for two coders and Conger's for more."""
    return next((m for m in measures if m.name == name or (name == "kappa" and m.name.startswith("kappa"))), None)


def _code_row(variable: str, code: figures.CodeAgreement) -> Row:
    row: Row = {"variable": variable, "code": code.code, "ratings": code.n}
    row |= {"prevalence": number(code.prevalence), "positive": number(code.positive)}
    for name in ("percent", "alpha", "kappa", "ac1"):
        measure = measure_of(code.measures, name)
        row[name] = number(measure.value) if measure else ""
    return row


def number(value: float | None) -> str:
    """Four places, and nothing where there is none: the same bytes on every machine."""
    return "" if value is None else f"{value:.4f}".replace("-0.0000", "0.0000")


@cache
def _targets() -> Mapping[str, Mapping[str, Any]]:
    text = (files("claimscan") / "data" / "study" / "targets.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _target(variable: str) -> Mapping[str, Any]:
    return _targets().get(variable.partition(" ")[0], {})


def _target_text(target: Mapping[str, Any]) -> str:
    parts = [f"{' or '.join(target['measures'])} {target['least']:.2f}"] if target.get("measures") else []
    parts += [f"percent {target['percent']:.2f}"] if "percent" in target else []
    return " and ".join(parts)


def _reached(found: figures.Agreement, target: Mapping[str, Any]) -> str:
    """``yes``, ``no``, or ``cannot be told`` where a figure is undefined."""
    if not target:
        return ""
    told: list[bool | None] = []
    if target["measures"]:
        values = [m.value for m in (measure_of(found.measures, name) for name in target["measures"]) if m]
        known = [value for value in values if value is not None]
        told.append(max(known) >= target["least"] if known else None)
    if "percent" in target:
        percent = measure_of(found.measures, "percent")
        told.append(None if percent is None or percent.value is None else percent.value >= target["percent"])
    return "cannot be told" if None in told else "yes" if all(told) else "no"


def _spans(
    codings: Iterable[Coding],
    lengths: Mapping[str, int],
    by_document: Mapping[str, list[str]],
    seed: int,
    draws: int,
) -> list[Row]:
    """Agreement on where spans begin and end: of the uses of the word, of claims, and of the evidence of all slots."""
    coded = [(document, who) for document, own in by_document.items() for who in own]
    claims = {f"{MENTION}/{kind}" for kind in CLAIM_TYPES}
    kinds: dict[str, list[figures.Span]] = {"uses of the word": [], "claims": [], "evidence": []}
    for c in codings:
        slot, _, value = c.code.partition("/")
        if slot == MENTION:
            kinds["uses of the word"].append(figures.Span(c.document, c.coder, c.start, c.end, value))
            if c.code in claims:
                kinds["claims"].append(figures.Span(c.document, c.coder, c.start, c.end, "claim"))
        else:
            kinds["evidence"].append(figures.Span(c.document, c.coder, c.start, c.end, slot))
    out: list[Row] = []
    for kind, spans in kinds.items():
        found = figures.span_agreement(spans, lengths, coded, seed=seed, draws=draws)
        labels = [] if len(found.labels) < 2 else list(found.labels)
        for measure in (*found.measures, *labels):
            row: Row = {"spans": kind, "measure": measure.name, "value": number(measure.value)}
            row |= {"low": number(measure.low), "high": number(measure.high)}
            note = " ".join(s for s in (measure.reason, measure.no_interval) if s)
            row |= {"documents": found.n_documents, "marked": found.n_spans, "trimmed": found.n_trimmed, "note": note}
            out.append(row)
    return out
