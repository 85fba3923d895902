"""Fits the tables that turn rules into probabilities (claimscan/scoring.py), from corpus/ alone.

Two steps on documents of different splits: how often each rule was right is counted on ``train``, whose text the rules were
written with; the logistic regression that says how far to believe such a record is fitted on ``dev``, which no rule was
written from (Platt 1999). ``test`` is not read. The same corpus and rules give the same tables, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimscan import scoring
from claimscan.training.evaluate import examined
from claimscan.training.gold import GoldDocument

PLACES = 4  # decimals kept: more would differ from machine to machine
KINDS = ("mention", "evidence")


@dataclass(frozen=True)
class Checked:
    """One document of the corpus with its report and, for each thing found, whether it is right (by kind and id)."""

    report: Any
    right: Mapping[str, Mapping[str, bool]]


def checked(document: GoldDocument) -> Checked:
    report, items = examined(document)
    right: dict[str, dict[str, bool]] = {"mention": {}, "evidence": {}, "product": {}}
    for item in items:
        if item["kind"] in right and item["of"]:
            right[item["kind"]][item["of"]] = bool(item["right"])
    return Checked(report, right)


def rates(found: Iterable[Checked], kind: str) -> dict[str, Any]:
    """How often each rule, and each type or slot, was right: (right, n), and over all as a share."""
    rules: dict[str, list[int]] = {}
    kinds: dict[str, list[int]] = {}
    for one in found:
        for item in one.report.mentions if kind == "mention" else one.report.evidence:
            what = item.type if kind == "mention" else item.slot
            for table, key in ((rules, f"{item.rule} {what}"), (kinds, what)):
                counted = table.setdefault(key, [0, 0])
                counted[0] += one.right[kind].get(item.id, False)
                counted[1] += 1
    right, n = (sum(pair[i] for pair in kinds.values()) for i in (0, 1))
    return {
        "rules": dict(sorted(rules.items())),
        "kinds": dict(sorted(kinds.items())),
        "all": round(right / max(1, n), PLACES),
    }


def logistic(features: Sequence[Sequence[float]], right: Sequence[bool]) -> dict[str, Any]:
    """Weights and bias of a logistic regression, rounded. Where all are right or all wrong, the bias alone."""
    from sklearn.linear_model import LogisticRegression

    if len(set(right)) < 2:
        width = len(features[0]) if features else 0
        return {"weights": [0.0] * width, "bias": round(scoring.logit(float(bool(right and right[0]))), PLACES)}
    model = LogisticRegression(C=1.0, max_iter=1000).fit(features, right)
    return {
        "weights": [round(float(w), PLACES) for w in model.coef_[0]],
        "bias": round(float(model.intercept_[0]), PLACES),
    }


def fit(documents: Sequence[GoldDocument], corpus_hash: str) -> dict[str, Any]:
    """The tables of scores.json."""
    train, dev = ([d for d in documents if d.split == split] for split in ("train", "dev"))
    tables: dict[str, Any] = {"schema": "claimscan/scores/1", "corpus": corpus_hash}
    with scoring.on_trial(EVEN):
        learned, held = [checked(d) for d in train], [checked(d) for d in dev]
    for kind in KINDS:
        table = rates(learned, kind)
        features, right = [], []
        for one in held:
            products = len(one.report.products)
            for item in one.report.mentions if kind == "mention" else one.report.evidence:
                if kind == "mention":
                    features.append(scoring.mention_features(item, table))
                else:
                    features.append(scoring.evidence_features(item, products, table))
                right.append(one.right[kind].get(item.id, False))
        tables[kind] = table | logistic(features, right)
    # Doubtful evidence does not decide a grade, so grades are looked at with the scores in place.
    with scoring.on_trial(tables | {"grade": EVEN["grade"]}):
        held = [checked(d) for d in dev]
    features, right = [], []
    for one in held:
        report = one.report
        scores = {item.id: item.score for item in (*report.mentions, *report.evidence)}
        for product in report.products:
            finding = report.findings[product.id]
            features.append(scoring.grade_features(finding, scores, product.mentions, len(report.products)))
            right.append(one.right["product"].get(product.id, False))
    tables["grade"] = logistic(features, right)
    return tables


_NOTHING: dict[str, Any] = {"rules": {}, "kinds": {}, "all": 0.8, "bias": 2.0}
# Tables under which nothing is in doubt: what is fitted must not depend on what was released before.
EVEN: dict[str, Any] = {
    "mention": _NOTHING | {"weights": [0.0] * 3},
    "evidence": _NOTHING | {"weights": [0.0] * 3},
    "grade": {"bias": 0.0, "weights": [0.0] * 6},
}


def dumped(tables: Mapping[str, Any]) -> str:
    """As JSON, one rule on a line, so that a change can be read in a diff."""
    text = json.dumps(tables, indent=1, sort_keys=True)
    return text.replace("[\n    ", "[").replace(",\n    ", ", ") + "\n"
