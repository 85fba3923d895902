"""Corrections put in their places in a report, and everything that depends on them worked out again by the same rules.

What a person touched counts as certain (score 1, rule ``by-hand``); the scores of all else are kept. Grades, flags, questions
and what to check first are worked out again as in :mod:`claimscan.pipeline`, of the products that changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from json import dumps
from typing import Any

from claimscan import doubts, linking, pipeline, scoring
from claimscan.codebook import CLAIM_TYPES
from claimscan.correcting.anchors import Words, letters, page
from claimscan.correcting.form import Corrections, merged
from claimscan.grading.gathering import BY_VALUE
from claimscan.records import Applied, Correction, Evidence, Mention, Product, ProductAnchor, Unplaced
from claimscan.report import Report
from claimscan.report import correction as plain

BY_HAND = "by-hand"
ORDER = ("added", "changed", "moved", "removed", "wrong")
UNNAMED = "something the document does not name"
_NO_THING = frozenset(
    {"COMMIT", "PRINCIPLE", "DUTY", "NAME", "OTHER_SENSE"}
)  # these claim nothing of any thing (section 1)
# Whose evidence a value is that says itself who it was (codebook 2.1).
_WHO = {"mixed_with_le": "mixed", "mixed_no_le": "proxy", "le_org": "le"}
_NAMING = frozenset({"contributors", "ulo"})


def apply(report: Report, corrections: Corrections) -> Report:
    """The report with what a person changed, graded again by the same rules.

    Corrections that the report has already are kept, so that applying the same twice is applying them once, and applying
    some and then others is applying all. What has no place in this report is in its ``unplaced``. The given report stays as
    it is. Without any correction the report as read is given back.
    """
    base = report.as_read or report
    wanted = merged(
        [
            *(one.correction for one in report.corrections),
            *(one.correction for one in report.unplaced),
            *corrections.corrections,
        ]
    )
    if not wanted:
        return base
    desk = _Desk(base)
    for kind in ORDER:
        for one in wanted:
            if one.kind == kind:
                desk.take(one)
    made_on = corrections.document if corrections.corrections else ""
    kept = report.provenance.get("corrections_made_on", "")
    other = made_on if made_on and made_on != base.document.id else kept
    return desk.report(wanted, {"corrections_made_on": other} if other else {})


def fingerprint(corrections: Iterable[Correction]) -> str:
    """The sha256 of what the corrections say, for the provenance; names and notes of people are no part of it."""
    rows = [{k: v for k, v in plain(one).items() if k not in ("note", "by", "item")} for one in corrections]
    return sha256(dumps(rows, sort_keys=True).encode()).hexdigest()


def said_of(item: Mention | Evidence, names: Mapping[str, str]) -> dict[str, Any]:
    """What a report says of a mention or of evidence, by field; ``names``: of the products, by id."""
    product = names.get(item.product, "")
    if isinstance(item, Mention):
        return {"type": item.type, "hedge": item.hedge, "scope": item.scope, "product": product, "rule": item.rule}
    return {
        "slot": item.slot,
        "value": item.value,
        "who": item.who,
        "certainty": item.certainty,
        "product": product,
        "rule": item.rule,
    }


class _Desk:
    """A report being corrected: what is there by now, beside what was read."""

    def __init__(self, base: Report) -> None:
        self.base = base
        self.words = Words(base.document)
        self.mentions = {m.id: m for m in base.mentions}
        self.evidence = {e.id: e for e in base.evidence}
        self.products = {p.id: p for p in base.products}
        # What corrections are about: the items as read, and as added by hand before anything else is done to them.
        self.as_read: dict[str, Mention | Evidence] = {**self.mentions, **self.evidence}
        self.placed: list[Applied] = []
        self.unplaced: list[Unplaced] = []

    @property
    def names(self) -> dict[str, str]:
        return {p.id: p.name for p in self.products.values()}

    def take(self, one: Correction) -> None:
        """Do what one correction says, or note why it cannot be done."""
        done = (
            self._product(one) if one.of == "product" else self._added(one) if one.kind == "added" else self._item(one)
        )
        if isinstance(done, str):
            self.unplaced.append(Unplaced(one, done))
        else:
            self.placed.append(done)

    # --- what each kind does ------------------------------------------------------------------------------------------

    def _added(self, one: Correction) -> Applied | str:
        span = self.words.find(one.at)
        if isinstance(span, str):
            return span
        assert one.product is not None
        product = self._which(one.product)
        if not product:
            return f"There is no product “{one.product.name}” in this report."
        slot, value = one.to["slot"], one.to["value"]
        for item in self.evidence.values():
            if (item.slot, item.value, item.product) == (slot, value, product) and _overlap(
                (item.start, item.end), span
            ):
                return Applied(one, item.id, item.page, item.quote)
        start, end = span
        quote = self.base.text[start:end]
        made = Evidence(
            _name("h", slot, value, product, str(start), str(end)),
            slot,
            value,
            start,
            end,
            quote,
            page(self.base.document, start),
            BY_HAND,
            1.0,
            _who(slot, value, one.to.get("who", "")),
            one.to.get("certainty", "explicit"),
            product,
            _count(value, one.to.get("count"), {}) if slot == "count" else {},
        )
        self.evidence[made.id] = self.as_read[made.id] = made
        return Applied(one, made.id, made.page, quote, {}, _without_rule(said_of(made, self.names)))

    def _item(self, one: Correction) -> Applied | str:
        span = self.words.find(one.at)
        if isinstance(span, str):
            return span
        read = self._read_from(one, span)
        if read is None:
            return "The words are in the document, but this report does not read from them what is corrected."
        quote = read.text if isinstance(read, Mention) else read.quote
        before = _without_rule(said_of(read, self.names))
        if one.kind == "wrong":
            (self.mentions if isinstance(read, Mention) else self.evidence).pop(read.id, None)
            return Applied(one, read.id, read.page, quote, before, {})
        product = ""
        if one.product is not None:
            product = self._which(one.product)
            if not product:
                return f"There is no product “{one.product.name}” in this report."
        if isinstance(read, Mention):
            now = self.mentions[read.id]
            if one.kind == "moved" and now.type in _NO_THING:
                return "Such a use of the word is about no product; change what it is first."
            changed = self._mention(now, one, product)
            self.mentions[read.id] = changed
            after = _without_rule(said_of(changed, self.names))
        else:
            item = self._evidence(self.evidence[read.id], one, product)
            self.evidence[read.id] = item
            after = _without_rule(said_of(item, self.names))
        fields = {"product"} if one.kind == "moved" else set(one.to) | {"who", "certainty", "product"}
        fields = {name for name in fields if before.get(name) != after.get(name)}
        was = {name: before[name] for name in sorted(fields) if name in before}
        now_is = {name: after[name] for name in sorted(fields) if name in after}
        if (
            isinstance(read, Evidence)
            and "count" in one.to
            and dict(read.detail) != dict(self.evidence[read.id].detail)
        ):
            was["count"], now_is["count"] = dict(read.detail), dict(self.evidence[read.id].detail)
        return Applied(one, read.id, read.page, quote, was, now_is)

    def _mention(self, now: Mention, one: Correction, product: str) -> Mention:
        kind = one.to.get("type", now.type)
        home = product or (self._home(now, kind) if "type" in one.to else now.product)
        return replace(
            now,
            type=kind,
            hedge=one.to.get("hedge", now.hedge),
            scope=one.to.get("scope", now.scope),
            product="" if kind in _NO_THING else home,
            rule=BY_HAND,
            score=1.0,
        )

    def _home(self, mention: Mention, kind: str) -> str:
        """The product of a mention that is now of this type: a claim about the document is about the document (T4), any other
        claim is about something else."""
        known = self.products.get(mention.product)
        if kind == "DOC_DONE":
            return self._which(ProductAnchor("this document", True, None, True))
        if kind == "PRACTICE" and known or kind in ("OTHER_DONE", "PRACTICE") and known and not known.is_document:
            return mention.product
        if kind in ("OTHER_DONE", "PRACTICE"):
            name = " ".join(mention.thing.split())[:120]
            return (
                self._which(ProductAnchor(name, new=True)) if name else self._made(UNNAMED, False, str(mention.start))
            )
        return mention.product

    def _evidence(self, now: Evidence, one: Correction, product: str) -> Evidence:
        slot, value = one.to.get("slot", now.slot), one.to.get("value", now.value)
        who, detail = now.who, now.detail
        if slot in BY_VALUE and ("value" in one.to or "slot" in one.to):
            who = _who(slot, value, "")
        if slot == "count":
            old = now.detail if now.slot == "count" else {}
            if "count" in one.to or "value" in one.to or "slot" in one.to:
                detail = _count(value, one.to.get("count"), old)
        elif now.slot != slot:
            detail = {}
        return replace(
            now,
            slot=slot,
            value=value,
            who=one.to.get("who", who),
            certainty=one.to.get("certainty", "explicit"),
            product=product or now.product,
            detail=detail,
            rule=BY_HAND,
            score=1.0,
        )

    def _product(self, one: Correction) -> Applied | str:
        assert one.product is not None
        product = self._which(replace(one.product, new=False))
        if not product:
            return f"There is no product “{one.product.name}” in this report."
        before = {"name": self.products[product].name}
        if finding := self.base.findings.get(product):
            before["grade"] = finding.grade
        del self.products[product]
        self.mentions = {k: replace(m, product="") if m.product == product else m for k, m in self.mentions.items()}
        self.evidence = {k: e for k, e in self.evidence.items() if e.product != product}
        span = self.words.find(one.at)
        at = span[0] if not isinstance(span, str) else 0
        quote = "" if isinstance(span, str) else self.base.text[span[0] : span[1]]
        return Applied(one, product, page(self.base.document, at), quote, before, {})

    # --- what a correction means here ---------------------------------------------------------------------------------

    def _read_from(self, one: Correction, span: tuple[int, int]) -> Mention | Evidence | None:
        """The item that a correction is about: read from these words, and as it was read then."""

        def rank(item: Mention | Evidence) -> tuple[bool, bool, int, int, str]:
            words = item.text if isinstance(item, Mention) else item.quote
            return (
                letters(words) == letters(one.at.quote),
                self.names.get(item.product, "") == one.was.get("product", ""),
                _overlap((item.start, item.end), span),
                -item.start,
                item.id,
            )

        here = [i for i in self.as_read.values() if i.id in self.mentions or i.id in self.evidence]
        here = [i for i in here if isinstance(i, Mention) == (one.of == "mention") and _mostly(i, span)]
        if one.of == "mention":
            # What a use of the word is can be said whatever it is taken for; that it is none, only of what it was taken for.
            alike = [m for m in here if isinstance(m, Mention) and m.type == one.was["type"]]
            if alike or one.kind != "changed":
                here = [*alike]
        else:
            was = (one.was["slot"], one.was["value"])
            said = (one.to.get("slot", was[0]), one.to.get("value", was[1]))
            readings = [[e for e in here if isinstance(e, Evidence) and (e.slot, e.value) == it] for it in (was, said)]
            here = [*(readings[0] or (readings[1] if one.kind == "changed" else []))]
        return max(here, key=rank, default=None)

    def _which(self, wanted: ProductAnchor) -> str:
        """The id of the product that is meant, made where it is new; empty where there is none."""
        known = list(self.products.values())
        if wanted.is_document:
            found = [p for p in known if p.is_document]
            if len(found) == 1:
                return found[0].id
        named = [p for p in known if letters(p.name) == letters(wanted.name) and p.is_document == wanted.is_document]
        if wanted.at is not None and not isinstance(span := self.words.find(wanted.at), str):
            items = [i for i in self.as_read.values() if i.product in self.products and _mostly(i, span)]
            here = [p for p in known if p.id in {i.product for i in items}]
            both = [p for p in here if p in named]
            if len(both or here) == 1:
                return (both or here)[0].id
        if len(named) == 1:
            return named[0].id
        return self._made(wanted.name, wanted.is_document, "") if wanted.new and not named else ""

    def _made(self, name: str, is_document: bool, at: str) -> str:
        product = Product(_name("n", letters(name), str(is_document), at), name, is_document)
        self.products.setdefault(product.id, product)
        return product.id

    # --- everything else ----------------------------------------------------------------------------------------------

    def report(self, wanted: Sequence[Correction], provenance: Mapping[str, str]) -> Report:
        base = self.base
        spoken = tuple(self.mentions.values())
        linked = self._followed(_in_order(base.evidence, self.evidence))
        before, after = _by_product(base.mentions, base.evidence), _by_product(spoken, linked)
        kept: list[Product] = []
        for product in self.products.values():
            own = after.get(product.id, ([], []))
            if own != before.get(product.id, ([], [])):
                if not pipeline.stands(*own):
                    continue
                product = replace(product, mentions=tuple(m.id for m in own[0] if m.type in CLAIM_TYPES))
            elif product.id not in base.findings:
                continue  # named by a correction that came to nothing
            kept.append(product)
        ids = {p.id for p in kept}
        spoken = tuple(m if m.product in ids or not m.product else replace(m, product="") for m in spoken)
        linked = tuple(e for e in linked if e.product in ids)
        scores = {m.id: m.score for m in spoken} | {e.id: e.score for e in linked}
        findings = {}
        for product in kept:
            if after.get(product.id) == before.get(product.id):
                findings[product.id] = base.findings[product.id]
                continue
            finding = pipeline.finding(product, spoken, linked, base.population, base.document)
            score = scoring.grade(finding, scores, product.mentions, len(kept))
            findings[product.id] = replace(finding, score=score)
        fresh = tuple(e for e in linked if e.id not in base.boxes and e.id not in {x.id for x in base.evidence})
        stay = {m.id for m in spoken} | {e.id for e in linked}
        boxes = {key: found for key, found in base.boxes.items() if key in stay}
        if fresh:
            boxes |= pipeline.located(base.document, (), fresh)
        return Report(
            base.document,
            base.population,
            spoken,
            tuple(kept),
            findings,
            linked,
            doubts.doubts(kept, findings, spoken, linked),
            boxes,
            {**base.provenance, **provenance, "corrections": fingerprint(wanted)},
            tuple(sorted(self.placed, key=lambda a: wanted.index(a.correction))),
            tuple(sorted(self.unplaced, key=lambda u: wanted.index(u.correction))),
            base,
        )

    def _followed(self, linked: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        """Where it was changed by hand who took part in a product, the phrases that follow them follow (:func:`linking.resolve`).

        Nothing that a person set is touched, and no reviewer whom she took out comes back.
        """

        def people(items: Iterable[Evidence]) -> dict[str, set[tuple[str, str, str]]]:
            found: dict[str, set[tuple[str, str, str]]] = {}
            for e in items:
                if e.slot in _NAMING:
                    found.setdefault(e.product, set()).add((e.slot, e.value, e.who))
            return found

        was, now = people(self.base.evidence), people(linked)
        changed = {p for p in now if now[p] - was.get(p, set())}
        if not changed:
            return linked
        reviewed = {e.start for e in self.base.evidence if e.slot == "reviewers"}
        by_hand = {e.id: e for e in linked if e.rule == BY_HAND}
        out = []
        for product in dict.fromkeys(e.product for e in linked if e.product in changed):
            seen: set[str] = set()
            for e in linking.resolve([e for e in linked if e.product == product]):
                if e.id in seen:
                    if e.start in reviewed or e.id in by_hand:
                        continue
                    e = replace(e, id=_name("h", e.slot, e.value, product, str(e.start)))
                seen.add(e.id)
                out.append(by_hand.get(e.id, e))
        return _in_order(linked, {**{e.id: e for e in linked}, **{e.id: e for e in out}})


def _in_order(base: Sequence[Evidence], found: Mapping[str, Evidence]) -> tuple[Evidence, ...]:
    """The evidence in the order it had; what is new goes after the last that starts no later."""
    known = {e.id for e in base}
    out = [found[e.id] for e in base if e.id in found]
    for item in sorted((e for e in found.values() if e.id not in known), key=lambda e: (e.start, e.end, e.slot, e.id)):
        at = max((i + 1 for i, e in enumerate(out) if e.start <= item.start), default=0)
        out.insert(at, item)
    return tuple(out)


Own = tuple[list[Mention], list[Evidence]]


def _by_product(spoken: Iterable[Mention], linked: Iterable[Evidence]) -> dict[str, Own]:
    found: dict[str, Own] = {}
    for m in spoken:
        found.setdefault(m.product, ([], []))[0].append(m)
    for e in linked:
        found.setdefault(e.product, ([], []))[1].append(e)
    return found


def _mostly(item: Mention | Evidence, span: tuple[int, int]) -> bool:
    """Whether an item's words and a span are the same, or half of the shorter one."""
    shorter = min(item.end - item.start, span[1] - span[0])
    return 2 * _overlap((item.start, item.end), span) >= max(1, shorter)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _who(slot: str, value: str, said: str) -> str:
    return said or (_WHO.get(value, value) if slot in BY_VALUE else "")


def _count(value: str, said: Mapping[str, Any] | None, before: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a count (codebook 2.3), as the rules give them."""
    numbers = (
        dict(said)
        if said is not None
        else {k: v for k, v in before.items() if value not in ("vague", "proportion_only")}
    )
    unit = numbers.get("unit", before.get("unit", "participants"))
    found: dict[str, Any] = {
        "le_n": numbers.get("le_n"),
        "total_n": numbers.get("total_n"),
        "kind": value,
        "unit": unit,
    }
    if value == "one_of_many":
        found["le_n"] = 1
    return found | {k: numbers[k] for k in ("low", "high") if numbers.get(k) is not None}


def _without_rule(said: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in said.items() if k != "rule"}


def _name(letter: str, *parts: str) -> str:
    """An id that is the same whatever else is corrected."""
    return letter + sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
