"""Two versions of a document, and two runs: what is different is said, fairly, and nothing else is."""

import csv
import gzip
import hashlib
import io
import json
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import claimscan
from claimscan import batch, cli, comparing, pairing
from claimscan.batch import sources, tables, two_runs, work
from claimscan.showing import comparison as showing

PROVENANCE = {"claimscan": "0.1.0", "codebook": "1.1", "lexicons": "0f", "model": "1e", "scores": "2d", "config": "3c"}
CLAIM = "The Quiet Map was co-produced with six tenants of Larch House."
GROUP = "Six tenants met the designers every month from the first sketch."
PAID = "Each tenant was paid 15 pounds an hour."
FLAGS = {"paid": "credit", "payment-not-stated": "ask", "proxy-led": "concern"}


def evidence(quote=GROUP, slot="contributors", value="le", page=1, who="le", **more):
    return {"quote": quote, "slot": slot, "value": value, "page": page, "who": who, **more}


def product(name="the Quiet Map", claims=(CLAIM,), found=(), grade="3", flags=(), **more):
    return {"name": name, "claims": claims, "found": found, "grade": grade, "flags": flags, **more}


def report(*products, others=(), source="plan.txt", title="A plan", text=None, provenance=PROVENANCE, **about):
    """A report as ``check --json`` writes it, made up from its products; ``others`` are (sentence, type) of no product."""
    whole = {"schema": "claimscan/report/1", "provenance": provenance, "mentions": [], "products": [], "evidence": []}
    mentions, quotes = whole["mentions"], whole["evidence"]
    for p in products:
        key, own = f"p{len(whole['products']) + 1}", []
        for sentence in p["claims"]:
            own.append(mention(mentions, sentence, "DOC_DONE" if p.get("is_document") else "OTHER_DONE", key))
        for e in p["found"]:
            quotes.append(
                {"id": f"e{len(quotes) + 1}", "product": key, "start": 10 * len(quotes), "end": 10 * len(quotes) + 5}
                | {"score": 0.9, "rule": "r", "certainty": "explicit", "detail": {}, "boxes": []}
                | e
            )
        grade = p["grade"]
        whole["products"].append(
            {"id": key, "name": p["name"], "is_document": p.get("is_document", False), "mentions": own}
            | {
                "grade": grade,
                "label": f"Label {grade}",
                "band": "",
                "plain": f"plain words of {grade}",
                "supports": "",
            }
            | {"ceiling": p.get("ceiling", "6"), "proxy_grade": None, "borderline": False, "second_reading": None}
            | {"score": 0.5, "reasons": [], "next": [], "slots": {}, "questions": [], "crosswalk": {}}
            | {"flags": [{"code": f, "kind": FLAGS[f], "plain": f"Says {f}.", "evidence": []} for f in p["flags"]]}
        )
    for sentence, kind in others:
        mention(mentions, sentence, kind, None)
    body = json.dumps([products, others, about.get("id", "")], default=str).encode()
    whole["document"] = {
        **{"id": hashlib.sha256(body).hexdigest(), "source": source, "format": "text", "title": title, "pages": 9},
        **{"words": 9, "text_sha256": hashlib.sha256(body).hexdigest(), "unread_pages": [], "ocr_pages": []},
        **{"population": {"label": "tenants", "kind": "residents", "quote": "", "page": None}, "warnings": []},
        **({"text": text} if text is not None else {}),
        **about,
    }
    return whole


def mention(mentions, sentence, kind, key):
    mentions.append(
        {
            "id": f"m{len(mentions) + 1}",
            "sentence": sentence,
            "type": kind,
            "page": 1,
            "product": key,
            "text": "co-produced",
        }
    )
    return mentions[-1]["id"]


def said(found, **more):
    return " ".join(showing.summary(found, everything=True, **more).split())


# --- what goes with what --------------------------------------------------------------------------------------------


