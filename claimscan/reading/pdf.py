"""PDF bytes to a Document, with pdfium."""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pypdfium2_raw as pdfium

from claimscan.errors import DamagedDocument, NoTextFound
from claimscan.reading.opening import Anchors, opened, page_text
from claimscan.reading.tidying import Run, Tidier, is_unmapped
from claimscan.records import Block, Document, Page, Settings, Warning_

if TYPE_CHECKING:
    from claimscan.reading.layout import Line

_PICTURE = "no text layer: the page is a picture"
_NO_MAPPING = "the page's font does not say which letters its shapes are"


class _Read(NamedTuple):
    """One page as read: its text as pdfium gives it, and its lines where they were measured."""

    text: str
    lines: list[Line]
    width: float
    height: float
    unread: str = ""
    cut: bool = False
    ocr: bool = False


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
    with opened(data, name) as document:
        count = pdfium.FPDF_GetPageCount(document)
        if count < 1:
            raise DamagedDocument(f"{name} is damaged: it has no pages that can be read.")
        title = _meta_title(document)
        reads: list[_Read] = []
        tidier = Tidier(lambda: " ".join(page.text for page in reads))
        quick = matters is not None
        late = f"the time allowed ({settings.max_seconds:g} s) ran out"
        for index in range(count):
            if index >= settings.max_pages:
                reads.append(_Read("", [], 0.0, 0.0, f"beyond the limit of {settings.max_pages:,} pages"))
            elif time.monotonic() > deadline:
                reads.append(_Read("", [], 0.0, 0.0, late))
            else:
                page = _read_page(document, index, settings, quick)
                if matters is not None and quick:
                    page = page._replace(text=tidier.flatten(page.text))
                    quick = not matters(page.text)
                reads.append(page)
                if matters is not None and not quick:
                    matters = None
                    reads = [
                        (
                            _read_page(document, again, settings)
                            if time.monotonic() < deadline
                            else _Read("", [], 0.0, 0.0, late)
                        )
                        for again in range(index + 1)
                    ]
        if quick and not title:
            title = _largest([_read_page(document, at, settings) for at in range(min(2, count))])
        if settings.ocr and any(page.unread in (_PICTURE, _NO_MAPPING) for page in reads):
            reads = _by_ocr(document, reads, settings, deadline, warnings)
    if any(page.unread == late for page in reads):
        warnings.append(
            Warning_("time", f"Reading was stopped after {settings.max_seconds:g} s; some pages were not read.")
        )
    for index, page in enumerate(reads):
        if page.cut:
            message = f"The page has more than {settings.max_page_chars:,} characters; the rest was left out."
            warnings.append(Warning_("page_cut", message, index + 1))
    if count > settings.max_pages:
        warnings.append(
            Warning_("too_many_pages", f"Only the first {settings.max_pages:,} of {count:,} pages were read.")
        )
    if not any(page.text for page in reads):
        reason = next((page.unread for page in reads if page.unread), "its pages are blank")
        raise NoTextFound(f"No text could be read from {name}: {reason}.")
    if quick:
        return _flat(reads, data, name, title, tuple(warnings), identity)
    return _composed(reads, data, name, title, tuple(warnings), identity)


def _flat(
    reads: Sequence[_Read], data: bytes, name: str, title: str, warnings: tuple[Warning_, ...], identity: str
) -> Document:
    """A document in which nothing matters: each page's words in the file's own order, as one block."""
    parts: list[str] = []
    pages, blocks, runs = [], [], []
    at = 0
    for number, page in enumerate(reads, start=1):
        if number > 1:
            parts.append("\n\n")
            at += 2
        end = at + len(page.text)
        parts.append(page.text)
        pages.append(Page(number, at, end, page.width, page.height, page.unread, page.ocr))
        if page.text:
            blocks.append(Block(at, end, number))
            runs.append(Run(at, end, number, 0, -1))
        at = end
    anchors = Anchors(data, tuple(runs))
    return Document(identity, name, "pdf", "".join(parts), tuple(pages), tuple(blocks), title, warnings, anchors)


