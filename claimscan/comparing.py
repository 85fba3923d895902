"""What is different between two reports: claims, grades, flags and evidence, as records. No input or output here.

Words are compared as words: case, punctuation, line breaks and hyphens make no difference. What goes with what is
decided in steps from the surest to the least sure; of equals none is chosen (:mod:`claimscan.pairing`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from rapidfuzz import fuzz, process

from claimscan.codebook import CLAIM_TYPES
from claimscan.pairing import Pairing, likenesses, paired
from claimscan.records import Evidence, Finding, Flag

SCHEMA = "claimscan/report/1"
# What can stand in the provenance without being a rule.
SETTINGS = frozenset({"config"})

ALIKE = 0.6  # likeness from which two products may be the same one
SAME_NAME = 0.2  # what an equal name adds
EQUALS = 0.03  # nearer to each other than this, two candidates are equally good
REWORDED = 0.85  # likeness from which two sentences are one, reworded
_WEIGHTS = (0.5, 0.25, 0.25)  # of the name, the claim's words and the quotes in common

_INVISIBLE = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_HYPHEN = re.compile(r"(?<=\w)[-\u2010\u2011]\s*(?=\w)")  # lines are broken at other places in another layout
_WORD = re.compile(r"[\w£$€%]+")
_SMALL = frozenset("a an the this our its their your new of for and in on to".split())

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """The document of one report.

    Attributes:
        id: the sha256 of its bytes. ``words``: the sha256 of its words, empty in reports of older versions.
        unread: pages that could not be read. ``claims``, ``evidence``: how many its report has.
    """

    id: str
    source: str
    title: str
    pages: int
    words: str
    unread: tuple[int, ...]
    population: str
    claims: int
    products: int
    evidence: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that claims, or does not, that something was co-produced: the types of all its mentions.

    ``product`` is the name of the thing that it is about, empty where it is about none.
    """

    sentence: str
    types: tuple[str, ...]
    page: int | None
    product: str

    @property
    def claims(self) -> tuple[str, ...]:
        return tuple(t for t in self.types if t in CLAIM_TYPES)


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """One difference.

    Attributes:
        how: ``added``, ``dropped``, ``reworded`` (nearly the same words, read the same way) or ``reread`` (the same words,
            read in another way).
        before, after: None where it is not there.
        there: for what is added or dropped, whether the same words stand in the other document, where that is known.
    """

    how: str
    before: T | None = None
    after: T | None = None
    there: bool | None = None

    @property
    def either(self) -> T:
        """After, or before where it was dropped."""
        found = self.before if self.after is None else self.after
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class Thing:
    """A product of one report with its finding. ``claim``: its first claim's sentence, or its first quote."""

    id: str
    name: str
    is_document: bool
    finding: Finding
    claim: str
    claimed: bool
    page: int | None
    evidence: int


Equals = tuple[tuple[Thing, ...], tuple[Thing, ...]]


