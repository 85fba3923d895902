"""Plain text and Markdown to blocks.

Plain text comes in two kinds that look alike: paragraphs wrapped at a fixed width, and short lines that each stand for
themselves (letters, forms, minutes, lists). A line is taken to run on into the next only where the next line's first
word would not have fitted on it, or where the next line plainly carries on the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from claimscan.reading.assembly import Piece, assemble
from claimscan.reading.tidying import keeps_hyphen, words_of
from claimscan.records import Block, Document, Page, Warning_

_LINE = re.compile(r"[^\n\r\f]+")
_BULLET = re.compile(r"\s*(?:[•●○◦▪▫■□‣⁃·✓✔➢➤►▶❖☐☒☑]|[-*–—+](?=\s))\s*")
_NUMBER = re.compile(r"\s*(?:\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,5})[.)]|\d{1,3}(?:\.\d{1,3})+\.?)\s+\S")
_LABELLED = re.compile(r"\s*(?:[A-Z][a-z]+ )?[A-Z]?\d{1,3}(?:\.\d{1,2})?\s{2,}\S")
_FIELD = re.compile(r"\s*[A-Z][\w /&'’()-]{1,40}:(?:\s|$)")
_ROW = re.compile(r"\S(?:\t| {3,})\S|\s\|\s")
_RULE = re.compile(r"\s*[-=_*~.·]{3,}\s*$")
_FURNITURE = re.compile(
    r"\s*(?:(?:page|tudalen)\s+\d{1,4}(?:\s*(?:of|o|/)\s*\d{1,4})?|[-–—]\s*\d{1,4}\s*[-–—])\s*$"
    r"|.*(?:\.{4,}|(?: \.){4,})\s*\d{1,4}\s*$",
    re.IGNORECASE,
)
_HASHES = re.compile(r"(#{1,6})\s+\S")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_STOPS = (".", "?", "!", ":", ";", ".”", ".’", '."', ".)", "?”", "!”", '?"')
_LONGEST_WRAP = 130
_SHORTEST_WRAP = 45


def blocks_of(text: str) -> list[Block]:
    """The blocks of a plain text on one page, without changing it: offsets are into ``text`` as given.

    A hard-wrapped paragraph is one block with newlines inside; a line that stands for itself is a block of its own.
    """
    lines: list[tuple[int, int]] = []
    for found in _LINE.finditer(text):
        line = found[0]
        bare = line.strip()
        if bare:
            lead = found.start() + line.index(bare[0])
            lines.append((lead, lead + len(bare)))
    width = _wrap_width(text, lines)
    groups: list[list[tuple[int, int]]] = []
    for number, (start, end) in enumerate(lines):
        if groups and not _blank_between(text, lines[number - 1][1], start):
            if _runs_on(text, groups[-1], (start, end), width):
                groups[-1].append((start, end))
                continue
        groups.append([(start, end)])
    kinds = [_kind(text, groups, number, width) for number in range(len(groups))]
    seen_heading = False
    blocks = []
    for group, (kind, level) in zip(groups, kinds, strict=True):
        if kind == "heading" and not level:
            level = 2 if seen_heading else 1
        seen_heading = seen_heading or kind == "heading"
        blocks.append(Block(group[0][0], group[-1][1], 1, kind, level))
    return blocks


def _blank_between(text: str, end: int, start: int) -> bool:
    between = text[end:start]
    return between.count("\n") + between.count("\f") * 2 + (between.count("\r") if "\n" not in between else 0) > 1


def _wrap_width(text: str, lines: Sequence[tuple[int, int]]) -> int:
    """The width at which the text is wrapped, in characters; 0 where it is not."""
    lengths = sorted(end - start for start, end in lines)
    lengths = [length for length in lengths if length <= _LONGEST_WRAP]
    if not lengths:
        return 0
    return lengths[-1 - len(lengths) // 50]


def _own_line(line: str) -> bool:
    """Whether a line begins something of its own, whatever stands before it."""
    return bool(_BULLET.match(line) or _LABELLED.match(line) or _HASHES.match(line) or _RULE.match(line))


def _runs_on(text: str, group: list[tuple[int, int]], line: tuple[int, int], width: int) -> bool:
    before = text[group[-1][0] : group[-1][1]]
    after = text[line[0] : line[1]]
    if _own_line(after) or _RULE.match(before) or _FURNITURE.match(after) or _FURNITURE.match(before):
        return False
    if _HASHES.match(before) or _ROW.search(after) or (_ROW.search(before) and not _LABELLED.match(before)):
        return False
    if len(before) > _LONGEST_WRAP:
        return False
    stopped = before.endswith(_STOPS)
    lower = after[0].islower()
    if before.isupper() != after.isupper() and not lower and len(before) < 0.8 * width:
        return False
    if _NUMBER.match(after) and (stopped or len(before) < 0.75 * width):
        return False
    if lower and not stopped:
        return True
    if width < _SHORTEST_WRAP:
        return False
    if _FIELD.match(after) and (stopped or _FIELD.match(before)):
        return False
    word = after.split(None, 1)[0]
    return len(before) + 1 + len(word) > width


def _kind(text: str, groups: Sequence[list[tuple[int, int]]], number: int, width: int) -> tuple[str, int]:
    group = groups[number]
    whole = text[group[0][0] : group[-1][1]]
    hashes = _HASHES.match(whole)
    if hashes:
        return "heading", len(hashes[1])
    if _FURNITURE.match(whole) or _RULE.match(whole):
        return "furniture", 0
    if len(group) == 1 and _ROW.search(whole) and not _LABELLED.match(whole) and not _BULLET.match(whole):
        return "row", 0
    if _BULLET.match(whole) or _LABELLED.match(whole):
        return "item", 0
    numbered = _NUMBER.match(whole)
    if _may_head(whole) and len(groups) > 1 and len(group) <= 2:
        after = groups[number + 1] if number + 1 < len(groups) else None
        alone_above = number == 0 or _blank_between(text, groups[number - 1][-1][1], group[0][0])
        if whole.isupper() and after is not None:
            return "heading", 0
        if after is not None:
            following = text[after[0][0] : after[-1][1]]
            prose = (
                len(following) > 60 or following.endswith((".", "?", "!")) or _own_line(following) or " | " in following
            )
            if alone_above and prose and not (numbered and _NUMBER.match(following)):
                return "heading", 0
            if not alone_above and len(following) > 80 and len(whole) < 50 and not numbered and not _FIELD.match(whole):
                return "heading", 0
    return ("item", 0) if numbered else ("paragraph", 0)


def _may_head(whole: str) -> bool:
    return (
        len(whole) <= 90
        and whole.count(" ") < 13
        and bool(_LETTERS.search(whole))
        and not whole[0].islower()
        and whole[-1] not in ".;,:!"
        and "@" not in whole
        and not whole.lower().startswith(("dear ", "yours "))
    )


def from_text(text: str, name: str, identity: str, warnings: Sequence[Warning_] = ()) -> Document:
    """A Document whose text is exactly ``text``, on one page."""
    blocks = tuple(blocks_of(text))
    return Document(
        identity, name, "text", text, (Page(1, 0, len(text)),), blocks, _title(text, blocks), tuple(warnings)
    )


def _title(text: str, blocks: Sequence[Block]) -> str:
    """The first block where it reads like a title: a heading, or a short line above other blocks."""
    if not blocks:
        return ""
    first = text[blocks[0].start : blocks[0].end].strip()
    if blocks[0].kind == "heading" or (len(blocks) > 2 and blocks[0].kind == "paragraph" and _may_head(first)):
        return " ".join(first.lstrip("# ").split())
    return ""


def from_text_file(text: str, name: str, identity: str, warnings: Sequence[Warning_] = ()) -> Document:
    """A Document of a plain text file: wrapped lines are joined, and form feeds part pages."""
    known = words_of(text)
    pages = []
    for page in text.split("\f"):
        pieces = []
        for block in blocks_of(page):
            lines = [line.strip() for line in page[block.start : block.end].splitlines() if line.strip()]
            pieces.append(Piece(_joined(lines, known), block.kind, block.level))
        pages.append(pieces)
    while len(pages) > 1 and not pages[-1]:
        pages.pop()
    return assemble(pages, identity, name, "text", "", warnings)


_BROKEN = re.compile(r"([^\W_]+)[-\u2010\u2011\u00ad]$")
_FIRST = re.compile(r"[^\W_]+")


def _joined(lines: Sequence[str], known: frozenset[str]) -> str:
    """Wrapped lines as one; a word broken at a line's end is made whole."""
    made = lines[0]
    for line in lines[1:]:
        broken = _BROKEN.search(made)
        after = _FIRST.match(line)
        if broken is None or after is None:
            made = f"{made} {line}"
        elif made[-1] != "\u00ad" and keeps_hyphen(broken[1], after[0], known):
            made += line
        else:
            made = made[:-1] + line
    return made.replace("\u00ad", "")


