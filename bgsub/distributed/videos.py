"""Many videos on a cluster, one errand each: what scans and runs do here, done there, with the same results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from distributed import Client

from bgsub.distributed import names
from bgsub.distributed.at_work import Errand, Place
from bgsub.distributed.seeing import check_sight
from bgsub.distributed.spreading import OnSight, Sight, spread
from bgsub.errors import ClusterError
from bgsub.jobs.batch import Do, Result, attempt, mask
from bgsub.jobs.execution import OnTally
from bgsub.jobs.naming import Task
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.working import Finished, ScanTask, work

Watch = Callable[[ScanTask, int, int | None], None]
T = TypeVar("T", ScanTask, Task)


@dataclass(frozen=True)
class Videos:
    """Does tasks of `bgsub.motion.folder.scan_all` and `bgsub.jobs.batch.execute_all` on a cluster.

    Workers read and write the files by the names that they have here, made absolute: in folders that all machines
    share.

    Attributes
    ----------
    client : distributed.Client
        Of the cluster.
    on_sight : callable or None
        Called five times a second with the videos that are in work.

    Examples
    --------
    >>> from bgsub.distributed.connecting import connected
    >>> from bgsub.distributed.videos import Videos
    >>> from bgsub.jobs.inputs import find_inputs
    >>> from bgsub.motion.folder import scan_all
    >>> from bgsub.motion.job import ScanJob
    >>> inputs = find_inputs(["sample_videos/street.mp4"]).each
    >>> with connected("local", workers=1) as client:
    ...     (outcome,) = scan_all(inputs, ScanJob(""), crew=Videos(client).scan)
    >>> len(outcome.scanned.events)
    1
    """

    client: Client
    on_sight: OnSight | None = None

    def scan(self, tasks: Sequence[ScanTask], outputs: ScanOutputs, watch: Watch | None = None) -> Iterator[Finished]:
        """Scan recordings, and yield what comes of each as it ends.

        Parameters
        ----------
        tasks : sequence of ScanTask
            What is scanned.
        outputs : ScanOutputs
            What is written of each.
        watch : callable, optional
            Called now and then with each task in work, its frames read so far, and those to expect.

        Raises
        ------
        ClusterError
            Before anything is read, when the workers do not see a file or the folder; or when the scheduler goes away.
        """
        job, threads = tasks[0].job, tasks[0].job.model.threads
        shapes = [zone.shape for zone in job.zones if isinstance(zone.shape, str)]
        self._check(tasks, [*names.files_of(job.model), *shapes], tasks[0].folder if outputs.any else None)
        errands = [
            Errand(
                i,
                "scan",
                names.for_a_key(task.input, task.piece),
                partial(scan_there, names.scan_task(task), outputs),
                threads,
            )
            for i, task in enumerate(tasks)
        ]
        for ended in spread(self.client, errands, self._seen(tasks, watch)):
            yield names.finished(ended, tasks[ended.errand.number])

    def run(self, tasks: Sequence[Task], do: Do = mask, what: str = "run") -> Iterator[Result]:
        """Mask videos, or do something else with each, and yield what comes of each as it ends.

        Parameters
        ----------
        tasks : sequence of Task
            What is done.
        do : callable
            Does one; a function of a module, which workers know by its name.
        what : str
            A verb for it.

        Raises
        ------
        ClusterError
            As `scan`.
        """
        job, threads = tasks[0].job, tasks[0].job.model.threads
        self._check(tasks, names.files_of(job.model), names.folder_of(job.outputs, tasks[0].outputs))
        errands = [
            Errand(i, what, names.for_a_key(task.input), partial(run_there, names.run_task(task), do), threads)
            for i, task in enumerate(tasks)
        ]
        for ended in spread(self.client, errands, self._seen(tasks, None)):
            yield names.result(ended, tasks[ended.errand.number])

    def _check(self, tasks: Sequence[ScanTask] | Sequence[Task], more: Sequence[str], folder: Path | None) -> None:
        """Raise where something cannot be read or written there."""
        for task in tasks:
            if not task.input.is_path and "://" not in task.input.source:
                raise ClusterError(
                    f"{task.input.source} is of this machine alone: a cluster reads files and addresses; "
                    "leave out --scheduler"
                )
        files = [name for task in tasks if task.input.is_path for name in task.input.reads]
        check_sight(self.client, [names.absolute(name) for name in (*more, *files)], folder and folder.absolute())

    def _seen(self, tasks: Sequence[T], watch: Callable[[T, int, int | None], None] | None) -> OnSight:
        def on_sight(sights: Sequence[Sight]) -> None:
            if watch is not None:
                for sight in sights:
                    watch(tasks[sight.errand.number], sight.read, sight.total)
            if self.on_sight is not None:
                self.on_sight(sights)

        return on_sight


# ---------------------------------------------------------------------------------------------------------- on a worker


def scan_there(task: ScanTask, outputs: ScanOutputs, place: Place) -> Finished:
    """Scan a recording where this process is, with the threads that it has there."""
    alone = place.threads == 1
    model = replace(task.job.model, threads=place.threads)
    job = replace(task.job, model=model, read_ahead=task.job.read_ahead and not alone)
    return work(replace(task, job=job), outputs, lambda _, read, total: place.tell(read, total), place.stop)


def run_there(task: Task, do: Do, place: Place) -> Result:
    """Mask a video, or do something else with it, where this process is, with the threads that it has there."""

    def progress(stage: str, total: int | None) -> contextlib.AbstractContextManager[OnTally]:
        return contextlib.nullcontext(lambda tally: place.tell(tally.read, total))

    model = replace(task.job.model, threads=place.threads)
    return attempt(replace(task, job=replace(task.job, model=model)), progress, place.stop, do)
