"""What a run says while it works: a bar for a person, lines of JSON for a program, or nothing."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import Any

from claimscan.batch.work import Outcome, Task


class Silent:
    """Says nothing; counts what the end of the run reports. The other two add how it is said."""

    def __init__(self) -> None:
        self.judged = self.pages = self.unread = self.kept = self.peak = 0
        self.began = time.monotonic()

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def skip(self, name: str, kept: bool = False) -> None:
        """A file needs no work: it was done before (``kept``), repeats another or cannot be opened."""
        self.kept += kept

    def step(self, task: Task, outcome: Outcome) -> None:
        """One document is done."""
        self.judged += 1
        self.pages += outcome.pages
        self.unread += bool(outcome.code)
        self.peak = max(self.peak, outcome.peak)


class Lines(Silent):
    """One JSON object a line on standard error for each document."""

    def step(self, task: Task, outcome: Outcome) -> None:
        super().step(task, outcome)
        line: dict[str, Any] = {"event": "unread" if outcome.code else "read", "source": task.source.name}
        line |= {"document": task.document, "pages": outcome.pages, "seconds": outcome.seconds, "peak_mb": outcome.peak}
        if outcome.code:
            line |= {"code": outcome.code, "why": outcome.why}
        self.say(line)

    def skip(self, name: str, kept: bool = False) -> None:
        super().skip(name, kept)
        self.say({"event": "kept" if kept else "skipped", "source": name})

    def say(self, line: dict[str, Any]) -> None:
        print(json.dumps(line, ensure_ascii=True), file=sys.stderr, flush=True)


class Bar(Silent):
    """A bar with documents, pages, unread, rate and time left."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__()
        self._bar = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=total, said="documents")

    def __enter__(self) -> Silent:
        self._bar.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._bar.stop()

    def skip(self, name: str, kept: bool = False) -> None:
        super().skip(name, kept)
        self._move()

    def step(self, task: Task, outcome: Outcome) -> None:
        super().step(task, outcome)
        self._move()

    def _move(self) -> None:
        rate = self.pages / max(1e-9, time.monotonic() - self.began)
        said = f"documents, {self.pages:,} pages, {self.unread:,} unread, {rate:,.1f} pages a second"
        self._bar.update(self._task, advance=1, said=said)


def chosen(total: int, quiet: bool, lines: bool) -> Silent:
    """The way to say it: JSON lines if asked for, a bar on a terminal, else nothing."""
    if lines:
        return Lines()
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return Silent()
    return Bar(total)
