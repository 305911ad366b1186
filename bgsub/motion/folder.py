"""Many recordings, each scanned by itself: what is done is left out, and one that fails ends none of the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bgsub.errors import BgsubError, OutputError
from bgsub.jobs.batch import is_done, make_folder, refuse_other_settings, stamp_of
from bgsub.jobs.execution import INTERRUPTIONS
from bgsub.jobs.inputs import Input
from bgsub.jobs.manifest import Entry, Manifest, State, digest
from bgsub.jobs.naming import NAME, Names
from bgsub.motion.clips.spans import Clip
from bgsub.motion.cutting import Crew, in_pieces
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import (
    CHAPTERS,
    EVENT,
    GRAPH,
    HEATMAP,
    MASKS,
    OVERLAY,
    RESULT,
    TRACKS,
    ScanOutputs,
    as_settings,
    read_result,
)
from bgsub.motion.results import Scanned
from bgsub.motion.working import Finished, ScanTask, work

logger = logging.getLogger(__name__)

MANIFEST = "bgsub-scan.jsonl"
"""Name of the list of what is done, in the folder of results."""


@dataclass(frozen=True)
class Outcome:
    """What came of one of many recordings.

    Attributes
    ----------
    task : ScanTask
        What was to be done.
    state : {'done', 'skipped', 'failed', 'interrupted'}
        Skipped is what was done before by the same settings, and has not changed since; its result was read again.
    scanned : Scanned
        What was found; with an error where it failed.
    outputs : tuple of Path
        What was written.
    error : BaseException or None
        Why it failed, or what interrupted it.
    clips : tuple of Clip
        Of what was written, with their real beginnings and ends.
    """

    task: ScanTask
    state: Literal["done", "skipped", "failed", "interrupted"]
    scanned: Scanned
    outputs: tuple[Path, ...] = ()
    error: BaseException | None = None
    clips: tuple[Clip, ...] = ()


_STATES: dict[str, State] = {"done": "done", "failed": "failed", "interrupted": "interrupted"}

Watch = Callable[[ScanTask, int, int | None], None]
OnOutcome = Callable[[Outcome], None]


def scan_all(
    inputs: Sequence[Input],
    pattern: ScanJob,
    outputs: ScanOutputs = ScanOutputs(),  # noqa: B008 - frozen
    folder: Path | None = None,
    *,
    processes: int = 1,
    crew: Crew | None = None,
    pieces: float | None = None,
    watch: Watch | None = None,
    on_outcome: OnOutcome | None = None,
) -> list[Outcome]:
    """Scan many recordings in the same way.

    Parameters
    ----------
    inputs : sequence of Input
        As `bgsub.jobs.inputs.find_inputs` finds them.
    pattern : ScanJob
        How each is scanned; its source does not count.
    outputs : ScanOutputs
        What is written of each.
    folder : Path, optional
        Folder of results, made if it is not there, with a list of what is done: what is in it is not done again.
        Without it nothing is remembered, and files go to the current folder.
    processes : int
        Recordings that are scanned at the same time, each in a process of its own.
    crew : callable, optional
        Scans them in place of such processes: `bgsub.distributed.videos.Videos.scan` on a cluster.
    pieces : float, optional
        Seconds. Recordings that are longer are cut at key frames, and their pieces are scanned at the same time: see
        `bgsub.motion.cutting`. What is done does not depend on it.
    watch : callable, optional
        Called now and then with a task, its frames read so far, and those to expect, None where nobody knows.
    on_outcome : callable, optional
        Called with what came of each as it ends, which with several processes is in any order.

    Returns
    -------
    list of Outcome
        In the order of the inputs. After Ctrl-C those that were in work are 'interrupted', and the rest is missing.

    Raises
    ------
    OutputError
        Before anything is read: when the folder cannot be used, is in use, or holds results of other settings that
        `ScanOutputs.overwrite` does not give up.
    """
    crew = crew or _crew(processes)
    if folder is None:
        tasks = _tasks(inputs, pattern, Path(), {})
        found = [_told(outcome, on_outcome) for outcome in _each(tasks, outputs, crew, pieces, watch)]
        return _in_order(tasks, found)
    make_folder(folder)
    outputs = replace(outputs, result=True)
    settings = settings_of(pattern, outputs)
    with Manifest(folder, MANIFEST) as manifest:
        claimed = {e.input: tuple(name for name in e.outputs if name.endswith(RESULT)) for e in manifest}
        tasks = _tasks(inputs, pattern, folder, claimed)
        if not outputs.overwrite:
            refuse_other_settings(inputs, manifest, settings)
        found, left = [], []
        for task in tasks:
            before = None if outputs.overwrite else _done_before(task, manifest, settings)
            if before is None:
                left.append(_begun(task, manifest))
            else:
                found.append(_told(before, on_outcome))
        manifest.add(*(_entry(task, settings) for task in left))
        for outcome in _each(left, outputs, crew, pieces, watch):
            _put_down(outcome, manifest, settings)
            found.append(_told(outcome, on_outcome))
    return _in_order(tasks, found)


def settings_of(pattern: ScanJob, outputs: ScanOutputs) -> str:
    """Return the digest of all that decides what comes of a recording; threads change nothing."""
    plain = asdict(replace(pattern, source=""))
    model = plain["model"]
    model.pop("threads")
    plain.pop("read_ahead")
    files = {name: model.pop(name) for name in ("load", "region") if isinstance(model[name], str)}
    files |= {f"zone {i}": zone.shape for i, zone in enumerate(pattern.zones) if isinstance(zone.shape, str)}
    return digest({"job": plain, "outputs": as_settings(outputs)}, files)


def _tasks(inputs: Sequence[Input], pattern: ScanJob, folder: Path, claimed: dict[str, Any]) -> list[ScanTask]:
    names = Names([NAME + RESULT], claimed).choose_all(inputs)
    keep = tuple(name for item in inputs for name in item.reads if EVENT in Path(name).name)
    return [
        ScanTask(i, item, replace(pattern, source=item.pictures or item.source), folder, name, keep=keep)
        for i, (item, (name, _)) in enumerate(zip(inputs, names, strict=True))
    ]


def _crew(processes: int) -> Crew:
    """Return what does tasks on this machine, so many at a time; one after another, none after an interruption."""

    def here(tasks: Sequence[ScanTask], outputs: ScanOutputs, watch: Watch | None) -> Iterator[Finished]:
        if processes > 1 and len(tasks) > 1:
            from bgsub.motion.processes import scan_in_processes

            return scan_in_processes(tasks, outputs, min(processes, len(tasks)), watch)
        return _one_by_one(tasks, outputs, watch)

    return here


def _one_by_one(tasks: Sequence[ScanTask], outputs: ScanOutputs, watch: Watch | None) -> Iterator[Finished]:
    for task in tasks:
        finished = work(task, outputs, watch)
        yield finished
        if isinstance(finished.error, INTERRUPTIONS):
            return


def _each(
    tasks: Sequence[ScanTask], outputs: ScanOutputs, crew: Crew, pieces: float | None, watch: Watch | None
) -> Iterator[Outcome]:
    """Do the tasks, and yield what comes of each as it ends."""
    if not tasks:
        return
    if pieces is not None:
        crew = in_pieces(crew, pieces)
    for one in crew(tasks, outputs, watch):
        if isinstance(one.error, BgsubError):
            state: Literal["done", "failed", "interrupted"] = "failed"
        else:
            state = "done" if one.error is None else "interrupted"
        scanned = one.scanned if one.error is None else replace(one.scanned, error=str(one.error) or "interrupted")
        yield Outcome(one.task, state, scanned, one.outputs, one.error, one.clips)


def _done_before(task: ScanTask, manifest: Manifest, settings: str) -> Outcome | None:
    """Return the result of an earlier run, if it holds."""
    entry = manifest.get(task.input.identity)
    if entry is None or not is_done(task.input, manifest, settings):
        return None
    written = tuple(manifest.folder / name for name in entry.outputs)
    try:
        (path,) = (path for path in written if path.name.endswith(RESULT))
        scanned, clips = read_result(path)
        return Outcome(task, "skipped", scanned, written, clips=clips)
    except (OutputError, ValueError) as error:
        logger.warning("%s is scanned again: %s", task.input.shown, error)
        return None


def _begun(task: ScanTask, manifest: Manifest) -> ScanTask:
    """Return a task that is about to be done with what is its own: nothing, where others' files lie."""
    entry = manifest.get(task.input.identity)
    ours = () if entry is None else entry.outputs
    if not ours and not _others_files(manifest.folder / task.name):
        ours = (f"{task.name}{RESULT}",)
    return replace(task, ours=ours)


