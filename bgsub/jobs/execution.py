"""A job is done: everything is opened, masked and finished, and what came of it is a value."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bgsub.background.methods import DEFAULT_METHOD, method_of, method_of_kind
from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.files import kind_of
from bgsub.jobs.job import Job, ModelChoice, Outputs
from bgsub.jobs.staging import Stage, staged
from bgsub.notebook import html_table
from bgsub.outputs import check_output, default_outputs
from bgsub.pipeline import Tally, run, tell_frame_rate
from bgsub.stores.store_paths import StorePath, as_path
from bgsub.threads import available_processors, threads_beside_io
from bgsub.video.colors import parse_color

if TYPE_CHECKING:
    import numpy as np

    from bgsub.background.methods import Model
    from bgsub.video.frame import VideoInfo
    from bgsub.video.sink import Sink
    from bgsub.video.source import Source

# Readers and writers are imported where they are opened: who only makes jobs need not wait for PyAV.

logger = logging.getLogger(__name__)

OnTally = Callable[[Tally], None]
Progress = Callable[[str, int | None], contextlib.AbstractContextManager[OnTally | None]]
SinkMaker = Callable[["VideoInfo", "Model"], "Sink"]

INTERRUPTIONS = (KeyboardInterrupt, SystemExit, BrokenPipeError)
"""What ends a job from outside: Ctrl-C, a signal that was made an exit, the reader of standard output who has left."""


@dataclass(frozen=True)
class Summary:
    """What came of a job that has masked at least one frame.

    Attributes
    ----------
    result : {'done', 'interrupted', 'broken off'}
        How the masking ended: with the source, or when `stop` said so; from outside; by an error of the source or of
        an output. The outputs are finished in any case, and hold what was masked by then.
    outputs : tuple of str
        Files and folders that were written, the saved model last.
    tally : Tally
        Frames and times.
    error : BaseException or None
        What ended it early, or kept the model from being saved.
    source : str
        What was read, as the job says it.
    size : (int, int) or None
        Width and height in pixels of the frames and masks.
    """

    result: Literal["done", "interrupted", "broken off"]
    outputs: tuple[str, ...]
    tally: Tally
    error: BaseException | None = None
    source: str = ""
    size: tuple[int, int] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return source, result, outputs and figures in types that JSON has."""
        width, height = self.size or (None, None)
        return {
            "source": self.source,
            "width": width,
            "height": height,
            "result": self.result,
            "outputs": list(self.outputs),
            **self.tally.as_dict(),
        }

    def _repr_html_(self) -> str:
        told = self.as_dict() | {"outputs": ", ".join(self.outputs)}
        return html_table("what came of a job", (), [(name.replace("_", " "), told[name]) for name in told])


def execute(
    job: Job,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    sinks: Sequence[SinkMaker] = (),
    on_end: Callable[[], None] | None = None,
) -> Summary:
    """Do a job.

    Parameters
    ----------
    job : Job
        What is to be done.
    progress : callable, optional
        Called with the name of a stage ("learning", "masking") and the number of frames to expect, None where nobody
        knows; returns a context manager of what is called with the tally after every frame, or of None. For a plain
        function: ``lambda stage, total: contextlib.nullcontext(function)``.
    stop : callable, optional
        Asked after every frame; True ends the job as the end of the source would.
    sinks : sequence of callable
        Called with what is known of the source and with the model; each returns a `Sink` that gets frames and masks
        beside the job's outputs, and is closed with them. With one of them, a job without outputs writes nothing.
    on_end : callable, optional
        Called when no frame comes any more, before outputs are finished: whatever holds a sink up must let go.

    Returns
    -------
    Summary
        Also of a job that broke off or was interrupted after its first frame. Ctrl-C is in `Summary.error` then: who
        has more jobs to do looks there, or raises it.

    Raises
    ------
    SourceError
        When the source cannot be opened, or gives no frame.
    OutputError
        When an output cannot be written, before the first frame.
    ModelFileError
        When the saved model cannot be read.
    ParameterError
        When the model does not fit the source, or refuses a value.
    """
    with Stage() as stage:
        here = replace(job, outputs=staged(job.outputs, stage))
        execution = _Execution(here, make_model(job.model), progress or _no_progress, stop, sinks, on_end, stage.told)
        error: BaseException | None
        try:
            error = execution.mask()
        except (*INTERRUPTIONS, OutputError) as end:
            if not execution.tally.read:
                raise
            error = end
        return _put(execution.finish(error), stage)


def _put(summary: Summary, stage: Stage) -> Summary:
    """Return what was done once what goes to a store is there."""
    outputs: list[str] = []
    for path in summary.outputs:
        try:
            place = path if path == "-" else stage.put(path)
            outputs.append(str(place) if isinstance(place, StorePath) else path)  # as it was typed, "cut/" too
        except OutputError as failure:
            return replace(summary, result="broken off", outputs=tuple(outputs), error=failure)
    error = summary.error
    told = OutputError(stage.told(str(error))) if isinstance(error, OutputError) else error
    return replace(summary, outputs=tuple(outputs), error=told)


