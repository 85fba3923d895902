"""The rule trace of one product: which words filled which slot, which rules gave the grade, what would raise it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from claimscan.records import Evidence, Finding, Flag, Mention, Product, Step
from claimscan.showing import wording as say
from claimscan.showing.translating import told, tr

if TYPE_CHECKING:
    from claimscan.report import Report


@dataclass(frozen=True, slots=True)
class Filled:
    """One slot and the evidence that filled it."""

    slot: str
    name: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Rested:
    """One rule of the grading, with the evidence it rested on."""

    rule: str
    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """All that led to one grade, in the order in which it was decided."""

    product: Product
    finding: Finding
    mentions: tuple[Mention, ...]
    slots: tuple[Filled, ...]
    rules: tuple[Rested, ...]
    next: tuple[Step, ...]
    flags: tuple[Flag, ...]
    silent: tuple[str, ...]
    crosswalk: tuple[tuple[str, str], ...]


def trace(report: Report, product: Product) -> Trace:
    """The rule trace of a product of the report."""
    finding = report.findings[product.id]
    known = {e.id: e for e in report.evidence}
    by_slot: dict[str, list[Evidence]] = {slot: [] for slot in say.tables()["slots"]}
    for e in report.evidence:
        if e.product == product.id:
            by_slot.setdefault(e.slot, []).append(e)
    return Trace(
        product=product,
        finding=finding,
        mentions=tuple(m for m in report.mentions if m.id in product.mentions),
        slots=tuple(Filled(slot, say.slot_name(slot), tuple(found)) for slot, found in by_slot.items() if found),
        rules=tuple(
            Rested(r.rule, told(r.text), tuple(known[e] for e in r.evidence if e in known)) for r in finding.reasons
        ),
        next=tuple(replace(step, needs=told(step.needs)) for step in finding.next),
        flags=tuple(replace(flag, plain=tr(flag.plain)) for flag in finding.flags),
        silent=tuple(say.unstated(finding)),
        crosswalk=tuple((name, tr(text)) for name, text in finding.crosswalk.items()),
    )


def explain(report: Report, product: Product, *, width: int = 80) -> str:
    """The rule trace as text, within ``width`` columns. Nothing from the document can send a terminal code."""
    return "\n".join(_lines(report, trace(report, product), max(40, min(width, 100)))) + "\n"


def _lines(report: Report, t: Trace, width: int) -> Iterator[str]:
    def wrap(text: str, indent: str = "  ", hang: str = "    ") -> Iterator[str]:
        after = indent + hang
        yield from textwrap.wrap(
            say.clean(text), width, initial_indent=indent, subsequent_indent=after, break_on_hyphens=False
        )

    def place(page: int | None) -> str:
        where = say.pages(report, [page])
        return f"{where}: " if where else ""

    def cited(evidence: tuple[Evidence, ...]) -> str:
        return f" [{', '.join(e.id for e in evidence)}]" if evidence else ""

    finding = t.finding
    yield from wrap(f"{t.product.id}. {say.name(t.product, 1000)}", "")
    yield from wrap(" ".join(p for p in (say.shows(finding), say.ceiling(finding)) if p), "", "")
    for note in say.asides(finding):
        yield from wrap(note, "", "")

    yield ""
    yield tr("Uses of the word")
    for m in t.mentions:
        hedge = tr(", hedged") if m.hedge else ""
        part = tr(", for a part") if m.scope == "part" else ""
        yield from wrap(f"{m.id} {m.type}{hedge}{part}" + tr(", by rule {rule}").format(rule=m.rule))
        yield from wrap(f"{place(m.page)}“{say.short(m.sentence.text, 240)}”", "    ", "")
    if not t.mentions:
        yield from wrap(tr("none: it is described without the word"))

    yield ""
    yield tr("Words that filled each slot")
    for filled in t.slots:
        yield from wrap(f"{filled.name} ({filled.slot})" if filled.name else filled.slot)
        for e in filled.evidence:
            rule = tr(", by rule {rule}").format(rule=e.rule)
            yield from wrap(f"{e.id} {e.value}: {say.value_words(e)}{rule}", "    ")
            yield from wrap(f"{place(e.page)}“{say.short(e.quote, 240)}”", "      ", "")
    if not t.slots:
        yield from wrap(tr("none"))

    yield ""
    yield tr("Rules that gave the grade, in order")
    for i, rested in enumerate(t.rules, 1):
        yield from wrap(f"{i}. {rested.rule}: {say.clean(rested.text)}{cited(rested.evidence)}")

    yield ""
    yield tr("What would raise it")
    for step in t.next:
        said = tr("to {level}: {what}")
        yield from wrap(said.format(level=say.level_name(step.to), what=say.clean(step.needs)))
    if not t.next:
        top = finding.grade == "6"
        yield from wrap(tr("nothing: it is at the top") if top else tr("nothing that the rules know of"))
    if t.silent:
        yield from wrap(tr("The document does not say: {list}.").format(list="; ".join(t.silent)), "  ", "")

    if t.flags:
        yield ""
        yield tr("Flags (these never change the grade)")
        for flag in t.flags:
            cites = f" [{', '.join(flag.evidence)}]" if flag.evidence else ""
            yield from wrap(f"{flag.kind} {flag.code}: {say.clean(flag.plain)}{cites}")
    if t.crosswalk:
        yield ""
        yield tr("On other ladders (approximate)")
        for name, text in t.crosswalk:
            yield from wrap(f"{name}: {say.clean(text)}")
