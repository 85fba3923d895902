"""What is different between two documents, in words: the same for the terminal and for the page.

The words are fair: a document "now shows" or "no longer states" something. Nothing became better or worse, and what is no
longer in a document is not thereby a "no". Where it is the rules that differ, that is said first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from claimscan.comparing import About, Change, Claim, Comparison, ProductChange, Thing
from claimscan.records import Evidence
from claimscan.showing import wording as say

FAIR = (
    "We compare what the documents show, not what happened. What a document no longer says may still be so: "
    "“not stated” is never a “no”."
)
LENGTH = 160  # characters of a quote
_CLAIM = 220  # characters of the claim of a thing in one document only
_RULES = {
    "claimscan": "the version of claimscan",
    "codebook": "the codebook",
    "lexicons": "the word lists and rules",
    "model": "the language model",
    "scores": "the scores",
    "config": "the settings",
}
_HAND = frozenset({"corrections", "corrections_made_on"})
_FINDING = {
    "ceiling": "The highest level that nothing in the document rules out",
    "proxy_grade": "The part of people who speak for them, measured the same way",
    "second_reading": "Could also be read as",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Words of one of the two documents.

    Attributes:
        when: ``before`` or ``now`` where its words are set against the other's, else empty.
        page: as ``page 3``; empty where the document has one page, or it is not known. ``words``: cut to a length.
        parts: the same words in parts, each with whether it is one of those that differ; only where ``when`` is said.
    """

    when: str
    page: str
    words: str
    parts: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that is different. ``says``: a sentence on what is read there; empty where the words are all."""

    places: tuple[Place, ...]
    says: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """Places of which the same is to be said. ``lead``: that, as a heading."""

    lead: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """One thing made. ``called``: its other name before; ``lines``: sentences on its finding; ``claim``, ``says``: of a thing
    in one document only, its words and what they say; ``flags``: a heading and sentences; ``same``: what stayed."""

    name: str
    called: str
    lines: tuple[str, ...]
    claim: Place | None
    says: str
    evidence: tuple[Kind, ...]
    flags: tuple[tuple[str, tuple[str, ...]], ...]
    same: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything, in the order in which it is said.

    Attributes:
        before, now: the documents by name. ``notes``: what to know before anything else. ``totals``: sentences.
        made: the things that are different; ``more``: how many more there are.
        either: things too alike to say which is which, the two sides as sentences.
        claims: sentences that make a claim, but for those under ``made``; ``claims_heading``: what these are.
        unknown: what a report without its text cannot show; empty where both have it.
    """

    before: str
    now: str
    notes: tuple[str, ...]
    totals: tuple[str, ...]
    made: tuple[Made, ...]
    more: int
    either: tuple[tuple[str, str], ...]
    claims_heading: str
    claims: tuple[Kind, ...]
    unknown: str


def differences(found: Comparison, *, most: int | None = None, length: int = LENGTH) -> Differences:
    """The comparison in words.

    Args:
        most: things made that are put in words; without it, all.
        length: characters of a quote at most.
    """
    words = _Words(found, length)
    shown = found.products[:most]
    listed = {p.either.claim for p in shown if not (p.before and p.after)}
    claims = [c for c in found.claims if c.how.startswith("re") or c.either.sentence not in listed]
    heading = "Sentences that make a claim"
    return Differences(
        _named(found.before),
        _named(found.after),
        tuple(notes(found)),
        tuple(_totals(found)),
        tuple(words.made(p) for p in shown),
        len(found.products) - len(shown),
        tuple((_alike("Before", before), _alike("Now", after)) for before, after in found.either),
        heading if len(claims) == len(found.claims) else f"Other {heading[0].lower()}{heading[1:]}",
        tuple(words.claims(claims)),
        _UNKNOWN if any(c.there is None for c in _all(found) if c.how in ("added", "dropped")) else "",
    )


_UNKNOWN = (
    "A report without the document's text cannot show whether words have left the document or are only no longer read in "
    "this way. To know, compare the documents themselves, or make the reports with “claimscan check --json F --with-text”."
)


