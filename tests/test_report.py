import json
import os
import sys
from dataclasses import replace
from subprocess import run

import made_reports
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimscan.records import Finding, Population
from claimscan.report import SCHEMA, Report, categories, rows


@pytest.fixture(scope="module")
def report():
    return made_reports.strategy()


def test_json_has_the_contract_s_fields(report):
    whole = json.loads(report.to_json())
    assert whole["schema"] == SCHEMA == "claimscan/report/1"
    assert set(whole) == {"schema", "document", "provenance", "mentions", "products", "evidence", "check_first"}
    assert {"id", "source", "format", "title", "pages", "words", "population", "unread_pages", "warnings"} <= set(
        whole["document"]
    )
    assert set(whole["document"]["population"]) == {"label", "kind", "quote", "page"}
    assert set(whole["provenance"]) == {"claimscan", "codebook", "lexicons", "model", "config"}
    mention, product, evidence = whole["mentions"][0], whole["products"][0], whole["evidence"][0]
    assert {
        "id",
        "page",
        "start",
        "end",
        "text",
        "sentence",
        "heading",
        "family",
        "type",
        "score",
        "rule",
        "hedge",
        "scope",
        "product",
        "boxes",
    } <= set(mention)
    assert {
        "id",
        "name",
        "is_document",
        "mentions",
        "grade",
        "label",
        "band",
        "plain",
        "ceiling",
        "proxy_grade",
        "borderline",
        "score",
        "reasons",
        "next",
        "slots",
        "flags",
        "questions",
    } <= set(product)
    assert {
        "id",
        "product",
        "slot",
        "value",
        "certainty",
        "page",
        "start",
        "end",
        "quote",
        "score",
        "rule",
        "boxes",
    } <= set(evidence)
    assert set(mention["boxes"][0]) == {"page", "x0", "top", "x1", "bottom"}
    assert set(product["reasons"][0]) >= {"rule", "text", "evidence"}
    assert set(product["next"][0]) == {"to", "needs", "gap"}
    assert set(product["flags"][0]) == {"code", "kind", "plain", "evidence"}
    assert set(product["questions"][0]) == {"gap", "ask", "record"}


def test_json_says_what_the_records_say(report):
    whole = report.to_dict()
    assert [p["grade"] for p in whole["products"]] == ["1", "5", "N1", "N0", "O", "N1", "P", "X", "N2", "5"]
    first = whole["products"][0]
    assert (first["ceiling"], first["proxy_grade"], first["slots"]["stage"]) == ("3", "5", ["near_final"])
    assert whole["products"][-1]["mentions"] == [] and whole["products"][-1]["second_reading"] == "6"
    assert whole["document"]["unread_pages"] == [{"page": 8, "why": "no text layer: the page is a picture"}]
    assert whole["mentions"][0]["score"] == 0.9123 and whole["evidence"][0]["score"] == 0.8765
    assert whole["mentions"][-1]["product"] is None
    assert whole["evidence"][0]["who"] == "proxy"


def test_every_quote_is_verbatim_in_the_text(report):
    whole = report.to_dict(with_text=True)
    text = whole["document"]["text"]
    assert text == report.text
    for record in whole["evidence"]:
        assert text[record["start"] : record["end"]] == record["quote"]
    for record in whole["mentions"]:
        assert text[record["start"] : record["end"]] == record["text"]
        at = record["sentence_start"]
        assert text[at : at + len(record["sentence"])] == record["sentence"]
    assert "text" not in report.to_dict()["document"]


@pytest.mark.parametrize("broken", ["mention", "sentence", "evidence", "population", "finding"])
def test_a_report_that_cannot_be_defended_is_refused(report, broken):
    changes = {
        "mention": {"mentions": (replace(report.mentions[0], start=0),)},
        "sentence": {
            "mentions": (replace(report.mentions[0], sentence=replace(report.mentions[0].sentence, text="made up")),)
        },
        "evidence": {"evidence": (replace(report.evidence[0], quote="never said"),)},
        "population": {"population": Population("x", "adults", "never said", 1)},
        "finding": {"findings": {}},
    }[broken]
    with pytest.raises(ValueError, match="verbatim|no finding"):
        replace(report, **changes)


