import base64
import csv
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import made_reports
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from claimscan import codebook, pipeline
from claimscan.records import Box, Flag
from claimscan.showing import easy_read, html, pictures, tables, terminal, three_questions, trace, wording


@pytest.fixture(scope="module")
def report():
    return made_reports.strategy()


@pytest.fixture(scope="module")
def page(report):
    return html.page(report)


# --- words ----------------------------------------------------------------------------------------------------------


def test_every_code_of_the_codebook_has_plain_words():
    table = codebook.tables()
    words = wording.tables()
    unstated = {"not_stated", "none_stated"}
    for name, slot in table.slots.items():
        assert name in words["slots"], name
        if name in ("authorship", "reviewers", "contributors"):
            assert set(slot.values) - unstated <= set(words["people"]), name
        elif name != "count":
            assert set(slot.values) - unstated <= set(words["values"][name]), name
    assert set(table.units) - {"", "people"} <= set(words["values"]["unit"])
    for row in words["slots"].values():
        assert set(row.get("unless", ())) <= set(table.slots)


@given(st.text())
def test_clean_text_cannot_move_a_cursor_or_turn_text_round(text):
    cleaned = wording.clean(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ud800-\udfff]", cleaned)
    assert cleaned == wording.clean(cleaned)


@given(st.text(), st.integers(10, 60))
def test_short_text_is_a_start_of_the_clean_text(text, length):
    cut = wording.short(text, length)
    assert len(cut) <= length
    assert wording.clean(text).startswith(cut.removesuffix("…"))


def test_clean_keeps_ordinary_letters():
    assert wording.clean("Mae'r  cynllun\nâ phobl\ttŷ – “fine” 100% £5") == "Mae'r cynllun â phobl tŷ – “fine” 100% £5"


@pytest.mark.parametrize(
    "pages, said",
    [([7], "page 7"), ([7, 9, 10, 11], "pages 7, 9 to 11"), ([2, 1], "pages 1, 2"), ([1, 2, 3], "pages 1 to 3")],
)
def test_page_ranges(pages, said):
    assert wording.page_ranges(pages) == said


@pytest.mark.parametrize(
    "detail, said",
    [
        ({"kind": "vague"}, "no number given"),
        ({"kind": "exact", "le_n": 9, "unit": "members"}, "9 members"),
        ({"kind": "exact", "le_n": 4, "total_n": 12, "unit": "people"}, "4 out of 12 people"),
        ({"kind": "exact", "le_n": 1}, "1 person"),
        ({"kind": "one_of_many", "le_n": 1, "total_n": 14}, "one person out of 14"),
        ({"kind": "min", "total_n": 1000}, "at least 1,000 people in all"),
        ({"kind": "range", "low": 10, "high": 15}, "10 to 15 people"),
    ],
)
def test_counts_in_words(detail, said):
    assert wording.count_words(detail) == said


def test_the_grade_in_words(report):
    f = report.findings
    assert wording.shows(f["p1"]) == (
        "The document shows: people were shown it when it was nearly finished (Tone-checked, level 1 of 6)."
    )
    assert wording.ceiling(f["p1"]) == "Nothing in it rules out level 3 (Consulted)."
    assert wording.shows(f["p4"]).startswith("No evidence given in this document.")
    assert wording.ceiling(replace(f["p1"], ceiling="1")) == "What it states rules out a higher level."
    assert wording.ceiling(replace(f["p1"], grade="6", ceiling="6")) == ""
    assert "For a part of it" in wording.shows(replace(f["p1"], slots={"scope": "part"}))
    assert "could also be read as level 6" in wording.asides(f["p10"])[0]


def test_what_is_not_stated_leaves_out_what_is(report):
    silent = wording.unstated(report.findings["p1"])
    assert "whether they were paid" in silent and "who wrote it" not in silent
    beside = wording.unstated(report.findings["p1"], beside_flags=True)
    assert "whether they were paid" not in beside  # the flag payment-not-stated says it
    assert len(wording.unstated(report.findings["p4"])) == 1
    assert wording.unstated(replace(report.findings["p4"], slots={"payment": "not_stated"})) == wording.unstated(
        report.findings["p4"]
    )


def test_evidence_at_one_place_is_shown_once(report):
    entries = wording.chosen_evidence(report, report.products[0])
    looked = [(e, group) for e, group in entries if "looked over" in e.quote]
    assert len(looked) == 1 and len(looked[0][1]) == 3
    shown = [e.id for _, group in entries for e in group]
    assert sorted(shown) == sorted(e.id for e in report.evidence if e.product == "p1")