@dataclass(frozen=True, slots=True)
class ProductChange:
    """One product in both reports, or in one (then the other side is None).

    Attributes:
        evidence, flags: what is different. ``same``: pieces of evidence in both; ``moved``: of these, on another page.
        there: for a product in one report only, whether the words of its claim stand in the other document.
    """

    before: Thing | None
    after: Thing | None
    evidence: tuple[Change[Evidence], ...] = ()
    flags: tuple[Change[Flag], ...] = ()
    same: int = 0
    moved: int = 0
    there: bool | None = None

    @property
    def either(self) -> Thing:
        found = self.before if self.after is None else self.after
        assert found is not None
        return found

    @property
    def findings(self) -> tuple[tuple[str, str, str], ...]:
        """What differs in the finding of a product in both: its field, the value before and after."""
        if self.before is None or self.after is None:
            return ()
        before, after = self.before.finding, self.after.finding
        rows = [
            (name, str(getattr(before, name) or ""), str(getattr(after, name) or ""))
            for name in ("grade", "ceiling", "proxy_grade", "second_reading")
        ]
        return tuple(row for row in rows if row[1] != row[2])

    @property
    def changed(self) -> bool:
        return bool(self.before is None or self.after is None or self.findings or self.evidence or self.flags)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs between two reports.

    Attributes:
        products: what changed of things made; ``same_products``: how many did not.
        claims: sentences that claim something in one report and not, or otherwise, in the other.
        either: things of which any could be any, so that they are not compared.
        provenance: what differs in what decides a report besides the document: name, value before, after.
        same_claims, same_evidence, moved: sentences and pieces of evidence in both; of the latter, on another page.
    """

    before: About
    after: About
    products: tuple[ProductChange, ...]
    claims: tuple[Change[Claim], ...]
    either: tuple[Equals, ...]
    provenance: tuple[tuple[str, str, str], ...]
    same_products: int
    same_claims: int
    same_evidence: int
    moved: int

    @property
    def same_bytes(self) -> bool:
        return self.before.id == self.after.id

    @property
    def same_words(self) -> bool:
        return self.same_bytes or bool(self.before.words) and self.before.words == self.after.words

    @property
    def other_rules(self) -> bool:
        return any(name not in SETTINGS for name, _, _ in self.provenance)

    @property
    def other_settings(self) -> bool:
        return any(name in SETTINGS for name, _, _ in self.provenance)

    @property
    def population(self) -> tuple[str, str] | None:
        """Who the document is about, before and after, where that differs."""
        labels = self.before.population, self.after.population
        return labels if plain(labels[0]) != plain(labels[1]) else None

    @property
    def changed(self) -> bool:
        """Whether anything is different that both reports could be compared in."""
        return bool(self.products or self.claims or self.population)


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Compare two reports in the shape of ``claimscan/report/1``.

    Swapping them gives the mirror image: what was added is dropped, before is after, and only the order may be another.

    Args:
        before, after: whole reports as plain values. With their ``document.text`` the comparison can tell for every quote
            whether it left the document or is only read otherwise.

    Raises:
        ValueError: one of them is no whole report of that shape.
    """
    a, b = _Side(before), _Side(after)
    products, either = _products(a, b)
    claims, same_claims = _claims(a, b)
    return Comparison(
        before=a.about,
        after=b.about,
        products=tuple(p for p in products if p.changed),
        claims=claims,
        either=either,
        provenance=tuple(
            (name, a.provenance.get(name, ""), b.provenance.get(name, ""))
            for name in sorted(a.provenance | b.provenance)
            if a.provenance.get(name) != b.provenance.get(name)
        ),
        same_products=sum(not p.changed for p in products),
        same_claims=same_claims,
        same_evidence=sum(p.same for p in products),
        moved=sum(p.moved for p in products),
    )


