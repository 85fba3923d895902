"""A copy of a PDF in which the claims and the evidence are marked with standard highlight annotations.

Written with pikepdf (MPL-2.0; the qpdf library), chosen over pypdf (BSD) by measuring both on real and odd files: the
copies of both were as often clean to ``qpdf --check``, but pikepdf took a quarter of the time, keeps encryption with
its permissions, and writes number trees, which the structure of a tagged PDF needs. An incremental save
(pypdf's) would keep the old bytes, but with their faults, and not for encrypted files.

Kept: structure, language, outlines, forms, attachments, metadata and encryption. A digital signature stays in the copy
but vouches for the original's bytes only; the first note says so. No scripts or links are written.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import dist
from typing import TYPE_CHECKING, Any

from claimscan.errors import UnmarkedDocument, UnreadableDocument
from claimscan.records import Box, Evidence, Mention, Product
from claimscan.showing import wording as say
from claimscan.showing.translating import language, message, told, tr

if TYPE_CHECKING:
    from claimscan.report import Report

_Point = tuple[float, float]

_AUTHOR = "claimscan"
_PRINT = 4  # annotation flag: shown on paper too (ISO 32000, table 165)
_LANGUAGES = {"en": "en-GB", "cy": "cy-GB"}
_MOST_REASONS = 6


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mark: its name, its colour (tints that colour-blind people tell apart) and the line under its words.

    The line tells the kinds apart in black and white: ``dash`` is None for no line, else a dash pattern, empty for a
    solid one.
    """

    name: str
    colour: tuple[float, float, float]
    looks: str
    dash: tuple[float, ...] | None = None


