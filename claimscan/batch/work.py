"""What a worker does with one document: bytes in, report and page out, inside its bounds of time and memory.

Runs in a process of its own. It opens nothing but the document and writes nothing: what it made goes back to the one
process that writes.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from claimscan.batch import sources
from claimscan.errors import ChangedDocument, ClaimscanError, WrongWorker
from claimscan.records import Reply, Settings

if TYPE_CHECKING:
    from claimscan.report import Report


NO_MEMORY = 77  # how a worker ends itself that has run out of memory


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one document may cost. ``seconds`` of time and ``megabytes`` of a worker's memory (2**20 bytes)."""

    seconds: float = 600.0
    megabytes: int = 900


@dataclass(frozen=True, slots=True)
class Task:
    """One document to judge.

    Attributes:
        source: where it is. ``document``: sha256 of its bytes, as the run knows them.
        reading: an earlier reading kept by :func:`claimscan.reading.store`, or empty.
        replies: what bodies answered to findings about it.
        key: fingerprint of the run's rules and code, which a worker elsewhere has to share.
    """

    source: sources.Source
    document: str
    settings: Settings
    key: str
    reading: bytes = b""
    replies: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task: the report and page as bytes, or an error's code (its class), sentence and remedy.

    ``reading`` is empty where an earlier one was used. ``peak`` is the most memory its worker ever held, in megabytes.
    """

    report: bytes = b""
    page: bytes = b""
    reading: bytes = b""
    pages: int = 0
    code: str = ""
    why: str = ""
    remedy: str = ""
    seconds: float = 0.0
    peak: int = 0


def failed(error: ClaimscanError, seconds: float = 0.0, peak: int = 0) -> Outcome:
    """The outcome of a document that could not be judged."""
    return Outcome(code=type(error).__name__, why=str(error), remedy=error.remedy, seconds=round(seconds, 3), peak=peak)


def judge(task: Task) -> Outcome:
    """Read, judge and show one document. Every failure that belongs to the document is an outcome, not an exception.

    Raises:
        WrongWorker: this process has other rules, code or settings than the run.
        MemoryError: there was not enough; the process may hold what others left in it, so another should try.
    """
    began = time.monotonic()
    name = task.source.name
    try:
        report, page, reading, pages = _judged(task)
    except (WrongWorker, MemoryError):
        raise
    except Exception as fault:
        return failed(_named(fault, name), time.monotonic() - began, peak())
    return Outcome(report, page, reading, pages, seconds=round(time.monotonic() - began, 3), peak=peak())


def checked(name: str, settings: Settings) -> Report | ClaimscanError:
    """One document's report, or why there is none."""
    from claimscan import pipeline

    try:
        return pipeline.check(name, settings=settings)
    except MemoryError:
        raise
    except Exception as fault:
        return _named(fault, name)


def _named(fault: Exception, name: str) -> ClaimscanError:
    """The fault as a sentence about the document."""
    if isinstance(fault, ClaimscanError):
        return fault
    what = f"{type(fault).__name__}: {fault}"[:300]
    return ClaimscanError(f"claimscan itself failed on {name} ({what}).", "Please report it.")


def _judged(task: Task) -> tuple[bytes, bytes, bytes, int]:
    from claimscan import pipeline, reading

    if fingerprint(task.settings) != task.key:
        raise WrongWorker("A worker has other rules, code or settings than this run.")
    data = sources.read(task.source, task.settings)
    if hashlib.sha256(data).hexdigest() != task.document:
        raise ChangedDocument(f"{task.source.name} was changed while the run was going on.")
    document, kept = None, b""
    if task.reading:
        try:
            document = reading.restore(task.reading, data, task.source.name, task.settings)
        except ValueError:
            document = None
        if document is not None and pipeline.outgrown(document):
            document = None
    if document is None:
        document = pipeline.read_bytes(data, task.source.name, task.settings)
        kept = reading.store(document, task.settings)
    report = pipeline.judge(document, task.settings)
    page = b""
    if report.products or report.mentions or task.replies:
        from claimscan.showing import html

        page = html.page(report, task.replies).encode()
    return report.to_json().encode(), page, kept, len(document.pages)


@cache
def fingerprint(settings: Settings) -> str:
    """Everything but a document's bytes and name that decides its report: provenance, and the package's own code."""
    from importlib.resources import files

    from claimscan import pipeline, reading

    whole = hashlib.sha256(repr(sorted(pipeline.provenance(settings).items())).encode())
    whole.update(reading.fingerprint().encode())
    for folder in ("", "grading", "showing", "data/templates"):
        for file in sorted(files("claimscan").joinpath(folder).iterdir(), key=lambda f: f.name):
            if file.is_file() and not file.name.endswith(".pyc"):
                whole.update(file.name.encode() + file.read_bytes())
    return whole.hexdigest()


# --- a worker's process ---------------------------------------------------------------------------------------------


def start(bounds: Bounds) -> None:
    """Make this process a worker: bound its memory, leave Ctrl-C to the run, and end when the run's process does."""
    import signal

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(bounds.megabytes)
    shorten_waits()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def start_method() -> str:
    """How processes of ours are started: from a server of forks, where the system has one."""
    import multiprocessing

    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def shorten_waits() -> None:
    """Give up a lock that a killed worker held after ten seconds; the pool's own sixty would stop the whole run as long."""
    from pebble import CONSTS

    CONSTS.channel_lock_timeout = 10.0


def limit_memory(megabytes: int) -> None:
    """Bound what this process can allocate, where the system can (Linux; elsewhere the bound is not kept)."""
    try:
        import resource
    except ImportError:
        return
    if sys.platform.startswith("linux"):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bound = min(megabytes, 1 << 30) << 20
        resource.setrlimit(resource.RLIMIT_DATA, (bound if hard < 0 else min(bound, hard), hard))


def _end_with_parent() -> None:
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def peak() -> int:
    """The most memory this process ever held, in megabytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most >> 20 if sys.platform == "darwin" else most >> 10)
