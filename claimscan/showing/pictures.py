"""Pictures of places in a document: strips of pages beside quotes, and whole pages, with the words marked."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from claimscan import reading
from claimscan.errors import ClaimscanError
from claimscan.records import Box, Document, Evidence, Mention

if TYPE_CHECKING:
    from claimscan.report import Report

PICTURES = 80
PICTURE_BYTES = 4_000_000
SCALE = 1.5
MARGIN = 40.0  # points of page above and below the marked words
SIDE = 24.0  # and beside them
NARROWEST = 330.0  # points of page across one picture, at least
TALLEST = 260.0  # and down it, at most


class Picture(NamedTuple):
    """A picture inside the page; width and height in CSS pixels."""

    uri: str
    width: int
    height: int


class Pictures:
    """Pictures of places in one document, at most 80 and 4 MB together; there are none but of PDF pages."""

    def __init__(self, report: Report, drawn: Mapping[tuple[Box, ...], Picture | None] | None = None) -> None:
        self._document = report.document
        self._boxes = report.boxes
        self.drawn: dict[tuple[Box, ...], Picture | None] = dict(drawn or {})  # by their places
        self._page = lru_cache(maxsize=8)(self._drawn)  # a page is 3 MB; quotes jump between pages
        self._bytes = 0
        self.left_out = False

    def of(self, record: Mention | Evidence) -> Picture | None:
        """The picture of the record's place, or None where there is none to show."""
        boxes = tuple(b for b in self._boxes.get(record.id, ()) if b.x1 > b.x0 and b.bottom > b.top)
        if self._document.format != "pdf" or not boxes:
            return None
        boxes = tuple(b for b in boxes if b.page == boxes[0].page)
        if boxes not in self.drawn:
            if len(self.drawn) >= PICTURES or self._bytes >= PICTURE_BYTES:
                self.left_out = True
                return None
            picture = self._draw(boxes)
            self.drawn[boxes] = picture
            self._bytes += len(picture.uri) if picture else 0
        return self.drawn[boxes]

    def _draw(self, boxes: tuple[Box, ...]) -> Picture | None:
        number = boxes[0].page
        try:
            return cropped(self._page(number), boxes, _page_width(self._document, number))
        except (ClaimscanError, OSError, ValueError):
            return None

    def _drawn(self, number: int) -> Any:
        return reading.page_image(self._document, number, SCALE)


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
    strip = _marked(
        strip,
        [
            (
                int(b.x0 * scale) - left - 2,
                int(b.top * scale) - top - 2,
                int(b.x1 * scale) - left + 2,
                int(b.bottom * scale) - top + 2,
            )
            for b in boxes
        ],
    )
    return Picture(_data_uri(strip), round(strip.width / SCALE), round(strip.height / SCALE))


def whole_page(document: Document, number: int, boxes: Sequence[Box] = ()) -> bytes:
    """One page of a PDF as PNG, with the boxes on it marked.

    Raises:
        ClaimscanError: when the page cannot be drawn.
    """
    image = reading.page_image(document, number, SCALE)
    width = _page_width(document, number)
    here = [b for b in boxes if b.page == number]
    if here and width > 0:
        scale = image.width / width
        places = [
            (int(b.x0 * scale) - 2, int(b.top * scale) - 2, int(b.x1 * scale) + 2, int(b.bottom * scale) + 2)
            for b in here
        ]
        image = _marked(image, places)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _marked(image: Any, places: Sequence[tuple[int, int, int, int]]) -> Any:
    """The picture with each place (in its pixels) washed yellow and outlined in blue."""
    from PIL import Image, ImageChops, ImageDraw

    wash = Image.new("RGB", image.size, "white")
    painter = ImageDraw.Draw(wash)
    for place in places:
        painter.rectangle(place, fill=(255, 238, 120))
    image = ImageChops.multiply(image, wash)
    painter = ImageDraw.Draw(image)
    for place in places:
        painter.rectangle(place, outline=(29, 78, 216), width=2)
    return image


def _data_uri(image: Any) -> str:
    """The smaller of a 32-colour PNG, best for text, and a JPEG, best for photographs."""
    from PIL import Image

    png, jpeg = io.BytesIO(), io.BytesIO()
    image.quantize(32, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(png, "PNG")
    image.save(jpeg, "JPEG", quality=72)
    kind, data = min((("png", png.getvalue()), ("jpeg", jpeg.getvalue())), key=lambda pair: len(pair[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
