"""What is different between two documents or two runs: for a person, as JSON and as a table.

The words are fair: a document "now shows" or "no longer states" something. Nothing became better or worse, and what is no
longer in a document is not thereby a "no". Where it is the rules that differ, that is said first.
"""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimscan.comparing import Change, Claim, Comparison, ProductChange, Thing
from claimscan.records import Evidence, Flag
from claimscan.showing import wording as say
from claimscan.showing.tables import safe_cell

if TYPE_CHECKING:
    from claimscan.batch.two_runs import Listed, Runs
    from claimscan.comparing import About

SCHEMA = "claimscan/comparison/1"
FAIR = (
    "We compare what the documents show, not what happened. What a document no longer says may still be so: "
    "“not stated” is never a “no”."
)
PRODUCTS = 6
QUOTES = 5
DOCUMENTS = 20
COLUMNS = (
    "before_source",
    "after_source",
    "paired_by",
    "what",
    "change",
    "thing",
    "code",
    "before",
    "after",
    "before_page",
    "after_page",
    "words_in_both",
    "other_rules",
    "before_document",
    "after_document",
)
_RULES = {
    "claimscan": "the version of claimscan",
    "codebook": "the codebook",
    "lexicons": "the word lists and rules",
    "model": "the language model",
    "scores": "the scores",
    "config": "the settings",
}
_FINDING = {
    "ceiling": "The highest level that nothing in the document rules out",
    "proxy_grade": "The part of people who speak for them, measured the same way",
    "second_reading": "Could also be read as",
}


# --- two documents, for a person ------------------------------------------------------------------------------------


def summary(found: Comparison, *, width: int = 80, everything: bool = False) -> str:
    """The comparison of two documents as text.

    Args:
        width: columns to keep within; at least 40 are used.
        everything: every product, claim and quote, not only the first few.

    Returns:
        Lines that end in a line break. Nothing from a document can send a terminal code.
    """
    return "\n".join(_Text(max(40, min(width, 100)), everything).documents(found)) + "\n"


def runs_summary(runs: Runs, *, width: int = 80, everything: bool = False) -> str:
    """The comparison of two runs as text: totals first, each with what it is out of; arguments as :func:`summary`."""
    return "\n".join(_Text(max(40, min(width, 100)), everything).runs(runs)) + "\n"


