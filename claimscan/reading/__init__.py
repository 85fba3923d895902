"""Bytes become a Document. Only this room knows what a PDF or a Word file is.

``read``, ``read_bytes`` and ``read_text`` make Documents; ``locate`` and ``page_image`` show where on a page a span
stands; ``store`` and ``restore`` keep a reading for later. Each format's reader is imported only when a document of that format arrives.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from claimscan.errors import (
    EmptyDocument,
    LimitExceeded,
    MissingDocument,
    NoTextFound,
    UnreadableDocument,
    UnsupportedFormat,
)
from claimscan.records import Box, Document, Settings, Warning_

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["fingerprint", "is_measured", "locate", "page_image", "read", "read_bytes", "read_text", "restore", "store"]

_SUFFIXES = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
}
_NAMES = {"pdf": "a PDF", "docx": "a Word file", "html": "a web page", "markdown": "Markdown", "text": "plain text"}
_OTHER = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word, Excel or PowerPoint file, or one protected with a password"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"II*\x00", "a picture"),
    (b"MM\x00*", "a picture"),
    (b"{\\rtf", "an RTF file"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"Rar!", "a compressed file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3", "a database"),
    (b"%!PS", "a PostScript file"),
)


Matters = Callable[[str], bool]


def read(source: str | os.PathLike[str], settings: Settings | None = None, matters: Matters | None = None) -> Document:
    """Read a document from a path, or from standard input where ``source`` is ``-``.

    ``matters``, if given, is shown the words of each page of a PDF. While it has said no to every page so far, pages
    are not measured; a document to which it says no throughout comes back as words alone: in the file's own order, with
    no headings, tables or furniture told apart. That is what makes a document with no claim cost little more than bare
    text extraction. Once it says yes, the whole document is read in full.

    Raises:
        MissingDocument: no such file, or it cannot be opened.
        UnreadableDocument: as :func:`read_bytes`.
    """
    settings = settings or Settings()
    name = os.fspath(source)
    if name == "-":
        data = sys.stdin.buffer.read(settings.max_bytes + 1)
        return read_bytes(data, "standard input", settings, matters)
    if os.path.isdir(name):
        raise UnsupportedFormat(f"{name} is a folder, not a document.", "Name the file to check.")
    try:
        if not os.path.isfile(name) and os.path.exists(name):
            raise UnsupportedFormat(f"{name} is not an ordinary file.")
        if os.path.getsize(name) > settings.max_bytes:
            raise _too_large(name, settings)
        with open(name, "rb") as file:
            data = file.read(settings.max_bytes + 1)
    except FileNotFoundError:
        raise MissingDocument(f"There is no file called {name}.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not a possible one"
        raise MissingDocument(f"{name} cannot be opened: {reason}.") from None
    return read_bytes(data, name, settings, matters)


def _too_large(name: str, settings: Settings) -> LimitExceeded:
    return LimitExceeded(f"{name} is larger than the limit of {settings.max_bytes // 1_000_000:,} MB.")


def read_bytes(data: bytes, name: str, settings: Settings | None = None, matters: Matters | None = None) -> Document:
    """Read a document from its bytes. The content decides the format, then the suffix of ``name``.

    ``matters`` is as for :func:`read`.

    Raises:
        EmptyDocument: no bytes, or nothing but white space.
        UnsupportedFormat: not a format that is read.
        EncryptedDocument, DamagedDocument, NoTextFound, LimitExceeded: as they say.
    """
    settings = settings or Settings()
    if len(data) > settings.max_bytes:
        raise _too_large(name, settings)
    if not data.strip(b"\x00 \t\r\n\f"):
        raise EmptyDocument(f"{name} is empty.")
    suffix = os.path.splitext(name)[1].lower()
    format = _format(data, suffix, name)
    identity = hashlib.sha256(data).hexdigest()
    try:
        document = _reader(format, data, name, settings, identity, matters)
    except RecursionError:
        raise UnreadableDocument(f"{name} is nested too deeply to be read.") from None
    extra = []
    named = _SUFFIXES.get(suffix)
    if suffix and named != format and not (format == "text" and named is None):
        extra.append(
            Warning_("suffix", f"The name ends in {suffix} but the content is {_NAMES[format]}; read as that.")
        )
    if not document.text.strip():
        raise NoTextFound(f"No text could be read from {name}.", "Check that it is the document you meant.")
    extra.extend(_language(document))
    return replace(document, warnings=document.warnings + tuple(extra)) if extra else document


def _reader(
    format: str, data: bytes, name: str, settings: Settings, identity: str, matters: Matters | None
) -> Document:
    if format == "pdf":
        from claimscan.reading import pdf

        return pdf.read(data, name, settings, identity, matters)
    if format == "docx":
        from claimscan.reading import docx

        return docx.read(data, name, settings, identity)
    from claimscan.reading.decoding import decode

    text, warnings = decode(data, name, html=format == "html")
    if format == "html":
        from claimscan.reading import html

        return html.read(text, name, identity, warnings)
    from claimscan.reading import text as plain

    if format == "markdown":
        return plain.from_markdown(text, name, identity, warnings)
    return plain.from_text_file(text, name, identity, warnings)


def _format(data: bytes, suffix: str, name: str) -> str:
    head = data[:1024]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        if b"word/" in data:
            return "docx"
        raise UnsupportedFormat(f"{name} is a compressed file or another kind of office file, not a Word document.")
    for magic, what in _OTHER:
        if head.startswith(magic):
            raise UnsupportedFormat(f"{name} is {what}, which claimscan does not read.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or (
        start.startswith((b"<?xml", b"<!--")) and b"<html" in data[:8192].lower()
    ):
        return "html"
    named = _SUFFIXES.get(suffix)
    if named == "pdf" and b"endobj" in data:  # its first bytes are lost; pdfium says whether the rest can be opened
        return "pdf"
    if named in ("html", "markdown", "text"):
        return named
    if named:
        _plausible(data, f"{name} is not {_NAMES[named]}, although its name ends in {suffix}.")
        return "text"
    _plausible(data, f"{name} is not a kind of document that claimscan reads.")
    return "text"


def _plausible(data: bytes, message: str) -> None:
    """Refuse bytes that are not text: many control characters."""
    sample = data[:4096]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    control = sum(1 for byte in sample if byte < 32 and byte not in (9, 10, 12, 13))
    if control > 0.02 * len(sample):
        raise UnsupportedFormat(message)


def _language(document: Document) -> list[Warning_]:
    from claimscan.reading.tongue import foreign

    language = foreign(document.text)
    if not language:
        return []
    message = f"The text seems to be in {language}; claimscan reads English and Welsh, so claims may be missed."
    return [Warning_("language", message)]


def read_text(text: str, name: str = "text") -> Document:
    """A Document of one page whose text is exactly ``text``: every offset is an offset into what was given."""
    from claimscan.reading.text import from_text

    document = from_text(text, name, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    extra = _language(document)
    return replace(document, warnings=tuple(extra)) if extra else document


def is_measured(document: Document) -> bool:
    """Whether the document's layout was read, and not only its words (see ``matters`` at :func:`read`)."""
    from claimscan.reading import keeping

    return keeping.is_measured(document)


