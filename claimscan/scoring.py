"""How likely a finding is to be right: applies released calibration tables (claimscan/data/models/scores.json) as plain arithmetic.

A ``score`` is the probability that a careful annotator, coding by the codebook, says the same: the type of a mention, the slot and
value that evidence states of its product, the grade of a product. It is fitted on documents of corpus/ whose text no rule was
written from: how often each rule was right, smoothed towards its kind, then a logistic regression over a few plain features
(Platt 1999). ``python -m claimscan.training fit`` makes the tables; models/ has the card. No scikit-learn here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import exp, log
from typing import Any

from claimscan.records import Evidence, Finding, Mention, Product

DOUBT = 0.2  # where only evidence less likely than this to be right makes a grade, the other reading is shown too
SMOOTH = 5.0  # how many observations the rate of the kind counts for
_EDGE = 0.02
_FILE = "data/models/scores.json"


_trial: list[Mapping[str, Any]] = []


def tables() -> Mapping[str, Any]:
    """The released tables, or those on trial while they are being fitted."""
    return _trial[-1] if _trial else _released()


@cache
def _released() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(_text())
    return found


@contextmanager
def on_trial(found: Mapping[str, Any]) -> Iterator[None]:
    """Use other tables for a while (training only)."""
    _trial.append(found)
    try:
        yield
    finally:
        _trial.pop()


def fingerprint() -> str:
    """SHA-256 of the released tables, for the provenance."""
    return sha256(_text().encode()).hexdigest()


def _text() -> str:
    return files("claimscan").joinpath(_FILE).read_text(encoding="utf-8")


def logit(p: float) -> float:
    p = min(1 - _EDGE, max(_EDGE, p))
    return log(p / (1 - p))


def rate(table: Mapping[str, Any], rule: str, kind: str) -> float:
    """How often a rule was right, smoothed towards its kind's rate: (right + s k) / (n + s).

    Args:
        table: ``rules`` and ``kinds``, each from a name to (right, n).
        rule: the rule's id; one never seen has the rate of its kind.
        kind: the type of a mention, or the slot of evidence.
    """
    right, n = table["rules"].get(rule, (0, 0))
    kind_right, kind_n = table["kinds"].get(kind, (0, 0))
    prior = (kind_right + SMOOTH * table["all"]) / (kind_n + SMOOTH)
    return float((right + SMOOTH * prior) / (n + SMOOTH))


def mention_features(mention: Mention, table: Mapping[str, Any]) -> list[float]:
    """What the score of a mention's type rests on: its rule's record, and whether anything but the default spoke."""
    words = len(mention.sentence.text.split())
    return [
        logit(rate(table, f"{mention.rule} {mention.type}", mention.type)),
        float(mention.rule == "default"),
        log(1 + words),
    ]


def evidence_features(
    evidence: Evidence, products: Sequence[Product], claims: Mapping[str, float], table: Mapping[str, Any]
) -> list[float]:
    """What the score of evidence rests on: its rule's record (or what the model of wording says), whether the link is sure, how many
    products compete for it, and how sure it is that its product is one.

    Args:
        claims: the best score of a claim, by product; none for a product described without a trigger (E20).
    """
    learned = evidence.rule.startswith("learned-")
    record = logit(evidence.score if learned else rate(table, f"{evidence.rule} {evidence.slot}", evidence.slot))
    return [
        record,
        record * record,  # the best records do not carry over as fully as the worst
        float(learned),
        float(evidence.certainty == "borderline"),
        log(max(1, len(products))),
        logit(claims[evidence.product]) if evidence.product in claims else 0.0,
        float(evidence.product not in claims),
    ]


def best_claims(products: Sequence[Product], scores: Mapping[str, float]) -> dict[str, float]:
    """The best score of a claim of each product that is claimed."""
    return {p.id: max(scores[m] for m in p.mentions) for p in products if p.mentions}


def grade_features(finding: Finding, scores: Mapping[str, float], claims: Sequence[str], products: int) -> list[float]:
    """What the score of a grade rests on: its least sure claim and evidence, and how much there is to get wrong.

    Args:
        scores: the scores of mentions and evidence, by id.
        claims: the ids of the product's mentions; empty where it is described without a trigger (E20).
        products: how many products the document has.
    """
    links = [scores[name] for name in deciding(finding) if name in scores]
    best = max((scores[name] for name in claims if name in scores), default=None)
    return [
        logit(min(links)) if links else 0.0,
        float(not links),
        float(finding.band == ""),
        logit(best) if best is not None else 0.0,
        float(best is None),
        log(max(1, products)),
    ]


def deciding(finding: Finding) -> tuple[str, ...]:
    """The ids of the evidence that the rule which gave the grade rests on."""
    return next((reason.evidence for reason in finding.reasons if "grade" in reason.facts), ())


def probability(model: Mapping[str, Any], features: Sequence[float]) -> float:
    """The logistic of weights times features, 0 to 1, to four places."""
    z = model["bias"] + sum(weight * value for weight, value in zip(model["weights"], features, strict=True))
    return round(1 / (1 + exp(-z)), 4)


def mention(found: Mention) -> float:
    """The probability that the type of a mention is right."""
    model = tables()["mention"]
    if not model["weights"]:
        return found.score
    return probability(model, mention_features(found, model))


def evidence(found: Evidence, products: Sequence[Product], claims: Mapping[str, float]) -> float:
    """The probability that the product states this slot and value (arguments: :func:`evidence_features`)."""
    model = tables()["evidence"]
    if not model["weights"]:
        return found.score
    return probability(model, evidence_features(found, products, claims, model))


def grade(finding: Finding, scores: Mapping[str, float], claims: Sequence[str], products: int) -> float:
    """The probability that a grade is exactly that of the annotator (arguments: :func:`grade_features`)."""
    return probability(tables()["grade"], grade_features(finding, scores, claims, products))
