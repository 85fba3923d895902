"""Corrections by hand: each kind against grades worked by hand from the codebook, anchors in other layouts, hostile files."""

import json
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import claimscan
from claimscan import cli, correcting, grading, reading
from claimscan.codebook import CLAIM_TYPES, tables
from claimscan.correcting.anchors import Words, anchor
from claimscan.errors import CorrectionError
from claimscan.records import Anchor, ProductAnchor
from claimscan.showing import by_hand, terminal, trace

PDFS = Path(__file__).parent.parent / "corpus" / "pdf"
LAYOUTS = ("one-column", "two-column", "designed", "boxes-tables")
CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]

TEXT = """Northmoor Carers Plan 2026

This plan was co-produced with unpaid carers in Northmoor. Twelve carers met every month from the start.
The carers told us the form was too long, so we cut it to one page. Staff wrote the first draft.

The Travel Guide was co-designed with young people. They answered a survey in May. Young people were paid £20 an hour.

We will co-produce a delivery plan. Some carers read the final version before it was published.
"""


@cache
def seed(layout="one-column"):
    """The strategy of the seed: written by parents and carers, looked over by some autistic adults at the end (level 1)."""
    return claimscan.check(PDFS / f"seed-parents-wrote.{layout}.pdf")


@cache
def plan():
    return claimscan.check_text(TEXT, name="plan.txt")


def apply(report, *corrections):
    return correcting.apply(report, correcting.gathered(report, corrections))


def grades(report):
    return {p.id: report.findings[p.id].grade for p in report.products}


def find(report, slot, value, product="p1"):
    return next(e.id for e in report.evidence if (e.slot, e.value, e.product) == (slot, value, product))


def words_of(report, part):
    """The ids of the evidence in the sentence with these words."""
    return [e.id for e in report.evidence if part in e.quote]


# --- each kind, worked by hand from the codebook ------------------------------------------------------------------------


def test_the_seed_is_level_1_before_anything_is_changed():
    assert grades(seed()) == {"p1": "1", "p2": "3"}


def test_without_its_reviewers_the_seed_says_who_and_not_how_and_then_names_proxies_only():
    r = seed()
    # Nobody with lived experience did anything; the claim still says "with autistic people": N1.
    once = apply(r, *(correcting.wrong(r, i) for i in words_of(r, "looked over the final piece")))
    assert grades(once) == {"p1": "N1", "p2": "3"}
    # Without that too, only the parents and carers are left: P, and theirs is co-authorship by a group (D0): 5.
    then = apply(once, *(correcting.wrong(once, i) for i in words_of(once, "I am proud to say")))
    assert grades(then) == {"p1": "P", "p2": "3"}
    assert then.findings["p1"].proxy_grade == "5"
    assert then.findings["p2"] is r.findings["p2"]  # what nobody touched is as it was


def test_evidence_added_step_by_step_raises_the_seed_as_the_levels_table_says():
    r = seed()
    quote = "Some autistic adults looked over the final piece"
    steps = [
        ("stage", "start", "3"),  # asked, early, not repeated
        ("continuity", "repeated_same_group", "4"),  # REPEATED and EARLY
        ("feedback_acted", "specific", "5"),  # and a strong CHANGED
        ("decision_power", "joint_sign_off", "5"),  # SHARED, not THROUGH
        ("end_role", "signed_off", "6"),
    ]
    for slot, value, grade in steps:
        r = apply(r, correcting.added(r, "p1", slot, value, quote, 9, who="le"))
        assert r.findings["p1"].grade == grade, slot
    assert [a.correction.to["slot"] for a in r.corrections] and len(r.corrections) == 5
    assert {e.quote for e in r.evidence if e.rule == "by-hand"} == {quote}
    assert all(r.boxes[e.id] for e in r.evidence if e.rule == "by-hand")  # it has its place on the page


def test_another_stage_opens_the_end_stage_cap():
    r = seed()
    # "at a draft" is open (mid_draft), so D3 no longer caps: a group was asked, 3.
    x = apply(r, correcting.revalued(r, find(r, "stage", "near_final"), value="mid_draft"))
    assert grades(x)["p1"] == "3"
    assert x.findings["p1"].slots["stage"] == ["mid_draft"]


