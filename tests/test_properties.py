"""What must hold for any document: spans inside, quotes verbatim, same bytes same report, support never lowers a grade."""

import os
import re
import subprocess
import sys
import time
import tomllib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import claimscan
from claimscan import grading
from claimscan.codebook import LEVELS

HERE = Path(__file__).parent
ROOT = Path(claimscan.__file__).parent.parent
PDFS = HERE.parent / "corpus" / "pdf"
CASES = tomllib.loads((HERE / "data" / "hard_cases_text.toml").read_text(encoding="utf-8"))["case"]
CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]
SECONDS = 10.0  # of processor time, for one check of any text of this file; alone it takes a quarter

# Sentences of our own that support a claim about whatever the document is about. None says that the organisation alone
# edited the text (D5) or that people only saw its looks (D6): those two lower a grade on purpose.
SUPPORT = (
    "A group of people with lived experience met us every month from the start.",
    "Twelve people with lived experience wrote the first draft.",
    "People with lived experience read the final version before it was published.",
    "Because of what people with lived experience told us, we dropped the third priority.",
    "People with lived experience voted on the priorities.",
    "The group signed off the final text.",
    "We held a workshop with people with lived experience before anything was drafted.",
    "Each draft went back to the group until they were content with it.",
    "Three people with lived experience sit on the steering group.",
    "Members were paid £20 an hour.",
    "Forty people with lived experience answered our survey.",
    "The steering group is co-chaired by a person with lived experience.",
)

# Words that open rules and the readers' special cases, among anything at all.
SPICE = st.sampled_from(
    [
        *("co-produced", "Co‐produced", "co­produced", "co-\nproduced", "cydgynhyrchu", "this strategy", "not", "will"),
        *(
            "autistic people",
            "parents and carers",
            "officers",
            "the group",
            "met monthly",
            "wrote",
            "£25 an hour",
            "412",
        ),
        *(
            "⟦",
            "⟧",
            "⟪",
            "⟫",
            "~",
            "⟦L~~~~⟧",
            "⟪co-produced⟫",
            "⟦⟧⟦",
            "⟪⟫",
            "\ufffe",
            "\u00ad",
            "\u202e",
            "\u200f",
            "\ufeff",
        ),
        *(
            "\x00",
            "\x07",
            "\x1b[31m",
            "\x0c",
            "\r\n",
            "\n\n",
            "\t",
            "\u2028",
            "İstanbul",
            "ﬁ",
            "ẞ",
            "👩🏽‍🦽",
            "اللغة",
            "שלום",
        ),
        *(
            "# ",
            "| a | b |",
            "- ",
            "1. ",
            "```",
            "<b>",
            "&amp;",
            "{{ x }}",
            "%s",
            "\\",
            "(((((",
            "?" * 40,
            "......... 12",
        ),
        *(". ", ", and ", "; ", ": ", "- - - -", "a" * 300, "co" * 200),
    ]
)
TEXT = st.lists(st.one_of(SPICE, SPICE, st.text(max_size=40)), max_size=40).map(lambda parts: " ".join(parts))


def hold(report):
    """Everything that every report promises about its own spans."""
    text, data = report.text, report.to_dict()
    for page in report.document.pages:
        assert 0 <= page.start <= page.end <= len(text)
    pages = {page.number for page in report.document.pages}
    for m in data["mentions"]:
        assert 0 <= m["start"] < m["end"] <= len(text) and text[m["start"] : m["end"]] == m["text"]
        assert m["page"] in pages
    for e in data["evidence"]:
        assert 0 <= e["start"] < e["end"] <= len(text) and text[e["start"] : e["end"]] == e["quote"]
        assert e["page"] in pages and e["quote"].strip()
    known = {p["id"] for p in data["products"]}
    assert {e["product"] for e in data["evidence"]} <= known
    assert {m["product"] for m in data["mentions"]} <= known | {None}
    ids = [item["id"] for item in (*data["mentions"], *data["evidence"])]
    assert len(ids) == len(set(ids))
    for product in data["products"]:
        assert set(product["mentions"]) <= {m["id"] for m in data["mentions"]}
        cited = {i for r in product["reasons"] for i in r["evidence"]} | {
            i for f in product["flags"] for i in f["evidence"]
        }
        assert cited <= {e["id"] for e in data["evidence"] if e["product"] == product["id"]}
        assert not {"not_stated", "none_stated"} & {v for v in product["slots"].values() if isinstance(v, str)}
    for finding in report.findings.values():
        assert grading.replay(finding.reasons) == finding.grade
    return data


