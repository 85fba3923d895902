"""Bad input: one clear sentence each, no traceback, no hang."""

import io
import os
import random
import time
import zipfile

import pytest
from reportlab.pdfgen import canvas

from claimscan import reading
from claimscan.errors import (
    ClaimscanError,
    DamagedDocument,
    EmptyDocument,
    EncryptedDocument,
    LimitExceeded,
    MissingDocument,
    NoTextFound,
    UnsupportedFormat,
)
from claimscan.records import Settings


def pdf(pages=1, size=(595, 842), words="The path along the river was drawn by the people who use it, page {}."):
    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer, pagesize=size)
    for number in range(1, pages + 1):
        sheet.drawString(72, size[1] - 100, words.format(number))
        sheet.showPage()
    sheet.save()
    return buffer.getvalue()


def encrypted(user, owner):
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf())))
    writer.encrypt(user, owner)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def refused(kind, data, name="plan.pdf", settings=None):
    start = time.monotonic()
    with pytest.raises(ClaimscanError) as caught:
        reading.read_bytes(data, name, settings)
    assert type(caught.value) is kind, repr(caught.value)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and name in message
    assert caught.value.remedy and caught.value.exit_code == 3
    assert time.monotonic() - start < 10
    return message


# --- files


def test_missing_file(tmp_path):
    with pytest.raises(MissingDocument, match="no file called"):
        reading.read(tmp_path / "none.pdf")
    with pytest.raises(MissingDocument):
        reading.read("no\x00name.pdf")


def test_folder(tmp_path):
    with pytest.raises(UnsupportedFormat, match="folder"):
        reading.read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdf")
    with pytest.raises(UnsupportedFormat):
        reading.read(tmp_path / "pipe.pdf")


def test_standard_input(monkeypatch):
    class Input:
        buffer = io.BytesIO(pdf())

    monkeypatch.setattr("sys.stdin", Input)
    document = reading.read("-")
    assert document.source == "standard input" and not document.warnings


@pytest.mark.parametrize("data", [b"", b"  \n\t ", b"\x00" * 400])
def test_empty(data):
    refused(EmptyDocument, data)


def test_larger_than_allowed(tmp_path):
    refused(LimitExceeded, pdf(), settings=Settings(max_bytes=100))
    (tmp_path / "plan.pdf").write_bytes(pdf())
    with pytest.raises(LimitExceeded):
        reading.read(tmp_path / "plan.pdf", Settings(max_bytes=100))


# --- the wrong kind


def test_wrong_suffix_is_read_with_a_warning():
    document = reading.read_bytes(pdf(), "plan.docx")
    assert document.format == "pdf" and [warning.code for warning in document.warnings] == ["suffix"]
    document = reading.read_bytes(b"Only words. They say that the path is wide.\n", "plan.pdf")
    assert document.format == "text" and [warning.code for warning in document.warnings] == ["suffix"]
    document = reading.read_bytes(b"<!DOCTYPE html><p>Only words.</p>", "plan.txt")
    assert document.format == "html" and [warning.code for warning in document.warnings] == ["suffix"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        b"\xff\xd8\xff\xe0" + b"\x00" * 100,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
        b"{\\rtf1 words}",
        b"\x7fELF" + bytes(range(256)),
        bytes(range(256)) * 8,
    ],
    ids=["png", "jpeg", "old office", "rtf", "program", "bytes"],
)
@pytest.mark.parametrize("name", ["plan.pdf", "plan.txt", "plan"])
def test_not_a_document(data, name):
    if name == "plan.txt" and data[:2] == b"\x00\x01":
        pytest.skip("a text file may hold anything; control characters are left out and warned about")
    refused(UnsupportedFormat, data, name)


# --- PDFs


def test_damaged():
    refused(DamagedDocument, b"%PDF-1.7\n" + b"nothing of the kind " * 50)
    assert "damaged" in refused(DamagedDocument, pdf()[:60])


def test_truncated_reads_what_is_left():
    data = pdf(30)
    document = reading.read_bytes(data[: len(data) * 3 // 4], "plan.pdf")
    assert "page 1." in document.text
    assert "truncated" in [warning.code for warning in document.warnings]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_truncated_anywhere_never_fails_badly(share):
    data = pdf(12)
    try:
        reading.read_bytes(data[: int(len(data) * share)], "plan.pdf")
    except ClaimscanError as error:
        assert str(error).endswith(".")


def test_bytes_overwritten_anywhere_never_fail_badly():
    data = pdf(4)
    for at in range(0, len(data), 97):
        broken = data[:at] + b"\xff\x00)>>" + data[at + 5 :]
        try:
            reading.read_bytes(broken, "plan.pdf")
        except ClaimscanError as error:
            assert str(error).endswith(".")


def test_password():
    assert "password" in refused(EncryptedDocument, encrypted("secret", "owner"))
    assert "river" in reading.read_bytes(encrypted("", "owner"), "plan.pdf").text


def test_only_pictures():
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer)
    for _ in range(2):
        sheet.drawImage(ImageReader(Image.new("RGB", (20, 20), "grey")), 0, 0, 500, 700)
        sheet.showPage()
    sheet.save()
    assert "picture" in refused(NoTextFound, buffer.getvalue())


def test_blank():
    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer)
    sheet.showPage()
    sheet.save()
    assert "blank" in refused(NoTextFound, buffer.getvalue())


