"""A spreadsheet: a row for each coding, as a workbook with lists to choose from, or as CSV.

Nothing in it is a formula. A row that people add needs the document, the words and the code; its place is found by the
words.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from claimscan.batch.reply_form import CELL
from claimscan.batch.reply_form import cell as safe
from claimscan.batch.returned import decoded, shown
from claimscan.correcting.anchors import page
from claimscan.records import Anchor, Document
from claimscan.study.codings import ALSO, THING, WHO, Coding, CodingError, detail_text
from claimscan.study.formats import unpacking
from claimscan.study.formats.refi_codes import plain
from claimscan.study.formats.spans import Span, hand_over
from claimscan.study.formats.texts import Known, held
from claimscan.study.placing import Placer, anchor_in, anchor_of
from claimscan.study.project import Project

COLUMNS = {
    "Document": 32,
    "Page": 7,
    "Words": 60,
    "Code": 30,
    "About": 28,
    "Also": 24,
    "Detail": 22,
    "Note": 36,
    "Coder": 16,
    "Before": 24,
    "After": 24,
    "Start": 9,
    "End": 9,
    "Document id": 18,
}
MORE = 2_000  # rows below the last in which there are lists to choose from
ROWS, WIDE, MEMBERS, UNPACKED = 500_000, 60, 1_000, 500_000_000
MADE = datetime(*unpacking.MADE)

_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # a spreadsheet would read _x003D_ as the character it numbers
_ESCAPED = re.compile("_x00(?:5F|0D)_")
_AGAIN = "Use the workbook that was exported, saved as .xlsx, or its sheet “Codings” as CSV."

Row = Mapping[str, str]


def cell(text: str) -> str:
    """Text that no spreadsheet runs; :func:`uncell` gives it back."""
    return safe(f"'{text}" if text.startswith("'") else text)


def uncell(text: str) -> str:
    return text[1:] if text.startswith("'") and cell(text[1:]) == text else text


# --- out ------------------------------------------------------------------------------------------------------------


def _rows(project: Project) -> Iterator[dict[str, str | int]]:
    for document in project.documents:
        for coding in project.by_document[document.id]:
            yield _row(project, document, coding)


def _row(project: Project, document: Document, coding: Coding) -> dict[str, str | int]:
    at = anchor_of(document, coding)
    if len(coding.note) > CELL:
        raise CodingError("A note is too long for a cell of a spreadsheet.", "Use another format, or make it shorter.")
    return {
        "Document": project.names[document.id],
        "Page": at.page,
        "Words": at.quote,
        "Code": coding.code,
        "About": coding.thing,
        "Also": "; ".join(coding.also),
        "Detail": detail_text(coding.detail),
        "Note": held(coding.note),
        "Coder": held(coding.coder),
        "Before": at.prefix,
        "After": at.suffix,
        "Start": coding.start,
        "End": coding.end,
        "Document id": document.id,
    }


def write_csv(project: Project) -> bytes:
    """UTF-8 with a mark at the beginning, so that spreadsheets know. A row without a code says who has coded a document."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(COLUMNS), restval="")
    writer.writeheader()
    for row in _rows(project):
        writer.writerow({key: cell(value) if isinstance(value, str) else value for key, value in row.items()})
    for document in project.documents:
        for coder in project.coders(document.id):
            if not any(c.coder == coder for c in project.by_document[document.id]):
                names = {"Document": project.names[document.id], "Coder": held(coder), "Document id": document.id}
                writer.writerow({key: cell(name) for key, name in names.items()})
    return out.getvalue().encode("utf-8-sig")


