"""The finding in Welsh: nothing is left out, nothing is left in English, and quotes are never translated."""

import json
import re
from html import unescape
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from claimscan import pipeline, reading
from claimscan.cli import main
from claimscan.codebook import tables
from claimscan.grading.rules import Facts, judge
from claimscan.reading.tongue import ours
from claimscan.showing import easy_read, highlights, html, terminal, trace, translating, wording
from claimscan.showing.translating import TOLD, catalogue, message, parsed, speaking, told, tr
from claimscan.training import messages

ROOT = Path(__file__).parent.parent
SEED = ROOT / "corpus/pdf/seed-parents-wrote.designed.pdf"
PLACE = re.compile(r"\{\w+\}")
CATALOGUE = files("claimscan") / "data/languages/cy/LC_MESSAGES/claimscan.po"


@pytest.fixture(scope="module")
def welsh():
    return catalogue("cy")


@pytest.fixture(scope="module")
def every():
    return messages.messages()


@pytest.fixture(scope="module")
def seed():
    return pipeline.check(SEED)


# --- the catalogue --------------------------------------------------------------------------------------------------


def test_every_message_has_a_translation_and_no_other_is_kept(every, welsh):
    wanted = {(m.context, m.text) for m in every}
    assert len(wanted) > 800
    assert set(welsh) == wanted, "run: python -m claimscan.training messages"


def test_every_translation_fills_in_the_same_things(welsh):
    for (_, text), translation in welsh.items():
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(translation)), text
        assert "{}" not in translation and translation.count("{") == translation.count("}")


def test_what_stands_beside_other_words_keeps_its_space(welsh):
    for (_, text), translation in welsh.items():
        assert translation[-1] == " " if text.endswith(" ") else translation == translation.rstrip(), text
        assert text.strip(" ,") in ("and", "or") or text.startswith(" ") == translation.startswith(" "), text


def test_a_sentence_stays_a_sentence(welsh):
    for (_, text), translation in welsh.items():
        if text[-1] in ".?:" and not text.endswith(" "):
            assert translation[-1] == text[-1], text


def test_the_small_reader_reads_what_babel_reads(welsh):
    with CATALOGUE.open("rb") as file:
        theirs = {(m.context or "", m.id): m.string for m in read_po(file, locale="cy") if m.id and not m.fuzzy}
    assert theirs == welsh


def test_a_translation_that_has_to_be_looked_at_again_is_not_shown():
    text = '#, fuzzy, python-brace-format\nmsgid "one"\nmsgstr "un"\n\nmsgid "two "\n"parts"\nmsgstr "dwy\\n"\n"ran"\n'
    assert parsed(text + '\nmsgid "three"\nmsgstr ""\n\n#~ msgid "old"\n#~ msgstr "hen"\n') == {
        ("", "two parts"): "dwy\nran"
    }


def test_updating_changes_nothing_when_nothing_has_changed(every, tmp_path, monkeypatch):
    before = CATALOGUE.read_bytes()
    place = tmp_path / messages.LAYOUT.format(code="cy")
    place.parent.mkdir(parents=True)
    place.write_bytes(before)
    monkeypatch.setattr(messages, "messages", lambda: every)
    monkeypatch.setattr(messages, "PACKAGE", tmp_path)
    assert messages.update("cy") == 0 and place.read_bytes() == before
    monkeypatch.setattr(messages, "messages", lambda: [*every[1:], messages.Message("", "A new one.", "x.py")])
    assert messages.update("cy") == 1 and b'"A new one."' in place.read_bytes()


# --- looking up -----------------------------------------------------------------------------------------------------


def test_english_is_as_it_was_written():
    assert tr("In short") == message("In short") == told("In short") == "In short"


def test_the_language_ends_where_it_began():
    with speaking("cy"):
        assert tr("In short") == "Yn fyr" and tr("claims", "counted") != tr("claims")
        with speaking("en"):
            assert tr("In short") == "In short"
        assert translating.language() == "cy"
    assert translating.language() == "en"


def test_words_that_are_no_message_stay():
    with speaking("cy"):
        for text in ("Somebody else wrote this.", "", "The document would like some tea", "{name} is {what}"):
            assert tr(text) == told(text) == text


