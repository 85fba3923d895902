"""Codings out to the formats of the tools that people code in, and back: nothing changed, nothing dropped in silence.

All texts, people and places are invented. What other tools do is imitated here; docs/annotation-tools.md says which of them
have been run.
"""

import copy
import csv
import io
import json
import re
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import made_reports
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from claimscan.correcting.anchors import page
from claimscan.records import Block, Document, Page
from claimscan.study.codes import CodeSystem, code_system
from claimscan.study.codings import Coding, CodingError, in_order
from claimscan.study.deriving import MACHINE, codings_of
from claimscan.study.formats import (
    FORMATS,
    cas,
    doccano,
    label_studio,
    qdpx,
    refi_codes,
    sheet,
    spans,
    texts,
    unpacking,
)
from claimscan.study.placing import Placer
from claimscan.study.project import Project

WITH_CODINGS = [name for name in FORMATS if name != "qdc"]
Q = "{%s}" % qdpx.SPACE

TEXT = (
    "The plan \U0001f600 for Harrowdale was co-produced\r\nwith 12 mem\u0301bers.\x0c\n"
    "They \x00 signed it \ud800 off in May, and the county printed it.\n"
    "The plan was co-produced again. =SUM(A1) ended the list \U0001f468\u200d\U0001f469\u200d\U0001f467 of tasks."
)


def document(name, text, title=""):
    half = len(text) // 2
    pages = (Page(1, 0, half), Page(2, half, len(text)))
    return Document(sha256(name.encode()).hexdigest(), name, "text", text, pages, (Block(0, len(text), 1),), title)


DOCUMENTS = [
    document("harrowdale.txt", TEXT, "Harrowdale / the plan"),
    document(
        "folder/brook.pdf", "Nothing that was made together is told of in this short note.", "Harrowdale / the plan"
    ),
    document("unread.pdf", "Nobody has opened this one so far."),
]


def on(words, code, thing="", also=(), detail=None, note="", coder="Anna", nth=0, of=DOCUMENTS[0]):
    start = -1
    for _ in range(nth + 1):
        start = of.text.index(words, start + 1)
    return Coding(of.id, start, start + len(words), code, thing, tuple(also), detail or {}, note, coder)


CODINGS = in_order(
    [
        on(
            "co-produced",
            "mention/DOC_DONE",
            "this document",
            ["also/hedged", "who/proxy"],
            note="odd\nle_n=3\n+ thing/x",
        ),
        on("co-produced", "authorship/le", "the \U0001f600 plan", note="note: hm"),
        on("co-produced", "authorship/le", "another thing"),
        on("co-produced", "mention/DOC_DONE", "this document", coder="Ben; of Brook"),
        on(
            "12 mem\u0301bers",
            "count/exact",
            "the \U0001f600 plan",
            (),
            {"le_n": 12, "unit": "members"},
            "le_n is sure",
        ),
        on("12 mem\u0301bers", "count/exact", "the \U0001f600 plan", (), {"le_n": 12}, coder=MACHINE),
        on("signed it \ud800 off", "end_role/signed_off", note="'quoted'"),
        on("\r\nwith ", "method/meeting", note="  spaced \n"),
        on("\U0001f600", "mark/body"),
        on("of tasks.", "mark/task", "this document"),
        on("=SUM(A1)", "ulo/unnamed", "this document", note="=1+1"),
        on("co-produced", "mention/PRACTICE", "this document", nth=1),
    ]
)
CODES = code_system(["the \U0001f600 plan"])
PROJECT = Project(
    "A study of Harrowdale",
    DOCUMENTS,
    CODES,
    CODINGS,
    [(DOCUMENTS[1].id, "Anna"), (DOCUMENTS[0].id, "Cy"), (DOCUMENTS[1].id, MACHINE)],
)


def coded(project):
    return tuple(sorted({(c.document, c.coder) for c in project.codings} | set(project.coded)))


def back(name, data, project=PROJECT, coder=""):
    placer = Placer(project.documents, project.codes)
    FORMATS[name].read(data, placer, coder)
    return placer.returned()


def written(name, project=PROJECT):
    return FORMATS[name].write(project)


def lost(returned):
    return [(one.tags, one.coder, one.why) for one in returned.lost]


# --- there and back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_CODINGS)
def test_what_goes_out_comes_back_the_same(name):
    returned = back(name, written(name))
    assert returned.codings == CODINGS
    assert returned.coded == coded(PROJECT)
    assert (DOCUMENTS[2].id, "Anna") not in returned.coded
    assert not returned.lost
    pages = [page(DOCUMENTS[0], c.start) for c in CODINGS]
    assert [page(DOCUMENTS[0], c.start) for c in returned.codings] == pages and set(pages) == {1, 2}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_project_gives_the_same_bytes(name):
    assert written(name) == written(name, replace(PROJECT, codings=PROJECT.codings[::-1]))
    for write in FORMATS[name].beside.values():
        assert write(PROJECT) == write(replace(PROJECT))


@pytest.mark.parametrize("name", WITH_CODINGS)
def test_a_blank_project_holds_no_codings_and_nobody_has_coded(name):
    blank = Project("Blank", DOCUMENTS, CODES)
    returned = back(name, written(name, blank))
    assert (returned.codings, returned.coded, returned.lost) == ((), (), ())


@pytest.mark.parametrize("name", WITH_CODINGS)
def test_a_report_with_every_slot_comes_back_the_same(name):
    report = made_reports.strategy()
    codings = codings_of(report.to_dict())
    project = Project("Northmoor", [report.document], code_system({c.thing for c in codings}), codings)
    assert len(codings) > 30
    assert back(name, written(name, project), project).codings == codings


@pytest.mark.parametrize("name", WITH_CODINGS)
def test_a_coder_that_the_caller_names_is_whose_codings_they_are(name):
    mine = [c for c in CODINGS if c.coder == "Anna"]
    project = replace(PROJECT, codings=mine, coded=[])
    returned = back(name, written(name, project), coder="Dee")
    assert returned.codings == in_order(replace(c, coder="Dee") for c in mine)
    assert returned.coded == ((DOCUMENTS[0].id, "Dee"),)


@pytest.mark.parametrize("name", WITH_CODINGS)
def test_line_ends_and_odd_marks_in_a_note_stay(name):
    project = replace(SMALL_PROJECT, codings=[replace(SMALL[0], note="a\r\nb\rc\td _x000D_ _x005F_")])
    assert back(name, written(name, project), project).codings == tuple(project.codings)


CHARACTERS = st.sampled_from(
    "ab cdef. \n\r\t\x0c\x0b\x00\x1f\x85\u0301\u200d\ufeff\ufffd\uffff\ud83d\udc00\U0001f600é'=<&]\""
)
FEW = CodeSystem(tuple(c for c in CODES.codes if c.group in ("mention", "authorship", "count", "thing", "who", "also")))
PATHS = [c.path for c in CODES.codes if not c.is_group and c.group not in ("thing", "who", "also")]
BESIDE = [c.path for c in CODES.codes if not c.is_group and c.group in ("who", "also")]
PRINTED = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="/\u2028\u2029"), max_size=12)
NAMES = PRINTED.map(str.strip).filter(lambda name: name and not name.startswith("thing"))


