"""How many documents to code before anyone codes: for a share that is known well enough, and for agreement that is.

Everything here rests on guesses that are given (or come from a pilot); the answers are as good as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite, sqrt
from typing import NamedTuple

import numpy as np

from claimscan.errors import UsageError
from claimscan.study.agreement import Floats, Level, alpha_of
from claimscan.study.estimating import MIN_DOCUMENTS
from claimscan.study.sampling import Allocation, allocate, spread_of


class Guess(NamedTuple):
    """What is expected of a stratum: how many documents it has, and the share of their units with the property."""

    documents: int
    share: float


@dataclass(frozen=True, slots=True)
class Budget:
    """How many documents to code.

    Attributes:
        documents: in all. ``by_stratum``: of each. ``half_width``: of the interval that is then expected.
        whole: even all documents would have to be coded.
        design_effect: how much worse units of one document are than units drawn one by one.
        saved: documents that the machine's labels spare, against hand coding alone.
    """

    documents: int
    by_stratum: Mapping[str, int]
    half_width: float
    whole: bool
    design_effect: float
    saved: int


def documents_to_code(
    half_width: float,
    strata: Mapping[str, Guess],
    *,
    units: float = 1.0,
    units_sd: float = 0.0,
    icc: float = 0.3,
    sensitivity: float = 0.5,
    specificity: float = 0.5,
    level: float = 0.95,
    allocation: Allocation = "proportional",
    at_least: int = 2,
) -> Budget:
    """The fewest documents for an interval of the powered share (see :mod:`claimscan.study.estimating`) no wider than wanted.

    The variance within a stratum is that of clusters of ``units`` units with the intraclass correlation ``icc`` (Kish 1965,
    Survey Sampling, 5.4), less the part that the machine's label explains: with J = sensitivity + specificity - 1 a document's
    machine count is J times its true count plus its mistakes, so the part is J V / (J V + mistakes / J). A machine no better than
    chance explains nothing: that is hand coding alone, and the default.

    Args:
        half_width: wanted, as a share: 0.05 for plus or minus five points.
        strata: documents and expected share by stratum.
        units, units_sd: how many units a document has, on average, and how much that varies.

    Raises:
        UsageError: a number is out of its range.
    """
    if not 0 < half_width < 1 or units <= 0 or not 0 <= icc <= 1 or not strata:
        raise UsageError("The half width has to be between 0 and 1, units over 0, and the correlation between 0 and 1.")
    if not all(0 <= x <= 1 for x in (sensitivity, specificity, *(g.share for g in strata.values()))):
        raise UsageError("Shares, sensitivity and specificity have to be between 0 and 1.")
    from scipy.stats import t

    sizes = {name: guess.documents for name, guess in strata.items()}
    everything = sum(sizes.values())
    share = sum(g.documents * g.share for g in strata.values()) / everything
    effect = 1 + (units * (1 + float(units_sd / units) ** 2) - 1) * icc
    spreads = {name: spread_of(g.share) for name, g in strata.items()}

    def within(p: float, helped: bool) -> float:
        true = units * spread_of(p) ** 2 * effect  # a guess of 0 or 1 is not known to be so
        j = max(0.0, sensitivity + specificity - 1) if helped else 0.0
        mistakes = units * (p * sensitivity * (1 - sensitivity) + (1 - p) * specificity * (1 - specificity))
        explained = j * j * true / (j * j * true + mistakes) if j and true else 0.0
        size = ((p - share) * units_sd * (1 - explained)) ** 2  # larger documents in strata that are unlike the rest
        return (true * (1 - explained) + size) / units**2

    def half(numbers: Mapping[str, int], helped: bool) -> float:
        variance = sum(
            (sizes[s] / everything) ** 2 * (1 - n / sizes[s]) * within(strata[s].share, helped) / n
            for s, n in numbers.items()
            if n
        )
        return float(t.ppf((1 + level) / 2, max(1, sum(numbers.values()) - len(numbers)))) * sqrt(variance)

    def numbers(n: int) -> dict[str, int]:
        return allocate(sizes, n, allocation=allocation, spread=spreads, at_least=at_least)

    def fewest(helped: bool) -> int:
        low, high = max(sum(min(at_least, size) for size in sizes.values()), min(MIN_DOCUMENTS, everything)), everything
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if half(numbers(middle), helped) <= half_width else (middle + 1, high)
        return low

    n = fewest(helped=True)
    got = numbers(n)
    return Budget(n, got, half(got, helped=True), n == everything, effect, fewest(helped=False) - n)


@dataclass(frozen=True, slots=True)
class AgreementPlan:
    """How many units two people should code.

    Attributes:
        units: in all. ``alpha``: expected. ``half_width``: of its 95% interval. ``exact``, ``within_one``: expected agreement.
    """

    units: int
    alpha: float
    half_width: float
    exact: float
    within_one: float


def units_to_code_twice(
    half_width: float,
    shares: Sequence[float],
    wrong: float,
    *,
    near: float = 0.8,
    level: Level = "ordinal",
    design_effect: float = 1.0,
    seed: int = 0,
    draws: int = 4000,
) -> AgreementPlan:
    """The units that two coders both have to rate for an interval of alpha no wider than wanted, by simulation.

    Args:
        shares: how often each value is the right one, from lowest to highest.
        wrong: how often a rating is another value than the right one.
        near: how much of that is one step off; the rest is spread over all other values.
        design_effect: over 1 where units of one document are alike.

    Raises:
        UsageError: a number is out of its range, or there is one value only.
    """
    if not 0 < half_width < 1 or not 0 <= wrong <= 1 or not 0 <= near <= 1 or design_effect <= 0:
        raise UsageError("The half width, the errors and the design effect are not in their range.")
    n = 100
    for _ in range(8):
        plan = expected_agreement(n, shares, wrong, near=near, level=level, seed=seed, draws=draws)
        if not isfinite(plan.half_width):
            raise UsageError("With such shares and errors alpha is often undefined.")
        if 0.97 * half_width < plan.half_width <= half_width:
            break
        n = max(5, ceil(n * (plan.half_width / half_width) ** 2 * 1.02))
    return replace(plan, units=ceil(n * design_effect))


def expected_agreement(
    units: int,
    shares: Sequence[float],
    wrong: float,
    *,
    near: float = 0.8,
    level: Level = "ordinal",
    seed: int = 0,
    draws: int = 4000,
) -> AgreementPlan:
    """What so many units would show, by simulation: the middle of alpha, and half of what 95 of 100 studies span.

    Raises:
        UsageError: as :func:`units_to_code_twice`.
    """
    cells = _cells(shares, wrong, near)
    rng = np.random.Generator(np.random.PCG64(seed))
    both = rng.multinomial(units, cells.ravel(), size=draws).reshape(draws, *cells.shape).astype(np.float64)
    found = alpha_of(both + both.swapaxes(1, 2), level, np.arange(len(shares), dtype=np.float64))
    steps = abs(np.subtract.outer(np.arange(len(shares)), np.arange(len(shares))))
    exact, within = float(np.trace(cells)), float(cells[steps <= 1].sum())
    fine = found[np.isfinite(found)]
    if len(fine) < 0.95 * draws:
        return AgreementPlan(units, float("nan"), float("nan"), exact, within)
    low, middle, high = np.quantile(fine, [0.025, 0.5, 0.975])
    return AgreementPlan(units, float(middle), float(high - low) / 2, exact, within)


def _cells(shares: Sequence[float], wrong: float, near: float) -> Floats:
    """How often two coders give each pair of values."""
    n = len(shares)
    if n < 2 or min(shares) < 0 or not sum(shares):
        raise UsageError("There have to be two values at the least, with shares that are not below 0.")
    at = np.arange(n)
    steps = abs(at[:, None] - at)
    beside = (steps == 1) / (steps == 1).sum(1, keepdims=True)
    says = (1 - wrong) * (steps == 0) + wrong * (near * beside + (1 - near) * (steps > 0) / (n - 1))
    made: Floats = says.T @ np.diag(np.array(shares) / sum(shares)) @ says
    return made