def test_json_does_not_depend_on_how_mappings_were_built(report):
    turned = {
        key: replace(f, slots=dict(reversed(f.slots.items())), crosswalk=dict(reversed(f.crosswalk.items())))
        for key, f in reversed(report.findings.items())
    }
    again = replace(
        report,
        findings=turned,
        boxes=dict(reversed(report.boxes.items())),
        provenance=dict(reversed(report.provenance.items())),
    )
    assert again.to_json() == report.to_json()


@pytest.mark.parametrize("seed", ["1", "2"])
def test_json_is_the_same_bytes_in_another_process(report, seed):
    code = "import made_reports, sys; sys.stdout.buffer.write(made_reports.strategy().to_json().encode())"
    where = [made_reports.__file__.rsplit("/", 1)[0], *sys.path]
    done = run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(p for p in where if p)},
    )
    assert done.stdout == report.to_json().encode()


def test_floats_that_json_lacks_are_null(report):
    finding: Finding = replace(report.findings["p1"], slots={"count": {"share": float("nan"), "n": 1 / 3}})
    odd = replace(report, findings={**report.findings, "p1": finding})
    slots = json.loads(odd.to_json())["products"][0]["slots"]
    assert slots == {"count": {"share": None, "n": 0.3333}}


@given(st.text(min_size=1))
def test_any_text_survives_the_json(text):
    base = made_reports.plain()
    report = Report(document=replace(base.document, text=text, title=text), population=Population(label=text))
    encoded = report.to_json(with_text=True).encode()
    assert json.loads(encoded)["document"]["text"] == text


def test_frames_hold_the_same_rows(report):
    frames = report.to_frames()
    assert list(frames) == ["documents", "products", "mentions", "evidence"]
    assert [len(frames[name]) for name in frames] == [1, 10, len(report.mentions), len(report.evidence)]
    products = frames["products"].set_index("id")
    assert products.loc["p1", "concerns"] == "proxy-led end-stage-only word-inflation"
    assert products.loc["p1", "rules"] == "E13 2.2 D1 D3"
    assert products.loc["p2", "mentions"] == 1
    assert set(frames["evidence"]["document"]) == {report.document.id}
    quoted = frames["evidence"].iloc[0]
    assert report.text[quoted["start"] : quoted["end"]] == quoted["quote"]


def test_frames_of_an_empty_report_have_the_same_columns_and_types(report):
    full, empty = report.to_frames(), made_reports.plain().to_frames()
    for name in full:
        assert list(full[name].columns) == list(empty[name].columns)
        assert list(full[name].dtypes) == list(empty[name].dtypes)
    assert len(empty["mentions"]) == 0 and len(empty["documents"]) == 1


def test_codes_are_categories_that_stay_when_tables_are_put_together(report):
    import pandas

    both = [report.to_frames(), made_reports.plain().to_frames()]
    for name, column in categories():
        together = pandas.concat([frames[name] for frames in both])[column]
        assert str(together.dtype) == "category", (name, column)
        assert list(together.cat.categories) == list(categories()[name, column])
    products = both[0]["products"]
    assert list(products["band"].cat.categories) == ["Surface", "Asked", "Genuine"] and products["band"].cat.ordered
    scaled = products[products["level"].notna()]
    assert len(scaled) and (scaled["level"].astype(str) == scaled["grade"].astype(str)).all()
    for name, column in categories():  # no code is lost to a category that is not there
        said = [row[column] for row in rows(report.to_dict())[name]]
        assert both[0][name][column].isna().sum() == sum(not value for value in said), (name, column)


def test_the_report_imports_no_pandas():
    code = "import sys, claimscan.report; assert 'pandas' not in sys.modules and 'numpy' not in sys.modules"
    run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_the_same_report_whatever_order_sets_have():
    """Python orders sets of words anew in each process; a report must not show it."""
    text = (
        "This training was co-produced with autistic adults. The trainers were not paid for their time. Their travel "
        "expenses were paid. Members received lunch. The training is sold to care providers. "
        "The panel met every month from the start, and wrote it with parents, carers, staff and two charities."
    )
    program = "import sys, claimscan; sys.stdout.write(claimscan.check_text(sys.argv[1]).to_json())"
    made = {
        run(
            [sys.executable, "-c", program, text],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (0, 1, 3)
    }
    assert len(made) == 1
    flags = json.loads(made.pop())["products"][0]["flags"]
    assert max(len(flag["evidence"]) for flag in flags) > 1
