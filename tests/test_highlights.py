"""The copy with highlights: found again by other libraries on the same words, and everything else as it was."""

import io
import shutil
import subprocess
from dataclasses import replace

import made_reports
import pdfplumber
import pikepdf
import pypdfium2
import pypdfium2.raw as raw
import pytest
from pikepdf import Array, Dictionary, Name, String

from claimscan import cli, reading
from claimscan.errors import UnmarkedDocument
from claimscan.showing import highlights, wording
from claimscan.showing.highlights import CLAIM, CONCERN, EVIDENCE, highlighted

HALF = 0.5  # points


def changed(change=lambda pdf: None, **save):
    """The made PDF after a change, and the made report about it, with its boxes measured anew."""
    with pikepdf.open(io.BytesIO(made_reports.pdf())) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out, static_id="encryption" not in save, **save)
    return about(out.getvalue())


def about(data):
    report = made_reports.strategy()
    document = replace(reading.read_bytes(data, "strategy.pdf"), title=report.document.title)
    assert document.text == report.text
    items = [*report.mentions, *report.evidence]
    places = reading.locate(document, [(i.start, i.end) for i in items])
    boxes = {item.id: found for item, found in zip(items, places, strict=True) if found}
    assert boxes
    return replace(report, document=document, boxes=boxes), data


def texts(data):
    document = pypdfium2.PdfDocument(data)
    return [document[i].get_textpage().get_text_range() for i in range(len(document))]


