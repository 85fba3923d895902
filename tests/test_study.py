"""A study over a run: codings and what is derived from them, the folder, units of several coders, adjudication, other tables."""

import filecmp
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import claimscan
import claimscan.cli
from claimscan import codebook
from claimscan.batch import run_tables
from claimscan.errors import RuleError, UsageError
from claimscan.records import Anchor
from claimscan.study import adjudicating, beginning, codings, deriving, frameworks, regrading, units
from claimscan.study.codes import code_system
from claimscan.study.codings import Coding, CodingError, detail_text, of_tags
from claimscan.study.folder import Study, coder_name
from claimscan.study.placing import Placer, anchor_of

ROOT = Path(__file__).parent.parent
TABLES = ROOT / "claimscan" / "data" / "codebook"
PARENTS = """Sandmoor autism strategy

This strategy was co-produced with autistic people. Parents of autistic children wrote it over the winter. Three autistic
adults were shown the final draft in March. They were not paid.

Our welcome guide was co-produced too: twelve autistic adults met every month from the start, wrote it with us, were paid £20
an hour and signed it off in June.

We believe in co-production."""
PANEL = """Eastwick carers plan

This plan was co-designed with carers. A panel of nine carers met six times from May, before anything was drafted. Because of
what they said, the plan now promises a named worker. They were paid for their time."""
PLAIN = "Bin rounds\n\nBins are emptied on Tuesdays. Please put them out by seven."
STAMP = "Hillcote housing strategy\n\nThis strategy was co-produced."


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A finished run of a few documents, with metadata; one is there twice and one cannot be read."""
    folder = tmp_path_factory.mktemp("documents")
    rows = ["path,region"]
    texts = {"sandmoor": PARENTS, "eastwick": PANEL, "bins": PLAIN, "hillcote": STAMP, "copy": STAMP}
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        rows.append(f"{name}.txt,{'north' if name < 'f' else '=south'}")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    rows.append("broken.pdf,north")
    (folder / "list.csv").write_text("\n".join(rows))
    out = tmp_path_factory.mktemp("run") / "run"
    assert claimscan.cli.main(["scan", str(folder / "list.csv"), "--out", str(out), "--workers", "1", "--quiet"]) == 1
    return out


@pytest.fixture
def study(run, tmp_path):
    """A study of that run with every readable document in it."""
    made = beginning.begin(str(run), str(tmp_path / "study"), "Two councils")
    drawn = [row for row in made.frame() if row["status"] == "read"]
    drawn = [{**row, "stratum": row["grade"], "probability": "1", "double": "yes"} for row in drawn]
    beginning.draw(str(run), made, drawn)
    return made


# --- codings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [PARENTS, PANEL, PLAIN, STAMP], ids=["parents", "panel", "plain", "stamp"])
def test_a_report_and_its_codings_say_the_same(text):
    report = claimscan.check_text(text)
    coded = deriving.codings_of(report.to_dict())
    system = code_system(c.thing for c in coded)
    assert all(system.check(c) is c for c in coded)
    again = deriving.derive(report.document, report.population, coded, {})
    assert deriving.codings_of(again.to_dict()) == coded
    names = deriving.thing_names(report.to_dict()["products"])
    grades = {names[p.id]: report.findings[p.id].grade for p in report.products}
    assert {p.name: again.findings[p.id].grade for p in again.products} == grades
    flags = {names[p.id]: [f.code for f in report.findings[p.id].flags] for p in report.products}
    assert {p.name: [f.code for f in again.findings[p.id].flags] for p in again.products} == flags


def test_the_parents_wrote_it_as_codings():
    coded = deriving.codings_of(claimscan.check_text(PARENTS).to_dict())
    said = {(c.code, c.thing) for c in coded}
    assert {("mention/DOC_DONE", "this document"), ("authorship/proxy", "this document")} <= said
    assert ("mention/PRINCIPLE", "") in said


@given(
    st.sampled_from(["mention/DOC_DONE", "authorship/le", "count/exact"]),
    st.sampled_from(["", "this document", "a guide", "größe 😀"]),
    st.sets(st.sampled_from(["also/hedged", "also/part", "who/proxy"])),
    st.fixed_dictionaries({}, optional={"le_n": st.integers(0, 999), "unit": st.sampled_from(["people", "members"])}),
)
def test_tags_and_detail_give_the_coding_again(code, thing, also, detail):
    one = Coding("d", 1, 4, code, thing, tuple(sorted(also)), detail, "a note", "ann")
    (again,) = of_tags("d", 1, 4, one.tags, detail=detail_text(one.detail), note="a note", coder="ann")
    assert again == one


@pytest.mark.parametrize(
    ("tags", "detail"),
    [
        (["thing/a guide"], ""),
        (["thing/a", "thing/b", "authorship/le"], ""),
        (["count/exact"], "le_n=many"),
        (["count/exact"], "le_n=1; colour=red"),
        (["count/exact"], "le_n=" + "9" * 40),
        (["count/exact"], "nonsense"),
    ],
)
def test_tags_that_say_nothing_are_refused(tags, detail):
    with pytest.raises(CodingError):
        of_tags("d", 0, 1, tags, detail=detail)


def test_the_code_system_is_the_codebooks():
    system = code_system(["a guide"])
    paths = [code.path for code in system.codes]
    assert len(paths) == len(set(paths)) and all(code.about for code in system.codes)
    assert {f"mention/{t}" for t in codebook.MENTION_TYPES} <= set(paths)
    for slot, row in codebook.tables().slots.items():
        own = {v for v in row.values if v not in ("not_stated", "none_stated")}
        assert {f"{slot}/{v}" for v in own} <= set(paths) and f"{slot}/not_stated" not in paths
    for bad in (
        Coding("d", 0, 1, "authorship/nobody"),
        Coding("d", 1, 1, "authorship/le"),
        Coding("d", 0, 1, "authorship"),
    ):
        with pytest.raises(CodingError):
            system.check(bad)


def test_what_cannot_be_placed_is_listed():
    report = claimscan.check_text(PARENTS)
    coded = deriving.codings_of(report.to_dict())
    placer = Placer([report.document], code_system(c.thing for c in coded))
    for c in coded:
        placer.take(
            report.document.id, anchor_of(report.document, c), c.tags, detail=detail_text(c.detail), coder="ann"
        )
    placer.take(report.document.id, Anchor("words that are not there"), ["authorship/le"], coder="ann")
    placer.take("another", Anchor("This strategy"), ["authorship/le"], coder="ann")
    placer.take(report.document.id, anchor_of(report.document, coded[0]), ["authorship/friends"], coder="ann")
    placer.coded(report.document.id, "ben")
    back = placer.returned()
    assert back.codings == codings.in_order(replace(c, coder="ann") for c in coded)
    assert [one.why for one in back.lost] == [
        "The words are not in this document.",
        "The document is none of this study.",
        "“authorship/friends” is no code of this codebook.",
    ]
    assert back.coded == ((report.document.id, "ann"), (report.document.id, "ben"))


# --- the folder -------------------------------------------------------------------------------------------------------


def test_the_frame_lists_every_document_and_why_it_cannot_be_drawn(study):
    rows = {Path(row["source"]).stem: row for row in study.frame()}
    assert set(rows) == {"sandmoor", "eastwick", "bins", "hillcote", "copy", "broken"}
    assert rows["bins"]["grade"] == "no claim" and rows["sandmoor"]["grade"] == "1"
    assert rows["broken"]["status"] == "unread" and rows["broken"]["why"]
    assert rows["copy"]["status"] == "repeat" and "hillcote" in rows["copy"]["why"]
    assert rows["sandmoor"]["region"] == "=south" and study.metadata() == ["region"]
    assert "'=south" in (Path(study.folder) / "frame.csv").read_text(encoding="utf-8")


def test_codings_are_kept_and_a_document_coded_again_replaces_only_itself(study):
    mine = study.returned("claimscan").codings
    by_document = {d.id: [c for c in mine if c.document == d.id] for d in study.documents()}
    study.keep("Ann Jones", mine, by_document)
    assert study.coders() == ["Ann Jones"]
    kept = study.returned("Ann Jones")
    assert kept.codings == codings.in_order(replace(c, coder="Ann Jones") for c in mine)
    assert {document for document, _ in kept.coded} == set(by_document)
    first = max(by_document, key=lambda d: len(by_document[d]))
    study.keep("Ann Jones", by_document[first][:1], [first])
    again = study.returned("Ann Jones").codings
    assert len(again) == len(mine) - len(by_document[first]) + 1
    assert Study(study.folder).returned("Ann Jones").codings == again


@pytest.mark.parametrize("name", ["", "claimscan", "../ann", "a/b", "a" * 100, "ann\n", ".", "nul\0"])
def test_a_coders_name_is_no_path(name):
    if name == "ann\n":
        assert coder_name(name) == "ann"
        return
    with pytest.raises(UsageError):
        coder_name(name)


def test_a_study_is_not_made_over_another_nor_opened_where_there_is_none(study, run, tmp_path):
    with pytest.raises(UsageError, match="already"):
        beginning.begin(str(run), study.folder)
    with pytest.raises(UsageError, match="no study folder"):
        Study(str(tmp_path))
    (Path(study.folder) / "study.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        Study(study.folder)


def test_a_damaged_file_of_the_study_is_named(study):
    document = study.sample()[0]
    study.keep("ann", [], [document["document"]])
    (Path(study.folder) / "codings" / "ann.jsonl").write_text('{"coded": 3}\n[]')
    (Path(study.folder) / "documents" / f"{document['document']}.reading.gz").write_bytes(b"no")
    for broken in (lambda: study.returned("ann"), study.documents):
        with pytest.raises(UsageError, match="lost or damaged"):
            broken()


# --- several coders ---------------------------------------------------------------------------------------------------


def coded_twice(change):
    report = claimscan.check_text(PARENTS)
    one = tuple(replace(c, coder="ann") for c in deriving.codings_of(report.to_dict()))
    other = tuple(replace(c, coder="ben") for c in change(list(one)))
    return report, (*one, *other)


def by_variable(report, both):
    found = {}
    for r in units.ratings(report.document, report.population, both, ("ann", "ben")):
        found.setdefault((r.variable, r.unit), {})[r.coder] = r.value
    return found


def test_coders_who_say_the_same_agree_on_everything():
    report, both = coded_twice(lambda own: own)
    found = by_variable(report, both)
    assert all(len(said) == 2 and len(set(said.values())) == 1 for said in found.values())
    assert {v for v, _ in found} >= {"claim", "type", "thing", "stated authorship", "value authorship", "level", "band"}


def test_another_name_for_a_thing_is_the_same_thing():
    report, both = coded_twice(
        lambda own: [
            replace(c, thing=c.thing and "the guide we made") if c.thing != "this document" else c for c in own
        ]
    )
    assert {tuple(sorted(said.values())) for (v, _), said in by_variable(report, both).items() if v == "thing"} == {
        ("there", "there")
    }


def test_what_one_coder_did_not_see_is_no_claim_and_not_there():
    report, both = coded_twice(lambda own: [c for c in own if c.thing in ("", "this document")])
    found = by_variable(report, both)
    assert [said for (v, _), said in found.items() if v == "thing"] == [
        {"ann": "there", "ben": "there"},
        {"ann": "there", "ben": "not there"},
    ]
    assert {"ann": "claim", "ben": "no claim"} in [said for (v, _), said in found.items() if v == "claim"]


def test_levels_are_derived_from_what_each_coded():
    # the one saw that parents wrote it, the other takes them for autistic people
    report, both = coded_twice(
        lambda own: [
            replace(c, code="authorship/le", also=("who/le",)) if c.code == "authorship/proxy" else c for c in own
        ]
    )
    found = by_variable(report, both)
    document = next(unit for (v, unit), _ in found.items() if v == "thing")
    assert found["value authorship", document] == {"ann": "proxy", "ben": "le"}
    assert found["level", document]["ann"] < found["level", document]["ben"]
    assert found["flag proxy-led", document]["ann"] == "yes"


# --- adjudication -----------------------------------------------------------------------------------------------------

CHANGES = {
    "a type": lambda own: [replace(c, code="mention/NAME") if c.code == "mention/PRINCIPLE" else c for c in own],
    "a use not marked": lambda own: [c for c in own if c.code != "mention/PRINCIPLE"],
    "a value": lambda own: [replace(c, code="authorship/le") if c.code == "authorship/proxy" else c for c in own],
    "a slot not stated": lambda own: [c for c in own if not c.code.startswith("payment/")],
    "a thing": lambda own: [c for c in own if c.thing in ("", "this document")],
}


@pytest.mark.parametrize("whose", ["ann", "ben"])
@pytest.mark.parametrize("change", CHANGES)
def test_deciding_for_one_coder_gives_her_grades(change, whose):
    report, both = coded_twice(CHANGES[change])
    asked = adjudicating.questions(report.document, report.population, both, ("ann", "ben"))
    assert asked
    decisions = {q.key: dict(q.said)[whose] for q in asked}
    made = adjudicating.decide(report.document, report.population, both, ("ann", "ben"), decisions)
    assert made.settled and all(c.coder == adjudicating.ADJUDICATED for c in made.codings)
    final = deriving.derive(report.document, report.population, made.codings, {})
    hers = deriving.derive(report.document, report.population, [c for c in both if c.coder == whose], {})
    assert sorted(f.grade for f in final.findings.values()) == sorted(f.grade for f in hers.findings.values())
    assert [(m.start, m.type) for m in final.mentions] == [(m.start, m.type) for m in hers.mentions]


def test_what_is_not_decided_or_cannot_be_made_is_said():
    report, both = coded_twice(CHANGES["a value"])
    (asked,) = adjudicating.questions(report.document, report.population, both, ("ann", "ben"))
    assert asked.variable == "value authorship" and dict(asked.said) == {"ann": "proxy", "ben": "le"}
    args = (report.document, report.population, both, ("ann", "ben"))
    assert adjudicating.decide(*args, {}).open == (asked,)
    new = adjudicating.decide(*args, {asked.key: "le_org"})
    assert not new.settled and new.unusable[0][0] == asked and not new.codings
    report, both = coded_twice(CHANGES["a type"])
    (asked,) = adjudicating.questions(report.document, report.population, both, ("ann", "ben"))
    args = (report.document, report.population, both, ("ann", "ben"))
    third = adjudicating.decide(*args, {asked.key: "DUTY"})
    assert third.settled and "mention/DUTY" in [c.code for c in third.codings]
    assert not adjudicating.decide(*args, {asked.key: "SOMETHING"}).settled


# --- other tables -----------------------------------------------------------------------------------------------------


def test_graded_again_by_the_same_tables_a_run_is_the_same(run, tmp_path):
    counts = regrading.regrade(str(run), str(tmp_path / "again"), codebook.tables())
    assert counts["changed"] == 0 and counts["products"] == len(run_tables.frames(str(run))["products"])
    for name in ("products", "mentions", "evidence", "failures"):
        assert filecmp.cmp(run / "tables" / f"{name}.csv", tmp_path / "again" / "tables" / f"{name}.csv", shallow=False)
    assert (tmp_path / "again" / "index.html").exists()


def test_a_researchers_own_table_changes_grades_without_reading(run, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    text = (TABLES / "levels.toml").read_text(encoding="utf-8")
    assert text.count('label = "Tone-checked"') == 1
    (own / "levels.toml").write_text(text.replace('label = "Tone-checked"', 'label = "Shown late"'), encoding="utf-8")
    shutil.copytree(run, tmp_path / "moved")  # the documents themselves are not where they were
    regrading.regrade(str(tmp_path / "moved"), str(tmp_path / "again"), codebook.of_folder(str(own)))
    products = run_tables.frames(str(tmp_path / "again"))["products"]
    assert "Shown late" in set(products["label"]) and "Tone-checked" not in set(products["label"])
    report = json.loads(next((tmp_path / "again" / "reports").glob("*/*.json")).read_text())
    assert "changed" in report["provenance"]["codebook"]


def test_a_folder_with_no_table_or_a_wrong_one_is_refused(tmp_path):
    with pytest.raises(RuleError, match="none of"):
        codebook.of_folder(str(tmp_path))
    (tmp_path / "levels.toml").write_text("level = 3")
    with pytest.raises(RuleError):
        codebook.of_folder(str(tmp_path))


def test_a_run_is_not_graded_into_itself(run):
    with pytest.raises(UsageError, match="own"):
        regrading.regrade(str(run), str(run), codebook.tables())


@pytest.mark.parametrize("name", ["arnstein", "iap2", "tlap", "nihr", "nhs-england"])
def test_every_grade_has_a_term_or_none_in_each_framework(name, run):
    framework = frameworks.framework(name)
    assert framework.misfits and framework.source
    terms = [framework.term(level) for level in codebook.LEVELS]
    assert frameworks.NO_COUNTERPART not in terms
    assert all(framework.term(status) == frameworks.NO_COUNTERPART for status in codebook.tables().statuses)
    grades = run_tables.frames(str(run))["products"]["grade"]
    said = framework.express(grades)
    assert said.notna().all() and said.cat.ordered and len(said) == len(grades)


def test_every_column_of_the_crosswalk_has_its_framework():
    columns = {column for row in codebook.tables().crosswalk.values() for column in row}
    assert columns == {framework.column for framework in frameworks.frameworks().values()}
    with pytest.raises(UsageError):
        frameworks.framework("snakes")
