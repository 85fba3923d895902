"""Codings that come back from a tool, put in their places in the document as claimscan reads it.

A tool may have changed line ends, spaces or the text itself. Where the text is the same the offsets hold; else the words are
looked for with what stands around them, as corrections are (:mod:`claimscan.correcting.anchors`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from claimscan.correcting.anchors import AROUND, Words, anchor
from claimscan.records import Anchor, Document
from claimscan.study.codes import CodeSystem
from claimscan.study.codings import Coding, CodingError, Lost, Returned, in_order, of_tags


def anchor_of(document: Document, coding: Coding) -> Anchor:
    """The words of a coding and what stands around them: what every format writes."""
    return anchor(document, coding.start, coding.end)


def anchor_in(text: str, start: int, end: int, page: int = 1) -> Anchor:
    """The anchor of a span of a text that a tool handed back."""
    return Anchor(text[start:end], text[max(0, start - AROUND) : start], text[end : end + AROUND], start, page)


class Placer:
    """What a reader of a format tells each coding to; :meth:`returned` is what came of them.

    Args:
        documents: those of the study.
        codes: the code system that codings have to be of; things may be new.
    """

    def __init__(self, documents: Sequence[Document], codes: CodeSystem) -> None:
        self.documents: Mapping[str, Document] = {d.id: d for d in documents}
        self.codes = codes
        self._words: dict[str, Words] = {}
        self._codings: list[Coding] = []
        self._lost: list[Lost] = []
        self._coded: set[tuple[str, str]] = set()

    def coded(self, document: str, coder: str) -> None:
        """Somebody has coded a document, whether or not there was anything to code."""
        if document in self.documents:
            self._coded.add((document, coder))

    def take(
        self, document: str, at: Anchor, tags: Sequence[str], *, detail: str = "", note: str = "", coder: str = ""
    ) -> None:
        """Place one span with its tags, or note why it has no place.

        Args:
            document: the document's id, as the file has it.
            at: its words in the file's own text; ``start`` in that text.
        """
        if document not in self.documents:
            self.lose(document, at, tags, coder, "The document is none of this study.")
            return
        self.coded(document, coder)
        if document not in self._words:
            self._words[document] = Words(self.documents[document])
        span = self._words[document].find(at)
        if isinstance(span, str):
            self.lose(document, at, tags, coder, span)
            return
        try:
            for coding in of_tags(document, *span, tags, detail=detail, note=note, coder=coder):
                self._codings.append(self.codes.check(coding))
        except CodingError as error:
            self.lose(document, at, tags, coder, str(error))

    def lose(self, document: str, at: Anchor, tags: Sequence[str], coder: str, why: str) -> None:
        """Note something that came back and cannot be placed."""
        self._lost.append(Lost(document, at, tuple(tags), coder, why))

    def returned(self) -> Returned:
        return Returned(in_order(self._codings), tuple(self._lost), tuple(sorted(self._coded)))
