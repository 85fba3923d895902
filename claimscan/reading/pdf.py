"""PDF bytes to a Document, boxes for its spans, and pictures of its pages, with pypdfium2's raw bindings.

The bindings are used without the helper classes: importing those costs more than reading several pages, and ``check``
must cost little more than bare text extraction.
"""

from __future__ import annotations

import ctypes
import math
import re
import struct
import time
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pypdfium2_raw as pdfium

from claimscan.errors import DamagedDocument, EncryptedDocument, NoTextFound
from claimscan.reading.layout import (
    Group,
    Line,
    Run,
    Writer,
    gather,
    in_order,
    jumps_about,
    mark_furniture,
    measure,
    places,
    rank_headings,
    stands_in_columns,
)
from claimscan.reading.tables import Rule, cells_of, set_in, uprights
from claimscan.records import Box, Document, Page, Settings, Warning_

_PICTURE = "no text layer: the page is a picture"
_NO_MAPPING = "the page's font does not say which letters its shapes are"


class Anchors(NamedTuple):
    """What :func:`locate` needs: the file's bytes, and runs in text order."""

    data: bytes
    runs: tuple[Run, ...]


class _Read(NamedTuple):
    lines: list[Line]
    width: float
    height: float
    unread: str = ""
    cut: bool = False
    ocr: bool = False


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Any]:
    pdfium.FPDF_InitLibrary()
    document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        code = pdfium.FPDF_GetLastError()
        if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise EncryptedDocument(f"{name} is protected with a password, so it cannot be opened.")
        raise DamagedDocument(f"{name} is damaged: it starts like a PDF but cannot be opened as one.")
    try:
        yield document
    finally:
        pdfium.FPDF_CloseDocument(document)


def read(
    data: bytes, name: str, settings: Settings, identity: str, matters: Callable[[str], bool] | None = None
) -> Document:
    """Read a PDF. ``matters`` is explained at :func:`claimscan.reading.read`.

    The time allowed is looked at between pages: pdfium's work on one page cannot be interrupted.

    Raises:
        EncryptedDocument: it needs a password to open.
        DamagedDocument: it cannot be opened, or has no pages.
        NoTextFound: not one page has text that can be read.
    """
    deadline = time.monotonic() + settings.max_seconds
    warnings: list[Warning_] = []
    if b"%%EOF" not in data[-2048:]:
        warnings.append(Warning_("truncated", "The file seems to be cut short; what could be read was read."))
    with _opened(data, name) as document:
        count = pdfium.FPDF_GetPageCount(document)
        if count < 1:
            raise DamagedDocument(f"{name} is damaged: it has no pages that can be read.")
        title = _meta_title(document)
        plain = matters is not None
        reads: list[_Read] = []
        late = f"the time allowed ({settings.max_seconds:g} s) ran out"
        for index in range(count):
            if index >= settings.max_pages:
                reads.append(_Read([], 0.0, 0.0, f"beyond the limit of {settings.max_pages:,} pages"))
            elif time.monotonic() > deadline:
                reads.append(_Read([], 0.0, 0.0, late))
            else:
                reads.append(_read_page(document, index, settings, plain))
                if matters is not None and plain and matters(_flat(reads[-1].lines)):
                    plain = False
                    reads = [
                        _read_page(document, again, settings) if time.monotonic() < deadline else _Read([], 0.0, 0.0, late)
                        for again in range(index + 1)
                    ]
        if plain and not title:
            title = _composed([_read_page(document, at, settings) for at in range(min(2, count))], b"", "", "", (), "").title
        if settings.ocr and any(page.unread in (_PICTURE, _NO_MAPPING) for page in reads):
            reads = _by_ocr(document, reads, settings, deadline, warnings)
    if any(page.unread == late for page in reads):
        warnings.append(Warning_("time", f"Reading was stopped after {settings.max_seconds:g} s; some pages were not read."))
    for index, page in enumerate(reads):
        if page.cut:
            message = f"The page has more than {settings.max_page_chars:,} characters; the rest was left out."
            warnings.append(Warning_("page_cut", message, index + 1))
    if count > settings.max_pages:
        warnings.append(Warning_("too_many_pages", f"Only the first {settings.max_pages:,} of {count:,} pages were read."))
    if not any(page.lines for page in reads):
        reason = next((page.unread for page in reads if page.unread), "its pages are blank")
        raise NoTextFound(f"No text could be read from {name}: {reason}.")
    if plain:
        return _unlaid(reads, data, name, title, tuple(warnings), identity)
    return _composed(reads, data, name, title, tuple(warnings), identity)


