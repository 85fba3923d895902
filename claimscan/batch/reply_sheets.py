"""Right-of-reply sheets: one workbook for each organisation, with every finding about it and room for its answer.

Nothing in a workbook is a formula or a link. The same tables give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import textwrap
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from claimscan import codebook
from claimscan.batch import reply_form as form
from claimscan.batch.ledger import description
from claimscan.batch.run_tables import batches, columns_of, shared
from claimscan.errors import UsageError
from claimscan.files import unwritable, write_whole
from claimscan.records import Evidence, Finding
from claimscan.showing import wording as say

BATCH = 2_000  # documents whose evidence is in memory at a time
PART = 500  # documents in one workbook; an organisation with more gets several
SCALE = 80  # of print, in percent
LINE = 15.0  # points of height of one line
LEAST, MOST = 4, 27  # lines of a row: room to write by hand, and the highest row that a spreadsheet has
MADE = datetime(2000, 1, 1)  # of every workbook, so that its bytes depend on the run alone

_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # a spreadsheet would read _x003D_ as the character it numbers
_RESERVED = re.compile("(con|prn|aux|nul|com[0-9]|lpt[0-9])$")
_FLAGS = ("concerns", "credits")

Row = Mapping[str, Any]


def sheets(run_folder: str, folder: str) -> list[str]:
    """Write one ``.xlsx`` for each organisation of a run, or for each document where none is given.

    Organisations are the values of the metadata column ``organisation``; case and spaces do not tell them apart. A file
    that is there already is left alone where it is the same, and is never replaced.

    Returns:
        The paths of all sheets, in order.

    Raises:
        UsageError: the folder is not that of a finished run or has no findings, a file of that name is there and is
            different (it may hold answers), or a file cannot be written.
    """
    description(run_folder)
    named = _organisation_column(run_folder)
    found: dict[str, tuple[str, dict[str, None]]] = {}  # by the name as compared: the name, its documents
    columns = [named] if named else []
    others = shared(run_folder, columns, texts=False)  # of a joint document every body is asked
    for row in batches(run_folder, "products", ["document", "source", *columns]):
        for one in (row, *others.get(row["document"], ())):
            who = say.clean(one.get(named) or "")
            mark = f"o {who.casefold()}" if who else f"d {row['document']}"
            found.setdefault(mark, (who or say.clean(row["source"]), {}))[1][row["document"]] = None
    if not found:
        raise UsageError("The run has no findings, so there is nothing to reply to.", "Scan other documents.")
    groups = {
        f"{mark} {at:06}": (who, list(documents)[at : at + PART])
        for mark, (who, documents) in found.items()
        for at in range(0, len(documents), PART)
    }
    names = _file_names(groups)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    written = []
    for some in _portions(sorted(groups, key=names.__getitem__), groups):
        wanted = {d for mark in some for d in groups[mark][1]}
        titles = {
            row["document"]: row["title"] or ""
            for row in batches(run_folder, "documents", ["document", "status", "title"], {"document": wanted})
            if row["status"] == "read"
        }
        products = _by_document(batches(run_folder, "products", None, {"document": wanted}))
        evidence = _by_document(batches(run_folder, "evidence", None, {"document": wanted}))
        for mark in some:
            who, documents = groups[mark]
            data = workbook(
                who,
                [row for d in documents for row in products[d]],
                {d: evidence.get(d, []) for d in documents},
                titles,
            )
            path = os.path.join(folder, names[mark])
            _write(path, data)
            written.append(path)
    return written


def workbook(
    who: str, products: Iterable[Row], evidence: Mapping[str, Sequence[Row]], titles: Mapping[str, str]
) -> bytes:
    """One workbook.

    Args:
        who: the organisation or document it is for.
        products: rows of the products table. evidence: rows of the evidence table, by document.
        titles: of documents, by id.
    """
    from openpyxl import Workbook

    book = Workbook()
    names = form.words()["sheets"]
    book.properties.creator, book.properties.title = "claimscan", form.cell(
        f"{names['findings']}: {say.short(who, 200)}"
    )
    book.properties.created = MADE
    _read_me(book.active, names["readme"], say.short(who, 300))
    findings, quotes = [], []
    by_id: dict[tuple[str, str], str] = {}
    for row in products:
        by_id[row["document"], row["id"]] = row["name"] or ""
        mine = [e for e in evidence.get(row["document"], ()) if e["product"] == row["id"]]
        findings.append(_finding_cells(row, mine, titles.get(row["document"], "")))
    for document, rows in evidence.items():
        source = next((r["source"] for r in rows), "")
        shown_as = say.short(titles.get(document, ""), 160) or say.clean(source)
        quotes += [{"document": shown_as, **q} for q in _quotes(document, rows, by_id)]
    _table(book.create_sheet(names["findings"]), form.columns(), findings, (3, "B"))
    _table(book.create_sheet(names["quotes"]), form.quote_columns(), quotes, (1, ""))
    return _fixed(book)


# --- what the cells say ---------------------------------------------------------------------------------------------


def _finding_cells(row: Row, evidence: Sequence[Row], title: str) -> dict[str, Any]:
    finding = _finding(row, evidence)
    cells = form.words()["cells"]
    known = {flag.code: flag for flag in codebook.tables().flags}
    shows = [say.shows(finding), *say.asides(finding)]
    for column in _FLAGS:
        for code in (row[column] or "").split():
            flag = known.get(code)
            # The table has the flag's code only, and the weaker of its two sentences holds either way.
            plain = (flag.plain_some or flag.plain) if flag else code.replace("-", " ")
            shows.append(cells[column.rstrip("s")].format(plain=plain))
    gaps = form.words()["gaps"]
    asked = [f"• {gaps.get(code, code.replace('_', ' '))}" for code in (row["gaps"] or "").split()]
    return {
        "document": form.document_cell(row["source"], title),
        "product": form.product_cell(row["name"] or ""),
        "claim": form.claim_cell(row["claim"] or "", row["claim_page"]),
        "shows": "\n".join(shows),
        "ceiling": say.ceiling(finding) or cells["nothing_above"],
        "gaps": "\n".join(asked) or cells["no_gaps"],
        "rules": ", ".join(dict.fromkeys((row["rules"] or "").split())),
        "answer": row.get("reply") or "",
        "evidence": row.get("reply_evidence") or "",
        "by": row.get("reply_by") or "",
        "on": row.get("reply_on") or "",
        "key_document": row["document"],
        "key_product": row["name"] or "",
        "key_claim": row["claim"] or "",
    }


def _finding(row: Row, evidence: Sequence[Row]) -> Finding:
    """As much of the finding as the tables have, for the sentences that say it."""
    scopes = {e["value"] for e in evidence if e["slot"] == "scope"}
    scope = next((s for s in ("presentation", "part") if s in scopes and "whole" not in scopes), "whole")
    return Finding(
        product=row["id"],
        grade=row["grade"] or "",
        label=row["label"] or "",
        band=row["band"] or "",
        plain=row["plain"] or "",
        supports=row["supports"] or "",
        ceiling=row["ceiling"] or "",
        proxy_grade=row["proxy_grade"] or None,
        borderline=bool(row["borderline"]),
        second_reading=row["second_reading"] or None,
        score=row["score"] or 0.0,
        slots={"scope": scope},
        reasons=(),
        next=(),
        flags=(),
        questions=(),
    )


def _quotes(document: str, rows: Sequence[Row], names: Mapping[tuple[str, str], str]) -> Iterator[dict[str, Any]]:
    """One row for each place, with all that was read in it."""
    places: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        places.setdefault((row["start"], row["end"], row["product"] or ""), []).append(row)
    for (_, _, product), group in sorted(places.items()):
        name = names.get((document, product), "")
        yield {
            "product": form.product_cell(name) or form.words()["cells"]["whole_document"],
            "page": group[0]["page"],
            "quote": f"“{say.short(group[0]['quote'] or '', form.CLAIM)}”",
            "shows": say.says([_evidence(row) for row in group]),
        }


def _evidence(row: Row) -> Evidence:
    value = row["value"] or ""
    if row["slot"] == "count" and value != "vague":
        value = form.words()["cells"]["number"]  # the table does not have the number; the quote has
    return Evidence(
        id=row["id"],
        slot=row["slot"],
        value=value,
        start=row["start"],
        end=row["end"],
        quote="",
        page=row["page"],
        rule="",
        score=0.0,
        certainty=row["certainty"] or "explicit",
    )


# --- the workbook ---------------------------------------------------------------------------------------------------

FONT = "Calibri"
_INK, _SOFT, _HEAD, _FILL = "FF1B1B1F", "FF4A4A55", "FFE4E7F0", "FFFFF4C2"


def _read_me(sheet: Any, title: str, who: str) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.title = title
    sheet.column_dimensions["A"].width = 100
    fonts = {"title": Font(FONT, 18, bold=True), "heading": Font(FONT, 13, bold=True)}
    for number, (style, text) in enumerate(form.lines(who), 1):
        cell = _put(sheet, number, 1, ("• " if style == "point" else "") + text)
        cell.font = fonts.get(style, Font(FONT, 11))
        size = {"title": 1.7, "heading": 1.6}.get(style, 1.0)
        sheet.row_dimensions[number].height = _high([(text, 100.0)]) * LINE * size + 4
        cell.alignment = Alignment(wrap_text=True, vertical="top", indent=1 if style == "point" else 0)
    _paper(sheet, portrait=True)


def _table(
    sheet: Any, columns: Sequence[form.Column], rows: Sequence[Mapping[str, Any]], frozen: tuple[int, str]
) -> None:
    """A sheet with a heading row. ``frozen``: columns that stay in sight, and the last of them that is printed again on
    the second sheet of paper."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    thin = Side(style="thin", color="FFB5B5BF")
    border = Border(left=thin, right=thin, top=thin, bottom=thin)
    plain, soft, bold = Font(FONT, 11, color=_INK), Font(FONT, 9, color=_SOFT), Font(FONT, 11, bold=True, color=_INK)
    wrap = Alignment(wrap_text=True, vertical="top")
    grounds = {"answer": PatternFill("solid", fgColor=_FILL), "head": PatternFill("solid", fgColor=_HEAD)}
    for at, column in enumerate(columns, 1):
        dimension = sheet.column_dimensions[get_column_letter(at)]
        dimension.width, dimension.hidden = column.width, column.kind == "key"
        cell = _put(sheet, 1, at, column.heading)
        cell.font, cell.border, cell.alignment = bold, border, wrap
        cell.fill = grounds["answer" if column.kind == "answer" else "head"]
    visible = [column for column in columns if column.kind != "key"]
    sheet.row_dimensions[1].height = _high([(c.heading, c.width * 0.9) for c in visible]) * LINE + 4
    least = LEAST if len(visible) < len(columns) else 1
    styles: dict[str, Any] = {}  # openpyxl finds the style of each cell anew, which takes longer than all the rest
    for number, row in enumerate(rows, 2):
        lines = _high([(str(row[c.key] or ""), c.width) for c in visible])
        sheet.row_dimensions[number].height = min(MOST, max(least, lines)) * LINE
        for at, column in enumerate(columns, 1):
            value = row[column.key]
            cell = _put(sheet, number, at, "" if value is None else value)
            if column.key in styles:
                cell._style = copy(styles[column.key])
                continue
            cell.font, cell.border = soft if column.kind == "key" or column.key == "rules" else plain, border
            # A hidden cell that wrapped would make its row as high as all of its words.
            cell.alignment = Alignment(vertical="top") if column.kind == "key" else wrap
            if column.kind == "answer":
                cell.fill = grounds["answer"]
                cell.number_format = "@"  # what is typed in is text, even where it begins with a minus
            styles[column.key] = cell._style
    sheet.freeze_panes = sheet.cell(row=2, column=frozen[0])
    sheet.print_title_rows = "1:1"
    _paper(sheet, portrait=False)
    answers = [at for at, column in enumerate(columns, 1) if column.kind == "answer"]
    if answers:
        from openpyxl.worksheet.pagebreak import Break, ColBreak

        sheet.print_title_cols = f"A:{frozen[1]}"
        sheet.col_breaks = ColBreak(brk=[Break(id=answers[0] - 1)])
        sheet.print_area = f"A1:{get_column_letter(answers[-1])}{len(rows) + 1}"


