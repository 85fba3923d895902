"""``nlp.add_pipe("claimscan")``: found by its entry point, on any pipeline, with the findings of the command."""

import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

import claimscan
from claimscan.spacy_component import EVIDENCE, MENTIONS, make  # noqa: F401  (registers it where it is not installed)

TEXT = (
    "Our autism plan\n\nThis plan was co-produced with autistic adults. Parents wrote it — every word 😀 — and some autistic "
    "adults were shown the final draft. We believe in co-production."
)


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("claimscan")
    return nlp


def test_the_component_finds_what_the_check_finds(nlp):
    doc = nlp(TEXT)
    report = claimscan.check_text(TEXT)
    assert doc._.claimscan.to_dict()["products"] == report.to_dict()["products"]
    assert [m.label_ for m in doc._.mentions] == [m.type for m in report.mentions] == ["DOC_DONE", "PRINCIPLE"]
    assert [s.label_ for s in doc.spans[EVIDENCE]] == [e.slot for e in report.evidence]
    assert len(doc.spans[MENTIONS]) == 2 and doc.spans[EVIDENCE]
    for group, rows in ((MENTIONS, report.mentions), (EVIDENCE, report.evidence)):
        for span, row in zip(doc.spans[group], rows, strict=True):
            assert span._.claimscan == row and span.id_ == row.id
            assert span.start_char <= row.start < row.end <= span.end_char


def test_it_leaves_tokens_and_text_as_they_are(nlp):
    doc = nlp(TEXT)
    assert [t.text for t in doc] == [t.text for t in spacy.blank("en")(TEXT)] and doc.text == TEXT


@pytest.mark.parametrize("text", ["", " ", "\n\n", "Nothing to see here.", "co-produced"])
def test_little_text(nlp, text):
    doc = nlp(text)
    assert len(doc._.mentions) == (text == "co-produced") and len(doc.spans[MENTIONS]) == len(doc._.mentions)


def test_it_stands_beside_others_and_in_pipes_of_documents():
    nlp = spacy.load("en_core_web_sm") if spacy.util.is_package("en_core_web_sm") else spacy.blank("en")
    if "senter" not in nlp.pipe_names and "parser" not in nlp.pipe_names:
        nlp.add_pipe("sentencizer")
    nlp.add_pipe("claimscan", last=True)
    docs = list(nlp.pipe([TEXT, "No claim.", TEXT]))
    assert [len(d._.mentions) for d in docs] == [2, 0, 2] and list(docs[0].sents)


def test_a_pipeline_with_it_is_saved_and_loaded(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipe")
    again = spacy.load(tmp_path / "pipe")
    assert again.pipe_names == ["claimscan"] and len(again(TEXT)._.mentions) == 2
    assert len(spacy.blank("en").from_bytes(nlp.to_bytes(), exclude=[]).vocab.strings)


def test_the_spans_are_kept_in_a_docbin(nlp):
    kept = DocBin(docs=[nlp(TEXT)]).to_bytes()
    (doc,) = DocBin().from_bytes(kept).get_docs(nlp.vocab)
    assert [s.label_ for s in doc.spans[MENTIONS]] == ["DOC_DONE", "PRINCIPLE"]


def test_the_entry_point_names_the_factory():
    config = ConfigParser()
    config.read(Path(__file__).parent.parent / "setup.cfg")
    points = config["options.entry_points"]["spacy_factories"]
    assert points.split("=")[0].strip() == "claimscan"
    module, _, name = points.split("=")[1].strip().partition(":")
    assert getattr(__import__(module, fromlist=[name]), name) is make
    assert tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["build-system"]
