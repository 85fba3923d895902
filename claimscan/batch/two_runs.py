"""Two runs beside each other: which documents are in both, and what is different in them.

One pair of reports is in memory at a time; of a whole run only the list of its documents is.
"""

from __future__ import annotations

import gzip
import json
import os
import posixpath
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from claimscan.batch import ledger, run_tables
from claimscan.comparing import Comparison, compare, plain, sentences
from claimscan.errors import ClaimscanError, UsageError
from claimscan.pairing import likenesses, paired

SHARED = 0.3  # sentences in common, of the fewer, from which two documents of one title are versions of one
_EQUALS = 0.05  # nearer to each other than this, two candidates are equally good
_CROWD = 50  # more documents of one title than this cannot be told apart in good time
_CHANGING = re.compile(r"\b(\d+|v\d[\d.]*|version|draft|final|revised|updated|copy)\b|_")


class Listed(NamedTuple):
    """One document of a run. ``why`` says why it could not be read, and is empty where it was."""

    document: str
    source: str
    title: str = ""
    why: str = ""


class Shelf(Protocol):
    """The reports of one run, read one at a time."""

    name: str

    def listed(self) -> Iterator[Listed]:
        """Its documents, each once."""
        ...

    def report(self, document: str) -> Mapping[str, Any]:
        """The whole report of a document. Raises UsageError where there is none that can be read."""
        ...


class RunFolder:
    """The shelf of a run folder. Raises UsageError if it is none."""

    def __init__(self, folder: str) -> None:
        ledger.description(folder)
        self.name = folder

    def listed(self) -> Iterator[Listed]:
        why = {r["source"]: r["why"] for r in run_tables.batches(self.name, "failures", ["source", "why"])}
        columns = ["document", "source", "title", "status"]
        for row in run_tables.batches(self.name, "documents", columns):
            if row["status"] != "repeat":
                source = row["source"]
                reason = why.get(source, "no reason is given") if row["status"] == "unread" else ""
                yield Listed(row["document"] or "", source, row["title"] or "", reason)

    def report(self, document: str) -> Mapping[str, Any]:
        path = os.path.join(self.name, *ledger.relative("report", document).split("/"))
        try:
            with open(path, "rb") as file:
                whole = json.load(file)
        except (OSError, ValueError, RecursionError):
            whole = None
        if not isinstance(whole, dict):
            raise UsageError(f"The report {path} is missing or damaged.", "Run the same scan again.")
        text = self._text(document)
        if text is not None and isinstance(whole.get("document"), dict):
            whole["document"].setdefault("text", text)
        return whole

    def _text(self, document: str) -> str | None:
        """The document's text from its kept reading, so that words that left it can be told from words read otherwise."""
        path = os.path.join(self.name, *ledger.relative("reading", document).split("/"))
        try:
            with gzip.open(path, "rb") as file:
                text = json.load(file)["text"]
        except (OSError, EOFError, zlib.error, ValueError, RecursionError, KeyError, TypeError):
            return None
        return text if isinstance(text, str) else None


class ReportList:
    """The shelf of a list of reports, as ``check --json`` writes of several documents."""

    def __init__(self, name: str, reports: Sequence[Mapping[str, Any]]) -> None:
        self.name = name
        self._reports = {str(whole["document"]["id"]): whole for whole in reports}

    def listed(self) -> Iterator[Listed]:
        for document, whole in self._reports.items():
            yield Listed(document, str(whole["document"]["source"]), str(whole["document"]["title"]))

    def report(self, document: str) -> Mapping[str, Any]:
        return self._reports[document]


