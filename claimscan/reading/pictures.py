"""Pictures of PDF pages, as Pillow has them."""

from __future__ import annotations

import ctypes
import math
from typing import TYPE_CHECKING, Any

import pypdfium2_raw as pdfium

from claimscan.errors import DamagedDocument
from claimscan.reading.opening import opened
from claimscan.records import Document

if TYPE_CHECKING:
    from PIL import Image

_MAX_PIXELS = 16_000_000
_MAX_SIDE = 12_000


def page_image(document: Document, page: int, scale: float) -> Image.Image:
    """One page in colour; ``scale`` is pixels per point, lowered where the picture would pass 16 megapixels."""
    with opened(document.anchors.data, document.source) as file:
        return picture(file, page - 1, scale)[0]


def picture(document: Any, index: int, scale: float) -> tuple[Image.Image, float]:
    """A page in colour, and the scale used."""
    from PIL import Image

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
    return Image.frombytes("RGB", (wide, high), pixels, "raw", "RGB", stride), scale
