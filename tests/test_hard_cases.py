"""The codebook's forty hard cases and the seed's cases as small documents, from text to finding.

A case that is still wrong is in ``data/known_failures.toml`` with what it gives and why, and must go on failing: when it
comes right, the test fails until its row is taken out.
"""

import tomllib
from functools import cache
from pathlib import Path

import pytest

import claimscan
from claimscan import grading

DATA = Path(__file__).parent / "data"
CASES = tomllib.loads((DATA / "hard_cases_text.toml").read_text(encoding="utf-8"))["case"]
KNOWN = {
    row["id"]: row
    for row in tomllib.loads((DATA / "known_failures.toml").read_text(encoding="utf-8")).get("hard_case", [])
}
NUMBERED = [case["id"] for case in CASES if case["id"].isdigit()]
SEED = [case["id"] for case in CASES if case["id"].startswith("seed")]
LEAST_RIGHT = 34  # of the forty, set by the issue; raise it, never lower it


@cache
def report_of(text):
    return claimscan.check_text(text.strip())


def differences(case):
    """What the finding has otherwise than the case wants, as readable lines; none where it is right."""
    report = report_of(case["text"])
    data = report.to_dict()
    wrong = []

    def expect(what, wanted, got):
        if wanted != got:
            wrong.append(f"{what}: wanted {wanted!r}, got {got!r}")

    expect("types", case["types"], [m["type"] for m in data["mentions"]])
    products, wanted = data["products"], case.get("product", [])
    expect("products", [p["document"] for p in wanted], [p["is_document"] for p in products])
    for product, want in zip(products, wanted, strict=False):
        for name in ("grade", "ceiling", "proxy_grade"):
            if name in want:
                expect(name, want[name], product[name])
        if "scope" in want:
            expect("scope", want["scope"], product["slots"].get("scope", "whole"))
        for slot, value in want.get("slots", {}).items():
            got = product["slots"].get(slot)
            if isinstance(value, list):
                expect(slot, value, sorted(set(value) & set(got or ())))
            elif isinstance(value, dict):
                expect(slot, value, {key: (got or {}).get(key) for key in value})
            else:
                expect(slot, value, got)
        for slot in want.get("unstated", []):
            expect(slot, None, product["slots"].get(slot))
        flags = {flag["code"] for flag in product["flags"]}
        expect("flags missing", [], sorted(set(want.get("flags", [])) - flags))
        expect("flags that must not be", [], sorted(set(want.get("absent", [])) & flags))
    if case.get("reported"):
        expect("REPORTED belongs to", products[0]["id"] if products else None, data["mentions"][-1]["product"])
    if "credit" in case:
        everywhere = [*data["document"].get("flags", ()), *(f for p in products for f in p["flags"])]
        expect("credit", [case["credit"]], [f["code"] for f in everywhere if f["code"] == case["credit"]])
    return wrong


def marked(case):
    known = KNOWN.get(case["id"])
    marks = [pytest.mark.xfail(strict=True, raises=AssertionError, reason=known["why"])] if known else []
    return pytest.param(case, id=case["id"], marks=marks)


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_case(case):
    wrong = differences(case)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_grade_replays_from_its_reasons(case):
    for finding in report_of(case["text"]).findings.values():
        assert grading.replay(finding.reasons) == finding.grade


def test_every_case_of_the_codebook_is_here_once():
    assert sorted(NUMBERED, key=int) == [str(n) for n in range(1, 41)]
    assert len(SEED) == 5
    assert len({case["id"] for case in CASES}) == len(CASES)


def test_known_failures_are_cases_and_few():
    assert KNOWN.keys() <= {case["id"] for case in CASES}
    assert all(row["gives"] and row["why"] for row in KNOWN.values())
    assert not KNOWN.keys() & set(SEED)
    assert len(NUMBERED) - len(KNOWN.keys() & set(NUMBERED)) >= LEAST_RIGHT


if __name__ == "__main__":  # python tests/test_hard_cases.py: what is wrong with each, for whoever works on the rules
    for one in CASES:
        if lines := differences(one):
            print(one["id"], *lines, sep="\n    ")
