"""Word files to blocks, with python-docx: body order, headings, lists, tables, text boxes, footnotes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from claimscan.errors import ClaimscanError, DamagedDocument, EncryptedDocument, LimitExceeded, UnsupportedFormat
from claimscan.reading.assembly import Piece, assemble
from claimscan.records import Document, Settings, Warning_

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_MOST_BYTES = 400_000_000  # of all parts, unpacked
_MOST_XML = 100_000_000  # of one XML part, unpacked
_MOST_PARTS = 20_000
_HEADING = re.compile(r"(?:heading|pennawd)\s*(\d)", re.IGNORECASE)
_LIST = re.compile(r"list|bullet|number", re.IGNORECASE)
_CONTENTS = re.compile(r"toc\b|toc \d|table of (?:contents|figures)", re.IGNORECASE)


def _unpacked_within_bounds(data: bytes, name: str) -> None:
    """Refuse a zip bomb, and XML that defines entities, before anything is unpacked into memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            listed = parts.infolist()
            if "word/document.xml" not in {part.filename for part in listed} and not any(
                re.fullmatch(r"word/document\d*\.xml", part.filename) for part in listed
            ):
                raise UnsupportedFormat(f"{name} is a compressed file, but not a Word document.")
            total = sum(part.file_size for part in listed)
            if len(listed) > _MOST_PARTS or total > _MOST_BYTES:
                raise LimitExceeded(f"{name} unpacks to more than {_MOST_BYTES // 1_000_000} MB, so it was not opened.")
            for part in listed:
                if part.flag_bits & 1:
                    raise EncryptedDocument(f"{name} is protected with a password, so it cannot be opened.")
                if part.filename.endswith((".xml", ".rels")):
                    if part.file_size > _MOST_XML:
                        raise LimitExceeded(f"{name} holds a part of more than {_MOST_XML // 1_000_000} MB.")
                    with parts.open(part) as opened:
                        head = opened.read(4096)
                    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                        raise DamagedDocument(f"{name} holds definitions that no Word file has, so it was not opened.")
    except (ClaimscanError, MemoryError):
        raise
    except Exception as error:  # zipfile lets whatever a damaged file leads to through: ValueError, zlib errors
        raise DamagedDocument(f"{name} is damaged: it is a Word file that cannot be unpacked.") from error


def read(data: bytes, name: str, settings: Settings, identity: str) -> Document:
    """Read a Word file. Pages are those that Word last laid out, where the file records them; else one page.

    Raises:
        DamagedDocument, EncryptedDocument, LimitExceeded, UnsupportedFormat: as they say.
    """
    _unpacked_within_bounds(data, name)
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        reader = _Reader(document)
        pages = reader.pages()
        title = (document.core_properties.title or "").strip()
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # python-docx lets whatever its parts raise through: KeyError, lxml errors, zlib errors
        raise DamagedDocument(f"{name} is damaged: it is a Word file that cannot be read.") from error
    warnings: list[Warning_] = []
    if len(pages) > settings.max_pages:
        warnings.append(
            Warning_("too_many_pages", f"Only the first {settings.max_pages:,} of {len(pages):,} pages were read.")
        )
        pages = pages[: settings.max_pages]
    named = next((piece.text for page in pages for piece in page if piece.kind == "heading" and piece.level == 1), "")
    if len(title) < 4 or " " not in title or re.search(r"(?i)\.(?:docx?|pdf)$|^microsoft word|^document", title):
        title = ""
    return assemble(pages, identity, name, "docx", title or named, warnings)


