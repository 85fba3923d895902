"""What a corpus document is once its marks are read: records, the codes that they may use, and the JSON
``claimscan/gold/1``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from claimscan import codebook

SCHEMA = "claimscan/gold/1"
LAYOUTS = ("one-column", "two-column", "boxes-tables", "designed")
SPLITS = ("train", "dev", "test")
POPULATIONS = ("adults", "children", "all_age", "carers", "residents", "unknown")
GRADABLE = ("DOC_DONE", "OTHER_DONE", "PRACTICE")
CELL = " | "


# --- codes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of the codebook that an annotation may use."""

    slots: Mapping[str, frozenset[str]]
    count_kinds: frozenset[str]
    count_units: frozenset[str]
    grades: frozenset[str]
    flags: frozenset[str]
    who: frozenset[str]


@cache
def codes() -> Codes:
    """The codes of the codebook's tables, without ``not_stated`` and ``none_stated``: silence has no quote."""
    table = codebook.tables()
    slots = {name: frozenset(slot.values) - {"not_stated", "none_stated"} for name, slot in table.slots.items()}
    return Codes(
        slots=slots,
        count_kinds=slots["count"],
        count_units=frozenset(table.units) - {""},
        grades=frozenset((*codebook.STATUSES, *codebook.LEVELS)),
        flags=frozenset(flag.code for flag in table.flags),
        who=frozenset(table.who) - {""},
    )


# --- records --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GoldBlock:
    """One block of the clean text.

    ``kind``: heading, paragraph, item or row. ``place``: body, cover, box or quote. ``group`` numbers the box, cover
    or table that it is in, 0 outside. ``cells`` and ``bold`` are half-open offsets into the text. ``line`` is its
    first line in the file.
    """

    start: int
    end: int
    kind: str
    line: int
    level: int = 0
    place: str = "body"
    box: int = 0
    table: int = 0
    head: bool = False
    new_page: bool = False
    cells: tuple[tuple[int, int], ...] = ()
    bold: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class GoldMention:
    id: str
    start: int
    end: int
    block: int
    type: str
    product: str = ""
    hedge: bool = False
    scope: str = "whole"


@dataclass(frozen=True, slots=True)
class GoldEvidence:
    id: str
    start: int
    end: int
    block: int
    product: str
    slot: str
    value: str
    who: str = ""
    certainty: str = "explicit"
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GoldProduct:
    id: str
    name: str
    is_document: bool
    grade: str
    ceiling: str = ""
    proxy_grade: str = ""
    flags: tuple[str, ...] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A corpus document. Offsets are half-open into ``text``. ``skipped`` are triggers that are no mention (``x``
    marks)."""

    id: str
    title: str
    register: str
    body: str
    population: Mapping[str, str]
    split: str
    layouts: tuple[str, ...]
    contents: bool
    running_head: str
    language: str
    text: str
    blocks: tuple[GoldBlock, ...]
    mentions: tuple[GoldMention, ...]
    evidence: tuple[GoldEvidence, ...]
    skipped: tuple[tuple[int, int], ...]
    products: tuple[GoldProduct, ...]


# --- as JSON --------------------------------------------------------------------------------------------------------


def to_gold(document: GoldDocument) -> dict[str, Any]:
    """The document as ``claimscan/gold/1``: plain values only, quotes verbatim in ``text``."""
    text = document.text
    return {
        "schema": SCHEMA,
        "id": document.id,
        "title": document.title,
        "register": document.register,
        "body": document.body,
        "population": dict(document.population),
        "split": document.split,
        "layouts": list(document.layouts),
        "text": text,
        "blocks": [
            {"start": b.start, "end": b.end, "kind": b.kind, "level": b.level, "place": b.place}
            for b in document.blocks
        ],
        "mentions": [
            {
                "id": m.id,
                "start": m.start,
                "end": m.end,
                "text": text[m.start : m.end],
                "type": m.type,
                "product": m.product,
                "hedge": m.hedge,
                "scope": m.scope,
            }
            for m in document.mentions
        ],
        "not_mentions": [{"start": s, "end": e, "text": text[s:e]} for s, e in document.skipped],
        "products": [
            {
                "id": p.id,
                "name": p.name,
                "is_document": p.is_document,
                "mentions": [m.id for m in document.mentions if m.product == p.id],
                "grade": p.grade,
                "ceiling": p.ceiling or None,
                "proxy_grade": p.proxy_grade or None,
                "flags": None if p.flags is None else list(p.flags),
                "slots": slots(document, p),
                "note": p.note,
            }
            for p in document.products
        ],
        "evidence": [
            {
                "id": e.id,
                "product": e.product,
                "slot": e.slot,
                "value": e.value,
                "who": e.who,
                "certainty": e.certainty,
                "detail": dict(e.detail),
                "start": e.start,
                "end": e.end,
                "quote": text[e.start : e.end],
            }
            for e in document.evidence
        ],
    }


def slots(document: GoldDocument, product: GoldProduct) -> dict[str, Any]:
    """What the marks state for one product, in the shape of a report's ``slots``.

    One value, the strongest stated, where a slot takes one (E26), else a sorted list; for ``count`` the fields of the
    first mark, or of the first with a figure for the people with lived experience. Whose evidence counts is rule E25.
    ``mark`` is left out: it is not a slot of section 2.
    """
    table = codebook.tables().slots
    stated: dict[str, Any] = {}
    people: set[str] = set()
    for item in document.evidence:
        if item.product != product.id or item.slot == "mark" or not _counts(item, product.grade):
            continue
        if item.slot == "count":
            if "count" not in stated or stated["count"].get("le_n") is None and item.detail.get("le_n") is not None:
                stated["count"] = dict(item.detail)
        elif item.slot == "contributors":
            people.add(item.value)
        elif table[item.slot].many:
            stated[item.slot] = sorted({*stated.get(item.slot, ()), item.value})
        else:
            order = table[item.slot].values
            stated[item.slot] = max(stated.get(item.slot, item.value), item.value, key=order.index)
    if people - {"unclear"}:
        people.discard("unclear")
    if len(people) > 1 and people & {"le", "parent_carer", "public"}:
        people = {"mixed"}  # E12: several kinds of people, those who live with it among them
    if people:
        stated["contributors"] = max(people, key=table["contributors"].values.index)
    return dict(sorted(stated.items()))


def _counts(item: GoldEvidence, grade: str) -> bool:
    """Whether a slot of a product with this grade holds this evidence (E25)."""
    if item.slot in ("contributors", "scope"):
        return True
    if grade == "X":
        return False
    if grade == "O":
        return item.slot in ("authorship", "count")
    if grade == "P":
        return item.who in ("", "proxy", "parent_carer")
    return item.slot in ("authorship", "reviewers") or item.who not in ("proxy", "professional", "organisations")
