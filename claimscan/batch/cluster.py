"""Workers of a Dask cluster: the same work, on processes that Dask's own commands started, on any number of machines."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from claimscan.batch import work
from claimscan.batch.work import Bounds, Outcome, Task
from claimscan.errors import UsageError

AHEAD = 2
PATIENCE = 30  # seconds until a scheduler has to answer


def run(tasks: Iterable[Task], address: str, bounds: Bounds) -> Iterator[tuple[Task, Outcome]]:
    """Judge the tasks on the cluster whose scheduler is at ``address``; outcomes come in the order they are ready.

    A worker that passes a document's time ends itself and its nanny starts another, so workers need nannies, which they
    have unless started with ``--no-nanny``. Dask tries a task whose worker died on others, then gives it up.

    Raises:
        UsageError: no scheduler answers, or it has no workers.
    """
    try:
        import distributed
    except ImportError:
        raise UsageError("--cluster needs the cluster extra.", "Run: pip install 'claimscan[cluster]'.") from None
    dask: Any = distributed  # its functions have no types
    try:
        client: Any = dask.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        why = str(error).split("\n", 1)[0] or type(error).__name__
        raise UsageError(f"No scheduler answers at {address} ({why}).", "Start one with: dask scheduler.") from None
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            raise UsageError(f"The scheduler at {address} has no workers.", f"Start some: dask worker {address}.")
        waiting = iter(tasks)
        flying: dict[Any, Task] = {}
        ready = dask.as_completed(loop=client.loop)

        def fill() -> None:
            while len(flying) < AHEAD * max(1, threads):
                task = next(waiting, None)
                if task is None:
                    return
                future = client.submit(bounded, task, bounds, pure=False, key=f"claimscan-{task.document}")
                flying[future] = task
                ready.add(future)

        fill()
        while flying:
            future = next(ready)
            task = flying.pop(future)
            yield task, _outcome(future, task)
            future.release()
            fill()
    finally:
        client.close()


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
            work.WorkerDied(f"The workers that tried to read {name} died, or passed the time allowed for it.")
        )
    except MemoryError:
        return work.failed(work.MemoryExceeded(f"{name} needs more memory than one document is allowed."))