_LINE_END_HYPHEN = re.compile("(?<![Cc]o)[\x02\ufffe]\\s*")


def _flat(lines: Sequence[Line]) -> str:
    """A page's words with single spaces, for a quick look: hyphens at line ends are dropped except after "co"."""
    text = " ".join(line.text for line in lines)
    if "\x02" in text or "\ufffe" in text:
        text = _LINE_END_HYPHEN.sub("", text).replace("\x02", "-").replace("\ufffe", "-")
    return " ".join(text.replace("- ", "-").split())


def _unlaid(
    reads: Sequence[_Read], data: bytes, name: str, title: str, warnings: tuple[Warning_, ...], identity: str
) -> Document:
    """A document of which nothing matters: its words in the file's own order, in strips, nothing measured."""
    writer = Writer()
    writer.knows([page.lines for page in reads])
    made = []
    for index, page in enumerate(reads):
        start, end = writer.page([Group("paragraph", [[line]]) for line in page.lines], index + 1)
        made.append(Page(index + 1, start, end, page.width, page.height, page.unread, page.ocr))
    anchors = Anchors(data, tuple(writer.runs))
    return Document(identity, name, "pdf", writer.text(), tuple(made), tuple(writer.blocks), title, warnings, anchors)


def _by_ocr(
    document: Any, reads: Sequence[_Read], settings: Settings, deadline: float, warnings: list[Warning_]
) -> list[_Read]:
    from claimscan.reading import ocr

    if not ocr.available():
        warnings.append(Warning_("ocr", "Pages that are pictures were not read: tesseract or pytesseract is not installed."))
        return list(reads)
    made = []
    for index, page in enumerate(reads):
        if page.unread in (_PICTURE, _NO_MAPPING) and time.monotonic() < deadline:
            picture, scale = _picture(document, index, ocr.DOTS / 72)
            lines = ocr.lines(picture, scale, settings.ocr_language, max(1.0, deadline - time.monotonic()))
            if lines:
                page = page._replace(lines=lines, unread="", ocr=True)
        made.append(page)
    return made


def _composed(
    reads: Sequence[_Read], data: bytes, name: str, title: str, warnings: tuple[Warning_, ...], identity: str
) -> Document:
    pages = [page.lines for page in reads]
    mark_furniture(pages, [page.height for page in reads])
    body = measure(pages)
    writer = Writer()
    writer.knows(pages)
    grouped: list[list[Group]] = []
    for page in reads:
        head = [line for line in page.lines if line.kind == "edge" and line.top < page.height / 2]
        foot = [line for line in page.lines if line.kind == "edge" and line.top >= page.height / 2]
        turned = [line for line in page.lines if line.turned and line.kind != "edge"]
        middle = [line for line in page.lines if not line.turned and line.kind != "edge"]
        grouped.append(gather([*head, *in_order(middle, body.size), *turned, *foot], body))
    rank_headings(group for groups in grouped for group in groups)
    made = []
    for index, (page, groups) in enumerate(zip(reads, grouped, strict=True)):
        start, end = writer.page(groups, index + 1)
        made.append(Page(index + 1, start, end, page.width, page.height, page.unread, page.ocr))
    text = writer.text()
    blocks = tuple(writer.blocks)
    if not title:
        title = _largest(text, blocks, grouped)
    return Document(
        identity, name, "pdf", text, tuple(made), blocks, title, warnings, Anchors(data, tuple(writer.runs))
    )


def _largest(text: str, blocks: Sequence[Any], grouped: Sequence[Sequence[Group]]) -> str:
    best = None
    for block in blocks:
        if block.page > 2:
            break
        if block.kind == "heading" and (best is None or block.level < best.level):
            best = block
    return text[best.start : best.end] if best is not None else ""


_FILE_NAME = re.compile(r"(?i)^(?:microsoft word|powerpoint|untitled|document\d*$)|\.(?:docx?|pdf|indd|pptx?|xlsx?|rtf|pub)$")