# --- the terminal ---------------------------------------------------------------------------------------------------


def test_the_summary_s_first_lines_say_what_it_is_and_how_many_claims(report):
    first = " ".join(terminal.summary(report).split("\n")[:3])
    assert first.startswith("Northmoor All-Age Autism Strategy (strategy.pdf; PDF, 8 pages): 9 claims that something")
    assert "No claim that something was co-produced was found." not in first
    assert terminal.summary(made_reports.plain()).startswith(
        "parks.txt (text): no claim that something was co-produced"
    )


def test_the_summary_says_all_that_a_person_needs(report):
    text = " ".join(terminal.summary(report).split())
    for words in [
        wording.FAIR,
        "Claim: “This All-Age Autism Strategy has been co-produced with autistic residents",
        "(page 2, and 1 more time)",
        "(Tone-checked, level 1 of 6). Nothing in it rules out level 3 (Consulted).",
        "it would be level 5 (Co-designed)",
        "page 3: “Some autistic adults looked over the final version”",
        "Not stated: ",
        "! Concern: The document shows that people who speak for others wrote it",
        "? To ask: The document does not say whether people were paid",
        "+ Credit: The document says openly",
        "What to ask next 1. What changed because of them?",
        "9 other uses of the word, not graded: 2 plans for the future, 2 names or headings",
        "Page 8: no text layer: the page is a picture.",
        "add --ocr",
    ]:
        assert words in text, words


@pytest.mark.parametrize("width", [40, 80, 100, 300, 5])
@pytest.mark.parametrize("everything", [False, True])
def test_the_summary_keeps_to_the_width_and_has_no_colour(report, width, everything):
    text = terminal.summary(report, width=width, everything=everything)
    assert max(map(len, text.split("\n"))) <= max(40, min(width, 100))
    assert "\x1b" not in text and text.endswith("\n")


def test_the_summary_is_no_wall_and_all_shows_everything(report):
    brief, everything = terminal.summary(report), terminal.summary(report, everything=True)
    assert len(brief.split("\n")) < 150 < len(everything.split("\n"))
    flat = " ".join(everything.split())
    for product in report.products:
        assert product.name[1:] in flat
    for mention in wording.other_mentions(report):
        assert wording.short(mention.sentence.text, 120) in flat


