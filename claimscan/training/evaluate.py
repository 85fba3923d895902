"""claimscan run over the corpus and set beside the gold, item by item.

Everything is kept as *items*: one plain record for each mention, product, slot, flag and quote, with what the gold
says and what was found. :mod:`claimscan.training.figures` counts them.

Four sources of findings:

``text``  ``claimscan.check_text`` on the clean text; spans are matched by offset, white space and hyphens aside.
``pdf``   ``claimscan.check`` on each PDF; spans are matched by the boxes that pdfplumber gives them, so a right
          quote in the wrong place is wrong.
``gold``  the grading rules on the gold evidence itself: what is lost here is lost by the rules or by the annotation.
``second``  a second annotation of the same document, blind to the first: how well two annotators agree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from claimscan.errors import UsageError
from claimscan.training import corpus
from claimscan.training import gold as marks
from claimscan.training.gold import GoldDocument, GoldEvidence, GoldMention, GoldProduct
from claimscan.training.places import squeeze

if TYPE_CHECKING:
    from claimscan.records import Document

Item = dict[str, Any]
Boxes = Sequence[Mapping[str, float]]
NONE = "(none)"
FOUND = 0.5  # how much of a gold quote a found span must cover


# --- two kinds of place ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a span is: a half-open range of squeezed letters, or boxes on pages. ``share`` compares two of one kind."""

    start: int = 0
    end: int = 0
    boxes: tuple[tuple[int, float, float, float, float], ...] = ()

    @staticmethod
    def of_boxes(boxes: Boxes) -> Place:
        return Place(boxes=tuple((int(b["page"]), b["x0"], b["top"], b["x1"], b["bottom"]) for b in boxes))

    @property
    def pages(self) -> frozenset[int]:
        return frozenset(box[0] for box in self.boxes)

    def share(self, other: Place) -> float:
        """How much of this place the other covers, 0 to 1: of its letters, or of its area."""
        if not self.boxes:
            return max(0, min(self.end, other.end) - max(self.start, other.start)) / max(1, self.end - self.start)
        area = sum((x1 - x0) * (bottom - top) for _, x0, top, x1, bottom in self.boxes)
        covered = sum(
            max(0.0, min(x1, X1) - max(x0, X0)) * max(0.0, min(bottom, BOTTOM) - max(top, TOP))
            for page, x0, top, x1, bottom in self.boxes
            for PAGE, X0, TOP, X1, BOTTOM in other.boxes
            if page == PAGE
        )
        return min(1.0, covered / area) if area else 0.0


def _assign(weights: np.ndarray[Any, Any]) -> dict[int, int]:
    """Row to column, one to one, with the greatest sum of weights; pairs of weight 0 are left out."""
    if not weights.size:
        return {}
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns) if weights[r, c] > 0}


# --- one document ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """One report with the places of its spans and of the gold spans, of the same kind."""

    report: Mapping[str, Any]
    gold: Mapping[str, Place]
    found: Mapping[str, Place]
    read: Mapping[str, bool]  # gold quotes whose words are in the text that was read
    placed: Mapping[str, bool]  # and whose place on the page the reader can give


def _in_text(document: GoldDocument, report: Any) -> Reading:
    """Places as ranges of squeezed letters of the clean text."""
    _, where = squeeze(document.text)
    _, theirs = squeeze(report.text)
    if squeeze(document.text)[0] != squeeze(report.text)[0]:
        raise UsageError(f"{document.id}: the text that was read has not the letters of the clean text.")

    def place(start: int, end: int, offsets: list[int]) -> Place:
        first, last = np.searchsorted(offsets, [start, end])
        return Place(int(first), int(last))

    data = report.to_dict()
    spans: tuple[GoldMention | GoldEvidence, ...] = (*document.mentions, *document.evidence)
    return Reading(
        data,
        {item.id: place(item.start, item.end, where) for item in spans},
        {item["id"]: place(item["start"], item["end"], theirs) for item in (*data["mentions"], *data["evidence"])},
        {e.id: True for e in document.evidence},
        {},
    )