def test_equals_are_not_paired_and_the_rest_is():
    likeness = {("a", "x"): 0.9, ("b", "y"): 0.8, ("b", "z"): 0.8, ("c", "w"): 0.3}
    scores = pairing.likenesses("abc", "xyzw", lambda i, j: likeness.get((i, j), 0.0), 0.5)
    found = pairing.paired(3, 4, scores, margin=0.02)
    assert found == pairing.Pairing(((0, 0),), (((1,), (1, 2)),), (2,), (3,))


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=4))
def test_pairing_is_the_same_from_both_sides_and_leaves_nobody_out(scores):
    likeness = {(i, j): score / 4 for i, row in enumerate(scores) for j, score in enumerate(row) if score >= 2}
    one = pairing.paired(len(scores), 3, likeness, margin=0.1)
    other = pairing.paired(3, len(scores), {(j, i): score for (i, j), score in likeness.items()}, margin=0.1)
    assert sorted((j, i) for i, j in other.pairs) == list(one.pairs)
    assert sorted((right, left) for left, right in other.either) == list(one.either)
    assert (one.first, one.second) == (other.second, other.first)
    places = [i for i, _ in one.pairs] + [i for left, _ in one.either for i in left] + list(one.first)
    assert sorted(places) == list(range(len(scores)))
    assert all(scores[i][j] >= 2 for i, j in one.pairs)


def test_two_things_that_could_be_either_are_said_and_not_compared():
    twins = [product("the course", (f"The course was co-produced with tenants {n}.",), grade="2") for n in "ab"]
    found = comparing.compare(
        report(*twins), report(product("the course", ("The course was co-produced with tenants c.",), grade="5"))
    )
    assert [(len(before), len(after)) for before, after in found.either] == [(2, 1)]
    assert not any(p.findings for p in found.products)
    assert "Could be either" in said(found) and "level 5 of 6 (Label 5)" in said(found)


def test_a_year_in_the_name_tells_two_of_a_series_apart():
    old, new = (product(f"the Carers Plan {y}", (f"The Carers Plan {y} was co-produced.",)) for y in (2019, 2024))
    found = comparing.compare(report(old), report(new))
    assert [(p.before is None, p.after is None) for p in found.products] == [(False, True), (True, False)] or [
        (p.before is None, p.after is None) for p in found.products
    ] == [(True, False), (False, True)]


def test_the_document_is_the_document_under_another_name():
    old = product("this strategy", ("Our strategy was co-produced.",), is_document=True, grade="1")
    new = product(
        "Larch Road Plan 2030", ("Tenants wrote all of it with us, and it was co-produced.",), is_document=True
    )
    (change,) = comparing.compare(report(old), report(new)).products
    assert change.findings == (("grade", "1", "3"),)
    assert "Called “this strategy” before." in said(comparing.compare(report(old), report(new)))


def test_a_renamed_thing_is_known_by_its_quotes():
    quotes = [evidence(), evidence(PAID, "payment", "paid")]
    old = product("the Quiet Map", (CLAIM,), quotes)
    new = product("the map of quiet rooms", (CLAIM.replace("Quiet Map", "map of quiet rooms"),), quotes)
    assert not comparing.compare(report(old), report(new)).products


# --- what is different ----------------------------------------------------------------------------------------------


def test_grade_ceiling_and_flags():
    old = product(grade="3", ceiling="5", flags=("payment-not-stated",))
    new = product(grade="4", ceiling="6", flags=("paid",))
    found = comparing.compare(report(old), report(new))
    (change,) = found.products
    assert change.findings == (("grade", "3", "4"), ("ceiling", "5", "6"))
    assert {(c.how, c.either.code) for c in change.flags} == {("added", "paid"), ("dropped", "payment-not-stated")}
    text = said(found)
    assert "The document now shows: plain words of 4 (Label 4, level 4 of 6). Before: level 3 of 6 (Label 3)." in text
    assert "now level 6 (Co-produced), before level 5 (Co-designed)" in text
    assert "Now noted - Credit: Says paid. No longer noted - To ask: Says payment-not-stated." in text


