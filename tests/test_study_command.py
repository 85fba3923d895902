"""``claimscan study`` from a run to an archive that is run again, as a researcher goes through it."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from claimscan.cli import main
from claimscan.study import archiving, results
from claimscan.study.folder import Study, rows, table

ROOT = Path(__file__).parent.parent
ABOUT = {
    "autistic": ("autistic people", "Eleven autistic adults met us every month from the start and wrote half of it."),
    "shown": (
        "autistic adults",
        "Parents wrote it over the winter. Some autistic adults were shown the final draft.",
    ),
    "bare": ("local people", ""),
    "asked": (
        "tenants",
        "We held workshops with thirty tenants. Because of what they said, repairs are now done at weekends.",
    ),
    "none": ("", ""),
}


def said(*argv):
    return main([str(a) for a in argv])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of 40 short documents of five kinds in two regions."""
    folder, out = tmp_path_factory.mktemp("docs"), tmp_path_factory.mktemp("run") / "run"
    lines = ["path,region"]
    for n in range(40):
        who, how = list(ABOUT.values())[n % 5]
        claim = f"This plan was co-produced with {who}. {how}" if who else "This plan says when bins are emptied."
        (folder / f"plan{n:02}.txt").write_text(
            f"Plan {n} of the council\n\n{claim}\n\nIt was agreed in May {1990 + n}.\n"
        )
        lines.append(f"plan{n:02}.txt,{'east' if n % 2 else 'west'}")
    (folder / "list.csv").write_text("\n".join(lines))
    assert said("scan", folder / "list.csv", "--out", out, "--workers", "1", "--quiet") == 0
    return out


@pytest.fixture(scope="module")
def finished(run, tmp_path_factory):
    """A whole study: drawn, coded by two, decided, estimated, reported, archived."""
    here = tmp_path_factory.mktemp("study")
    study = here / "study"
    assert said("study", "init", run, "--out", study, "--title", "Bins & <plans>") == 0
    assert said("study", "sample", study, run, "--documents", 30, "--by", "region", "--double", "1", "--seed", "s") == 0
    assert said("study", "export", study, here / "all.qdpx", "--with", "claimscan") == 0
    assert said("study", "import", study, here / "all.qdpx", "--coder", "ann") == 0
    # ben works in a workbook, and does not take being shown a draft for anything
    assert said("study", "export", study, here / "all.xlsx", "--with", "claimscan") == 0
    book = load_workbook(here / "all.xlsx")
    sheet = book[book.sheetnames[0]]
    heads = [cell.value for cell in sheet[1]]
    at = next(n for n, head in enumerate(heads, 1) if "code" in str(head).lower() and "coder" not in str(head).lower())
    late = ("reviewers/", "stage/near_final", "method/draft_review")
    gone = [row[0].row for row in sheet.iter_rows(min_row=2) if str(row[at - 1].value).startswith(late)]
    assert gone
    for row in reversed(gone):
        sheet.delete_rows(row)
    book.save(here / "ben.xlsx")
    assert said("study", "import", study, here / "ben.xlsx", "--coder", "ben") == 0
    assert said("study", "agreement", study, "--draws", 100) == 0
    assert said("study", "adjudicate", study, here / "d.csv") == 0
    asked = rows(str(here / "d.csv"))
    assert {row["variable"] for row in asked} == {"value reviewers", "value stage", "value method"}
    decided = [{**row, "decision": row["values"].partition("ben: ")[2], "rule": "E13"} for row in asked]
    (here / "d.csv").write_bytes(table(decided, list(asked[0])))
    assert said("study", "adjudicate", study, here / "d.csv", "--take") == 0
    assert said("study", "estimate", study, "--by", "region", "--framework", "arnstein") == 0
    assert said("study", "report", study) == 0
    assert said("study", "archive", study, here / "study.zip") == 0
    return here


def test_a_reader_that_misses_nothing_agrees_and_one_who_does_not_is_asked_about_it(finished):
    study = Study(str(finished / "study"))
    agreed = {row["variable"]: row for row in rows(study.path("results", "agreement", "agreement.csv"))}
    assert float(agreed["stated reviewers"]["percent"]) < 1 and agreed["type"]["percent"] == "1.0000"
    assert {row["variable"] for row in rows(study.path("results", "agreement", "disagreements.csv"))} >= {
        "stated reviewers"
    }
    decided = study.returned("adjudicated")
    assert not [c for c in decided.codings if c.code.startswith("reviewers/")] and len(decided.coded) == 30


