"""Whom a document is about (codebook E1): kind, label, verbatim quote, and a bounded cost. All documents here are our own."""

import time

import pytest

from claimscan.population import population_of
from claimscan.reading import read_text
from claimscan.records import Block, Document, Page

CASES = [
    (
        "Autism Strategy for Adults 2025-30\n\nWe asked autistic adults in Merrow what they wanted.",
        "adults",
        "autistic people",
    ),
    (
        "All-Age Autism Strategy\n\nThis strategy is for autistic people and their families.",
        "all_age",
        "autistic people",
    ),
    ("Autism in Schools: a guide for pupils\n\nThe guide was written for teachers in Hexby.", "children", ""),
    ("Unpaid Carers Strategy\n\nAbout 9,000 people in Dunmere look after somebody.", "carers", "unpaid carers"),
    ("Our offer to young carers\n\nYou can ring the school nurse.", "carers", "young carers"),
    ("SEND and Inclusion Plan 0-25\n\nFamilies told us that plans come late.", "children", ""),
    (
        "Promise to children in care and care leavers\n\nWe will tell you why.",
        "children",
        "children in care and care leavers",
    ),
    (
        "Children and Young People's Plan\n\nIn Oxmere there are 12,000 children.",
        "children",
        "children and young people",
    ),
    (
        "Living well with dementia in Fellside\n\nMemory clinics run in four towns.",
        "adults",
        "people living with dementia",
    ),
    (
        "Learning Disability Strategy\n\nPeople with a learning disability live shorter lives.",
        "adults",
        "people with a learning disability",
    ),
    (
        "Ending rough sleeping in Port Ellery\n\nOn one night we counted 31 people.",
        "adults",
        "people who have been homeless",
    ),
    ("Domestic abuse: our pathway\n\nSurvivors need a safe place to sleep.", "adults", "survivors of domestic abuse"),
    ("Combating drugs and alcohol harm in Sandley\n\nTreatment works.", "adults", "people who use drugs or alcohol"),
    ("Tenants' charter\n\nThe repairs line is open until eight.", "residents", "tenants"),
    (
        "Climate Action Plan for Tarry Bridge\n\nThe plan has nine chapters about buses, heat and food.",
        "residents",
        "residents",
    ),
    (
        "Joint Health and Wellbeing Strategy\n\nIt covers dementia, autism, cancer, stroke, carers and children.",
        "residents",
        "residents",
    ),
    ("Library opening hours\n\nThe library in Solfell opens on Sundays.", "residents", "residents"),
    ("Rehabilitation after stroke\n\nThe ward in Kirkbarn has twelve beds.", "adults", "people who have had a stroke"),
    ("Standard for Deaf patients\n\nInterpreters are booked within a day.", "adults", "Deaf people"),
    ("Parent carers and SEND: working together\n\nThe forum in Calder has 90 members.", "children", ""),
    ("Treasury management policy\n\nThe council lends for up to a year.", "unknown", ""),
]


@pytest.mark.parametrize("text,kind,label", CASES, ids=[case[0].split("\n")[0] for case in CASES])
def test_kind_and_label(text, kind, label):
    population = population_of(read_text(text))
    assert population.kind == kind
    assert not label or population.label == label


@pytest.mark.parametrize("text", [case[0] for case in CASES])
def test_quote_is_verbatim_and_on_a_page(text):
    document = read_text(text)
    population = population_of(document)
    if population.label:
        assert population.quote and population.quote in document.text
        assert population.page in {page.number for page in document.pages}
    else:
        assert not population.quote and population.page is None


def test_a_condition_nobody_foresaw_is_taken_from_the_words():
    population = population_of(
        read_text(
            "A card for the ward\n\nMade for people with narcolepsy. Staff meet people with narcolepsy each week."
        )
    )
    assert population.kind == "adults" and "narcolepsy" in population.label


def test_the_title_outweighs_the_text():
    text = "Strategy for unpaid carers\n\n" + "Dementia is common and a dementia nurse calls. " * 5
    assert population_of(read_text(text)).label == "unpaid carers"


def test_nothing_in_the_document_gives_nothing():
    assert population_of(read_text("x")).kind == "unknown"


def test_blocks_that_are_furniture_are_not_looked_at():
    text = "Autism strategy running head\nRefuse collection in Merrow"
    blocks = (Block(0, 28, 1, "furniture"), Block(29, len(text), 1))
    document = Document("id", "made", "text", text, (Page(1, 0, len(text)),), blocks)
    assert population_of(document).label != "autistic people"


def test_a_long_document_costs_no_more_than_a_short_one():
    paragraph = "Tenants and patients with dementia met carers of autistic children in the library about buses. "
    long = read_text("Plan\n\n" + "\n\n".join([paragraph * 8] * 1500))
    population_of(long)
    start = time.process_time()
    population_of(long)
    assert time.process_time() - start < 0.1  # measured: about 0.01 s
