"""What the corpus holds, against what it ought to hold, and text that stands in it twice.

:func:`counts` counts documents, words, mentions by type, products by grade and evidence by slot and value. :func:`twins` finds
sentences of one split that are nearly those of another split, or of text outside the corpus: a score on such sentences would be a
score on what was trained on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from claimscan import codebook
from claimscan.codebook import MENTION_TYPES
from claimscan.training.gold import GRADABLE, SPLITS, GoldDocument

MINIMA = {"documents": 120, "words": 60_000, "mentions": 1_500}
LEAST_OF_A_TYPE = 60
LEAST_OF_A_VALUE = 20
LEAST_OF_A_GRADE = 15
NO_CLAIM_SHARE = 1 / 3
UNSTATED = frozenset({"not_stated", "none_stated", "none"})  # values that nobody marks
ALIKE = 0.75  # cosine of tf-idf over runs of one to three words


@dataclass(frozen=True)
class Counts:
    """Counts of one set of documents. ``values`` is keyed by (slot, value); a count's value is its kind."""

    documents: int
    words: int
    without_claim: int
    types: Counter[str]
    grades: Counter[str]
    values: Counter[tuple[str, str]]


def counts(documents: Iterable[GoldDocument]) -> Counts:
    """Count what a set of documents holds."""
    total, words, without = 0, 0, 0
    types: Counter[str] = Counter()
    grades: Counter[str] = Counter()
    values: Counter[tuple[str, str]] = Counter()
    for document in documents:
        total += 1
        words += len(document.text.split())
        without += not document.products and not any(m.type in GRADABLE for m in document.mentions)
        types.update(m.type for m in document.mentions)
        grades.update(p.grade for p in document.products)
        values.update((e.slot, str(e.detail["kind"]) if e.slot == "count" else e.value) for e in document.evidence)
    return Counts(total, words, without, types, grades, values)


def missing(held: Counts) -> list[str]:
    """A sentence for each thing that the corpus has too little of."""
    have = {"documents": held.documents, "words": held.words, "mentions": held.types.total()}
    short = [f"{have[name]} {name}; at least {least}" for name, least in MINIMA.items() if have[name] < least]
    if held.without_claim < held.documents * NO_CLAIM_SHARE:
        short.append(f"{held.without_claim} documents without a claim; at least a third")
    table = codebook.tables()
    grades = [*table.statuses, *(level.id for level in table.levels)]
    slots = {name: slot.values for name, slot in table.slots.items() if name != "mark"}
    pairs = [(name, v) for name, values in slots.items() for v in values if v not in UNSTATED | {"whole"}]
    short += [
        f"type {t}: {held.types[t]} of {LEAST_OF_A_TYPE}" for t in MENTION_TYPES if held.types[t] < LEAST_OF_A_TYPE
    ]
    short += [f"grade {g}: {held.grades[g]} of {LEAST_OF_A_GRADE}" for g in grades if held.grades[g] < LEAST_OF_A_GRADE]
    short += [
        f"{s}={v}: {held.values[s, v]} of {LEAST_OF_A_VALUE}" for s, v in pairs if held.values[s, v] < LEAST_OF_A_VALUE
    ]
    return short


@dataclass(frozen=True)
class Twin:
    """Two sentences that are nearly the same. ``likeness`` is 0 to 1; ``where`` names their documents."""

    likeness: float
    one: str
    other: str
    where: tuple[str, str]


def twins(
    documents: Sequence[GoldDocument], outside: Sequence[tuple[str, str]] = (), alike: float = ALIKE
) -> list[Twin]:
    """Sentences nearly alike across splits, or between the corpus and ``outside`` (pairs of name and text), likest first."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = [(document.split, document.id, text) for document in documents for text in sentences_of(document.text)]
    rows += [("outside", name, text) for name, whole in outside for text in sentences_of(whole)]
    if not rows:
        return []
    matrix = TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True).fit_transform([text for _, _, text in rows])
    splits = [split for split, _, _ in rows]
    found = []
    kinds = [*SPLITS, "outside"]
    for position, split in enumerate(kinds):
        for other in kinds[position + 1 :]:
            left = [i for i, s in enumerate(splits) if s == split]
            right = [i for i, s in enumerate(splits) if s == other]
            if not left or not right:
                continue
            near = (matrix[left] @ matrix[right].T).tocoo()
            for i, j, value in zip(near.row, near.col, near.data):
                if value >= alike:
                    (_, a, one), (_, b, two) = rows[left[i]], rows[right[j]]
                    found.append(Twin(round(float(value), 3), one, two, (a, b)))
    return sorted(found, key=lambda twin: (-twin.likeness, twin.where, twin.one))


def sentences_of(text: str) -> Iterator[str]:
    """Sentences and rows of at least eight words: shorter ones are alike by nature."""
    for piece in re.split(r"(?<=[.!?])\s+|\n+", text):
        if len(piece.split()) >= 8:
            yield " ".join(piece.split())
