import csv
import errno
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
import types
from pathlib import Path

import made_reports
import pytest

import claimscan
from claimscan import cli, doctor, reading
from claimscan.errors import ClaimscanError, RuleError
from claimscan.records import Population
from claimscan.report import Report

ROOT = Path(claimscan.__file__).parent.parent


@pytest.fixture
def seen(monkeypatch):
    """A pipeline that reads for real and finds nothing, but in the made PDF the made report; keeps the settings."""
    calls = []

    def check(source, *, settings=None):
        calls.append(settings)
        document = reading.read(source, settings)
        if document.id == made_reports.strategy().document.id:
            return made_reports.strategy()
        return Report(document=document, population=Population(), provenance=made_reports.PROVENANCE)

    fake = types.ModuleType("claimscan.pipeline")
    fake.check = check
    monkeypatch.setitem(sys.modules, "claimscan.pipeline", fake)
    monkeypatch.setattr(claimscan, "pipeline", fake, raising=False)
    return calls


@pytest.fixture
def folder(tmp_path, monkeypatch, seen):
    (tmp_path / "strategy.pdf").write_bytes(made_reports.pdf())
    (tmp_path / "parks.txt").write_text("Our parks are open from dawn until dusk on every day of the week.\n")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "broken.pdf").write_bytes(made_reports.pdf()[:60])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_line(text):
    assert text.startswith("claimscan: ") and text.count("\n") == 1 and "Traceback" not in text
    return text


# --- check ----------------------------------------------------------------------------------------------------------


def test_check_prints_the_finding(folder, capsys):
    assert cli.main(["check", "strategy.pdf"]) == 0
    out, err = capsys.readouterr()
    assert "Tone-checked, level 1 of 6" in out and err == "" and "\x1b" not in out


def test_settings_reach_the_reader(folder, seen):
    cli.main(["check", "strategy.pdf", "--quiet"])
    cli.main(["check", "parks.txt", "--quiet", "--ocr", "--max-pages", "3"])
    assert (seen[0].ocr, seen[0].max_pages) == (False, 5000)
    assert (seen[1].ocr, seen[1].max_pages) == (True, 3)


def test_all_shows_more(folder, capsys):
    cli.main(["check", "strategy.pdf"])
    brief = capsys.readouterr().out
    cli.main(["check", "strategy.pdf", "--all"])
    assert len(capsys.readouterr().out) > len(brief)


def test_one_document_to_files(folder, capsys):
    made = ["--json", "o.json", "--html", "o.html", "--csv", "o.csv"]
    assert cli.main(["check", "strategy.pdf", *made, "--with-text"]) == 0
    out = capsys.readouterr().out
    assert "level 1 of 6" in out and "Written: o.html" in out
    whole = json.loads(Path("o.json").read_text(encoding="utf-8"))
    assert whole["schema"] == "claimscan/report/1" and whole["document"]["text"] == made_reports.strategy().text
    assert Path("o.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    table = Path("o.csv").read_bytes()
    assert table.startswith(b"\xef\xbb\xbfsource,")
    assert len(list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))) == 1 + len(
        whole["mentions"]
    ) + len(whole["evidence"])
    assert not [name for name in os.listdir() if name.startswith(".claimscan-")]


