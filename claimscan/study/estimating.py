"""What share of documents, or of products, has a property: from the machine's labels of all and a person's of a drawn sample.

The population is finite: the documents of the run. The machine has labelled every one; people have coded a probability sample
of them, stratified, with known inclusion probabilities. A document is a cluster of units (its products; or itself, one unit).
Wanted is the share that hand coding of every document would give. Four answers stand side by side:

``naive``
    the machine's own share. It has no sampling error, and it is biased by the machine's mistakes.
``coded``
    the hand-coded sample alone: the ratio of two Horvitz-Thompson totals in a stratified sample of clusters, with the finite
    population correction (Särndal, Swensson & Wretman 1992, Model Assisted Survey Sampling, 5.6-5.8).
``powered``
    the coded share, less lambda times how far the machine's share in the sample is from its share in the whole population:
    the difference estimator of survey sampling (Särndal et al. 1992, 6.3) and prediction-powered inference with power tuning
    (Angelopoulos, Duchi & Zrnic 2023, PPI++; Fisch et al. 2024 for strata), written for ratios of clustered units.
``rogan_gladen``
    the machine's share corrected by its sensitivity and specificity in the sample (Rogan & Gladen 1978, American Journal of
    Epidemiology 107).

Derivation. With weights w = 1/pi scaled so that they add up to each stratum's documents, y and n a document's units with the
property and all its units (h by hand, m by machine), the coded share is H = sum w h_y / sum w h_n. Linearised (Taylor, first
order), H - theta = sum w u with u = (h_y - H h_n) / sum w h_n. The machine's share in the sample M has v = (m_y - M m_n) / sum w
m_n likewise, and its population value M_U is known. So P = H - lambda (M - M_U) has linearised value e = u - lambda v for each
document, whatever constant lambda is, and its variance in a stratified sample is

    V(e) = sum over strata of (1 - f) n/(n - 1) sum over documents (w e - mean of w e)^2 .

It is least at lambda = C(u, v) / V(v), C the covariance of the same form, estimated from the sample and kept between 0 and 1: at
0, where the machine says nothing, P is H; at 1 and one unit a document it is the plain difference estimator.

Three corrections are for small samples; the simulation in the test suite is what they rest on. (1) Lambda is fitted to the same
documents, so that residuals are too small: each is divided by one less its leverage in that fit, as a deletion of the document
would do (HC3 of MacKinnon & White 1985). (2) Where machine and hand agree on every coded document, residuals are 0, and nobody
should believe that no other document differs: so lambda of a document that differs in one unit is added to the sum of squares
(for paired shares: Agresti & Min 2005, Bonett & Price 2012); and the coded share's variance is never less than its units would
have, drawn one by one. (3) The interval is Wilson's with the effective sample size
theta (1 - theta) / V and Student's t with the degrees of freedom of the design (Korn & Graubard 1998 for both; Franco, Little,
Louis & Slud 2019 for Wilson's): it stays within 0 and 1, and holds its cover near them, where H +- t s does not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from claimscan.errors import UsageError

Floats = NDArray[np.float64]
METHODS = ("naive", "coded", "powered", "rogan_gladen")
MIN_DOCUMENTS = 20  # with fewer coded documents the corrections for small samples make the interval, not the documents
FEW = 5  # documents that show something, below which an interval comes with a warning
SMOOTH = 5.0  # units by which a stratum's share is drawn to the whole share
MISTAKE = 0.5  # documents with one more wrong unit, for sensitivity and for specificity


class Row(NamedTuple):
    """One document of the population.

    Attributes:
        probability: inclusion probability in the sample; 0 where it could not be drawn.
        m_y, m_n: units that the machine says have the property, and all units it found.
        h_y, h_n: the same by hand; None where the document was not coded.
    """

    document: str
    stratum: str
    probability: float
    m_y: float
    m_n: float
    h_y: float | None = None
    h_n: float | None = None
    group: str = ""


class Pair(NamedTuple):
    """One unit that machine and person both have: whether it has the property, said by each."""

    document: str
    machine: bool
    human: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """One answer.

    Attributes:
        method: of :data:`METHODS`.
        value: the share, None where nothing can be said: ``reason`` says why.
        low, high: the interval at ``level``; None where there is none, and ``reason`` says why.
        se: standard error. ``df``: degrees of freedom of the design.
        documents: coded documents with a unit. ``units``: their units; of ``naive``, all that the machine found.
        biased: the share is off by the machine's mistakes, whatever the number of documents.
        clipped: what came out was under 0 or over 1, and is given as 0 or 1.
        warnings: in plain words.
        detail: ``lambda``; ``sensitivity``, ``specificity``; ``design_effect`` of the coded share.
    """

    method: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    se: float | None = None
    df: int = 0
    documents: int = 0
    units: float = 0.0
    biased: bool = False
    clipped: bool = False
    reason: str = ""
    warnings: tuple[str, ...] = ()
    detail: Mapping[str, float] = field(default_factory=dict, hash=False)


def estimates(
    rows: Iterable[Row],
    pairs: Iterable[Pair] = (),
    *,
    group: str | None = None,
    level: float = 0.95,
    min_documents: int = MIN_DOCUMENTS,
) -> dict[str, Estimate]:
    """The share by every method.

    Args:
        rows: the whole population, one row a document. A drawn document that was not coded is taken to be like the coded ones of
            its stratum, over which its weight is spread.
        pairs: units of coded documents that machine and person both have; without them there is no ``rogan_gladen``.
        group: only documents of this group. The others still count for the weights of their strata, as a group's size in the
            sample is a matter of chance (Särndal et al. 1992, ch. 10).

    Raises:
        UsageError: a document is there twice, a coded one has no inclusion probability, a number cannot be, or a pair is of a
            document that was not coded.
    """
    return _estimates(_Table.of(rows, pairs), group, level, min_documents)


def by_group(
    rows: Iterable[Row], pairs: Iterable[Pair] = (), *, level: float = 0.95, min_documents: int = MIN_DOCUMENTS
) -> dict[str, dict[str, Estimate]]:
    """:func:`estimates` for each group, by its name, and for all together under the empty name.

    Raises:
        UsageError: as :func:`estimates`.
    """
    table = _Table.of(rows, pairs)
    return {
        name or "": _estimates(table, name, level, min_documents) for name in (None, *sorted(set(table.groups) - {""}))
    }


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows once checked: of each group, coded ones by stratum, documents of each stratum; labels of units by document."""

    rows: Sequence[Row]
    groups: Mapping[str, Sequence[Row]]
    coded: Mapping[str, Sequence[Row]]
    size: Mapping[str, int]
    pairs: Mapping[str, Counter[tuple[bool, bool]]]

    @classmethod
    def of(cls, rows: Iterable[Row], pairs: Iterable[Pair]) -> _Table:
        everything = _checked(rows)
        groups: dict[str, list[Row]] = defaultdict(list)
        coded: dict[str, list[Row]] = defaultdict(list)
        for r in everything:
            groups[r.group].append(r)
            if r.h_y is not None:
                coded[r.stratum].append(r)
        labels: dict[str, Counter[tuple[bool, bool]]] = {r.document: Counter() for rs in coded.values() for r in rs}
        for pair in pairs:
            if pair.document not in labels:
                raise UsageError(f"A unit of {pair.document} has a label by hand, but the document is not coded.")
            labels[pair.document][pair.machine, pair.human] += 1
        return cls(everything, groups, coded, Counter(r.stratum for r in everything), labels)


