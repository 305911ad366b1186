"""Many inputs, each by itself into one folder: what is done is left out, and one that fails ends none of the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bgsub.errors import BgsubError, OutputError, SourceError
from bgsub.jobs.execution import INTERRUPTIONS, Progress, Summary, execute
from bgsub.jobs.inputs import Input
from bgsub.jobs.job import Job
from bgsub.jobs.manifest import MANIFEST, Entry, Manifest, Stamp, State, digest
from bgsub.jobs.naming import Task, paths_of, patterns, plan
from bgsub.jobs.staging import check_bucket
from bgsub.stores.store_paths import as_path

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What came of one of many inputs.

    Attributes
    ----------
    task : Task
        What was to be done.
    state : {'done', 'skipped', 'failed', 'interrupted'}
        Skipped is what was done before, by the same settings, and has not changed since.
    summary : Summary or None
        None where not one frame was masked.
    error : BaseException or None
        Why it failed, or what interrupted it.
    """

    task: Task
    state: Literal["done", "skipped", "failed", "interrupted"]
    summary: Summary | None = None
    error: BaseException | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return source, state, outputs and figures in types that JSON has."""
        figures: dict[str, Any] = {"source": "", "outputs": []} if self.summary is None else self.summary.as_dict()
        figures.pop("result", None)
        error = None if self.error is None or self.state == "interrupted" else str(self.error)
        return figures | {"source": self.task.input.shown, "state": self.state, "error": error}


_STATES: dict[str, State] = {"done": "done", "failed": "failed", "interrupted": "interrupted"}

Watch = Callable[[int, int, Task], Progress]
OnResult = Callable[[int, int, Result], None]
Through = Callable[[Sequence[Task]], Iterator[Result]]
"""Does tasks elsewhere, as on a cluster, and yields what comes of each as it ends; after Ctrl-C those in work."""
Stop = Callable[[], bool]
Do = Callable[[Task, Progress | None, Stop | None], Summary]
"""Does one task; progress and stop are those of `bgsub.jobs.execute`."""


def mask(task: Task, progress: Progress | None, stop: Stop | None) -> Summary:
    """Do a task's job."""
    return execute(task.job, progress=progress, stop=stop)


def execute_all(
    inputs: Sequence[Input],
    pattern: Job,
    folder: Path,
    *,
    do: Do = mask,
    listed: str = MANIFEST,
    through: Through | None = None,
    watch: Watch | None = None,
    on_result: OnResult | None = None,
) -> list[Result]:
    """Do the same with each of many inputs, one after another.

    Parameters
    ----------
    inputs : sequence of Input
        As `bgsub.jobs.inputs.find_inputs` finds them.
    pattern : Job
        What is done with each. Its source does not count; its outputs are extensions (``.mp4``), or patterns with
        ``{name}`` in them; without any, there are ``{name}.mask.mkv`` and ``{name}.overlay.mp4``.
    folder : Path
        Folder of the results, made if it is not there, with a manifest of what is done.
    do : callable
        What is done: other things than masks have the outputs that they know, and a manifest of their own.
    listed : str
        Name of the manifest.
    through : callable, optional
        Does them elsewhere instead, many at a time: `bgsub.distributed.videos.Videos.run` on a cluster.
    watch : callable, optional
        Called with position (from 1), number of inputs and task before each; returns its `Progress`. Not where they
        are done elsewhere.
    on_result : callable, optional
        Called with position, number of inputs and what came of it after each; elsewhere they end in any order.

    Returns
    -------
    list of Result
        In the order of the inputs. After Ctrl-C what was in work is 'interrupted', and what would follow is missing.

    Raises
    ------
    OutputError
        Before anything is read: when the folder cannot be used, is in use by another run, or holds results of other
        settings that `Outputs.overwrite` does not give up.
    ParameterError
        When an output is named as one file.
    """
    pattern = replace(pattern, outputs=patterns(pattern.outputs))
    make_folder(folder)
    with Manifest(folder, listed) as manifest:
        claimed = {entry.input: entry.outputs for entry in manifest}
        tasks = plan(inputs, pattern, folder, claimed)
        settings = settings_of(pattern)
        if not pattern.outputs.overwrite:
            refuse_other_settings(inputs, manifest, settings)
        told = _Told(len(tasks), on_result)
        left = []
        for position, task in enumerate(tasks, 1):
            if not pattern.outputs.overwrite and is_done(task.input, manifest, settings):
                told(position, Result(task, "skipped"))
            elif through is not None:
                left.append((position, *_begun(task, manifest, settings)))
            else:
                progress = None if watch is None else watch(position, len(tasks), task)
                task, entry = _begun(task, manifest, settings)
                result = attempt(task, progress, do=do)
                _put_down(result, entry, manifest)
                told(position, result)
                if result.state == "interrupted":
                    break
        if through is not None and left:
            begun = {task.input.identity: (position, entry) for position, task, entry in left}
            for result in through([task for _, task, _ in left]):
                position, entry = begun[result.task.input.identity]
                _put_down(result, entry, manifest)
                told(position, result)
    return told.in_order()


class _Told:
    """What came of the inputs so far.

    Parameters
    ----------
    count : int
        Of inputs.
    on_result : callable, optional
        Called with each as it comes.
    """

    def __init__(self, count: int, on_result: OnResult | None) -> None:
        self._count, self._on_result = count, on_result
        self._results: dict[int, Result] = {}

    def __call__(self, position: int, result: Result) -> None:
        """Take one."""
        self._results[position] = result
        if self._on_result is not None:
            self._on_result(position, self._count, result)

    def in_order(self) -> list[Result]:
        """Return all, in the order of the inputs."""
        return [self._results[position] for position in sorted(self._results)]