# --- Markdown -------------------------------------------------------------------------------------------------------

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"(?m)^title\s*:\s*(.+?)\s*$")


def from_markdown(text: str, name: str, identity: str, warnings: Sequence[Warning_] = ()) -> Document:
    """A Document of a Markdown file. Front matter gives the title and is not part of the text; nothing in it is run.

    Some content systems keep the whole page in the front matter; where nothing stands below it, it is the text.
    """
    from markdown_it import MarkdownIt

    title = ""
    front = _FRONT.match(text)
    if front:
        named = _FRONT_TITLE.search(front[1])
        if named:
            title = named[1].strip("\"'")
        below = text[front.end() :]
        text = below if below.strip() else _inside(front[1])
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    return assemble([_pieces(tokens)], identity, name, "markdown", title, warnings)


_KEY = re.compile(r"(?m)^[ \t]*(?:- )?[\w-]+:[ \t]*(?:[>|][+-]?)?[ \t]*(?=\S|$)")


def _inside(front: str) -> str:
    """The values of front matter as Markdown: keys dropped, indents taken away, so that block values read as prose."""
    values = (_KEY.sub("\n", line).strip().strip('"') for line in front.splitlines())
    return "\n".join("" if not value else value for value in values)


def _pieces(tokens: Sequence[Any]) -> list[Piece]:
    pieces: list[Piece] = []
    level = items = 0
    fresh = False
    row: list[str] | None = None
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "heading_close":
            level = 0
        elif token.type == "list_item_open":
            items += 1
            fresh = True
        elif token.type == "list_item_close":
            items -= 1
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            pieces.append(Piece(" | ".join(row), "row"))
            row = None
        elif token.type == "inline":
            words = _inline(token)
            if row is not None:
                row.append(" ".join(words.split()))
            elif level:
                pieces.append(Piece(words, "heading", level))
            else:
                pieces.append(Piece(words, "item" if items and fresh else "paragraph"))
                fresh = False
        elif token.type in ("fence", "code_block"):
            pieces.extend(Piece(line) for line in token.content.splitlines())
        elif token.type == "html_block":
            from claimscan.reading.html import pieces_of

            pieces.extend(pieces_of(token.content))
    return pieces


def _inline(token: Any) -> str:
    made = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            made.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            made.append(" ")
        elif child.type == "image":
            made.append(_inline(child))
        elif child.type == "html_inline" and child.content[:3].lower() == "<br":
            made.append(" ")
    return "".join(made).replace("\u00ad", "")