def test_estimates_are_corrected_by_what_was_decided(finished):
    found = rows(str(finished / "study" / "results" / "estimates" / "estimates.csv"))
    wanted = {
        (r["value"], r["method"]): r
        for r in found
        if (r["of"], r["variable"], r["group"]) == ("documents", "grade", "")
    }
    # without those who were shown the draft, a fifth of the plans are no longer tone-checked
    assert float(wanted["1", "naive"]["share"]) == pytest.approx(0.2)
    assert float(wanted["1", "powered"]["share"]) < 0.1 and float(wanted["1", "coded"]["share"]) == 0
    assert float(wanted["no claim", "powered"]["share"]) == pytest.approx(0.2, abs=0.02)
    total = sum(float(r["share"]) for (_, method), r in wanted.items() if method == "naive")
    assert total == pytest.approx(1, abs=0.001)
    assert {r["group"] for r in found} == {"", "east", "west"}
    assert [r for r in found if r["variable"] == "Arnstein 1969"]


def test_the_report_escapes_what_it_is_given_and_says_what_was_run(finished):
    page = (finished / "study" / "results" / "report.html").read_text()
    assert "Bins &amp; &lt;plans&gt;" in page and "<plans>" not in page
    methods = (finished / "study" / "results" / "methods.txt").read_text()
    for words in (
        "We read 40 documents",
        "We drew 30 documents",
        "region",
        "seed “s”",
        "2 people coded 30",
        "100 draws",
    ):
        assert words in methods
    assert "hand coding of 30" in methods and "decided" in methods
    for name in ("shares-of-documents", "shares-of-products", "agreement"):
        for end in (".svg", ".pdf", ".txt"):
            assert (finished / "study" / "results" / "figures" / f"{name}{end}").stat().st_size > 100
    words = (finished / "study" / "results" / "figures" / "shares-of-documents.txt").read_text()
    assert "Level 1, Tone-checked" in words and "hand coding alone" in words


