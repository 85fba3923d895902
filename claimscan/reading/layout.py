"""Lines with boxes become blocks of text in reading order. Pure functions: nothing here knows a file format.

A page arrives as :class:`Line` records in the order the file gives them. :func:`in_order` puts them in reading order
(only pages that need it are rebuilt, by cutting the page at its widest white gaps), :func:`mark_furniture` sets aside
running heads, page numbers and contents lines, :func:`group` gathers lines into blocks, and :func:`compose` writes the
text and remembers where every run of characters came from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from claimscan.records import Block


class Line:
    """One visual line, or one cell's part of it. Points, origin top left; ``start`` is the file's own index."""

    __slots__ = ("start", "text", "x0", "top", "x1", "bottom", "size", "bold", "upright", "kind", "cells", "row")

    def __init__(
        self,
        start: int,
        text: str,
        x0: float,
        top: float,
        x1: float,
        bottom: float,
        size: float,
        bold: bool = False,
        upright: bool = True,
    ) -> None:
        self.start = start
        self.text = text
        self.x0 = x0
        self.top = top
        self.x1 = x1
        self.bottom = bottom
        self.size = size
        self.bold = bold
        self.upright = upright
        self.kind = ""
        self.cells: tuple[int, ...] = ()  # offsets in ``text`` where a wide gap starts a new cell
        self.row = 0  # lines of one table row share a number; 0 is outside any table


class Run(NamedTuple):
    """``text[start:end]`` of the document is the file's characters ``source``, ``source + 1``, … of ``page``."""

    start: int
    end: int
    page: int
    source: int
