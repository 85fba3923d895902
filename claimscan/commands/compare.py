"""The command ``claimscan compare``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from claimscan.errors import UsageError
from claimscan.files import check_target, write_whole

if TYPE_CHECKING:
    from claimscan.batch.two_runs import Shelf
    from claimscan.records import Settings

Report = dict[str, Any]

EPILOG = """\
A and B are both documents, or both runs; A is the earlier one. A document is a
file that claimscan reads, or a report that “check --json” wrote of one. A run is
a folder that “scan” wrote, or the list that “check --json” writes of several
documents.

Words that have left a document and words that are only read in another way are
told apart; for that a report needs its text (check --json F --with-text).

F is a file, or - for standard output (the comparison is then not printed). In
the CSV every change is a row; a cell that a spreadsheet could take for a formula
gets an apostrophe in front.

Exit codes: 0 done, whether or not anything is different; 1 done, but some
documents of the runs could not be compared; 2 used wrongly; 3 a document could
not be read."""


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add the command to the others of ``claimscan``."""
    compare = commands.add_parser(
        "compare",
        parents=parents,
        help="say what is different between two versions of a document, or two runs",
        description="Say which claims, grades, flags and evidence are different between two versions of a document, or "
        "between two runs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("before", metavar="A", help="the earlier document, report or run")
    compare.add_argument("after", metavar="B", help="the later one")
    compare.add_argument("--json", metavar="F", help="write the comparison as JSON")
    compare.add_argument("--csv", metavar="F", help="write every change as a row of a table")
    compare.add_argument("--all", action="store_true", help="print everything, not only the first few")
    compare.add_argument("--quiet", action="store_true", help="print no comparison")
    compare.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it. Returns the exit code."""
    targets = _targets(args)
    before, after = _opened(args.before), _opened(args.after)
    from claimscan.showing import comparison as showing
    from claimscan.showing import wording
    from claimscan.showing.terminal import columns

    printing = not args.quiet and "-" not in targets.values()
    text, code = "", 0
    if _is_run(before) and _is_run(after):
        from claimscan.batch import two_runs

        runs = two_runs.compare_runs(before, after, _step(args.quiet))
        whole, table = partial(showing.runs_to_dict, runs), partial(showing.runs_to_csv, runs)
        if printing:
            text = showing.runs_summary(runs, width=columns(), everything=args.all)
        code = 1 if runs.damaged else 0
    elif _is_run(before) or _is_run(after):
        raise UsageError("One of them is a run and the other a single document.", "Give two documents, or two runs.")
    else:
        from claimscan import comparing

        sides = _report(args.before, before, settings), _report(args.after, after, settings)
        try:
            found = comparing.compare(*sides)
        except (TypeError, AttributeError, KeyError, ValueError):
            if before is None and after is None:
                raise
            raise UsageError(
                "One of the reports holds what no report does.",
                "Make it anew with “claimscan check --json --with-text”.",
            ) from None
        whole, table = partial(showing.to_dict, found), partial(showing.to_csv, found)
        if printing:
            text = showing.summary(found, width=columns(), everything=args.all)
    print(text, end="")
    for kind, target in targets.items():
        data = showing.to_json(whole()) if kind == "json" else table().encode("utf-8" if target == "-" else "utf-8-sig")
        if target == "-":
            sys.stdout.buffer.write(data)
        else:
            write_whole(target, data)
            if printing:
                print(f"\nWritten: {wording.clean(target)}")
    return code


# --- what A and B are -----------------------------------------------------------------------------------------------


def _is_run(side: Report | Shelf | None) -> TypeGuard[Shelf]:
    return side is not None and not isinstance(side, dict)


def _opened(name: str) -> Report | Shelf | None:
    """A report, or the shelf of a run; None for a document that is still to be checked."""
    if os.path.isdir(name):
        from claimscan.batch import two_runs

        return two_runs.RunFolder(name)
    if name == "-" or os.path.splitext(name)[1].lower() != ".json":
        return None
    import json

    try:
        with open(name, "rb") as file:
            whole = json.load(file)
    except FileNotFoundError:
        raise UsageError(f"There is no file {name}.", "Check the spelling of its name.") from None
    except (OSError, ValueError, RecursionError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else "it is no whole JSON"
        raise UsageError(f"{name} could not be read ({why}).", "Make it anew with “claimscan check --json”.") from None
    reports = whole if isinstance(whole, list) and whole else [whole]
    from claimscan.comparing import sentences

    for report in reports:
        try:
            if not isinstance(report, dict):
                raise ValueError("no report")
            sentences(report)
        except ValueError:
            raise UsageError(
                f"{name} is no report as “claimscan check --json” writes it.",
                "Give such a report, a document, or the folder of a run.",
            ) from None
    if len(reports) == 1:
        return dict(reports[0])
    from claimscan.batch import two_runs

    return two_runs.ReportList(name, reports)


def _report(name: str, side: Report | Shelf | None, settings: Settings) -> Mapping[str, Any]:
    if isinstance(side, dict):
        return side
    from claimscan import pipeline

    return pipeline.check(name, settings=settings).to_dict(with_text=True)


# --- where to write -------------------------------------------------------------------------------------------------


def _targets(args: argparse.Namespace) -> dict[str, str]:
    """The outputs asked for. Raises UsageError before anything is read where one of them cannot be written."""
    if args.before == args.after == "-":
        raise UsageError("Standard input can be read only once.", "Give “-” one time.")
    targets = {kind: getattr(args, kind) for kind in ("json", "csv") if getattr(args, kind) is not None}
    for kind, target in targets.items():
        if not target:
            raise UsageError(f"--{kind} needs the name of a file.", "Give a name, or - for standard output.")
        check_target(target, (args.before, args.after))
    places = [t if t == "-" else os.path.realpath(t) for t in targets.values()]
    if len(places) != len(set(places)):
        raise UsageError("Two outputs have the same name.", "Give each its own file; only one can be standard output.")
    return targets


def _step(quiet: bool) -> Any:
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return None

    def show(n: int, of: int) -> None:
        if n == of or not n % 50:
            print(f"\rCompared {n:,} of {of:,}" + ("\r\x1b[K" if n == of else ""), end="", file=sys.stderr, flush=True)

    return show