def test_quiet_prints_nothing(folder, capsys):
    assert cli.main(["check", "strategy.pdf", "--json", "o.json", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "") and Path("o.json").exists()


def test_standard_output_gets_the_json_alone(folder, capsysbinary):
    assert cli.main(["check", "strategy.pdf", "--json", "-"]) == 0
    out = capsysbinary.readouterr().out
    assert out.decode() == made_reports.strategy().to_json()


def test_a_table_on_standard_output_has_no_byte_order_mark(folder, capsysbinary):
    assert cli.main(["check", "strategy.pdf", "--csv", "-"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"source,product,")


def test_several_documents_to_one_list(folder, capsys):
    assert cli.main(["check", "strategy.pdf", "parks.txt", "--json", "all.json", "--csv", "all.csv"]) == 0
    reports = json.loads(Path("all.json").read_text())
    assert [r["document"]["source"] for r in reports] == ["strategy.pdf", "parks.txt"]
    assert capsys.readouterr().out.count("We grade what the document shows") == 2


def test_the_list_stays_a_list_when_one_document_is_left(folder, capsys):
    assert cli.main(["check", "parks.txt", "empty.txt", "--json", "all.json"]) == 1
    assert len(json.loads(Path("all.json").read_text())) == 1


def test_several_documents_to_a_folder(folder, capsys):
    Path("sub").mkdir()
    Path("sub/parks.txt").write_text("Our other parks are open from dawn until dusk on every day.")
    code = cli.main(
        ["check", "parks.txt", "sub/parks.txt", "strategy.pdf", "--html", "pages", "--json", "data/", "--quiet"]
    )
    assert code == 0
    assert sorted(os.listdir("pages")) == ["parks-2.html", "parks.html", "strategy.html"]
    assert sorted(os.listdir("data")) == ["parks-2.json", "parks.json", "strategy.json"]
    assert json.loads(Path("data/parks-2.json").read_text())["document"]["source"] == "sub/parks.txt"


def test_standard_input(folder, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("parks.txt").read_bytes())))
    assert cli.main(["check", "-", "--json", "data/"]) == 0
    assert os.listdir("data") == ["standard-input.json"]


# --- documents that cannot be read ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["empty.txt", "broken.pdf", "not-there.pdf", "."])
def test_nothing_could_be_read(folder, capsys, name):
    assert cli.main(["check", name, "--json", "o.json"]) == 3
    out, err = capsys.readouterr()
    assert out == "" and not Path("o.json").exists()
    assert len(re.findall(r"[.!?](?:\s|$)", one_line(err))) >= 2, "a sentence and a remedy"


def test_some_document_could_not_be_read(folder, capsys):
    assert cli.main(["check", "empty.txt", "strategy.pdf"]) == 1
    out, err = capsys.readouterr()
    assert "level 1 of 6" in out and "empty.txt" in one_line(err)


def test_a_fault_in_one_document_does_not_stop_the_next(folder, capsys, monkeypatch):
    def check(source, *, settings=None):
        if source == "strategy.pdf":
            raise ZeroDivisionError("\x1b[31moh")
        return made_reports.plain()

    monkeypatch.setattr(sys.modules["claimscan.pipeline"], "check", check)
    assert cli.main(["check", "strategy.pdf", "parks.txt"]) == 1
    err = one_line(capsys.readouterr().err)
    assert "ZeroDivisionError" in err and "CLAIMSCAN_TRACEBACK=1" in err and "\x1b" not in err


def test_a_wrong_rule_file_stops_at_once(folder, capsys, monkeypatch):
    def check(source, *, settings=None):
        raise RuleError("words.toml has no list called verbs")

    monkeypatch.setattr(sys.modules["claimscan.pipeline"], "check", check)
    assert cli.main(["check", "strategy.pdf", "parks.txt"]) == 2
    assert "words.toml" in one_line(capsys.readouterr().err)


def test_a_missing_model_is_said_once(folder, capsys, monkeypatch):
    def check(source, *, settings=None):
        raise ClaimscanError("The model is not installed.", "Run: pip install it")

    monkeypatch.setattr(sys.modules["claimscan.pipeline"], "check", check)
    assert cli.main(["check", "strategy.pdf", "parks.txt"]) == 3
    assert one_line(capsys.readouterr().err).endswith("Run: pip install it\n")


def test_names_cannot_send_terminal_codes(folder, capsys):
    assert cli.main(["check", "\x1b]0;x\x07gone.pdf"]) == 3
    assert "\x1b" not in capsys.readouterr().err


