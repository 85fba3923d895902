"""Reading: text in order, blocks and their kinds, places on the page, for every format. All documents are made here."""

import io
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas
from reportlab.platypus import Table

from claimscan import reading
from claimscan.reading.tidying import Tidier, keeps_hyphen, places, words_of
from claimscan.records import Settings

WIDTH, HEIGHT = A4


def made(*pages, **keywords):
    """A PDF of A4 pages. Each page is a function that draws on the canvas it is given."""
    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer, pagesize=A4, invariant=1, **keywords)
    for draw in pages:
        draw(sheet)
        sheet.showPage()
    sheet.save()
    return buffer.getvalue()


def lines(words, x=72, top=100, size=10, pitch=13, font="Helvetica"):
    """Draws lines of text one under the other; ``top`` counts from the top of the page."""

    def draw(sheet):
        sheet.setFont(font, size)
        for number, line in enumerate(words):
            sheet.drawString(x, HEIGHT - top - number * pitch, line)

    return draw


def together(*draws):
    def draw(sheet):
        for one in draws:
            one(sheet)

    return draw


def read_pdf(*pages, **keywords):
    return reading.read_bytes(made(*pages), "made.pdf", **keywords)


def shown(document, page=None):
    return [
        (block.kind, document.text[block.start : block.end])
        for block in document.blocks
        if page is None or block.page == page
    ]


PARAGRAPH = [
    "The people of Northmoor have told us for years that the path along the",
    "river is too narrow for a wheelchair and too dark for anybody. This plan",
    "says what the council will do about it, by when, and who pays.",
]
OTHER = [
    "Eleven residents met in the old library on six Tuesday evenings. They",
    "drew the route themselves, and the engineers changed two crossings when",
    "the group said that nobody would use them.",
]


# --- PDF: lines, blocks, kinds


def test_wrapped_lines_are_one_block_and_paragraphs_are_apart():
    document = read_pdf(together(lines(PARAGRAPH), lines(OTHER, top=160)))
    assert shown(document) == [("paragraph", " ".join(PARAGRAPH)), ("paragraph", " ".join(OTHER))]
    assert document.format == "pdf"
    assert document.pages[0].width == pytest.approx(WIDTH, abs=0.1)


def test_short_line_ends_a_paragraph_without_any_extra_space():
    first = [*PARAGRAPH[:2], "says what the council will do."]
    document = read_pdf(lines([*first, *OTHER]))
    assert [text for _, text in shown(document)] == [" ".join(first), " ".join(OTHER)]


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("Every page of the document that you are reading now was co-", "produced with tenants.", "co-produced with"),
        ("Members of the panel and two of the officers decided to co-", "design the leaflet.", "co-design the"),
        ("Nobody who was asked had been shown the earlier stra-", "tegy before the meeting.", "strategy before"),
        ("The work was led by a group of people with long-", "term conditions.", "long-term conditions"),
    ],
)
def test_words_broken_at_a_line_end(first, second, whole):
    text = read_pdf(lines([first, second])).text
    assert whole in text


def test_a_compound_seen_elsewhere_keeps_its_hyphen():
    document = read_pdf(
        lines(["The harbour-side group met twice and liked what it had seen there.", "", "", ""]),
        lines(["Afterwards several people went for a walk along the harbour-", "side wall."]),
    )
    assert "along the harbour-side wall" in document.text


def test_headings_items_and_levels():
    document = read_pdf(
        together(
            lines(["River Path Plan"], top=80, size=24, font="Helvetica-Bold"),
            lines(["What we heard"], top=120, size=15, font="Helvetica-Bold"),
            lines(PARAGRAPH, top=145),
            lines(["Lighting"], top=200, font="Helvetica-Bold"),
            lines(OTHER, top=215),
            lines(
                ["• lamps every twenty metres along the whole of the western bank of", "  the river", "• a bench"],
                top=270,
            ),
        )
    )
    kinds = [(block.kind, block.level, document.text[block.start : block.end]) for block in document.blocks]
    assert kinds[0] == ("heading", 1, "River Path Plan")
    assert kinds[1][:2] == ("heading", 2) and kinds[1][2] == "What we heard"
    assert kinds[2][0] == "paragraph"
    assert kinds[3][0] == "heading" and kinds[3][1] > 2
    assert [kind for kind, _, _ in kinds[5:]] == ["item", "item"]
    assert kinds[5][2].endswith("western bank of the river")
    assert document.title == "River Path Plan"


