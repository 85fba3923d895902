"""Lines with boxes become blocks of text in reading order. Pure functions: nothing here knows a file format.

A page arrives as :class:`Line` records in the order in which the file writes them. :func:`mark_furniture` sets aside
running heads, page numbers and contents lines; :func:`in_order` puts the rest in reading order (a page is rebuilt from
its boxes only where the file's own order jumps about); :func:`gather` makes blocks of the lines; :func:`compose` writes
the text and remembers where each run of characters came from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from claimscan.reading.tidying import FIRST_WORD, HYPHENS, LAST_WORD, UNSEEN, Run, Tidier
from claimscan.records import Block


class Line:
    """One printed line, the part of it in one table cell, or several lines that plainly run on (a strip).

    ``start`` is the index of ``text`` in the page's text as the file gives it. Lengths are in points, the origin is the
    page's top left. ``x0``, ``top`` and ``foot`` are the first line's left, top and bottom; ``left``, ``head``, ``x1``
    and ``bottom`` the last line's left, top, right and bottom; a single line has them equal. ``gaps`` are wide white
    gaps: the offset in ``text`` that follows, and where the gap starts and ends. ``bold`` and ``bold_end`` are of the
    first and the last letter, None where nobody looked.
    """

    __slots__ = (
        "start",
        "text",
        "x0",
        "top",
        "foot",
        "left",
        "head",
        "x1",
        "bottom",
        "size",
        "bold",
        "bold_end",
        "gaps",
        "kind",
        "rows",
        "turned",
    )

    def __init__(
        self,
        start: int,
        text: str,
        x0: float,
        top: float,
        x1: float,
        bottom: float,
        size: float,
        bold: bool | None = None,
        gaps: tuple[tuple[int, float, float], ...] = (),
    ) -> None:
        self.start = start
        self.text = text
        self.x0 = self.left = x0
        self.top = self.head = top
        self.x1 = x1
        self.bottom = self.foot = bottom
        self.size = size
        self.bold = self.bold_end = bold  # of the first and the last letter; None where nobody looked
        self.gaps = gaps
        self.kind = ""
        self.turned = False  # printed up or down the page
        self.rows: list[list[list[Line]]] = []  # a whole table standing in for its lines: rows of cells of lines

    def words(self) -> str:
        """The text, a table's row by row."""
        if not self.rows:
            return self.text
        return " ".join(part.text.strip() for row in self.rows for cell in row for part in cell)

    def parts(self) -> list[Line]:
        """The line cut at its wide gaps."""
        made = []
        at, left = 0, self.x0
        for offset, gap_start, gap_end in (*self.gaps, (len(self.text), self.x1, 0.0)):
            text = self.text[at:offset]
            made.append(Line(self.start + at, text, left, self.top, gap_start, self.bottom, self.size, self.bold))
            at, left = offset, gap_end
        return [part for part in made if part.text.strip()]


class Group:
    """Lines that make one block. A table row has several cells; every other block has one."""

    __slots__ = ("kind", "level", "cells")

    def __init__(self, kind: str, cells: list[list[Line]], level: int = 0) -> None:
        self.kind = kind
        self.cells = cells
        self.level = level


