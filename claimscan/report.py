"""The result of a check: everything found in one document, as records, as JSON and as tables.

The JSON is ``claimscan/report/1`` as docs and users know it: fields may be added, never changed without a new schema
number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from claimscan import codebook
from claimscan.records import (
    Anchor,
    Applied,
    Box,
    Correction,
    Document,
    Doubt,
    Evidence,
    Finding,
    Mention,
    Population,
    Product,
    ProductAnchor,
    Unplaced,
)

if TYPE_CHECKING:
    import pandas

SCHEMA = "claimscan/report/1"
SCORE_PLACES = 4
POINT_PLACES = 2

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# Columns of the tables, with their pandas types.
COLUMNS: dict[str, dict[str, str]] = {
    "documents": {
        **dict.fromkeys(("document", "source", "format", "title"), "string"),
        **dict.fromkeys(("pages", "words"), "Int64"),
        **dict.fromkeys(("population", "population_kind"), "string"),
        **dict.fromkeys(("unread_pages", "warnings", "mentions", "products", "evidence"), "Int64"),
    },
    "products": {
        **dict.fromkeys(("document", "id", "name"), "string"),
        **{"is_document": "boolean", "mentions": "Int64"},
        **{"grade": "string", "level": "Int64"},
        **dict.fromkeys(("label", "band", "plain", "supports", "ceiling", "proxy_grade"), "string"),
        **{"borderline": "boolean", "second_reading": "string", "score": "Float64"},
        **dict.fromkeys(("rules", "concerns", "asks", "credits", "gaps"), "string"),
    },
    "mentions": {
        **dict.fromkeys(("document", "id", "product", "type", "family", "text", "sentence", "heading"), "string"),
        **{"thing": "string", "who": "string", "hedge": "boolean", "scope": "string"},
        **{"page": "Int64", "start": "Int64", "end": "Int64", "rule": "string", "score": "Float64"},
    },
    "evidence": {
        **dict.fromkeys(("document", "id", "product", "slot", "value", "who", "certainty", "quote"), "string"),
        **{"page": "Int64", "start": "Int64", "end": "Int64", "rule": "string", "score": "Float64"},
    },
}


_COUNTED = ("claims", "claim_page")  # columns that only the tables of a run have


@dataclass(frozen=True, slots=True)
class Report:
    """Everything found in one document.

    Attributes:
        document: the document as it was read; ``report.text`` is its text.
        population: who the document is about (codebook E1).
        mentions: every use of the word, in reading order, with its type (codebook section 1).
        products: the things made, one finding each.
        findings: the judgement of each product, by product id (codebook sections 3 to 5).
        evidence: every span that fills a slot (codebook section 2), in reading order.
        doubts: what to check by eye first, least sure first.
        boxes: places on the page, by mention or evidence id, in PDF points from the top left.
        provenance: versions and hashes that, with the document's bytes, decide the report.
        corrections: what a person changed by hand (:mod:`claimscan.correcting`). ``unplaced``: what she wanted to change and
            this report has no place for. ``as_read``: the report before, None where nothing was changed.

    Raises:
        ValueError: when a quote is not in the text at its own place, or a product has no finding. Either is a fault in
            the step that made the record, and a finding that cannot be defended must not reach anyone.
    """

    document: Document
    population: Population
    mentions: tuple[Mention, ...] = ()
    products: tuple[Product, ...] = ()
    findings: Mapping[str, Finding] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    boxes: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    corrections: tuple[Applied, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    as_read: Report | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        text = self.document.text
        for mention in self.mentions:
            if text[mention.start : mention.end] != mention.text:
                raise ValueError(f"mention {mention.id} is not verbatim: {mention.text!r}")
            if text[mention.sentence.start : mention.sentence.end] != mention.sentence.text:
                raise ValueError(f"the sentence of mention {mention.id} is not verbatim: {mention.sentence.text!r}")
        for evidence in self.evidence:
            if text[evidence.start : evidence.end] != evidence.quote:
                raise ValueError(f"evidence {evidence.id} is not verbatim: {evidence.quote!r}")
        if self.population.quote not in text:
            raise ValueError(f"the population's quote is not verbatim: {self.population.quote!r}")
        for product in self.products:
            if product.id not in self.findings:
                raise ValueError(f"product {product.id} has no finding")

    @property
    def text(self) -> str:
        """The document's text; every offset is into it."""
        return self.document.text

    def to_dict(self, with_text: bool = False) -> dict[str, Any]:
        """The report as plain values, in the shape of ``claimscan/report/1``.

        Args:
            with_text: also give the document's whole text, under ``document.text``.

        Returns:
            Only dicts, lists, strings, numbers, booleans and None. Scores are rounded to 4 places, points to 2. A slot
            the document does not state is absent from ``slots``.
        """
        document, population = self.document, self.population
        words = document.text.split()
        about: dict[str, Any] = {
            "id": document.id,
            "source": document.source,
            "format": document.format,
            "title": document.title,
            "pages": len(document.pages),
            "words": len(words),
            "text_sha256": sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest(),
            "population": {
                "label": population.label,
                "kind": population.kind,
                "quote": population.quote,
                "page": population.page,
            },
            "unread_pages": [{"page": p.number, "why": p.unread} for p in document.pages if p.unread],
            "ocr_pages": [p.number for p in document.pages if p.ocr],
            "warnings": [{"code": w.code, "page": w.page, "message": w.message} for w in document.warnings],
        }
        if with_text:
            about["text"] = document.text
        whole = {
            "schema": SCHEMA,
            "document": about,
            "provenance": _plain(self.provenance),
            "mentions": [self._mention(m) for m in self.mentions],
            "products": [product_row(p, self.findings[p.id]) for p in self.products],
            "evidence": [self._evidence(e) for e in self.evidence],
            "check_first": [
                {
                    "id": d.item,
                    "product": d.product or None,
                    "page": d.page,
                    "score": round(d.score, SCORE_PLACES),
                    "why": d.why,
                }
                for d in self.doubts
            ],
        }
        if self.as_read is not None:
            whole["corrections"] = [_applied(a) for a in self.corrections]
            whole["corrections_unplaced"] = [{**correction(u.correction), "why": u.why} for u in self.unplaced]
            whole["grades_as_read"] = [
                {"product": p.id, "name": p.name, "grade": self.as_read.findings[p.id].grade}
                for p in self.as_read.products
            ]
        return whole

    def to_json(self, with_text: bool = False) -> str:
        """The report as JSON text: the same report always gives the same characters, ending in a line break."""
        text = json.dumps(self.to_dict(with_text=with_text), ensure_ascii=False, indent=1, allow_nan=False)
        # Half a surrogate pair cannot be written as UTF-8, but its escape can, and reads back as the same character.
        return _LONE_SURROGATE.sub(lambda m: f"\\u{ord(m[0]):04x}", text) + "\n"

    def to_frames(self) -> dict[str, pandas.DataFrame]:
        """The report as pandas tables ``documents``, ``products``, ``mentions`` and ``evidence``.

        The column ``document`` of each is the document's id, so tables of many reports can be put under each other.
        Columns and their types are the same when a table is empty; codes are categories, the same ones in every table, and
        ``band`` has its order. Where a product has several rules, flags or gaps,
        their codes stand in one cell with spaces between them.
        """
        import pandas

        return {
            name: typed(name, pandas.DataFrame(table, columns=list(COLUMNS[name])))
            for name, table in rows(self.to_dict()).items()
        }

    def _boxes(self, key: str) -> list[dict[str, Any]]:
        return [
            {
                "page": box.page,
                "x0": round(box.x0, POINT_PLACES),
                "top": round(box.top, POINT_PLACES),
                "x1": round(box.x1, POINT_PLACES),
                "bottom": round(box.bottom, POINT_PLACES),
            }
            for box in self.boxes.get(key, ())
        ]

    def _mention(self, mention: Mention) -> dict[str, Any]:
        return {
            "id": mention.id,
            "page": mention.page,
            "start": mention.start,
            "end": mention.end,
            "text": mention.text,
            "sentence": mention.sentence.text,
            "sentence_start": mention.sentence.start,
            "heading": mention.sentence.heading,
            "family": mention.family,
            "type": mention.type,
            "score": round(mention.score, SCORE_PLACES),
            "rule": mention.rule,
            "hedge": mention.hedge,
            "scope": mention.scope,
            "thing": mention.thing,
            "who": mention.who,
            "product": mention.product or None,
            "boxes": self._boxes(mention.id),
        }

    def _evidence(self, evidence: Evidence) -> dict[str, Any]:
        return {
            "id": evidence.id,
            "product": evidence.product or None,
            "slot": evidence.slot,
            "value": evidence.value,
            "who": evidence.who or None,
            "certainty": evidence.certainty,
            "page": evidence.page,
            "start": evidence.start,
            "end": evidence.end,
            "quote": evidence.quote,
            "score": round(evidence.score, SCORE_PLACES),
            "rule": evidence.rule,
            "detail": _plain(evidence.detail),
            "boxes": self._boxes(evidence.id),
        }


