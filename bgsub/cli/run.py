"""``bgsub run``: mask moving objects in any source, and write what is wanted of them."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub.background.parameters import ADAPTIVE_PARAMETERS
from bgsub.cli import set_verbosity
from bgsub.cli.help import Command, section
from bgsub.cli.models import METHODS, make_model, tell_frame_rate
from bgsub.cli.options import FilePath, FromTable, Seconds, model_options, verbosity_options
from bgsub.cli.signals import ended_by_signals
from bgsub.errors import OutputError, ParameterError, SourceError

if TYPE_CHECKING:
    from bgsub.cli.models import Model
    from bgsub.pipeline import Tally
    from bgsub.video.frame import VideoInfo
    from bgsub.video.sink import Sink
    from bgsub.video.source import Source

logger = logging.getLogger(__name__)

_TIME, _PATH = Seconds(), FilePath()
_MIN_AREA = ADAPTIVE_PARAMETERS["min_area"]

_EXAMPLES = """
bgsub run street.mp4
bgsub run street.mp4 --overlay seen.mp4 --open 3 --min-area 60 --no-shadows
bgsub run night.avi --two-pass --mask masks/ --stats night.csv
bgsub run rtsp://camera/stream --region "0,200 640,200 640,480 0,480" --overlay now.mkv
bgsub run today.mp4 --load-model door.bgsub --save-model door.bgsub --overwrite
"""

_input = section("Input")
_outputs = section("Outputs")
_cleaning = section("Cleaning masks")
_model = section("Model")


@click.command(name="run", cls=Command, examples=_EXAMPLES)
@click.argument("source")
@_outputs("--mask", type=_PATH, help="Masks: .mkv is lossless; .mp4, .webm; folder/ gets bin000001.png, ...")
@_outputs(
    "--mask-codec",
    type=click.Choice(["ffv1", "h264"]),
    default="ffv1",
    show_default=True,
    help="Of a .mkv of masks. Both are lossless; h264 takes half the time and twice the space.",
)
@_outputs("--overlay", type=_PATH, help="The video, moving objects tinted and outlined: .mp4, .mkv, .webm.")
@_outputs(
    "--foreground",
    type=_PATH,
    help="Moving objects cut out: on black in .mp4; on nothing (alpha) in .webm, .mkv, folder/ of fg000001.png, ...",
)
@_outputs("--background", type=_PATH, help="The learned background at the end: .png, .jpg, .bmp, .tif, .webp.")
@_outputs("--stats", type=_PATH, help="Table of each frame's time and moving share: .csv, .jsonl, - for stdout.")
@_outputs("--save-model", type=_PATH, help="The learned model at the end: .bgsub.")
@_outputs("--show", is_flag=True, help="Watch in a window: space pauses, s steps, v switches the view, q quits.")
@_outputs("--overwrite", is_flag=True, help="Replace outputs that exist.")
@_input("--start", type=_TIME, help="Begin here: seconds, 1:30 or 0:01:30.5.")
@_input("--end", type=_TIME, help="Stop before this time.")
@_input("--duration", type=_TIME, help="Stop after so long, instead of --end.")
@_input("--every", type=click.IntRange(1), metavar="N", default=1, show_default=True, help="Use every N-th frame.")
@_input("--scale", type=float, metavar="NUMBER", help="Shrink: a factor up to 1, or a width in pixels.")
@_input("--fps", type=float, metavar="NUMBER", help="Frames per second of images (25 unless told); replaces a file's.")
@_input("--warm-up", type=_TIME, default=0, help="Learn for so long before anything is written.")
@_input("--two-pass", is_flag=True, help="Learn from the whole file first: for videos that begin with objects.")
@_input("--region", multiple=True, help='Look only here: a mask image, or a polygon "x,y x,y x,y" (repeatable).')
@_cleaning(
    "--open",
    "open_",
    type=click.IntRange(0, 255),
    metavar="PIXELS",
    default=0,
    show_default=True,
    help="Drop what is thinner.",
)
@_cleaning(
    "--close",
    type=click.IntRange(0, 255),
    metavar="PIXELS",
    default=0,
    show_default=True,
    help="Close gaps that are narrower.",
)
@_cleaning(
    "--min-area",
    type=FromTable({"adaptive": _MIN_AREA}),
    metavar="PIXELS",
    help=f"Drop objects of fewer pixels. [default: {_MIN_AREA.default}; mog2 0]",
)
@_cleaning("--fill", is_flag=True, help="Fill holes in objects.")
@_cleaning("--shadows/--no-shadows", default=True, help="Keep shadows, 127 in masks, or make them background.")
@_model(
    "--method",
    type=click.Choice(list(METHODS)),
    default=next(iter(METHODS)),
    show_default=True,
    help="Background model: adaptive has the better masks, mog2 those of OpenCV's MOG2.",
)
@_model(
    "--learning-rate",
    type=click.FloatRange(0, 1),
    metavar="NUMBER",
    help="Weight of a new frame in the background; 0 freezes it. By default high at first, then 1/history.",
)
@_model(
    "--threads",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Threads of the model; by default half of the processors.",
)
@_model("--load-model", type=_PATH, metavar="FILE", help="Go on with a saved model, its method and its parameters.")
@model_options(METHODS, without=("frame_rate", "min_area"))
@section("Method mog2")(
    "--precision",
    type=click.Choice(["exact", "compact"]),
    default="exact",
    show_default=True,
    help="Compact takes half the memory, which large frames on several threads gain from; one pixel in 10 000 differs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@verbosity_options
@click.pass_context
def command(ctx: click.Context, source: str, **options: Any) -> None:
    """Mask moving objects in SOURCE.

    SOURCE is a video file, a URL (rtsp://, http://), a camera (0, 1, /dev/video0), a folder or pattern of images
    (shots/, in%06d.jpg), or - for a video on standard input. With no output named, masks go to NAME.mask.mkv in the
    current folder. In masks 0 is background, 127 shadow and 255 a moving object. Ctrl-C ends a run early; what was
    written by then is complete.
    """
    set_verbosity(options["verbose"], options["quiet"])
    _check_usage(options)
    with ended_by_signals():
        _Run(ctx, source, options).execute()


@dataclass
class _Run:
    """One call of ``bgsub run``: the source, what was asked for, and the steps from the one to the other."""

    ctx: click.Context
    source: str
    options: dict[str, Any]
    outputs: list[str] = field(default_factory=list)

    def execute(self) -> None:
        """Mask the source, save the model, say what was done, and report what went wrong."""
        from bgsub.pipeline import Tally

        model, tally = make_model(self.ctx), Tally()
        try:
            broken = self._mask(model, tally)
        except (KeyboardInterrupt, SystemExit, BrokenPipeError, OutputError) as end:
            if tally.read:
                self._finish(model, tally, "broken off" if isinstance(end, OutputError) else "interrupted")
            if tally.read and isinstance(end, KeyboardInterrupt):
                sys.exit(130)
            raise
        self._finish(model, tally, "broken off" if broken else "done")
        if broken is not None:
            raise broken

    # -------------------------------------------------------------------------------------------------- steps

    def _mask(self, model: Model, tally: Tally) -> SourceError | None:
        """Open everything, run, and close everything; return what broke the source off, if anything did."""
        from bgsub.background.cleanup import Cleanup
        from bgsub.pipeline import run
        from bgsub.threads import available_processors, threads_beside_io

        o = self.options
        cleaning = {name: o[name] for name in ("close", "fill", "shadows")}
        clean = Cleanup(open=o["open_"], min_area=o["min_area"] or 0, **cleaning)
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(self._open())
            logger.debug("source: %s", source.info)
            logger.debug("model: %s, %d frames learned", model.parameters, model.n_frames)
            self._check_model(model, source.info)
            tell_frame_rate(model, source.info)
            if o["threads"] is None:
                n_pixels = source.info.width * source.info.height
                model.threads = threads_beside_io(n_pixels, available_processors())
            sinks, window = self._sinks(stack, source.info, model)
            self._learn_first(source, model)
            bar = stack.enter_context(self._bar("masking", source.info))
            try:
                run(
                    source,
                    model,
                    sinks,
                    clean=None if clean.is_identity else clean,
                    learning_rate=o["learning_rate"],
                    warm_up=o["warm_up"],
                    stop=None if window is None else lambda: window.quit_requested,
                    progress=bar,
                    tally=tally,
                )
            except SourceError as error:
                if tally.read == 0:
                    raise
                return error  # what came before it is finished as at any end
        if tally.read == 0:
            raise SourceError(f"{self.source} gave no frame: check --start, --end and --duration")
        if sinks and tally.written == 0:
            return SourceError(f"{self.source} ended within --warm-up, so nothing was written: give a shorter one")
        return None

    def _open(self) -> Source:
        from bgsub.video.opening import open_source

        names = ("start", "end", "duration", "every", "scale", "fps")
        return open_source(self.source, **{name: self.options[name] for name in names})

    def _check_model(self, model: Model, info: VideoInfo) -> None:
        """Raise if a loaded model has learned frames of another size."""
        if model.shape is not None and model.shape[:2] != (info.height, info.width):
            raise ParameterError(
                f"{self.options['load_model']} has learned frames of {model.shape[1]}x{model.shape[0]}, "
                f"{self.source} has {info.width}x{info.height}: use --scale, or another model"
            )

    def _sinks(self, stack: contextlib.ExitStack, info: VideoInfo, model: Model) -> tuple[list[Sink], Any]:
        """Make what takes the frames; return the sinks, and the window if there is one."""
        from bgsub.outputs import check_output, default_output
        from bgsub.video.writers import stats, stills, videos
        from bgsub.video.writers.threaded import ThreadedSink

        o = self.options
        common = {"overwrite": o["overwrite"], "source": self.source}
        make = {
            "mask": lambda path: videos.mask_sink(path, info, codec=o["mask_codec"], **common),
            "overlay": lambda path: videos.overlay_sink(path, info, **common),
            "foreground": lambda path: videos.foreground_sink(path, info, **common),
            "stats": lambda path: stats.stats_sink(path, **common),
            "background": lambda path: stills.BackgroundImage(path, model.background_image, **common),
        }
        if not any(o[name] for name in (*make, "show", "save_model")):
            o["mask"] = str(default_output(info.name))
        made = {name: sink(o[name]) for name, sink in make.items() if o[name]}
        if o["save_model"]:
            check_output(o["save_model"], suffixes=(".bgsub",), **common)
        _refuse_twins([o[name] for name in (*made, "save_model")])
        if "mask" in made and made["mask"].lossy and not o["quiet"]:
            click.echo(f"{o['mask']} is lossy: values blur around 0, 127 and 255; .mkv keeps them exact", err=True)
        self.outputs = [o[name] for name in made if o[name] != "-"]
        sinks, window = list(made.values()), None
        if o["show"]:
            from bgsub.video.writers.window import Window

            window = Window(f"bgsub: {info.name}", model.background_image)
            sinks.append(window)
        threaded: list[Sink] = [stack.enter_context(ThreadedSink(sinks))] if sinks else []
        if window is not None:
            stack.callback(window.close)  # first of all, so that a paused window holds nothing up
        return threaded, window

    def _learn_first(self, source: Source, model: Model) -> None:
        """Learn from the whole source, opened a second time, if that was asked for."""
        from bgsub.pipeline import run

        if not self.options["two_pass"]:
            return
        if not source.repeatable:
            raise SourceError(f"{source.info.name} cannot be read twice: leave out --two-pass, or use --warm-up")
        with self._open() as first, self._bar("learning", first.info) as bar:
            run(first, model, progress=bar)

    def _bar(self, title: str, info: VideoInfo) -> Any:
        from bgsub.cli.progress import progress_bar

        return progress_bar(title, info.expected_frame_count, self.options["quiet"])

    def _finish(self, model: Model, tally: Tally, how: str) -> None:
        """Save the model and say what was done."""
        o = self.options
        if tally.written == 0:
            self.outputs = []
        try:
            if o["save_model"] and model.n_frames:
                model.save(o["save_model"])
                self.outputs.append(o["save_model"])
        finally:
            to_stderr = o["stats"] == "-"
            written = [name for name in self.outputs if Path(name).exists()]
            if o["as_json"]:
                click.echo(json.dumps({"result": how, "outputs": written, **tally.as_dict()}), err=to_stderr)
            elif not o["quiet"]:
                click.echo(self._summary(tally, written, how), err=to_stderr)

    def _summary(self, tally: Tally, outputs: list[str], how: str) -> str:
        """Return what was done, in words."""
        rate = tally.read / tally.elapsed if tally.elapsed else 0.0
        lines = [f"{how}: {_frames(tally.read)} at {rate:.0f} frames/s, {tally.mean_foreground:.1%} moving"]
        if self.options["warm_up"]:
            lines.append(f"  {_frames(tally.read - tally.written)} only learned")
        if tally.damaged:
            lines.append(f"  {_frames(tally.damaged)} damaged and skipped")
        if tally.dropped:
            lines.append(f"  {_frames(tally.dropped)} dropped to keep up with the source")
        return "\n".join([*lines, *(f"  wrote {name}" for name in outputs)])


def _check_usage(options: dict[str, Any]) -> None:
    """Raise if options contradict each other."""
    if options["learning_rate"] == 0 and not (options["load_model"] or options["two_pass"]):
        raise click.UsageError(
            "--learning-rate 0 freezes a model that has learned nothing: add --load-model or --two-pass"
        )


def _refuse_twins(paths: list[str | None]) -> None:
    """Raise if two outputs have one name."""
    seen = set()
    for path in (Path(p).resolve() for p in paths if p and p != "-"):
        if path in seen:
            raise ParameterError(f"two outputs are named {path}: give each a name of its own")
        seen.add(path)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