@dataclass(slots=True)
class Runs:
    """What two runs came to beside each other.

    Attributes:
        before, after: their names, and how many documents each read and could not read.
        pairs: documents in both and read in both, by how they were paired: ``bytes``, ``name`` or ``title``.
        changed: of these the ones with something different, and how they were paired.
        only_before, only_after: documents in one run only.
        unread_before, unread_after: documents read in one run and not in the other; ``why`` is set.
        either: documents of which any could be the version of any; before and after.
        damaged: pairs that could not be compared, and the reason.
        things: products in both documents of a pair; ``higher``, ``lower``: of these, with a level above or below the one
            before; ``other``: moved to or from no level, or between reasons for no level; ``none``: only one report has it.
        provenance: for each thing that decides a report besides the document, in how many pairs it differs.
    """

    before: str
    after: str
    read: tuple[int, int] = (0, 0)
    unread: tuple[int, int] = (0, 0)
    pairs: Counter[str] = field(default_factory=Counter)
    changed: list[tuple[str, Comparison]] = field(default_factory=list)
    only_before: list[Listed] = field(default_factory=list)
    only_after: list[Listed] = field(default_factory=list)
    unread_before: list[Listed] = field(default_factory=list)
    unread_after: list[Listed] = field(default_factory=list)
    either: list[tuple[tuple[Listed, ...], tuple[Listed, ...]]] = field(default_factory=list)
    damaged: list[tuple[Listed, str]] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    provenance: Counter[str] = field(default_factory=Counter)


def compare_runs(before: Shelf, after: Shelf, step: Callable[[int, int], object] | None = None) -> Runs:
    """Pair the documents of two runs and compare the reports of each pair.

    Documents go together by the same bytes; else by the same name, or the same name under the folder that all of a run
    lie in; else by the same title, years and the like aside, where they also share sentences. Of equals none is chosen.

    Args:
        step: told after each pair how many were compared, and of how many.

    Raises:
        UsageError: one of them has no list of documents.
    """
    first, second = list(before.listed()), list(after.listed())
    runs = Runs(before.name, after.name)
    runs.read = sum(not d.why for d in first), sum(not d.why for d in second)
    runs.unread = len(first) - runs.read[0], len(second) - runs.read[1]
    pairs, first, second, runs.either = _by_name(first, second)
    kept = [(how, x, y) for how, x, y in pairs if not x.why and not y.why]
    more, first, second, either = _by_title(first, second, before, after)
    kept += more
    runs.either += either
    runs.unread_before = [x for _, x, y in pairs if x.why and not y.why]
    runs.unread_after = [y for _, x, y in pairs if y.why and not x.why]
    runs.only_before, runs.only_after = first, second
    for n, (how, x, y) in enumerate(kept, 1):
        try:
            comparison = _compared(before, x, after, y)
        except ClaimscanError as error:
            runs.damaged.append((y, str(error)))
        else:
            runs.pairs[how] += 1
            _count(runs, comparison)
            if comparison.changed or comparison.either:
                runs.changed.append((how, comparison))
        if step:
            step(n, len(kept))
    runs.changed.sort(key=lambda pair: (pair[1].after.source, pair[1].after.id))
    return runs


def _compared(before: Shelf, x: Listed, after: Shelf, y: Listed) -> Comparison:
    try:
        return compare(before.report(x.document), after.report(y.document))
    except ValueError as error:
        raise UsageError(f"The report of {y.source} in one of the runs cannot be used: {error}.") from error


def _count(runs: Runs, found: Comparison) -> None:
    totals = runs.totals
    totals["products"] += found.same_products + sum(1 for p in found.products if p.before and p.after)
    totals["claims"] += found.same_claims + sum(1 for c in found.claims if c.how in ("reworded", "reread"))
    totals["evidence"] += found.same_evidence
    totals["moved"] += found.moved
    totals["uncompared"] += sum(len(side) for sides in found.either for side in sides)
    for product in found.products:
        if product.before is None or product.after is None:
            totals["product_added" if product.before is None else "product_dropped"] += 1
        else:
            for name, was, now in product.findings:
                totals[_direction(was, now) if name == "grade" else name] += 1
        for flag in product.flags:
            totals[f"flag_{flag.how}"] += 1
        for evidence in product.evidence:
            totals[f"evidence_{evidence.how}"] += 1
    for claim in found.claims:
        totals[f"claim_{claim.how}"] += 1
    for name, _, _ in found.provenance:
        runs.provenance[name] += 1