def test_a_font_with_no_mapping_to_text():
    words = "".join(chr(0xE000 + number) for number in range(40))
    from claimscan.reading.tidying import is_unmapped

    assert is_unmapped(words) and is_unmapped("\ufffd\ufffd\ufffd a")
    assert not is_unmapped("Words \uf0b7 with a bullet of the Symbol font.")
    data = pdf(words="plain ascii words here").replace(b"/WinAnsiEncoding", b"/NoSuchEncoding1")
    assert reading.read_bytes(data, "plan.pdf").text  # a name nobody knows is not a reason to refuse


def test_more_pages_than_allowed():
    document = reading.read_bytes(pdf(5), "plan.pdf", Settings(max_pages=3))
    assert len(document.pages) == 5 and [bool(page.unread) for page in document.pages] == [False] * 3 + [True] * 2
    assert "too_many_pages" in [warning.code for warning in document.warnings]
    assert "page 3." in document.text and "page 4." not in document.text


@pytest.mark.slow
def test_two_thousand_pages():
    start = time.monotonic()
    document = reading.read_bytes(pdf(2000), "plan.pdf")
    assert len(document.pages) == 2000 and "page 2000." in document.text
    assert time.monotonic() - start < 30


def test_time_allowed():
    refused(NoTextFound, pdf(3), settings=Settings(max_seconds=-1.0))
    ticks = iter([0.0] * 3 + [100.0] * 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.monotonic", lambda: next(ticks))
        document = reading.read_bytes(pdf(9), "plan.pdf", Settings(max_seconds=50))
    assert not document.pages[0].unread and "ran out" in document.pages[-1].unread
    assert "time" in [warning.code for warning in document.warnings]


def test_a_page_with_absurdly_much_text_is_cut():
    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer, pageCompression=1)
    sheet.setFont("Helvetica", 1)
    for number in range(400):
        sheet.drawString(10, 10 + 2 * number, "word " * 100)
    sheet.showPage()
    sheet.save()
    document = reading.read_bytes(buffer.getvalue(), "plan.pdf", Settings(max_page_chars=20_000))
    assert len(document.text) <= 21_000
    assert [warning.code for warning in document.warnings] == ["page_cut"]


def test_an_enormous_page_is_never_drawn_at_full_size():
    document = reading.read_bytes(pdf(size=(14_000, 14_000)), "plan.pdf")
    image = reading.page_image(document, 1, 5.0)
    assert 10_000_000 < image.width * image.height <= 16_000_000


# --- Word files


def word(parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return buffer.getvalue()


def real_word():
    import docx

    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("The path was drawn by the people who use it.")
    document.save(buffer)
    return buffer.getvalue()


def test_zip_bomb():
    parts = {"word/document.xml": b"<w/>", **{f"word/media/{n}.bin": b"\x00" * 30_000_000 for n in range(14)}}
    start = time.monotonic()
    data = word(parts)
    built = time.monotonic() - start
    assert len(data) < 2_000_000
    assert "unpacks" in refused(LimitExceeded, data, "plan.docx")
    assert built < 60


def test_entities_are_refused():
    xml = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><w>&b;</w>'
    refused(DamagedDocument, word({"word/document.xml": xml}), "plan.docx")


def test_word_files_that_are_not():
    refused(UnsupportedFormat, word({"readme.txt": b"words"}), "plan.docx")
    refused(DamagedDocument, word({"word/document.xml": b"<w/>"}), "plan.docx")
    refused(DamagedDocument, b"PK\x03\x04word/" + b"\x01" * 300, "plan.docx")
    whole = word({"word/document.xml": random.Random(1).randbytes(2000), "word/styles.xml": b"<w/>"})
    refused(DamagedDocument, b"PK\x03\x04word/" + whole[500:], "plan.docx")  # its parts begin before the file does
    data = real_word()
    refused(DamagedDocument, data[: len(data) // 2], "plan.docx")
    assert reading.read_bytes(data, "plan.docx").text == "The path was drawn by the people who use it."


def test_word_bytes_overwritten_anywhere_never_fail_badly():
    data = real_word()
    for at in range(0, len(data), 401):
        try:
            reading.read_bytes(data[:at] + b"\xff\x00\xfe" + data[at + 3 :], "plan.docx")
        except ClaimscanError as error:
            assert str(error).endswith(".")


# --- text


def test_nul_and_control_characters_are_left_out():
    document = reading.read_bytes(b"The path\x00 is\x07 wide, and that is what people asked for.\n" * 3, "plan.txt")
    assert "The path is wide" in document.text
    assert [warning.code for warning in document.warnings] == ["control_characters"]


def test_deeply_nested_html():
    def nested(depth):
        return b"<!DOCTYPE html>" + b"<div>" * depth + b"words" + b"</div>" * depth

    assert reading.read_bytes(nested(2000), "plan.html").text == "words"
    start = time.monotonic()
    with pytest.raises(LimitExceeded, match="nested"):
        reading.read_bytes(nested(500_000), "plan.html")
    assert time.monotonic() - start < 5
    many = b"<!DOCTYPE html><table>" + b"<tr><td>word<p>word" * 6000 + b"</table>"  # never closed, and never deep
    assert reading.read_bytes(many, "plan.html").text.count("word") == 12_000


def test_deeply_nested_markdown():
    try:
        assert "words" in reading.read_bytes(b"> " * 3000 + b"words", "plan.md").text
    except ClaimscanError as error:
        assert str(error).endswith(".")


def test_html_with_no_words():
    refused(NoTextFound, b"<!DOCTYPE html><html><body><script>go()</script></body></html>", "plan.html")
