"""One recording of many: scanned, and its files written, wherever that happens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bgsub.errors import BgsubError, OutputError, SourceError
from bgsub.jobs.execution import INTERRUPTIONS
from bgsub.jobs.inputs import Input
from bgsub.jobs.staging import Stage
from bgsub.motion.clips.spans import Clip
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.pieces import Part, Piece
from bgsub.motion.piecework import look_at
from bgsub.motion.results import Scanned
from bgsub.motion.scanning import Scan
from bgsub.motion.writing import Writing
from bgsub.pipeline import Tally
from bgsub.stores.store_paths import StorePath
from bgsub.video.frame import VideoInfo

logger = logging.getLogger(__name__)

Watch = Callable[["ScanTask", int, int | None], None]


@dataclass(frozen=True)
class ScanTask:
    """One of many recordings, and how it is scanned; it can be sent to another process.

    Attributes
    ----------
    position : int
        In the list of inputs, from 0.
    input : Input
        What is read.
    job : ScanJob
        How.
    folder : Path
        Folder of results.
    name : str
        What its files are called, with the folder below that of results.
    ours : tuple of str
        Files, as seen from the folder of results, that are this task's: where there are any, it may replace what it has
        written before.
    keep : tuple of str
        Recordings that are called as clips are, and are never replaced.
    piece : Piece or None
        The piece of the recording that is looked at, of which no file is written; None is the whole.
    """

    position: int
    input: Input
    job: ScanJob
    folder: Path
    name: str
    ours: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    piece: Piece | None = None


@dataclass(frozen=True)
class Finished:
    """What came of a task.

    Attributes
    ----------
    task : ScanTask
        What was to be done.
    scanned : Scanned
        What was found, also before an error.
    outputs : tuple of Path
        What was written.
    error : BaseException or None
        Why it failed, or what interrupted it.
    clips : tuple of Clip
        Of what was written, with their real beginnings and ends.
    part : Part or None
        Of a piece, what came of it.
    """

    task: ScanTask
    scanned: Scanned
    outputs: tuple[Path, ...] = ()
    error: BaseException | None = None
    clips: tuple[Clip, ...] = ()
    part: Part | None = None


def work(
    task: ScanTask,
    outputs: ScanOutputs,
    watch: Callable[[ScanTask, int, int | None], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Finished:
    """Scan one recording and write its files, whatever comes of it: an error is in the result, and an interruption.

    Parameters
    ----------
    task : ScanTask
        What is done.
    outputs : ScanOutputs
        What is written.
    watch : callable, optional
        Called after every frame with the task, frames read so far, and those to expect.
    stop : callable, optional
        Asked after every frame; True interrupts.
    """
    if task.input.error:
        return Finished(task, Scanned(None, error=task.input.error), (), SourceError(task.input.error))
    if task.piece is not None:
        return _look_at(task, task.piece, watch, stop)
    with _staged(task) as (here, stage):
        return _put(_work(task, outputs, here, watch, stop), stage)


def check(task: ScanTask, outputs: ScanOutputs) -> None:
    """Raise `OutputError` if files of a task are there that may not be replaced."""
    there = task.folder / task.name
    Writing(there, task.job, outputs, replace=bool(task.ours), keep=task.keep).check()


def write(task: ScanTask, outputs: ScanOutputs, scanned: Scanned) -> Finished:
    """Write the files of a recording that was scanned in pieces; what goes wrong is in the result."""
    with _staged(task) as (here, stage):
        writing = Writing(here, task.job, outputs, replace=bool(task.ours), keep=task.keep)
        error: BaseException | None = None if scanned.error is None else SourceError(scanned.error)
        try:
            with writing:
                writing.write(scanned)
        except (*INTERRUPTIONS, BgsubError) as failure:
            error = failure
        return _put(Finished(task, scanned, tuple(writing.paths), error, tuple(writing.clips)), stage)


@contextlib.contextmanager
def _staged(task: ScanTask) -> Iterator[tuple[Path, Stage]]:
    """Lend the folder and beginning of a task's files on this machine."""
    there = task.folder / task.name
    with Stage() as stage:
        yield (stage.local_folder(there.parent) / there.name if isinstance(there, StorePath) else there), stage


def _look_at(task: ScanTask, piece: Piece, watch: Watch | None, stop: Callable[[], bool] | None) -> Finished:
    """Look at a piece, whatever comes of it."""

    def told(read: int, total: int | None) -> None:
        if watch is not None:
            watch(task, read, total)

    try:
        return Finished(task, Scanned(None), part=look_at(task.job, piece, told, stop))
    except (*INTERRUPTIONS, BgsubError) as failure:
        return Finished(task, Scanned(None), (), failure)
    except Exception as failure:  # of many recordings one must not end the rest
        logger.debug("%s", task.input.shown, exc_info=True)
        reason = f"{task.input.shown}: {type(failure).__name__}: {' '.join(str(failure).split())}"
        return Finished(task, Scanned(None), (), SourceError(reason))


def _put(finished: Finished, stage: Stage) -> Finished:
    """Return what came of a task once its files are where they go to; on a store there are all of them, or none."""
    if not stage.is_used:
        return finished
    error = finished.error
    if error is not None and not isinstance(error, SourceError):
        told = OutputError(stage.told(str(error))) if isinstance(error, OutputError) else error
        return replace(finished, outputs=(), error=told, clips=())
    try:
        paths = tuple(stage.put(path) for path in finished.outputs)
    except (*INTERRUPTIONS, OutputError) as failure:
        return replace(finished, outputs=(), error=failure, clips=())
    clips = tuple(replace(clip, path=stage.place_of(clip.path)) for clip in finished.clips)
    return replace(finished, outputs=paths, clips=clips)


def _work(
    task: ScanTask,
    outputs: ScanOutputs,
    here: Path,
    watch: Callable[[ScanTask, int, int | None], None] | None,
    stop: Callable[[], bool] | None,
) -> Finished:
    """Scan one recording and write its files, whose names begin so on this machine."""
    asked = False

    def stops() -> bool:
        nonlocal asked
        asked = stop is not None and stop()
        return asked

    total: int | None = None

    def told(read: int) -> None:
        if watch is not None:
            watch(task, read, total)

    @contextlib.contextmanager
    def opened(info: VideoInfo) -> Iterator[Callable[[Tally], None]]:
        nonlocal total
        total = info.expected_frame_count and writing.passes * info.expected_frame_count
        writing.begin(info)
        yield lambda tally: told(tally.read)

    writing = Writing(here, task.job, outputs, replace=bool(task.ours), keep=task.keep)
    if writing.takes_masks:  # they would blink where some frames are not looked at
        scan = Scan(replace(task.job, looks=None), opened, stops, seen=writing.take)
    else:
        scan = Scan(task.job, opened, stops)

    def ended(error: BaseException | None) -> Finished:
        return Finished(task, scan.result, tuple(writing.paths), error, tuple(writing.clips))

    try:
        writing.check(task.folder / task.name)
        with writing:
            for _ in scan:
                pass
            if asked:
                return ended(KeyboardInterrupt())
            writing.write(scan.result, told)
    except INTERRUPTIONS as end:
        return ended(end)
    except BgsubError as failure:
        return ended(failure)
    except Exception as failure:  # of many recordings one must not end the rest
        logger.debug("%s", task.input.shown, exc_info=True)
        reason = f"{task.input.shown}: {type(failure).__name__}: {' '.join(str(failure).split())}"
        return ended(SourceError(reason))
    return ended(None if scan.result.error is None else SourceError(scan.result.error))
