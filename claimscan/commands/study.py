"""``claimscan study``: from a finished run to a study that can be published, step by step."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from claimscan.errors import UsageError

if TYPE_CHECKING:
    from claimscan.study.folder import Study

ABOUT = """\
For researchers: draw a sample from a run, code it in the tool you use, measure
agreement, correct the shares for claimscan's errors, and archive it all so that
others can run it again. Each step writes into the study folder and says what to
do next. docs/studying.md goes through a whole study."""

STEPS = """\
In order:
  scan DOCUMENTS --out RUN          read and grade every document
  study init RUN --out STUDY        begin a study over them
  study sample STUDY RUN ...        draw the documents that people code
  study export STUDY F              write them for NVivo, INCEpTION, a spreadsheet...
  study import STUDY F              take the codings in when they come back
  study agreement STUDY             how far the coders agree
  study adjudicate STUDY F          decide where they do not
  study estimate STUDY              shares, corrected with what people coded
  study report STUDY                tables, figures and the methods paragraph
  study archive STUDY F             everything, to be run again by others"""


def add_parser(commands: Any, positive: Callable[[str], int]) -> None:
    """Add ``study`` and its steps to the commands."""
    raw = argparse.RawDescriptionHelpFormatter
    study = commands.add_parser(
        "study",
        help="for researchers: sample, code, agree, estimate, archive",
        description=ABOUT,
        epilog=STEPS,
        formatter_class=raw,
    )
    steps = study.add_subparsers(title="steps", metavar="STEP", required=True)

    def step(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = steps.add_parser(
            name, help=about, description=about[:1].upper() + about[1:] + "."
        )
        made.set_defaults(run=_with_packages(run))
        return made

    init = step("init", _init, "begin a study over a finished run")
    init.add_argument("run_folder", metavar="RUN", help="the folder that scan wrote")
    init.add_argument("--out", required=True, metavar="STUDY", help="the new study folder")
    init.add_argument("--title", default="", help="what the study is called")

    sample = step("sample", _sample, "draw the documents that people code, or plan how many")
    sample.add_argument("study", metavar="STUDY")
    sample.add_argument("run_folder", metavar="RUN", nargs="?", help="the run that the study is of")
    sample.add_argument("--documents", type=positive, metavar="N", help="how many to draw")
    sample.add_argument(
        "--by", nargs="+", default=[], metavar="COLUMN", help="make strata of your columns, grade or band"
    )
    sample.add_argument(
        "--allocate", choices=["proportional", "equal"], default="proportional", help="how many of each stratum"
    )
    sample.add_argument(
        "--double", type=_share, default=0.0, metavar="SHARE", help="share that two people code, such as 0.3"
    )
    sample.add_argument("--seed", default="0", help="any word; the same word draws the same documents (0)")
    sample.add_argument("--more", action="store_true", help="draw further documents; --documents is the new total")
    sample.add_argument(
        "--plan",
        type=_share,
        metavar="WIDTH",
        help="say how many to code for an interval of this half-width, such as 0.05",
    )

    export = step("export", _export, "write drawn documents for a tool in which people code")
    export.add_argument("study", metavar="STUDY")
    export.add_argument("file", metavar="F", help="the file to write; its end tells the format")
    export.add_argument(
        "--format", default="", help="qdpx, inception, label-studio, doccano, xlsx, csv, web-annotation, qdc"
    )
    export.add_argument(
        "--with", dest="whose", nargs="+", default=[], metavar="CODER",
        help="put in what these coders coded; claimscan is one (default: nothing, to code blind)",
    )  # fmt: skip
    export.add_argument("--double", action="store_true", help="only documents that two people code")
    export.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these documents")

    take = step("import", _import, "take in files that came back; nothing in them is dropped in silence")
    take.add_argument("study", metavar="STUDY")
    take.add_argument("files", metavar="F", nargs="+")
    take.add_argument("--format", default="", help="where the end of a file's name does not tell")
    take.add_argument("--coder", default="", help="who coded, where the file does not say")

    agree = step("agreement", _agreement, "measure how far coders agree, with each other and with claimscan")
    agree.add_argument("study", metavar="STUDY")
    agree.add_argument("--coders", nargs="+", metavar="CODER", help="who is compared (default: everybody who coded)")
    agree.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap (0)")
    agree.add_argument("--draws", type=positive, default=1000, metavar="N", help="samples of the bootstrap (1000)")

    decide = step("adjudicate", _adjudicate, "write what coders differ on as a sheet, and take the decisions in")
    decide.add_argument("study", metavar="STUDY")
    decide.add_argument("file", metavar="F.csv", help="the sheet to write, or with --take to read")
    decide.add_argument("--take", action="store_true", help="read the decisions")
    decide.add_argument("--coders", nargs="+", metavar="CODER", help="between whom (default: everybody who coded)")

    share = step("estimate", _estimate, "estimate shares of documents and products, corrected with what people coded")
    share.add_argument("study", metavar="STUDY")
    share.add_argument("--by", default="", metavar="COLUMN", help="also for each value of this column")
    share.add_argument("--gold", default="", metavar="CODER", help="whose codings are taken for right")
    share.add_argument(
        "--framework", default="", metavar="NAME", help="also in other terms: arnstein, iap2, tlap, nihr, nhs-england"
    )

    report = step("report", _report, "write the report: tables, figures and the methods paragraph")
    report.add_argument("study", metavar="STUDY")

    keep = step("archive", _archive, "write everything into one file that others can run again")
    keep.add_argument("study", metavar="STUDY")
    keep.add_argument("file", metavar="F.zip")
    keep.add_argument("--without-texts", action="store_true", help="leave the documents' texts and reports out")

    again = step("rerun", _rerun, "make the results of an unpacked archive again and compare them")
    again.add_argument("folder", metavar="FOLDER", help="the unpacked archive")

    other = step("regrade", _regrade, "grade a run again by your own codebook tables, without reading a document")
    other.add_argument("run_folder", metavar="RUN")
    other.add_argument("--codebook", required=True, metavar="FOLDER", help="your tables: levels.toml, flags.toml ...")
    other.add_argument("--out", required=True, metavar="RUN2", help="the new run folder")

    terms = step("express", _express, "write the products of a run in the terms of another ladder")
    terms.add_argument("run_folder", metavar="RUN")
    terms.add_argument("--framework", required=True, metavar="NAME", help="arnstein, iap2, tlap, nihr or nhs-england")
    terms.add_argument("--csv", required=True, metavar="F", help="the table to write")


def _with_packages(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The step, with a plain sentence where a package that only studies need is not installed."""

    def guarded(args: argparse.Namespace) -> int:
        try:
            return run(args)
        except ModuleNotFoundError as error:
            name = (error.name or "").partition(".")[0]
            if name in ("", "claimscan"):
                raise
            raise UsageError(
                f"This step needs the package {name}, which is not installed.",
                "Install what studies need with: pip install 'claimscan[study]'",
            ) from error

    return guarded


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number from 0 to 1")
    return value