def clean_to_qpdf(data, folder):
    if not shutil.which("qpdf"):
        pytest.skip("qpdf is not installed")
    (folder / "copy.pdf").write_bytes(data)
    done = subprocess.run(["qpdf", "--check", folder / "copy.pdf"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def near(one, other):
    return all(abs(a - b) <= HALF for a, b in zip(one, other, strict=True))


def wanted(report):
    """The rectangle and boxes of every mark, by page."""
    found = {}
    for mark in highlights.marks(report):
        boxes = sorted((b.x0, b.top, b.x1, b.bottom) for b in mark.boxes)
        x0, top, x1, bottom = zip(*boxes, strict=True)
        around = min(x0), min(top), max(x1), max(bottom)
        found.setdefault(mark.boxes[0].page, []).append((around, boxes, mark.note))
    return found


def by_pdfium(data):
    """Highlights as pdfium finds them, in points from the top left of the page as shown."""
    from claimscan.reading.opening import turn

    document = pypdfium2.PdfDocument(data)
    found = {}
    for index in range(len(document)):
        page = document[index]
        a, b, c, d, e, f = turn(page, *page.get_size())
        for number in range(raw.FPDFPage_GetAnnotCount(page)):
            annotation = raw.FPDFPage_GetAnnot(page, number)
            if raw.FPDFAnnot_GetSubtype(annotation) != raw.FPDF_ANNOT_HIGHLIGHT:
                continue
            boxes = []
            for at in range(raw.FPDFAnnot_CountAttachmentPoints(annotation)):
                q = raw.FS_QUADPOINTSF()
                raw.FPDFAnnot_GetAttachmentPoints(annotation, at, q)
                points = [(q.x1, q.y1), (q.x2, q.y2), (q.x3, q.y3), (q.x4, q.y4)]
                shown = [(a * x + c * y + e, b * x + d * y + f) for x, y in points]
                # The order that readers expect: along the top, then along the bottom, each from the left.
                assert shown[0][0] < shown[1][0] and shown[0][1] < shown[2][1]
                xs, ys = zip(*shown, strict=True)
                boxes.append((min(xs), min(ys), max(xs), max(ys)))
            size = raw.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0)
            buffer = (raw.FPDF_WCHAR * (size // 2))()
            raw.FPDFAnnot_GetStringValue(annotation, b"Contents", buffer, size)
            note = bytes(buffer).decode("utf-16-le").rstrip("\0")
            found.setdefault(index + 1, []).append((sorted(boxes), note))
    return found


def by_pdfplumber(data):
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        return {
            page.page_number: [  # pdfplumber counts from the corner of the sheet, not of what is shown of it
                (
                    a["x0"] - page.cropbox[0],
                    a["top"] - page.cropbox[1],
                    a["x1"] - page.cropbox[0],
                    a["bottom"] - page.cropbox[1],
                )
                for a in page.annots
                if str(a["data"]["Subtype"]) == "/'Highlight'"
            ]
            for page in pdf.pages
        }


def turned(angle):
    def change(pdf):
        for page in pdf.pages:
            page.rotate(angle, relative=False)
            if angle == 180:  # and printed upside down, as otherwise no line comes before the next
                _, _, wide, high = page.mediabox
                page.contents_add(f"-1 0 0 -1 {wide} {high} cm\n".encode(), prepend=True)

    return change


def trimmed(pdf):
    for page in pdf.pages:
        x0, y0, x1, y1 = map(float, page.mediabox)
        page.cropbox = [x0 + 20, y0 + 15, x1 - 10, y1 - 25]


def cropped(pdf):
    for page in pdf.pages:
        x0, y0, x1, y1 = map(float, page.mediabox)
        page.mediabox = [x0 - 50, y0 - 70, x1 + 30, y1 + 20]
        page.cropbox = [x0 + 10, y0 + 5, x1 - 7, y1 - 11]


def cropped_and_turned(pdf):
    cropped(pdf)
    turned(90)(pdf)


def user_unit(pdf):
    for page in pdf.pages:
        page.obj.UserUnit = 2


CHANGES = [lambda pdf: None, turned(90), turned(180), turned(270), cropped, cropped_and_turned, user_unit]
NAMES = ["plain", "90", "180", "270", "cropped", "cropped-90", "user-unit"]


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
def test_highlights_are_found_again_in_the_same_boxes(change, tmp_path):
    report, data = changed(change)
    copy = highlighted(report, data)
    expected = wanted(report)
    assert sum(map(len, expected.values())) >= 5
    found = by_pdfium(copy)
    assert found.keys() == expected.keys()
    for page, marks in expected.items():
        assert len(found[page]) == len(marks)
        for (_, boxes, note), (there, written) in zip(marks, found[page], strict=True):
            assert written == note
            assert len(there) == len(boxes) and all(map(near, there, boxes))
    assert texts(copy) == texts(data)
    clean_to_qpdf(copy, tmp_path)


@pytest.mark.parametrize("change", [CHANGES[0], trimmed, *CHANGES[1:4]], ids=["plain", "trimmed", "90", "180", "270"])
def test_pdfplumber_finds_them_too(change):
    report, data = changed(change)
    found = by_pdfplumber(highlighted(report, data))
    for page, marks in wanted(report).items():
        assert len(found[page]) == len(marks)
        assert all(near(rect, there) for (rect, _, _), there in zip(marks, found[page], strict=True))


def test_highlights_cover_the_words_that_pdfplumber_reads_there():
    report, data = changed()
    first = next(e for e in report.evidence if report.boxes.get(e.id))
    with pdfplumber.open(io.BytesIO(highlighted(report, data))) as pdf:
        page = pdf.pages[first.page - 1]
        words = ""
        for annotation in page.annots:
            if str(annotation["data"]["Subtype"]) == "/'Highlight'":
                box = (annotation["x0"] - 1, annotation["top"] - 3, annotation["x1"] + 1, annotation["bottom"] + 3)
                words += " " + (page.crop(box).extract_text() or "")
    assert first.quote.split()[0] in words and first.quote.split()[-1] in words


def test_a_drawn_page_shows_the_colour_on_the_words():
    report, data = changed()
    copy = highlighted(report, data)
    mark = highlights.marks(report)[0]
    box = mark.boxes[0]

    def colour(pdf):
        picture = pypdfium2.PdfDocument(pdf)[box.page - 1].render(scale=4, may_draw_forms=False).to_pil().convert("RGB")
        region = picture.crop(tuple(int(4 * v) for v in (box.x0, box.top, box.x1, box.bottom)))
        return max(region.getcolors(1_000_000))[1]

    assert colour(data) == (255, 255, 255)
    assert all(abs(a - 255 * b) <= 3 for a, b in zip(colour(copy), mark.kind.colour, strict=True))


def test_every_note_says_its_kind_in_words_and_the_first_page_has_the_key():
    report, data = changed()
    with pikepdf.open(io.BytesIO(highlighted(report, data))) as pdf:
        notes = [a for page in pdf.pages for a in page.obj.get("/Annots", [])]
        first = pdf.pages[0].obj.Annots[0]
        assert first.Subtype == Name.Text and wording.FAIR in str(first.Contents)
        assert all(kind.name in str(first.Contents) for kind in (CLAIM, EVIDENCE, CONCERN))
        assert len({str(a.NM) for a in notes}) == len(notes)
        kinds = set()
        for note in notes:
            assert str(note.T) == "claimscan" and note.F == 4 and "/M" not in note and "/AP" in note
            assert not {"/A", "/AA", "/JS", "/URI"} & set(note.keys())
            if note.Subtype == Name.Highlight:
                kinds.add(str(note.Subj))
                assert str(note.Contents).startswith(("Evidence", "Claim", "Use of"))
        assert kinds == {"Claim", "Evidence", "Concern"}
        assert "rule" in str(notes[-1].Contents)


def test_all_that_one_place_says_is_in_one_annotation():
    report = made_reports.strategy()
    twice = replace(report.evidence[0], id="e99", slot="payment", value="vouchers")
    report = replace(
        report, evidence=(*report.evidence, twice), boxes={**report.boxes, "e99": report.boxes[report.evidence[0].id]}
    )
    evidence = [m for m in highlights.marks(report) if m.kind is not CLAIM]
    assert len(evidence) == len({m.boxes for m in evidence})
    assert any("vouchers" in m.note and ";" in m.note.splitlines()[0] for m in evidence)


def test_the_same_input_gives_the_same_bytes_and_is_left_alone():
    report, data = changed()
    before = bytes(bytearray(data))
    assert highlighted(report, data) == highlighted(report, data)
    assert data == before


# --- what is kept ---------------------------------------------------------------------------------------------------


def tag(pdf):
    """A structure tree with one paragraph, an outline, a form, an attachment and a language."""
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    whole = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root, K=Array([])))
    paragraph = pdf.make_indirect(
        Dictionary(Type=Name.StructElem, S=Name.P, P=whole, Pg=pdf.pages[0].obj, K=Array([0]))
    )
    whole.K.append(paragraph)
    root.K = Array([whole])
    root.ParentTree = pdf.make_indirect(Dictionary(Nums=Array([0, Array([paragraph])])))
    root.ParentTreeNextKey = 1
    pdf.pages[0].obj.StructParents = 0
    pdf.Root.StructTreeRoot = root
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    pdf.Root.Lang = String("en-GB")
    field = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("name"), V=String("Ann")))
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
    pdf.attachments["data.csv"] = b"a,b\n1,2\n"
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Foreword", 1))


