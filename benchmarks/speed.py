"""How long `claimscan.check` takes on a long PDF, against extracting the text alone and against the naive stack.

    python benchmarks/speed.py [FILE ...] [--times N] [--naive N]

Everything is warm: modules, rules and the spaCy model are loaded, and the document has been checked once. What claimscan
remembers of a text between its steps is forgotten before each run. The naive stack is pdfplumber's extract_text on every
page and the full spaCy pipeline on all of the text; it is slow, so it is run fewer times (0 leaves it out).
"""

from __future__ import annotations

import argparse
import tempfile
from importlib import import_module
from pathlib import Path

import measured

import claimscan
from claimscan import language, naming, people


def check(file: Path) -> None:
    people.mask.cache_clear()
    naming.references.cache_clear()
    claimscan.check(file)


def naive(file: Path, full: object) -> None:
    import pdfplumber

    texts = []
    with pdfplumber.open(file) as document:
        for page in document.pages:
            texts.append(page.extract_text() or "")
            page.close()
    for _ in full.pipe(texts, batch_size=32):  # type: ignore[attr-defined]
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--times", type=int, default=7, help="pairs against bare text extraction")
    parser.add_argument("--naive", type=int, default=3, help="pairs against the naive stack")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = arguments.files
        if not files:
            import samples

            files = [samples.typical(Path(folder)), samples.with_claims(Path(folder))]
        full = (
            import_module(
                language.MODELS[0] if language.installed()["package"] == language.MODELS[0] else language.MODELS[1]
            ).load()
            if arguments.naive
            else None
        )
        for file in files:
            report = claimscan.check(file)
            print(
                f"{file.name}: {len(report.document.pages)} pages, {len(report.mentions)} mentions, {len(report.products)} products, {len(report.evidence)} pieces of evidence"
            )
            name = file.name[:28]
            rows.append(
                measured.pairs(
                    f"check, bare pypdfium2: {name}",
                    lambda: check(file),
                    lambda: measured.bare(file),
                    arguments.times,
                    3,
                )
            )
            if full is not None:
                rows.append(
                    measured.pairs(
                        f"check, pdfplumber + full spaCy: {name}",
                        lambda: check(file),
                        lambda: naive(file, full),
                        arguments.naive,
                        15,
                        at_least=True,
                    )
                )
    print(measured.table(rows))
    print(measured.versions())


if __name__ == "__main__":
    main()
