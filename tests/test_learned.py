"""The model of wording beside the rules: plain arrays, asked only where no rule speaks, told apart by its rule id."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimscan import evidence, learned
from claimscan.records import Population, Sentence
from claimscan.training import learn

POPULATION = Population("autistic adults", "adults")


def made(*, slot="payment", value="paid", words=("sandwiches",), threshold=0.5):
    """A model that is sure of one slot wherever one of the words stands."""
    weights = {word: [(0, 30.0), (1, 30.0)] for word in words}
    return learned.Model((slot, f"{slot}={value}"), (-4.0, 0.0), weights, {slot: threshold})


def found(text, model, kind="paragraph"):
    with learned.on_trial(model):
        return evidence.find([Sentence(0, len(text), text, 1, 0, kind)], POPULATION)


def test_it_adds_what_no_rule_found_and_says_so():
    [item] = found("Afterwards there were sandwiches for all of them.", made())
    assert (item.slot, item.value, item.rule) == ("payment", "paid", "learned-payment")
    assert 0.5 < item.score <= 1 and item.quote == "Afterwards there were sandwiches for all of them."


def test_a_rule_goes_before_it():
    items = found("Members were paid £20 an hour, and sandwiches.", made(value="vouchers"))
    assert {(e.slot, e.value) for e in items if e.slot == "payment"} == {("payment", "paid")}
    assert not any(e.rule.startswith("learned-") for e in items)


@pytest.mark.parametrize(
    "text, kind",
    [
        ("Sandwiches for all of them.", "heading"),
        ("Next year there will be sandwiches for all of them.", "paragraph"),
        ("Afterwards there was soup for all of them.", "paragraph"),
    ],
)
def test_it_is_silent_in_headings_about_the_future_and_under_its_threshold(text, kind):
    assert not [e for e in found(text, made(), kind) if e.rule.startswith("learned-")]


def test_of_a_long_sentence_it_quotes_the_clause():
    text = (
        "The hall was cold that winter, and " * 8
        + "and then there were sandwiches for all of them, and "
        + "the hall was cold again"
    )
    [item] = [e for e in found(text, made()) if e.rule == "learned-payment"]
    assert "sandwiches" in item.quote and len(item.quote) < len(text) / 3
    assert item.quote == text[item.start : item.end]


@given(st.text(max_size=400))
def test_any_text_gives_probabilities(text):
    for name, p in made().probabilities(text).items():
        assert 0 <= p <= 1, name


def test_people_and_numbers_are_seen_by_kind_only():
    one = learned.features("Nine \u27e6L~~~~~\u27e7 met 12 times")
    other = learned.features("Nine \u27e6L~~~~~~~~~~~~~\u27e7 met 40 times")
    assert one == other and "<L> met <n>" in one


def test_packing_keeps_the_model_and_is_the_same_each_time():
    model = made(words=("sandwiches", "soup"))
    data = learn.packed(model)
    assert data == learn.packed(model)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        back = learned.unpacked({name: arrays[name] for name in arrays.files})
    text = "Afterwards there were sandwiches"
    assert back.columns == model.columns and dict(back.thresholds) == dict(model.thresholds)
    assert back.probabilities(text) == pytest.approx(model.probabilities(text))


def test_it_learns_a_way_of_saying_it_and_applies_it_to_new_words():
    says = [
        "an envelope with {} in it was waiting",
        "each went home with {} in an envelope",
        "{} in cash, in an envelope",
    ]
    silent = ["the hall was cold in {}", "there were {} chairs", "the bus leaves at {}"]
    rows = [
        learn.Row(text.format(n), frozenset({("payment", "paid")} if text in says else ()), frozenset(), f"w{n % 3}")
        for n in range(10, 40)
        for text in says + silent
    ]
    model = learn.fit(rows, ("w0",))
    assert model.probabilities("she left with 25 in an envelope")["payment"] > 0.5
    assert model.probabilities("the bus was cold and left at 25")["payment"] < 0.5
    assert learn.fit(rows, ("w0",)) == model, "the same rows give the same model"


def test_thresholds_are_the_lowest_that_are_right_often_enough():
    additions = [learn.Addition("payment", 0.35, False)] * 10 + [learn.Addition("payment", 0.72, True)] * 10
    additions += [learn.Addition("stage", 0.9, False)] * 20 + [learn.Addition("count", 0.9, True)] * (learn.LEAST - 1)
    limits, record = learn.choose(additions)
    assert limits == {"payment": 0.3} if learn.RIGHT <= 0.5 else 0.4 <= limits["payment"] <= 0.7
    assert record["stage"] == {"threshold": None} and record["count"] == {"threshold": None}
