"""How far coders agree: on the value of a unit, and on where a span begins and ends.

A ratings table has a row for each value that a coder gave a unit, for one variable; a coder who did not rate a unit has no
row. A machine is a coder like any other. What is undefined is None with a reason, never 0 or 1.

Sources: Krippendorff 2019, Content Analysis, 4th ed., ch. 12 (alpha, its levels, missing data); Krippendorff, Mathet, Bouvry
& Widlöcher 2016, Quality & Quantity 50 (unitising); Cohen 1960, Educational and Psychological Measurement 20; Conger 1980,
Psychological Bulletin 88 (more coders); Gwet 2008, British Journal of Mathematical and Statistical Psychology 61 (AC1);
Gwet 2014, Handbook of Inter-Rater Reliability (missing ratings). Every interval is a percentile bootstrap that draws whole
documents (Field & Welsh 2007, JRSS B 69): units of one document are not independent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from claimscan.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Level = Literal["nominal", "ordinal", "interval"]
MIN_DOCUMENTS = 10  # fewer say too little of how documents differ for an interval
_UNDEFINED = 0.05  # so many of the drawn samples may have no figure before the interval has none


class Rating(NamedTuple):
    """One value that one coder gave one unit. A unit is known by its document and its own name."""

    unit: str
    document: str
    coder: str
    value: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of agreement.

    Attributes:
        name: ``alpha``, ``percent``, ``within_one``, ``kappa_cohen``, ``kappa_conger``, ``ac1``, ``u_alpha``…
        value: at most 1; shares are between 0 and 1. None where it is undefined: ``reason`` says why.
        low, high: the interval. None where there is none: ``no_interval`` says why.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    no_interval: str = ""


@dataclass(frozen=True, slots=True)
class CodeAgreement:
    """One code against all others.

    Attributes:
        prevalence: the code's share of the ratings of units that two coders or more rated. ``n``: how many those are.
        positive: of two coders one of whom gave the code, how often the other did too (Dice 1945; specific agreement).
    """

    code: str
    prevalence: float
    n: int
    positive: float | None
    measures: tuple[Measure, ...]

    def __getitem__(self, name: str) -> Measure:
        return _named(self.measures, name)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement on one variable.

    Attributes:
        n_units: units that two coders or more rated; the others say nothing. ``n_single``: those others.
        n_pairs: pairs of ratings of the same unit.
        confidence: of every interval, 0.95 for 95%.
    """

    level: Level
    coders: tuple[str, ...]
    n_documents: int
    n_units: int
    n_single: int
    n_pairs: int
    confidence: float
    measures: tuple[Measure, ...]
    codes: tuple[CodeAgreement, ...]

    def __getitem__(self, name: str) -> Measure:
        return _named(self.measures, name)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One unit that coders do not agree on.

    Attributes:
        values: coder and value, by coder. ``pairs``: how many pairs of coders differ, of ``of_pairs``.
        distance: the largest number of steps between two values, where values have an order; else 1.
        rarity: prevalence of the rarest value given.
    """

    unit: str
    document: str
    values: tuple[tuple[str, str], ...]
    pairs: int
    of_pairs: int
    distance: int
    rarity: float


def agreement(
    ratings: Iterable[Rating | tuple[str, str, str, str]],
    level: Level = "nominal",
    order: Sequence[str] = (),
    *,
    codes: Iterable[str] = (),
    each_code: bool = True,
    seed: int = 0,
    draws: int = 1000,
    confidence: float = 0.95,
    min_documents: int = MIN_DOCUMENTS,
) -> Agreement:
    """Every figure for one variable, with intervals, and a table of the codes.

    Args:
        level: what values are: names, names with an order, or numbers.
        order: the values from lowest to highest; needed for ``ordinal``.
        codes: values that could have been given, besides those that were. AC1 depends on how many there are.
        each_code: also make the table of the codes.
        draws: bootstrap samples, 0 for no intervals.

    Raises:
        UsageError: a coder rated one unit twice, a value is not in the order, or is no number where it has to be one.
    """
    table = _Table.of(ratings, level, order, codes)
    rng = np.random.Generator(np.random.PCG64(seed))
    weights = _draws(rng, draws, len(table.documents))
    whole = _measures(table, weights, confidence, min_documents)
    return Agreement(
        level,
        table.coders,
        table.n_documents,
        int(table.paired.sum()),
        int((~table.paired).sum()),
        int(table.pairs.sum()),
        confidence,
        whole,
        tuple(
            _code(table, k, weights, confidence, min_documents) for k in range(len(table.values) if each_code else 0)
        ),
    )


def alpha(
    ratings: Iterable[Rating | tuple[str, str, str, str]], level: Level = "nominal", order: Sequence[str] = ()
) -> float | None:
    """Krippendorff's alpha alone; None where it is undefined.

    Raises:
        UsageError: as :func:`agreement`.
    """
    table = _Table.of(ratings, level, order, ())
    return _number(alpha_of(table.coincidences().sum(0), table.level, table.numbers))


def disagreements(
    ratings: Iterable[Rating | tuple[str, str, str, str]], level: Level = "nominal", order: Sequence[str] = ()
) -> tuple[Disagreement, ...]:
    """The units on which coders differ, what to talk about first at the top.

    Where values have an order, the largest distance comes first; then the most pairs that differ; then the rarest value.

    Raises:
        UsageError: as :func:`agreement`.
    """
    table = _Table.of(ratings, level, order, ())
    share = _shares(table.counts[table.paired].sum(0))
    found = []
    for (document, unit), given in table.given.items():
        told = sorted(given.items())
        marks = [k for _, k in told]
        differ = sum(a != b for a, b in combinations(marks, 2))
        if differ:
            steps = 1 if level == "nominal" else max(marks) - min(marks)
            values = tuple((coder, table.values[k]) for coder, k in told)
            of = len(told) * (len(told) - 1) // 2
            found.append(Disagreement(unit, document, values, differ, of, steps, float(min(share[k] for k in marks))))
    return tuple(sorted(found, key=lambda d: (-d.distance, -d.pairs, d.rarity, d.document, d.unit)))


# One variable


@dataclass(frozen=True, slots=True)
class _Table:
    """Ratings as arrays. ``counts``: units x values, how many coders gave each; ``by_coder``: units x coders, -1 for none."""

    level: Level
    values: tuple[str, ...]
    numbers: Floats
    coders: tuple[str, ...]
    documents: tuple[str, ...]
    of_document: Ints
    by_coder: Ints
    given: Mapping[tuple[str, str], Mapping[str, int]]

    @classmethod
    def of(
        cls,
        ratings: Iterable[Rating | tuple[str, str, str, str]],
        level: Level,
        order: Sequence[str],
        codes: Iterable[str],
    ) -> _Table:
        rows = [Rating(*row) for row in ratings]
        seen = {r.value for r in rows} | set(codes)
        if level == "ordinal" and (stray := seen - set(order)):
            raise UsageError(f"“{sorted(stray)[0]}” is not in the order of the values.")
        if level == "interval":
            try:
                values = sorted(seen, key=lambda v: (float(v), v))
                numbers = np.array([float(v) for v in values], dtype=np.float64)
            except ValueError as error:
                raise UsageError("A value is not a number, and this level of measurement needs numbers.") from error
        else:
            values = list(dict.fromkeys(order)) + sorted(seen - set(order))
            numbers = np.arange(len(values), dtype=np.float64)
        index = {v: k for k, v in enumerate(values)}
        given: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for r in rows:
            if r.coder in given[r.document, r.unit]:
                raise UsageError(f"{r.coder} has rated the unit {r.unit} of {r.document} twice.")
            given[r.document, r.unit][r.coder] = index[r.value]
        coders = tuple(sorted({r.coder for r in rows}))
        documents = tuple(sorted({r.document for r in rows}))
        at = {d: n for n, d in enumerate(documents)}
        column = {c: n for n, c in enumerate(coders)}
        units = sorted(given)
        marks = np.full((len(units), len(coders)), -1, dtype=np.int64)
        for n, unit in enumerate(units):
            for coder, k in given[unit].items():
                marks[n, column[coder]] = k
        of_document = np.array([at[document] for document, _ in units], dtype=np.int64)
        ordered = {unit: given[unit] for unit in units}
        return cls(level, tuple(values), numbers, coders, documents, of_document, marks, ordered)

    @property
    def counts(self) -> Floats:
        made: Floats = (self.by_coder[:, :, None] == np.arange(len(self.values))).sum(1).astype(np.float64)
        return made

    @property
    def rated(self) -> Ints:
        made: Ints = (self.by_coder >= 0).sum(1)
        return made

    @property
    def paired(self) -> NDArray[np.bool_]:
        made: NDArray[np.bool_] = self.rated >= 2
        return made

    @property
    def pairs(self) -> Ints:
        made: Ints = self.rated * (self.rated - 1) // 2
        return made

    @property
    def n_documents(self) -> int:
        return len(set(self.of_document[self.paired].tolist()))

    def by_document(self, rows: Floats) -> Floats:
        """Sums over the units of each document."""
        made: Floats = np.add.reduceat(rows, self.starts) if len(rows) else np.zeros((0, *rows.shape[1:]))
        return made

    @property
    def starts(self) -> Ints:
        """Where each document's units begin; they stand in its order."""
        made: Ints = np.searchsorted(self.of_document, np.arange(len(self.documents)))
        return made

    def coincidences(self) -> Floats:
        """Documents x values x values: each pair of ratings of a unit, over the number of others that the unit has."""
        counts, rated = self.counts, self.rated
        part = counts * np.where(rated >= 2, 1 / np.maximum(rated - 1, 1), 0)[:, None]
        made = np.zeros((len(self.documents), len(self.values), len(self.values)))
        for d, (x, y) in enumerate(pairwise([*self.starts, len(counts)])):
            made[d] = part[x:y].T @ counts[x:y] - np.diag(part[x:y].sum(0))
        return made

    def against_rest(self, k: int) -> _Table:
        marks = np.where(self.by_coder < 0, -1, (self.by_coder == k).astype(np.int64))
        pair = np.array([0.0, 1.0])
        return _Table(
            "nominal", ("other", self.values[k]), pair, self.coders, self.documents, self.of_document, marks, {}
        )