def _estimates(table: _Table, group: str | None, level: float, min_documents: int) -> dict[str, Estimate]:
    inside = table.rows if group is None else table.groups.get(group, ())
    found = {"naive": _naive(inside, level)}
    strata = {r.stratum for r in inside}
    sample = [r for s in sorted(strata) for r in table.coded.get(s, ())]
    ours = [r for r in sample if group is None or r.group == group]
    n = sum(bool(r.h_n) for r in ours)
    bare = sorted(strata - {r.stratum for r in sample})
    why = ""
    if n < min_documents and len(ours) < len(inside):
        why = f"Only {n} coded documents have anything to count; it needs {min_documents}."
    elif bare:
        why = f"No document of the stratum “{bare[0]}” was coded, so nothing is known of it."
    elif not sum(r.h_n or 0 for r in ours):
        why = "There is nothing to count."
    if why:
        return found | {m: Estimate(m, None, level=level, documents=n, reason=why) for m in METHODS[1:]}
    design = _Design.of(table.size, sample, strata)
    mine = np.array([group is None or r.group == group for r in sample], dtype=np.float64)
    values = {
        k: np.array([getattr(r, k) for r in sample], dtype=np.float64) * mine for k in ("h_y", "h_n", "m_y", "m_n")
    }
    of_strata = {r.stratum for r, x in zip(sample, mine, strict=True) if x and r.h_n}
    df = max(1, n - len({design.merged[s] for s in of_strata}))
    machine = (sum(r.m_y for r in inside), sum(r.m_n for r in inside))
    q = machine[0] / machine[1] if machine[1] else 0.0
    main, powered = linearised(design, values["h_y"], values["h_n"], values["m_y"], values["m_n"], q)
    units = float(values["h_n"].sum())
    effect = _design_effect(float(main.value), float(main.variance), units, design)
    few = int(min((values["h_y"] > 0).sum(), (values["h_y"] < values["h_n"]).sum()))
    rare = (f"Coded documents that show a unit with the property, or without it: {few}. Read the interval with care.",)
    found["coded"] = _estimate(design, main, "coded", level, df, n, units, rare * (few < FEW), design_effect=effect)
    if not machine[1]:
        found["powered"] = Estimate(
            "powered", None, level=level, documents=n, reason="The machine found nothing to count."
        )
    else:
        apart = int((abs(values["h_y"] - values["m_y"]) + abs(values["h_n"] - values["m_n"]) > 0).sum())
        close = (f"Coded documents in which claimscan and hand differ: {apart}. How often they do is not well known.",)
        found["powered"] = _estimate(
            design, powered, "powered", level, df, n, units, close * (apart < FEW), **powered.detail
        )
    found["rogan_gladen"] = _rogan_gladen(design, sample, mine, table.pairs, machine, level, df, n)
    return found


