"""Which of these goes with which of those, and nothing where two are equally good.

A solver for the best assignment always chooses, also between equals. Here a pair is made only of two that each like the
other best, and clearly so; what is left between equals is handed back as not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Pairing:
    """Places in the two sequences, each in one field only.

    Attributes:
        pairs: a place in the first and the place in the second that goes with it.
        either: places in the first and in the second of which any could go with any.
        first, second: places that go with nothing.
    """

    pairs: tuple[tuple[int, int], ...]
    either: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    first: tuple[int, ...]
    second: tuple[int, ...]


def likenesses(
    first: Sequence[A], second: Sequence[B], likeness: Callable[[A, B], float], floor: float
) -> dict[tuple[int, int], float]:
    """The likeness of each with each, from 0 to 1, where it is not below ``floor``; by their places."""
    every = ((i, j, likeness(a, b)) for i, a in enumerate(first) for j, b in enumerate(second))
    return {(i, j): score for i, j, score in every if score >= floor}


def paired(first: int, second: int, scores: Mapping[tuple[int, int], float], margin: float) -> Pairing:
    """Pair by likeness. Swapping the sequences swaps the result and changes nothing else.

    Args:
        first, second: how long the two sequences are.
        scores: for each candidate, the place in the first and in the second, how alike they are.
        margin: a candidate this close to the best is as good as the best.
    """
    pairs: list[tuple[int, int]] = []
    either: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    while scores:
        # The best candidate of all is always in a group, so that each round settles something.
        for left, right in _together(_fit(scores, margin)):
            if len(left) == len(right) == 1:
                pairs.append((left[0], right[0]))
            else:
                either.append((left, right))
            scores = {(i, j): score for (i, j), score in scores.items() if i not in left and j not in right}
    gone = [*pairs, *((i, j) for left, right in either for i in left for j in right)]
    used = {i for i, _ in gone}, {j for _, j in gone}
    alone = [tuple(n for n in range(size) if n not in taken) for size, taken in zip((first, second), used, strict=True)]
    return Pairing(tuple(sorted(pairs)), tuple(sorted(either)), alone[0], alone[1])


def _fit(scores: Mapping[tuple[int, int], float], margin: float) -> set[tuple[int, int]]:
    """The candidates that are the best, or as good, for both."""
    best: tuple[dict[int, float], dict[int, float]] = {}, {}
    for (i, j), score in scores.items():
        best[0][i] = max(score, best[0].get(i, 0.0))
        best[1][j] = max(score, best[1].get(j, 0.0))
    return {(i, j) for (i, j), score in scores.items() if score >= best[0][i] - margin and score >= best[1][j] - margin}


def _together(fit: set[tuple[int, int]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The candidates in groups that share no member."""
    groups: list[tuple[set[int], set[int]]] = []
    for i, j in sorted(fit):
        mine = [g for g in groups if i in g[0] or j in g[1]]
        merged = {i}.union(*(g[0] for g in mine)), {j}.union(*(g[1] for g in mine))
        groups = [g for g in groups if g not in mine] + [merged]
    return [(tuple(sorted(left)), tuple(sorted(right))) for left, right in groups]
