"""Reads documents in a process of its own, kept warm, and bounded in time and memory.

A document is other people's bytes. Whatever it does to the libraries that open it (hang, fill the memory, end the
process), the page stays up and says so in a sentence.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimscan.batch import work
from claimscan.errors import ClaimscanError, MemoryExceeded, TimeExceeded, WorkerDied
from claimscan.records import Box, Correction, Document, Settings
from claimscan.showing.translating import LANGUAGES, language, speaking

if TYPE_CHECKING:
    from claimscan.correcting import Corrections
    from claimscan.report import Report
    from claimscan.showing.pictures import Picture  # noqa: F401

STAGES = ("waiting", "reading", "judging", "drawing")
BOUNDS = work.Bounds(seconds=300.0, megabytes=1500)

Drawn = dict[tuple[Box, ...], "Picture | None"]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a document: its report, the finding in words (:mod:`claimscan.showing.finding`) by language, and the
    pictures in it."""

    report: Report
    findings: dict[str, dict[str, Any]]
    drawn: Drawn

    @property
    def finding(self) -> dict[str, Any]:
        """The finding in the language of the moment."""
        return self.findings[language()]


class Reader:
    """Two processes: a warm one that reads one document at a time, while others wait their turn, and one for what a person
    does meanwhile with a finding that is there."""

    def __init__(self, bounds: work.Bounds = BOUNDS) -> None:
        self.bounds = bounds
        self._pools: dict[str, Any] = {}

    def start(self) -> None:
        """Start the processes, so that they are warm when the first document comes."""
        for name in ("reading", "doing"):
            self._pool(name)

    def read(self, path: Path, name: str, corrections: str = "") -> Future[Any]:
        """Begin to read a document: the future gives what was :class:`Made` of it, or an error."""
        return self._begin("reading", partial(read, str(path), name, corrections))

    def call(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Begin anything else that opens a document's bytes: one of the functions below."""
        return self._begin("doing", partial(function, *args))

    def _begin(self, pool: str, function: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = self._pool(pool).schedule(_bounded, args=(function,), timeout=self.bounds.seconds)
        return future

    def _pool(self, name: str) -> Any:
        pool = self._pools.get(name)
        if pool is None or not pool.active:
            from pebble import ProcessPool

            work.shorten_waits()
            context = multiprocessing.get_context(work.start_method())
            pool = ProcessPool(1, initializer=_start, initargs=(self.bounds, name), context=context)
            pool.schedule(os.getpid)
            self._pools[name] = pool
        return pool

    def stop(self) -> None:
        """End the processes, whatever they do."""
        for pool in self._pools.values():
            pool.stop()
            pool.join()
        self._pools.clear()


def outcome(future: Future[Any], name: str) -> Any:
    """What came of it: the result, or the error (as a value) that says why there is none."""
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError:
        return TimeExceeded(
            f"{name} took too long to read, so claimscan stopped.", "Try a smaller part of the document."
        )
    except ProcessExpired as error:
        if error.exitcode == work.NO_MEMORY:
            return MemoryExceeded(f"{name} needs too much memory.", "Try a smaller part of the document.")
        return WorkerDied(f"The program ended when it tried to read {name}.", "Try a smaller part of the document.")
    except ClaimscanError as error:
        return error
    except Exception as fault:
        return _named(fault, name)


# --- in the process itself ------------------------------------------------------------------------------------------


def _start(bounds: work.Bounds, name: str) -> None:
    work.start(bounds)
    from claimscan import pipeline
    from claimscan.reading import docx, html, pdf, places, text  # noqa: F401
    from claimscan.showing import finding, pictures  # noqa: F401

    if name == "reading":
        pipeline.check_text("This strategy was co-produced with twelve carers. They wrote it and were paid for it.")


def _bounded(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except MemoryError:
        os._exit(work.NO_MEMORY)


def read(path: str, name: str, corrections: str = "") -> Made | ClaimscanError:
    """Read and judge one document. ``name`` is only what it is called; ``path`` is a file of ours."""
    from claimscan import pipeline

    settings = Settings()
    try:
        _at(path, "reading")
        document = pipeline.read_bytes(Path(path).read_bytes(), name, settings)
        _at(path, "judging")
        report = pipeline.judge(document, settings)
        if corrections:
            from claimscan import correcting

            report = correcting.apply(report, correcting.load(corrections))
        _at(path, "drawing")
        return shown(report, {})
    except MemoryError:
        raise
    except Exception as fault:
        return _named(fault, name)


def shown(report: Report, drawn: Drawn) -> Made:
    """The finding in words; pictures that are drawn already are used again."""
    from claimscan.showing.finding import finding
    from claimscan.showing.pictures import Pictures

    pictures = Pictures(report, drawn)
    findings = {}
    for code in LANGUAGES:
        with speaking(code):
            findings[code] = finding(report, pictures)
    return Made(report, findings, pictures.drawn)


def corrected(made: Made, corrections: Corrections) -> Made:
    """The finding with more corrections, graded again by the same rules."""
    from claimscan import correcting

    return shown(correcting.apply(made.report, corrections), made.drawn)


def undone(made: Made, gone: Sequence[Correction]) -> Made:
    """The finding without these corrections."""
    from claimscan import correcting

    return shown(correcting.without(made.report, *gone), made.drawn)


def page_picture(document: Document, number: int, boxes: Sequence[Box]) -> bytes:
    """One page of a PDF as PNG, with the boxes marked."""
    from claimscan.showing.pictures import whole_page

    return whole_page(document, number, boxes)


def highlighted(report: Report, language: str) -> bytes:
    """The copy of the PDF with annotations."""
    from claimscan.showing import highlights

    with speaking(language):
        return highlights.highlighted(report, report.document.anchors.data)


def one_page(report: Report, language: str) -> bytes:
    """The finding as a page in one file."""
    from claimscan.showing import html

    with speaking(language):
        return html.page(report).encode()


def compared(before: Mapping[str, Any], after: Mapping[str, Any], kind: str) -> Any:
    """What is different between two reports, given as plain values: ``page``, a
    :class:`claimscan.showing.differences.Differences`; ``csv`` or ``json``, the bytes of a file."""
    from claimscan import comparing
    from claimscan.showing import comparison
    from claimscan.showing.differences import differences

    found = comparing.compare(before, after)
    if kind == "csv":
        return comparison.to_csv(found).encode("utf-8-sig")
    if kind == "json":
        return comparison.to_json(comparison.to_dict(found))
    return differences(found, length=600)


def stage(path: Path) -> str:
    """How far the reading of the document at ``path`` has come: one of :data:`STAGES`."""
    try:
        said = _note(path).read_text()
    except OSError:
        return STAGES[0]
    return said if said in STAGES else STAGES[0]


def _at(path: str, stage: str) -> None:
    try:
        _note(Path(path)).write_text(stage)
    except OSError:
        pass  # deleted meanwhile; nobody waits for it


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".stage")


def _named(fault: Exception, name: str) -> ClaimscanError:
    if isinstance(fault, ClaimscanError):
        return fault
    return ClaimscanError(
        f"claimscan itself failed on {name} ({type(fault).__name__}).",
        "This is a fault in claimscan, not in what you did. Please report it.",
    )
