"""The corpus format, its compiler to gold and PDFs, and the evaluation against it."""

import io
import json
import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimscan.errors import UsageError
from claimscan.training import corpus, coverage, evaluate, figures, floors
from claimscan.training import gold as gold_format
from claimscan.training.__main__ import main
from claimscan.training.places import squeeze

FIXTURE = Path(__file__).parent / "data" / "tidewell-housing.txt"
CORPUS = Path(__file__).parent.parent / "corpus"
FRONT = """+++
id = "doc"
title = "A Plan"
register = "plan"
body = "Tidewell Council"
population = {label = "tenants", kind = "adults"}
split = "dev"
[[products]]
id = "p1"
name = "this plan"
is_document = true
grade = "3"
[[products]]
id = "p2"
name = "the guide"
is_document = false
grade = "N0"
+++
"""
WHOLE = "[[co-produced|m p1 DOC_DONE]] [[tenants met|e p1 method=meeting]] [[co-designed|m p2 OTHER_DONE]]\n"
BODY_LINE = FRONT.count("\n") + 3  # of the line after WHOLE and a blank line


@pytest.fixture(scope="module")
def document():
    return corpus.read(FIXTURE)


def parse(body, front=FRONT):
    return corpus.parse(front + WHOLE + "\n" + body, "doc.txt", "doc")


# --- the inline form ------------------------------------------------------------------------------------------------


def test_the_fixture_is_read(document):
    text = document.text
    assert "[[" not in text and "]]" not in text and "|m " not in text and "**" not in text
    assert [(m.type, text[m.start : m.end]) for m in document.mentions] == [
        ("DOC_DONE", "Co-produced"),
        ("DOC_DONE", "co-produced"),
        ("OTHER_DONE", "co-designed"),
        ("PRINCIPLE", "Co-production"),
        ("NAME", "Co-production"),
        ("COMMIT", "Co-design"),
    ]
    assert [text[s:e] for s, e in document.skipped] == ["co-production"]
    assert corpus.unmarked(document) == []
    kinds = [(b.kind, b.place) for b in document.blocks]
    assert {("heading", "cover"), ("heading", "box"), ("paragraph", "quote"), ("row", "body"), ("item", "body")} <= {
        *kinds
    }
    assert [b.line for b in document.blocks if b.new_page] == [84]


def test_every_span_is_inside_its_block_and_trimmed(document):
    for item in (*document.mentions, *document.evidence):
        block = document.blocks[item.block]
        assert block.start <= item.start < item.end <= block.end
        words = document.text[item.start : item.end]
        assert words == words.strip(" |")
    ends = [(b.start, b.end) for b in document.blocks]
    assert ends == sorted(ends) and all(a[1] < b[0] for a, b in zip(ends, ends[1:]))


def test_nested_marks_and_several_slots():
    made = parse(
        "[[[[Six adults|e p1 count le_n=6 kind=exact unit=authors]] and two\nofficers"
        " [[co-wrote|m p1 DOC_DONE hedge scope=part]] it|e p1 authorship=mixed_with_le; stage=start,design;"
        ' continuity=cycles_with_return frequency="six weekly" who=le;'
        " certainty=borderline]]."
    )
    text, evidence = made.text, made.evidence[1:]
    assert text.endswith("Six adults and two officers co-wrote it.")
    # Marks that begin together come outer first.
    assert {(e.slot, e.value, e.who, text[e.start : e.end]) for e in evidence} == {
        ("count", "exact", "", "Six adults"),
        ("authorship", "mixed_with_le", "", "Six adults and two officers co-wrote it"),
        ("stage", "start", "", "Six adults and two officers co-wrote it"),
        ("stage", "design", "", "Six adults and two officers co-wrote it"),
        ("continuity", "cycles_with_return", "le", "Six adults and two officers co-wrote it"),
    }
    assert {e.slot: dict(e.detail) for e in evidence if e.detail} == {
        "count": {"le_n": 6, "kind": "exact", "unit": "authors"},
        "continuity": {"frequency": "six weekly"},
    }
    assert [e.certainty for e in evidence].count("borderline") == 4
    assert (made.mentions[-1].hedge, made.mentions[-1].scope) == (True, "part")


