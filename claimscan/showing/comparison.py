"""What is different between two documents or two runs: on a terminal, as JSON and as a table."""

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
from claimscan.showing.differences import FAIR, Kind, Made, differences, notes, rules
from claimscan.showing.tables import safe_cell

if TYPE_CHECKING:
    from claimscan.batch.two_runs import Listed, Runs
    from claimscan.comparing import About

SCHEMA = "claimscan/comparison/1"
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
        said = differences(found, most=None if self._everything else PRODUCTS)
        yield from self._wrap(f"Before: {said.before}", rest="        ")
        yield from self._wrap(f"Now:    {said.now}", rest="        ")
        yield from self._wrap(FAIR)
        for note in said.notes:
            yield ""
            yield from self._wrap(note)
        yield ""
        for line in said.totals:
            yield from self._wrap(line)
        for n, made in enumerate(said.made, 1):
            yield ""
            yield f"{n}. {made.name}"
            yield from self._made(made)
        if said.more:
            yield ""
            yield from self._wrap(f"{say.number(said.more, 'more thing is', 'more things are')} different: add --all.")
        for sides in said.either:
            yield ""
            yield "Could be either"
            yield from self._wrap("Too alike to say which is which, so these are not compared.", "   ", "   ")
            for side in sides:
                yield from self._wrap(side, "   ", "   ")
        if said.claims:
            yield ""
            yield said.claims_heading
            for kind in said.claims:
                yield from self._kind(kind, "more sentence")
        if said.unknown:
            yield ""
            yield from self._wrap(said.unknown)

    def _made(self, made: Made) -> Iterator[str]:
        if made.called:
            yield from self._wrap(made.called, "   ", "   ")
        for line in made.lines:
            yield from self._wrap(line, "   ", "   ")
        if made.claim:
            where = f" ({made.claim.page})" if made.claim.page else ""
            yield from self._wrap(f"“{made.claim.words}”{where}", "   ", "   ")
        if made.says:
            yield from self._wrap(made.says, "   ", "   ")
        for kind in made.evidence:
            yield ""
            yield from self._kind(kind, "more quote")
        for lead, flags in made.flags:
            yield ""
            yield f"   {lead}"
            for flag in flags:
                yield from self._wrap(f"- {flag}", "   ", "     ")
        if made.same:
            yield ""
            yield from self._wrap(made.same, "   ", "   ")

    def _kind(self, kind: Kind, more: str) -> Iterator[str]:
        yield f"   {kind.lead}"
        shown = kind.differences if self._everything else kind.differences[:QUOTES]
        for one in shown:
            for n, place in enumerate(one.places):
                where = ", ".join(filter(None, (place.when, place.page)))
                opening = "     " if n else "   - "
                yield from self._wrap(f"{where + ': ' if where else ''}“{place.words}”", opening, "     ")
            if one.says:
                yield from self._wrap(one.says, "     ", "     ")
        left = len(kind.differences) - len(shown)
        if left:
            yield from self._wrap(f"{say.number(left, more)}: add --all.", "     ", "     ")

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


def run_notes(runs: Runs) -> list[str]:
    """What to know before anything else about two runs."""
    pairs = runs.pairs.total()
    same = sum(1 for how, _ in runs.changed if how == "bytes")
    out = []
    if runs.provenance:
        most = max(runs.provenance.values())
        out.append(
            f"The two runs were made with different rules or settings: {rules(runs.provenance)} "
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
