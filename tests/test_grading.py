"""Grades and flags: the codebook's cases at slot level, the reference function over every input, and properties."""

import dataclasses
import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from claimscan import codebook, grading
from claimscan.errors import RuleError
from claimscan.records import Evidence, Mention, Population, Product, Sentence

TABLES = codebook.tables()
CASES = tomllib.loads((Path(__file__).parent / "data" / "hard_cases.toml").read_text(encoding="utf-8"))["case"]
PRODUCT = Product("p1", "this strategy", True)
ADULTS = Population("autistic people", "adults")


def item(slot, value, who="", n=1, **more):
    return Evidence(f"e{n}", slot, value, 0, 10, "some words", 1, "a-rule", 0.9, who=who, product="p1", **more)


def said(type_, text="co-produced", scope="whole"):
    family = "welsh" if "ynhyrch" in text else "core"
    return Mention("m1", 0, len(text), text, 1, Sentence(0, 0, "", 1, 0), family, type_, "T1", 0.95, scope=scope)


def graded(evidence, mentions=(), population=ADULTS):
    evidence = [dataclasses.replace(e, id=f"e{i}") for i, e in enumerate(evidence, 1)]
    finding = grading.grade(PRODUCT, mentions, evidence, population)
    assert grading.replay(finding.reasons) == finding.grade
    return finding


def built(case):
    evidence = [item(*row) for row in case.get("evidence", [])]
    if count := case.get("count"):
        evidence.append(item("count", count["kind"], detail=count))
    mentions = [said(*row) for row in case.get("mention", [])]
    return evidence, mentions, Population(kind=case.get("population", "unknown"))


def reference(who, act, stage, repeated, changed, shared, through, scope="whole"):
    """The reference implementation of codebook 3.3, as printed there."""
    wrote = act == "wrote"
    if wrote:
        stage, repeated = "early", True
        changed = changed if changed == "specific" else "loop"
    early, end = stage == "early", stage == "near_final_or_after_only"
    power = shared or wrote
    any_ch = changed != "none" or power
    strong = changed in ("loop", "specific") or power
    if scope == "presentation":
        return 1
    if end and not power:
        return 3 if who == "group" and changed in ("specific", "loop") else 1
    if act == "presence" and not power and changed == "none":
        level = 2
    else:
        level = 3
        if repeated and (early or any_ch):
            level = 4
        if repeated and early and strong:
            level = 5
        if repeated and early and strong and shared and through:
            level = 6
    if who == "single":
        level = min(level, 4 if power else 2)
    return level


WHO = ("single", "group")
ACT = ("presence", "asked", "worked", "wrote")
STAGE = ("near_final_or_after_only", "not_stated", "open", "early")
CHANGED = ("none", "general", "specific", "loop")
BOTH = (False, True)
SCOPE = ("whole", "part", "presentation")


# --- the codebook's cases -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_codebook_case(case):
    evidence, mentions, population = built(case)
    finding = graded(evidence, mentions, population)
    assert sorted(flag.code for flag in finding.flags) == case["flags"]
    if not case["grade"]:  # no claim and no product of its own
        assert not any(m.type in grading.GRADABLE for m in mentions)
        return
    assert finding.grade == case["grade"]
    for name in ("ceiling", "proxy_grade"):
        if name in case:
            assert getattr(finding, name) == case[name]
    assert finding.slots.get("scope", "whole") == case.get("scope", finding.slots.get("scope", "whole"))
    if "next" in case:
        assert case["next"] in [[step.to, step.gap] for step in finding.next]


def test_every_hard_case_is_here():
    numbers = {case["id"].split()[0].rstrip(",") for case in CASES}
    assert {str(n) for n in range(1, 41)} <= numbers


# --- the depth function ---------------------------------------------------------------------------------------------


def test_depth_is_the_reference_function():
    for row in itertools.product(WHO, ACT, STAGE, BOTH, CHANGED, BOTH, BOTH, SCOPE):
        assert grading.depth(*row) == reference(*row), row


def test_final_edit_alone_caps_at_5_and_does_nothing_below():
    for row in itertools.product(WHO, ACT, STAGE, BOTH, CHANGED, BOTH, BOTH, SCOPE):
        assert grading.depth(*row, edited_alone=True) == min(5, reference(*row))


def test_replay_reads_the_facts_and_not_the_grade():
    finding = graded([item("contributors", "le"), item("method", "survey")])
    assert finding.grade == "3"
    lied = [dataclasses.replace(r, facts={"grade": "6"}) if "grade" in r.facts else r for r in finding.reasons]
    assert grading.replay(lied) == "3"
    less = [r for r in finding.reasons if "act" not in r.facts]
    changed = [dataclasses.replace(r, facts={**r.facts, "took_part": False}) for r in less]
    assert grading.replay(changed) == "N1"