def test_whose_evidence_it_is_decides():
    r = seed()
    out = []
    for i in words_of(r, "looked over the final piece"):
        slot = next(e.slot for e in r.evidence if e.id == i)
        value = "proxy" if slot in ("contributors", "reviewers") else None
        out.append(correcting.revalued(r, i, value=value, who="proxy"))
    out += [correcting.wrong(r, i) for i in words_of(r, "I am proud to say")]
    assert grades(apply(r, *out))["p1"] == "P"  # those who looked it over spoke for others


def test_evidence_moved_to_another_product_counts_there_and_not_here():
    r = seed()
    x = apply(r, correcting.moved(r, find(r, "feedback_acted", "specific", "p2"), "p1"))
    # p1: a group at the end with a specific change: D3 caps at 3. p2: an event without a change is still 3.
    assert grades(x) == {"p1": "3", "p2": "3"}
    assert "feedback_acted" not in x.findings["p2"].slots
    assert x.findings["p1"].slots["feedback_acted"] == "specific"


def test_a_claim_for_the_look_only_is_level_1():
    r = seed()
    claim = next(m.id for m in r.mentions if m.product == "p2")
    assert grades(apply(r, correcting.retyped(r, claim, scope="presentation")))["p2"] == "1"  # D6


def test_a_plan_that_is_a_claim_after_all_is_graded_as_a_bare_claim():
    r = seed()
    plan_ = next(m for m in r.mentions if m.type == "COMMIT" and m.text == "co-produce")
    x = apply(r, correcting.retyped(r, plan_.id, "OTHER_DONE"))
    new = next(p for p in x.products if p.id not in r.findings)
    assert new.mentions == (plan_.id,) and not new.is_document
    assert x.findings[new.id].grade == "N0"
    y = apply(r, correcting.retyped(r, plan_.id, "DOC_DONE"))  # T4: about the document, so the document's product
    assert next(m for m in y.mentions if m.id == plan_.id).product == "p1"
    assert grades(y) == grades(r)


def test_a_claim_that_is_none_leaves_the_thing_as_described():
    r = seed()
    claim = next(m.id for m in r.mentions if m.product == "p2")
    for one in (correcting.retyped(r, claim, "COMMIT"), correcting.wrong(r, claim)):
        x = apply(r, one)
        assert next(p for p in x.products if p.id == "p2").mentions == ()
        assert grades(x)["p2"] == "3"  # E20: it still names the thing and says who took part
    assert claim not in {m.id for m in x.mentions}


def test_a_product_with_nothing_left_is_gone_and_one_with_a_claim_is_n0():
    r = seed()
    x = apply(r, *(correcting.wrong(r, e.id) for e in r.evidence))
    assert grades(x) == {"p1": "N0", "p2": "N0"} and x.evidence == ()
    y = apply(x, *(correcting.wrong(x, m.id) for m in x.mentions if m.product == "p2"))
    assert grades(y) == {"p1": "N0"}


def test_a_removed_product_is_not_graded_and_its_evidence_is_about_nothing():
    r = seed()
    x = apply(r, correcting.removed(r, "p2", note="a heading"))
    assert grades(x) == {"p1": "1"}
    assert {e.product for e in x.evidence} == {"p1"}
    assert "p2" not in x.to_json()[x.to_json().index('"mentions"') : x.to_json().index('"corrections"')]
    assert any("no longer graded" in line for line in by_hand.lines(x))


def test_a_mention_moved_makes_two_claims_of_one():
    r = seed()
    claim = next(m.id for m in r.mentions if m.product == "p2")
    x = apply(r, correcting.moved(r, claim, "p1"))
    assert {p.id: claim in p.mentions for p in x.products} == {"p1": True, "p2": False}
    y = apply(r, correcting.moved(r, claim, thing="the library's lighting"))
    new = next(p for p in y.products if p.id not in r.findings)
    assert new.name == "the library's lighting" and y.findings[new.id].grade == "N0"


