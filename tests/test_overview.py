import hashlib
import re
import tracemalloc
from collections import Counter
from importlib.resources import files

import pytest
from test_showing import Outline

from claimscan import codebook
from claimscan.showing import overview, templates, wording

LEVELS = {level.id: level for level in codebook.tables().levels}
STATUSES = codebook.tables().statuses
METADATA = ("organisation", "year")


def sha(n):
    return hashlib.sha256(str(n).encode()).hexdigest()


def document(n, **more):
    row = {"document": sha(n), "source": f"folder/{n}.pdf", "organisation": "Northmoor Council", "year": "2024"}
    row |= {"status": "read", "repeats": "", "repeats_by": "", "title": f"Plan {n}", "pages": 12, "unread_pages": 0}
    return row | {"claims": 1, "products": 1, "page": f"pages/{sha(n)}.html"} | more


def unread(n, **more):
    blank = dict.fromkeys(("title", "pages", "unread_pages", "claims", "products"))
    return document(n, status="unread", **blank, **more)


def product(n, grade, **more):
    row = {"document": sha(n), "source": f"folder/{n}.pdf", "organisation": "Northmoor Council", "year": "2024"}
    row |= {"id": "p1", "name": "the plan", "is_document": True, "grade": grade, "ceiling": "6", "proxy_grade": None}
    if grade in LEVELS:
        level = LEVELS[grade]
        row |= {"label": level.label, "band": level.band, "plain": level.plain, "supports": level.supports}
    else:
        row |= {"label": STATUSES[grade].label, "band": "", "plain": STATUSES[grade].plain, "supports": ""}
    row |= {"borderline": False, "second_reading": None, "concerns": "", "asks": "", "credits": "", "claim_page": 4}
    row |= dict.fromkeys(("reply", "reply_evidence", "reply_by", "reply_on"), "")
    return row | {"claim": "This plan was co-produced with residents."} | more


def failure(n, code="EncryptedDocument", **more):
    row = {"document": sha(n), "source": f"folder/{n}.pdf", "organisation": "Eastmere Trust", "year": "2023"}
    return row | {"code": code, "why": "It is locked.", "remedy": "Unlock it."} | more


def made(documents, products, failures=(), metadata=METADATA, title="", provenance=None):
    return overview.page(
        iter(documents),
        iter(products),
        iter(failures),
        metadata=metadata,
        provenance=provenance or {"claimscan": "0.0"},
        title=title,
    )


def words(text):
    """What a person reads, without script and style."""
    return " ".join(" ".join(Outline(re.sub("<script>.*?</script>", "", text, flags=re.DOTALL)).words).split())


