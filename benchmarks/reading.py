"""Compare claimscan's reading of a folder of PDFs with pdftotext (words, order) and with bare pypdfium2 (time).

    python benchmarks/reading.py FOLDER [--limit N] [--worst N] [--times N]

Words: for each page, a word of pdftotext's that stands fewer times in our page, word breaks aside, is lost. Order: of
the words that stand once on the page in both, the share that is in the same order (longest increasing run). pdftotext
(poppler) is a peer to measure against, not the truth: the pages where the two differ most are listed to be looked at.
Time: whole fresh processes, ours against one that only extracts the text with pypdfium2, the best of N runs of each.
"""

from __future__ import annotations

import argparse
import bisect
import re
import statistics
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from pathlib import Path

from measured import BARE

from claimscan import reading
from claimscan.errors import ClaimscanError
from claimscan.records import Document, Settings

WORD = re.compile(r"[^\W_]+")
OURS = """
import sys
from claimscan import reading
reading.read(sys.argv[1])
"""


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u00ad", "").lower()


def theirs(path: Path) -> list[str] | None:
    done = subprocess.run(["pdftotext", "-enc", "UTF-8", str(path), "-"], capture_output=True, timeout=120)
    if done.returncode:
        return None
    return done.stdout.decode("utf-8", "replace").split("\f")[:-1]


def lost_words(ours: str, other: str) -> list[str]:
    squeezed = "".join(WORD.findall(ours))
    lost = []
    for word, count in Counter(WORD.findall(other)).items():
        missing = count - squeezed.count(word)
        lost.extend([word] * max(0, missing))
    return lost


def order_agreement(ours: str, other: str) -> float:
    """Share of the words that both have exactly once which stand in the same order in both; 1 where there are few."""
    mine, their = WORD.findall(ours), WORD.findall(other)
    once = {word for word, count in Counter(mine).items() if count == 1}
    once &= {word for word, count in Counter(their).items() if count == 1}
    if len(once) < 5:
        return 1.0
    place = {word: at for at, word in enumerate(mine)}
    tails: list[int] = []
    for word in their:
        if word in once:
            at = bisect.bisect_left(tails, place[word])
            tails[at : at + 1] = [place[word]]
    return len(tails) / len(once)


def fresh(code: str, path: Path) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="files read at most")
    parser.add_argument("--worst", type=int, default=15, help="pages listed")
    parser.add_argument("--times", type=int, default=0, help="runs for the time ratio; 0 leaves it out")
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.rglob("*.pdf"))
    if arguments.limit:
        paths = paths[:: max(1, len(paths) // arguments.limit)][: arguments.limit]
    pages: list[tuple[float, int, int, str]] = []
    prose: list[float] = []
    unread = failed = refused = words = 0
    ratios = []
    for path in paths:
        try:
            document: Document = reading.read(path, Settings(max_seconds=60))
        except ClaimscanError as error:
            refused += 1
            print(f"refused: {path.name}: {error}")
            continue
        except Exception as error:
            failed += 1
            print(f"FAILED: {path.name}: {type(error).__name__}: {error}")
            continue
        other = theirs(path)
        if other is None or len(other) != len(document.pages):
            print(f"not compared: {path.name}")
            continue
        tabled = {block.page for block in document.blocks if block.kind == "row"}
        for page, text in zip(document.pages, other, strict=True):
            if page.unread:
                unread += 1
                continue
            mine, their = plain(document.text[page.start : page.end]), plain(text)
            count = len(WORD.findall(their))
            words += count
            lost = lost_words(mine, their)
            agreement = order_agreement(mine, their)
            if page.number not in tabled:
                prose.append(agreement)
            pages.append((agreement, len(lost), count, f"{path.name} p{page.number} {lost[:6]}"))
        if arguments.times:
            bare = min(fresh(BARE, path) for _ in range(arguments.times))
            ours = min(fresh(OURS, path) for _ in range(arguments.times))
            ratios.append((ours / bare, len(document.pages), path.name))
    print(f"{len(paths)} files, {refused} refused, {failed} failed; {len(pages)} pages compared, {unread} unread")
    if pages:
        lost_total = sum(page[1] for page in pages)
        print(
            f"words lost: {lost_total} of {words} ({lost_total / max(1, words):.4%}), "
            f"on {sum(1 for page in pages if page[1])} pages"
        )
        order = [page[0] for page in pages]
        print(
            f"order agreement: mean {statistics.fmean(order):.4f}, median {statistics.median(order):.4f}, "
            f"1.000 on {sum(o == 1 for o in order)}, at least 0.98 on {sum(o >= 0.98 for o in order)}, "
            f"below 0.8 on {sum(o < 0.8 for o in order)} pages"
        )
        if prose:
            print(
                f"pages with no table row: {len(prose)}, mean {statistics.fmean(prose):.4f}, 1.000 on "
                f"{sum(o == 1 for o in prose)}, at least 0.98 on {sum(o >= 0.98 for o in prose)}, "
                f"below 0.8 on {sum(o < 0.8 for o in prose)}"
            )
        for share, lost_count, count, where in sorted(pages)[: arguments.worst]:
            print(f"  order {share:.3f} lost {lost_count}/{count} {where}")
        for share, lost_count, count, where in sorted(pages, key=lambda page: -page[1])[: arguments.worst]:
            if lost_count:
                print(f"  lost {lost_count}/{count} order {share:.3f} {where}")
    if ratios:
        print(f"time against bare pypdfium2, fresh processes: median {statistics.median(r[0] for r in ratios):.3f}")
        for ratio, count, name in sorted(ratios, reverse=True)[:5]:
            print(f"  {ratio:.3f} {count} pages {name}")


if __name__ == "__main__":
    main()