@st.composite
def projects(draw):
    documents = [
        document(f"{n}.txt", f"Document {n}. " + draw(st.text(CHARACTERS, min_size=2, max_size=40)), draw(PRINTED))
        for n in range(draw(st.integers(1, 2)))
    ]
    codings = []
    for _ in range(draw(st.integers(0, 5))):
        where = draw(st.sampled_from(documents))
        start = draw(st.integers(0, len(where.text) - 1))
        end = draw(st.integers(start + 1, len(where.text)))
        if not texts._SOLID.search(where.text[start:end]):
            continue  # no words
        codings.append(
            Coding(
                where.id,
                start,
                end,
                draw(st.sampled_from([path for path in PATHS if path in FEW.by_path()])),
                draw(st.one_of(st.just(""), NAMES)),
                tuple(sorted(draw(st.sets(st.sampled_from(BESIDE), max_size=2)))),
                draw(st.sampled_from([{}, {"le_n": 3, "unit": "people"}, {"frequency": "monthly"}])),
                draw(PRINTED),
                draw(st.sampled_from(["Anna", "Ben; B", MACHINE])),
            )
        )
    who = [
        (where.id, coder) for where in documents for coder in draw(st.sets(st.sampled_from(["Anna", "Cy"]), max_size=2))
    ]
    return Project(draw(PRINTED), documents, FEW, in_order(codings), who)


@pytest.mark.parametrize("name", WITH_CODINGS)
def test_any_text_and_any_codings_come_back_the_same(name):
    @settings(max_examples=8 if name == "xlsx" else 15, suppress_health_check=list(HealthCheck))
    @given(projects())
    def check(project):
        returned = back(name, written(name, project), project)
        assert returned.codings == project.codings
        assert returned.coded == coded(project)
        assert not returned.lost

    check()


@pytest.mark.parametrize("way", [{"utf16": True}, {"line_end": True}, {"utf16": True, "line_end": True}])
def test_offsets_in_other_units_are_exact(way):
    sizes = [(2 if c > "\uffff" and way.get("utf16") else 1) for c in TEXT]
    if way.get("line_end"):
        sizes[TEXT.index("\r\n") + 1] = 0
    units = texts.Units(TEXT, **way)
    for coding in CODINGS:
        start, end = sum(sizes[: coding.start]), sum(sizes[: coding.end])
        assert units.count(coding.start) == start and units.count(coding.end) == end
        if not TEXT[coding.start :].startswith("\r\n"):
            assert units.span(start, end) == (coding.start, coding.end)
    assert units.span(0, sum(sizes)) == (0, len(TEXT))
    assert units.span(0, sum(sizes) + 1) is None and units.span(-1, 3) is None and units.span(3, 3) is None


def test_half_a_character_counts_as_the_whole():
    assert texts.Units("a\U0001f600b", utf16=True).span(2, 4) == (1, 3)
    assert texts.Units("a\U0001f600b", utf16=True).span(0, 2) == (0, 2)


def test_characters_that_no_file_holds_are_replaced_one_for_one():
    held = texts.written(TEXT)
    assert len(held) == len(TEXT) and "\x00" not in held and "\ud800" not in held and "\x0c" not in held
    assert etree.fromstring(f"<a>{held.replace('<', '')}</a>") is not None
    assert "\U0001f600" in held and "m\u0301" in held


# --- what a tool does to a text -------------------------------------------------------------------------------------


def rewritten(data, change):
    """A QDPX file with the plain texts changed."""
    archive = unpacking.Archive(data)
    files = {n: archive.read(n) for n in archive.names}
    return unpacking.zipped({n: change(d) if n.endswith(".txt") else d for n, d in files.items()})


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("origin", ["claimscan", "ATLAS.ti for Windows"])
def test_line_ends_that_a_tool_rewrites_move_nothing(origin, mark):
    """Most tools keep offsets that fit the text as it is in the file; ATLAS.ti counts a line end as one."""
    plain = document(
        "brook.txt", "One line.\nThe plan was co-produced.\nTwo of us wrote it.\nThe end, and co-produced."
    )
    codings = [on("co-produced", "mention/DOC_DONE", of=plain, nth=1), on("Two of us", "authorship/le", of=plain)]
    project = Project("Lines", [plain], CODES, in_order(codings))
    data = rewritten(written("qdpx", project), lambda text: mark + text.replace(b"\n", b"\r\n"))

    def change(root):
        root.set("origin", origin)
        for place in root.iter(f"{Q}PlainTextSelection"):
            place.set("name", "")
            for key in ("startPosition", "endPosition"):
                if origin == "claimscan":
                    at = int(place.get(key))
                    place.set(key, str(at + plain.text[:at].count("\n")))

    assert back("qdpx", edited(data, change), project).codings == in_order(codings)


def test_the_words_beside_a_place_say_how_a_tool_counts():
    """A tool that counts UTF-16 units, which the file does not say."""

    def change(root):
        units = texts.Units(TEXT, utf16=True)
        for place in root.iter(f"{Q}PlainTextSelection"):
            place.set("startPosition", str(units.count(int(place.get("startPosition")))))
            place.set("endPosition", str(units.count(int(place.get("endPosition")))))

    returned = back("qdpx", edited(written("qdpx"), change))
    assert returned.codings == CODINGS and not returned.lost


def test_where_a_text_was_changed_the_words_are_looked_for():
    more = "A sentence that somebody added in the tool. "

    def change(root):
        for place in root.iter(f"{Q}PlainTextSelection"):
            for key in ("startPosition", "endPosition"):
                place.set(key, str(int(place.get(key)) + len(more)))

    data = edited(rewritten(written("qdpx"), lambda text: more.encode() + text), change)
    returned = back("qdpx", data)
    kept = {(c.code, c.thing, c.coder, c.note) for c in returned.codings}
    placed = [c for c in CODINGS if (c.code, c.thing, c.coder, c.note) in kept]
    assert set(returned.codings) >= {c for c in placed if TEXT[c.start : c.end].isalnum()}
    assert len(returned.codings) + len(returned.lost) == len(CODINGS)
    assert {one.why for one in returned.lost} == {"There are no words in the quote."}  # the one on a picture of a face
    assert [one.at.quote for one in returned.lost] == ["\U0001f600"]


def test_ids_that_a_tool_drops_are_not_needed():
    """NVivo and QualCoder give everything ids of their own; the text says which document it is."""

    def change(root):
        for one in root.iter(f"{Q}VariableValue"):
            one.getparent().remove(one) if one.find(f"{Q}TextValue").text == DOCUMENTS[0].id else None
        for source in root.iter(f"{Q}TextSource"):
            source.set("guid", texts.guid("other", source.get("guid")))
            source.set("name", "Internals\\\\Files")

    assert back("qdpx", edited(written("qdpx"), change)).codings == CODINGS
    tasks = json.loads(written("label-studio"))
    for task in tasks:
        del task["data"]["document"]
    assert back("label-studio", json.dumps(tasks).encode()).codings == CODINGS


def test_a_document_of_another_study_is_listed():
    returned = back("qdpx", written("qdpx"), replace(PROJECT, documents=DOCUMENTS[1:], codings=[], coded=[]))
    assert not returned.codings
    assert len(returned.lost) == len(CODINGS)
    assert {one.why for one in returned.lost} == {"The document is none of this study."}
    assert {one.document for one in returned.lost} == {"Harrowdale the plan"}


# --- edits in a tool ------------------------------------------------------------------------------------------------
# Each moves one coding, deletes one, adds one, and adds a code that is not the codebook's.

SMALL = in_order(
    [
        on("Harrowdale", "authorship/le", "this document", note="stays"),
        on("signed it", "end_role/signed_off", "this document", detail={"frequency": "once"}, note="moves"),
        on("printed", "method/meeting", note="goes"),
    ]
)
SMALL_PROJECT = Project("Small", DOCUMENTS[:1], CODES, SMALL)
ADDED = on("the list", "mark/credited", "a new thing", ["also/part"])
MOVED = replace(SMALL[1], start=TEXT.index("in May"), end=TEXT.index("in May") + 6)
STRANGE = "team idea"


def edited(data, change):
    """A QDPX file with project.qde changed."""
    archive = unpacking.Archive(data)
    files = {n: archive.read(n) for n in archive.names}
    root = etree.fromstring(files["project.qde"])
    change(root)
    return unpacking.zipped({**files, "project.qde": etree.tostring(root)})


