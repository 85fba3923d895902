"""The local page without a browser: what it shows, and above all what it refuses."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("starlette")
from starlette.testclient import TestClient  # noqa: E402

from claimscan.batch.work import Bounds  # noqa: E402
from claimscan.errors import MemoryExceeded, TimeExceeded, WorkerDied  # noqa: E402
from claimscan.web import guard, private_folder, running, taking, worker  # noqa: E402
from claimscan.web.app import application  # noqa: E402
from claimscan.web.guard import Keys  # noqa: E402
from claimscan.web.shelf import MOST_DOCUMENTS, Shelf  # noqa: E402

ROOT = Path(__file__).parent.parent
PDF = ROOT / "corpus/pdf/seed-parents-wrote.designed.pdf"
PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
PLAN = (
    b"Northmoor Plan\n\nThis plan was co-produced with unpaid carers. Twelve carers met us every month and wrote it.\n"
)


class Page:
    """A person's browser, and the server behind it."""

    def __init__(self, shelf, keys, most=guard.MOST_BYTES):
        self.shelf, self.keys = shelf, keys
        self.stopped = []
        self.app = application(shelf, keys, PORT, stop=lambda: self.stopped.append(True), most=most)
        self.client = TestClient(self.app, base_url=HOME, client=("127.0.0.1", 50000))
        self.client.headers["sec-fetch-site"] = "same-origin"
        self.client.get(f"/open/{keys.address}")

    def get(self, address, **more):
        return self.client.get(address, **more)

    def post(self, address, data=None, follow=True, **more):
        return self.client.post(
            address, data={"token": self.keys.form, **(data or {})}, follow_redirects=follow, **more
        )

    def take(self, *files, **data):
        return self.post("/documents", data, files=[("files", file) for file in files], follow=False)

    def read(self, data=PLAN, name="plan.txt"):
        """The id of a document that is read."""
        answer = self.take((name, data))
        assert answer.status_code == 303, answer.text
        id = answer.headers["location"].rpartition("/")[2]
        assert self.shelf.get(id).ready.wait(90)
        return id


@pytest.fixture(scope="module")
def reader():
    reader = worker.Reader()
    reader.start()
    yield reader
    reader.stop()


@pytest.fixture
def page(reader, tmp_path, monkeypatch):
    shelf = Shelf(reader, tmp_path / "kept")
    yield Page(shelf, Keys())
    monkeypatch.setattr(reader, "stop", lambda: None)
    shelf.close()


@pytest.fixture(scope="module")
def shared(reader, tmp_path_factory):
    """A page with the seed's strategy and a plan read, for tests that change nothing."""
    page = Page(Shelf(reader, tmp_path_factory.mktemp("kept")), Keys())
    page.plan = page.read()
    page.pdf = page.read(PDF.read_bytes(), "strategy.pdf")
    return page


def words(answer):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.text)))


# --- who is let in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8765", "", "[::1]"],
)
def test_another_name_for_this_computer_is_refused(shared, host):
    answer = shared.get("/", headers={"host": host})
    assert answer.status_code == 403 and "<html" not in answer.text


def test_two_hosts_are_refused(shared):
    request = shared.client.build_request("GET", "/")
    request.headers = type(request.headers)([*request.headers.raw, (b"Host", b"evil.example")])
    assert shared.client.send(request).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": ""},
    ],
)
def test_a_post_from_elsewhere_does_nothing(shared, headers):
    before = len(shared.shelf.all())
    answer = shared.post("/documents", {"text": "This plan was co-produced."}, headers=headers, follow=False)
    assert answer.status_code == 403 and len(shared.shelf.all()) == before


@pytest.mark.parametrize("origin", [HOME, "null"])
def test_a_post_from_the_page_is_taken(page, origin):
    answer = page.post("/documents", {"text": "Some words."}, headers={"origin": origin}, follow=False)
    assert answer.status_code == 303


@pytest.mark.parametrize("address", ["/", "/documents", "/d/x/progress", "/history"])
def test_no_other_site_can_fetch_or_embed_a_page(shared, address):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert shared.get(address, headers=headers).status_code == 403


def test_every_form_has_the_token_and_none_works_without(page):
    id = page.read()
    other = page.read()
    for address in (
        "/",
        f"/d/{id}",
        "/documents",
        f"/compare?before={id}&after={other}",
        f"/d/{id}/letter?write=1&kind=foi",
        f"/d/{id}/add",
    ):
        text = page.get(address).text
        for form in re.findall(r"<form method=\"post\".*?</form>", text, re.S):
            assert f'name="token" value="{page.keys.form}"' in form, (address, form)
    posts = [r.path for r in page.app.app.app.routes if "POST" in (getattr(r, "methods", None) or ())]
    assert len(posts) >= 12
    for path in posts:
        path = path.replace("{id}", id).replace("{kept}", "A" * 22)
        for token in ("", "x" * 32, "ü"):
            answer = page.client.post(path, data={"token": token}, follow_redirects=False)
            assert answer.status_code == 400 and "started again" in answer.text, (path, token)
    assert page.shelf.get(id) is not None and not page.stopped


def test_without_the_key_of_the_address_nothing_is_shown(shared):
    stranger = TestClient(shared.app, base_url=HOME, client=("127.0.0.1", 50001))
    for address in ("/", "/documents", f"/d/{shared.plan}", "/history", "/open/wrong", "/open/"):
        answer = stranger.get(address)
        assert answer.status_code == 403 and shared.keys.form not in answer.text
    stranger.cookies.set(f"claimscan-{PORT}", "wrong")
    assert stranger.get("/").status_code == 403
    answer = stranger.get(f"/open/{shared.keys.address}", follow_redirects=False)
    assert answer.status_code == 303 and re.search("HttpOnly.*SameSite=strict", answer.headers["set-cookie"])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(shared, method):
    assert shared.client.request(method, "/").status_code == 405