# --- used wrongly ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["frob"],
        ["check"],
        ["check", "parks.txt", "--jsn"],
        ["check", "parks.txt", "--max-pages", "0"],
        ["check", "parks.txt", "--max-pages", "many"],
        ["check", "parks.txt", "--with-text"],
        ["check", "-", "-"],
        ["check", "parks.txt", "--json", ""],
        ["check", "parks.txt", "--json", "-", "--csv", "-"],
        ["check", "parks.txt", "--json", "a", "--csv", "./a"],
        ["check", "parks.txt", "--json", "nowhere/o.json"],
        ["check", "parks.txt", "--json", "parks.txt/o.json"],
        ["check", "parks.txt", "--json", "./parks.txt"],
        ["check", "parks.txt", "strategy.pdf", "--html", "-"],
        ["check", "parks.txt", "strategy.pdf", "--html", "both.html"],
        ["explain", "strategy.pdf", "--product", "p99"],
    ],
)
def test_used_wrongly(folder, capsys, argv):
    before = {p: p.read_bytes() for p in folder.iterdir()}
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(one_line(err)) > 30
    assert {p: p.read_bytes() for p in folder.iterdir()} == before


def test_wrong_use_is_found_before_anything_is_read(folder, seen):
    assert cli.main(["check", "strategy.pdf", "--html", "nowhere/o.html"]) == 2
    assert seen == []