def qdpx_edit(data):
    def change(root):
        (source,) = root.iter(f"{Q}TextSource")
        stays, moves, goes = source.findall(f"{Q}PlainTextSelection")
        moves.set("startPosition", str(MOVED.start))
        moves.set("endPosition", str(MOVED.end))
        source.remove(goes)
        codes = next(root.iter(f"{Q}Codes"))
        strange, thing = texts.guid("strange"), texts.guid("their thing")
        etree.SubElement(codes, f"{Q}Code", guid=strange, name=STRANGE, isCodable="true")
        group = next(one for one in codes if one.get("name") == "thing")
        etree.SubElement(group, f"{Q}Code", guid=thing, name=ADDED.thing, isCodable="true")
        user = moves.get("creatingUser")
        for start, end, targets in (
            (ADDED.start, ADDED.end, [texts.guid("code", "mark/credited"), thing, texts.guid("code", "also/part")]),
            (4, 8, [strange]),
        ):
            place = {"startPosition": str(start), "endPosition": str(end), "guid": texts.guid(start)}
            new = etree.SubElement(source, f"{Q}PlainTextSelection", **place, creatingUser=user)
            for target in targets:
                one = etree.SubElement(new, f"{Q}Coding", guid=texts.guid(start, target))
                etree.SubElement(one, f"{Q}CodeRef", targetGUID=f"{{{target.upper()}}}")

    return edited(data, change)


def cas_edit(data):
    import cassis

    archive = unpacking.Archive(data)
    files = {n: archive.read(n) for n in archive.names}
    name = next(n for n in files if n.startswith("annotation/"))
    types = cassis.load_typesystem(io.BytesIO(files["TypeSystem.xml"]))
    one = cassis.load_cas_from_xmi(io.BytesIO(files[name]), typesystem=types)
    stays, moves, goes = one.select(cas.LAYER)
    one.remove(goes)
    moves.begin, moves.end = MOVED.start, MOVED.end
    layer, strings = types.get_type(cas.LAYER), types.get_type("uima.cas.StringArray")
    also = strings(elements=list(ADDED.also))
    one.add(layer(begin=ADDED.start, end=ADDED.end, code=ADDED.code, thing=ADDED.thing, also=also))
    one.add(layer(begin=4, end=8, code=STRANGE))
    return unpacking.zipped({**files, name: one.to_xmi().encode()})


def label_studio_edit(data):
    (task,) = json.loads(data)
    (annotation,) = task["annotations"]
    by_id = {}
    for part in annotation["result"]:
        by_id.setdefault(part["id"], []).append(part)
    _, stays, moves, goes = by_id.values()
    for part in moves:
        part["value"] |= {"start": MOVED.start, "end": MOVED.end}
        if isinstance(part["value"]["text"], str):
            part["value"]["text"] = TEXT[MOVED.start : MOVED.end]
    place = {"start": ADDED.start, "end": ADDED.end}
    new = [
        {
            "id": "n1",
            "from_name": "code",
            "to_name": "text",
            "type": "labels",
            "value": {**place, "labels": [ADDED.code]},
        },
        {
            "id": "n1",
            "from_name": "also",
            "to_name": "text",
            "type": "choices",
            "value": {**place, "choices": ["also/part"]},
        },
        {"id": "n1", "from_name": "new_thing", "type": "textarea", "value": {**place, "text": [ADDED.thing]}},
        {"id": "n2", "from_name": "code", "type": "labels", "value": {"start": 4, "end": 8, "labels": [STRANGE]}},
    ]
    annotation["result"] = [p for p in annotation["result"] if p not in goes] + new
    return json.dumps([task]).encode()


def doccano_edit(data):
    line = json.loads(data)
    units = texts.Units(TEXT, utf16=True)
    gone = {units.count(SMALL[1].start), units.count(SMALL[2].start)}
    line["label"] = [one for one in line["label"] if one[0] not in gone]
    for coding in (MOVED, ADDED):
        line["label"] += [[units.count(coding.start), units.count(coding.end), tag] for tag in coding.tags]
    line["label"].append([4, 8, STRANGE])
    return json.dumps(line).encode()


def table_edit(rows):
    stays, moves, goes = rows[1:4]
    columns = list(sheet.COLUMNS)
    moves[columns.index("Words")] = "in May"
    new = dict(zip(columns, [""] * len(columns), strict=True))
    added = {**new, "Document": "harrowdale.txt", "Words": "the list", "Code": " Mark / Credited", "Also": "part"}
    added |= {"About": ADDED.thing, "Coder": "Anna"}
    strange = {**new, "Document": "harrowdale.txt", "Words": "plan", "Code": STRANGE, "Coder": "Anna", "Page": 1}
    return [rows[0], stays, moves, list(added.values()), [], list(strange.values())]


def csv_edit(data):
    out = io.StringIO(newline="")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    csv.writer(out, delimiter=";").writerows(table_edit(rows))
    return out.getvalue().encode("utf-8-sig")


def xlsx_edit(data):
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data))
    rows = table_edit([list(row) for row in book["Codings"].iter_rows(values_only=True)])
    book.remove(book["Codings"])
    new = book.create_sheet("Codings")
    for row in rows:
        new.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def web_annotation_edit(data):
    whole = json.loads(data)
    first, stays, moves, goes = whole["items"]
    moves["target"]["selector"] = [
        {"type": "TextQuoteSelector", "exact": "in May", "prefix": "off ", "suffix": ", and"}
    ]
    source = moves["target"]["source"]["id"]  # a bare address is a source as well
    bodies = [{"type": "TextualBody", "purpose": "tagging", "value": tag} for tag in ADDED.tags]
    place = {"type": "TextPositionSelector", "start": ADDED.start, "end": ADDED.end}
    added = {"type": "Annotation", "creator": "Anna", "body": bodies, "target": {"source": source, "selector": place}}
    strange = {
        "type": "Annotation",
        "creator": {"name": ["Anna"]},
        "body": {"type": "TextualBody", "purpose": ["tagging"], "value": STRANGE},
        "target": [{"source": source, "selector": {**place, "start": 4, "end": 8}}],
    }
    return json.dumps({**whole, "items": [first, stays, moves, added, strange]}).encode()


EDITS = {
    "qdpx": qdpx_edit,
    "inception": cas_edit,
    "label-studio": label_studio_edit,
    "doccano": doccano_edit,
    "csv": csv_edit,
    "xlsx": xlsx_edit,
    "web-annotation": web_annotation_edit,
}


@pytest.mark.parametrize("name", WITH_CODINGS)
def test_what_was_moved_deleted_and_added_in_a_tool_comes_back_right(name):
    returned = back(name, EDITS[name](written(name, SMALL_PROJECT)), SMALL_PROJECT)
    moved = replace(MOVED, detail={}, note="") if name == "doccano" else MOVED  # it keeps memos only where they were
    assert returned.codings == in_order([SMALL[0], moved, ADDED])
    assert lost(returned) == [((STRANGE,), "Anna", f"“{STRANGE}” is no code of this codebook.")]
    assert returned.lost[0].at.quote == "plan"


def renamed(root):
    for code in root.iter(f"{Q}Code"):
        if code.get("name") == "authorship/le":
            code.set("name", "written by us")


def test_a_code_renamed_in_a_tool_is_still_ours_by_its_id_and_listed_without_it():
    data = edited(written("qdpx", SMALL_PROJECT), renamed)
    assert back("qdpx", data, SMALL_PROJECT).codings == SMALL

    def without(root):
        renamed(root)
        for one in root.iter(f"{Q}Code", f"{Q}CodeRef"):
            key = "guid" if one.tag.endswith("Code") else "targetGUID"
            one.set(key, texts.guid("new", one.get(key)))

    returned = back("qdpx", edited(written("qdpx", SMALL_PROJECT), without), SMALL_PROJECT)
    assert returned.codings == SMALL[1:]
    (one,) = returned.lost
    assert one.tags == ("authorship/written by us", "thing/this document")
    assert one.at.quote == "Harrowdale" and one.why == "“authorship/written by us” is no code of this codebook."


