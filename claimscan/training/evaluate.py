"""claimscan measured against the corpus: counts first, then ratios, and what was gained or lost against an earlier run.

Everything is kept as *items*: one plain record for each mention, product, slot, flag and quote, with what the gold
says and what was found. :func:`run` makes items, :func:`figures` counts them, :func:`page` prints, :func:`compare`
sets two runs side by side.

Three sources of findings:

``text``  ``claimscan.check_text`` on the clean text; spans are matched by offset, white space and hyphens aside.
``pdf``   ``claimscan.check`` on each PDF; spans are matched by the boxes that pdfplumber gives them, so a right
          quote in the wrong place is wrong.
``gold``  the grading rules on the gold evidence itself: what is lost here is lost by the rules or by the annotation.
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

from claimscan import codebook
from claimscan.errors import UsageError
from claimscan.mentions import TYPES
from claimscan.training import gold as marks
from claimscan.training.corpus import TRIGGER
from claimscan.training.gold import GRADABLE, GoldDocument, GoldEvidence, GoldMention, GoldProduct
from claimscan.training.places import squeeze

if TYPE_CHECKING:
    import pandas

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


def _family(words: str) -> str:
    """The trigger family of codebook section 0."""
    letters = squeeze(words)[0]
    if "gynhyrch" in letters or re.search("yd(ddylun|gre)", letters):
        return "welsh"
    if not TRIGGER.search(words):
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
            else:
                import claimscan

                reading = _in_text(document, claimscan.check_text(document.text))
            place = {"document": document.id, "split": document.split, "layout": layout or source}
            items += [{**place, **item} for item in _items(document, reading)]
    return items


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
        items.append(_item("mention", mention.id, mention.type, other["type"] if other else NONE, words))
    for column, other in enumerate(mentions):
        if column not in pairs.values():
            key = f"extra {other.get('page', 0)}:{other.get('start', 0)}"
            items.append(_item("mention", key, NONE, other["type"], str(other.get("sentence", other["text"]))[:90]))

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

    by_id = {product["id"]: product for product in products}
    for product in document.products:
        mine = by_id.get(matched.get(product.id, ""))
        items.append(_item("product", product.id, product.grade, mine["grade"] if mine else NONE, product.name))
        items += _product_items(document, product, mine)
    for other in products:
        if other["id"] not in matched.values():
            items.append(_item("product", f"extra {other['id']}", NONE, other["grade"], str(other["name"])[:90]))
            for slot, value in _stated(other["slots"]).items():
                items.append(_item("slot", f"extra {other['id']}.{slot}", NONE, value, slot))
    return items


def _item(kind: str, key: str, gold: Any, found: Any, note: str = "") -> Item:
    return {"kind": kind, "id": key, "gold": gold, "found": found, "right": gold == found, "note": note}


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
            weights[gold_at[gold.product], found_at[found]] += 2
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


# --- figures --------------------------------------------------------------------------------------------------------


def figures(items: Sequence[Item]) -> dict[str, Any]:
    """Counts and ratios of a run. Ratios of nothing are None. Confusions are (gold, found, how often)."""
    import pandas
    from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix

    frame = pandas.DataFrame(items, columns=_COLUMNS)
    mentions, products = frame[frame.kind == "mention"], frame[frame.kind == "product"]
    slots, quotes = frame[frame.kind == "slot"], frame[frame.kind == "quote"]
    typed, graded = mentions[mentions.gold != NONE], products[products.gold != NONE]
    labels = [*TYPES, NONE]
    table = confusion_matrix(mentions.gold, mentions.found, labels=labels) if len(mentions) else np.zeros((0, 0), int)
    confusions = [
        [labels[row], labels[column], int(table[row, column])]
        for row, column in sorted(zip(*np.nonzero(table)), key=lambda at: -table[at])
        if row != column
    ]
    on_scale = graded[graded.gold.isin(codebook.LEVELS) & graded.found.isin(codebook.LEVELS)]
    on_gold, on_found = on_scale.gold.astype(int), on_scale.found.astype(int)
    bands = {level.id: level.band for level in codebook.tables().levels}
    stated_both = slots[(slots.gold != NONE) & (slots.found != NONE)]
    result: dict[str, Any] = {
        "documents": int(frame.document.nunique()),
        "readings": int(frame.groupby(["document", "layout"]).ngroups),
        "mentions": _prf(mentions.gold != NONE, mentions.found != NONE),
        "type_accuracy": float(accuracy_score(typed.gold, typed.found)) if len(typed) else None,
        "gradable_claims": _prf(mentions.gold.isin(GRADABLE), mentions.found.isin(GRADABLE)),
        "products": _prf(products.gold != NONE, products.found != NONE),
        "grade_exact": _mean(graded.right),
        "grade_within_one": _mean((on_gold - on_found).abs() <= 1),
        "grade_kappa_quadratic": None,
        "on_scale_pairs": len(on_scale),
        "band": _mean(
            graded.gold.map(lambda g: bands.get(g, "off"))
            == graded.found.map(lambda g: bands.get(g, "off" if g != NONE else g))
        ),
        "ceilings": int((frame.kind == "ceiling").sum()),
        "ceiling_exact": _mean(frame[frame.kind == "ceiling"].right),
        "proxy_grades": int((frame.kind == "proxy_grade").sum()),
        "proxy_grade_exact": _mean(frame[frame.kind == "proxy_grade"].right),
        "slots_stated": _prf(slots.gold != NONE, slots.found != NONE),
        "slot_value_given_both": _mean(stated_both.right),
        "flags": _prf(frame[frame.kind == "flag"].gold != NONE, frame[frame.kind == "flag"].found != NONE),
        "quotes": {
            "gold": len(quotes),
            "same_slot": _mean(quotes.same_slot),
            "any_slot": _mean(quotes.any_slot),
            "read": _mean(quotes.read.dropna()),
            "placed": _mean(quotes.placed.dropna()),
        },
        "type_confusions": confusions,
        "slots": {
            str(slot): {
                **_prf(part.gold != NONE, part.found != NONE),
                "value": _mean(part[(part.gold != NONE) & (part.found != NONE)].right),
            }
            for slot, part in slots.groupby("note")
        },
    }
    if len(set(on_gold)) > 1 or len(set(on_found)) > 1:  # kappa has no meaning where everything has one value
        result["grade_kappa_quadratic"] = float(cohen_kappa_score(on_gold, on_found, weights="quadratic"))
    return result


_COLUMNS = ["document", "split", "layout", "kind", "id", "gold", "found", "right", "note"] + [
    "any_slot",
    "same_slot",
    "same_value",
    "read",
    "placed",
]


def _mean(values: Any) -> float | None:
    return float(np.mean([bool(value) for value in values])) if len(values) else None


def _prf(gold: Any, found: Any) -> dict[str, Any]:
    from sklearn.metrics import precision_recall_fscore_support

    counts = {"gold": int(sum(gold)), "found": int(sum(found)), "both": int(sum(gold & found))}
    if not len(gold):
        return counts | {"precision": None, "recall": None, "f1": None}
    p, r, f, _ = precision_recall_fscore_support(gold, found, average="binary", pos_label=True, zero_division=0.0)
    return counts | {"precision": float(p), "recall": float(r), "f1": float(f)}


# --- for a person ---------------------------------------------------------------------------------------------------


def page(items: Sequence[Item], show: int = 0) -> str:
    """The figures as a page: counts, ratios, each layout, slots, confusions, and ``show`` wrong items of each kind."""
    import pandas

    result = figures(items)
    named = (("mentions", "mentions"), ("gradable claims", "gradable_claims"), ("products", "products"))
    named += (("slots stated", "slots_stated"), ("flags", "flags"))  # type: ignore[assignment]
    table = pandas.DataFrame({label: result[key] for label, key in named}).T
    counts = table[["gold", "found", "both"]].astype(int)
    parts = [
        f"{result['documents']} documents, {result['readings']} readings",
        counts.to_string(),
        _rounded(table[["precision", "recall", "f1"]]).to_string(),
    ]
    ratios = {label.replace("_", " "): result[label] for label in _RATIOS}
    quotes = result["quotes"]
    ratios |= {f"evidence quotes, {key.replace('_', ' ')}": quotes[key] for key in _QUOTES}
    parts.append(
        "\n".join(f"{label:<34}{'-' if value is None else f'{value:.3f}'}" for label, value in ratios.items())
        + f"\n(out of {result['on_scale_pairs']} pairs on the scale, {result['ceilings']} gold ceilings,"
        f" {result['proxy_grades']} gold proxy grades, {quotes['gold']} gold quotes)"
    )
    layouts = sorted({item["layout"] for item in items})
    if len(layouts) > 1:
        rows = {name: _short(figures([item for item in items if item["layout"] == name])) for name in layouts}
        parts.append(_rounded(pandas.DataFrame(rows).T).to_string())
    parts.append(_rounded(pandas.DataFrame(result["slots"]).T).to_string())
    if result["type_confusions"]:
        parts.append("types confused (gold, found, times)")
        parts[-1] += "".join(
            f"\n  {gold:<12} {found:<12} {times}" for gold, found, times in result["type_confusions"][:12]
        )
    for kind in ("mention", "product", "ceiling", "slot", "flag", "quote") if show else ():
        wrong = [item for item in items if item["kind"] == kind and not item["right"]][:show]
        if wrong:
            parts.append(f"wrong: {kind}\n" + "\n".join(_line(item) for item in wrong))
    return "\n\n".join(parts)


_RATIOS = (
    "type_accuracy",
    "grade_exact",
    "grade_within_one",
    "grade_kappa_quadratic",
    "band",
    "ceiling_exact",
    "proxy_grade_exact",
    "slot_value_given_both",
)
_QUOTES = ("same_slot", "any_slot", "read", "placed")


def _short(result: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        "mention f1": result["mentions"]["f1"],
        "type": result["type_accuracy"],
        "claim f1": result["gradable_claims"]["f1"],
        "grade": result["grade_exact"],
        "slot f1": result["slots_stated"]["f1"],
        "quote": result["quotes"]["same_slot"],
        "read": result["quotes"]["read"],
        "placed": result["quotes"]["placed"],
    }


def _rounded(table: pandas.DataFrame) -> pandas.DataFrame:
    return table.astype(float).round(3)


def _line(item: Item) -> str:
    return (
        f"  {item['document']} {item['layout']} {item['id']}: {item['gold']} -> {item['found']}  {item['note'][:90]!r}"
    )


def compare(before: Sequence[Item], after: Sequence[Item]) -> str:
    """Gains and losses item by item. An extra finding is an item of one run only: new ones are losses, gone ones
    gains."""

    def keyed(items: Sequence[Item]) -> dict[tuple[str, ...], Item]:
        return {(i["document"], i["layout"], i["kind"], i["id"]): i for i in items}

    old, new = keyed(before), keyed(after)
    read_twice = {key[:2] for key in old} & {key[:2] for key in new}
    gains: list[str] = []
    losses: list[str] = []
    for key in sorted(old.keys() | new.keys()):
        if key[:2] not in read_twice:
            continue
        was = old[key]["right"] if key in old else True
        now = new[key]["right"] if key in new else True
        if was != now:
            (gains if now else losses).append(f"  {key[2]:<9}{_line(new.get(key) or old[key])}")
    parts = [f"{len(gains)} gained, {len(losses)} lost, over {len(read_twice)} readings in both runs"]
    parts += ["gained\n" + "\n".join(gains)] if gains else []
    parts += ["lost\n" + "\n".join(losses)] if losses else []
    return "\n\n".join(parts)