class _Text:
    def __init__(self, width: int, everything: bool) -> None:
        self._width = width
        self._everything = everything

    def documents(self, found: Comparison) -> Iterator[str]:
        yield from self._wrap(f"Before: {_named(found.before)}", rest="        ")
        yield from self._wrap(f"Now:    {_named(found.after)}", rest="        ")
        yield from self._wrap(FAIR)
        for note in notes(found):
            yield ""
            yield from self._wrap(note)
        yield ""
        for line in _totals(found):
            yield from self._wrap(line)

        shown = found.products if self._everything else found.products[:PRODUCTS]
        for n, product in enumerate(shown, 1):
            yield ""
            yield from self._product(product, n, found)
        if found.products[len(shown) :]:
            more = say.number(len(found.products) - len(shown), "more thing is", "more things are")
            yield ""
            yield from self._wrap(f"{more} different: add --all.")
        for before, after in found.either:
            yield ""
            yield "Could be either"
            yield from self._wrap("Too alike to say which is which, so these are not compared.", "   ", "   ")
            for label, things in (("Before", before), ("Now", after)):
                named = "; ".join(f"{say.short(t.name, 60)} ({say.brief(t.finding)})" for t in things)
                yield from self._wrap(f"{label}: {named}.", "   ", "   ")
        listed = {p.either.claim for p in shown if not (p.before and p.after)}
        claims = [c for c in found.claims if c.how.startswith("re") or c.either.sentence not in listed]
        if claims:
            yield ""
            yield (
                "Sentences that make a claim"
                if len(claims) == len(found.claims)
                else "Other sentences that make a claim"
            )
            yield from self._claims(claims, found)
        if any(c.there is None for c in _all(found) if c.how in ("added", "dropped")):
            yield ""
            yield from self._wrap(
                "A report without the document's text cannot show whether words have left the document or are only no "
                "longer read in this way. To know, compare the documents themselves, or make the reports with "
                "“claimscan check --json F --with-text”."
            )

    def _product(self, change: ProductChange, n: int, found: Comparison) -> Iterator[str]:
        before, after = change.before, change.after
        yield say.clean(f"{n}. {_capital(say.short(change.either.name, 90))}")
        if before and after:
            if say.clean(before.name) != say.clean(after.name):
                yield from self._wrap(f"Called “{say.short(before.name, 90)}” before.", "   ", "   ")
            yield from self._finding(change, before, after)
        else:
            yield from self._came_or_went(change, found)
        told = "" if before and after else change.either.claim
        yield from self._evidence(change.evidence, found, told)
        for how, lead in (("added", "Now noted"), ("dropped", "No longer noted")):
            flags = [c.either for c in change.flags if c.how == how]
            if flags:
                yield ""
                yield f"   {lead}"
            for f in flags:
                text = f"{say.word(f.kind, 'flags')}: {say.clean(f.plain).rstrip('.')}."
                yield from self._wrap(f"- {text}", "   ", "     ")
        if change.same:
            same = f"{say.number(change.same, 'piece')} of evidence stayed the same"
            moved = f" ({change.moved:,} on another page)" if change.moved else ""
            yield ""
            yield from self._wrap(f"{same}{moved}.", "   ", "   ")

    def _finding(self, change: ProductChange, before: Thing, after: Thing) -> Iterator[str]:
        changed = {name for name, _, _ in change.findings}
        if "grade" in changed:
            now = say.shows(after.finding).replace("document shows:", "document now shows:", 1)
            yield from self._wrap(f"{now} Before: {say.brief(before.finding).rstrip('.')}.", "   ", "   ")
        else:
            yield from self._wrap(f"As before: {say.brief(after.finding).rstrip('.')}.", "   ", "   ")
        for name, was, now in change.findings:
            if name in _FINDING:
                yield from self._wrap(f"{_FINDING[name]}: now {_level(now)}, before {_level(was)}.", "   ", "   ")

    def _came_or_went(self, change: ProductChange, found: Comparison) -> Iterator[str]:
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
            lead += f" Before: {finding}."
        else:
            if change.there:
                lead = "Its words were in the document before, but were not read as a thing of its own."
            elif change.there is False:
                lead = f"The document now has words in which it is {kind}."
            else:
                lead = f"Now found {kind}."
            lead += f" Shown: {finding}."
        yield from self._wrap(lead, "   ", "   ")
        if thing.claim:
            where = _page(found.after if change.after else found.before, thing.page)
            yield from self._wrap(f"“{say.short(thing.claim, 220)}”{_beside(where)}", "   ", "   ")

    def _evidence(self, changes: Sequence[Change[Evidence]], found: Comparison, told: str) -> Iterator[str]:
        """The evidence that is different; what stands in the words just ``told`` is said without them."""
        own = [c.either for c in changes if c.either.quote == told]
        if own:
            yield from self._wrap(f"{say.says(own)}.", "   ", "   ")
        changes = [c for c in changes if c.either.quote != told]
        for lead, part in _kinds(changes):
            places = _places(part)
            shown = places if self._everything else places[:QUOTES]
            yield ""
            yield f"   {lead}"
            for group in shown:
                first = group[0]
                if first.before is not None and first.after is not None:
                    yield from self._both(first, group, found)
                    continue
                where = _page(found.before if first.after is None else found.after, first.either.page)
                opening = f"- {where}: " if where else "- "
                yield from self._wrap(f"{opening}“{say.short(first.either.quote, 160)}”", "   ", "     ")
                yield from self._wrap(f"{say.says([c.either for c in group])}.", "     ", "     ")
            if len(places) > len(shown):
                yield from self._wrap(
                    f"{say.number(len(places) - len(shown), 'more quote')}: add --all.", "     ", "     "
                )

    def _both(self, first: Change[Evidence], group: Sequence[Change[Evidence]], found: Comparison) -> Iterator[str]:
        assert first.before is not None and first.after is not None
        earlier = [c.before for c in group if c.before is not None]
        later = [c.after for c in group if c.after is not None]
        if first.how == "reworded":
            yield from self._reworded(first.before.quote, first.after.quote, found, first.before.page, first.after.page)
            other = [(x, y) for x, y in zip(earlier, later, strict=True) if say.says([x]) != say.says([y])]
            if other:
                old, new = say.says([x for x, _ in other]), say.says([y for _, y in other])
                yield from self._wrap(f"Now: {_small(new)}. Before: {_small(old)}.", "     ", "     ")
            else:
                yield from self._wrap(f"As before: {_small(say.says(later))}.", "     ", "     ")
            return
        where = _page(found.after, first.after.page)
        yield from self._wrap(f"- {where + ': ' if where else ''}“{say.short(first.after.quote, 160)}”", "   ", "     ")
        yield from self._wrap(f"Now: {_read(later)}. Before: {_read(earlier)}.", "     ", "     ")

    def _reworded(
        self, before: str, after: str, found: Comparison, page_before: int | None, page_after: int | None
    ) -> Iterator[str]:
        words = _differing(before, after)
        for opening, label, about, page, text in (
            ("- ", "before", found.before, page_before, words[0]),
            ("  ", "now", found.after, page_after, words[1]),
        ):
            where = _page(about, page)
            yield from self._wrap(f"{label}{', ' + where if where else ''}: “{text}”", f"   {opening}", "     ")

    def _claims(self, claims: Sequence[Change[Claim]], found: Comparison) -> Iterator[str]:
        for lead, part in _kinds(claims, claims=True):
            shown = part if self._everything else part[:QUOTES]
            yield f"   {lead}"
            for change in shown:
                before, after = change.before, change.after
                if before and after and change.how == "reworded":
                    yield from self._reworded(before.sentence, after.sentence, found, before.page, after.page)
                else:
                    one = change.either
                    where = _page(found.before if after is None else found.after, one.page)
                    yield from self._wrap(
                        f"- {where + ': ' if where else ''}“{say.short(one.sentence, 160)}”", "   ", "     "
                    )
                if before and after and before.types != after.types:
                    yield from self._wrap(
                        f"Read now as {_types(after.types)}, before as {_types(before.types)}.", "     ", "     "
                    )
            if len(part) > len(shown):
                more = say.number(len(part) - len(shown), "more sentence")
                yield from self._wrap(f"{more}: add --all.", "     ", "     ")

    # --- two runs ---

    def runs(self, runs: Runs) -> Iterator[str]:
        for label, name, read, unread in (
            ("Before: ", runs.before, runs.read[0], runs.unread[0]),
            ("Now:    ", runs.after, runs.read[1], runs.unread[1]),
        ):
            total = say.number(read + unread, "document")
            yield from self._wrap(f"{label}{name}: {total}, of which {_unread(unread)}.", rest="        ")
        yield from self._wrap(FAIR)
        for note in run_notes(runs):
            yield ""
            yield from self._wrap(note)
        yield ""
        for line in _run_totals(runs):
            yield from self._wrap(line, "", "  ")
        shown = runs.changed if self._everything else runs.changed[:DOCUMENTS]
        if shown:
            yield ""
            yield "What is different, document by document"
        for how, found in shown:
            yield from self._wrap(f"- {_one_line(how, found)}", "", "  ")
        if len(runs.changed) > len(shown):
            more = say.number(len(runs.changed) - len(shown), "more document is", "more documents are")
            yield from self._wrap(f"{more} different: add --all. Every single change: --csv F or --json F.", "  ", "  ")
        elif shown:
            yield from self._wrap("Every single change, with its words: --csv F or --json F.")
        for title, documents in (
            ("Could be read in the first run and not in the second", runs.unread_after),
            ("Could be read in the second run and not in the first", runs.unread_before),
            ("Only in the first run", runs.only_before),
            ("Only in the second run", runs.only_after),
        ):
            yield from self._list(title, [_listed(d) for d in documents])
        yield from self._list(
            "Could be either, so not compared",
            [
                "; ".join(say.clean(d.source) for d in xs) + " and " + "; ".join(say.clean(d.source) for d in ys)
                for xs, ys in runs.either
            ],
        )
        yield from self._list("Could not be compared", [f"{d.source}: {why}" for d, why in runs.damaged])

    def _list(self, title: str, lines: Sequence[str]) -> Iterator[str]:
        if not lines:
            return
        shown = lines if self._everything else lines[:DOCUMENTS]
        yield ""
        yield title
        for line in shown:
            yield from self._wrap(f"- {line}", "", "  ")
        if len(lines) > len(shown):
            yield from self._wrap(f"And {len(lines) - len(shown):,} more: add --all.", "  ", "  ")

    def _wrap(self, text: str, first: str = "", rest: str = "") -> Iterator[str]:
        text = say.clean(text)  # whatever it came from
        yield from textwrap.wrap(
            text, self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
        )


