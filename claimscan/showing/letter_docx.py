"""A letter as a Word document: real headings and numbered lists, its language set, no field and no link in it.

The same letter gives the same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimscan.showing.letters import Letter

TAGS = {"en": "en-GB", "cy": "cy-GB"}
STYLES = {"heading": "Heading 2", "item": "List Number", "quote": "Quote"}
MADE = datetime(2000, 1, 1)  # of every letter, so that its bytes depend on its words alone
FONT = "Arial"

_TO_FILL = re.compile(r"(\[[^\[\]]{1,60}\])")


def docx(letter: Letter) -> bytes:
    """The bytes of the ``.docx``. What is to be filled in ([Your name]) is highlighted, in our own words only."""
    from docx import Document
    from docx.enum.text import WD_COLOR_INDEX

    document = Document()
    _prepare(document, letter)
    document.add_heading(letter.title, 1)
    for n, part in enumerate(letter.parts):
        paragraph = document.add_paragraph(style=STYLES.get(part.kind))
        for piece in [part.text] if part.kind == "quote" else _TO_FILL.split(part.text):
            if piece:
                run = paragraph.add_run(piece)
                if part.kind != "quote" and _TO_FILL.fullmatch(piece):
                    run.font.highlight_color = WD_COLOR_INDEX.YELLOW
        if part.kind == "closing" and n + 1 < len(letter.parts):
            paragraph.paragraph_format.keep_with_next = True
    out = io.BytesIO()
    document.save(out)
    return _same_every_time(out.getvalue())


def _prepare(document: Any, letter: Letter) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    about = document.core_properties
    about.title, about.language = letter.title, TAGS[letter.language]
    about.author = about.last_modified_by = about.comments = ""
    about.created = about.modified = MADE
    for section in document.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2.5)
    size = 14 if letter.easy else 12
    for name, points in (("Normal", size), ("Heading 1", size + 4), ("Heading 2", size + 2), ("Quote", size)):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(points), RGBColor(0, 0, 0)
        fonts = style.element.rPr.rFonts
        for key in list(fonts.attrib):  # the theme's fonts would win over the name
            if key.endswith("Theme"):
                del fonts.attrib[key]
        for script in ("w:cs", "w:eastAsia"):
            fonts.set(qn(script), FONT)
        style.paragraph_format.line_spacing = 1.5 if letter.easy else 1.25
        style.paragraph_format.space_after = Pt(8)
    quote = document.styles["Quote"]
    quote.font.italic = False  # italics are hard to read
    quote.paragraph_format.left_indent = Cm(1)
    for style in ("Heading 1", "Heading 2"):
        document.styles[style].paragraph_format.space_before = Pt(12)
    # Word and screen readers take the language from the defaults of the styles.
    for lang in document.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), TAGS[letter.language])


def _same_every_time(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for name in made.namelist():
            if not name.endswith("thumbnail.jpeg"):
                entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                whole.writestr(entry, _without_thumbnail(name, made.read(name)))
    return out.getvalue()


def _without_thumbnail(name: str, data: bytes) -> bytes:
    """The template's picture of an empty page is not this letter's."""
    return re.sub(rb"<Relationship [^>]*thumbnail[^>]*/>", b"", data) if name == "_rels/.rels" else data