def laid_out(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[list[Group]]:
    """The blocks of each page of a document, in reading order, from its lines in the file's order."""
    mark_furniture(pages, heights)
    body = measure(pages)
    made = []
    for lines, height in zip(pages, heights, strict=True):
        edges = [line for line in lines if line.kind == "edge"]
        turned = [line for line in lines if line.turned and line.kind != "edge"]
        middle = in_order([line for line in lines if not line.turned and line.kind != "edge"], body.size)
        head = [line for line in edges if line.top < height / 2]
        foot = [line for line in edges if line.top >= height / 2]
        made.append(gather([*head, *middle, *turned, *foot], body))
    rank_headings(group for groups in made for group in groups)
    return made


# --- furniture ------------------------------------------------------------------------------------------------------

_PAGE_NUMBER = re.compile(
    r"(?:\W*\d{1,4}\W*|[ivxlc]{1,7}|\d{1,4} (?:of|/) \d{1,4}"
    r"|\W*(?:page|tudalen)\s*\d{1,4}(?:\s*(?:of|o|/)\s*\d{1,4})?\W*)",
    re.IGNORECASE,
)
_NAMED_PAGE = re.compile(r"\W*(?:page|tudalen)\s*\d{1,4}\s*(?:of|o|/)\s*\d{1,4}\W*", re.IGNORECASE)
_LEADER = re.compile(r"(?:(?:\.{4,}|(?:\. ){4,}|…{2,}|_{6,}|(?:…\s?){3,})[\s.]*(?:\d{1,4}|[ivxlc]+)|\.{12,})\s*$")
_ENDS_IN_NUMBER = re.compile(r"\S\s+\d{1,4}\s*$")
_CONTENTS = re.compile(r"\s*(?:table of )?(?:contents|cynnwys)\s*:?\s*$", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_EDGE = 0.11  # running heads and feet lie in this share of the page's height


def mark_furniture(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> None:
    """Set ``kind`` on running heads and feet and page numbers ("edge") and on contents lines ("contents"), in place.

    A line in a page's edge repeats where another page has the same words, or the same but for a number that goes up
    with the page. A footnote's number does not.
    """
    seen: Counter[tuple[bool, str, int]] = Counter()
    edges: list[list[tuple[list[tuple[bool, str, int]], Line]]] = []
    for index, (lines, height) in enumerate(zip(pages, heights, strict=True)):
        found = []
        low, high = height * _EDGE, height * (1 - _EDGE)
        for line in lines:
            if line.bottom < low or line.top > high:
                found.append((_edge_keys(line.words(), line.top > high, index), line))
        for key in {key for keys, _ in found for key in keys}:
            seen[key] += 1
        edges.append(found)
    enough = 2 if len(pages) < 4 else 3
    for lines, found in zip(pages, edges, strict=True):
        for keys, line in found:
            if any(seen[key] >= enough for key in keys) or _PAGE_NUMBER.fullmatch(line.words().strip()):
                line.kind = "edge"
        _mark_contents(lines)


def _edge_keys(text: str, foot: bool, index: int) -> list[tuple[bool, str, int]]:
    words = text.strip().lower()
    numbers = _DIGITS.findall(words)
    keys = [(foot, words, 0)]
    if numbers:
        masked = _DIGITS.sub("#", words)
        keys.extend({(foot, masked, int(number[:6]) - index) for number in (numbers[0], numbers[-1])})
    return keys


def _mark_contents(lines: Sequence[Line]) -> None:
    titled = False
    numbered = []
    for line in lines:
        if line.rows:
            continue
        text = line.text
        last = text.rstrip()[-1:]
        if last.isdigit() or last in ".…_":
            if "...." in text or ". . ." in text or "…" in text or "____" in text:
                if _LEADER.search(text):
                    line.kind = "contents"
                    continue
            if line.kind:
                continue
            if titled and _ENDS_IN_NUMBER.search(text):
                numbered.append(line)
            elif last.isdigit() and _NAMED_PAGE.fullmatch(text):
                line.kind = "edge"
        elif len(text) < 24 and _CONTENTS.match(text):
            titled = True
    if not numbered:
        numbered = _rising(lines)
    if len(numbered) >= 3:
        inside = set(map(id, numbered))
        waiting: list[Line] = []
        started = False
        for line in lines:
            if id(line) in inside:
                for earlier in waiting:  # the first line of an entry that runs over two
                    earlier.kind = "contents"
                line.kind = "contents"
                waiting, started = [], True
            elif started and not line.kind:
                waiting = [*waiting, line] if len(waiting) < 2 and len(line.text) > 12 else []


def _rising(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page of contents with no title: most end in a page number, and the numbers never fall."""
    ending = [line for line in lines if line.text.rstrip()[-1:].isdigit() and not line.kind and not line.turned]
    if len(ending) < 8 or len(ending) < 0.6 * len(lines):
        return []
    matches = [(line, _ENDS_IN_NUMBER.search(line.text)) for line in ending]
    found = [(line, int(match[0].split()[-1])) for line, match in matches if match is not None and len(match[0]) < 9]
    if len(found) < 8:
        return []
    numbers = [number for _, number in found]
    if numbers != sorted(numbers) or len(set(numbers)) < 0.5 * len(numbers):
        return []
    if any(len(line.gaps) > 2 for line, _ in found):
        return []
    return [line for line, _ in found]


# --- reading order --------------------------------------------------------------------------------------------------


def in_order(lines: list[Line], size: float) -> list[Line]:
    """The page's lines in reading order. ``size`` is the body's font size in points."""
    if any(line.gaps for line in lines):
        lines, split = _parted(lines, size)
    else:
        split = False
    if split or jumps_about(lines):
        return _cut(_with_their_bullets(lines), max(7.0, size * 0.8))
    return lines


def stands_in_columns(lines: Sequence[Line]) -> bool:
    """Whether the page's text stands side by side somewhere, as it does in a table."""
    for i in range(1, len(lines)):
        before, line = lines[i - 1], lines[i]
        if line.gaps and _tabular(line) or line.x0 > before.x1 + line.size and line.top < before.bottom - 2:
            return True
    return False


def jumps_about(lines: Sequence[Line]) -> bool:
    """Whether the file's order goes back up the page other than to the head of a column further right."""
    for i in range(1, len(lines)):
        before, line = lines[i - 1], lines[i]
        if line.foot <= before.head and line.x0 < before.x1 - 2:
            # Up, and not wholly to the right of where we were: fine only if it starts a column further right.
            if line.x0 < max(other.x1 for other in lines[max(0, i - 6) : i]) - 5:
                return True
    return False


def _parted(lines: list[Line], size: float) -> tuple[list[Line], bool]:
    """Cut the lines with wide gaps that are not rows of a table: two columns of prose written as one line.

    A gap belongs to a table where a line near by has a gap at the same place; but where a gutter runs down the page
    with running prose on both sides of it, it parts columns. Returns the lines, and whether any was cut.
    """
    gapped = [line for line in lines if line.gaps and _tabular(line)]
    gutter = _gutter(gapped, len(lines))
    made: list[Line] = []
    split = False
    for line in lines:
        if not line.gaps or not _tabular(line):
            made.append(line)
        elif gutter and any(left <= gutter <= right for _, left, right in line.gaps):
            made.extend(line.parts())
            split = True
        elif any(_in_one_table(line, other) for other in gapped if other is not line):
            made.append(line)
        else:
            made.extend(line.parts())
            split = True
    return made, split


def _in_one_table(line: Line, other: Line) -> bool:
    if abs(other.top - line.top) > 4.5 * line.size:
        return False
    return any(a < right and left < b for _, a, b in line.gaps for _, left, right in other.gaps)


def _gutter(gapped: Sequence[Line], count: int) -> float:
    """Where a gutter between two columns of prose stands, 0 where there is none."""
    if len(gapped) < 5 or len(gapped) < 0.3 * count:
        return 0.0
    middles: Counter[int] = Counter()
    for line in gapped:
        for _, left, right in line.gaps:
            middles.update(range(int(left) // 4 + 1, int(right) // 4 + 1))
    if not middles:
        return 0.0
    place, shared = middles.most_common(1)[0]
    if shared < 5 or shared < 0.6 * len(gapped):
        return 0.0
    x = place * 4.0
    before = after = lower = 0
    for line in gapped:
        for offset, left, right in line.gaps:
            if left <= x <= right:
                before += len(line.text[:offset].split())
                after += len(line.text[offset:].split())
                lower += line.text[offset:].lstrip()[:1].islower()
    return x if min(before, after) >= 3.5 * shared and lower >= 0.4 * shared else 0.0


def _with_their_bullets(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines that must stay together: a bullet or number with its text, a superscript with its line."""
    kept: list[list[Line]] = []
    for line in lines:
        if kept:
            before = kept[-1][-1]
            if _same_line(before, line) and (len(before.text.strip()) <= 4 or line.x0 - before.x1 < before.size * 0.4):
                kept[-1].append(line)
                continue
        kept.append([line])
    return kept


def _same_line(before: Line, line: Line) -> bool:
    if before.turned or line.turned:
        return False
    overlap = min(before.bottom, line.foot) - max(before.head, line.top)
    smaller = min(before.bottom - before.head, line.foot - line.top)
    return overlap > 0.5 * smaller and before.x1 - 2 <= line.x0 <= before.x1 + 48


def _span(unit: list[Line]) -> tuple[float, float]:
    return min(line.x0 for line in unit), max(line.x1 for line in unit)


def white(spans: Iterable[tuple[float, float]], least: float) -> list[tuple[float, float]]:
    """The gaps of at least ``least`` between intervals."""
    found = []
    reach: float | None = None
    for start, end in sorted(spans):
        if reach is not None and start - reach >= least:
            found.append((reach, start))
        reach = end if reach is None or end > reach else reach
    return found


def _cut(units: list[list[Line]], least: float, depth: int = 0) -> list[Line]:
    """Cut at white gaps: strips that share a gutter are read column by column, other strips from top to bottom."""
    strips: list[list[list[Line]]] = []
    reach = None
    for unit in sorted(units, key=lambda unit: (unit[0].top, unit[0].x0)):
        if reach is not None and unit[0].top < reach - 0.25 * unit[0].size:
            strips[-1].append(unit)
            reach = max(reach, unit[0].bottom)
        else:
            strips.append([unit])
            reach = unit[0].bottom
    bands: list[tuple[list[list[Line]], list[tuple[float, float]]]] = []
    for strip in strips:
        if bands:
            joined = bands[-1][0] + strip
            gutters = white(map(_span, joined), least)
            if gutters or not (bands[-1][1] or white(map(_span, strip), least)):
                bands[-1] = (joined, gutters)
                continue
        bands.append((strip, white(map(_span, strip), least)))
    ordered: list[Line] = []
    for band, gutters in bands:
        table = _aligned_rows(band, gutters) if len(gutters) in (1, 2, 3) else None
        if table is not None:
            ordered.append(table)
        elif gutters and depth < 8:
            edges = [right for _, right in gutters]
            columns: list[list[list[Line]]] = [[] for _ in range(len(edges) + 1)]
            for unit in band:
                columns[sum(1 for edge in edges if unit[0].x0 >= edge - 0.01)].append(unit)
            for column in columns:
                ordered.extend(_cut(column, least, depth + 1))
        else:
            for unit in sorted(band, key=lambda unit: (round(unit[0].top / 3), unit[0].x0)):
                ordered.extend(unit)
    return ordered


def _aligned_rows(band: list[list[Line]], gutters: list[tuple[float, float]]) -> Line | None:
    """A table without rules: columns whose entries start level with each other, row after row, parted by more white
    than parts the lines inside them. None where the columns are columns of prose."""
    if any(line.rows for unit in band for line in unit):
        return None
    size = max(unit[0].size for unit in band)
    edges = [right for _, right in gutters]
    rows: list[list[list[Line]]] = []
    reach = None
    for unit in sorted(band, key=lambda unit: (unit[0].top, unit[0].x0)):
        if reach is None or unit[0].top > reach + 0.33 * size:
            rows.append([[] for _ in range(len(edges) + 1)])
        reach = max(reach or 0.0, *(line.bottom for line in unit))
        rows[-1][sum(1 for edge in edges if unit[0].x0 >= edge - 0.01)].extend(unit)
    filled = [[cell for cell in row if cell] for row in rows]
    level = sum(len(row) > 1 and max(c[0].top for c in row) - min(c[0].top for c in row) < 0.4 * size for row in filled)
    if len(rows) < 4 or level < 0.8 * len(rows):
        return None
    tallest = max(len(cell) for row in rows for cell in row)
    first = sum(len(line.text) for row in rows for line in row[0])
    if tallest < 2 or tallest > 14 or first > 90 * len(rows):
        return None
    lines = [line for unit in band for line in unit]
    whole = Line(lines[0].start, "", min(line.x0 for line in lines), min(line.top for line in lines), 0.0, 0.0, 0.0)
    whole.x1, whole.bottom = max(line.x1 for line in lines), max(line.bottom for line in lines)
    whole.rows = filled
    return whole


# --- blocks ---------------------------------------------------------------------------------------------------------

_BULLET = re.compile(r"\s*(?:[•●○◦▪▫■□‣⁃·✓✔➢➤►▶❖\uf000-\uf0ff]|o(?=\s))\s*")
_DASH = re.compile(r"\s*[-–—*]\s+\S")
_NUMBER = re.compile(r"\s*(?:\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]|\d{1,3}(?:\.\d{1,3})+\.?)(?:\s|$)")
_TERMINAL = (".", "?", "!", ":", ";", ".”", ".’", '."', ".)", "?”", "!”")
_LONGEST_CELL = 2000  # characters; longer, it is a page laid out in boxes and not a table
_LONGEST_BESIDE = 450  # the same where there are only one or two rows
_LETTERS = re.compile(r"[^\W\d_]{3}")
_SMALL_WORDS = "a an and as at by for from in into is its of on or our per that the their to was were with".split()
_UNFINISHED = (*(f" {word}" for word in _SMALL_WORDS), "&", "/", "(", ",", "–")
_LABEL = re.compile(
    r"\d{1,2}(?:\.\d{1,2}){1,3}\.?\s+[A-Z][a-z]"
    r"|(?:[Ss]ection|[Cc]hapter|[Pp]art|[Aa]ppendix|[Aa]nnex|[Aa]dran|[Pp]ennod|[Aa]todiad)\s+(?:\d+|[A-Z])\b"
)


class Measure(NamedTuple):
    """A document's body type: font size in points, and line pitch as a multiple of it."""

    size: float
    pitch: float
    bold: bool


def measure(pages: Iterable[Sequence[Line]]) -> Measure:
    """Body size, line pitch and weight of a document, by the most characters."""
    sizes: Counter[float] = Counter()
    pitches: Counter[float] = Counter()
    bold = total = 0
    for lines in pages:
        before = None
        for line in lines:
            if line.kind:
                continue
            weight = len(line.text)
            size = round(line.size, 1)
            sizes[size] += weight
            total += weight
            bold += weight if line.bold else 0
            if before is not None and before.size == line.size and weight > 30:
                drop = line.foot - before.bottom
                if 0.9 * size < drop < 2.6 * size:
                    pitches[round(drop / size, 1)] += 1
            before = line
    size = sizes.most_common(1)[0][0] if sizes else 10.0
    pitch = pitches.most_common(1)[0][0] if pitches else 1.2
    return Measure(size, max(1.0, min(pitch, 2.2)), bold > total / 2)


def gather(lines: Sequence[Line], body: Measure) -> list[Group]:
    """Blocks of one page's lines, which are in reading order."""
    groups: list[Group] = []
    edges: dict[int, float] = {}
    for line in lines:
        key = int(line.x0) // 8
        if line.x1 > edges.get(key, 0.0):
            edges[key] = line.x1
    current: list[Line] = []

    def close() -> None:
        if current:
            groups.append(_judged(list(current), body))
            current.clear()

    for line in lines:
        if line.kind:
            close()
            groups.extend(Group("furniture", row) for row in line.rows or [[[line]]])
        elif line.rows:
            close()
            longest = _LONGEST_CELL if sum(len(row) > 1 for row in line.rows) > 2 else _LONGEST_BESIDE
            for row in line.rows:
                if len(row) > 1 and all(sum(len(part.text) for part in cell) <= longest for cell in row):
                    groups.append(Group("row", row))
                else:  # a row that is one box, or a page laid out in boxes
                    for cell in row:
                        groups.extend(gather(cell, body))
        elif line.gaps and _tabular(line):
            close()
            groups.append(Group("row", [[part] for part in line.parts()]))
        else:
            if current and not _continues(current, line, body, edges):
                close()
            current.append(line)
    close()
    return groups


def _tabular(line: Line) -> bool:
    first = line.text[: line.gaps[0][0]].strip()
    return len(line.gaps) > 1 or not (
        len(first) <= 5 and (_BULLET.match(first) or first[:1].isdigit() or len(first) < 3)
    )


_FULL_LINE = 24  # characters; a shorter line is an address, a name or a label


def _continues(block: list[Line], line: Line, body: Measure, edges: dict[int, float]) -> bool:
    before = block[-1]
    if _same_line(before, line):
        return True
    text = line.text
    ended = before.text.rstrip()
    complete = ended.endswith(_TERMINAL)
    lower = text.lstrip()[:1].islower()
    first = block[0]
    if abs(line.size - first.size) > 0.09 * first.size:
        return False
    if _BULLET.match(text):
        return False
    if line.turned or before.turned:
        return False
    hanging = not complete and ended.endswith(_UNFINISHED)  # "of the", "and/": the sentence is not over
    if (
        None not in (line.bold, before.bold_end)
        and line.bold != before.bold_end
        and (complete or not (lower or hanging))
    ):
        return False
    if line.foot <= before.head or line.x0 > before.x1 + 4 * line.size or line.x1 < before.left:
        return (lower or hanging) and not complete and not ended.isupper()  # carried on in the next column
    drop = line.foot - before.bottom
    if drop > line.size * (body.pitch * 1.2 + 0.08) and drop > line.size * 1.5:
        return False
    if line.size == first.size and first.size > 1.12 * body.size:
        return True
    edge = max((right for key, right in edges.items() if abs(key * 8 - line.x0) < 60), default=line.x1)
    word = text.split(None, 1)[0] if text.strip() else ""
    fits = before.x1 + (len(word) * 0.5 + 0.8) * line.size < edge
    if _NUMBER.match(text) and (complete or fits or ended.endswith((",", " and", " or"))):
        return False
    if _DASH.match(text) and (complete or fits or _DASH.match(first.text)):
        return False
    item = _is_item(first.text)
    if line.size > 1.12 * body.size and not complete:
        return True
    if (lower or hanging) and not complete:
        return True
    if not complete and abs(line.x0 + line.x1 - before.left - before.x1) < 5 and abs(line.x0 - before.left) > 3:
        return True  # centred lines
    near = max(*(part.x1 for part in block), line.x1)  # a panel may be narrower than the column that it stands in
    if not complete and len(ended) > _FULL_LINE and before.x1 + (len(word) * 0.5 + 0.8) * line.size >= near:
        return abs(line.x0 - before.left) < 4 * line.size
    if fits and not (lower and not ended.endswith((".", "?", "!"))):
        return False
    hangs = item and (len(block) > 1 or first.left != first.x0)
    indent = line.x0 - (before.left if hangs else first.x0)
    if hangs and indent < -1.2 * line.size and complete:
        return False
    if not item and complete and indent > 0.8 * line.size:
        return False
    return True


def _is_item(text: str) -> bool:
    return bool(_BULLET.match(text) or _DASH.match(text) or _NUMBER.match(text))


def _judged(lines: list[Line], body: Measure) -> Group:
    """The block's kind. A heading's level is its font size times ten until :func:`rank_headings` ranks it."""
    text = " ".join(line.text.strip() for line in lines)
    first = lines[0]
    bullet = _BULLET.match(text)
    words = text.count(" ") + 1
    size = max(line.size for line in lines)
    if not bullet and words <= 18 and len(text) <= 130 and _LETTERS.search(text):
        larger = size > 1.12 * body.size
        bold = first.bold is True and all(line.bold and line.bold_end is not False for line in lines) and not body.bold
        end = text[-1]
        start = text.lstrip("“‘\"'(")[:1]
        stopped = end in ".;," and not (larger and words <= 10 and size > 1.3 * body.size)
        capitals = text.isupper() and words <= 12 and sum(map(str.isalpha, text)) >= 4 and size >= 0.95 * body.size
        if not stopped and not start.islower() and (larger or bold or capitals or (words <= 10 and _LABEL.match(text))):
            if not (end == ":" and not (bold or larger)):
                return Group("heading", [lines], int(size * 10) + (1 if bold else 0))
    if bullet or _DASH.match(text) or (_NUMBER.match(text) and not re.match(r"\s*\d+\.\d", first.text)):
        return Group("item", [lines])
    return Group("paragraph", [lines])


def rank_headings(groups: Iterable[Group]) -> None:
    """Turn the sizes of headings into depths, 1 for the largest, 6 at most, in place."""
    headings = [group for group in groups if group.kind == "heading"]
    steps: list[int] = []
    for size in sorted({group.level for group in headings}, reverse=True):
        if not steps or steps[-1] - size > 4 or (size % 10 == 0 and steps[-1] - size == 1):
            steps.append(size)
    for group in headings:
        group.level = min(6, 1 + sum(1 for step in steps if step > group.level + 4))


# --- text -----------------------------------------------------------------------------------------------------------


class Writer:
    """Writes blocks as one text and keeps the runs that lead back to the file's own characters."""

    def __init__(self, tidier: Tidier) -> None:
        self._tidier = tidier
        self._parts: list[str] = []
        self.length = 0
        self.runs: list[Run] = []
        self.blocks: list[Block] = []

    def text(self) -> str:
        return "".join(self._parts)

    def put(self, text: str) -> None:
        self._parts.append(text)
        self.length += len(text)

    def page(self, groups: Sequence[Group], page: int) -> tuple[int, int]:
        """Write one page's blocks; returns the page's span."""
        if page > 1:
            self.put("\n\n")
        start = self.length
        for group in groups:
            before = self.length
            if before > start:
                self.put("\n")
                before += 1
            self._group(group, page)
            if self.length == before:  # nothing but white space
                if before > start:
                    self._parts.pop()
                    self.length -= 1
                continue
            self.blocks.append(Block(before, self.length, page, group.kind, group.level))
        return start, self.length

    def _group(self, group: Group, page: int) -> None:
        opened = False
        for cell in group.cells:
            if opened:
                self.put(" | ")
            self._lines(cell, page)
            opened = True

    def _lines(self, lines: Sequence[Line], page: int) -> None:
        last = len(lines) - 1
        for i, line in enumerate(lines):
            text = line.text.strip()
            if not text:
                continue
            source = line.start + line.text.index(text[0])
            length = len(text)
            glue = " " if i < last else ""
            if text[-1] in HYPHENS and length > 1:
                word = LAST_WORD.search(text)
                after = FIRST_WORD.match(lines[i + 1].text.lstrip()) if i < last else None
                if word is not None:
                    glue = ""
                    if after is None or self._tidier.keeps(word[1], after[0]):
                        text = text[:-1] + (text[-1] if text[-1] not in UNSEEN else "-")
                    else:
                        text = text[:-1]
            elif glue and _same_line(line, lines[i + 1]):
                close = lines[i + 1].x0 - line.x1 < 0.18 * line.size
                if close and not line.text[-1].isspace() and not lines[i + 1].text[0].isspace():
                    glue = ""
            text = self._tidier.tidy(text)
            if text:
                self.runs.append(Run(self.length, self.length + len(text), page, source, length))
                self.put(text + glue)
