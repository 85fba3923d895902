"""Workers on this computer: a pool that loses one document, not the run, when a worker dies or hangs."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from functools import partial
from typing import Any, TypeVar

from claimscan.batch import work
from claimscan.batch.work import NO_MEMORY, Bounds, Outcome, Task
from claimscan.errors import ClaimscanError, MemoryExceeded, TimeExceeded, UsageError, WorkerDied
from claimscan.records import Settings
from claimscan.report import Report

ATTEMPTS = 3  # a worker may be ended by something that is not its document's fault
RENEWED = 200  # documents after which a worker is replaced, so that nothing can pile up in it
AHEAD = 2  # tasks waiting for each worker; more would only hold memory
WINDOW = 16  # reports that wait for an earlier one, for each worker

Item = TypeVar("Item")
Result = TypeVar("Result")


def run(tasks: Iterable[Task], workers: int, bounds: Bounds) -> Iterator[tuple[Task, Outcome]]:
    """Judge the tasks in processes of their own; outcomes come in the order in which they are ready.

    ``tasks`` is asked for the next only when a worker has room. A task whose worker dies is tried again, three times in
    all; one that passes its time is not.
    """
    for task, made in _each(tasks, work.judge, lambda task: task.source.name, workers, bounds):
        yield task, work.failed(made) if isinstance(made, ClaimscanError) else made


def in_order(
    names: Iterable[str], workers: int, settings: Settings, bounds: Bounds
) -> Iterator[tuple[str, Report | ClaimscanError]]:
    """Check documents in processes of their own, and give what comes of them in the order asked."""
    ready: dict[int, tuple[str, Report | ClaimscanError]] = {}
    following = 0
    check = partial(_checked, settings=settings)
    room = lambda: len(ready) < WINDOW * workers  # noqa: E731
    for (number, name), made in _each(enumerate(names), check, lambda item: item[1], workers, bounds, room):
        ready[number] = (name, made)
        while following in ready:
            yield ready.pop(following)
            following += 1


def _checked(item: tuple[int, str], settings: Settings) -> Report | ClaimscanError:
    return work.checked(item[1], settings)


def _each(
    items: Iterable[Item],
    function: Callable[[Item], Result],
    name_of: Callable[[Item], str],
    workers: int,
    bounds: Bounds,
    room: Callable[[], bool] = lambda: True,
) -> Iterator[tuple[Item, Result | ClaimscanError]]:
    """Call the function on each item in a worker; ``room`` says whether another may be begun."""
    from pebble import ProcessPool

    work.shorten_waits()

    context = _context()
    waiting = iter(items)
    again: list[tuple[Item, int]] = []
    broken = 0
    while True:
        pool: Any = ProcessPool(workers, max_tasks=RENEWED, initializer=work.start, initargs=(bounds,), context=context)
        flying: dict[Future[Any], tuple[Item, int]] = {}
        ended = False
        try:
            while pool.active:
                while len(flying) < AHEAD * workers and not ended and (again or room()):
                    if again:
                        item, attempt = again.pop()
                    else:
                        try:
                            item, attempt = next(waiting), 1
                        except StopIteration:
                            ended = True
                            break
                    try:
                        future = pool.schedule(_in_worker, args=(function, item), timeout=bounds.seconds)
                    except RuntimeError:  # the pool broke, and did not know it yet
                        again.append((item, attempt))
                        break
                    flying[future] = item, attempt
                if not flying and not again:
                    return
                for future in wait(flying, timeout=1.0, return_when=FIRST_COMPLETED).done:
                    item, attempt = flying.pop(future)
                    made = _result(future, name_of(item), attempt, bounds)
                    if made is None:
                        again.append((item, attempt + 1))
                        ended = False
                    else:
                        yield item, made
        finally:
            pool.stop()
            pool.join()
        broken += 1  # the pool itself broke: what was under way starts again in another
        if broken > 10 * ATTEMPTS:
            raise UsageError(
                "Workers cannot be started on this computer.", "Free some memory, or allow more with --memory."
            )
        for future, (item, attempt) in flying.items():
            finished = _result(future, name_of(item), attempt - 2 * ATTEMPTS, bounds) if future.done() else None
            if finished is None:  # it may not be to blame, so it has more attempts than one that ended its own worker
                again.append((item, attempt + 1))
            else:
                yield item, finished


def _context() -> Any:
    """How workers are started: forked from a process that has loaded all they need, where the system can."""
    method = work.start_method()
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["claimscan.batch.warm"])
    return context


def _in_worker(function: Callable[[Item], Result], item: Item) -> Result:
    """The work. A worker that ran out of memory ends: what is left in it would harm the next document."""
    try:
        return function(item)
    except MemoryError:
        os._exit(NO_MEMORY)


def _result(future: Future[Any], name: str, attempt: int, bounds: Bounds) -> Any:
    """What came of it, a result or an error; None where it is to be tried again."""
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError:
        return TimeExceeded(f"{name} took longer than the {bounds.seconds:g} seconds that a document is allowed.")
    except (ProcessExpired, CancelledError, BrokenExecutor, MemoryError) as error:
        if attempt < ATTEMPTS:
            return None
        if isinstance(error, MemoryError) or getattr(error, "exitcode", None) == NO_MEMORY:
            return MemoryExceeded(
                f"{name} needs more memory than the {bounds.megabytes:,} MB that a worker is allowed."
            )
        return WorkerDied(f"The program ended each time it tried to read {name}, perhaps for want of memory.")