def make_model(choice: ModelChoice, info: VideoInfo | None = None, region: np.ndarray | None = None) -> Model:
    """Return the model that a job asks for: a new one, or a saved one with the job's parameters.

    Parameters
    ----------
    choice : ModelChoice
        What is asked for.
    info : VideoInfo, optional
        Of a source whose frames are scaled, to which the region is scaled too.
    region : ndarray, optional
        Mask in pixels of the frames, in place of the job's region.

    Raises
    ------
    ParameterError
        When a value is out of bounds, or the saved model is of another method.
    ModelFileError
        When the saved model cannot be read.
    SourceError
        When the region is an image that cannot be read.
    """
    method = method_of(choice.method or DEFAULT_METHOD)
    if choice.load is None:
        region = _region(choice.region, info) if region is None else region
        return method.create(**{**method.in_runs, **choice.parameters}, region=region, threads=choice.threads)
    saved = method_of_kind(kind_of(choice.load))
    if saved is not None and choice.method is not None and saved is not method:
        raise ParameterError(
            f"{choice.load} holds a model of method {saved.name}, not {method.name}: leave the method out"
        )
    # A file that holds neither is refused when it is loaded.
    model = (saved or method).model_class().load(choice.load, threads=choice.threads)
    model.set_parameters(**choice.parameters)
    return model


def _region(region: Any, info: VideoInfo | None) -> Any:
    """Return a job's region as models take it, in pixels of the frames that they get."""
    if isinstance(region, str):
        from bgsub.video.readers.images import read_mask

        region = read_mask(as_path(region))
    if info is None or info.source_size is None or region is None:
        return region
    from bgsub.background.region import scaled_region

    return scaled_region(region, info.source_size, (info.width, info.height))