def test_a_count_is_changed_with_its_numbers():
    r = seed()
    vague = find(r, "count", "vague")
    x = apply(r, correcting.revalued(r, vague, value="exact", count={"le_n": 1, "unit": "participants"}))
    assert x.findings["p1"].slots["count"]["le_n"] == 1
    assert "single-contributor" in {f.code for f in x.findings["p1"].flags}
    assert "vague-numbers" not in {f.code for f in x.findings["p1"].flags}


def test_what_can_be_chosen_starts_from_what_was_chosen_before():
    r = seed()
    vague = find(r, "count", "vague")
    x = apply(r, correcting.revalued(r, vague, value="exact", count={"le_n": 4, "total_n": 9, "unit": "members"}))
    now = correcting.choices(x, vague).now
    assert now["value"] == "exact" and (now["count"]["le_n"], now["count"]["unit"]) == (4, "members")
    assert correcting.choices(r, vague).now["value"] == "vague"


def test_those_who_follow_the_contributors_follow_them_when_they_are_named():
    r = claimscan.check_text(
        "Sensory Charter\n\nThis charter was co-produced with our Wednesday Group. The group's nine members met every month "
        "and read the draft.\n"
    )
    named = correcting.added(r, "p1", "contributors", "le", "our Wednesday Group")
    x = apply(r, named)
    assert not any(e.who == "unclear" and e.slot != "contributors" for e in x.evidence)
    assert x.findings["p1"].grade not in ("N0", "N1", "O", "P") and r.findings["p1"].grade in (
        "N0",
        "N1",
        "N2",
        "O",
        "P",
    )


def test_what_a_person_set_counts_as_certain_and_is_not_listed_to_check():
    r = seed()
    listed = next(d.item for d in r.doubts if any(e.id == d.item for e in r.evidence))
    read = next(e for e in r.evidence if e.id == listed)
    x = apply(r, correcting.revalued(r, listed, value=read.value))
    now = next(e for e in x.evidence if e.id == listed)
    assert (now.score, now.rule, now.certainty) == (1.0, "by-hand", "explicit")
    assert listed not in {d.item for d in x.doubts}


# --- the report says so --------------------------------------------------------------------------------------------------


def test_a_report_without_corrections_is_as_it_was():
    r = seed()
    whole = r.to_dict()
    assert not {"corrections", "corrections_unplaced", "grades_as_read"} & whole.keys()
    assert "corrections" not in r.provenance and by_hand.lines(r) == []
    assert correcting.apply(r, correcting.Corrections()) is r
    assert "Changed by hand" not in terminal.summary(r)


def test_the_json_and_the_terminal_say_what_was_changed_before_and_after():
    r = seed()
    stage = find(r, "stage", "near_final")
    x = apply(r, correcting.revalued(r, stage, value="mid_draft", note="it was a draft", by="K. Vale"))
    whole = json.loads(x.to_json())
    assert whole["corrections"] == [
        {
            "kind": "changed",
            "of": "evidence",
            "id": stage,
            "page": 9,
            "quote": next(e.quote for e in r.evidence if e.id == stage),
            "before": {"value": "near_final"},
            "after": {"value": "mid_draft"},
            "note": "it was a draft",
            "by": "K. Vale",
        }
    ]
    assert whole["grades_as_read"][0] == {"product": "p1", "name": "This strategy", "grade": "1"}
    assert whole["provenance"]["corrections"] != "" and r.provenance.items() <= x.provenance.items()
    said = " ".join(terminal.summary(x, width=100).split())
    assert "Changed by hand" in said and "now read as when they came in: at a draft" in said
    assert "before as when they came in: when it was nearly finished" in said
    assert "was level 1 (Tone-checked) before the changes, and is level 3 (Consulted) with them" in said
    assert "it was a draft" in said and "K. Vale" in said
    assert "by-hand" in trace.explain(x, x.products[0])


def test_the_provenance_tells_corrections_apart_and_not_who_made_them():
    r = seed()
    stage = find(r, "stage", "near_final")
    prints = [
        apply(r, one).provenance["corrections"]
        for one in (
            correcting.revalued(r, stage, value="mid_draft"),
            correcting.revalued(r, stage, value="mid_draft", by="K. Vale", note="why"),
            correcting.revalued(r, stage, value="design"),
        )
    ]
    assert prints[0] == prints[1] != prints[2]


