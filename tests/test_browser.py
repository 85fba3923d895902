"""The local page in a browser: the whole task with the keyboard alone and with script off, and what axe-core finds."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"
pytest.importorskip("starlette")
pypdfium2 = pytest.importorskip("pypdfium2")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
if not os.path.exists(CHROMIUM):
    pytest.skip("there is no Chromium at /usr/bin/chromium", allow_module_level=True)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = Path(__file__).parent.parent
PDF = ROOT / "corpus/pdf/seed-parents-wrote.designed.pdf"
OTHER = ROOT / "corpus/pdf/seed-tone-check.designed.pdf"
AXE = Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOUR = ["color-contrast", "link-in-text-block"]
LOOKS = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
SPACED = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
    "p { margin-bottom: 2em !important; }"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server of its own, with nothing of the person's."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path_factory.mktemp("data"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "claimscan", "serve", "--no-browser"], stdout=subprocess.PIPE, text=True, env=env
    )
    process.stdout.readline()
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@contextmanager
def opened(browser, server, **more):
    """A window of its own, which fails on anything that the policy stops and on any request to elsewhere."""
    context = browser.new_context(**more)
    context.set_default_timeout(60_000)
    page = context.new_page()
    wrong = []
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    home = server.partition("/open")[0]
    page.on("request", lambda r: None if r.url.startswith((home, "data:")) else wrong.append(r.url))
    page.goto(server)
    yield page
    context.close()
    assert not wrong, wrong


def read(page, *files):
    """Choose documents and read them; the address of the finding."""
    page.goto(re.match(r"http://[^/]+/", page.url)[0])
    page.set_input_files("#files", [str(f) for f in files])
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("heading", name="In short").wait_for()
    return page.url.partition("?")[0]


@pytest.fixture(scope="module")
def document(browser, server):
    """The address of a finding that no test changes, with another to compare it with."""
    with opened(browser, server) as page:
        read(page, OTHER)
        return read(page, PDF)


def violations(page):
    """What axe-core finds in each look, by rule; the policy lets no script in, so it goes in through the debugger.

    The page's elements are the same in every look, so that in the second and third only the rules about colour can differ.
    """
    page.evaluate(AXE + "; undefined")
    found = []
    for look, media in LOOKS.items():
        page.emulate_media(**media)
        only = RULES if look == "light" else {"type": "rule", "values": COLOUR}
        said = page.evaluate("only => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only)
        found += [(look, v["id"], [n["html"][:150] for n in v["nodes"]][:3]) for v in said["violations"]]
    return found


def addresses(page, document):
    """Every page and state of it, by name."""
    home = document.partition("/d/")[0]
    page.goto(home + "/documents")
    two = [page.locator("#before option").nth(n).get_attribute("value") for n in (0, 1)]
    page.goto(document)
    place = page.locator("a.place").first.get_attribute("href")
    wrong = page.locator(".fix a").nth(1).get_attribute("href")
    return {
        "start": home + "/",
        "finding": document,
        "place": home + place,
        "correct": home + wrong,
        "add": document + "/add",
        "letter": document + "/letter",
        "written": document + "/letter?write=1&kind=foi",
        "welsh": document + "/letter?write=1&kind=reply&language=cy&easy=yes",
        "seven": document + "/letter?write=1&picked=1",
        "documents": home + "/documents",
        "compare": f"{home}/compare?before={two[0]}&after={two[1]}",
        "not compared": f"{home}/compare?before={two[0]}&after={two[0]}",
        "history": home + "/history",
        "missing": home + "/nothing",
    }


def test_axe_finds_nothing_on_any_page(browser, server, document):
    found = {}
    with opened(browser, server) as page:
        for name, address in addresses(page, document).items():
            page.goto(address)
            found[name] = violations(page)
            if page.locator("details:not([open])").count():
                page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
                found[name + ", opened"] = violations(page)
        # the states that only a form brings
        page.goto(document + "/letter?write=1&kind=foi")
        page.get_by_role("button", name="Make a link to the filled-in form").click()
        found["no body"] = violations(page)
        page.locator("#body").fill("northmoor_council")
        page.get_by_role("button", name="Make the link again").click()
        found["link"] = violations(page)
        page.goto(document.partition("/d/")[0])
        page.get_by_role("button", name="Read it").click()
        page.get_by_role("alert").wait_for()
        found["nothing chosen"] = violations(page)
        page.goto(document + "/add")
        page.locator("#quote").fill("autistic")
        page.locator("#slot").select_option("count|exact")
        page.get_by_role("button", name="Add it").click()
        page.get_by_role("alert").wait_for()
        found["no number"] = violations(page)
        mine = read(page, OTHER)
        page.locator(".fix a").nth(1).click()
        page.locator("details[open] button[value=wrong], button[value=none]").first.click()
        page.wait_for_url("**#by-hand")
        found["changed"] = violations(page)
        page.get_by_role("button", name="Keep this finding on this computer").click()
        found["kept"] = violations(page)
        page.get_by_role("link", name="Kept findings").click()
        found["history"] = violations(page)
        page.get_by_role("button", name="Delete").first.click()
        found["forgotten"] = violations(page)
        page.goto(mine)
        page.get_by_role("button", name="Cymraeg").click()
        page.get_by_role("heading", name="Yn fyr").wait_for()
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        found["in Welsh"] = violations(page)
        page.get_by_role("button", name="English").click()
        page.get_by_role("button", name="Take it off the page").click()
        found["taken off"] = violations(page)
    assert {name: v for name, v in found.items() if v} == {}


def test_the_language_is_changed_with_the_keyboard_alone_and_stays(browser, server, document):
    with opened(browser, server, java_script_enabled=False) as page:
        page.goto(document)
        page.get_by_role("button", name="Cymraeg").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Yn fyr").wait_for()
        assert page.url == document and page.locator("html").get_attribute("lang") == "cy"
        assert page.locator("blockquote").first.get_attribute("lang") == "en"
        page.get_by_role("link", name="Dechrau").click()
        page.get_by_role("heading", name="Beth mae dogfen yn ei ddangos?").wait_for()
        page.get_by_role("button", name="English").press("Space")
        page.get_by_role("heading", name="What does a document show?").wait_for()


SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_nothing_scrolls_sideways_at_320_pixels_nor_with_spaced_text(browser, server, document):
    # 1280 pixels at 400 % are 320 CSS pixels (WCAG 2.2, 1.4.10).
    with opened(browser, server, viewport={"width": 320, "height": 256}, bypass_csp=True) as page:
        for name, address in addresses(page, document).items():
            page.goto(address)
            page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            assert page.evaluate(SIDEWAYS) <= 0, name
            page.add_style_tag(content=SPACED)
            assert page.evaluate(SIDEWAYS) <= 0, f"{name}, spaced"
            cut = page.evaluate(
                "[...document.querySelectorAll('button, .button, summary, legend, label')]"
                ".filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)"
            )
            assert not cut, (name, cut)


def test_targets_are_large_enough(browser, server, document):
    # WCAG 2.2, 2.5.8: 24 by 24 CSS pixels; links in a line of text are excepted there, so they are here.
    small = """[...document.querySelectorAll(`button, .button, summary, select, textarea, input:not([type=hidden]),
        nav a, .fix a, .next a`)].filter(e => { const r = e.getBoundingClientRect();
        return r.width && (r.width < 24 || r.height < 24); }).map(e => e.outerHTML)"""
    with opened(browser, server, viewport={"width": 320, "height": 640}) as page:
        for name, address in addresses(page, document).items():
            page.goto(address)
            assert page.evaluate(small) == [], name


def test_nothing_moves_where_motion_is_not_wanted(browser, server, document):
    moving = "[...document.querySelectorAll('*')].some(e => parseFloat(getComputedStyle(e).transitionDuration) > 0)"
    with opened(browser, server, reduced_motion="reduce") as page:
        for address in addresses(page, document).values():
            page.goto(address)
            assert not page.evaluate(moving)


def test_names_landmarks_and_headings_for_a_screen_reader(browser, server, document):
    with opened(browser, server) as page:
        for name, address in addresses(page, document).items():
            page.goto(address)
            for role in ("main", "banner", "contentinfo"):
                assert page.get_by_role(role).count() == 1, (name, role)
            assert page.get_by_role("navigation", name="claimscan").count() == 1
            assert page.get_by_role("heading", level=1).count() == 1, name
            levels = page.evaluate(
                "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter(h => h.checkVisibility()).map(h => +h.tagName[1])"
            )
            assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False)) and levels[0] == 1, (name, levels)
            assert re.search(r"\w.* – claimscan$", page.title())
            tree = page.locator("body").aria_snapshot()
            unnamed = re.findall(
                r"^\s*- (?:button|link|textbox|combobox|checkbox|radio|img)(?:\s*\[[^]]*\])*:?$", tree, re.M
            )
            assert not unnamed, (name, unnamed)
            assert page.evaluate("document.documentElement.lang") == "en-GB"
        page.goto(document + "/letter?write=1&language=cy")
        assert page.locator("#text").get_attribute("lang") == "cy"


def test_progress_is_said_aloud_and_comes_to_the_finding(browser, server, tmp_path):
    long = tmp_path / "long.txt"
    long.write_text("This plan was co-produced with carers, and twelve carers wrote a page of it in May.\n\n" * 250)
    with opened(browser, server) as page:
        page.set_input_files("#files", str(long))
        page.get_by_role("button", name="Read it").click()
        bar = page.get_by_role("progressbar")
        bar.wait_for()
        status = page.get_by_role("status")
        assert status.get_attribute("aria-live") == "polite"
        assert re.match(r"Step \d of 4: ", status.inner_text())
        assert bar.get_attribute("aria-valuenow") in "0123" and bar.get_attribute("aria-valuetext")
        assert re.search(r'progressbar "Step \d of 4', page.locator("main").aria_snapshot())
        assert violations(page) == []
        page.get_by_role("heading", name="In short").wait_for()  # without a key being pressed
        page.get_by_role("button", name="Take it off the page").click()


def press_to(page, locator, most=400):
    """Go to an element with the Tab key, as a person does."""
    handle = locator.element_handle()
    for _ in range(most):
        if page.evaluate("e => e === document.activeElement", handle):
            seen = page.evaluate(
                "e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; }",
                handle,
            )
            assert seen, "the focus cannot be seen"
            return
        page.keyboard.press("Tab")
    raise AssertionError("the Tab key does not come there")


def choose(page, *files):
    for last in (False, False, True):  # a busy machine can lose the key to a page that is just being drawn
        try:
            with page.expect_file_chooser(timeout=8_000) as chooser:
                page.keyboard.press("Space")
        except sync_api.TimeoutError:
            if last:
                raise
        else:
            break
    chooser.value.set_files([str(f) for f in files])


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_whole_task_with_the_keyboard_alone(browser, server, script, tmp_path):
    with opened(browser, server, java_script_enabled=True) as page:
        if not script:  # the page's own script is not sent; what is left of it is the plain page
            page.route("**/assets/page.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
            page.reload()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Go to the main part"
        press_to(page, page.locator("#files"))
        choose(page, PDF)
        press_to(page, page.get_by_role("button", name="Read it"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/d/*")
        while page.get_by_role("progressbar").count():
            if script:
                page.get_by_role("heading", name="In short").wait_for()
                continue
            press_to(page, page.get_by_role("link", name="See whether it is ready"))
            page.keyboard.press("Enter")
            page.wait_for_load_state()
        page.get_by_role("heading", name="In short").wait_for()
        before = page.locator(".verdict").first.inner_text()
        # a quote in its place, and back
        press_to(page, page.locator("a.place").nth(1))
        page.keyboard.press("Enter")
        page.wait_for_url("**/page/*")
        assert page.get_by_text("Outlined on this page").count() == 1
        press_to(page, page.get_by_role("link", name="Back to the finding").first)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="In short").wait_for()
        # correct it
        press_to(page, page.locator(".fix a").nth(1))
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Is this wrong?").wait_for()
        button = page.locator("button[value=none], details[open] button[value=wrong]").first
        press_to(page, button)
        page.keyboard.press("Enter")
        page.wait_for_url("**#by-hand")
        assert page.get_by_role("heading", name="Changed by hand").count() == 1
        if script:
            assert page.evaluate("document.activeElement.id") == "by-hand"
        assert page.locator(".verdict").first.inner_text() != before
        # undo it
        press_to(page, page.get_by_text("Undo a change"))
        page.keyboard.press("Enter")
        press_to(page, page.get_by_role("button", name="Undo all changes"))
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="All changes are undone").wait_for()
        assert page.locator(".verdict").first.inner_text() == before
        # the letter
        press_to(page, page.get_by_role("link", name="Write a letter", exact=True))
        page.keyboard.press("Enter")
        press_to(page, page.locator("#kind-reply"))
        page.keyboard.press("ArrowDown")
        press_to(page, page.get_by_role("button", name="Show me the letter"))
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Your letter").wait_for()
        press_to(page, page.locator("#text"))
        page.keyboard.press("Control+End")
        page.keyboard.type("\nA line of my own.")
        press_to(page, page.get_by_role("button", name="Save it as plain text"))
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert "A line of my own." in Path(download.value.path()).read_text("utf-8-sig")
        # take it off
        press_to(page, page.get_by_role("link", name="Back to the finding"))
        page.keyboard.press("Enter")
        press_to(page, page.get_by_role("link", name="The document with the places marked (PDF)"))
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
        press_to(page, page.get_by_role("button", name="Take it off the page"))
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Your documents").wait_for()


def test_the_whole_task_with_script_switched_off(browser, server):
    with opened(browser, server, java_script_enabled=False) as page:
        page.set_input_files("#files", [str(PDF), str(OTHER)])
        page.get_by_role("button", name="Read it").click()
        page.wait_for_url("**/documents")
        while page.get_by_role("link", name=re.compile("See whether")).count():
            page.get_by_role("link", name=re.compile("See whether")).click()
        assert page.get_by_role("table", name="Your documents side by side").count() == 1
        last = page.locator("#after option").count() - 1
        page.get_by_label("The earlier one").select_option(index=last - 1)
        page.get_by_label("The later one").select_option(index=last)
        page.get_by_role("button", name="Show what is different").click()
        assert [PDF.name in dd for dd in page.locator("dl.two a").all_inner_texts()] == [True, False]
        page.get_by_role("link", name=re.compile("as the earlier one")).click()
        page.wait_for_url("**/compare?*")
        assert [PDF.name in dd for dd in page.locator("dl.two a").all_inner_texts()] == [False, True]
        page.get_by_role("link", name="Your documents", exact=True).click()
        page.get_by_role("link", name=PDF.name).first.click()
        page.locator(".fix a").nth(1).click()
        page.locator("button[value=none], details[open] button[value=wrong]").first.click()
        page.get_by_role("heading", name="Changed by hand").wait_for()
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("What you changed by hand")).click()
        exported = download.value.path()
        page.get_by_text("Undo a change").click()
        page.get_by_role("button", name="Undo all changes").click()
        page.get_by_text("Take in changes that somebody else made").click()
        page.set_input_files("#corrections", str(exported))
        page.get_by_role("button", name="Take them in").click()
        page.get_by_role("heading", name="Changed by hand").wait_for()
        page.get_by_role("link", name="Something is missing").click()
        page.get_by_label("The words, copied from the document").fill("no such words at all in there")
        page.get_by_label("They say", exact=True).select_option("payment|paid")
        page.get_by_role("button", name="Add it").click()
        assert "not in the document" in page.get_by_role("alert").inner_text()
        page.get_by_role("link", name="Back to the finding, change nothing").click()
        page.get_by_role("link", name="Write a letter", exact=True).click()
        page.get_by_label("A freedom of information").check()
        page.get_by_role("button", name="Show me the letter").click()
        page.locator("#body").fill("northmoor_council")
        page.get_by_role("button", name="Make a link to the filled-in form").click()
        link = page.get_by_role("link", name=re.compile("Open the form"))
        assert link.get_attribute("href").startswith("https://www.whatdotheyknow.com/new/northmoor_council?")


def test_a_document_dropped_anywhere_is_read(browser, server):
    with opened(browser, server) as page:
        page.evaluate(
            """() => { const data = new DataTransfer();
            data.items.add(new File(["This plan was co-produced with carers. Twelve carers wrote it."], "dropped.txt"));
            for (const type of ["dragenter", "dragover", "drop"])
              document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true})); }"""
        )
        page.get_by_role("heading", name="In short").wait_for()
        assert "dropped.txt" in page.locator("main").inner_text()


def test_a_form_of_another_website_changes_nothing(browser, server):
    home = server.partition("/open")[0]
    context = browser.new_context()
    page = context.new_page()
    page.goto(server)
    page.route(
        "http://evil.example/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{home}/stop"><input name="token" value="x"><button>Win</button></form>'
            f'<iframe src="{home}/"></iframe>',
        ),
    )
    other = context.new_page()
    other.route("http://evil.example/", lambda route: route.fulfill(
        content_type="text/html",
        body=f'<form method="post" action="{home}/stop"><input name="token" value="x"><button>Win</button></form>'))  # fmt: skip
    other.goto("http://evil.example/")
    with other.expect_response(home + "/stop") as answer:
        other.get_by_role("button").click()
    assert answer.value.status == 403
    page.goto(home + "/")
    assert page.get_by_role("button", name="Read it").count() == 1
    context.close()


def test_the_page_in_one_file(browser, tmp_path):
    """What ``check --html`` writes, opened from the disk: nothing for axe-core to find, and no sideways scrolling."""
    from claimscan import pipeline
    from claimscan.showing import html

    file = tmp_path / "finding.html"
    file.write_text(html.page(pipeline.check(str(PDF))), encoding="utf-8")
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(file.as_uri())
    for summary in page.locator("summary").all():
        summary.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # printed on A4: no quote runs over the end of a page, and what is closed is a line and no empty frame
    page.goto(file.as_uri())
    printed = pypdfium2.PdfDocument(page.pdf(format="A4"))
    assert len(printed) <= 10 and [round(side) for side in printed[0].get_size()] == [596, 843]
    sheets = [" ".join(sheet.get_textpage().get_text_bounded().split()) for sheet in printed]
    quotes = [" ".join(q.split()) for q in page.locator(".pair blockquote").all_inner_texts() if q.strip()]
    assert len(quotes) >= 6 and all(any(quote in sheet for sheet in sheets) for quote in quotes)
    closed = page.locator("details").first
    page.emulate_media(media="print")
    assert closed.evaluate("e => getComputedStyle(e).borderTopWidth") == "0px"
    assert any("The same in Easy Read (not printed: open it on the page first)" in sheet for sheet in sheets)
    context.close()
