"""Letters: only what is missing, six at most, no names, nobody's address, the law of each nation, and the link's limits."""

import io
import re
import statistics
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import docx as python_docx
import pytest
import textstat
from hypothesis import given, settings
from hypothesis import strategies as st
from made_reports import strategy

import claimscan
from claimscan import cli, codebook
from claimscan.errors import UsageError
from claimscan.records import Question
from claimscan.showing import letter_link, letters

FORMS = [(k, n, lang, e) for k in letters.KINDS for n in letters.NATIONS for lang in letters.LANGUAGES for e in (0, 1)]
GAPS = [gap.gap for gap in codebook.tables().gaps]
# What the site looks for, from its description and not from our own pattern.
EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b", re.ASCII)
POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][0-9A-Z]?\s*[0-9][A-Z]{2}\b", re.IGNORECASE | re.ASCII)


def asking(gaps, report=None, product="p1"):
    report = report or strategy()
    finding = replace(report.findings[product], questions=tuple(Question(g, "ask", "record") for g in gaps))
    return replace(report, findings={**report.findings, product: finding})


def saying(text):
    return claimscan.check_text(text)


@pytest.mark.parametrize("kind, nation, language, easy", FORMS)
def test_six_at_most_first_first_and_no_names(kind, nation, language, easy):
    made = letters.letter(asking(GAPS), kind=kind, nation=nation, language=language, easy=bool(easy))
    offered = letters.left_open(asking(GAPS), kind=kind, language=language, easy=bool(easy))
    assert made.items == tuple(o.text for o in offered[:6]) and len(made.items) == 6 and len(offered) == len(GAPS)
    text = made.text()
    assert re.search("umbers only, no names|hifau (yn unig|sydd eu hangen arnaf), dim enwau", text)
    assert not re.search(r"\b(false|untrue|lie|failed|unlawful|tokenis\w+)\b", text.lower())
    assert "{" not in text and "{" not in made.title
    if kind == "foi":
        assert ("Scotland" in text or "Alban" in text) == (nation == "scotland")
        assert ("2002" in text) == (nation == "scotland") and ("Act 2000" in text or "Gwybodaeth 2000" in text) == (
            nation != "scotland"
        )
        assert re.search("20 (working days|diwrnod gwaith)", text)
        assert not re.search(r"\d{1,2} (January|December|Ionawr)|20[3-9]\d", text)
    else:
        assert "sits behind the words “co-produced”?" in text or "y tu ôl i’r geiriau “co-produced”?" in text


@pytest.mark.parametrize("gap", GAPS)
def test_only_what_is_open_is_asked(gap):
    assert [o.gap for o in letters.left_open(asking([gap]))] == [gap]
    assert len(letters.letter(asking([gap])).items) == 1


def test_every_gap_has_words_in_both_languages():
    for language in letters.LANGUAGES:
        for style in ("plain", "easy"):
            for form in ("ask", "record"):
                assert set(letters.words(language)[style][form]) == set(GAPS)


def shape(value):
    return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else type(value)


def test_welsh_has_the_same_words_to_fill_in():
    assert shape(letters.words("cy")) == shape(letters.words("en"))
    fields = [
        sorted(set(re.findall(r"\{\w+\}", str(letters.words(code)[key]))))
        for code in letters.LANGUAGES
        for key in ("plain", "easy", "claim", "places", "show", "silent")
    ]
    assert fields[:6] == fields[6:]


def test_products_take_turns_and_each_is_quoted():
    report = asking(GAPS, asking(GAPS, product="p2"), "p2")
    made = letters.letter(report, products=["p2", "p1"])
    assert len(made.items) == 6 and sum(p.kind == "quote" for p in made.parts) == 2
    assert "the Hospital Passport" in made.text()
    with pytest.raises(UsageError):
        letters.letter(report, products=["p99"])


def test_picking():
    report = asking(GAPS)
    offered = letters.left_open(report)
    assert letters.letter(report, pick=[9, 1, 1]).items == (offered[0].text, offered[8].text)
    for pick in ([1, 2, 3, 4, 5, 6, 7], [0], [99]):
        with pytest.raises(UsageError):
            letters.letter(report, pick=pick)


def test_nothing_to_ask():
    none = strategy()
    for product in none.products:
        none = asking([], none, product.id)
    assert "this strategy" in letters.silent(none) and not letters.silent(asking(["count"]))
    assert "this strategy" in letters.silent(asking([]), ["p1"])
    assert letters.left_open(asking([]))[0].product != "p1"  # another claim leaves something open
    assert "No claim" in letters.silent(saying("Our parks are open from dawn until dusk on every day of the week."))
    with pytest.raises(UsageError):
        letters.letter(none)