def _in_pdf(document: GoldDocument, layout: str, folder: Path) -> Reading:
    """Places as boxes in the PDF of one layout."""
    import claimscan
    from claimscan.reading import locate

    path = folder / "pdf" / f"{document.id}.{layout}.pdf"
    boxes_path = folder / "gold" / f"{document.id}.{layout}.boxes.json"
    if not path.exists() or not boxes_path.exists():
        raise UsageError(f"{path} is not there.", "Run `python -m claimscan.training compile` first.")
    report = claimscan.check(str(path))
    data = report.to_dict()
    boxes = json.loads(boxes_path.read_text(encoding="utf-8"))
    gold = {item["id"]: Place.of_boxes(item["boxes"]) for item in (*boxes["mentions"], *boxes["evidence"])}
    found = {item["id"]: Place.of_boxes(item["boxes"]) for item in (*data["mentions"], *data["evidence"])}
    letters, where = squeeze(report.text)
    read, placed = {}, {}
    for item in document.evidence:
        wanted = squeeze(document.text[item.start : item.end])[0]
        spans = []
        at = letters.find(wanted)
        while at >= 0:
            spans.append((where[at], where[at + len(wanted) - 1] + 1))
            at = letters.find(wanted, at + 1)
        read[item.id] = bool(spans)
        places = [
            Place.of_boxes([{"page": b.page, "x0": b.x0, "top": b.top, "x1": b.x1, "bottom": b.bottom} for b in one])
            for one in locate(report.document, spans)
        ]
        placed[item.id] = any(gold[item.id].share(place) >= FOUND for place in places)
    return Reading(data, gold, found, read, placed)


def _from_gold(document: GoldDocument) -> Reading:
    """A report made of the gold marks and the grading rules alone."""
    from claimscan import grading
    from claimscan.records import Evidence, Mention, Population, Product, Sentence

    text = document.text
    sentence = Sentence(0, 0, "", 1, 0)
    mentions = [
        Mention(
            *(m.id, m.start, m.end, text[m.start : m.end], 1, sentence, _family(text[m.start : m.end])),
            *(m.type, "gold", 1.0, m.hedge, m.scope),
        )
        for m in document.mentions
    ]
    held = [
        Evidence(
            *(e.id, e.slot, e.value, e.start, e.end, text[e.start : e.end], 1, "gold", 1.0),
            who=e.who,
            certainty=e.certainty,
            product=e.product,
            detail=e.detail,
        )
        for e in document.evidence
    ]
    population = Population(document.population["label"], document.population["kind"])
    products = []
    for gold in document.products:
        ours = [replace(m, product=gold.id) for m, g in zip(mentions, document.mentions) if g.product == gold.id]
        product = Product(gold.id, gold.name, gold.is_document, tuple(m.id for m in ours))
        finding = grading.grade(product, ours, [e for e in held if e.product == gold.id], population)
        products.append(
            {
                "id": gold.id,
                "name": gold.name,
                "is_document": gold.is_document,
                "mentions": list(product.mentions),
                "grade": finding.grade,
                "ceiling": finding.ceiling,
                "proxy_grade": finding.proxy_grade,
                "slots": dict(finding.slots),
                "flags": [{"code": flag.code} for flag in finding.flags],
            }
        )
    spans: tuple[GoldMention | GoldEvidence, ...] = (*document.mentions, *document.evidence)
    places = {item.id: Place(item.start, item.end) for item in spans}
    data = {
        "mentions": [{"id": m.id, "type": m.type, "product": m.product, "text": ""} for m in document.mentions],
        "evidence": [{"id": e.id, "slot": e.slot, "value": e.value, "product": e.product} for e in document.evidence],
        "products": products,
    }
    return Reading(data, places, places, {}, {})


def _from_second(document: GoldDocument, folder: Path) -> Reading:
    """The second annotation of the document, in the shape of a report."""
    second = corpus.read(folder / "second" / f"{document.id}.txt")
    _, where = squeeze(document.text)
    _, theirs = squeeze(second.text)
    if squeeze(document.text)[0] != squeeze(second.text)[0]:
        raise UsageError(f"{document.id}: the second annotation has other words than the first.")

    def place(item: GoldMention | GoldEvidence, offsets: list[int]) -> Place:
        first, last = np.searchsorted(offsets, [item.start, item.end])
        return Place(int(first), int(last))

    data = {
        "mentions": [{"id": m.id, "type": m.type, "product": m.product, "text": ""} for m in second.mentions],
        "evidence": [{"id": e.id, "slot": e.slot, "value": e.value, "product": e.product} for e in second.evidence],
        "products": [
            {
                "id": p.id,
                "name": p.name,
                "is_document": p.is_document,
                "grade": p.grade,
                "ceiling": p.ceiling,
                "proxy_grade": p.proxy_grade,
                "slots": marks.slots(second, p),
                "flags": [{"code": flag} for flag in p.flags or ()],
            }
            for p in second.products
        ],
    }
    ours: tuple[GoldMention | GoldEvidence, ...] = (*document.mentions, *document.evidence)
    others: tuple[GoldMention | GoldEvidence, ...] = (*second.mentions, *second.evidence)
    return Reading(
        data, {item.id: place(item, where) for item in ours}, {item.id: place(item, theirs) for item in others}, {}, {}
    )