def test_a_quote_that_left_the_document_and_one_that_is_only_read_otherwise():
    old = product(found=[evidence(), evidence(PAID, "payment", "paid")])
    text = f"{CLAIM} Each tenant was\npaid 15 pounds an hour. Bins are emptied on Mondays."
    found = comparing.compare(report(old), report(product(), text=text))
    assert {(c.either.quote, c.there) for c in found.products[0].evidence} == {(GROUP, False), (PAID, True)}
    assert f"No longer in the document - page 1: “{GROUP}”" in said(found)
    assert f"Still in the document, and no longer read as evidence of this - page 1: “{PAID}”" in said(found)


def test_without_the_text_it_is_not_said_that_words_left():
    found = comparing.compare(report(product(found=[evidence()])), report(product()))
    assert found.products[0].evidence[0].there is None
    assert "no longer in the document" not in said(found).lower() and "--with-text" in said(found)


def test_another_page_is_no_change():
    found = comparing.compare(report(product(found=[evidence(page=2)])), report(product(found=[evidence(page=7)])))
    assert not found.changed and (found.same_evidence, found.moved) == (1, 1)
    assert "Nothing that claimscan looks for is different." in said(found)


def test_breaks_case_and_hyphens_are_no_change():
    new = product("The  Quiet Map", (CLAIM.upper().replace("-", "\u2010"),), [evidence(GROUP.replace(" ", "\n"))])
    assert not comparing.compare(report(product(found=[evidence()])), report(new)).changed
    assert comparing.plain("They co-pro-\nduced it.") == comparing.plain("they co\u2011produced it")
    assert comparing.plain("not paid") != comparing.plain("paid")


def test_reworded_and_reread_evidence():
    old = product(
        found=[evidence(GROUP, "count", "exact", detail={"kind": "exact", "le_n": 6}), evidence(PAID, who="le")]
    )
    seven = GROUP.replace("Six", "Seven")
    new = product(
        found=[evidence(seven, "count", "exact", detail={"kind": "exact", "le_n": 7}), evidence(PAID, who="proxy")]
    )
    found = comparing.compare(report(old), report(new))
    assert sorted(c.how for c in found.products[0].evidence) == ["reread", "reworded"]
    assert "how many: 7 people. Before: how many: 6 people" in said(found)
    assert "[people who speak for them]. Before:" in said(found)


def test_the_place_that_differs_is_seen_in_a_long_sentence():
    long = "tenants of every one of the houses along the river, " * 6
    old, new = (f"The Quiet Map was co-produced with {long}{n} of them." for n in ("nine", "eight"))
    text = said(comparing.compare(report(product(claims=(old,))), report(product(claims=(new,)))))
    assert "nine of them.”" in text and "eight of them.”" in text


def test_claims_by_sentence():
    plan = "The Quiet Map will be co-produced next year."
    old = report(
        product(claims=(CLAIM, "Our co-produced Quiet Map is out.")), others=[("We work in co-production.", "PRACTICE")]
    )
    new = report(product(claims=(CLAIM,)), others=[("We work in co-production.", "PRINCIPLE"), (plan, "COMMIT")])
    found = comparing.compare(old, new)
    assert {(c.how, c.either.sentence) for c in found.claims} == {
        ("dropped", "Our co-produced Quiet Map is out."),
        ("reread", "We work in co-production."),
    }
    assert found.same_claims == 1
    assert "Read now as explanation of the idea, before as statement of how people usually work." in said(found)


def test_other_rules_are_said_first():
    old, new = product(grade="3"), product(grade="4")
    other = PROVENANCE | {"lexicons": "ff"}
    found = comparing.compare(report(old), report(new, provenance=other))
    assert found.other_rules and not found.other_settings
    text = said(found)
    assert "made with different rules or settings: the word lists and rules." in text
    assert "a change may be the tool's and not the document's" in text
    assert text.index("different rules") < text.index("level 4")
    same = comparing.compare(report(old, id="a"), report(new, id="a", provenance=PROVENANCE | {"config": "ff"}))
    assert not same.other_rules and "the settings" in said(same)
    assert "every difference comes from the rules or settings and none from the document" in said(same)