def _high(cells: Iterable[tuple[str, float]]) -> int:
    """How many lines the highest of some cells of this text and width in characters has, roughly."""

    def lines(part: str, width: int) -> int:
        return len(textwrap.wrap(part, width)) if len(part) > width else 1

    return max(sum(lines(part, int(width * 1.12)) for part in text.split("\n")) for text, width in cells)


def _put(sheet: Any, row: int, column: int, value: str | int) -> Any:
    """A cell that holds words as words, whatever they look like."""
    cell = sheet.cell(row=row, column=column)
    if isinstance(value, int):
        cell.value = value
    elif value:
        cell.value = _ESCAPE.sub("_x005F_", form.cell(value))
        cell.data_type = "s"
    return cell


def _paper(sheet: Any, portrait: bool) -> None:
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "portrait" if portrait else "landscape"
    if portrait:
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.page_setup.fitToHeight = 0
    else:
        sheet.page_setup.scale = SCALE
        sheet.page_setup.pageOrder = "overThenDown"
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom = 0.5, 0.6
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P / &N"


def _fixed(book: Any) -> bytes:
    """The workbook's bytes, with the day it was saved fixed, and rows that grow when somebody writes in them."""
    saved, out = io.BytesIO(), io.BytesIO()
    book.save(saved)
    date = f"{MADE:%Y-%m-%dT%H:%M:%SZ}".encode()
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + date, data)
            if name.startswith("xl/worksheets/"):
                data = re.sub(rb'(<row [^>]*?) customHeight="1"', rb"\g<1>", data)
            info = zipfile.ZipInfo(name, MADE.timetuple()[:6])
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(info, data)
    return out.getvalue()


