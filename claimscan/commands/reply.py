"""``claimscan reply``: send out right-of-reply sheets, and take them in again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from claimscan.errors import UsageError

if TYPE_CHECKING:
    from claimscan.batch.replies import Taken

ABOUT = """\
Ask the bodies that a run names for their answer, and keep it beside the
finding. --sheets writes one workbook for each organisation, with every finding
about it and room for its answer. --take reads them when they come back, as
workbooks or as CSV, and keeps the answers in the run folder; they are then
shown with the findings, in the body's own words."""

CODES = """\
Exit codes: 0 done; 1 done, but some answer or file could not be taken; 2 used
wrongly, or something could not be written."""


def add_parser(commands: Any) -> None:
    """Add ``reply`` to the commands."""
    reply = commands.add_parser(
        "reply",
        help="ask the bodies named in a run for their answer, and keep it with the finding",
        description=ABOUT,
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reply.add_argument("run_folder", metavar="RUN", help="the folder that scan wrote")
    what = reply.add_mutually_exclusive_group(required=True)
    what.add_argument("--sheets", metavar="FOLDER", help="write the sheets to be sent out into this folder")
    what.add_argument("--take", metavar="FILE", nargs="+", help="take in sheets that came back (.xlsx or .csv)")
    reply.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; returns its exit code. Pages and tables are made anew where there are new answers."""
    from claimscan.batch import replies
    from claimscan.commands import scan
    from claimscan.showing.wording import clean

    if args.sheets is not None:
        if not args.sheets:
            raise UsageError("--sheets needs the name of a folder.", "Give a name.")
        paths = replies.sheets(args.run_folder, args.sheets)
        print("\n".join(map(clean, paths)))
        many = "1 sheet is" if len(paths) == 1 else f"{len(paths):,} sheets are"
        print(f"{many} in {clean(args.sheets)}. Look at each before you send it, and say until when they can answer.")
        return 0
    taken = replies.take(args.run_folder, args.take)
    print(told(taken), end="")
    if taken.documents:
        scan.again(args.run_folder)
    return 1 if taken.unplaced or taken.failed else 0


def told(taken: Taken) -> str:
    """What came of it, for a person: nothing that was written in the sheets goes unmentioned."""
    from claimscan.showing.wording import clean, number, short

    lines = [f"{number(len(taken.taken), 'answer')} taken."]
    if taken.replaced:
        lines.append(f"{number(len(taken.replaced), 'earlier answer')} replaced by a later one:")
        for reply in taken.replaced:
            said = short(reply.answer or reply.evidence, 100)
            lines.append(f"  {clean(reply.source)}, {short(reply.product, 60)}: “{said}”")
    if taken.unchanged:
        lines.append(f"{number(taken.unchanged, 'answer')} known already.")
    if taken.earlier:
        lines.append(
            f"{number(len(taken.earlier), 'answer')} to a finding that the run no longer has; shown at the end:"
        )
        lines += [f"  {clean(reply.source)}, {short(reply.product, 60)}" for reply in taken.earlier]
    if taken.empty:
        lines.append(
            f"{number(len(taken.empty), 'row')} without an answer; that means no answer yet, and nothing else."
        )
    if taken.unplaced:
        lines.append(f"{number(len(taken.unplaced), 'answer')} could not be taken:")
        for row in taken.unplaced:
            lines.append(f"  {clean(row.place)}: {clean(row.why)}")
            lines.append(f"    “{short(row.cells.get('answer') or row.cells.get('evidence') or '', 100)}”")
    if taken.notes:
        lines.append("Also in the files:")
        lines += [f"  {clean(note.place)}: {clean(note.text)}" for note in taken.notes]
    for file, error in taken.failed:
        lines.append(f"{clean(file)} was not taken. {clean(str(error))} {clean(error.remedy)}")
    return "\n".join(lines) + "\n"