def test_nothing_in_a_note_reaches_a_terminal_as_a_code():
    r = seed()
    bad = "\x1b[2Jgone\u202e"
    x = apply(r, correcting.wrong(r, r.evidence[0].id, note=bad, by=bad))
    assert "\x1b" not in terminal.summary(x) and "\u202e" not in terminal.summary(x)
    assert correcting.load(correcting.dump(correcting.gathered(x))) == correcting.gathered(x)


# --- once, in any order, and undone --------------------------------------------------------------------------------------


def several(r):
    claim = next(m.id for m in r.mentions if m.product == "p2")
    plan_ = next(m.id for m in r.mentions if m.type == "COMMIT")
    return [
        correcting.wrong(r, find(r, "method", "draft_review")),
        correcting.revalued(r, find(r, "stage", "near_final"), value="mid_draft"),
        correcting.moved(r, find(r, "feedback_acted", "specific", "p2"), "p1"),
        correcting.added(r, "p2", "payment", "vouchers", "visits to the library in those hours have doubled"),
        correcting.retyped(r, claim, hedge=True),
        correcting.retyped(r, plan_, "OTHER_DONE"),
    ]


def test_applying_twice_is_applying_once_and_the_order_does_not_matter():
    r = seed()
    cs = several(r)
    x = apply(r, *cs)
    assert not x.unplaced and len(x.corrections) == len(cs)
    assert correcting.apply(x, correcting.gathered(x)).to_json() == x.to_json()
    step = r
    for one in reversed(cs):
        step = apply(step, one)
    assert step.to_json() == x.to_json()
    assert step.as_read is r


def test_of_two_that_contradict_each_other_the_later_holds():
    r = seed()
    stage = find(r, "stage", "near_final")
    a, b = (correcting.revalued(r, stage, value=v) for v in ("mid_draft", "start"))
    assert apply(r, a, b).findings["p1"].slots["stage"] == ["start"]
    assert apply(r, b, a).findings["p1"].slots["stage"] == ["mid_draft"]
    assert len(apply(r, a, b).corrections) == 1
    # and being none at all beats being another
    assert "stage" not in apply(r, correcting.wrong(r, stage), a).findings["p1"].slots


def test_an_item_is_corrected_again_in_the_corrected_report_and_can_be_undone():
    r = seed()
    first = correcting.added(r, "p1", "stage", "start", "Some autistic adults looked over the final piece", who="le")
    x = apply(r, first)
    new = x.corrections[0].item
    y = apply(x, correcting.revalued(x, new, value="design"))
    assert {e.value for e in y.evidence if e.id == new} == {"design"}
    z = apply(y, correcting.wrong(y, new))
    assert grades(z) == grades(r)
    back = correcting.without(z, *(a.correction for a in z.corrections))
    assert back is r


def test_what_cannot_be_placed_is_listed_and_never_dropped():
    r = seed()
    elsewhere = claimscan.check_text(TEXT)
    cs = correcting.gathered(r, several(r))
    x = correcting.apply(elsewhere, cs)
    assert len(x.unplaced) == len(cs.corrections) and not x.corrections
    assert grades(x) == grades(elsewhere)
    assert len(x.to_dict()["corrections_unplaced"]) == len(cs.corrections)
    lines = by_hand.lines(x)
    assert "another copy or version" in lines[0] and sum("Not done" in line for line in lines) == len(cs.corrections)
    assert correcting.gathered(x).corrections == cs.corrections  # and goes on to where it has a place
    lost = replace(cs.corrections[0], product=None, of="evidence", kind="wrong")
    lost = replace(lost, was={"slot": "payment", "value": "paid"}, to={}, at=anchor(r.document, 802, 813))
    assert "does not read" in apply(r, lost).unplaced[0].why