def test_running_heads_and_page_numbers_are_furniture_and_stay_in_the_text():
    def page(number):
        return together(
            lines(["Northmoor River Path Plan 2031"], top=30, size=8),
            lines([f"Part {number}: " + PARAGRAPH[0], *PARAGRAPH[1:]], top=120),
            lines([f"Page {number} of 4"], top=HEIGHT - 30, size=8),
        )

    document = read_pdf(*(page(number) for number in range(1, 5)))
    furniture = [text for kind, text in shown(document) if kind == "furniture"]
    assert Counter(furniture)["Northmoor River Path Plan 2031"] == 4
    assert "Page 3 of 4" in furniture
    assert [kind for kind, _ in shown(document, 2)] == ["furniture", "paragraph", "furniture"]


def test_a_footnote_that_differs_only_in_its_number_is_not_furniture():
    def page(number):
        return together(
            lines(PARAGRAPH, top=120), lines([f"{number * 3} Minutes, item {number * 7 % 5}."], top=790, size=7)
        )

    document = read_pdf(*(page(number) for number in range(1, 6)))
    assert "furniture" not in {kind for kind, _ in shown(document)}


def test_contents_lines_are_furniture():
    entries = [f"{name} {'.' * 40} {page}" for name, page in (("Foreword", 3), ("Co-production", 7), ("Money", 12))]
    document = read_pdf(together(lines(["Contents"], size=16, top=80), lines(entries, top=120)), lines(PARAGRAPH))
    assert [kind for kind, _ in shown(document, 1)] == ["heading", "furniture", "furniture", "furniture"]


def test_dots_and_rules_that_lead_to_no_page_number_are_not_contents():
    document = read_pdf(lines(["And the lamps came on.....", "", "Name of the member: ____________", "", *PARAGRAPH]))
    assert "furniture" not in {kind for kind, _ in shown(document)}


def test_boxes_side_by_side_are_not_run_together():
    left = ["“Nobody asked us anything at all", "before the path was drawn.”"]
    right = ["“They asked us twice, and wrote", "down what we said.”"]
    document = read_pdf(together(lines(right, x=330, top=104), lines(left, x=72, top=110)))
    assert sorted(text for _, text in shown(document)) == sorted([" ".join(left), " ".join(right)])


def test_off_the_page_is_not_read():
    document = read_pdf(together(lines(PARAGRAPH), lines(["slug line 4 proof"], top=-40)))
    assert "slug" not in document.text


# --- PDF: columns, boxes, tables

LEFT = [
    "The first column starts with a",
    "sentence that runs over several",
    "short lines of print, as columns",
    "in a newsletter do, and then ends.",
    "A second sentence follows it so",
    "that there is something to mix up",
    "if the reader takes lines across.",
]
RIGHT = [
    "The other column tells of another",
    "thing altogether, which is how the",
    "money was found for the bridge and",
    "who signed the paper in the end.",
    "It was the chair of the tenants",
    "who signed, with the surveyor as",
    "her witness, on a wet Monday.",
]


def columns(sheet, by_row):
    sheet.setFont("Helvetica", 10)
    places_ = [(72, number, line) for number, line in enumerate(LEFT)]
    places_ += [(310, number, line) for number, line in enumerate(RIGHT)]
    for x, number, line in sorted(places_, key=lambda place: place[1]) if by_row else places_:
        sheet.drawString(x, HEIGHT - 150 - 13 * number, line)


@pytest.mark.parametrize("by_row", [False, True], ids=["in order", "written across"])
def test_two_columns(by_row):
    document = read_pdf(
        together(
            lines(["A newsletter"], top=100, size=20), lambda sheet: columns(sheet, by_row), lines(PARAGRAPH, top=300)
        )
    )
    text = " ".join(document.text.split())
    expected = ["A newsletter", " ".join(LEFT), " ".join(RIGHT), " ".join(PARAGRAPH)]
    assert [text.index(part) for part in expected] == sorted(text.index(part) for part in expected)


def test_text_written_from_the_foot_up_is_put_in_order():
    def upside(sheet):
        sheet.setFont("Helvetica", 10)
        for number in reversed(range(3)):
            sheet.drawString(72, HEIGHT - 160 - 13 * number, OTHER[number])
        for number in reversed(range(3)):
            sheet.drawString(72, HEIGHT - 100 - 13 * number, PARAGRAPH[number])

    assert [text for _, text in shown(read_pdf(upside))] == [" ".join(PARAGRAPH), " ".join(OTHER)]


