"""Tasks there and back: by names that mean the same in every process, and results by those that files have here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bgsub.distributed.spreading import Ended
from bgsub.errors import BgsubError, ClusterError, SourceError
from bgsub.jobs.batch import Result
from bgsub.jobs.execution import Summary
from bgsub.jobs.inputs import Input
from bgsub.jobs.job import ModelChoice, Outputs
from bgsub.jobs.naming import KINDS, Task
from bgsub.motion.pieces import Piece
from bgsub.motion.results import Scanned
from bgsub.motion.working import Finished, ScanTask
from bgsub.motion.zones import Zone
from bgsub.stores.store_paths import as_path


def absolute(name: str) -> str:
    """Return a name that means the same in any process; what has a scheme, as an address has, does already."""
    return name if "://" in name else str(Path(name).absolute())


def for_a_key(item: Input, piece: Piece | None = None) -> str:
    """Return what an input is called on a dashboard: it travels as UTF-8, which not every name of a file is."""
    name = f"{item.folder}/{item.full_name}" if item.folder else item.full_name
    name += "" if piece is None else f" {piece.number + 1}/{piece.count}"
    return name if name.isprintable() else ascii(name)


def files_of(model: ModelChoice) -> list[str]:
    """Return the files that a model is made of."""
    return [name for name in (model.load, model.region) if isinstance(name, str)]


def _model(model: ModelChoice) -> ModelChoice:
    region = absolute(model.region) if isinstance(model.region, str) else model.region
    return replace(model, load=None if model.load is None else absolute(model.load), region=region)


def _source(item: Input, source: Any) -> Any:
    if not item.is_path:
        return source
    return absolute(source) if isinstance(source, str) else tuple(absolute(name) for name in source)


def scan_task(task: ScanTask) -> ScanTask:
    """Return a task whose names mean the same on every machine."""
    job = task.job
    zones = tuple(_zone(zone) for zone in job.zones)
    source = _source(task.input, job.source)
    job = replace(job, source=source, model=_model(job.model), zones=zones)
    return replace(task, job=job, folder=task.folder.absolute(), keep=tuple(map(absolute, task.keep)))


def _zone(zone: Zone) -> Zone:
    return replace(zone, shape=absolute(zone.shape)) if isinstance(zone.shape, str) else zone


def run_task(task: Task) -> Task:
    """Return a task whose names mean the same on every machine."""
    outputs = task.job.outputs
    named: dict[str, Any] = {name: _path(text) for name in KINDS if (text := getattr(outputs, name)) is not None}
    source = _source(task.input, task.job.source)
    job = replace(task.job, source=source, model=_model(task.job.model), outputs=replace(outputs, **named))
    return replace(task, job=job)


def _path(text: str) -> str:
    return absolute(text) + "/" * text.endswith("/")


def folder_of(outputs: Outputs, names: Sequence[str]) -> Path:
    """Return the folder of results of a task, whose outputs are known by their names in it."""
    first = next(text for name in KINDS if (text := getattr(outputs, name)) is not None)
    return as_path(first.removesuffix(names[0]))


def _back(path: Path, theirs: Path, ours: Path) -> Path:
    return ours / path.relative_to(theirs) if theirs != ours and path.is_relative_to(theirs) else path


def finished(ended: Ended, task: ScanTask) -> Finished:
    """Return what came of a scan under the names that things have here."""
    told = ended.result
    if not isinstance(told, Finished):
        error = _error_of(ended, task.input)
        return Finished(task, Scanned(None, error=str(error), source=task.job.sources), (), error)
    theirs = task.folder.absolute()
    scanned, part, sources = told.scanned, told.part, task.job.sources
    return replace(
        told,
        task=task,
        scanned=replace(scanned, facts=scanned.facts and replace(scanned.facts, source=sources), source=sources),
        outputs=tuple(_back(path, theirs, task.folder) for path in told.outputs),
        error=ended.error or told.error,
        clips=tuple(replace(clip, path=_back(clip.path, theirs, task.folder)) for clip in told.clips),
        part=part and replace(part, facts=replace(part.facts, source=sources)),
    )


def result(ended: Ended, task: Task) -> Result:
    """Return what came of a run under the names that things have here."""
    told = ended.result
    if not isinstance(told, Result):
        return Result(task, "failed", error=_error_of(ended, task.input))
    names = {_path(text): text for name in KINDS if (text := getattr(task.job.outputs, name)) is not None}
    summary: Summary | None = told.summary and replace(
        told.summary, outputs=tuple(names.get(path, path) for path in told.summary.outputs), source=task.job.shown
    )
    if ended.error is not None:
        return Result(task, "interrupted", summary, ended.error)
    return Result(task, told.state, summary, told.error)


def _error_of(ended: Ended, item: Input) -> BgsubError:
    """Return why there is no result at all."""
    if isinstance(ended.error, BgsubError):
        return ended.error
    if ended.error is None:
        return ClusterError(f"{item.shown}: its worker ended as it was to begin; run the same command again")
    reason = f"{type(ended.error).__name__}: {' '.join(str(ended.error).split())}"
    return SourceError(f"{item.shown}: {reason}")
