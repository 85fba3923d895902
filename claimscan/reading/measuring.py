"""The lines of a PDF page with their boxes, and the rules drawn on it."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2_raw as pdfium

from claimscan.reading.layout import Line, jumps_about, stands_in_columns
from claimscan.reading.opening import turn
from claimscan.reading.tables import Rule, cells_of, set_in, uprights

# A strip is a line and those after it that plainly carry it on: a long line that ends in a small letter, a comma or a
# small word, before one that starts with a small letter. Only a strip's first and last line are measured, which is what
# makes reading cheap; where a page turns out not to be so simple, it is read again line by line.
_SMALL = "a|an|and|are|as|at|be|by|for|from|has|in|is|its|of|on|or|our|that|the|their|this|to|was|we|which|will|with"
_STRIP = re.compile(
    r"(?:[^\r\n]{34,}(?:[a-z,\u2019)] ?\r\n(?=[a-z])"
    rf"| (?:{_SMALL}) ?\r\n(?=[A-Za-z‘“\d]))"
    r"|[^\r\n\x02\ufffe]{34,}[\x02\ufffe](?=[a-z]))*"
    r"[^\r\n\x02\ufffe]+[\x02\ufffe]?"
)
_LINE = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_BREAK = re.compile("\r\n|[\x02\ufffe]")
_BOLD = re.compile(rb"(?i)bold|black|heavy|semib|demi")
_SPACE = re.compile(r"\s+")


class _NotSimple(Exception):
    """A page cannot be measured strip by strip."""


def lines_of(page: Any, textpage: Any, text: str, count: int, width: float, height: float) -> list[Line]:
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
    if sum(line.turned for line in lines) > 0.6 * len(lines):  # a page printed sideways: turn it to read it
        ruler.turn_page()
        width, height = height, width
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
        self.back = False  # whether the last line measured goes back to the left
        self.upward = False  # the way that sideways text runs
        self.fonts: dict[tuple[bytes, int], bool] = {}
        self.turn = turn(page, width, height)
        a, b, c, d, self.across, self.down = self.turn
        self.plain = abs(a - 1) < 0.01 and abs(d + 1) < 0.01
        self.same = len(text) == count  # a character has one index in the text and on the page; else pdfium is asked
        self.loose = pdfium.FS_RECTF()
        self.matrix = pdfium.FS_MATRIX()

    def turn_page(self) -> None:
        """From here on, measure the page as it looks after a quarter turn that makes its sideways text level."""
        a, b, c, d, e, f = self.turn
        if self.upward:
            self.turn = (-b, a, -d, c, self.height - f, e)
        else:
            self.turn = (b, -a, d, -c, f, self.width - e)
        self.width, self.height = self.height, self.width
        self.across, self.down = self.turn[4:]
        self.plain = abs(self.turn[0] - 1) < 0.01 and abs(self.turn[3] + 1) < 0.01

    def index(self, at: int) -> int:
        return at if self.same else int(pdfium.FPDFText_GetCharIndexFromTextIndex(self.textpage, at))

    def measured(self, pattern: re.Pattern[str]) -> list[Line]:
        """Lines, or strips of lines, as ``pattern`` finds them in the page's text."""
        lines: list[Line] = []
        bold: bool | None = None
        size = 0.0
        pieces = [(found.start(), found[0]) for found in pattern.finditer(self.text)]
        for number, (start, piece) in enumerate(pieces):
            body = piece.strip("\x02\ufffe \t\xa0\r\n")
            if not body:
                continue
            lead = start + piece.index(body[0])
            end = len(body)
            ending = None
            if pattern is _STRIP:
                breaks = [(stop.start(), stop.end()) for stop in _BREAK.finditer(body)]
                if breaks:
                    ending = self.line(lead + breaks[-1][1], body[breaks[-1][1] :], size, True)
                    end = breaks[0][0]
            self.back = False
            line = self.line(lead, body[:end], size, ending is not None)
            if self.back and ending is None:  # two lines of boxes side by side, the right one first
                at = self.turning(lead, body)
                if at:
                    pieces[number + 1 : number + 1] = [(lead, body[:at]), (lead + at, body[at:])]
                    continue
            if line.x1 <= 0 or line.bottom <= 0 or line.x0 >= self.width or line.top >= self.height:
                continue  # printers' marks off the page: no reader sees them
            size = line.size
            if ending is not None:
                drop = (ending.bottom - line.bottom) / len(breaks)
                if not 0.85 * size < drop < 2.7 * size or not line.x0 - 90 < ending.x0 < line.x1:
                    raise _NotSimple
                if ending.gaps or line.gaps or self.back:
                    raise _NotSimple
                line.left, line.head, line.x1, line.bottom = ending.x0, ending.top, ending.x1, ending.bottom
                bold = None
            elif bold or (end < 100 and not body[0].islower()):
                line.bold = self.is_bold(self.index(lead))
                line.bold_end = bold = line.bold and self.is_bold(self.index(lead + end - 1))
            else:
                bold = None
            line.start = start
            line.text = piece
            if line.gaps:
                shift = lead - start
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
        if turned:
            self.upward = b * matrix.a + d * matrix.b < 0
        x0, top, x1, bottom = self.shown(loose.left, loose.bottom, loose.right, loose.top)
        least = max(9.0, 1.3 * size)
        before, wide = None, 0
        for number in range(min(80, pdfium.FPDFText_CountRects(textpage, first, last - first + 1))):
            pdfium.FPDFText_GetRect(textpage, number, _left, _top, _right, _bottom)
            if self.plain and not turned:
                left, right = _left.value + self.across, _right.value + self.across
            else:
                left, up, right, down = self.shown(_left.value, _bottom.value, _right.value, _top.value)
                if turned:
                    top, bottom = min(top, up), max(bottom, down)
            if before is not None and not -3 * size < left - before <= least:
                wide += left > before
                self.back = self.back or left < before
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
            line.gaps = self.gaps(first, body, least, wide)
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

    def gaps(self, first: int, body: str, least: float, most: int) -> tuple[tuple[int, float, float], ...]:
        """White gaps wider than about a letter's height inside a line, ``most`` at most: between columns or cells."""
        found: list[tuple[int, float, float]] = []
        if ". . ." in body:  # the dots of a contents line
            return ()
        for space in _SPACE.finditer(body.rstrip()):
            left, right = self.sides(first + space.start() - 1)[1], self.sides(first + space.end())[0]
            if right - left >= least:
                found.append((space.end(), left, right))
                if len(found) == most:
                    break
        return tuple(found)

    def turning(self, at: int, body: str) -> int:
        """The offset of the word that stands far to the left of the one before it; 0 where there is none."""
        first = self.index(at)
        for space in _SPACE.finditer(body.rstrip()) if self.same else ():
            before, after = self.sides(first + space.start() - 1), self.sides(first + space.end())
            if after[0] < before[1] - 3 * (before[1] - before[0]) - 12:
                return space.end()
        return 0

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
        pdfium.FPDFText_GetFontInfo(self.textpage, index, _name, 128, _flags)
        key = (_name.value, _flags.value)
        known = self.fonts.get(key)
        if known is None:
            named = bool(_BOLD.search(key[0]) or _flags.value & 0x40000)
            known = self.fonts[key] = named or pdfium.FPDFText_GetFontWeight(self.textpage, index) >= 700
        return known