# --- the steps --------------------------------------------------------------------------------------------------------


def _opened(args: argparse.Namespace) -> Study:
    from claimscan.study.folder import Study

    return Study(args.study)


def _said(text: str) -> None:
    from claimscan.showing.wording import clean

    print("\n".join(map(clean, text.splitlines())))


def _init(args: argparse.Namespace) -> int:
    from claimscan.study import beginning

    study = beginning.begin(args.run_folder, args.out, args.title)
    rows = study.frame()
    drawable = [row for row in rows if row["status"] == beginning.DRAWABLE]
    silent = sum(row["grade"] == beginning.NO_CLAIM for row in drawable)
    _said(
        f"{args.out}: {len(rows):,} documents, {len(drawable):,} of which can be drawn "
        f"({silent:,} with no claim). frame.csv says why the others cannot.\n"
        f"Next: claimscan study sample {args.out} {args.run_folder} --documents N"
    )
    return 0


def _sample(args: argparse.Namespace) -> int:
    from claimscan.study import drawing

    study = _opened(args)
    if args.plan:
        _said("\n".join(drawing.plan(study, args.plan)))
        return 0
    if not args.documents or not args.run_folder:
        raise UsageError(
            "How many documents are to be drawn, and from which run?",
            "Name the RUN folder and --documents N, or ask for a plan with --plan 0.05.",
        )
    made = drawing.sample(
        study,
        args.run_folder,
        args.documents,
        by=args.by,
        allocation=args.allocate,
        twice=args.double,
        seed=args.seed,
        more=args.more,
    )
    for stratum in made.strata:
        print(f"{stratum.drawn:6,} of {stratum.size:6,}  {stratum.name}")
    twice = sum(one.twice for one in made.documents)
    _said(
        f"{len(made.documents):,} documents drawn, {twice:,} to be coded by two people; sample.csv lists them.\n"
        f"Next: claimscan study export {args.study} F.qdpx"
    )
    return 0


def _export(args: argparse.Namespace) -> int:
    from claimscan.study import exchange

    study = _opened(args)
    form = exchange.format_of(args.format, args.file)
    written = exchange.write(study, args.file, form, whose=args.whose, twice=args.double, only=args.only)
    inside = f"with what {' and '.join(args.whose)} coded" if args.whose else "with no codings, to be coded blind"
    _said(f"Written {inside}: {', '.join(written)}\nNext: claimscan study import {args.study} F --coder NAME")
    return 0