def test_every_answer_has_the_strict_headers(shared):
    addresses = [
        "/",
        "/assets/page.css",
        "/assets/page.js",
        "/assets/../x",
        f"/d/{shared.pdf}",
        "/nothing",
        "/documents",
    ]
    for answer in [*map(shared.get, addresses), shared.get("/", headers={"host": "evil.example"})]:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
        assert "unsafe" not in policy and "form-action 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers


def test_no_page_has_a_script_or_style_of_its_own(shared):
    for address in (
        "/",
        f"/d/{shared.pdf}",
        f"/d/{shared.pdf}/page/2",
        "/documents",
        "/history",
        f"/d/{shared.pdf}/add",
        f"/compare?before={shared.plan}&after={shared.pdf}",
    ):
        text = shared.get(address).text
        assert re.findall(r"<script[^>]*>", text) == ['<script src="/assets/page.js" defer>']
        assert "<style" not in text and not re.search(r"<[^>]+\s(style|on[a-z]+)=", text)
        assert not re.search(r'(src|href|action)="(https?:)?//', text)


def test_the_server_listens_on_this_computer_only():
    made = running._listening(None)
    assert made.getsockname()[0] == "127.0.0.1"
    made.close()


# --- what is taken in -----------------------------------------------------------------------------------------------


def test_more_bytes_than_allowed_are_refused_while_they_come(reader, tmp_path):
    page = Page(Shelf(reader, tmp_path), Keys(), most=50_000)
    answer = page.take(("big.txt", b"x" * 60_000))
    assert answer.status_code == 413 and "at once" in words(answer) and not page.shelf.all()

    def unannounced():  # no length is said beforehand
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        for _ in range(20):
            yield b"y" * 10_000

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = page.client.post("/documents", content=unannounced(), headers=headers)
    assert answer.status_code == 413 and not page.shelf.all()


def test_too_many_documents_are_refused(page):
    answer = page.take(*[(f"{n}.txt", b"words") for n in range(taking.MOST_FILES + 1)])
    assert answer.status_code == 400 and not page.shelf.all()
    for _ in range(MOST_DOCUMENTS // 10):
        assert page.take(*[(f"{n}.txt", b"words") for n in range(10)]).status_code == 303
    answer = page.take(("one-more.txt", b"words"))
    assert answer.status_code == 400 and "already" in words(answer)
    assert len(page.shelf.all()) == MOST_DOCUMENTS


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", b"\xff\xfe"])
def test_a_broken_form_is_a_sentence(shared, body):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = shared.client.post("/documents", content=body, headers=headers)
    assert answer.status_code == 400 and "Traceback" not in answer.text and "<h1>" in answer.text


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "C:\\x\\..\\secret.txt", "/etc/shadow", "..", ".", "a\x00b.txt", "<b>x</b>.txt", "x" * 500],
)
def test_a_name_is_never_a_path(page, name):
    id = page.read(PLAN, name)
    held = page.shelf.get(id)
    assert held.path.parent == page.shelf.folder and held.path.name == id
    assert {p.name.partition(".")[0] for p in page.shelf.folder.iterdir()} == {id, private_folder.LOCK}
    assert "/" not in held.name and "\\" not in held.name and len(held.name) <= 120
    assert "<b>x" not in page.get(f"/d/{id}").text


def test_ids_cannot_be_guessed(page):
    ids = {page.shelf.get(page.read()).id for _ in range(2)}
    assert len(ids) == 2 and all(re.fullmatch(r"[\w-]{22}", id) for id in ids)
    for id in ("x", "%2e%2e%2fx", "A" * 22):
        assert page.get(f"/d/{id}").status_code == 404


