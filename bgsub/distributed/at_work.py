"""What happens on a worker: an errand gets its threads, tells how far it is, ends when nobody wants it any more.

A worker has so many threads, and Dask gives it as many errands at a time. Those share the threads here: one that asks
for several waits until they are free. An errand that has taken a worker down before is done alone in its process, so
that it takes no other down with it; and what has taken down two is not begun again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from distributed import Worker, get_client, get_worker
from distributed.core import Status

from bgsub.distributed.fitting_in import Build, build, check_here
from bgsub.threads import bound_processors

TOPIC = "bgsub"
"""Of Dask's events that tell how far errands are."""

MOST_DEATHS = 2
"""Workers that an errand may take down before it is set aside."""

_stopped: set[str] = set()
"""Runs that are to end now."""


@dataclass(frozen=True)
class Run:
    """What all errands of a command have in common.

    Attributes
    ----------
    name : str
        Like no other on the cluster.
    threads : int
        Of an errand that does not say.
    interval : float
        Seconds between two words on how far an errand is.
    build : (str, str)
        The client's bgsub, which workers that join later must have, too.
    """

    name: str
    threads: int = 1
    interval: float = 1.0
    build: Build = field(default_factory=build)


@dataclass(frozen=True)
class Errand:
    """One thing to do on some worker.

    Attributes
    ----------
    number : int
        In the run, from 0.
    what : str
        A word, "scan": errands of the same have one colour on Dask's dashboard, and one estimate of their time.
    name : str
        What people call it: ``cam1/monday.mp4``.
    work : callable
        Called with the `Place` where it is done; it can be sent to another process. What it returns, too.
    threads : int or None
        How many it wants; it gets no more than its worker has.
    """

    number: int
    what: str
    name: str
    work: Callable[[Place], Any]
    threads: int | None = None


@dataclass(frozen=True)
class Returned:
    """What came of an errand: its result, or that it was not begun since it had taken workers down."""

    result: Any = None
    set_aside: bool = False


class Place:
    """Where an errand is done.

    Parameters
    ----------
    worker : distributed.Worker
        Whose thread this is.
    key : str
        Dask's, of the task.
    errand : Errand
        What is done.
    run : Run
        Of which it is part.
    threads : int
        How many it has.

    Attributes
    ----------
    threads : int
        How many it may use.
    """

    def __init__(self, worker: Worker, key: str, errand: Errand, run: Run, threads: int) -> None:
        self.threads = threads
        self._worker, self._key, self._errand, self._run = worker, key, errand, run
        self._told = -float("inf")

    def tell(self, read: int, total: int | None = None) -> None:
        """Say, now and then, how many frames are read, of how many where that is known."""
        now = time.monotonic()
        if now - self._told >= self._run.interval:
            self._told = now
            facts = {"number": self._errand.number, "read": read, "total": total, "where": str(self._worker.name)}
            self._worker.log_event(TOPIC, {"run": self._run.name, **facts})

    def stop(self) -> bool:
        """Say whether nobody wants the result any more: Ctrl-C, a client that is gone, a worker that closes."""
        if self._run.name in _stopped or self._worker.status not in (Status.running, Status.paused, _RETIRING):
            return True
        return is_cancelled(self._worker, self._key)


def is_cancelled(worker: Worker, key: str) -> bool:
    """Say whether nobody wants a task any more that a worker has in work."""
    task = worker.state.tasks.get(key)
    return task is None or task.state == "cancelled"


_RETIRING = Status.closing_gracefully


def do(errand: Errand, run: Run) -> Returned:
    """Do an errand on the worker whose task this is.

    Parameters
    ----------
    errand : Errand
        What is done.
    run : Run
        Of which it is part.

    Raises
    ------
    ClusterError
        When this process has another bgsub.
    """
    check_here(run.build)
    worker = get_worker()
    nthreads = worker.state.nthreads
    bound_processors(nthreads)
    deaths = deaths_of(get_client(), run, errand)
    if deaths >= MOST_DEATHS:
        return Returned(set_aside=True)
    wanted = nthreads if deaths else min(errand.threads or run.threads, nthreads)
    place = Place(worker, str(worker.get_current_task()), errand, run, wanted)
    with _threads.taken(wanted, nthreads):
        if place.stop():
            return Returned()
        with _counted(run, errand, deaths + 1):
            place.tell(0)
            return Returned(errand.work(place))


def deaths_of(client: Any, run: Run, errand: Errand) -> int:
    """Return how many workers have begun an errand and never ended it; asked while it is not in work."""
    return int(client.get_metadata([run.name, str(errand.number)], 0))


@contextlib.contextmanager
def _counted(run: Run, errand: Errand, deaths: int) -> Iterator[None]:
    """Have the scheduler remember that an errand is begun until it has ended, well or not: else it took its worker."""
    client, key = get_client(), [run.name, str(errand.number)]
    client.set_metadata(key, deaths)
    try:
        yield
    finally:
        client.set_metadata(key, 0)


def stop(run: str) -> None:
    """Let the errands of a run end in this process: the client has every worker call this."""
    _stopped.add(run)


class _Threads:
    """The threads of this process, given to errands in the order in which they ask."""

    def __init__(self) -> None:
        self._turn, self._changed, self._used = threading.Lock(), threading.Condition(), 0

    @contextlib.contextmanager
    def taken(self, count: int, of: int) -> Iterator[None]:
        """Have so many of all for the block, once they are free."""
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._used + count <= of)
            self._used += count
        try:
            yield
        finally:
            with self._changed:
                self._used -= count
                self._changed.notify_all()


_threads = _Threads()
