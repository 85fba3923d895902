"""``python -m claimscan.training``: make gold and PDFs of the corpus, measure claimscan against it, hold the floors."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

from claimscan.errors import ClaimscanError, UsageError
from claimscan.training import corpus
from claimscan.training.gold import LAYOUTS, SPLITS, GoldDocument, to_gold

RELEASED = "released.json.gz"  # every item of the last release, right or wrong


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit code (0, or 1 where a corpus file is wrong)."""
    parser = argparse.ArgumentParser(prog="python -m claimscan.training", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), metavar="FOLDER", help="default: %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("messages", help="bring the catalogues of translations up to date with the code")
    made = commands.add_parser("compile", help="documents to gold annotations and PDFs")
    made.add_argument("ids", nargs="*", metavar="ID", help="only these documents")
    made.add_argument("--check", action="store_true", help="read every document, list every mistake, write nothing")
    made.add_argument("--no-pdf", action="store_true", help="write the gold annotations only")
    made.add_argument("--layout", action="append", choices=LAYOUTS, help="only this layout (may be repeated)")
    measured = commands.add_parser("evaluate", help="claimscan against the gold")
    measured.add_argument("ids", nargs="*", metavar="ID", help="only these documents")
    source = measured.add_mutually_exclusive_group()
    source.add_argument("--pdf", action="store_true", help="read the PDFs, every layout, instead of the clean text")
    source.add_argument(
        "--rules", action="store_true", help="grade the gold evidence itself: only the rules are measured"
    )
    measured.add_argument("--layout", action="append", choices=LAYOUTS, help="with --pdf: only this layout")
    measured.add_argument("--split", action="append", choices=SPLITS, help="only this split (may be repeated)")
    measured.add_argument("--json", metavar="FILE", help="the figures as JSON; - is standard output")
    measured.add_argument("--save", type=Path, metavar="FILE", help="keep every item, right or wrong, to compare with")
    measured.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help=f"gains and losses against a saved run (default: {RELEASED} of the corpus)",
    )
    measured.add_argument("--changes", action="store_true", help="list every gain and loss")
    measured.add_argument("--show", type=int, default=0, metavar="N", help="list the first N wrong items of each kind")
    covered = commands.add_parser(
        "coverage", help="what the corpus holds, what it has too little of, and near-duplicates"
    )
    covered.add_argument("ids", nargs="*", metavar="ID", help="only these documents")
    covered.add_argument(
        "--outside",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="JSON lines with a text each: also compare with these",
    )
    fitted = commands.add_parser("fit", help="the released models and tables, from the corpus alone (some minutes)")
    fitted.add_argument(
        "--out", type=Path, default=Path("claimscan/data/models"), metavar="FOLDER", help="default: %(default)s"
    )
    fitted.add_argument(
        "--record", type=Path, default=Path("models/wording.json"), metavar="FILE", help="default: %(default)s"
    )
    agreed = commands.add_parser("agreement", help="the second annotation against the first")
    agreed.add_argument("ids", nargs="*", metavar="ID", help="only these documents")
    agreed.add_argument("--show", type=int, default=0, metavar="N", help="list the first N differences of each kind")
    gate = commands.add_parser("gate", help="the test split against its floors; 1 where a figure has fallen")
    gate.add_argument("--text", action="store_true", help="the clean text only, not the PDFs")
    gate.add_argument("--write", action="store_true", help="write the figures as new floors")
    gate.add_argument("--lower", action="store_true", help="with --write: also where a floor comes down")
    options = parser.parse_args(arguments)
    run = {
        "compile": compile_corpus,
        "coverage": cover,
        "fit": fit_models,
        "evaluate": evaluate_corpus,
        "agreement": compare_annotations,
        "gate": keep_floors,
        "messages": update_messages,
    }
    try:
        return run[options.command](options)
    except ClaimscanError as error:
        print(f"{error}\n{error.remedy}".rstrip(), file=sys.stderr)
        return error.exit_code


def documents(options: argparse.Namespace) -> list[Path]:
    """The files of the corpus that were asked for, in order of name."""
    paths = sorted((options.corpus / "documents").glob("*.txt"))
    if unknown := set(options.ids) - {path.stem for path in paths}:
        raise UsageError(f"No such document in {options.corpus / 'documents'}: {' '.join(sorted(unknown))}")
    if not paths:
        raise UsageError(f"There are no documents in {options.corpus / 'documents'}.")
    return [path for path in paths if not options.ids or path.stem in options.ids]


def read_all(paths: list[Path]) -> list[GoldDocument]:
    """Read the files; all mistakes of all files are raised together."""
    found: list[GoldDocument] = []
    problems: list[str] = []
    for path in paths:
        try:
            found.append(corpus.read(path))
        except corpus.CorpusError as error:
            problems.extend(error.problems)
    if problems:
        raise corpus.CorpusError(problems)
    return found