# --- anchors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_corrections_find_their_places_in_another_layout(layout):
    r, other = seed(), seed(layout)
    assert other.document.id != r.document.id and other.text != r.text
    cs = correcting.load(correcting.dump(correcting.gathered(r, [*several(r), correcting.removed(r, "p2")])))
    x, y = correcting.apply(r, cs), correcting.apply(other, cs)
    assert [u.why for u in y.unplaced] == [] and len(y.corrections) == len(x.corrections)
    # The names of things may differ with the parse of a line that is broken elsewhere.
    assert [(p.is_document, grades(y)[p.id]) for p in y.products] == [
        (p.is_document, grades(x)[p.id]) for p in x.products
    ]
    assert y.provenance["corrections_made_on"] == r.document.id
    assert correcting.apply(y, correcting.gathered(y)).to_json() == y.to_json()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["seed-toolkit", "carers-strategy", "tenants-charter-housing", "cynllun-dwyieithog"])
def test_every_reading_of_one_layout_is_placed_in_the_others_where_it_is_read_there(name):
    first = claimscan.check(PDFS / f"{name}.one-column.pdf")
    cs = correcting.gathered(first, [correcting.wrong(first, i.id) for i in chain(first.mentions, first.evidence)])
    for layout in LAYOUTS[1:]:
        other = claimscan.check(PDFS / f"{name}.{layout}.pdf")
        x = correcting.apply(other, cs)
        missing = [u for u in x.unplaced if "does not read" not in u.why]
        # The row of a table whose cells one layout reads line by line is not found; it is listed.
        assert len(missing) <= len(cs.corrections) // 10, [(u.correction.at.quote[:60], u.why) for u in missing]
        assert len(x.corrections) >= 0.8 * len(cs.corrections)


def test_words_are_found_over_a_page_break_with_a_running_head_between():
    text = "The group met six\nNorthmoor Plan 7\ntimes and wrote it. The group met nobody else."
    document = reading.read_text(text)
    block = document.blocks[0]
    parts = ((0, 17, "paragraph"), (18, 34, "furniture"), (35, len(text), "paragraph"))
    document = replace(document, blocks=tuple(replace(block, start=a, end=b, kind=k) for a, b, k in parts))
    whole = Anchor("The group met six times and wrote it.", "", " The group met", 0, 1)
    assert Words(document).find(whole) == (0, text.index(" The group met nobody"))


def test_short_words_are_not_placed_where_nothing_around_them_is_alike():
    document = reading.read_text("A café was co-produced. The park was co-produced. A road was built.")
    words = Words(document)
    at = words.find(Anchor("CO-\nPRODUCED", "the  park was ", ". A road was", 999, 3))
    assert at == (document.text.rindex("co-produced"), document.text.rindex("co-produced") + 11)
    assert isinstance(
        words.find(Anchor("co-produced", "Nothing like this at all ", " stands anywhere near", 0, 1)), str
    )
    assert isinstance(words.find(Anchor("co-produced", "", "", 500, 9)), str)  # two places, and nothing tells
    assert words.find(Anchor("cafe\u0301 was", "", " co-produced", 0, 1)) == (2, 10)
    assert isinstance(words.find(Anchor("...", "", "", 1, 1)), str)
    assert isinstance(words.find(Anchor("never said", "", "", 1, 1)), str)


# --- making one ----------------------------------------------------------------------------------------------------------


def test_choices_have_plain_words_for_every_code():
    r = seed()
    for item in chain(r.mentions, r.evidence):
        found = correcting.choices(r, item.id)
        assert found.of == ("mention" if item in r.mentions else "evidence")
        assert found.now["product"] == item.product
    types = {c.code for c in correcting.choices(r, "m1").types}
    assert set(CLAIM_TYPES) < types and len(types) == 10
    new = correcting.choices(r)
    assert {s.code for s in new.slots} == set(tables().slots)
    everything = (
        [c.words for s in new.slots for c in s.values] + [c.words for c in new.who] + [s.words for s in new.slots]
    )
    assert all(everything) and not any("_" in words for words in everything)
    for slot in new.slots:
        for value in slot.values:
            correcting.added(r, "p1", slot.code, value.code, "Some autistic adults")


