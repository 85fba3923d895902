"""The command ``claimscan serve``."""

from __future__ import annotations

import argparse
from typing import Any

from claimscan.errors import UsageError

ABOUT = """\
Show a page in your browser, on this computer only. Drop documents on it, see
what they show, correct the finding and write a letter. Nothing leaves this
computer, and all that you do not keep is deleted when it stops."""


def add_parser(commands: Any) -> None:
    """Add ``serve`` to the commands."""
    serve = commands.add_parser(
        "serve",
        help="show a page in your browser to drop documents on",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument(
        "--port", type=int, metavar="N", help="the port to use (default: 8765, or another if it is taken)"
    )
    serve.add_argument("--no-browser", action="store_true", help="only print the address")
    serve.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; returns its exit code."""
    if args.port is not None and not 1 <= args.port <= 65535:
        raise UsageError(f"{args.port} is no port.", "Give a number from 1024 to 65535, or leave --port out.")
    from claimscan.web import running

    return running.serve(args.port, browser=not args.no_browser)