def test_pages_that_were_not_read_are_said():
    found = comparing.compare(report(product()), report(product(), unread_pages=[{"page": 4, "why": "a picture"}]))
    assert "Not read now: page 4." in said(found)


def test_the_words_are_fair():
    old = product(grade="5", found=[evidence()], flags=("paid",))
    new = product(grade="1", flags=("proxy-led",))
    text = said(comparing.compare(report(old, text=CLAIM), report(new, text=CLAIM)))
    assert not re.search(r"\b(worse|better|improved|declined|dropped|failed|downgraded|upgraded|untrue|false)\b", text)
    assert "“not stated” is never a “no”" in text


# --- always ---------------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["the Quiet Map", "the course", "the Carers Plan 2024", "this plan", "the Larch House rules"])
_WORDS = [CLAIM, GROUP, PAID, "The course was co-produced.", "Our co-produced rules.", GROUP.replace("Six", "Nine")]
_EVIDENCE = st.builds(
    evidence,
    quote=st.sampled_from(_WORDS),
    slot=st.sampled_from(["contributors", "payment"]),
    value=st.sampled_from(["le", "paid"]),
    page=st.integers(1, 3),
    who=st.sampled_from(["le", "proxy"]),
)
_PRODUCTS = st.builds(
    product,
    name=_NAMES,
    claims=st.lists(st.sampled_from(_WORDS), max_size=2).map(tuple),
    found=st.lists(_EVIDENCE, max_size=4),
    grade=st.sampled_from(["N0", "O", "2", "5"]),
    flags=st.sampled_from([(), ("paid",), ("paid", "proxy-led")]),
    is_document=st.booleans(),
)
_REPORTS = st.builds(
    lambda products, others, text: report(*products, others=others, text=text),
    st.lists(_PRODUCTS, max_size=4),
    st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from(["PRACTICE", "COMMIT"])), max_size=2),
    st.sampled_from([None, "", " ".join(_WORDS)]),
)


def flat(found, swap=False):
    """Everything in a comparison without its order; ``swap`` reads it as the comparison from the other side."""

    def side(change):
        pair = [repr(end) for end in (change.before, change.after)]
        how = {"added": "dropped", "dropped": "added"}.get(change.how, change.how) if swap else change.how
        return how, str(change.there), *(reversed(pair) if swap else pair)

    def ends(pair):
        return tuple(reversed(pair)) if swap else tuple(pair)

    return (
        sorted(
            (
                ends([repr(p.before), repr(p.after)]),
                sorted((name, *ends(values)) for name, *values in p.findings),
                sorted(side(c) for c in p.evidence),
                sorted(side(c) for c in p.flags),
                (p.same, p.moved, str(p.there)),
            )
            for p in found.products
        ),
        sorted(map(str, (side(c) for c in found.claims))),
        sorted(ends([tuple(sorted(map(repr, group))) for group in groups]) for groups in found.either),
        (found.same_products, found.same_claims, found.same_evidence, found.moved),
    )


@settings(max_examples=200, deadline=None)
@given(_REPORTS, _REPORTS)
def test_from_the_other_side_it_is_the_mirror_image(one, other):
    there, back = comparing.compare(one, other), comparing.compare(other, one)
    assert str(flat(there)) == str(flat(back, swap=True))


@settings(max_examples=100, deadline=None)
@given(_REPORTS)
def test_the_same_report_has_no_change(whole):
    found = comparing.compare(whole, json.loads(json.dumps(whole)))
    assert not found.changed and not found.either and not found.provenance
    assert found.same_products == len(whole["products"]) and found.same_evidence == len(whole["evidence"])