def test_a_tagged_document_keeps_its_structure_and_every_note_joins_it(tmp_path):
    report, data = changed(tag)
    copy = highlighted(report, data)
    clean_to_qpdf(copy, tmp_path)
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        root = pdf.Root.StructTreeRoot
        assert pdf.Root.MarkInfo.Marked and str(pdf.Root.Lang) == "en-GB"
        assert str(pdf.Root.AcroForm.Fields[0].V) == "Ann"
        assert pdf.attachments["data.csv"].get_file().read_bytes() == b"a,b\n1,2\n"
        with pdf.open_outline() as outline:
            assert outline.root[0].title == "Foreword"
        whole = root.K[0]
        assert whole.K[0].S == Name.P and whole.K[0].K[0] == 0
        numbers = pikepdf.NumberTree(root.ParentTree)
        assert numbers[0][0].objgen == whole.K[0].objgen
        notes = [(page.obj, a) for page in pdf.pages for a in page.obj.get("/Annots", [])]
        for page, note in notes:
            element = numbers[int(note.StructParent)]
            assert element.S == Name.Annot and element.P.objgen == whole.objgen
            assert element.K.Obj.objgen == note.objgen and element.K.Pg.objgen == page.objgen
            assert page.Tabs == Name.S and str(note.Contents)
        assert len(whole.K) == 1 + len(notes) and root.ParentTreeNextKey == 1 + len(notes)
        assert "digital signature" in str(pdf.pages[0].obj.Annots[0].Contents)


def broken_tree(pdf):
    tag(pdf)
    pdf.Root.StructTreeRoot.ParentTree = 7


def looped_tree(pdf):
    tag(pdf)
    root = pdf.Root.StructTreeRoot
    root.ParentTree = pdf.make_indirect(Dictionary(Kids=Array([])))
    root.ParentTree.Kids.append(root.ParentTree)


