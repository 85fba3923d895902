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
from claimscan.showing.translating import language, message, told, tr

if TYPE_CHECKING:
    from claimscan.report import Report

QUOTES = 8

KINDS = {
    "concern": message("Concern: the document states this"),
    "ask": message("To ask: the document is silent"),
    "credit": message("Credit: the document states this good practice"),
}


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote as it is shown, never translated. ``items`` are the ids of the mentions or evidence that it is the place of,
    ``language`` is that of its words."""

    words: str
    items: tuple[str, ...] = ()
    says: str = ""
    beside: str = ""
    place: str = ""
    page: int = 0
    picture: Picture | None = None
    language: str = "en"


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
    population = tr(say.clean(report.population.label))
    about = tr("It is about {whom}").format(whom=population) + (f" ({where})" if where else "")
    return {
        "title": say.title(report),
        "title_language": say.spoken(report, say.title(report)),
        "about": f"{say.clean(report.document.source)} ({say.about(report)})",
        "population": about if population else "",
        "claims": say.claims_found(report),
        "fair": tr(say.FAIR),
        "changed": by_hand.lines(report),
        "products": products,
        "others": [
            {
                "place": say.pages(report, [m.page]),
                "kind": say.kind_of_use(m.type),
                "words": say.short(m.sentence.text, 240),
                "language": _of_mention(report, m),
                "item": m.id,
            }
            for m in others
        ],
        "others_counted": say.counted(others),
        "checks": [
            {"read": read, "words": say.short(words, 300), "place": place, "language": say.spoken(report, words)}
            for read, words, place in say.to_check(report)
        ],
        "unread": say.unread(report),
        "warnings": say.warnings(report),
        "earlier": [answers.shown(reply) for reply in matched.earlier],
        "meanings": [(tr(term), tr(meaning)) for term, meaning in say.tables()["meanings"].items()],
        "pictures_left_out": pictures.left_out,
        "provenance": [(tr("document (sha256)"), report.document.id), *sorted(report.provenance.items())],
    }


def _product(report: Report, product: Product, pictures: Pictures, reply: Reply | None) -> dict[str, Any]:
    finding = report.findings[product.id]
    words, source = say.claim_words(report, product)
    claim = None
    if words and source is not None:
        more = len(say.claims_of(report, product)) - 1
        place = say.pages(report, [source.page])
        again = tr("and {times} in the document").format(times=say.number(more, "more time")) if more > 0 else ""
        claim = Quote(
            words=say.short(words, 400),
            items=(source.id,),
            beside=", ".join(part for part in (place.capitalize(), again) if part),
            place=place,
            page=source.page,
            picture=pictures.of(source),
            language=_of_mention(report, source) if isinstance(source, Mention) else say.spoken(report, words),
        )
    quotes = [_quote(report, e, group, pictures) for e, group in say.chosen_evidence(report, product)]
    places = {e.id: e.page for e in report.evidence}

    def placed(text: str, evidence: Iterable[str]) -> str:
        where = say.pages(report, [places.get(e) for e in evidence])
        return f"{say.sentence(text)[:-1]} ({where})." if where else say.sentence(text)

    return {
        "id": product.id,
        "anchor": "product-" + "".join(c for c in product.id if c.isascii() and c.isalnum()),
        "name": say.name(product, 140)[:1].upper() + say.name(product, 140)[1:],
        "language": say.spoken(report, product.name),
        "claim_heading": (
            tr("The claim, in its own words")
            if say.claims_of(report, product)
            else tr("Described without the word “co-produced”")
        ),
        "claim": claim,
        "brief": say.shows(finding) if finding.grade in say.LEVELS else say.sentence(say.brief(finding)),
        "shows": say.shows(finding),
        "ceiling": say.ceiling(finding),
        "word": tr(say.clean(finding.supports)) if finding.grade in say.LEVELS else "",
        "asides": say.asides(finding),
        "reply": answers.shown(reply) if reply else None,
        "on_scale": finding.grade in say.LEVELS,
        "ladder": _ladder(finding.grade, finding.ceiling),
        "three": three_questions.answered(report, product),
        "easy": easy_read.lines(report, product, language()),
        "easy_other": easy_read.lines(report, product, "en" if language() == "cy" else "cy"),
        "next": [{"to": say.level_name(step.to), "needs": say.sentence(told(step.needs))} for step in finding.next],
        "quotes": quotes[:QUOTES],
        "more": quotes[QUOTES:],
        "more_counted": say.number(max(len(quotes) - QUOTES, 0), "more quote"),
        "silent": say.unstated(finding),
        "flags": [
            {
                "code": kind,
                "heading": tr(heading),
                "flags": [placed(tr(f.plain), f.evidence) for f in finding.flags if f.kind == kind],
            }
            for kind, heading in KINDS.items()
            if any(f.kind == kind for f in finding.flags)
        ],
        "questions": [{"ask": tr(say.clean(q.ask)), "record": told(say.clean(q.record))} for q in finding.questions],
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
        language=say.spoken(report, e.quote),
    )


def _of_mention(report: Report, mention: Mention) -> str:
    return "cy" if mention.family == "welsh" else say.spoken(report, mention.sentence.text)


def _ladder(grade: str, ceiling: str) -> list[dict[str, str]]:
    """The six steps, highest first, each with where it stands to the grade and the ceiling."""
    shown = int(grade) if grade in say.LEVELS else 0
    highest = int(ceiling) if ceiling in say.LEVELS else 0
    steps = []
    for level in reversed(say.ladder()):
        n = int(level.id)
        state, where = "below", ""
        if n == shown:
            state, where = "shown", tr("The document shows this")
        elif n == highest and n > shown:
            state, where = "ceiling", tr("Nothing in the document rules this out")
        elif shown and shown < n < highest:
            state, where = "open", tr("Not ruled out either")
        elif highest and n > max(highest, shown):
            state, where = "ruled", tr("Ruled out by what the document states")
        label, plain = tr(level.label), tr(level.plain)
        steps.append({"grade": level.id, "label": label, "plain": plain, "state": state, "where": where})
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
                        "language": say.spoken(report, e.quote),
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