# --- nothing is left half written -----------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_file(folder, capsys, monkeypatch):
    Path("o.json").write_text("old")
    real = os.replace

    def full(source, target):
        if target.endswith("o.json"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert cli.main(["check", "parks.txt", "--json", "o.json", "--quiet"]) == 2
    assert "No space left" in one_line(capsys.readouterr().err)
    assert Path("o.json").read_text() == "old"
    assert not [name for name in os.listdir() if name.startswith(".claimscan-")]


def test_a_new_file_has_ordinary_rights_and_an_old_one_keeps_its_own(folder):
    old = os.umask(0o022)
    try:
        Path("old.json").write_text("x")
        os.chmod("old.json", 0o600)
        for name in ("new.json", "old.json"):
            assert cli.main(["check", "parks.txt", "--json", name, "--quiet"]) == 0
    finally:
        os.umask(old)
    assert os.stat("new.json").st_mode & 0o777 == 0o644
    assert os.stat("old.json").st_mode & 0o777 == 0o600


def test_a_link_is_written_through(folder):
    Path("real.json").write_text("x")
    os.symlink("real.json", "link.json")
    assert cli.main(["check", "parks.txt", "--json", "link.json", "--quiet"]) == 0
    assert os.path.islink("link.json") and json.loads(Path("real.json").read_text())


def test_a_device_is_written_to_as_it_is(folder):
    assert cli.main(["check", "parks.txt", "--json", os.devnull, "--quiet"]) == 0
    assert not os.path.isfile(os.devnull)


def test_ctrl_c_says_so(folder, capsys, monkeypatch):
    def check(source, *, settings=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["claimscan.pipeline"], "check", check)
    assert cli.main(["check", "strategy.pdf", "--json", "o.json"]) == 130
    assert "stopped" in one_line(capsys.readouterr().err)
    assert not Path("o.json").exists()


SLOW_PIPELINE = """
import sys, types, time
sys.path.insert(0, {tests!r})
import made_reports, claimscan
fake = types.ModuleType("claimscan.pipeline")
def check(source, *, settings=None):
    time.sleep({sleep})
    return made_reports.strategy()
fake.check = check
sys.modules["claimscan.pipeline"] = claimscan.pipeline = fake
from claimscan.cli import main
print("ready", file=sys.stderr, flush=True)
sys.exit(main({argv!r}))
"""


def run_slow(argv, sleep=0, **more):
    code = SLOW_PIPELINE.format(tests=str(Path(made_reports.__file__).parent), sleep=sleep, argv=argv)
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


def test_an_interrupt_from_outside_ends_without_a_traceback():
    process = run_slow(["check", "x.pdf"], sleep=30)
    assert process.stderr.readline() == b"ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130 and out == b"" and one_line(err.decode())


def test_a_reader_that_goes_away_is_no_error():
    process = run_slow(["check", "x.pdf", "--all"])
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=20) == 141
    assert err == b"ready\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_standard_output_is_said():
    with open("/dev/full", "wb") as full:
        code = SLOW_PIPELINE.format(
            tests=str(Path(made_reports.__file__).parent), sleep=0, argv=["check", "x.pdf", "--json", "-"]
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert "could not be written" in one_line(done.stderr.decode().removeprefix("ready\n"))


def test_an_ascii_terminal_gets_the_finding_too():
    code = SLOW_PIPELINE.format(tests=str(Path(made_reports.__file__).parent), sleep=0, argv=["check", "x.pdf"])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0 and b"level 1 of 6" in done.stdout


# --- explain, doctor, version, start-up -----------------------------------------------------------------------------


def test_explain_shows_the_rules(folder, capsys):
    assert cli.main(["explain", "strategy.pdf", "--product", "p2"]) == 0
    one = capsys.readouterr().out
    assert "the Hospital Passport" in one and "E10: The same people came back. [e10]" in one
    assert cli.main(["explain", "strategy.pdf"]) == 0
    assert one in capsys.readouterr().out
    assert cli.main(["explain", "parks.txt"]) == 0
    assert capsys.readouterr().out == "No claim that something was co-produced was found.\n"


def test_explain_of_a_document_that_cannot_be_read(folder, capsys):
    assert cli.main(["explain", "empty.txt"]) == 3
    one_line(capsys.readouterr().err)


def test_doctor_says_what_is_here(capsys):
    code = cli.main(["doctor", "--json"])
    state = json.loads(capsys.readouterr().out)
    assert code == (0 if state["ready"] else 3)
    assert state["claimscan"] == claimscan.__version__
    assert re.fullmatch("[0-9a-f]{64}", state["rules"]["lexicons"])
    assert {p["name"] for p in state["packages"]} >= {"pypdfium2", "spacy", "Jinja2"}
    for missing in state["missing"]:
        assert missing["what"] and missing["remedy"]
    cli.main(["doctor"])
    assert f"claimscan {claimscan.__version__}" in capsys.readouterr().out


def test_doctor_names_what_is_missing_and_how_to_get_it(capsys, monkeypatch):
    parts = (*doctor.PARTS, ("not-a-real-package", "does nothing", ""), ("nor-this-one", "does nothing", "ocr"))
    monkeypatch.setattr(doctor, "PARTS", parts)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert cli.main(["doctor"]) == 3
    out = capsys.readouterr().out
    assert "pip install not-a-real-package" in out and "pip install 'claimscan[ocr]'" in out
    assert "tesseract       missing" in out and "Something that reading needs is missing." in out


def test_doctor_survives_a_missing_model(monkeypatch):
    from claimscan import language

    def missing():
        raise language.ModelMissing("There is no model.")

    monkeypatch.setattr(language, "model_hash", missing)
    state = doctor.examine()
    assert not state["ready"] and any("There is no model." in m["what"] for m in state["missing"])


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"claimscan {claimscan.__version__}\n"


def commands():
    subparsers = next(a for a in cli.parser()._actions if getattr(a, "choices", None) and a.dest != "help")
    return subparsers.choices


@pytest.mark.parametrize("name", ["", *commands()])
def test_every_command_and_option_has_help(name, capsys):
    assert cli.main([name, "--help"] if name else ["--help"]) == 0
    assert len(capsys.readouterr().out) > 100
    for action in (commands()[name] if name else cli.parser())._actions:
        assert action.help or action.choices, action


def test_public_names():
    assert claimscan.__all__ == ["Report", "check", "check_text", "scan"]
    assert set(claimscan.__all__) <= set(dir(claimscan))
    assert claimscan.Report is Report
    with pytest.raises(AttributeError):
        claimscan.nothing


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from claimscan.cli import main; main(['--help']);"
        "heavy = {'spacy', 'numpy', 'pandas', 'sklearn', 'pypdfium2_raw', 'jinja2', 'PIL', 'rich', 'tomllib'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_help_starts_within_five_bare_starts(tmp_path):
    # as where it is installed: modules compiled once
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)

    def cost(*argv):
        times = []
        for _ in range(15):
            start = time.perf_counter()
            subprocess.run([sys.executable, *argv], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=env)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    bare, helped = cost("-c", "pass"), cost("-m", "claimscan", "--help")
    assert helped <= 5 * bare, f"{helped:.3f} s against {bare:.3f} s"
