"""The finding in words, ready for a template: the same for the page in one file and for the local web page.

Nothing is decided here: it chooses what to show, in which order, and puts codes into words (``wording``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from claimscan.records import Evidence, Mention, Product, Reply
from claimscan.showing import answers, by_hand, easy_read, three_questions
from claimscan.showing import wording as say
from claimscan.showing.pictures import Picture, Pictures
from claimscan.showing.trace import trace

if TYPE_CHECKING:
    from claimscan.report import Report

QUOTES = 8

KINDS = {
    "concern": "Concern: the document states this",
    "ask": "To ask: the document is silent",
    "credit": "Credit: the document states this good practice",
}


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote as it is shown. ``items`` are the ids of the mentions or evidence that it is the place of."""

    words: str
    items: tuple[str, ...] = ()
    says: str = ""
    beside: str = ""
    place: str = ""
    page: int = 0
    picture: Picture | None = None
    welsh: bool = False


def finding(report: Report, pictures: Pictures, replies: Iterable[Reply] = ()) -> dict[str, Any]:
    """All that ``finding.html.j2`` shows of one document, as plain words.

    Args:
        pictures: of this report's places.
        replies: what bodies answered; those about this document stand beside their finding, and those whose finding is
            gone at the end.
    """
    matched = answers.of_report(report, replies)
    products = [
        _product(report, product, pictures, matched.found.get((report.document.id, product.id)))
        for product in say.in_order(report)
    ]
    others = say.other_mentions(report)
    where = say.pages(report, [report.population.page])
    population = say.clean(report.population.label)
    return {
        "title": say.title(report),
        "about": f"{say.clean(report.document.source)} ({say.about(report)})",
        "population": f"It is about {population}{f' ({where})' if where else ''}" if population else "",
        "claims": say.claims_found(report),
        "fair": say.FAIR,
        "changed": by_hand.lines(report),
        "products": products,
        "others": [
            {
                "place": say.pages(report, [m.page]),
                "kind": say.tables()["mentions"].get(m.type, (m.type, m.type))[0],
                "words": say.short(m.sentence.text, 240),
                "welsh": m.family == "welsh",
                "item": m.id,
            }
            for m in others
        ],
        "others_counted": say.counted(others),
        "checks": [
            {"read": read, "words": say.short(words, 300), "place": place}
            for read, words, place in say.to_check(report)
        ],
        "unread": say.unread(report),
        "warnings": say.warnings(report),
        "earlier": [answers.shown(reply) for reply in matched.earlier],
        "meanings": list(say.tables()["meanings"].items()),
        "pictures_left_out": pictures.left_out,
        "provenance": [("document (sha256)", report.document.id), *sorted(report.provenance.items())],
    }


def _product(report: Report, product: Product, pictures: Pictures, reply: Reply | None) -> dict[str, Any]:
    finding = report.findings[product.id]
    words, source = say.claim_words(report, product)
    claim = None
    if words and source is not None:
        more = len(say.claims_of(report, product)) - 1
        place = say.pages(report, [source.page])
        again = f"and {say.number(more, 'more time')} in the document" if more > 0 else ""
        claim = Quote(
            words=say.short(words, 400),
            items=(source.id,),
            beside=", ".join(part for part in (place.capitalize(), again) if part),
            place=place,
            page=source.page,
            picture=pictures.of(source),
            welsh=isinstance(source, Mention) and source.family == "welsh",
        )
    quotes = [_quote(report, e, group, pictures) for e, group in say.chosen_evidence(report, product)]
    places = {e.id: e.page for e in report.evidence}

    def placed(text: str, evidence: Iterable[str]) -> str:
        where = say.pages(report, [places.get(e) for e in evidence])
        return f"{say.sentence(text)[:-1]} ({where})." if where else say.sentence(text)

    return {
        "id": product.id,
        "anchor": "product-" + "".join(c for c in product.id if c.isascii() and c.isalnum()),
        "name": say.short(product.name, 140)[:1].upper() + say.short(product.name, 140)[1:],
        "claim_heading": (
            "The claim, in its own words"
            if say.claims_of(report, product)
            else "Described without the word “co-produced”"
        ),
        "claim": claim,
        "brief": say.shows(finding) if finding.grade in say.LEVELS else say.sentence(say.brief(finding)),
        "shows": say.shows(finding),
        "ceiling": say.ceiling(finding),
        "word": say.clean(finding.supports) if finding.grade in say.LEVELS else "",
        "asides": say.asides(finding),
        "reply": answers.shown(reply) if reply else None,
        "on_scale": finding.grade in say.LEVELS,
        "ladder": _ladder(finding.grade, finding.ceiling),
        "three": three_questions.answered(report, product),
        "easy": easy_read.lines(report, product),
        "hawdd": easy_read.lines(report, product, "cy"),
        "next": [{"to": say.level_name(step.to), "needs": say.sentence(step.needs)} for step in finding.next],
        "quotes": quotes[:QUOTES],
        "more": quotes[QUOTES:],
        "silent": say.unstated(finding),
        "flags": [
            {
                "code": kind,
                "heading": heading,
                "flags": [placed(f.plain, f.evidence) for f in finding.flags if f.kind == kind],
            }
            for kind, heading in KINDS.items()
            if any(f.kind == kind for f in finding.flags)
        ],
        "questions": [{"ask": say.clean(q.ask), "record": say.clean(q.record)} for q in finding.questions],
        "trace": _trace(report, product),
    }


def _quote(report: Report, e: Evidence, group: Sequence[Evidence], pictures: Pictures) -> Quote:
    place = say.pages(report, [e.page])
    return Quote(
        words=say.short(e.quote, 500),
        items=tuple(item.id for item in group),
        says=say.says(group),
        beside=place.capitalize(),
        place=place,
        page=e.page,
        picture=pictures.of(e),
    )


def _ladder(grade: str, ceiling: str) -> list[dict[str, str]]:
    """The six steps, highest first, each with where it stands to the grade and the ceiling."""
    shown = int(grade) if grade in say.LEVELS else 0
    highest = int(ceiling) if ceiling in say.LEVELS else 0
    steps = []
    for level in reversed(say.ladder()):
        n = int(level.id)
        state, where = "below", ""
        if n == shown:
            state, where = "shown", "The document shows this"
        elif n == highest and n > shown:
            state, where = "ceiling", "Nothing in the document rules this out"
        elif shown and shown < n < highest:
            state, where = "open", "Not ruled out either"
        elif highest and n > max(highest, shown):
            state, where = "ruled", "Ruled out by what the document states"
        steps.append({"grade": level.id, "label": level.label, "plain": level.plain, "state": state, "where": where})
    return steps


def _trace(report: Report, product: Product) -> dict[str, Any]:
    t = trace(report, product)
    return {
        "slots": [
            {
                "slot": filled.slot,
                "name": filled.name,
                "evidence": [
                    {
                        "words": say.value_words(e),
                        "value": e.value,
                        "rule": e.rule,
                        "place": say.pages(report, [e.page]),
                        "quote": say.short(e.quote, 300),
                    }
                    for e in filled.evidence
                ],
            }
            for filled in t.slots
        ],
        "rules": [
            {"rule": r.rule, "text": say.sentence(r.text), "place": say.pages(report, [e.page for e in r.evidence])}
            for r in t.rules
        ],
        "flags": [{"code": f.code, "plain": say.sentence(f.plain)} for f in t.flags],
        "crosswalk": [(name, say.clean(text)) for name, text in t.crosswalk],
    }
