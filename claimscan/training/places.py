"""Where every mention and quote of a corpus document is in one of its PDFs.

Found with pdfplumber's characters in the order in which they were drawn, not with claimscan's reader. It is exact and
checks itself: each block was drawn as one marked-content sequence (see :mod:`claimscan.training.typesetting`), and
its letters must be those of the gold text.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

from claimscan.errors import ClaimscanError
from claimscan.training.gold import GoldDocument

SCHEMA = "claimscan/gold-boxes/1"


class PlacesError(ClaimscanError):
    """A PDF does not show the text of its document."""

    exit_code = 2
    remedy = "Compile the document again."


def squeeze(text: str) -> tuple[str, list[int]]:
    """Letters and figures only, lower case, ligatures taken apart; and where each stood in ``text``.

    Two texts that differ in white space, hyphens, line ends or ligatures are the same when squeezed.
    """
    letters: list[str] = []
    where: list[int] = []
    for at, char in enumerate(text):
        for letter in unicodedata.normalize("NFKC", char).lower():
            if letter.isalnum():
                letters.append(letter)
                where.append(at)
    return "".join(letters), where


def locate(document: GoldDocument, path: Path) -> dict[str, Any]:
    """Page and boxes of every mention and evidence mark, as ``claimscan/gold-boxes/1``.

    Boxes are in PDF points from the top left of the page, one for each line or table cell.

    Raises:
        PlacesError: the letters drawn for a block are not those of the document.
    """
    import pdfplumber

    drawn: dict[int, list[dict[str, Any]]] = defaultdict(list)
    with pdfplumber.open(path) as pdf:
        pages = len(pdf.pages)
        for page in pdf.pages:
            for char in page.chars:
                if char.get("mcid") is not None:
                    drawn[char["mcid"]].append(char)
            page.close()
    letters: list[list[dict[str, Any]]] = []
    offsets: list[list[int]] = []
    for number, block in enumerate(document.blocks):
        wanted, where = squeeze(document.text[block.start : block.end])
        chars = [char for char in drawn[number] for _ in squeeze(char["text"])[0]]
        found = "".join(squeeze(char["text"])[0] for char in drawn[number])
        # The head of a table is drawn again on each page; the first is its place.
        if not wanted or found != wanted * max(1, len(found) // len(wanted)):
            raise PlacesError(f"{path.name}: line {block.line} of {document.id}.txt is drawn as {found[:60]!r}")
        letters.append(chars[: len(wanted)])
        offsets.append([block.start + at for at in where])

    def boxes(start: int, end: int, block: int) -> list[dict[str, Any]]:
        return _lines([char for at, char in zip(offsets[block], letters[block]) if start <= at < end])

    return {
        "schema": SCHEMA,
        "id": document.id,
        "pdf": path.name,
        "pages": pages,
        "mentions": [{"id": m.id, "boxes": boxes(m.start, m.end, m.block)} for m in document.mentions],
        "evidence": [{"id": e.id, "boxes": boxes(e.start, e.end, e.block)} for e in document.evidence],
    }


def _lines(chars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One box for each run of characters on a line."""
    boxes: list[dict[str, Any]] = []
    before: dict[str, Any] | None = None
    for char in chars:
        if (
            before
            and char["page_number"] == before["page_number"]
            and abs(char["bottom"] - before["bottom"]) < 0.5 * char["size"]
            and -char["size"] < char["x0"] - before["x1"] < 2 * char["size"]
        ):
            box = boxes[-1]
            box["x1"] = max(box["x1"], char["x1"])
            box["top"], box["bottom"] = min(box["top"], char["top"]), max(box["bottom"], char["bottom"])
        else:
            boxes.append({"page": char["page_number"], **{k: char[k] for k in ("x0", "top", "x1", "bottom")}})
        before = char
    return [{k: v if k == "page" else round(v, 2) for k, v in box.items()} for box in boxes]
