"""A study begun over a finished run: its frame, which lists every document that could be drawn and why others cannot."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from claimscan.batch import ledger, run_tables
from claimscan.batch.ledger import Ledger
from claimscan.batch.tables import columns
from claimscan.codebook import LEVELS
from claimscan.errors import UsageError
from claimscan.study.folder import FRAME, PRODUCTS, Study

NO_CLAIM = "no claim"  # the predicted grade of a document in which nothing is graded
DRAWABLE = "read"
_WHY = {
    "unread": "It could not be read.",
    "repeat": "Its bytes are those of {repeats}.",
    "text": "Its text is that of {repeats}.",
}


def begin(run: str, folder: str, title: str = "") -> Study:
    """Make the study folder of a run.

    Args:
        run: the folder that ``claimscan scan`` wrote.
        folder: the new study folder.
        title: of the study; the run's name, if not given.

    Raises:
        UsageError: the run is not finished, or the folder holds a study.
    """
    about = ledger.description(run)
    metadata = metadata_of(run)
    rows = frame(run, metadata)
    if not any(row["status"] == DRAWABLE for row in rows):
        raise UsageError(f"The run in {run} has no document that could be read.")
    kept = {
        "title": title or os.path.basename(os.path.abspath(run)),
        "provenance": provenance_of(run, rows),
        "metadata": metadata,
        "totals": about.get("totals", {}),
    }
    products = list(run_tables.batches(run, "products", PRODUCTS))
    return Study.made(folder, kept, rows, (*FRAME, *metadata), products)


def provenance_of(run: str, rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Versions and hashes that decided the run's reports; the same for all of them."""
    whole = Ledger(run).report(next(row["document"] for row in rows if row["status"] == DRAWABLE))
    if whole is None:
        raise UsageError(f"A report of the run in {run} is lost or damaged.", "Run the same scan again.")
    return dict(whole["provenance"])


def draw(run: str, study: Study, drawn: Sequence[Mapping[str, str]]) -> None:
    """Put drawn documents into the study, with their readings and reports, so that it needs the run no more.

    Raises:
        UsageError: a reading or report of the run is lost.
    """
    ledger_of = Ledger(run)
    for row in drawn:
        reading, report = (ledger_of.load(kind, row["document"]) for kind in ("reading", "report"))
        if not reading or not report:
            raise UsageError(f"The reading or report of {row['source']} is lost.", "Run the same scan again.")
        study.keep_document(row["document"], reading, report)
    study.keep_sample(drawn)


def metadata_of(run: str) -> list[str]:
    """The columns of a run's tables that the user gave."""
    own = set(columns("documents"))
    return [name for name in run_tables.columns_of(run, "documents") if name not in own]


def frame(run: str, metadata: Sequence[str]) -> list[dict[str, str]]:
    """One row for each document of the run, in its order; documents that cannot be drawn say why.

    A document's predicted grade is that of the document itself where it is graded, else the highest of what it made, else a
    status; :data:`NO_CLAIM` where nothing is graded.
    """
    made: dict[str, list[dict[str, Any]]] = {}
    for product in run_tables.batches(run, "products", ["document", "is_document", "grade", "band"]):
        made.setdefault(product["document"], []).append(product)
    out = []
    for row in run_tables.batches(run, "documents"):
        status = row["status"]
        if status == "read" and row["repeats"]:
            status = "text"
        found = main_of(made.get(row["document"], []))
        why = _WHY.get(status, "").format(repeats=row["repeats"])
        shown = {name: row[name] for name in ("document", "source", "title", "pages", "claims", "products", *metadata)}
        shown |= {"status": DRAWABLE if status == "read" else status, "why": why}
        if status == "read":
            shown |= {"grade": found.get("grade", NO_CLAIM), "band": found.get("band") or ""}
        out.append({key: "" if value is None else str(value) for key, value in shown.items()})
    return out


def main_of(products: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Of the products of one document, the one that stands for it; empty where there is none."""
    own = next((p for p in products if p["is_document"]), None)
    graded = sorted((p for p in products if p["grade"] in LEVELS), key=lambda p: p["grade"], reverse=True)
    return own or (graded[0] if graded else products[0] if products else {})
