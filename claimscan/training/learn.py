"""Fits the model of wording (claimscan/learned.py) on corpus/: which slot a sentence states, and which value.

Logistic regression over runs of words (scikit-learn), one for each slot and value. Rows are the sentences of the documents of the
``train`` split, with the slots their marks state, and the single sentences of ``corpus/wording``, each labelled for one slot. How far the
model may be believed is measured on writers it has not seen (training/fit.py): the threshold of a slot is the lowest at which, where no rule
found the slot, what it added to a product was right at least ``RIGHT`` of the time; a slot that never is gets none.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from claimscan import learned, people
from claimscan.population import population_of
from claimscan.reading import read_text
from claimscan.records import Population
from claimscan.sentences import sentences
from claimscan.training.gold import GoldDocument

RIGHT = 0.5  # the share that must be right at the threshold: slot, value and product
LEAST = 8  # additions at a threshold below which its share says nothing
GRID = tuple(round(0.3 + 0.05 * i, 2) for i in range(13))
STRENGTH = 8.0  # C of the logistic regression
STATES = 2.0  # weight of a sentence that states the slot: they are few
PRUNED = 0.12  # weights nearer to 0 are left out
RARE = 2  # a feature of fewer rows is left out
VALUES = 8  # a value of fewer rows is not learned
# Marks are of many kinds; scope is seldom said in words of its own; who read or wrote a thing is not in the words of the clause alone.
LEFT_OUT = frozenset({"mark", "scope", "reviewers", "authorship"})
POPULATIONS = {
    "": Population("people who use the service", "adults"),
    "adults": Population("autistic adults", "adults"),
    "carers": Population("unpaid carers", "carers"),
    "children": Population("children with SEND", "children"),
}


@dataclass(frozen=True)
class Row:
    """One sentence. ``states``: (slot, value) pairs; ``about``: the slots it is labelled for (all, where empty)."""

    masked: str
    states: frozenset[tuple[str, str]]
    about: frozenset[str]
    writer: str


def rows_of(documents: Sequence[GoldDocument], folder: Path) -> list[Row]:
    """The rows of some documents and of the labelled sentences in ``folder``."""
    rows = []
    for document in documents:
        if "cy" not in document.language:
            rows += _of_document(document)
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        slots = frozenset(table.get("slots", (path.stem,)))
        for case in table["case"]:
            masked = people.mask(case["text"], POPULATIONS[case.get("population", "")])
            states = frozenset({(path.stem, case["value"])} if case["value"] else ())
            rows.append(Row(masked, states, slots, "sentences"))
    return rows


def _of_document(document: GoldDocument) -> list[Row]:
    read = read_text(document.text, document.id)
    cut = tuple(sentences(read))
    population = population_of(read)
    starts = [sentence.start for sentence in cut]
    states: dict[int, set[tuple[str, str]]] = {}
    for item in document.evidence:
        value = str(item.detail["kind"]) if item.slot == "count" else item.value
        states.setdefault(bisect_right(starts, item.start) - 1, set()).add((item.slot, value))
    return [
        Row(
            people.mask(sentence.text, population),
            frozenset(states.get(index, ())),
            frozenset(),
            writer(document.id),
        )
        for index, sentence in enumerate(cut)
    ]


def writer(name: str) -> str:
    """Who wrote a document: the number its name begins with, or the first writers."""
    match = re.match(r"w\d+(?=-)", name)
    return match.group() if match else "first"


def fit(
    rows: Sequence[Row], without: Sequence[str] = (), thresholds: Mapping[str, float] | None = None
) -> learned.Model:
    """The model of the rows that are not by the writers ``without``, for the slots that have a threshold (all, at the lowest, where none
    are given)."""
    matrix, names = _matrix(rows)
    use = np.array([row.writer not in without for row in rows])
    slots = sorted(
        thresholds if thresholds is not None else {slot for row in rows for slot, _ in row.states} - LEFT_OUT
    )
    columns, biases, table = [], [], []
    for slot in slots:
        values = sorted({v for row in rows for s, v in row.states if s == slot})
        enough = [v for v in values if sum((slot, v) in row.states for row in rows) >= VALUES]
        for value in ("", *enough):
            bias, weights = _regression(matrix, rows, slot, value, use)
            columns.append(f"{slot}={value}" if value else slot)
            biases.append(bias)
            table.append(weights)
    limits = thresholds if thresholds is not None else {slot: GRID[0] for slot in slots}
    return _model(columns, biases, np.array(table).reshape(len(columns), len(names)), names, limits)


@dataclass(frozen=True)
class Addition:
    """One thing that a model added in a document of a writer it had not seen: how sure it was, and whether it was right."""

    slot: str
    p: float
    right: bool


def choose(additions: Sequence[Addition]) -> tuple[dict[str, float], dict[str, dict[str, Any]]]:
    """The threshold of each slot that is right often enough, and the record: threshold, additions and how many were right."""
    limits: dict[str, float] = {}
    record: dict[str, dict[str, Any]] = {}
    for slot in sorted({a.slot for a in additions}):
        record[slot] = {"threshold": None}
        for limit in GRID:
            kept = [a.right for a in additions if a.slot == slot and a.p >= limit]
            if len(kept) >= LEAST and sum(kept) / len(kept) >= RIGHT:
                limits[slot] = limit
                record[slot] = {"threshold": limit, "added": len(kept), "right": sum(kept)}
                break
    return limits, record


def _matrix(rows: Sequence[Row]) -> tuple[Any, list[str]]:
    """Rows by features, each row scaled by the root of how many features it has."""
    from scipy.sparse import csr_matrix

    seen = [learned.features(row.masked) for row in rows]
    times: dict[str, int] = {}
    for found in seen:
        for name in found:
            times[name] = times.get(name, 0) + 1
    names = sorted(name for name, n in times.items() if n >= RARE)
    at = {name: i for i, name in enumerate(names)}
    data, indices, pointers = [], [], [0]
    for found in seen:
        kept = [at[name] for name in found if name in at]
        indices += kept
        data += [1 / np.sqrt(max(1, len(found)))] * len(kept)
        pointers.append(len(indices))
    return csr_matrix((data, indices, pointers), shape=(len(rows), len(names))), names


def _regression(matrix: Any, rows: Sequence[Row], slot: str, value: str, use: Any) -> tuple[float, Any]:
    """Bias and weights for a slot (against every sentence labelled for it), or for a value (against its slot's other values)."""
    from sklearn.linear_model import LogisticRegression

    if value:
        y = np.array([(slot, value) in row.states for row in rows])
        may = np.array([any(s == slot for s, _ in row.states) for row in rows])
    else:
        y = np.array([any(s == slot for s, _ in row.states) for row in rows])
        may = np.array([not row.about or slot in row.about for row in rows])
    use = use & may
    if len(set(y[use])) < 2:  # a slot with one value: nothing to tell apart
        return 4.0 if y[use].any() else -4.0, np.zeros(matrix.shape[1])
    model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0)
    model.fit(matrix[use], y[use], sample_weight=np.where(y[use], STATES, 1.0))
    return float(model.intercept_[0]), model.coef_[0]


