"""What coders disagree on, out for a decision and in again: the adjudicated codings follow from the decisions (codebook 7.3).

A decision is about one unit: the type of a use of the word, whether there is a thing, or the value of a slot. Levels and flags
are never decided; they are derived again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from claimscan.codebook import MENTION_TYPES, Tables, tables
from claimscan.records import Document, Population
from claimscan.study.codings import MENTION, Coding, in_order
from claimscan.study.deriving import derive
from claimscan.study.units import ABSENT, SILENT, THERE, Rating, Unit, joined, ratings, things

ADJUDICATED = "adjudicated"  # the coder whose codings decisions make
NONE = "none"  # the type of words that are no use of the word
COLUMNS = ("variable", "unit", "document", "page", "quote", "values", "decision", "rule", "note")


@dataclass(frozen=True, slots=True)
class Question:
    """A unit on which coders differ.

    Attributes:
        variable: ``type``, ``thing`` or ``value SLOT``. ``unit``: as in :class:`~claimscan.study.units.Rating`.
        said: coder and what she says; a coder who did not mark it says :data:`NONE` or ``not stated``.
    """

    variable: str
    unit: str
    document: str
    page: int
    quote: str
    said: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.document, self.variable, self.unit


@dataclass(frozen=True, slots=True)
class Decided:
    """What decisions made of one document.

    Attributes:
        codings: of :data:`ADJUDICATED`; empty where the document is not settled.
        open: questions with no decision. ``unusable``: questions whose decision cannot be made of what was coded, and why.
    """

    codings: tuple[Coding, ...]
    open: tuple[Question, ...]
    unusable: tuple[tuple[Question, str], ...]

    @property
    def settled(self) -> bool:
        return not self.open and not self.unusable


def questions(
    document: Document, population: Population, codings: Sequence[Coding], coders: Sequence[str]
) -> tuple[Question, ...]:
    """What the coders of one document differ on, in its order. Slots are asked about only of a thing that all of them have."""
    said: dict[tuple[str, str], list[Rating]] = {}
    for rating in ratings(document, population, codings, coders):
        said.setdefault((rating.variable, rating.unit), []).append(rating)
    out = []
    for (variable, unit), rows in said.items():
        values = {row.coder: row.value for row in rows}
        if variable == "claim":  # every use that anybody marked is here, so this is where a missing type shows
            values = {row.coder: row.value for row in said.get(("type", unit), [])}
            variable, missing = "type", NONE
        elif variable == "thing":
            missing = ABSENT
        elif variable.startswith("stated "):
            if set(values) != set(coders):
                continue  # not everybody has the thing: that is asked first
            variable, missing = f"value {variable.partition(' ')[2]}", SILENT
            values = {row.coder: row.value for row in said.get((variable, unit), [])}
        else:
            continue
        all_said = tuple((who, values.get(who, missing)) for who in coders)
        if len({value for _, value in all_said}) > 1:
            out.append(Question(variable, unit, document.id, rows[0].page, rows[0].quote, all_said))
    return tuple(sorted(out, key=lambda q: (q.page, q.unit, q.variable)))


def decide(
    document: Document,
    population: Population,
    codings: Sequence[Coding],
    coders: Sequence[str],
    decisions: Mapping[tuple[str, str, str], str],
    table: Tables | None = None,
) -> Decided:
    """The adjudicated codings of one document.

    Where coders agree, the codings of the first stand; where they differ, those of the first who says what was decided. A type
    that nobody gave is put on the words that were marked; a slot's value that nobody coded has no words, and is unusable.

    Args:
        decisions: by the ``key`` of a question.
    """
    table = table or tables()
    asked = questions(document, population, codings, coders)
    own = {who: [c for c in codings if c.document == document.id and c.coder == who] for who in coders}
    reports = {who: derive(document, population, own[who], {}) for who in coders}
    units = things(document, own, reports)
    names = {f"{document.id[:12]} thing {n}": unit for n, unit in enumerate(units, 1)}
    first = coders[0]
    renamed = {who: [_renamed(c, who, units) for c in own[who]] for who in coders}
    result = list(renamed[first])
    # Things that the first coder does not have, and all that others coded of them, are there only by a decision.
    open_: list[Question] = []
    unusable: list[tuple[Question, str]] = []
    for question in asked:
        decision = decisions.get(question.key, "").strip()
        if not decision:
            open_.append(question)
            continue
        who = next((coder for coder, value in question.said if value == decision), "")
        kind, _, slot = question.variable.partition(" ")
        if kind == "type":
            at = _span(question, own)
            marked = [c for coder in coders for c in renamed[coder] if _is_mention(c) and _on(c, at)]
            chosen = [c for c in renamed[who] if _is_mention(c) and _on(c, at)] if who else []
            if not who and decision in MENTION_TYPES:
                chosen = [replace(marked[0], code=f"{MENTION}/{decision}")]
            elif not who and decision != NONE:
                unusable.append((question, f"“{decision}” is no type of the codebook."))
                continue
            result = [c for c in result if not (_is_mention(c) and _on(c, at))] + chosen
        elif kind == "thing":
            name = names[question.unit].name
            if decision not in (THERE, ABSENT):
                unusable.append((question, f"A thing is “{THERE}” or “{ABSENT}”."))
                continue
            mine = [c for c in renamed[who] if c.thing == name] if decision == THERE else []
            places = [(c.start, c.end) for c in mine if _is_mention(c)]
            result = [
                replace(c, thing="") if c.thing == name and _is_mention(c) else c
                for c in result
                if not (c.thing == name and not _is_mention(c))
                and not (_is_mention(c) and any(_on(c, place) for place in places))
            ] + mine
        else:
            name = names[question.unit].name
            if not who and decision != SILENT:
                unusable.append(
                    (question, f"Nobody coded “{decision}”; code it in a tool, as the coder “{ADJUDICATED}”.")
                )
                continue
            chosen = [c for c in renamed[who] if c.thing == name and _slot(c) == slot] if who else []
            result = [c for c in result if not (c.thing == name and _slot(c) == slot)] + chosen
    settled = not open_ and not unusable
    made = in_order(replace(c, coder=ADJUDICATED) for c in result) if settled else ()
    return Decided(made, tuple(open_), tuple(unusable))


def _renamed(coding: Coding, who: str, units: Iterable[Unit]) -> Coding:
    """The coding with the name that its thing has for all coders."""
    for unit in units:
        if coding.thing and unit.names.get(who) == coding.thing:
            return replace(coding, thing=unit.name)
    return coding


def _span(question: Question, own: Mapping[str, Sequence[Coding]]) -> tuple[int, int]:
    start = int(question.unit.rpartition(" ")[2])
    spans = joined((c.start, c.end) for codings in own.values() for c in codings if _is_mention(c))
    return next(span for span in spans if span[0] == start)


def _is_mention(coding: Coding) -> bool:
    return coding.code.startswith(f"{MENTION}/")


def _slot(coding: Coding) -> str:
    return coding.code.partition("/")[0]


def _on(coding: Coding, span: tuple[int, int]) -> bool:
    return coding.start < span[1] and coding.end > span[0]
