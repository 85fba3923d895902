"""The documents that the benchmarks read when no FILE is given: PDFs of exactly 100 pages, from our own corpus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any

from pypdf import PdfReader, PdfWriter

from claimscan import mentions, products
from claimscan.reading import read

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
PAGES = 100
LAYOUTS = ("one-column", "two-column")


def with_claims(folder: Path) -> Path:
    """The corpus's PDFs one after the other, one column and two by turns, cut at 100 pages."""
    return _written(_by_turns(), folder / "with-claims.pdf")


def without_claims(folder: Path) -> Path:
    """Pages on which nothing is claimed, repeated where there are fewer than 100."""
    quiet = _quiet()
    return _written(iter(quiet * (PAGES // len(quiet) + 1)), folder / "without-claims.pdf")


def typical(folder: Path) -> Path:
    """As real strategies are: a trigger on one page in twenty, the other pages quiet."""
    quiet, loud = cycle(_quiet()), cycle(_loud())
    pages = (next(loud if number % 20 == 4 else quiet) for number in count())
    return _written(pages, folder / "typical.pdf")


def _quiet() -> list[Any]:
    """Pages of the corpus's PDFs, every layout, on which nothing is claimed: no trigger, and nobody said to have made anything."""
    return [page for page, text in _pages() if not (mentions.possible(text) or products.possible(text))]


def _loud() -> list[Any]:
    """Pages of the corpus's PDFs with a trigger."""
    return [page for page, text in _pages() if mentions.possible(text)]


def _pages() -> Iterator[tuple[Any, str]]:
    for file in sorted((CORPUS / "pdf").glob("*.pdf")):
        document = read(file)
        for page, known in zip(PdfReader(file).pages, document.pages, strict=True):
            yield page, document.text[known.start : known.end]


def _by_turns() -> Iterator[Any]:
    for number, source in enumerate(sorted((CORPUS / "documents").glob("*.txt"))):
        yield from PdfReader(CORPUS / "pdf" / f"{source.stem}.{LAYOUTS[number % 2]}.pdf").pages


def _written(pages: Iterator[Any], file: Path) -> Path:
    writer = PdfWriter()
    for page, _ in zip(pages, range(PAGES)):
        writer.add_page(page)
    writer.write(file)
    return file