def settings_of(pattern: Job) -> str:
    """Return the digest of all that decides what comes of an input.

    What is left at its default does not count, so that settings which a later version adds change no digest; nor do
    threads, which change no mask. Of a saved model, and of a region's image, it is the content that counts.
    """
    changed = _different(pattern.as_dict(), Job(pattern.source).as_dict())
    changed.get("outputs", {}).pop("overwrite", None)
    model = changed.get("model", {})
    model.pop("threads", None)
    files = {name: model.pop(name) for name in ("load", "region") if isinstance(model.get(name), str)}
    return digest(changed, files)


def is_done(item: Input, manifest: Manifest, settings: str) -> bool:
    """Say whether an input was done by the same settings, has not changed since, and its results are there."""
    entry = manifest.get(item.identity)
    stamp = stamp_of(item)
    return (
        entry is not None
        and entry.state == "done"
        and entry.settings == settings
        and stamp.size is not None
        and entry.stamp == stamp
        and not manifest.missing(entry)
    )


def stamp_of(item: Input) -> Stamp:
    """Return by what an input is known to be the same; without a size where it can be another without a sign."""
    if not item.is_path or item.error:
        return Stamp()
    path = as_path(item.source)
    try:
        if path.is_file():
            return Stamp.of([as_path(name) for name in item.reads])
        from bgsub.video.readers.images import list_images

        return Stamp.of(list_images(path))
    except (SourceError, OSError):  # it says so again when it is opened
        return Stamp()


def attempt(task: Task, progress: Progress | None = None, stop: Stop | None = None, do: Do = mask) -> Result:
    """Do one task, whatever comes of it: an error is in the result, and so is an interruption.

    Parameters
    ----------
    task : Task
        What is done.
    progress : callable, optional
        As of `bgsub.jobs.execute`.
    stop : callable, optional
        Asked after every frame; True interrupts.
    do : callable
        Does it.
    """
    if task.input.error:
        return Result(task, "failed", error=SourceError(task.input.error))
    asked = False

    def stops() -> bool:
        nonlocal asked
        asked = stop is not None and stop()
        return asked

    try:
        for path in paths_of(task.job.outputs):
            make_folder(path.parent)
        summary = do(task, progress, stops)
    except INTERRUPTIONS as end:
        return Result(task, "interrupted", error=end)
    except BgsubError as error:
        return Result(task, "failed", error=error)
    except Exception as error:  # of many inputs one must not end the rest
        logger.debug("%s", task.job.source, exc_info=True)
        return Result(task, "failed", error=SourceError(f"{task.input.shown}: {type(error).__name__}: {_line(error)}"))
    if asked and summary.error is None:
        summary = replace(summary, result="interrupted", error=KeyboardInterrupt())
    if isinstance(summary.error, INTERRUPTIONS):
        return Result(task, "interrupted", summary, summary.error)
    return Result(task, "failed" if summary.error else "done", summary, summary.error)


# ---------------------------------------------------------------------------------------------------- what is put down


def _begun(task: Task, manifest: Manifest, settings: str) -> tuple[Task, Entry]:
    """Put down that a task is about to be done; return it, free to replace what is its own, and what was put down."""
    ours = _ours(task, manifest)
    stamp = stamp_of(task.input)
    entry = Entry(task.input.identity, stamp.size, stamp.mtime, settings, ours)
    manifest.add(entry)
    overwrite = task.job.outputs.overwrite or (stamp.size is not None and len(ours) == len(task.outputs))
    outputs = replace(task.job.outputs, overwrite=overwrite)
    return replace(task, job=replace(task.job, outputs=outputs)), entry


def _put_down(result: Result, entry: Entry, manifest: Manifest) -> None:
    """Put down what came of a task."""
    there = tuple(name for name in entry.outputs if (manifest.folder / name).exists())
    manifest.add(
        replace(
            entry,
            outputs=there,
            state=_STATES[result.state],
            error=_line(result.error) if result.state == "failed" else None,
            frames=None if result.summary is None else result.summary.tally.read,
        )
    )


def _ours(task: Task, manifest: Manifest) -> tuple[str, ...]:
    """Return those of a task's outputs that no one else has made: they are not there, or an earlier try made them."""
    entry = manifest.get(task.input.identity)
    earlier = () if entry is None else entry.outputs
    return tuple(
        name
        for name in task.outputs
        if task.job.outputs.overwrite or name in earlier or not _is_taken(manifest.folder / name)
    )


def _is_taken(path: Path) -> bool:
    """Say whether a file is there, or a folder that holds something."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def refuse_other_settings(inputs: Sequence[Input], manifest: Manifest, settings: str) -> None:
    """Raise if results of other settings would be replaced."""
    others = []
    for item in inputs:
        entry = manifest.get(item.identity)
        if entry is None or entry.state != "done" or entry.settings == settings:
            continue
        if len(manifest.missing(entry)) < len(entry.outputs):
            others.append(item.shown)
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise OutputError(
            f"{manifest.folder} holds results of {others[0]}{more} by other settings: "
            "pass --overwrite to replace them, or choose another folder"
        )


def make_folder(folder: Path) -> None:
    """Make a folder of results, if it is not there; raise `OutputError` where that cannot be."""
    check_bucket(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot make the folder {folder}: {reason}; choose another one") from error


def _line(error: BaseException | None) -> str:
    """Return an error's text as one line."""
    return " ".join(str(error).split())


def _different(values: Any, defaults: Any) -> Any:
    """Return what of nested mappings is not as in others."""
    return {
        name: _different(value, defaults[name])
        if isinstance(value, dict) and isinstance(defaults.get(name), dict)
        else value
        for name, value in values.items()
        if name not in defaults or value != defaults[name]
    }