# --- what to know first ---------------------------------------------------------------------------------------------


def notes(found: Comparison) -> list[str]:
    """What to know before anything else about two reports: other rules, the same bytes, pages that were not read."""
    out = []
    different = found.changed or found.either
    if found.other_rules or found.other_settings:
        names = _rules(name for name, _, _ in found.provenance)
        out.append(f"The two reports were made with different rules or settings: {names}.")
    if found.same_words:
        kind = "The two documents are the same file" if found.same_bytes else "The two documents have the same words"
        if not different:
            out.append(f"{kind}.")
        elif found.provenance:
            out.append(f"{kind}, so every difference comes from the rules or settings and none from the document.")
        else:
            out.append(f"{kind}, so no difference comes from the words; one report may have been changed since.")
    elif found.provenance:
        out.append(
            "So a change may be the tool's and not the document's. To tell, check both documents again with the same "
            "claimscan."
        )
    for about, label in ((found.before, "before"), (found.after, "now")):
        if about.unread:
            where = say.page_ranges(about.unread)
            out.append(f"Not read {label}: {where}. What stands there could not be compared.")
    return out


def run_notes(runs: Runs) -> list[str]:
    """What to know before anything else about two runs."""
    pairs = runs.pairs.total()
    same = sum(1 for how, _ in runs.changed if how == "bytes")
    out = []
    if runs.provenance:
        most = max(runs.provenance.values())
        out.append(
            f"The two runs were made with different rules or settings: {_rules(runs.provenance)} "
            f"(in up to {most:,} of {say.number(pairs, 'pair')} of documents). So a change may be the tool's and not the "
            "document's."
        )
    if same and runs.provenance:
        out.append(
            f"{say.number(same, 'document has', 'documents have')} the same bytes in both runs and "
            f"{'is' if same == 1 else 'are'} read otherwise: there, every difference comes from the rules or settings."
        )
    elif same:
        out.append(
            f"{say.number(same, 'document has', 'documents have')} the same bytes and the same rules in both runs, and yet "
            "another report: one of them may have been changed since."
        )
    return out


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