def _family(words: str) -> str:
    """The trigger family of codebook section 0."""
    letters = squeeze(words)[0]
    if "gynhyrch" in letters or re.search("yd(ddylun|gre)", letters):
        return "welsh"
    if not corpus.TRIGGER.search(words):
        return "phrase"
    return "core" if "coproduc" in letters else "adjacent"


# --- items ----------------------------------------------------------------------------------------------------------


def run(
    documents: Iterable[GoldDocument],
    folder: Path,
    source: str = "text",
    layouts: Sequence[str] = marks.LAYOUTS,
    each: Callable[[str], None] = lambda name: None,
) -> list[Item]:
    """Check every document and compare: one item for each thing that the gold or the report has.

    Args:
        folder: the corpus, with ``gold`` and ``pdf`` where ``source`` is ``pdf``.
        each: called with a name before each document.

    Raises:
        UsageError: the PDFs are not compiled, or a text was read with letters lost.
    """
    items: list[Item] = []
    for document in documents:
        for layout in layouts if source == "pdf" else ("",):
            if layout and layout not in document.layouts:
                continue
            each(f"{document.id} {layout}".strip())
            if source == "pdf":
                reading = _in_pdf(document, layout, folder)
            elif source == "gold":
                reading = _from_gold(document)
            elif source == "second":
                reading = _from_second(document, folder)
            else:
                reading = _in_text(document, _checked(document))
            place = {"document": document.id, "split": document.split, "register": document.register}
            place["layout"] = layout or source
            items += [{**place, **item} for item in _items(document, reading)]
            if source == "text":
                items += [{**place, **item} for item in _links(document)]
    return items


def _checked(document: GoldDocument) -> Any:
    import claimscan

    return claimscan.check_text(document.text)


def examined(document: GoldDocument) -> tuple[Any, list[Item]]:
    """The report on the clean text, and its items: each item's ``of`` is the id of what was found."""
    report = _checked(document)
    return report, _items(document, _in_text(document, report))


def _items(document: GoldDocument, reading: Reading) -> list[Item]:
    report, gold, found = reading.report, reading.gold, reading.found
    items: list[Item] = []
    text = document.text

    mentions = report["mentions"]
    weights = np.array([[gold[m.id].share(found[f["id"]]) for f in mentions] for m in document.mentions], dtype=float)
    pairs = _assign(weights.reshape(len(document.mentions), len(mentions)))
    for row, mention in enumerate(document.mentions):
        other = mentions[pairs[row]] if row in pairs else None
        words = text[max(0, mention.start - 40) : mention.end + 30]
        items.append(_item("mention", mention.id, mention.type, other["type"] if other else NONE, words, other))
    for column, other in enumerate(mentions):
        if column not in pairs.values():
            key = f"extra {other.get('page', 0)}:{other.get('start', 0)}"
            words = str(other.get("sentence", other["text"]))[:90]
            items.append(_item("mention", key, NONE, other["type"], words, other))

    evidence = report["evidence"]
    shares = np.array([[gold[e.id].share(found[f["id"]]) for f in evidence] for e in document.evidence], dtype=float)
    shares = shares.reshape(len(document.evidence), len(evidence))
    products = report["products"]
    matched = _match_products(document, report, pairs, shares)

    for row, quote in enumerate(document.evidence):
        near = [f for f, share in zip(evidence, shares[row]) if share >= FOUND]
        same = [f for f in near if f["slot"] == quote.slot]
        item = _item("quote", quote.id, quote.slot, quote.slot if same else near[0]["slot"] if near else NONE)
        item |= {
            "note": text[quote.start : quote.end],
            "any_slot": bool(near),
            "same_slot": bool(same),
            "same_value": any(f["value"] == quote.value for f in same),
            "read": reading.read.get(quote.id),
            "placed": reading.placed.get(quote.id),
        }
        items.append(item)

    states: dict[str, set[tuple[str, str]]] = {}
    for quote in document.evidence:
        states.setdefault(matched.get(quote.product, ""), set()).add((quote.slot, quote.value))
    for other in evidence:
        stated = states.get(other["product"] or "", set())
        right = (other["slot"], other["value"]) in stated
        key = f"{other['slot']} {other.get('start', other['id'])}"
        words = str(other.get("quote", ""))[:90]
        items.append(_item("evidence", key, other["value"] if right else NONE, other["value"], words, other))

    by_id = {product["id"]: product for product in products}
    for product in document.products:
        mine = by_id.get(matched.get(product.id, ""))
        items.append(_item("product", product.id, product.grade, mine["grade"] if mine else NONE, product.name, mine))
        items += _product_items(document, product, mine)
    for other in products:
        if other["id"] not in matched.values():
            items.append(_item("product", f"extra {other['id']}", NONE, other["grade"], str(other["name"])[:90], other))
            for slot, value in _stated(other["slots"]).items():
                items.append(_item("slot", f"extra {other['id']}.{slot}", NONE, value, slot))
    return items