def store(document: Document, settings: Settings) -> bytes:
    """A reading as bytes, without the file it was read from. The same reading gives the same bytes."""
    from claimscan.reading import keeping

    return keeping.store(document, settings)


def restore(stored: bytes, data: bytes, name: str, settings: Settings) -> Document:
    """The Document of :func:`store`'s bytes, with the file's own bytes, and its name as it is now.

    Raises:
        ValueError: the bytes are not a whole stored reading, or are of another file, or the reading would be made otherwise
            now: other code, settings or kind of file.
    """
    from claimscan.reading import keeping

    return keeping.restore(stored, data, name, settings)


def fingerprint() -> str:
    """What decides a reading besides the bytes and the settings: the code of this room and of pdfium, as a sha256."""
    from claimscan.reading import keeping

    return keeping.fingerprint()


def locate(document: Document, spans: Sequence[tuple[int, int]]) -> list[tuple[Box, ...]]:
    """Boxes on the page of each half-open span of ``document.text``, one for each printed line it runs over.

    Points, origin top left, pages from 1. Only PDFs have boxes: for other formats each span gets ``()``.
    """
    if document.format != "pdf" or document.anchors is None:
        return [() for _ in spans]
    from claimscan.reading import places

    return places.locate(document, spans)


def page_image(document: Document, page: int, scale: float = 1.0) -> Image.Image:
    """A picture of one page of a PDF, in colour, as Pillow has it. ``scale`` is pixels per point (1 is 72 dots an inch).

    Raises:
        ValueError: the document has no pictures of its pages, or no such page.
    """
    if document.format != "pdf" or document.anchors is None or not 1 <= page <= len(document.pages):
        raise ValueError("only the pages of a PDF can be drawn")
    from claimscan.reading import pictures

    return pictures.page_image(document, page, scale)