def _run_totals(runs: Runs) -> Iterator[str]:
    pairs, t = runs.pairs.total(), runs.totals
    parts = [
        f"{runs.pairs[how]:,} {words}"
        for how, words in (
            ("bytes", "with the same bytes"),
            ("name", "by name"),
            ("title", "by title and words in common"),
        )
        if runs.pairs[how]
    ]
    yield f"Documents read in both runs: {pairs:,}" + (f" ({', '.join(parts)})." if parts else ".")
    if not pairs:
        return
    yield f"Of these {pairs:,}, {len(runs.changed):,} show something different."
    yield (
        f"Of {say.number(t['products'], 'thing')} said to be made with people that both runs found: "
        f"{t['grade_higher']:,} now at a higher level, {t['grade_lower']:,} at a lower one, and {t['grade_other']:,} moved to "
        "or from no level, or to another reason for none."
    )
    yield (
        f"Found in one run only, in these documents: {t['product_dropped']:,} in the first, "
        f"{t['product_added']:,} in the second"
        + (f"; {t['uncompared']:,} could be either and are not compared." if t["uncompared"] else ".")
    )
    both = t["claims"]
    yield (
        f"Sentences that make a claim: {both:,} in both ({t['claim_reworded']:,} reworded, {t['claim_reread']:,} read "
        f"otherwise), {t['claim_dropped']:,} in the first only, {t['claim_added']:,} in the second only."
    )
    yield (
        f"Pieces of evidence: {t['evidence']:,} the same, {t['evidence_reworded']:,} reworded, "
        f"{t['evidence_reread']:,} read otherwise, {t['evidence_dropped']:,} in the first only, "
        f"{t['evidence_added']:,} in the second only."
    )
    yield f"Flags: {t['flag_added']:,} now noted, {t['flag_dropped']:,} no longer noted."


