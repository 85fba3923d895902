"""Words of a document found again in another reading of it, by their letters and by what stands around them.

Another layout breaks lines, pages and words at other places, so only letters and digits count, without case and accents.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from functools import cached_property

from claimscan.records import Anchor, Document

AROUND = 60  # characters kept on each side
_LONG = 40  # letters; words of this length are taken for the same without anything alike around them
_MOST = 2000  # places; words that stand in more are too short to be found
_ALIKE = 8  # letters around shorter words that must be the same

_WORD = re.compile(r"[^\W_]+")


def anchor(document: Document, start: int, end: int) -> Anchor:
    """The anchor of a half-open span of the document's text."""
    text = document.text
    return Anchor(
        text[start:end], text[max(0, start - AROUND) : start], text[end : end + AROUND], start, page(document, start)
    )


def page(document: Document, start: int) -> int:
    """The number of the page that a character stands on."""
    at = bisect_right([p.start for p in document.pages], start) - 1
    return document.pages[max(0, at)].number if document.pages else 1


def letters(text: str) -> str:
    """The letters and digits of a text, in lower case and without accents."""
    return "".join(part for part, _ in _letters(text, 0))


def _letters(text: str, offset: int) -> list[tuple[str, array[int]]]:
    out = []
    for word in _WORD.finditer(text):
        start, end = word.span()
        if word[0].isascii():
            out.append((word[0].lower(), array("q", range(start + offset, end + offset))))
            continue
        for at, character in enumerate(word[0], start + offset):
            plain = "".join(c for c in unicodedata.normalize("NFKD", character).casefold() if c.isalnum())
            out.append((plain, array("q", [at] * len(plain))))
    return out


class Words:
    """A document in which words are looked for. The letters are taken out only where they are needed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: dict[Anchor, tuple[int, int] | str] = {}

    @cached_property
    def _judged(self) -> tuple[str, array[int]]:
        """Without running heads and page numbers: words may run over the end of a page."""
        return self._of([(b.start, b.end) for b in self._document.blocks if b.kind != "furniture"])

    @cached_property
    def _all(self) -> tuple[str, array[int]]:
        return self._of([(0, len(self._document.text))])

    def _of(self, spans: list[tuple[int, int]]) -> tuple[str, array[int]]:
        parts, places = [], array("q")
        for start, end in spans:
            for part, at in _letters(self._document.text[start:end], start):
                parts.append(part)
                places.extend(at)
        return "".join(parts), places

    def find(self, wanted: Anchor) -> tuple[int, int] | str:
        """The half-open span of the words, or in plain words why they have no place here."""
        if wanted not in self._found:
            self._found[wanted] = self._find(wanted)
        return self._found[wanted]

    def _find(self, wanted: Anchor) -> tuple[int, int] | str:
        text, end = self._document.text, wanted.start + len(wanted.quote)
        if (
            wanted.quote
            and text.startswith(wanted.quote, wanted.start)
            and text.endswith(wanted.prefix, 0, wanted.start)
            and text.startswith(wanted.suffix, end)
        ):
            return wanted.start, end
        quote = letters(wanted.quote)
        if not quote:
            return "There are no words in the quote."
        for whole, places in (self._judged, self._all):
            found = self._best(whole, places, quote, wanted)
            if found != _ABSENT:
                return found
        return _ABSENT

    def _best(self, whole: str, places: array[int], quote: str, wanted: Anchor) -> tuple[int, int] | str:
        hits = []
        at = whole.find(quote)
        while at >= 0:
            hits.append(at)
            at = whole.find(quote, at + 1)
            if len(hits) > _MOST:
                return _MANY
        if not hits:
            return _ABSENT
        before, after = letters(wanted.prefix), letters(wanted.suffix)
        alike = {
            hit: _same_end(before, whole[max(0, hit - len(before)) : hit])
            + _same_start(after, whole[hit + len(quote) : hit + len(quote) + len(after)])
            for hit in hits
        }
        most = max(alike.values())
        if len(quote) < _LONG and most < min(_ALIKE, len(before) + len(after)):
            return "The words are in the document, but not among the words that stood around them."
        best = [hit for hit in hits if alike[hit] == most]
        if len(best) > 1:
            exact = [hit for hit in best if places[hit] == wanted.start]
            near = [hit for hit in best if page(self._document, places[hit]) == wanted.page]
            best = exact or near
        if len(best) != 1:
            return _MANY
        return self._whole(places[best[0]], places[best[0] + len(quote) - 1] + 1, wanted.quote)

    def _whole(self, start: int, end: int, quote: str) -> tuple[int, int]:
        """The span with the marks at the edges of the quote, as far as they are here too."""
        text = self._document.text
        words = list(_WORD.finditer(quote))
        for mark in reversed(quote[: words[0].start()]):
            if start and text[start - 1] == mark:
                start -= 1
            else:
                break
        for mark in quote[words[-1].end() :]:
            if not text.startswith(mark, end):
                break
            end += 1
        return start, end

    def every(self, quote: str) -> list[tuple[int, int]]:
        """Every span with these words, in order."""
        wanted = letters(quote)
        found: list[tuple[int, int]] = []
        for whole, places in (self._judged, self._all):
            at = whole.find(wanted) if wanted else -1
            while at >= 0:
                found.append(self._whole(places[at], places[at + len(wanted) - 1] + 1, quote))
                at = whole.find(wanted, at + len(wanted))
            if found:
                break
        return found


_ABSENT = "The words are not in this document."
_MANY = "The words are in more than one place, and nothing tells which is meant."


def _same_start(one: str, other: str) -> int:
    n = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        n += 1
    return n


def _same_end(one: str, other: str) -> int:
    return _same_start(one[::-1], other[::-1])
