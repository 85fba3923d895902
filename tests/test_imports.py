"""What a run may load and touch: nothing heavy before it is needed, and never the network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import claimscan

ROOT = Path(claimscan.__file__).parent.parent
HEAVY = ("spacy", "sklearn", "pandas", "scipy", "lxml", "docx", "jinja2", "rich")
# Evidence words but no trigger: the whole path runs, and nothing in it needs a parser.
NO_CLAIM = """Northmoor Parking Plan

How this plan was made

Twelve residents met the parking team in March and read the draft. They told us that the bays were too narrow, so we
widened them. We asked 300 people what they thought of the new hours.
"""
# The probe says what is loaded; a test that asks with a name that is never loaded could not fail.
PROBE = "import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"


def loaded(code, *argv):
    """The top-level modules that are loaded in a fresh process after ``code``."""
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\n{PROBE}", *argv],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(json.loads(out.stdout.splitlines()[-1]))


@pytest.fixture(params=["txt", "md", "html", "pdf"])
def no_claim(request, tmp_path):
    path = tmp_path / f"parking.{request.param}"
    if request.param == "pdf":
        canvas = pytest.importorskip("reportlab.pdfgen.canvas")
        page = canvas.Canvas(str(path))
        for number, line in enumerate(NO_CLAIM.splitlines()):
            page.drawString(60, 780 - 16 * number, line)
        page.save()
    elif request.param == "html":
        paragraphs = "".join(f"<p>{part}</p>" for part in NO_CLAIM.split("\n\n"))
        path.write_text(
            f"<html><title>Northmoor Parking Plan</title><body>{paragraphs}</body></html>", encoding="utf-8"
        )
    else:
        path.write_text(NO_CLAIM, encoding="utf-8")
    return path


def test_a_document_with_no_trigger_loads_nothing_heavy(no_claim):
    code = "import sys, claimscan; report = claimscan.check(sys.argv[1]); assert not report.mentions; report.to_json()"
    modules = loaded(code, str(no_claim))
    assert "claimscan" in modules
    assert not modules & set(HEAVY)


def test_the_command_on_a_document_with_no_trigger_loads_nothing_heavy(no_claim, tmp_path):
    out = tmp_path / "out.json"
    code = "import sys; from claimscan.cli import main; assert main(['check', sys.argv[1], '--json', sys.argv[2]]) in (0, None)"
    assert not loaded(code, str(no_claim), str(out)) & set(HEAVY)
    assert json.loads(out.read_text(encoding="utf-8"))["mentions"] == []


def test_help_loads_nothing_heavy():
    code = "import sys\nfrom claimscan.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    modules = loaded(code)
    assert not modules & {*HEAVY, "numpy", "pypdfium2", "pdfplumber"}


def test_a_document_with_a_trigger_loads_the_parser_and_no_table_library():
    code = "import claimscan; assert claimscan.check_text('This plan was co-produced with tenants.').mentions"
    modules = loaded(code)
    assert "spacy" in modules
    assert not modules & {"sklearn", "pandas", "scipy", "docx"}  # spaCy itself brings jinja2 and rich


def test_nothing_calls_the_network(tmp_path):
    path = tmp_path / "plan.txt"
    path.write_text(NO_CLAIM + "\nThis plan was co-produced with residents.\n", encoding="utf-8")
    html = tmp_path / "out.html"
    code = """
import socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("the network was called")
for name in ("connect", "connect_ex", "send", "sendall", "sendto", "bind"):
    setattr(socket.socket, name, refuse)
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
try:
    socket.create_connection(("example.org", 80))
except AssertionError:
    pass
else:
    raise SystemExit("the patch does not hold")
from claimscan.cli import main
assert main(["check", sys.argv[1], "--html", sys.argv[2]]) in (0, None)
"""
    assert "spacy" in loaded(code, str(path), str(html))
    assert "co-produced" in html.read_text(encoding="utf-8")
