"""The questions that a finding leaves open."""

import re

import pytest
from test_grading import item, said

from claimscan import codebook, grading, questions
from claimscan.records import Population, Product

TABLES = codebook.tables()


def found(evidence, mentions=(), kind="adults"):
    return grading.grade(Product("p1", "the plan", True), mentions, evidence, Population(kind=kind))


def gaps(finding, **more):
    return [question.gap for question in questions.questions(finding, **more)]


def test_a_bare_claim_is_asked_what_it_means_first_and_then_everything():
    asked = gaps(found([], [said("DOC_DONE")]))
    assert asked[0] == "claim_only" and asked[1] == "method"
    assert set(asked) == {gap.gap for gap in TABLES.gaps} - {"proxies_only"}


def test_the_page_of_the_claim_is_named_where_it_is_known():
    finding = found([], [said("DOC_DONE")])
    assert questions.questions(finding, page=4)[0].record.endswith("supports the statement on page 4.")
    assert questions.questions(finding)[0].record.endswith("supports the statement.")


def test_proxies_are_asked_about_first():
    asked = gaps(found([item("contributors", "proxy"), item("method", "survey")]))
    assert asked[0] == "proxies_only" and "claim_only" not in asked


def test_what_would_raise_the_grade_comes_before_the_rest():
    finding = found([item("contributors", "le"), item("reviewers", "le"), item("stage", "near_final")])
    assert finding.next[0].gap == "feedback_acted"
    assert gaps(finding)[0] == "feedback_acted" and "stage" in gaps(finding)  # end-stage-only asks about the stage too


def test_a_stated_slot_is_not_asked_about_unless_it_stays_open():
    finding = found(
        [
            item("contributors", "le"),
            item("method", "workshop_series"),
            item("payment", "paid"),
            item("decision_power", "assertion_only"),
            item("feedback_acted", "general"),
            item("count", "vague", detail={"kind": "vague"}),
        ]
    )
    asked = gaps(finding)
    assert not {"method", "payment"} & set(asked)
    assert {"decision_power", "feedback_acted", "count"} <= set(asked)


def test_each_gap_is_asked_once():
    for evidence in ([], [item("contributors", "le")], [item("contributors", "organisations")]):
        asked = gaps(found(evidence, [said("DOC_DONE")]))
        assert len(asked) == len(set(asked))


@pytest.mark.parametrize("gap", TABLES.gaps, ids=[gap.gap for gap in TABLES.gaps])
def test_questions_are_short_kind_and_ask_for_no_names(gap):
    assert all(len(sentence.split()) <= 20 for sentence in re.split(r"[.?]\s*", gap.ask))
    assert not re.search(r"names? of (the )?(people|contributors|members)", gap.record)
    assert gap.needs or not gap.slot
