"""Cuts blocks of text into sentences, with offsets. Rules, not a model: it must cost less than reading the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from claimscan.records import Document, Sentence

# A full stop, question or exclamation mark (and closing quotes) followed by space and a capital, digit, quote or bullet.
_END = re.compile(r"(?<=[.!?])[\"'\u2019\u201d)\]]*\s+(?=[\"'\u2018\u201c(\[]*[A-Z0-9£•–-])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Rev|St|No|Nos|pp?|vol|fig|para|paras|cf|eg|e\.g|ie|i\.e|etc|vs|Cllr|Hon|approx|dept|est|incl|Ltd|Jan|Feb|Aug|"
    r"Sept|Oct|Nov|Dec)|\b[A-Z]|^\(?\d{1,2}|^\(?[a-z])\.$"
)


def cut(text: str) -> Iterator[tuple[int, int]]:
    """Half-open offsets of the sentences of ``text``, outer white space left out."""
    start = 0
    for gap in _END.finditer(text):
        if _ABBREVIATION.search(text[start : gap.start()].rstrip("\"'\u2019\u201d)]")):
            continue
        if text[start : gap.start()].strip():
            yield _trim(text, start, gap.start() + len(gap.group().rstrip()))
        start = gap.end()
    if text[start:].strip():
        yield _trim(text, start, len(text))


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def sentences(document: Document) -> Iterator[Sentence]:
    """Every sentence of the document's blocks in reading order, furniture left out, with the heading above it."""
    heading = ""
    for i, block in enumerate(document.blocks):
        if block.kind == "furniture":
            continue
        text = document.text[block.start : block.end]
        for start, end in cut(text):
            yield Sentence(block.start + start, block.start + end, text[start:end], block.page, i, block.kind, heading)
        if block.kind == "heading":
            heading = " ".join(text.split())