def plain(text: str) -> str:
    """The words of a text as they are compared: case, punctuation, hyphens, breaks and what is invisible do not count."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return " ".join(_WORD.findall(_HYPHEN.sub("", text)))


def sentences(whole: Mapping[str, Any]) -> frozenset[str]:
    """The :func:`plain` words of every sentence with a mention and every quote, to tell documents by.

    Raises:
        ValueError: this is no whole report.
    """
    side = _Side(whole)
    return frozenset(side.known - {""})


# --- one report -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    """A product with everything of it."""

    thing: Thing
    said: frozenset[str]
    quotes: frozenset[str]
    evidence: tuple[Evidence, ...]

    def content(self) -> Hashable:
        """All that is compared, ids aside: of two that are equal in it, one is as good as the other."""
        finding = self.thing.finding
        return (
            self.thing.name,
            self.thing.is_document,
            finding.grade,
            finding.ceiling,
            finding.proxy_grade,
            finding.second_reading,
            tuple(sorted((f.code, f.kind) for f in finding.flags)),
            self.said,
            tuple(sorted((e.page, *map(str, _whole(e))) for e in self.evidence)),
        )


class _Side:
    """One report, taken out of its plain values."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        try:
            if whole["schema"] != SCHEMA:
                raise ValueError(f"this is no {SCHEMA}")
            self._take(whole)
        except (KeyError, TypeError, AttributeError) as error:  # values of the wrong kind are ValueError by themselves
            raise ValueError(f"this report is not whole ({type(error).__name__}: {error})") from error

    def _take(self, whole: Mapping[str, Any]) -> None:
        about = whole["document"]
        self.provenance = {str(k): str(v) for k, v in whole["provenance"].items()}
        self.text: str | None = about.get("text")
        self.made = [self._product(row, whole) for row in whole["products"]]
        names = {made.thing.id: made.thing.name for made in self.made}
        self.spoken: dict[str, Claim] = {}
        for row in whole["mentions"]:
            key = plain(_text(row, "sentence"))
            one = Claim(row["sentence"], (_text(row, "type"),), row["page"], names.get(row["product"] or "", ""))
            self.spoken[key] = _joined(self.spoken[key], one) if key in self.spoken else one
        self.known = {*self.spoken, *(plain(_text(row, "quote")) for row in whole["evidence"])}
        self.about = About(
            id=_text(about, "id"),
            source=_text(about, "source"),
            title=_text(about, "title"),
            pages=int(about["pages"]),
            words=str(about.get("text_sha256") or ""),
            unread=tuple(int(row["page"]) for row in about["unread_pages"]),
            population=_text(about["population"], "label"),
            claims=sum(bool(c.claims) for c in self.spoken.values()),
            products=len(self.made),
            evidence=sum(len(m.evidence) for m in self.made),
        )

    @cached_property
    def _words(self) -> str | None:
        return None if self.text is None else f" {plain(self.text)} "

    def has(self, words: str, other: _Side) -> bool | None:
        """Whether the document has these plain words of the other; None where that cannot be known."""
        if self.about.id == other.about.id or (self.about.words and self.about.words == other.about.words):
            return True
        if words in self.known or self._words is not None and f" {words} " in self._words:
            return True
        return None if self._words is None else False

    def _product(self, row: Mapping[str, Any], whole: Mapping[str, Any]) -> _Made:
        own = frozenset(row["mentions"])
        claims = [m for m in whole["mentions"] if m["id"] in own and m["type"] in CLAIM_TYPES]
        evidence = tuple(_evidence(e) for e in whole["evidence"] if e["product"] == row["id"])
        first = claims[0] if claims else None
        words, page = (_text(first, "sentence"), first["page"]) if first else ("", None)
        if first is None and evidence:
            words, page = evidence[0].quote, evidence[0].page
        thing = Thing(
            id=_text(row, "id"),
            name=_text(row, "name"),
            is_document=bool(row["is_document"]),
            finding=_finding(row),
            claim=words,
            claimed=bool(claims),
            page=page,
            evidence=len(evidence),
        )
        said = frozenset(plain(_text(m, "sentence")) for m in claims)
        return _Made(thing, said, frozenset(plain(e.quote) for e in evidence), evidence)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is not text")
    return value


def _joined(one: Claim, other: Claim) -> Claim:
    """What two mentions in the same words say; the place and thing are those of the first that claims."""
    lead = one if one.claims or not other.claims else other
    return Claim(lead.sentence, tuple(sorted({*one.types, *other.types})), lead.page, lead.product)


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(
        product=_text(row, "id"),
        grade=_text(row, "grade"),
        label=_text(row, "label"),
        band=_text(row, "band"),
        plain=_text(row, "plain"),
        supports=str(row.get("supports", "")),
        ceiling=_text(row, "ceiling"),
        proxy_grade=row["proxy_grade"],
        borderline=bool(row["borderline"]),
        second_reading=row.get("second_reading"),
        score=float(row["score"]),
        slots={"scope": str(row["slots"].get("scope", ""))},
        reasons=(),
        next=(),
        flags=tuple(Flag(_text(f, "code"), _text(f, "kind"), _text(f, "plain")) for f in row["flags"]),
        questions=(),
    )


def _evidence(row: Mapping[str, Any]) -> Evidence:
    return Evidence(
        id=_text(row, "id"),
        slot=_text(row, "slot"),
        value=_text(row, "value"),
        start=int(row["start"]),
        end=int(row["end"]),
        quote=_text(row, "quote"),
        page=int(row["page"]),
        rule=_text(row, "rule"),
        score=float(row["score"]),
        who=row.get("who") or "",
        certainty=_text(row, "certainty"),
        product=_text(row, "product"),
        detail=dict(row.get("detail") or {}),
    )


# --- things made ----------------------------------------------------------------------------------------------------


