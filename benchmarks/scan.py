"""A run over a folder: two workers against one, pages against pdftotext, and the memory of the process that leads it.

    python benchmarks/scan.py [FOLDER]
    python benchmarks/scan.py --documents 100000

The first form scans the folder (default: the sample PDFs) by turns with one worker and with two, and has pdftotext read
the same files. The second makes a run folder as large as asked for, with a small report for each document, and
measures the peak memory and the time of the leading process while it plans, finds everything done, and makes the
tables and the summary page.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import measured

SAMPLES = Path(__file__).parent.parent / "corpus" / "pdf"
LEADER = """
import resource, sys, time
from claimscan import cli
began = time.monotonic()
code = cli.main(["scan", sys.argv[1], "--out", sys.argv[2], "--quiet", "--workers", "1"])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, round(time.monotonic() - began, 1))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLES)
    parser.add_argument("--times", type=int, default=3, help="pairs")
    parser.add_argument("--documents", type=int, default=0, help="measure the leading process over so many")
    args = parser.parse_args()
    print(measured.versions())
    with tempfile.TemporaryDirectory() as place:
        print(leader(Path(place), args.documents) if args.documents else speed(Path(place), args.folder, args.times))


def speed(place: Path, folder: Path, times: int) -> str:
    def scan(workers: int) -> None:
        shutil.rmtree(place / "run", ignore_errors=True)
        command = ["-m", "claimscan", "scan", str(folder), "--out", str(place / "run"), "--workers", str(workers)]
        done = subprocess.run([sys.executable, *command, "--quiet"], stderr=subprocess.PIPE, text=True)
        if done.returncode not in (0, 1):  # 1: some document cannot be read, which is no matter here
            sys.exit(done.stderr)

    def other() -> None:
        for file in sorted(folder.rglob("*.pdf")):
            subprocess.run(["pdftotext", str(file), os.devnull], stderr=subprocess.DEVNULL)

    rows = [measured.pairs("one worker against two", lambda: scan(2), lambda: scan(1), times, 1.8, at_least=True)]
    if shutil.which("pdftotext"):
        rows.append(
            measured.pairs("pages a second a core, against pdftotext", lambda: scan(1), other, times, 0.4, True)
        )
    return measured.table(rows)


def leader(place: Path, count: int) -> str:
    """The leading process over ``count`` documents that are all done already."""
    from claimscan import report
    from claimscan.batch import course, ledger, progress, sources, work
    from claimscan.pipeline import check_text
    from claimscan.records import Settings

    whole = check_text(
        "Plan\n\nThis plan was co-produced with nine autistic adults, who were paid for their time."
    ).to_dict()
    docs, run = place / "docs", place / "run"
    os.fsync = lambda handle: None  # the folder is only made to be measured
    with ledger.opened(str(run)) as book:
        ledger.describe(book, {"state": "begun", "asked": {}})
        empty = sources.Plan((), (), ())
        run_of = course.Course(empty, book, Settings(), work.Bounds(), {}, progress.Silent())
        for number in range(count):
            folder = docs / f"body{number % 1000:03}"
            folder.mkdir(parents=True, exist_ok=True)
            data = f"plan {number}".encode()
            path = folder / f"strategy-{number:06}.txt"
            path.write_bytes(data)
            document = hashlib.sha256(data).hexdigest()
            whole["document"] |= {"id": document, "source": str(path), "text_sha256": document}
            book.seen(sources.shown(str(path)), sources.marks(sources.Source("", str(path))), document)
            book.keep("report", document, json.dumps(whole).encode())
            book.done(document, ledger.Entry(run_of.key(sources.Source(str(path), str(path)), document), "read"))
    assert report.SCHEMA == whole["schema"]
    peaks = []
    for _ in range(2):
        code, peak, seconds = measured.fresh("-c", LEADER, str(docs), str(run)).stdout.split()
        peaks.append((int(peak), float(seconds)))
        if code != "0":
            sys.exit(f"the scan ended with {code}")
    ledger_size = (run / ledger.LEDGER).stat().st_size / 1e6
    return (
        f"{count:,} documents done before: peak {max(p for p, _ in peaks):,} MB, "
        f"{statistics.median(s for _, s in peaks):,.0f} s; ledger {ledger_size:,.0f} MB"
    )


if __name__ == "__main__":
    main()