def test_a_side_box_does_not_break_the_paragraph_beside_it():
    narrow = [line[:48].rsplit(" ", 1)[0] for line in [*PARAGRAPH, *OTHER]]
    box = ["In brief", "Six meetings.", "Eleven people."]
    document = read_pdf(together(lines(narrow[:3]), lines(box, x=400, top=100), lines(narrow[3:], top=139)))
    text = " ".join(document.text.split())
    assert "In brief" in text and " ".join(narrow[:3]) in text and " ".join(narrow[3:]) in text


ROWS = [
    ["Action", "Who", "By when"],
    ["Widen the path at the mill", "Highways", "May"],
    ["Put up eleven lamps", "Street lighting", "June"],
    ["Ask the tenants again", "The panel", "July"],
]


def table(style, rows=ROWS, widths=(200, 120, 80)):
    def draw(sheet):
        drawn = Table(rows, colWidths=widths)
        drawn.setStyle(style)
        _, height = drawn.wrapOn(sheet, WIDTH, HEIGHT)
        drawn.drawOn(sheet, 72, HEIGHT - 250 - height)

    return draw


@pytest.mark.parametrize(
    "style",
    [
        [("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
        [("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.black), ("LINEABOVE", (0, 0), (-1, 0), 0.5, colors.black)],
        [],
    ],
    ids=["ruled", "level rules", "no rules"],
)
def test_table_rows_are_rows(style):
    document = read_pdf(together(lines(PARAGRAPH), table(style), lines(OTHER, top=420)))
    assert [text for kind, text in shown(document) if kind == "row"] == [" | ".join(row) for row in ROWS]
    assert shown(document)[0] == ("paragraph", " ".join(PARAGRAPH))
    assert shown(document)[-1] == ("paragraph", " ".join(OTHER))


def test_wrapped_cells_stay_in_their_cell():
    rows = [
        ["What we will do", "Who does it"],
        ["Widen the path at the\nold mill and mend the\nrailing there", "Highways, with\nthe tenants"],
        ["Put up lamps", "Street lighting\nand the panel"],
    ]
    document = read_pdf(
        together(lines(PARAGRAPH), table([("GRID", (0, 0), (-1, -1), 0.5, colors.black)], rows, (150, 150)))
    )
    assert [text for kind, text in shown(document) if kind == "row"] == [
        " | ".join(" ".join(cell.split()) for cell in row) for row in rows
    ]


# --- PDF: places


def words_with_boxes(data):
    import pdfplumber

    with pdfplumber.open(io.BytesIO(data)) as file:
        for page in file.pages:
            for word in page.extract_words():
                yield page.page_number, word
            page.close()


@pytest.mark.parametrize("turn", [0, 90, 270])
def test_boxes_agree_with_pdfplumber(turn):
    from pypdf import PdfReader, PdfWriter

    data = made(together(lines(PARAGRAPH), lines(OTHER, top=200)), lines(RIGHT, x=200))
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for page in writer.pages:
        page.rotate(turn)
    buffer = io.BytesIO()
    writer.write(buffer)
    data = buffer.getvalue()
    document = reading.read_bytes(data, "made.pdf")
    expected = {}
    for page, word in words_with_boxes(data):
        expected.setdefault((page, word["text"]), []).append(word)
    checked = 0
    for found in re.finditer(r"\S+", document.text):
        (boxes,) = reading.locate(document, [found.span()])
        assert len(boxes) == 1
        if turn:
            assert 0 <= boxes[0].x0 < boxes[0].x1 <= document.pages[boxes[0].page - 1].width
            continue
        near = [
            word
            for word in expected[boxes[0].page, found[0]]
            if abs(word["x0"] - boxes[0].x0) < 2.5
            and abs(word["x1"] - boxes[0].x1) < 2.5
            and word["top"] - 2 < boxes[0].top < boxes[0].bottom < word["bottom"] + 2
        ]
        assert near, (found[0], boxes)
        checked += 1
    assert turn or checked > 70


def test_a_span_over_two_lines_has_a_box_for_each():
    document = read_pdf(lines(PARAGRAPH))
    start = document.text.index("along the river")
    (boxes,) = reading.locate(document, [(start, start + len("along the river"))])
    assert len(boxes) == 2
    assert boxes[0].bottom < boxes[1].bottom and boxes[1].x0 == pytest.approx(72, abs=2)


def test_a_box_for_a_word_broken_over_two_lines():
    document = read_pdf(
        lines(["Nobody who was asked had been shown the earlier stra-", "tegy before the meeting began."])
    )
    start = document.text.index("strategy")
    (boxes,) = reading.locate(document, [(start, start + 8)])
    assert len(boxes) == 2


def test_boxes_of_a_table_cell_and_of_an_unmeasured_document():
    page = together(lines(PARAGRAPH), table([("GRID", (0, 0), (-1, -1), 0.5, colors.black)]))
    for matters in (None, lambda words: False):
        document = read_pdf(page, matters=matters)
        start = document.text.index("Street lighting")
        (boxes,) = reading.locate(document, [(start, start + 15)])
        assert len(boxes) == 1 and 260 < boxes[0].x0 < 300, boxes


def test_page_image_has_the_right_size_and_colours():
    def square(sheet):
        sheet.setFillColor(colors.Color(1, 0, 0))
        sheet.rect(0, HEIGHT - 100, 100, 100, stroke=0, fill=1)

    document = read_pdf(together(lines(PARAGRAPH), square))
    image = reading.page_image(document, 1, 1.0)
    assert image.size == (int(WIDTH), int(HEIGHT))
    assert image.getpixel((50, 50)) == (255, 0, 0) and image.getpixel((580, 830)) == (255, 255, 255)
    assert image.crop((0, 101, *image.size)).convert("L").getextrema()[0] < 100  # there is ink on it
    with pytest.raises(ValueError):
        reading.page_image(document, 2, 1.0)
    with pytest.raises(ValueError):
        reading.page_image(reading.read_text("words"), 1, 1.0)


# --- PDF: the short way


def test_a_document_that_does_not_matter_is_words_alone():
    pages = [together(lines(PARAGRAPH), lines(OTHER, top=200)), lines(RIGHT)]
    asked = []

    def matters(words):
        asked.append(words)
        return False

    short, whole = read_pdf(*pages, matters=matters), read_pdf(*pages)
    assert len(asked) == 2 and "river is too narrow" in asked[0]
    assert short.text.split() == whole.text.split()
    assert [(page.number, page.width) for page in short.pages] == [(page.number, page.width) for page in whole.pages]


def test_a_document_that_matters_on_its_last_page_is_read_in_full():
    pages = [together(lines(PARAGRAPH), lines(OTHER, top=200)), lines(["It was co-", "produced with tenants."])]
    document = read_pdf(*pages, matters=lambda words: "co-produced" in words)
    whole = read_pdf(*pages)
    assert document == whole


def test_pages_with_no_text_are_unread_with_the_reason():
    from PIL import Image

    def picture(sheet):
        from reportlab.lib.utils import ImageReader

        sheet.drawImage(ImageReader(Image.new("RGB", (60, 60), "grey")), 100, 300, 300, 300)

    document = read_pdf(lines(PARAGRAPH), picture, lambda sheet: None)
    assert [page.unread for page in document.pages] == ["", "no text layer: the page is a picture", ""]


@pytest.mark.slow
def test_ocr_reads_a_picture_of_a_page():
    from claimscan.reading import ocr

    if not ocr.available():
        pytest.skip("tesseract or pytesseract is not installed")
    picture = reading.page_image(read_pdf(lines(PARAGRAPH, size=12, pitch=16)), 1, 3.0)

    def draw(sheet):
        from reportlab.lib.utils import ImageReader

        sheet.drawImage(ImageReader(picture), 0, 0, WIDTH, HEIGHT)

    document = read_pdf(lines(OTHER), draw, settings=Settings(ocr=True))
    assert document.pages[1].ocr and not document.pages[0].ocr and not document.pages[1].unread
    text = document.text[document.pages[1].start : document.pages[1].end]
    assert "river is too narrow for a wheelchair" in text


# --- plain text

CASES = [
    ("hard-wrapped", "\n".join(PARAGRAPH) + "\n\n" + "\n".join(OTHER) + "\n", ["paragraph", "paragraph"]),
    (
        "letter",
        "Northmoor Council\nTown Hall\nMill Street\n\nDear Ms Abara\n\nThank you for coming on Monday.\n"
        "\nYours sincerely\nJ Poole",
        None,
    ),
    (
        "headings",
        "CLEAN AIR PLAN\n\nWhat alters in September\n"
        "From the first of the month no lorry may stop in Mill Street with its engine on.\n",
        ["heading", "heading", "paragraph"],
    ),
    (
        "items",
        "Standards\n\nStandard 1  Badges can be read\nStandard 2  Calls are returned\n",
        ["heading", "item", "item"],
    ),
    ("bullets", "We will:\n- mend the path\n- put up lamps that\n  come on at dusk\n", ["paragraph", "item", "item"]),
    ("rows", "Name\tRole\nA Poole\tChair\nB Abara\tMember\n", ["row", "row", "row"]),
]


@pytest.mark.parametrize(("text", "kinds"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_plain_text(text, kinds):
    document = reading.read_text(text)
    assert document.text == text and document.format == "text" and len(document.pages) == 1
    if kinds is not None:
        assert [block.kind for block in document.blocks] == kinds


def test_the_lines_of_a_letter_are_blocks_of_their_own():
    blocks = [text for _, text in shown(reading.read_text(CASES[1][1]))]
    assert blocks[:3] == ["Northmoor Council", "Town Hall", "Mill Street"]
    assert "Thank you for coming on Monday." in blocks


def test_a_single_line_is_a_paragraph():
    assert [block.kind for block in reading.read_text("This plan was co-produced with tenants").blocks] == ["paragraph"]


@given(st.text(alphabet=st.sampled_from("ab Co-.\n\r\t\f1•:|é\u2010"), max_size=200))
@settings(max_examples=150, deadline=None)
def test_blocks_of_any_text_cover_it_and_do_not_overlap(text):
    document = reading.read_text(text)
    assert document.text == text
    at = 0
    for block in document.blocks:
        assert at <= block.start < block.end <= len(text)
        assert not text[at : block.start].strip()
        assert text[block.start] == text[block.start].strip() and text[block.end - 1].strip()
        at = block.end
    assert not text[at:].strip()


# --- files of other kinds


def test_a_text_file_is_reflowed_and_form_feeds_part_pages():
    data = (
        "\n".join(PARAGRAPH) + "\n\fThe stra-\ntegy was co-\nproduced by the tenants and the council together.\n"
    ).encode()
    document = reading.read_bytes(data, "plan.txt")
    assert shown(document)[0] == ("paragraph", " ".join(PARAGRAPH))
    assert document.text[document.pages[1].start :].startswith("The strategy was co-produced by")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings(encoding):
    text = (
        "The café group’s plan – co‑produced in Northmoor.\n"
        if encoding != "cp1252"
        else "The café group’s plan – in Northmoor.\n"
    )
    document = reading.read_bytes(text.encode(encoding), "plan.txt")
    assert document.text == text.strip()
    assert [warning.code for warning in document.warnings] == (["encoding"] if encoding == "cp1252" else [])


MARKDOWN = """---
title: "The River Path"
layout: !!python/object/apply:os.system ["exit 1"]
---
# What we did

We met **six** times,
and wrote it [together](https://example.org).

- one lamp
- two lamps

| Who | When |
|-----|------|
| The panel | May |
"""


def test_markdown():
    document = reading.read_bytes(MARKDOWN.encode(), "plan.md")
    assert document.title == "The River Path"
    assert shown(document) == [
        ("heading", "What we did"),
        ("paragraph", "We met six times, and wrote it together."),
        ("item", "one lamp"),
        ("item", "two lamps"),
        ("row", "Who | When"),
        ("row", "The panel | May"),
    ]


HTML = """<!DOCTYPE html><html><head><title>River path | Northmoor</title><style>p {}</style></head><body>
<header>Northmoor Council</header><nav><ul><li>Home</li></ul></nav><main><h1>The river path</h1>
<p>We met <b>six</b> times,<br>and wrote it&nbsp;together.<script>alert("no")</script></p><img src="x.png" alt="A lamp">
<h2>Lamps</h2><ul><li>one</li><li>two</li></ul>
<table><tr><th>Who</th><th>When</th></tr><tr><td>The panel</td><td>May</td></tr>
</table><p hidden>secret</p></main><footer>Contact us</footer></body></html>"""


def test_html():
    document = reading.read_bytes(HTML.encode(), "plan.html")
    assert document.title == "The river path" and document.format == "html"
    assert shown(document) == [
        ("furniture", "Northmoor Council"),
        ("furniture", "Home"),
        ("heading", "The river path"),
        ("paragraph", "We met six times, and wrote it together."),
        ("heading", "Lamps"),
        ("item", "one"),
        ("item", "two"),
        ("row", "Who | When"),
        ("row", "The panel | May"),
        ("furniture", "Contact us"),
    ]


def test_docx():
    import docx
    from docx.enum.text import WD_BREAK

    document = docx.Document()
    document.core_properties.title = ""
    document.sections[0].header.paragraphs[0].text = "Northmoor Council"
    document.add_heading("The river path", 0)
    document.add_heading("Lamps", 1)
    paragraph = document.add_paragraph("We met six ")
    paragraph.add_run("times.").bold = True
    document.add_paragraph("one lamp", style="List Bullet")
    drawn = document.add_table(2, 2)
    for number, words in enumerate(("Who", "When", "The panel", "May")):
        drawn.cell(number // 2, number % 2).text = words
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    document.add_paragraph("On the next page.")
    buffer = io.BytesIO()
    document.save(buffer)
    found = reading.read_bytes(buffer.getvalue(), "plan.docx")
    assert shown(found) == [
        ("furniture", "Northmoor Council"),
        ("heading", "The river path"),
        ("heading", "Lamps"),
        ("paragraph", "We met six times."),
        ("item", "one lamp"),
        ("row", "Who | When"),
        ("row", "The panel | May"),
        ("paragraph", "On the next page."),
    ]
    assert len(found.pages) == 2 and found.title == "The river path"
    assert reading.locate(found, [(0, 5)]) == [()]


def test_another_language_is_warned_about():
    french = (
        "Le conseil a décidé que les habitants de la ville et des villages sont invités à une réunion pour parler de "
        "la route. Nous avons choisi avec eux une date qui est bonne pour tous, "
        "et la salle est dans le centre de la commune. "
        "Les personnes qui ne peuvent pas venir sont priées de nous écrire ou de nous parler au marché."
    )
    welsh = (
        "Mae'r cyngor wedi cytuno i weithio gyda pobl y dref er mwyn gwella y llwybr. "
        "Mae hyn yn rhan o waith y fforwm, ac "
        "mae aelodau yn cael eu talu am eu gwaith. "
        "Bydd y cynllun yn cael ei drafod eto yn y gwanwyn "
        "gan bod angen mwy o amser ar y grŵp."
    )
    assert [warning.code for warning in reading.read_text(french).warnings] == ["language"]
    assert "French" in reading.read_text(french).warnings[0].message
    assert reading.read_text(welsh).warnings == ()
    assert reading.read_text(" ".join(PARAGRAPH + OTHER)).warnings == ()


# --- tidying


@pytest.mark.parametrize(
    ("before", "after", "known", "kept"),
    [
        ("co", "produced", "", True),
        ("Co", "ordination", "", True),
        ("co", "mmunity", "", False),
        ("stra", "tegy", "", False),
        ("2019", "2020", "", True),
        ("Anglo", "Welsh", "", True),
        ("harbour", "side", "the harbour-side, where", True),
        ("user", "led", "a (user\u2010led) group", True),
        ("over", "lap", "where they overlap", False),
    ],
)
def test_hyphens(before, after, known, kept):
    assert keeps_hyphen(before, after, words_of(known)) is kept


RAW = st.text(alphabet=st.sampled_from("abc co-\ufffe\x02\xad\xa0\r\nﬁﬄ .\u2010\u200b"), min_size=1, max_size=60)


@given(RAW)
@settings(max_examples=200, deadline=None)
def test_every_tidied_character_knows_where_it_came_from(raw):
    source = raw.strip()
    text = Tidier(lambda: "").tidy(source)
    found = places(text, source)
    assert len(found) == len(text)
    assert found == sorted(found)
    for character, at in zip(text, found, strict=True):
        if character.isalpha() and source[at].isascii():
            assert source[at] == character


def test_ligatures_soft_hyphens_and_unusual_hyphens():
    assert Tidier(lambda: "").tidy("of\ufb01ce\u00ads co\u2010produced") == "offices co\u2010produced"


def test_same_bytes_same_document():
    data = made(together(lines(PARAGRAPH), table([("GRID", (0, 0), (-1, -1), 0.5, colors.black)])))
    assert reading.read_bytes(data, "a.pdf") == reading.read_bytes(data, "a.pdf")