def _products(a: _Side, b: _Side) -> tuple[list[ProductChange], tuple[Equals, ...]]:
    """What became of each product, and those of which any could be any."""
    same, first, second = _alike(a.made, b.made, _Made.content)
    found = paired(len(first), len(second), likenesses(first, second, _likeness, ALIKE), EQUALS)
    out = [ProductChange(p.thing, q.thing, same=len(p.evidence)) for p, q in same]
    out += [_both(first[i], second[j], a, b) for i, j in found.pairs]
    for i in found.first:
        out.append(_one(first[i], a, b, "dropped"))
    for j in found.second:
        out.append(_one(second[j], b, a, "added"))
    either = [
        (tuple(first[i].thing for i in left), tuple(second[j].thing for j in right)) for left, right in found.either
    ]
    return sorted(out, key=_order), tuple(sorted(either, key=lambda sides: min(t.name for side in sides for t in side)))


def _order(change: ProductChange) -> tuple[bool, int, str, str]:
    """The document first, then what is in both, then by name; the same for the mirror image."""
    ends = [t for t in (change.before, change.after) if t]
    name = min(t.name for t in ends)
    return not any(t.is_document for t in ends), -len(ends), plain(name), min(t.claim for t in ends)


def _likeness(p: _Made, q: _Made) -> float:
    """How surely two are the same thing, from 0 to 1.

    There is one document in each report, whatever it is called. Other things go by name, by what is said of them and by the
    quotes they share; a year or a number in the name tells two of a series apart.
    """
    names = [[w for w in plain(m.thing.name).split() if w not in _SMALL] for m in (p, q)]
    both = p.thing.is_document and q.thing.is_document
    numbers = [{w for w in name if w.isdigit()} for name in names]
    if not both and numbers[0] and numbers[1] and numbers[0] != numbers[1]:
        return 0.0
    parts: list[float | None] = [
        fuzz.token_sort_ratio(*map(" ".join, names)) / 100,
        max(_ratio(s, t) for s in p.said for t in q.said) if p.said and q.said else None,
        len(p.quotes & q.quotes) / min(len(p.quotes), len(q.quotes)) if p.quotes and q.quotes else None,
    ]
    there = [(w, part) for w, part in zip(_WEIGHTS, parts, strict=True) if part is not None]
    score = sum(w * part for w, part in there) / sum(w for w, _ in there)
    if both:
        return ALIKE + (1 - ALIKE) * score
    return min(1.0, score + SAME_NAME) if sorted(names[0]) == sorted(names[1]) else score


def _both(p: _Made, q: _Made, a: _Side, b: _Side) -> ProductChange:
    evidence, same, moved = _evidence_changes(p.evidence, q.evidence, a, b)
    had, has = ({f.code: f for f in m.thing.finding.flags} for m in (p, q))
    flags = [
        Change("dropped", before=had[code]) if code in had else Change("added", after=has[code])
        for code in sorted(had.keys() ^ has.keys())
    ]
    return ProductChange(p.thing, q.thing, evidence, tuple(flags), same, moved)


def _one(made: _Made, mine: _Side, other: _Side, how: str) -> ProductChange:
    there = other.has(plain(made.thing.claim), mine) if made.thing.claim else None
    if how == "dropped":
        evidence, _, _ = _evidence_changes(made.evidence, (), mine, other)
        return ProductChange(made.thing, None, evidence, there=there)
    evidence, _, _ = _evidence_changes((), made.evidence, other, mine)
    return ProductChange(None, made.thing, evidence, there=there)


# --- evidence -------------------------------------------------------------------------------------------------------


def _whole(e: Evidence) -> tuple[Hashable, ...]:
    detail = tuple(sorted((str(k), str(v)) for k, v in e.detail.items()))
    return e.slot, e.value, plain(e.quote), e.who, e.certainty, detail


def _evidence_changes(
    before: Sequence[Evidence], after: Sequence[Evidence], a: _Side, b: _Side
) -> tuple[tuple[Change[Evidence], ...], int, int]:
    """What became of the evidence of one product; how many pieces are the same; and of these, on another page."""
    stayed, before, after = _alike(before, after, lambda e: (e.page, _whole(e)))
    moved, before, after = _alike(before, after, _whole)
    changes: list[Change[Evidence]] = []
    for key in (lambda e: (e.slot, e.value, plain(e.quote)), lambda e: (e.slot, plain(e.quote))):
        same, before, after = _alone(before, after, key)
        changes += [Change("reread", x, y) for x, y in same]
    near = _reworded(
        [(e.slot, e.value, plain(e.quote)) for e in before], [(e.slot, e.value, plain(e.quote)) for e in after]
    )
    changes += [Change("reworded", before[i], after[j]) for i, j in near.pairs]
    used = {i for i, _ in near.pairs}, {j for _, j in near.pairs}
    for i, e in enumerate(before):
        if i not in used[0]:
            changes.append(Change("dropped", before=e, there=b.has(plain(e.quote), a)))
    for j, e in enumerate(after):
        if j not in used[1]:
            changes.append(Change("added", after=e, there=a.has(plain(e.quote), b)))
    return tuple(sorted(changes, key=_evidence_order)), len(stayed) + len(moved), len(moved)


