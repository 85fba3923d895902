"""A study begun over a finished run: its frame, which lists every document that could be drawn and why others cannot."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from claimscan.batch import ledger, run_tables
from claimscan.batch.tables import columns
from claimscan.codebook import LEVELS
from claimscan.errors import UsageError
from claimscan.study.folder import FRAME, Study

NO_CLAIM = "no claim"  # the predicted grade of a document in which nothing is graded
DRAWABLE = "read"
_WHY = {
    "unread": "It could not be read.",
    "repeat": "Its bytes are those of {repeats}.",
    "text": "Its text is that of {repeats}.",
}


def begin(run: str, folder: str, title: str, codebook: str) -> Study:
    """Make the study folder of a run.

    Args:
        run: the folder that ``claimscan scan`` wrote.
        folder: the new study folder.
        title: of the study.
        codebook: the digest of the codebook's tables, kept for the record.

    Raises:
        UsageError: the run is not finished, or the folder holds a study.
    """
    about = ledger.description(run)
    metadata = metadata_of(run)
    rows = frame(run, metadata)
    if not any(row["status"] == DRAWABLE for row in rows):
        raise UsageError(f"The run in {run} has no document that could be read.")
    kept = {"title": title or os.path.basename(os.path.abspath(run)), "codebook": codebook, "metadata": metadata}
    return Study.made(folder, {**kept, "totals": about.get("totals", {})}, rows, (*FRAME, *metadata))


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
        found = _main(made.get(row["document"], []))
        why = _WHY.get(status, "").format(repeats=row["repeats"])
        shown = {name: row[name] for name in ("document", "source", "title", "pages", "claims", "products", *metadata)}
        shown |= {"status": DRAWABLE if status == "read" else status, "why": why}
        if status == "read":
            shown |= {"grade": found.get("grade", NO_CLAIM), "band": found.get("band") or ""}
        out.append({key: "" if value is None else str(value) for key, value in shown.items()})
    return out


def _main(products: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    own = next((p for p in products if p["is_document"]), None)
    graded = sorted((p for p in products if p["grade"] in LEVELS), key=lambda p: p["grade"], reverse=True)
    return own or (graded[0] if graded else products[0] if products else {})