def test_a_mark_may_hold_several_cells():
    made = parse(
        "| Field | Value |\n| --- | --- |\n| [[Author | Officer A \\| B|e p1 authorship=professional]] | x |\n"
    )
    row = made.blocks[-1]
    assert [made.text[s:e] for s, e in row.cells] == ["Author", "Officer A | B", "x"]
    assert made.text[made.evidence[-1].start : made.evidence[-1].end] == "Author | Officer A | B"
    assert made.blocks[-2].head and not row.head


def test_gold_slots_follow_the_codebook():
    made = parse(
        "[[a|e p1 feedback_acted=loop,general who=le]] [[b|e p1 stage=start who=le]]"
        " [[c|e p1 stage=near_final who=professional]] [[d|e p1 authorship=professional]] [[e|e p1 count kind=vague]]"
        " [[f|e p1 count le_n=4 kind=exact]] [[g|e p1 mark=credited]]"
    )
    assert gold_format.slots(made, made.products[0]) == {
        "authorship": "professional",  # says itself who it was (E25)
        "count": {"le_n": 4, "kind": "exact"},
        "feedback_acted": "loop",  # the strongest (E26)
        "method": ["meeting"],
        "stage": ["start"],  # professionals' evidence is not held (E25)
    }


@pytest.mark.parametrize(
    "body, message",
    [
        ("a [[co-produced|m p1 DOC_DUN]]", "unknown mention type 'DOC_DUN'"),
        ("a [[co-produced|m p9 DOC_DONE]]", "undeclared product 'p9'"),
        ("a [[co-produced|m - DOC_DONE]]", "DOC_DONE needs a product"),
        ("a [[co-produced|m p2 DOC_DONE]]", "product p2 has is_document = false"),
        ("a [[co-produced|m p1 NAME loud]]", "unknown option 'loud'"),
        ("a [[co-produced|q p1]]", "unknown annotation 'q p1'"),
        ("a [[co-produced]]", "no annotation"),
        ("a [[|x]]", "a mark with no words"),
        ("a [[x|e p1]]", "fills no slot"),
        ("a [[x|e p1 stages=start]]", "unknown slot 'stages'"),
        ("a [[x|e p1 stage=begin]]", "unknown value of stage 'begin'"),
        ("a [[x|e p1 stage=not_stated]]", "what is not stated is not marked"),
        ("a [[x|e p1 count le_n=six kind=exact]]", "le_n must be a whole number"),
        ("a [[x|e p1 count le_n=6]]", "unknown count kind None"),
        ("a [[x|e p1 count le_n=6 kind=exact unit=heads]]", "unknown count unit 'heads'"),
        ("a [[x|e p1 stage=start payment=paid]]", "'payment' does not go with stage"),
        ("a [[x|e p1 stage=start who=them]]", "unknown who 'them'"),
        ("a [[quote across\n\nblocks|e p1 stage=start]]", "unclosed mark"),
        ("a [[x|e p1 stage=start [[co-production|x]] ]]", "the annotation must come last"),
        ("a **b", "never closed"),
        ("| a | b", "must end with |"),
        ("::: panel\nx\n:::", "unknown block 'panel'"),
        ("::: box\nx", "never closed with :::"),
        ("x\n\n:::", "::: closes nothing"),
        ("::: cover\nx\n:::", "the cover must come first"),
        ("#### x", "at most three #"),
    ],
)
def test_mistakes_are_named_with_their_line(body, message):
    with pytest.raises(corpus.CorpusError) as error:
        parse(body)
    where, line, _ = error.value.problems[0].split(":", 2)
    assert message in str(error.value)
    assert where == "doc.txt" and BODY_LINE <= int(line) <= BODY_LINE + 2


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('id = "p2"', 'id = "p1"', "duplicate product 'p1'"),
        ('grade = "3"', 'grade = "7"', "unknown grade '7'"),
        ('split = "dev"', 'split = "mine"', "unknown split 'mine'"),
        ('split = "dev"', "", "front matter has no split"),
        ('split = "dev"', 'split = "dev"\ncolour = "red"', "unknown key 'colour'"),
        ('id = "doc"', 'id = "other"', "the file is called 'doc'"),
        ('grade = "N0"', 'grade = "4"', "product p2 has grade 4 but no evidence"),
        ('kind = "adults"', 'kind = "people"', "unknown population kind 'people'"),
        ('title = "A Plan"', "title = A Plan", "the front matter is not TOML"),
    ],
)
def test_mistakes_in_the_front_matter(old, new, message):
    with pytest.raises(corpus.CorpusError) as error:
        parse("x", FRONT.replace(old, new, 1))
    assert message in str(error.value)


