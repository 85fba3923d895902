"""The summary of a run as one web page in one file: what was read, what the documents show, and a table of every claim.

The rows are counted as they come; only those that the page lists are kept. Everything stands in the page without its
script, which adds sorting and filters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Any

from claimscan import codebook
from claimscan.records import Finding
from claimscan.showing import templates
from claimscan.showing import wording as say

ROWS = 2_000  # claims listed in the page, at most
OTHERS = 500  # documents with no claim, and unread ones, listed at most
FEWEST = 5  # fewer than this are not compared
VALUES = 60  # a column with more values gets no table of its own
COLUMNS = 6  # columns of the user's list that are shown

Row = Mapping[str, Any]
_SHA256 = re.compile("[0-9a-f]{64}")
_NUMBERS = re.compile(r"(\d+)")


@dataclass(slots=True)
class Tally:
    """Documents and claims counted together, for the whole run or for one value of a column."""

    with_claim: int = 0
    no_claim: int = 0
    unread: int = 0
    grades: Counter[str] = field(default_factory=Counter)

    @property
    def documents(self) -> int:
        return self.with_claim + self.no_claim + self.unread

    @property
    def claims(self) -> int:
        return self.grades.total()


class _Run:
    """What is counted and kept of a run."""

    def __init__(self, metadata: Sequence[str], shared: Mapping[str, Sequence[Row]]) -> None:
        self.columns = tuple(metadata)[:COLUMNS]
        self._shared = shared
        self.whole = Tally()
        self.groups: dict[str, dict[str, Tally]] = {column: {} for column in self.columns}
        self.repeats = 0
        self.only_described = 0  # documents of which no claim uses the word
        self.nothing_to_grade = 0  # documents that use the word of how people work and name nobody
        self.partly_read = 0
        self.pages_unread = 0
        self.document_grades: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.described = 0
        self.answered = 0
        self.reasons: Counter[str] = Counter()
        self.claims: list[dict[str, Any]] = []
        self.silent: list[dict[str, Any]] = []
        self.failures: list[dict[str, Any]] = []
        self._left_out: set[str] = set()
        self._about: dict[str, tuple[str, int, bool]] = {}  # title, pages, and whether it has a page to open

    # --- documents ---

    def document(self, row: Row) -> None:
        status = _text(row, "status")
        if status == "repeat" or _text(row, "repeats"):
            self.repeats += 1
            if status != "repeat":  # the same text in other bytes has a report, and claims, of its own
                self._left_out.add(_text(row, "document"))
            return
        products, claims, unread_pages = (_whole(row, key) for key in ("products", "claims", "unread_pages"))
        for tally in self._tallies(row):
            tally.unread += status == "unread"
            tally.with_claim += status != "unread" and products > 0
            tally.no_claim += status != "unread" and products == 0
        if status == "unread":
            return
        self.partly_read += unread_pages > 0
        self.pages_unread += unread_pages
        title = say.short(_text(row, "title") or _text(row, "source"), 160)
        if products:
            self.only_described += claims == 0
            if len(self._about) < ROWS:
                self._about[_text(row, "document")] = (title, _whole(row, "pages"), bool(_text(row, "page")))
        else:
            self.nothing_to_grade += claims > 0
            if len(self.silent) < OTHERS:
                self.silent.append(
                    {"title": title, "pages": _whole(row, "pages"), "unread_pages": unread_pages, **self._origin(row)}
                )

    # --- claims ---

    def products(self, rows: Iterable[Row]) -> None:
        for document, together in groupby(rows, key=lambda row: _text(row, "document")):
            if document not in self._left_out:
                self._products_of(document, list(together))

    def _products_of(self, document: str, rows: Sequence[Row]) -> None:
        # A document counts once, at the highest level it shows for anything; with none, as its first claim does.
        first = sorted(rows, key=lambda row: not _true(row, "is_document"))[0]
        levels = [grade for grade in (_text(row, "grade") for row in rows) if grade in say.LEVELS]
        self.document_grades[max(levels) if levels else _text(first, "grade")] += 1
        for row in rows:
            for tally in self._tallies(row):
                tally.grades[_text(row, "grade")] += 1
            self.flags.update(code for _, code in _flags(row))
            self.described += not _text(row, "claim")
            self.answered += bool(_text(row, "reply"))
            if len(self.claims) < ROWS:
                self.claims.append(self._claim(document, row))

    def _claim(self, document: str, row: Row) -> dict[str, Any]:
        title, pages, opens = self._about.get(document, (say.short(_text(row, "source"), 160), 0, False))
        page, finding = _whole(row, "claim_page"), _finding(row)
        return {
            "title": title,
            # Made here from the hash: no address in the page comes from the tables.
            "href": f"pages/{document[:2]}/{document}.html" if opens and _SHA256.fullmatch(document) else "",
            "name": _capital(say.short(_text(row, "name"), 140)),
            "claim": say.short(_text(row, "claim"), 300),
            "place": f"page {page}" if page and pages > 1 else "",
            "grade": finding.grade,
            "level": finding.grade if finding.grade in say.LEVELS else "",
            "label": finding.label,
            "shows": _shows(finding),
            "asides": [line for line in (say.ceiling(finding), *say.asides(finding)) if line],
            "flags": [
                {"kind": kind, "code": code, "name": say.word(code, "overview", "flags")} for kind, code in _flags(row)
            ],
            "reply": say.short(_text(row, "reply"), 900),
            "reply_evidence": say.short(_text(row, "reply_evidence"), 300),
            "reply_by": say.short(_text(row, "reply_by"), 120),
            "reply_on": say.short(_text(row, "reply_on"), 40),
            **self._origin(row),
        }

    # --- failures ---

    def failure(self, row: Row) -> None:
        code = _text(row, "code")
        self.reasons[code] += 1
        if len(self.failures) < OTHERS:
            why, remedy = (say.short(_text(row, key), 300) for key in ("why", "remedy"))
            self.failures.append({"why": why, "remedy": remedy, **self._origin(row)})

    # --- columns of the user's list ---

    def _tallies(self, row: Row) -> Iterable[Tally]:
        yield self.whole
        for column, values in self.groups.items():
            for value in self._values(row, column):
                if value in values:
                    yield values[value]
                elif len(values) <= VALUES:  # one more than has a table, so that too many can be told from enough
                    yield values.setdefault(value, Tally())

    def _values(self, row: Row, column: str) -> list[str]:
        """The row's value, and those of other files with the same bytes: a joint document is every body's."""
        document = _text(row, "document")
        others = self._shared.get(document, ()) if document else ()
        return list(dict.fromkeys(_value(one, column) for one in (row, *others)))

    def _origin(self, row: Row) -> dict[str, Any]:
        every = [self._values(row, column) for column in self.columns]
        return {
            "source": say.short(_text(row, "source"), 160),
            "values": [values[0] for values in every],
            "others": [values[1:] for values in every],
        }


def page(
    documents: Iterable[Row],
    products: Iterable[Row],
    failures: Iterable[Row],
    *,
    metadata: Sequence[str],
    provenance: Mapping[str, str],
    title: str = "",
    shared: Mapping[str, Sequence[Row]] = MappingProxyType({}),
) -> str:
    """The whole page as text, to be written as UTF-8 at the top of the run folder.

    Each text is counted once: rows of repeats, and claims in them, are left out, and the page says how many. Where a repeat has
    other values in the user's list (a joint strategy under two organisations), the document counts in each of their groups. At most
    2,000 claims, and 500 documents of each other kind, are listed; all are counted. Memory grows with those, and with
    the number of repeats, not with the number of documents.

    Args:
        documents, products, failures: rows of the run's tables. Each is gone through once. Rows of ``products`` that
            belong to one document stand together, and documents are in the same order in both.
        metadata: names of the columns of the user's list; each row has them. The first six are shown.
        provenance: of the run, by name.
        title: of the page; a general one if empty.
        shared: rows of repeats, by the document that they repeat (:func:`claimscan.batch.run_tables.shared`).
    """
    run = _Run(metadata, shared)
    for row in documents:
        run.document(row)
    run.products(products)
    for row in failures:
        run.failure(row)
    words = say.tables()["overview"]
    style = templates.resource("report.css") + templates.resource("overview.css")
    script = templates.resource("overview.js")
    return templates.template("overview.html.j2").render(
        style=templates.own(style),
        script=templates.own(script),
        style_hash=templates.policy_hash(style),
        script_hash=templates.policy_hash(script),
        title=say.short(title, 200),
        fair=say.FAIR,
        run=run,
        whole=run.whole,
        levels=say.ladder(),
        statuses=[(s.id, s.plain, s.text, words["statuses"][s.id]) for s in codebook.tables().statuses.values()],
        kinds=_kinds(run.flags),
        marks={kind: row["mark"] for kind, row in words["kinds"].items()},
        groups=_groups(run),
        too_many=[_heading(column) for column, values in run.groups.items() if len(values) > VALUES],
        filters=_filters(run),
        headings=[_heading(column) for column in run.columns],
        reasons=[
            (words["failures"].get(code, code), n)
            for code, n in sorted(run.reasons.items(), key=lambda item: (-item[1], item[0]))
        ],
        provenance=sorted(provenance.items()),
        number=say.number,
        digits="{:,}".format,
        share=_share,
        on_level=_on_level,
        off_level=_off_level,
        fewest=FEWEST,
    )


# --- what the template asks for ---------------------------------------------------------------------------------------


def _kinds(counted: Mapping[str, int]) -> list[dict[str, Any]]:
    """The kinds of flag, each with those of its flags that were found, most frequent first."""
    rules = codebook.tables().flags
    words = say.tables()["overview"]
    kinds = []
    for kind, row in words["kinds"].items():
        found = [
            {"code": f.code, "name": _capital(words["flags"][f.code]), "plain": f.plain, "n": counted[f.code]}
            for f in rules
            if f.kind == kind and counted.get(f.code)
        ]
        kinds.append({"code": kind, **row, "flags": sorted(found, key=lambda flag: -flag["n"])})
    return kinds


def _groups(run: _Run) -> list[dict[str, Any]]:
    """A table for each column that has 2 to 60 values, its rows in the order of the alphabet."""
    return [
        {
            "heading": _heading(column),
            "lower": _heading(column)[:1].lower() + _heading(column)[1:],
            "most": max(tally.claims for tally in values.values()),
            "rows": sorted(values.items(), key=lambda item: _natural(item[0])),
        }
        for column, values in run.groups.items()
        if 2 <= len(values) <= VALUES
    ]


def _filters(run: _Run) -> list[dict[str, Any]]:
    """The columns that the claims can be filtered by. The first often names the body, so it may have many values."""
    out = []
    for n, column in enumerate(run.columns):
        listed = {value for claim in run.claims for value in (claim["values"][n], *claim["others"][n])}
        if len(listed) > 1 and (n == 0 or len(listed) <= VALUES):
            out.append({"n": n, "heading": _heading(column), "values": sorted(listed, key=_natural)})
    return out


def _on_level(grades: Mapping[str, int]) -> int:
    return sum(n for grade, n in grades.items() if grade in say.LEVELS)


def _off_level(grades: Mapping[str, int]) -> int:
    return sum(n for grade, n in grades.items() if grade not in say.LEVELS)


def _share(n: int, of: int) -> str:
    """``15%``; empty where there are too few for a share to say anything."""
    if of < FEWEST:
        return ""
    percent = 100 * n / of
    if 0 < percent < 1:
        return "under 1%"
    return "over 99%" if 99 < percent < 100 else f"{percent:.0f}%"


def _heading(column: str) -> str:
    return _capital(say.clean(column).replace("_", " "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _natural(text: str) -> tuple[Any, ...]:
    """Numbers in a text by their size; an empty text last."""
    parts = [
        (0, int(p), "") if p.isdigit() and p.isascii() else (1, 0, p) for p in _NUMBERS.split(text.casefold()) if p
    ]
    return (not text, parts, text)


# --- rows ---------------------------------------------------------------------------------------------------------------


def _finding(row: Row) -> Finding:
    """The finding of a row, as far as the words of :mod:`wording` need it."""
    return Finding(
        product=_text(row, "id"),
        grade=_text(row, "grade"),
        label=_text(row, "label"),
        band=_text(row, "band"),
        plain=_text(row, "plain"),
        supports=_text(row, "supports"),
        ceiling=_text(row, "ceiling"),
        proxy_grade=_text(row, "proxy_grade") or None,
        borderline=_true(row, "borderline"),
        second_reading=_text(row, "second_reading") or None,
        score=0.0,
        slots={},
        reasons=(),
        next=(),
        flags=(),
        questions=(),
    )


def _shows(finding: Finding) -> str:
    """What the document shows, without the level, which stands above it."""
    status = codebook.tables().statuses.get(finding.grade)
    return f"{say.sentence(finding.plain)} {status.text if status else ''}".strip()


def _flags(row: Row) -> list[tuple[str, str]]:
    """Kind and code of each flag."""
    return [(kind, code) for kind in ("concern", "ask", "credit") for code in _text(row, f"{kind}s").split()]


def _value(row: Row, column: str) -> str:
    return say.short(_text(row, column), 80)


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


def _whole(row: Row, key: str) -> int:
    return int(row.get(key) or 0)


def _true(row: Row, key: str) -> bool:
    return str(row.get(key)).lower() in ("true", "1")