def _direction(was: str, now: str) -> str:
    if was.isdigit() and now.isdigit():
        return "grade_higher" if int(now) > int(was) else "grade_lower"
    return "grade_other"


# --- which document is which ----------------------------------------------------------------------------------------

_Pairs = list[tuple[str, Listed, Listed]]
_Either = list[tuple[tuple[Listed, ...], tuple[Listed, ...]]]


def _by_name(first: list[Listed], second: list[Listed]) -> tuple[_Pairs, list[Listed], list[Listed], _Either]:
    pairs: _Pairs = []
    either: _Either = []
    tops = _top(first), _top(second)
    keys: tuple[tuple[str, Callable[[Listed, int], str]], ...] = (
        ("bytes", lambda d, _: d.document),
        ("name", lambda d, _: d.source),
        ("name", lambda d, side: d.source.replace("\\", "/")[len(tops[side]) :]),
    )
    for how, key in keys:
        groups: defaultdict[str, tuple[list[Listed], list[Listed]]] = defaultdict(lambda: ([], []))
        for side, documents in enumerate((first, second)):
            for document in documents:
                groups[key(document, side)][side].append(document)
        rest: tuple[list[Listed], list[Listed]] = [], []
        for name, (xs, ys) in groups.items():
            if name and len(xs) == len(ys) == 1:
                pairs.append((how, xs[0], ys[0]))
            elif name and xs and ys:
                either.append((tuple(xs), tuple(ys)))
            else:
                rest[0].extend(xs)
                rest[1].extend(ys)
        first, second = rest
    return pairs, first, second, either


def _top(documents: Sequence[Listed]) -> str:
    """The folder that all of a run's documents lie in, with a slash at its end; empty if there is none."""
    folders = [posixpath.dirname(d.source.replace("\\", "/")) for d in documents]
    parts = os.path.commonprefix([folder.split("/") for folder in folders])
    top = "/".join(parts)
    return f"{top}/" if top else ""


def _by_title(
    first: list[Listed], second: list[Listed], before: Shelf, after: Shelf
) -> tuple[_Pairs, list[Listed], list[Listed], _Either]:
    """Pairs of one title that share sentences. A title alone is not enough: every council has a carers strategy."""
    pairs: _Pairs = []
    either: _Either = []
    groups: defaultdict[str, tuple[list[Listed], list[Listed]]] = defaultdict(lambda: ([], []))
    for side, documents in enumerate((first, second)):
        for document in documents:
            if not document.why:
                groups[" ".join(_CHANGING.sub(" ", plain(document.title)).split())][side].append(document)
    for title, (xs, ys) in groups.items():
        if not title or not xs or not ys or max(len(xs), len(ys)) > _CROWD:
            continue
        said = {d: _sentences(before, d) for d in xs}, {d: _sentences(after, d) for d in ys}
        scores = likenesses(xs, ys, lambda x, y: _shared(said[0][x], said[1][y]), SHARED)
        found = paired(len(xs), len(ys), scores, _EQUALS)
        pairs += [("title", xs[i], ys[j]) for i, j in found.pairs]
        either += [(tuple(xs[i] for i in left), tuple(ys[j] for j in right)) for left, right in found.either]
    gone = {x for _, x, _ in pairs}.union(*(xs for xs, _ in either)), {y for _, _, y in pairs}.union(
        *(ys for _, ys in either)
    )
    return pairs, [d for d in first if d not in gone[0]], [d for d in second if d not in gone[1]], either


def _sentences(shelf: Shelf, listed: Listed) -> frozenset[str]:
    try:
        return sentences(shelf.report(listed.document))
    except (ClaimscanError, ValueError):
        return frozenset()


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0
