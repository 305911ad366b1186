"""One recording of many: scanned, and its files written, wherever that happens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgsub.errors import BgsubError, SourceError
from bgsub.jobs.batch import make_folder
from bgsub.jobs.execution import INTERRUPTIONS
from bgsub.jobs.inputs import Input
from bgsub.motion.clips.picturing import Drawing
from bgsub.motion.clips.writing import write_clips
from bgsub.motion.heatmap import write_heatmap
from bgsub.motion.job import ScanJob
from bgsub.motion.motchallenge import write_motchallenge
from bgsub.motion.outputs import HEATMAP, RESULT, TRACKS, ScanOutputs, write_result
from bgsub.motion.results import Scanned
from bgsub.motion.scanning import Scan
from bgsub.motion.thumbnails import write_thumbnails
from bgsub.outputs import check_output
from bgsub.pipeline import Tally
from bgsub.video.frame import VideoInfo

logger = logging.getLogger(__name__)


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
    """

    position: int
    input: Input
    job: ScanJob
    folder: Path
    name: str
    ours: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


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
    """

    task: ScanTask
    scanned: Scanned
    outputs: tuple[Path, ...] = ()
    error: BaseException | None = None


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
    asked = False

    def stops() -> bool:
        nonlocal asked
        asked = stop is not None and stop()
        return asked

    @contextlib.contextmanager
    def opened(info: VideoInfo) -> Iterator[Callable[[Tally], None] | None]:
        total = info.expected_frame_count
        yield None if watch is None else lambda tally: watch(task, tally.read, total)

    scan = Scan(task.job, opened, stops)
    written: list[Path] = []
    try:
        for _ in scan:
            pass
        if asked:
            return Finished(task, scan.result, (), KeyboardInterrupt())
        error = None if scan.result.error is None else SourceError(scan.result.error)
        write(scan.result, task, outputs, written)
    except INTERRUPTIONS as end:
        return Finished(task, scan.result, tuple(written), end)
    except BgsubError as failure:
        return Finished(task, scan.result, tuple(written), failure)
    except Exception as failure:  # of many recordings one must not end the rest
        logger.debug("%s", task.input.shown, exc_info=True)
        reason = f"{task.input.shown}: {type(failure).__name__}: {' '.join(str(failure).split())}"
        return Finished(task, scan.result, tuple(written), SourceError(reason))
    return Finished(task, scan.result, tuple(written), error)


def write(scanned: Scanned, task: ScanTask, outputs: ScanOutputs, written: list[Path]) -> None:
    """Write what is wanted of a result, and add each file to `written` as it is there; the result itself comes last."""
    if scanned.facts is None or not outputs.any:
        return
    base, overwrite = task.folder / task.name, outputs.overwrite or bool(task.ours)
    make_folder(base.parent)
    if outputs.clips:
        for clip in write_clips(
            scanned,
            task.job.rule,
            base.parent,
            copy=outputs.clips == "copy",
            draw=drawing_of(outputs.draw),
            excerpt=task.job.excerpt,
            name=base.name,
            overwrite=overwrite,
            keep=task.keep,
        ):
            written.append(clip.path)
    if outputs.thumbnails:
        written += write_thumbnails(scanned, base, boxes=True, path=True, overwrite=overwrite)
    if outputs.heatmap:
        path = _free(base, HEATMAP, overwrite)
        if write_heatmap(path, scanned):
            written.append(path)
    if outputs.tracks:
        path = _free(base, TRACKS, overwrite)
        write_motchallenge(path, scanned.tracks)
        written.append(path)
    if outputs.result:
        path = _free(base, RESULT, overwrite)
        write_result(path, scanned)
        written.append(path)


def drawing_of(words: Sequence[str]) -> Drawing:
    """Return what is drawn on clips from the words of `ScanOutputs.draw`."""
    return Drawing(**{"time" if word == "timecode" else word: True for word in words})


def _free(base: Path, ending: str, overwrite: bool) -> Path:
    """Return the path of an output, which may not be there unless it may be replaced."""
    path = base.with_name(base.name + ending)
    return check_output(path, suffixes=(path.suffix,), overwrite=overwrite)