def test_colour_only_adds_codes(report):
    coloured = terminal.summary(report, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == terminal.summary(report)


def test_a_document_cannot_send_terminal_codes():
    report = made_reports.hostile()
    for text in (
        terminal.summary(report, everything=True),
        trace.explain(report, report.products[0]),
    ):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


# --- the trace ------------------------------------------------------------------------------------------------------


def test_the_trace_shows_words_slots_rules_and_steps(report):
    text = " ".join(trace.explain(report, report.products[0]).split())
    for words in [
        "m1 DOC_DONE, by rule T4",
        "e3 near_final: when it was nearly finished, by rule stage.1",
        "page 3: “Some autistic adults looked over the final version”",
        "4. D3: The document only shows people taking part at the end",
        "to level 3 (Consulted): one thing that changed because of what people said",
        "concern proxy-led: ",
        "Arnstein 1969: 1 Manipulation to 3 Informing",
    ]:
        assert words in text, words
    assert text.index("1. E13") < text.index("2. 2.2") < text.index("3. D1") < text.index("4. D3")


def test_the_trace_leaves_no_evidence_out(report):
    for product in report.products:
        t = trace.trace(report, product)
        assert {e.id for s in t.slots for e in s.evidence} == {e.id for e in report.evidence if e.product == product.id}
        assert [r.rule for r in t.rules] == [r.rule for r in report.findings[product.id].reasons]


# --- the page -------------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    VOID = {"meta", "img", "br", "link", "input", "hr"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.headings, self.words = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> out of order"

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def test_the_page_is_well_formed_and_accessible(page):
    outline = Outline(page)
    assert outline.open == []
    assert page.startswith("<!DOCTYPE html>")
    for landmark in ("header", "main", "footer"):
        assert outline.tags.count(landmark) == 1
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    ids = [a["id"] for _, a in outline.attributes if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attributes in outline.attributes:
        if tag == "html":
            assert attributes["lang"] == "en-GB"
        if tag == "img":
            assert attributes["alt"] and attributes["width"] and attributes["height"]
        if tag == "a":
            assert attributes["href"][1:] in ids
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
    assert 'name="viewport"' in page and "<title>What the document shows: Northmoor" in page


def test_the_page_runs_nothing_and_loads_nothing(page):
    outline = Outline(page)
    assert not {"script", "link", "iframe", "object", "form", "base"} & set(outline.tags)
    for tag, attributes in outline.attributes:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name in ("src", "href"):
            assert re.match("#|data:image/(png|jpeg);base64,", attributes.get(name) or "#")
    assert "url(" not in page and "@import" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (
        policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_the_page_puts_the_finding_first_and_folds_the_trace_away(page):
    assert page.index("In short") < page.index("Tone-checked, level 1 of 6") < page.index("How this grade was reached")
    for found in re.finditer("Rules that gave the grade", page):
        assert page.rfind("<details>", 0, found.start()) > page.rfind("</details>", 0, found.start())
    words = " ".join(" ".join(Outline(page).words).split())
    assert "We grade what the document shows, not what happened." in words
    assert "The document shows this Tone-checked" in words
    assert "Nothing in the document rules this out Consulted" in words
    assert words.count("Nothing here can be placed on the scale") == 7


def test_each_quote_has_a_picture_of_its_place(report, page):
    pictures = re.findall(r'<img src="data:image/(png|jpeg);base64,([^"]+)" width="(\d+)" height="(\d+)"', page)
    quotes = sum(len(wording.chosen_evidence(report, p)) for p in report.products)
    claims = sum(1 for p in report.products if p.mentions)
    assert len(pictures) >= quotes + claims
    for _, data, width, height in pictures:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            shown = picture.convert("RGB")
            assert abs(shown.width / shown.height - int(width) / int(height)) < 0.1
            colours = {c for _, c in shown.getcolors(shown.width * shown.height)}
            assert any(b > 150 and r < 100 for r, g, b in colours), "no outline"
            assert any(r > 220 and g > 200 and b < 160 for r, g, b in colours), "no wash"


def test_pictures_are_bounded(report, monkeypatch):
    monkeypatch.setattr(pictures, "PICTURES", 3)
    text = html.page(report)
    assert len(set(re.findall(r'<img src="([^"]+)', text))) == 3
    assert "Some pictures of pages were left out" in text
    monkeypatch.setattr(pictures, "PICTURE_BYTES", 0)
    assert "<img" not in html.page(report)


def test_a_page_that_cannot_be_drawn_leaves_the_quote_alone(report, monkeypatch):
    def fail(document, number, scale):
        raise ValueError("no picture")

    monkeypatch.setattr("claimscan.reading.page_image", fail)
    text = html.page(report)
    assert "<img" not in text and "Some autistic adults looked over" in text


def test_a_cropped_picture_stays_small_on_the_page():
    page = Image.new("RGB", (893, 1263), "white")
    far = [Box(1, 60, 100, 300, 112), Box(1, 60, 700, 300, 712)]
    picture = pictures.cropped(page, far, 595.0)
    assert picture.height <= pictures.TALLEST + pictures.MARGIN
    edge = pictures.cropped(page, [Box(1, 0, 0, 595, 9999)], 595.0)
    assert edge.height <= pictures.TALLEST + pictures.MARGIN + 1
    with pytest.raises(ValueError):
        pictures.cropped(page, far, 0.0)


def test_text_from_the_document_is_always_escaped():
    text = html.page(made_reports.hostile())
    outline = Outline(text)
    assert "img" not in outline.tags and "script" not in outline.tags
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    body = text[text.index("<body>") :]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", body)
    assert "<script>" not in html.page(made_reports.strategy())


def test_a_page_without_claims(report):
    text = html.page(made_reports.plain())
    assert "No claim that something was co-produced was found." in text and "<img" not in text


def test_the_colours_have_enough_contrast():
    style = files("claimscan").joinpath("data/templates/report.css").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--([\w-]+): (#\w+)", part)) for part in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(themes) == 3

    def light(colour):
        colour = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    def ratio(a, b):
        high, low = sorted((light(a), light(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for theme in themes:
        for ink in ("ink", "soft", "mark", "concern", "ask", "credit"):
            assert ratio(theme[ink], theme["paper"]) >= 4.5, ink
        for ink, ground in (("ink", "panel"), ("ink", "open"), ("mark-ink", "mark")):
            assert ratio(theme[ink], theme[ground]) >= 4.5, ground


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_table_has_every_mention_and_piece_of_evidence(report):
    rows = list(csv.DictReader(io.StringIO(tables.to_csv([report, made_reports.plain()]), newline="")))
    assert [r["id"] for r in rows] == [m.id for m in report.mentions] + [e.id for e in report.evidence]
    for row in rows:
        if row["row"] == "evidence":
            assert report.text[int(row["start"]) : int(row["end"])] == row["quote"]
    first = rows[0]
    assert (first["grade"], first["ceiling"], first["what"], first["page"]) == ("1", "3", "DOC_DONE", "2")


@given(st.text())
def test_no_cell_can_be_taken_for_a_formula(text):
    cell = tables.safe_cell(text)
    assert not re.match("[\t\r\n]|\\s*[=+\\-@＝＋－＠]", cell)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", cell)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\x00=", "＝"])
def test_formulas_get_an_apostrophe(start):
    assert tables.safe_cell(start + "cmd|' /C calc'!A0").startswith("'")


def test_ordinary_cells_are_left_alone():
    for text in ("co-produced", "£950 a day", "a = b", "", "5"):
        assert tables.safe_cell(text) == text


def test_a_hostile_document_makes_a_harmless_table():
    text = tables.to_csv([made_reports.hostile()])
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert "\x1b" not in text


def test_a_flag_of_the_trace_with_no_evidence(report):
    finding = replace(report.findings["p1"], flags=(Flag("word-inflation", "concern", "Plain words.", ()),))
    changed = replace(report, findings={**report.findings, "p1": finding})
    assert "Plain words." in html.page(changed) and "Plain words." in terminal.summary(changed)


def test_what_others_say_of_a_product_is_no_claim(report):
    reported = next(m for m in report.mentions if m.type == "REPORTED")
    first = replace(report.products[0], mentions=(*report.products[0].mentions, reported.id))
    guide = replace(report.products[-1], mentions=(reported.id,))
    linked = replace(report, products=(first, *report.products[1:-1], guide))
    assert len(wording.claims_of(linked, first)) == 2 and wording.claims_of(linked, guide) == []
    assert wording.claims_found(linked) == wording.claims_found(report)
    assert reported in wording.other_mentions(linked)
    assert "(page 2, and 1 more time)" in " ".join(terminal.summary(linked).split())
    assert wording.claim_words(linked, guide)[0].startswith("Five residents wrote")


# --- the three questions, and Easy Read -------------------------------------------------------------------------------


def test_the_three_questions_are_answered_with_quotes_or_with_silence(report):
    first = three_questions.answered(report, report.products[0])
    assert [q["ask"] for q in first] == [
        "Were people listened to?",
        "Were people used?",
        "Were they the only ones?",
    ]
    silent = three_questions.answered(report, next(p for p in report.products if p.id == "p4"))
    assert all(not q["says"] and q["silent"] == "The document does not say." for q in silent)
    for product in report.products:
        for question in three_questions.answered(report, product):
            assert question["says"] or question["silent"]
            assert len(question["says"]) <= three_questions.MOST
            for place in question["says"]:
                assert place["quote"].rstrip("…") in wording.clean(report.text)


def test_what_people_who_speak_for_others_did_is_said_to_be_theirs():
    check = pipeline.check_text(
        "This strategy was co-produced with autistic adults. Parents and carers wrote this strategy with us. "
        "Some autistic adults looked over the final draft."
    )
    listened = three_questions.answered(check, check.products[0])[0]
    assert listened["says"][0]["words"].startswith("People who speak for them: what ")
    assert listened["silent"] == "Of the people it is about, it does not say."


@pytest.mark.parametrize("language", ["en", "cy"])
def test_easy_read_has_words_for_every_grade_and_question(language):
    words = easy_read.table(language)
    assert {key: type(value) for key, value in words.items()} == {
        key: type(value) for key, value in easy_read.table().items()
    }
    assert set(words["grades"]) == {*wording.LEVELS, *codebook.tables().statuses}
    assert set(words["gaps"]) == {gap.gap for gap in codebook.tables().gaps}


def test_easy_read_is_in_short_sentences_and_never_more_than_the_finding(report):
    for product in report.products:
        parts = easy_read.lines(report, product)
        lines = [line.replace(product.name, "it") for part in parts for line in part["lines"]]
        assert all(len(line.split()) <= 12 for line in lines if line), lines
        assert "It may still have happened." in lines