@pytest.mark.parametrize("text", [t for (c, t) in catalogue("cy") if c == TOLD and PLACE.search(t)])
def test_a_sentence_with_something_put_in_is_known_again(text, welsh):
    names = PLACE.findall(text)
    made, wanted = text, welsh[TOLD, text]
    for n, name in enumerate(names):
        value = f"Zq{n}\n“{n}” (x)"
        made, wanted = made.replace(name, value), wanted.replace(name, value)
    with speaking("cy"):
        found = told(made)
    if "{what}{what2}" in text:  # two that touch: where one ends is not to be seen, and does not matter
        assert found != made
    else:
        assert found == wanted


def test_what_the_reasons_say_is_known():
    table = tables()
    said = {
        judge(Facts(claimed=claimed, took_part=took, **more), table).text
        for claimed in (0, 1)
        for took in (0, 1)
        for more in CASES
    }
    assert len(said) > 12
    with speaking("cy"):
        assert not [text for text in said if told(text) == tr(text) == text]


CASES = [
    {},
    *({"named": (side,)} for side in ("le", "proxy", "organisations")),
    {"pointer": True},
    {"how": True},
    {"contradicted": True},
    {"act": "presence"},
    {"who": "single"},
    {"who": "single", "shared": True},
    {"scope": "presentation"},
    {"stage": "near_final_or_after_only"},
    {"stage": "near_final_or_after_only", "changed": "specific"},
    {"stage": "early", "repeated": True},
    {"stage": "early", "repeated": True, "changed": "loop"},
    {"act": "wrote", "shared": True, "through": True},
    {"act": "wrote", "shared": True, "through": True, "edited_alone": True},
]


# --- a whole finding ------------------------------------------------------------------------------------------------


def without_quotes(text):
    return re.sub("“[^”]*”", "“”", text)


def in_words(page):
    """What a page says in its own language: no style, no code, nothing that is marked as English."""
    page = re.sub(r"<(style|code)>.*?</\1>", "", page, flags=re.S)
    page = re.sub(r'<(\w+)[^>]* lang="en"[^>]*>.*?</\1>', " ", page, flags=re.S)
    told = " | ".join(re.findall(r'(?:alt|aria-label|title)="([^"]*)"', page))
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", page) + told))


def english_left(text):
    """Messages of three words or more that are in the text in English; of one with places, its longest piece."""
    found = []
    for (_, english), translation in catalogue("cy").items():
        piece = max((p.strip(" .,:;?()“”") for p in PLACE.split(english)), key=len)
        if english != translation and len(re.findall("[A-Za-z]{2,}", piece)) >= 3 and piece in text:
            found.append(english)
    return found


def shown(report):
    products = wording.in_order(report)
    return "\n".join(
        [
            in_words(html.page(report)),
            without_quotes(re.sub(r"\s+", " ", terminal.summary(report, everything=True))),
            *(without_quotes(re.sub(r"\s+", " ", trace.explain(report, p))) for p in products),
            *(without_quotes(mark.note) for mark in highlights.marks(report)),
        ]
    )


def names_of(report):
    return [wording.title(report), report.document.source, *(p.name for p in report.products)]


@pytest.mark.parametrize("name", ["contradicts-itself", "seed-bare-stamp", "cynllun-dwyieithog"])
def test_no_english_is_left_on_a_welsh_page(name):
    report = pipeline.check(ROOT / "corpus/documents" / f"{name}.txt")
    with speaking("cy"):
        text = shown(report)
    for name in names_of(report):
        text = text.replace(name, "")
    assert not english_left(text)
    assert len(english_left(shown(report))) > 40  # it does find English where there is some


def test_no_english_is_left_on_the_seeds_welsh_page(seed):
    with speaking("cy"):
        text = shown(seed)
        page = html.page(seed)
    assert not english_left(text)
    assert "Gwiriwyd y naws, lefel 1 o 6" in text and "Nid oes dim ynddi yn diystyru lefel 3" in text
    assert '<html lang="cy">' in page and "9 o dudalennau" in page


def test_quotes_are_never_translated_and_say_their_language(seed):
    with speaking("cy"):
        welsh = html.page(seed)
    english = html.page(seed)
    quotes = re.findall(r"<blockquote[^>]*><p>(.*?)</p>", english)
    assert len(quotes) > 4 and quotes == re.findall(r'<blockquote lang="en"><p>(.*?)</p>', welsh)
    assert english.count('lang="en"') == 0 and '<html lang="en-GB">' in english