def _item(kind: str, key: str, gold: Any, found: Any, note: str = "", scored: Mapping[str, Any] | None = None) -> Item:
    item = {"kind": kind, "id": key, "gold": gold, "found": found, "right": gold == found, "note": note}
    return item | {"of": scored.get("id") if scored else None, "score": scored.get("score") if scored else None}


def _links(document: GoldDocument) -> list[Item]:
    """The linker alone, given gold mentions, products and quotes: one item for each quote, its product right or wrong."""
    from claimscan import linking, naming, reading
    from claimscan.records import Evidence, Mention, Product
    from claimscan.sentences import sentences

    text = document.text
    read: Document = reading.read_text(text, document.id)
    cut = tuple(sentences(read))

    def at(item: GoldMention | GoldEvidence) -> int:
        return max((i for i, s in enumerate(cut) if s.start <= item.start), default=0)

    products = []
    for gold in document.products:
        own = tuple(m.id for m in document.mentions if m.product == gold.id and m.type in marks.GRADABLE)
        products.append(Product(gold.id, gold.name, gold.is_document, own))
    mentions = [
        Mention(
            *(m.id, m.start, m.end, text[m.start : m.end], 1, cut[at(m)], "core", m.type, "gold", 1.0),
            product=m.product if m.type in marks.GRADABLE else "",
        )
        for m in document.mentions
    ]
    quotes: dict[int, list[Evidence]] = {}
    for e in document.evidence:
        quotes.setdefault(at(e), []).append(
            Evidence(e.id, e.slot, e.value, e.start, e.end, text[e.start : e.end], 1, "gold", 1.0, who=e.who)
        )
    titles = naming.titles(read)
    linked = linking.link({}, lambda index: quotes.get(index, []), mentions, products, cut, titles)
    found = {e.id: e.product for items in linked.values() for e in items if e.product}
    return [_item("link", e.id, e.product, found.get(e.id, NONE), text[e.start : e.end]) for e in document.evidence]


def _product_items(document: GoldDocument, product: GoldProduct, mine: Mapping[str, Any] | None) -> list[Item]:
    items = []
    for what in ("ceiling", "proxy_grade"):
        if value := getattr(product, what):
            items.append(_item(what, product.id, value, (mine.get(what) or NONE) if mine else NONE, product.name))
    wanted, have = _stated(marks.slots(document, product)), _stated(mine["slots"] if mine else {})
    for slot in sorted(wanted.keys() | have.keys()):
        items.append(_item("slot", f"{product.id}.{slot}", wanted.get(slot, NONE), have.get(slot, NONE), slot))
    if product.flags is not None:
        raised = {flag["code"] for flag in mine["flags"]} if mine else set()
        for flag in sorted({*product.flags} | raised):
            gold, found = flag if flag in product.flags else NONE, flag if flag in raised else NONE
            items.append(_item("flag", f"{product.id}.{flag}", gold, found, flag))
    return items


def _stated(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Slots as comparable values; what nobody needs to state (the whole scope) and empty ones left out."""
    stated: dict[str, Any] = {}
    for slot, value in slots.items():
        if slot == "count" and isinstance(value, Mapping):
            value = {key: value.get(key) for key in ("kind", "le_n", "total_n")}
        if isinstance(value, (list, tuple)):
            value = sorted(map(str, value))
        if value in (None, "", [], "not_stated", "none_stated") or slot == "scope" and value == "whole":
            continue
        stated[slot] = value
    return stated


def _match_products(
    document: GoldDocument, report: Mapping[str, Any], pairs: Mapping[int, int], shares: np.ndarray[Any, Any]
) -> dict[str, str]:
    """Gold product id to found product id: those with most mentions and evidence in common."""
    gold_at = {product.id: row for row, product in enumerate(document.products)}
    found_at = {product["id"]: column for column, product in enumerate(report["products"])}
    weights = np.zeros((len(gold_at), len(found_at)))
    for row, column in pairs.items():
        gold, found = document.mentions[row], report["mentions"][column].get("product") or ""
        if gold.product in gold_at and found in found_at:
            weights[gold_at[gold.product], found_at[found]] += 100  # its claims say which product it is
    for row, column in zip(*np.nonzero(shares >= FOUND)):
        gold_id, found = document.evidence[row].product, report["evidence"][column].get("product") or ""
        if gold_id in gold_at and found in found_at:
            weights[gold_at[gold_id], found_at[found]] += 1
    for product in document.products:
        for other in report["products"]:
            if product.is_document and other["is_document"]:
                weights[gold_at[product.id], found_at[other["id"]]] += 0.5
    ids = list(found_at)
    return {document.products[row].id: ids[column] for row, column in _assign(weights).items()}