# --- whose evidence -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "who", "expected"),
    [
        ("adults", "parent_carer", "P"),
        ("children", "parent_carer", "3"),
        ("carers", "parent_carer", "3"),
        ("residents", "public", "3"),
        ("adults", "public", "N1"),
        ("adults", "mixed", "3"),
        ("adults", "professional", "O"),
        ("adults", "unclear", "N1"),
    ],
)
def test_who_counts_depends_on_who_it_is_about(kind, who, expected):
    finding = graded([item("contributors", who), item("method", "focus_group")], population=Population(kind=kind))
    assert finding.grade == expected


def test_parents_in_an_all_age_document_are_proxies_and_borderline():
    finding = graded(
        [item("contributors", "parent_carer"), item("method", "survey")], population=Population(kind="all_age")
    )
    assert (finding.grade, finding.borderline, finding.second_reading) == ("P", True, "3")


def test_proxies_never_add_to_the_level_and_slots_hold_only_what_e25_allows():
    own = [item("contributors", "le"), item("method", "survey", "le")]
    theirs = [
        item("contributors", "proxy"),
        item("continuity", "cycles_with_return", "proxy"),
        item("stage", "start", "proxy"),
        item("feedback_acted", "specific", "proxy"),
        item("reviewers", "proxy"),
    ]
    finding = graded(own + theirs)
    assert (finding.grade, finding.proxy_grade) == ("3", "5")
    assert finding.slots == {"contributors": "mixed", "reviewers": ["proxy"], "method": ["survey"]}


def test_organisations_hold_authorship_and_count_at_most():
    evidence = [item("contributors", "organisations"), item("stage", "start"), item("authorship", "professional")]
    assert graded(evidence).slots == {"contributors": "organisations", "authorship": "professional"}


def test_proxy_authors_with_nobody_else_named_are_proxies():
    assert graded([item("authorship", "proxy")]).grade == "P"
    assert graded([item("authorship", "professional")], [said("DOC_DONE")]).grade == "N0"


def test_a_negated_part_is_credit_and_a_negated_whole_contradicts():
    evidence = [item("contributors", "le"), item("method", "survey")]
    part = graded([*evidence, item("mark", "negated")], [said("DOC_DONE")])
    assert part.grade == "3" and "honest-negative" in [f.code for f in part.flags]
    assert graded([*evidence, item("mark", "negated_whole")], [said("DOC_DONE")]).grade == "X"
    assert graded([item("mark", "negated_whole")], [said("NEGATED")]).grade != "X"


# --- slots, borderline, score ---------------------------------------------------------------------------------------


def test_slots_take_the_shape_of_the_contract():
    count = {"le_n": None, "total_n": None, "kind": "range", "unit": "participants", "low": 15, "high": 20}
    finding = graded(
        [
            item("contributors", "le"),
            item("stage", "start"),
            item("stage", "design"),
            item("feedback_acted", "general"),
            item("feedback_acted", "specific"),
            item("end_role", "jointly_presented"),
            item("end_role", "signed_off"),
            item("count", "range", detail=count),
            item("payment", "paid"),
            item("payment", "unpaid_stated"),
            item("ulo", "none_stated"),
            item("mark", "credited"),
        ]
    )
    assert finding.slots == {
        "contributors": "le",
        "stage": ["design", "start"],
        "count": count,
        "feedback_acted": "specific",
        "payment": "mixed",
        "end_role": "signed_off",
    }
    unpaid = next(flag for flag in finding.flags if flag.code == "unpaid-stated")
    assert "some people" in unpaid.plain and unpaid.evidence == ("e10",)


def test_borderline_takes_the_lower_level_and_names_the_other():
    evidence = [
        item("contributors", "le"),
        item("method", "workshop_series"),
        item("stage", "design"),
        item("continuity", "repeated_same_group", certainty="borderline"),
    ]
    finding = graded(evidence)
    assert (finding.grade, finding.borderline, finding.second_reading) == ("3", True, "4")


def test_evidence_that_is_very_likely_wrong_gives_a_second_reading():
    evidence = [item("contributors", "le"), item("method", "workshop_series"), item("stage", "design")]
    sure, unlikely = (dataclasses.replace(item("continuity", "repeated_same_group"), score=s) for s in (0.9, 0.1))
    assert graded([*evidence, sure]).grade == "4" and not graded([*evidence, sure]).borderline
    finding = graded([*evidence, unlikely])
    assert (finding.grade, finding.borderline, finding.second_reading) == ("4", True, "3"), "the grade stands"