def test_the_other_way_round():
    report = pipeline.check_text(
        "Cafodd y cynllun hwn ei gydgynhyrchu gyda gofalwyr di-dâl. Roedd deuddeg o ofalwyr ar y grŵp, a nhw oedd yn "
        "penderfynu gyda’r cyngor beth fyddai yn y cynllun."
    )
    english = html.page(report)
    assert re.search(r'<blockquote lang="cy"><p>', english) and not re.search(r"<blockquote><p>", english)
    with speaking("cy"):
        welsh = html.page(report)
    assert re.search(r"<blockquote><p>", welsh) and "<blockquote lang" not in welsh


@pytest.mark.parametrize(
    "text, language",
    [
        ("The plan was written with the people who use it.", "en"),
        ("Mae’r cynllun wedi’i ysgrifennu gyda’r bobl sydd yn ei ddefnyddio.", "cy"),
        ("£20 a session", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_few_words(text, language):
    assert ours(text, least=2) == language


def test_the_report_is_data_and_stays_english(seed):
    before = seed.to_json()
    with speaking("cy"):
        assert seed.to_json() == before


def test_easy_read_stands_in_both_languages(seed):
    product = seed.products[0]
    with speaking("cy"):
        page = html.page(seed)
    for language in ("en", "cy"):
        for part in easy_read.lines(seed, product, language):
            for line in part["lines"]:
                assert line in unescape(page)


def test_numbers_of_things_suit_every_number():
    said = {1: "1 hawliad", 2: "2 o hawliadau", 3: "3 o hawliadau", 1200: "1,200 o hawliadau"}
    with speaking("cy"):
        assert {n: wording.number(n, "claim") for n in said} == said
        assert (
            wording.count_words({"kind": "min", "le_n": 4, "total_n": 12, "unit": "people"})
            == "o leiaf 4 allan o 12 o bobl"
        )
        assert wording.count_words({"kind": "exact", "le_n": 1, "unit": "people"}) == "1 person"
        assert wording.page_ranges([2, 5, 6, 7]) == "tudalennau 2, 5 i 7"


def test_notes_of_the_highlighted_pdf_are_welsh(seed):
    pikepdf = pytest.importorskip("pikepdf")
    import io

    with speaking("cy"):
        copy = highlights.highlighted(seed, SEED.read_bytes())
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        notes = [a for page in pdf.pages for a in page.get("/Annots", []) if str(a.get("/T", "")) == "claimscan"]
        assert len(notes) > 5 and {str(a.Lang) for a in notes} == {"cy-GB"}
        assert not english_left(without_quotes("\n".join(str(a.Contents) for a in notes)))
        assert {str(a.Subj) for a in notes} == {"Ystyr y lliwiau", "Hawliad", "Tystiolaeth", "Pryder"}


def test_what_could_not_be_read_is_said_in_welsh():
    long = reading.read_bytes(b"\n\n".join(b"Some words of a plan." for _ in range(9)), "plan.pdf.txt")
    assert long.text
    with speaking("cy"):
        assert told("Only the first 3 of 9 pages were read.") == "Dim ond y 3 tudalen gyntaf o 9 a ddarllenwyd."
        assert told("plan.txt is a picture, which claimscan does not read.").startswith("Dyma yw plan.txt: llun.")


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.txt"
    path.write_text("This plan was co-produced with unpaid carers. Twelve carers met us every month and wrote it.\n")
    return path


def test_check_and_explain_speak_welsh(plan, tmp_path, capsys):
    page, report = tmp_path / "out.html", tmp_path / "out.json"
    assert main(["check", str(plan), "--language", "cy", "--html", str(page), "--json", str(report)]) == 0
    said = capsys.readouterr().out
    assert "1 hawliad bod rhywbeth wedi’i gydgynhyrchu" in said and "Ysgrifennwyd:" in said
    assert '<html lang="cy">' in page.read_text(encoding="utf-8")
    assert "The document" in json.loads(report.read_text(encoding="utf-8"))["products"][0]["reasons"][0]["text"]
    assert main(["explain", str(plan), "--language", "cy"]) == 0
    assert "Y rheolau a roddodd y radd" in capsys.readouterr().out
    assert main(["check", str(plan)]) == 0
    assert "1 claim that something was co-produced" in capsys.readouterr().out


def test_what_goes_wrong_is_said_in_welsh(tmp_path, capsys):
    assert main(["check", str(tmp_path / "nothing.pdf"), "--language", "cy"]) == 3
    assert "Nid oes ffeil o’r enw" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "nothing.pdf"), "--language", "fr"]) == 2
