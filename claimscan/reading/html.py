"""HTML to blocks, with selectolax. Scripts never run; nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from claimscan.errors import LimitExceeded
from claimscan.reading.assembly import Piece, assemble
from claimscan.records import Document, Warning_

_DROPPED = frozenset(
    "script style template noscript svg math iframe object embed canvas video audio select option datalist head "
    "-comment -doctype -cdata -processing-instruction".split()
)
_FURNITURE = frozenset(("nav", "header", "footer"))
_BLOCKS = frozenset(
    "address article aside blockquote body button caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre search section "
    "summary table tbody td textarea tfoot th thead tr ul".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ROLES = {"navigation": "nav", "banner": "nav", "contentinfo": "nav"}


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_CODE = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_NEVER_CLOSED = frozenset(
    "area base br col embed hr img input link meta source track wbr p li dt dd tr td th thead tbody tfoot option "
    "optgroup colgroup rp rt html head body".split()
)
_DEEPEST = 4000  # the parser's time grows with the square of the depth


def _too_deep(source: str) -> bool:
    depth = 0
    for tag in _TAG.finditer(_CODE.sub("", source)):
        if tag[2].lower() not in _NEVER_CLOSED and not tag[0].endswith("/>"):
            depth = max(0, depth - 1) if tag[1] else depth + 1
            if depth > _DEEPEST:
                return True
    return False


class _Walk:
    """The state of one walk over a tree: what is open, and the words gathered for the block in hand."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.words: list[str] = []
        self.kind = "paragraph"
        self.level = 0
        self.furniture = 0
        self.content = 0  # inside main or article, a header is the article's own
        self.row: list[str] | None = None
        self.cell = 0

    def flush(self) -> None:
        text = " ".join("".join(self.words).split())
        self.words.clear()
        if not text:
            return
        if self.row is not None and self.cell:
            self.row[-1] = f"{self.row[-1]} {text}".strip()
            return
        kind = "furniture" if self.furniture else self.kind
        self.pieces.append(Piece(text, kind, self.level if kind == "heading" else 0))
        if self.kind == "item":
            self.kind = "paragraph"

    def enter(self, tag: str, outer: bool) -> None:
        self.flush()
        if outer:
            self.furniture += 1
        if tag in ("main", "article"):
            self.content += 1
        if tag in _HEADINGS:
            self.kind, self.level = "heading", _HEADINGS[tag]
        elif tag in ("li", "dd"):
            self.kind = "item"
        elif tag == "tr" and self.row is None:
            self.row = []
        elif tag in ("td", "th") and self.row is not None:
            if not self.cell:
                self.row.append("")
            self.cell += 1

    def leave(self, tag: str, outer: bool) -> None:
        self.flush()
        if outer:
            self.furniture -= 1
        if tag in ("main", "article"):
            self.content -= 1
        if tag in _HEADINGS or tag in ("li", "dd"):
            self.kind, self.level = "paragraph", 0
        elif tag in ("td", "th") and self.cell:
            self.cell -= 1
        elif tag == "tr" and self.row is not None and not self.cell:
            row, self.row = self.row, None
            if any(row):
                self.pieces.append(Piece(" | ".join(row), "furniture" if self.furniture else "row"))


def pieces_of(source: str) -> list[Piece]:
    """The blocks of an HTML page or fragment in document order; alternative texts of pictures are left out.

    Raises:
        LimitExceeded: elements nested too deeply.
    """
    if len(source) > _DEEPEST * 3 and _too_deep(source):
        raise LimitExceeded(f"The page's elements are nested more than {_DEEPEST:,} deep, so it was not read.")
    root = LexborHTMLParser(source).body
    walk = _Walk()
    if root is None:
        return []
    stack: list[tuple[Any, str, bool] | Any] = [root]
    while stack:
        top = stack.pop()
        if isinstance(top, tuple):
            walk.leave(top[1], top[2])
            continue
        tag = top.tag
        if tag == "-text":
            walk.words.append((top.text_content or "").replace("\u00ad", "").replace("\u200b", ""))
            continue
        if tag is None or tag in _DROPPED or tag.startswith("!"):
            continue
        attributes = top.attributes
        if "hidden" in attributes or attributes.get("aria-hidden") == "true":
            continue
        if tag in ("br", "wbr"):
            walk.words.append(" " if tag == "br" else "")
            continue
        outer = tag in _FURNITURE or attributes.get("role") in _ROLES
        outer = outer and not (walk.content and tag in ("header", "footer"))
        if tag in _BLOCKS or outer:
            walk.enter(tag, outer)
            stack.append((top, tag, outer))
        if len(stack) < 200_000:
            children = []
            child = top.first_child if hasattr(top, "first_child") else top.child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(reversed(children))
    walk.flush()
    return walk.pieces


def read(text: str, name: str, identity: str, warnings: Sequence[Warning_] = ()) -> Document:
    """A Document of one page from the text of an HTML page."""
    pieces = pieces_of(text)
    first = [piece.text for piece in pieces if piece.kind == "heading" and piece.level == 1]
    title = first[0] if len(first) == 1 else ""
    if not title:
        named = LexborHTMLParser(text).css_first("head > title")
        title = " ".join(named.text().split()) if named is not None else ""
    return assemble([pieces], identity, name, "html", title, warnings)