@pytest.mark.parametrize(
    "name, parent, path",
    [
        ("authorship/le", "", "authorship/le"),
        ("Authorship :: LE", "", "authorship/le"),
        ("le", "authorship", "authorship/le"),
        ("thing/the leaflet", "", "thing/the leaflet"),
        ("the leaflet", "thing", "thing/the leaflet"),
        ("le", "", "le"),
        ("le", "people", "people/le"),
    ],
)
def test_codes_are_known_by_their_names_however_a_tool_writes_the_tree(name, parent, path):
    inner = f'<Code guid="1" name="{name}" isCodable="true"/>'
    tree = f'<Code guid="2" name="{parent}" isCodable="true">{inner}</Code>' if parent else inner
    book = etree.fromstring(f"<CodeBook><Codes>{tree}</Codes></CodeBook>")
    assert dict(refi_codes.Paths(CODES).of(book))["1"] == path


# --- REFI-QDA -------------------------------------------------------------------------------------------------------

ORDER = {  # of the children that we write, as the standard's schema has them
    "Project": ["Users", "CodeBook", "Variables", "Sources"],
    "CodeBook": ["Codes"],
    "Code": ["Description", "Code"],
    "TextSource": ["PlainTextSelection", "VariableValue"],
    "PlainTextSelection": ["Description", "Coding"],
    "Coding": ["CodeRef"],
    "VariableValue": ["VariableRef", "TextValue"],
}
NEEDED = {
    "Project": ["name"],
    "User": ["guid"],
    "Code": ["guid", "name", "isCodable"],
    "Variable": ["guid", "name", "typeOfVariable"],
    "TextSource": ["guid"],
    "PlainTextSelection": ["guid", "startPosition", "endPosition"],
    "Coding": ["guid"],
    "CodeRef": ["targetGUID"],
    "VariableRef": ["targetGUID"],
}
GUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("project", [PROJECT, SMALL_PROJECT, Project("Blank", DOCUMENTS, CODES)])
def test_a_project_is_built_as_the_standard_says(project):
    archive = unpacking.Archive(written("qdpx", project))
    root = etree.fromstring(archive.read("project.qde"))
    assert root.tag == f"{Q}Project"
    guids = Counter(one.get("guid") for one in root.iter() if one.get("guid"))
    assert max(guids.values()) == 1
    for one in root.iter():
        name = etree.QName(one).localname
        assert all(key in one.attrib for key in NEEDED.get(name, ()))
        order = [ORDER[name].index(etree.QName(child).localname) for child in one] if name in ORDER else []
        assert order == sorted(order)
        for key, value in one.attrib.items():
            if "guid" in key.lower() or key.endswith("User"):
                assert GUID.fullmatch(value) and value in guids
            if key == "color":
                assert re.fullmatch("#[0-9a-f]{6}", value)
            if key.endswith("DateTime"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)
    for source in root.iter(f"{Q}TextSource"):
        text = archive.read("sources/" + source.get("plainTextPath").removeprefix("internal://")).decode()
        for place in source.iter(f"{Q}PlainTextSelection"):
            words = text[int(place.get("startPosition")) : int(place.get("endPosition"))]
            assert " ".join(words.split()) == place.get("name")


def test_a_codebook_is_built_as_the_standard_says_and_other_codes_in_it_are_listed():
    root = etree.fromstring(written("qdc"))
    space = "{urn:QDA-XML:codebook:1.0}"
    assert root.tag == f"{space}CodeBook" and [one.tag for one in root] == [f"{space}Codes"]
    codes = list(root.iter(f"{space}Code"))
    assert [one.get("name") for one in codes] == [one.path for one in CODES.codes]
    assert all(GUID.fullmatch(one.get("guid")) and one.get("isCodable") in ("true", "false") for one in codes)
    etree.SubElement(root[0], f"{space}Code", guid=texts.guid(1), name=STRANGE, isCodable="true")
    returned = back("qdc", etree.tostring(root))
    assert [one.tags for one in returned.lost] == [(STRANGE,)]
    assert returned.lost[0].why == "It is in the list of codes, and is no code of this codebook."


def test_a_tool_that_keeps_every_code_of_a_place_apart_and_gives_new_ids():
    """QualCoder: a selection for each code, the memo on each, one of each code on a place by one coder, all ids new."""

    def change(root):
        for source in root.iter(f"{Q}TextSource"):
            seen = set()
            for place in source.findall(f"{Q}PlainTextSelection"):
                source.remove(place)
                for one in place.findall(f"{Q}Coding"):
                    key = (
                        place.get("startPosition"),
                        place.get("endPosition"),
                        place.get("creatingUser"),
                        one[0].get("targetGUID"),
                    )
                    if key in seen:
                        continue
                    seen.add(key)
                    new = etree.Element(place.tag, dict(place.attrib))
                    for said in place.findall(f"{Q}Description"):
                        etree.SubElement(new, said.tag).text = said.text
                    new.append(one)
                    source.insert(0, new)
        for one in root.iter():
            for key in ("guid", "targetGUID", "creatingUser", "creatingUserGUID"):
                if one.get(key):
                    one.set(key, texts.guid("new", one.get(key)))

    returned = back("qdpx", edited(written("qdpx"), change))
    assert returned.codings == CODINGS and not returned.lost
    assert returned.coded == coded(PROJECT)


NVIVO = f"""<Project xmlns="{qdpx.SPACE}" name="x" origin="NVivo for Windows 14">
 <Users><User guid="u1" name="Anna"/></Users>
 <CodeBook><Codes><Code guid="c1" name="authorship/le" isCodable="true"/></Codes></CodeBook>
 <Sources>
  <TextSource guid="s1" name="plain" plainTextPath="internal://s1.TXT" creatingUser="u1">
   <PlainTextSelection guid="p1" startPosition="0" endPosition="8"><Coding guid="k1" creatingUser="u1">
     <CodeRef targetGUID="c1"/></Coding></PlainTextSelection>
   <PlainTextSelection guid="p2" startPosition="4" endPosition="8" creatingUser="u1"/>
   <PlainTextSelection guid="p3" startPosition="4" endPosition="800"><Coding guid="k2" creatingUser="u1">
     <CodeRef targetGUID="c1"/><NoteRef targetGUID="n1"/></Coding></PlainTextSelection>
   <PlainTextSelection guid="p4" startPosition="four" endPosition="8"/>
   <Coding guid="k3" creatingUser="u1"><CodeRef targetGUID="c1"/></Coding>
   <NoteRef targetGUID="n2"/>
  </TextSource>
  <PDFSource guid="s2" name="pdf" path="internal://s2.pdf" creatingUser="u1">
   <PDFSelection guid="p5" page="0" firstX="1" firstY="1" secondX="2" secondY="2">
     <Representation guid="r1"><PlainTextContent>told of in this\r\nshort note</PlainTextContent></Representation>
     <Coding guid="k4" creatingUser="u1"><CodeRef targetGUID="c1"/></Coding></PDFSelection>
   <PDFSelection guid="p6" name="a box" page="0" firstX="1" firstY="1" secondX="2" secondY="2">
     <Coding guid="k5"><CodeRef targetGUID="c1"/></Coding></PDFSelection>
   <Representation guid="r2" plainTextPath="internal://s2.txt">
     <PlainTextSelection guid="p7" startPosition="0" endPosition="7" creatingUser="u1"><Description>a memo</Description>
      <Coding guid="k6"><CodeRef targetGUID="c1"/></Coding></PlainTextSelection></Representation>
  </PDFSource>
  <PictureSource guid="s3" name="photo"><PictureSelection guid="p8" firstX="1" firstY="1" secondX="2" secondY="2">
     <Coding guid="k7" creatingUser="u1"><CodeRef targetGUID="c1"/></Coding></PictureSelection></PictureSource>
  <AudioSource guid="s4" name="talk"><Transcript guid="t1" plainTextPath="relative://../s3.txt">
     <SyncPoint guid="y1" position="0" timeStamp="0"/><SyncPoint guid="y2" position="6" timeStamp="9"/>
     <TranscriptSelection guid="p9" fromSyncPoint="y1" toSyncPoint="y2"><Coding guid="k8" creatingUser="u1">
      <CodeRef targetGUID="c1"/></Coding></TranscriptSelection>
     <TranscriptSelection guid="pa"><Coding guid="k9" creatingUser="u1"><CodeRef targetGUID="c1"/></Coding>
     </TranscriptSelection></Transcript>
     <AudioSelection guid="pb" begin="1" end="2"><Coding guid="ka" creatingUser="u1"><CodeRef targetGUID="c1"/></Coding>
     </AudioSelection></AudioSource>
  <TextSource guid="s5" name="gone" plainTextPath="internal://gone.txt" creatingUser="u1">
   <PlainTextSelection guid="pc" name="words" startPosition="0" endPosition="8"><Coding guid="kb">
     <CodeRef targetGUID="c1"/></Coding></PlainTextSelection></TextSource>
 </Sources>
 <Notes><Note guid="n1"><PlainTextContent>linked</PlainTextContent></Note>
  <Note guid="n2" creatingUser="u1"><PlainTextContent>a thought</PlainTextContent>
   <PlainTextSelection guid="pd" startPosition="4" endPosition="8"/></Note></Notes>
 <Links><Link guid="l1" originGUID="p1" targetGUID="n1"/></Links>
</Project>"""


