"""Which documents to code: a stratified sample that can be drawn again, and drawn further, by anyone.

Every document has a permanent random number, made of the seed and its own name and nothing else. In each stratum the documents
with the smallest numbers are drawn, which is simple random sampling without replacement (Ohlsson 1995, in Cox et al., Business
Survey Methods, ch. 9). So a sample does not hang on the order of the rows, on the machine or on a generator's version; more of a
stratum adds documents to those drawn before; and a document added to the list later changes no other's number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil, sqrt
from typing import Literal

from claimscan.errors import UsageError

Allocation = Literal["proportional", "equal", "neyman"]
SEP = " | "  # between the parts of a stratum's name
NO_CLAIM = "no claim"


@dataclass(frozen=True, slots=True)
class Listed:
    """A document of the frame, the list that is drawn from.

    Attributes:
        document: what tells it from all others. ``parts``: its value in each column that strata are made of.
        claims: whether it has any claim; documents without one are strata of their own, as what is missed is found there.
    """

    document: str
    parts: tuple[str, ...] = ()
    claims: bool = True

    @property
    def stratum(self) -> str:
        parts = self.parts if self.claims else (*self.parts, NO_CLAIM)
        return SEP.join(part or "not stated" for part in parts) or "all"


@dataclass(frozen=True, slots=True)
class Stratum:
    """How many of a stratum's documents are drawn."""

    name: str
    size: int
    drawn: int

    @property
    def probability(self) -> float:
        """The inclusion probability of each of its documents."""
        return self.drawn / self.size


