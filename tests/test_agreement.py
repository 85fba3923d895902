"""Agreement: against tables worked out by hand, against other packages where they are installed, and in what it must not say."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimscan.errors import UsageError
from claimscan.study.agreement import agreement, alpha, disagreements, span_agreement

# By hand. Coincidences of the values 1, 2, 3: u1 gives 3 to (1,1), three coders over two others; u2 gives 1 to (1,2) and (2,1);
# u3 gives 1 to (2,2), (2,3) and (3,2); u4 gives 2 to (3,3); u5 has one coder and gives nothing. So 4, 3 and 3 ratings, 10 in all.
HAND = [
    *[("u1", "a", coder, "1") for coder in "xyz"],
    ("u2", "a", "x", "1"),
    ("u2", "a", "y", "2"),
    ("u3", "b", "x", "2"),
    ("u3", "b", "y", "2"),
    ("u3", "b", "z", "3"),
    ("u4", "b", "x", "3"),
    ("u4", "b", "z", "3"),
    ("u5", "b", "x", "2"),
]
ORDER = ["1", "2", "3"]


def test_alpha_by_hand():
    # Nominal: 4 of 10 differ; 100 - 16 - 9 - 9 = 66 of 90 are expected to.
    assert alpha(HAND) == pytest.approx(1 - 9 * 4 / 66, abs=1e-12)
    # Ordinal: mid-ranks 2, 5.5 and 8.5, squared distances 12.25, 9 and 42.25.
    expected = 2 * (4 * 3 * 12.25 + 3 * 3 * 9 + 4 * 3 * 42.25)
    assert alpha(HAND, "ordinal", ORDER) == pytest.approx(1 - 9 * (2 * 12.25 + 2 * 9) / expected, abs=1e-12)
    # Interval: squared distances 1, 1 and 4.
    assert alpha(HAND, "interval") == pytest.approx(1 - 9 * 4 / (2 * (12 + 9 + 48)), abs=1e-12)


def test_other_figures_by_hand():
    got = agreement(HAND, "ordinal", ORDER, draws=0)
    assert (got.n_units, got.n_single, got.n_pairs, got.n_documents) == (4, 1, 8, 2)
    assert got["percent"].value == pytest.approx(5 / 8)
    assert got["within_one"].value == 1
    one = got.codes[0]
    assert (one.code, one.n, one.prevalence) == ("1", 4, 0.4)
    assert one.positive == pytest.approx(6 / 7)  # six places in pairs agree, seven are there
    # Two coders, 20 units: both yes 12, x only 3, y only 1, both no 4. Chance .15 + .0875 = .575, so (.8 - .575)/.425.
    cells = [("yes", "yes")] * 12 + [("yes", "no")] * 3 + [("no", "yes")] + [("no", "no")] * 4
    rows = [
        (str(n), "d", coder, value) for n, pair in enumerate(cells) for coder, value in zip("xy", pair, strict=True)
    ]
    both = agreement(rows, draws=0)
    assert both["kappa_cohen"].value == pytest.approx((0.8 - 0.575) / 0.425, abs=1e-12)
    yes = 28 / 40
    chance = 2 * yes * (1 - yes)
    assert both["ac1"].value == pytest.approx((0.8 - chance) / (1 - chance), abs=1e-12)


def _random_table(seed, coders, gaps=0.2):
    rng = np.random.default_rng(seed)
    n, values = int(rng.integers(6, 60)), int(rng.integers(2, 7))
    truth = rng.integers(0, values, n)
    table = np.where(rng.random((coders, n)) < 0.7, truth, rng.integers(0, values, (coders, n))).astype(float)
    table[rng.random((coders, n)) < gaps] = np.nan
    rows = [
        (f"u{u}", f"d{u % 9}", f"c{c}", str(int(table[c, u])))
        for c in range(coders)
        for u in range(n)
        if np.isfinite(table[c, u])
    ]
    return table, rows, [str(v) for v in range(values)]


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_what_the_package_krippendorff_says(level):
    other = pytest.importorskip("krippendorff")
    for seed in range(40):
        table, rows, order = _random_table(seed, 2 + seed % 4)
        said = other.alpha(reliability_data=table, level_of_measurement=level)
        assert alpha(rows, level, order if level == "ordinal" else ()) == pytest.approx(said, abs=1e-9), seed


def test_ac1_and_conger_are_what_the_package_irrcac_says():
    raw = pytest.importorskip("irrCAC.raw")
    import pandas

    for seed in range(20):
        table, rows, _ = _random_table(seed, 3 + seed % 2, 0.1)
        got = agreement(rows, draws=0)
        said = raw.CAC(pandas.DataFrame(table.T).dropna(how="all"), digits=12)
        assert got["ac1"].value == pytest.approx(said.gwet()["est"]["coefficient_value"], abs=1e-9)
        assert got["kappa_conger"].value == pytest.approx(said.conger()["est"]["coefficient_value"], abs=1e-9)


def test_cohens_kappa_looks_only_at_what_both_rated():
    for seed in range(20):
        table, rows, _ = _random_table(seed, 2)
        x, y = table[:, np.isfinite(table).all(0)]
        chance = sum((x == v).mean() * (y == v).mean() for v in set(x) | set(y))
        said = ((x == y).mean() - chance) / (1 - chance)
        assert agreement(rows, draws=0)["kappa_cohen"].value == pytest.approx(said, abs=1e-9)


@settings(max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(0, 50))
def test_nothing_hangs_on_the_order_of_rows_or_on_names(rng, seed):
    _, rows, order = _random_table(seed, 3)
    before = agreement(rows, "ordinal", order, draws=0)
    rename = dict(zip(["c0", "c1", "c2"], rng.sample(["p", "q", "r"], 3), strict=True))
    mixed = [(u, d, rename[c], v) for u, d, c, v in rng.sample(rows, len(rows))]
    after = agreement(mixed, "ordinal", order, draws=0)
    for a, b in zip(before.measures, after.measures, strict=True):
        assert a.name == b.name and a.value == pytest.approx(b.value, abs=1e-12)


def test_what_is_undefined_is_none_and_says_why():
    alike = [(str(n), f"d{n}", coder, "yes") for n in range(20) for coder in "xy"]
    got = agreement(alike)
    for name in ("alpha", "kappa_cohen", "ac1"):
        assert got[name].value is None and "same value" in got[name].reason
    assert got["percent"].value == 1 and got["percent"].low is None and "nothing shows" in got["percent"].no_interval
    alone = agreement([(str(n), "d", "x", "yes" if n % 2 else "no") for n in range(9)])
    assert all(m.value is None and "two coders" in m.reason for m in alone.measures)
    assert agreement([])["alpha"].value is None
    few = agreement(HAND)["alpha"]
    assert few.value is not None and few.low is None and "2 documents" in few.no_interval


def test_a_table_that_cannot_be_right_is_refused():
    with pytest.raises(UsageError, match="twice"):
        agreement([("u", "d", "x", "a"), ("u", "d", "x", "b")])
    with pytest.raises(UsageError, match="order"):
        alpha(HAND, "ordinal", ["1", "2"])
    with pytest.raises(UsageError, match="number"):
        alpha([("u", "d", "x", "a"), ("u", "d", "y", "b")], "interval")


def _clustered(rng, documents, units, reliability=0.75):
    """Two coders; in some documents they agree far better than in others."""
    rows = []
    for d in range(documents):
        good = min(1, max(0, rng.gauss(reliability, 0.2)))
        for u in range(units):
            truth = rng.randint(1, 4)
            rows += [(f"{u}", f"d{d}", c, str(truth if rng.random() < good else rng.randint(1, 4))) for c in "xy"]
    return rows


def test_the_interval_draws_documents_and_not_units():
    rows = _clustered(random.Random(3), 25, 12)
    by_document = agreement(rows)["alpha"]
    by_unit = agreement([(f"{d}-{u}", f"{d}-{u}", c, v) for u, d, c, v in rows])["alpha"]
    assert by_document.value == pytest.approx(by_unit.value)
    assert by_document.low < by_document.value < by_document.high
    assert by_document.high - by_document.low > 1.15 * (by_unit.high - by_unit.low)
    assert agreement(rows) == agreement(rows) != agreement(rows, seed=1)


def test_the_interval_covers():
    """120 studies of 60 documents: the interval of alpha has the value of a study of 4,000 documents in it, most times."""
    true = alpha(_clustered(random.Random(0), 4000, 4))
    hits = 0
    for seed in range(120):
        rows = _clustered(random.Random(seed + 1), 60, 4)
        got = agreement(rows, draws=200, each_code=False)["alpha"]
        hits += got.low <= true <= got.high
    assert 0.90 <= hits / 120 <= 0.99


def test_what_to_discuss_comes_first():
    rows = [
        *[("far", "d", c, v) for c, v in zip("xyz", "116", strict=True)],
        *[("near", "d", c, v) for c, v in zip("xyz", "123", strict=True)],
        *[("rare", "d", c, v) for c, v in zip("xyz", "114", strict=True)],
        *[("plain", "d", c, v) for c, v in zip("xyz", "441", strict=True)],
        *[(f"same{n}", "d", c, "1") for n in range(5) for c in "xyz"],
    ]
    order = list("123456")
    assert [d.unit for d in disagreements(rows, "ordinal", order)] == ["far", "plain", "rare", "near"]
    nominal = disagreements(rows)
    assert [d.unit for d in nominal] == ["near", "far", "plain", "rare"]
    assert nominal[0].pairs == nominal[0].of_pairs == 3 and nominal[0].values[0] == ("x", "1")


# Spans. By hand, ten characters: x has A on 0-4 and B on 6-8, y has A on 2-6 and A on 6-8.
SPANS = [("d", "x", 0, 4, "A"), ("d", "x", 6, 8, "B"), ("d", "y", 2, 6, "A"), ("d", "y", 6, 8, "A")]


def test_spans_by_hand():
    got = span_agreement(SPANS, {"d": 10}, draws=0)
    # Gap 8, A 10, B 2, in all 20, of which 12 differ; left out of the expected: gaps 8, A 16 + 16 + 4, B 4.
    assert got["u_alpha"].value == pytest.approx(1 - 12 * 352 / (20 * (352 - 56 - 64 - 0)), abs=1e-12)
    # Gap 8, marked 12: 8 differ.
    assert got["u_alpha_identify"].value == pytest.approx(1 - 8 * 352 / (20 * (352 - 56 - 104)), abs=1e-12)
    # Both marked: A 6, B 2, half of 8 differ; so are half expected to.
    assert got["cu_alpha"].value == pytest.approx(0, abs=1e-12)
    assert got["f1_exact"].value == 0 and got["f1_overlap"].value == 0.5
    assert (got.n_characters, got.n_spans, got.n_trimmed) == (10, 4, 0)


def test_spans_that_are_alike_and_spans_that_are_not():
    same = [s for c in "xyz" for s in [("d", c, 3, 9, "A"), ("d", c, 20, 40, "B")]]
    got = span_agreement(same, {"d": 100}, draws=0)
    assert {m.name: m.value for m in got.measures} == {
        "u_alpha_identify": 1, "u_alpha": 1, "cu_alpha": 1, "f1_exact": 1, "f1_overlap": 1,
    }  # fmt: skip
    assert [m.value for m in got.labels] == [1, 1]
    apart = span_agreement([("d", "x", 0, 50, "A"), ("d", "y", 50, 100, "A")], {"d": 100}, draws=0)
    assert apart["u_alpha_identify"].value < 0 and apart["cu_alpha"].value is None
    nothing = span_agreement([], {"d": 100}, [("d", "x"), ("d", "y")], draws=0)
    assert nothing.n_documents == 1 and all(m.value is None and m.reason for m in nothing.measures)


def test_a_coder_who_marked_nothing_is_counted():
    rows = [("d", "x", 10, 20, "A"), ("e", "x", 0, 30, "A"), ("e", "y", 0, 30, "A")]
    lengths = {"d": 50, "e": 50}
    assert span_agreement(rows, lengths, draws=0)["u_alpha_identify"].value == pytest.approx(1)
    with_d = span_agreement(rows, lengths, [("d", "y")], draws=0)
    assert with_d.n_documents == 2 and with_d["u_alpha_identify"].value < 0.9


def test_one_coders_overlapping_spans():
    joined = span_agreement([("d", "x", 0, 6, "A"), ("d", "x", 4, 9, "A"), ("d", "y", 0, 9, "A")], {"d": 20}, draws=0)
    assert joined["u_alpha"].value == 1 and joined.n_trimmed == 0
    cut = span_agreement([("d", "x", 0, 6, "A"), ("d", "x", 4, 9, "B"), ("d", "y", 0, 6, "A")], {"d": 20}, draws=0)
    assert cut.n_trimmed == 1 and cut["f1_exact"].value == pytest.approx(2 / 3)
    with pytest.raises(UsageError, match="outside"):
        span_agreement([("d", "x", 5, 30, "A")], {"d": 20})


def test_spans_have_an_interval_by_document():
    rng = random.Random(5)
    rows = []
    for d in range(20):
        for start in range(0, 400, 40):
            shift = rng.choice([0, 0, 0, 3, 12])
            rows += [
                (f"d{d}", "x", start, start + 20, "A"),
                (f"d{d}", "y", start + shift, start + shift + 20, rng.choice("AAAB")),
            ]
    got = span_agreement(rows, {f"d{d}": 450 for d in range(20)})
    for measure in got.measures[:2]:
        assert measure.low < measure.value < measure.high < 1
