"""Every record that passes between steps, and the settings record. No input or output here.

All records are frozen. Offsets are half-open character offsets into ``Document.text``. Pages count from 1.
Boxes are in PDF points with the origin at the top left of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# --- what was read --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds and choices of one run. They are part of the provenance.

    Attributes:
        max_pages: pages read from one document; the rest are listed as unread.
        max_bytes: size of a file that is still opened, in bytes.
        max_page_chars: characters kept from one page; a page with more is cut and warned about.
        max_seconds: time allowed for reading one document, in seconds.
        ocr: read pages that have no text layer by OCR (needs the ``ocr`` extra).
        ocr_language: tesseract language codes joined by ``+``.
    """

    max_pages: int = 5000
    max_bytes: int = 500_000_000
    max_page_chars: int = 200_000
    max_seconds: float = 300.0
    ocr: bool = False
    ocr_language: str = "eng"


@dataclass(frozen=True, slots=True)
class Box:
    page: int
    x0: float
    top: float
    x1: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``unread`` is a reason in plain words where nothing could be read from it; ``ocr`` marks OCR text."""

    number: int
    start: int
    end: int
    width: float = 0.0
    height: float = 0.0
    unread: str = ""
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text that belongs together: a paragraph, list item, heading, table row or box paragraph.

    ``kind`` is one of ``heading``, ``paragraph``, ``item``, ``row``, ``furniture`` (running heads, page numbers, contents
    lines: kept in the text so that nothing is lost, never judged). ``level`` is the heading's depth (1 is the title),
    0 for other kinds. A block never crosses a page.
    """

    start: int
    end: int
    page: int
    kind: str = "paragraph"
    level: int = 0


@dataclass(frozen=True, slots=True)
class Warning_:
    code: str
    message: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document as text in reading order, with its pages and blocks.

    ``anchors`` lets the reader that made the document find the place on the page of any character; only ``reading`` knows
    its shape. It is not part of equality or of the report.
    """

    id: str
    source: str
    format: str
    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    title: str = ""
    warnings: tuple[Warning_, ...] = ()
    anchors: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Population:
    """Codebook E1: who the document is about. ``kind``: adults, children, all_age, carers, residents or unknown."""

    label: str = ""
    kind: str = "unknown"
    quote: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence (or heading, list item, table row) of one block. ``heading`` is the nearest heading above it."""

    start: int
    end: int
    text: str
    page: int
    block: int
    kind: str = "paragraph"
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """What the parse says about the clause of one trigger word.

    Attributes:
        form: noun, base, past, participle, adjective, gerund or present.
        mood: done, ongoing, habit, future, plan, duty, possible, order (imperative) or none (no finite verb governs it).
        negated: a negation scopes over the trigger.
        subject: the words of the governing clause's subject.
        thing: the words for what is made, where the clause says.
        who: the words after "with" or "by".
        verb: the governing verb as printed, lower case.
        speaker: the words for whoever says it, where a verb of saying stands above the clause.
    """

    form: str
    mood: str
    negated: bool = False
    subject: str = ""
    thing: str = ""
    who: str = ""
    verb: str = ""
    speaker: str = ""


