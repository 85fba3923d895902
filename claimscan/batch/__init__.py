"""Many documents: a run reads and judges each once, can be stopped at any moment and continued, and loses none.

This file is the flow: plan, leave out what is done, judge, write down, make the tables and the page.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from claimscan.batch import ledger as ledgers
from claimscan.batch import replies, run_tables, sources, tables, work
from claimscan.batch.ledger import Entry, Ledger
from claimscan.batch.progress import Silent
from claimscan.batch.sources import Plan, Source
from claimscan.batch.work import Bounds, Outcome, Task
from claimscan.errors import ClaimscanError
from claimscan.files import write_whole
from claimscan.records import Reply, Settings
from claimscan.report import Report
from claimscan.showing import overview

__all__ = ["Bounds", "Totals", "run", "scan"]

Engine = Callable[[Iterable[Task]], Iterator[tuple[Task, Outcome]]]
_PASSING = ("ChangedDocument", "MissingDocument", "WrongWorker")  # may well be otherwise next time


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


@dataclass(slots=True)
class _State:
    """What is known of each place in the plan as the run goes on."""

    documents: list[str]
    failures: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)


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
        again: try once more what could not be read for want of time, memory or a worker.
        asked: what the user asked for, to be written into ``run.json``.

    Raises:
        UsageError: the run folder cannot be made, written to, or is in use. What was done stays done.
    """
    settings, bounds, progress = settings or Settings(), bounds or Bounds(), progress or Silent()
    with ledgers.opened(out) as ledger:
        if not os.path.exists(os.path.join(out, "run.json")):
            ledgers.describe(ledger, {"state": "begun", "asked": dict(asked or {})})
        answers = _answers(out)
        state = _State([""] * len(plan.sources))
        with progress:
            for task, outcome in engine(_tasks(plan, state, ledger, settings, bounds, progress, again, answers)):
                _keep(ledger, task, outcome, bounds)
                if outcome.code:
                    state.failures[state.places[task.document]] = (outcome.code, outcome.why, outcome.remedy)
                progress.step(task, outcome)
        totals = _finish(plan, state, ledger, settings, progress, answers)
        ledgers.describe(ledger, {"state": "done", "asked": dict(asked or {}), "totals": asdict(totals)})
    return totals


def _tasks(
    plan: Plan,
    state: _State,
    ledger: Ledger,
    settings: Settings,
    bounds: Bounds,
    progress: Silent,
    again: bool,
    answers: Mapping[str, tuple[Reply, ...]],
) -> Iterator[Task]:
    """The documents that are still to be judged, found one by one as workers have room."""
    key = work.fingerprint(settings)
    for at, source in enumerate(plan.sources):
        try:
            document = _identity(source, ledger, settings)
        except ClaimscanError as error:
            state.failures[at] = (type(error).__name__, str(error), error.remedy)
            progress.skip(source.name)
            continue
        state.documents[at] = document
        if document in state.places:
            progress.skip(source.name)
            continue
        state.places[document] = at
        given = answers.get(document, ())
        entry = ledger.entry(document) or (None if given else _found(ledger, document, settings, key))
        if entry is not None and entry.key == _key(key, given) and _settled(entry, ledger, document, bounds, again):
            if entry.state == "unread":
                state.failures[at] = (entry.code, entry.why, entry.remedy)
            progress.skip(source.name)
            continue
        kept = ledger.load("reading", document)
        yield Task(source, document, settings, key, kept, given)


def _key(fingerprint: str, replies: tuple[Reply, ...]) -> str:
    """What decides a document's files besides its bytes: rules and code, and what was answered."""
    return hashlib.sha256(f"{fingerprint}{replies!r}".encode()).hexdigest() if replies else fingerprint


def _identity(source: Source, ledger: Ledger, settings: Settings) -> str:
    """The sha256 of a file's bytes, read only if the file may have changed since it was last seen."""
    marks = sources.marks(source)
    known = ledger.identity(source.name, marks)
    if known:
        return known
    digest = hashlib.sha256()
    sources.each(source, settings, digest.update)
    ledger.seen(source.name, marks, digest.hexdigest())
    return digest.hexdigest()


def _found(ledger: Ledger, document: str, settings: Settings, key: str) -> Entry | None:
    """The entry of a report that was written just before the run was stopped, so that its line is missing."""
    from claimscan import pipeline

    whole = ledger.report(document) if ledger.has("report", document) else None
    if whole is None or whole.get("provenance") != pipeline.provenance(settings):
        return None
    entry = Entry(key, "read")
    ledger.done(document, entry)
    return entry


def _settled(entry: Entry, ledger: Ledger, document: str, bounds: Bounds, again: bool) -> bool:
    """Whether what the ledger says still holds, so that there is nothing to do."""
    if entry.state == "read":
        return ledger.has("report", document)
    if entry.code in _PASSING:
        return False
    if entry.code in ("TimeExceeded", "MemoryExceeded", "WorkerDied"):
        more = bounds.seconds > entry.bound[0] or bounds.megabytes > entry.bound[1]
        return not (again or more)
    return True


def _keep(ledger: Ledger, task: Task, outcome: Outcome, bounds: Bounds) -> None:
    spent = {"seconds": outcome.seconds, "peak_mb": outcome.peak}
    if outcome.code:
        bound = (bounds.seconds, bounds.megabytes)
        ledger.drop("report", task.document)
        ledger.drop("page", task.document)
        entry = Entry(_key(task.key, task.replies), "unread", outcome.code, outcome.why, outcome.remedy, bound)
        ledger.done(task.document, entry, spent)
        return
    if outcome.reading:
        ledger.keep("reading", task.document, outcome.reading)
    if outcome.page:
        ledger.keep("page", task.document, outcome.page)
    else:
        ledger.drop("page", task.document)
    ledger.keep("report", task.document, outcome.report)
    ledger.done(task.document, Entry(_key(task.key, task.replies), "read"), spent | {"pages": outcome.pages})


def _finish(
    plan: Plan,
    state: _State,
    ledger: Ledger,
    settings: Settings,
    progress: Silent,
    answers: Mapping[str, tuple[Reply, ...]],
) -> Totals:
    counts = dict.fromkeys(("read", "unread", "repeat"), 0)
    products = 0
    writer = tables.Writer(ledger.folder, plan.metadata)
    try:
        for row in tables.rows(plan, state.documents, state.failures, ledger, answers):
            writer.add(row)
            if row.table == "documents":
                counts[row["status"]] += 1
            products += row.table == "products"
        writer.finish()
    finally:
        writer.close()
    _page(plan, ledger, settings)
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
        documents, products, failures, metadata=plan.metadata, provenance=pipeline.provenance(settings)
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