def _model(
    columns: list[str], biases: list[float], table: Any, names: list[str], limits: Mapping[str, float]
) -> learned.Model:
    table = np.where(np.abs(table) >= PRUNED, np.round(table, 2), 0.0)
    weights = {
        name: [(int(c), float(table[c, i])) for c in np.nonzero(table[:, i])[0]]
        for i, name in enumerate(names)
        if table[:, i].any()
    }
    return learned.Model(tuple(columns), tuple(round(b, 4) for b in biases), weights, dict(limits))


def packed(model: learned.Model) -> bytes:
    """The model as a file of plain arrays (NumPy's npz), the reverse of :func:`claimscan.learned.unpacked`; the same bytes each time."""
    names = sorted(model.weights)
    starts = np.cumsum([0, *(len(model.weights[name]) for name in names)])
    pairs = [pair for name in names for pair in model.weights[name]]
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "columns": np.frombuffer("\n".join(model.columns).encode(), dtype=np.uint8),
        "features": np.frombuffer("\n".join(names).encode(), dtype=np.uint8),
        "starts": starts.astype(np.int32),
        "column": np.array([c for c, _ in pairs], dtype=np.uint8),
        "weight": np.array([w for _, w in pairs], dtype=np.float32),
        "bias": np.array(model.bias, dtype=np.float64),
        "thresholds": np.array([model.thresholds.get(name, np.nan) for name in model.columns], dtype=np.float64),
    }
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:  # by hand: np.savez writes today's date into it
        for name, array in arrays.items():
            content = BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), content.getvalue(), ZIP_DEFLATED)
    return file.getvalue()
