"""What a reader is told to check by eye first."""

from dataclasses import replace

import claimscan
from claimscan import doubts, scoring
from claimscan.showing import wording
from claimscan.showing.html import page
from claimscan.showing.terminal import summary

TEXT = (
    "This plan was co-produced with tenants. Nine tenants met the surveyor every month and changed the order of the repairs.\n\n"
    "We will co-produce a leaflet. Inspectors said that the last plan was co-produced."
)


def judged(low=0.3):
    """A report, and the doubts it would have were every deciding piece of evidence as unlikely as ``low``."""
    report = claimscan.check_text(TEXT)
    links = scoring.deciding(report.findings["p1"])
    evidence = [replace(e, score=low if e.id in links else 0.1) for e in report.evidence]
    mentions = [replace(m, score=0.95) for m in report.mentions]
    found = doubts.doubts(report.products, report.findings, mentions, evidence)
    return replace(report, evidence=tuple(evidence), mentions=tuple(mentions), doubts=found), links


def test_only_what_a_grade_rests_on_is_listed():
    report, links = judged()
    assert {d.item for d in report.doubts} == set(links[: doubts.MOST])
    assert all(d.why == "rests" and d.product == "p1" for d in report.doubts)


def test_what_is_sure_is_not_listed():
    report, _ = judged(0.9)
    assert report.doubts == ()
    assert "by eye" not in summary(report) and "by eye" not in page(report)


def test_uses_of_the_word_near_a_claim_are_listed_least_sure_first():
    report = claimscan.check_text(TEXT)
    scores = {"DOC_DONE": 0.6, "COMMIT": 0.4, "REPORTED": 0.5}
    mentions = [replace(m, score=scores.get(m.type, 0.9)) for m in report.mentions]
    evidence = [replace(e, score=0.9) for e in report.evidence]
    found = doubts.doubts(report.products, report.findings, mentions, evidence)
    kinds = {m.id: m.type for m in mentions}
    assert [(kinds[d.item], d.why) for d in found] == [
        ("COMMIT", "no_claim"),
        ("REPORTED", "no_claim"),
        ("DOC_DONE", "claim"),
    ]


def test_they_are_shown_with_what_they_were_read_as():
    report, _ = judged()
    told = summary(report)
    assert "Check these by eye first" in told and "Read as:" in told
    assert "Check these by eye first" in page(report)
    assert len(wording.to_check(report)) == len(report.doubts)
    data = report.to_dict()
    assert [d["id"] for d in data["check_first"]] == [d.item for d in report.doubts]
    assert set(data["check_first"][0]) == {"id", "product", "page", "score", "why"}
