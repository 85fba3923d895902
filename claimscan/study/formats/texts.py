"""The text of a document as a file can hold it, and its places counted as a tool counts them.

No format holds every character that a document's text can have. :func:`held` puts another in the place of each such
character, one for one, so that offsets stay, and :func:`written` writes line ends alike. A tool may change line ends and spaces; :class:`Copy` finds the places all
the same. Where the words themselves were changed, the file's own text decides, and the words are looked for.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from uuid import UUID, uuid5

from claimscan.correcting.anchors import Words, page
from claimscan.records import Anchor, Document
from claimscan.study.placing import Placer, anchor_in

_NAMESPACE = UUID("6c1b6d5e-0d0f-5a6b-9d3a-5f2f0c3f7a11")  # of every id that claimscan gives in a file
# Not allowed in XML 1.0, or no character at all: controls, halves of surrogate pairs, non-characters.
_NOT_HELD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NOWHERE = Anchor("", "", "", 0, 0)  # of what is on no words
_MANY = "The words are in more than one place, and nothing tells which is meant."
_SPACES = "\x0b\x0c\x1c\x1d\x1e\x1f"
_SOLID = re.compile("[^\\s\x00-\x1f\x7f-\x9f\u200b\ufeff\ufffd-\uffff\ud800-\udfff]")


def held(text: str) -> str:
    """The text with a space or U+FFFD for each character that no file of any tool can hold; of the same length."""
    return _NOT_HELD.sub(lambda match: " " if match[0] in _SPACES else "\ufffd", text)


def written(text: str) -> str:
    """The text of a document as every file has it: :func:`held`, and with line feeds for line ends, of the same length.

    Tools count a line end of two characters as one, or as two, or make it three.
    """
    return held(text).replace("\r\n", " \n").replace("\r", "\n")


def guid(*parts: object) -> str:
    """An id that the same parts always get."""
    return str(uuid5(_NAMESPACE, "\x1f".join(held(str(part)) for part in parts)))


class Units:
    """Offsets into a text counted in other units than code points.

    Args:
        utf16: UTF-16 code units, as Java and JavaScript count.
        line_end: a carriage return with its line feed counts as one.
    """

    def __init__(self, text: str, *, utf16: bool = False, line_end: bool = False) -> None:
        self._length = len(text)
        self._table: array[int] | None = None
        if (utf16 and max(text, default="") > "\uffff") or (line_end and "\r\n" in text):
            sizes = [2 if utf16 and c > "\uffff" else 1 for c in text]
            if line_end:
                for match in re.finditer("\r\n", text):
                    sizes[match.start() + 1] = 0
            self._table = array("q", accumulate(sizes, initial=0))

    @property
    def plain(self) -> bool:
        """Whether they are the same as code points in this text."""
        return self._table is None

    def count(self, at: int) -> int:
        """The offset in these units of an offset in code points."""
        return at if self._table is None else self._table[at]

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The half-open span in code points; half a character counts as the whole. None where it is not in the text."""
        table = self._table
        if not 0 <= start < end <= (self._length if table is None else table[-1]):
            return None
        if table is None:
            return start, end
        first, last = bisect_right(table, start) - 1, bisect_right(table, end) - 1
        return first, last + (table[last] < end)


class Copy:
    """The text that a file has of a document, beside the document itself."""

    def __init__(self, text: str, document: Document | None) -> None:
        self.text, self._document = text, document
        self._same = document is not None and text == written(document.text)
        self._places: tuple[array[int], array[int]] | None = None
        if document is not None and not self._same:
            (one, here), (other, there) = _solid(text), _solid(document.text)
            if one == other:
                self._places = here, there

    def anchor(self, start: int, end: int) -> Anchor:
        """The anchor of a half-open span of the file's text: in the document's own text where the two say the same."""
        if self._document is None or not (self._same or self._places):
            return anchor_in(self.text, start, end, 0)
        if self._places:
            here, there = self._places
            first, last = bisect_left(here, start), bisect_left(here, end) - 1
            if first > last:
                return anchor_in(self.text, start, end, 0)
            start, end = self._edges(start, here[first], there[first], there[last] + 1, here[last] + 1, end)
        return anchor_in(self._document.text, start, end, page(self._document, start))

    def _edges(self, start: int, first: int, there: int, there_end: int, last: int, end: int) -> tuple[int, int]:
        """The span in the document, with as much of the space at its edges as is the same."""
        text = self._document.text if self._document else ""
        while first > start and there and self.text[first - 1] == written(text[there - 1]):
            first, there = first - 1, there - 1
        while last < end and there_end < len(text) and self.text[last] == written(text[there_end]):
            last, there_end = last + 1, there_end + 1
        return there, there_end


def _solid(text: str) -> tuple[str, array[int]]:
    places = array("q", (match.start() for match in _SOLID.finditer(text)))
    return "".join(_SOLID.findall(text)), places


class Known:
    """The documents of a study, found by what a file says of them: an id, or their text."""

    def __init__(self, placer: Placer) -> None:
        self._placer = placer
        self._by_guid = {guid("document", key): key for key in placer.documents}
        self._by_text: dict[str, list[str]] = {}
        self._words: dict[str, Words] = {}

    def id_of(self, text: str, marks: Iterable[object]) -> str:
        """The document's id; empty where it is none of the study's, or one of two with the same text.

        Args:
            text: what the file has of it. ``marks``: whatever in the file could be its id.
        """
        for mark in marks:
            if isinstance(mark, str):
                key = mark.strip().lower().strip("{}")
                for found in (mark, mark.strip(), key, self._by_guid.get(key, "")):
                    if found in self._placer.documents:
                        return found
        if not text:
            return ""
        if not self._by_text:
            for key, document in self._placer.documents.items():
                self._by_text.setdefault(_solid(document.text)[0], []).append(key)
        alike = self._by_text.get(_solid(text)[0], [])
        return alike[0] if len(alike) == 1 else ""

    def copy(self, text: str, document: str) -> Copy:
        return Copy(text, self._placer.documents.get(document))

    def by_words(
        self, document: str, quote: str, prefix: str = "", suffix: str = "", number: int | None = None
    ) -> tuple[Anchor, str]:
        """The place of words of which the file does not say where they are, and in plain words why there is none.

        Args:
            prefix, suffix: what stands around them; it may be what stood around them before somebody moved the place.
            number: of the page, where it is known.
        """
        given = Anchor(quote, prefix, suffix, 0, 0)
        if document not in self._placer.documents:
            return given, ""  # which the placer says
        own = self._placer.documents[document]
        words = self._words.setdefault(document, Words(own))
        found = words.find(given) if prefix or suffix else ""
        if isinstance(found, tuple):
            return anchor_in(own.text, *found, page(own, found[0])), ""
        places = words.every(quote)
        near = [place for place in places if page(own, place[0]) == number]
        if len(near) == 1:
            places = near
        if len(places) == 1:
            return anchor_in(own.text, *places[0], page(own, places[0][0])), ""
        return given, _MANY if places else ""