@pytest.mark.slow
def test_the_archive_run_again_elsewhere_gives_the_same_bytes(finished, tmp_path):
    with zipfile.ZipFile(finished / "study.zip") as packed:
        packed.extractall(tmp_path / "a")
    env = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    env["MPLCONFIGDIR"] = str(tmp_path / "mpl")
    (tmp_path / "mpl").mkdir()
    (tmp_path / "mpl" / "matplotlibrc").write_text("font.size: 22\nlines.linewidth: 9\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "a" / "reproduce.py")], env=env, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18 result files came out the same" in done.stdout and "; 0 did not" in done.stdout


def test_the_archive_has_the_same_bytes_whenever_it_is_made(finished, tmp_path):
    study = Study(str(finished / "study"))
    archiving.archive(study, str(tmp_path / "again.zip"))
    assert (tmp_path / "again.zip").read_bytes() == (finished / "study.zip").read_bytes()


def test_without_texts_the_results_are_made_again_from_the_ratings(finished, tmp_path):
    assert said("study", "archive", finished / "study", tmp_path / "bare.zip", "--without-texts") == 0
    with zipfile.ZipFile(tmp_path / "bare.zip") as packed:
        assert not [name for name in packed.namelist() if name.startswith("study/documents/")]
        packed.extractall(tmp_path / "a")
    found = archiving.check(str(tmp_path / "a"))
    assert found.whole and len(found.same) == 18


def test_a_changed_archive_is_noticed(finished, tmp_path, capsys):
    with zipfile.ZipFile(finished / "study.zip") as packed:
        packed.extractall(tmp_path / "a")
    table = tmp_path / "a" / "study" / "results" / "estimates" / "estimates.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("0.2000", "0.9000"), encoding="utf-8")
    capsys.readouterr()
    assert said("study", "rerun", tmp_path / "a") == 1
    told = capsys.readouterr().out
    assert "damaged: study/results/estimates/estimates.csv" in told
    assert "different: results/estimates/estimates.csv" in told and "17 result files" in told


def test_a_sample_is_made_larger_and_keeps_what_it_had(run, tmp_path):
    study = tmp_path / "study"
    assert said("study", "init", run, "--out", study) == 0
    assert said("study", "sample", study, run, "--documents", 10, "--seed", "x") == 0
    before = {row["document"] for row in Study(str(study)).sample()}
    assert said("study", "sample", study, run, "--documents", 12) == 2  # it has been drawn already
    assert said("study", "sample", study, run, "--documents", 20, "--more") == 0
    after = Study(str(study)).sample()
    assert before < {row["document"] for row in after} and len(after) == 20
    assert len(Study(str(study)).documents()) == 20


def test_what_is_wrongly_asked_is_said_in_a_sentence(run, tmp_path, capsys):
    study = tmp_path / "study"
    assert said("study", "init", run, "--out", study) == 0
    wrong = [
        ("study", "init", run, "--out", study),
        ("study", "sample", study, run, "--documents", 10, "--by", "nothing"),
        ("study", "sample", study, run, "--documents", 4000),
        ("study", "sample", study),
        ("study", "export", study, tmp_path / "a.qdpx"),
        ("study", "sample", study, run, "--documents", 10),
        ("study", "export", study, tmp_path / "a.doc"),
        ("study", "export", study, tmp_path / "a.qdpx", "--with", "nobody"),
        ("study", "import", study, tmp_path / "missing.qdpx"),
        ("study", "import", study, run / "run.json", "--format", "qdpx"),
        ("study", "agreement", study),
        ("study", "agreement", study, "--coders", "ann"),
        ("study", "adjudicate", study, tmp_path / "d.csv"),
        ("study", "estimate", study),
        ("study", "estimate", study, "--framework", "snakes"),
        ("study", "report", study),
        ("study", "rerun", study),
        ("study", "regrade", run, "--codebook", tmp_path, "--out", tmp_path / "r"),
        ("study", "agreement", tmp_path),
        ("study", "express", run, "--framework", "snakes", "--csv", tmp_path / "t.csv"),
        ("study", "express", tmp_path, "--framework", "iap2", "--csv", tmp_path / "t.csv"),
    ]
    for argv in wrong:
        code = said(*argv)
        told = capsys.readouterr().err
        if argv == ("study", "sample", study, run, "--documents", 10):
            assert code == 0
            continue
        assert code == 2 and told.startswith("claimscan: ") and "Traceback" not in told, (argv, code, told)
        assert "itself failed" not in told, (argv, told)


def test_a_coder_who_comes_back_is_told_what_changed(finished, tmp_path, capsys):
    study = tmp_path / "study"
    shutil.copytree(finished / "study", study)
    assert said("study", "import", study, finished / "all.qdpx", "--coder", "ben") == 0
    told = capsys.readouterr().out
    assert "ben; 30 documents" in told and "0 gone" in told and "0 new" not in told


def test_each_step_notes_what_it_was_asked(finished):
    about = json.loads((finished / "study" / "study.json").read_text())
    steps = {step["step"]: step for step in about["steps"]}
    assert steps["agreement"]["coders"] == ["ann", "ben"] and steps["estimate"]["by"] == "region"
    assert about["provenance"]["codebook"] and results.FOLDER


def test_the_products_of_a_run_in_other_terms(run, tmp_path, capsys):
    assert said("study", "express", run, "--framework", "iap2", "--csv", tmp_path / "t.csv") == 0
    assert "say so beside the table" in capsys.readouterr().out
    made = rows(str(tmp_path / "t.csv"))
    assert {(row["grade"], row["IAP2"]) for row in made} >= {
        ("1", "below Consult"),
        ("3", "Consult"),
        ("N1", "no counterpart"),
    }


def test_a_package_that_is_not_there_is_named(finished, tmp_path, capsys, monkeypatch):
    study = tmp_path / "study"
    shutil.copytree(finished / "study", study)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert said("study", "report", study) == 2
    told = capsys.readouterr().err
    assert "needs the package matplotlib" in told and "claimscan[study]" in told
