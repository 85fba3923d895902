"""What counts as one thing made, and what evidence belongs to it: codebook T4, T22, E3, E4, E20."""

import pytest

import claimscan
from claimscan import naming, products
from claimscan.lexicon import load
from claimscan.records import Population

NOBODY = Population()
MADE = load("products.toml")["made"]


@pytest.mark.parametrize("rule", MADE, ids=[rule["id"] for rule in MADE])
def test_made_examples(rule):
    assert all(products.says_made(text, NOBODY) for text in rule["yes"])
    assert not any(products.says_made(text, NOBODY) for text in rule["no"])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("our co-produced Carers Plan", "the Carers Plan", True),
        ("the plan", "the Carers Plan", True),
        ("the Carers Plan", "the Housing Plan", False),
        ("the plan", "the toolkit", False),
        ("the strategy", "an Easy Read version of the strategy", False),
    ],
)
def test_same_thing(a, b, expected):
    assert naming.same(naming.name(a), naming.name(b)) is expected
    assert naming.same(naming.name(b), naming.name(a)) is expected


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("this strategy", True),
        ("the strategy", True),
        ("Northmoor Autism Strategy", True),
        ("our new Autism Strategy", True),
        ("the 2019 strategy", False),
        ("the Easy Read version of this strategy", False),
        ("the hospital passport", False),
    ],
)
def test_what_stands_for_the_document(phrase, expected):
    assert naming.stands_for_document(naming.name(phrase), "Northmoor Autism Strategy 2025 to 2030") is expected


def grades(text):
    report = claimscan.check_text(text)
    return {product.name: report.findings[product.id].grade for product in report.products}


def test_many_mentions_of_one_thing_are_one_product():
    text = "Carers Plan\n\nThis plan was co-produced with carers. It has been co-produced from the start.\n\nOur co-produced Carers Plan has six aims."
    report = claimscan.check_text(text)
    assert len(report.products) == 1
    assert len(report.products[0].mentions) == 3


def test_evidence_is_not_borrowed_from_an_earlier_thing():
    text = "Carers Plan\n\nThis plan was co-produced with carers. For the previous plan we held twelve workshops with a panel of carers, who met monthly."
    assert set(grades(text).values()) == {"N1"}


def test_the_easy_read_version_is_another_product():
    text = (
        "Good Health Plan\n\nThis plan was co-produced with people with a learning disability.\n\n"
        "An Easy Read version of this plan was co-produced with the Wednesday Group. They wrote every page of the Easy Read version."
    )
    assert len(claimscan.check_text(text).products) == 2


def test_a_general_word_makes_no_product():
    text = "Co-production means that people who use services and people who run them share the work. Bidders must co-produce each plan with the person."
    assert claimscan.check_text(text).products == ()


def test_a_product_without_a_trigger_word():
    text = "Damp guide\n\nFive tenants and two surveyors wrote this guide. The tenants met every week for a winter."
    report = claimscan.check_text(text)
    assert [product.mentions for product in report.products] == [()]
    assert report.findings["p1"].grade == "5"
