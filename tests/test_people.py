"""Words for people: what the mask covers, what it leaves, and whom a phrase stands for (codebook E1, E7, E12)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimscan import people
from claimscan.records import Population

ADULTS = Population("autistic people", "adults")

# Our own sentences; the letters are those of the tokens in order.
NAMED = [
    ("Stroke survivors told us.", "L"),
    ("We met the Nest, our children in care council.", "L"),
    ("People who lived through the flood came back.", "L"),
    ("Mums and dads wrote it.", "F"),
    ("Written with the tenants' panel and a tenant.", "LL"),
    ("A blind switchboard operator was sent it.", "L"),
    ("Our policy officer, who is autistic, led on it.", "L"),
    ("Ewan Reid and Moira Tait, who live with dementia, sat on it.", "L"),
    ("People who have had a transplant said so.", "L"),
    ("People who have contributed to the plan met.", "U"),
    ("The Parent Carer Forum met us.", "F"),
    ("Mental health service users worked with us.", "L"),
    ("Disabled people's organisations joined.", "L"),
    ("A retired miner with silicosis read it.", "L"),
    ("Carers of people with dementia chose it.", "F"),
    ("Foster carers and social workers met.", "AP"),
    ("Three tenants, one officer and the police met.", "LPO"),
    ("Daflen a gydgynhyrchwyd â phobl fyddar.", "L"),
    ("Residents who use wheelchairs walked it.", "L"),
    ("Members of the public came.", "U"),
    ("The Harbour Watch met.", "B"),
]
NOBODY = [
    "Patient safety comes first.",
    "Child protection and customer services share an office.",
    "The carers' strategy runs to 2030.",
    "The community centre is shut.",
    "Family hubs opened.",
    "The user interface is new.",
    "Older people's services moved.",
    "The patient journey starts at the door.",
    "Children's centres and women's services closed.",
    "Help with dementia is free.",
]


@pytest.mark.parametrize("text,letters", NAMED, ids=[text for text, _ in NAMED])
def test_people_are_named(text, letters):
    assert people.kinds(text, ADULTS) == letters, people.mask(text, ADULTS)


@pytest.mark.parametrize("text", NOBODY)
def test_the_name_of_a_thing_names_nobody(text):
    assert not people.kinds(text, ADULTS), people.mask(text, ADULTS)


@pytest.mark.parametrize(
    "phrase,kind,expected",
    [
        ("carers", "carers", "le"),
        ("parents and carers", "adults", "proxy"),
        ("parents", "children", "parent_carer"),
        ("parents", "unknown", "parent_carer"),
        ("parents", "all_age", "proxy"),
        ("families", "residents", "le"),
        ("Healthwatch", "adults", "proxy"),
        ("people with lived experience", "adults", "le"),
        ("service users and carers", "adults", "mixed"),
        ("officers", "adults", "professional"),
        ("stakeholders", "adults", "organisations"),
        ("people", "adults", "public"),
        ("members", "adults", "unclear"),
        ("members of the board", "adults", "unclear"),
        ("they", "adults", ""),
        ("the group", "adults", ""),
        ("", "adults", ""),
    ],
)
def test_whom_a_phrase_stands_for(phrase, kind, expected):
    assert people.classify(phrase, Population("", kind)) == expected


@given(
    st.lists(
        st.sampled_from(
            [text for text, _ in NAMED] + NOBODY + ["⟦", "~", "\n", "people with ", "with dementia", "who "]
        ),
        max_size=6,
    ).map(" ".join)
)
def test_a_mask_keeps_the_length_and_the_words_outside_its_tokens(text):
    masked = people.mask(text, ADULTS)
    assert len(masked) == len(text)
    for shown, printed in zip(masked, text):
        assert shown == printed or shown in "⟦⟧~LFAPOBU"


@given(st.text(max_size=300))
def test_any_text_can_be_masked(text):
    assert len(people.mask(text, Population())) == len(text)


def test_hostile_text_is_masked_in_time_that_grows_with_its_length():
    for unit in (
        "people with ",
        "who have who have ",
        "autistic and deaf and ",
        "Ann Bell, Cal Dew, ",
        "members of the ",
    ):
        start = time.process_time()
        people.mask(unit * 2000, ADULTS)
        assert time.process_time() - start < 3.0, unit
