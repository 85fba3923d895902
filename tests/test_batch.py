"""A run over many documents: what it reads, what it writes down, and what becomes of bad files and workers."""

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import duckdb
import pandas
import pytest

import claimscan
from claimscan import batch, cli, pipeline
from claimscan.batch import ledger as ledgers
from claimscan.batch import local, progress, replies, sources, tables, work
from claimscan.commands import scan as scan_command
from claimscan.errors import DamagedDocument, MemoryExceeded, TimeExceeded, UsageError, WorkerDied, WrongWorker
from claimscan.records import Settings

PLAN = (
    "Ferrow Council\n\nThis plan was co-produced with autistic adults. Nine autistic adults met us every month from the "
    "first draft and were paid for their time.\n\nThe board thanks everybody."
)
SAMPLES = Path(__file__).parent.parent / "corpus" / "pdf"
PLAIN = "Bins\n\nBins are emptied on Tuesdays. Put yours out by seven."


@pytest.fixture
def folder(tmp_path):
    """Four documents, one of them damaged, one a repeat, and two files that are no documents."""
    top = tmp_path / "docs"
    (top / "b").mkdir(parents=True)
    (top / "a.txt").write_text(PLAN)
    (top / "b" / "again.txt").write_text(PLAN)
    (top / "b" / "bins.md").write_text(PLAIN)
    (top / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    (top / "logo.png").write_bytes(b"\x89PNG....")
    (top / "notes.xyz").write_text("x")
    return top


def here(tasks):
    """An engine that works in this process."""
    for task in tasks:
        yield task, work.judge(task)


def scanned(inputs, out, **more):
    plan = sources.plan([os.fspath(i) for i in inputs], out=os.fspath(out), taken=sorted(tables.taken()))
    return batch.run(plan, os.fspath(out), more.pop("engine", here), **more)


def table(out, name):
    return pandas.read_parquet(out / "tables" / f"{name}.parquet")


def bytes_of(out):
    return {p.name: p.read_bytes() for p in sorted((out / "tables").iterdir())}


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_folder_is_read_in_the_order_of_names_and_the_rest_is_said(folder):
    plan = sources.plan([str(folder)])
    assert [s.name.rsplit("docs/")[1] for s in plan.sources] == ["a.txt", "broken.pdf", "b/again.txt", "b/bins.md"]
    assert {why for _, why in plan.passed} == {"not a kind of document that claimscan reads"} and len(plan.passed) == 2


def test_a_pdf_without_its_suffix_is_found(tmp_path):
    (tmp_path / "download").write_bytes(b"%PDF-1.7 ...")
    assert len(sources.plan([str(tmp_path)]).sources) == 1


def test_links_do_not_lead_round_in_circles(folder):
    (folder / "b" / "up").symlink_to(folder)
    (folder / "gone.pdf").symlink_to(folder / "nowhere")
    plan = sources.plan([str(folder)])
    assert len(plan.sources) == 4
    assert any("already looked through" in why for _, why in plan.passed)
    assert "leads nowhere" in str(plan.problems[0].error)


def test_one_file_named_twice_is_read_once(folder):
    (folder / "link.txt").symlink_to(folder / "a.txt")
    plan = sources.plan([str(folder / "a.txt"), str(folder), str(folder / "*.txt")])
    assert len(plan.sources) == 4


def test_a_pattern_and_a_name_that_is_not_there(folder):
    assert [s.name[-9:] for s in sources.plan([str(folder / "**" / "*.txt")]).sources] == ["ocs/a.txt", "again.txt"]
    with pytest.raises(UsageError, match="no file or folder called"):
        sources.plan([str(folder / "nothing.pdf")])


def test_a_special_file_is_passed_over(folder):
    os.mkfifo(folder / "pipe.pdf")
    assert any("ordinary" in why for _, why in sources.plan([str(folder)]).passed)


def test_the_run_folder_and_other_runs_are_not_read(folder):
    for name in ("run", "old"):
        (folder / name).mkdir()
        (folder / name / "page.html").write_text("<html>")
    (folder / "old" / "ledger.jsonl").write_text("")
    plan = sources.plan([str(folder)], out=str(folder / "run"))
    assert len(plan.sources) == 4 and any(why == "the folder of a run" for _, why in plan.passed)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_list_brings_what_is_known_of_each_file(folder, delimiter, encoding):
    rows = [
        ["Organisation", "grade", "Path", "year"],
        ["Café Council", "x", "docs/a.txt", "2025"],
        ["B", "", "no.pdf", ""],
    ]
    path = folder.parent / "list.csv"
    path.write_text("\n".join(delimiter.join(row) for row in rows), encoding=encoding)
    plan = sources.plan([str(path)], taken=sorted(tables.taken()))
    assert plan.metadata == ("Organisation", "given_grade", "year")
    assert plan.sources[0].metadata == ("Café Council", "x", "2025")
    assert plan.problems[0].source.metadata == ("B", "", "") and "no file called" in str(plan.problems[0].error)


def test_a_list_without_paths_says_what_it_needs(tmp_path):
    (tmp_path / "list.csv").write_text("name,year\nx,2020\n")
    with pytest.raises(UsageError, match="no column of paths"):
        sources.plan([str(tmp_path / "list.csv")])
    with pytest.raises(UsageError, match="cannot be opened"):
        sources.plan([str(tmp_path / "none.csv")])


def test_files_in_a_zip_are_read_without_being_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("../../out.txt", PLAN)
        archive.writestr("in/bins.md", PLAIN)
        archive.writestr("in/logo.png", "x")
        archive.writestr("inner.zip", "x")
    plan = sources.plan([str(tmp_path / "all.zip")])
    assert [s.name[-13:] for s in plan.sources] == ["../../out.txt", "ip/in/bins.md"]
    assert sources.read(plan.sources[0], Settings()).decode() == PLAN
    assert len(plan.passed) == 2 and not (tmp_path.parent / "out.txt").exists()


def test_a_zip_that_would_fill_the_disk_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", b"0" * 50_000_000)
        archive.writestr("good.txt", PLAN)
    plan = sources.plan([str(tmp_path / "bomb.zip")], settings=Settings(max_bytes=10_000_000))
    assert "too large" in str(plan.problems[0].error) and len(plan.sources) == 1
    (tmp_path / "half.zip").write_bytes((tmp_path / "bomb.zip").read_bytes()[:3000])
    assert isinstance(sources.plan([str(tmp_path / "half.zip")]).problems[0].error, DamagedDocument)


def test_names_that_are_no_unicode_are_shown_and_opened(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.txt")
    with open(path, "wb") as file:
        file.write(PLAN.encode())
    source = sources.plan([str(tmp_path)]).sources[0]
    assert source.name.endswith("caf\ufffd.txt") and sources.read(source, Settings())


# --- the run folder -------------------------------------------------------------------------------------------------


def test_a_run_lists_every_file_and_can_be_given_again(folder, tmp_path):
    out = tmp_path / "run"
    totals = scanned([folder], out)
    assert (totals.files, totals.read, totals.unread, totals.repeats, totals.judged) == (4, 2, 1, 1, 3)
    documents = table(out, "documents")
    assert list(documents.status) == ["read", "unread", "repeat", "read"]
    assert documents.repeats[2].endswith("a.txt") and documents.repeats_by[2] == "bytes"
    failures = table(out, "failures")
    assert failures.code[0] == "DamagedDocument" and failures.remedy[0]
    before = bytes_of(out)
    totals = scanned([folder], out)
    assert totals.judged == 0 and bytes_of(out) == before


def test_every_table_carries_the_metadata_and_opens_everywhere(folder, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("path,organisation,year\ndocs/a.txt,Ferrow Council,2025\ndocs/broken.pdf,Other,\n")
    out = tmp_path / "run"
    scanned([path], out)
    for name in ("documents", "products", "mentions", "evidence", "failures"):
        parquet = table(out, name)
        assert list(parquet.columns[:4]) == ["document", "source", "organisation", "year"]
        assert len(parquet) and set(parquet.organisation) <= {"Ferrow Council", "Other"}
        with open(out / "tables" / f"{name}.csv", encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(parquet) and list(rows[0]) == list(parquet.columns)
        assert duckdb.sql(f"select count(*) from '{out}/tables/{name}.csv'").fetchall() == [(len(parquet),)]
    product = table(out, "products").iloc[0]
    assert product.claim.startswith("This plan was co-produced") and product.grade in "123456"


def test_the_same_text_in_another_file_is_noticed(folder, tmp_path):
    (folder / "c.txt").write_text(PLAN.replace(" ", "  ") + "\n")
    scanned([folder], tmp_path / "run")
    documents = table(tmp_path / "run", "documents").set_index("source")
    row = documents.loc[[n for n in documents.index if n.endswith("/c.txt")][0]]
    assert (row.status, row.repeats_by) == ("read", "text") and row.repeats.endswith("a.txt")


def test_changed_rules_judge_again_without_reading_again(folder, tmp_path, monkeypatch):
    out = tmp_path / "run"
    scanned([folder], out)
    before = bytes_of(out)
    monkeypatch.setattr(work, "fingerprint", lambda settings: "other rules")

    def never(*args):
        raise AssertionError("the document was read again")

    broken = (folder / "broken.pdf").read_bytes()
    read = pipeline.read_bytes
    monkeypatch.setattr(pipeline, "read_bytes", lambda data, *rest: read(data, *rest) if data == broken else never())
    assert scanned([folder], out).judged == 3 and bytes_of(out) == before


def test_a_changed_document_is_read_again_and_only_that(folder, tmp_path):
    out = tmp_path / "run"
    scanned([folder], out)
    (folder / "a.txt").write_text(PLAN.replace("Nine", "Ten"))
    totals = scanned([folder], out)
    assert (totals.judged, totals.repeats, totals.read) == (1, 0, 3)  # what was a repeat of it now stands alone


def test_a_report_whose_line_is_missing_is_found_again(folder, tmp_path):
    out = tmp_path / "run"
    scanned([folder], out)
    lines = (out / "ledger.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"state":"read"' not in line]
    (out / "ledger.jsonl").write_text("".join(kept) + '{"document":"torn')
    before = bytes_of(out)
    assert scanned([folder], out).judged == 0 and bytes_of(out) == before
    assert all(json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines())


def test_a_lost_or_damaged_report_is_made_again_or_said(folder, tmp_path):
    out = tmp_path / "run"
    scanned([folder], out)
    before = bytes_of(out)
    reports = sorted((out / "reports").rglob("*.json"))
    reports[0].unlink()
    assert scanned([folder], out).judged == 1 and bytes_of(out) == before


def test_a_stopped_run_keeps_what_it_did(folder, tmp_path):
    out = tmp_path / "run"

    def stopped(tasks):
        for count, task in enumerate(tasks):
            if count == 2:
                raise KeyboardInterrupt
            yield task, work.judge(task)

    with pytest.raises(KeyboardInterrupt):
        scanned([folder], out, engine=stopped)
    assert scanned([folder], out).judged == 1
    scanned([folder], tmp_path / "other")
    assert bytes_of(out) == bytes_of(tmp_path / "other")


def test_a_file_that_changes_while_it_waits_is_said(folder, tmp_path):
    def slow(tasks):
        for task in tasks:
            if task.source.name.endswith("a.txt"):
                (folder / "a.txt").write_text(PLAIN)
            yield task, work.judge(task)

    scanned([folder], tmp_path / "run", engine=slow)
    failures = table(tmp_path / "run", "failures").set_index("code")
    assert "was changed while" in failures.loc["ChangedDocument"].why
    scanned([folder], tmp_path / "run")
    assert "ChangedDocument" not in set(table(tmp_path / "run", "failures").code)


def test_two_runs_do_not_write_to_one_folder(folder, tmp_path):
    with ledgers.opened(str(tmp_path / "run")), pytest.raises(UsageError, match="Another scan"):
        scanned([folder], tmp_path / "run")


def test_a_folder_that_is_no_run_is_left_alone(folder, tmp_path):
    with pytest.raises(UsageError, match="not the folder of a run"):
        scanned([folder], folder)
    with pytest.raises(UsageError, match="cannot be made"):
        scanned([folder], folder / "a.txt" / "run")


def test_a_full_disk_stops_the_run_and_harms_nothing(folder, tmp_path, monkeypatch):
    out = tmp_path / "run"
    replace, calls = os.replace, []

    def full(old, new):
        if "reports" in str(new):
            calls.append(new)
            if len(calls) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(UsageError, match="No space left"):
            scanned([folder], out)
    assert not [p for p in out.rglob("*") if p.name.startswith(".claimscan-")]
    assert scanned([folder], out).judged == 1
    scanned([folder], tmp_path / "other")
    assert bytes_of(out) == bytes_of(tmp_path / "other")


def test_a_disk_that_fills_in_the_middle_of_a_line_leaves_a_whole_ledger(tmp_path):
    pytest.importorskip("resource")
    code = (
        "import resource, signal, sys\nfrom claimscan.batch import ledger\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"with ledger.opened({str(tmp_path / 'run')!r}) as book:\n"
        "  for n in range(100): book.done(f'{n:064}', ledger.Entry('k', 'read'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "could not be written" in done.stderr
    lines = (tmp_path / "run" / "ledger.jsonl").read_text()
    assert lines.endswith("\n") and all(json.loads(line) for line in lines.splitlines())


def test_words_that_a_spreadsheet_would_run_are_made_harmless(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "=cmd.txt").write_text(
        "=HYPERLINK(1)\n\n@SUM(1) plan was co-produced with us.\n\n+1 autistic adult helped."
    )
    path = tmp_path / "list.csv"
    path.write_text('path,organisation,=A1\n"docs/=cmd.txt","=1+1",-2\n')
    scanned([path], tmp_path / "run")
    for file in (tmp_path / "run" / "tables").glob("*.csv"):
        for row in csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")):
            assert not [cell for cell in row if cell.lstrip()[:1] in tuple("=+-@\t\r")]


# --- bounds ---------------------------------------------------------------------------------------------------------


def test_what_runs_out_of_time_is_tried_again_only_with_more(folder, tmp_path):
    def hung(tasks):
        for task in tasks:
            yield task, work.failed(TimeExceeded("too long"))

    out = tmp_path / "run"
    assert scanned([folder], out, engine=hung).unread == 4
    assert scanned([folder], out).judged == 0
    assert scanned([folder], out, bounds=work.Bounds(seconds=900)).judged == 3
    scanned([folder], tmp_path / "two", engine=hung)
    assert scanned([folder], tmp_path / "two", again=True).judged == 3


def _trouble(item):
    if item == "hang":
        time.sleep(600)
    if item == "die":
        os._exit(7)
    if item == "eat":
        return len(bytearray(4 << 30))
    return os.getpid()


@pytest.mark.slow
def test_a_worker_that_hangs_dies_or_eats_memory_costs_one_document():
    items = ["one", "hang", "two", "die", "three", "eat", "four"]
    made = dict(local._each(items, _trouble, str, 2, work.Bounds(seconds=4, megabytes=700)))
    assert isinstance(made["hang"], TimeExceeded) and isinstance(made["die"], WorkerDied)
    assert isinstance(made["eat"], MemoryExceeded)
    pids = {made[item] for item in ("one", "two", "three", "four")}
    assert all(isinstance(pid, int) for pid in pids)
    time.sleep(0.5)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


@pytest.mark.slow
def test_killed_again_and_again_a_run_ends_with_the_same_tables(folder, tmp_path):
    for number in range(8):
        (folder / f"plan{number}.txt").write_text(PLAN.replace("Nine", str(number + 5)))
    scanned([folder], tmp_path / "calm")
    out = tmp_path / "run"
    command = [sys.executable, "-m", "claimscan", "scan", str(folder), "--out", str(out), "--workers", "2", "--quiet"]
    for wait in (1.0, 2.5, 4.0):
        going = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        going.send_signal(signal.SIGKILL)
        going.wait()
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 1
    assert bytes_of(out) == bytes_of(tmp_path / "calm")
    judged = [json.loads(x)["document"] for x in (out / "ledger.jsonl").read_text().splitlines() if '"state"' in x]
    assert len(judged) == len(set(judged))


@pytest.mark.slow
def test_a_cluster_gives_the_same_tables_though_a_worker_is_killed(folder, tmp_path):
    distributed = pytest.importorskip("distributed")
    from claimscan.batch import cluster

    for number in range(6):
        (folder / f"plan{number}.txt").write_text(PLAN.replace("Nine", str(number + 5)))
    dask = [sys.executable, "-m", "dask"]
    address = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    common = ["--scheduler-file", str(address)]
    started = [subprocess.Popen([*dask, "scheduler", "--port", "0", "--no-dashboard", *common], **quiet)]
    options = ["--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path)]
    started.append(subprocess.Popen([*dask, "worker", *options, *common], **quiet))
    try:
        end = time.monotonic() + 60
        while not address.exists() and time.monotonic() < end:
            time.sleep(0.2)
        where = json.loads(address.read_text())["address"]
        with distributed.Client(where, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            victim = next(iter(client.run(os.getpid).values()))

        def killing(tasks):
            for count, done in enumerate(cluster.run(tasks, where, work.Bounds())):
                if count == 2:
                    os.kill(victim, signal.SIGKILL)
                yield done

        scanned([folder], tmp_path / "run", engine=killing)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(20)
    scanned([folder], tmp_path / "calm")
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "calm")


def test_a_scheduler_that_does_not_answer_is_said(monkeypatch):
    pytest.importorskip("distributed")
    from claimscan.batch import cluster

    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(UsageError, match="No scheduler answers"):
        list(cluster.run([], "tcp://127.0.0.1:9", work.Bounds()))


def test_a_worker_with_other_rules_refuses(folder):
    source = sources.plan([str(folder / "a.txt")]).sources[0]
    with pytest.raises(WrongWorker):
        work.judge(work.Task(source, "0" * 64, Settings(), key="another"))


# --- the command and the function -----------------------------------------------------------------------------------


def test_the_command_says_what_came_of_it(folder, tmp_path, capsys):
    out = str(tmp_path / "run")
    assert cli.main(["scan", str(folder), "--out", out, "--workers", "1"]) == 1
    said = capsys.readouterr().out
    assert "4 files: 2 read, 1 could not be read." in said and "1 file has the same bytes" in said
    assert cli.main(["scan", "--out", out, "--log-json"]) == 1
    both = capsys.readouterr()
    assert "0 judged now" not in both.out
    assert {json.loads(line)["event"] for line in both.err.splitlines()} == {"skipped", "kept"}
    (folder / "a.txt").unlink()
    assert cli.main(["scan", str(folder / "broken.pdf"), "--out", str(tmp_path / "none"), "--quiet"]) == 3


def test_wrong_use_is_said(folder, tmp_path, capsys):
    assert cli.main(["scan", "--out", str(tmp_path / "nothing")]) == 2
    assert cli.main(["scan", str(tmp_path / "no"), "--out", str(tmp_path / "run")]) == 2
    (tmp_path / "empty").mkdir()
    assert cli.main(["scan", str(tmp_path / "empty"), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "not the folder of a run" in said and "no file or folder called" in said and "no document to read" in said


def test_scan_yields_reports_in_order_and_says_what_could_not_be_read(folder):
    paths = [folder / "b" / "bins.md", folder / "broken.pdf", folder / "a.txt"]
    failed = []
    reports = list(claimscan.scan(paths, unread=lambda name, error: failed.append((name, type(error)))))
    assert [os.path.basename(r.document.source) for r in reports] == ["bins.md", "a.txt"]
    assert failed == [(str(folder / "broken.pdf"), DamagedDocument)]
    with pytest.warns(batch.UnreadDocumentWarning, match="damaged"):
        list(claimscan.scan(paths[1:2]))
    with pytest.raises(ValueError):
        next(claimscan.scan(paths, workers=0))


@pytest.mark.slow
def test_scan_gives_the_same_with_two_workers(folder):
    paths = sorted(folder.glob("*.txt")) * 3
    one = [r.to_json() for r in claimscan.scan(paths)]
    assert [r.to_json() for r in claimscan.scan(paths, workers=2)] == one


def test_a_bar_counts_what_is_done(folder):
    source = sources.plan([str(folder / "a.txt")]).sources[0]
    with progress.Bar(2) as bar:
        bar.step(work.Task(source, "0" * 64, Settings(), ""), work.Outcome(pages=3))
        bar.skip("other", kept=True)
    assert (bar.judged, bar.kept, bar.pages) == (1, 1, 3)


def test_a_reading_is_the_same_after_it_was_kept():
    settings, path = Settings(), sorted(SAMPLES.glob("*.pdf"))[0]
    data = path.read_bytes()
    document = pipeline.read_bytes(data, path.name, settings)
    kept = claimscan.reading.store(document, settings)
    again = claimscan.reading.restore(kept, data, path.name, settings)
    assert again == document and again.anchors.runs == document.anchors.runs
    assert pipeline.judge(again, settings).to_json() == pipeline.judge(document, settings).to_json()
    others = [
        (b"", data, path.name, settings),
        (kept[:-9], data, path.name, settings),
        (kept, b"other", path.name, settings),
        (kept, data, "plan.txt", settings),
        (kept, data, path.name, Settings(max_pages=1)),
    ]
    for arguments in others:
        with pytest.raises(ValueError):
            claimscan.reading.restore(*arguments)


# --- what once went wrong -------------------------------------------------------------------------------------------


def test_other_settings_read_again(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "plan.pdf").write_bytes(sorted(SAMPLES.glob("*.pdf"))[0].read_bytes())
    scanned([folder], tmp_path / "run", settings=Settings(max_pages=1))
    assert table(tmp_path / "run", "documents").unread_pages[0] > 0
    scanned([folder], tmp_path / "run")
    assert table(tmp_path / "run", "documents").unread_pages[0] == 0


def test_a_full_disk_is_not_blamed_on_documents(folder, tmp_path, monkeypatch):
    def full(self, line):
        raise UsageError("ledger.jsonl could not be written (No space left on device).")

    with monkeypatch.context() as patch:
        patch.setattr(ledgers.Ledger, "_append", full)
        with pytest.raises(UsageError, match="No space left"):
            scanned([folder], tmp_path / "run")
    assert scanned([folder], tmp_path / "run").read == 2


def test_members_of_one_zip_with_one_name_are_two_documents(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive, pytest.warns(UserWarning):
        archive.writestr("x.txt", PLAN)
        archive.writestr("x.txt", PLAIN)
    for _ in range(2):
        assert scanned([tmp_path / "all.zip"], tmp_path / "run").read == 2


def test_a_repeat_of_what_could_not_be_opened_is_read(folder, tmp_path):
    def vanishing(tasks):
        for task in tasks:
            if task.source.name.endswith("/a.txt"):
                (folder / "a.txt").unlink()
            yield task, work.judge(task)

    totals = scanned([folder], tmp_path / "run", engine=vanishing)
    assert (totals.read, totals.unread, totals.repeats) == (2, 2, 0)
    documents = table(tmp_path / "run", "documents").set_index("source")
    assert documents.loc[f"{folder}/b/again.txt"].status == "read"


def test_a_repeat_of_what_is_damaged_is_listed_too(folder, tmp_path):
    (folder / "b" / "too.pdf").write_bytes((folder / "broken.pdf").read_bytes())
    scanned([folder], tmp_path / "run")
    assert list(table(tmp_path / "run", "failures").code) == ["DamagedDocument"] * 2


def test_the_kind_of_file_by_its_name_counts(folder, tmp_path):
    scanned([folder], tmp_path / "run")
    (folder / "a.txt").rename(folder / "a.md")
    (folder / "b" / "again.txt").unlink()
    scanned([folder], tmp_path / "run")
    assert set(table(tmp_path / "run", "documents").format.dropna()) == {"markdown"}


def test_too_little_time_does_not_take_a_report_away(folder, tmp_path, monkeypatch):
    out = tmp_path / "run"
    scanned([folder], out)
    before = bytes_of(out)
    monkeypatch.setattr(work, "fingerprint", lambda settings: "other code")

    def hung(tasks):
        for task in tasks:
            good = task.source.name.endswith("broken.pdf")
            yield task, work.judge(task) if good else work.failed(TimeExceeded("too long"))

    assert scanned([folder], out, engine=hung).read == 2 and bytes_of(out) == before
    assert scanned([folder], out).judged == 2 and bytes_of(out) == before


def test_what_was_replaced_half_way_is_judged_again(folder, tmp_path):
    out = tmp_path / "run"
    scanned([folder], out, settings=Settings(max_pages=9))
    before = bytes_of(out)

    def stopped(tasks):
        for task in tasks:
            yield task, work.judge(task)

    def dying(self, document, entry, spent=None):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ledgers.Ledger, "done", dying)
        scanned([folder], out, engine=stopped)
    assert scanned([folder], out, settings=Settings(max_pages=9)).judged >= 1
    assert bytes_of(out) == before
    reports = [json.loads(p.read_text()) for p in (out / "reports").rglob("*.json")]
    assert {r["provenance"]["config"] for r in reports} == {pipeline.provenance(Settings(max_pages=9))["config"]}


def test_what_a_killed_run_left_half_written_is_swept_up(folder, tmp_path):
    scanned([folder], tmp_path / "run")
    left = next((tmp_path / "run" / "reports").iterdir()) / ".claimscan-left"
    left.write_text("half")
    scanned([folder], tmp_path / "run")
    assert not left.exists()


def test_a_worker_needs_some_memory():
    arguments = cli.parser().parse_args(["scan", str(SAMPLES), "--out", "x", "--memory", "5"])
    with pytest.raises(UsageError, match="5 MB"):
        scan_command.run(arguments, Settings())


@pytest.mark.slow
def test_a_pool_in_which_no_worker_can_start_gives_up():
    with pytest.raises(UsageError, match="cannot be started"):
        list(local._each(["one"] * 40, _trouble, str, 1, work.Bounds(megabytes=5)))


@pytest.mark.slow
def test_workers_killed_again_and_again_cost_nothing():
    items, made = [f"item {n}" for n in range(40)], {}
    for item, pid in local._each(items, _trouble, str, 2, work.Bounds()):
        made[item] = pid
        if len(made) in (5, 12, 20, 28):  # apart, so that no item is hit twice: that would end it, rightly
            os.kill(pid, signal.SIGKILL)  # the worker that has just done this one, and may be at another
    assert set(made) == set(items) and all(isinstance(pid, int) for pid in made.values())
    assert len(set(made.values())) >= 4


@pytest.mark.parametrize(
    "text, why",
    [
        ('path,organisation\na.txt,"Ferrow\nb/bins.md,Marle\n', "not a whole table"),
        ("path,year,Year\na.txt,1,2\n", "two columns headed"),
        ("path,organisation\na.txt,Ferrow, Marle and Oak\n", "more cells than headings in line 2"),
    ],
)
def test_a_list_that_would_be_read_wrongly_is_refused(folder, text, why):
    (folder / "list.csv").write_text(text)
    with pytest.raises(UsageError, match=why):
        sources.plan([str(folder / "list.csv")])


def test_quotes_in_a_list_are_read_as_spreadsheets_write_them(folder):
    path = folder / "list.csv"
    path.write_text('path,organisation,note\na.txt,"The ""Old"" Body, Marle","it\'s, so"\n' + "b/bins.md,x,'y'\n" * 200)
    assert sources.plan([str(path)]).sources[0].metadata == ('The "Old" Body, Marle', "it's, so")


def test_a_strategy_of_two_bodies_is_listed_for_both(folder):
    (folder / "list.csv").write_text("path,organisation\na.txt,Ferrow\na.txt,Marle\na.txt,Ferrow\n")
    assert sources.plan([str(folder / "list.csv")]).sources[0].metadata == ("Ferrow; Marle",)


def test_headings_that_differ_in_capitals_only_from_ours_are_renamed(folder):
    (folder / "list.csv").write_text("path,Title,given_title,STATUS\na.txt,1,2,3\n")
    plan = sources.plan([str(folder / "list.csv")], taken=sorted(tables.taken()))
    assert len({name.casefold() for name in plan.metadata} | tables.taken()) == 3 + len(tables.taken())


def test_one_bad_address_in_a_list_is_one_problem(folder):
    (folder / "list.csv").write_text(
        "path\na.txt\nhttps://example.org/plan.pdf\nsimplecache::http://example.org/x.pdf\n"
    )
    plan = sources.plan([str(folder / "list.csv")])
    assert len(plan.sources) == 1 and len(plan.problems) == 2
    assert all("does not fetch" in str(problem.error) for problem in plan.problems)


def test_a_pattern_does_not_follow_links_in_circles(folder):
    (folder / "b" / "one").symlink_to(".")
    (folder / "b" / "two").symlink_to(".")
    assert len(sources.plan([str(folder / "**" / "*.txt")]).sources) == 2


@pytest.mark.parametrize("line", ['"x"', "[1]", '{"document":"../../x","state":"read","key":"k"}', "[" * 5000, "\x00"])
def test_odd_lines_in_a_ledger_are_passed_over(folder, tmp_path, line):
    scanned([folder], tmp_path / "run")
    with open(tmp_path / "run" / "ledger.jsonl", "a") as file:
        file.write(line + "\n")
    assert scanned([folder], tmp_path / "run").judged == 0


@pytest.mark.parametrize("report", ["{half", "{}", '{"document": {"id": "X"}}', '{"document": [1], "products": []}'])
def test_a_hollow_report_is_said_and_then_made_again(folder, tmp_path, report):
    scanned([folder], tmp_path / "run")
    before = bytes_of(tmp_path / "run")
    path = next((tmp_path / "run" / "reports").rglob("*.json"))
    path.write_text(report.replace("X", path.stem))
    scanned([folder], tmp_path / "run")
    assert "LostReport" in set(table(tmp_path / "run", "failures").code)
    scanned([folder], tmp_path / "run")
    assert bytes_of(tmp_path / "run") == before


@pytest.mark.parametrize(
    "text", ["[" * 5000, "[]", "{}", '{"schema": "claimscan/run/1", "asked": {"paths": "x"}}', "half{"]
)
def test_a_damaged_description_of_a_run_is_said(tmp_path, text, capsys):
    (tmp_path / "run.json").write_text(text)
    assert cli.main(["scan", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "damaged" in said or "another version" in said or "does not say" in said


@pytest.mark.slow
def test_a_run_that_is_ended_stops_in_good_order(tmp_path):
    command = [
        sys.executable,
        "-m",
        "claimscan",
        "scan",
        str(SAMPLES),
        "--out",
        str(tmp_path / "run"),
        "--workers",
        "1",
    ]
    going = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (tmp_path / "run" / "ledger.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(2)
    going.terminate()
    said = going.communicate(timeout=60)[1]
    assert going.returncode == 130 and "stopped" in said and "Traceback" not in said


def test_a_joint_strategy_is_shown_for_both_bodies_and_both_are_asked(tmp_path):
    (tmp_path / "a.txt").write_text(PLAN)
    (tmp_path / "b.txt").write_text(PLAN)
    (tmp_path / "c.txt").write_text(PLAN.replace("\n", "\n\n"))  # the same words in other bytes
    (tmp_path / "list.csv").write_text(
        "path,organisation\na.txt,Ferrow Council\nb.txt,Ferrow NHS Trust\nc.txt,Ferrow Aid"
    )
    totals = scanned([tmp_path / "list.csv"], tmp_path / "run")
    assert (totals.read, totals.repeats) == (2, 1)
    page = (tmp_path / "run" / "index.html").read_text()
    assert "Also Ferrow NHS Trust; Ferrow Aid" in page and page.count("<h2") >= 4
    for body in ("Ferrow Council", "Ferrow NHS Trust", "Ferrow Aid"):
        assert f'<th scope="row">{body}</th>' in page, body
    written = replies.sheets(str(tmp_path / "run"), str(tmp_path / "sheets"))
    assert len(written) == 3