@settings(deadline=None, suppress_health_check=CALM)
@given(TEXT)
@example("⟦L~~~~~~~~~~~~⟧ wrote this strategy with ⟦P~~~⟧. It was ⟪co-produced⟫ ~ with ⟦people⟧.")
@example("This plan was co-produced with autistic people.\u202e Six İİİİ autistic adults wrote it. ẞẞ")
@example("co-produced\x00\x0c\n\n\n# co-produced\n| co-produced | with | tenants |\n")
def test_any_text_gives_a_report_that_holds(text):
    start = time.process_time()
    report = claimscan.check_text(text)
    assert time.process_time() - start < SECONDS
    assert report.text == text
    hold(report)


@settings(max_examples=25, deadline=None, suppress_health_check=CALM)
@given(TEXT, st.sampled_from(CASES))
def test_noise_around_a_case_gives_a_report_that_holds(noise, case):
    hold(claimscan.check_text(f"{noise}\n\n{case['text'].strip()}\n\n{noise}"))


LONG = {
    "no spaces": "a" * 200_000,
    "a trigger with no spaces": "co-produced" * 18_000,
    "one sentence": "autistic people and parents and officers, " * 5_000,
    "one sentence of drafts": "the group and the officers wrote and read the draft with 12 people and " * 800,
    "one line of triggers": "this plan was co-produced with tenants and will be co-produced by carers " * 60,
    "brackets": "⟦L~~⟧⟪" * 30_000,
    "open brackets": "⟦" * 200_000,
    "white space": " " * 100_000 + "\n" * 100_000,
    "hyphens": "co-" * 66_000,
    "numbers": "1,000 " * 33_000,
    "capitals": "Ann Bo Cy " * 20_000,
    "right to left": "هذه الاستراتيجية co-produced " * 60,
    "pictures": "👩🏽‍🦽👨‍👩‍👧‍👦" * 12_000,
    "commas": "people, " * 25_000,
    "quotes": "“co-produced” ‘with’ " * 80,
    "dotted": "Co-production " + "." * 190_000 + " 4",
    "cells": "co-produced | with | tenants | " * 80,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_hostile_lengths_end_in_time(name):
    claimscan.check_text("This plan was co-produced with tenants.")  # the model is loaded once, and not timed
    start = time.process_time()
    hold(claimscan.check_text(LONG[name]))
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("marks", ["⟦ ⟧", "⟪ ⟫", "~ ~", "⟦L~ ⟧"])
def test_our_own_mask_characters_in_a_text_change_nothing(marks):
    before, after = marks.split()
    for case in CASES:
        plain = case["text"].strip()
        marked = f"{plain}\n\nAppendix Z: {before}tables{after}\n\nRow {before}one{after} of ~ nine."
        ours, theirs = (claimscan.check_text(t).to_dict() for t in (plain, marked))
        assert [p["grade"] for p in ours["products"]] == [p["grade"] for p in theirs["products"]]


# --- support -------------------------------------------------------------------------------------------------------


@cache
def main_grade(text):
    """The grade of the document itself, or of its one other product; None where there is no product."""
    products = claimscan.check_text(text).to_dict()["products"]
    own = [p for p in products if p["is_document"]] or products
    return own[0]["grade"] if own else None


def rank(grade):
    """Levels in order; what is off the scale is below them and, N1 excepted, not ordered (3.3)."""
    return float(grade) if grade in LEVELS else 0.5 if grade == "N1" else 0.0


# The document itself must be graded, and not contradict itself: no support mends that.
SUPPORTABLE = [c for c in CASES if c.get("product") and c["product"][0]["document"] and c["product"][0]["grade"] != "X"]


@pytest.mark.parametrize("case", SUPPORTABLE, ids=[c["id"] for c in SUPPORTABLE])
def test_support_never_lowers_the_grade_of_a_case(case):
    text = case["text"].strip()
    before = main_grade(text)
    lowered = []
    for sentence in SUPPORT:
        after = main_grade(f"{text}\n\n{sentence}")
        if before is not None and (after is None or rank(after) < rank(before)):
            lowered.append(f"{before} -> {after}: {sentence}")
    assert not lowered, "\n".join(lowered)


@settings(max_examples=40, deadline=None, suppress_health_check=CALM)
@given(st.lists(st.sampled_from(SUPPORT), max_size=6, unique=True), st.sampled_from(SUPPORT))
def test_support_never_lowers_the_grade_of_a_growing_document(sentences, more):
    text = "Northmoor Mental Health Strategy\n\nThis strategy has been co-produced.\n\nHow this strategy was made\n\n"
    before, after = main_grade(text + " ".join(sentences)), main_grade(text + " ".join([*sentences, more]))
    assert rank(after) >= rank(before), f"{before} -> {after}"


def test_the_named_exceptions_do_lower_it():
    """D5 and D6 are left out of the property on purpose; this shows that there is something to leave out."""
    text = next(case for case in CASES if case["id"] == "12")["text"].strip()
    without = re.sub(r" Officers then[^.]*\.", "", text)
    assert rank(main_grade(text)) <= rank(main_grade(without))


# --- the same bytes give the same report ----------------------------------------------------------------------------

TWICE = "\n\n".join(case["text"].strip() for case in CASES[::2])


def test_the_same_text_gives_the_same_json_twice():
    assert claimscan.check_text(TWICE).to_json() == claimscan.check_text(TWICE).to_json()


def test_the_same_bytes_give_the_same_json_in_another_process(tmp_path):
    path = tmp_path / "cases.txt"
    path.write_text(TWICE, encoding="utf-8")
    code = "import sys, claimscan; sys.stdout.buffer.write(claimscan.check(sys.argv[1]).to_json().encode())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=110,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "4242")
    }
    assert len(outputs) == 1
    assert outputs == {claimscan.check(str(path)).to_json().encode()}


# --- PDFs -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["one-column", "two-column", "boxes-tables", "designed"])
def test_boxes_are_on_their_page(layout):
    paths = sorted(PDFS.glob(f"*.{layout}.pdf"))[::3]
    if not paths:
        pytest.skip("the sample PDFs are not compiled: python -m claimscan.training compile")
    for path in paths:
        report = claimscan.check(str(path))
        data = hold(report)
        sizes = {page.number: (page.width, page.height) for page in report.document.pages}
        items = [*data["mentions"], *data["evidence"]]
        assert items
        for item in items:
            assert item["boxes"], f"{path.name} {item['id']} has no place"
            for box in item["boxes"]:
                width, height = sizes[box["page"]]
                assert box["page"] == item["page"]
                assert 0 <= box["x0"] < box["x1"] <= width and 0 <= box["top"] < box["bottom"] <= height


@pytest.mark.slow
def test_the_same_pdf_gives_the_same_json_twice():
    paths = sorted(PDFS.glob("seed-*.pdf"))[:4]
    if not paths:
        pytest.skip("the sample PDFs are not compiled: python -m claimscan.training compile")
    for path in paths:
        assert claimscan.check(str(path)).to_json() == claimscan.check(str(path)).to_json()