# The design and the estimators. Arrays have the coded documents last; whatever axes stand before are samples side by side.


@dataclass(frozen=True, slots=True)
class Design:
    """A stratified sample of clusters.

    Attributes:
        stratum: of each coded document, a number from 0.
        weight: of each, adding up to the population's documents in every stratum.
        size, drawn: documents of each stratum in the population and in the sample. One with a single coded document of several
            says nothing of its spread: such strata are joined with another before (collapsed strata, Cochran 1977, 5A.12).
    """

    stratum: NDArray[np.int64]
    weight: Floats
    size: Floats
    drawn: Floats

    @property
    def factor(self) -> Floats:
        """(1 - f) n / (n - 1) of each stratum; 0 for one that was coded whole."""
        made: Floats = (1 - self.drawn / self.size) * self.drawn / np.maximum(self.drawn - 1, 1)
        return made

    @property
    def whole(self) -> bool:
        """Every document was coded: nothing is estimated."""
        return bool((self.drawn == self.size).all())

    def sums(self, x: Floats) -> Floats:
        """Totals by stratum."""
        member = (np.arange(len(self.size))[:, None] == self.stratum).astype(np.float64)
        made: Floats = x @ member.T
        return made

    def covariance(self, a: Floats, b: Floats) -> Floats:
        """The covariance of the weighted totals of a and b."""
        a, b = a * self.weight, b * self.weight
        inside = self.sums(a * b) - self.sums(a) * self.sums(b) / self.drawn
        made: Floats = (inside * self.factor).sum(-1)
        return made

    def at_random(self, h_y: Floats, h_n: Floats) -> Floats:
        """The least variance that the coded share may have: were its units drawn one by one, with the stratum's share.

        The stratum's is smoothed by :data:`SMOOTH` units of the whole share, as a stratum in which nobody happened to find the
        property has no spread in the sample; where few documents show it at all, the whole share stands for each stratum's.
        """
        weighted, all_units = (self.weight * h_y).sum(-1), (self.weight * h_n).sum(-1)
        share = (weighted / all_units)[..., None]
        few = np.minimum((h_y > 0).sum(-1), (h_y < h_n).sum(-1))[..., None] < FEW
        own = np.where(few, share, (self.sums(h_y) + SMOOTH * share) / (self.sums(h_n) + SMOOTH))
        each = self.sums(self.weight**2 * h_n) * (1 - self.drawn / self.size)
        made: Floats = (each * own * (1 - own)).sum(-1) / all_units**2
        return made

    def one(self) -> float:
        """The variance that one more document would add to a weighted total, off by 1 and likely to be any of the sample."""
        return float((self.sums(self.weight**2) * self.factor).sum() / self.drawn.sum())