class _Words:
    def __init__(self, found: Comparison, length: int) -> None:
        self._found = found
        self._length = length

    def made(self, change: ProductChange) -> Made:
        before, after, thing = change.before, change.after, change.either
        told = "" if before and after else thing.claim
        own = [c.either for c in change.evidence if c.either.quote == told]
        same = ""
        if change.same:
            moved = f" ({change.moved:,} on another page)" if change.moved else ""
            same = f"{say.number(change.same, 'piece')} of evidence stayed the same{moved}."
        claim = None
        if told:
            about = self._found.after if change.after else self._found.before
            claim = Place("", _page(about, thing.page), say.short(told, max(_CLAIM, self._length)))
        renamed = before is not None and say.clean(before.name) != say.clean(thing.name)
        return Made(
            say.clean(_capital(say.short(thing.name, 90))),
            f"Called “{say.short(before.name, 90)}” before." if before and renamed else "",
            tuple(_finding(change, before, after) if before and after else _came_or_went(change)),
            claim,
            f"{say.says(own)}." if own else "",
            tuple(self._evidence([c for c in change.evidence if c.either.quote != told])),
            tuple(_flags(change)),
            same,
        )

    def _evidence(self, changes: Sequence[Change[Evidence]]) -> Iterator[Kind]:
        for lead, part in _kinds(changes):
            yield Kind(lead, tuple(self._difference(group) for group in _places(part)))

    def _difference(self, group: Sequence[Change[Evidence]]) -> Difference:
        first = group[0]
        before, after = first.before, first.after
        if before is None or after is None:
            return Difference((self._one(first),), f"{say.says([c.either for c in group])}.")
        earlier = [c.before for c in group if c.before is not None]
        later = [c.after for c in group if c.after is not None]
        if first.how != "reworded":
            return Difference((self._one(first),), f"Now: {_read(later)}. Before: {_read(earlier)}.")
        places = self._both(before.quote, after.quote, before.page, after.page)
        other = [(x, y) for x, y in zip(earlier, later, strict=True) if say.says([x]) != say.says([y])]
        if not other:
            return Difference(places, f"As before: {_small(say.says(later))}.")
        old, new = say.says([x for x, _ in other]), say.says([y for _, y in other])
        return Difference(places, f"Now: {_small(new)}. Before: {_small(old)}.")

    def claims(self, changes: Sequence[Change[Claim]]) -> Iterator[Kind]:
        for lead, part in _kinds(changes, claims=True):
            yield Kind(lead, tuple(map(self._claim, part)))

    def _claim(self, change: Change[Claim]) -> Difference:
        before, after = change.before, change.after
        if before is None or after is None:
            return Difference((self._one(change),))
        places: tuple[Place, ...] = (self._one(change),)
        if change.how == "reworded":
            places = self._both(before.sentence, after.sentence, before.page, after.page)
        if before.types == after.types:
            return Difference(places)
        return Difference(places, f"Read now as {_types(after.types)}, before as {_types(before.types)}.")

    def _one(self, change: Change[Any]) -> Place:
        one = change.either
        about = self._found.before if change.after is None else self._found.after
        words = one.sentence if isinstance(one, Claim) else one.quote
        return Place("", _page(about, one.page), say.short(words, self._length))

    def _both(self, before: str, after: str, page_before: int | None, page_after: int | None) -> tuple[Place, ...]:
        was, now = _differing(before, after, self._length)
        own = _parts(was, now)
        return (
            Place("before", _page(self._found.before, page_before), was, own[0]),
            Place("now", _page(self._found.after, page_after), now, own[1]),
        )


def _finding(change: ProductChange, before: Thing, after: Thing) -> Iterator[str]:
    if any(name == "grade" for name, _, _ in change.findings):
        now = say.shows(after.finding).replace("document shows:", "document now shows:", 1)
        yield f"{now} Before: {say.brief(before.finding).rstrip('.')}."
    else:
        yield f"As before: {say.brief(after.finding).rstrip('.')}."
    for name, was, now in change.findings:
        if name in _FINDING:
            yield f"{_FINDING[name]}: now {_level(now)}, before {_level(was)}."


def _came_or_went(change: ProductChange) -> Iterator[str]:
    thing = change.either
    finding = say.brief(thing.finding).rstrip(".")
    kind = "claimed to be co-produced" if thing.claimed else "described as made with people"
    if change.after is None:
        if change.there:
            lead = "Its words are still in the document, but are no longer read as a thing of its own."
        elif change.there is False:
            lead = f"The words in which it was {kind} are no longer in the document."
        else:
            lead = f"No longer found {kind}."
        yield f"{lead} Before: {finding}."
    else:
        if change.there:
            lead = "Its words were in the document before, but were not read as a thing of its own."
        elif change.there is False:
            lead = f"The document now has words in which it is {kind}."
        else:
            lead = f"Now found {kind}."
        yield f"{lead} Shown: {finding}."