CLAIM = Kind(
    message("Claim"),
    (1.0, 0.91, 0.35),
    message("yellow, or green over blue, with a solid line under the words"),
    (),
)
EVIDENCE = Kind(message("Evidence"), (0.66, 0.87, 1.0), message("blue, with no line"))
CONCERN = Kind(message("Concern"), (1.0, 0.72, 0.42), message("orange, with a dashed line"), (3.0, 2.0))
_MEANS = {
    CLAIM: message("the document says that something was co-produced, or uses a word like it"),
    EVIDENCE: message("the document says who took part, what they did or what changed"),
    CONCERN: message("evidence that is worth a closer look"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotation: what kind it is, its boxes on one page in points from the top left, and what its note says."""

    kind: Kind
    boxes: tuple[Box, ...]
    note: str
    name: str


def highlighted(report: Report, data: bytes) -> bytes:
    """A copy of the PDF ``data``, from which ``report`` was made, with a highlight and a note for each place.

    The same report and bytes give the same copy, save where the file is encrypted: its encryption is kept, and that
    needs chance. A file whose owner forbids notes is not marked.

    Raises:
        UnmarkedDocument: no copy can be made: it is no PDF, it forbids notes, or it is too damaged to be sure of.
    """
    import pikepdf

    name = say.clean(report.document.source)
    if report.document.format != "pdf":
        raise UnmarkedDocument(f"{name} is not a PDF, so there is no copy with highlights of it.")
    places = marks(report)
    damaged = (
        f"{name} is damaged, and no copy of it can be made that is sure to have the same words in the same places."
    )
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            if pdf.is_encrypted and not pdf.allow.modify_annotation:
                raise UnmarkedDocument(f"The owner of {name} does not allow notes to be added to it.")
            if len(pdf.pages) != len(report.document.pages):
                raise UnmarkedDocument(damaged)
            mended = bool(pdf.get_warnings())
            _write(pdf, places, data, name, _named(report, "key"), _key(report, pdf))
            mended = mended or bool(pdf.get_warnings())
            out = io.BytesIO()
            as_it_was: dict[str, Any] = (
                {"encryption": True}
                if pdf.is_encrypted
                else {"deterministic_id": True, "stream_decode_level": pikepdf.StreamDecodeLevel.none}
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of forms that were badly made before
                # From version 1.4 on pages can be washed with colour.
                pdf.save(out, min_version="1.4", fix_metadata_version=False, **as_it_was)
    except pikepdf.PasswordError:
        raise UnmarkedDocument(f"{name} is protected with a password.") from None
    except (
        UnreadableDocument,
        pikepdf.PdfError,
        RuntimeError,
        TypeError,
        ValueError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:
        raise UnmarkedDocument(damaged) from error
    copy = out.getvalue()
    if mended and not _same_text(data, copy, name):  # what pikepdf makes of a damaged file need not be what pdfium does
        raise UnmarkedDocument(damaged)
    return copy


# --- what is marked -------------------------------------------------------------------------------------------------


def marks(report: Report) -> list[Mark]:
    """Every mark, evidence before claims, so that a claim lies on top and can be clicked. One place has one mark."""
    found: dict[tuple[Box, ...], list[tuple[Kind, str, str]]] = {}
    for product in say.in_order(report):
        for longest, group in say.chosen_evidence(report, product):
            kind, note = _evidence_note(report, product, group)
            found.setdefault(_solid(report.boxes.get(longest.id, ())), []).append((kind, note, longest.id))
    evidence = _marks(report, found)
    claims: dict[tuple[Box, ...], list[tuple[Kind, str, str]]] = {}
    for product in say.in_order(report):
        own = [m for m in report.mentions if m.id in product.mentions]
        for mention in say.claims_of(report, product) or own:
            note = _claim_note(report, product, mention)
            claims.setdefault(_solid(report.boxes.get(mention.id, ())), []).append((CLAIM, note, mention.id))
    return [*evidence, *_marks(report, claims)]


def _solid(boxes: Iterable[Box]) -> tuple[Box, ...]:
    return tuple(b for b in boxes if b.x1 > b.x0 and b.bottom > b.top)


def _marks(report: Report, found: Mapping[tuple[Box, ...], Sequence[tuple[Kind, str, str]]]) -> list[Mark]:
    made = []
    for boxes, notes in found.items():
        kinds = [kind for kind, _, _ in notes]
        kind = CONCERN if CONCERN in kinds else kinds[0]
        note = "\n\n".join(dict.fromkeys(note for _, note, _ in notes))
        for page in sorted({b.page for b in boxes}):
            made.append(
                Mark(kind, tuple(b for b in boxes if b.page == page), note, f"{_named(report, notes[0][2])}-{page}")
            )
    return made


def _named(report: Report, what: str) -> str:
    """A name for a mark that stays the same, and that no mark of an earlier copy of the document has."""
    return f"{_AUTHOR}-{report.document.id[:8]}-{what}"


def _evidence_note(report: Report, product: Product, group: Sequence[Evidence]) -> tuple[Kind, str]:
    finding = report.findings[product.id]
    ids = {e.id for e in group}
    flags = [f for f in finding.flags if ids & set(f.evidence)]
    kind = CONCERN if any(f.kind == "concern" for f in flags) else EVIDENCE
    opening = tr("Evidence, with a concern") if kind is CONCERN else tr("Evidence")
    lines = [f"{opening}: {say.says(group)}.", tr("It is about: {name}.").format(name=say.name(product, 140))]
    lines += [f"{say.word(f.kind, 'flags')}: {say.sentence(tr(f.plain))}" for f in flags]
    reasons = [r for r in finding.reasons if ids & set(r.evidence)]
    ruled = tr("{text} (rule {rule})")
    lines += [ruled.format(text=say.sentence(told(r.text)), rule=say.clean(r.rule)) for r in reasons[:_MOST_REASONS]]
    if not reasons:
        lines.append(tr("The grade does not rest on this."))
    rules = ", ".join(dict.fromkeys(say.clean(e.rule) for e in group))
    lines.append(tr("Found by rule {rule}.").format(rule=rules))
    return kind, "\n".join(lines)


def _claim_note(report: Report, product: Product, mention: Mention) -> str:
    finding = report.findings[product.id]
    words = say.kind_of_use(mention.type)
    lines = [
        say.sentence(words if mention.type in ("DOC_DONE", "OTHER_DONE") else f"{tr(CLAIM.name)}: {words}"),
        tr("It is about: {name}.").format(name=say.name(product, 140)),
        " ".join(part for part in (say.shows(finding), say.ceiling(finding)) if part),
        *say.asides(finding),
        tr("Found by rule {rule}.").format(rule=say.clean(mention.rule)),
    ]
    return "\n".join(lines)


def _key(report: Report, pdf: Any) -> str:
    """The words of the note on the first page: what the colours mean, what was found, and the fair sentence."""
    lines = [tr("This is a copy. claimscan added the highlights; the document's own words are as they were.")]
    lines += [f"{tr(kind.name)} ({tr(kind.looks)}): {tr(means)}." for kind, means in _MEANS.items()]
    lines.append(say.claims_found(report))
    lines.append(tr(say.FAIR))
    if report.provenance.get("corrections"):
        lines.append(tr("Some of what the notes say was changed by hand."))
    if _is_signed(pdf):
        lines.append(tr("A digital signature in this document is of the original, not of this copy."))
    return "\n".join(lines)


def _is_signed(pdf: Any) -> bool:
    form = pdf.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if hasattr(form, "keys") else 0
    return isinstance(flags, int) and bool(flags & 1)


# --- writing them ---------------------------------------------------------------------------------------------------


def _write(pdf: Any, places: Sequence[Mark], data: bytes, name: str, key_name: str, key: str) -> None:
    """Add the key and the marks to the pages of an open PDF."""
    by_page: dict[int, list[Mark]] = {1: []}
    for mark in places:
        by_page.setdefault(mark.boxes[0].page, []).append(mark)
    structure = _Structure(pdf)
    for number, maps in _maps(data, name, sorted(by_page)):
        page = pdf.pages[number - 1].obj
        new = [_sticky(pdf, page, maps, key_name, key)] if number == 1 else []
        new += [_highlight(pdf, page, mark, maps) for mark in by_page[number]]
        _append(pdf, page, new)
        if structure.tagged:
            if "/Tabs" not in page:
                page.Tabs = _pdf_name("S")
            for annotation in new:
                structure.add(annotation, page)


def _append(pdf: Any, page: Any, new: Sequence[Any]) -> None:
    """Put annotations behind those of the page. The list is a new one: the old may be shared, or not a list at all."""
    import pikepdf

    old = page.get("/Annots")
    page.Annots = pikepdf.Array([*(old if isinstance(old, pikepdf.Array) else []), *new])


class _Map:
    """From points below the top left of a page as shown to the page's own coordinates."""

    def __init__(self, turn: Sequence[float]) -> None:
        self.a, self.b, self.c, self.d, self.e, self.f = turn
        self.size = self.a * self.d - self.b * self.c

    def point(self, x: float, y: float) -> tuple[float, float]:
        x, y = x - self.e, y - self.f
        return round((self.d * x - self.c * y) / self.size, 3), round((self.a * y - self.b * x) / self.size, 3)

    def corners(self, box: Box) -> list[tuple[float, float]]:
        """Top left, top right, bottom left, bottom right as shown: the order that readers expect of QuadPoints."""
        return [self.point(x, y) for y in (box.top, box.bottom) for x in (box.x0, box.x1)]


def _maps(data: bytes, name: str, pages: Iterable[int]) -> Iterator[tuple[int, _Map]]:
    """The map of each page, from pdfium, which measured the boxes: so turned and cropped pages need no rules here."""
    import pypdfium2_raw as pdfium

    from claimscan.reading.opening import opened, turn

    with opened(data, name) as file:
        for number in pages:
            page = pdfium.FPDF_LoadPage(file, number - 1)
            if not page:
                continue
            try:
                width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
                found = _Map(turn(page, width, height))
                if found.size:
                    yield number, found
            finally:
                pdfium.FPDF_ClosePage(page)


def _highlight(pdf: Any, page: Any, mark: Mark, maps: _Map) -> Any:
    import pikepdf

    quads = [maps.corners(box) for box in mark.boxes]
    rect = _around(point for quad in quads for point in quad)
    paint = ["/Wash gs", _numbers(mark.kind.colour) + " rg"]
    for (ax, ay), (bx, by), (cx, cy), (dx, dy) in quads:
        paint.append(f"{_numbers((ax, ay))} m {_numbers((bx, by))} l {_numbers((dx, dy))} l {_numbers((cx, cy))} l f")
    if mark.kind.dash is not None:
        paint.append(f"0.25 G 0.9 w [{_numbers(mark.kind.dash)}] 0 d")
        for quad in quads:
            paint.append(_line(*quad))
    return _annotation(
        pdf,
        page,
        mark.name,
        rect,
        mark.note,
        paint,
        Subtype=_pdf_name("Highlight"),
        Subj=pikepdf.String(tr(mark.kind.name)),
        C=pikepdf.Array(mark.kind.colour),
        QuadPoints=pikepdf.Array([value for quad in quads for point in quad for value in point]),
    )


def _line(a: _Point, b: _Point, c: _Point, d: _Point) -> str:
    """A line under the words: half a point inside the box, so that no reader cuts it off."""
    wide, tall = dist(a, b), dist(a, c)
    start, end, away, depth = (a, c, b, wide) if tall > 1.5 * wide else (c, d, a, tall)  # sideways words, or level ones
    part = min(0.5, 0.5 / depth) if depth else 0.0
    over = (away[0] - start[0]) * part, (away[1] - start[1]) * part
    return (
        f"{_numbers((start[0] + over[0], start[1] + over[1]))} m {_numbers((end[0] + over[0], end[1] + over[1]))} l S"
    )


def _sticky(pdf: Any, page: Any, maps: _Map, name: str, key: str) -> Any:
    """The key to the colours, as a small note in the corner of the first page."""
    import pikepdf

    top, side = 4.0, 16.0
    rect = _around(maps.corners(Box(1, top, top, top + side, top + side)))
    left, low = rect[0], rect[1]
    paint = [f"1 g 0.3 G 0.8 w {_numbers((left + 0.5, low + 0.5, side - 1, side - 1))} re B"]
    for row, kind in enumerate((CONCERN, EVIDENCE, CLAIM)):
        paint.append(f"{_numbers(kind.colour)} rg {_numbers((left + 2.5, low + 2.5 + 4 * row, side - 5, 3))} re f")
    return _annotation(
        pdf,
        page,
        name,
        rect,
        key,
        paint,
        Subtype=_pdf_name("Text"),
        Subj=pikepdf.String(tr("What the colours mean")),
        C=pikepdf.Array(CLAIM.colour),
        Name=_pdf_name("Note"),
        Open=False,
    )


def _annotation(
    pdf: Any, page: Any, name: str, rect: Sequence[float], note: str, paint: Sequence[str], **more: Any
) -> Any:
    import pikepdf

    # "Multiply" darkens as a felt pen does: black words stay black.
    wash = pikepdf.Dictionary(Type=_pdf_name("ExtGState"), BM=_pdf_name("Multiply"))
    look = pdf.make_stream(
        "\n".join(paint).encode("ascii"),
        Type=_pdf_name("XObject"),
        Subtype=_pdf_name("Form"),
        BBox=pikepdf.Array(rect),
        Resources=pikepdf.Dictionary(ExtGState=pikepdf.Dictionary(Wash=wash)),
        Group=pikepdf.Dictionary(S=_pdf_name("Transparency")),
    )
    return pdf.make_indirect(
        pikepdf.Dictionary(
            Type=_pdf_name("Annot"),
            Rect=pikepdf.Array(rect),
            Contents=pikepdf.String(note),
            T=pikepdf.String(_AUTHOR),
            NM=pikepdf.String(name),
            Lang=pikepdf.String(_LANGUAGES[language()]),
            F=_PRINT,
            P=page,
            AP=pikepdf.Dictionary(N=look),
            **more,
        )
    )


def _around(points: Iterable[tuple[float, float]]) -> tuple[float, float, float, float]:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value:.3f}".rstrip("0").rstrip(".") for value in values)


def _pdf_name(name: str) -> Any:
    import pikepdf

    return pikepdf.Name("/" + name)


class _Structure:
    """The structure tree of a tagged PDF, to which an element is added for each annotation (ISO 14289-1, 7.18).

    A tree that is not as the standard has it is kept as it is, with nothing added.
    """

    def __init__(self, pdf: Any) -> None:
        import pikepdf

        self._pdf = pdf
        self.tagged = False
        root = pdf.Root.get("/StructTreeRoot")
        if not isinstance(root, pikepdf.Dictionary) or not isinstance(root.get("/ParentTree"), pikepdf.Dictionary):
            return
        # The elements go to the end of the one element that holds the document, or else of the root itself.
        parent, kids = root, root.get("/K")
        if isinstance(kids, pikepdf.Array) and len(kids) == 1:
            kids = kids[0]
        if isinstance(kids, pikepdf.Dictionary) and kids.is_indirect and "/S" in kids:
            parent = kids
        if not parent.is_indirect or not (parent.get("/K") is None or self._is_kids(parent.K)):
            return
        self._numbers = pikepdf.NumberTree(root.ParentTree)
        next_key = root.get("/ParentTreeNextKey")
        highest = max((int(key) for key in self._numbers), default=-1) + 1
        self._next = max(highest, next_key if isinstance(next_key, int) else 0)
        self._root, self._parent = root, parent
        self.tagged = True

    @staticmethod
    def _is_kids(kids: Any) -> bool:
        import pikepdf

        return isinstance(kids, (pikepdf.Array, pikepdf.Dictionary, int))

    def add(self, annotation: Any, page: Any) -> None:
        import pikepdf

        place = pikepdf.Dictionary(Type=_pdf_name("OBJR"), Obj=annotation, Pg=page)
        element = self._pdf.make_indirect(
            pikepdf.Dictionary(Type=_pdf_name("StructElem"), S=_pdf_name("Annot"), P=self._parent, Pg=page, K=place)
        )
        kids = self._parent.get("/K")
        if isinstance(kids, pikepdf.Array):
            kids.append(element)
        else:
            self._parent.K = pikepdf.Array([element] if kids is None else [kids, element])
        annotation.StructParent = self._next
        self._numbers[self._next] = element
        self._next += 1
        self._root.ParentTreeNextKey = self._next


# --- making sure ----------------------------------------------------------------------------------------------------


def _same_text(one: bytes, other: bytes, name: str) -> bool:
    """Whether two PDFs have the same words on the same pages."""
    from claimscan.errors import ClaimscanError

    try:
        return all(a == b for a, b in zip(_texts(one, name), _texts(other, name), strict=True))
    except (ClaimscanError, ValueError):
        return False


def _texts(data: bytes, name: str) -> Iterator[str]:
    import pypdfium2_raw as pdfium

    from claimscan.reading.opening import opened, page_text

    with opened(data, name) as file:
        for index in range(pdfium.FPDF_GetPageCount(file)):
            page = pdfium.FPDF_LoadPage(file, index)
            text = pdfium.FPDFText_LoadPage(page) if page else None
            try:
                yield page_text(text, pdfium.FPDFText_CountChars(text)) if text else ""
            finally:
                if text:
                    pdfium.FPDFText_ClosePage(text)
                if page:
                    pdfium.FPDF_ClosePage(page)
