"""The ``claimscan`` command.

Nothing heavy is imported until a document is to be read, so that ``--help`` answers at once. Exit codes: 0 done; 1
done, but some document could not be read; 2 used wrongly, or the output could not be written; 3 nothing could be read.
Stopped by Ctrl-C it is 130, and 141 where whoever was reading its output went away.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from claimscan import __version__
from claimscan.commands import ask as ask_command
from claimscan.commands import compare as compare_command
from claimscan.commands import reply as reply_command
from claimscan.commands import scan as scan_command
from claimscan.commands import serve as serve_command
from claimscan.commands import study as study_command
from claimscan.errors import ClaimscanError, UnreadableDocument, UsageError
from claimscan.files import check_target, same_file, unwritable, write_whole
from claimscan.showing import translating

if TYPE_CHECKING:
    from claimscan.records import Settings
    from claimscan.report import Report

FAULT = "Please report it, with the document if you may; CLAIMSCAN_TRACEBACK=1 shows the details."

ABOUT = """\
Reads public-sector documents, finds every claim that something was
"co-produced", and says what the document itself shows for it. It grades what
the document shows, not what happened. Nothing leaves this computer."""

OUTPUTS = """\
F is a file, or - for standard output (the finding is then not printed).
With several documents F may be a folder: each document gets a file of its own
there. Otherwise --json makes one file with a list of reports and --csv one
table with all rows; --html and --pdf need a folder, which is made if it is not
there. --pdf is for PDF documents; no document is ever written over.
An existing file is replaced, and only by a whole one.

In the CSV, a cell that a spreadsheet could take for a formula gets an
apostrophe in front. CSV files start with a byte-order mark, so that Excel
reads them as UTF-8; on standard output there is none.

