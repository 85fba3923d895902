"""Mentions and evidence as one CSV table that a spreadsheet can open safely.

A cell of text that a spreadsheet could take for a formula gets an apostrophe in front: one whose first character,
spaces aside, is ``= + - @`` or one of their full-width forms, and one that starts with a tab or a line break. The
offsets ``start`` and ``end`` and the JSON always give the words as they were. Control characters are left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claimscan.report import Report

COLUMNS = (
    "source",
    "product",
    "product_name",
    "grade",
    "label",
    "ceiling",
    "row",
    "page",
    "what",
    "value",
    "who",
    "certainty",
    "quote",
    "sentence",
    "rule",
    "score",
    "id",
    "start",
    "end",
    "document",
)

_FORMULA = re.compile("[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def safe_cell(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet could take it for a formula."""
    text = _CONTROL.sub("", text)
    return "'" + text if _FORMULA.match(text) else text


def bare_cell(text: str) -> str:
    """The text of a cell that :func:`safe_cell` made, without the apostrophe that it put in front."""
    return text[1:] if text.startswith("'") and safe_cell(text[1:]) == text else text


def to_csv(reports: Iterable[Report]) -> str:
    """The mentions and evidence of the reports, one a row, under one heading row; rows end in CR LF (RFC 4180).

    ``row`` is ``mention`` or ``evidence``. ``what`` is the mention's type or the evidence's slot, ``value`` the slot's
    value. A mention's ``quote`` is the word itself and ``sentence`` the sentence around it.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for report in reports:
        for row in _rows(report):
            cells = (row.get(column) for column in COLUMNS)
            writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()


def _rows(report: Report) -> Iterator[dict[str, str | int | float | None]]:
    products = {p.id: p for p in report.products}

    def about(product: str) -> dict[str, str | int | float | None]:
        row: dict[str, str | int | float | None] = {"source": report.document.source, "document": report.document.id}
        if product in products:
            finding = report.findings[product]
            row |= {"product": product, "product_name": products[product].name}
            row |= {"grade": finding.grade, "label": finding.label, "ceiling": finding.ceiling}
        return row

    for m in report.mentions:
        yield about(m.product) | {
            "row": "mention",
            "id": m.id,
            "page": m.page,
            "what": m.type,
            "who": m.who,
            "quote": m.text,
            "sentence": m.sentence.text,
            "rule": m.rule,
            "score": round(m.score, 4),
            "start": m.start,
            "end": m.end,
        }
    for e in report.evidence:
        yield about(e.product) | {
            "row": "evidence",
            "id": e.id,
            "page": e.page,
            "what": e.slot,
            "value": e.value,
            "who": e.who,
            "certainty": e.certainty,
            "quote": e.quote,
            "rule": e.rule,
            "score": round(e.score, 4),
            "start": e.start,
            "end": e.end,
        }