def _meta_title(document: Any) -> str:
    need = pdfium.FPDF_GetMetaText(document, b"Title", None, 0)
    if need <= 2 or need > 2000:
        return ""
    buffer = ctypes.create_string_buffer(need)
    pdfium.FPDF_GetMetaText(document, b"Title", buffer, need)
    title = " ".join(buffer.raw[: need - 2].decode("utf-16-le", "replace").replace("\x00", "").split())
    if len(title) < 4 or _FILE_NAME.search(title) or " " not in title and ("_" in title or "-" in title):
        return ""
    return title


# --- one page -------------------------------------------------------------------------------------------------------

# A strip is a line and those after it that plainly carry it on: a long line that ends in a small letter, a comma or a small
# word, before one that starts with a small letter. Only a strip's first and last line are measured, which is what makes
# reading cheap; where a page turns out not to be so simple, it is read again line by line.
_SMALL = "a|an|and|are|as|at|be|by|for|from|has|in|is|its|of|on|or|our|that|the|their|this|to|was|we|which|will|with"
_STRIP = re.compile(
    rf"(?:[^\r\n]{{34,}}(?:[a-z,\u2019)] ?\r\n(?=[a-z])| (?:{_SMALL}) ?\r\n(?=[A-Za-z‘“\d]))|[^\r\n\x02\ufffe]{{34,}}[\x02\ufffe](?=[a-z]))*"
    r"[^\r\n\x02\ufffe]+[\x02\ufffe]?"
)
_LINE = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_BREAK = re.compile("\r\n|[\x02\ufffe]")
_BOLD = re.compile(rb"(?i)bold|black|heavy|semib|demi")
_SPACE = re.compile(r"\s+")
_UNMAPPED = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]")


def _read_page(document: Any, index: int, settings: Settings, plain: bool = False) -> _Read:
    page = pdfium.FPDF_LoadPage(document, index)
    if not page:
        return _Read([], 0.0, 0.0, "the page is damaged")
    try:
        width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
        textpage = pdfium.FPDFText_LoadPage(page)
        if not textpage:
            return _Read([], width, height, "the page is damaged")
        try:
            count = pdfium.FPDFText_CountChars(textpage)
            cut = count > settings.max_page_chars
            text = _page_text(textpage, min(count, settings.max_page_chars))
            visible = len(text) - text.count(" ") - text.count("\r") - text.count("\n")
            if visible <= 0:
                return _Read([], width, height, _why_empty(page))
            if _UNMAPPED.search(text) and len(_UNMAPPED.findall(text)) > 0.5 * visible:
                return _Read([], width, height, _NO_MAPPING)
            if plain:
                lines = [Line(found.start(), found[0], 0, 0, 0, 0, 0) for found in _STRIP.finditer(text)]
                return _Read([line for line in lines if not line.text.isspace()], width, height, "", cut)
            return _Read(_lines(page, textpage, text, count, width, height), width, height, "", cut)
        finally:
            pdfium.FPDFText_ClosePage(textpage)
    finally:
        pdfium.FPDF_ClosePage(page)


def _page_text(textpage: Any, count: int) -> str:
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = pdfium.FPDFText_GetText(textpage, 0, count, buffer)
    return bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")


def _why_empty(page: Any) -> str:
    drawn = 0
    total = pdfium.FPDFPage_CountObjects(page)
    for index in range(min(total, 500)):
        kind = pdfium.FPDFPageObj_GetType(pdfium.FPDFPage_GetObject(page, index))
        if kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM):
            return _PICTURE
        drawn += 1
    return _PICTURE if drawn > 30 else ""


def _turn(page: Any, width: float, height: float) -> tuple[float, float, float, float, float, float]:
    """The map from the page's own coordinates to points from the top left of the page as shown: x' = ax + cy + e."""
    scale = 64
    x, y = ctypes.c_int(), ctypes.c_int()
    wide, high = max(1, int(width * scale)), max(1, int(height * scale))

    def at(px: float, py: float) -> tuple[float, float]:
        pdfium.FPDF_PageToDevice(page, 0, 0, wide, high, 0, px, py, x, y)
        return x.value / scale, y.value / scale

    (e, f), (ax, bx), (cy, dy) = at(0, 0), at(1000, 0), at(0, 1000)
    return (ax - e) / 1000, (bx - f) / 1000, (cy - e) / 1000, (dy - f) / 1000, e, f