@dataclass(frozen=True, slots=True)
class _Design(Design):
    """A design of named strata; ``merged``: the number of each by name."""

    merged: Mapping[str, int] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, size: Mapping[str, int], sample: Sequence[Row], strata: set[str]) -> _Design:
        drawn = Counter(r.stratum for r in sample)
        lone = sorted(s for s in strata if drawn[s] == 1 < size[s])
        if len(lone) == 1:
            open_ = [s for s in strata if s not in lone and drawn[s] < size[s]]
            lone += sorted(open_, key=lambda s: (size[s], s))[:1]
        names = sorted(strata - set(lone)) + (["\0".join(lone)] if lone else [])
        number = {s: k for k, name in enumerate(names) for s in name.split("\0")}
        inverse: dict[str, float] = defaultdict(float)
        for r in sample:
            inverse[r.stratum] += 1 / r.probability
        return cls(
            np.array([number[r.stratum] for r in sample], dtype=np.int64),
            np.array([size[r.stratum] / r.probability / inverse[r.stratum] for r in sample], dtype=np.float64),
            np.array([sum(size[s] for s in name.split("\0")) for name in names], dtype=np.float64),
            np.array([sum(drawn[s] for s in name.split("\0")) for name in names], dtype=np.float64),
            number,
        )


@dataclass(frozen=True, slots=True)
class Linear:
    """A share and the variance of its linear form."""

    value: Floats
    variance: Floats
    detail: Mapping[str, float] = field(default_factory=dict, hash=False)


def linearised(
    design: Design,
    h_y: Floats,
    h_n: Floats,
    m_y: Floats,
    m_n: Floats,
    machine: float | Floats,
    tune: float | None = None,
) -> tuple[Linear, Linear]:
    """The coded and the powered share, as the module's docstring derives them.

    Args:
        machine: the machine's share in the population.
        tune: a fixed lambda, with which nothing is corrected for its being fitted; else the best one is estimated.
    """
    w = design.weight
    with np.errstate(divide="ignore", invalid="ignore"):
        units = (w * h_n).sum(-1)
        share = (w * h_y).sum(-1) / units
        u = (h_y - share[..., None] * h_n) / units[..., None]
        found = (w * m_n).sum(-1)
        in_sample = np.where(found > 0, (w * m_y).sum(-1) / found, machine)
        v = np.where(found[..., None] > 0, (m_y - in_sample[..., None] * m_n) / found[..., None], 0.0)
        spread = design.covariance(v, v)
        best = np.where(spread > 0, design.covariance(u, v) / spread, 0.0).clip(0, 1)
        weight = best if tune is None else np.full_like(best, tune)
        e = u - weight[..., None] * v
        if tune is None:
            leverage = np.where(
                spread[..., None] > 0, (v * w) ** 2 * design.factor[design.stratum] / spread[..., None], 0
            )
            e = np.where(weight[..., None] > 0, e / np.maximum(1 - leverage, 0.2), e)
        floor = 0.0 if tune is not None else weight * design.one() / units**2
        plain = design.covariance(u, u)
        short = np.maximum(design.at_random(h_y, h_n) - plain, 0.0) if tune is None else np.zeros_like(plain)
    value = share - weight * (in_sample - machine)
    detail = {"lambda": float(weight)} if np.ndim(weight) == 0 else {}
    powered = design.covariance(e, e) + floor + (1 - weight) ** 2 * short
    return Linear(share, plain + short), Linear(value, powered, detail)


