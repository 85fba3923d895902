"""The code system that a study codes with: every code of the codebook's tables, with its words and its place in the tree."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from claimscan.codebook import Tables, tables
from claimscan.showing import wording
from claimscan.study.codings import ALSO, DOCUMENT, MENTION, THING, WHO, Coding, CodingError

_ELSE = {
    "hedged": "said with a limit (T7)",
    "part": "about a part of the thing",
    "presentation": "about how the thing looks or reads",
    "borderline": "the words could also mean something else",
}
_ABOUT = {
    MENTION: "Codebook 1: what a use of the word is. One on each trigger word.",
    THING: "What a coding is about: one code for each thing made; “this document” is the document itself.",
    WHO: "Whose evidence it is.",
    ALSO: "What else is said of a coding.",
}
_NAME = re.compile(r"[^\x00-\x1f/\ud800-\udfff]{1,300}")


@dataclass(frozen=True, slots=True)
class Code:
    """One code.

    Attributes:
        path: what identifies it, group and name with a slash between: ``authorship/le``; of a group, its own name.
        group: ``mention``, a slot, ``thing``, ``who`` or ``also``.
        name: the code as the codebook writes it: ``le``. ``about``: the same in plain words.
        colour: ``#rrggbb``, one for a group; tools want one.
        is_group: it only holds others, and is on no words itself.
    """

    path: str
    group: str
    name: str
    about: str
    colour: str
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """The codes in the codebook's order, each group before its own."""

    codes: tuple[Code, ...]

    def by_path(self) -> Mapping[str, Code]:
        return {code.path: code for code in self.codes}

    def check(self, coding: Coding) -> Coding:
        """The coding, where its codes are of this system; a thing may be new.

        Raises:
            CodingError: one is not.
        """
        known = {code.path for code in self.codes if not code.is_group}
        for tag in (coding.code, *coding.also):
            if tag not in known:
                raise CodingError(f"“{tag[:80]}” is no code of this codebook.", "Use the codes that were exported.")
        if coding.thing and not _NAME.fullmatch(coding.thing):
            raise CodingError("The name of a thing is too long or has marks that no name has.")
        if coding.end <= coding.start:
            raise CodingError("It is on no words.")
        return coding


def code_system(things: Iterable[str] = (), table: Tables | None = None) -> CodeSystem:
    """The codes of the codebook, and a code for each thing named.

    Args:
        things: names of things made, besides the document itself.
        table: another codebook than claimscan's own.
    """
    table = table or tables()
    made: list[Code] = []

    def group(name: str, about: str, rows: Iterable[tuple[str, str]]) -> None:
        colour = _colour(name)
        made.append(Code(name, name, name, about, colour, is_group=True))
        made.extend(Code(f"{name}/{code}", name, code, words, colour) for code, words in rows)

    words = wording.tables()
    group(MENTION, _ABOUT[MENTION], ((code, one) for code, (one, _) in words["mentions"].items()))
    for slot, row in table.slots.items():
        about = words["slots"].get(slot, {}).get("name") or "marks (C5)"
        # “not_stated” and “none_stated” are the absence of a coding, on no words.
        values = [v for v in row.values if v not in wording.UNSTATED]
        group(slot, f"Codebook 2: {about}.", ((v, wording.word(v, "values", slot)) for v in values))
    names = sorted({name for name in things if name} - {DOCUMENT})
    group(THING, _ABOUT[THING], ((name, name) for name in (DOCUMENT, *names)))
    group(WHO, _ABOUT[WHO], ((who, wording.word(who, "people")) for who in table.who if who))
    group(ALSO, _ABOUT[ALSO], _ELSE.items())
    return CodeSystem(tuple(made))


def _colour(name: str) -> str:
    """A colour that a group keeps whatever other groups there are; light enough for black words on it."""
    hue = int(sha256(name.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.72, 0.65))
    return f"#{red:02x}{green:02x}{blue:02x}"
