"""Several recordings at the same time, each in a process of its own: one that dies costs its recording only."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any, NamedTuple

from bgsub.errors import SourceError
from bgsub.jobs.execution import INTERRUPTIONS
from bgsub.motion import forerunner
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.results import Scanned
from bgsub.motion.working import Finished, ScanTask, work
from bgsub.stores.addresses import is_of_this_process

_LOOK = 0.2  # seconds between two looks at how far the processes are
_WAITING, _UNKNOWN = -2, -1  # in place of frames read, and to expect

Watch = Callable[[ScanTask, int, int | None], None]

# Of a worker, set once when it starts.
_stop: Any = None
_read: Any = None
_total: Any = None


def scan_in_processes(
    tasks: Sequence[ScanTask],
    outputs: ScanOutputs,
    processes: int,
    watch: Watch | None = None,
) -> Iterator[Finished]:
    """Do tasks in several processes, and yield what comes of each as it ends.

    A process that dies (killed, out of memory) takes the others of its pool with it; those of its time are done again,
    each alone, and the one that dies again has failed.

    Parameters
    ----------
    tasks : sequence of ScanTask
        What is done.
    outputs : ScanOutputs
        What is written of each.
    processes : int
        How many at a time. What lies on a store that only this process sees is done in it, one after another.
    watch : callable, optional
        Called now and then with each task in work, its frames read so far, and those to expect.

    Yields
    ------
    Finished
        In the order in which they end. After Ctrl-C those in work, interrupted.
    """
    here = [task for task in tasks if any(is_of_this_process(name) for name in (str(task.folder), *task.input.reads))]
    for task in here:
        finished = work(task, outputs, watch)
        yield finished
        if isinstance(finished.error, INTERRUPTIONS):
            return
    tasks = [task for task in tasks if task not in here]
    left = [replace(task, job=_on_one_thread(task.job)) for task in tasks]
    while left:
        lost: list[_Lost] = []
        for one in _through_pool(left, outputs, processes, watch):
            if isinstance(one, _Lost):
                lost.append(one)
            else:
                yield one
        suspects = [one.task for one in lost if one.begun] or [one.task for one in lost[:1]]
        for task in suspects:
            yield from _alone(task, outputs, watch)
        left = [one.task for one in lost if one.task not in suspects]


class _Lost(NamedTuple):
    """A task whose pool broke before it ended."""

    task: ScanTask
    begun: bool


def _alone(task: ScanTask, outputs: ScanOutputs, watch: Watch | None) -> Iterator[Finished]:
    """Do a task again in a process that nothing else can break."""
    for one in _through_pool([task], outputs, 1, watch):
        if not isinstance(one, _Lost):
            yield one
            continue
        error = SourceError(
            f"cannot scan {task.input.shown}: its process was killed twice, as happens where memory ends; "
            "leave it out, or give fewer --jobs"
        )
        yield Finished(task, Scanned(None, error=str(error)), (), error)


def _through_pool(
    tasks: Sequence[ScanTask], outputs: ScanOutputs, processes: int, watch: Watch | None
) -> Iterator[Finished | _Lost]:
    """Do tasks in one pool of processes; those that had not ended when it broke come back."""
    context = forerunner.context(tasks[0].job.model.method or ("mog2" if tasks[0].job.fast else None))
    stop = context.Event()
    read, total = (context.Array("q", [_WAITING] * len(tasks), lock=False) for _ in range(2))
    pending: dict[Future[Finished], int] = {}
    with ProcessPoolExecutor(processes, context, _begin, (dict(os.environ), stop, read, total)) as pool:
        try:
            lost = []
            with forerunner.deaf():
                for slot, task in enumerate(tasks):
                    try:
                        pending[pool.submit(_work, slot, task, outputs)] = slot
                    except BrokenProcessPool:
                        lost.append(slot)
            yield from (_Lost(tasks[slot], False) for slot in lost)
            while pending:
                done, _ = wait(pending, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for future in done:
                    slot = pending.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        yield _Lost(tasks[slot], read[slot] != _WAITING)
                for slot in pending.values():
                    if watch is not None and read[slot] >= 0:
                        watch(tasks[slot], read[slot], None if total[slot] < 0 else total[slot])
        except INTERRUPTIONS as end:
            stop.set()
            if not pending:
                raise
            # The first ones are in work, or will be when their processes have begun, which would find nothing else.
            for future in list(pending)[processes:]:
                future.cancel()
            for future in pending:
                with contextlib.suppress(BrokenProcessPool, CancelledError):
                    yield replace(future.result(), error=end)


def _on_one_thread(job: ScanJob) -> ScanJob:
    """Return a job that decodes in the thread of its model, one unless told otherwise: processes share the cores."""
    threads = 1 if job.model.threads is None else job.model.threads
    return replace(job, model=replace(job.model, threads=threads), read_ahead=False)


# ------------------------------------------------------------------------------------------------------ in the workers


def _begin(environment: Mapping[str, str], stop: Any, read: Any, total: Any) -> None:
    """Take over what a worker shares with its parent, which alone listens to Ctrl-C."""
    global _stop, _read, _total
    forerunner.take_environment(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stop, _read, _total = stop, read, total
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone: nobody would take its results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(slot: int, task: ScanTask, outputs: ScanOutputs) -> Finished:
    _read[slot] = 0
    _total[slot] = _UNKNOWN

    def watch(task: ScanTask, read: int, total: int | None) -> None:
        _read[slot], _total[slot] = read, _UNKNOWN if total is None else total

    return work(task, outputs, watch, stop=_stop.is_set)