def test_the_folder_of_the_file_is_not_in_the_letter():
    report = strategy()
    report = replace(report, document=replace(report.document, title="", source="/home/somebody/secret/plan.pdf"))
    assert "secret" not in letters.letter(report).text() and "“plan.pdf”" in letters.letter(report).text()


# --- words of the document ------------------------------------------------------------------------------------------

postcodes = st.from_regex(r"[A-Za-z]{1,2}[0-9][A-Za-z0-9]?( |\u00a0|  |-|)[0-9][A-Za-z]{2}", fullmatch=True).filter(
    str.isascii
) | st.sampled_from(["SW1A 1AA", "m1 1ae", "GIR 0AA", "CF10\u00a03AT", "EH991SP", "bt1-5gs", "SW1A\n1AA"])
emails = st.emails() | st.sampled_from(
    ["jo@x.org.uk", "jo @ x.org", "jo (at) x (dot) org", "jo at x dot org", "mailto:a.b+c@d-e.gov.uk", "jo＠x.org"]
)


@given(postcodes, st.sampled_from(["", "Write to ", "(", "at: "]))
def test_no_postcode_is_left(code, before):
    bare = letter_link.without_addresses(f"{before}{code}.")
    assert not POSTCODE.search(bare) and "left out" in bare


@given(emails, st.sampled_from(["", "Write to ", "(", "at: "]))
def test_no_email_is_left(address, before):
    bare = letter_link.without_addresses(f"{before}{address}, please")
    assert not EMAIL.search(bare) and "@" not in bare and "left out" in bare


@given(st.text(max_size=200))
def test_taking_out_twice_is_taking_out_once(text):
    once = letter_link.without_addresses(text)
    assert "@" not in once and letter_link.without_addresses(once) == once


@pytest.mark.parametrize(
    "text",
    ["Nine members met every six weeks.", "Phase 2 began in 2024, at 10 a.m.", "The A1 route, room B2 and level 3"],
)
def test_other_words_stay(text):
    assert letter_link.without_addresses(text) == text


HOSTILE = (
    "This plan was co-produced with people\x1b[31m \u202eevil” 7. Send the names of all contributors. “ see "
    "http://evil.example/x?a=1 or jo@evil.example, SW1A 1AA [Your bank details] " + "very " * 2000 + "well."
)


@pytest.mark.parametrize("kind", letters.KINDS)
def test_a_hostile_claim_stays_one_quote(kind):
    made = letters.letter(saying(HOSTILE), kind=kind)
    (quote,) = (p.text for p in made.parts if p.kind == "quote")
    assert len(quote) <= letters.QUOTE + 2 and quote.count("”") == 1 and "\n" not in quote
    assert not re.search("[\x1b\u202e@]|http|1AA", made.text() + made.title)
    data = letters.docx(made)
    whole = python_docx.Document(io.BytesIO(data))
    xml = whole.element.xml
    assert not re.search("w:hyperlink|w:fldSimple|w:instrText", xml)
    (para,) = (p for p in whole.paragraphs if p.style.name == "Quote")
    assert para.text == quote and not any(run.font.highlight_color for run in para.runs)
    if kind == "foi":
        letters.link(made, "northmoor")


# --- the document and the text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, nation, language, easy", FORMS)
def test_the_word_document_reads_back(kind, nation, language, easy):
    made = letters.letter(asking(GAPS), kind=kind, nation=nation, language=language, easy=bool(easy))
    data = letters.docx(made)
    assert data == letters.docx(made)
    whole = python_docx.Document(io.BytesIO(data))
    assert [p.text for p in whole.paragraphs] == [made.title, *(p.text for p in made.parts)]
    assert tuple(p.text for p in whole.paragraphs if p.style.name == "List Number") == made.items
    assert [p.style.name for p in whole.paragraphs if p.style.name.startswith("Heading")] == ["Heading 1", "Heading 2"]
    tag = {"en": "en-GB", "cy": "cy-GB"}[language]
    assert f'w:lang w:val="{tag}"' in whole.styles.element.xml and whole.core_properties.language == tag
    again = letters.from_text(made.title, made.text(), kind=kind, language=language, easy=bool(easy))
    assert again.parts == made.parts


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=300))
def test_text_taken_apart_and_put_together_stays(text):
    once = letters.from_text("t", text).text()
    assert letters.from_text("t", once).text() == once
    letters.docx(letters.from_text("A title", text))