@dataclass(frozen=True, slots=True)
class Drawn:
    """One document of the sample.

    Attributes:
        probability: of being drawn. ``number``: its permanent random number, from 0 to 1.
        twice: a second person codes it too. ``twice_probability``: of that, once drawn.
        wave: 0 for the first sample, 1 for the first extension…
    """

    document: str
    stratum: str
    probability: float
    number: float
    twice: bool = False
    twice_probability: float = 0.0
    wave: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample and what is needed to draw it again. ``documents`` stand by stratum, then by number."""

    seed: str
    strata: tuple[Stratum, ...]
    documents: tuple[Drawn, ...]

    def probabilities(self, frame: Iterable[Listed]) -> dict[str, float]:
        """The inclusion probability of every document of the frame, drawn or not."""
        of = {s.name: s.probability for s in self.strata}
        return {row.document: of[row.stratum] for row in frame}


def number(seed: str | int, document: str, purpose: str = "draw") -> float:
    """The permanent random number of a document, in [0, 1): the first 53 bits of a SHA-256."""
    mark = sha256("\0".join((str(seed), purpose, document)).encode()).digest()
    return (int.from_bytes(mark[:8]) >> 11) / 2**53


def draw(
    frame: Iterable[Listed],
    n: int,
    seed: str | int,
    *,
    allocation: Allocation = "proportional",
    spread: Mapping[str, float] | None = None,
    at_least: int = 2,
    twice: float = 0.0,
) -> Sample:
    """A sample of ``n`` documents.

    Args:
        allocation: how many of each stratum: by its size, the same, or by size times ``spread`` (Neyman 1934).
        spread: expected standard deviation of what is measured within a stratum; 0.5 where it is not given.
            :func:`spread_of` makes it of an expected share.
        at_least: of every stratum, or the whole of one that has no more. Two are needed to see how its documents differ.
        twice: share of each stratum's drawn documents that a second person codes, rounded up.

    Raises:
        UsageError: the frame names a document twice or is empty, ``n`` does not reach for the least of every stratum, or a share
            is not between 0 and 1.
    """
    return _drawn(_frame(frame), n, str(seed), allocation, spread or {}, at_least, twice, None)


def extend(
    sample: Sample,
    frame: Iterable[Listed],
    n: int,
    *,
    allocation: Allocation = "proportional",
    spread: Mapping[str, float] | None = None,
    at_least: int = 2,
    twice: float = 0.0,
) -> Sample:
    """A larger sample that has all the documents of the one before: ``n`` is the new number of documents.

    Raises:
        UsageError: as :func:`draw`; or the frame is another: then what was drawn no longer has a known probability.
    """
    rows = _frame(frame)
    sizes = {name: len(documents) for name, documents in rows.items()}
    if sizes != {s.name: s.size for s in sample.strata}:
        raise UsageError("The list of documents or their strata are not those of the sample.", "Draw a new sample.")
    again = _drawn(rows, n, sample.seed, allocation, spread or {}, at_least, twice, sample)
    if missing := {d.document for d in sample.documents} - {d.document for d in again.documents}:
        raise UsageError(f"{sorted(missing)[0]} was drawn before and is in another stratum now.", "Draw a new sample.")
    return again


def allocate(
    sizes: Mapping[str, int],
    n: int,
    *,
    allocation: Allocation = "proportional",
    spread: Mapping[str, float] | None = None,
    at_least: int | Mapping[str, int] = 2,
) -> dict[str, int]:
    """How many of each stratum: the least for every one, the rest in proportion, none over its size.

    What would go over a stratum's size is shared among the others; of fractions the largest are rounded up, ties by name.

    Raises:
        UsageError: ``n`` is more than there are or less than the least of all together.
    """
    least = {
        name: min(size, at_least if isinstance(at_least, int) else at_least.get(name, 0))
        for name, size in sizes.items()
    }
    if n > sum(sizes.values()):
        raise UsageError(f"There are {sum(sizes.values())} documents, and {n} were to be drawn.")
    if n < sum(least.values()):
        raise UsageError(
            f"The {len(sizes)} strata need {sum(least.values())} documents at the least, and {n} were to be drawn.",
            "Draw more documents, or make fewer strata.",
        )
    spread = spread or {}
    weights = {
        name: {"proportional": size, "equal": 1.0, "neyman": size * spread.get(name, 0.5)}[allocation]
        for name, size in sizes.items()
    }
    fixed: dict[str, int] = {}
    while True:
        free = sorted(name for name in sizes if name not in fixed)
        left = n - sum(fixed.values())
        total = sum(weights[name] for name in free)
        ideal = {name: left * weights[name] / total if total else left / len(free) for name in free}
        # Strata that need more than their part take it first: then the parts of the others only shrink.
        over = {name: least[name] for name in free if ideal[name] < least[name]}
        over = over or {name: sizes[name] for name in free if ideal[name] > sizes[name]}
        if not over:
            break
        fixed.update(over)
    whole = {name: int(ideal[name] + 1e-9) for name in free}
    short = n - sum(fixed.values()) - sum(whole.values())
    for name in sorted(free, key=lambda name: (whole[name] - ideal[name], name))[:short]:
        whole[name] += 1
    return {name: {**fixed, **whole}[name] for name in sorted(sizes)}


def spread_of(share: float, least: float = 0.1) -> float:
    """The standard deviation of a property that a share of documents is expected to have; never under ``least``, as a guess of
    0 or 1 would draw nothing."""
    return max(least, sqrt(max(0.0, share * (1 - share))))


def _frame(frame: Iterable[Listed]) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = defaultdict(list)
    seen = set()
    for row in frame:
        if row.document in seen:
            raise UsageError(f"The list has {row.document} twice.")
        seen.add(row.document)
        rows[row.stratum].append(row.document)
    if not rows:
        raise UsageError("The list has no documents.")
    return dict(rows)


def _drawn(
    rows: Mapping[str, Sequence[str]],
    n: int,
    seed: str,
    allocation: Allocation,
    spread: Mapping[str, float],
    at_least: int,
    twice: float,
    before: Sample | None,
) -> Sample:
    if not 0 <= twice <= 1:
        raise UsageError("The share of documents to code twice has to be between 0 and 1.")
    sizes = {name: len(documents) for name, documents in rows.items()}
    had = {s.name: s.drawn for s in before.strata} if before else {}
    least = {name: max(at_least, had.get(name, 0)) for name in sizes}
    numbers = allocate(sizes, n, allocation=allocation, spread=spread, at_least=least)
    known = {d.document: d for d in before.documents} if before else {}
    wave = max((d.wave for d in known.values()), default=-1) + 1
    found = []
    for name in sorted(rows):
        order = sorted((number(seed, document), document) for document in rows[name])[: numbers[name]]
        drawn = [document for _, document in order]
        second = {document for document in drawn if document in known and known[document].twice}
        others = sorted(set(drawn) - second, key=lambda document: (number(seed, document, "twice"), document))
        second.update(others[: max(0, ceil(twice * len(drawn)) - len(second))])
        for value, document in order:
            found.append(
                Drawn(
                    document,
                    name,
                    len(order) / sizes[name],
                    value,
                    document in second,
                    len(second) / len(order),
                    known[document].wave if document in known else wave,
                )
            )
    return Sample(seed, tuple(Stratum(name, sizes[name], numbers[name]) for name in sorted(rows)), tuple(found))
