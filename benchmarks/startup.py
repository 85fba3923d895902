"""How long a fresh process takes: `claimscan --help` against an empty Python, and `check` of a long document in which nothing
is claimed against bare text extraction. And that neither imports what only documents with claims need.

    python benchmarks/startup.py [FILE ...] [--times N]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import measured

HEAVY = ("spacy", "sklearn", "pandas", "pdfplumber", "numpy")
IMPORTS = """
import contextlib, io, sys
from claimscan.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    main(sys.argv[1:])
print(len(sys.modules), *sorted({name.split(".")[0] for name in sys.modules} & set(%r)))
""" % (HEAVY,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--times", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = arguments.files
        if not files:
            import samples

            files = [samples.without_claims(Path(folder))]
        run = measured.fresh
        run("-m", "claimscan", "--help")  # compiles the modules
        rows = [
            measured.pairs(
                "claimscan --help, python -c pass",
                lambda: run("-m", "claimscan", "--help"),
                lambda: run("-c", "pass"),
                arguments.times,
                5,
            )
        ]
        heavy = [f"claimscan --help imports of {', '.join(HEAVY)}: {_imported(run('-c', IMPORTS, '--help').stdout)}"]
        for file in files:
            path, name = str(file), file.name[:28]
            run("-m", "claimscan", "check", path)
            rows.append(
                measured.pairs(
                    f"check, bare pypdfium2: {name}",
                    lambda: run("-m", "claimscan", "check", path),
                    lambda: run("-c", measured.BARE, path),
                    arguments.times,
                    1.2,
                )
            )
            heavy.append(f"check {name} imports of the same: {_imported(run('-c', IMPORTS, 'check', path).stdout)}")
    print(measured.table(rows))
    print("\n".join(heavy))
    print(measured.versions())


def _imported(printed: str) -> str:
    count, *found = printed.split()
    return f"{' '.join(found) or 'none'} ({count} modules in all)"


if __name__ == "__main__":
    main()