def product_row(product: Product, finding: Finding) -> dict[str, Any]:
    """A product and its judgement as plain values, as they stand in the report."""
    return {
        "id": product.id,
        "name": product.name,
        "is_document": product.is_document,
        "mentions": list(product.mentions),
        "grade": finding.grade,
        "label": finding.label,
        "band": finding.band,
        "plain": finding.plain,
        "supports": finding.supports,
        "ceiling": finding.ceiling,
        "proxy_grade": finding.proxy_grade,
        "borderline": finding.borderline,
        "second_reading": finding.second_reading,
        "score": round(finding.score, SCORE_PLACES),
        "reasons": [
            {"rule": r.rule, "text": r.text, "evidence": list(r.evidence), "facts": _plain(r.facts)}
            for r in finding.reasons
        ],
        "next": [{"to": s.to, "needs": s.needs, "gap": s.gap} for s in finding.next],
        "slots": _plain(finding.slots),
        "flags": [
            {"code": f.code, "kind": f.kind, "plain": f.plain, "evidence": list(f.evidence)} for f in finding.flags
        ],
        "questions": [{"gap": q.gap, "ask": q.ask, "record": q.record} for q in finding.questions],
        "crosswalk": _plain(finding.crosswalk),
    }


def typed(name: str, frame: pandas.DataFrame) -> pandas.DataFrame:
    """The table ``name`` with the types that its columns have in every table of its kind; columns of the user's are strings.

    Args:
        name: ``documents``, ``products``, ``mentions``, ``evidence`` or ``failures``.
        frame: its rows; columns that it lacks are not made.
    """
    import pandas

    known, own = categories(), COLUMNS.get(name, {})
    types: dict[str, Any] = {}
    for column in frame.columns:
        codes = known.get((name, column))
        types[column] = own.get(column, "Int64" if column in _COUNTED else "string")
        if codes is not None:
            types[column] = pandas.CategoricalDtype(list(codes), ordered=column == "band")
    return frame.replace({"band": {"": None}} if "band" in frame else {}).astype(types)


