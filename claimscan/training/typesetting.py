"""Corpus documents as PDFs in four layouts, each with the troubles that real strategies give a reader.

================  ====================================================================================================
``one-column``    serif, justified, running head and foot, ligatures (fi, fl, ff) as single characters
``two-column``    two narrow justified columns; lines end in hyphens, also inside "co-produced"
``boxes-tables``  sans serif; boxes beside each other, full tables with heads that repeat on every page
``designed``      a cover page, side column with pull quotes and boxes, coloured panels; U+2010 for every hyphen
================  ====================================================================================================

Each block of the document is drawn as one marked-content sequence whose MCID is the number of the block, and all that
is not in the gold text (running heads, page numbers, contents, decoration) as an artifact: so
:mod:`claimscan.training.places` finds every character again with certainty. The bytes depend on the document alone.
"""

from __future__ import annotations

import io
import re
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBG,
    Indenter,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Spacer,
    Table,
)

from claimscan.errors import ClaimscanError
from claimscan.training.flowables import Aside, Contents, Flush, FrameEnd, Rule, Side, Words, artifact
from claimscan.training.gold import GoldBlock, GoldDocument
from claimscan.training.looks import HEIGHT, LOOKS, SECOND, SIDE, WIDTH, Look, register_fonts


class TypesettingError(ClaimscanError):
    """A document cannot be typeset."""

    exit_code = 2


def typeset(document: GoldDocument, layout: str) -> bytes:
    """The document as a PDF, the same bytes every time.

    Raises:
        TypesettingError: a character is in none of the fonts, or a block does not fit on a page.
    """
    register_fonts()
    look = LOOKS[layout]
    press = _Press(document, layout, look)
    press.check_letters()
    out = io.BytesIO()
    template = _Template(press, out)
    try:
        template.multiBuild(press.story())
    except Exception as error:  # reportlab raises its own classes and bare ValueErrors
        raise TypesettingError(f"{document.id} cannot be typeset as {layout}: {error}") from error
    return out.getvalue()


# --- the pages ------------------------------------------------------------------------------------------------------