def write(project: Project) -> bytes:
    """A workbook with the sheets Codings, Codes and Documents."""
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator, book.properties.title = "claimscan", cell(held(project.title))
    book.properties.created = MADE
    rows = list(_rows(project))
    codings = book.active
    _fill(codings, "Codings", COLUMNS, rows)
    codes = [
        {"Code": c.path, "What it means": c.about, "Colour": c.colour} for c in project.codes.codes if not c.is_group
    ]
    codes.sort(
        key=lambda row: row["Code"].startswith((f"{THING}/", f"{WHO}/", f"{ALSO}/"))
    )  # those to choose from first
    sheet = book.create_sheet()
    _fill(sheet, "Codes", {"Code": 34, "What it means": 80, "Colour": 10}, codes)
    documents = [
        {
            "Document": project.names[document.id],
            "Coded by": unpacking.joined([held(coder) for coder in project.coders(document.id)]),
            "Source": document.source,
            "Document id": document.id,
        }
        for document in project.documents
    ]
    _fill(
        book.create_sheet(), "Documents", {"Document": 50, "Coded by": 30, "Source": 50, "Document id": 70}, documents
    )
    chosen = sum(not row["Code"].startswith((f"{THING}/", f"{WHO}/", f"{ALSO}/")) for row in codes)
    _choices(codings, "D", f"=Codes!$A$2:$A${chosen + 1}", len(rows), strict=True)
    _choices(codings, "A", f"=Documents!$A$2:$A${len(documents) + 1}", len(rows), strict=False)
    return _fixed(book)


def _fill(sheet: Any, title: str, columns: Mapping[str, int], rows: Sequence[Mapping[str, str | int]]) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet.title = title
    for at, (heading, width) in enumerate(columns.items(), 1):
        sheet.column_dimensions[get_column_letter(at)].width = width
        _put(sheet, 1, at, heading).font = Font(bold=True)
    wrap = Alignment(wrap_text=True, vertical="top")
    style = None  # openpyxl looks for the style of each cell anew, which takes longer than all the rest
    for number, row in enumerate(rows, 2):
        for at, heading in enumerate(columns, 1):
            one = _put(sheet, number, at, row[heading])
            if style is None:
                one.alignment = wrap
                one.number_format = "@"
                style = one._style
            elif not isinstance(row[heading], int):
                one._style = style
    sheet.freeze_panes = "A2"


def _put(sheet: Any, row: int, column: int, value: str | int) -> Any:
    """A cell that holds words as words, whatever they look like."""
    one = sheet.cell(row=row, column=column)
    if isinstance(value, int):
        one.value = value
    elif value:
        one.value = _ESCAPE.sub("_x005F_", cell(value))
        one.data_type = "s"
    return one


def _choices(sheet: Any, column: str, of: str, rows: int, *, strict: bool) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    list_ = DataValidation(type="list", formula1=of, allow_blank=True, showErrorMessage=strict)
    list_.errorTitle, list_.error = "Not a code", "Choose a code from the list. The sheet “Codes” says what each means."
    list_.add(f"{column}2:{column}{rows + 1 + MORE}")
    sheet.add_data_validation(list_)


def _fixed(book: Any) -> bytes:
    """The workbook's bytes, with the day it was saved fixed."""
    saved = io.BytesIO()
    book.save(saved)
    archive = unpacking.Archive(saved.getvalue())
    files = {name: archive.read(name) for name in archive.names}
    core = re.sub(
        rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + unpacking.DATE.encode(), files["docProps/core.xml"]
    )
    return unpacking.zipped({**files, "docProps/core.xml": core})


# --- in -------------------------------------------------------------------------------------------------------------


def read(data: bytes, placer: Placer, coder: str = "") -> None:
    """Tell the placer the codings of a workbook.

    Args:
        coder: who all are by; without it whoever the row names.

    Raises:
        CodingError: it cannot be opened, or no sheet has the headings.
    """
    _tell(_sheets(data), placer, coder)


def read_csv(data: bytes, placer: Placer, coder: str = "") -> None:
    """Tell the placer the codings of a CSV file, with commas, semicolons or tabs. Else as :func:`read`."""
    text = decoded(data)
    if "\0" in text:
        raise CodingError("This is no CSV file.", _AGAIN)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    old = csv.field_size_limit(2**27)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise CodingError(f"The CSV file is damaged ({error}).", _AGAIN) from error
    finally:
        csv.field_size_limit(old)
    _tell([_table(rows)], placer, coder)


