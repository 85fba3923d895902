"""The form of a right-of-reply sheet: its columns and words, and what a finding looks like in a cell.

The words are in ``data/templates/replies.toml``. The sheet that goes out and the sheet that comes back both read them
here, so that a row's own words find its finding again.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from claimscan import codebook
from claimscan.showing import wording as say
from claimscan.showing.tables import bare_cell, safe_cell

ANSWER = 30_000  # characters of an answer and of its evidence; a spreadsheet's cell holds 32,767
SMALL = 300  # characters of who answers, and of the date
CLAIM = 700  # characters of a claim that are shown in its cell
CELL = 32_000

_PAGE = re.compile(r"\s*\(page [\d,]+\)$")
_NOT_XML = re.compile("[\ufffe\uffff]")
_HEADING = re.compile(r"[^\w]+")


class Column(NamedTuple):
    """One column: ``kind`` is shown, answer (for the body) or key (hidden)."""

    key: str
    heading: str
    width: float
    kind: str = "shown"


@cache
def words() -> Mapping[str, Any]:
    text = files("claimscan").joinpath("data/templates/replies.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def columns() -> Sequence[Column]:
    """The columns of the findings, in order."""
    return tuple(Column(**row) for row in words()["column"])


@cache
def quote_columns() -> Sequence[Column]:
    return tuple(Column(**row) for row in words()["quote"])


def heading(key: str) -> str:
    return next(column.heading for column in columns() if column.key == key)


def plain_heading(text: str) -> str:
    """A heading as it is compared: letters and digits only."""
    return _HEADING.sub(" ", say.clean(text).casefold()).strip()


def lines(who: str) -> list[tuple[str, str]]:
    """The first sheet, as (style, text)."""
    out = [(row["style"], row["text"].format(who=who, limit=f"{ANSWER:,}")) for row in words()["line"]]
    out += [("point", f"Level {level.id}, {level.label}: {level.plain}.") for level in say.ladder()]
    out += [(row["style"], row["text"]) for row in words()["after"]]
    out += [("point", f"“{s.plain}”: {s.text}") for s in codebook.tables().statuses.values()]
    return out


# --- a finding in cells ---------------------------------------------------------------------------------------------


def cell(text: str) -> str:
    """Text that no spreadsheet runs, in this file or in a CSV made from it, and that fits its cell."""
    return safe_cell(_NOT_XML.sub("", text[:CELL]))


def document_cell(source: str, title: str) -> str:
    """The document's title, and under it its name in the run, by which it is found again."""
    title, source = say.short(title, 160), say.clean(source)
    return f"{title}\n{source}" if title and title != source else source


def product_cell(name: str) -> str:
    name = say.short(name, 300)
    return name[:1].upper() + name[1:]


def claim_cell(claim: str, page: int | None) -> str:
    if not say.clean(claim):
        return str(words()["cells"]["described"])
    where = " " + words()["cells"]["page"].format(page=page) if page else ""
    return f"“{say.short(claim, CLAIM)}”{where}"


def bare_claim(text: str) -> str:
    """The words of a claim's cell without quotation marks and page; empty where it says that there is no claim."""
    text = say.clean(bare_cell(text))
    if text == words()["cells"]["described"]:
        return ""
    return _PAGE.sub("", text).strip("“”\"' ")


def is_claim(text: str, claim: str) -> bool:
    """Whether a claim's cell or key is about this claim; a cut one is, by what is left of it."""
    seen, whole = bare_claim(text).casefold(), bare_claim(claim).casefold()
    return seen == whole or (seen.endswith("…") and len(seen) > 40 and whole.startswith(seen[:-1].rstrip()))


def is_product(text: str, name: str) -> bool:
    seen = say.clean(bare_cell(text)).casefold()
    return seen in (say.clean(name).casefold(), product_cell(name).casefold())


def source_of(text: str) -> str:
    """The document's name, as compared, from its cell."""
    last = [line for line in bare_cell(text).splitlines() if line.strip()][-1:]
    return say.clean(last[0]).casefold() if last else ""


def place(file: str, sheet: str, row: int) -> str:
    name = f"{say.clean(file)}, sheet “{say.clean(sheet)}”" if sheet else say.clean(file)
    return f"{name}, row {row}" if row else name