# --- what was found -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mention:
    """One span containing a trigger (codebook section 0), with its type (section 1).

    ``thing`` is the words for what was made, as printed, where the clause says so ("this strategy"); ``who`` is the words
    for the people it was made with.
    """

    id: str
    start: int
    end: int
    text: str
    page: int
    sentence: Sentence
    family: str
    type: str
    rule: str
    score: float
    hedge: bool = False
    scope: str = "whole"
    thing: str = ""
    who: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One span that fills one slot (codebook section 2) of one product.

    ``who`` is whose evidence it is: le, parent_carer, proxy, public, professional, organisations, mixed, unclear or "".
    ``detail`` carries the fields of ``count`` (le_n, total_n, kind, unit, low, high), the ``frequency`` of continuity and
    the ``axis`` of breadth. Slot ``mark`` holds the marks of rule C5 (recycled, negated, reason_given, credited,
    children_took_part, body, commercial, disclosed, pointer).
    """

    id: str
    slot: str
    value: str
    start: int
    end: int
    quote: str
    page: int
    rule: str
    score: float
    who: str = ""
    certainty: str = "explicit"
    product: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """One thing made. ``mentions`` are ids; empty where the document describes it without a trigger word (E20)."""

    id: str
    name: str
    is_document: bool
    mentions: tuple[str, ...] = ()


# --- what was judged ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the grading. ``rule`` and ``facts`` replay: see :func:`claimscan.grading.replay`."""

    rule: str
    text: str
    evidence: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What would raise the grade: the grade reached, what is needed in plain words, and the gap it closes."""

    to: str
    needs: str
    gap: str


@dataclass(frozen=True, slots=True)
class Flag:
    code: str
    kind: str
    plain: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    gap: str
    ask: str
    record: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement of one product (codebook sections 3 to 5)."""

    product: str
    grade: str
    label: str
    band: str
    plain: str
    supports: str
    ceiling: str
    proxy_grade: str | None
    borderline: bool
    second_reading: str | None
    score: float
    slots: Mapping[str, Any]
    reasons: tuple[Reason, ...]
    next: tuple[Step, ...]
    flags: tuple[Flag, ...]
    questions: tuple[Question, ...]
    crosswalk: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to check by eye. ``item`` is the id of a mention or of evidence; ``why`` is ``rests`` (a grade rests on this
    evidence), ``claim`` (read as a claim) or ``no_claim`` (read as none)."""

    item: str
    product: str
    page: int
    score: float
    why: str


# --- what was answered ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """What a body answered to one finding about it (a right of reply). All words are the body's own, save the first four.

    Attributes:
        document: the document's id; ``source``: its name in the run.
        product: the name of the thing made, as the finding has it.
        claim: the claim's sentence, empty where there was none; with ``product`` it finds the finding again after rules
            have changed.
        answer: their answer. ``evidence``: what they offer or where it can be found. ``by``: who answers. ``on``: the day,
            as they wrote it.
    """

    document: str
    source: str
    product: str
    claim: str
    answer: str
    evidence: str = ""
    by: str = ""
    on: str = ""


# --- what was changed by hand -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Anchor:
    """Words of a document and what stands around them, so that they are found again in another reading of it.

    ``start`` and ``page`` are where they stood when they were anchored.
    """

    quote: str
    prefix: str = ""
    suffix: str = ""
    start: int = 0
    page: int = 1


@dataclass(frozen=True, slots=True)
class ProductAnchor:
    """A product as a correction names it: by its name and by the words that claim or describe it (``at``).

    ``new``: it is one that the rules did not see; it is made where it is not found.
    """

    name: str
    is_document: bool = False
    at: Anchor | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """One change that a person makes to a report.

    Attributes:
        kind: ``wrong`` (it is no such thing), ``changed``, ``moved`` (to another product), ``added`` or ``removed`` (a product).
        of: ``mention``, ``evidence`` or ``product``.
        at: the words that it is about; for a product, those that claim or describe it.
        was: what the report said of them, by field; empty for ``added``.
        to: what a person says, by field; only the fields that change.
        product: the product that it is moved or added to, or that is removed.
        note, by: why, and who says so. Never required.
        item: the id in the report that it was made on; a hint and nothing more.
    """

    kind: str
    of: str
    at: Anchor
    was: Mapping[str, Any] = field(default_factory=dict)
    to: Mapping[str, Any] = field(default_factory=dict)
    product: ProductAnchor | None = None
    note: str = ""
    by: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """A correction in its place in one report.

    Attributes:
        item: the id there of what was changed. ``page``: where it stands; ``quote``: its words there.
        before, after: the fields that are different; ``before`` is empty for what was added, ``after`` for what was taken out.
            Both are empty where the report says already what the person says.
    """

    correction: Correction
    item: str
    page: int
    quote: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A correction that has no place in this report, and why in plain words."""

    correction: Correction
    why: str