def test_all_mistakes_are_reported_at_once():
    with pytest.raises(corpus.CorpusError) as error:
        parse("a [[b|m p9 NAME]]\n\nc [[d|e p1 stage=x]]\n")
    assert [p.split(":")[1] for p in error.value.problems] == [str(BODY_LINE), str(BODY_LINE + 2)]


def test_a_trigger_without_a_mark_is_named():
    made = parse("We co\u2010produced it.\n\nCafodd ei gydgynhyrchu.\n\nA co-operative product.")
    assert [words for _, words in corpus.unmarked(made)] == ["co\u2010produced", "gydgynhyrchu"]


plain = st.text(st.sampled_from("ab ŵé-'.,\n") | st.characters(categories=["L", "N"]), min_size=1, max_size=20).map(
    lambda text: "q" + " ".join(text.split())
)


@given(st.recursive(plain, lambda inner: st.lists(inner, min_size=1, max_size=3).map(tuple), max_leaves=8))
def test_marks_never_change_the_words(tree):
    def marked(node):
        return node if isinstance(node, str) else "[[" + " ".join(map(marked, node)) + "|e p1 stage=start]]"

    def bare(node):
        return node if isinstance(node, str) else " ".join(map(bare, node))

    made = parse("Z " + marked(tree))
    assert made.text.endswith("\n\nZ " + bare(tree))
    quotes = [made.text[e.start : e.end] for e in made.evidence[1:]]

    def nodes(node):
        return [] if isinstance(node, str) else [bare(node)] + [q for child in node for q in nodes(child)]

    assert sorted(quotes) == sorted(nodes(tree))


@pytest.mark.parametrize("path", sorted((CORPUS / "documents").glob("*.txt")), ids=lambda path: path.stem)
def test_the_corpus_is_right_and_complete(path):
    document = corpus.read(path)
    assert corpus.unmarked(document) == []


@pytest.mark.parametrize("path", sorted((CORPUS / "gold").glob("*.json")), ids=lambda path: path.stem)
def test_the_compiled_gold_is_of_today(path):
    gold = json.loads(path.read_text(encoding="utf-8"))
    if gold["schema"] == gold_format.SCHEMA:
        document = corpus.read(CORPUS / "documents" / f"{gold['id']}.txt")
        assert gold == json.loads(json.dumps(gold_format.to_gold(document)))
    else:
        assert (CORPUS / "documents" / f"{gold['id']}.txt").exists() and (CORPUS / "pdf" / gold["pdf"]).exists()


def test_no_passage_is_in_two_splits():
    where = {}
    for path in sorted((CORPUS / "documents").glob("*.txt")):
        document = corpus.read(path)
        for block in document.blocks:
            words = squeeze(document.text[block.start : block.end])[0]
            if len(words) > 60:
                where.setdefault(words, set()).add(document.split)
    assert [words for words, splits in where.items() if len(splits) > 1] == []


# --- PDFs -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "documents").mkdir()
    (folder / "documents" / FIXTURE.name).write_bytes(FIXTURE.read_bytes())
    assert main(["--corpus", str(folder), "compile"]) == 0
    return folder


@cache
def letters(path):
    import pdfplumber

    with pdfplumber.open(path) as pdf:
        return [page.chars for page in pdf.pages]