Exit codes: 0 done; 1 done, but some document could not be read; 2 used
wrongly; 3 nothing could be read."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:] + ".", f"Run “{self.prog} --help” to see how it is used.")


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number of 1 or more")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    raw = argparse.RawDescriptionHelpFormatter
    top = _Parser(prog="claimscan", description=ABOUT, formatter_class=raw)
    top.add_argument("--version", action="version", version=f"claimscan {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    reading = _Parser(add_help=False)
    reading.add_argument("--ocr", action="store_true", help="read pages that are pictures (needs the ocr extra; slow)")
    reading.add_argument(
        "--max-pages", type=_positive, metavar="N", help="read the first N pages of each document only"
    )

    speaking = _Parser(add_help=False)
    speaking.add_argument(
        "--language", choices=list(translating.LANGUAGES), default="en", help="en (English, default) or cy (Welsh)"
    )

    check = commands.add_parser(
        "check",
        parents=[reading, speaking],
        help="say what each claim is and what the document shows for it",
        description="Read documents and print the finding for a person.",
        epilog=OUTPUTS,
        formatter_class=raw,
    )
    check.add_argument(
        "files", nargs="+", metavar="FILE", help="PDF, Word, HTML, Markdown or text; - is standard input"
    )
    check.add_argument("--json", metavar="F", help="write the whole report as JSON")
    check.add_argument("--html", metavar="F", help="write a page that shows each quote in its place")
    check.add_argument("--pdf", metavar="F", help="write a copy of the PDF with highlights and notes")
    check.add_argument("--csv", metavar="F", help="write every mention and piece of evidence as a table")
    check.add_argument("--with-text", action="store_true", help="put the document's whole text into the JSON")
    check.add_argument("--corrections", metavar="FILE", help="grade again with what a person corrected (exported JSON)")
    check.add_argument("--all", action="store_true", help="print every quote, question and use of the word")
    check.add_argument("--quiet", action="store_true", help="print no finding")
    check.set_defaults(run=_check)

    scan_command.add_parser(commands, [reading], _positive)
    reply_command.add_parser(commands)
    compare_command.add_parser(commands, [reading])
    ask_command.add_parser(commands, [reading])
    serve_command.add_parser(commands)
    study_command.add_parser(commands, _positive)

    explain = commands.add_parser(
        "explain",
        parents=[reading, speaking],
        help="show the rules that gave a grade, and what would raise it",
        description="Show which words filled which slot, which rules gave the grade, and what would raise it.",
    )
    explain.add_argument("file", metavar="FILE", help="the document; - is standard input")
    explain.add_argument(
        "--corrections", metavar="FILE", help="grade again with what a person corrected (exported JSON)"
    )
    explain.add_argument("--product", metavar="ID", help="one product only, such as p1 (default: all)")
    explain.set_defaults(run=_explain)

    doctor = commands.add_parser(
        "doctor",
        help="say what is installed and what is missing",
        description="Say what is installed, which versions of the model and rules, and what is missing. "
        "Exits with 3 where something that reading needs is missing.",
    )
    doctor.add_argument("--json", action="store_true", help="print it as JSON")
    doctor.set_defaults(run=_doctor)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code. Expected failures print one sentence and a remedy, never a traceback."""
    with translating.speaking("en"):  # until the command chooses another
        return _main(argv)


def _main(argv: Sequence[str] | None) -> int:
    try:
        try:
            code = _parse_and_run(argv)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
        return code
    except ClaimscanError as error:
        _complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        _say("claimscan: stopped. No file was left half written.")
        return 130
    except BrokenPipeError:
        # Python flushes standard output once more as it ends; that must not raise a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        _complain(UsageError(f"The output could not be written: {error.strerror or error}."))
        return 2
    except Exception as error:
        _complain(_fault(error))
        return 3


def _parse_and_run(argv: Sequence[str] | None) -> int:
    try:
        args = parser().parse_args(argv)
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    code: int = args.run(args, _settings(args)) if hasattr(args, "ocr") else args.run(args)
    return code


# --- the commands ---------------------------------------------------------------------------------------------------


def _check(args: argparse.Namespace, settings: Settings) -> int:
    translating.choose(args.language)
    files: list[str] = args.files
    if files.count("-") > 1:
        raise UsageError("Standard input can be read only once.", "Give “-” one time.")
    if args.with_text and not args.json:
        raise UsageError("--with-text belongs to --json.", "Add --json F, or leave --with-text out.")
    if args.corrections and len(files) > 1:
        raise UsageError("Corrections are of one document.", "Give one document with --corrections.")
    correct = _corrector(args.corrections)
    sinks = _sinks(args, files)
    printing = not args.quiet and not any(s.target == "-" for s in sinks)
    done: list[Report] = []
    for file in files:
        report = _read_or_complain(file, settings, args.quiet)
        if report is None:
            continue
        report = correct(report)
        if printing:
            if done:
                print("\n" + "-" * 40 + "\n")
            print(_summary(report, args.all), end="")
        for sink in sinks:
            sink.take(report, file)
        done.append(report)
    if not done:
        return 3
    for sink in sinks:
        written = sink.finish()
        if written and printing:
            print("\n" + translating.tr("Written: {name}").format(name=_clean(written)))
    if any(sink.left_out == len(done) for sink in sinks):
        return 2  # not one copy with highlights could be made, though one was asked for
    return 0 if len(done) == len(files) and not any(sink.left_out for sink in sinks) else 1


def _explain(args: argparse.Namespace, settings: Settings) -> int:
    translating.choose(args.language)
    correct = _corrector(args.corrections)
    report = correct(_read(args.file, settings))
    products = {p.id: p for p in report.products}
    if args.product and args.product not in products:
        known = ", ".join(products) or "none"
        raise UsageError(f"There is no product {_clean(args.product)} in this document.", f"It has: {known}.")
    from claimscan.showing import terminal, trace, wording

    if not products:
        print(wording.claims_found(report))
    chosen = [products[args.product]] if args.product else wording.in_order(report)
    print("\n".join(trace.explain(report, product, width=terminal.columns()) for product in chosen), end="")
    for line in terminal.changes(report, max(40, min(terminal.columns(), 100))):
        print(line)
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from claimscan import doctor

    state = doctor.examine()
    print(doctor.to_json(state) if args.json else doctor.to_text(state), end="")
    return 0 if state["ready"] else 3


# --- reading --------------------------------------------------------------------------------------------------------


def _settings(args: argparse.Namespace) -> Settings:
    from dataclasses import replace

    from claimscan.records import Settings

    settings = Settings(ocr=args.ocr)
    return replace(settings, max_pages=args.max_pages) if args.max_pages else settings


def _read(file: str, settings: Settings) -> Report:
    from claimscan import pipeline

    return pipeline.check(file, settings=settings)  # the reader knows - as standard input


def _corrector(file: str | None) -> Callable[[Report], Report]:
    """What puts the corrections of a file into a report. The file is read at once: the document may take long."""
    if file is None:
        return lambda report: report
    if not file:
        raise UsageError("--corrections needs the name of a file.", "Give a name.")
    from claimscan import correcting

    corrections = correcting.read(file)
    return lambda report: correcting.apply(report, corrections)


def _read_or_complain(file: str, settings: Settings, quiet: bool) -> Report | None:
    waiting = not quiet and sys.stderr is not None and sys.stderr.isatty()
    if waiting:
        print(translating.tr("Reading {name}").format(name=_clean(file)) + " ...", end="", file=sys.stderr, flush=True)
    try:
        report = _read(file, settings)
    except UnreadableDocument as error:
        problem: ClaimscanError = error
    except (ClaimscanError, KeyboardInterrupt):
        raise
    except Exception as error:
        problem = _fault(error)
    else:
        return report
    finally:
        if waiting:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    _complain(problem, "standard input" if file == "-" else file)
    return None


# --- writing --------------------------------------------------------------------------------------------------------


class _Sink:
    """One of the outputs of ``check``: a file, a folder with a file for each document, or standard output."""

    def __init__(
        self, kind: str, target: str, folder: bool, listed: bool, with_text: bool, documents: Sequence[str]
    ) -> None:
        self.kind = kind
        self.target = target
        self.folder = folder
        self.listed = listed
        self.with_text = with_text
        self.left_out = 0  # documents of which there is no copy with highlights
        self._documents = documents
        self._reports: list[Report] = []
        self._names: set[str] = set()

    def take(self, report: Report, file: str) -> None:
        """Write the report at once where it has a file of its own, else keep it for the end."""
        if not self.folder:
            self._reports.append(report)
            return
        stem = "standard-input" if file == "-" else os.path.splitext(os.path.basename(os.path.abspath(file)))[0]
        if self.kind == "pdf":
            stem += "-highlighted"  # the folder may be the document's own
        name, n = f"{stem}.{self.kind}", 1
        while name.lower() in self._names or self._is_document(name):
            n += 1
            name = f"{stem}-{n}.{self.kind}"
        self._names.add(name.lower())
        data = self._bytes([report], listed=False)
        if data is None:
            return
        try:
            os.makedirs(self.target, exist_ok=True)
        except OSError as error:
            raise unwritable(self.target, error) from error
        write_whole(os.path.join(self.target, name), data)

    def _is_document(self, name: str) -> bool:
        path = os.path.join(self.target, name)
        return os.path.exists(path) and any(file != "-" and same_file(file, path) for file in self._documents)

    def finish(self) -> str:
        """Write what was kept. Returns the name of the file or folder, empty for standard output or where none was made."""
        if self._reports:
            data = self._bytes(self._reports, self.listed)
            if data is None:
                return ""
            if self.target == "-":
                sys.stdout.buffer.write(data)
            else:
                write_whole(self.target, data)
        return "" if self.target == "-" or (self.folder and not os.path.isdir(self.target)) else self.target

    def _bytes(self, reports: list[Report], listed: bool) -> bytes | None:
        """What is to be written; None, with a word to the person, where no copy of a document can be made."""
        if self.kind == "json":
            texts = [report.to_json(with_text=self.with_text) for report in reports]
            return ("[\n" + ",\n".join(t.rstrip("\n") for t in texts) + "\n]\n" if listed else texts[0]).encode()
        if self.kind == "csv":
            from claimscan.showing import tables

            return tables.to_csv(reports).encode("utf-8" if self.target == "-" else "utf-8-sig")
        if self.kind == "pdf":
            from claimscan.errors import UnmarkedDocument
            from claimscan.showing import highlights

            document = reports[0].document
            try:
                return highlights.highlighted(reports[0], getattr(document.anchors, "data", b""))
            except UnmarkedDocument as error:
                self.left_out += 1
                _complain(error)
                return None
        from claimscan.showing import html

        return html.page(reports[0]).encode()


def _sinks(args: argparse.Namespace, files: list[str]) -> list[_Sink]:
    """The outputs asked for. Raises UsageError before anything is read where one of them cannot be written."""
    several = len(files) > 1
    sinks: list[_Sink] = []
    for kind in ("json", "html", "pdf", "csv"):
        target: str | None = getattr(args, kind)
        if target is None:
            continue
        if not target:
            raise UsageError(f"--{kind} needs the name of a file.", "Give a name, or - for standard output.")
        folder = target != "-" and (os.path.isdir(target) or target.endswith(("/", os.sep)))
        if kind in ("html", "pdf") and several and not folder:
            if target == "-" or os.path.splitext(target)[1] or os.path.exists(target):
                raise UsageError(f"With several documents --{kind} needs a folder.", "Give the name of a folder.")
            folder = True
        check_target(target, files, folder=folder)
        sinks.append(_Sink(kind, target, folder, several, args.with_text, files))
    targets = [os.path.realpath(s.target) if s.target != "-" else "-" for s in sinks if not s.folder]
    if len(targets) != len(set(targets)):
        raise UsageError("Two outputs have the same name.", "Give each its own file; only one can be standard output.")
    return sinks


# --- saying ---------------------------------------------------------------------------------------------------------


def _summary(report: Report, everything: bool) -> str:
    from claimscan.showing import terminal

    colour = (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
        and (os.name != "nt" or "WT_SESSION" in os.environ)
    )
    return terminal.summary(report, width=terminal.columns(), colour=colour, everything=everything)


def _clean(text: str) -> str:
    from claimscan.showing import wording

    return wording.clean(text)


def _fault(error: Exception) -> ClaimscanError:
    if os.environ.get("CLAIMSCAN_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    return ClaimscanError(f"claimscan itself failed here ({type(error).__name__}: {_clean(str(error))}).", FAULT)


def _complain(error: ClaimscanError, file: str = "") -> None:
    message = translating.told(_clean(str(error)))
    if message and message[-1] not in ".!?”":
        message += "."
    name = _clean(file)
    about = f"{name}: " if name and os.path.basename(name) not in message else ""
    _say(" ".join(part for part in (f"claimscan: {about}{message}", translating.told(_clean(error.remedy))) if part))


def _say(line: str) -> None:
    if sys.stderr is not None:
        try:
            print(line, file=sys.stderr, flush=True)
        except OSError:
            pass