def test_other_habits_of_tools():
    """Transcripts, PDF pages, pictures, notes and links, as NVivo, ATLAS.ti and QualCoder write them."""
    files = {"project.qde": NVIVO.encode(), "Sources/s1.txt": texts.written(TEXT).encode("utf-8-sig")}
    files |= {"Sources/s2.txt": DOCUMENTS[1].text.encode("utf-16"), "Sources/s3.txt": DOCUMENTS[2].text.encode()}
    returned = back("qdpx", unpacking.zipped(files))
    words = {d.id: d.text for d in DOCUMENTS}
    found = {(words[c.document][c.start : c.end], c.coder, c.note) for c in returned.codings}
    assert found == {
        ("The plan", "Anna", "linked"),
        ("told of in this short note", "Anna", ""),
        ("Nothing", "Anna", "a memo"),
        ("Nobody", "Anna", ""),
    }
    assert Counter(one.why for one in returned.lost) == Counter(
        {
            "It has no code of the codebook, only what it is about or what else is said of it.": 1,
            "Its place, 4 to 800, is not in the text that the file has. Its note: “linked”.": 1,
            "Its place is no number.": 1,
            "It is on the whole document, not on words.": 1,
            "It is a note and has no code: “a thought”.": 1,
            "It is on a part of a PDF page, and the file does not say which words those are.": 1,
            "It is on a part of a picture, not on words.": 1,
            "It is on a part of a recording, and the file does not say which words those are.": 1,
            "It is on a part of a sound recording, not on words.": 1,
            "The file does not have the text of this document.": 1,
        }
    )


# --- INCEpTION ------------------------------------------------------------------------------------------------------


def test_a_project_export_of_inception():
    """An archive in the archive for each user; what was imported first is nobody's; unfinished without codings: not coded."""
    ours = unpacking.Archive(written("inception"))
    anna = ours.read("annotation/Harrowdale the plan.xmi/Anna.xmi")
    empty = ours.read("source/Harrowdale the plan (2).xmi")
    pack = lambda xmi: unpacking.zipped({"Anna.xmi": xmi, "TypeSystem.xml": ours.read("TypeSystem.xml")})  # noqa: E731
    states = [
        {"name": "h.xmi", "user": "anna", "state": "IN_PROGRESS"},
        {"name": "b.xmi", "user": "anna", "state": "IN_PROGRESS"},
        {"name": "b.xmi", "user": "ben", "state": "FINISHED"},
    ]
    files = {
        "exportedproject123.json": json.dumps({"annotation_documents": states}).encode(),
        "annotation/h.xmi/INITIAL_CAS.zip": pack(anna),
        "annotation/h.xmi/anna.zip": pack(anna),
        "annotation/b.xmi/anna.zip": pack(empty),
        "annotation/b.xmi/ben.zip": pack(empty),
        "annotation/b.xmi/cy.zip": b"PK\x03\x04 broken" * 9,
        "annotation_ser/h.xmi/anna.ser": b"\xac\xed",
        "curation/h.xmi/CURATION_USER.xmi": anna,
        "source/h.xmi": anna,
    }
    with pytest.raises(CodingError):
        back("inception", unpacking.zipped(files))  # the archive that is none
    files["annotation/b.xmi/cy.zip"] = pack(b"<broken")
    returned = back("inception", unpacking.zipped(files))
    mine = [c for c in CODINGS if c.coder == "Anna"]
    assert returned.codings == in_order(replace(c, coder=who) for c in mine for who in ("anna", "CURATION_USER"))
    assert set(returned.coded) == {
        (DOCUMENTS[0].id, "anna"),
        (DOCUMENTS[0].id, "CURATION_USER"),
        (DOCUMENTS[1].id, "ben"),
    }
    assert [(one.document, one.coder) for one in returned.lost] == [("b.xmi", "cy")]
    assert "cannot be read" in returned.lost[0].why


def test_annotations_of_other_layers_are_listed():
    import cassis

    types = cassis.load_typesystem(io.BytesIO(unpacking.Archive(written("inception")).read("TypeSystem.xml")))
    person = types.create_type("webanno.custom.Person", "uima.tcas.Annotation")
    types.create_feature(person, "value", "uima.cas.String")
    token = types.create_type("de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token", "uima.tcas.Annotation")
    one = cassis.Cas(types)
    one.sofa_string, one.sofa_mime = texts.written(TEXT), "text/plain"
    one.add(person(begin=4, end=8, value="who"))
    one.add(token(begin=4, end=8))
    files = {"x.xmi": one.to_xmi().encode(), "TypeSystem.xml": types.to_xml().encode()}
    returned = back("inception", unpacking.zipped(files), coder="Anna")
    assert lost(returned) == [(("Person/who",), "Anna", "It is in the layer “Person”, which is none of claimscan's.")]
    assert returned.coded == ((DOCUMENTS[0].id, "Anna"),)
    assert back("inception", files["x.xmi"], coder="Anna").coded == returned.coded  # a single document


def test_the_layer_for_inception_fits_the_types():
    import cassis

    archive = unpacking.Archive(written("inception"))
    (layer,) = json.loads(archive.read("layer.json"))
    types = cassis.load_typesystem(io.BytesIO(archive.read("TypeSystem.xml")))
    features = {f.name: f.rangeType.name for f in types.get_type(layer["name"]).features}
    assert {f["name"]: f["type"] for f in layer["features"]} == features
    tags = {t["tag_name"] for f in layer["features"] if f["tag_set"] for t in f["tag_set"]["tags"]}
    assert tags == {c.name if c.group == "thing" else c.path for c in CODES.codes if not c.is_group}
    for name in archive.names:
        if name.endswith(".xmi"):
            one = cassis.load_cas_from_xmi(io.BytesIO(archive.read(name)), typesystem=types)
            for coding in one.select(cas.LAYER):
                assert coding.get_covered_text() == one.sofa_string[coding.begin : coding.end]