@pytest.mark.parametrize("layout", gold_format.LAYOUTS)
def test_every_mark_has_boxes_on_its_page(compiled, document, layout):
    import pdfplumber

    boxes = json.loads((compiled / "gold" / f"{document.id}.{layout}.boxes.json").read_text())
    places = {item["id"]: item["boxes"] for item in (*boxes["mentions"], *boxes["evidence"])}
    with pdfplumber.open(compiled / "pdf" / boxes["pdf"]) as pdf:
        assert len(pdf.pages) == boxes["pages"]
        for item in (*document.mentions, *document.evidence):
            seen = ""
            for box in places[item.id]:
                page = pdf.pages[box["page"] - 1]
                assert 0 <= box["x0"] < box["x1"] <= page.width and 0 <= box["top"] < box["bottom"] <= page.height
                # Read it back from inside the box, whatever was drawn when.
                inside = [
                    c["text"]
                    for c in page.chars
                    if box["x0"] - 0.1 <= (c["x0"] + c["x1"]) / 2 <= box["x1"] + 0.1
                    and box["top"] - 0.1 <= (c["top"] + c["bottom"]) / 2 <= box["bottom"] + 0.1
                ]
                seen += "".join(inside)
            assert squeeze(seen)[0] == squeeze(document.text[item.start : item.end])[0]


def test_the_same_document_gives_the_same_bytes(compiled, document):
    from claimscan.training import typesetting

    for layout in gold_format.LAYOUTS:
        assert typesetting.typeset(document, layout) == (compiled / "pdf" / f"{document.id}.{layout}.pdf").read_bytes()


def test_each_layout_has_its_troubles(compiled, document):
    def words(layout):
        return "".join(c["text"] for page in letters(compiled / "pdf" / f"{document.id}.{layout}.pdf") for c in page)

    assert "\ufb01" in words("one-column") and "\ufb03" in words("one-column")
    assert "co\u2010produced" in words("designed") and "co-produced" not in words("designed")
    columns = letters(compiled / "pdf" / f"{document.id}.two-column.pdf")
    ends = [a["text"] == "-" and b["x0"] < a["x0"] for page in columns for a, b in zip(page, page[1:])]
    assert sum(ends) >= 2, "no word is broken at a line end"
    assert all("\u0177" in words(layout) or "\u0176" in words(layout) for layout in gold_format.LAYOUTS)
    for layout in gold_format.LAYOUTS:
        head = document.running_head
        assert squeeze(words(layout))[0].count(squeeze(head)[0]) >= 3, "no running heads"


def test_a_word_breaks_at_its_own_hyphen():
    """Over a run of widths, "co-" ends a line and "produced" begins the next."""
    from claimscan.training import typesetting

    body = "\n\n".join("w" * n + " and a group of tenants has always co-produced the plan." for n in range(1, 13))
    made = parse(body.replace("co-produced", "[[co-produced|x]]"))
    chars = letters(io.BytesIO(typesetting.typeset(made, "two-column")))[0]
    runs = "".join(c["text"] + ("\n" if b["top"] > c["bottom"] - 2 else "") for c, b in zip(chars, chars[1:]))
    assert "co-\nproduced" in runs


@pytest.mark.parametrize("layout", gold_format.LAYOUTS)
def test_boxes_of_every_size_are_typeset_and_found(layout, tmp_path):
    """Beside each other, over pages, with a table, without a title, waiting for the side column, at the very end."""
    from claimscan.training import places, typesetting

    few, many = ("\n\n".join(f"{n} " + "the line closes at five " * 14 for n in range(1, size)) for size in (4, 20))
    body = f"""
::: box One
{few}
:::

::: box Two
- a
- **b**
:::

## Heading

::: box
{many}

| a | b |
| --- | --- |
| c | d |
:::

> A quote.

---

{few}

::: box Three
{few}
:::

> Another.

::: box Four
[[words in a box|e p1 stage=start]]

{few}
:::
"""
    made = parse(body)
    path = tmp_path / "doc.pdf"
    path.write_bytes(typesetting.typeset(made, layout))
    boxes = places.locate(made, path)  # raises unless every block is drawn, letter for letter
    assert boxes["pages"] >= 3 and all(item["boxes"] for item in boxes["evidence"])


