"""``bgsub run``: mask moving objects in any source, and write what is wanted of them."""

from __future__ import annotations

import functools
import json
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from bgsub.background.methods import DEFAULT_METHOD, METHODS
from bgsub.cli.batch import execute_batch
from bgsub.cli.help import Command, section
from bgsub.cli.inputs import input_options
from bgsub.cli.logs import set_verbosity
from bgsub.cli.models import TABLES, chosen_model
from bgsub.cli.options import (
    ColorText,
    FilePath,
    FolderOrFile,
    FromTable,
    PathText,
    Quality,
    Seconds,
    Span,
    Word,
    model_options,
    verbosity_options,
)
from bgsub.cli.progress import progress_bar
from bgsub.cli.scheduler import scheduler_options
from bgsub.cli.signals import ended_by_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bgsub.background.methods import Model
    from bgsub.jobs import Job, Summary
    from bgsub.jobs.inputs import Inputs
    from bgsub.video.frame import VideoInfo
    from bgsub.video.sink import Sink

_TIME, _PATH = Seconds(), FilePath()
_MIN_AREA = METHODS["adaptive"].parameters["min_area"]
_PRECISIONS = METHODS["mog2"].settings["precision"]
_OUTPUTS = (
    *("mask", "mask_codec", "overlay", "color", "quality", "foreground"),
    *("background", "stats", "save_model", "overwrite"),
)

_EXAMPLES = """
bgsub run street.mp4
bgsub run street.mp4 --overlay seen.mp4 --open 3 --min-area 60 --no-shadows
bgsub run night.avi --start 1m30s --two-pass --mask masks/ --stats night.csv
bgsub run rtsp://camera/stream --region 0,200,640,280 --overlay now.mkv
bgsub run 'recordings/*.mp4' --into found --overlay .mp4
bgsub run today.mp4 --load-model door.bgsub --save-model door.bgsub --overwrite
"""

_COLOR_HELP = "Of objects in it: a name, or #ff00aa."
_QUALITY_HELP = "Small, normal, high, or 1 to 100."

_HINTS = {
    **dict.fromkeys(["--output", "-o", "--out"], "say what to write: --overlay FILE, --mask FILE, ... (see --help)"),
    **dict.fromkeys(["--input", "-i"], "give the input without an option: bgsub run FILE"),
    "--roi": "it is called --region",
    "--crop": "--region looks at a part of the picture only",
    "--resize": "it is called --scale",
    "--width": "--scale 640 shrinks to a width of 640 pixels",
    "--sensitivity": "--threshold: higher finds less",
    "--model": "--load-model and --save-model have files of models; --method chooses the kind",
    "--gpu": "models run on the processor",
}

_input = section("Input")
_outputs = section("Outputs")
_cleaning = section("Cleaning masks")
_model = section("Model")