class _Reader:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._styles: dict[str, tuple[str, int, bool]] = {}
        self._pages: list[list[Piece]] = [[]]

    def pages(self) -> list[list[Piece]]:
        """Pieces page by page: running heads first, the body in order, then footnotes and feet."""
        self._pages[0].extend(self._edges("header"))
        for element in self._document.element.body:
            self._block(element)
        self._pages[-1].extend(self._notes())
        self._pages[-1].extend(self._edges("footer"))
        return self._pages

    def _add(self, piece: Piece) -> None:
        if piece.text.strip():
            self._pages[-1].append(piece)

    def _turn_page(self) -> None:
        if any(piece.kind != "furniture" for piece in self._pages[-1]):
            self._pages.append([])

    def _block(self, element: Any) -> None:
        tag = element.tag
        if tag == _W + "p":
            breaks_before = self._starts_page(element)
            if breaks_before:
                self._turn_page()
            for piece in self._paragraph(element):
                self._add(piece)
            if not breaks_before and self._holds_break(element):
                self._turn_page()
        elif tag == _W + "tbl":
            for row in self._rows(element):
                if next(row.iter(_W + "lastRenderedPageBreak"), None) is not None:
                    self._turn_page()
                cells = [" ".join(self._cell(cell)) for cell in self._cells(row)]
                if any(cells):
                    self._add(Piece(" | ".join(" ".join(cell.split()) for cell in cells), "row"))
        elif tag in (_W + "sdt", _W + "sdtContent", _W + "customXml", _W + "ins", _W + "smartTag"):
            for child in element:
                self._block(child)

    def _starts_page(self, paragraph: Any) -> bool:
        """Whether a page break stands before any of the paragraph's words."""
        properties = paragraph.find(_W + "pPr")
        if properties is not None:
            broken = properties.find(_W + "pageBreakBefore")
            if broken is not None and broken.get(_W + "val") not in ("0", "false"):
                return True
        for node in paragraph.iter(_W + "t", _W + "lastRenderedPageBreak", _W + "br"):
            if node.tag == _W + "t":
                if (node.text or "").strip():
                    return False
            elif node.tag == _W + "lastRenderedPageBreak" or node.get(_W + "type") == "page":
                return True
        return False

    @staticmethod
    def _holds_break(paragraph: Any) -> bool:
        return any(
            node.tag == _W + "lastRenderedPageBreak" or node.get(_W + "type") == "page"
            for node in paragraph.iter(_W + "lastRenderedPageBreak", _W + "br")
        )

    # --- paragraphs

    def _style(self, paragraph: Any) -> tuple[str, int, bool]:
        """Kind, heading level, and whether the style is bold, of a paragraph's style or the styles it is based on."""
        properties = paragraph.find(_W + "pPr")
        named = properties.find(_W + "pStyle") if properties is not None else None
        key = named.get(_W + "val") if named is not None else ""
        if key not in self._styles:
            self._styles[key] = self._look_up(key)
        return self._styles[key]

    def _look_up(self, key: str) -> tuple[str, int, bool]:
        kind, level, bold = "paragraph", 0, False
        styles = self._document.styles.element
        for _ in range(10):
            style = next((one for one in styles.iter(_W + "style") if one.get(_W + "styleId") == key), None)
            if style is None:
                break
            named = style.find(_W + "name")
            name = (named.get(_W + "val") if named is not None else "") or ""
            heading = _HEADING.match(name)
            outline = style.find(f"{_W}pPr/{_W}outlineLvl")
            bold = bold or style.find(f"{_W}rPr/{_W}b") is not None
            if _CONTENTS.match(name):
                return "furniture", 0, bold
            if heading and int(heading[1]) > 0:
                return "heading", min(6, int(heading[1])), bold
            if name.lower() == "title":
                return "heading", 1, bold
            if name.lower() == "subtitle":
                return "heading", 2, bold
            if outline is not None and (outline.get(_W + "val") or "9").isdigit() and int(outline.get(_W + "val")) < 6:
                return "heading", int(outline.get(_W + "val")) + 1, bold
            if _LIST.search(name) and "paragraph" not in name.lower() or style.find(f"{_W}pPr/{_W}numPr") is not None:
                kind = "item"
            based = style.find(_W + "basedOn")
            if based is None:
                break
            key = based.get(_W + "val")
        return kind, level, bold

    def _paragraph(self, paragraph: Any) -> Iterator[Piece]:
        text = _text_of(paragraph)
        kind, level, bold = self._style(paragraph)
        properties = paragraph.find(_W + "pPr")
        if kind == "paragraph" and properties is not None and properties.find(_W + "numPr") is not None:
            kind = "item"
        words = text.split()
        if kind == "paragraph" and words and len(words) <= 14 and text.rstrip()[-1] not in ".;,:!":
            if bold or _all_bold(paragraph):
                kind, level = "heading", 5
        yield Piece(text, kind, level)
        for box in _boxes_of(paragraph):
            for child in box:
                if child.tag == _W + "p":
                    yield from self._paragraph(child)
                elif child.tag == _W + "tbl":
                    for row in self._rows(child):
                        cells = [" ".join(" ".join(self._cell(cell)).split()) for cell in self._cells(row)]
                        yield Piece(" | ".join(cells), "row")

    # --- tables

    @staticmethod
    def _rows(table: Any) -> Iterator[Any]:
        for child in table:
            if child.tag == _W + "tr":
                yield child
            elif child.tag in (_W + "sdt", _W + "customXml"):
                yield from child.iter(_W + "tr")

    @staticmethod
    def _cells(row: Any) -> Iterator[Any]:
        """A row's own cells; one that carries on the cell above it is left out."""
        for cell in (
            found for child in row for found in ([child] if child.tag == _W + "tc" else child.iter(_W + "tc"))
        ):
            merged = cell.find(f"{_W}tcPr/{_W}vMerge")
            if merged is None or merged.get(_W + "val") == "restart":
                yield cell

    def _cell(self, cell: Any) -> Iterator[str]:
        for child in cell:
            if child.tag == _W + "p":
                yield from (piece.text for piece in self._paragraph(child))
            elif child.tag == _W + "tbl":
                for row in self._rows(child):
                    for inner in self._cells(row):
                        yield from self._cell(inner)
            elif child.tag == _W + "sdt":
                for content in child.iter(_W + "sdtContent"):
                    yield from self._cell(content)

    # --- edges

    def _edges(self, which: str) -> Iterator[Piece]:
        seen = set()
        for section in self._document.sections:
            part = getattr(section, which)
            if part.is_linked_to_previous:
                continue
            for paragraph in part._element.iter(_W + "p"):
                text = " ".join(_text_of(paragraph).split())
                if text and text not in seen:
                    seen.add(text)
                    yield Piece(text, "furniture")

    def _notes(self) -> Iterator[Piece]:
        from lxml import etree

        for relation in self._document.part.rels.values():
            if relation.is_external or not relation.reltype.endswith(("/footnotes", "/endnotes")):
                continue
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            root = etree.fromstring(relation.target_part.blob, parser)
            for note in root:
                if note.get(_W + "type") in (None, "normal"):
                    yield Piece(" ".join(_text_of(paragraph) for paragraph in note.iter(_W + "p")))


