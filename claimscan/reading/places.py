"""Boxes on the page for spans of a PDF's text."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2_raw as pdfium

from claimscan.reading.opening import Anchors, opened, page_text, turn
from claimscan.reading.tidying import Run, places
from claimscan.records import Box, Document, Page

_left, _top, _right, _bottom = (ctypes.c_double() for _ in range(4))


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
    with opened(anchors.data, document.source) as file:
        for number in sorted(wanted):
            page = pdfium.FPDF_LoadPage(file, number - 1)
            if not page:
                continue
            textpage = pdfium.FPDFText_LoadPage(page)
            try:
                shown = document.pages[number - 1]
                shift = turn(page, shown.width, shown.height)
                whole = page_text(textpage, pdfium.FPDFText_CountChars(textpage))
                for span, run, start, end in wanted[number]:
                    first, last = _source(document.text, whole, run, start, end)
                    first, last = (pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, at) for at in (first, last))
                    for box in _boxes(textpage, number, first, last - first + 1, shift, shown):
                        if boxes[span] and _touches(boxes[span][-1], box):
                            boxes[span][-1] = _union(boxes[span][-1], box)
                        else:
                            boxes[span].append(box)
            finally:
                pdfium.FPDFText_ClosePage(textpage)
                pdfium.FPDF_ClosePage(page)
    return [tuple(found) for found in boxes]


def _source(text: str, whole: str, run: Run, start: int, end: int) -> tuple[int, int]:
    """Where in the page's text the first and last characters of ``text[start:end]``, part of a run, came from."""
    length = run.length if run.length >= 0 else len(whole)
    written, source = text[run.start : run.end], whole[run.source : run.source + length]
    if written == source:
        return run.source + start - run.start, run.source + end - run.start - 1
    found = places(written, source)
    return run.source + found[start - run.start], run.source + found[end - run.start - 1]


def _boxes(textpage: Any, number: int, first: int, count: int, turn: tuple[float, ...], shown: Page) -> Iterator[Box]:
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