def _composed(
    reads: Sequence[_Read], data: bytes, name: str, title: str, warnings: tuple[Warning_, ...], identity: str
) -> Document:
    from claimscan.reading import layout

    writer = layout.Writer(Tidier(lambda: " ".join(page.text for page in reads)))
    pages = []
    for index, (page, groups) in enumerate(
        zip(reads, layout.laid_out([page.lines for page in reads], [page.height for page in reads]), strict=True)
    ):
        start, end = writer.page(groups, index + 1)
        pages.append(Page(index + 1, start, end, page.width, page.height, page.unread, page.ocr))
    text = writer.text()
    blocks = tuple(writer.blocks)
    anchors = Anchors(data, tuple(writer.runs))
    title = title or _first_title(text, blocks)
    return Document(identity, name, "pdf", text, tuple(pages), blocks, title, warnings, anchors)


def _largest(reads: Sequence[_Read]) -> str:
    """The largest heading of the first pages."""
    document = _composed(reads, b"", "", "", (), "")
    return document.title


def _first_title(text: str, blocks: Sequence[Block]) -> str:
    best = None
    for block in blocks:
        if block.page > 2:
            break
        if block.kind == "heading" and (best is None or block.level < best.level):
            best = block
    return text[best.start : best.end] if best is not None else ""


_FILE_NAME = re.compile(
    r"(?i)^(?:microsoft word|powerpoint|untitled|document\d*$)|\.(?:docx?|pdf|indd|pptx?|xlsx?|rtf|pub)$"
)


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


def _by_ocr(
    document: Any, reads: Sequence[_Read], settings: Settings, deadline: float, warnings: list[Warning_]
) -> list[_Read]:
    from claimscan.reading import ocr
    from claimscan.reading.pictures import picture

    if not ocr.available():
        warnings.append(
            Warning_("ocr", "Pages that are pictures were not read: tesseract or pytesseract is not installed.")
        )
        return list(reads)
    made = []
    for index, page in enumerate(reads):
        if page.unread in (_PICTURE, _NO_MAPPING) and time.monotonic() < deadline:
            image, scale = picture(document, index, ocr.DOTS / 72)
            lines = ocr.lines(image, scale, settings.ocr_language, max(1.0, deadline - time.monotonic()))
            if lines:
                text = "\n".join(line.text for line in lines)
                page = page._replace(text=text, lines=lines, unread="", ocr=True)
        made.append(page)
    return made


def _read_page(document: Any, index: int, settings: Settings, quick: bool = False) -> _Read:
    page = pdfium.FPDF_LoadPage(document, index)
    if not page:
        return _Read("", [], 0.0, 0.0, "the page is damaged")
    try:
        width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
        textpage = pdfium.FPDFText_LoadPage(page)
        if not textpage:
            return _Read("", [], width, height, "the page is damaged")
        try:
            count = pdfium.FPDFText_CountChars(textpage)
            cut = count > settings.max_page_chars
            text = page_text(textpage, min(count, settings.max_page_chars))
            if not text or text.isspace():
                return _Read("", [], width, height, _why_empty(page))
            if is_unmapped(text):
                return _Read("", [], width, height, _NO_MAPPING)
            if quick:
                return _Read(text, [], width, height, "", cut)
            from claimscan.reading import measuring

            lines = measuring.lines_of(page, textpage, text, count, width, height)
            return _Read(text if lines else "", lines, width, height, "", cut)
        finally:
            pdfium.FPDFText_ClosePage(textpage)
    finally:
        pdfium.FPDF_ClosePage(page)


def _why_empty(page: Any) -> str:
    drawn = 0
    total = pdfium.FPDFPage_CountObjects(page)
    for index in range(min(total, 500)):
        kind = pdfium.FPDFPageObj_GetType(pdfium.FPDFPage_GetObject(page, index))
        if kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM):
            return _PICTURE
        drawn += 1
    return _PICTURE if drawn > 30 else ""
