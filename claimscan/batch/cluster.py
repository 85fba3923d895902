"""Workers of a Dask cluster: the same work, on processes that Dask's own commands started, on any number of machines."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any

from claimscan.batch import work
from claimscan.batch.work import Bounds, Outcome, Task
from claimscan.errors import MemoryExceeded, UsageError, WorkerDied

AHEAD = 2
PATIENCE = 30  # seconds until a scheduler has to answer


def run(tasks: Iterable[Task], address: str, bounds: Bounds) -> Iterator[tuple[Task, Outcome]]:
    """Judge the tasks on the cluster whose scheduler is at ``address``; outcomes come in the order they are ready.

    A worker that passes a document's time ends itself and its nanny starts another, so workers need nannies, which they
    have unless started with ``--no-nanny``. Dask tries a task whose worker died on others, then gives it up.

    Raises:
        UsageError: no scheduler answers, it has no workers or goes away, or workers have more than one thread.
    """
    try:
        import distributed
    except ImportError:
        raise UsageError("--cluster needs the cluster extra.", "Run: pip install 'claimscan[cluster]'.") from None
    dask: Any = distributed  # its functions have no types
    try:
        client: Any = dask.Client(address, timeout=PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        why = str(error).split("\n", 1)[0] or type(error).__name__
        raise UsageError(f"No scheduler answers at {address} ({why}).", "Start one with: dask scheduler.") from None
    try:
        waiting = iter(tasks)
        flying: dict[Any, Task] = {}
        while True:
            for task in islice(waiting, max(0, AHEAD * _workers(client, address) - len(flying))):
                name = f"claimscan-{task.document}-{task.source.name}"
                flying[client.submit(bounded, task, bounds, pure=False, key=name)] = task
            if not flying:
                return
            try:
                done = dask.wait(list(flying), timeout=PATIENCE, return_when="FIRST_COMPLETED").done
            except (TimeoutError, dask.TimeoutError):
                continue  # a long document, or no worker left: that is asked above
            for future in done:
                task = flying.pop(future)
                yield task, _outcome(future, task)
                future.release()
    except (OSError, CancelledError) as error:
        raise UsageError(
            f"The cluster at {address} went away ({type(error).__name__}). What was done is kept.",
            "Start it again, then give the same command.",
        ) from None
    finally:
        client.close()


def _workers(client: Any, address: str) -> int:
    """How many workers there are now."""
    threads = list(client.nthreads().values())
    if not threads:
        raise UsageError(
            f"The scheduler at {address} has no workers. What was done is kept.", f"Start some: dask worker {address}."
        )
    if max(threads) > 1:  # the bounds are of a process, so one that passes them must have one document only
        raise UsageError("A worker of the cluster has several threads.", "Start workers with --nthreads 1.")
    return len(threads)


def bounded(task: Task, bounds: Bounds) -> Outcome:
    """The work with its bounds, inside a Dask worker: past its time the whole process ends."""
    work.limit_memory(bounds.megabytes)
    alarm = threading.Timer(bounds.seconds, os._exit, (1,))
    alarm.daemon = True
    alarm.start()
    try:
        return work.judge(task)
    finally:
        alarm.cancel()


def _outcome(future: Any, task: Task) -> Outcome:
    from distributed import KilledWorker

    name = task.source.name
    try:
        outcome: Outcome = future.result()
        return outcome
    except KilledWorker:
        return work.failed(
            WorkerDied(f"The workers that tried to read {name} died, or passed the time allowed for it.")
        )
    except MemoryError:
        return work.failed(MemoryExceeded(f"{name} needs more memory than one document is allowed."))