def _entry(task: ScanTask, settings: str) -> Entry:
    stamp = stamp_of(task.input)
    return Entry(task.input.identity, stamp.size, stamp.mtime, settings, task.ours)


def _others_files(base: Path) -> bool:
    """Say whether there are files that are called as this task's would be."""
    if not base.parent.is_dir():
        return False
    endings = (RESULT, HEATMAP, GRAPH, TRACKS, MASKS, OVERLAY, CHAPTERS, EVENT)
    return any(path.name.startswith(tuple(base.name + ending for ending in endings)) for path in base.parent.iterdir())


def _put_down(outcome: Outcome, manifest: Manifest, settings: str) -> None:
    entry = manifest.get(outcome.task.input.identity)
    assert entry is not None
    names = tuple(path.relative_to(manifest.folder).as_posix() for path in outcome.outputs)
    if outcome.state != "done":
        names = (*names, *(name for name in entry.outputs if name not in names))
    error = " ".join(str(outcome.error).split()) if outcome.state == "failed" else None
    frames = outcome.scanned.tally.read
    manifest.add(replace(entry, outputs=names, state=_STATES[outcome.state], error=error, frames=frames))


def _told(outcome: Outcome, on_outcome: OnOutcome | None) -> Outcome:
    if on_outcome is not None:
        on_outcome(outcome)
    return outcome


def _in_order(tasks: Sequence[ScanTask], found: Sequence[Outcome]) -> list[Outcome]:
    return sorted(found, key=lambda outcome: outcome.task.position)
