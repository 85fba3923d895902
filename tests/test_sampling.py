"""Samples: the same for everybody, extendable, and with the probabilities that they say."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimscan.errors import UsageError
from claimscan.study.sampling import Listed, allocate, draw, extend, number, spread_of

FRAME = [Listed(f"doc{n}", ("council" if n % 3 else "trust",), claims=n % 4 > 0) for n in range(200)]


def test_a_sample_does_not_hang_on_the_order_of_rows():
    assert draw(FRAME, 60, 7) == draw(reversed(FRAME), 60, 7)
    assert draw(FRAME, 60, 7) != draw(FRAME, 60, 8)
    # For ever, and on every machine: another number here is another sample for everyone who has drawn one.
    assert number(7, "doc0") == 0.7187212588807043
    assert [d.document for d in draw(FRAME, 12, 7).documents][:4] == ["doc179", "doc161", "doc113", "doc86"]


def test_documents_with_no_claim_are_strata_of_their_own():
    got = draw(FRAME, 60, 1)
    assert [(s.name, s.size) for s in got.strata] == [
        ("council", 100), ("council | no claim", 33), ("trust", 50), ("trust | no claim", 17),
    ]  # fmt: skip
    assert sum(s.drawn for s in got.strata) == len(got.documents) == 60
    assert all(d.probability == next(s.probability for s in got.strata if s.name == d.stratum) for d in got.documents)
    assert len(got.probabilities(FRAME)) == 200 and sum(got.probabilities(FRAME).values()) == pytest.approx(60)


def test_each_document_is_drawn_as_often_as_its_probability_says():
    times = Counter(d.document for seed in range(300) for d in draw(FRAME, 40, seed).documents)
    said = draw(FRAME, 40, 0).probabilities(FRAME)
    z = [(times[d] - 300 * p) / (300 * p * (1 - p)) ** 0.5 for d, p in said.items()]
    assert max(map(abs, z)) < 4.5 and np.mean(np.square(z)) == pytest.approx(1, abs=0.35)


@settings(max_examples=40)
@given(
    st.integers(8, 200), st.integers(0, 60), st.sampled_from(["proportional", "equal", "neyman"]), st.integers(0, 99)
)
def test_a_larger_sample_has_the_smaller_in_it(n, more, allocation, seed):
    first = draw(FRAME, n, seed, allocation=allocation, twice=0.3)
    more = min(200, n + more)
    second = extend(first, FRAME, more, allocation="proportional", twice=0.3)
    before, after = {d.document: d for d in first.documents}, {d.document: d for d in second.documents}
    assert before.keys() <= after.keys() and len(after) == more
    assert {d for d, row in before.items() if row.twice} <= {d for d, row in after.items() if row.twice}
    assert {row.wave for d, row in after.items() if d in before} == {0}
    assert {row.wave for d, row in after.items() if d not in before} <= {1}


def test_another_list_cannot_extend_a_sample():
    first = draw(FRAME, 40, 1)
    with pytest.raises(UsageError, match="not those of the sample"):
        extend(first, FRAME[1:], 60)
    moved = [Listed(f"new-{row.document}", row.parts, row.claims) for row in FRAME]
    with pytest.raises(UsageError, match="another stratum"):
        extend(first, moved, 60)


def test_allocation():
    sizes = {"a": 100, "b": 60, "c": 3}
    assert allocate(sizes, 33) == {"a": 19, "b": 12, "c": 2}
    assert allocate(sizes, 33, allocation="equal") == {"a": 15, "b": 15, "c": 3}
    assert allocate(sizes, 33, at_least=5) == {"a": 19, "b": 11, "c": 3}  # a small stratum is taken whole
    assert allocate(sizes, 33, allocation="neyman", spread={"a": 0.1, "b": 0.5, "c": 0.5}) == {"a": 8, "b": 23, "c": 2}
    assert allocate(sizes, 163) == sizes
    with pytest.raises(UsageError, match="at the least"):
        allocate(sizes, 5)
    with pytest.raises(UsageError, match="163"):
        allocate(sizes, 164)


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=8),
    st.integers(0, 400),
    st.sampled_from(["proportional", "equal", "neyman"]),
    st.integers(0, 6),
)
def test_allocation_adds_up_and_stays_within(sizes, n, allocation, least):
    sizes = {f"s{k}": size for k, size in enumerate(sizes)}
    n = max(min(n, sum(sizes.values())), sum(min(least, size) for size in sizes.values()))
    got = allocate(sizes, n, allocation=allocation, at_least=least)
    assert sum(got.values()) == n
    assert all(min(least, sizes[name]) <= got[name] <= sizes[name] for name in sizes)


def test_coding_twice():
    got = draw(FRAME, 80, 3, twice=0.25)
    for stratum in got.strata:
        here = [d for d in got.documents if d.stratum == stratum.name]
        assert sum(d.twice for d in here) == -(-len(here) // 4) == round(here[0].twice_probability * len(here))
    assert {d.document for d in got.documents} == {d.document for d in draw(FRAME, 80, 3).documents}
    # Who is coded twice has nothing to do with who is drawn first.
    first = [d.number for d in got.documents if d.twice]
    assert np.mean(first) > 0.6 * np.mean([d.number for d in got.documents])


def test_what_cannot_be_drawn():
    with pytest.raises(UsageError, match="twice"):
        draw([*FRAME, FRAME[0]], 20, 1)
    with pytest.raises(UsageError, match="no documents"):
        draw([], 20, 1)
    with pytest.raises(UsageError, match="between 0 and 1"):
        draw(FRAME, 20, 1, twice=2)
    assert spread_of(0.5) == 0.5 and spread_of(0) == 0.1