def wilson(
    value: Floats, variance: Floats, df: Floats | float, documents: float, level: float
) -> tuple[Floats, Floats]:
    """Wilson's interval of a share with the effective sample size that its variance implies and Student's t.

    A share of 0 or 1 without variance has its documents as effective size, however many units they have.
    """
    from scipy.stats import t

    z = t.ppf((1 + level) / 2, df)
    least = 0.5 / max(documents, 1)
    inner = np.clip(value, least, 1 - least)
    with np.errstate(divide="ignore"):
        bare = np.where((value > 0) & (value < 1), np.inf, documents)
        size = np.where(variance > 0, inner * (1 - inner) / np.where(variance > 0, variance, 1), bare)
    inner = np.clip(value, 0, 1)
    middle = (inner + z * z / 2 / size) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(inner * (1 - inner) / size + z * z / 4 / size**2)
    return np.clip(np.minimum(middle - half, inner), 0, 1), np.clip(np.maximum(middle + half, inner), 0, 1)


def rogan_gladen(
    design: Design, tp: Floats, fn: Floats, fp: Floats, tn: Floats, machine: float | Floats, df: float, level: float
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The corrected share, its interval, sensitivity and specificity.

    machine = theta sensitivity + (1 - theta)(1 - specificity); what a value of theta leaves of that has, linearised, the document
    values theta a + (1 - theta) b with a = (tp - sensitivity pos) / sum w pos and b = (fp - (1 - specificity) neg) / sum w neg.
    The interval is every theta of which that is within t standard errors of 0 (Fieller 1954): it knows when the machine is too
    weak, and is then nan. One wrong unit more in each of a and b, as no mistake seen is not none made (Lang & Reiczigel 2014).
    """
    from scipy.stats import t

    w = design.weight
    with np.errstate(divide="ignore", invalid="ignore"):
        yes, no = (w * (tp + fn)).sum(-1), (w * (fp + tn)).sum(-1)
        sensitivity, false = (w * tp).sum(-1) / yes, (w * fp).sum(-1) / no
        a = (tp - sensitivity[..., None] * (tp + fn)) / yes[..., None]
        b = (fp - false[..., None] * (fp + tn)) / no[..., None]
        aa = design.covariance(a, a) + MISTAKE * design.one() / yes**2
        bb = design.covariance(b, b) + MISTAKE * design.one() / no**2
        ab = design.covariance(a, b)
        z = t.ppf((1 + level) / 2, df)
        j, d = sensitivity - false, machine - false
        p = j**2 - z**2 * (aa - 2 * ab + bb)
        q = -2 * j * d - 2 * z**2 * (ab - bb)
        r = d**2 - z**2 * bb
        root = np.sqrt(q**2 - 4 * p * r)
        low, high = (-q - root) / 2 / p, (-q + root) / 2 / p
        fine = (p > 0) & (j > 0) & np.isfinite(root)
        value = d / j
    nan = np.full_like(value, np.nan)
    return value, np.where(fine, low, nan), np.where(fine, high, nan), sensitivity, 1 - false


def _naive(inside: Sequence[Row], level: float) -> Estimate:
    units = sum(r.m_n for r in inside)
    if not units:
        return Estimate("naive", None, level=level, biased=True, reason="The machine found nothing to count.")
    why = "The machine labelled every document, so there is no sampling error to show; its mistakes are not in any interval."
    value = sum(r.m_y for r in inside) / units
    return Estimate("naive", value, level=level, units=units, biased=True, reason=why)


def _estimate(
    design: Design,
    x: Linear,
    method: str,
    level: float,
    df: int,
    documents: int,
    units: float,
    warnings: tuple[str, ...],
    **detail: float,
) -> Estimate:
    value, variance = float(x.value), float(x.variance)
    low, high = wilson(x.value, x.variance, df, inf if design.whole else documents, level)
    return Estimate(
        method,
        min(1.0, max(0.0, value)),
        float(low),
        float(high),
        level,
        sqrt(variance),
        df,
        documents,
        units,
        clipped=not 0 <= value <= 1,
        warnings=warnings,
        detail=detail,
    )


def _rogan_gladen(
    design: Design,
    sample: Sequence[Row],
    mine: Floats,
    pairs: Mapping[str, Counter[tuple[bool, bool]]],
    machine: tuple[float, float],
    level: float,
    df: int,
    documents: int,
) -> Estimate:
    def count(machine_says: bool, human_says: bool) -> Floats:
        each = [pairs[r.document][machine_says, human_says] for r in sample]
        return np.array(each, dtype=np.float64) * mine

    tp, fn, fp, tn = count(True, True), count(False, True), count(True, False), count(False, False)

    def none(why: str, **detail: float) -> Estimate:
        return Estimate("rogan_gladen", None, level=level, documents=documents, reason=why, detail=detail)

    if not (tp + fn + fp + tn).sum():
        return none("No unit has a label by both.")
    if not (tp + fn).sum() or not (fp + tn).sum():
        return none("By hand all units are alike, so sensitivity or specificity is unknown.")
    if not machine[1]:
        return none("The machine found nothing to count.")
    got = rogan_gladen(design, tp, fn, fp, tn, machine[0] / machine[1], df, level)
    value, low, high, sensitivity, specificity = (float(x) for x in got)
    detail = {"sensitivity": sensitivity, "specificity": specificity}
    if not np.isfinite(low):
        return none(
            "The machine is not surely better than chance here, and then this correction says nothing.", **detail
        )
    said = ("It takes the machine's mistakes to be as frequent in every document as in the coded ones.",)
    return Estimate(
        "rogan_gladen",
        min(1.0, max(0.0, value)),
        max(0.0, min(low, 1.0)),
        max(0.0, min(high, 1.0)),
        level,
        None,
        df,
        documents,
        float((tp + fn + fp + tn).sum()),
        clipped=not 0 <= value <= 1,
        warnings=said,
        detail=detail,
    )


def _design_effect(value: float, variance: float, units: float, design: Design) -> float:
    """Variance over that of as many units drawn one by one from a population without end."""
    plain = value * (1 - value) / units if units else 0.0
    return variance / plain if plain > 0 else float("nan")


def _checked(rows: Iterable[Row]) -> list[Row]:
    everything = sorted((Row(*r) for r in rows), key=lambda r: r.document)
    for one, other in zip(everything, everything[1:], strict=False):
        if one.document == other.document:
            raise UsageError(f"The document {one.document} is in the table twice.")
    for r in everything:
        if (r.h_y is None) != (r.h_n is None):
            raise UsageError(f"{r.document} has only one of the two numbers by hand.")
        if not 0 <= r.m_y <= r.m_n or not 0 <= (r.h_y or 0) <= (r.h_n or 0) or not 0 <= r.probability <= 1:
            raise UsageError(
                f"A number of {r.document} cannot be: more with the property than there are, or less than 0."
            )
        if r.h_y is not None and not r.probability:
            raise UsageError(f"{r.document} was coded, but has no inclusion probability: it was not drawn.")
    return everything
