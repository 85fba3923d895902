"""The right of reply: sheets go out, come back as people send them, and the answers stand beside their findings."""

import argparse
import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import asdict, replace

import made_reports
import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimscan import codebook
from claimscan.batch import ledger, replies
from claimscan.batch import reply_form as form
from claimscan.batch import reply_sheets, returned, tables
from claimscan.commands import reply as reply_command
from claimscan.errors import (
    EncryptedDocument,
    LimitExceeded,
    MissingDocument,
    UnreadableDocument,
    UnsupportedFormat,
    UsageError,
)
from claimscan.records import Reply
from claimscan.showing import answers, html

KINDS = {"string": pyarrow.string(), "Int64": pyarrow.int64(), "Float64": pyarrow.float64(), "boolean": pyarrow.bool_()}
COLUMN = {column.key: column.heading for column in form.columns()}


def sha(name):
    return hashlib.sha256(name.encode()).hexdigest()


def product(source, name, claim, page=2, id="p1", **more):
    row = {
        "document": sha(source),
        "source": source,
        "organisation": "Northmoor Council",
        "id": id,
        "name": name,
        "is_document": False,
        "mentions": 1,
        "grade": "3",
        "label": "Consulted",
        "band": "Asked",
        "plain": "people were asked; the organisation decided",
        "supports": "informed by",
        "ceiling": "4",
        "borderline": False,
        "score": 0.5,
        "rules": "E1 E13 D1",
        "concerns": "word-inflation",
        "asks": "payment-not-stated",
        "credits": "changes-listed",
        "gaps": "payment decision_power claim_only",
        "claim": claim,
        "claim_page": page,
    }
    return row | more


def evidence(source, product, quote, slot="method", value="survey", start=10, **more):
    row = {"document": sha(source), "source": source, "organisation": "Northmoor Council", "id": f"e{start}"}
    row |= {"product": product, "slot": slot, "value": value, "who": "le", "certainty": "explicit", "quote": quote}
    return row | {"page": 4, "start": start, "end": start + len(quote), "rule": "E13", "score": 0.9} | more


CLAIM = "This Carers Plan was co-produced with carers across Northmoor."
PASSPORT = "The Travel Passport, co-produced with young people, is used in every school."
FORMULA = '=HYPERLINK("http://example.invalid","us") was co-produced'
PRODUCTS = [
    product("north/carers.pdf", "this Carers Plan", CLAIM),
    product(
        "north/carers.pdf", "the Travel Passport", PASSPORT, 5, id="p2", grade="N0", ceiling="6", plain="", label=""
    ),
    product("north/housing.pdf", "the housing pledge", "", None, grade="1", ceiling="1", gaps="", concerns=None),
    product("south/plan.pdf", "=1+1 plan", FORMULA, 1, organisation="Southmere Trust"),
]
EVIDENCE = [
    evidence("north/carers.pdf", "p1", "We asked 40 carers in a survey.", start=10),
    evidence("north/carers.pdf", "p1", "We asked 40 carers in a survey.", slot="count", value="exact", start=10),
    evidence("north/carers.pdf", None, "Carers met every month.", slot="continuity", value="standing_group", start=90),
    evidence("south/plan.pdf", "p1", '@SUM(1)*cmd|"/C calc"!A0', organisation="Southmere Trust"),
]


def write_table(folder, name, rows, metadata=("organisation",)):
    columns = tables.columns(name, metadata)
    schema = pyarrow.schema([(column, KINDS[kind]) for column, kind in columns.items()])
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    values = [{column: row.get(column) for column in columns} for row in rows]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(values, schema), folder / "tables" / f"{name}.parquet")


def make_run(folder, products=PRODUCTS, rows=EVIDENCE, metadata=("organisation",)):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"schema": ledger.FORM}), encoding="ascii")
    documents = {p["document"]: {**p, "status": "read", "title": f"Title of {p['source']}"} for p in products}
    write_table(folder, "documents", list(documents.values()), metadata)
    write_table(folder, "products", products, metadata)
    write_table(folder, "evidence", rows, metadata)
    return str(folder)


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run")


@pytest.fixture
def sheet(run, tmp_path):
    """The sheet for Northmoor Council, as it was sent out."""
    return replies.sheets(run, str(tmp_path / "out"))[0]


def findings(path):
    book = openpyxl.load_workbook(path)
    return book, book["Findings"]


def at(sheet, key):
    return next(cell.column for cell in sheet[1] if cell.value == COLUMN[key])