def _flags(change: ProductChange) -> Iterator[tuple[str, tuple[str, ...]]]:
    for how, lead in (("added", "Now noted"), ("dropped", "No longer noted")):
        flags = [c.either for c in change.flags if c.how == how]
        if flags:
            yield lead, tuple(f"{say.word(f.kind, 'flags')}: {say.clean(f.plain).rstrip('.')}." for f in flags)


def _alike(label: str, things: Sequence[Thing]) -> str:
    return f"{label}: {'; '.join(f'{say.short(t.name, 60)} ({say.brief(t.finding)})' for t in things)}."


# --- what to know first ---------------------------------------------------------------------------------------------


def notes(found: Comparison) -> list[str]:
    """What to know before anything else: other rules, changes by hand, the same bytes, pages that were not read."""
    out = []
    different = found.changed or found.either
    names = [name for name, _, _ in found.provenance]
    other = [name for name in names if name not in _HAND]
    if other:
        out.append(f"The two reports were made with different rules or settings: {rules(other)}.")
    if len(other) < len(names):
        out.append(
            "A person changed one or both of these findings by hand. So a difference may come from that, and not from the "
            "document."
        )
    if found.same_words:
        kind = "The two documents are the same file" if found.same_bytes else "The two documents have the same words"
        if not different:
            out.append(f"{kind}.")
        elif other:
            out.append(f"{kind}, so every difference comes from the rules or settings and none from the document.")
        elif names:
            out.append(f"{kind}, so every difference comes from what was changed by hand.")
        else:
            out.append(f"{kind}, so no difference comes from the words; one report may have been changed since.")
    elif other:
        out.append(
            "So a change may be the tool's and not the document's. To tell, check both documents again with the same "
            "claimscan."
        )
    for about, label in ((found.before, "before"), (found.after, "now")):
        if about.unread:
            where = say.page_ranges(about.unread)
            out.append(f"Not read {label}: {where}. What stands there could not be compared.")
    return out


def rules(names: Iterable[str]) -> str:
    """What decides a report besides the document, in words."""
    found = set(names)
    return ", ".join([words for name, words in _RULES.items() if name in found] + sorted(found - set(_RULES)))


# --- words ----------------------------------------------------------------------------------------------------------


def _totals(found: Comparison) -> Iterator[str]:
    both = found.same_products + sum(1 for p in found.products if p.before and p.after)
    came = sum(1 for p in found.products if p.before is None)
    went = sum(1 for p in found.products if p.after is None)
    graded = sum(1 for p in found.products if any(name == "grade" for name, _, _ in p.findings))
    if not (found.changed or found.either):
        yield "Nothing that claimscan looks for is different."
    other = sum(1 for p in found.products if p.before and p.after) - graded
    parts = _some(
        (graded, "with another result"), (other, "with other evidence or flags"), (found.same_products, "the same")
    )
    parts = f" ({parts[2:]})" if parts else ""
    parts += _some((came, "now also found"), (went, "no longer found"))
    unsure = sum(len(side) for sides in found.either for side in sides)
    if unsure:
        parts += f"; {unsure:,} could be either"
    yield (
        f"Things said to be made with people: {found.before.products:,} before, {found.after.products:,} now, "
        f"{both:,} in both{parts}."
    )
    counts = {how: sum(1 for c in found.claims if c.how == how) for how in ("added", "dropped", "reworded", "reread")}
    parts = _some(
        (counts["added"], "new"),
        (counts["dropped"], "no longer there"),
        (counts["reworded"], "reworded"),
        (counts["reread"], "with the same words read otherwise"),
    )
    yield f"Sentences that make a claim: {found.before.claims:,} before, {found.after.claims:,} now{parts}."
    evidence = [c for p in found.products for c in p.evidence]
    counts = {how: sum(1 for c in evidence if c.how == how) for how in ("added", "dropped", "reworded", "reread")}
    parts = _some(
        (counts["added"], "gained"),
        (counts["dropped"], "lost"),
        (counts["reworded"], "reworded"),
        (counts["reread"], "with the same words read otherwise"),
    )
    yield (
        f"Pieces of evidence: {found.before.evidence:,} before, {found.after.evidence:,} now, "
        f"{found.same_evidence:,} the same{parts}."
    )
    if found.moved:
        yield f"{say.number(found.moved, 'piece')} of evidence only moved to another page, which is no change."
    if found.population:
        was, now = (f"“{say.clean(label)}”" if label else "not found" for label in found.population)
        yield f"Who the document is about: now {now}, before {was}."


