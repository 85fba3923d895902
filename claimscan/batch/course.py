"""The course of one run: what is still to be judged, and what becomes of each outcome.

A document is known by the sha256 of its bytes; a *place* is where it stands in the plan, and the same bytes may stand in
several. What the ledger says of a document holds as long as its key does: rules, code, settings, the kind of file by
its name, and what bodies answered.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping

from claimscan.batch import sources, work
from claimscan.batch.ledger import Entry, Ledger
from claimscan.batch.progress import Silent
from claimscan.batch.sources import Plan, Source
from claimscan.batch.work import Bounds, Outcome, Task
from claimscan.errors import UnreadableDocument
from claimscan.records import Reply, Settings

OF_PLACE = ("ChangedDocument", "MissingDocument")  # not of the bytes: may well be otherwise elsewhere, or next time
OF_BOUNDS = ("MemoryExceeded", "TimeExceeded", "WorkerDied")  # may be otherwise with more time or memory

Failure = tuple[str, str, str]  # code, sentence, remedy


class Course:
    """One run of a plan through a ledger.

    Attributes:
        documents: for each place of the plan the sha256 of its bytes; empty while not known, or where it cannot be opened.
        failures: why a place could not be read, by place.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        settings: Settings,
        bounds: Bounds,
        answers: Mapping[str, tuple[Reply, ...]],
        progress: Silent,
        again: bool = False,
    ) -> None:
        self.plan, self.ledger, self.settings, self.bounds = plan, ledger, settings, bounds
        self.answers, self.progress = answers, progress
        self.documents = [""] * len(plan.sources)
        self.failures: dict[int, Failure] = {}
        self._again = again
        self._at: dict[str, int] = {}  # the place from which each document is read
        self._rules = work.fingerprint(settings)

    # --- what is to be done ---

    def tasks(self) -> Iterator[Task]:
        """The documents that are still to be judged, found one by one as workers have room."""
        for at, source in enumerate(self.plan.sources):
            try:
                document = self._identity(source)
            except UnreadableDocument as error:
                self.failures[at] = (type(error).__name__, str(error), error.remedy)
                self.progress.skip(source.name)
                continue
            self.documents[at] = document
            if document in self._at:
                self.progress.skip(source.name)
                continue
            self._at[document] = at
            entry = self.ledger.entry(document) or self._found(source, document)
            if entry is not None and self._holds(entry, source, document):
                if entry.state == "unread":
                    self.failures[at] = (entry.code, entry.why, entry.remedy)
                self.progress.skip(source.name, kept=True)
                continue
            yield self._task(source, document)

    def others(self) -> list[Task]:
        """Documents whose place failed, to be read from the next place that has the same bytes."""
        tasks = []
        for at, document in enumerate(self.documents):
            first = self._at.get(document, at)
            if first < at and self.failures.get(first, ("",))[0] in OF_PLACE:
                self._at[document] = at
                tasks.append(self._task(self.plan.sources[at], document))
        return tasks

    def _task(self, source: Source, document: str) -> Task:
        kept = self.ledger.load("reading", document)
        return Task(source, document, self.settings, self._rules, kept, self.answers.get(document, ()))

    def _identity(self, source: Source) -> str:
        """The sha256 of a file's bytes, read only if the file may have changed since it was last seen."""
        marks, place = sources.marks(source), sources.place(source)
        known = self.ledger.identity(place, marks)
        if known:
            return known
        digest = hashlib.sha256()
        sources.each(source, self.settings, digest.update)
        self.ledger.seen(place, marks, digest.hexdigest())
        return digest.hexdigest()

    def key(self, source: Source, document: str) -> str:
        """What decides a document's files besides its bytes, as a sha256."""
        suffix = os.path.splitext(source.name)[1].lower()
        return hashlib.sha256(repr((self._rules, suffix, self.answers.get(document, ()))).encode()).hexdigest()

    def _found(self, source: Source, document: str) -> Entry | None:
        """The entry of a report that was written just before a run was stopped, so that its line is missing."""
        from claimscan import pipeline

        if self.answers.get(document) or not self.ledger.has("report", document):
            return None
        whole = self.ledger.report(document)
        if whole is None or whole.get("provenance") != pipeline.provenance(self.settings):
            return None
        entry = Entry(self.key(source, document), "read")
        self.ledger.done(document, entry)
        return entry

    def _holds(self, entry: Entry, source: Source, document: str) -> bool:
        """Whether what the ledger says is still so, and there is nothing to do."""
        if entry.key != self.key(source, document):
            return False
        if entry.state == "read":
            return self.ledger.has("report", document)
        if self._again or entry.code in OF_PLACE:
            return False
        more = self.bounds.seconds > entry.bound[0] or self.bounds.megabytes > entry.bound[1]
        return not (more and entry.code in OF_BOUNDS)

    # --- what came of it ---

    def keep(self, task: Task, outcome: Outcome) -> None:
        """Write down an outcome: the files first, the report last of them, then the line in the ledger."""
        document, ledger, key = task.document, self.ledger, self.key(task.source, task.document)
        spent = {"seconds": outcome.seconds, "peak_mb": outcome.peak}
        if outcome.code and not self._stands(outcome, document):
            ledger.forget(document)
            ledger.drop("report", document)
            ledger.drop("page", document)
            bound = (self.bounds.seconds, self.bounds.megabytes)
            ledger.done(document, Entry(key, "unread", outcome.code, outcome.why, outcome.remedy, bound), spent)
            self.failures[self._at[document]] = (outcome.code, outcome.why, outcome.remedy)
        elif not outcome.code:
            ledger.forget(document)
            if outcome.reading:
                ledger.keep("reading", document, outcome.reading)
            if outcome.page:
                ledger.keep("page", document, outcome.page)
            else:
                ledger.drop("page", document)
            ledger.keep("report", document, outcome.report)
            ledger.done(document, Entry(key, "read"), spent | {"pages": outcome.pages})
        self.progress.step(task, outcome)

    def _stands(self, outcome: Outcome, document: str) -> bool:
        """Whether an earlier report under the same rules stands, as this time there was only too little time or memory."""
        from claimscan import pipeline

        entry = self.ledger.entry(document)
        if entry is None or entry.state != "read" or outcome.code not in OF_BOUNDS:
            return False
        whole = self.ledger.report(document)
        return whole is not None and whole.get("provenance") == pipeline.provenance(self.settings)
