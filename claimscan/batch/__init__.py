"""Many documents: a run reads and judges each once, can be stopped at any moment and continued, and loses none.

This file is the flow: plan, leave out what is done, judge, write down, make the tables and the page.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from claimscan.batch import ledger as ledgers
from claimscan.batch import replies, run_tables, tables, work
from claimscan.batch.course import Course
from claimscan.batch.ledger import Ledger
from claimscan.batch.progress import Silent
from claimscan.batch.sources import Plan
from claimscan.batch.work import Bounds, Outcome, Task
from claimscan.errors import ClaimscanError
from claimscan.files import write_whole
from claimscan.records import Reply, Settings
from claimscan.report import Report
from claimscan.showing import overview

__all__ = ["Bounds", "Totals", "UnreadDocumentWarning", "run", "scan"]

Engine = Callable[[Iterable[Task]], Iterator[tuple[Task, Outcome]]]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run came to: files, of which read, unread and repeats of another; the products, pages and worker's peak in
    megabytes of this time; how many were judged this time, and how many had been before."""

    files: int
    read: int
    unread: int
    repeats: int
    passed: int
    products: int
    judged: int
    kept: int
    pages: int
    peak: int


def run(
    plan: Plan,
    out: str,
    engine: Engine,
    *,
    settings: Settings | None = None,
    bounds: Bounds | None = None,
    progress: Silent | None = None,
    again: bool = False,
    asked: Mapping[str, Any] | None = None,
) -> Totals:
    """Judge every document of the plan into a run folder, and make its tables and summary page.

    Args:
        plan: from :func:`claimscan.batch.sources.plan`.
        out: the run folder; made if it is not there. What an earlier run did there is kept where it still holds.
        engine: judges tasks and gives outcomes, in any order: ``local.run`` or ``cluster.run`` with their arguments.
        settings: bounds and choices of reading, part of each report's provenance.
        bounds: what one document may cost.
        progress: told of each document.
        again: try once more what could not be read.
        asked: what the user asked for, to be written into ``run.json``.

    Raises:
        UsageError: the run folder cannot be made, written to, or is in use. What was done stays done.
    """
    settings, bounds, progress = settings or Settings(), bounds or Bounds(), progress or Silent()
    with ledgers.opened(out) as ledger:
        ledgers.describe(ledger, {"state": "begun", "asked": dict(asked or {})})
        course = Course(plan, ledger, settings, bounds, _answers(out), progress, again)
        with progress:
            for task, outcome in engine(course.tasks()):
                course.keep(task, outcome)
            others = course.others()
            for task, outcome in engine(others) if others else ():
                course.keep(task, outcome)
        totals = _finish(course)
        ledgers.describe(ledger, {"state": "done", "asked": dict(asked or {}), "totals": asdict(totals)})
    return totals


def _finish(course: Course) -> Totals:
    """The tables and the summary page, and what it all came to."""
    plan, ledger, progress = course.plan, course.ledger, course.progress
    counts = dict.fromkeys(("read", "unread", "repeat"), 0)
    products = 0
    writer = tables.Writer(ledger.folder, plan.metadata)
    try:
        for row in tables.rows(plan, course.documents, course.failures, ledger, course.answers):
            writer.add(row)
            if row.table == "documents":
                counts[row["status"]] += 1
            products += row.table == "products"
        writer.finish()
    finally:
        writer.close()
    _page(plan, ledger, course.settings)
    return Totals(
        files=len(plan.sources) + len(plan.problems),
        read=counts["read"],
        unread=counts["unread"],
        repeats=counts["repeat"],
        passed=len(plan.passed),
        products=products,
        judged=progress.judged,
        kept=progress.kept,
        pages=progress.pages,
        peak=progress.peak,
    )


def _answers(out: str) -> Mapping[str, tuple[Reply, ...]]:
    """What bodies answered, by document."""
    found: dict[str, tuple[Reply, ...]] = {}
    for reply in replies.replies_of(out):
        found[reply.document] = (*found.get(reply.document, ()), reply)
    return found


def _page(plan: Plan, ledger: Ledger, settings: Settings) -> None:
    """The summary page, from the tables."""
    from claimscan import pipeline

    documents, products, failures = (
        run_tables.batches(ledger.folder, name) for name in ("documents", "products", "failures")
    )
    page = overview.page(
        documents,
        products,
        failures,
        metadata=plan.metadata,
        provenance=pipeline.provenance(settings),
        shared=run_tables.shared(ledger.folder, plan.metadata),
    )
    write_whole(os.path.join(ledger.folder, "index.html"), page.encode())


class UnreadDocumentWarning(UserWarning):
    """A document of :func:`scan` could not be read; the message names it and says why."""


def scan(
    paths: Iterable[str | os.PathLike[str]],
    *,
    workers: int = 1,
    settings: Settings | None = None,
    bounds: Bounds | None = None,
    unread: Callable[[str, ClaimscanError], object] | None = None,
) -> Iterator[Report]:
    """Check many documents; yields a :class:`~claimscan.report.Report` for each that can be read, in the order given.

    Args:
        paths: documents, as for :func:`claimscan.check`.
        workers: processes. With one, all happens in this process and without bounds. With more, the calling script has
            to keep its own work under ``if __name__ == "__main__":``, as Python's multiprocessing asks.
        settings: bounds and choices of reading.
        bounds: what one document may cost, with more than one worker.
        unread: called with the path and the error of a document that cannot be read; without it there is a
            :class:`UnreadDocumentWarning`. One bad file never stops the others.

    Raises:
        ValueError: fewer than one worker.
    """
    if workers < 1:
        raise ValueError("workers has to be 1 or more")
    settings, bounds = settings or Settings(), bounds or Bounds()
    names = (os.fspath(path) for path in paths)
    for name, made in _checked(names, workers, settings, bounds):
        if isinstance(made, Report):
            yield made
        elif unread is not None:
            unread(name, made)
        else:
            warnings.warn(f"{name}: {made} {made.remedy}".strip(), UnreadDocumentWarning, stacklevel=2)


def _checked(
    names: Iterator[str], workers: int, settings: Settings, bounds: Bounds
) -> Iterator[tuple[str, Report | ClaimscanError]]:
    if workers == 1:
        for name in names:
            yield name, work.checked(name, settings)
        return
    from claimscan.batch import local

    yield from local.in_order(names, workers, settings, bounds)