def test_offsets_in_xmi_are_utf16_units():
    (name,) = [n for n in unpacking.Archive(written("inception")).names if n.endswith("/Anna.xmi") and "(2)" not in n]
    root = etree.fromstring(unpacking.Archive(written("inception")).read(name))
    places = {(int(e.get("begin")), int(e.get("end"))) for e in root.iter() if e.get("code")}
    units = texts.Units(TEXT, utf16=True)
    assert places == {(units.count(c.start), units.count(c.end)) for c in CODINGS if c.coder == "Anna"}


def test_the_package_for_xmi_may_be_missing(monkeypatch):
    data = written("inception")
    monkeypatch.setitem(sys.modules, "cassis", None)
    cas.type_system.cache_clear()
    cas._types.cache_clear()
    for act in (
        lambda: written("inception"),
        lambda: back("inception", unpacking.Archive(data).read(unpacking.Archive(data).names[2])),
    ):
        with pytest.raises(CodingError, match="dkpro-cassis is not installed"):
            act()


# --- Label Studio ---------------------------------------------------------------------------------------------------


def test_every_answer_in_the_tasks_is_a_question_of_the_configuration():
    assert not label_studio.config(PROJECT).startswith(b"<?xml")  # on which Label Studio fails
    view = etree.fromstring(label_studio.config(PROJECT))
    controls = {one.get("name"): one for one in view.iter() if one.get("toName")}
    objects = {one.get("name"): one.get("value") for one in view.iter("Text")}
    kinds = {"Labels": "labels", "Choices": "choices", "TextArea": "textarea"}
    assert objects == {"text": "$text"}
    seen = set()
    for task in json.loads(written("label-studio")):
        for answers in [*task["annotations"], *task["predictions"]]:
            for part in answers["result"]:
                control = controls[part["from_name"]]
                assert kinds[control.tag] == part["type"] and control.get("toName") == part["to_name"] == "text"
                offered = {one.get("value") for one in control}
                assert part["type"] == "textarea" or set(part["value"][part["type"]]) <= offered
                assert (control.get("perRegion") == "true" or part["type"] == "labels") == ("start" in part["value"])
                seen.add(part["from_name"])
    assert seen == {"code", "thing", "new_thing", "also", "detail", "note", "coder"}


def test_what_the_machine_coded_is_a_prediction_and_what_people_coded_an_annotation():
    first, second, third = json.loads(written("label-studio"))
    assert [one["model_version"] for one in first["predictions"]] == [MACHINE]
    assert len(first["annotations"]) == 3 and len(second["annotations"]) == 1
    assert not third["annotations"] and not third["predictions"]
    assert all("completed_by" not in one for one in first["annotations"])  # an import refuses people without an account


def region(start, end, words=None, **more):
    value = {"start": start, "end": end, "labels": ["authorship/le"]} | ({"text": words} if words else {})
    return {"id": f"{start}", "from_name": "code", "to_name": "text", "type": "labels", "value": value, **more}


def studio(*results, **more):
    return json.dumps(
        [{"id": 7, "data": {"text": texts.written(TEXT)}, "annotations": [{"result": list(results), **more}]}]
    ).encode()


def test_how_label_studio_counted_is_told_by_the_words():
    units, at = texts.Units(TEXT, utf16=True), TEXT.index("signed")
    expected = in_order([replace(on("signed", "authorship/le"), coder="anna@example.org")])
    who = {"completed_by": {"email": "anna@example.org", "id": 3}}
    assert back("label-studio", studio(region(at, at + 6, "signed"), **who)).codings == expected
    assert (
        back("label-studio", studio(region(units.count(at), units.count(at) + 6, "signed"), **who)).codings == expected
    )
    assert back("label-studio", studio(region(at + 40, at + 46, "signed"), **who)).codings == expected  # by the words
    assert back("label-studio", studio(region(at, at + 6), **who)).codings == expected
    (gone,) = back("label-studio", studio(region(at, at + 9000), **who)).lost
    assert gone.why == f"Its place, {at} to {at + 9000}, is not in the text that the file has."


def test_tasks_skipped_links_notes_of_regions_and_empty_annotations():
    returned = back("label-studio", studio(region(4, 8, "plan"), was_cancelled=True, completed_by=3))
    assert lost(returned) == [(("authorship/le",), "3", "The task was skipped.")] and not returned.coded
    assert back("label-studio", studio(completed_by=3)).coded == ((DOCUMENTS[0].id, "3"),)
    draft = [
        {
            "data": {"text": texts.written(TEXT)},
            "predictions": [4],
            "drafts": [{"result": [region(4, 8)], "user": "Anna"}],
        }
    ]
    returned = back("label-studio", json.dumps(draft).encode())
    assert (
        lost(returned) == [(("authorship/le",), "Anna", "It is a draft that was not submitted.")] and not returned.coded
    )
    link = {"type": "relation", "from_id": "4", "to_id": "4", "direction": "right"}
    returned = back("label-studio", studio(region(4, 8, "plan", meta={"text": ["hm"]}), link))
    assert [c.note for c in returned.codings] == ["hm"]
    assert lost(returned) == [((), "", "It is a link between two codings.")]
    with pytest.raises(CodingError, match="no annotations as “JSON” has them"):
        FORMATS["label-studio"].read(b'[{"text": "x", "id": 1}]', Placer(DOCUMENTS, CODES))


# --- doccano --------------------------------------------------------------------------------------------------------


def test_offsets_for_doccano_are_utf16_units_and_every_tag_is_a_label_of_its_own():
    lines = [json.loads(line) for line in written("doccano").decode().splitlines()]
    one = next(line for line in lines if line["coder"] == MACHINE)
    start = TEXT.index("12 m") + 1  # one face before it
    assert one["label"] == [[start, start + 11, "count/exact"], [start, start + 11, "thing/the \U0001f600 plan"]]
    labels = [row["text"] for row in json.loads(doccano.labels(PROJECT))]
    assert labels == [c.path for c in CODES.codes if not c.is_group]


def test_an_export_of_doccano_by_user_and_the_form_with_entities():
    line = json.loads(written("doccano", SMALL_PROJECT))
    spans_ = [
        {"id": n, "start_offset": s, "end_offset": e, "label": tag} for n, (s, e, tag) in enumerate(line["label"])
    ]
    untouched = json.dumps({**line, "coder": MACHINE}).encode()
    assert {c.coder for c in back("doccano", unpacking.zipped({"ben.jsonl": untouched})).codings} == {MACHINE}
    spans_ = [one for one in spans_ if one["start_offset"] != line["codings"][2]["start"]]
    machine = {
        **line,
        "entities": spans_,
        "relations": [{"id": 1}],
        "coder": MACHINE,
        "id": 9,
        "Comments": ["see p. 3"],
    }
    del machine["label"]
    nothing = {"text": DOCUMENTS[1].text, "label": [], "Comments": ["Coded"]}
    unread = {"text": DOCUMENTS[2].text, "label": [], "Comments": []}
    rows = "\n".join(json.dumps(row) for row in (machine, nothing, unread))
    data = unpacking.zipped({"ben.jsonl": rows.encode(), "all.txt": b""})
    returned = back("doccano", data)
    assert returned.codings == in_order(replace(c, coder="ben") for c in SMALL[:2])
    assert set(returned.coded) == {(DOCUMENTS[0].id, "ben"), (DOCUMENTS[1].id, "ben")}
    assert sorted(why for _, _, why in lost(returned)) == [
        "It is a comment on the document and has no code: “see p. 3”.",
        "There are links between codings in it.",
    ]


# --- tables ---------------------------------------------------------------------------------------------------------