_KEPT = {
    _W + "tab": "\t",
    _W + "cr": " ",
    _W + "noBreakHyphen": "\u2011",
}
_SKIPPED = frozenset(
    (_W + "del", _W + "txbxContent", _W + "pPr", _W + "rPr", _W + "moveFrom", _W + "instrText", _FALLBACK)
)


def _text_of(paragraph: Any) -> str:
    """A paragraph's words as they stand: insertions kept, deletions and the insides of text boxes left out."""
    made: list[str] = []
    stack = [iter(paragraph)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif node.tag in _SKIPPED:
            continue
        elif node.tag == _W + "t":
            made.append((node.text or "").replace("\u00ad", ""))
        elif node.tag == _W + "br":
            made.append(" ")
        elif node.tag in _KEPT:
            made.append(_KEPT[node.tag])
        else:
            stack.append(iter(node))
    return "".join(made)


def _boxes_of(paragraph: Any) -> Iterator[Any]:
    """Text boxes anchored in a paragraph, each once (Word keeps a second copy for older versions)."""
    for box in paragraph.iter(_W + "txbxContent"):
        ancestor = box.getparent()
        while (
            ancestor is not None and ancestor is not paragraph and ancestor.tag not in (_FALLBACK, _W + "txbxContent")
        ):
            ancestor = ancestor.getparent()
        if ancestor is paragraph:
            yield box


def _all_bold(paragraph: Any) -> bool:
    runs = [run for run in paragraph.iter(_W + "r") if any((text.text or "").strip() for text in run.iter(_W + "t"))]
    for run in runs:
        bold = run.find(f"{_W}rPr/{_W}b")
        if bold is None or bold.get(_W + "val") in ("0", "false"):
            return False
    return bool(runs)