def _one_line(how: str, found: Comparison) -> str:
    """A document's changes on one line."""
    parts = []
    for p in found.products:
        name = say.short(p.either.name, 50)
        if p.before and p.after:
            if any(row[0] == "grade" for row in p.findings):
                was, now = say.brief(p.before.finding).rstrip("."), say.brief(p.after.finding).rstrip(".")
                parts.append(f"{name}: now {now}, before {was}")
        else:
            parts.append(f"{name}: {'now also' if p.after else 'no longer'} found ({say.brief(p.either.finding)})")
    evidence = [c.how for p in found.products for c in p.evidence]
    flags, unsure = sum(len(p.flags) for p in found.products), sum(
        len(side) for sides in found.either for side in sides
    )
    rest = [
        words
        for n, words in (
            (evidence.count("added"), f"{say.number(evidence.count('added'), 'piece')} of evidence gained"),
            (evidence.count("dropped"), f"{say.number(evidence.count('dropped'), 'piece')} of evidence lost"),
            (evidence.count("reworded"), f"{evidence.count('reworded'):,} reworded"),
            (evidence.count("reread"), f"{evidence.count('reread'):,} read otherwise"),
            (flags, say.number(flags, "flag")),
            (len(found.claims), say.number(len(found.claims), "claiming sentence")),
            (unsure, say.number(unsure, "thing") + " that could be either"),
        )
        if n
    ]
    if rest:
        parts.append("different: " + ", ".join(rest))
    old = "" if found.before.source == found.after.source else f" (before: {found.before.source})"
    same = " [same bytes]" if how == "bytes" else ""
    return f"{found.after.source}{old}{same}: {'; '.join(parts) or 'who it is about'}."


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


def _beside(where: str) -> str:
    return f" ({where})" if where else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _level(grade: str) -> str:
    return say.level_name(grade) if grade else "none"


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _differing(before: str, after: str, most: int = 160) -> tuple[str, str]:
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


def _types(types: Sequence[str]) -> str:
    kinds = say.tables()["mentions"]
    return " and ".join(kinds.get(t, (say.clean(t),))[0] for t in types)


def _some(*counts: tuple[int, str]) -> str:
    """``; 2 new, 1 no longer there``, of those that are not 0."""
    parts = [f"{n:,} {words}" for n, words in counts if n]
    return f"; {', '.join(parts)}" if parts else ""


def _rules(names: Iterable[str]) -> str:
    found = set(names)
    return ", ".join([words for name, words in _RULES.items() if name in found] + sorted(found - set(_RULES)))


def _unread(n: int) -> str:
    return f"{n:,} could not be read" if n else "all could be read"


def _listed(d: Listed) -> str:
    title = f" ({say.short(d.title, 80)})" if d.title and d.title != d.source else ""
    return f"{d.source}{title}" + (f": {say.short(d.why, 160)}" if d.why else "")


# --- as plain values ------------------------------------------------------------------------------------------------


def to_dict(found: Comparison) -> dict[str, Any]:
    """The comparison of two documents in the shape of ``claimscan/comparison/1``."""
    return {"schema": SCHEMA, "kind": "documents", **_plain(found)}


