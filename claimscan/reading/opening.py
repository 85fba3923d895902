"""Opens PDFs with pypdfium2's raw bindings, and reads a page's text.

The bindings are used without the helper classes: importing those costs more than reading several pages, and checking a
document must cost little more than bare text extraction.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2_raw as pdfium

from claimscan.errors import DamagedDocument, EncryptedDocument
from claimscan.reading.tidying import Run


class Anchors:
    """What it takes to find the place of a span on its page: the file's bytes, and runs in the order of the text."""

    __slots__ = ("data", "runs")

    def __init__(self, data: bytes, runs: tuple[Run, ...]) -> None:
        self.data = data
        self.runs = runs


_OBJECT = re.compile(rb"(?:^|[\r\n])(\d{1,8}) (\d{1,5}) obj\b")
_PAGE = re.compile(rb"/Type\s*/Page\b")


def _with_pages_listed(data: bytes) -> bytes:
    """A PDF cut short before its list of pages, with a new list of those found in it; empty if there are none."""
    found = list(_OBJECT.finditer(data))
    ends = [*(match.start() for match in found[1:]), len(data)][: len(found)]
    kids = [
        b"%s %s R" % (match[1], match[2])
        for match, end in zip(found, ends, strict=True)
        if _PAGE.search(data, match.end(), min(end, match.end() + 5000))
    ]
    if not kids:
        return b""
    first = max(int(match[1]) for match in found) + 1
    listed = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    catalog = b"<</Type/Catalog/Pages %d 0 R>>" % first
    objects = b"%d 0 obj\n%s\nendobj\n%d 0 obj\n%s\nendobj\n" % (first, listed, first + 1, catalog)
    trailer = b"trailer\n<</Root %d 0 R/Size %d>>\n%%%%EOF\n" % (first + 1, first + 2)
    return data + b"\nendstream\nendobj\n" + objects + trailer


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Any]:
    pdfium.FPDF_InitLibrary()
    document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        code = pdfium.FPDF_GetLastError()
        if code not in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            data = _with_pages_listed(data)
            document = pdfium.FPDF_LoadMemDocument64(data, len(data), None) if data else None
    if not document:
        if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise EncryptedDocument(f"{name} is protected with a password, so it cannot be opened.")
        raise DamagedDocument(f"{name} is damaged: it starts like a PDF but cannot be opened as one.")
    try:
        yield document
    finally:
        pdfium.FPDF_CloseDocument(document)


def page_text(textpage: Any, count: int) -> str:
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = pdfium.FPDFText_GetText(textpage, 0, count, buffer)
    return bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")


def turn(page: Any, width: float, height: float) -> tuple[float, float, float, float, float, float]:
    """The map from the page's own coordinates to points from the top left of the page as shown: x' = ax + cy + e."""
    scale = 64
    x, y = ctypes.c_int(), ctypes.c_int()
    wide, high = max(1, int(width * scale)), max(1, int(height * scale))

    def at(px: float, py: float) -> tuple[float, float]:
        pdfium.FPDF_PageToDevice(page, 0, 0, wide, high, 0, px, py, x, y)
        return x.value / scale, y.value / scale

    (e, f), (ax, bx), (cy, dy) = at(0, 0), at(1000, 0), at(0, 1000)
    return (ax - e) / 1000, (bx - f) / 1000, (cy - e) / 1000, (dy - f) / 1000, e, f
