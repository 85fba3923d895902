"""Fits what is released into claimscan/data/models, from corpus/ alone: the model of wording (training/learn.py) and the tables
that turn rules and models into probabilities (claimscan/scoring.py).

Steps on documents of different splits: the model of wording is fitted on ``train``, and tried on writers left out; how often each
rule was right is counted on ``train``, whose text the rules were written with; the logistic regression that says how far to believe such a
record is fitted on ``dev``, which no rule was written from (Platt 1999). ``test`` is not read. The same corpus and rules give the same files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from claimscan import learned, scoring
from claimscan.training import learn
from claimscan.training.evaluate import examined
from claimscan.training.gold import GoldDocument

PLACES = 4  # decimals kept: more would differ from machine to machine
KINDS = ("mention", "evidence")


@dataclass(frozen=True)
class Checked:
    """One document of the corpus with its report and, for each thing found, whether it is right (by kind and id)."""

    report: Any
    right: Mapping[str, Mapping[str, bool]]


# Writers held out together when the model of wording is tried on what it has not seen: each fold has documents of every kind.
FOLDS = (("first", "w9"), ("w1", "w2"), ("w3", "w4", "w6"))


def wording(documents: Sequence[GoldDocument], sentences: Path) -> tuple[learned.Model, dict[str, Any], list[Checked]]:
    """The model of wording, what it added in documents of writers that it had not seen, and those documents as it read them.

    Args:
        documents: those of the ``train`` split.
        sentences: the folder of labelled sentences.
    """
    rows = learn.rows_of(documents, sentences)
    additions: list[learn.Addition] = []
    for fold in FOLDS:
        with learned.on_trial(learn.fit(rows, fold)), scoring.on_trial(EVEN):
            for document in documents:
                if learn.writer(document.id) in fold and document.products:
                    additions += _added(checked(document))
    limits, record = learn.choose(additions)
    seen: list[Checked] = []
    for fold in FOLDS:
        with learned.on_trial(learn.fit(rows, fold, limits)), scoring.on_trial(EVEN):
            seen += [checked(document) for document in documents if learn.writer(document.id) in fold]
    return learn.fit(rows, (), limits), record, seen


def _added(one: Checked) -> list[learn.Addition]:
    return [
        learn.Addition(item.slot, item.score, one.right["evidence"].get(item.id, False))
        for item in one.report.evidence
        if item.rule == f"learned-{item.slot}"
    ]


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


def _of(mention: Any, tables: Mapping[str, Any]) -> list[float]:
    return scoring.mention_features(mention, tables["mention"])


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


@dataclass(frozen=True)
class Fitted:
    """What ``fit`` makes: the model of wording, its record on unseen writers, and the tables of scores.json."""

    model: learned.Model
    record: Mapping[str, Any]
    tables: Mapping[str, Any]


def fit(documents: Sequence[GoldDocument], sentences: Path, corpus_hash: str) -> Fitted:
    """Everything that is released, from the corpus alone."""
    train, dev = ([d for d in documents if d.split == split] for split in ("train", "dev"))
    model, record, seen = wording(train, sentences)
    with learned.on_trial(model):
        return Fitted(model, record, _scores(seen, dev, corpus_hash))


def _scores(seen: Sequence[Checked], dev: Sequence[GoldDocument], corpus_hash: str) -> dict[str, Any]:
    """The tables of scores.json, from train documents as models read them that had not seen them, and the dev documents."""
    tables: dict[str, Any] = {"schema": "claimscan/scores/1", "corpus": corpus_hash}
    with scoring.on_trial(EVEN):
        held = [checked(d) for d in dev]
    for kind in KINDS:
        table = rates(seen, kind)
        features, right = [], []
        for one in held:
            report = one.report
            if kind == "evidence":  # after mentions: evidence rests on how sure its product's claim is
                sure = {m.id: scoring.probability(tables["mention"], _of(m, tables)) for m in report.mentions}
                claims = scoring.best_claims(report.products, sure)
            for item in report.mentions if kind == "mention" else report.evidence:
                if kind == "mention":
                    features.append(scoring.mention_features(item, table))
                else:
                    features.append(scoring.evidence_features(item, report.products, claims, table))
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


# Tables under which every score stays as the rule or model gave it: what is fitted must not depend on what was released before.
EVEN: dict[str, Any] = {
    "mention": {"weights": []},
    "evidence": {"weights": []},
    "grade": {"bias": 0.0, "weights": [0.0] * 6},
}


def dumped(tables: Mapping[str, Any]) -> str:
    """As JSON, one rule on a line, so that a change can be read in a diff."""
    text = json.dumps(tables, indent=1, sort_keys=True)
    return text.replace("[\n    ", "[").replace(",\n    ", ", ") + "\n"


def record(fitted: Fitted) -> dict[str, Any]:
    """What models/ keeps of a fit: what was learned from which corpus, how right it was on unseen writers, and the hashes."""
    return {
        "corpus": fitted.tables["corpus"],
        "settings": {
            "right": learn.RIGHT,
            "least": learn.LEAST,
            "strength": learn.STRENGTH,
            "pruned": learn.PRUNED,
            "folds": [list(fold) for fold in FOLDS],
        },
        "features": len(fitted.model.weights),
        "weights": sum(len(pairs) for pairs in fitted.model.weights.values()),
        "unseen_writers": dict(fitted.record),
        "calibration": {
            k: {n: fitted.tables[k][n] for n in ("bias", "weights")} for k in ("mention", "evidence", "grade")
        },
        "sha256": {
            "wording.npz": sha256(learn.packed(fitted.model)).hexdigest(),
            "scores.json": sha256(dumped(fitted.tables).encode()).hexdigest(),
        },
    }