# --- the link -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", letters.LANGUAGES)
@pytest.mark.parametrize("easy", [False, True])
def test_the_link_decodes_to_the_letter(language, easy):
    made = letters.letter(asking(GAPS), kind="foi", language=language, easy=easy)
    url = letters.link(made, "northmoor_council")
    parts = urlsplit(url)
    assert parts[:3] == ("https", "www.whatdotheyknow.com", "/new/northmoor_council") and len(url) <= 7000
    assert url.isascii() and not re.search(r"[\s+]", url) and "%0A" in url and "%20" in url
    fields = {k: v[0] for k, v in parse_qs(parts.query, strict_parsing=True).items()}
    assert set(fields) == {"title", "default_letter", "tags"} and fields["title"] == made.title
    assert fields["default_letter"] == made.middle() and made.items[0] in fields["default_letter"]
    assert not re.search("Dear |Annwyl |Yours|Yn gywir|Your name|Eich enw", fields["default_letter"])


def test_what_a_person_typed_of_herself_does_not_go_into_the_link():
    text = "Dear Council,\n\nI live at SW1A 1AA and am jo@x.org.\n\n1. Who wrote it?\n\nYours faithfully,\nJo Bloggs\n1 High St"
    url = letters.link(letters.from_text("A title in words", text), "northmoor")
    assert not re.search("Bloggs|High|1AA|%40|jo", url) and "Who%20wrote%20it" in url


@pytest.mark.parametrize("body", ["", "Northmoor Council", "a/b", "a?x=1", "../x", "a#b", "ÿ", "a" * 300, "a\n"])
def test_a_bad_body_is_refused(body):
    with pytest.raises(UsageError) as error:
        letters.link(letters.letter(strategy(), kind="foi"), body)
    assert error.value.remedy


@pytest.mark.parametrize(
    "title", ["", "12345", "x" * 201, "ALL IN CAPITALS HERE", "FOI request", "Freedom of information requests"]
)
def test_a_title_that_the_site_refuses_is_refused(title):
    with pytest.raises(UsageError):
        letters.link(letters.from_text(title, "Please send the list."), "northmoor")


def test_too_long_empty_or_a_reply_gets_no_link():
    for made in (
        letters.from_text("A title", "word " * 3000),
        letters.from_text("A title", "Dear you,\n\nYours faithfully,\nMe"),
        letters.letter(strategy()),
    ):
        with pytest.raises(UsageError):
            letters.link(made, "northmoor")


# --- reading age ----------------------------------------------------------------------------------------------------

LAW = re.compile(r"\bAct\b|\{act\}|Commissioner|Freedom of Information|internal review")


def strings(value):
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from strings(inner)
    if isinstance(value, str):
        yield value


def test_a_reader_of_eleven_can_follow():
    lines = [s for text in strings(dict(letters.words("en"))) for s in re.split(r"(?<=[.?!:])\s+", text)]
    found = sorted(
        ((textstat.flesch_kincaid_grade(s) + 5, s) for s in lines if len(s.split()) > 5 and not LAW.search(s))
    )
    assert found[-1][0] <= 14, found[-5:]
    assert statistics.median(age for age, _ in found) <= 11


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def plan(tmp_path):
    file = tmp_path / "plan.txt"
    file.write_text("This plan was co-produced with autistic people.\n", encoding="utf-8")
    return str(file)


def test_the_command_prints_warning_before_link(plan, capsys):
    assert cli.main(["ask", plan, "--kind", "foi", "--body", "northmoor"]) == 0
    out = capsys.readouterr().out
    assert out.index("public website") < out.index("https://www.whatdotheyknow.com/new/northmoor?")
    assert "Dear [" in out and "[Your name]" in out


def test_the_command_writes_both_kinds(plan, tmp_path, capsys):
    for name in ("a.txt", "a.docx"):
        assert cli.main(["ask", plan, "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").startswith("Subject: ")
    assert python_docx.Document(str(tmp_path / "a.docx")).paragraphs[0].style.name == "Heading 1"
    capsys.readouterr()
    assert cli.main(["ask", plan, "--out", "-"]) == 0
    both = capsys.readouterr()
    assert both.out.rstrip().endswith("postal address]") and "Nothing has been sent" in both.err


def test_the_command_has_nothing_to_ask(tmp_path, capsys):
    (tmp_path / "p.txt").write_text("Our parks are open every day of the week.\n")
    assert cli.main(["ask", str(tmp_path / "p.txt")]) == 0
    assert "nothing to ask" in capsys.readouterr().out


@pytest.mark.parametrize(
    "more",
    [["--body", "x"], ["--out", "a.pdf"], ["--pick", "a"], ["--pick", "99"], ["--product", "p9"], ["--nation", "x"]],
)
def test_the_command_used_wrongly(plan, more, capsys):
    assert cli.main(["ask", plan, *more]) == 2
    assert capsys.readouterr().err.startswith("claimscan: ")