class _NotSimple(Exception):
    """A page cannot be measured strip by strip."""


def _lines(page: Any, textpage: Any, text: str, count: int, width: float, height: float) -> list[Line]:
    """The page's lines in the file's order, in strips where that is safe."""
    ruler = _Ruler(page, textpage, text, count, width, height)
    lines: list[Line] = []
    if ruler.plain:
        try:
            lines = ruler.measured(_STRIP)
        except _NotSimple:
            pass
        level = [line for line in lines if not line.turned and 0.1 * height < line.top and line.bottom < 0.9 * height]
        if level and not jumps_about(level) and not stands_in_columns(level):
            return lines
    lines = ruler.measured(_LINE)
    rules = _rules(page, ruler, width, height) if stands_in_columns([line for line in lines if not line.turned]) else []
    if len(rules) > 3:
        rules += uprights(rules, [line for line in lines if not line.turned])
        lines = set_in(lines, cells_of(rules), ruler.cut)
    return lines


_MOST_OBJECTS = 6000


def _rules(page: Any, ruler: _Ruler, width: float, height: float) -> list[Rule]:
    """The straight level and upright rules drawn on a page, the sides of its rectangles among them."""
    found: list[Rule] = []
    left, low, right, high = (ctypes.c_float() for _ in range(4))
    for number in range(min(_MOST_OBJECTS, pdfium.FPDFPage_CountObjects(page))):
        drawn = pdfium.FPDFPage_GetObject(page, number)
        if pdfium.FPDFPageObj_GetType(drawn) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        if not pdfium.FPDFPageObj_GetBounds(drawn, left, low, right, high):
            continue
        x0, top, x1, bottom = ruler.shown(left.value, low.value, right.value, high.value)
        wide, tall = x1 - x0, bottom - top
        if tall < 3 and wide >= 3:
            found.append(Rule(x0, (top + bottom) / 2, x1, (top + bottom) / 2))
        elif wide < 3 and tall >= 3:
            found.append(Rule((x0 + x1) / 2, top, (x0 + x1) / 2, bottom))
        elif wide >= 3 and tall >= 3 and wide * tall < 0.8 * width * height:
            segments = pdfium.FPDFPath_CountSegments(drawn)
            if segments <= 6:
                found.append(Rule(x0, top, x1, top))
                found.append(Rule(x0, bottom, x1, bottom))
                found.append(Rule(x0, top, x0, bottom))
                found.append(Rule(x1, top, x1, bottom))
            elif segments <= 2000:
                found.extend(_strokes(drawn, segments, ruler))
    return found


def _strokes(drawn: Any, segments: int, ruler: _Ruler) -> Iterator[Rule]:
    """The level and upright strokes of one path with many."""
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(drawn, matrix)
    px, py = ctypes.c_float(), ctypes.c_float()
    before: tuple[float, float] | None = None
    for number in range(segments):
        segment = pdfium.FPDFPath_GetPathSegment(drawn, number)
        pdfium.FPDFPathSegment_GetPoint(segment, px, py)
        across = matrix.a * px.value + matrix.c * py.value + matrix.e
        up = matrix.b * px.value + matrix.d * py.value + matrix.f
        x, y, _, _ = ruler.shown(across, up, across, up)
        if pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_LINETO and before is not None:
            if abs(y - before[1]) < 1 <= abs(x - before[0]):
                yield Rule(min(x, before[0]), y, max(x, before[0]), y)
            elif abs(x - before[0]) < 1 <= abs(y - before[1]):
                yield Rule(x, min(y, before[1]), x, max(y, before[1]))
        before = (x, y)


_left, _top, _right, _bottom = (ctypes.c_double() for _ in range(4))
_name = ctypes.create_string_buffer(128)
_flags = ctypes.c_int()