def _import(args: argparse.Namespace) -> int:
    from claimscan.study import exchange

    study = _opened(args)
    code = 0
    for path in args.files:
        came = exchange.take(study, path, exchange.format_of(args.format, path), args.coder)
        _said(
            f"{came.file}: {', '.join(came.coders) or 'nobody'}; {came.documents:,} documents; "
            f"{came.new:,} new codings, {came.gone:,} gone, {came.same:,} as before."
        )
        if came.lost:
            code = 1
            _said(f"{len(came.lost):,} have no place here; lost.csv lists them, with the reason. The first:")
            for one in came.lost[:3]:
                _said(f"  “{one.at.quote[:80]}” ({' '.join(one.tags)[:80]}): {one.why}")
    _said(f"Next: claimscan study agreement {args.study}")
    return code


def _coders(study: Study, named: list[str] | None) -> list[str]:
    from claimscan.study.adjudicating import ADJUDICATED

    return named or [who for who in study.coders() if who != ADJUDICATED]


def _agreement(args: argparse.Namespace) -> int:
    from claimscan.study import results

    study = _opened(args)
    tables = results.agreement(study, _coders(study, args.coders), seed=args.seed, draws=args.draws)
    print(results.agreement_told(tables))
    _said(f"All tables: {os.path.join(args.study, results.FOLDER, 'agreement')}")
    _said(f"Next: claimscan study adjudicate {args.study} decisions.csv")
    return 0


def _adjudicate(args: argparse.Namespace) -> int:
    from claimscan.files import write_whole
    from claimscan.study import adjudication_sheet as sheets

    study = _opened(args)
    coders = _coders(study, args.coders)
    if not args.take:
        data, n = sheets.sheet(study, coders)
        write_whole(args.file, data)
        _said(
            f"{args.file}: {n:,} questions between {', '.join(coders)}. Write what you decide into the column decision, and "
            f"the codebook rule that decides it into the column rule.\n"
            f"Next: claimscan study adjudicate {args.study} {args.file} --take"
        )
        return 0
    taken = sheets.take(study, coders, args.file)
    _said(f"{len(taken.settled):,} documents are settled, {len(taken.open):,} questions are open.")
    for question, why in taken.unusable:
        _said(f"  Not usable, page {question.page}, {question.variable}: {why}")
    if taken.unknown:
        _said(f"  {len(taken.unknown):,} rows are about nothing that these coders differ on.")
    _said(f"Next: claimscan study estimate {args.study}")
    return 1 if taken.open or taken.unusable or taken.unknown else 0


def _estimate(args: argparse.Namespace) -> int:
    from claimscan.study import results

    study = _opened(args)
    rows = results.estimate(study, gold=args.gold, by=args.by, framework=args.framework)
    print(results.estimate_told(rows))
    _said(f"Next: claimscan study report {args.study}")
    return 0


def _report(args: argparse.Namespace) -> int:
    from claimscan.study import results

    for path in results.report(_opened(args)):
        _said(path)
    _said(f"Next: claimscan study archive {args.study} study.zip")
    return 0


def _archive(args: argparse.Namespace) -> int:
    from claimscan.study import archiving

    names = archiving.archive(_opened(args), args.file, texts=not args.without_texts)
    _said(f"{args.file}: {len(names):,} files. README.txt in it says how to run it again.")
    if not args.without_texts:
        _said("The documents' texts are in it. They belong to those who wrote them; --without-texts leaves them out.")
    return 0


def _rerun(args: argparse.Namespace) -> int:
    from claimscan.study import archiving

    found = archiving.check(args.folder)
    for name, there, here in found.packages:
        _said(f"  {name} is {here} here and was {there}")
    for what, names in (("damaged", found.damaged), ("different", found.different), ("not in the archive", found.new)):
        for name in names:
            _said(f"  {what}: {name}")
    _said(f"{len(found.same):,} result files came out the same, byte for byte; {len(found.different):,} did not.")
    return 0 if found.whole else 1


def _regrade(args: argparse.Namespace) -> int:
    from claimscan import codebook
    from claimscan.study import regrading

    counts = regrading.regrade(args.run_folder, args.out, codebook.of_folder(args.codebook))
    _said(
        f"{args.out}: {counts['documents']:,} documents, {counts['products']:,} products, "
        f"{counts['changed']:,} of which have another grade."
    )
    return 0


def _express(args: argparse.Namespace) -> int:
    from claimscan.batch import run_tables
    from claimscan.files import check_target, write_whole
    from claimscan.study.folder import table
    from claimscan.study.frameworks import framework

    ladder = framework(args.framework)
    check_target(args.csv, [])
    columns = run_tables.columns_of(args.run_folder, "products")
    at = columns.index("grade") + 1
    rows = (
        {**row, ladder.column: ladder.term(row["grade"])} for row in run_tables.batches(args.run_folder, "products")
    )
    write_whole(args.csv, table(rows, [*columns[:at], ladder.column, *columns[at:]]))
    _said(f"{args.csv}: the column “{ladder.column}” ({ladder.source}). It does not fit well; say so beside the table:")
    for misfit in ladder.misfits:
        _said(f"- {misfit}")
    return 0
