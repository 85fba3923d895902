"""The finding for a person at a terminal: short, plain, and with no colour unless it is wanted."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from claimscan.records import Product
from claimscan.showing import by_hand
from claimscan.showing import wording as say
from claimscan.showing.translating import tr

if TYPE_CHECKING:
    from claimscan.report import Report

FULL_PRODUCTS = 3
QUOTES = 5
QUESTIONS = 3
SILENCES = 6
CHECKS = 3
MARKS = {"concern": "!", "ask": "?", "credit": "+"}


def columns() -> int:
    """How wide a line on standard output may be: 80 where that is no terminal."""
    if not sys.stdout.isatty():
        return 80
    import shutil

    return shutil.get_terminal_size().columns


def summary(report: Report, *, width: int = 80, colour: bool = False, everything: bool = False) -> str:
    """The whole finding as text.

    Args:
        report: what was found.
        width: columns to keep within; at least 40 are used.
        colour: mark headings with terminal codes.
        everything: also list the other uses of the word, and show every product and quote in full.

    Returns:
        Lines that end in a line break. Nothing from the document can send a terminal code.
    """
    return "\n".join(_lines(report, max(40, min(width, 100)), colour, everything)) + "\n"


def changes(report: Report, width: int, colour: bool = False) -> Iterator[str]:
    """What was changed by hand, under a heading after an empty line; nothing where nothing was."""
    changed = by_hand.lines(report)
    if changed:
        yield ""
        yield _heading(tr("Changed by hand"), colour)
        for line in changed:
            yield from _wrap(f"- {line}", width, "", "  ")


def _lines(report: Report, width: int, colour: bool, everything: bool) -> Iterator[str]:
    document = report.document
    source = say.clean(document.source)
    name = say.title(report)
    named = (
        f"{say.short(name, 120)} ({source}; {say.about(report)})" if name != source else f"{name} ({say.about(report)})"
    )
    yield from _wrap(f"{named}: {say.claims_found(report)[0].lower()}{say.claims_found(report)[1:]}", width)
    if report.population.label:
        where = say.pages(report, [report.population.page])
        yield from _wrap(
            tr("It is about {whom}").format(whom=tr(say.clean(report.population.label)))
            + (f" ({where})." if where else "."),
            width,
        )
    yield from _wrap(tr(say.FAIR), width)
    yield from changes(report, width, colour)

    products = say.in_order(report)
    full = products if everything else products[:FULL_PRODUCTS]
    for n, product in enumerate(full, 1):
        yield ""
        yield from _product(report, product, n, width, colour, everything)
    if products[len(full) :]:
        yield ""
        yield _heading(tr("More claims"), colour)
        for n, product in enumerate(products[len(full) :], len(full) + 1):
            _, found = say.claim_words(report, product)
            where = say.pages(report, [found.page if found else None])
            text = f"{n}. {_name(product)}: {say.brief(report.findings[product.id])}" + (f", {where}" if where else "")
            yield from _wrap(text, width, "", "   ")
        yield from _wrap(tr("To see them in full, add --all."), width)

    others = say.other_mentions(report)
    if others:
        yield ""
        count = say.number(len(others), "other use of the word", "other uses of the word")
        hint = "" if everything else tr(" To see them, add --all.")
        said = tr("{count}, not graded: {kinds}.").format(count=count, kinds=say.counted(others))
        yield from _wrap(said + hint, width)
        if everything:
            for m in others:
                one = say.kind_of_use(m.type)
                where = say.pages(report, [m.page])
                yield from _wrap(
                    f"- {where + ', ' if where else ''}{one}: “{say.short(m.sentence.text, 120)}”", width, "", "  "
                )

    unsure = say.to_check(report)
    if unsure:
        yield ""
        yield _heading(tr("Check these by eye first"), colour)
        yield from _wrap(tr("They are what claimscan is least sure of."), width)
        for read, words, where in unsure if everything else unsure[:CHECKS]:
            opening = f"- {where}: " if where else "- "
            yield from _wrap(f"{opening}“{say.short(words, 160)}” {read}.", width, "", "  ")

    if products:
        yield ""
        yield from _wrap(
            tr("Each quote in its place on the page: add --html FILE. The rules: claimscan explain."), width
        )
    missing = say.unread(report)
    notes = say.warnings(report)
    if missing or notes:
        yield ""
        care = tr("Not read") if missing else tr("Take care")
        yield _heading(tr("Not read, or read with care") if missing and notes else care, colour)
        for line in missing + notes:
            yield from _wrap(f"- {line}", width, "", "  ")
        if missing and not any(p.ocr for p in document.pages):
            yield from _wrap(tr("- To have pages read that are pictures, add --ocr."), width, "", "  ")


def _product(report: Report, product: Product, n: int, width: int, colour: bool, everything: bool) -> Iterator[str]:
    finding = report.findings[product.id]
    yield _heading(f"{n}. {_name(product)}", colour)

    words, source = say.claim_words(report, product)
    if words and source is not None:
        times = len(say.claims_of(report, product))
        again = tr("and {times}").format(times=say.number(times - 1, "more time")) if times > 1 else ""
        places = [say.pages(report, [source.page]), again]
        beside = ", ".join(p for p in places if p)
        lead = tr("Claim") if times else tr("Described, without the word")
        yield from _wrap(f"{lead}: “{say.short(words, 220)}”" + (f" ({beside})" if beside else ""), width, "   ", "   ")
    yield ""
    verdict = " ".join(p for p in (say.shows(finding), say.ceiling(finding)) if p)
    lines = list(_wrap(verdict, width, "   ", "   "))
    yield from (_strong(line, colour) for line in lines)
    for note in say.asides(finding):
        yield from _wrap(note, width, "   ", "   ")

    found = say.chosen_evidence(report, product)
    shown = found if everything else found[:QUOTES]
    if shown:
        yield ""
        yield "   " + tr("What it says")
        for e, group in shown:
            where = say.pages(report, [e.page])
            opening = f"- {where}: " if where else "- "
            yield from _wrap(f"{opening}“{say.short(e.quote, 160)}”", width, "   ", "     ")
            yield from _wrap(f"{say.says(group)}.", width, "     ", "     ")
        if len(found) > len(shown):
            more = say.number(len(found) - len(shown), "more quote")
            yield from _wrap(tr("{more}: add --all.").format(more=more), width, "     ", "     ")

    silent = say.unstated(finding, beside_flags=True)
    if silent:
        kept = silent if everything else silent[:SILENCES]
        rest = len(silent) - len(kept)
        yield ""
        listed = "; ".join(kept)
        if rest:
            listed = tr("{list}; and {rest}").format(list=listed, rest=say.number(rest, "other thing"))
        yield from _wrap(tr("Not stated: {list}.").format(list=listed), width, "   ", "   ")

    if finding.flags:
        yield ""
        on_page = {e.id: e.page for e in report.evidence}
        for kind, mark in MARKS.items():
            for flag in (f for f in finding.flags if f.kind == kind):
                where = say.pages(report, [on_page.get(e) for e in flag.evidence])
                text = f"{say.word(kind, 'flags')}: {tr(say.clean(flag.plain)).rstrip('.')}"
                yield from _wrap(f"{mark} {text}" + (f" ({where})." if where else "."), width, "   ", "     ")

    if finding.questions:
        yield ""
        yield "   " + tr("What to ask next")
        asked = finding.questions if everything else finding.questions[:QUESTIONS]
        for i, question in enumerate(asked, 1):
            yield from _wrap(f"{i}. {tr(say.clean(question.ask))}", width, "   ", "      ")


def _name(product: Product) -> str:
    name = say.name(product, 90)
    return name[:1].upper() + name[1:]


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> Iterator[str]:
    text = say.clean(text)  # whatever step it came from
    yield from textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _heading(text: str, colour: bool) -> str:
    text = say.clean(text)
    return f"\x1b[1;36m{text}\x1b[0m" if colour else text


def _strong(line: str, colour: bool) -> str:
    return f"\x1b[1m{line}\x1b[0m" if colour else line
