"""Pieces of text with a kind become a Document: blocks parted by one newline, pages by two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from claimscan.records import Block, Document, Page, Warning_


class Piece(NamedTuple):
    """One block to be: its text on one line, and its kind and level as in :class:`claimscan.records.Block`."""

    text: str
    kind: str = "paragraph"
    level: int = 0


def assemble(
    pages: Sequence[Sequence[Piece]],
    identity: str,
    source: str,
    format: str,
    title: str = "",
    warnings: Sequence[Warning_] = (),
) -> Document:
    """A Document of the pieces of each page, in order. Pieces of white space alone are left out."""
    parts: list[str] = []
    length = 0
    made: list[Page] = []
    blocks: list[Block] = []
    for number, pieces in enumerate(pages, start=1):
        if number > 1:
            parts.append("\n\n")
            length += 2
        start = length
        for piece in pieces:
            text = " ".join(piece.text.split())
            if not text:
                continue
            if length > start:
                parts.append("\n")
                length += 1
            blocks.append(Block(length, length + len(text), number, piece.kind, piece.level))
            parts.append(text)
            length += len(text)
        made.append(Page(number, start, length))
    text = "".join(parts)
    if not title:
        headings = [block for block in blocks if block.kind == "heading"]
        if headings:
            first = min(headings[:6], key=lambda block: block.level)
            title = text[first.start : first.end]
    return Document(identity, source, format, text, tuple(made), tuple(blocks), title, tuple(warnings))
