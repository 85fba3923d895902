"""Codings of several coders set side by side: the units that agreement is about, and what each coder says of each.

Variables (codebook 7.2):

``claim``           a marked use of the word is a claim (section 1) or not; all coders of the document.
``type``            its type, of the coders who marked it.
``thing``           a thing made is there or not; all coders of the document.
``stated SLOT``     of a thing, whether the slot is stated; the coders who have the thing.
``value SLOT``      the slot's value, of those who say that it is stated.
``grade``           the derived grade; ``status``: on the scale or which status; ``level``: 1 to 6, of those on the scale;
                    ``band``: of those on the scale.
``flag CODE``       whether the derived finding has the flag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from claimscan.codebook import CLAIM_TYPES, LEVELS, Tables, tables
from claimscan.correcting.anchors import letters, page
from claimscan.pairing import likenesses, paired
from claimscan.records import Document, Finding, Population
from claimscan.report import Report
from claimscan.showing import wording
from claimscan.study.codings import DOCUMENT, MENTION, Coding
from claimscan.study.deriving import derive

THERE, ABSENT = "there", "not there"
STATED, SILENT = "stated", "not stated"
CLAIM, NO_CLAIM = "claim", "no claim"
_ALIKE = 0.3  # share of the fewer words that two things have in common, from which they can be the same
_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Rating:
    """What one coder says of one unit in one variable.

    Attributes:
        unit: the same for all coders; unique within the variable.
        document: sha256. ``page``, ``quote``: where the unit stands, for a person who discusses it.
    """

    variable: str
    unit: str
    document: str
    coder: str
    value: str
    page: int
    quote: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A thing made, and what each coder calls it: name by coder."""

    document: str
    names: Mapping[str, str]

    @property
    def name(self) -> str:
        return next(iter(self.names.values()))


def ratings(
    document: Document,
    population: Population,
    codings: Sequence[Coding],
    coders: Sequence[str],
    table: Tables | None = None,
) -> tuple[Rating, ...]:
    """Every rating of one document.

    Args:
        codings: of any coders; those of the document and of ``coders`` are used.
        coders: who has coded the document, in order; also those who found nothing to code.
        table: another codebook than claimscan's own, for what is derived.
    """
    table = table or tables()
    own = {who: [c for c in codings if c.document == document.id and c.coder == who] for who in coders}
    reports = {who: derive(document, population, own[who], {}, table) for who in coders}
    found = list(_mentions(document, own))
    for n, unit in enumerate(things(document, own, reports), 1):
        found += _of_thing(document, unit, f"{document.id[:12]} thing {n}", reports, table)
    return tuple(found)


def _mentions(document: Document, own: Mapping[str, Sequence[Coding]]) -> Iterable[Rating]:
    spans = [(c.start, c.end) for codings in own.values() for c in codings if c.code.startswith(f"{MENTION}/")]
    for start, end in joined(spans):
        unit = f"{document.id[:12]} {start}"
        where = page(document, start), document.text[start:end]
        for who, codings in own.items():
            types = sorted(
                {
                    c.code.partition("/")[2]
                    for c in codings
                    if c.code.startswith(f"{MENTION}/") and c.start < end and c.end > start
                }
            )
            claims = any(t in CLAIM_TYPES for t in types)
            yield Rating("claim", unit, document.id, who, CLAIM if claims else NO_CLAIM, *where)
            if types:
                yield Rating("type", unit, document.id, who, " + ".join(types), *where)


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans, those that overlap as one, in order."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def things(
    document: Document, own: Mapping[str, Sequence[Coding]], reports: Mapping[str, Report] | None = None
) -> list[Unit]:
    """The things made, of all coders: two coders' things are one by their name, or by the words that are about them.

    Where two could be the one as well as the other, neither is taken for it.

    Args:
        own: the codings of the document by coder. ``reports``: derived from them; without, every named thing counts.
    """
    units: list[dict[str, str]] = []
    words: list[dict[str, list[tuple[int, int]]]] = []
    for who, codings in own.items():
        stands = {p.name for p in reports[who].products} if reports is not None else {c.thing for c in codings}
        mine: dict[str, list[tuple[int, int]]] = {}
        for c in codings:
            if c.thing and c.thing in stands:
                mine.setdefault(c.thing, []).append((c.start, c.end))
        names = list(mine)

        def like(at: int, name: str, mine: dict[str, list[tuple[int, int]]] = mine) -> float:
            others = units[at].values()
            if DOCUMENT in (name, *others):
                return float(all(other == name for other in others))
            if any(letters(other) == letters(name) for other in others):
                return 1.0
            return max(_shared(spans, mine[name]) for spans in words[at].values()) * 0.9

        pairing = paired(len(units), len(names), likenesses(range(len(units)), names, like, _ALIKE), _MARGIN)
        taken = {j: i for i, j in pairing.pairs}
        for j, name in enumerate(names):
            if j not in taken:
                taken[j] = len(units)
                units.append({})
                words.append({})
            units[taken[j]][who] = name
            words[taken[j]][who] = mine[name]
    return [Unit(document.id, names) for names in units]


def _shared(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> float:
    both = sum(any(a < d and c < b for c, d in other) for a, b in one)
    back = sum(any(a < d and c < b for c, d in one) for a, b in other)
    return min(both, back) / min(len(one), len(other))


def _of_thing(
    document: Document, unit: Unit, name: str, reports: Mapping[str, Report], table: Tables
) -> Iterable[Rating]:
    findings: dict[str, Finding] = {}
    for who, called in unit.names.items():
        product = next(p for p in reports[who].products if p.name == called)
        findings[who] = reports[who].findings[product.id]
    start = min(
        (m.start for who in findings for m in reports[who].mentions if m.product == findings[who].product),
        default=min(
            (e.start for who in findings for e in reports[who].evidence if e.product == findings[who].product),
            default=0,
        ),
    )
    where = page(document, start), unit.name
    for who in reports:
        yield Rating("thing", name, document.id, who, THERE if who in findings else ABSENT, *where)
    for who, finding in findings.items():
        for slot in table.slots:
            value = finding.slots.get(slot)
            stated = wording.is_stated(value)
            yield Rating(f"stated {slot}", name, document.id, who, STATED if stated else SILENT, *where)
            if stated:
                yield Rating(f"value {slot}", name, document.id, who, slot_text(value), *where)
        scaled = finding.grade in LEVELS
        yield Rating("grade", name, document.id, who, finding.grade, *where)
        yield Rating("status", name, document.id, who, "on the scale" if scaled else finding.grade, *where)
        if scaled:
            yield Rating("level", name, document.id, who, finding.grade, *where)
            yield Rating("band", name, document.id, who, finding.band, *where)
        codes = {flag.code for flag in finding.flags}
        for flag in table.flags:
            yield Rating(f"flag {flag.code}", name, document.id, who, "yes" if flag.code in codes else "no", *where)


def slot_text(value: object) -> str:
    """A slot's value in one cell: several with a plus sign between, a count with its numbers."""
    if isinstance(value, Mapping):
        numbers = [f"{k}={value[k]}" for k in ("le_n", "total_n") if value.get(k) is not None]
        return " ".join([str(value.get("kind", "")), *numbers])
    if isinstance(value, (list, tuple)):
        return " + ".join(sorted(map(str, value)))
    return str(value)


def orders(table: Tables | None = None) -> dict[str, tuple[str, ...]]:
    """The variables whose values have an order, weakest first (codebook section 3): the others are nominal."""
    table = table or tables()
    bands = tuple(dict.fromkeys(level.band for level in table.levels))
    return {"level": tuple(level.id for level in table.levels), "band": bands}
