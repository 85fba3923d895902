"""The tables of a run, made anew from its reports: CSV for spreadsheets, Parquet for pandas, R and DuckDB.

One report is in memory at a time. The same plan and reports give the same bytes.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from claimscan import report as reports
from claimscan.batch.course import OF_PLACE
from claimscan.batch.ledger import Ledger, relative
from claimscan.batch.sources import Plan
from claimscan.files import TEMPORARY, unwritable
from claimscan.records import Reply
from claimscan.showing.answers import match
from claimscan.showing.tables import safe_cell
from claimscan.showing.wording import CLAIM_TYPES

BATCH = 2_000  # rows written at a time

_EXTRA: dict[str, dict[str, str]] = {
    "documents": {**dict.fromkeys(("status", "repeats", "repeats_by"), "string")},
    "products": {
        **{"claim": "string", "claim_page": "Int64"},
        **dict.fromkeys(("reply", "reply_evidence", "reply_by", "reply_on"), "string"),
    },
    "failures": dict.fromkeys(("code", "why", "remedy"), "string"),
    "passed_over": dict.fromkeys(("why",), "string"),
}
NAMES = ("documents", "products", "mentions", "evidence", "failures", "passed_over")

Replies = Mapping[str, tuple[Reply, ...]]


def columns(name: str, metadata: Sequence[str] = ()) -> dict[str, str]:
    """The columns of a table and their pandas types."""
    own = {c: t for c, t in reports.COLUMNS.get(name, {}).items() if c not in ("document", "source")}
    if name == "documents":
        own = _EXTRA[name] | own
        own = {c: t for c, t in own.items() if c not in ("mentions", "products", "evidence")} | {
            **dict.fromkeys(("mentions", "claims", "products", "evidence"), "Int64"),
            "page": "string",
        }
    else:
        own |= _EXTRA.get(name, {})
    return {"document": "string", "source": "string", **dict.fromkeys(metadata, "string"), **own}


def taken() -> frozenset[str]:
    """Every name that a metadata column may not have."""
    return frozenset(column for name in NAMES for column in columns(name))


class Row(dict[str, Any]):
    """One row of one table; ``table`` says which."""

    def __init__(self, table: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.table = table


def rows(
    plan: Plan, documents: Sequence[str], failures: Mapping[int, tuple[str, str, str]], ledger: Ledger, replies: Replies
) -> Iterator[Row]:
    """Every row of every table, document by document in the plan's order.

    Args:
        documents: for each source of the plan the sha256 of its bytes, empty where it could not be opened.
        failures: for each place in the plan whose file could not be read: code, sentence, remedy.
        replies: what bodies answered, by document.
    """
    first: dict[str, str] = {}
    broken: dict[str, tuple[str, str, str]] = {}
    texts: dict[str, str] = {}
    for at, (source, document) in enumerate(zip(plan.sources, documents, strict=True)):
        about = {"document": document, "source": source.name, **dict(zip(plan.metadata, source.metadata, strict=True))}
        failure = failures.get(at) or broken.get(document)
        if document in first:
            yield Row("documents", {**about, "status": "repeat", "repeats": first[document], "repeats_by": "bytes"})
        elif failure:
            yield Row("documents", {**about, "status": "unread"})
            yield Row("failures", {**about, **dict(zip(("code", "why", "remedy"), failure, strict=True))})
            if document and failure[0] not in OF_PLACE:
                broken[document] = failure
        else:
            first[document] = source.name
            yield from _of_report(about, document, ledger, texts, replies)
    for problem in plan.problems:
        source = problem.source
        about = {"document": "", "source": source.name, **dict(zip(plan.metadata, source.metadata, strict=True))}
        yield Row("documents", {**about, "status": "unread"})
        error = problem.error
        yield Row("failures", {**about, "code": type(error).__name__, "why": str(error), "remedy": error.remedy})
    for name, why in plan.passed:
        yield Row("passed_over", {"source": name, "why": why})


def _of_report(
    about: dict[str, Any], document: str, ledger: Ledger, texts: dict[str, str], replies: Replies
) -> Iterator[Row]:
    whole = ledger.report(document)
    if whole is None:
        ledger.drop("report", document)  # so that the next run makes it again
        why = "Its report is damaged or was taken away from the run folder."
        yield Row("documents", {**about, "status": "unread"})
        yield Row("failures", {**about, "code": "LostReport", "why": why, "remedy": "Run the same scan again."})
        return
    made = reports.rows(whole)
    text = whole["document"]["text_sha256"]
    like = texts.setdefault(text, about["source"])
    same = like if like != about["source"] else ""
    page = relative("page", document) if ledger.has("page", document) else ""
    claims = sum(m["type"] in CLAIM_TYPES for m in made["mentions"])
    state = {"status": "read", "repeats": same, "repeats_by": "text" if same else "", "claims": claims, "page": page}
    yield Row("documents", made["documents"][0] | state | about)
    spoken = {m["id"]: m for m in whole["mentions"]}
    for row, product in zip(made["products"], whole["products"], strict=True):
        claim = next((spoken[m] for m in product["mentions"] if spoken[m]["type"] in CLAIM_TYPES), None)
        row |= {"claim": claim["sentence"] if claim else "", "claim_page": claim["page"] if claim else None}
    answered = match(replies.get(document, ()), made["products"]).found
    for row in made["products"]:
        reply = answered.get((document, row["id"]))
        if reply is not None:
            row |= {"reply": reply.answer, "reply_evidence": reply.evidence, "reply_by": reply.by, "reply_on": reply.on}
        yield Row("products", row | about)
    for name in ("mentions", "evidence"):
        for row in made[name]:
            yield Row(name, row | about)


class Writer:
    """Writes rows to ``tables/NAME.csv`` and ``.parquet`` under temporary names; :meth:`finish` puts all in place."""

    def __init__(self, folder: str, metadata: Sequence[str]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._arrow = pyarrow
        self._folder = os.path.join(folder, "tables")
        self._columns = {name: columns(name, metadata) for name in NAMES}
        kinds = {
            "string": pyarrow.string(),
            "Int64": pyarrow.int64(),
            "Float64": pyarrow.float64(),
            "boolean": pyarrow.bool_(),
        }
        self._schemas = {
            name: pyarrow.schema([(column, kinds[kind]) for column, kind in of.items()])
            for name, of in self._columns.items()
        }
        self._kept: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
        self._open = ExitStack()
        try:
            os.makedirs(self._folder, exist_ok=True)
            for left in os.listdir(self._folder):
                if left.startswith(TEMPORARY):
                    os.unlink(os.path.join(self._folder, left))
            self._csv: dict[str, Any] = {}
            self._parquet: dict[str, Any] = {}
            for name in NAMES:
                file = open(self._path(name, "csv", TEMPORARY), "w", encoding="utf-8-sig", newline="")
                self._csv[name] = csv.writer(self._open.enter_context(file))
                self._csv[name].writerow(map(safe_cell, self._columns[name]))
                path = self._path(name, "parquet", TEMPORARY)
                self._parquet[name] = self._open.enter_context(
                    pyarrow.parquet.ParquetWriter(path, self._schemas[name], compression="zstd")
                )
        except OSError as error:
            self._open.close()
            raise unwritable(self._folder, error) from error

    def add(self, row: Row) -> None:
        kept = self._kept[row.table]
        kept.append(row)
        if len(kept) >= BATCH:
            self._flush(row.table)

    def finish(self) -> None:
        try:
            for name in NAMES:
                self._flush(name)
            self._open.close()
            for name in NAMES:
                for kind in ("csv", "parquet"):
                    os.replace(self._path(name, kind, TEMPORARY), self._path(name, kind))
        except OSError as error:
            raise unwritable(self._folder, error) from error

    def close(self) -> None:
        """Let go of what was not finished."""
        try:
            self._open.close()
        except OSError:  # the disk is full, and that has been said
            pass

    def _flush(self, name: str) -> None:
        kept, of = self._kept[name], self._columns[name]
        if not kept:
            return
        try:
            table = [[row.get(column) for column in of] for row in kept]
            self._csv[name].writerows([safe_cell(c) if isinstance(c, str) else c for c in row] for row in table)
            clean = [{column: _whole(value) for column, value in zip(of, row, strict=True)} for row in table]
            self._parquet[name].write_table(self._arrow.Table.from_pylist(clean, schema=self._schemas[name]))
        except OSError as error:
            raise unwritable(self._folder, error) from error
        kept.clear()

    def _path(self, name: str, kind: str, before: str = "") -> str:
        return os.path.join(self._folder, f"{before}{name}.{kind}")


def _whole(value: Any) -> Any:
    """Text that UTF-8 can hold: half a surrogate pair, which a damaged document may have, becomes a mark."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