def type_in(path, row, out=None, **answer):
    """Type an answer into a row of the findings, as a spreadsheet would save it."""
    book, sheet = findings(path)
    for key, words in answer.items():
        sheet.cell(row=row, column=at(sheet, key)).value = words
    book.save(out or path)
    return str(out or path)


def as_csv(path, out, delimiter=",", encoding="utf-8-sig"):
    _, sheet = findings(path)
    with open(out, "w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([["" if c is None else c for c in row] for row in sheet.iter_rows(values_only=True)])
    return str(out)


# --- going out ------------------------------------------------------------------------------------------------------


def test_each_organisation_has_a_sheet_with_all_its_findings(run, tmp_path):
    paths = replies.sheets(run, str(tmp_path / "out"))
    assert [re.split(r"[/\\]", p)[-1] for p in paths] == ["northmoor-council.xlsx", "southmere-trust.xlsx"]
    book, sheet = findings(paths[0])
    assert book.sheetnames == ["Read me", "Findings", "Quotes"]
    assert sheet.max_row == 4 and sheet.freeze_panes == "C2"
    row = {c.key: sheet.cell(row=2, column=at(sheet, c.key)).value for c in form.columns()}
    assert row["document"] == "Title of north/carers.pdf\nnorth/carers.pdf"
    assert row["product"] == "This Carers Plan" and row["claim"] == f"“{CLAIM}” (page 2)"
    assert "The document shows: people were asked; the organisation decided (Consulted, level 3 of 6)." in row["shows"]
    assert "What it shows fits a smaller word better" in row["shows"]
    assert row["ceiling"] == "Nothing in it rules out level 4 (Involved)."
    assert row["gaps"].splitlines()[0] == "• Were people paid for their time? How much?"
    assert [row[k] for k in ("answer", "evidence", "by", "on")] == [None] * 4
    assert row["key_document"] == sha("north/carers.pdf") and row["key_claim"] == CLAIM
    shown = {c.heading: sheet.column_dimensions[cell.column_letter] for c, cell in zip(form.columns(), sheet[1])}
    assert [h for h, d in shown.items() if d.hidden] == [c.heading for c in form.columns() if c.kind == "key"]
    described = sheet.cell(row=4, column=at(sheet, "claim")).value
    assert described == "The document describes it without the word “co-produced”."


def test_a_status_is_said_in_words_and_is_no_low_level(sheet):
    _, found = findings(sheet)
    words = found.cell(row=3, column=at(found, "shows")).value
    assert "level" not in words and codebook.tables().statuses["N0"].text in words


def test_the_quotes_say_what_was_read_once_for_each_place(sheet):
    book, _ = findings(sheet)
    rows = [[c.value for c in row][1:] for row in book["Quotes"].iter_rows(min_row=2)]
    assert rows[0][:3] == ["This Carers Plan", 4, "“We asked 40 carers in a survey.”"]
    assert rows[0][3] == "What they did: answered a survey; how many: a number is given"
    assert rows[1][0] == "The document as a whole" and len(rows) == 2


def test_the_first_sheet_has_the_fair_words(sheet):
    book, _ = findings(sheet)
    words = " ".join(str(row[0].value) for row in book["Read me"].iter_rows())
    for said in (
        "For Northmoor Council",
        "not what happened",
        "We accuse nobody",
        "“Not stated” is never a “no”",
        "in your own words",
        "whoever sent you this will tell you",
        "Level 6, Co-produced",
    ):
        assert said in words, said


def test_without_organisations_each_document_has_a_sheet(tmp_path):
    run = make_run(tmp_path / "run", metadata=())
    paths = replies.sheets(run, str(tmp_path / "out"))
    names = [re.split(r"[/\\]", p)[-1] for p in paths]
    assert names == ["north-carers.xlsx", "north-housing.xlsx", "south-plan.xlsx"]


def test_names_of_files_are_safe_and_never_the_same(tmp_path):
    people = ["../../etc", "CON", "Ünï Council", "uni council!", "уезд", "  Uni   COUNCIL!  ", ""]
    rows = [product(f"{n}.pdf", "the plan", CLAIM, organisation=who) for n, who in enumerate(people)]
    paths = replies.sheets(make_run(tmp_path / "run", rows, []), str(tmp_path / "out"))
    names = [p[len(str(tmp_path / "out")) + 1 :] for p in paths]
    assert len(set(names)) == len(names) == 6
    assert all(re.fullmatch("[a-z0-9-]+[.]xlsx", name) for name in names)
    assert "con.xlsx" not in names and {"etc.xlsx", "uni-council.xlsx", "uni-council-2.xlsx", "6.xlsx"} <= set(names)


def test_a_large_organisation_gets_several_sheets_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(reply_sheets, "PART", 2)
    monkeypatch.setattr(reply_sheets, "BATCH", 3)
    rows = [product(f"{n}.pdf", "the plan", f"Plan {n} was co-produced.") for n in range(7)]
    paths = replies.sheets(make_run(tmp_path / "run", rows, []), str(tmp_path / "out"))
    claims = [r[2] for p in paths for r in findings(p)[1].iter_rows(min_row=2, values_only=True)]
    assert len(paths) == 4 and sorted(claims) == [f"“Plan {n} was co-produced.” (page 2)" for n in range(7)]


def test_the_same_run_gives_the_same_bytes_and_answers_are_never_overwritten(run, tmp_path):
    first = replies.sheets(run, str(tmp_path / "a"))
    second = replies.sheets(run, str(tmp_path / "b"))
    assert [open(p, "rb").read() for p in first] == [open(p, "rb").read() for p in second]
    assert replies.sheets(run, str(tmp_path / "a")) == first
    type_in(first[0], 2, answer="Our answer.")
    typed = open(first[0], "rb").read()
    with pytest.raises(UsageError, match="may hold answers"):
        replies.sheets(run, str(tmp_path / "a"))
    assert open(first[0], "rb").read() == typed


def test_nothing_in_a_sheet_is_a_formula_or_a_link(run, tmp_path):
    path = replies.sheets(run, str(tmp_path / "out"))[1]
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            xml = packed.read(name).decode()
            assert "<f>" not in xml and "<f " not in xml and "hyperlink" not in xml.lower().replace("=hyperlink(", "")
    for page in openpyxl.load_workbook(path):
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "inlineStr", "n") and not re.match(r"\s*[=+\-@]", str(cell.value))
    _, found = findings(path)
    assert found.cell(row=2, column=at(found, "key_product")).value == "'=1+1 plan"