def test_a_workbook_offers_the_codes_and_runs_nothing():
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(written("xlsx")))
    assert book.sheetnames == ["Codings", "Codes", "Documents"]
    lists = {str(one.sqref)[0]: one.formula1 for one in book["Codings"].data_validations.dataValidation}
    rows = int(lists["D"].rpartition("$")[2])
    offered = [book["Codes"].cell(row, 1).value for row in range(2, rows + 1)]
    assert offered == PATHS
    assert lists["A"] == "=Documents!$A$2:$A$4"
    for one in book:
        for row in one.iter_rows():
            assert all(c.data_type != "f" and not str(c.value or "").startswith(("=", "+", "-", "@")) for c in row)
    by = {row[0]: row[1] for row in book["Documents"].iter_rows(min_row=2, values_only=True)}
    assert by["Harrowdale the plan (2)"] == "Anna; claimscan" and not by["unread.pdf"]


def test_who_has_coded_can_be_written_into_the_workbook():
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(written("xlsx", SMALL_PROJECT)))
    book["Documents"]["B2"] = "Anna\nEve;  Flo"
    out = io.BytesIO()
    book.save(out)
    returned = back("xlsx", out.getvalue(), SMALL_PROJECT)
    assert returned.coded == tuple((DOCUMENTS[0].id, who) for who in ("Anna", "Eve", "Flo"))


@pytest.mark.parametrize(
    "row, why",
    [
        ("harrowdale.txt,nowhere here,authorship/le", "The words are not in this document."),
        (
            "harrowdale.txt,co-produced,authorship/le",
            "The words are in more than one place, and nothing tells which is meant.",
        ),
        ("harrowdale.txt,,authorship/le", "There are no words in the quote."),
        ("other.txt,plan,authorship/le", "The document is none of this study."),
        ("harrowdale.txt,county,", "It has no code of the codebook, only what it is about or what else is said of it."),
    ],
)
def test_rows_that_have_no_place_are_listed(row, why):
    data = f"Document,Words,Code\n{row}\n".encode()
    assert [one.why for one in back("csv", data).lost] == [why]


def test_a_note_too_long_for_a_cell_is_not_cut():
    project = replace(SMALL_PROJECT, codings=[replace(SMALL[0], note="x" * 40_000)])
    with pytest.raises(CodingError, match="too long for a cell"):
        written("xlsx", project)
    assert back("qdpx", written("qdpx", project), project).codings == tuple(project.codings)


# --- W3C ------------------------------------------------------------------------------------------------------------


def test_a_page_of_annotations_has_what_the_model_asks_for():
    whole = json.loads(written("web-annotation"))
    assert whole["@context"] == "http://www.w3.org/ns/anno.jsonld" and whole["type"] == "AnnotationPage"
    assert whole["partOf"]["total"] == len(whole["items"]) == len(CODINGS) + len(coded(PROJECT))
    ids = [one["id"] for one in whole["items"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("urn:uuid:" + GUID.pattern, one) for one in ids)
    for one in whole["items"]:
        assert one["type"] == "Annotation" and one["motivation"] in ("tagging", "assessing")
        assert one["creator"]["type"] == ("Software" if one["creator"]["name"] == MACHINE else "Person")
        assert all(body["type"] == "TextualBody" and body["value"] and body["purpose"] for body in one["body"])
        source = one["target"]["source"]
        assert re.fullmatch("ni:///sha-256;[A-Za-z0-9_-]{43}", source["id"])
        if one["motivation"] == "tagging":
            quote, place = one["target"]["selector"]
            assert (quote["type"], place["type"]) == ("TextQuoteSelector", "TextPositionSelector")
            text = texts.held(TEXT)
            assert text[place["start"] : place["end"]] == quote["exact"]
            assert text[: place["start"]].endswith(quote["prefix"]) and text[place["end"] :].startswith(quote["suffix"])


def test_annotations_of_pages_and_of_whole_documents_are_listed():
    source = json.loads(written("web-annotation"))["items"][0]["target"]["source"]["id"]
    tag = {"type": "TextualBody", "purpose": "tagging", "value": "authorship/le"}
    items = [
        {"target": {"source": source, "selector": {"type": "FragmentSelector", "value": "page=3"}}, "body": tag},
        {"target": source, "bodyValue": "a thought"},
        {
            "target": {"source": source, "selector": {"type": "TextPositionSelector", "start": 5, "end": 9999}},
            "body": tag,
        },
        {"target": "https://example.org/", "body": tag},
    ]
    returned = back("web-annotation", json.dumps(items).encode())
    assert [one.why for one in returned.lost] == [
        "It is not on words, but on: FragmentSelector.",
        "It is not on words, but on: the whole document.",
        "Its place, 5 to 9999, is not in the document.",
        "The document is none of this study.",
    ]


# --- memos and places that a tool took apart ------------------------------------------------------------------------


@given(
    st.sampled_from([{}, {"le_n": 4}]),
    st.lists(st.sampled_from(["le_n=3", "\n", "+", " ", "+ thing/x", "note:", "\r", "hm"]), max_size=6).map("".join),
    st.booleans(),
)
def test_a_memo_is_read_as_it_was_written(detail, note, own):
    coding = replace(SMALL[0], detail=detail, note=note, also=("also/part",))
    found = spans.of_memo(spans.memo(coding, own=own))
    assert found == ("le_n=4" if detail else "", note, coding.tags if own else ())


def test_a_memo_of_a_tool_is_a_note_and_a_number_that_cannot_be_read_is_listed():
    assert spans.of_memo("I doubt it\nle_n=3") == ("", "I doubt it\nle_n=3", ())
    assert spans.of_memo("le_n=3") == ("le_n=3", "", ())

    def change(root):
        next(root.iter(f"{Q}Description")).getroottree()
        place = next(root.iter(f"{Q}PlainTextSelection"))
        place.find(f"{Q}Description").text = "le_n=a dozen"

    returned = back("qdpx", edited(written("qdpx", SMALL_PROJECT), change), SMALL_PROJECT)
    assert returned.codings == SMALL[1:]
    assert returned.lost[0].why == "le_n has to be a whole number, and it is “a dozen”."


def apart(*rows):
    at = texts.Copy(TEXT, DOCUMENTS[0]).anchor(4, 8)
    placer = Placer(DOCUMENTS, CODES)
    spans.hand_over(
        placer, [spans.Span(DOCUMENTS[0].id, at, tags, "Anna", note=note, own=own) for tags, note, own in rows]
    )
    returned = placer.returned()
    return {(c.code, c.thing, c.also, c.note) for c in returned.codings}, [one.why for one in returned.lost]


def test_tags_that_come_back_apart_are_put_together():
    le, done, hedged = ("authorship/le",), ("mention/DOC_DONE",), ("also/hedged",)
    one, two = ("thing/one",), ("thing/two",)
    assert apart((le, "", ()), (one, "", ()), (hedged, "", ())) == ({("authorship/le", "one", hedged, "")}, [])
    both = {("authorship/le", "one", (), ""), ("mention/DOC_DONE", "two", hedged, "")}
    first, second = le + one, done + two + hedged
    assert apart((le, "", first), (done, "", second), (one, "", first), (two, "", second), (hedged, "", second)) == (
        both,
        [],
    )
    # Of one code twice on a place some tools keep only one; the memos say that there were two.
    twice = {("authorship/le", "one", (), "a"), ("authorship/le", "two", (), "b")}
    assert apart((le, "a", le + one), (one, "a", le + one), (two, "b", le + two)) == (twice, [])
    # What was taken off in the tool is off; what was put on is on all.
    assert apart((le, "", first), (done, "", done + two), (("thing/three",), "", ())) == (
        {("authorship/le", "three", (), ""), ("mention/DOC_DONE", "three", (), "")},
        [],
    )
    # A code that was changed in the tool is not what its memo says.
    assert apart((done + one, "", first), (hedged, "", ())) == ({("mention/DOC_DONE", "one", hedged, "")}, [])
    found, why = apart((le, "", ()), (one, "", ()), (two, "", ()))
    assert not found and why == ["It is about two things: one, two."]
    found, why = apart((le + one, "", ()), (two, "", ()))
    assert found == {("authorship/le", "one", (), "")} and why[0].startswith("It has no code of the codebook")
    found, why = apart((le, "mine", ()), (one, "of the thing", ()))
    assert found == {("authorship/le", "one", (), "mine")}
    assert why == ["Its note has no coding to go with: “of the thing”."]
    assert apart((le, "", ()), (one, "of the thing", ())) == ({("authorship/le", "one", (), "of the thing")}, [])


# --- files that mean harm, or are broken ----------------------------------------------------------------------------

BOMB = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]><Project name="&y;">&y;</Project>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><Project><Users>&x;</Users></Project>'