def _kinds(changes: Iterable[Change[Any]], claims: bool = False) -> Iterator[tuple[str, list[Change[Any]]]]:
    """The changes by what is to be said of them, in the order in which it is said."""
    leads = [
        ("added", False, "Now also in the document"),
        ("added", None, "Now also found"),
        ("added", True, f"In the document before, and only now read as {'a claim' if claims else 'evidence of this'}"),
        ("dropped", False, "No longer in the document"),
        ("dropped", None, "No longer found"),
        (
            "dropped",
            True,
            f"Still in the document, and no longer read as {'a claim' if claims else 'evidence of this'}",
        ),
        ("reworded", None, "Reworded"),
        ("reread", None, "The same words, read in another way"),
    ]
    changes = list(changes)
    for how, there, lead in leads:
        part = [c for c in changes if c.how == how and (how.startswith("re") or c.there is there)]
        if part:
            yield lead, part


def _places(changes: Sequence[Change[Evidence]]) -> list[list[Change[Evidence]]]:
    """Changes in the same words together: one place often says several things."""
    groups: dict[tuple[str, str], list[Change[Evidence]]] = {}
    for c in changes:
        key = (c.before.quote if c.before else "", c.after.quote if c.after else "")
        groups.setdefault(key, []).append(c)
    return list(groups.values())


def _all(found: Comparison) -> Iterator[Change[Any]]:
    yield from found.claims
    for product in found.products:
        yield from product.evidence


def _read(evidence: Sequence[Evidence]) -> str:
    """What evidence says, with whose it is, since that may be all that differs."""
    said = say.says(evidence)
    whose = sorted({say.word(e.who, "people") for e in evidence if e.who})
    return _small(said) + (f" [{', '.join(whose)}]" if whose else "")


def _named(about: About) -> str:
    name = say.clean(about.title) or say.clean(about.source)
    source = say.clean(about.source)
    beside = [source] if source != name else []
    if about.pages > 1:
        beside.append(say.number(about.pages, "page"))
    return say.short(name, 120) + (f" ({', '.join(beside)})" if beside else "")


def _page(about: About, page: int | None) -> str:
    return f"page {page}" if page and about.pages > 1 else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _level(grade: str) -> str:
    return say.level_name(grade) if grade else "none"


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _differing(before: str, after: str, most: int) -> tuple[str, str]:
    """Two wordings of one sentence, cut so that the first word that differs is seen."""
    words = say.clean(before).split(), say.clean(after).split()
    same = 0
    while same < min(map(len, words)) and words[0][same] == words[1][same]:
        same += 1
    start = 0
    while start < same and len(" ".join(words[0][start:same])) > most // 2:
        start += 1
    lead = "… " if start else ""
    return say.short(lead + " ".join(words[0][start:]), most), say.short(lead + " ".join(words[1][start:]), most)


def _parts(before: str, after: str) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]:
    """Two wordings in parts, each with whether it differs from the other."""
    words = before.split(), after.split()
    steps = SequenceMatcher(None, *words, autojunk=False).get_opcodes()
    was = ((" ".join(words[0][i:j]), how != "equal") for how, i, j, _, _ in steps if j > i)
    now = ((" ".join(words[1][i:j]), how != "equal") for how, _, _, i, j in steps if j > i)
    return tuple(was), tuple(now)


def _types(types: Sequence[str]) -> str:
    kinds = say.tables()["mentions"]
    return " and ".join(kinds.get(t, (say.clean(t),))[0] for t in types)


def _some(*counts: tuple[int, str]) -> str:
    """``; 2 new, 1 no longer there``, of those that are not 0."""
    parts = [f"{n:,} {words}" for n, words in counts if n]
    return f"; {', '.join(parts)}" if parts else ""
