"""The most memory that a fresh process holds while it checks a long document, and while it only extracts the text.

    python benchmarks/memory.py [FILE ...]

Resident memory at its peak, as the system counts it (ru_maxrss). This script itself stays small, because a process begins
with the peak of the one that started it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import measured

BOUND = 300  # MB
PEAK = "\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
CHECK = "import sys, claimscan\nreport = claimscan.check(sys.argv[1])\nreport.to_json()\n"
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in one unit of ru_maxrss


def peak(code: str, file: Path) -> float:
    return int(measured.fresh("-c", code + PEAK, str(file)).stdout.split()[-1]) * UNIT / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = arguments.files
        if not files:
            code = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import samples; f = pathlib.Path(sys.argv[2]); samples.with_claims(f); samples.without_claims(f)"
            measured.fresh("-c", code, str(Path(__file__).parent), folder)
            files = sorted(Path(folder).glob("*.pdf"))
        print(f"{'peak resident memory':<58} {'check MB':>9} {'bare MB':>9}  bound")
        for file in files:
            ours, theirs = peak(CHECK, file), peak(measured.BARE, file)
            print(f"{file.name[:58]:<58} {ours:>9.0f} {theirs:>9.0f}  <= {BOUND}: {'yes' if ours <= BOUND else 'NO'}")
    print(measured.versions())


if __name__ == "__main__":
    main()