def test_the_private_folder_is_private_and_goes(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "stop", lambda: None)
    page = Page(Shelf(reader, tmp_path), Keys())
    id = page.read()
    assert stat.S_IMODE(page.shelf.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(page.shelf.get(id).path.stat().st_mode) == 0o600
    page.shelf.close()
    assert not page.shelf.folder.exists()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A temporary folder of one test's own."""
    monkeypatch.setattr(private_folder.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _left(temporary, name=private_folder.PREFIX + "x", seconds=3600, mode=0o700):
    """A folder as a killed run leaves it."""
    folder = temporary / name
    folder.mkdir(mode=mode)
    os.chmod(folder, mode)
    (folder / "document").write_text("private")
    (folder / "lock").touch()
    os.utime(folder / "lock", (time.time() - seconds,) * 2)
    return folder


def test_what_a_dead_run_left_is_removed_and_nothing_else(temporary):
    dead = _left(temporary)
    live = private_folder.PrivateFolder()
    os.utime(live.path / "lock", (0, 0))
    young = _left(temporary, private_folder.PREFIX + "y", seconds=5)
    shared = _left(temporary, private_folder.PREFIX + "z", mode=0o755)
    other = _left(temporary, "claimscan-other")
    elsewhere = _left(temporary, "elsewhere")
    (temporary / (private_folder.PREFIX + "link")).symlink_to(elsewhere)
    bare = temporary / (private_folder.PREFIX + "bare")
    bare.mkdir(mode=0o700)
    (temporary / (private_folder.PREFIX + "file")).touch()
    assert private_folder.remove_leftovers() == [dead]
    assert not dead.exists()
    for kept in (young, shared, other, elsewhere):
        assert (kept / "document").exists()
    assert live.path.exists() and bare.exists() and (temporary / (private_folder.PREFIX + "file")).exists()
    live.close()
    assert not live.path.exists()


def test_a_folder_of_another_user_is_left_alone(temporary, monkeypatch):
    folder = _left(temporary)
    monkeypatch.setattr(private_folder.os, "getuid", lambda: os.stat(folder).st_uid + 1)
    assert private_folder.remove_leftovers() == [] and folder.exists()


def test_two_that_clean_up_at_once_do_not_fall_over_each_other(temporary):
    from concurrent.futures import ThreadPoolExecutor

    for n in range(20):
        _left(temporary, f"{private_folder.PREFIX}{n}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: private_folder.remove_leftovers(), range(4)))
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    "name, data, said",
    [
        ("empty.pdf", b"", "is empty"),
        ("broken.pdf", b"%PDF-1.7\nnothing", "damaged"),
        ("picture.pdf", b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"),
        ("program.txt", b"MZ\x90\x00" + bytes(range(256)), "program"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Word"),
    ],
)
def test_what_cannot_be_read_is_said_with_a_remedy(page, name, data, said):
    id = page.read(data, name)
    answer = page.get(f"/d/{id}")
    assert said in words(answer) and "Traceback" not in answer.text and "This could not be read" in words(answer)
    assert page.shelf.get(id).error.remedy in words(answer)
    assert page.get(f"/d/{id}/get/json").status_code == 404


def test_nothing_chosen_is_said(page):
    answer = page.post("/documents", {"text": " "})
    assert answer.status_code == 400 and "did not choose" in words(answer)


# --- what a document says stays text --------------------------------------------------------------------------------

HOSTILE = (
    'This plan was co-produced with carers <script>alert(1)</script> and "><img src=x onerror=alert(2)> people {{7*7}}. '
    "Twelve carers <svg/onload=alert(3)> wrote it &lt;b&gt; together.\n"
)


@pytest.mark.parametrize("kind", ["text", "html", "title", "pdf"])
def test_script_and_markup_in_a_document_stay_text(page, kind):
    if kind == "text":
        id = page.read(HOSTILE.encode(), "<img src=x onerror=alert(9)>.txt")
    elif kind == "html":
        from html import escape

        id = page.read(
            f"<html><body><script>alert(1)</script><p>{escape(HOSTILE)}</p></body></html>".encode(), "a.html"
        )
    elif kind == "title":
        id = page.read(
            (
                "<html><head><title>&lt;script&gt;alert(1)&lt;/script&gt;</title></head><body><p>Our plan was co-produced "
                "with carers. Carers wrote it.</p></body></html>"
            ).encode(),
            "a.html",
        )
    else:
        canvas = pytest.importorskip("reportlab.pdfgen.canvas")
        import io

        out = io.BytesIO()
        made = canvas.Canvas(out)
        made.setTitle("<script>alert(1)</script>")
        for n, line in enumerate(re.findall(".{1,70}(?: |$)", HOSTILE)):
            made.drawString(50, 700 - 20 * n, line)
        made.save()
        id = page.read(out.getvalue(), "a.pdf")
    items = page.shelf.get(id).made.report
    ids = ",".join(i.id for i in (*items.mentions, *items.evidence))
    plan = page.read()
    assert ids
    for address in (
        f"/d/{id}", "/documents", f"/d/{id}/page/1?mark={ids}", f"/d/{id}/correct?items={ids}", f"/d/{id}/add",
        f"/d/{id}/letter?write=1&kind=foi", f"/d/{id}/get/html", f"/compare?before={id}&after={plan}",
    ):  # fmt: skip
        text = page.get(address).text
        tags = Tags()
        tags.feed(text)
        assert tags.seen <= OURS, (address, tags.seen - OURS)
        assert not tags.handlers and "49" not in re.findall(r"people (\d+)", text), address


class Tags(HTMLParser):
    """The elements of a page, and any attribute that runs script."""

    def __init__(self):
        super().__init__()
        self.seen, self.handlers = set(), []

    def handle_starttag(self, tag, attrs):
        if tag == "script" and dict(attrs) != {"src": "/assets/page.js", "defer": None}:
            tag = "script of another"
        if tag == "img" and not re.match("data:image/|/d/", dict(attrs).get("src") or ""):
            tag = "picture of another"
        self.seen.add(tag)
        self.handlers += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


OURS = set(
    "html head meta title link script style body a header nav ul li main p h1 h2 h3 h4 section figure figcaption blockquote "
    "img div ol span strong dl dt dd details summary code form input button footer q br table caption thead tr th tbody td "
    "mark label select option optgroup fieldset legend textarea".split()
)


@pytest.mark.parametrize(
    "name",
    [
        'a"; filename="evil.exe',
        "a\r\nSet-Cookie: x=1.pdf",
        "Strategaeth Ŵyl.pdf",
        "..pdf",
        "%2e%2e%2f.pdf",
        "\u202efdp.exe",
    ],
)
def test_downloads_have_safe_names(name):
    value = taking.attachment(taking.shown_name(name), ".finding.html")
    found = re.fullmatch(
        r"attachment; filename=\"([A-Za-z0-9 _-]+\.finding\.html)\"; filename\*=UTF-8''([\w.%~-]+)", value
    )
    assert found and value.isascii(), value


# --- the task -------------------------------------------------------------------------------------------------------


def test_the_finding_is_that_of_the_command_line(shared):
    import claimscan

    report = claimscan.check(PDF)
    answer = shared.get(f"/d/{shared.pdf}")
    for product in report.products:
        assert report.findings[product.id].label in words(answer)
    assert "data:image/" in answer.text and f"/d/{shared.pdf}/page/" in answer.text
    mine, theirs = json.loads(shared.get(f"/d/{shared.pdf}/get/json").text), report.to_dict()
    mine["document"].pop("source"), theirs["document"].pop("source")
    assert mine == json.loads(json.dumps(theirs))


def test_the_quotes_lead_to_their_pages(shared):
    text = shared.get(f"/d/{shared.pdf}").text
    links = re.findall(r'class="place" href="([^"]+)"', text)
    assert links
    answer = shared.get(unescape(links[0]))
    assert "<mark>" in answer.text and "Outlined on this page" in answer.text
    picture = re.search(r'src="(/d/[^"]+\.png[^"]*)"', answer.text)
    drawn = shared.get(unescape(picture[1]))
    assert drawn.headers["content-type"] == "image/png" and drawn.content.startswith(b"\x89PNG")
    plain = shared.get(unescape(picture[1]).partition("?")[0])
    assert plain.content != drawn.content
    for number in ("0", "999"):
        assert shared.get(f"/d/{shared.pdf}/page/{number}").status_code == 404
    assert shared.get(f"/d/{shared.plan}/page/1.png").status_code == 404


@pytest.mark.parametrize(
    "kind, start", [("json", b"{"), ("csv", b"\xef\xbb\xbfsource"), ("html", b"<!DOCTYPE"), ("pdf", b"%PDF")]
)
def test_copies_can_be_saved(shared, kind, start):
    answer = shared.get(f"/d/{shared.pdf}/get/{kind}")
    assert answer.status_code == 200 and answer.content.startswith(start)
    assert answer.headers["content-disposition"].startswith('attachment; filename="strategy.')
    assert shared.get(f"/d/{shared.plan}/get/pdf").status_code == 404
    assert shared.get(f"/d/{shared.pdf}/get/exe").status_code == 404


def test_several_stand_side_by_side(shared):
    text = words(shared.get("/documents"))
    assert "side by side" in text and "plan.txt" in text and "strategy.pdf" in text and "of 6" in text


def test_two_versions_are_compared_and_can_be_swapped(page):
    old = page.read(PLAN, "plan.txt")
    assert "Compare two versions" not in page.get("/documents").text  # not with one
    new = page.read(
        PLAN.replace(b"Twelve carers", b"Nine carers") + b"\nCarers were paid for each meeting.\n", "plan.txt"
    )
    chosen = page.get("/documents").text
    assert re.findall(r'<option value="(.{22})" selected>plan\.txt \(number (\d)\)', chosen) == [(old, "1"), (new, "2")]
    answer = page.get("/compare", params={"before": old, "after": new})
    text = words(answer)
    assert answer.status_code == 200 and "Now: how many: 9 authors. Before: how many: 12 authors." in text
    assert "Now also in the document “Carers were paid for each meeting.”" in text
    assert re.findall("<mark>(.*?)</mark>", answer.text)[:2] == ["Twelve", "Nine"]
    swap = unescape(re.search(r'href="(/compare\?[^"]+)">Take', answer.text)[1])
    text = words(page.get(swap))
    assert "Now: how many: 12 authors. Before: how many: 9 authors." in text and "No longer in the document" in text
    asked = {"before": old, "after": new}
    table = page.get("/compare/get/csv", params=asked)
    assert "attachment" in table.headers["content-disposition"] and "Carers were paid for each meeting." in table.text
    assert page.get("/compare/get/json", params=asked).json()["schema"] == "claimscan/comparison/1"
    assert page.get("/compare/get/exe", params=asked).status_code == 404


def test_what_cannot_be_compared_is_said(page):
    one = page.read()
    answer = page.get("/compare", params={"before": one, "after": one})
    assert answer.status_code == 400 and "the same document two times" in words(answer)
    assert page.get("/compare/get/csv", params={"before": one, "after": one}).status_code == 404
    unread = page.read(b"", "empty.pdf")
    for other in (unread, "A" * 22, "../x", ""):
        assert page.get("/compare", params={"before": one, "after": other}).status_code == 404
    assert unread not in page.get("/documents").text.partition("Compare two versions")[2]


def test_a_comparison_with_a_finding_changed_by_hand_says_so(page):
    one, other = page.read(), page.read()
    item = page.shelf.get(other).made.report.evidence[0].id
    page.post(f"/d/{other}/correct", {"items": item, "item": item, "do": "wrong"})
    text = words(page.get("/compare", params={"before": one, "after": other}))
    assert "changed one or both of these findings by hand" in text
    assert "every difference comes from what was changed by hand" in text and "different rules" not in text


def test_a_reading_can_be_stopped(page):
    long = b"This plan was co-produced with carers, and twelve carers wrote a page of it in May.\n\n" * 4000
    answer = page.take(("long.txt", long))
    address = answer.headers["location"]
    shown = page.get(address)
    assert 'role="progressbar"' in shown.text and "See whether it is ready" in words(shown)
    answer = page.post(address + "/cancel")
    assert "you stopped it" in words(answer)
    assert "This plan" in page.shelf.get(page.read()).made.report.text  # and the next one is read


# --- correcting -----------------------------------------------------------------------------------------------------


def grade(page, id):
    report = page.shelf.get(id).made.report
    return [report.findings[p.id].grade for p in report.products]


def test_a_finding_is_corrected_said_undone_exported_and_taken_in(page):
    id = page.read()
    report = page.shelf.get(id).made.report
    before = grade(page, id)
    items = ",".join(e.id for e in report.evidence)
    form = page.get(f"/d/{id}/correct?items={items}")
    assert "Is this wrong?" in form.text and "Who wrote it" in words(form) and "take them all out" in words(form)
    first = report.evidence[0].id
    page.post(f"/d/{id}/correct", {"items": items, "do": "none"})
    page.post(f"/d/{id}/undo", {"which": "all"})
    assert grade(page, id) == before
    answer = page.post(f"/d/{id}/correct", {"items": first, "item": first, "do": "wrong", "note": "The staff wrote it"})
    assert "Changed by hand" in answer.text and "The staff wrote it" in words(answer)
    assert first not in {e.id for e in page.shelf.get(id).made.report.evidence}
    page.post(f"/d/{id}/undo", {"which": "all"})
    page.post(f"/d/{id}/correct", {"items": items, "do": "none"})
    assert grade(page, id) != before
    changed = grade(page, id)
    exported = page.get(f"/d/{id}/get/corrections").content
    assert b"claimscan/corrections/1" in exported
    for undo in re.findall(r'name="which" value="([\w,]{16,})"', page.get(f"/d/{id}").text):
        answer = page.post(f"/d/{id}/undo", {"which": undo})
    assert grade(page, id) == before and "All changes are undone" in answer.text
    answer = page.post(f"/d/{id}/corrections", files=[("files", ("c.json", exported))])
    assert grade(page, id) == changed and "Changed by hand" in answer.text
    assert "corrections" in json.loads(page.get(f"/d/{id}/get/json").text)


def test_a_use_of_the_word_is_read_another_way_and_words_are_added(page):
    id = page.read()
    mention = page.shelf.get(id).made.report.mentions[0]
    page.post(
        f"/d/{id}/correct",
        {"items": mention.id, "item": mention.id, "do": "change", "type": "PRINCIPLE", "scope": "whole"},
    )
    assert page.shelf.get(id).made.report.mentions[0].type == "PRINCIPLE"
    page.post(f"/d/{id}/undo", {"which": "all"})
    product = page.shelf.get(id).made.report.products[0].id
    fields = {"product": product, "reading": "payment|paid", "quote": "met us every month", "page": "", "who": ""}
    known = {x for x in re.findall(r'value="(payment\|\w+)"', page.get(f"/d/{id}/add").text)}
    fields["reading"] = sorted(known)[0]
    answer = page.post(f"/d/{id}/add", fields)
    assert "Changed by hand" in answer.text and any(
        e.slot == "payment" for e in page.shelf.get(id).made.report.evidence
    )
    answer = page.post(f"/d/{id}/add", {**fields, "quote": "words that are nowhere in it"})
    assert answer.status_code == 400 and "not in the document" in words(answer) and "nowhere in it" in answer.text
    answer = page.post(f"/d/{id}/add", {**fields, "page": "two"})
    assert answer.status_code == 400 and "number" in words(answer)


CROWD = b"Harbour Plan\n\nThis plan was co-produced with unpaid carers. Some carers met us every month and wrote it.\n"


def _count(page, id):
    return next(e for e in page.shelf.get(id).made.report.evidence if e.slot == "count")


def test_the_numbers_of_a_how_many_are_changed_and_count_at_once(page):
    id = page.read(CROWD)
    item = _count(page, id)
    assert item.value == "vague"
    form = page.get(f"/d/{id}/correct?items={item.id}").text
    assert 'name="le_n" value=""' in form and '<option value="participants"' in form
    change = {"items": item.id, "item": item.id, "do": "change", "reading": "count|exact", "who": item.who}
    answer = page.post(f"/d/{id}/correct", {**change, "le_n": "1", "total_n": "1,200", "unit": "members"})
    assert "1 out of 1,200 members, before as how many: no number given" in words(answer)
    report = page.shelf.get(id).made.report
    finding = report.findings[report.products[0].id]
    assert finding.slots["count"] == {"le_n": 1, "total_n": 1200, "kind": "exact", "unit": "members"}
    codes = {flag.code for flag in finding.flags}
    assert "single-contributor" in codes and "vague-numbers" not in codes
    form = page.get(f"/d/{id}/correct?items={item.id}").text
    assert 'name="le_n" value="1"' in form and 'name="total_n" value="1200"' in form
    assert re.search('<option value="members" selected>', form)
    # numbers that were left as they came do not stand in the way of another choice
    left = {"le_n": "1", "total_n": "1200", "unit": "members"}
    page.post(f"/d/{id}/correct", {**change, **left, "reading": "count|vague"})
    assert dict(_count(page, id).detail) == {"le_n": None, "total_n": None, "kind": "vague", "unit": "members"}
    page.post(f"/d/{id}/correct", {**change, "reading": "count|range", "low": "5", "high": "9", "unit": "participants"})
    assert "5 to 9 people" in words(page.get(f"/d/{id}"))
    page.post(f"/d/{id}/undo", {"which": "all"})
    assert _count(page, id).value == "vague"


@pytest.mark.parametrize(
    "reading, numbers, said",
    [
        ("count|exact", {}, "did not say how many"),
        ("count|exact", {"le_n": "a few"}, "not a number"),
        ("count|exact", {"le_n": "-3"}, "not a number"),
        ("count|exact", {"le_n": "9" * 15}, "not a number"),
        ("count|exact", {"le_n": "²"}, "not a number"),
        ("count|exact", {"le_n": "9", "total_n": "3"}, "more people with lived experience than people in all"),
        ("count|exact", {"le_n": "9", "low": "3"}, "from one number to another"),
        ("count|range", {"low": "9"}, "lower and the higher"),
        ("count|range", {"low": "9", "high": "3"}, "lower number is higher"),
        ("count|vague", {"le_n": "9"}, "chose that there is none"),
        ("payment|paid", {"le_n": "9"}, "did not choose “how many”"),
        ("count|exact", {"le_n": "9", "unit": "cats"}, "cats"),
    ],
)
def test_numbers_that_do_not_fit_are_a_sentence_and_stay_in_the_form(page, reading, numbers, said):
    id = page.read(CROWD)
    item = _count(page, id)
    change = {
        "items": item.id,
        "item": item.id,
        "do": "change",
        "reading": reading,
        "unit": "members",
        "note": "page two",
    }
    answer = page.post(f"/d/{id}/correct", {**change, **numbers})
    assert answer.status_code == 400 and said in words(answer)
    for name in set(numbers) - {"unit"}:
        assert f'name="{name}" value="{numbers[name][:20]}"' in answer.text
    assert f'<option value="{reading}" selected>' in answer.text and 'value="page two"' in answer.text
    product = page.shelf.get(id).made.report.products[0].id
    answer = page.post(f"/d/{id}/add", {**change, **numbers, "product": product, "quote": "Some carers"})
    assert answer.status_code == 400 and said in words(answer)
    assert page.shelf.get(id).made.report.as_read is None


def test_a_number_is_added_where_none_was_seen(page):
    id = page.read(CROWD + b"\nOur forum has nine carers among its forty people.\n")
    product = page.shelf.get(id).made.report.products[0].id
    fields = {"product": product, "reading": "count|exact", "quote": "nine carers among its forty people", "who": "le"}
    answer = page.post(f"/d/{id}/add", {**fields, "le_n": "9", "total_n": "40", "unit": "members"})
    assert "9 out of 40 members" in words(answer)
    assert page.shelf.get(id).made.report.findings[product].slots["count"]["total_n"] == 40


def test_words_are_moved_to_a_new_thing_that_the_person_names(page):
    id = page.read()
    report = page.shelf.get(id).made.report
    product, items = report.products[0].id, [e.id for e in report.evidence if e.product == report.products[0].id]
    before = grade(page, id)
    move = {"items": ",".join(items), "do": "move", "came": product, "product": product}
    answer = page.post(f"/d/{id}/correct", {**move, "thing": " The  <b>Carers'</b> Guide "})
    report = page.shelf.get(id).made.report
    new = next(p for p in report.products if p.id != product)
    assert new.name == "The <b>Carers'</b> Guide" and report.findings[new.id].grade == before[0]
    assert report.findings[product].grade == "N0"
    assert "now about “The <b>Carers'</b> Guide”" in unescape(answer.text) and "<b>" not in answer.text
    undo = re.findall('name="which" value="([^"]+)"', answer.text)
    assert len(undo) == 3 and len(undo[1].split(",")) == 8  # the readings of a sentence at once, and all
    for which in undo[:2]:
        page.post(f"/d/{id}/undo", {"which": which})
    assert grade(page, id) == before
    # one reading alone, and the name chosen in the list
    paid = page.read(PLAN + b"\nThe guide's authors were paid.\n")
    item = next(e.id for e in page.shelf.get(paid).made.report.evidence if e.slot == "payment")
    came = page.shelf.get(paid).made.report.products[0].id
    alone = {"items": item, "item": item, "do": "move", "came": came, "product": "new", "thing": "The Guide"}
    answer = page.post(f"/d/{paid}/correct", alone)
    assert "“The Guide” is not graded." in words(answer)  # that somebody was paid says nothing of who took part


@pytest.mark.parametrize(
    "given, said",
    [({"product": "new"}, "no name yet"), ({"product": "other", "thing": "The Guide"}, "gave a name too")],
)
def test_a_thing_that_is_not_clear_is_asked_for(page, given, said):
    id = page.read()
    report = page.shelf.get(id).made.report
    items = ",".join(e.id for e in report.evidence)
    move = {"items": items, "do": "move", "came": report.products[0].id, **given}
    for one in ({}, {"item": report.evidence[0].id}):
        answer = page.post(f"/d/{id}/correct", {**move, **one})
        assert answer.status_code == 400 and said in words(answer)
        assert given.get("thing", "") == "" or 'value="The Guide"' in answer.text
    answer = page.post(f"/d/{id}/add", {**move, "reading": "payment|paid", "quote": "Twelve carers"})
    assert answer.status_code == 400 and said in words(answer)
    assert page.shelf.get(id).made.report.as_read is None


def test_something_is_added_where_nothing_was_found(page):
    id = page.read(b"Harbour Notes\n\nThanks to the sixteen neighbours for the tea.\n")
    assert not page.shelf.get(id).made.report.products
    assert f'href="/d/{id}/add"' in page.get(f"/d/{id}").text
    fields = {"product": "new", "came": "new", "thing": "The leaflet", "reading": "contributors|public"}
    page.post(f"/d/{id}/add", {**fields, "quote": "the sixteen neighbours"})
    assert [p.name for p in page.shelf.get(id).made.report.products] == ["The leaflet"]


@pytest.mark.parametrize(
    "data", [{"do": "wrong", "item": "e999"}, {"do": "explode"}, {}, {"do": "change", "reading": "x|y"}]
)
def test_a_correction_that_cannot_be_is_a_sentence(page, data):
    id = page.read()
    item = page.shelf.get(id).made.report.evidence[0].id
    answer = page.post(f"/d/{id}/correct", {"items": item, "item": item, **data})
    assert answer.status_code == 400 and "Traceback" not in answer.text


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff" * 50, b'{"schema": "other"}'])
def test_corrections_that_are_none_are_a_sentence(page, data):
    id = page.read()
    answer = page.post(f"/d/{id}/corrections", files=[("files", ("c.json", data))])
    assert answer.status_code == 400 and "not taken in" in words(answer) and "Traceback" not in answer.text


# --- letters --------------------------------------------------------------------------------------------------------


def test_a_letter_is_chosen_changed_and_saved(shared):
    answer = shared.get(f"/d/{shared.pdf}/letter")
    assert "What kind of letter" in answer.text
    answer = shared.get(f"/d/{shared.pdf}/letter?write=1&kind=foi&nation=scotland")
    letter = unescape(re.search(r'<textarea id="text"[^>]*>\n?(.*?)</textarea>', answer.text, re.S)[1])
    assert "Scotland" in letter and letter.count("\n") > 8
    assert answer.text.count('name="pick"') >= answer.text.count(" checked>") - 3
    changed = letter + "\nI would be glad of an answer by post.\n"
    fields = {"title": "About the strategy", "text": changed, "kind": "foi", "language": "en"}
    saved = shared.post(f"/d/{shared.pdf}/letter", {**fields, "do": "text"})
    assert "by post" in saved.content.decode("utf-8-sig") and ".letter.txt" in saved.headers["content-disposition"]
    import io

    import docx

    saved = shared.post(f"/d/{shared.pdf}/letter", {**fields, "do": "docx"})
    assert any("by post" in p.text for p in docx.Document(io.BytesIO(saved.content)).paragraphs)
    one = shared.get(f"/d/{shared.pdf}/letter?write=1&kind=foi&picked=1&pick=2")
    assert "1. " in one.text and "2. " not in re.search(r'<textarea id="text".*?</textarea>', one.text, re.S)[0]
    seven = shared.get(f"/d/{shared.pdf}/letter?write=1&picked=1" + "".join(f"&pick={n}" for n in range(1, 8)))
    assert seven.status_code == 400 and "6 things at most" in words(seven)
    none = shared.get(f"/d/{shared.pdf}/letter?write=1&picked=1")
    assert none.status_code == 400 and "at least one" in words(none)


def test_the_warning_comes_before_the_link_and_no_name_is_guessed(shared):
    fields = {
        "title": "About the strategy",
        "text": "Dear X,\n\nPlease send it.\n",
        "kind": "foi",
        "language": "en",
        "do": "link",
    }
    answer = shared.post(f"/d/{shared.pdf}/letter", {**fields, "body": "northmoor_council"})
    text = answer.text
    assert text.index("Read this first") < text.index("https://www.whatdotheyknow.com/new/northmoor_council?")
    assert "public website" in words(answer)
    for body in ("", "https://evil.example/", "../x", "a b"):
        answer = shared.post(f"/d/{shared.pdf}/letter", {**fields, "body": body})
        assert answer.status_code == 400 and "whatdotheyknow.com/new/" not in answer.text
        assert "Please send it." in answer.text  # what was written is not lost


# --- keeping and deleting -------------------------------------------------------------------------------------------


def test_nothing_is_kept_unless_asked_and_delete_means_deleted(page):
    id = page.read(PLAN, "secret plan.txt")
    assert not page.shelf.keeping.exists() and "Nothing is kept" in words(page.get("/history"))
    item = page.shelf.get(id).made.report.evidence[0].id
    page.post(f"/d/{id}/correct", {"items": item, "item": item, "do": "wrong"})
    grades = grade(page, id)
    answer = page.post(f"/d/{id}/keep")
    assert "is kept on this computer" in words(answer)
    kept = page.shelf.get(id).kept
    place = page.shelf.keeping / kept
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in place.iterdir())
    page.post(f"/d/{id}/delete")
    assert page.shelf.get(id) is None and not any(p.name.startswith(id) for p in page.shelf.folder.iterdir())
    assert "secret plan.txt" in words(page.get("/history"))
    answer = page.post(f"/history/{kept}/open", follow=False)
    again = answer.headers["location"].rpartition("/")[2]
    assert page.shelf.get(again).ready.wait(60)
    assert grade(page, again) == grades and "Changed by hand" in page.get(f"/d/{again}").text
    answer = page.post(f"/history/{kept}/delete")
    assert "deleted" in words(answer) and "secret plan.txt" not in words(answer)
    assert not place.exists() and not list(page.shelf.keeping.iterdir())
    assert page.post(f"/history/{kept}/open").status_code == 404


@pytest.mark.parametrize("id", ["..", "%2e%2e", "x", "A" * 22, "..%2F..%2Fetc"])
def test_what_is_kept_is_found_by_its_id_only(page, id):
    page.shelf.keeping.mkdir(parents=True)
    (page.shelf.keeping.parent / "precious").write_text("stay")
    assert page.post(f"/history/{id}/delete").status_code in (404, 405)
    assert (page.shelf.keeping.parent / "precious").exists() and page.shelf.keeping.exists()


def test_a_link_in_the_place_of_something_kept_is_not_followed(page, tmp_path):
    page.shelf.keeping.mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (page.shelf.keeping / ("A" * 22)).symlink_to(tmp_path / "other")
    assert page.post(f"/history/{'A' * 22}/delete").status_code == 404 and (tmp_path / "other").exists()


# --- the process that reads -----------------------------------------------------------------------------------------


def _sleep():
    time.sleep(60)


def _fill():
    held = [bytes(50_000_000) for _ in range(100)]
    return len(held)


def _end():
    os._exit(5)


@pytest.mark.parametrize("what, error", [(_sleep, TimeExceeded), (_fill, MemoryExceeded), (_end, WorkerDied)])
def test_a_reading_that_hangs_fills_or_ends_is_an_error_and_the_next_goes_on(what, error):
    if what is _fill and not sys.platform.startswith("linux"):
        pytest.skip("memory is bounded on Linux only")
    reader = worker.Reader(Bounds(seconds=2.0 if what is _sleep else 60.0, megabytes=1500))
    try:
        made = worker.outcome(reader.call(what), "plan.pdf")
        assert isinstance(made, error) and made.remedy and "plan.pdf" in str(made)
        if what is not _sleep:  # whose bound is too short for a process to start in
            assert worker.outcome(reader.call(os.getpid), "x") not in (None, os.getpid())
    finally:
        reader.stop()


# --- the command ----------------------------------------------------------------------------------------------------


def _serve(*more):
    return subprocess.Popen(
        [sys.executable, "-m", "claimscan", "serve", "--no-browser", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_on_this_computer_and_leaves_nothing_behind(number, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "claimscan", "serve", "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    process.stdout.readline()
    address = process.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/open/[\w-]{32}", address)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert b"What does a document show?" in opener.open(address, timeout=30).read()
    assert list(tmp_path.glob("claimscan-*"))
    taken = _serve("--port", address.split(":")[2].partition("/")[0])
    out, error = taken.communicate(timeout=60)
    assert taken.returncode == 2 and "cannot be used" in error and "--port" in error and "Traceback" not in error
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0 and "has stopped" in error and not list(tmp_path.glob("claimscan-*"))


@pytest.mark.slow
def test_the_next_run_removes_what_a_killed_one_left(tmp_path):
    def start():
        process = subprocess.Popen(
            [sys.executable, "-m", "claimscan", "serve", "--no-browser"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        process.stdout.readline()
        return process, list(tmp_path.glob(private_folder.PREFIX + "*"))

    process, (left,) = start()
    os.utime(left / "lock", (0, 0))
    other, folders = start()
    assert left in folders and len(folders) == 2  # the first is alive
    process.kill()
    process.wait(30)
    other.kill()
    other.wait(30)
    for folder in folders:
        os.utime(folder / "lock", (0, 0))
    third, (own,) = start()
    assert own not in folders
    third.terminate()
    assert third.wait(60) == 0 and not list(tmp_path.glob(private_folder.PREFIX + "*"))


def test_the_button_stops_it(page):
    answer = page.post("/stop")
    assert "has stopped" in answer.text and page.stopped


# --- Welsh ----------------------------------------------------------------------------------------------------------


def test_the_page_is_english_until_a_person_chooses_welsh(page):
    assert '<html lang="en-GB">' in page.get("/").text and "Cymraeg</button>" in page.get("/").text
    id = page.read()
    answer = page.post("/language", {"language": "cy", "back": f"/d/{id}"}, follow=False)
    assert answer.status_code == 303 and answer.headers["location"] == f"/d/{id}"
    for address in ("/", f"/d/{id}", f"/d/{id}/add", f"/d/{id}/page/1", "/documents", "/history", "/nothing"):
        text = page.get(address).text
        assert '<html lang="cy">' in text and "English</button>" in text, address
    finding = page.get(f"/d/{id}")
    assert "Yn fyr" in finding.text and '<blockquote lang="en">' in finding.text and "In short" not in finding.text
    assert '<html lang="cy">' in page.get(f"/d/{id}/get/html").text
    assert "The document" in page.get(f"/d/{id}/get/json").text
    assert "Dangos y llythyr" in page.get(f"/d/{id}/letter").text
    assert "Annwyl" in page.get(f"/d/{id}/letter?write=1").text
    assert "Nid ydych wedi dewis dogfen eto." in page.post("/documents").text
    page.post("/language", {"language": "en"})
    assert "In short" in page.get(f"/d/{id}").text


def test_what_is_corrected_in_welsh_is_said_in_welsh(page):
    id = page.read()
    page.post("/language", {"language": "cy"})
    items = re.search(r"correct\?items=([^\"]+)", page.get(f"/d/{id}").text)[1].replace("%2C", ",")
    changed = page.post(f"/d/{id}/correct", {"items": items, "do": "none"})
    assert "Newidiwyd â llaw" in changed.text and "tynnwyd allan; fe’i darllenwyd fel hyn" in words(changed)
    page.post("/language", {"language": "en"})
    assert "taken out; it was read as" in words(page.get(f"/d/{id}"))


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb", "x"])
def test_the_switch_leads_nowhere_else(page, back):
    answer = page.post("/language", {"language": "cy", "back": back}, follow=False)
    assert answer.headers["location"] == "/"


def test_the_switch_knows_only_our_languages_and_needs_the_token(page):
    page.post("/language", {"language": "../../fr"})
    assert '<html lang="en-GB">' in page.get("/").text
    assert page.client.post("/language", data={"language": "cy", "token": "x"}).status_code == 400
    assert '<html lang="en-GB">' in page.get("/").text


def test_the_switch_comes_back_to_the_page_with_its_question(page):
    id = page.read()
    text = unescape(page.get(f"/d/{id}/letter?write=1&kind=foi").text)
    assert f'name="back" value="/d/{id}/letter?write=1&kind=foi"' in text
    refused = page.post(f"/d/{id}/add", {"quote": "not there"})
    assert f'name="back" value="/d/{id}"' in refused.text