class _Ruler:
    """Measures the lines of one page."""

    def __init__(self, page: Any, textpage: Any, text: str, count: int, width: float, height: float) -> None:
        self.textpage = textpage
        self.text = text
        self.width, self.height = width, height
        self.turn = _turn(page, width, height)
        a, b, c, d, self.across, self.down = self.turn
        self.plain = abs(a - 1) < 0.01 and abs(d + 1) < 0.01
        self.same = len(text) == count  # a character has one index in the text and on the page; else pdfium is asked
        self.loose = pdfium.FS_RECTF()
        self.matrix = pdfium.FS_MATRIX()

    def index(self, at: int) -> int:
        return at if self.same else int(pdfium.FPDFText_GetCharIndexFromTextIndex(self.textpage, at))

    def measured(self, pattern: re.Pattern[str]) -> list[Line]:
        """Lines, or strips of lines, as ``pattern`` finds them in the page's text."""
        lines: list[Line] = []
        bold: bool | None = None
        size = 0.0
        for found in pattern.finditer(self.text):
            piece = found[0]
            body = piece.strip("\x02\ufffe \t\xa0\r\n")
            if not body:
                continue
            lead = found.start() + piece.index(body[0])
            end = len(body)
            ending = None
            if pattern is _STRIP:
                breaks = [(stop.start(), stop.end()) for stop in _BREAK.finditer(body)]
                if breaks:
                    ending = self.line(lead + breaks[-1][1], body[breaks[-1][1] :], size, True)
                    end = breaks[0][0]
            line = self.line(lead, body[:end], size, ending is not None)
            if line.x1 <= 0 or line.bottom <= 0 or line.x0 >= self.width or line.top >= self.height:
                continue  # printers' marks off the page: no reader sees them
            size = line.size
            if ending is not None:
                drop = (ending.bottom - line.bottom) / len(breaks)
                if not 0.85 * size < drop < 2.7 * size or not line.x0 - 90 < ending.x0 < line.x1:
                    raise _NotSimple
                if ending.gaps or line.gaps:
                    raise _NotSimple
                line.left, line.head, line.x1, line.bottom = ending.x0, ending.top, ending.x1, ending.bottom
                bold = None
            elif bold or (end < 100 and not body[0].islower()):
                line.bold = self.is_bold(self.index(lead))
                line.bold_end = bold = self.is_bold(self.index(lead + end - 1))
            else:
                bold = None
            line.start = found.start()
            line.text = piece
            if line.gaps:
                shift = lead - found.start()
                line.gaps = tuple((offset + shift, left, right) for offset, left, right in line.gaps)
            lines.append(line)
        return lines

    def line(self, at: int, body: str, usual: float, inside: bool) -> Line:
        """One printed line. Its width is that of its pieces of text, its height that of a letter in its middle."""
        textpage, loose, matrix = self.textpage, self.loose, self.matrix
        first, last = self.index(at), self.index(at + len(body.rstrip()) - 1)
        middle = (first + last) // 2
        pdfium.FPDFText_GetLooseCharBox(textpage, middle, loose)
        size = pdfium.FPDFText_GetFontSize(textpage, middle)
        pdfium.FPDFText_GetMatrix(textpage, middle, matrix)
        size *= math.hypot(matrix.c, matrix.d) or 1.0
        if size < 0.8 * usual:  # is the middle a superscript?
            pdfium.FPDFText_GetMatrix(textpage, last, matrix)
            other = pdfium.FPDFText_GetFontSize(textpage, last) * (math.hypot(matrix.c, matrix.d) or 1.0)
            if other > size:
                size = other
                pdfium.FPDFText_GetLooseCharBox(textpage, last, loose)
        a, b, c, d, e, f = self.turn
        turned = abs(b * matrix.a + d * matrix.b) > abs(a * matrix.a + c * matrix.b)
        x0, top, x1, bottom = self.shown(loose.left, loose.bottom, loose.right, loose.top)
        least = max(9.0, 1.3 * size)
        before, wide = None, False
        for number in range(min(80, pdfium.FPDFText_CountRects(textpage, first, last - first + 1))):
            pdfium.FPDFText_GetRect(textpage, number, _left, _top, _right, _bottom)
            if self.plain and not turned:
                left, right = _left.value + self.across, _right.value + self.across
            else:
                left, up, right, down = self.shown(_left.value, _bottom.value, _right.value, _top.value)
                if turned:
                    top, bottom = min(top, up), max(bottom, down)
            if before is not None and left - before > least:
                wide = True
            before = right
            if left < x0:
                x0 = left
            if right > x1:
                x1 = right
        line = Line(at, body, x0, top, x1, bottom, size)
        line.turned = turned
        if turned and inside:
            raise _NotSimple
        if wide and self.same and not turned:
            line.gaps = self.gaps(first, body, least)
        return line

    def shown(self, left: float, low: float, right: float, high: float) -> tuple[float, float, float, float]:
        """A box of the page's own coordinates as it is shown: left, top, right, bottom."""
        if self.plain:
            return left + self.across, self.down - high, right + self.across, self.down - low
        a, b, c, d, e, f = self.turn
        xs = (a * left + c * low + e, a * right + c * high + e)
        ys = (b * left + d * low + f, b * right + d * high + f)
        return min(xs), min(ys), max(xs), max(ys)

    def sides(self, index: int) -> tuple[float, float]:
        """Left and right of a character, as shown."""
        loose = self.loose
        pdfium.FPDFText_GetLooseCharBox(self.textpage, index, loose)
        left, _, right, _ = self.shown(loose.left, loose.bottom, loose.right, loose.top)
        return left, right

    def gaps(self, first: int, body: str, least: float) -> tuple[tuple[int, float, float], ...]:
        """White gaps wider than about a letter's height inside a line: between columns or cells."""
        found = []
        for space in _SPACE.finditer(body.rstrip()):
            left, right = self.sides(first + space.start() - 1)[1], self.sides(first + space.end())[0]
            if right - left >= least:
                found.append((space.end(), left, right))
        return tuple(found)

    def cut(self, line: Line, xs: Sequence[float]) -> list[Line]:
        """A line parted at its wide gaps, and at the white space in which one of the uprights ``xs`` stands."""
        cuts = dict.fromkeys(offset for offset, _, _ in line.gaps)
        gaps = list(line.gaps)
        if xs and self.same:
            for space in _SPACE.finditer(line.text.rstrip()):
                if space.start() == 0 or space.end() in cuts:
                    continue
                left, right = self.sides(line.start + space.start() - 1)[1], self.sides(line.start + space.end())[0]
                if any(left - 1.5 <= x <= right + 1.5 for x in xs):
                    gaps.append((space.end(), left, right))
        if not gaps:
            return [line]
        line.gaps = tuple(sorted(gaps))
        return line.parts()

    def is_bold(self, index: int) -> bool:
        written = pdfium.FPDFText_GetFontInfo(self.textpage, index, _name, 128, _flags)
        if 0 < written <= 128 and _BOLD.search(_name.value):
            return True
        return bool(_flags.value & 0x40000) or pdfium.FPDFText_GetFontWeight(self.textpage, index) >= 700