def _sheets(data: bytes) -> list[list[tuple[int, Row]] | None]:
    import openpyxl

    archive = unpacking.Archive(data)
    sizes = sum(info.file_size for info in archive.members)
    if len(archive.names) > MEMBERS or sizes > UNPACKED:
        raise CodingError("The workbook is too large when it is unpacked.", _AGAIN)
    for name in archive.names:
        if name.lower().endswith((".xml", ".rels", ".vml")):
            content = archive.read(name).replace(b"\0", b"")
            if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
                raise CodingError("The workbook declares XML entities, which no workbook needs.", _AGAIN)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            found = []
            for sheet in book.worksheets:
                sheet.reset_dimensions()
                rows = sheet.iter_rows(max_row=ROWS, max_col=WIDE, values_only=True)
                found.append(_table([_shown(value) for value in row] for row in rows))
            book.close()
    except Exception as error:  # openpyxl lets whatever goes wrong inside it through
        raise CodingError(f"The workbook is damaged ({type(error).__name__}).", _AGAIN) from error
    return found


def _table(rows: Iterable[Sequence[str]]) -> list[tuple[int, Row]] | None:
    """Rows below the headings, by heading, with their numbers; None where there are no headings."""
    headings: list[str] | None = None
    below: list[tuple[int, Row]] = []
    for number, row in enumerate(rows, 1):
        if headings is None:
            found = [" ".join(one.split()).casefold() for one in row]
            if "document" in found and ("code" in found or "coded by" in found):
                headings = found
        elif any(one.strip() for one in row):
            below.append((number, {key: uncell(one) for key, one in zip(headings, row, strict=False) if key}))
    return None if headings is None else below


def _tell(found: Sequence[list[tuple[int, Row]] | None], placer: Placer, coder: str) -> None:
    sheets = [rows for rows in found if rows is not None]
    if not sheets:
        raise CodingError("No sheet has the headings “Document” and “Code”.", _AGAIN)
    names: dict[str, str] = {}
    for key, document in placer.documents.items():
        for name in (document.title, document.source, document.source.replace("\\", "/").rpartition("/")[2]):
            names.setdefault(plain(name), key)
    for rows in sheets:
        for _, row in rows:
            if row.get("document id", "").strip() in placer.documents:
                names[plain(row.get("document", ""))] = row["document id"].strip()
    tags = {plain(code.path): code.path for code in placer.codes.codes}
    tags |= {plain(code.name): code.path for code in placer.codes.codes if code.group in (ALSO, WHO)}
    known = Known(placer)
    spans = []
    for rows in sheets:
        for number, row in rows:
            key = row.get("document id", "").strip()
            key = key if key in placer.documents else names.get(plain(row.get("document", "")), "")
            if "coded by" in row and "code" not in row:
                for who in unpacking.parted(row["coded by"]):
                    placer.coded(key, coder or who)
                continue
            who = coder or row.get("coder", "")
            said = [row.get("code", ""), *re.split(r"[;\n]", row.get("also", ""))]
            given = [tags.get(plain(one), one.strip()) for one in said if one.strip()]
            if not given and not any(row.get(name, "").strip() for name in ("words", "about", "detail", "note")):
                placer.coded(key, who)  # a row with nothing but a document says that she has coded it
                continue
            thing = row.get("about", "").strip().removeprefix(f"{THING}/")
            given += [f"{THING}/{thing}"] if thing else []
            at, why = _at(placer, known, key, row)
            named = key or row.get("document", "").strip() or f"row {number}"
            if why:
                placer.lose(named, at, tuple(given), who, why)
                continue
            spans.append(Span(named, at, tuple(dict.fromkeys(given)), who, row.get("detail", ""), row.get("note", "")))
    hand_over(placer, spans)


def _at(placer: Placer, known: Known, key: str, row: Row) -> tuple[Anchor, str]:
    """The row's place: its offsets where the words are still those; else where the words are."""
    start, end = unpacking.number(row.get("start")), unpacking.number(row.get("end"))
    said, number = row.get("words", ""), unpacking.number(row.get("page"))
    if key and start is not None and end is not None:
        document = placer.documents[key]
        if 0 <= start < end <= len(document.text) and _flat(said) == _flat(uncell(cell(document.text[start:end]))):
            return anchor_in(document.text, start, end, page(document, start)), ""
    return known.by_words(key, said, row.get("before", ""), row.get("after", ""), number)


def _shown(value: Any) -> str:
    """A cell's value as a person sees it; of text also the space at its edges."""
    if not isinstance(value, str):
        return shown(value)
    return _ESCAPED.sub(lambda match: "_" if match[0] == "_x005F_" else "\r", value)


def _flat(words: str) -> str:
    return "".join(words.split())