def runs_to_dict(runs: Runs) -> dict[str, Any]:
    """The comparison of two runs in the shape of ``claimscan/comparison/1``."""
    pairs = runs.pairs.total()
    return {
        "schema": SCHEMA,
        "kind": "runs",
        "before": {"run": runs.before, "read": runs.read[0], "unread": runs.unread[0]},
        "after": {"run": runs.after, "read": runs.read[1], "unread": runs.unread[1]},
        "notes": run_notes(runs),
        "provenance": [{"name": k, "pairs": runs.provenance[k]} for k in sorted(runs.provenance)],
        "totals": {
            "pairs": pairs,
            "paired_by": {how: runs.pairs[how] for how in ("bytes", "name", "title")},
            "changed": len(runs.changed),
            **{key: runs.totals[key] for key in _TOTALS},
        },
        "changed": [{"paired_by": how, **_plain(found)} for how, found in runs.changed],
        "only_before": [_entry(d) for d in runs.only_before],
        "only_after": [_entry(d) for d in runs.only_after],
        "unread_before": [_entry(d) for d in runs.unread_before],
        "unread_after": [_entry(d) for d in runs.unread_after],
        "either": [{"before": [_entry(d) for d in xs], "after": [_entry(d) for d in ys]} for xs, ys in runs.either],
        "not_compared": [{**_entry(d), "why": why} for d, why in runs.damaged],
    }


_TOTALS = (
    *("products", "grade_higher", "grade_lower", "grade_other", "ceiling", "proxy_grade", "second_reading"),
    *("product_added", "product_dropped", "uncompared"),
    *("claims", "claim_added", "claim_dropped", "claim_reworded", "claim_reread"),
    *("evidence", "evidence_added", "evidence_dropped", "evidence_reworded", "evidence_reread", "moved"),
    *("flag_added", "flag_dropped"),
)


def to_json(whole: Mapping[str, Any]) -> bytes:
    """Plain values as JSON in UTF-8; half a surrogate pair, which a damaged document may have, as its escape."""
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def _plain(found: Comparison) -> dict[str, Any]:
    return {
        "before": _about(found.before),
        "after": _about(found.after),
        "same_bytes": found.same_bytes,
        "same_words": found.same_words,
        "notes": notes(found),
        "provenance": [{"name": name, "before": was, "after": now} for name, was, now in found.provenance],
        "unchanged": {
            "products": found.same_products,
            "claims": found.same_claims,
            "evidence": found.same_evidence,
            "moved": found.moved,
        },
        "products": [_product(p) for p in found.products],
        "either": [{"before": [_thing(t) for t in xs], "after": [_thing(t) for t in ys]} for xs, ys in found.either],
        "claims": [
            {
                "change": c.how,
                "before": _claim(c.before) if c.before else None,
                "after": _claim(c.after) if c.after else None,
                "words_in_both": c.there,
            }
            for c in found.claims
        ],
    }


def _about(about: About) -> dict[str, Any]:
    return {
        "id": about.id,
        "source": about.source,
        "title": about.title,
        "pages": about.pages,
        "unread_pages": list(about.unread),
        "population": about.population,
        "products": about.products,
        "claims": about.claims,
        "evidence": about.evidence,
    }


def _product(change: ProductChange) -> dict[str, Any]:
    return {
        "change": "added" if change.before is None else "dropped" if change.after is None else "changed",
        "before": _thing(change.before) if change.before else None,
        "after": _thing(change.after) if change.after else None,
        "words_in_both": change.there,
        "finding": [{"field": name, "before": was or None, "after": now or None} for name, was, now in change.findings],
        "flags": [
            {"change": c.how, "code": c.either.code, "kind": c.either.kind, "plain": c.either.plain}
            for c in change.flags
        ],
        "evidence": [
            {
                "change": c.how,
                "before": _evidence(c.before) if c.before else None,
                "after": _evidence(c.after) if c.after else None,
                "words_in_both": c.there,
            }
            for c in change.evidence
        ],
        "unchanged": {"evidence": change.same, "moved": change.moved},
    }


def _thing(thing: Thing) -> dict[str, Any]:
    finding = thing.finding
    return {
        "id": thing.id,
        "name": thing.name,
        "is_document": thing.is_document,
        "claim": thing.claim if thing.claimed else None,
        "page": thing.page,
        "grade": finding.grade,
        "label": finding.label,
        "ceiling": finding.ceiling,
        "evidence": thing.evidence,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "sentence": claim.sentence,
        "types": list(claim.types),
        "page": claim.page,
        "product": claim.product or None,
    }