# --- places and pictures --------------------------------------------------------------------------------------------


def locate(document: Document, spans: Sequence[tuple[int, int]]) -> list[tuple[Box, ...]]:
    """Boxes of each span, one per printed line; only the pages asked about are opened."""
    anchors: Anchors = document.anchors
    starts = [run.start for run in anchors.runs]
    wanted: dict[int, list[tuple[int, Run, int, int]]] = {}  # page -> span, run, and the part of the run
    for number, (start, end) in enumerate(spans):
        at = max(0, bisect_right(starts, start) - 1)
        while at < len(anchors.runs) and anchors.runs[at].start < end:
            run = anchors.runs[at]
            left, right = max(start, run.start), min(end, run.end)
            if left < right:
                wanted.setdefault(run.page, []).append((number, run, left, right))
            at += 1
    boxes: list[list[Box]] = [[] for _ in spans]
    if not wanted:
        return [tuple(found) for found in boxes]
    with _opened(anchors.data, document.source) as file:
        for number in sorted(wanted):
            page = pdfium.FPDF_LoadPage(file, number - 1)
            if not page:
                continue
            textpage = pdfium.FPDFText_LoadPage(page)
            try:
                shown = document.pages[number - 1]
                turn = _turn(page, shown.width, shown.height)
                whole = _page_text(textpage, pdfium.FPDFText_CountChars(textpage))
                for span, run, start, end in wanted[number]:
                    first, last = _source(document.text, whole, run, start, end)
                    first, last = (pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, at) for at in (first, last))
                    for box in _boxes(textpage, number, first, last - first + 1, turn, shown):
                        if boxes[span] and _touches(boxes[span][-1], box):
                            boxes[span][-1] = _union(boxes[span][-1], box)
                        else:
                            boxes[span].append(box)
            finally:
                pdfium.FPDFText_ClosePage(textpage)
                pdfium.FPDF_ClosePage(page)
    return [tuple(found) for found in boxes]