def alpha_of(o: Floats, level: Level, numbers: Floats) -> Floats:
    """Alpha of coincidence matrices (… x values x values); nan where nothing can be expected to differ.

    The ordinal difference between two values is the number of ratings between them, both halves of their own counted in
    (Krippendorff 2019, 12.3.4): so it is the distance between their mid-ranks.
    """
    n_c = o.sum(-1)
    n = n_c.sum(-1)
    if level == "nominal":
        at_odds = np.broadcast_to(1.0 - np.eye(o.shape[-1]), o.shape)
    else:
        scale = np.cumsum(n_c, -1) - n_c / 2 if level == "ordinal" else np.broadcast_to(numbers, n_c.shape)
        at_odds = (scale[..., :, None] - scale[..., None, :]) ** 2
    seen = (o * at_odds).sum((-1, -2))
    expected = (n_c[..., :, None] * n_c[..., None, :] * at_odds).sum((-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        made: Floats = np.where(expected > 0, 1 - (n - 1) * seen / expected, np.nan)
    return made


def _measures(table: _Table, weights: Floats, confidence: float, least: int) -> tuple[Measure, ...]:
    """All figures of one table. Each is a function of sums over documents, so that a drawn sample is a product of matrices."""
    counts, rated, paired = table.counts, table.rated, table.paired
    two = len(table.coders) == 2
    safe = np.maximum(rated, 1)
    same = (counts * (counts - 1)).sum(1) / 2
    near = sum(
        (_near(table.by_coder, g, h) for g, h in combinations(range(len(table.coders)), 2)), np.zeros(len(rated))
    )
    count = np.stack([paired, same, near, table.pairs], 1).astype(np.float64)
    sums = {
        "o": table.coincidences(),
        "pairs": table.by_document(count),
        # Gwet's: each unit counts the same, however many coders it has; codes are weighed over all units.
        "gwet": table.by_document(
            np.concatenate(
                [
                    np.where(paired, same / np.maximum(table.pairs, 1), 0)[:, None],
                    paired[:, None].astype(np.float64),
                    counts / safe[:, None],
                ],
                1,
            )
        ),
        "coders": table.by_document(
            (
                (table.by_coder[:, :, None] == np.arange(len(table.values)))
                & (paired | (not two))[:, None, None]  # Cohen's two have both rated the unit
            ).astype(np.float64)
        ),
    }
    kinds = ["alpha", "percent", "kappa", "ac1"] + (["within_one"] if table.level == "ordinal" else [])
    point = _figures({k: v.sum(0)[None] for k, v in sums.items()}, table)
    drawn = _figures({k: np.tensordot(weights, v, 1) for k, v in sums.items()}, table) if len(weights) else {}
    why = _why_undefined(table)
    made = []
    for kind in kinds:
        name = kind if kind != "kappa" else "kappa_cohen" if two else "kappa_conger"
        made.append(_measure(name, point[kind], drawn.get(kind), table.n_documents, confidence, least, why))
    return tuple(made)


def _figures(sums: Mapping[str, Floats], table: _Table) -> dict[str, Floats]:
    """The figures of sums with any number of samples before."""
    pairs, gwet, coders = sums["pairs"], sums["gwet"], sums["coders"]
    q = len(table.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = pairs[:, 1] / pairs[:, 3]
        each = gwet[:, 0] / gwet[:, 1]
        weigh = gwet[:, 2:] / gwet[:, 2:].sum(1, keepdims=True)
        by_chance = (weigh * (1 - weigh)).sum(1) / (q - 1) if q > 1 else np.full(len(each), np.nan)
        ac1 = (each - by_chance) / (1 - by_chance)
        # Conger: what two different coders would share by chance, over all pairs of coders. Of two: Cohen's.
        own = coders / coders.sum(2, keepdims=True)
        g = own.shape[1]
        chance = ((own.sum(1) ** 2 - (own**2).sum(1)) / max(g * (g - 1), 1)).sum(1) if g > 1 else np.ones(len(each))
        kappa = np.where(chance < 1, (each - chance) / (1 - chance), np.nan)
    used = (coders.sum(1) > 0).sum(1) > 1  # one code alone says nothing of agreement beyond chance
    return {
        "alpha": alpha_of(sums["o"], table.level, table.numbers),
        "percent": percent,
        "within_one": pairs[:, 2] / np.where(pairs[:, 3] > 0, pairs[:, 3], np.nan),
        "kappa": np.where(used, kappa, np.nan),
        "ac1": np.where(used, ac1, np.nan),
    }


def _near(by_coder: Ints, g: int, h: int) -> Floats:
    """Of each unit, 1 where the two coders are at most one step apart."""
    both = (by_coder[:, g] >= 0) & (by_coder[:, h] >= 0)
    made: Floats = (both & (abs(by_coder[:, g] - by_coder[:, h]) <= 1)).astype(np.float64)
    return made


def _why_undefined(table: _Table) -> str:
    if not table.paired.any():
        return "No unit was rated by two coders."
    return "All ratings have the same value: nothing could have differed."


def _code(table: _Table, k: int, weights: Floats, confidence: float, least: int) -> CodeAgreement:
    one = table.against_rest(k)
    counts = one.counts[one.paired]
    given = counts[:, 1].sum()
    # Pairs in which both gave it, doubled, over all its places in pairs.
    both = (counts[:, 1] * (counts[:, 1] - 1)).sum()
    places = (counts[:, 1] * (one.rated[one.paired] - 1)).sum()
    return CodeAgreement(
        table.values[k],
        float(given / counts.sum()) if counts.sum() else 0.0,
        int(given),
        float(both / places) if places else None,
        _measures(one, weights, confidence, least),
    )


# Spans


class Span(NamedTuple):
    """What one coder marked: half-open offsets into the document's text."""

    document: str
    coder: str
    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class SpanAgreement:
    """The agreement on free spans.

    Attributes:
        measures: ``u_alpha_identify`` (|u-alpha: marked or not), ``u_alpha`` (place and label), ``cu_alpha`` (labels where
            both marked), ``f1_exact`` and ``f1_overlap`` (same label; same ends, or any character shared).
        labels: each label alone, as ``u_alpha_identify`` on the spans that have it.
        n_characters: of the documents that two coders or more went through. ``n_spans``: spans on them.
        n_trimmed: spans shortened or left out, because the same coder had marked the words with another label: the measures of
            the u-alpha family need every character to have one label at most. F1 has them whole.
    """

    coders: tuple[str, ...]
    n_documents: int
    n_characters: int
    n_spans: int
    n_trimmed: int
    confidence: float
    measures: tuple[Measure, ...]
    labels: tuple[Measure, ...]

    def __getitem__(self, name: str) -> Measure:
        return _named(self.measures, name)


def span_agreement(
    spans: Iterable[Span | tuple[str, str, int, int, str]],
    lengths: Mapping[str, int],
    coded: Iterable[tuple[str, str]] = (),
    *,
    seed: int = 0,
    draws: int = 1000,
    confidence: float = 0.95,
    min_documents: int = MIN_DOCUMENTS,
) -> SpanAgreement:
    """Unitised agreement at the level of characters (Krippendorff et al. 2016) and F1 over pairs of coders.

    Documents lie one after another on the continuum. Observed coincidences are the characters that two coders' units share,
    over the number of other coders of that document. Expected ones pair every unit with every other but itself: a marked unit
    is left out of its own pairs whole (its length squared), an unmarked character by itself (the length of the gap). For
    cu-alpha both run over what two coders marked only, a unit's length being what another coder marked of it too; with two
    coders that is the paper's sum, with more it is as Krippendorff 2019, 12.6.5.

    Args:
        lengths: characters of each document.
        coded: document and coder, also where the coder marked nothing in it; whoever marked something is counted in.

    Raises:
        UsageError: a span is outside its document.
    """
    marked = [Span(*s) for s in spans]
    for s in marked:
        if not 0 <= s.start < s.end <= lengths.get(s.document, -1):
            raise UsageError(f"A span of {s.coder} is outside the document {s.document}.")
    who: dict[str, set[str]] = defaultdict(set)
    for document, coder in coded:
        who[document].add(coder)
    for s in marked:
        who[s.document].add(s.coder)
    documents = sorted(d for d, coders in who.items() if len(coders) > 1)
    marked = sorted(s for s in set(marked) if s.document in set(documents))
    labels = sorted({s.label for s in marked})
    weights = _draws(np.random.Generator(np.random.PCG64(seed)), draws, len(documents))
    parts = [_units([s for s in marked if s.document == d], who[d], labels, lengths[d]) for d in documents]
    alone = [
        [_units([s for s in marked if s.document == d and s.label == x], who[d], [x], lengths[d]) for d in documents]
        for x in labels
    ]
    why = "No document was gone through by two coders." if not documents else "Nothing was marked, or all alike."

    def made(name: str, rows: Sequence[_Units], n_labels: int, figure: str) -> Measure:
        sums = _Units.stacked(rows, n_labels)
        point = sums.totals(np.ones((1, len(rows)))).figures()[figure]
        drawn = sums.totals(weights).figures()[figure] if len(weights) and rows else None
        return _measure(name, point, drawn, len(documents), confidence, min_documents, why)

    return SpanAgreement(
        tuple(sorted({c for d in documents for c in who[d]})),
        len(documents),
        sum(lengths[d] for d in documents),
        len(marked),
        sum(p.trimmed for p in parts),
        confidence,
        tuple(
            made(name, parts, len(labels), name)
            for name in ("u_alpha_identify", "u_alpha", "cu_alpha", "f1_exact", "f1_overlap")
        ),
        tuple(made(x, rows, 1, "u_alpha_identify") for x, rows in zip(labels, alone, strict=True)),
    )


@dataclass(frozen=True, slots=True)
class _Units:
    """The sums of one document, or of several along the first axis. Label 0 is the gap.

    Attributes:
        shared: labels x labels, characters. ``own``: label by label, what is left out of the expected pairs.
        own_marked: the same for what others marked too. ``f1``: found exactly, found by overlap, of all, from both sides.
    """

    shared: Floats
    own: Floats
    own_marked: Floats
    f1: Floats
    trimmed: int = 0

    @classmethod
    def stacked(cls, rows: Sequence[_Units], labels: int) -> _Units:
        size = labels + 1
        return cls(
            np.array([r.shared for r in rows]).reshape(-1, size, size),
            np.array([r.own for r in rows]).reshape(-1, size),
            np.array([r.own_marked for r in rows]).reshape(-1, size),
            np.array([r.f1 for r in rows]).reshape(-1, 3),
        )

    def totals(self, weights: Floats) -> _Units:
        return _Units(
            np.tensordot(weights, self.shared, 1),
            weights @ self.own,
            weights @ self.own_marked,
            weights @ self.f1,
        )

    def figures(self) -> dict[str, Floats]:
        size = self.shared.shape[-1]
        both = np.zeros((size, 2))
        both[0, 0] = both[1:, 1] = 1
        identify = np.einsum("bij,ik,jl->bkl", self.shared, both, both)
        with np.errstate(divide="ignore", invalid="ignore"):
            exact, overlap = self.f1[:, 0] / self.f1[:, 2], self.f1[:, 1] / self.f1[:, 2]
        return {
            "u_alpha_identify": _unit_alpha(identify, self.own @ both),
            "u_alpha": _unit_alpha(self.shared, self.own),
            "cu_alpha": _unit_alpha(self.shared[:, 1:, 1:], self.own_marked[:, 1:]),
            "f1_exact": exact,
            "f1_overlap": overlap,
        }


def _unit_alpha(shared: Floats, own: Floats) -> Floats:
    n_c = shared.sum(-1)
    n = n_c.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = n * ((n_c**2 - own).sum(-1)) / (n**2 - own.sum(-1))
        observed = n - np.trace(shared, axis1=-2, axis2=-1)
        expected = n - alike
        made: Floats = np.where(expected > 1e-9 * np.maximum(n, 1), 1 - observed / expected, np.nan)
    return made


def _units(spans: Sequence[Span], coders: Iterable[str], labels: Sequence[str], length: int) -> _Units:
    """The sums of one document."""
    size = len(labels) + 1
    number = {x: n for n, x in enumerate(labels, 1)}
    names = sorted(coders)
    by_coder = {c: [s for s in spans if s.coder == c] for c in names}
    trimmed = 0
    lines: list[Ints] = []
    units: list[list[tuple[int, int, int]]] = []
    for name in names:
        kept, cut = _apart(by_coder[name])
        trimmed += cut
        line = np.zeros(length, dtype=np.int64)
        units.append([(s.start, s.end, number[s.label]) for s in kept])
        for start, end, k in units[-1]:
            line[start:end] = k
        lines.append(line)
    shared = np.zeros((size, size))
    for a, b in combinations(range(len(names)), 2):
        part = np.bincount(lines[a] * size + lines[b], minlength=size * size).reshape(size, size)
        shared += part + part.T
    shared /= len(names) - 1
    own, own_marked = np.zeros(size), np.zeros(size)
    for a in range(len(names)):
        own[0] += (lines[a] == 0).sum()
        others = np.any([lines[b] > 0 for b in range(len(names)) if b != a], axis=0)
        upto = np.concatenate([[0], np.cumsum(others)])
        for start, end, k in units[a]:
            own[k] += float(end - start) ** 2
            own_marked[k] += float(upto[end] - upto[start]) ** 2
    f1 = np.zeros(3)
    for x, y in combinations(names, 2):
        f1 += _found(by_coder[x], by_coder[y]) + _found(by_coder[y], by_coder[x])
    return _Units(shared, own, own_marked, f1, trimmed)


def _apart(spans: Sequence[Span]) -> tuple[list[Span], int]:
    """One coder's spans with no character in two: those of one label are joined; of two labels the earlier keeps its words."""
    kept: list[Span] = []
    cut = 0
    for s in sorted(spans, key=lambda s: (s.start, -s.end, s.label)):
        last = kept[-1] if kept else None
        if last is None or s.start >= last.end:
            kept.append(s)
        elif s.label == last.label:
            kept[-1] = last._replace(end=max(last.end, s.end))
        else:
            cut += 1
            if s.end > last.end:
                kept.append(s._replace(start=last.end))
    return kept, cut


def _found(one: Sequence[Span], other: Sequence[Span]) -> Floats:
    places = Counter((s.start, s.end, s.label) for s in other)
    exact = sum((s.start, s.end, s.label) in places for s in one)
    overlap = sum(any(s.label == t.label and s.start < t.end and t.start < s.end for t in other) for s in one)
    return np.array([exact, overlap, len(one)], dtype=np.float64)


# Both


def _draws(rng: np.random.Generator, draws: int, n: int) -> Floats:
    """How often each of n documents is in each drawn sample."""
    if draws <= 0 or n == 0:
        return np.zeros((0, n))
    return rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)


def _measure(
    name: str, point: Floats, drawn: Floats | None, documents: int, confidence: float, least: int, why: str
) -> Measure:
    value = _number(point[0])
    if value is None:
        return Measure(name, None, reason=why, no_interval=why)
    if drawn is None:
        return Measure(name, value, no_interval="No interval was asked for.")
    if documents < least:
        return Measure(name, value, no_interval=f"Only {documents} documents were coded twice; it needs {least}.")
    kept = drawn[np.isfinite(drawn)]
    if len(kept) < (1 - _UNDEFINED) * len(drawn):
        return Measure(
            name, value, no_interval="Too many drawn samples have no figure: one code is nearly all there is."
        )
    if np.ptp(kept) < 1e-12:
        return Measure(name, value, no_interval="No document differs from another, so nothing shows how sure this is.")
    tail = (1 - confidence) / 2
    low, high = np.quantile(kept, [tail, 1 - tail])
    return Measure(name, value, float(low), float(high))


def _number(x: Floats | np.float64) -> float | None:
    return float(x) if np.isfinite(x) else None


def _shares(counts: Floats) -> Floats:
    made: Floats = counts / max(counts.sum(), 1)
    return made


def _named(measures: Iterable[Measure], name: str) -> Measure:
    for measure in measures:
        if measure.name == name:
            return measure
    raise KeyError(name)
