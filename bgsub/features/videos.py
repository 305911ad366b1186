"""Whole videos become tables of features: one, or many, each by itself in a folder of tables that are one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bgsub.background.adaptive.model import BackgroundSubtractor
from bgsub.errors import SourceError
from bgsub.features.beginning import LearnedBackwards
from bgsub.features.collecting import FeatureCollector
from bgsub.formats import WRITABLE_TABLES
from bgsub.jobs.execution import OnTally, Progress, Summary
from bgsub.jobs.job import Excerpt, Job, ModelChoice, Outputs
from bgsub.jobs.naming import NAME, Task
from bgsub.jobs.staging import check_place, written_to
from bgsub.pipeline import Tally, run, tell_frame_rate
from bgsub.threads import available_processors, threads_beside_io

if TYPE_CHECKING:
    from bgsub.video.source import Source

LISTED = "bgsub-frames.jsonl"
"""Name of the list of what is done, in the folder of tables."""

_ENDING = ".features.parquet"


def look_through(
    source: Source,
    collector: FeatureCollector,
    tally: Tally,
    *,
    threads: int | None = None,
    progress: OnTally | None = None,
    stop: Callable[[], bool] | None = None,
) -> None:
    """Collect the features of a source's frames.

    Parameters
    ----------
    source : Source
        Open.
    collector : FeatureCollector
        Gets them.
    tally : Tally
        Counts the frames.
    threads : int, optional
        Of the background model that tells what moves.
    progress : callable, optional
        Called with the tally after every frame.
    stop : callable, optional
        Asked after every frame; True ends the reading.

    Raises
    ------
    SourceError
        When the source breaks off; what was read before counts.
    """
    info = source.info
    model = BackgroundSubtractor(threads=threads or threads_beside_io(info.width * info.height, available_processors()))
    tell_frame_rate(model, info)
    run(LearnedBackwards(source, model), model, [collector], progress=progress, tally=tally, stop=stop)


def pattern(excerpt: Excerpt, *, threads: int | None = None, overwrite: bool = False) -> Job:
    """Return what `bgsub.jobs.batch.execute_all` is to do with each video, by `tabulate`.

    Parameters
    ----------
    excerpt : Excerpt
        What of each is read.
    threads : int, optional
        Of the background model.
    overwrite : bool
        Replace tables that exist.
    """
    outputs = Outputs(stats=NAME + _ENDING, overwrite=overwrite)
    return Job("", excerpt=excerpt, model=ModelChoice(threads=threads), outputs=outputs)


def tabulate(task: Task, progress: Progress | None = None, stop: Callable[[], bool] | None = None) -> Summary:
    """Write the table of a video's features, without an embedding: its axes would be others in every video.

    Parameters
    ----------
    task : Task
        Of `pattern`. In the table each row has, beside frame, time and features, what the video is called in the
        folder of tables.
    progress, stop : callable, optional
        As of `bgsub.jobs.execute`.

    Raises
    ------
    SourceError
        When the video gives no frame. One that breaks off later has a table of what was read, and the error is in
        the summary.
    OutputError
        When the table cannot be written.
    KeyboardInterrupt
        When it was stopped: there is no table then.
    """
    from bgsub.tables.writing import write_table
    from bgsub.video.opening import open_source

    job, tally, error = task.job, Tally(), None
    path = str(job.outputs.stats)
    check_place(path, overwrite=job.outputs.overwrite, suffixes=WRITABLE_TABLES)
    with open_source(job.source, **vars(job.excerpt)) as source, FeatureCollector(embedding=False) as collector:
        size, total = (source.info.width, source.info.height), source.info.expected_frame_count
        try:
            with contextlib.nullcontext() if progress is None else progress("reading", total) as bar:
                look_through(source, collector, tally, threads=job.model.threads, progress=bar, stop=stop)
        except SourceError as broken:
            error = broken
        if stop is not None and stop():
            raise KeyboardInterrupt
        if not tally.read:
            raise error or SourceError(f"{job.shown} gave no frame: check --start, --end and --duration")
        features = collector.features()
    name = np.full(len(features), task.outputs[0].removesuffix(_ENDING))
    with written_to(path) as here:
        write_table(here, {"video": name, **features.columns()})
    return Summary("broken off" if error else "done", (path,), tally, error, job.shown, size)