def test_letters_that_no_font_has_are_named():
    from claimscan.training import typesetting

    with pytest.raises(typesetting.TypesettingError, match="doc.txt:.*\u2612"):
        typesetting.typeset(parse("Yes \u2612"), "one-column")


def test_check_writes_nothing(tmp_path, capsys):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "doc.txt").write_text(FRONT + WHOLE + "and co-production\n", encoding="utf-8")
    assert main(["--corpus", str(tmp_path), "compile", "--check"]) == 0
    assert "warning: 'co-production'" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["documents"]
    (tmp_path / "documents" / "doc.txt").write_text(FRONT + "a [[b", encoding="utf-8")
    assert main(["--corpus", str(tmp_path), "compile", "--check"]) == 2
    assert main(["--corpus", str(tmp_path), "compile", "nothing-of-that-name"]) == 2
    assert "nothing-of-that-name" in capsys.readouterr().err


# --- evaluation -----------------------------------------------------------------------------------------------------


class Told:
    """A report that says what it is told to say."""

    def __init__(self, text, data):
        self.text, self.data = text, data

    def to_dict(self):
        return self.data


def perfect(document):
    """The report that the gold asks for."""
    text = document.text
    return {
        "mentions": [
            {
                "id": f"x{m.id}",
                "start": m.start,
                "end": m.end,
                "text": text[m.start : m.end],
                "type": m.type,
                "product": m.product,
            }
            for m in document.mentions
        ],
        "evidence": [
            {"id": f"x{e.id}", "start": e.start, "end": e.end, "slot": e.slot, "value": e.value, "product": e.product}
            for e in document.evidence
        ],
        "products": [
            {
                "id": p.id,
                "name": p.name,
                "is_document": p.is_document,
                "grade": p.grade,
                "ceiling": p.ceiling,
                "slots": gold_format.slots(document, p),
                "flags": [{"code": flag} for flag in p.flags or ()],
            }
            for p in document.products
        ],
    }


@pytest.fixture
def score(document, monkeypatch):
    import claimscan

    def scored(data):
        # Other white space and hyphens than the clean text has: matching must not mind.
        monkeypatch.setitem(vars(claimscan), "check_text", lambda text: Told(text, data))
        return evaluate.run([document], CORPUS)

    return scored


def test_a_perfect_report_scores_one(document, score):
    items = score(perfect(document))
    result = figures.figures(items)
    assert all(item["right"] for item in items if item["kind"] != "link")  # the linker itself runs on these
    assert result["mentions"]["f1"] == result["gradable_claims"]["f1"] == result["slots_stated"]["f1"] == 1
    assert result["type_accuracy"] == result["grade_exact"] == result["band"] == result["quotes"]["same_slot"] == 1
    assert result["mentions"]["gold"] == 6 and result["products"]["gold"] == 2
    assert "6 documents" not in figures.page(items) and "1 documents, 1 readings" in figures.page(items)


def test_an_empty_report_scores_nought(score):
    result = figures.figures(score({"mentions": [], "evidence": [], "products": []}))
    assert result["mentions"]["f1"] == result["products"]["f1"] == result["slots_stated"]["f1"] == 0
    assert result["type_accuracy"] == result["grade_exact"] == result["quotes"]["any_slot"] == 0
    assert result["grade_kappa_quadratic"] is None


def test_faults_are_counted_where_they_are(document, score):
    data = perfect(document)
    data["mentions"][3]["type"] = "DOC_DONE"  # a principle called a claim
    data["mentions"].append({**data["mentions"][0], "id": "new", "start": 200, "end": 206})  # a mention that is none
    data["products"][0]["grade"] = "4"
    data["products"][0]["slots"]["payment"] = "vouchers"
    del data["products"][0]["slots"]["stage"]
    data["evidence"] = data["evidence"][1:]
    before, after = score(perfect(document)), score(data)
    result = figures.figures(after)
    assert (result["mentions"]["gold"], result["mentions"]["found"], result["mentions"]["both"]) == (6, 7, 6)
    assert result["type_accuracy"] == pytest.approx(5 / 6)
    assert ["PRINCIPLE", "DOC_DONE", 1] in result["type_confusions"]
    assert result["gradable_claims"]["precision"] == pytest.approx(3 / 5)
    assert result["grade_exact"] == 0.5 and result["grade_within_one"] == 1.0 and result["band"] == 0.5
    assert result["slots"]["stage"]["recall"] == 0 and result["slots"]["payment"]["value"] == 0
    assert result["quotes"]["same_slot"] == pytest.approx(10 / 11)
    told = figures.compare(before, after)
    assert told.startswith("0 gained, 6 lost") and figures.compare(after, before).startswith("6 gained, 0 lost")
    assert figures.compare(after, after).startswith("0 gained, 0 lost")


