"""Work over the partitions of a table on Dask: a task a partition, and what tasks return added up as a tree."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import dask
from dask.delayed import Delayed, delayed

from bgsub.distributed.fitting_in import Build, build, check_here
from bgsub.errors import ClusterError

_FAN = 16  # results that one task adds up: few tasks, and few results that wait for each other


@dataclass(frozen=True)
class OfOneBuild:
    """Some work that is refused where a worker has another bgsub than the process that made this.

    Attributes
    ----------
    work : callable
        What is done.
    build : (str, str)
        Of this process.
    """

    work: Callable[..., Any]
    build: Build = field(default_factory=build)

    @property
    def __name__(self) -> str:
        """The work's, for the dashboard."""
        return self.work.__name__

    def __call__(self, *arguments: Any) -> Any:
        """Do the work."""
        check_here(self.build)
        return self.work(*arguments)


def each(work: Callable[..., Any], partitions: Sequence[tuple[Any, ...]], *told: Any) -> list[Delayed]:
    """Return the tasks that call ``work(*partition, *told)``, one a partition; the dashboard has the function's name.

    What is told goes to the workers once. It stays whole: Dask would take tuples and dataclasses apart.
    """
    task = delayed(OfOneBuild(work), pure=False)
    shared = [delayed(value, traverse=False) for value in told]
    return [task(*partition, *shared) for partition in partitions]


def tree_sum(add: Callable[[Any, Any], Any], parts: Sequence[Delayed]) -> Delayed:
    """Return what adds up the parts, always in the same order; None, of a part without rows, does not count."""
    task, held = delayed(_add_up, pure=False), list(parts)
    while len(held) > 1:
        held = [task(add, held[i : i + _FAN]) for i in range(0, len(held), _FAN)]
    return held[0]


def _add_up(add: Callable[[Any, Any], Any], parts: Sequence[Any]) -> Any:
    present = [part for part in parts if part is not None]
    return reduce(add, present) if present else None


def is_wanted() -> bool:
    """Say, in a task, whether anybody still wants what it makes: where its client is gone, nobody does."""
    from distributed import get_worker

    from bgsub.distributed.at_work import is_cancelled

    try:
        worker = get_worker()
    except ValueError:  # by Dask's threads here
        return True
    return not is_cancelled(worker, str(worker.get_current_task()))


def computed(wanted: Sequence[Any]) -> list[Any]:
    """Return the values of tasks, by the client that there is or else by threads here.

    Raises
    ------
    ClusterError
        Where the scheduler or too many workers were lost; errors of tasks come as they are.
    """
    with losses_explained():
        return list(dask.compute(*wanted))


def computed_one_by_one(tasks: Sequence[Delayed], on_done: Callable[[int], None]) -> list[Any]:
    """Return the values of tasks in their order, by the client that there is; called with each one's number when done.

    Raises
    ------
    ClusterError
        As `computed`; an error of a task ends the others.
    """
    from distributed import as_completed, get_client

    with losses_explained():
        futures = get_client().compute(list(tasks))
        numbers = {future.key: number for number, future in enumerate(futures)}
        found: dict[int, Any] = {}
        try:
            for future in as_completed(futures):
                number = numbers[future.key]
                found[number] = future.result()
                on_done(number)
        finally:
            for future in futures:
                future.cancel()
    return [found[number] for number in range(len(futures))]


@contextlib.contextmanager
def losses_explained() -> Iterator[None]:
    """Let what was lost become one line, while the block runs."""
    try:
        yield
    except Exception as error:
        if isinstance(error, CancelledError) or type(error).__name__ == "CommClosedError":
            raise ClusterError(
                "the connection to the scheduler was lost in the middle of a pass: start it again, and repeat the "
                "command"
            ) from error
        if type(error).__name__ != "KilledWorker":
            raise
        raise ClusterError(
            f"a partition has taken down every worker that tried it ({error}): see whether it fits into a worker's "
            "memory, and cut the table into smaller ones"
        ) from error