@pytest.mark.parametrize("change", [broken_tree, looped_tree])
def test_a_broken_structure_is_kept_or_the_document_refused(change):
    report, data = changed(change)
    try:
        copy = highlighted(report, data)
    except UnmarkedDocument:
        return
    assert texts(copy) == texts(data) and by_pdfium(copy)


# --- hostile and odd files ------------------------------------------------------------------------------------------


def no_list(pdf):
    for page in pdf.pages:
        page.obj.Annots = Name.Nonsense


def null_list(pdf):
    for page in pdf.pages:
        page.obj.Annots = pdf.make_indirect(Dictionary())


def shared_list(pdf):
    link = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=Array([1, 1, 5, 5]), Contents="old"))
    shared = pdf.make_indirect(Array([link, None, 3]))
    for page in pdf.pages:
        page.obj.Annots = shared


def looped_list(pdf):
    loop = pdf.make_indirect(Array([]))
    loop.append(loop)
    for page in pdf.pages:
        page.obj.Annots = loop


@pytest.mark.parametrize("change", [no_list, null_list, shared_list, looped_list])
def test_odd_lists_of_annotations_do_no_harm(change):
    report, data = changed(change)
    copy = highlighted(report, data)
    found = by_pdfium(copy)
    assert {page: len(marks) for page, marks in found.items()} == {p: len(m) for p, m in wanted(report).items()}
    if change is shared_list:
        with pikepdf.open(io.BytesIO(copy)) as pdf:
            assert all(str(page.obj.Annots[0].Contents) == "old" for page in pdf.pages)


def test_a_page_that_stands_twice_is_marked_where_the_words_were_found():
    report, data = changed()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        kids = pdf.Root.Pages.Kids
        kids.append(kids[0])
        pdf.Root.Pages.Count = len(kids)
        out = io.BytesIO()
        pdf.save(out)
    twice = out.getvalue()
    document = reading.read_bytes(twice, "twice.pdf")
    assert len(document.pages) == len(report.document.pages) + 1
    copy = highlighted(replace(report, document=replace(document, text=report.text)), twice)
    assert texts(copy) == texts(twice)
    assert len(by_pdfium(copy)) == len(wanted(report))


def test_object_streams_and_an_incremental_save_are_read(tmp_path):
    report, data = changed(object_stream_mode=pikepdf.ObjectStreamMode.generate)
    clean_to_qpdf(highlighted(report, data), tmp_path)
    plain = made_reports.pdf()
    start = plain.rindex(b"startxref") + 9
    previous = int(plain[start:].split()[0])
    with pikepdf.open(io.BytesIO(plain)) as pdf:
        size, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
    update = b"\n%d 0 obj\n(new)\nendobj\n" % size
    table = len(plain) + len(update)
    update += b"xref\n%d 1\n%010d 00000 n \ntrailer\n<</Size %d/Root %d 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        *(size, len(plain) + 1, size + 1, root, previous, table),
    )
    report, data = about(plain + update)
    copy = highlighted(report, data)
    clean_to_qpdf(copy, tmp_path)
    assert texts(copy) == texts(data)


def test_a_damaged_table_of_places_is_mended(tmp_path):
    plain = made_reports.pdf()
    at = plain.rindex(b"startxref")
    report, data = about(plain[:at] + b"startxref\n7\n%%EOF\n")
    copy = highlighted(report, data)
    assert texts(copy) == texts(data)
    clean_to_qpdf(copy, tmp_path)


def test_another_number_of_pages_than_was_read_is_refused():
    report, data = changed()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        del pdf.pages[-1]
        out = io.BytesIO()
        pdf.save(out)
    with pytest.raises(UnmarkedDocument, match="damaged"):
        highlighted(report, out.getvalue())


@pytest.mark.parametrize("junk", [b"", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"\x00" * 500])
def test_bytes_that_are_no_pdf_are_refused(junk):
    report, _ = changed()
    with pytest.raises(UnmarkedDocument):
        highlighted(report, junk)


def locked(**allow):
    return changed(encryption=pikepdf.Encryption(owner="owner", user="", R=6, allow=pikepdf.Permissions(**allow)))


def test_encryption_with_an_empty_password_is_kept(tmp_path):
    report, data = locked(extract=False)
    copy = highlighted(report, data)
    clean_to_qpdf(copy, tmp_path)
    assert texts(copy) == texts(data) and by_pdfium(copy)
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        assert pdf.is_encrypted and not pdf.allow.extract and not pdf.owner_password_matched