def test_borderline_evidence_counts_where_it_is_all_there_is():
    finding = graded([item("contributors", "le"), item("method", "survey", certainty="borderline")])
    assert (finding.grade, finding.borderline, finding.second_reading) == ("3", True, "N1")


def test_unknown_codes_in_evidence_are_refused():
    with pytest.raises(RuleError, match="e1 gives the slot method an unknown value: seance"):
        graded([item("method", "seance")])


# --- what would raise it --------------------------------------------------------------------------------------------


def test_steps_name_the_next_level_and_the_fewest_additions():
    finding = graded([item("contributors", "le"), item("method", "survey")])
    assert {step.to for step in finding.next} == {"4"}
    assert all(step.gap.startswith("continuity+") or step.gap.endswith("+continuity") for step in finding.next)
    assert all(
        step.needs.startswith("The document would need to show that ") or "," in step.needs for step in finding.next
    )


def test_no_step_goes_past_what_the_document_rules_out():
    finding = graded([item("contributors", "le"), item("continuity", "several_events_different_people")])
    assert (finding.grade, finding.ceiling, finding.next) == ("3", "3", ())


def test_a_seat_at_a_stated_stage_had_a_task():
    seat = [item("contributors", "le"), item("method", "working_or_steering_seat")]
    assert graded(seat).grade == "2"
    assert graded([*seat, item("stage", "design")]).grade == "3"


def test_an_edit_that_went_back_to_people_is_not_alone():
    top = next(case for case in CASES if case["id"] == "12")
    evidence, mentions, population = built(top)
    finding = graded([*evidence, item("final_edit", "returned_to_contributors")], mentions, population)
    assert finding.grade == "6" and "final-edit-alone" not in [flag.code for flag in finding.flags]


def test_a_level_6_has_no_next_and_a_contradiction_has_none():
    top = next(case for case in CASES if case["id"] == "11")
    evidence, mentions, population = built(top)
    assert graded(evidence, mentions, population).next == ()
    assert graded([item("mark", "negated_whole")], [said("DOC_DONE")]).next == ()


@pytest.mark.parametrize("kind", ["proxy", "organisations", "none"])
def test_silence_about_people_rules_nothing_out(kind):
    finding = graded([item("contributors", kind)], [said("DOC_DONE")])
    assert finding.ceiling == "6" and finding.next[0].to == "3" and finding.next[0].gap == "method"


# --- properties -----------------------------------------------------------------------------------------------------

PLAIN_SLOTS = [name for name in TABLES.slots if name not in ("count", "contributors")]
WHOSE = st.sampled_from(
    ["", "le", "proxy", "professional", "organisations", "mixed", "parent_carer", "public", "unclear"]
)


@st.composite
def pieces(draw, whose=WHOSE):
    name = draw(st.sampled_from([*PLAIN_SLOTS, "count", "contributors"]))
    certainty = draw(st.sampled_from(["explicit", "explicit", "borderline"]))
    if name == "count":
        le_n, total = draw(st.one_of(st.none(), st.integers(1, 50))), draw(st.one_of(st.none(), st.integers(50, 400)))
        kind = draw(st.sampled_from(TABLES.slots["count"].values))
        unit = draw(st.sampled_from(TABLES.units))
        detail = {"le_n": le_n, "total_n": total, "kind": kind, "unit": unit}
        return item("count", kind, draw(whose), detail=detail, certainty=certainty)
    return item(name, draw(st.sampled_from(TABLES.slots[name].values)), draw(whose), certainty=certainty)


KINDS = st.sampled_from(["adults", "children", "all_age", "carers", "residents", "unknown"])
CLAIMS = st.lists(
    st.sampled_from([said("DOC_DONE"), said("NEGATED"), said("OTHER_DONE", scope="part"), said("NAME")]), max_size=2
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces(), max_size=9), CLAIMS, KINDS)
def test_every_combination_gives_a_whole_finding(evidence, mentions, kind):
    finding = graded(evidence, mentions, Population(kind=kind))
    assert finding.grade in codebook.LEVELS + codebook.STATUSES
    assert finding.ceiling in codebook.LEVELS + ("X",)
    assert finding.label and finding.plain and bool(finding.band) == (finding.grade in codebook.LEVELS)
    assert finding == graded(evidence, mentions, Population(kind=kind))
    assert 0 <= finding.score <= 1
    assert finding.borderline == (finding.second_reading is not None)
    if finding.grade in codebook.LEVELS:
        assert finding.ceiling >= finding.grade
        assert all(finding.grade < step.to <= finding.ceiling for step in finding.next)
    known = {f"e{i}" for i in range(1, len(evidence) + 1)}
    used = {i for part in (finding.reasons, finding.flags) for each in part for i in each.evidence}
    assert used <= known


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces(), max_size=6))
def test_order_of_the_evidence_does_not_matter(evidence):
    one, other = graded(evidence), graded(evidence[::-1])
    assert (one.grade, one.ceiling, one.slots.keys()) == (other.grade, other.ceiling, other.slots.keys())
    assert [flag.code for flag in one.flags] == [flag.code for flag in other.flags]