@given(st.text(max_size=60))
def test_every_cell_comes_back_as_it_was_and_is_never_run(text):
    book = openpyxl.Workbook()
    reply_sheets._put(book.active, 1, 1, text)
    saved = io.BytesIO()
    book.save(saved)
    value = openpyxl.load_workbook(saved).active.cell(row=1, column=1)
    assert value.data_type in ("s", "inlineStr", "n")
    assert not re.match(r"\s*[=+\-@]", value.value or "")
    # XML knows one kind of line break, and a space alone is not kept by every program.
    assert "".join(returned.shown(value.value).split()) == "".join(form.cell(text).split())


def test_a_number_of_a_character_stays_words(tmp_path):
    book = openpyxl.Workbook()
    reply_sheets._put(book.active, 1, 1, "_x003D_1+1")
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as packed:
        assert b"_x005F_x003D_1+1" in packed.read("xl/worksheets/sheet1.xml")
    assert returned.shown(openpyxl.load_workbook(tmp_path / "a.xlsx").active["A1"].value) == "_x003D_1+1"


def test_every_gap_of_the_codebook_has_words():
    assert {gap.gap.replace(" ", "_") for gap in codebook.tables().gaps} == set(form.words()["gaps"])


def test_a_run_without_findings_or_tables(tmp_path):
    with pytest.raises(UsageError, match="no findings"):
        replies.sheets(make_run(tmp_path / "empty", [], []), str(tmp_path / "out"))
    with pytest.raises(UsageError, match="is not the folder of a run"):
        replies.sheets(str(tmp_path), str(tmp_path / "out"))
    run = make_run(tmp_path / "run")
    (tmp_path / "run" / "tables" / "products.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(UsageError, match="cannot be read"):
        replies.sheets(run, str(tmp_path / "out"))
    (tmp_path / "run" / "tables" / "products.parquet").unlink()
    with pytest.raises(UsageError, match="no table of products yet"):
        replies.sheets(run, str(tmp_path / "out"))


# --- coming back ----------------------------------------------------------------------------------------------------

SAID = dict(answer="We met 12 carers.\n\nSee below.", evidence="Minutes, page 3", by="Head of Carers", on="1 May 2026")


def test_an_answer_is_taken_and_kept(run, sheet):
    taken = replies.take(run, [type_in(sheet, 2, **SAID)])
    want = Reply(
        sha("north/carers.pdf"),
        "north/carers.pdf",
        "this Carers Plan",
        CLAIM,
        "We met 12 carers.\nSee below.",
        "Minutes, page 3",
        "Head of Carers",
        "1 May 2026",
    )
    assert taken.taken == (want,) and taken.documents == {want.document}
    assert len(taken.empty) == 2 and not taken.unplaced and not taken.notes and not taken.failed
    assert replies.replies_of(run) == (want,)
    with open(f"{run}/replies.json", encoding="ascii") as file:
        assert json.load(file) == [asdict(want)]
    again = replies.take(run, [sheet])
    assert (again.taken, again.unchanged, again.documents) == ((), 1, frozenset())


def test_a_new_answer_replaces_the_earlier_and_says_so(run, sheet):
    replies.take(run, [type_in(sheet, 2, answer="First.")])
    replies.take(run, [type_in(sheet, 3, answer="Other.")])
    taken = replies.take(run, [type_in(sheet, 2, answer="Second.")])
    assert [r.answer for r in taken.replaced] == ["First."] and [r.answer for r in taken.taken] == ["Second."]
    assert sorted(r.answer for r in replies.replies_of(run)) == ["Other.", "Second."]
    # A sheet that comes back empty takes nothing away.
    assert replies.take(run, [type_in(sheet, 2, answer=None)]).taken == ()
    assert len(replies.replies_of(run)) == 2


def test_rows_and_columns_may_be_moved_removed_and_added(run, sheet, tmp_path):
    book, found = findings(sheet)
    rows = [[c.value for c in row] for row in found.iter_rows()]
    order = list(reversed(range(len(rows[0]))))
    book.remove(found)
    moved = book.create_sheet("Antworten", 0)
    moved.append(["Our comments on your findings"])
    moved.append([])
    head = [rows[0][i] for i in order]
    moved.append([*head, "Note to self"])
    third = [rows[3][i] for i in order]
    third[head.index(COLUMN["answer"])] = "It was the tenants who asked for it."
    moved.append([*third, "ask Sam"])
    first = [rows[1][i] for i in order]
    first[head.index(COLUMN["answer"])] = "Carers wrote it."
    moved.append(first)
    moved.append(["" for _ in head])
    loose = ["" for _ in head]
    loose[head.index(COLUMN["answer"])] = "And thank you."
    moved.append(loose)
    book.save(tmp_path / "back.xlsx")
    taken = replies.take(run, [str(tmp_path / "back.xlsx")])
    assert {r.product: r.answer for r in taken.taken} == {
        "the housing pledge": "It was the tenants who asked for it.",
        "this Carers Plan": "Carers wrote it.",
    }
    (lost,) = taken.unplaced
    assert lost.place == "back.xlsx, sheet “Antworten”, row 7" and lost.cells["answer"] == "And thank you."
    assert [n.text for n in taken.notes] == [
        "Written on a sheet that has no room for answers, and not taken: “Our comments on your findings”",
        "Not taken, because the column is not one of ours: “Note to self: ask Sam”",
    ]


@pytest.mark.parametrize("gone", [("key_document",), ("key_document", "key_product", "key_claim"), ("document", "product", "claim"), ("claim", "key_claim"), ("product", "key_product")])  # fmt: skip
def test_a_finding_is_found_without_some_of_its_columns(run, sheet, gone):
    type_in(sheet, 2, answer="One.")
    type_in(sheet, 4, answer="Two.")
    book, found = findings(sheet)
    for key in gone:
        found.delete_cols(at(found, key))
    book.save(sheet)
    taken = replies.take(run, [sheet])
    assert {r.product: r.answer for r in taken.taken} == {"this Carers Plan": "One.", "the housing pledge": "Two."}


def test_edited_words_fall_back_to_the_key_and_an_edited_key_to_the_words(run, sheet):
    type_in(sheet, 2, answer="One.", product="Our much better plan", claim="We rewrote this.")
    type_in(sheet, 3, answer="Two.", key_document="?", key_product="", key_claim="x")
    assert {r.product: r.answer for r in replies.take(run, [sheet]).taken} == {
        "this Carers Plan": "One.",
        "the Travel Passport": "Two.",
    }


def test_hidden_keys_that_did_not_move_with_their_rows_do_not_mislead(run, sheet):
    """Sorting only the columns that are seen leaves the hidden ones behind."""
    book, found = findings(sheet)
    shown = [c.key for c in form.columns() if c.kind != "key"]
    for key in shown:
        column = at(found, key)
        two, three = found.cell(row=2, column=column), found.cell(row=3, column=column)
        two.value, three.value = three.value, two.value
    found.cell(row=2, column=at(found, "answer")).value = "About the passport."
    book.save(sheet)
    (reply,) = replies.take(run, [sheet]).taken
    assert reply.product == "the Travel Passport"


@pytest.mark.parametrize("delimiter,encoding", [(",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-16")])
def test_a_csv_with_the_same_headings_is_taken_too(run, sheet, tmp_path, delimiter, encoding):
    type_in(sheet, 2, answer="We paid £20, “in full”;\nsee page 3.")
    book, found = findings(sheet)
    for row in found.iter_rows():
        for cell in row:  # cp1252 has no bullet problem, but nothing else than it either
            cell.value = (
                cell.value.encode("cp1252", "ignore").decode("cp1252") if isinstance(cell.value, str) else cell.value
            )
    book.save(sheet)
    path = as_csv(sheet, tmp_path / "back.csv", delimiter, encoding)
    (reply,) = replies.take(run, [path]).taken
    assert reply.answer == "We paid £20, “in full”;\nsee page 3." and reply.product == "this Carers Plan"


def test_a_formula_name_comes_back_through_csv(run, tmp_path):
    path = replies.sheets(run, str(tmp_path / "out"))[1]
    back = as_csv(type_in(path, 2, answer="Ours."), tmp_path / "back.csv")
    (reply,) = replies.take(run, [back]).taken
    assert (reply.product, reply.claim) == ("=1+1 plan", FORMULA)


def test_two_answers_to_one_finding(run, sheet, tmp_path):
    book, found = findings(sheet)
    found.append([cell.value for cell in found[2]])
    book.save(sheet)
    type_in(sheet, 2, answer="Yes.")
    taken = replies.take(run, [type_in(sheet, 5, answer="No.")])
    assert taken.taken == () and [row.cells["answer"] for row in taken.unplaced] == ["Yes.", "No."]
    # The same answer twice is one answer; in two files the later one counts, and the earlier is not hidden.
    (reply,) = replies.take(run, [type_in(sheet, 5, answer="Yes.")]).taken
    assert reply.answer == "Yes."
    later = type_in(sheet, 2, tmp_path / "later.xlsx", answer="No.")
    later = type_in(later, 5, answer=None)
    assert [r.answer for r in replies.take(run, [sheet, later]).replaced] == ["Yes."]


def test_two_new_answers_in_two_files_leave_a_trace(run, sheet, tmp_path):
    one = type_in(sheet, 2, tmp_path / "one.xlsx", answer="Yes.")
    two = type_in(sheet, 2, tmp_path / "two.xlsx", answer="No.")
    taken = replies.take(run, [one, two])
    assert [r.answer for r in taken.taken] == ["No."] and [r.answer for r in taken.replaced] == ["Yes."]


def test_a_sheet_of_another_run_is_refused(sheet, tmp_path):
    other = make_run(tmp_path / "other", [product("east/plan.pdf", "this Carers Plan", CLAIM)], [])
    taken = replies.take(other, [type_in(sheet, 2, answer="Ours.")])
    assert taken.taken == () and "not in this run" in taken.unplaced[0].why
    assert replies.replies_of(other) == ()


def test_another_version_of_a_document_is_another_document(run, sheet, tmp_path):
    """Only the words that are seen fit: the body answered to bytes that this run has not read."""
    newer = [{**p, "document": sha(p["source"] + " again")} for p in PRODUCTS]
    taken = replies.take(make_run(tmp_path / "newer", newer, []), [type_in(sheet, 2, answer="Ours.")])
    assert taken.taken == () and "older version" in taken.unplaced[0].why


def test_an_answer_to_a_finding_that_rules_took_away_is_kept(run, sheet, tmp_path):
    type_in(sheet, 2, answer="We do not agree.")
    make_run(tmp_path / "run", [product("north/carers.pdf", "another thing", "Another thing was co-produced.")], [])
    taken = replies.take(run, [sheet])
    assert taken.earlier == taken.taken and taken.taken[0].product == "this Carers Plan"
    matched = replies.match(replies.replies_of(run), [product("north/carers.pdf", "another thing", "Another thing.")])
    assert matched.found == {} and matched.earlier == taken.taken


def test_a_row_that_could_be_two_findings_is_not_taken(tmp_path):
    rows = [product("a.pdf", "the plan", CLAIM), product("a.pdf", "the plan", PASSPORT, id="p2")]
    run = make_run(tmp_path / "run", rows, [])
    (path,) = replies.sheets(run, str(tmp_path / "out"))
    type_in(path, 2, answer="Which?", claim=None, key_claim=None)
    taken = replies.take(run, [path])
    assert taken.taken == () and len(taken.unplaced) == 1


def test_an_earlier_answer_is_in_the_next_sheet(run, sheet, tmp_path):
    """The products table has the replies; who is asked again sees what was answered before."""
    rows = [{**PRODUCTS[0], "reply": "=Yes", "reply_by": "Us"}]
    make_run(tmp_path / "run", rows, [])
    (path,) = replies.sheets(run, str(tmp_path / "again"))
    _, found = findings(path)
    assert found.cell(row=2, column=at(found, "answer")).value == "'=Yes"
    (reply,) = replies.take(run, [path]).taken
    assert (reply.answer, reply.by) == ("=Yes", "Us")


# --- what nobody should send ----------------------------------------------------------------------------------------


def test_formulas_are_taken_as_text(run, sheet):
    type_in(sheet, 2, answer='=HYPERLINK("http://example.invalid","x")', evidence="=1+1", by="+44 1632 960000")
    (reply,) = replies.take(run, [sheet]).taken
    assert reply.answer == '=HYPERLINK("http://example.invalid","x")' and reply.evidence == "=1+1"
    assert reply.by == "+44 1632 960000"


def test_numbers_and_dates_are_taken_as_they_are_read(run, sheet):
    from datetime import datetime

    type_in(sheet, 2, answer=12, evidence=0.5, by=True, on=datetime(2026, 5, 1))
    (reply,) = replies.take(run, [sheet]).taken
    assert (reply.answer, reply.evidence, reply.by, reply.on) == ("12", "0.5", "yes", "2026-05-01")


def test_control_and_direction_characters_are_left_out(run, sheet, tmp_path):
    type_in(sheet, 2, answer="MARK")
    path = as_csv(sheet, tmp_path / "back.csv")
    text = open(path, encoding="utf-8-sig", newline="").read().replace("MARK", "a\x1b[31m\u202eb\x07\u200bc\x85d")
    open(path, "w", encoding="utf-8", newline="").write(text)
    (reply,) = replies.take(run, [path]).taken
    assert reply.answer == "a[31mbc\nd"


def test_an_answer_of_a_megabyte_is_named_and_not_taken(run, sheet, tmp_path):
    type_in(sheet, 2, answer="MARK")
    type_in(sheet, 3, answer="Short.")
    path = as_csv(sheet, tmp_path / "back.csv")
    text = open(path, encoding="utf-8-sig", newline="").read().replace("MARK", "word " * 200_000)
    open(path, "w", encoding="utf-8", newline="").write(text)
    taken = replies.take(run, [path])
    assert [r.answer for r in taken.taken] == ["Short."]
    assert "longer than 30,000 characters" in taken.unplaced[0].why
    assert len(reply_command.told(taken)) < 2_000


def test_a_zip_bomb_is_not_unpacked(run, sheet, tmp_path, monkeypatch):
    def bomb(name, members):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("[Content_Types].xml", "<Types/>")
            for number in range(members[0]):
                packed.writestr(f"xl/worksheets/sheet{number}.xml", b"0" * members[1])
        return str(tmp_path / name)

    monkeypatch.setattr(openpyxl, "load_workbook", lambda *a, **k: pytest.fail("it was opened"))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *a, **k: pytest.fail("it was unpacked"))
    for path in (bomb("one.xlsx", (1, 120_000_000)), bomb("many.xlsx", (2_000, 1))):
        ((_, error),) = replies.take(run, [path]).failed
        assert isinstance(error, LimitExceeded) and error.remedy


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_declares_entities_is_refused(run, sheet, tmp_path, encoding):
    bent = tmp_path / "bent.xlsx"
    with zipfile.ZipFile(sheet) as old, zipfile.ZipFile(bent, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet2.xml":
                laughs = '<!DOCTYPE a [<!ENTITY a "ha">]>'
                data = (laughs + data.decode()).encode(encoding)
            new.writestr(name, data)
    ((_, error),) = replies.take(run, [str(bent)]).failed
    assert "entities" in str(error)


def test_files_that_are_no_sheets_are_named_and_the_others_taken(run, sheet, tmp_path):
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 100)
    (tmp_path / "cut.xlsx").write_bytes(open(sheet, "rb").read()[:900])
    (tmp_path / "letter.csv").write_text("Dear sir,\nno.\n", encoding="utf-8")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\0\0\0")
    with zipfile.ZipFile(tmp_path / "sheet.ods", "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    names = ["old.xls", "cut.xlsx", "letter.csv", "picture.csv", "sheet.ods", "missing.xlsx"]
    files = [str(tmp_path / name) for name in names]
    taken = replies.take(run, [*files, type_in(sheet, 2, answer="Ours.")])
    assert [r.answer for r in taken.taken] == ["Ours."]
    assert [type(error) for _, error in taken.failed] == [
        EncryptedDocument,
        UnreadableDocument,
        UnreadableDocument,
        UnsupportedFormat,
        UnsupportedFormat,
        MissingDocument,
    ]
    assert all(error.remedy and str(error).endswith(".") for _, error in taken.failed)


def test_a_file_that_is_too_large_or_too_long(run, sheet, monkeypatch):
    monkeypatch.setattr(returned, "ROWS", 2)
    assert isinstance(replies.take(run, [sheet]).failed[0][1], LimitExceeded)
    monkeypatch.setattr(returned, "BYTES", 1_000)
    assert "larger than" in str(replies.take(run, [sheet]).failed[0][1])


def test_two_columns_with_one_heading_are_refused(run, sheet):
    book, found = findings(sheet)
    found.cell(row=1, column=found.max_column + 1).value = COLUMN["answer"].lower()
    book.save(sheet)
    assert "two columns" in str(replies.take(run, [sheet]).failed[0][1])


def test_whatever_else_is_written_is_said(run, sheet):
    from openpyxl.comments import Comment

    book, found = findings(sheet)
    found["C2"].comment = Comment("This is not what we meant", "Sam")
    found.merge_cells("H2:H3")
    book["Read me"]["A7"] = "We strongly disagree with all of it."
    book["Read me"]["C3"] = "See our letter."
    book.create_sheet("Our letter")["A1"] = "Dear all"
    book.save(sheet)
    said = " ".join(f"{note.place} {note.text}" for note in replies.take(run, [sheet]).notes)
    for words in ("comments in the margin", "merged cells", "We strongly disagree", "See our letter", "“Our letter”"):
        assert words in said, words


def test_a_damaged_store_is_never_overwritten(run, sheet):
    with open(f"{run}/replies.json", "w", encoding="utf-8") as file:
        file.write('[{"document": 1}]')
    with pytest.raises(UsageError, match="no reply may be lost"):
        replies.take(run, [type_in(sheet, 2, answer="Ours.")])
    with open(f"{run}/replies.json", encoding="utf-8") as file:
        assert file.read() == '[{"document": 1}]'


# --- finding the finding again --------------------------------------------------------------------------------------


def reply_to(row, answer="Ours.", **more):
    return replace(Reply(row["document"], row["source"], row["name"], row["claim"], answer), **more)


def test_replies_find_their_findings_again_after_rules_have_changed():
    plan, passport = PRODUCTS[:2]
    given = [reply_to(plan), reply_to(passport)]
    matched = answers.match(given, PRODUCTS)
    assert matched.found == {(plan["document"], "p1"): given[0], (plan["document"], "p2"): given[1]}
    renamed = [plan | {"name": "the Plan", "id": "p7"}, passport | {"claim": "Other words.", "id": "p8"}]
    matched = answers.match(given, renamed)
    assert matched.found == {(plan["document"], "p7"): given[0], (plan["document"], "p8"): given[1]}
    assert answers.match(given, [plan]).earlier == (given[1],)
    assert answers.match(given, []).earlier == tuple(given)


def test_what_is_not_certain_is_an_answer_to_an_earlier_reading():
    plan = PRODUCTS[0]
    twins = [plan | {"claim": "One.", "id": "p1"}, plan | {"claim": "Two.", "id": "p2"}]
    assert answers.match([reply_to(plan)], twins) == ({}, (reply_to(plan),))
    rivals = (reply_to(plan, claim="One."), reply_to(plan, claim="Two."))
    assert answers.match(rivals, [plan]) == ({}, rivals)


@given(st.lists(st.tuples(*[st.sampled_from("ab")] * 3), max_size=6), st.lists(st.tuples(*[st.sampled_from("ab")] * 3), max_size=6))  # fmt: skip
def test_no_reply_is_lost_in_matching(given, rows):
    said = [Reply(d, d, n, c, str(i)) for i, (d, n, c) in enumerate(given)]
    products = [{"document": d, "id": f"p{i}", "name": n, "claim": c} for i, (d, n, c) in enumerate(rows)]
    matched = answers.match(said, products)
    assert set(matched.found.values()) | set(matched.earlier) == set(said)
    assert not set(matched.found.values()) & set(matched.earlier)
    for (document, _), reply in matched.found.items():
        assert reply.document == document


# --- shown ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report():
    return made_reports.strategy()


def to_product(report, at=0, **words):
    product = report.products[at]
    about = report.document
    return Reply(about.id, about.source, product.name, answers.claim(report, product), **words)


def test_an_answer_stands_beside_its_finding(report):
    reply = to_product(report, answer="One.\nTwo.", evidence="Minutes, page 3", by="A. Body", on="1 May 2026")
    page = html.page(report, [reply, replace(reply, document="0" * 64, answer="Of another document.")])
    section = page[page.index("The body’s answer") : page.index("Where that is on the scale")]
    for words in ("<p>One.</p><p>Two.</p>", "Minutes, page 3", "From: A. Body, 1 May 2026.", "We have not checked it."):
        assert words in section
    assert page.count("The body’s answer") == 1 and page.count("has answered") == 1
    assert "Of another document." not in page and "earlier reading" not in page
    assert page.index("What the document shows for it") < page.index("The body’s answer")
    assert "The body’s answer" not in html.page(report)


def test_an_answer_to_an_earlier_reading_stands_at_the_end(report):
    gone = Reply(report.document.id, "a.pdf", "The lost toolkit", "It was co-produced.", "It was good.")
    page = html.page(report, (gone,))
    assert page.index("Answers to an earlier reading") > page.rindex("How this grade was reached")
    assert "The lost toolkit" in page and "It was good." in page and "It was co-produced." in page


def test_a_long_answer_is_folded_and_whole(report):
    words = " ".join(f"word{n}" for n in range(2_000))
    page = html.page(report, [to_product(report, answer=words)])
    folded = page[page.index("The whole answer") :]
    assert words in folded[: folded.index("</details>")]
    assert words not in page[: page.index("The whole answer")]


def test_a_hostile_answer_is_only_words(report):
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }} \x1b[31m \u202ehidden"
    page = html.page(report, [to_product(report, answer=bad, evidence=bad, by=bad, on=bad)])
    policy = re.search('content="(default-src[^"]+)"', page)[1]
    assert "script-src" not in policy and "<script" not in page and "<img src=x" not in page
    mark = "&lt;script&gt;alert(1)"
    assert page.count(mark) == html.page(report).count(mark) + 4 and "{{ 7 * 7 }}" in page
    assert "\x1b" not in page and "\u202e" not in page


def test_from_sheet_to_page(report, tmp_path):
    """The whole way: tables of a real report, its sheet, an answer typed in, taken, and on the page."""
    made = {name: [] for name in ("products", "evidence")}
    for name in made:
        for row in tables.reports.rows(report.to_dict())[name]:
            made[name].append({**row, "source": report.document.source, "organisation": "Northmoor Council"})
    for row, one in zip(made["products"], report.products, strict=True):
        row |= {"claim": answers.claim(report, one), "claim_page": 2}
    run = make_run(tmp_path / "run", made["products"], made["evidence"])
    (path,) = replies.sheets(run, str(tmp_path / "out"))
    _, found = findings(path)
    assert found.max_row == len(report.products) + 1
    for row in range(2, found.max_row + 1):
        type_in(path, row, answer=f"Answer {row}.")
    taken = replies.take(run, [path])
    assert len(taken.taken) == len(report.products) and not taken.unplaced and not taken.notes
    page = html.page(report, replies.replies_of(run))
    assert page.count("The body’s answer") == len(report.products) and "earlier reading" not in page


# --- the command ----------------------------------------------------------------------------------------------------


def parse(*argv):
    top = argparse.ArgumentParser()
    reply_command.add_parser(top.add_subparsers())
    return top.parse_args(argv)


def test_the_command_sends_out_and_takes_in(run, tmp_path, capsys, monkeypatch):
    out = str(tmp_path / "out")
    assert reply_command.run(parse("reply", run, "--sheets", out)) == 0
    said = capsys.readouterr().out
    assert "2 sheets are in" in said and "northmoor-council.xlsx" in said
    path = type_in(f"{out}/northmoor-council.xlsx", 2, answer="Ours.")
    refreshed = []
    monkeypatch.setattr("claimscan.commands.scan.again", refreshed.append)
    assert reply_command.run(parse("reply", run, "--take", path)) == 0
    assert refreshed == [run]
    assert capsys.readouterr().out.splitlines() == [
        "1 answer taken.",
        "2 rows without an answer; that means no answer yet, and nothing else.",
    ]
    type_in(path, 2, answer="Ours, again.")
    type_in(path, 3, answer="Lost.", document="?", product="?", claim="?", key_document="?")
    missing = str(tmp_path / "missing.xlsx")
    assert reply_command.run(parse("reply", run, "--take", path, missing)) == 1
    said = capsys.readouterr().out
    assert "1 answer taken." in said and "1 earlier answer replaced by a later one:" in said and "“Ours.”" in said
    assert "row 3: It is about no finding of this run." in said and "“Lost.”" in said and "no file called" in said


def test_the_command_needs_to_know_what_to_do(run):
    with pytest.raises(SystemExit):
        parse("reply", run)
    with pytest.raises(UsageError):
        reply_command.run(parse("reply", run, "--sheets", ""))