@settings(max_examples=60, deadline=None)
@given(_REPORTS, _REPORTS)
def test_every_piece_is_counted_once(one, other):
    found = comparing.compare(one, other)
    if found.either:
        return
    changes = [c for p in found.products for c in p.evidence]
    for side, whole in (("before", one), ("after", other)):
        assert found.same_evidence + sum(getattr(c, side) is not None for c in changes) == len(whole["evidence"])
        left = sum(getattr(p, side) is not None for p in found.products)
        assert found.same_products + left == len(whole["products"])
    rows = list(csv.DictReader(io.StringIO(showing.to_csv(found))))
    assert sum(row["what"] == "evidence" for row in rows) == len(changes)


# --- hostile text ---------------------------------------------------------------------------------------------------

ATTACK = "\x1b]0;owned\x07\x1b[31m=1+1\u202egnp.exe\ud800"


def test_no_text_can_send_a_terminal_code_or_a_formula():
    bad = product("=" + ATTACK, (f"=cmd {ATTACK} was co-produced",), [evidence(f"@x {ATTACK}", page=2)])
    about = {"population": {"label": ATTACK, "kind": "x", "quote": "", "page": None}}
    hostile = report(bad, source="-" + ATTACK, title=ATTACK, provenance={"claimscan": ATTACK, ATTACK: "x"}, **about)
    for pair in ((report(product()), hostile), (hostile, report(product()))):
        found = comparing.compare(*pair)
        assert found.changed
        text = showing.summary(found, everything=True)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", text)
        for row in csv.reader(io.StringIO(showing.to_csv(found))):
            assert not [cell for cell in row if cell.lstrip()[:1] in tuple("=+-@") if cell]
        back = json.loads(showing.to_json(showing.to_dict(found)))
        assert ATTACK in (back["before"]["title"], back["after"]["title"])


@pytest.mark.parametrize("key", ["document", "provenance", "mentions", "products", "evidence", "schema"])
@pytest.mark.parametrize("value", [None, 3, "x", [3], {"x": 1}])
def test_a_report_that_is_not_whole_is_one_error(key, value):
    whole = report(product(found=[evidence()])) | {key: value}
    try:
        comparing.compare(whole, whole)
    except ValueError:
        pass
    else:
        assert key == "provenance" and value == {"x": 1}


# --- two runs -------------------------------------------------------------------------------------------------------


def run_folder(top, out, files, made):
    """A run folder as scan writes it: ``files`` are names with their words; ``made`` gives the report of a source."""
    top.mkdir()
    for name, words in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(words.encode())

    def engine(tasks):
        for task in tasks:
            name = os.path.relpath(task.source.path, top)
            if made[name] is None:
                yield task, work.Outcome(code="DamagedDocument", why="It is damaged.", remedy="Download it again.")
                continue
            whole = made[name]
            whole["document"] |= {"id": task.document, "source": task.source.name}
            yield task, work.Outcome(report=json.dumps(whole).encode())

    plan = sources.plan([str(top)], out=str(out), taken=sorted(tables.taken()))
    batch.run(plan, str(out), engine)
    return out


@pytest.fixture
def two(tmp_path):
    """Two runs: a version by name, one by title, the same bytes, one only here or there, and one that became unread."""
    a = run_folder(
        tmp_path / "a",
        tmp_path / "run-a",
        {"n/map.txt": "1", "n/same.txt": "2", "n/carers-2019.txt": "3", "n/gone.txt": "4", "n/bad.txt": "5"},
        {
            "n/map.txt": report(product(grade="3", found=[evidence()])),
            "n/same.txt": report(product("the course", ("The course was co-produced.",), grade="2")),
            "n/carers-2019.txt": report(product(grade="2"), title="Larch Carers Strategy 2019"),
            "n/gone.txt": report(title="Gone"),
            "n/bad.txt": report(title="Bad"),
        },
    )
    b = run_folder(
        tmp_path / "b",
        tmp_path / "run-b",
        {"n/map.txt": "1b", "n/moved.txt": "2", "n/carers-2024.txt": "3b", "n/new.txt": "6", "n/bad.txt": "5b"},
        {
            "n/map.txt": report(product(grade="4", found=[evidence(), evidence(PAID, "payment", "paid")])),
            "n/moved.txt": report(product("the course", ("The course was co-produced.",), grade="2")),
            "n/carers-2024.txt": report(product(grade="1"), title="Larch Carers Strategy 2024"),
            "n/new.txt": report(title="New"),
            "n/bad.txt": None,
        },
    )
    return a, b