def categories() -> dict[tuple[str, str], tuple[str, ...]]:
    """The codes of each column that holds codes, by table and column; those of ``band`` are in their order."""
    table = codebook.tables()
    grades = (*table.statuses, *(level.id for level in table.levels))
    return {
        ("documents", "population_kind"): ("adults", "children", "all_age", "carers", "residents", "unknown"),
        **{("products", column): grades for column in ("grade", "ceiling", "proxy_grade", "second_reading")},
        ("products", "band"): tuple(dict.fromkeys(level.band for level in table.levels)),
        ("mentions", "type"): codebook.MENTION_TYPES,
        ("mentions", "family"): ("core", "adjacent", "phrase", "welsh"),
        ("mentions", "scope"): ("whole", "part", "presentation"),
        ("evidence", "slot"): tuple(table.slots),
        ("evidence", "value"): tuple(dict.fromkeys(v for slot in table.slots.values() for v in slot.values)),
        ("evidence", "who"): tuple(who for who in table.who if who),
        ("evidence", "certainty"): ("explicit", "borderline"),
    }


def rows(whole: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the tables ``documents``, ``products``, ``mentions`` and ``evidence``, of a report as plain values."""
    about = whole["document"]
    products = []
    for product in whole["products"]:
        kinds: dict[str, list[str]] = {"concern": [], "ask": [], "credit": []}
        for flag in product["flags"]:
            kinds[flag["kind"]].append(flag["code"])
        products.append(
            {
                **product,
                "level": int(product["grade"]) if product["grade"] in codebook.LEVELS else None,
                "mentions": len(product["mentions"]),
                "rules": " ".join(r["rule"] for r in product["reasons"]),
                "concerns": " ".join(kinds["concern"]),
                "asks": " ".join(kinds["ask"]),
                "credits": " ".join(kinds["credit"]),
                "gaps": " ".join(q["gap"].replace(" ", "_") for q in product["questions"]),
            }
        )
    document = {
        **about,
        "population": about["population"]["label"],
        "population_kind": about["population"]["kind"],
        "unread_pages": len(about["unread_pages"]),
        "warnings": len(about["warnings"]),
        "mentions": len(whole["mentions"]),
        "products": len(products),
        "evidence": len(whole["evidence"]),
    }
    tables: dict[str, list[dict[str, Any]]] = {
        "documents": [document],
        "products": products,
        "mentions": whole["mentions"],
        "evidence": whole["evidence"],
    }
    return {
        name: [{c: row.get(c, about["id"] if c == "document" else None) for c in COLUMNS[name]} for row in table]
        for name, table in tables.items()
    }


def correction(one: Correction) -> dict[str, Any]:
    """One correction as plain values, as in ``claimscan/corrections/1``; it stands alone."""
    return {
        "kind": one.kind,
        "of": one.of,
        "at": _anchor(one.at),
        "was": _plain(one.was),
        "to": _plain(one.to),
        "product": _product_anchor(one.product) if one.product else None,
        "note": one.note,
        "by": one.by,
        "item": one.item,
    }


def _anchor(at: Anchor) -> dict[str, Any]:
    return {"quote": at.quote, "prefix": at.prefix, "suffix": at.suffix, "start": at.start, "page": at.page}


def _product_anchor(product: ProductAnchor) -> dict[str, Any]:
    at = _anchor(product.at) if product.at else None
    return {"name": product.name, "is_document": product.is_document, "new": product.new, "at": at}


def _applied(one: Applied) -> dict[str, Any]:
    made = one.correction
    return {
        "kind": made.kind,
        "of": made.of,
        "id": one.item,
        "page": one.page,
        "quote": one.quote,
        "before": _plain(one.before),
        "after": _plain(one.after),
        "note": made.note,
        "by": made.by,
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it, with an order that does not depend on how it was built."""
    if isinstance(value, Mapping):
        return {str(k): _plain(value[k]) for k in sorted(value, key=str)}
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(v) for v in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return round(value, SCORE_PLACES) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)
