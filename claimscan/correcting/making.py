"""One correction made from a report and a choice, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from claimscan.codebook import tables
from claimscan.correcting.anchors import Words, anchor, page
from claimscan.correcting.applying import apply, said_of
from claimscan.correcting.form import CERTAINTIES, MOST_WORDS, SCOPES, Corrections, check, merged
from claimscan.errors import CorrectionError
from claimscan.grading.gathering import SILENT
from claimscan.records import Anchor, Correction, Evidence, Mention, Product, ProductAnchor
from claimscan.report import Report
from claimscan.showing import wording as say
from claimscan.showing.translating import message, tr


@dataclass(frozen=True, slots=True)
class Choice:
    """A code and its plain words."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class SlotChoice:
    """A slot, its plain words, and the values that words of a document can state for it, weakest first."""

    code: str
    words: str
    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form offers for one item. ``now``: what the report says of it by field, the product by its id.

    ``of`` is ``mention`` (then ``types`` and ``scopes`` are filled) or ``evidence`` (then the rest; ``units``: what a count
    counts).
    """

    item: str
    of: str
    now: Mapping[str, Any]
    types: tuple[Choice, ...] = ()
    scopes: tuple[Choice, ...] = ()
    slots: tuple[SlotChoice, ...] = ()
    who: tuple[Choice, ...] = ()
    certainties: tuple[Choice, ...] = ()
    products: tuple[Choice, ...] = ()
    units: tuple[Choice, ...] = ()


def choices(report: Report, item_id: str = "") -> Choices:
    """What can be chosen for a mention or a piece of evidence; without an id, for evidence that is to be added.

    Raises:
        CorrectionError: the report has no such item.
    """
    products = tuple(Choice(p.id, say.name(p, 1000)) for p in say.in_order(report))
    item: Mention | Evidence | None = None
    if item_id:
        present: list[Mention | Evidence] = [*report.mentions, *report.evidence]  # as it was changed, if it was
        item = next((one for one in present if one.id == item_id), None) or _item(report, item_id)
    if isinstance(item, Mention):
        return Choices(
            item_id,
            "mention",
            {**said_of(item, {}), "product": item.product},
            types=tuple(Choice(code, say.kind_of_use(code)) for code in say.tables()["mentions"]),
            scopes=tuple(Choice(code, say.word(code, "values", "scope")) for code in SCOPES),
            products=products,
        )
    return Choices(
        item_id,
        "evidence",
        (
            {**said_of(item, {}), "product": item.product, "count": dict(item.detail) if item.slot == "count" else {}}
            if item
            else {}
        ),
        slots=tuple(_slot(name) for name in say.tables()["slots"]),
        who=tuple(Choice(code, say.word(code, "people") if code else tr("not said here")) for code in tables().who),
        certainties=tuple(Choice(code, tr(_CERTAINTY[code])) for code in CERTAINTIES),
        products=products,
        units=tuple(Choice(code, say.word(code, "values", "unit")) for code in say.tables()["values"]["unit"]),
    )


_CERTAINTY = {"explicit": message("the words say it"), "borderline": message("the words can be read in two ways")}
_COUNTS = {
    "vague": message("no number given (some, many)"),
    "proportion_only": message("a share only"),
    "one_of_many": message("one person in a larger group"),
    "range": message("from one number to another"),
    "approx": message("about this many"),
    "max": message("at most this many"),
    "min": message("at least this many"),
    "exact": message("exactly this many"),
}


def _slot(name: str) -> SlotChoice:
    def words(code: str) -> str:
        if name in ("authorship", "reviewers", "contributors"):
            return say.word(code, "people")
        return tr(_COUNTS.get(code, code)) if name == "count" else say.word(code, "values", name)

    values = tuple(Choice(code, words(code)) for code in tables().slots[name].values if code not in SILENT)
    return SlotChoice(name, say.slot_name(name) or tr("something else that counts"), values)


def wrong(report: Report, item_id: str, *, note: str = "", by: str = "") -> Correction:
    """That a mention or a piece of evidence is none.

    Raises:
        CorrectionError: the report has no such item.
    """
    return _about(report, item_id, "wrong", note=note, by=by)


def retyped(
    report: Report,
    item_id: str,
    type: str | None = None,
    *,
    hedge: bool | None = None,
    scope: str | None = None,
    product: str = "",
    note: str = "",
    by: str = "",
) -> Correction:
    """That a use of the word is of another type, is hedged or not, or has another scope.

    Args:
        product: the id of the product that it is about now; without it the document itself for a claim about the document, a
            new one for a claim about something else that had none.

    Raises:
        CorrectionError: the report has no such mention or product, or there is no such type or scope.
    """
    to = {name: value for name, value in (("type", type), ("hedge", hedge), ("scope", scope)) if value is not None}
    if not isinstance(_item(report, item_id), Mention):
        raise CorrectionError(f"“{say.short(item_id, 40)}” is no use of the word, so it has no type.")
    thing = product_anchor(report, _known(report, product)) if product else None
    return _about(report, item_id, "changed", to, thing, note, by)


def revalued(
    report: Report,
    item_id: str,
    slot: str | None = None,
    value: str | None = None,
    who: str | None = None,
    *,
    certainty: str | None = None,
    count: Mapping[str, Any] | None = None,
    note: str = "",
    by: str = "",
) -> Correction:
    """That evidence fills another slot, has another value, or is somebody else's.

    Args:
        count: for the slot count: le_n, total_n, low, high (whole numbers) and unit.

    Raises:
        CorrectionError: the report has no such evidence, or there is no such slot or value.
    """
    said = (("slot", slot), ("value", value), ("who", who), ("certainty", certainty))
    to: dict[str, Any] = {name: code for name, code in said if code is not None}
    if count is not None:
        to["count"] = dict(count)
    if not isinstance(_item(report, item_id), Evidence):
        raise CorrectionError(f"“{say.short(item_id, 40)}” is no evidence, so it fills no slot.")
    return _about(report, item_id, "changed", to, None, note, by)


def moved(
    report: Report, item_id: str, product: str = "", *, thing: str = "", note: str = "", by: str = ""
) -> Correction:
    """That a mention or evidence is about another product.

    Args:
        product: its id; or ``thing``: the name of one that the report does not have.

    Raises:
        CorrectionError: the report has no such item or product.
    """
    return _about(report, item_id, "moved", None, _product(report, product, thing), note, by)


def added(
    report: Report,
    product: str,
    slot: str,
    value: str,
    quote: str,
    page: int | None = None,
    *,
    thing: str = "",
    who: str = "",
    certainty: str = "explicit",
    count: Mapping[str, Any] | None = None,
    note: str = "",
    by: str = "",
) -> Correction:
    """Evidence that the rules did not see, in words of the document.

    Args:
        product: the id of the product it is about; or, where that is empty, ``thing``: the name of one that the report does
            not have.
        quote: words of the document; line breaks, hyphens, case and punctuation make no difference.
        page: where they stand; without it, wherever they stand first.

    Raises:
        CorrectionError: the words are not there, or there is no such product, slot or value.
    """
    if len(quote) > MOST_WORDS:
        raise CorrectionError(f"The words are longer than {MOST_WORDS:,} characters.", "Give one sentence.")
    to: dict[str, Any] = {"slot": slot, "value": value, "who": who, "certainty": certainty}
    if count is not None:
        to["count"] = dict(count)
    at = _quoted(report, quote, page)
    return check(Correction("added", "evidence", at, {}, to, _product(report, product, thing), note, by))


def removed(report: Report, product: str, *, note: str = "", by: str = "") -> Correction:
    """That a product is not one thing made: it is no longer graded, and what was linked to it is about nothing here.

    Raises:
        CorrectionError: the report has no such product.
    """
    known = _known(report, product)
    thing = product_anchor(report, known)
    was = {"name": known.name, "is_document": known.is_document, "grade": report.findings[product].grade}
    return check(Correction("removed", "product", thing.at or Anchor(known.name), was, {}, thing, note, by, product))


def gathered(report: Report, corrections: Iterable[Correction] = ()) -> Corrections:
    """All corrections that a report has, and these, as they are exported and applied."""
    base = report.as_read or report
    mine = [*(one.correction for one in report.corrections), *(one.correction for one in report.unplaced)]
    about = base.document
    return Corrections(about.id, about.source, dict(base.provenance), merged([*mine, *corrections]))


def without(report: Report, *corrections: Correction) -> Report:
    """The report as if these corrections had not been made."""
    base = report.as_read or report
    kept = tuple(one for one in gathered(report).corrections if one not in corrections)
    made_on = report.provenance.get("corrections_made_on", base.document.id)
    return apply(base, Corrections(made_on, base.document.source, dict(base.provenance), kept))


def product_anchor(report: Report, product: Product) -> ProductAnchor:
    """A product by its name and by the first words that claim or describe it."""
    own = next((m for m in report.mentions if m.id in product.mentions), None)
    items: list[Mention | Evidence] = [*report.evidence, *report.mentions]
    first = own or next((i for i in items if i.product == product.id), None)
    at = _anchored(report, first.start, first.end) if first else None
    base = report.as_read or report
    new = all(p.id != product.id for p in base.products)
    return ProductAnchor(product.name, product.is_document, at, new)


def _about(
    report: Report,
    item_id: str,
    kind: str,
    to: Mapping[str, Any] | None = None,
    product: ProductAnchor | None = None,
    note: str = "",
    by: str = "",
) -> Correction:
    item = _item(report, item_id)
    base = report.as_read or report
    names = {p.id: p.name for p in (*report.products, *base.products)}
    of = "mention" if isinstance(item, Mention) else "evidence"
    at = _anchored(report, item.start, item.end)
    return check(Correction(kind, of, at, said_of(item, names), dict(to or {}), product, note, by, item_id))


def _anchored(report: Report, start: int, end: int) -> Anchor:
    return anchor(report.document, start, min(end, start + MOST_WORDS))


def _item(report: Report, item_id: str) -> Mention | Evidence:
    """The item as the rules read it, or as it was added; what was changed since is no part of what a correction names."""
    base = report.as_read or report
    read: list[Mention | Evidence] = [*base.mentions, *base.evidence]
    for one in read:
        if one.id == item_id:
            return one
    here = {e.id for e in report.evidence}
    for change in report.corrections:  # what was added by hand, before it was changed again
        if change.item == item_id and change.correction.kind == "added" and item_id in here:
            alone = apply(base, Corrections("", "", {}, (change.correction,)))
            return next(e for e in alone.evidence if e.id == item_id)
    for item in report.evidence:
        if item.id == item_id:
            return item
    raise CorrectionError(f"There is no “{say.short(item_id, 40)}” in this report.", "Choose one that it shows.")


def _known(report: Report, product: str) -> Product:
    for one in report.products:
        if one.id == product:
            return one
    raise CorrectionError(
        f"There is no product “{say.short(product, 40)}” in this report.", "Choose one that it shows."
    )


def _product(report: Report, product: str, thing: str) -> ProductAnchor:
    if product:
        return product_anchor(report, _known(report, product))
    name = " ".join(thing.split())[:120]
    if not name:
        raise CorrectionError("It has to be said which product is meant.", "Choose one, or name a new one.")
    return ProductAnchor(name, new=True)


def _quoted(report: Report, quote: str, wanted: int | None) -> Anchor:
    found = Words(report.document).every(quote)
    if not found:
        raise CorrectionError(
            "These words are not in the document.", "Copy them from the document as they stand there."
        )
    pages = [page(report.document, start) for start, _ in found]
    if wanted is not None and wanted not in pages:
        where = say.page_ranges(pages)
        raise CorrectionError(
            f"These words are not on page {wanted}; they are on {where}.", "Give the page they are on."
        )
    start, end = found[pages.index(wanted) if wanted is not None else 0]
    return _anchored(report, start, end)