@click.command(name="run", cls=Command, examples=_EXAMPLES, hints=_HINTS)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=PathText())
@_outputs(
    "--mask",
    type=FolderOrFile(),
    metavar="FILE",
    help="Masks: .mkv is lossless; .mp4, .webm; folder/ of .png.",
)
@_outputs(
    "--mask-codec",
    type=Word(["ffv1", "h264"]),
    default="ffv1",
    show_default=True,
    rare=True,
    help="Of a .mkv of masks. Both are lossless; h264 takes half the time and twice the space.",
)
@_outputs("--overlay", type=_PATH, metavar="FILE", help="The video, objects tinted and outlined: .mp4, .gif ...")
@_outputs("--color", type=ColorText(), metavar="COLOR", help=_COLOR_HELP)
@_outputs("--quality", type=Quality(), metavar="N", default="normal", show_default=True, help=_QUALITY_HELP)
@_outputs(
    "--foreground",
    type=FolderOrFile(),
    metavar="FILE",
    help="Objects cut out: .mp4; .webm, .mkv, folder/ have alpha.",
)
@_outputs("--background", type=_PATH, metavar="FILE", help="The learned background at the end: .png, .jpg, ...")
@_outputs("--stats", type=_PATH, metavar="FILE", help="Each frame's time and moving share: .csv, .jsonl, -.")
@_outputs("--save-model", type=_PATH, metavar="FILE", help="The learned model at the end: .bgsub.")
@_outputs("--into", type=_PATH, metavar="FOLDER", help="Folder of the results of several inputs. [default: .]")
@_outputs("--show", is_flag=True, help="Watch in a window, at its own pace; h there: keys.")
@_outputs("--overwrite", is_flag=True, help="Replace outputs that exist; do finished inputs again.")
@input_options(rare={"size", "pixel_format"})
@_input("--warm-up", type=_TIME, default=0, help="Learn for so long before anything is written.")
@_input("--two-pass", is_flag=True, help="Learn from all first: for videos that begin with objects.")
@_input("--concat", is_flag=True, help="Of several inputs make one: one timeline, one model.")
@_input("--recursive", is_flag=True, help="Look into the folders below a folder, too.")
@_input(
    "--region",
    type=PathText(),
    multiple=True,
    metavar="WHERE",
    help='Look only here: x,y,width,height, "x,y x,y x,y" or a mask image, in pixels of the source. Repeatable.',
)
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
    help=f"Drop smaller objects. [default: {_MIN_AREA.default}; mog2 0]",
)
@_cleaning("--fill", is_flag=True, help="Fill holes in objects.")
@_cleaning("--shadows/--no-shadows", default=True, help="Shadows are 127 in masks, or background, 0.")
@_model(
    "--method",
    type=Word(METHODS),
    default=DEFAULT_METHOD,
    show_default=True,
    help="Adaptive has better masks.",
)
@_model(
    "--learning-rate",
    type=click.FloatRange(0, 1),
    metavar="NUMBER",
    rare=True,
    help="Weight of a new frame in the background, from 0 to 1; 0 freezes it. By default high at first, then "
    "1/history.",
)
@_model(
    "--threads",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Of the model. [default: half of the processors]",
)
@_model("--load-model", type=_PATH, metavar="FILE", help="Go on with a saved model, and its parameters.")
@_model(
    "--range",
    "value_range",
    type=Span(),
    metavar="LOW,HIGH",
    rare=True,
    help="Values that count as black and white; those of more than 8 bits are found by themselves.",
)
@model_options(TABLES, without=("frame_rate", "min_area"))
@section("Method mog2")(
    "--precision",
    type=Word(_PRECISIONS),
    default=_PRECISIONS[0],
    show_default=True,
    rare=True,
    help="Compact takes half the memory, which large frames on several threads gain from; one pixel in 10 000 differs.",
)
@scheduler_options
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@verbosity_options
@click.pass_context
def command(ctx: click.Context, sources: tuple[str, ...], **options: Any) -> None:
    """Mask moving objects in SOURCE.

    SOURCE is a video file, an address (rtsp://, http://, s3://), a camera (0, 1, /dev/video0), a folder or pattern of
    images (shots/, in%06d.jpg), or - for standard input. With no output named, this folder gets two: NAME.overlay.mp4,
    which any player opens, and the exact masks, NAME.mask.mkv: 0 background, 127 shadow, 255 moving object. Ctrl-C ends
    a run early; what was written by then is complete.

    Several files, a folder of videos and a pattern ('cam_*.mp4') are masked one by one, into one folder (--into), where
    bgsub.jsonl lists what is done: the same command goes on where it ended. Outputs are then named by their extension
    alone (--overlay .mp4), or with {name} in them. With --concat they are one video instead.
    """
    set_verbosity(options["verbose"], options["quiet"])
    _check_usage(options)
    found = _found(sources, options)
    with ended_by_signals():
        if options["into"] or options["scheduler"] or (found.several and not options["concat"]):
            execute_batch(found.each, _job(ctx, "", options), options)
            return
        summary = _execute(_job(ctx, found.source, options, found.name), options)
        _report(summary, options)
    if summary.result == "interrupted" and isinstance(summary.error, KeyboardInterrupt):
        sys.exit(130)
    if summary.error is not None:
        raise summary.error


def _check_usage(options: dict[str, Any]) -> None:
    """Raise if options contradict each other."""
    if options["learning_rate"] == 0 and not (options["load_model"] or options["two_pass"]):
        raise click.UsageError(
            "--learning-rate 0 freezes a model that has learned nothing: add --load-model or --two-pass"
        )