def test_runs_are_paired_by_bytes_then_name_then_title(two):
    runs = two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in two))
    assert runs.pairs == {"bytes": 1, "name": 1, "title": 1}
    assert (runs.read, runs.unread) == ((5, 4), (0, 1))
    assert {how: c.before.source.rsplit("/")[-1] for how, c in runs.changed} == {
        "name": "map.txt",
        "title": "carers-2019.txt",
    }
    ends = [[d.source.rsplit("/")[-1] for d in part] for part in (runs.only_before, runs.only_after, runs.unread_after)]
    assert ends == [["gone.txt"], ["new.txt"], ["bad.txt"]] and not runs.unread_before and not runs.either
    assert (runs.totals["grade_higher"], runs.totals["grade_lower"], runs.totals["products"]) == (1, 1, 3)
    text = " ".join(showing.runs_summary(runs).split())
    assert "Documents read in both runs: 3 (1 with the same bytes, 1 by name, 1 by title and words in common)." in text
    assert "Of these 3, 2 show something different." in text
    assert (
        "Of 3 things said to be made with people that both runs found: 1 now at a higher level, 1 at a lower one"
        in text
    )
    assert "It is damaged." in text


def test_runs_from_the_other_side(two):
    there, back = (
        two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in pair)) for pair in (two, reversed(two))
    )
    assert (
        there.pairs == back.pairs and there.only_before == back.only_after and there.unread_after == back.unread_before
    )
    mirror = {"evidence_added": "evidence_dropped", "grade_higher": "grade_lower"}
    for one, other in mirror.items():
        assert there.totals[one] == back.totals[other] and there.totals[other] == back.totals[one]


def test_a_title_alone_pairs_nothing(tmp_path):
    folders = []
    for n, claim in enumerate((CLAIM, "Our carers strategy was co-produced in Orrell.")):
        made = {f"{n}.txt": report(product(claims=(claim,)), title="Carers Strategy")}
        folders.append(run_folder(tmp_path / str(n), tmp_path / f"run{n}", {f"{n}.txt": str(n)}, made))
    runs = two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in folders))
    assert not runs.pairs and len(runs.only_before) == len(runs.only_after) == 1


def test_documents_that_could_be_either_are_said(tmp_path):
    folders = []
    for n, names in enumerate((("x.txt", "y.txt"), ("z.txt", "w.txt"))):
        made = {name: report(product(), title="Carers Strategy") for name in names}
        folders.append(run_folder(tmp_path / str(n), tmp_path / f"r{n}", {name: name for name in names}, made))
    runs = two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in folders))
    assert [(len(xs), len(ys)) for xs, ys in runs.either] == [(2, 2)] and not runs.pairs
    assert "Could be either, so not compared" in showing.runs_summary(runs)
    assert (
        sum(row["change"] == "could_be_either" for row in csv.DictReader(io.StringIO(showing.runs_to_csv(runs)))) == 4
    )


def test_the_same_bytes_with_other_rules(tmp_path):
    folders = []
    for n, grade in enumerate("35"):
        made = {"a.txt": report(product(grade=grade), provenance=PROVENANCE | {"lexicons": grade})}
        folders.append(run_folder(tmp_path / str(n), tmp_path / f"run{n}", {"a.txt": "same"}, made))
    runs = two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in folders))
    text = " ".join(showing.runs_summary(runs).split())
    assert (runs.totals["grade_higher"], runs.totals["grade_lower"]) == (1, 0)
    assert runs.provenance == {"lexicons": 1} and "in up to 1 of 1 pair of documents" in text
    assert "1 document has the same bytes in both runs and is read otherwise" in text


