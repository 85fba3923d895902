"""Sheets that come back, as rows of text. Whoever made the file is not trusted, and nothing in it is run.

A workbook is looked through before it is opened: how large it is, unpacked too, and whether its XML declares entities.
Formulas are taken as the text they are; macros, links and pictures are passed over.
"""

from __future__ import annotations

import csv
import io
import os
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from claimscan.batch import reply_form as form
from claimscan.errors import EncryptedDocument, LimitExceeded, MissingDocument, UnreadableDocument, UnsupportedFormat
from claimscan.showing import wording as say

BYTES = 20_000_000
UNPACKED = 100_000_000
MEMBERS = 1_000
ROWS = 20_000  # rows of one file that hold something
LAST = 1_048_576  # the last row a spreadsheet has
WIDE = 200  # columns looked at
TOP = 50  # rows in which the headings have to be
NOTES = 200  # notes of one file

_AGAIN = "Ask for the workbook (.xlsx) to be sent again, or for its sheet “Findings” as a CSV file."
_SMALLER = "Ask for the sheet that was sent out, with answers and nothing else in it."
_DECLARES = tuple(
    mark.encode(form_) for mark in ("<!DOCTYPE", "<!ENTITY") for form_ in ("utf-8", "utf-16-le", "utf-16-be")
)


class Line(NamedTuple):
    """One row of findings: its place, and its cells by column key; a column that is missing is not among them."""

    place: str
    cells: dict[str, str]


class Note(NamedTuple):
    """Something written in a file that is no answer, with its place."""

    place: str
    text: str


class Returned(NamedTuple):
    lines: tuple[Line, ...]
    notes: tuple[Note, ...]


