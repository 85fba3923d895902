"""Tables of what was said and what changed, and people's own words: evidence that stands in no sentence."""

import pytest

from claimscan import evidence, laid_out
from claimscan.reading import read_text
from claimscan.records import Population
from claimscan.sentences import sentences

TENANTS = Population("tenants", "residents")

TABLE = """# What we altered

| The draft said | The panel said | The rules say now |
| --- | --- | --- |
| Keys cost £40 | That is two days' food. | Keys cost what we pay for them |
| Bins on Mondays | Fine by us | No change |
| No pets | A cat is not a pet. She is family. | Cats, and dogs if the neighbours agree |
| No ball games | Where else? | Not agreed: the insurer would not have it |
| Lifts | They stop | We will look at it in 2031 |
"""


def found(text, population=TENANTS):
    cut = tuple(sentences(read_text(text)))
    return [
        (e.slot, e.value, cut[i].text) for i, items in sorted(laid_out.find(cut, population).items()) for e in items
    ]


def test_rows_of_a_table_of_changes_name_the_change():
    values = [
        (value, quote.rstrip(" |").rsplit(" | ", 1)[-1])
        for slot, value, quote in found(TABLE)
        if slot == "feedback_acted"
    ]
    assert values == [
        ("specific", "Keys cost what we pay for them"),
        ("specific", "Cats, and dogs if the neighbours agree"),
        ("specific_incl_not_done", "Not agreed: the insurer would not have it"),
    ]


def test_the_head_of_the_table_states_nothing():
    cut = tuple(sentences(read_text(TABLE)))
    look = evidence.looker(cut, TENANTS)
    head = next(i for i, s in enumerate(cut) if s.kind == "row")
    assert look(head) == ()


@pytest.mark.parametrize(
    "head",
    [
        "| Action | Owner | By when |",
        "| The draft said | Page | The law says |",
        "| What people said | Number | Share |",
        "| Risk | Response | Owner |",
    ],
)
def test_other_tables_say_nothing(head):
    assert not found(f"# Table\n\n{head}\n| --- | --- | --- |\n| Lifts are mended | The panel | In a day |\n")


@pytest.mark.parametrize(
    "text",
    [
        "I pay for a lift. I have a rope. (tenant, Marl Street)",
        "“Nobody rang me for a month.” – Carer, Aldwick",
        '"They asked me twice and wrote it down." Bo, young person',
    ],
)
def test_words_with_who_said_them_are_testimony(text):
    assert [(slot, value) for slot, value, _ in found(text)] == [("method", "testimony")]


@pytest.mark.parametrize(
    "text",
    [
        "We shall mend every lift in a day. (Director of Homes)",
        "Lifts fail often in the north blocks. (Marl, 2019)",
        "We wrote to the tenants' panel.",
    ],
)
def test_other_words_are_not(text):
    assert not found(text)


def test_a_quotation_under_a_heading_for_voices_is_testimony():
    text = "# In her own words\n\n“When the lift stops I sit on the stairs and wait for the boys.”"
    assert [value for _, value, _ in found(text)] == ["testimony"]