def test_products_are_matched_by_what_they_share(document, score):
    data = perfect(document)
    data["products"].reverse()
    names = {"p1": "z1", "p2": "z2"}
    for item in (*data["mentions"], *data["evidence"]):
        item["product"] = names.get(item["product"], "")
    for product in data["products"]:
        product["id"] = names[product["id"]]
    assert figures.figures(score(data))["grade_exact"] == 1


@given(st.integers(0, 50), st.integers(1, 20), st.integers(0, 50), st.integers(1, 20))
def test_share_is_a_share(a, length_a, b, length_b):
    one, two = evaluate.Place(a, a + length_a), evaluate.Place(b, b + length_b)
    assert 0 <= one.share(two) <= 1 and one.share(one) == 1
    assert one.share(two) * length_a == pytest.approx(two.share(one) * length_b)


def test_share_of_boxes_minds_the_page():
    def place(page, x0, x1):
        return evaluate.Place.of_boxes([{"page": page, "x0": x0, "x1": x1, "top": 10, "bottom": 20}])

    assert place(1, 0, 100).share(place(1, 50, 150)) == 0.5
    assert place(1, 0, 100).share(place(2, 0, 100)) == 0


@pytest.mark.parametrize("layout", gold_format.LAYOUTS)
def test_our_reader_and_the_gold_boxes_agree(compiled, document, layout, monkeypatch):
    """Two ways to the same place: claimscan's reader from the page, pdfplumber from what was drawn."""
    import claimscan
    from claimscan import reading

    def nothing_found(path):
        told = Told("", {"mentions": [], "evidence": [], "products": []})
        told.document = reading.read(path)
        told.text = told.document.text
        return told

    monkeypatch.setitem(vars(claimscan), "check", nothing_found)
    items = evaluate.run([document], compiled, "pdf", [layout])
    quotes = [item for item in items if item["kind"] == "quote"]
    assert len(quotes) == len(document.evidence)
    assert all(item["read"] and item["placed"] for item in quotes)


def test_a_quote_on_the_wrong_page_is_not_placed(compiled, document, monkeypatch):
    import claimscan
    from claimscan import reading

    def moved(path):
        boxes = json.loads((compiled / "gold" / f"{document.id}.one-column.boxes.json").read_text())
        data = perfect(document)
        for item, place in zip(data["evidence"], boxes["evidence"]):
            item["boxes"] = [{**box, "page": box["page"] + 1} for box in place["boxes"]]
        for item, place in zip(data["mentions"], boxes["mentions"]):
            item["boxes"] = place["boxes"]
        told = Told("", data)
        told.document = reading.read(path)
        told.text = told.document.text
        return told

    monkeypatch.setitem(vars(claimscan), "check", moved)
    result = figures.figures(evaluate.run([document], compiled, "pdf", ["one-column"]))
    assert result["quotes"]["any_slot"] == 0 and result["mentions"]["f1"] == 1


def test_order_of_items_does_not_matter(document, score):
    items = score(perfect(document))
    shuffled = items[:]
    random.Random(1).shuffle(shuffled)
    assert figures.figures(items) == figures.figures(shuffled)


# --- how sure, how even, how much -------------------------------------------------------------------------------------


def made_items(rights, scores=(), documents=5):
    """Mentions, right or wrong, spread over documents."""
    scores = scores or [0.5] * len(rights)
    return [
        {"document": f"d{i % documents}", "split": "test", "register": "plan", "layout": "text", "kind": "mention"}
        | {
            "id": f"m{i}",
            "gold": "COMMIT",
            "found": "COMMIT" if right else "DUTY",
            "right": right,
            "note": "",
            "score": score,
        }
        for i, (right, score) in enumerate(zip(rights, scores))
    ]


