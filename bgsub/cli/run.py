"""``bgsub run``: mask moving objects in any source, and write what is wanted of them."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bgsub.background.parameters import MOG2_PARAMETERS
from bgsub.cli import set_verbosity
from bgsub.cli.options import Seconds, given, model_options, read_region, verbosity_options
from bgsub.errors import ParameterError, SourceError

if TYPE_CHECKING:
    from bgsub.background.mog2 import MOG2
    from bgsub.pipeline import Tally
    from bgsub.video.frame import VideoInfo
    from bgsub.video.sinks import Sink
    from bgsub.video.sources import Source

_TIME = Seconds()
_CONSTRUCTED = ("n_components", "precision", "region")  # fixed when a model is made


@click.command(name="run")
@click.argument("source")
@click.option("--start", type=_TIME, help="Begin here: seconds, 1:30 or 0:01:30.5.")
@click.option("--end", type=_TIME, help="Stop before this time.")
@click.option("--duration", type=_TIME, help="Stop after so long, instead of --end.")
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, help="Use every n-th frame.")
@click.option("--scale", type=float, help="Shrink: a factor up to 1, or a width in pixels.")
@click.option("--fps", type=float, help="Frames per second of images and raw streams; replaces a file's times.")
@click.option("--warm-up", type=_TIME, default=0, help="Learn for so long before anything is written.")
@click.option("--two-pass", is_flag=True, help="Learn from the whole file first: for videos that begin with objects.")
@click.option("--mask", type=click.Path(), help="Masks: .mkv (lossless), .mp4, .webm, or a folder of bin000001.png.")
@click.option("--overlay", type=click.Path(), help="Moving objects tinted and outlined: .mp4, .mkv, .webm.")
@click.option(
    "--foreground",
    type=click.Path(),
    help="Moving objects cut out: .mp4 on black; .webm, .mkv, folder/ of PNG transparent.",
)
@click.option("--background", type=click.Path(), help="The learned background, an image, at the end.")
@click.option(
    "--stats", type=click.Path(allow_dash=True), help="Table of time and moving share: .csv, .jsonl, - for stdout."
)
@click.option("--show", is_flag=True, help="Watch in a window: space pauses, s steps, v switches the view, q quits.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option("--open", "open_", type=int, default=0, help="Clean up: drop specks thinner than so many pixels.")
@click.option("--close", type=int, default=0, help="Clean up: close gaps narrower than so many pixels.")
@click.option("--min-area", type=int, default=0, help="Clean up: drop objects of fewer pixels.")
@click.option("--fill", is_flag=True, help="Clean up: fill holes in objects.")
@click.option("--shadows/--no-shadows", default=True, help="Keep shadows as 127 in masks, or make them background.")
@click.option("--region", multiple=True, help='Look only here: a mask image, or a polygon "x,y x,y x,y" (repeatable).')
@click.option("--method", type=click.Choice(["mog2"]), default="mog2", show_default=True, help="Background model.")
@model_options(MOG2_PARAMETERS.values())
@click.option("--learning-rate", type=click.FloatRange(0, 1), help="0 freezes the model; automatic by default.")
@click.option(
    "--precision",
    type=click.Choice(["exact", "compact"]),
    default="exact",
    show_default=True,
    help="compact: half the memory, faster on large frames, a few pixels in 10 000 differ.",
)
@click.option("--threads", type=click.IntRange(1, 256), help="Threads of the model; by default as many as help.")
@click.option("--load-model", type=click.Path(), help="Go on with a saved model.")
@click.option("--save-model", type=click.Path(), help="Save the learned model at the end (.bgsub).")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@verbosity_options
@click.pass_context
def command(ctx: click.Context, source: str, **options: Any) -> None:
    r"""Mask moving objects in SOURCE.

    SOURCE is a video file, a URL (rtsp://, http://), a camera (0, 1, /dev/video0), a folder or pattern of images
    (shots/, in%06d.jpg), or - for a video on standard input. With no output named, masks go to NAME.mask.mkv in the
    current folder. In masks 0 is background, 127 shadow and 255 a moving object.

    \b
    Examples:
      bgsub run street.mp4
      bgsub run street.mp4 --overlay seen.mp4 --open 3 --min-area 60 --no-shadows
      bgsub run night.avi --two-pass --mask masks/ --stats night.csv
      bgsub run rtsp://camera/stream --region "0,200 640,200 640,480 0,480" --overlay now.mkv
      bgsub run today.mp4 --load-model door.bgsub --save-model door.bgsub --overwrite
    """
    set_verbosity(options["verbose"], options["quiet"])
    _Run(ctx, source, options).execute()


@dataclass
class _Run:
    """One call of ``bgsub run``: the source, what was asked for, and the steps from the one to the other."""

    ctx: click.Context
    source: str
    options: dict[str, Any]

    def execute(self) -> None:
        """Open everything, run, close everything, say what was done."""
        from bgsub.background.cleanup import Cleanup
        from bgsub.pipeline import Tally, run

        o = self.options
        clean = Cleanup(open=o["open_"], close=o["close"], min_area=o["min_area"], fill=o["fill"], shadows=o["shadows"])
        model = self._model()
        signal.signal(signal.SIGTERM, _terminate)
        tally, broken = Tally(), None
        try:
            with contextlib.ExitStack() as stack:
                source = stack.enter_context(self._open())
                outputs, sinks, window = self._sinks(stack, source.info, model)
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
                    broken = error  # what came before it is finished as at any end, and then it is reported
        except KeyboardInterrupt:
            self._finish(model, tally, outputs, "interrupted")
            sys.exit(130)
        if tally.read == 0:
            raise SourceError(f"{self.source} gave no frame: check --start, --end and --duration")
        self._finish(model, tally, outputs, "broken off" if broken else "done")
        if broken is not None:
            raise broken

    # -------------------------------------------------------------------------------------------------- parts

    def _open(self) -> Source:
        from bgsub.video.sources import open_source

        names = ("start", "end", "duration", "every", "scale", "fps")
        return open_source(self.source, **{name: self.options[name] for name in names})

    def _model(self) -> MOG2:
        """Return the model: a new one, or a saved one with the parameters that were typed."""
        from bgsub.background.mog2 import MOG2

        o = self.options
        if o["load_model"] is None:
            parameters = {name: o[name] for name in MOG2_PARAMETERS}
            region = read_region(o["region"])
            return MOG2(**parameters, region=region, threads=o["threads"], precision=o["precision"])
        fixed = given(self.ctx, _CONSTRUCTED)
        if fixed:
            raise ParameterError(f"--{min(fixed).replace('_', '-')} is fixed in a saved model: leave it out")
        model = MOG2.load(o["load_model"], threads=o["threads"])
        model.set_parameters(**{name: o[name] for name in given(self.ctx, MOG2_PARAMETERS)})
        return model

    def _sinks(self, stack: contextlib.ExitStack, info: VideoInfo, model: MOG2) -> tuple[list[str], list[Sink], Any]:
        """Make what takes the frames; return the names of the outputs, the sinks and the window, if any."""
        from bgsub.video import stats, stills, videos
        from bgsub.video.outputs import check_output, default_output
        from bgsub.video.sinks import ThreadedSink

        o = self.options
        common = {"overwrite": o["overwrite"], "source": self.source}
        named = [name for name in ("mask", "overlay", "foreground", "stats", "background") if o[name]]
        if not named and not o["show"] and not o["save_model"]:
            o["mask"], named = str(default_output(info.name)), ["mask"]
        make = {
            "mask": lambda path: videos.mask_sink(path, info, **common),
            "overlay": lambda path: videos.overlay_sink(path, info, **common),
            "foreground": lambda path: videos.foreground_sink(path, info, **common),
            "stats": lambda path: stats.stats_sink(path, **common),
            "background": lambda path: stills.BackgroundImage(path, model.background_image, **common),
        }
        made = [make[name](o[name]) for name in named]
        _refuse_twins([o[name] for name in named] + [o["save_model"]])
        if o["save_model"]:
            check_output(o["save_model"], suffixes=(".bgsub",), **common)
        if made and named[0] == "mask" and made[0].lossy and not o["quiet"]:
            click.echo(f"{o['mask']} is lossy: values blur around 0, 127 and 255; .mkv keeps them exact", err=True)
        window = None
        if o["show"]:
            from bgsub.video.window import Window

            window = Window(f"bgsub: {info.name}", model.background_image)
            made.append(window)
        sinks: list[Sink] = [stack.enter_context(ThreadedSink(made))] if made else []
        if window is not None:
            stack.callback(window.close)  # first of all, so that a paused window holds nothing up
        return [o[name] for name in named if o[name] != "-"], sinks, window

    def _learn_first(self, source: Source, model: MOG2) -> None:
        """Learn from the whole source, opened a second time, if that was asked for."""
        from bgsub.pipeline import run

        if not self.options["two_pass"]:
            return
        if not source.repeatable:
            raise SourceError(f"{self.source} cannot be read twice: leave out --two-pass, or use --warm-up")
        with self._open() as first, self._bar("learning", first.info) as bar:
            run(first, model, progress=bar)

    def _bar(self, title: str, info: VideoInfo) -> Any:
        from bgsub.cli.progress import progress_bar

        return progress_bar(title, info.frame_count, self.options["quiet"])

    def _finish(self, model: MOG2, tally: Tally, outputs: list[str], how: str) -> None:
        """Save the model and say what was done."""
        o = self.options
        if o["save_model"] and model.n_frames:
            model.save(o["save_model"])
            outputs = [*outputs, o["save_model"]]
        if tally.written == 0:
            outputs = [name for name in outputs if name == o["save_model"]]
        to_stderr = o["stats"] == "-"
        if o["as_json"]:
            click.echo(json.dumps({"result": how, "outputs": outputs, **tally.as_dict()}), err=to_stderr)
        elif not o["quiet"]:
            click.echo(_summary(tally, outputs, how), err=to_stderr)


def _refuse_twins(paths: list[str | None]) -> None:
    """Raise if two outputs have one name."""
    seen = set()
    for path in (Path(p).absolute() for p in paths if p and p != "-"):
        if path in seen:
            raise ParameterError(f"two outputs are named {path}: give each a name of its own")
        seen.add(path)


def _summary(tally: Tally, outputs: list[str], how: str) -> str:
    rate = tally.read / tally.elapsed if tally.elapsed else 0.0
    lines = [f"{how}: {tally.read} frames at {rate:.0f} frames/s, {tally.mean_foreground:.1%} moving"]
    if tally.read != tally.written:
        lines.append(f"  {tally.read - tally.written} frames only learned")
    if tally.damaged:
        lines.append(f"  {tally.damaged} damaged frames skipped")
    if tally.dropped:
        lines.append(f"  {tally.dropped} frames dropped to keep up with the source")
    return "\n".join([*lines, *(f"  wrote {name}" for name in outputs)])


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does, with the exit status of SIGTERM."""
    raise SystemExit(128 + signum)