def read(path: str) -> Returned:
    """The rows of a returned workbook or CSV file.

    Raises:
        UnreadableDocument: it is not there, too large, locked, damaged, of another kind, or has no columns of a reply.
    """
    name = os.path.basename(path)
    try:
        if os.path.getsize(path) > BYTES:
            raise LimitExceeded(f"{name} is larger than {BYTES // 1_000_000} MB.", _SMALLER)
        with open(path, "rb") as file:
            data = file.read(BYTES + 1)
    except FileNotFoundError:
        raise MissingDocument(f"There is no file called {name}.") from None
    except OSError as error:
        raise UnreadableDocument(f"{name} cannot be read ({error.strerror or error}).", _AGAIN) from None
    reader = _Reader(name)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise EncryptedDocument(
            f"{name} has a password or is in an old format (.xls).", "Save it as .xlsx without a password."
        )
    if data.startswith(b"PK"):
        reader.workbook(data)
    else:
        reader.comma_separated(data)
    return reader.done()


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[Line] = []
        self._notes: list[Note] = []
        self._rows = 0
        self._found = False

    def done(self) -> Returned:
        if not self._found:
            raise UnreadableDocument(
                f"{self._name} has no column “{form.heading('answer')}”.",
                "Use the sheet that claimscan made; to send it as CSV, save its sheet “Findings”.",
            )
        return Returned(tuple(self._lines), tuple(self._notes))

    # --- kinds of file ---

    def workbook(self, data: bytes) -> None:
        import openpyxl

        remarks = self._looked_through(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
                for sheet in book.worksheets:
                    sheet.reset_dimensions()
                    rows = sheet.iter_rows(max_row=LAST, max_col=WIDE, values_only=True)
                    self._sheet(sheet.title, ([shown(value) for value in row] for row in rows))
                book.close()
        except UnreadableDocument:
            raise
        except Exception as error:  # openpyxl lets whatever goes wrong inside it through
            raise UnreadableDocument(f"{self._name} is damaged ({type(error).__name__}).", _AGAIN) from error
        for remark in remarks:
            self._note("", 0, str(form.words()["notes"][remark]))

    def comma_separated(self, data: bytes) -> None:
        text = decoded(data)
        if "\0" in text:
            raise UnsupportedFormat(f"{self._name} is neither a workbook nor a CSV file.", _AGAIN)
        old = csv.field_size_limit(BYTES)
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
            self._sheet("", rows)
        except csv.Error as error:
            raise UnreadableDocument(f"{self._name} is damaged ({error}).", _AGAIN) from error
        finally:
            csv.field_size_limit(old)

    def _looked_through(self, data: bytes) -> list[str]:
        """Refuse what is too large or unsafe to open; returns which remarks the file calls for."""
        remarks = set()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                members = packed.infolist()
                if len(members) > MEMBERS or sum(m.file_size for m in members) > UNPACKED:
                    raise LimitExceeded(f"{self._name} is too large when it is unpacked.", _SMALLER)
                names = {m.filename for m in members}
                if "xl/workbook.xml" not in names and "[Content_Types].xml" not in names:
                    raise UnsupportedFormat(f"{self._name} is not a workbook that can be read.", "Save it as .xlsx.")
                for member in members:
                    lower = member.filename.lower()
                    if "comments" in lower and lower.endswith(".xml"):
                        remarks.add("comments")
                    if not lower.endswith((".xml", ".rels", ".vml")):
                        continue
                    content = packed.read(member)  # no more than the size it declares
                    if any(mark in content for mark in _DECLARES):
                        raise UnreadableDocument(
                            f"{self._name} declares XML entities, which no workbook needs.", _AGAIN
                        )
                    if "worksheets/" in lower and b"<mergeCell " in content:
                        remarks.add("merged")
        except UnreadableDocument:
            raise
        except (
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            RuntimeError,
            NotImplementedError,
            EOFError,
            OSError,
        ) as error:
            raise UnreadableDocument(f"{self._name} is damaged ({type(error).__name__}).", _AGAIN) from error
        except Exception as error:  # zlib.error and what else a bent file can raise
            raise UnreadableDocument(f"{self._name} is damaged ({type(error).__name__}).", _AGAIN) from error
        return sorted(remarks)

    # --- sheets and rows ---

    def _sheet(self, title: str, rows: Iterable[Sequence[str]]) -> None:
        counted = self._counted(rows)
        above: list[tuple[int, Sequence[str]]] = []
        for number, row in counted:
            columns = _columns(row)
            if columns:
                self._found = True
                for at, words in above:
                    self._written(title, at, words)
                self._findings(title, row, columns, counted)
                return
            if len(above) == TOP or _quotes(row):
                break
            above.append((number, row))
        self._other(title, above)

    def _counted(self, rows: Iterable[Sequence[str]]) -> Iterator[tuple[int, Sequence[str]]]:
        for number, row in enumerate(rows, 1):
            if any(row):
                self._rows += 1
                if self._rows > ROWS:
                    raise LimitExceeded(f"{self._name} has more than {ROWS:,} rows.", _SMALLER)
                yield number, row

    def _findings(
        self,
        title: str,
        headings: Sequence[str],
        columns: dict[int, str],
        rows: Iterator[tuple[int, Sequence[str]]],
    ) -> None:
        if len(set(columns.values())) < len(columns):
            raise UnreadableDocument(
                f"{form.place(self._name, title, 0)} has two columns with the same heading.", "Take one of them out."
            )
        for number, row in rows:
            if _columns(row):  # the headings once more, as where two sheets were put under each other
                continue
            cells = {key: row[at] if at < len(row) else "" for at, key in columns.items()}
            for at, words in enumerate(row):
                if at not in columns and words:
                    head = headings[at] if at < len(headings) else ""
                    beside = f"{head}: {words}" if head else words
                    self._note(title, number, form.words()["notes"]["beside"].format(words=say.short(beside, 300)))
            if any(cells.values()):
                self._lines.append(Line(form.place(self._name, title, number), cells))

    def _other(self, title: str, rows: Sequence[tuple[int, Sequence[str]]]) -> None:
        """A sheet without room for answers: the first of ours, where words of others are worth a note, or another."""
        if not rows:
            return
        if form.plain_heading(rows[0][1][0]) == form.plain_heading(form.lines("")[0][1]):
            for number, row in rows:
                self._written(title, number, row)
            return
        words = form.words()["notes"]["sheet"].format(heading=form.heading("answer"))
        self._note(title, 0, words)

    def _written(self, title: str, number: int, row: Sequence[str]) -> None:
        for at, words in enumerate(row):
            plain = form.plain_heading(words)
            if plain and not (at == 0 and _ours(plain, number)):
                self._note(title, number, form.words()["notes"]["written"].format(words=say.short(words, 300)))

    def _note(self, title: str, number: int, text: str) -> None:
        if len(self._notes) < NOTES:
            self._notes.append(Note(form.place(self._name, title, number), text))
        elif len(self._notes) == NOTES:
            self._notes.append(Note(self._name, str(form.words()["notes"]["more"])))


def _ours(plain: str, row: int) -> bool:
    return (row < 4 and plain.startswith("for ")) or plain in {form.plain_heading(text) for _, text in form.lines("")}


def _columns(row: Sequence[str]) -> dict[int, str]:
    """Which column of a heading row is which; empty where the row is no heading row."""
    known = {form.plain_heading(c.heading): c.key for c in form.columns()}
    # No heading is long, and an answer is not to be searched for one.
    plain = ((at, form.plain_heading(text)) for at, text in enumerate(row) if text and len(text) < 200)
    found = {at: known[text] for at, text in plain if text in known}
    named = {"document", "product", "claim", "key_document", "key_product", "key_claim"}
    return found if "answer" in found.values() and named & set(found.values()) else {}


def _quotes(row: Sequence[str]) -> bool:
    """Whether this is the heading row of the quotes, below which there is nothing to answer."""
    plain = {form.plain_heading(text) for text in row if len(text) < 200}
    return {form.plain_heading(column.heading) for column in form.quote_columns()} <= plain


def shown(value: Any) -> str:
    """A cell's value as a person sees it; a formula as it is written."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("_x005F_", "_").replace("_x000D_", "\n").strip()  # as the format escapes characters
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(getattr(value, "text", None) or value)  # an array formula holds its own words


def decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    """The delimiter with which the first lines hold most of our headings."""
    head = "\n".join(text.splitlines()[:TOP])

    def known(delimiter: str) -> int:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        try:
            return max((len(_columns(row)) for row in rows), default=0)
        except csv.Error:
            return 0

    return max((",", ";", "\t"), key=known)
