"""Cuts blocks of text into sentences, with offsets. Rules, not a model: it must cost less than reading the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from claimscan.records import Document, Sentence

# A full stop, question or exclamation mark (and closing quotes) followed by space and a capital, digit, quote or bullet.
# A question stays with a short answer ("Was it co-produced? No.").
_STOP = r"(?<=[.!?])[\"'\u2019\u201d)\]*_]*\s+(?=[\"'\u2018\u201c(\[*_]*[A-Z0-9£•–-])(?!(?<=\?\s)\W*(?:Yes|No|Neither|Not yet)\b)"
# Marks that open a list item or a heading inside a line whose line ends were lost.
_MARK = r"(?<!\s)\s+(?=[•●▪◦‣○■□➢✓►]\s?\S|\*\s+\S|o\s+[A-Z][a-z]|#{1,6}\s|(?<=[;:]\s)-\s+[A-Z]|\d{1,2}(?:\.\d{1,2}){1,2}\.?\s+[A-Z][a-z]|\d{1,2}[.)]\s+[A-Z][a-z])"
# A word that only opens a sentence, after a word in small letters: a heading ran into the text below it.
_OPENING = r"(?<=[a-z\d)])\s+(?=(?:(?:The|This|These|We|There|It|They|In|From|However|Our|As|To|A|An|During|Between|Since|Following|For|Include|Ensure|Develop|Provide|Consider|Establish|Promote|Improve)\s+[a-z]|The\s+[A-Z]))"
_CUT = re.compile(f"(?P<stop>{_STOP})|(?P<mark>{_MARK})|{_OPENING}")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Rev|St|No|Nos|pp?|vol|fig|para|paras|cf|eg|e\.g|ie|i\.e|etc|vs|Cllr|Hon|approx|dept|est|incl|Ltd|Jan|Feb|Aug|"
    r"Sept|Oct|Nov|Dec)|\b[A-Z]|^\(?[A-Z]?\d{1,2}|^\(?[a-z])\.$"
)
# What a number in the text, or a capital after it, belongs to; after these nothing opens.
_CARRIES = re.compile(
    r"(?:\b(?:a|an|the|of|in|at|to|on|by|for|and|or|with|from|as|is|are|was|were|than|about|over|under|see|per|its|our|their|into|between|until|via|"
    r"called|titled|entitled|named|version|section|sections|chapter|figure|fig|table|page|part|annex|appendix|paragraph|clause|rule|principle|priority|"
    r"recommendation|action|step|stage|phase|year|level|item|no|number)\.?|[,(&/£$\u2013\u2014-])$",
    re.IGNORECASE,
)


def cut(text: str) -> Iterator[tuple[int, int]]:
    """Half-open offsets of the sentences of ``text``, outer white space left out."""
    start = 0
    for gap in _CUT.finditer(text):
        before = text[max(start, gap.start() - 24) : gap.start()]
        if gap["stop"]:
            if _ABBREVIATION.search(before.rstrip("\"'\u2019\u201d)]*_")):
                continue
        elif gap["mark"]:
            if text[gap.end()].isdigit() and _CARRIES.search(before):
                continue
        elif _CARRIES.search(before) or not _ends_small(before):
            continue
        if text[start : gap.start()].strip():
            yield _trim(text, start, gap.start() + len(gap.group().rstrip()))
        start = gap.end()
    if text[start:].strip():
        yield _trim(text, start, len(text))


_LONGEST = 1500  # characters of a sentence; prose has none so long, and the rules' cost grows with its length
_BREAK = re.compile(r"(?s).*[;:,.]\s|.*\s")


def _within(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentence, or where it is longer than any sentence its parts, cut at a comma, else at a space, else anywhere."""
    while end - start > _LONGEST:
        found = _BREAK.match(text, start + _LONGEST // 2, start + _LONGEST)
        middle = found.end() if found else start + _LONGEST
        if text[start:middle].strip():
            yield _trim(text, start, middle)
        start = middle
    if text[start:end].strip():
        yield _trim(text, start, end)


def _ends_small(text: str) -> bool:
    """Whether the last word begins with a small letter."""
    last = text.rsplit(None, 1)[-1:] or [""]
    return last[0][:1].islower()


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


_COLUMN_HEAD = 6  # letters; a bold "What" or "When" is the head of a column, not of a section


def sentences(document: Document) -> Iterator[Sentence]:
    """Every sentence of the document's blocks in reading order, furniture left out, with the heading above it."""
    heading = ""
    for i, block in enumerate(document.blocks):
        if block.kind == "furniture":
            continue
        text = document.text[block.start : block.end]
        for whole in cut(text):
            for start, end in _within(text, *whole):
                yield Sentence(
                    block.start + start, block.start + end, text[start:end], block.page, i, block.kind, heading
                )
        if block.kind == "heading" and len(text) > _COLUMN_HEAD:
            heading = " ".join(text.split())
