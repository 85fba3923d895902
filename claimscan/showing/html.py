"""The finding as one web page in one file: each quote beside a picture of its place, no script, nothing loaded.

Text from the document goes through Jinja2's escaping, and a content security policy allows only the page's own style
sheet (by its hash) and pictures inside the page.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from claimscan import reading
from claimscan.errors import ClaimscanError
from claimscan.records import Box, Document, Evidence, Mention, Product, Reply
from claimscan.showing import answers, templates
from claimscan.showing import wording as say
from claimscan.showing.trace import trace

if TYPE_CHECKING:
    from claimscan.report import Report

QUOTES = 8
PICTURES = 80
PICTURE_BYTES = 4_000_000
SCALE = 1.5
MARGIN = 40.0  # points of page above and below the marked words
SIDE = 24.0  # and beside them
NARROWEST = 330.0  # points of page across one picture, at least
TALLEST = 260.0  # and down it, at most

KINDS = {
    "concern": "Concern: the document states this",
    "ask": "To ask: the document is silent",
    "credit": "Credit: the document states this good practice",
}


class Picture(NamedTuple):
    """A picture inside the page; width and height in CSS pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote as it is shown."""

    words: str
    says: str = ""
    beside: str = ""
    place: str = ""
    picture: Picture | None = None
    welsh: bool = False


def page(report: Report, replies: Iterable[Reply] = ()) -> str:
    """The whole page as text, to be written as UTF-8.

    Pictures are of PDF pages only, at most 80 and 4 MB together; when there is no room, or a page cannot be drawn, the
    quote stands alone. ``replies`` are what bodies answered; those about this document stand beside their finding, and
    those whose finding is gone at the end.
    """
    pictures = _Pictures(report)
    matched = answers.of_report(report, replies)
    style = templates.resource("report.css")
    products = [
        _product(report, product, pictures, matched.found.get((report.document.id, product.id)))
        for product in say.in_order(report)
    ]
    others = say.other_mentions(report)
    population = report.population
    where = say.pages(report, [population.page])
    context = {
        "style": templates.own(style),
        "style_hash": templates.policy_hash(style),
        "title": say.title(report),
        "about": f"{say.clean(report.document.source)} ({say.about(report)})",
        "population": (
            f"It is about {say.clean(population.label)}{f' ({where})' if where else ''}" if population.label else ""
        ),
        "claims": say.claims_found(report),
        "fair": say.FAIR,
        "products": products,
        "others": [
            {
                "place": say.pages(report, [m.page]),
                "kind": say.tables()["mentions"].get(m.type, (m.type, m.type))[0],
                "words": say.short(m.sentence.text, 240),
                "welsh": m.family == "welsh",
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
        "pictures_left_out": pictures.left_out,
        "provenance": [("document (sha256)", report.document.id), *sorted(report.provenance.items())],
    }
    return templates.template("report.html.j2").render(context)


def _product(report: Report, product: Product, pictures: _Pictures, reply: Reply | None) -> dict[str, Any]:
    finding = report.findings[product.id]
    words, source = say.claim_words(report, product)
    claim = None
    if words and source is not None:
        more = len(say.claims_of(report, product)) - 1
        place = say.pages(report, [source.page])
        again = f"and {say.number(more, 'more time')} in the document" if more > 0 else ""
        claim = Quote(
            words=say.short(words, 400),
            beside=", ".join(part for part in (place.capitalize(), again) if part),
            place=place,
            picture=pictures.of(source),
            welsh=isinstance(source, Mention) and source.family == "welsh",
        )
    quotes = [_quote(report, e, group, pictures) for e, group in say.chosen_evidence(report, product)]
    places = {e.id: e.page for e in report.evidence}

    def placed(text: str, evidence: Iterable[str]) -> str:
        where = say.pages(report, [places.get(e) for e in evidence])
        return f"{say.sentence(text)[:-1]} ({where})." if where else say.sentence(text)

    return {
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


def _quote(report: Report, e: Evidence, group: Sequence[Evidence], pictures: _Pictures) -> Quote:
    place = say.pages(report, [e.page])
    return Quote(
        words=say.short(e.quote, 500),
        says=say.says(group),
        beside=place.capitalize(),
        place=place,
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
        "next": [{"to": say.level_name(n.to), "needs": say.sentence(n.needs)} for n in t.next],
        "flags": [{"code": f.code, "plain": say.sentence(f.plain)} for f in t.flags],
        "crosswalk": [(name, say.clean(text)) for name, text in t.crosswalk],
    }


# --- pictures -------------------------------------------------------------------------------------------------------


class _Pictures:
    """Pictures of places in one document, with their number and size bounded."""

    def __init__(self, report: Report) -> None:
        self._document = report.document
        self._boxes = report.boxes
        self._made: dict[tuple[Box, ...], Picture | None] = {}
        self._page = lru_cache(maxsize=8)(self._drawn)  # a page is 3 MB; quotes jump between pages
        self._bytes = 0
        self.left_out = False

    def of(self, record: Mention | Evidence) -> Picture | None:
        """The picture of the record's place, or None where there is none to show."""
        boxes = tuple(b for b in self._boxes.get(record.id, ()) if b.x1 > b.x0 and b.bottom > b.top)
        if self._document.format != "pdf" or not boxes:
            return None
        boxes = tuple(b for b in boxes if b.page == boxes[0].page)
        if boxes not in self._made:
            if len(self._made) >= PICTURES or self._bytes >= PICTURE_BYTES:
                self.left_out = True
                return None
            picture = self._draw(boxes)
            self._made[boxes] = picture
            self._bytes += len(picture.uri) if picture else 0
        return self._made[boxes]

    def _draw(self, boxes: tuple[Box, ...]) -> Picture | None:
        number = boxes[0].page
        try:
            return cropped(self._page(number), boxes, _page_width(self._document, number))
        except (ClaimscanError, OSError, ValueError):
            return None

    def _drawn(self, number: int) -> Any:
        from PIL import Image

        with Image.open(io.BytesIO(reading.page_image(self._document, number, SCALE))) as image:
            return image.convert("RGB")


