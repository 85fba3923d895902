"""A run graded again by another codebook's tables, without reading a document: levels, caps, flags and questions are data."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from json import dumps
from operator import itemgetter
from typing import Any

from claimscan import pipeline, report, scoring
from claimscan.batch import ledger as ledgers
from claimscan.batch import run_tables
from claimscan.batch.ledger import Entry, Ledger
from claimscan.batch.tables import NAMES, Row, Writer
from claimscan.codebook import VERSION, Tables
from claimscan.errors import UsageError
from claimscan.files import write_whole
from claimscan.reading import keeping
from claimscan.records import Document, Evidence, Mention, Product, Sentence
from claimscan.showing import overview
from claimscan.study.beginning import metadata_of
from claimscan.study.deriving import population_of

_NOTHING: tuple[str, Iterator[dict[str, Any]]] = ("", iter(()))


def regrade(run: str, out: str, tables: Tables) -> dict[str, int]:
    """Write a new run folder with the same readings, mentions and evidence, and with the findings of other tables.

    Pages of single documents are not made anew; the summary page and the tables are.

    Args:
        run: the folder that ``claimscan scan`` wrote; nothing in it is changed.
        out: the new run folder.
        tables: the codebook to grade by.

    Returns:
        How many ``documents`` and ``products`` there are, and how many products have another grade (``changed``).

    Raises:
        UsageError: a report or reading of the run is lost, or the new folder cannot be written.
    """
    about = ledgers.description(run)
    if os.path.abspath(run) == os.path.abspath(out):
        raise UsageError("The new folder is the run's own.", "Name another folder for --out.")
    counts = {"documents": 0, "products": 0, "changed": 0}
    metadata = metadata_of(run)
    old = Ledger(run)
    with ledgers.opened(out) as new:
        ledgers.describe(new, {**about, "state": "begun", "regraded": tables.digest})
        writer = Writer(out, metadata)
        provenance: dict[str, str] = {}
        by_document = groupby(run_tables.batches(run, "products"), key=itemgetter("document"))
        whose, before = next(by_document, _NOTHING)
        try:
            for row in run_tables.batches(run, "documents"):
                writer.add(Row("documents", {**row, "page": ""}))
                if row["status"] != "read":
                    continue
                whole = _regraded(old, row["document"], row["source"], tables)
                provenance = whole["provenance"]
                new.keep("reading", row["document"], old.load("reading", row["document"]))
                new.keep("report", row["document"], (dumps(whole, ensure_ascii=True, indent=1) + "\n").encode())
                new.done(row["document"], Entry(f"regraded {tables.digest}", "read"))
                counts["documents"] += 1
                if whose != row["document"]:
                    continue
                made = {product["id"]: product for product in report.rows(whole)["products"]}
                for product in before:
                    now = {k: v for k, v in made[product["id"]].items() if k not in ("document", "mentions")}
                    counts["products"] += 1
                    counts["changed"] += now["grade"] != product["grade"]
                    writer.add(Row("products", {**product, **now}))
                whose, before = next(by_document, _NOTHING)
            for name in NAMES:
                if name not in ("documents", "products"):
                    for row in run_tables.batches(run, name):
                        writer.add(Row(name, row))
            writer.finish()
        finally:
            writer.close()
        ledgers.describe(new, {**about, "state": "done", "regraded": tables.digest})
        tables_of = (run_tables.batches(out, name) for name in ("documents", "products", "failures"))
        shared = run_tables.shared(out, metadata)
        page = overview.page(*tables_of, metadata=metadata, provenance=provenance, shared=shared)
        write_whole(os.path.join(out, "index.html"), page.encode())
    return counts


def _version(tables: Tables) -> str:
    return f"{VERSION}, changed ({tables.digest[:12]})"


def _regraded(old: Ledger, document: str, source: str, tables: Tables) -> dict[str, Any]:
    """A document's report as plain values, graded by other tables."""
    whole = old.report(document)
    try:
        read = keeping.recall(old.load("reading", document), source)
    except ValueError:
        whole = None
    if whole is None:
        raise UsageError(f"The report or reading of {source} in the run folder is lost.", "Run the same scan again.")
    return {
        **whole,
        "provenance": {**whole["provenance"], "codebook": _version(tables)},
        "products": products(whole, read, tables),
    }


def products(whole: Mapping[str, Any], document: Document, tables: Tables) -> list[dict[str, Any]]:
    """The products of a report, graded by other tables, as plain values.

    Args:
        whole: the report (``claimscan/report/1``). ``document``: as it was read.
    """
    population = population_of(whole)
    spoken = [_mention(row) for row in whole["mentions"]]
    linked = [_evidence(row) for row in whole["evidence"]]
    scores = {m.id: m.score for m in spoken} | {e.id: e.score for e in linked}
    made = [Product(p["id"], p["name"], p["is_document"], tuple(p["mentions"])) for p in whole["products"]]
    out = []
    for product in made:
        found = pipeline.finding(product, spoken, linked, population, document, tables)
        found = replace(found, score=scoring.grade(found, scores, product.mentions, len(made)))
        out.append(report.product_row(product, found))
    return out


def _mention(row: Mapping[str, Any]) -> Mention:
    start = row["sentence_start"]
    sentence = Sentence(
        start, start + len(row["sentence"]), row["sentence"], row["page"], 0, heading=row["heading"] or ""
    )
    same = {key: row[key] for key in ("id", "start", "end", "text", "page", "family", "type", "rule", "score")}
    said = {key: row[key] for key in ("hedge", "scope", "thing", "who")}
    return Mention(**same, **said, sentence=sentence, product=row["product"] or "")


def _evidence(row: Mapping[str, Any]) -> Evidence:
    same = {key: row[key] for key in ("id", "slot", "value", "start", "end", "quote", "page", "rule", "score")}
    said = {"certainty": row["certainty"], "detail": row["detail"]}
    return Evidence(**same, **said, who=row["who"] or "", product=row["product"] or "")