def _source(text: str, whole: str, run: Run, start: int, end: int) -> tuple[int, int]:
    """Indices in the page's text of the first and last characters that ``text[start:end]``, part of a run, came from."""
    written, source = text[run.start : run.end], whole[run.source : run.source + run.length]
    if written == source:
        return run.source + start - run.start, run.source + end - run.start - 1
    found = places(written, source)
    return run.source + found[start - run.start], run.source + found[end - run.start - 1]


def _boxes(
    textpage: Any, number: int, first: int, count: int, turn: tuple[float, ...], shown: Page
) -> Iterator[Box]:
    a, b, c, d, e, f = turn
    for index in range(pdfium.FPDFText_CountRects(textpage, first, count)):
        if not pdfium.FPDFText_GetRect(textpage, index, _left, _top, _right, _bottom):
            continue
        xs = [a * x + c * y + e for x, y in ((_left.value, _bottom.value), (_right.value, _top.value))]
        ys = [b * x + d * y + f for x, y in ((_left.value, _bottom.value), (_right.value, _top.value))]
        x0, x1 = max(0.0, min(xs)), min(shown.width, max(xs))
        top, bottom = max(0.0, min(ys)), min(shown.height, max(ys))
        if x1 > x0 and bottom > top:
            yield Box(number, round(x0, 2), round(top, 2), round(x1, 2), round(bottom, 2))


def _touches(one: Box, other: Box) -> bool:
    """Whether two boxes lie on one printed line."""
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min(one.bottom - one.top, other.bottom - other.top)
    return one.page == other.page and overlap > 0.4 * smaller and other.x0 - one.x1 < 3 * (one.bottom - one.top) + 6


def _union(one: Box, other: Box) -> Box:
    return Box(
        one.page,
        min(one.x0, other.x0),
        min(one.top, other.top),
        max(one.x1, other.x1),
        max(one.bottom, other.bottom),
    )


_MAX_PIXELS = 16_000_000
_MAX_SIDE = 12_000


def page_image(document: Document, page: int, scale: float) -> bytes:
    """One page as PNG bytes; ``scale`` is pixels per point, lowered where the picture would pass 16 megapixels."""
    with _opened(document.anchors.data, document.source) as file:
        return _picture(file, page - 1, scale)[0]


def _picture(document: Any, index: int, scale: float) -> tuple[bytes, float]:
    """A page as PNG bytes, and the scale used."""
    page = pdfium.FPDF_LoadPage(document, index)
    if not page:
        raise DamagedDocument(f"Page {index + 1} is damaged and cannot be drawn.")
    try:
        width, height = max(1.0, pdfium.FPDF_GetPageWidthF(page)), max(1.0, pdfium.FPDF_GetPageHeightF(page))
        scale = min(scale, math.sqrt(_MAX_PIXELS / (width * height)), _MAX_SIDE / max(width, height))
        wide, high = max(1, int(width * scale)), max(1, int(height * scale))
        bitmap = pdfium.FPDFBitmap_CreateEx(wide, high, pdfium.FPDFBitmap_BGR, None, 0)
        if not bitmap:
            raise DamagedDocument(f"Page {index + 1} cannot be drawn.")
        try:
            pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, wide, high, 0xFFFFFFFF)
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, wide, high, 0, flags)
            stride = pdfium.FPDFBitmap_GetStride(bitmap)
            pixels = ctypes.string_at(pdfium.FPDFBitmap_GetBuffer(bitmap), stride * high)
        finally:
            pdfium.FPDFBitmap_Destroy(bitmap)
    finally:
        pdfium.FPDF_ClosePage(page)
    return _png(pixels, wide, high, stride), scale


def _png(pixels: bytes, wide: int, high: int, stride: int) -> bytes:
    """A PNG of packed RGB rows (PNG specification: signature, IHDR, IDAT, IEND; filter 0 on each row)."""
    rows = b"".join(b"\x00" + pixels[at : at + 3 * wide] for at in range(0, stride * high, stride))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")