def _page_width(document: Document, number: int) -> float:
    return next((p.width for p in document.pages if p.number == number), 0.0)


def cropped(image: Any, boxes: Sequence[Box], width: float) -> Picture:
    """A strip of a page around the boxes, with the boxes washed yellow and outlined in blue.

    Args:
        image: the whole page, as Pillow has it.
        boxes: places on it, in points; those too far below the first to fit in one strip are left out.
        width: of the page, in points; the picture's scale follows from it.

    Raises:
        ValueError: when the page has no width.
    """
    from PIL import Image, ImageChops, ImageDraw

    if width <= 0:
        raise ValueError("the page has no width")
    scale = image.width / width
    first = min(b.top for b in boxes)
    boxes = [b for b in boxes if b.bottom - first <= TALLEST - MARGIN] or list(boxes)[:1]
    top = max(0, int((first - MARGIN) * scale))
    bottom = min(
        image.height, int((max(b.bottom for b in boxes) + MARGIN) * scale), top + int((TALLEST + MARGIN) * scale)
    )
    # Not the whole width of a wide page: its print would be too small to read beside the quote or on a telephone.
    x0, x1 = min(b.x0 for b in boxes), max(b.x1 for b in boxes)
    left = max(0, int(min(x0 - SIDE, (x0 + x1 - NARROWEST) / 2) * scale))
    right = min(image.width, max(int((x1 + SIDE) * scale), left + int(NARROWEST * scale)))
    strip = image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    wash = Image.new("RGB", strip.size, "white")
    places = [
        (
            int(b.x0 * scale) - left - 2,
            int(b.top * scale) - top - 2,
            int(b.x1 * scale) - left + 2,
            int(b.bottom * scale) - top + 2,
        )
        for b in boxes
    ]
    painter = ImageDraw.Draw(wash)
    for place in places:
        painter.rectangle(place, fill=(255, 238, 120))
    strip = ImageChops.multiply(strip, wash)
    painter = ImageDraw.Draw(strip)
    for place in places:
        painter.rectangle(place, outline=(29, 78, 216), width=2)
    return Picture(_data_uri(strip), round(strip.width / SCALE), round(strip.height / SCALE))


def _data_uri(image: Any) -> str:
    """The smaller of a 32-colour PNG, best for text, and a JPEG, best for photographs."""
    from PIL import Image

    png, jpeg = io.BytesIO(), io.BytesIO()
    image.quantize(32, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(png, "PNG")
    image.save(jpeg, "JPEG", quality=72)
    kind, data = min((("png", png.getvalue()), ("jpeg", jpeg.getvalue())), key=lambda pair: len(pair[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