def tables(text):
    """Each table as its caption and its rows of cells."""
    out = []
    for body in re.findall("<table.*?</table>", text, re.DOTALL):
        caption = words("".join(re.findall("<caption.*?</caption>", body, re.DOTALL)))
        rows = re.findall("<tr.*?</tr>", body, re.DOTALL)
        out.append((caption, [[words(c) for c in re.findall("<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]))
    return out


@pytest.fixture(scope="module")
def run():
    """Nine documents: six with claims, one without, two unread; two repeats beside them."""
    documents = [
        document(1, products=2, claims=3),
        document(2, organisation="Eastmere Trust", year="2023"),
        document(3, claims=0, unread_pages=3),
        document(4),
        document(5),
        document(6),
        document(7, products=0, claims=1),
        unread(8, organisation="Eastmere Trust", year="2023"),
        unread(9, organisation="Eastmere Trust", year="2023"),
        document(1, source="folder/copy.pdf", status="repeat", repeats="folder/1.pdf", repeats_by="bytes", products=0),
        document(10, repeats="folder/1.pdf", repeats_by="text"),
    ]
    products = [
        product(1, "N0", id="p1", asks="claim-unsupported payment-not-stated"),
        product(1, "3", id="p2", name="the toolkit", is_document=False, concerns="word-inflation"),
        product(
            2, "5", organisation="Eastmere Trust", year="2023", credits="paid", borderline=True, second_reading="6"
        ),
        product(3, "N1", claim="", asks="claim-unsupported"),
        product(4, "N0", asks="claim-unsupported"),
        product(5, "1", reply="We met nine times.", reply_by="Head of Engagement", reply_on="3 May"),
        product(6, "3"),
        product(10, "6", name="a second copy"),
    ]
    return documents, products, [failure(8), failure(9, "TimeExceeded", why="It took too long.")]


@pytest.fixture(scope="module")
def page(run):
    return made(*run, title="Plans of the valley")


# --- counts -----------------------------------------------------------------------------------------------------------


def test_what_was_read_is_said_with_its_denominators(page):
    text = words(page)
    assert "9 documents: 6 with at least one claim, 1 with no claim, 2 could not be read; 2 repeats left out." in text
    assert "7 claims were found. 1 of them describes how something was made with people, without the word" in text
    assert "1 document has only such descriptions." in text
    assert "1 document of those with no claim says that people work by co-production" in text
    assert "In 1 document some pages could not be read (3 pages in all)." in text
    assert "The body has answered 1 of the 7 claims." in text
    assert "a second copy" not in page.lower() and "A second copy" not in page


def test_claims_and_documents_are_counted_over_the_levels_and_statuses_stand_apart(page):
    by_caption = dict(tables(page))
    claims = by_caption["On the six levels: 4 claims of 7"]
    assert claims[0] == ["Level", "Claims (of 7)"]
    assert [row[0][0] for row in claims[1:]] == list("123456")
    assert [row[1] for row in claims[1:]] == ["1 (14%)", "0 (0%)", "2 (29%)", "0 (0%)", "1 (14%)", "0 (0%)"]
    apart = by_caption["Not on a level: 3 claims of 7. This is not a low level."]
    assert [row[0].split(".")[0].strip() for row in apart[1:]] == [s.plain for s in STATUSES.values()]
    assert [row[1] for row in apart[1:]] == ["2 (29%)", "1 (14%)", *["0 (0%)"] * 4]
    # Document 1 shows level 3 for one thing, though its claim about itself has no level.
    documents = by_caption["On the six levels: 4 documents of 6"]
    assert [row[1].split()[0] for row in documents[1:]] == ["1", "0", "2", "0", "1", "0"]
    apart = by_caption["Not on a level: 2 documents of 6. This is not a low level."]
    assert [row[1].split()[0] for row in apart[1:]] == ["1", "1", "0", "0", "0", "0"]


def test_a_document_without_levels_counts_by_the_claim_about_itself():
    rows = [product(1, "N1", id="p1", is_document=False), product(1, "O", id="p2", is_document=True)]
    documents = dict(tables(made([document(1, products=2)], rows)))
    apart = documents["Not on a level: 1 document of 1. This is not a low level."]
    assert [row[1] for row in apart[1:]] == ["0", "0", "0", "1", "0", "0"]


def test_a_document_counts_at_the_highest_level_it_shows():
    rows = [product(1, grade, id=f"p{n}", is_document=not n) for n, grade in enumerate(["2", "X", "4", "3"])]
    levels = dict(tables(made([document(1, products=4)], rows)))["On the six levels: 1 document of 1"]
    assert [row[1] for row in levels[1:]] == ["0", "0", "0", "1", "0", "0"]


def test_each_column_with_2_to_60_values_has_a_table(run, page):
    grids = [rows for caption, rows in tables(page) if caption.startswith("Documents and claims by")]
    assert len(grids) == 2
    eastmere, northmoor = grids[0][2:]
    # with a claim, with none, not read, claims, drawn, levels, statuses
    assert eastmere == ["Eastmere Trust", "1", "0", "2", "1", "too few to compare", *"000010", *"000000"]
    assert northmoor == ["Northmoor Council", "5", "1", "0", "6", "", *"102000", *"210000"]
    assert [row[0] for row in grids[1][2:]] == ["2023", "2024"]


@pytest.mark.parametrize("values, tabled", [(1, False), (2, True), (60, True), (61, False)])
def test_how_many_values_a_column_may_have(values, tabled):
    names = [f"Council {n}" for n in range(values)]
    documents = [document(n, organisation=name) for n, name in enumerate(names)]
    products = [product(n, "3", organisation=name) for n, name in enumerate(names)]
    text = made(documents, products, metadata=("organisation",))
    grid = [rows for caption, rows in tables(text) if caption == "Documents and claims by organisation"]
    assert bool(grid) == tabled
    if tabled:
        assert [row[0] for row in grid[0][2:]] == names  # 2 before 10
    assert ("too many different values for a table here" in text) == (values > 60)


def test_flags_stand_in_three_kinds_with_their_denominator(page):
    by_caption = dict(tables(page))
    asks = by_caption["Things to ask: how many of the 7 claims"]
    assert [row[1] for row in asks] == ["Claims (of 7)", "3 (43%)", "1 (14%)"]
    assert asks[1][0].endswith("The document does not say enough about who took part and what they did.")
    assert [row[1] for row in by_caption["Concerns: how many of the 7 claims"]] == ["Claims (of 7)", "1 (14%)"]
    assert [row[1] for row in by_caption["Credits: how many of the 7 claims"]] == ["Claims (of 7)", "1 (14%)"]


def test_unread_documents_are_listed_with_reason_and_remedy(page):
    text = words(page)
    assert "Nothing is said about these 2 documents. They are not counted as having no claim." in text
    assert "The file is locked with a password: 1 document" in text and "Reading it took too long: 1 document" in text
    rows = dict(tables(page))["Documents that could not be read"]
    assert rows[1] == ["folder/8.pdf", "Eastmere Trust", "2023", "It is locked.", "Unlock it."]


@pytest.mark.parametrize("n, of, said", [(1, 4, ""), (0, 0, ""), (1, 5, "20%"), (1, 700, "under 1%"), (0, 9, "0%")])
def test_shares(n, of, said):
    assert overview._share(n, of) == said


@pytest.mark.parametrize("n, of, said", [(999, 1000, "over 99%"), (1000, 1000, "100%"), (1, 3000, "under 1%")])
def test_a_share_is_never_rounded_to_none_or_all(n, of, said):
    assert overview._share(n, of) == said


def test_small_numbers_get_no_share():
    text = made([document(1), document(2)], [product(1, "3"), product(2, "N0")])
    assert "%" not in words(text)
    assert "Only 2 claims: too few to compare, so no shares are given." in words(text)


def test_every_status_flag_and_error_has_plain_words():
    said = wording.tables()["overview"]
    assert set(said["statuses"]) == set(STATUSES)
    assert set(said["flags"]) == {flag.code for flag in codebook.tables().flags}
    assert set(said["kinds"]) == {flag.kind for flag in codebook.tables().flags}


def test_an_unknown_error_is_named_and_counted():
    text = words(made([unread(1)], [], [failure(1, "SomethingNew")]))
    assert "SomethingNew: 1 document" in text and "1 document: 0 with at least one claim" in text


# --- the table of claims ----------------------------------------------------------------------------------------------


def test_each_claim_is_a_row_with_all_that_belongs_to_it(page):
    rows = next(rows for _, rows in tables(page) if rows[0][:2] == ["Organisation", "Document"])
    assert len(rows) == 1 + 7
    first, third, fourth, sixth = rows[1], rows[3], rows[4], rows[6]
    assert first[:4] == [
        "Northmoor Council",
        "Plan 1 folder/1.pdf Year: 2024",
        "The plan",
        "“This plan was co-produced with residents.” Page 4",
    ]
    assert first[4].startswith("Not on a level No evidence given in this document.")
    assert first[4].endswith("Nothing in it rules out level 6 (Co-produced).")
    assert (
        first[5] == "To ask: who and how are not both said To ask: pay is not mentioned" and first[6] == "No answer yet"
    )
    assert third[4].startswith("Level 5 of 6: Co-designed A group shaped it from early on")
    assert "it could also be read as level 6 (Co-produced)" in third[4]
    assert fourth[3] == "Described without the word “co-produced”"
    assert sixth[6] == "“We met nine times.” Head of Engagement, 3 May"


def test_a_claim_on_no_level_does_not_sort_below_level_1(page):
    keys = re.findall(r'data-label="What the document shows" data-key="([^"]*)"', page)
    assert keys == ["", "3", "5", "", "", "1", "3"]  # the script puts what has no key last, both ways
    assert "(!a - !b) ||" in templates.resource("overview.js")


def test_links_go_to_reports_of_this_run_only(page):
    links = {a["href"] for tag, a in Outline(page).attributes if tag == "a" and not a["href"].startswith("#")}
    assert links == {f"pages/{sha(n)[:2]}/{sha(n)}.html" for n in range(1, 7)}
    odd = made([document(1, page="")], [product(1, "3")])
    assert not [a for tag, a in Outline(odd).attributes if tag == "a" and not a["href"].startswith("#")]
    away = {"document": "../../../etc/passwd", "page": "https://evil.example/"}
    odd = made([document(1, **away)], [product(1, "3", **away)])
    assert not [a for tag, a in Outline(odd).attributes if tag == "a" and not a["href"].startswith("#")]
    assert "evil.example" not in odd


def test_the_answer_has_no_column_where_nobody_answered():
    text = made([document(1)], [product(1, "3")])
    assert "No answer from a body has been added yet." in text and "No answer yet" not in text


def test_no_claims_at_all():
    text = made([document(1, products=0, claims=0)], [])
    assert "In 1 document no claim was found. That is not a fault" in words(text)
    assert "<script>" not in text and 'id="shown"' not in text and 'id="every"' not in text
    assert "0 documents: 0 with at least one claim" in words(made([], []))


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_rows_are_bounded_and_counts_are_not(monkeypatch):
    monkeypatch.setattr(overview, "ROWS", 20)
    monkeypatch.setattr(overview, "OTHERS", 10)
    documents = [document(n) for n in range(50)] + [document(n, products=0) for n in range(50, 80)]
    documents += [unread(n) for n in range(80, 95)]
    failures = [failure(n) for n in range(80, 95)]
    text = made(documents, [product(n, "3") for n in range(50)], failures)
    assert text.count('<tr role="row" data-grade') == 20
    assert "Only the first 20 of 50 claims are listed here. The rest are in tables/products.csv." in words(text)
    assert "95 documents: 50 with at least one claim, 30 with no claim, 15 could not be read." in words(text)
    assert "50 (100%)" in words(text) and "The file is locked with a password: 15 documents" in words(text)
    assert "The first 10 are listed; the rest are in tables/documents.csv." in words(text)
    assert "The first 10 are listed; the rest are in tables/failures.csv." in words(text)
    assert len(dict(tables(text))["Documents that could not be read"]) == 11


def test_documents_are_streamed():
    def peak(n):
        tracemalloc.start()
        text = overview.page(
            (document(i, organisation=f"Body {i}", title=f"{i} " + "Long title " * 20) for i in range(n)),
            (product(i, "3", organisation=f"Body {i}") for i in range(n)),
            (failure(i) for i in range(n)),
            metadata=METADATA,
            provenance={},
        )
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, len(text)

    bound = 300
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overview, "ROWS", bound)
        patch.setattr(overview, "OTHERS", bound)
        peak(10)  # what is loaded and compiled once
        (few, short), (many, long) = peak(bound), peak(10 * bound)
    assert many < 1.15 * few and long < 1.1 * short


# --- safety -----------------------------------------------------------------------------------------------------------

HOSTILE = "<img src=x onerror=alert(1)>\"' </script><script>alert(2)</script> {{ 7*7 }} \u202egnp \x1b[31m https://evil.example"


def test_hostile_text_is_escaped_wherever_it_comes_from():
    every = dict.fromkeys(("source", "title", "organisation", "year", "repeats_by", "page"), HOSTILE)
    some = {k: HOSTILE for k in ("source", "organisation", "year", "id", "name", "label", "plain", "claim")}
    some |= {k: HOSTILE for k in ("reply", "reply_evidence", "reply_by", "reply_on", "concerns", "asks", "band")}
    some |= {"second_reading": HOSTILE, "proxy_grade": HOSTILE, "borderline": True}
    column = "<b>\"x' onload=1"
    more = {column: HOSTILE}
    text = made(
        [
            document(1, **{**every, **more}),
            document(2, **more),
            document(3, products=0, **every, **more),
            unread(4, **more),
        ],
        [product(1, "3", **some, **more), product(2, "N0", **{column: "plain"})],
        [failure(4, HOSTILE, why=HOSTILE, remedy=HOSTILE, **more)],
        metadata=(*METADATA, column),
        title=HOSTILE,
        provenance={HOSTILE: HOSTILE},
    )
    outline = Outline(text)
    assert outline.open == []
    assert not {"img", "b", "iframe", "link", "base", "object"} & set(outline.tags)
    assert outline.tags.count("script") == outline.tags.count("style") == 1
    for tag, attributes in outline.attributes:
        assert not any(name.startswith("on") or name in ("style", "src") for name in attributes), (tag, attributes)
        assert re.fullmatch(r"#[\w-]+|pages/[0-9a-f]{2}/[0-9a-f]{64}\.html", attributes.get("href", "#main"))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert "{{ 7*7 }}" in text and "&lt;img src=x onerror=alert(1)&gt;" in text


def test_the_policy_allows_the_page_s_own_style_and_script_only(page):
    policy = re.search('Content-Security-Policy" content="([^"]+)"', page)[1]
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)[1]
    script = re.search("<script>(.*?)</script>", page, re.DOTALL)[1]
    assert policy == (
        f"default-src 'none'; style-src '{templates.policy_hash(style)}'; script-src '{templates.policy_hash(script)}';"
        " base-uri 'none'; form-action 'none'"
    )
    assert templates.policy_hash("alert(1)") == "sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI="


def test_the_page_loads_nothing_and_its_script_makes_no_markup(page):
    assert not re.search(
        r"(?:https?:)?//[a-z]|url\(|@import", re.sub("<script>.*?</script>", "", page, flags=re.DOTALL)
    )
    script = templates.resource("overview.js")
    assert not re.search(
        "innerHTML|outerHTML|insertAdjacent|document.write|eval|Function|fetch|XMLHttp|import|http", script
    )


# --- for everybody ----------------------------------------------------------------------------------------------------


def test_the_page_is_well_formed_and_in_order(page):
    outline = Outline(page)
    assert outline.open == [] and page.startswith("<!DOCTYPE html>")
    for landmark in ("header", "nav", "main", "footer"):
        assert outline.tags.count(landmark) == 1
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    ids = [a["id"] for _, a in outline.attributes if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attributes in outline.attributes:
        if tag == "th":
            assert attributes["scope"]
        if tag == "svg":  # the table around it says the same
            assert attributes["aria-hidden"] == "true"
        if tag == "a" and attributes["href"].startswith("#"):
            assert attributes["href"][1:] in ids
        for name in ("aria-labelledby", "for"):
            assert name not in attributes or attributes[name] in ids
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0" and attributes["role"] == "region" and attributes["aria-label"]
    controls = [a["id"] for tag, a in outline.attributes if tag in ("input", "select")]
    assert controls == [a["for"] for tag, a in outline.attributes if tag == "label"] and len(controls) == 5
    assert 'role="status"' in page and page.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
    assert page.index("Read this first") < page.index("What was read") < page.index("Every claim")


def test_every_table_has_a_name_and_every_bar_stands_in_one(page):
    for opening, body in re.findall("(<table[^>]*>)(.*?)</table>", page, re.DOTALL):
        assert "<caption" in body or "aria-labelledby" in opening
    assert '<svg class="bar' in page
    assert '<svg class="bar' not in re.sub("<table.*?</table>", "", page, flags=re.DOTALL)


def test_bars_are_as_long_as_their_counts(page):
    first = page[page.index("On the six levels: 4 claims") : page.index("<h3>Documents</h3>")]
    assert re.findall(r'<rect width="([\d.]+)"', first) == ["50.00", "100.00", "50.00", "100.00", "50.00"]


def test_it_stands_without_its_script(page):
    assert '<form id="filters" role="search" aria-label="Choose which claims to show" hidden>' in page
    assert page.count("<button") == 1 and page.index("<button") < page.index("</form>")
    assert not re.search("<tr[^>]* hidden", page)


def test_filters_offer_what_is_there(page):
    form = page[page.index("<form") : page.index("</form>")]
    values = Counter(re.findall('<option value="([^"]*)"', form))
    assert {"Eastmere Trust", "Northmoor Council", "2023", "2024", "1", "N0", "word-inflation", "paid"} <= set(values)
    assert values["*"] == 4 and "outnumbered" not in values


def test_the_fair_words_come_first(page):
    text = words(page)
    for said in (
        wording.FAIR,
        "It accuses nobody.",
        "This is not a league table.",
        "the law sets a low bar for it",
        "Let the body answer first.",
        "They are not below level 1.",
    ):
        assert said in text, said
    assert text.index(wording.FAIR) < text.index("9 documents")


def test_bars_can_be_told_from_the_page_in_light_and_dark():
    base, style = (files("claimscan").joinpath("data/templates", n).read_text() for n in ("report.css", "overview.css"))
    papers = [re.search("--paper: (#[0-9a-f]+)", part)[1] for part in re.findall(r":root \{(.*?)\}", base, re.DOTALL)]
    ramps = [dict(re.findall(r"--(l\d): (#\w+)", part)) for part in re.findall(r":root \{(.*?)\}", style, re.DOTALL)]
    assert len(papers) == len(ramps) == 3

    def light(colour):
        colour = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for paper, ramp in zip(papers, ramps, strict=True):
        ratios = []
        for level in sorted(ramp):
            low, high = sorted((light(paper), light(ramp[level])))
            ratios.append((high + 0.05) / (low + 0.05))
        assert ratios == sorted(ratios)  # each level stands out more than the one below
        assert ratios[3] >= 3  # levels 1 to 3 are lighter, and have an outline


def test_a_joint_document_counts_for_both_bodies_and_once_in_all():
    rows = [document(1, organisation="Ash"), document(2, organisation="Elm")]
    products = [product(1, "3", organisation="Ash"), product(2, "5", organisation="Elm")]
    joint = document(1, status="repeat", repeats="a.pdf", repeats_by="bytes", organisation="Oak", source="joint.pdf")
    text = overview.page(
        [*rows, joint], products, [], metadata=["organisation"], provenance={}, shared={sha(1): [joint]}
    )
    said = words(text)
    assert "2 claims" in said and "1 repeat" in said
    assert "Also Oak" in said and "counts for both" in said
    by_body = next(rows for _, rows in tables(text) if {"Ash", "Elm", "Oak"} <= {row[0] for row in rows})
    assert {row[0]: row[1:] for row in by_body}["Oak"] == {row[0]: row[1:] for row in by_body}["Ash"]
    assert '<option value="Oak">' in text and 'data-v0="Ash&#10;Oak"' in text