def test_words_that_left_are_known_from_the_kept_reading(tmp_path):
    folders = []
    for n, (found, words) in enumerate((([evidence(), evidence(PAID)], "x"), ([], f"{CLAIM} {PAID}"))):
        made = {"a.txt": report(product(found=found))}
        folders.append(run_folder(tmp_path / str(n), tmp_path / f"run{n}", {"a.txt": words}, made))
        (document,) = [row.document for row in two_runs.RunFolder(str(folders[n])).listed()]
        path = folders[n] / "readings" / document[:2] / f"{document}.json.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(json.dumps({"text": words}).encode()))
    ((_, found),) = two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in folders)).changed
    assert {(c.either.quote, c.there) for c in found.products[0].evidence} == {(GROUP, False), (PAID, True)}
    path.write_bytes(b"\x1f\x8b damaged")
    ((_, found),) = two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in folders)).changed
    assert {c.there for c in found.products[0].evidence} == {None}


def test_one_damaged_report_stops_nothing(two, capsys):
    (report_file,) = [p for p in (two[1] / "reports").rglob("*.json") if '"grade": "4"' in p.read_text()]
    report_file.write_text("{")
    assert cli.main(["compare", *map(str, two)]) == 1
    out = capsys.readouterr().out
    assert "Could not be compared" in out and "missing or damaged" in " ".join(out.split())


def test_one_pair_of_reports_is_held_at_a_time(two, monkeypatch):
    """Reports that are read are let go of again: no more than one pair is alive when the next one is read."""
    import weakref

    class Whole(dict):
        pass

    alive = weakref.WeakSet()
    most = []
    load = two_runs.RunFolder.report

    def counted(self, document):
        whole = Whole(load(self, document))
        alive.add(whole)
        most.append(len(alive))
        return whole

    Whole.__hash__ = object.__hash__
    monkeypatch.setattr(two_runs.RunFolder, "report", counted)
    two_runs.compare_runs(*(two_runs.RunFolder(str(folder)) for folder in two))
    assert len(most) >= 6 and max(most) <= 2


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old = report(product(grade="3", found=[evidence()]), source="old.pdf")
    new = report(product(grade="4", found=[evidence(), evidence(PAID, "payment", "paid")]), source="new.pdf")
    (tmp_path / "old.json").write_text(json.dumps(old))
    (tmp_path / "new.json").write_text(json.dumps(new))
    return tmp_path


