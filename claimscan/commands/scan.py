"""The command ``claimscan scan``."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from claimscan.errors import UsageError

if TYPE_CHECKING:
    from claimscan.batch import Totals
    from claimscan.records import Settings

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
    scan.add_argument("--seconds", type=positive, default=600, metavar="N", help="time for one document (600)")
    scan.add_argument("--memory", type=positive, default=900, metavar="MB", help="memory for one worker (900)")
    scan.add_argument(
        "--again", action="store_true", help="try again what ran out of time or memory, or ended a worker"
    )
    scan.add_argument("--cluster", metavar="ADDRESS", help="use a Dask cluster, such as tcp://10.0.0.5:8786")
    scan.add_argument("--log-json", action="store_true", help="say each document as a line of JSON on standard error")
    scan.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")
    scan.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it. Returns the exit code."""
    from claimscan import batch
    from claimscan.batch import ledger, progress, sources, tables, work

    asked: dict[str, Any] = {"paths": args.paths, "from": os.getcwd(), "ocr": settings.ocr, "pages": settings.max_pages}
    if not args.paths:
        asked = ledger.description(args.out)["asked"]
        args.out = os.path.abspath(args.out)
        if not os.path.isdir(asked["from"]):
            raise UsageError(f"{asked['from']}, where the run was begun, is not there.", "Name the documents again.")
        os.chdir(asked["from"])
        settings = replace(settings, ocr=asked["ocr"], max_pages=asked["pages"])
    plan = sources.plan(asked["paths"], out=args.out, taken=sorted(tables.taken()), settings=settings)
    if not plan.sources and not plan.problems:
        raise UsageError("There is no document to read there.", "claimscan reads PDF, Word, HTML, Markdown and text.")
    bounds = work.Bounds(float(args.seconds), args.memory)
    total = len(plan.sources)
    totals = batch.run(
        plan,
        args.out,
        _engine(args, bounds, total),
        settings=settings,
        bounds=bounds,
        progress=progress.chosen(total, args.quiet, args.log_json),
        again=args.again,
        asked=asked,
    )
    if not args.quiet:
        print(said(totals, args.out), end="")
    if not totals.read:
        return 3
    return 1 if totals.unread else 0


def again(folder: str) -> int:
    """The run of a folder once more, with what it was begun with; only what has changed is done. Returns the exit code."""
    from claimscan.records import Settings

    given: dict[str, Any] = {"paths": [], "out": folder, "workers": None, "seconds": 600, "memory": 900, "again": False}
    return run(argparse.Namespace(**given, cluster=None, log_json=False, quiet=True), Settings())


def _engine(args: argparse.Namespace, bounds: Any, total: int) -> Any:
    if args.cluster:
        from claimscan.batch import cluster

        return lambda tasks: cluster.run(tasks, args.cluster, bounds)
    from claimscan.batch import local

    workers = min(args.workers or os.cpu_count() or 1, max(1, total))
    return lambda tasks: local.run(tasks, workers, bounds)


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
    elif totals.kept:
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