@pytest.mark.parametrize("content", [BOMB, OUTSIDE, BOMB.decode().encode("utf-16"), b"<Project>" * 5000, b"\x00", b""])
@pytest.mark.parametrize(
    "name, inside",
    [
        ("qdpx", "project.qde"),
        ("qdpx", ""),
        ("qdc", ""),
        ("inception", "annotation/d/u.xmi"),
        ("xlsx", "xl/workbook.xml"),
    ],
)
def test_xml_that_means_harm_is_refused(name, inside, content):
    data = unpacking.zipped({inside: content}) if inside else content
    placer = Placer(DOCUMENTS, CODES)
    try:
        FORMATS[name].read(data, placer)
    except CodingError as error:
        assert str(error) and error.remedy
    else:
        assert [one.document for one in placer.returned().lost] == ["d"]


@pytest.mark.parametrize("name", ["qdpx", "inception", "doccano", "xlsx"])
def test_archives_that_unpack_without_end_are_refused(name, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST", 100_000)
    inside = {"qdpx": "project.qde", "inception": "annotation/d/u.xmi", "doccano": "a.jsonl", "xlsx": "xl/workbook.xml"}
    with pytest.raises(CodingError, match="holds more than any study"):
        FORMATS[name].read(unpacking.zipped({inside[name]: b" " * 1_000_000}), Placer(DOCUMENTS, CODES))
    monkeypatch.setattr(unpacking, "ENTRIES", 3)
    with pytest.raises(CodingError, match="files in it"):
        FORMATS[name].read(unpacking.zipped({f"{n}.xmi": b"" for n in range(4)}), Placer(DOCUMENTS, CODES))


def test_names_in_an_archive_lead_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("The plan was kept here.")
    root = NVIVO.replace("internal://s1.TXT", "relative://../../secret.txt").encode()
    data = unpacking.zipped({"../../project.qde": root, "../evil.txt": b"x", "/etc/passwd": b"y"})
    returned = back("qdpx", data)
    assert [p.name for p in tmp_path.iterdir()] == ["secret.txt"]
    assert "The file does not have the text of this document." in {one.why for one in returned.lost}


@pytest.mark.parametrize("name", ["label-studio", "doccano", "web-annotation"])
@pytest.mark.parametrize(
    "data",
    [b"[" * 10_000, b'{"items":' * 10_000, b"9" * 5000, b"null", b"[]", b'"x"', b"\xff\xfe\x00", b"[[[]]]", b"{}"],
)
def test_json_that_makes_no_sense_is_refused(name, data):
    placer = Placer(DOCUMENTS, CODES)
    try:
        FORMATS[name].read(data, placer)
    except CodingError as error:
        assert str(error) and error.remedy
    assert placer.returned().codings == ()


JUNK = st.sampled_from(
    [None, True, -1, 10**30, 1e300, "", "9" * 40, "\ud800", [], {}, [[1, 2]], {"start": 1}, "thing/", [None, {}]]
)


@st.composite
def bent(draw, value):
    """A JSON value with some of its parts replaced or left out."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 4))):
        holders = [value] if isinstance(value, (dict, list)) else []
        for one in holders:
            holders += [v for v in (one.values() if isinstance(one, dict) else one) if isinstance(v, (dict, list))]
        holders = [one for one in holders if one]
        if not holders or draw(st.integers(0, 30)) == 0:
            return draw(JUNK)
        one = holders[draw(st.integers(0, len(holders) - 1))]
        key = draw(st.sampled_from(sorted(one) if isinstance(one, dict) else range(len(one))))
        if draw(st.booleans()):
            one[key] = draw(JUNK)
        else:
            del one[key]
    return value


@pytest.mark.parametrize("name", ["label-studio", "doccano", "web-annotation"])
def test_any_json_is_read_listed_or_refused(name):
    said = written(name, SMALL_PROJECT).decode()

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(bent(json.loads(said)))
    def check(value):
        survives(name, json.dumps(value).encode())

    check()


def survives(name, data):
    placer = Placer(DOCUMENTS, CODES)
    try:
        FORMATS[name].read(data, placer)
    except CodingError as error:
        assert str(error)
        return
    for coding in placer.returned().codings:
        assert 0 <= coding.start < coding.end <= len(placer.documents[coding.document].text)
        placer.codes.check(coding)
    for one in placer.returned().lost:
        assert one.why.endswith((".", ")"))


@pytest.mark.parametrize("name", ["qdpx", "inception"])
def test_any_xml_is_read_listed_or_refused(name):
    archive = unpacking.Archive(written(name, SMALL_PROJECT))
    files = {n: archive.read(n) for n in archive.names}
    target = "project.qde" if name == "qdpx" else next(n for n in files if n.startswith("annotation"))
    if name == "qdpx":
        target_bytes = NVIVO.encode()
    else:
        target_bytes = files[target]
    values = st.sampled_from(["", "-5", "9" * 30, "x", "1e5", "u1", "c1", "nan", "{", "thing/", "2 3 4"])

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data):
        root = etree.fromstring(target_bytes)
        for _ in range(data.draw(st.integers(1, 4))):
            elements = list(root.iter("*"))
            one = elements[data.draw(st.integers(0, len(elements) - 1))]
            act = data.draw(st.sampled_from(["set", "drop", "remove", "text", "move"]))
            key = data.draw(st.sampled_from(sorted(one.attrib) or ["x"]))
            if act == "set":
                one.set(key, data.draw(values))
            elif act == "drop":
                one.attrib.pop(key, None)
            elif act == "text":
                one.text = data.draw(values)
            elif act == "remove" and one is not root:
                one.getparent().remove(one)
            elif act == "move" and one is not root:
                root.append(one)
        survives(name, unpacking.zipped({**files, target: etree.tostring(root)}))

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_any_bytes_are_read_listed_or_refused(name):
    whole = bytearray(written(name, SMALL_PROJECT))

    @settings(max_examples=8 if name in ("xlsx", "inception") else 15, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data):
        survives(name, data.draw(st.binary(max_size=60)))
        some = whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else bytearray(whole)
        for _ in range(data.draw(st.integers(0, 5)) if some else 0):
            some[data.draw(st.integers(0, len(some) - 1))] = data.draw(st.integers(0, 255))
        survives(name, bytes(some))

    check()


def test_an_encrypted_archive_is_refused():
    data = bytearray(unpacking.zipped({"project.qde": b"<Project/>"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(CodingError, match="cannot be read"):
        FORMATS["qdpx"].read(bytes(data), Placer(DOCUMENTS, CODES))


def test_names_of_documents_can_be_names_of_files():
    odd = [document(f"{n}", "Some words.", title) for n, title in enumerate(['a/b:c*"', "A b c", "..", "", "x" * 300])]
    names = list(Project("x", odd, CODES).names.values())
    assert names == ["a b c", "A b c (2)", "document", "3", "x" * 79 + "…"] or len(set(map(str.casefold, names))) == 5
    assert all(re.fullmatch(r"[^/\\:*?\"<>|\x00-\x1f]{1,90}", name) and name.strip(". ") for name in names)
    assert zipfile.ZipFile(io.BytesIO(written("inception", Project("x", odd, CODES)))).testzip() is None