def _evidence_order(change: Change[Evidence]) -> tuple[int, str]:
    e = change.either
    return e.page, f"{e.start:012} {e.slot} {e.value} {change.how}"


# --- claims ---------------------------------------------------------------------------------------------------------


def _claims(a: _Side, b: _Side) -> tuple[tuple[Change[Claim], ...], int]:
    """Sentences that claim something in one report only, or other things in the other; and how many stayed the same."""
    changes: list[Change[Claim]] = []
    same = 0
    for key in a.spoken.keys() & b.spoken.keys():
        before, after = a.spoken[key], b.spoken[key]
        if before.claims == after.claims:
            same += bool(before.claims)
        else:
            changes.append(Change("reread", before, after, there=True))
    gone = [key for key, claim in a.spoken.items() if key not in b.spoken and claim.claims]
    come = [key for key, claim in b.spoken.items() if key not in a.spoken and claim.claims]
    near = _reworded([(key,) for key in gone], [(key,) for key in come])
    changes += [Change("reworded", a.spoken[gone[i]], b.spoken[come[j]]) for i, j in near.pairs]
    used = {gone[i] for i, _ in near.pairs}, {come[j] for _, j in near.pairs}
    changes += [Change("dropped", before=a.spoken[k], there=b.has(k, a)) for k in gone if k not in used[0]]
    changes += [Change("added", after=b.spoken[k], there=a.has(k, b)) for k in come if k not in used[1]]
    return tuple(sorted(changes, key=lambda c: (c.either.page or 0, c.either.sentence, c.how))), same


# --- pairing --------------------------------------------------------------------------------------------------------


def _ratio(one: str, other: str) -> float:
    return fuzz.ratio(one, other) / 100


def _reworded(first: Sequence[tuple[str, ...]], second: Sequence[tuple[str, ...]]) -> Pairing:
    """Which words are a rewording of which: the last field of each; the fields before it have to be equal."""
    scores: dict[tuple[int, int], float] = {}
    for kind in {x[:-1] for x in first}:
        places = [j for j, y in enumerate(second) if y[:-1] == kind]
        choices = [second[j][-1] for j in places]
        for i, x in enumerate(first):
            if x[:-1] == kind:
                found = process.extract(x[-1], choices, scorer=fuzz.ratio, score_cutoff=100 * REWORDED, limit=None)
                scores |= {(i, places[n]): score / 100 for _, score, n in found}
    return paired(len(first), len(second), scores, EQUALS)


def _alike(
    first: Iterable[T], second: Iterable[T], key: Callable[[T], Hashable]
) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """Pairs with the same key, in order, and what is left: where keys are equal it does not matter which is which."""
    second = list(second)
    waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
    for j, y in enumerate(second):
        waiting[key(y)].append(j)
    pairs, left, taken = [], [], set()
    for x in first:
        same = waiting[key(x)]
        if same:
            taken.add(same[0])
            pairs.append((x, second[same.pop(0)]))
        else:
            left.append(x)
    return pairs, left, [y for j, y in enumerate(second) if j not in taken]


def _alone(
    first: Sequence[T], second: Sequence[T], key: Callable[[T], Hashable]
) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """Pairs with a key that only one on each side has, and what is left."""
    groups: defaultdict[Hashable, tuple[list[T], list[T]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((first, second)):
        for item in items:
            groups[key(item)][side].append(item)
    sure = {k: (xs[0], ys[0]) for k, (xs, ys) in groups.items() if len(xs) == len(ys) == 1}
    rest = [[item for item in items if key(item) not in sure] for items in (first, second)]
    return list(sure.values()), rest[0], rest[1]
