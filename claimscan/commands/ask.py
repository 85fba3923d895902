"""The command ``claimscan ask``."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from claimscan.errors import UsageError
from claimscan.files import check_target, write_whole

if TYPE_CHECKING:
    from claimscan.records import Settings
    from claimscan.showing.letters import Letter

EPILOG = """\
The letter asks only for what the document leaves open, six things at most, and
never for the names of people who took part. Nothing is sent. Read it, change
what you like, and fill in the words in [square brackets].

--body is the body's name in the web addresses of whatdotheyknow.com, the part
after “/body/”. It is never guessed. The website shows your name and your request
to everyone; opening the link sends nothing.

F ends in .txt or .docx, or is - for standard output (the notes for you then go
to standard error).

Exit codes: 0 done, also where there is nothing to ask; 2 used wrongly; 3 the
document could not be read."""


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add the command to the others of ``claimscan``."""
    ask = commands.add_parser(
        "ask",
        parents=parents,
        help="write a letter that asks for what the document leaves open",
        description="Write a reply to a consultation, or an FOI request, from the questions that a document leaves open.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ask.add_argument("file", metavar="FILE", help="the document; - is standard input")
    ask.add_argument(
        "--kind", choices=("reply", "foi"), default="reply", help="a reply (the default), or an FOI request"
    )
    ask.add_argument(
        "--nation",
        choices=("england", "wales", "scotland", "northern-ireland"),
        default="england",
        help="whose FOI law (england)",
    )
    ask.add_argument(
        "--product", action="append", metavar="ID", help="what to ask about, such as p2; may be given again"
    )
    ask.add_argument("--pick", type=_numbers, metavar="N,N", help="which questions to ask, by number, such as 1,3,8")
    ask.add_argument("--language", choices=("en", "cy"), default="en", help="English (en) or Welsh (cy)")
    ask.add_argument("--easy-read", action="store_true", help="short sentences and easy words")
    ask.add_argument("--body", metavar="NAME", help="also give the link that fills in an FOI request to this body")
    ask.add_argument("--out", metavar="F", help="write the letter to a .txt or .docx file")
    ask.set_defaults(run=run)


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):
        raise argparse.ArgumentTypeError(f"“{text}” is no list of numbers such as 1,3,5")
    return [int(part) for part in parts]


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it. Returns the exit code."""
    if args.body is not None and args.kind != "foi":
        raise UsageError("The link is for FOI requests only.", "Add --kind foi, or leave --body out.")
    _check_target(args.out, args.file)
    from claimscan import pipeline
    from claimscan.showing import letters, wording

    report = pipeline.check(args.file, settings=settings)
    products: list[str] = args.product or []
    why = letters.silent(report, products, language=args.language)
    if why:
        print(why)
        return 0
    letter = letters.letter(
        report,
        kind=args.kind,
        nation=args.nation,
        products=products,
        language=args.language,
        easy=args.easy_read,
        pick=args.pick or (),
    )
    address = letters.link(letter, args.body) if args.body is not None else ""
    said = letters.words(args.language)
    text = f"{said['subject']} {letter.title}\n\n{letter.text()}"
    aside = sys.stderr if args.out == "-" else sys.stdout
    if args.out == "-" or not args.out:
        print(text, end="", flush=True)
    else:
        write_whole(args.out, letters.docx(letter) if _ending(args.out) == ".docx" else text.encode())
        print(f"{said['written']} {wording.clean(args.out)}")
    if aside is not None:
        print(_advice(letter, said, address), end="", file=aside)
    return 0


def _advice(letter: Letter, said: Any, address: str) -> str:
    """What is for the person who sends it; the warning stands before the link."""
    lines = ["", "-" * 40, f"{said['before_sending']}:", ""]
    lines += [f"  {note}" if note[:1].isdigit() else f"- {note}" for note in letter.notes]
    if address:
        lines += ["", *said["link"]["warning"], "", address]
    return "\n".join(lines) + "\n"


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _check_target(target: str | None, file: str) -> None:
    """Raises UsageError before anything is read where the letter cannot be written."""
    if target is None:
        return
    if target != "-" and _ending(target) not in (".txt", ".docx"):
        raise UsageError("The name of the letter must end in .txt or .docx.", "Give such a name, or - to print it.")
    check_target(target, [file])