# --- files ----------------------------------------------------------------------------------------------------------


def _organisation_column(run_folder: str) -> str:
    given = (c for c in columns_of(run_folder, "products") if say.clean(c).casefold() == "organisation")
    return next(given, "")


def _file_names(groups: Mapping[str, tuple[str, list[str]]]) -> dict[str, str]:
    """A file name for each group, of plain letters, that no other has."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for mark in sorted(groups):
        who = groups[mark][0]
        stem = os.path.splitext(who)[0] if mark.startswith("d ") else who
        flat = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
        slug = re.sub("[^a-z0-9]+", "-", flat).strip("-")[:80].strip("-")
        if not slug or _RESERVED.match(slug):
            slug = f"reply-{hashlib.sha256(mark.encode('utf-8', 'replace')).hexdigest()[:12]}"
        name, n = slug, 1
        while name in used:
            n += 1
            name = f"{slug}-{n}"
        used.add(name)
        names[mark] = f"{name}.xlsx"
    return names


def _portions(marks: Sequence[str], groups: Mapping[str, tuple[str, list[str]]]) -> Iterator[list[str]]:
    """The groups in portions of so many documents that their evidence fits in memory."""
    some: list[str] = []
    size = 0
    for mark in marks:
        more = len(groups[mark][1])
        if some and size + more > BATCH:
            yield some
            some, size = [], 0
        some.append(mark)
        size += more
    if some:
        yield some


def _by_document(rows: Iterable[Row]) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in rows:
        out.setdefault(row["document"], []).append(row)
    return out


def _write(path: str, data: bytes) -> None:
    try:
        with open(path, "rb") as file:
            there = file.read(len(data) + 1)
    except FileNotFoundError:
        write_whole(path, data)
        return
    except OSError as error:
        raise unwritable(path, error) from error
    if there != data:
        raise UsageError(
            f"{say.clean(path)} is already there and is different; it may hold answers.",
            "Name a new folder for the sheets.",
        )