def compile_corpus(options: argparse.Namespace) -> int:
    paths = documents(options)
    found = read_all(paths)
    for path, document in zip(paths, found):
        for line, words in corpus.unmarked(document):
            print(f"{path.name}:{line}: warning: {words!r} is in no mention and no x mark")
    print(
        f"{len(found)} documents read: {sum(len(d.products) for d in found)} products,"
        f" {sum(len(d.mentions) for d in found)} mentions, {sum(len(d.evidence) for d in found)} evidence slots"
    )
    if options.check:
        return 0
    gold, pdf = options.corpus / "gold", options.corpus / "pdf"
    for folder in (gold, pdf):
        folder.mkdir(exist_ok=True)
    for document in found:
        write_json(gold / f"{document.id}.json", to_gold(document))
        if options.no_pdf:
            continue
        from claimscan.training import places, typesetting  # reportlab and pdfplumber: only where PDFs are made

        for layout in document.layouts:
            if options.layout and layout not in options.layout:
                continue
            path = pdf / f"{document.id}.{layout}.pdf"
            path.write_bytes(typesetting.typeset(document, layout))
            boxes = places.locate(document, path)
            write_json(gold / f"{document.id}.{layout}.boxes.json", boxes)
            print(f"{path.name}: {boxes['pages']} pages")
    return 0


def update_messages(options: argparse.Namespace) -> int:
    from claimscan.training import messages  # Babel

    missing = messages.update_all()
    for code, n in missing.items():
        print(f"{code}: " + (f"{n} messages have no translation" if n else "every message has a translation"))
    return 1 if any(missing.values()) else 0


def evaluate_corpus(options: argparse.Namespace) -> int:
    from claimscan.training import evaluate, figures  # scikit-learn and pandas

    released = options.corpus / RELEASED
    if options.against is None and released.exists() and not (options.pdf or options.rules):
        options.against = released
    earlier = read_items(options.against) if options.against else None
    found = [d for d in read_all(documents(options)) if not options.split or d.split in options.split]
    source = "pdf" if options.pdf else "gold" if options.rules else "text"
    items = evaluate.run(found, options.corpus, source, tuple(options.layout or LAYOUTS))
    if options.json:
        text = json.dumps(figures.figures(items), ensure_ascii=False, indent=1) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
        else:
            Path(options.json).write_text(text, encoding="utf-8")
    if options.json != "-":
        print(figures.page(items, options.show))
        if earlier is not None:
            print(f"\nagainst {options.against}: {figures.compare(earlier, items, options.changes)}")
    if options.save:
        write_items(options.save, items)
    return 0


def fit_models(options: argparse.Namespace) -> int:
    from claimscan.training import fit, floors, learn

    options.ids = []
    fitted = fit.fit(read_all(documents(options)), options.corpus / "wording", floors.fingerprint(options.corpus))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "scores.json").write_text(fit.dumped(fitted.tables), encoding="utf-8")
    (options.out / "wording.npz").write_bytes(learn.packed(fitted.model))
    write_json(options.record, fit.record(fitted))
    print((options.record).read_text(encoding="utf-8"))
    return 0


def cover(options: argparse.Namespace) -> int:
    from claimscan.training import coverage  # scikit-learn

    found = read_all(documents(options))
    for name in (*SPLITS, ""):
        held = coverage.counts(d for d in found if name in ("", d.split))
        print(
            f"{name or 'all':<6} {held.documents} documents, {held.words} words, {held.without_claim} without a claim,"
            f" {held.types.total()} mentions, {held.grades.total()} products, {held.values.total()} evidence slots"
        )
    print("\nmentions  ", dict(held.types.most_common()))
    print("products  ", dict(sorted(held.grades.items())))
    print("\ntoo little of:\n  " + ("\n  ".join(coverage.missing(held)) or "nothing"))
    outside = [
        (f"{path.name}:{number}", str(json.loads(line)["text"]))
        for path in options.outside
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    alike = coverage.twins(found, outside)
    print(f"\n{len(alike)} pairs of sentences nearly alike across splits or with text from outside")
    for twin in alike[:20]:
        print(f"  {twin.likeness:.2f} {' / '.join(twin.where)}\n    {twin.one[:110]}\n    {twin.other[:110]}")
    return 0


def compare_annotations(options: argparse.Namespace) -> int:
    from claimscan.training import evaluate, figures

    again = {path.stem for path in (options.corpus / "second").glob("*.txt")}
    found = [d for d in read_all(documents(options)) if d.id in again]
    print(figures.page(evaluate.run(found, options.corpus, "second"), options.show))
    return 0


def keep_floors(options: argparse.Namespace) -> int:
    from claimscan.training import evaluate, floors

    options.ids = []
    found = [d for d in read_all(documents(options)) if d.split == "test"]
    sources = ["text"] if options.text else ["text", "pdf"]
    now = floors.measured({source: evaluate.run(found, options.corpus, source) for source in sources})
    path, corpus_hash = options.corpus / "floors.json", floors.fingerprint(options.corpus)
    if options.write:
        floors.write(path, corpus_hash, now, options.lower)
        print(f"{path} written.")
        return 0
    if floors.read(path).get("corpus") != corpus_hash:
        print("The corpus has changed since the floors were measured. Measure again: gate --write", file=sys.stderr)
        return 1
    fallen = floors.below(floors.read(path), now)
    print("\n".join(fallen) or "Every figure is at its floor or above.")
    return 1 if fallen else 0


def read_items(path: Path) -> list[dict[str, Any]]:
    """A saved run, gzipped or not."""
    data = path.read_bytes()
    found: list[dict[str, Any]] = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return found


def write_items(path: Path, items: list[dict[str, Any]]) -> None:
    """Keep a run: only what is compared, and the same bytes for the same items."""
    kept = [
        {key: item[key] for key in ("document", "layout", "kind", "id", "gold", "found", "right")} for item in items
    ]
    data = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