def test_an_owner_who_forbids_notes_is_obeyed():
    report, data = locked(modify_annotation=False)
    with pytest.raises(UnmarkedDocument, match="does not allow notes") as refused:
        highlighted(report, data)
    assert refused.value.exit_code == 2 and "--html" in refused.value.remedy


def test_words_of_the_document_cannot_reorder_or_hide_a_note():
    report = made_reports.strategy()
    bad = "<script>alert(1)</script> \u202eevil\u202c \x00)\n/JS (app.alert(1)) /S /JavaScript \ud800"
    report = replace(report, products=tuple(replace(p, name=bad) for p in report.products))
    copy = highlighted(report, made_reports.pdf())
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        notes = [str(a.Contents) for page in pdf.pages for a in page.obj.get("/Annots", [])]
        assert any("<script>" in note for note in notes)  # as plain words
        assert not any(c in note for note in notes for c in "\u202e\u202c\x00")
        assert not any(isinstance(o, Dictionary) and {"/JS", "/A", "/AA"} & set(o.keys()) for o in pdf.objects)


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the made PDF and a text, in which the command finds the made report."""
    from claimscan import pipeline
    from claimscan.records import Population
    from claimscan.report import Report

    def check(source, *, settings=None):
        document = reading.read(source, settings)
        made = made_reports.strategy()
        return made if document.id == made.document.id else Report(document=document, population=Population())

    monkeypatch.setattr(pipeline, "check", check)
    (tmp_path / "strategy.pdf").write_bytes(made_reports.pdf())
    (tmp_path / "parks.txt").write_text("Our parks are open from dawn until dusk on every day of the week.\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_writes_a_copy(folder, capsysbinary):
    assert cli.main(["check", "strategy.pdf", "--pdf", "copy.pdf"]) == 0
    assert by_pdfium((folder / "copy.pdf").read_bytes())
    assert (folder / "strategy.pdf").read_bytes() == made_reports.pdf()
    assert b"Written: copy.pdf" in capsysbinary.readouterr().out
    assert cli.main(["check", "strategy.pdf", "--pdf", "-"]) == 0
    assert capsysbinary.readouterr().out == (folder / "copy.pdf").read_bytes()


def test_check_never_writes_over_a_document(folder, capsys):
    assert cli.main(["check", "strategy.pdf", "--pdf", "strategy.pdf"]) == 2
    assert cli.main(["check", "strategy.pdf", "--pdf", "."]) == 0
    assert by_pdfium((folder / "strategy-highlighted.pdf").read_bytes())
    marked = (folder / "strategy-highlighted.pdf").read_bytes()
    (folder / "other").mkdir()
    (folder / "other" / "strategy.pdf").write_bytes(made_reports.pdf())
    assert cli.main(["check", "other/strategy.pdf", "strategy-highlighted.pdf", "--pdf", ".", "--quiet"]) == 0
    assert (folder / "strategy-highlighted.pdf").read_bytes() == marked
    assert by_pdfium((folder / "strategy-highlighted-2.pdf").read_bytes())
    assert (folder / "strategy.pdf").read_bytes() == made_reports.pdf()


def test_a_document_that_is_no_pdf_is_refused_in_one_sentence(folder, capsys):
    assert cli.main(["check", "parks.txt", "--pdf", "copy.pdf", "--json", "out.json"]) == 2
    out, err = capsys.readouterr()
    assert err == (
        "claimscan: parks.txt is not a PDF, so there is no copy with highlights of it. "
        "Use --html, which shows each quote with what it says.\n"
    )
    assert not (folder / "copy.pdf").exists() and (folder / "out.json").exists()
    assert "copy.pdf" not in out


def test_among_several_only_pdfs_get_a_copy(folder, capsys):
    assert cli.main(["check", "strategy.pdf", "parks.txt", "--pdf", "copy.pdf"]) == 2
    assert "needs a folder" in capsys.readouterr().err
    assert cli.main(["check", "strategy.pdf", "parks.txt", "--pdf", "copies"]) == 1
    assert [p.name for p in (folder / "copies").iterdir()] == ["strategy-highlighted.pdf"]
    assert "parks.txt is not a PDF" in capsys.readouterr().err