def test_an_interval_holds_its_figure_and_is_narrow_where_all_agree():
    items = made_items([True, False, True, True] * 15, documents=4)
    low, high = figures.intervals(items)["type accuracy"]
    assert low < figures.headlines(items)["type accuracy"] == 0.75 < high
    assert figures.intervals(made_items([True] * 20))["type accuracy"] == (1.0, 1.0)
    assert figures.intervals(items) == figures.intervals(items), "the seed is fixed"


def test_intervals_draw_documents_not_mentions():
    """Where all of a document is right or all wrong, the interval is as wide as that of so few documents."""
    whole = [True] * 40 + [False] * 40
    mixed = made_items(whole, documents=10)  # d0 to d9 hold as many right as wrong
    apart = [{**item, "document": f"d{i // 8}"} for i, item in enumerate(made_items(whole))]
    width = {
        name: np.diff(figures.intervals(items)["type accuracy"])[0] for name, items in (("m", mixed), ("a", apart))
    }
    assert width["m"] == 0 < width["a"]


def test_calibration_error():
    even = made_items([True, False] * 50, [0.5] * 100)
    assert figures.calibration(even, "mention", 1)[0] == 0
    sure = made_items([True, False] * 50, [1.0] * 100)
    assert figures.calibration(sure, "mention")[0] == pytest.approx(0.5)
    assert figures.calibration(sure, "product") == (0.0, [])


def test_floors_hold_and_come_down_only_by_a_flag(tmp_path):
    path = tmp_path / "floors.json"
    good, bad = ({"text": {"grade exact": value}} for value in (0.8, 0.7))
    floors.write(path, "hash", good)
    assert floors.below(floors.read(path), good) == []
    assert floors.below(floors.read(path), bad) == ["text: grade exact is 0.700; the floor is 0.800."]
    with pytest.raises(UsageError):
        floors.write(path, "hash", bad)
    floors.write(path, "hash", {"text": {"grade exact": 0.9}})
    assert floors.read(path)["figures"]["text"]["grade exact"] == 0.9, "floors rise by themselves"
    floors.write(path, "hash", bad, lower=True)
    assert floors.read(path)["figures"]["text"]["grade exact"] == 0.7
    floors.write(path, "another corpus", {"text": {"grade exact": 0.1}})
    assert floors.read(path)["figures"]["text"]["grade exact"] == 0.1, "another corpus has other floors"


def test_near_duplicates_are_found_only_across_splits():
    body = "\nNine tenants met the surveyor on a wet Thursday in the hall behind the chapel.\n"
    one = parse(body)
    other = corpus.parse(FRONT.replace('"dev"', '"test"').replace('"doc"', '"two"') + WHOLE + body, "two.txt", "two")
    alike = [(t.where, t.likeness) for t in coverage.twins([one, other])]
    assert alike == [(("doc", "two"), 1.0)]
    assert coverage.twins([one, one]) == []
    outside = coverage.twins(
        [one], [("passage 3", "Nine tenants met a surveyor on a wet Thursday in the hall behind the chapel.")]
    )
    assert [t.where for t in outside] == [("doc", "passage 3")]


def test_the_second_annotation_is_scored_like_a_report(document, tmp_path):
    (tmp_path / "second").mkdir()
    source = FIXTURE.read_text(encoding="utf-8")
    (tmp_path / "second" / FIXTURE.name).write_text(source.replace("- PRINCIPLE", "- DUTY"), encoding="utf-8")
    items = evaluate.run([document], tmp_path, "second")
    result = figures.figures(items)
    assert result["type_accuracy"] == pytest.approx(5 / 6) and result["grade_exact"] == 1
    (tmp_path / "second" / FIXTURE.name).write_text(source.replace("Tidewell", "Other"), encoding="utf-8")
    with pytest.raises(UsageError):
        evaluate.run([document], tmp_path, "second")