def _found(sources: Sequence[str], options: dict[str, Any]) -> Inputs:
    """Return what the names on the command line mean."""
    from bgsub.jobs.inputs import find_inputs

    concat = options["concat"]
    if concat and options["into"]:
        raise click.UsageError("--concat makes one of all inputs: leave out --into, and name outputs by --mask, ...")
    found = find_inputs(sources, recursive=options["recursive"], repeated=concat)
    if options["scheduler"] and (concat or options["show"]):
        raise click.UsageError("--scheduler masks each input by itself, elsewhere: leave out --concat and --show")
    if options["show"] and (options["into"] or (found.several and not concat)):
        raise click.UsageError("--show is for one input: name one, or add --concat")
    return found


def _job(ctx: click.Context, source: str | tuple[str, ...], o: dict[str, Any], name: str | None = None) -> Job:
    """Return what the options ask for, with outputs that are called after the source where it has a `name`."""
    from bgsub.background.cleanup import Cleanup
    from bgsub.jobs import Excerpt, Job, ModelChoice, Outputs
    from bgsub.jobs.naming import for_one

    outputs = Outputs(**{output: o[output] for output in _OUTPUTS})

    # A model that has --min-area drops small objects before it learns the frame. Cleaning drops them all the same: what
    # --open splits, or the region cuts, can be smaller again.
    cleaning = {name: o[name] for name in ("close", "fill", "shadows")}
    return Job(
        source,
        excerpt=Excerpt(**{field.name: o[field.name] for field in fields(Excerpt)}),
        model=ModelChoice(**chosen_model(ctx)),
        cleanup=Cleanup(open=o["open_"], min_area=o["min_area"] or 0, **cleaning),
        outputs=outputs if name is None else for_one(outputs, name),
        learning_rate=o["learning_rate"],
        warm_up=o["warm_up"],
        two_pass=o["two_pass"],
    )


def _execute(job: Job, options: dict[str, Any]) -> Summary:
    """Do the job, with a progress bar, and in a window if that was asked for."""
    from bgsub.jobs import execute

    progress = functools.partial(progress_bar, quiet=options["quiet"])
    if not options["show"]:
        return execute(job, progress=progress)
    preview = _Preview()
    return execute(job, progress=progress, stop=preview.quit_requested, sinks=[preview.open])


class _Preview:
    """The window of ``--show``, which opens when it is known what the source is."""

    def open(self, info: VideoInfo, model: Model) -> Sink:
        """Open the window."""
        from bgsub.video.writers.window import Window

        def told(region: str) -> None:
            click.echo(f"--region {region}", err=True)

        self._window = Window(f"bgsub: {info.name}", model.background_image, info, told)
        return self._window

    def quit_requested(self) -> bool:
        """Tell whether its user wants the run to end."""
        return self._window.quit_requested


# ----------------------------------------------------------------------------------------------------- what was done


def _report(summary: Summary, options: dict[str, Any]) -> None:
    """Say what was done: on stdout, unless the table of statistics goes there."""
    to_stderr = options["stats"] == "-"
    if options["as_json"]:
        click.echo(json.dumps(summary.as_dict()), err=to_stderr)
    elif not options["quiet"]:
        click.echo(_in_words(summary, bool(options["warm_up"])), err=to_stderr)


def _in_words(summary: Summary, warm_up: bool) -> str:
    """Return what was done, in words."""
    tally = summary.tally
    moving = f"{tally.mean_foreground:.1%} of the picture moving on average"
    lines = [f"{summary.result}: {_frames(tally.read)} at {tally.rate:.0f} frames/s, {moving}"]
    if warm_up:
        lines.append(f"  {_frames(tally.read - tally.written)} only learned")
    if tally.damaged:
        lines.append(f"  {_frames(tally.damaged)} damaged and skipped")
    if tally.dropped:
        lines.append(f"  {_frames(tally.dropped)} dropped to keep up with the source")
    if tally.reconnects:
        lines.append(f"  opened again {'once' if tally.reconnects == 1 else f'{tally.reconnects} times'}")
    return "\n".join([*lines, *(f"  wrote {name}" for name in summary.outputs)])


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