class _Template(BaseDocTemplate):  # type: ignore[misc]
    """Page templates of one layout, with their running heads and feet."""

    def __init__(self, press: _Press, out: io.BytesIO) -> None:
        self.press = press
        document = press.document
        super().__init__(
            out,
            pagesize=A4,
            title=document.title,
            author=document.body,
            subject=document.register,
            lang="cy" if document.language == "cy" else "en-GB",
            invariant=1,
        )
        look, layout = press.look, press.layout
        frame = dict(leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
        tall = HEIGHT - look.top - look.bottom
        if layout == "two-column":
            columns = [Frame(x, look.bottom, look.column, tall, **frame) for x in press.columns()]
            short = tall - press.masthead_height
            first = [Frame(look.left, look.bottom + short, WIDTH - 2 * look.left, press.masthead_height, **frame)]
            first += [Frame(x, look.bottom, look.column, short, **frame) for x in press.columns()]
            pages = [
                PageTemplate("first", first, onPage=self.chrome),
                PageTemplate("body", columns, onPage=self.chrome),
            ]
        else:
            main = Frame(look.left, look.bottom, look.column, tall, **frame)
            pages = [PageTemplate("body", [main], onPage=self.chrome)]
        if layout == "designed":
            cover = Frame(64, 96, WIDTH - 150, HEIGHT - 330, **frame)
            pages.append(PageTemplate("cover", [cover], onPage=self.cover))
        start = press.first_template()
        self.addPageTemplates(sorted(pages, key=lambda page: page.id != start))

    def beforeDocument(self) -> None:
        self.press.side.waiting.clear()

    def afterFlowable(self, flowable: Flowable) -> None:
        if isinstance(flowable, Words) and flowable.entry:
            self.notify("TOCEntry", (*flowable.entry, self.page))

    def chrome(self, canvas: Any, _template: Any) -> None:
        """Running head and foot."""
        press, look = self.press, self.press.look
        head, body = look.dressed(press.document.running_head), look.dressed(press.document.body)
        font, right = look.heads, WIDTH - look.left
        if pdfmetrics.stringWidth(f"{head}  |  {body}", font, 8.5) > WIDTH - 2 * look.left - 40:
            body = ""  # no room for both
        with artifact(canvas):
            canvas.saveState()
            canvas.setFillColor(HexColor("#555555"))
            canvas.setFont(font, 8.5)
            if press.layout == "one-column":
                canvas.drawCentredString(WIDTH / 2, HEIGHT - 52, head)
                canvas.line(look.left, HEIGHT - 60, right, HEIGHT - 60)
                canvas.drawCentredString(WIDTH / 2, 40, str(self.page))
            elif press.layout == "two-column":
                outer, inner = (right, look.left) if self.page % 2 else (look.left, right)
                (canvas.drawRightString if self.page % 2 else canvas.drawString)(outer, HEIGHT - 48, head)
                (canvas.drawString if self.page % 2 else canvas.drawRightString)(inner, HEIGHT - 48, body)
                canvas.drawCentredString(WIDTH / 2, 42, f"Page {self.page}")
                canvas.setStrokeColor(HexColor("#bbbbbb"))
                canvas.line(WIDTH / 2, look.bottom, WIDTH / 2, HEIGHT - look.top - press.masthead(self.page))
            elif press.layout == "boxes-tables":
                canvas.setFillColor(look.accent)
                canvas.rect(0, HEIGHT - 34, WIDTH, 34, stroke=0, fill=1)
                canvas.setFillColor(white)
                canvas.drawString(look.left, HEIGHT - 22, head)
                canvas.setFillColor(HexColor("#555555"))
                canvas.drawString(look.left, 36, body)
                canvas.drawRightString(right, 36, f"{self.page}")
            else:
                canvas.setFillColor(look.accent)
                canvas.rect(0, HEIGHT - 14, WIDTH, 14, stroke=0, fill=1)
                canvas.setFillColor(SECOND)
                canvas.circle(WIDTH - 52, 38, 13, stroke=0, fill=1)
                canvas.setFillColor(white)
                canvas.setFont(font + "-Bold", 9)
                canvas.drawCentredString(WIDTH - 52, 35, str(self.page))
                canvas.setFillColor(HexColor("#555555"))
                canvas.setFont(font, 8.5)
                canvas.drawString(look.left, 35, f"{head}  |  {body}" if body else head)
            canvas.restoreState()
        if press.layout == "designed":
            press.side.new_page(canvas)

    def cover(self, canvas: Any, _template: Any) -> None:
        """The cover page of the designed layout: shapes, and the name of the body."""
        look = self.press.look
        with artifact(canvas):
            canvas.saveState()
            canvas.setFillColor(look.accent)
            canvas.rect(0, 0, WIDTH, HEIGHT, stroke=0, fill=1)
            canvas.setFillColor(HexColor("#63439f"))
            canvas.circle(WIDTH - 60, HEIGHT - 90, 190, stroke=0, fill=1)
            canvas.setFillColor(SECOND)
            canvas.circle(WIDTH - 200, HEIGHT - 60, 74, stroke=0, fill=1)
            canvas.setFillColor(HexColor("#f0b429"))
            canvas.circle(WIDTH - 30, 70, 110, stroke=0, fill=1)
            canvas.setFillColor(white)
            canvas.setFont(look.heads + "-Bold", 13)
            canvas.drawString(64, 52, look.dressed(self.press.document.body))
            canvas.restoreState()


class _Press:
    """One document in one layout: its story for reportlab."""

    def __init__(self, document: GoldDocument, layout: str, look: Look) -> None:
        self.document, self.layout, self.look = document, layout, look
        self.side = Side()
        self.cover_blocks = [(i, b) for i, b in enumerate(document.blocks) if b.place == "cover"]
        self.chapter = min((b.level for b in document.blocks if b.kind == "heading" and b.place == "body"), default=2)
        self.masthead_height = 0.0
        if layout == "two-column" and self.cover_blocks:
            wide = WIDTH - 2 * look.left
            self.masthead_height = 34 + sum(
                f.wrap(wide, HEIGHT)[1] + f.getSpaceBefore() + f.getSpaceAfter() for f in self.masthead_story()
            )

    def columns(self) -> tuple[float, float]:
        return self.look.left, WIDTH - self.look.left - self.look.column

    def masthead(self, page: int) -> float:
        return self.masthead_height if page == 1 else 0.0

    def first_template(self) -> str:
        if self.cover_blocks and self.layout == "designed":
            return "cover"
        return "first" if self.masthead_height else "body"

    # --- words

    def check_letters(self) -> None:
        known = pdfmetrics.getFont(self.look.body).face.charToGlyph
        for block in self.document.blocks:
            text = self.look.dressed(self.document.text[block.start : block.end])
            if strange := sorted({letter for letter in text if ord(letter) not in known}):
                raise TypesettingError(
                    f"{self.document.id}.txt:{block.line}: no letter shape for {' '.join(map(repr, strange))}"
                    f" in the fonts of {self.layout}",
                    "Write it another way; the fonts have Latin and Welsh letters, no emoji and no tick boxes.",
                )

    def style(self, name: str, **more: Any) -> ParagraphStyle:
        look = self.look
        plain: dict[str, Any] = dict(
            fontName=look.body,
            bulletFontName=look.body,
            fontSize=look.size,
            leading=look.leading,
            spaceAfter=look.size * 0.65,
            alignment=TA_JUSTIFY if look.justified else TA_LEFT,
            allowWidows=0,
            allowOrphans=0,
        )
        if look.hyphens:
            # Pyphen knows no Welsh: Welsh words break at their own hyphens only.
            plain |= dict(embeddedHyphenation=1, hyphenationMinWordLength=7)
            if self.document.language == "en":
                plain |= dict(hyphenationLang="en_GB")
        return ParagraphStyle(name, **(plain | more))

    def words(
        self,
        number: int | None,
        text: str,
        style: ParagraphStyle,
        bold: tuple[tuple[int, int], ...] = (),
        upper: bool = False,
        bullet: str | None = None,
    ) -> Words:
        pieces, at = [], 0
        for start, end in bold:
            pieces += [(text[at:start], False), (text[start:end], True)]
            at = end
        pieces.append((text[at:], False))
        markup = "".join(
            f"<b>{shown}</b>" if strong else shown
            for piece, strong in pieces
            if (shown := escape(self.look.dressed(piece.upper() if upper else piece)))
        )
        made = Words(markup, style, bulletText=bullet)
        made.block = number
        return made

    def block(self, number: int, block: GoldBlock, small: bool = False, ink: Color | None = None) -> Words:
        """A heading, paragraph or item."""
        look = self.look
        text = self.document.text[block.start : block.end]
        bold = tuple((start - block.start, end - block.start) for start, end in block.bold)
        more: dict[str, Any] = {"textColor": ink} if ink else {}
        if small:
            more |= dict(fontSize=look.size - 1, leading=look.leading - 1.5, spaceAfter=4, alignment=TA_LEFT)
        if block.kind == "heading":
            size = {1: 2.0, 2: 1.5, 3: 1.15, 4: 1.05}[block.level] * look.size
            style = self.style(
                f"h{block.level}",
                **dict(
                    fontName=look.heads + "-Bold",
                    fontSize=size,
                    leading=size * 1.2,
                    spaceBefore=size * 0.75 if block.level < 4 else 0,
                    spaceAfter=size * 0.4,
                    textColor=ink or look.accent,
                    alignment=TA_LEFT,
                    keepWithNext=1,
                    hyphenationLang="",
                ),
            )
            made = self.words(number, text, style, bold, upper=block.level == 4 and self.layout == "designed")
            if block.place == "body" and block.level - self.chapter in (0, 1):
                made.entry = (block.level - self.chapter, escape(self.look.dressed(text)))
            return made
        if block.kind == "item":
            style = self.style("item", **(dict(leftIndent=14, bulletIndent=3, spaceAfter=look.size * 0.35) | more))
            return self.words(number, text, style, bold, bullet="\u2022")
        return self.words(number, text, self.style("paragraph", **more), bold)

    # --- the story

    def story(self) -> list[Flowable]:
        story = self.opening()
        body = [(i, b) for i, b in enumerate(self.document.blocks) if b.place != "cover"]

        def group(item: tuple[int, GoldBlock]) -> tuple[str, int]:
            block = item[1]
            if block.place == "box":
                return "box", block.box
            return ("table", block.table) if block.table else (block.place, item[0] if block.place == "quote" else 0)

        groups = [(key[0], list(blocks)) for key, blocks in groupby(body, group)]
        # A page that the cover or contents has just ended is not ended again.
        settled = not story or self.document.contents or self.layout in ("two-column", "designed")
        index = 0
        while index < len(groups):
            kind, blocks = groups[index]
            index += 1
            if blocks[0][1].new_page and kind != "body" and not settled:
                story.append(PageBreak())
            if kind == "box":
                pair = groups[index][1] if index < len(groups) and groups[index][0] == "box" else None
                if pair and self.layout == "boxes-tables" and not pair[0][1].new_page:
                    if beside := self.beside(blocks, pair):
                        story.append(beside)
                        index += 1
                        continue
                story += self.box(blocks)
            elif kind == "table":
                story += self.table(blocks, self.look.column)
            elif kind == "quote":
                story += self.quote(*blocks[0])
            else:
                for number, block in blocks:
                    if block.new_page and not settled:
                        story.append(PageBreak())
                    settled = False
                    story += self.headed(number, block) if block.kind == "heading" else [self.block(number, block)]
            settled = False
        return [*story, Flush(self.side), Spacer(0, 0.1)]

    def headed(self, number: int, block: GoldBlock) -> list[Flowable]:
        made = self.block(number, block)
        if block.level == 2 and self.layout in ("boxes-tables", "designed"):
            made.style.spaceAfter = 3
            rule = Rule(self.look.column if self.layout == "boxes-tables" else 70, self.look.accent)
            rule.keepWithNext = 1
            return [made, rule]
        return [made]

    def masthead_story(self) -> list[Flowable]:
        """The cover block where it has no page of its own."""
        look, centre = self.look, dict(alignment=TA_CENTER if self.layout == "one-column" else TA_LEFT)
        story: list[Flowable] = []
        for number, block in self.cover_blocks:
            text = self.document.text[block.start : block.end]
            big = block.kind == "heading"
            size = (2.4 if block.level == 1 else 1.4) * look.size if big else 1.15 * look.size
            style = self.style(
                "masthead",
                fontName=look.heads + ("-Bold" if big else ""),
                fontSize=size,
                leading=size * 1.25,
                spaceAfter=size * 0.5,
                textColor=look.accent if big else HexColor("#333333"),
                hyphenationLang="",
                **centre,
            )
            story.append(self.words(number, text, style))
        return story

    def opening(self) -> list[Flowable]:
        """Cover and contents page."""
        story: list[Flowable] = []
        contents = self.contents() if self.document.contents else []
        if self.layout == "designed":
            if self.cover_blocks:
                for number, block in self.cover_blocks:
                    big = block.level == 1
                    size = 34 if big else 15
                    style = self.style(
                        "cover",
                        fontName=self.look.heads + ("-Bold" if block.kind == "heading" else ""),
                        fontSize=size,
                        leading=size * 1.2,
                        spaceAfter=size * 0.7,
                        textColor=white,
                    )
                    story.append(self.words(number, self.document.text[block.start : block.end], style))
                story.insert(0, Spacer(0, 120))
                story += [NextPageTemplate("body"), PageBreak()]
            return story + (contents + [PageBreak()] if contents else [])
        story = self.masthead_story()
        if self.layout == "two-column":
            if story:
                story += [FrameEnd(), NextPageTemplate("body")]
            return story + (contents + [FrameEnd()] if contents else [])
        if story:
            story = [Spacer(0, 120 if contents else 10), *story, Rule(self.look.column, self.look.accent, 2, 14)]
        if contents:
            return [*story, *([PageBreak()] if story else []), *contents, PageBreak()]
        return story

    def contents(self) -> list[Flowable]:
        look = self.look
        heading = "Cynnwys" if self.document.language == "cy" else "Contents"
        style = self.style(
            "contents",
            fontName=look.heads + "-Bold",
            fontSize=look.size * 1.5,
            leading=look.size * 2,
            textColor=look.accent,
            spaceAfter=8,
        )
        table = Contents(dotsMinLevel=0)
        table.levelStyles = [
            self.style(
                f"contents{level}",
                leftIndent=14 * level,
                spaceAfter=2,
                alignment=TA_LEFT,
                fontName=look.heads,
                hyphenationLang="",
            )
            for level in (0, 1)
        ]
        return [self.words(None, heading, style), table]

    # --- boxes, quotes, tables

    def inside(self, blocks: list[tuple[int, GoldBlock]], width: float, ink: Color | None = None) -> list[Flowable]:
        """The content of a box."""
        made: list[Flowable] = []
        for table, group in groupby(blocks, lambda item: item[1].table):
            if table:
                made += self.table(list(group), width)
            else:
                made += [self.block(number, block, small=True, ink=ink) for number, block in group]
        return made

    def box(self, blocks: list[tuple[int, GoldBlock]]) -> list[Flowable]:
        look = self.look
        content = self.inside(blocks, look.column - 24)
        tall = sum(f.wrap(look.column - 24, HEIGHT)[1] + f.getSpaceAfter() for f in content)
        if self.layout == "designed":
            narrow = self.inside(blocks, SIDE[1] - 20)
            aside = Aside(narrow, self.side, panel=True)
            if aside.size < 330 and not any(block.table for _, block in blocks):
                return [aside]
            content = self.inside(blocks, look.column - 24, ink=white)
        if self.layout == "boxes-tables":
            whole = self.panel_table([content], tall)
            return [Spacer(0, 4), *([whole] if whole else self.panel(content)), Spacer(0, 10)]
        panel = self.panel(content)
        return [KeepTogether(panel)] if tall < 260 else panel

    def panel(self, content: list[Flowable]) -> list[Flowable]:
        """A box in the flow; it may run over a column or page."""
        look = self.look
        if self.layout == "one-column":
            ground: dict[str, Any] = dict(color=white, strokeWidth=0.8, strokeColor=look.accent)
        elif self.layout == "designed":
            ground = dict(color=look.accent)
        else:
            ground = dict(color=look.tint)
        return [
            Spacer(0, 6),
            FrameBG(start=True, **ground),
            Indenter(12, 12),
            Spacer(0, 8),
            *content,
            Spacer(0, 4),
            Indenter(-12, -12),
            FrameBG(start=False),
            Spacer(0, 10),
        ]

    def panel_table(self, contents: list[list[Flowable]], tall: float) -> Flowable | None:
        """Boxes beside each other as cells of one row; None where they would not fit on a page."""
        if tall > (HEIGHT - self.look.top - self.look.bottom) * 0.6:
            return None
        look, gap = self.look, 12.0
        width = (look.column - gap * (len(contents) - 1)) / len(contents)
        cells: list[Any] = []
        widths: list[float] = []
        commands: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), "TOP")]
        for content in contents:
            if cells:
                cells.append("")
                widths.append(gap)
            at = (len(cells), 0)
            commands += [("BACKGROUND", at, at, look.tint), ("LINEABOVE", at, at, 3, look.accent)]
            cells.append(content)
            widths.append(width)
        style = [*commands, ("LEFTPADDING", (0, 0), (-1, -1), 10), ("RIGHTPADDING", (0, 0), (-1, -1), 10)]
        style += [("TOPPADDING", (0, 0), (-1, -1), 9), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)]
        return Table([cells], colWidths=widths, style=style, hAlign="LEFT")

    def beside(self, left: list[tuple[int, GoldBlock]], right: list[tuple[int, GoldBlock]]) -> Flowable | None:
        width = (self.look.column - 12) / 2 - 20
        if any(block.table for _, block in (*left, *right)):
            return None
        contents = [self.inside(left, width), self.inside(right, width)]
        tall = max(sum(f.wrap(width, HEIGHT)[1] + f.getSpaceAfter() for f in content) for content in contents)
        made = self.panel_table(contents, tall)
        if made:
            made.spaceBefore, made.spaceAfter = 6, 12
        return made

    def quote(self, number: int, block: GoldBlock) -> list[Flowable]:
        look = self.look
        text = self.document.text[block.start : block.end]
        style = self.style(
            "quote",
            fontName=look.body + "-Italic",
            fontSize=look.size * 1.25,
            leading=look.leading * 1.25,
            textColor=SECOND if self.layout == "designed" else look.accent,
            alignment=TA_LEFT,
            leftIndent=0 if self.layout == "designed" else 24,
            rightIndent=0 if self.layout == "designed" else 24,
            spaceBefore=8,
            spaceAfter=12,
        )
        made = self.words(number, text, style)
        return [Aside([made], self.side, panel=False)] if self.layout == "designed" else [made]

    def table(self, blocks: list[tuple[int, GoldBlock]], width: float) -> list[Flowable]:
        look = self.look
        columns = max(len(block.cells) for _, block in blocks)
        text = self.document.text
        weights = [
            max((min(end - start, 90) for _, b in blocks for start, end in b.cells[i : i + 1]), default=1) ** 0.6 + 2
            for i in range(columns)
        ]
        font, size = look.heads + "-Bold", look.size - 1
        needed = [
            max(
                (
                    pdfmetrics.stringWidth(word, font, size)
                    for _, b in blocks
                    for start, end in b.cells[i : i + 1]
                    for word in re.split(r"[\s-]", text[start:end])
                ),
                default=0,
            )
            + 12
            for i in range(columns)
        ]
        # Every column has room for its longest word where that is possible; the rest is shared by how much there is
        # to say.
        spare = max(width - sum(needed), 0)
        widths = [need * min(1, width / sum(needed)) + spare * w / sum(weights) for need, w in zip(needed, weights)]
        rows = []
        for number, block in blocks:
            row: list[Any] = []
            for start, end in block.cells:
                style = self.style(
                    "head" if block.head else "cell",
                    fontName=look.heads + ("-Bold" if block.head else ""),
                    fontSize=look.size - 1,
                    leading=look.leading - 2,
                    spaceAfter=0,
                    alignment=TA_LEFT,
                    textColor=white if block.head else HexColor("#111111"),
                )
                inner = tuple(
                    (max(s, start) - start, min(e, end) - start) for s, e in block.bold if s < end and e > start
                )
                row.append(self.words(number, text[start:end], style, inner))
            rows.append(row + [""] * (columns - len(row)))
        head = blocks[0][1].head
        lined = self.layout in ("one-column", "two-column")
        commands: list[tuple[Any, ...]] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 5),
            ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            (
                ("GRID", (0, 0), (-1, -1), 0.4, HexColor("#999999"))
                if lined
                else ("LINEBELOW", (0, 0), (-1, -1), 0.6, look.accent)
            ),
        ]
        if self.layout == "designed":
            commands.append(("BACKGROUND", (0, 0), (-1, -1), white))  # it may stand on a coloured panel
        if head:
            commands.append(("BACKGROUND", (0, 0), (-1, 0), look.accent))
        made = Table(rows, colWidths=widths, repeatRows=int(head), style=commands, hAlign="LEFT")
        made.spaceBefore, made.spaceAfter = 6, 12
        return [made]