@dataclass
class _Execution:
    """A job with its model, and the steps from the one to the summary."""

    job: Job
    model: Model
    progress: Progress
    stop: Callable[[], bool] | None
    makers: Sequence[SinkMaker]
    on_end: Callable[[], None] | None
    told: Callable[[str], str] = str  # what messages call an output
    tally: Tally = field(default_factory=Tally)
    size: tuple[int, int] | None = None
    sinks: dict[str, Sink] = field(default_factory=dict)

    def mask(self) -> SourceError | None:
        """Open everything, run, and close everything; return what broke the source off, if anything did."""
        job = self.job
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(self._open())
            self.size = (source.info.width, source.info.height)
            if source.info.source_size is not None and job.model.region is not None:
                self.model = make_model(job.model, source.info)
            self._prepare_model(source)
            sinks = self._sinks(stack, source)
            self._learn_first(source)
            bar = stack.enter_context(self.progress("masking", source.info.expected_frame_count))
            try:
                run(
                    source,
                    self.model,
                    sinks,
                    clean=None if job.cleanup.is_identity else job.cleanup,
                    learning_rate=job.learning_rate,
                    warm_up=job.warm_up,
                    stop=self.stop,
                    progress=bar,
                    tally=self.tally,
                )
            except SourceError as error:
                if self.tally.read == 0:
                    raise
                return error  # what came before it is finished as at any end
        if self.tally.read == 0:
            raise SourceError(f"{job.shown} gave no frame: check --start, --end and --duration")
        if sinks and self.tally.written == 0:
            return SourceError(f"{job.shown} ended within --warm-up, so nothing was written: give a shorter one")
        return None

    def finish(self, error: BaseException | None) -> Summary:
        """Save the model, and return what was done."""
        result: Literal["done", "interrupted", "broken off"] = "broken off" if error else "done"
        if isinstance(error, INTERRUPTIONS):
            result = "interrupted"
        outputs = [path for path, sink in self.sinks.items() if sink.wrote]
        target = self.job.outputs.save_model
        if target and self.model.n_frames:
            try:
                self.model.save(target)
                outputs.append(target)
            except BaseException as failure:  # all the same there is a summary of what was written
                error = failure
        return Summary(result, tuple(outputs), self.tally, error, self.job.shown, self.size)

    # -------------------------------------------------------------------------------------------------- steps

    def _open(self) -> Source:
        from bgsub.video.opening import open_source

        return open_source(self.job.source, **vars(self.job.excerpt))

    def _prepare_model(self, source: Source) -> None:
        """Tell the model what it should know of the source; raise if it has learned frames of another size."""
        model, info, choice = self.model, source.info, self.job.model
        logger.debug("source: %s", info)
        logger.debug("model: %s, %d frames learned", model.parameters, model.n_frames)
        if model.shape is not None and model.shape[:2] != (info.height, info.width):
            raise ParameterError(
                f"{choice.load} has learned frames of {model.shape[1]}x{model.shape[0]}, "
                f"{self.job.shown} has {info.width}x{info.height}: use --scale, or another model"
            )
        tell_frame_rate(model, info)
        if choice.threads is None:
            model.threads = threads_beside_io(info.width * info.height, available_processors())

    def _sinks(self, stack: contextlib.ExitStack, source: Source) -> list[Sink]:
        """Make what takes the frames."""
        info = source.info
        from bgsub.video.writers.threaded import ThreadedSink

        outputs = self.job.outputs
        if not (self.makers or any(_named(outputs).values())):
            outputs = _usual_outputs(outputs, info.name)
        made = self._outputs(outputs, source)
        if "mask" in made and made["mask"].lossy:
            mask = self.told(outputs.mask or "")
            logger.warning("%s is lossy: values blur around 0, 127 and 255; .mkv keeps them exact", mask)
        known = source.describe() if "overlay" in made and source.sound is None else {}
        if known.get("audio") or known.get("parts"):
            overlay = self.told(outputs.overlay or "")
            logger.info("%s is without sound: that of %s cannot be read beside it", overlay, self.job.shown)
        self.sinks = {path: made[name] for name, path in _named(outputs).items() if name in made and path}
        sinks = [*made.values(), *(make(info, self.model) for make in self.makers)]
        threaded: list[Sink] = [stack.enter_context(ThreadedSink(sinks))] if sinks else []
        if self.on_end is not None:
            stack.callback(self.on_end)  # first of all, so that nothing holds the last frames up
        return threaded

    def _outputs(self, outputs: Outputs, source: Source) -> dict[str, Sink]:
        """Make the sinks of the job's outputs by name, and check that the model can be saved."""
        from bgsub.video.writers import stats, stills, videos

        model, info = self.model, source.info
        common: dict[str, Any] = {"overwrite": outputs.overwrite, "source": str(self.job.sources[0])}
        # The range that the model is told to look at is the one to be seen.
        bounds = self.job.model.parameters.get("value_range")
        pictures: dict[str, Any] = common | {"quality": outputs.quality, "bounds": bounds and tuple(bounds)}
        make: dict[str, Callable[[str], Sink]] = {
            "mask": lambda path: videos.mask_sink(path, info, codec=outputs.mask_codec, **common),
            "overlay": lambda path: videos.overlay_sink(
                path,
                info,
                color=parse_color(outputs.color) if outputs.color else None,
                sound=source.sound,
                **pictures,
            ),
            "foreground": lambda path: videos.foreground_sink(path, info, **pictures),
            "stats": lambda path: stats.stats_sink(path, **common),
            "background": lambda path: stills.BackgroundImage(path, model.background_image, **common),
        }
        named = _named(outputs)
        made = {name: sink(path) for name, sink in make.items() if (path := named[name])}
        if outputs.save_model:
            check_output(outputs.save_model, suffixes=(".bgsub",), **common)
        paths = [path for path in named.values() if path]
        _refuse_twins(paths)
        for part in self.job.sources[1:]:
            _refuse_input(paths, part)
        return made

    def _learn_first(self, source: Source) -> None:
        """Learn from the whole source, opened a second time, if that was asked for."""
        if not self.job.two_pass:
            return
        if not source.repeatable:
            raise SourceError(f"{source.info.name} cannot be read twice: leave out --two-pass, or use --warm-up")
        with self._open() as first, self.progress("learning", first.info.expected_frame_count) as bar:
            run(first, self.model, progress=bar)


def _usual_outputs(outputs: Outputs, name: str) -> Outputs:
    """Return the outputs of a job that names none: the exact masks, and a picture of them that any player opens."""
    usual = default_outputs(name, (".mask.mkv", ".overlay.mp4"))
    plain = default_outputs(name, (".mask.mkv", ".overlay.mp4"), overwrite=True)
    if outputs.overwrite:
        usual = plain
    elif usual != plain:
        taken = next(path for path in plain if path.exists() or path.is_symlink())
        logger.warning("%s exists: this run writes %s and %s; --overwrite replaces it", taken, *usual)
    return replace(outputs, mask=str(usual[0]), overlay=str(usual[1]))


def _named(outputs: Outputs) -> dict[str, str | None]:
    """Return the paths of the outputs by name, in the order in which they are told of."""
    names = ("mask", "overlay", "foreground", "stats", "background", "save_model")
    return {name: getattr(outputs, name) for name in names}


def _refuse_twins(paths: Sequence[str]) -> None:
    """Raise if two outputs have one name."""
    seen = set()
    for path in (Path(p).resolve() for p in paths if p != "-"):
        if path in seen:
            raise ParameterError(f"two outputs are named {path}: give each a name of its own")
        seen.add(path)


def _refuse_input(paths: Sequence[str], part: str | int) -> None:
    """Raise if one of several sources would be written over."""
    for path in paths:
        if isinstance(part, str) and Path(path).exists() and Path(part).exists() and Path(path).samefile(part):
            raise OutputError(f"cannot write {path}: it is one of the inputs; choose another name")


def _no_progress(stage: str, total: int | None) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext(None)