def test_two_reports(files, capsys):
    assert cli.main(["compare", "old.json", "new.json", "--json", "o.json", "--csv", "o.csv"]) == 0
    out = capsys.readouterr().out
    assert "now shows" in out and "Written: o.json" in out
    whole = json.loads((files / "o.json").read_text(encoding="utf-8"))
    assert whole["schema"] == "claimscan/comparison/1" and whole["kind"] == "documents"
    assert whole["products"][0]["finding"] == [{"field": "grade", "before": "3", "after": "4"}]
    rows = list(csv.DictReader((files / "o.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {(row["what"], row["change"], row["after"]) for row in rows} == {
        ("grade", "changed", "4"),
        ("evidence", "added", PAID),
    }


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_standard_output_holds_the_data_and_nothing_else(files, capfdbinary, kind):
    assert cli.main(["compare", "old.json", "new.json", f"--{kind}", "-"]) == 0
    out = capfdbinary.readouterr().out
    assert json.loads(out)["kind"] == "documents" if kind == "json" else out.startswith(b"before_source,")


def test_quiet_says_nothing(files, capsys):
    assert cli.main(["compare", "old.json", "new.json", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_lists_of_reports_are_runs(files, capsys):
    for name in ("old", "new"):
        whole = json.loads((files / f"{name}.json").read_text())
        whole["document"]["source"] = "plan.pdf"
        (files / f"{name}s.json").write_text(json.dumps([whole, report(title="Other", source="other.pdf")]))
    assert cli.main(["compare", "olds.json", "news.json", "--json", "-"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["kind"] == "runs" and whole["totals"]["paired_by"] == {"bytes": 1, "name": 1, "title": 0}


@pytest.mark.parametrize(
    "args, message",
    [
        (["nothing.json", "new.json"], "There is no file nothing.json"),
        (["nothing.pdf", "new.json"], "nothing.pdf"),
        (["other.json", "new.json"], "other.json is no report as “claimscan check --json” writes it"),
        (["broken.json", "new.json"], "broken.json could not be read (it is no whole JSON)"),
        (["empty.json", "new.json"], "empty.json is no report"),
        (["folder", "new.json"], "folder is not the folder of a run"),
        (["old.json", "list.json"], "One of them is a run and the other a single document"),
        (["-", "-"], "Standard input can be read only once"),
        (["old.json", "new.json", "--json", "old.json"], "old.json is to be read"),
        (["old.json", "new.json", "--json", "-", "--csv", "-"], "Two outputs have the same name"),
        (["old.json", "new.json", "--csv", "no/where.csv"], "There is no folder"),
        (["old.json", "new.json", "--csv", "folder"], "folder is a folder"),
        (["old.json"], "The following arguments are required: B"),
    ],
)
def test_wrong_inputs_are_one_plain_sentence(files, capsys, args, message):
    (files / "other.json").write_text(json.dumps({"schema": "something/else"}))
    (files / "broken.json").write_text("{")
    (files / "empty.json").write_text("[]")
    (files / "list.json").write_text(json.dumps([report(), report(title="b", id="b")]))
    (files / "folder").mkdir()
    assert cli.main(["compare", *args]) in (2, 3)
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and told.err.startswith("claimscan: ")
    assert message in told.err and "Traceback" not in told.err


# --- real documents -------------------------------------------------------------------------------------------------


def words_of(name):
    path = os.path.join(os.path.dirname(claimscan.__file__), "..", "corpus", "gold", f"{name}.json")
    with open(path, encoding="utf-8") as file:
        return json.load(file)["text"]


@pytest.mark.slow
def test_a_real_document_and_its_next_version():
    old = words_of("w1-autism-plan")
    advice = "The Circle's remit was to advise and the Cabinet Member's to determine."
    vote = "The Circle and the Cabinet Member had one vote each, and nothing passed without the Circle's agreement."
    form = (
        "The referral form for adult assessment was co-designed by psychologists and social workers and is now in use"
    )
    assert advice in old and form in old
    new = old.replace(advice, vote).replace(form, "The referral form for adult assessment is now in use")
    new += "\n\nThe Quiet Hours Guide was co-produced with nine autistic residents.\n"
    before, after = (claimscan.check_text(text).to_dict(with_text=True) for text in (old, new))
    assert not comparing.compare(before, before).changed
    found = comparing.compare(before, after)
    assert not found.provenance
    came = [p.after.name for p in found.products if p.before is None]
    went = [p.before.name for p in found.products if p.after is None]
    assert came == ["The Quiet Hours Guide"] and went == ["The referral form for adult assessment"]
    (plan,) = [p for p in found.products if p.either.is_document]
    assert {(c.how, c.there) for c in plan.evidence if c.either.quote == advice} == {("dropped", False)}
    assert {(c.how, c.there) for c in plan.evidence if c.either.quote == vote} == {("added", False)}
    assert flat(found) == flat(comparing.compare(after, before), swap=True)


@pytest.mark.slow
def test_two_files_by_the_command(tmp_path, capsys):
    old = "Larch Plan\n\nThe Quiet Map was co-produced with six tenants. They were paid for their time.\n"
    (tmp_path / "a.txt").write_text(old)
    (tmp_path / "b.txt").write_text(old.replace(" They were paid for their time.", ""))
    assert cli.main(["compare", str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "No longer in the document - “They were paid for their time.” Payment: paid." in text