# Not support but a limit, each by its own rule: the organisation's last edit (D5), the look only (D6), a
# contradiction (3.3), one person (D2), and, where no stage was stated, that it was only at the end (D3).
LIMITS = {("final_edit", "organisation_alone_stated"), ("scope", "presentation"), ("mark", "negated_whole")}


def supports(extra, before):
    ends = extra.slot == "stage" and extra.value in ("near_final", "after_publication", "delivery_or_monitoring")
    staged = any(e.slot == "stage" and e.value not in ("not_stated",) for e in before)
    return (
        (extra.slot, extra.value) not in LIMITS
        and extra.slot != "count"
        and not (extra.slot == "contributors" and extra.value in ("none", "unclear"))
        and (staged or not ends)
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces(st.just("le")), max_size=7), pieces(st.just("le")))
def test_support_never_lowers_a_grade(evidence, extra):
    evidence = [dataclasses.replace(e, certainty="explicit") for e in evidence]
    extra = dataclasses.replace(extra, certainty="explicit")
    evidence = [item("contributors", "le"), *evidence]
    assume(supports(extra, evidence))
    before, after = graded(evidence), graded([*evidence, extra])
    if before.grade in codebook.LEVELS:
        assert after.grade in codebook.LEVELS and after.grade >= before.grade


@settings(max_examples=25, deadline=None)
@given(st.lists(pieces(st.just("le")), max_size=5))
def test_each_step_does_raise_the_grade(evidence):
    evidence = [dataclasses.replace(e, certainty="explicit") for e in evidence]
    finding = graded(evidence, [said("DOC_DONE")])
    for step in finding.next:
        choices = [[item(slot, v, "le") for v in TABLES.slots[slot].values] for slot in step.gap.split("+")]
        reached = {graded([*evidence, *extra], [said("DOC_DONE")]).grade for extra in itertools.product(*choices)}
        assert step.to in reached


# --- the tables -----------------------------------------------------------------------------------------------------


def table_texts():
    folder = Path(codebook.__file__).parent / "data" / "codebook"
    return {name: (folder / name).read_text(encoding="utf-8") for name in codebook.FILES}


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("flags.toml", 'code = "paid"', 'code = "expenses-only"', "expenses-only twice"),
        ("flags.toml", 'kind = "credit"', 'kind = "blame"', "unknown codes: blame"),
        ("flags.toml", 'asks = "Fair"', 'asks = "Fair"\ntone = "cross"', "unknown key: tone"),
        ("flags.toml", '["expenses_only"]', '["expenses"]', "unknown value: expenses"),
        ("levels.toml", '"changed_strongly"', '"changed_a_bit"', "unknown codes: changed_a_bit"),
        ("levels.toml", 'band = "Surface"\n', "", "lacks a key: band"),
        ("questions.toml", 'gap = "stage"', 'gap = "count"', "count twice"),
        ("questions.toml", 'flags = ["vague-numbers"]', 'flags = ["rude-numbers"]', "unknown codes: rude-numbers"),
        ("codes.toml", 'co_author = "wrote"', 'co_author = "sang"', "unknown codes: sang"),
        ("codes.toml", 'takes = "one"', 'takes = "two"', "'one' or 'many'"),
        ("crosswalk.toml", '["1"]', '["0"]', "unknown codes: 0"),
        ("levels.toml", "[[level]]", "[[level]", "not valid TOML"),
    ],
)
def test_a_wrong_table_is_refused(name, old, new, message):
    texts = table_texts()
    assert old in texts[name]
    texts[name] = texts[name].replace(old, new, 1)
    with pytest.raises(RuleError, match=message):
        codebook.load(texts)


def test_tables_are_whole_and_have_their_digest():
    assert codebook.load(table_texts()) == codebook.tables()
    assert len(TABLES.digest) == 64
    shorter = table_texts()
    del shorter["flags.toml"]
    with pytest.raises(RuleError, match="flags.toml is missing"):
        codebook.load(shorter)


def test_flags_speak_of_the_document_and_accuse_nobody():
    harsh = ("fail", "false", "lie", "mislead", "pretend", "tokenis", "should have", "refus", "fake")
    for flag in TABLES.flags:
        for words in filter(None, (flag.plain, flag.plain_some)):
            assert words.startswith("The document ")
            assert not any(word in words.lower() for word in harsh)
            assert max(len(sentence.split()) for sentence in words.split(". ")) <= 25
