"""Codings: one code of the codebook on one span of a document, by one coder. What every other module of a study is about.

A coding is written into any tool as a span with tags, and read back from them: its code, the thing it is about, and what
else is said of it. Tags are paths of the code system (:mod:`claimscan.study.codes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimscan.errors import ClaimscanError
from claimscan.records import Anchor

MENTION, THING, WHO, ALSO = "mention", "thing", "who", "also"  # groups of codes that are no slots
DOCUMENT = "this document"  # the thing that stands for the document itself
NUMBERS = ("le_n", "total_n", "low", "high")
DETAILS = (*NUMBERS, "kind", "unit", "frequency", "axis")


class CodingError(ClaimscanError):
    """A coding says what no coding can say, or a file of codings cannot be read."""


@dataclass(frozen=True, slots=True)
class Coding:
    """One code on one span.

    Attributes:
        document: sha256 of the document's bytes.
        start, end: half-open offsets into the document's text.
        code: path of a code: ``mention/DOC_DONE``, or slot and value: ``authorship/le``.
        thing: the name of what it is about; :data:`DOCUMENT` for the document itself, empty where it is about none.
        also: what else is said of it, sorted paths: ``also/hedged``, ``also/part``, ``also/presentation``,
            ``also/borderline``, and whose evidence it is: ``who/proxy``.
        detail: of a count: ``le_n``, ``total_n``, ``low``, ``high`` (people), ``kind``, ``unit``; of continuity:
            ``frequency``; of breadth: ``axis``.
        note: the coder's memo.
        coder: who coded it.
    """

    document: str
    start: int
    end: int
    code: str
    thing: str = ""
    also: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)
    note: str = ""
    coder: str = ""

    @property
    def tags(self) -> tuple[str, ...]:
        """All its paths: the code, the thing, what else."""
        return (self.code, *([f"{THING}/{self.thing}"] if self.thing else []), *self.also)


@dataclass(frozen=True, slots=True)
class Lost:
    """A coding that came back and has no place here: nothing is dropped in silence.

    Attributes:
        document: as the file names it. ``at``: its words there. ``tags``: its codes, as the file has them.
        why: in plain words.
    """

    document: str
    at: Anchor
    tags: tuple[str, ...]
    coder: str
    why: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What a file of codings held.

    Attributes:
        codings: those that found their places, in the order of :func:`in_order`.
        lost: those that did not.
        coded: every document and coder of whom the file says that she has coded it, also with no coding at all: a document
            with nothing to code is a result, one that nobody has opened is not.
    """

    codings: tuple[Coding, ...] = ()
    lost: tuple[Lost, ...] = ()
    coded: tuple[tuple[str, str], ...] = ()


def in_order(codings: Iterable[Coding]) -> tuple[Coding, ...]:
    """The codings by document, place, coder, and what they say; the same one once."""
    kept = {(c, detail_text(c.detail)): c for c in codings}
    return tuple(
        sorted(
            kept.values(),
            key=lambda c: (c.document, c.start, c.end, c.coder, c.code, c.thing, c.also, detail_text(c.detail), c.note),
        )
    )


def of_tags(
    document: str, start: int, end: int, tags: Sequence[str], *, detail: str = "", note: str = "", coder: str = ""
) -> tuple[Coding, ...]:
    """The codings that the tags of one span say: one for each code, all with the same thing and the same else.

    Raises:
        CodingError: no tag is a code, or there are two things, or the detail cannot be read. Whether the code is one of the
            codebook is for :meth:`claimscan.study.codes.CodeSystem.check` to say.
    """
    codes = [t for t in tags if t.partition("/")[0] not in (THING, WHO, ALSO)]
    things = sorted({t.partition("/")[2].strip() for t in tags if t.startswith(f"{THING}/")})
    also = tuple(sorted({t for t in tags if t.partition("/")[0] in (WHO, ALSO)}))
    if not codes:
        raise CodingError("It has no code of the codebook, only what it is about or what else is said of it.")
    if len(things) > 1:
        raise CodingError(f"It is about two things: {', '.join(things)}.", "Code the words once for each.")
    said = of_detail(detail)
    thing = things[0] if things else ""
    return tuple(Coding(document, start, end, code, thing, also, said, note, coder) for code in dict.fromkeys(codes))


def detail_text(detail: Mapping[str, Any]) -> str:
    """The detail as a person and a tool can keep it: ``le_n=12; unit=members``."""
    return "; ".join(f"{key}={detail[key]}" for key in DETAILS if detail.get(key) not in (None, ""))


_DETAIL = re.compile(r"\s*([a-z_]+)\s*=\s*([^;=]*?)\s*(?:;|$)")


def of_detail(text: str) -> dict[str, Any]:
    """The detail of such a text.

    Raises:
        CodingError: it cannot be read, names something unknown, or a number is none.
    """
    found: dict[str, Any] = {}
    at = 0
    while at < len(text.rstrip()):
        match = _DETAIL.match(text, at)
        if not match or match[1] not in DETAILS or not match[2]:
            raise CodingError(f"Its detail cannot be read: “{text[:100]}”.", "Write it as le_n=12; unit=members.")
        key, value = match[1], match[2]
        if key in NUMBERS and not re.fullmatch(r"[0-9]{1,9}", value):
            raise CodingError(f"{key} has to be a whole number, and it is “{value[:40]}”.")
        found[key] = int(value) if key in NUMBERS else value
        at = match.end()
    return found
