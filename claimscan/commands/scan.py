"""The command ``claimscan scan``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from claimscan.errors import UsageError

if TYPE_CHECKING:
    from claimscan.batch import Totals
    from claimscan.records import Settings

LEAST = 300  # megabytes: what a worker needs before it reads anything

EPILOG = """\
PATH is a folder (with all folders in it), a file, a pattern in quotes such as
"docs/**/*.pdf", a zip file, or a list: a .csv file with a column headed “path”
and, if you like, organisation, year, kind, region or anything else, which then
stands in every table.

Stop it whenever you like (Ctrl-C) and give the same command to go on: documents
that were done are not done again. With no PATH it goes on with what the run
folder was made for.

Exit codes: 0 done; 1 done, but some document could not be read (they are listed
with the reason); 2 used wrongly, or the folder could not be written; 3 nothing
could be read."""


def add_parser(commands: Any, parents: list[argparse.ArgumentParser], positive: Any) -> None:
    """Add the command to the others of ``claimscan``."""
    scan = commands.add_parser(
        "scan",
        parents=parents,
        help="check many documents; can be stopped and continued",
        description="Check many documents and write reports, tables and a summary page into a folder.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scan.add_argument("paths", nargs="*", metavar="PATH", help="a folder, file, pattern, zip file or list")
    scan.add_argument("--out", required=True, metavar="RUN", help="the folder to write to")
    scan.add_argument("--workers", type=positive, metavar="N", help="processes at work (default: one for each core)")
    scan.add_argument("--seconds", type=positive, metavar="N", help="time for one document (600)")
    scan.add_argument("--memory", type=positive, metavar="MB", help="memory for one worker (900)")
    scan.add_argument("--again", action="store_true", help="try again what could not be read")
    scan.add_argument("--cluster", metavar="ADDRESS", help="use a Dask cluster, such as tcp://10.0.0.5:8786")
    scan.add_argument("--log-json", action="store_true", help="say each document as a line of JSON on standard error")
    scan.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")
    scan.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it. Returns the exit code."""
    from dataclasses import replace

    from claimscan import batch
    from claimscan.batch import ledger, progress, sources, tables, work

    given = {
        "ocr": args.ocr,
        "pages": args.max_pages,
        "seconds": args.seconds,
        "memory": args.memory,
        "cluster": args.cluster,
    }
    before: Any = {"paths": args.paths, "from": os.getcwd()}
    if not args.paths:
        before = ledger.description(args.out).get("asked")
        if not isinstance(before, dict) or not isinstance(before.get("paths"), list):
            raise UsageError(f"{args.out}/run.json does not say what was asked for.", "Name the documents again.")
        args.out = os.path.abspath(args.out)
        try:
            os.chdir(str(before.get("from")))
        except OSError:
            raise UsageError(
                "The folder where the run was begun is not there any more.", "Name the documents again."
            ) from None
    asked: dict[str, Any] = before | {name: value for name, value in given.items() if value}
    settings = replace(settings, ocr=asked.get("ocr", False), max_pages=asked.get("pages", settings.max_pages))
    bounds = work.Bounds(float(asked.get("seconds", 600)), asked.get("memory", 900))
    if bounds.megabytes < LEAST:
        raise UsageError(f"A worker cannot do anything with {bounds.megabytes} MB.", f"Allow at least {LEAST}.")
    plan = sources.plan(asked["paths"], out=args.out, taken=sorted(tables.taken()), settings=settings)
    if not plan.sources and not plan.problems:
        raise UsageError("There is no document to read there.", "claimscan reads PDF, Word, HTML, Markdown and text.")
    total = len(plan.sources)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # to be ended is to be stopped: workers end, files are whole
    totals = batch.run(
        plan,
        args.out,
        _engine(asked.get("cluster", ""), args.workers, bounds, total),
        settings=settings,
        bounds=bounds,
        progress=progress.chosen(total, args.quiet, args.log_json),
        again=args.again,
        asked=asked,
    )
    if not args.quiet:
        print(said(totals, args.out), end="")
    elif totals.unread and sys.stderr is not None:
        print(f"claimscan: {totals.unread:,} could not be read; see tables/failures.csv.", file=sys.stderr)
    if not totals.read:
        return 3
    return 1 if totals.unread else 0


def again(folder: str) -> int:
    """The run of a folder once more, with what it was begun with; only what has changed is done. Returns the exit code."""
    from claimscan.records import Settings

    nothing = dict.fromkeys(("max_pages", "seconds", "memory", "workers", "cluster"))
    given: dict[str, Any] = {"paths": [], "out": folder, "ocr": False, "again": False, "log_json": False, "quiet": True}
    return run(argparse.Namespace(**given, **nothing), Settings())


def _engine(address: str, workers: int | None, bounds: Any, total: int) -> Any:
    if address:
        from claimscan.batch import cluster

        return lambda tasks: cluster.run(tasks, address, bounds)
    from claimscan.batch import local

    return lambda tasks: local.run(tasks, min(workers or os.cpu_count() or 1, max(1, total)), bounds)


def said(totals: Totals, out: str) -> str:
    """What the run came to, for a person."""
    from claimscan.showing.wording import clean, number

    lines = [f"{number(totals.files, 'file')}: {totals.read:,} read, {totals.unread:,} could not be read."]
    if totals.repeats:
        lines.append(f"{number(totals.repeats, 'file has', 'files have')} the same bytes as another; read once.")
    if totals.passed:
        lines.append(
            f"{number(totals.passed, 'other file was', 'other files were')} passed over (tables/passed_over.csv)."
        )
    if totals.kept and totals.judged:
        lines.append(f"{totals.judged:,} judged now; the others had been done before or needed no work.")
    elif totals.kept and not totals.judged and not totals.unread:
        lines.append("Nothing had changed since the last run.")
    if totals.unread:
        lines.append("The reasons are in tables/failures.csv.")
    lines += [f"Things said to be made with people, or described so: {totals.products:,}.", ""]
    place = clean(os.path.join(out, ""))
    lines += [
        f"Summary page: {place}index.html",
        f"Tables:       {place}tables",
        f"Reports:      {place}reports and {place}pages",
    ]
    return "\n".join(lines) + "\n"