@pytest.mark.parametrize(
    "make",
    [
        lambda r: correcting.wrong(r, "e999"),
        lambda r: correcting.wrong(r, ""),
        lambda r: correcting.choices(r, "p1"),
        lambda r: correcting.retyped(r, "m1", "CLAIM"),
        lambda r: correcting.retyped(r, "m1"),
        lambda r: correcting.retyped(r, "e1", "COMMIT"),
        lambda r: correcting.retyped(r, "m1", "DOC_DONE", product="p9"),
        lambda r: correcting.retyped(r, "m1", scope="most"),
        lambda r: correcting.retyped(r, "m1", hedge="yes"),
        lambda r: correcting.revalued(r, "m1", value="le"),
        lambda r: correcting.revalued(r, "e1"),
        lambda r: correcting.revalued(r, "e1", slot="payment"),
        lambda r: correcting.revalued(r, "e1", slot="payment", value="le"),
        lambda r: correcting.revalued(r, "e1", slot="payment", value="not_stated"),
        lambda r: correcting.revalued(r, "e1", who="them"),
        lambda r: correcting.revalued(r, "e1", count={"le_n": 3}),
        lambda r: correcting.revalued(r, "e1", slot="count", value="exact", count={"le_n": -1}),
        lambda r: correcting.revalued(r, "e1", slot="count", value="exact", count={"people": 1}),
        lambda r: correcting.revalued(r, "e1", slot="count", value="exact", count={"le_n": 5, "total_n": 3}),
        lambda r: correcting.revalued(r, "e1", slot="count", value="range", count={"low": 5, "high": 3}),
        lambda r: correcting.moved(r, "e1", "p9"),
        lambda r: correcting.moved(r, "e1"),
        lambda r: correcting.removed(r, "p9"),
        lambda r: correcting.added(r, "p1", "stage", "start", "words that nobody wrote anywhere"),
        lambda r: correcting.added(r, "p1", "stage", "start", " ... "),
        lambda r: correcting.added(r, "p1", "stage", "begin", "Some autistic adults"),
        lambda r: correcting.added(r, "p1", "stage", "start", "Some autistic adults looked over", 2),
        lambda r: correcting.added(r, "p9", "stage", "start", "Some autistic adults"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(make):
    with pytest.raises(CorrectionError) as refused:
        make(seed())
    assert str(refused.value) and refused.value.exit_code == 2 and refused.value.remedy


def test_words_on_another_page_say_which():
    with pytest.raises(CorrectionError, match="on page 9"):
        correcting.added(seed(), "p1", "stage", "start", "Some autistic adults looked over the final piece", 2)


# --- files ---------------------------------------------------------------------------------------------------------------


def dumped():
    r = seed()
    return json.loads(correcting.dump(correcting.gathered(r, [*several(r), correcting.removed(r, "p2")])))


def test_a_dump_is_stable_stands_alone_and_comes_back_the_same():
    r = seed()
    cs = several(r)
    text = correcting.dump(correcting.gathered(r, cs))
    assert correcting.dump(correcting.gathered(r, cs[::-1])) == text == correcting.dump(correcting.load(text))
    for row in json.loads(text)["corrections"]:
        assert row["at"]["quote"] in r.text and row["at"]["page"]
        assert row["was"] or row["kind"] == "added"
    lone = replace(cs[0], note="half \ud83d a pair")
    again = correcting.load(correcting.dump(correcting.gathered(r, [lone])).encode().decode())
    assert again.corrections[0].note == lone.note


def change(path, value):
    def changed():
        whole = dumped()
        here = whole
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = value
        return json.dumps(whole)

    return changed


HOSTILE = {
    "empty": lambda: "",
    "prose": lambda: "the stage is wrong",
    "list": lambda: "[]",
    "number": lambda: "7",
    "null": lambda: "null",
    "other schema": change(("schema",), "claimscan/report/1"),
    "schema of another kind": change(("schema",), {"a": 1}),
    "unknown key at the top": change(("extra",), 1),
    "unknown key in a correction": change(("corrections", 0, "extra"), 1),
    "unknown key in an anchor": change(("corrections", 0, "at", "x"), 1),
    "corrections no list": change(("corrections",), {}),
    "a correction that is text": change(("corrections", 0), "wrong"),
    "unknown kind": change(("corrections", 0, "kind"), "deleted"),
    "kind of another type": change(("corrections", 0, "kind"), ["wrong"]),
    "unknown of": change(("corrections", 0, "of"), "page"),
    "no quote": change(("corrections", 0, "at"), {}),
    "empty quote": change(("corrections", 0, "at", "quote"), " "),
    "quote a number": change(("corrections", 0, "at", "quote"), 5),
    "huge quote": change(("corrections", 0, "at", "quote"), "a" * 20_001),
    "start below nothing": change(("corrections", 0, "at", "start"), -1),
    "start a fraction": change(("corrections", 0, "at", "start"), 1.5),
    "start true": change(("corrections", 0, "at", "start"), True),
    "start enormous": change(("corrections", 0, "at", "start"), 10**12),
    "was null": change(("corrections", 0, "was"), None),
    "was with an object inside": change(("corrections", 0, "was"), {"type": {}}),
    "note a list": change(("corrections", 0, "note"), []),
    "note long": change(("corrections", 0, "note"), "a" * 4001),
    "product text": change(("corrections", 0, "product"), "p1"),
    "document text": change(("document",), "x"),
    "provenance numbers": change(("provenance",), {"a": 1}),
    "provenance of many": change(("provenance",), {str(n): "" for n in range(101)}),
    "too many": change(("corrections",), [{}] * 2001),
    "not a number": lambda: '{"schema": NaN}',
    "twice": lambda: '{"schema": "a", "schema": "b"}',
    "deep": lambda: "[" * 200_000,
    "long number": lambda: '{"schema": ' + "9" * 10_000 + "}",
    "large": lambda: " " * (correcting.MOST_BYTES + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_plain_words(name):
    with pytest.raises(CorrectionError) as refused:
        correcting.load(HOSTILE[name]())
    assert 10 < len(str(refused.value)) < 400 and "\x1b" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["le", "p1", "stage", "COMMIT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def leaves(value, path=()):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from leaves(inner, (*path, key))


@given(st.data(), JSON)
@settings(max_examples=100, deadline=None, suppress_health_check=CALM)
def test_any_damage_to_a_file_is_refused_or_applied_and_never_crashes(data, value):
    whole = dumped()
    path = data.draw(st.sampled_from(list(leaves(whole))))
    here = whole
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    try:
        cs = correcting.load(json.dumps(whole))
    except CorrectionError:
        return
    x = correcting.apply(plan(), cs)
    by_hand.lines(x)
    x = correcting.apply(seed(), cs)
    # The damage may have emptied the list of corrections: then nothing was changed by hand, and nothing says so.
    assert bool(by_hand.lines(x)) == bool(x.corrections or x.unplaced) and json.loads(x.to_json())


# --- anything at all -----------------------------------------------------------------------------------------------------


@st.composite
def made(draw, report):
    """One correction of this report, of any kind."""
    mentions, evidence = [m.id for m in report.mentions], [e.id for e in report.evidence]
    products = [p.id for p in report.products]
    kind = draw(st.sampled_from(["wrong", "retyped", "revalued", "moved", "added", "removed"]))
    slot = draw(st.sampled_from(correcting.choices(report).slots))
    value = draw(st.sampled_from(slot.values)).code
    who = draw(st.sampled_from(tables().who))
    target = draw(st.sampled_from(products))
    if kind == "wrong":
        return correcting.wrong(report, draw(st.sampled_from(mentions + evidence)))
    if kind == "retyped":
        types = [c.code for c in correcting.choices(report, mentions[0]).types]
        type_, mention = draw(st.sampled_from(types)), draw(st.sampled_from(mentions))
        return correcting.retyped(report, mention, type_, product=draw(st.sampled_from(["", target])))
    if kind == "revalued":
        return correcting.revalued(report, draw(st.sampled_from(evidence)), slot.code, value, who)
    if kind == "moved":
        thing = draw(st.sampled_from(["", "a thing apart"]))
        return correcting.moved(
            report, draw(st.sampled_from(mentions + evidence)), "" if thing else target, thing=thing
        )
    if kind == "added":
        words = report.text.split()
        at = draw(st.integers(0, len(words) - 5))
        return correcting.added(report, target, slot.code, value, " ".join(words[at : at + 5]), who=who)
    return correcting.removed(report, target)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=CALM)
def test_any_corrections_give_a_whole_report_once_and_in_any_order(data):
    r = plan()
    cs = data.draw(
        st.lists(made(r), min_size=1, max_size=8, unique_by=lambda c: (c.kind, c.of, c.at.start, str(c.was)))
    )
    x = apply(r, *cs)  # verbatim: a Report refuses anything else
    assert len(x.corrections) + len(x.unplaced) == len(cs)
    assert set(x.findings) == {p.id for p in x.products}
    assert {e.product for e in x.evidence} <= set(x.findings)
    assert {m.product for m in x.mentions} <= {*x.findings, ""}
    assert len({i.id for i in chain(x.mentions, x.evidence)}) == len(x.mentions) + len(x.evidence)
    for p in x.products:
        assert grading.replay(x.findings[p.id].reasons) == x.findings[p.id].grade
        assert {m.id for m in x.mentions if m.product == p.id and m.type in CLAIM_TYPES} == set(p.mentions)
    assert correcting.apply(x, correcting.gathered(x)).to_json() == x.to_json()
    assert apply(r, *data.draw(st.permutations(cs))).to_json() == x.to_json()
    assert correcting.apply(r, correcting.load(correcting.dump(correcting.gathered(x)))).to_json() == x.to_json()
    assert terminal.summary(x, everything=True) and all(map(str.strip, by_hand.lines(x)))
    assert correcting.without(x, *(a.correction for a in (*x.corrections, *x.unplaced))) is r
    # corrected again from what is shown now
    again = data.draw(made(x)) if x.products and x.evidence and x.mentions else None
    if again is not None:
        y = apply(x, again)
        assert (
            len(y.corrections) + len(y.unplaced) >= 1
            and correcting.apply(y, correcting.gathered(y)).to_json() == y.to_json()
        )


# --- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plan.txt").write_text(TEXT, encoding="utf-8")
    r = claimscan.check(tmp_path / "plan.txt")
    cs = correcting.gathered(r, [correcting.wrong(r, e.id) for e in r.evidence if e.product == "p1"])
    (tmp_path / "by-hand.json").write_text(correcting.dump(cs), encoding="utf-8")
    return tmp_path


def test_check_and_explain_take_corrections(folder, capsys):
    args = [str(folder / "plan.txt"), "--corrections", str(folder / "by-hand.json")]
    assert cli.main(["check", *args, "--json", str(folder / "out.json")]) == 0
    assert "Changed by hand" in capsys.readouterr().out
    whole = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    assert whole["products"][0]["grade"] == "N0" and len(whole["corrections"]) > 3
    assert cli.main(["explain", *args, "--product", "p1"]) == 0
    said = capsys.readouterr().out
    assert "No evidence given" in said and "Changed by hand" in said
    assert cli.main(["explain", str(folder / "plan.txt")]) == 0
    assert "Changed by hand" not in capsys.readouterr().out


def test_a_wrong_use_of_corrections_is_said(folder, capsys):
    plan_ = str(folder / "plan.txt")
    (folder / "bad.json").write_bytes(b"\xff\xfe{}")
    (folder / "large.json").write_bytes(b" " * (correcting.MOST_BYTES + 1))
    for name in ("missing.json", "bad.json", "large.json", "plan.txt", ""):
        file = str(folder / name) if name else ""
        assert cli.main(["check", plan_, "--corrections", file]) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert cli.main(["check", plan_, plan_, "--corrections", str(folder / "by-hand.json")]) == 2
    assert "one document" in capsys.readouterr().err


def test_a_product_named_by_hand_needs_a_name():
    one = correcting.wrong(seed(), "e1")
    moved = replace(one, kind="moved", product=ProductAnchor(" "))
    with pytest.raises(CorrectionError, match="name"):
        correcting.check(moved)