def _evidence(e: Evidence) -> dict[str, Any]:
    row = {name: getattr(e, name) for name in ("id", "slot", "value", "certainty", "page", "start", "end", "quote")}
    return row | {"who": e.who or None, "detail": dict(e.detail)}


def _entry(d: Listed) -> dict[str, Any]:
    return {"document": d.document or None, "source": d.source, "title": d.title, "why": d.why or None}


# --- as a table -----------------------------------------------------------------------------------------------------


def to_csv(found: Comparison) -> str:
    """The changes between two documents, one a row, under one heading row; rows end in CR LF (RFC 4180)."""
    return _csv(_rows(found, "given"))


def runs_to_csv(runs: Runs) -> str:
    """The changes between two runs, one a row: first of every pair of documents, then documents without a pair."""
    return _csv(_run_rows(runs))


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (row.get(column) for column in COLUMNS)
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()


def _run_rows(runs: Runs) -> Iterator[dict[str, Any]]:
    for how, found in runs.changed:
        yield from _rows(found, how)
    for change, before, documents in (
        ("only_before", True, runs.only_before),
        ("only_after", False, runs.only_after),
        ("unread_before", True, runs.unread_before),
        ("unread_after", False, runs.unread_after),
        ("not_compared", False, [d._replace(why=why) for d, why in runs.damaged]),
        ("could_be_either", True, [d for xs, _ in runs.either for d in xs]),
        ("could_be_either", False, [d for _, ys in runs.either for d in ys]),
    ):
        side = "before" if before else "after"
        for d in documents:
            yield {
                "what": "document",
                "change": change,
                f"{side}_source": d.source,
                f"{side}_document": d.document,
                side: d.why or d.title,
            }


def _rows(found: Comparison, how: str) -> Iterator[dict[str, Any]]:
    base = {
        "before_source": found.before.source,
        "after_source": found.after.source,
        "before_document": found.before.id,
        "after_document": found.after.id,
        "paired_by": how,
        "other_rules": bool(found.provenance),
    }
    if found.population:
        was, now = found.population
        yield base | {"what": "population", "change": "changed", "before": was, "after": now}
    for claim in found.claims:
        types = " ".join(claim.either.types)
        yield base | _change(claim, "claim", claim.either.product, types, lambda c: c.sentence)
    for product in found.products:
        before, after = product.before, product.after
        name = product.either.name
        if before is None or after is None:
            change = "added" if before is None else "dropped"
            yield base | {
                "what": "thing",
                "change": change,
                "thing": name,
                "before": before.finding.grade if before else None,
                "after": after.finding.grade if after else None,
                "before_page": before.page if before else None,
                "after_page": after.page if after else None,
                "words_in_both": product.there,
            }
        for field, was, now in product.findings:
            yield base | {"what": field, "change": "changed", "thing": name, "before": was, "after": now}
        for flag in product.flags:
            yield base | _change(flag, "flag", name, flag.either.code, _flag)
        for e in product.evidence:
            codes = [f"{side.slot}={side.value}" for side in (e.before, e.after) if side]
            yield base | _change(e, "evidence", name, " ".join(dict.fromkeys(codes)), lambda one: one.quote)
    for xs, ys in found.either:
        for side, things in (("before", xs), ("after", ys)):
            for t in things:
                yield base | {
                    "what": "thing",
                    "change": "could_be_either",
                    "thing": t.name,
                    side: t.finding.grade,
                    f"{side}_page": t.page,
                }


def _flag(flag: Flag) -> str:
    return flag.plain


def _change(change: Change[Any], what: str, thing: str, code: str, words: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "what": what,
        "change": change.how,
        "thing": thing,
        "code": code,
        "words_in_both": change.there,
    }
    for side, one in (("before", change.before), ("after", change.after)):
        if one is not None:
            row |= {side: words(one), f"{side}_page": getattr(one, "page", None)}
    return row
