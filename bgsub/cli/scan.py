"""``bgsub scan``: find when something moves in recordings, and keep clips, pictures and reports of it."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from bgsub.background.methods import DEFAULT_METHOD, METHODS
from bgsub.cli.help import Command, section
from bgsub.cli.inputs import input_options
from bgsub.cli.logs import set_verbosity
from bgsub.cli.models import TABLES, chosen_model
from bgsub.cli.options import (
    Drawn,
    FilePath,
    PathText,
    Seconds,
    Word,
    given,
    model_options,
    needs_plots,
    verbosity_options,
)
from bgsub.cli.scan_options import Area, config_options, refuse_contradictions, save_config
from bgsub.cli.scheduler import scheduler_options
from bgsub.cli.signals import ended_by_signals
from bgsub.threads import available_processors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bgsub.cli.scan_printing import Printing
    from bgsub.jobs.inputs import Input
    from bgsub.motion.folder import Outcome
    from bgsub.motion.job import ScanJob
    from bgsub.motion.outputs import ScanOutputs

logger = logging.getLogger(__name__)

_DRAWN = ("boxes", "path", "timecode", "graph", "mask")
_TIME, _PATH = Seconds(), FilePath()

_EXAMPLES = """
bgsub scan door.mp4                                when something moves, as a table
bgsub scan recordings/ --into found --clips copy   a clip of each event; goes on where it ended
bgsub scan recordings/ --report night.html         one page with pictures of all events
bgsub scan cam.mp4 --region 0,200,640,280 --ignore "0,0 90,0 90,60"
bgsub scan card/ --list-still -0                   files in which nothing moves, for xargs -0
bgsub scan day.mp4 --pieces 10min --jobs 8         eight pieces of a long video at a time
bgsub scan road.mp4 --preset traffic --line "gate=100,300 500,300" --tracks
"""

_HINTS = {
    "--output": "--into names the folder of results, --report a report",
    "-o": "--into names the folder of results, --report a report",
    "--roi": "it is called --region",
    "--mask": "--mask-video writes the masks as a video, --ignore says where not to look",
    "--mask-output": "it is called --mask-video",
    "-mo": "it is called --mask-video",
    "--overlay": "it is called --overlay-video",
    "--bounding-box": "it is --draw boxes, with --clips exact",
    "-bb": "it is --draw boxes, with --clips exact",
    "--time-code": "it is --draw timecode, with --clips exact",
    "-tc": "it is --draw timecode, with --clips exact",
    "--time-before-event": "it is called --before",
    "--time-post-event": "it is called --after; --merge joins events",
    "--min-event-length": "it is called --min-length",
    "-df": "--fast looks at a quarter of the picture",
    "--gpu": "models run on the processor",
}

_input, _events, _outputs, _model = (section(s) for s in ("Input", "Events", "Outputs", "Model"))


@click.command(name="scan", cls=Command, examples=_EXAMPLES, hints=_HINTS)
@click.argument("sources", nargs=-1, required=True, metavar="VIDEO...", type=PathText())
@_outputs("--into", type=_PATH, metavar="FOLDER", help="Folder of results; what is done in it is not done again.")
@_outputs("--clips", type=Word(["copy", "exact"]), help="A clip of each event: packets copied, or encoded again.")
@_outputs(
    "--draw", type=Drawn(_DRAWN), metavar="WHAT,...", help="Into exact clips ...: boxes, path, timecode, graph, mask."
)
@_outputs("--mask-video", is_flag=True, help="The masks as a video, without loss: .mask.mkv.")
@_outputs("--overlay-video", is_flag=True, help="The whole video, with what moves tinted: .overlay.mp4.")
@_outputs("--thumbnails", is_flag=True, help="A picture of each event's peak.")
@_outputs("--heatmap", is_flag=True, help="Where how much moved, as a picture.")
@_outputs("--graph", is_flag=True, callback=needs_plots, help="How much moved when, with the events, as a picture.")
@_outputs("--tracks", is_flag=True, help="A table of objects, frame by frame (MOTChallenge; its frames begin at 1).")
@_outputs(
    "--report", "reports", type=_PATH, multiple=True, metavar="FILE", help="Of all events: .csv, .json, .html, .edl ..."
)
@_outputs("--reel", type=_PATH, metavar="FILE", help="One video of all events, with chapters: .mp4, .mkv.")
@_outputs("--chapters", is_flag=True, help="A copy of the video with a chapter for each event: .chapters.mkv.")
@_outputs("--learn-mask", type=_PATH, metavar="FILE", help="Write what always moves as a mask, for --ignore: .png.")
@_outputs("--list-still", is_flag=True, help="Print only the files in which nothing moves, one a line.")
@_outputs("--null", "-0", is_flag=True, help="End each of them with a NUL: for xargs -0, whatever files are called.")
@_outputs("--overwrite", is_flag=True, help="Replace outputs that exist; do finished inputs again.")
@_events("--min-motion", type=Area(), metavar="AREA", help="Least area that moves: 0.05%, or 200px. [default: 0.05%]")
@_events("--min-length", type=_TIME, help="Shorter motion is no event. [default: 0.2]")
@_events("--max-length", type=_TIME, help="Longer events are cut.")
@_events("--merge", type=_TIME, help="Motion that follows so soon is the same event. [default: 2]")
@_events("--before", type=_TIME, help="Seconds that clips show before an event. [default: 1.5]")
@_events("--after", type=_TIME, help="Seconds that clips show after it. [default: 2]")
@_events("--max-events", type=click.IntRange(1), metavar="N", help="Stop a video after so many.")
@_events("--min-area", type=click.FloatRange(0), metavar="PIXELS", help="Smaller objects are noise. [default: by size]")
@_events("--rank", type=Word(["unusual"]), help="List the events that are unlike the others first.")
@input_options(without={"scale", "reconnect", "every"}, rare={"size", "pixel_format", "fps", "stream"})
@_input("--every", type=click.IntRange(1), metavar="N", help="Look at every N-th frame. [default: 12 a second]")
@_input("--concat", is_flag=True, help="Of several inputs make one timeline, with one model.")
@_input("--recursive", is_flag=True, help="Look into the folders below a folder, too.")
@_input(
    "--region",
    type=PathText(),
    multiple=True,
    metavar="WHERE",
    help='Look only here: x,y,width,height, "x,y x,y x,y" or a mask image, in pixels of the source. Repeatable.',
)
@_input("--ignore", type=PathText(), multiple=True, metavar="WHERE", help="Do not look here. Repeatable.")
@_input("--zone", type=PathText(), multiple=True, metavar="NAME=WHERE", help="Say which events touch this. Repeatable.")
@_input("--line", multiple=True, metavar="NAME=LINE", help='Count what goes over it: "gate=x,y x,y". Repeatable.')
@_input("--zones", type=_PATH, metavar="FILE", help="Zones and lines from a TOML file.")
@_input("--local-clock", is_flag=True, help="Dates in files that say UTC are local time, as many cameras write it.")
@_input(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Videos at a time. [default: as many as there are processors]",
)
@_input("--pieces", type=_TIME, help="Cut longer videos at key frames, and scan so long pieces at a time: same events.")
@_model("--fast", is_flag=True, help="Prefer speed: a smaller picture and the quicker model.")
@_model("--method", type=Word(METHODS), default=DEFAULT_METHOD, show_default=True, help="Adaptive finds better.")
@_model("--threads", type=click.IntRange(1, 256), metavar="N", help="Of the model.")
@_model("--load-model", type=_PATH, metavar="FILE", help="Go on with a saved model, and its parameters.")
@_model("--shrink", type=click.IntRange(1, 16), metavar="N", rare=True, help="Look at blocks of NxN pixels.")
@model_options(TABLES, without=("frame_rate", "min_area"))
@scheduler_options
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@verbosity_options
@click.pass_context
def command(ctx: click.Context, sources: tuple[str, ...], **options: Any) -> None:
    """Find when something moves in VIDEO, and where.

    VIDEO is a file, a folder of videos or a pattern ('cam_*.mp4'), here or on a store (s3://bucket/night); several are
    scanned one by one, or with --concat as one timeline. Without an output named, the events are printed. --quiet
    prints nothing but their times, as start,end,start,end. Nothing is ever deleted.

    With --into FOLDER a scan that was broken off goes on where it ended, when the same command is given again.
    """
    set_verbosity(options["verbose"], options["quiet"])
    refuse_contradictions(options)
    if options["save_config"]:
        save_config(ctx)
    with ended_by_signals():
        _scan(ctx, sources, options)


def _scan(ctx: click.Context, sources: Sequence[str], o: dict[str, Any]) -> None:
    if _are_several(sources, o):  # before all the rest is imported here
        from bgsub.motion.forerunner import start_early

        start_early(_method(ctx, o))

    from bgsub.cli.scan_printing import Printing
    from bgsub.jobs.batch import make_folder
    from bgsub.jobs.inputs import find_inputs
    from bgsub.jobs.staging import check_place
    from bgsub.motion.own_files import without_own
    from bgsub.stores.store_paths import as_path

    found = find_inputs(sources, recursive=o["recursive"], repeated=o["concat"])
    job, folder = _job(ctx, o), as_path(o["into"]) if o["into"] else None
    inputs = without_own(found.each, folder, o["reel"])
    if o["concat"] and len(inputs) > 1:
        inputs = [_joined(inputs)]
    if folder is not None:
        make_folder(folder)  # a report may go there
    if o["reel"]:
        check_place(o["reel"], overwrite=o["overwrite"])
    if o["learn_mask"]:
        check_place(o["learn_mask"], overwrite=o["overwrite"], suffixes=(".png",))
    if o["reports"]:
        _check_reports(o["reports"], len(inputs), overwrite=o["overwrite"])
    printing = Printing(inputs, o)
    with printing:
        outcomes = _scan_all(inputs, job, folder, o, printing)
    if o["rank"]:
        outcomes = printing.ranked(outcomes)
    printing.close(outcomes)
    _write_all(outcomes, job, o, printing)
    _exit(outcomes)


def _scan_all(
    inputs: Sequence[Input], job: ScanJob, folder: Path | None, o: dict[str, Any], printing: Printing
) -> list[Outcome]:
    """Scan each input, here or on a cluster."""
    from bgsub.motion.folder import scan_all

    how: dict[str, Any] = {"pieces": o["pieces"], "watch": printing.watch, "on_outcome": printing.tell}
    most = len(inputs) if o["pieces"] is None else 256
    if o["scheduler"] is None:
        return scan_all(inputs, job, _files(o), folder, processes=min(o["jobs"] or available_processors(), most), **how)
    from bgsub.cli.scheduler import connected
    from bgsub.distributed.videos import Videos

    workers = min(o["jobs"] or max(1, available_processors() // (o["threads"] or 1)), most)
    with connected(o, workers=workers, threads=o["threads"]) as client:
        return scan_all(inputs, job, _files(o), folder, crew=Videos(client, printing.sight).scan, **how)


def _method(ctx: click.Context, o: dict[str, Any]) -> str:
    """Return the model that is asked for: the quicker one, where that is preferred and none is named."""
    quicker = o["fast"] and o["load_model"] is None and not given(ctx, ["method"])
    return "mog2" if quicker else o["method"]


def _are_several(sources: Sequence[str], o: dict[str, Any]) -> bool:
    """Return whether processes will be wanted, as far as that can be told at a glance."""
    elsewhere = o["scheduler"] is not None
    if elsewhere or o["concat"] or o["jobs"] == 1 or available_processors() == 1 or not os.path.lexists(sources[0]):
        return False
    if len(sources) > 1 or o["pieces"]:
        return True
    return os.path.isdir(sources[0])  # noqa: PTH112 - of a name that is too long it is False


def _check_reports(paths: Sequence[str], n_inputs: int, *, overwrite: bool) -> None:
    """Refuse what cannot be written, before anything is read."""
    from bgsub.jobs.staging import check_place
    from bgsub.motion.reports.writing import WRITABLE_REPORTS, check_report

    for path in paths:
        check_report(path, n_inputs)
        check_place(path, overwrite=overwrite, suffixes=WRITABLE_REPORTS)


def _write_all(outcomes: Sequence[Outcome], job: ScanJob, o: dict[str, Any], printing: Printing) -> None:
    """Write what is made of all results together: reports, the mask of what always moves."""
    from bgsub.jobs.staging import written_to

    results = [outcome.scanned for outcome in outcomes]
    if o["reports"]:
        from bgsub.motion.reports.moments import clips_among
        from bgsub.motion.reports.writing import write_report

        clips = clips_among([outcome.clips for outcome in outcomes])
        for path in o["reports"]:
            with printing.writing(path):
                write_report(path, results, job.rule, clips=clips)
    if o["reel"] and any(result.events for result in results):
        from bgsub.motion.clips.reel import write_reel
        from bgsub.motion.writing import drawing_of

        drawing, reading, overwrite = drawing_of(o["draw"] or ()), job.excerpt, o["overwrite"]
        with printing.writing(o["reel"]) as told, written_to(o["reel"]) as reel:
            write_reel(results, reel, job.rule, draw=drawing, excerpt=reading, overwrite=overwrite, progress=told)
    elif o["reel"]:
        logger.warning("%s is not written: nothing moves", o["reel"])
    if o["learn_mask"]:
        from bgsub.motion.learned_mask import learn_mask, write_mask

        with printing.writing(o["learn_mask"]), written_to(o["learn_mask"]) as mask:
            write_mask(mask, learn_mask(results))


def _joined(inputs: Sequence[Input]) -> Input:
    """Return several inputs as one, that is called after the first."""
    from dataclasses import replace

    from bgsub.errors import SourceError

    for item in inputs:
        if item.error:
            raise SourceError(item.error)
    names = tuple(name for item in inputs for name in item.reads)
    return replace(inputs[0], name=f"{inputs[0].name}+{len(inputs) - 1}", pictures=names)


def _job(ctx: click.Context, o: dict[str, Any]) -> ScanJob:
    """Return how each input is scanned."""
    from bgsub.jobs import Excerpt, ModelChoice
    from bgsub.motion.events import Rule
    from bgsub.motion.job import ENOUGH, ScanJob
    from bgsub.motion.zone_files import parse_zone, read_zones
    from bgsub.motion.zones import Kind, check_names

    ctx.params["method"] = _method(ctx, o)
    kinds: tuple[tuple[Kind, str], ...] = (("watch", "zone"), ("ignore", "ignore"), ("line", "line"))
    zones = read_zones(o["zones"]) if o["zones"] else []
    zones += [parse_zone(text, kind, i) for kind, name in kinds for i, text in enumerate(o[name], 1)]
    check_names(zones)
    rule = {"threshold": o["min_motion"]} | {
        name: o[name] for name in ("min_length", "max_length", "merge", "before", "after", "max_events")
    }
    only_times = _tells_only_times(o)
    if only_times and o["list_still"] and not o["pieces"]:
        rule["max_events"] = 1  # one is enough to know that it is not still
    return ScanJob(
        "",
        excerpt=Excerpt(**{f.name: o[f.name] for f in fields(Excerpt) if o.get(f.name) is not None}),
        model=ModelChoice(**chosen_model(ctx)),
        rule=Rule(**{name: value for name, value in rule.items() if value is not None}),
        zones=tuple(zones),
        fast=o["fast"],
        shrink=o["shrink"],
        looks=None if o["every"] else ENOUGH,
        min_area=o["min_area"],
        tracks=not only_times,
        local_clock=o["local_clock"],
    )


def _tells_only_times(o: dict[str, Any]) -> bool:
    """Return whether nothing but when something moves is printed, and nothing written: then no object is followed."""
    written = o["into"] or o["reports"] or o["reel"] or o["learn_mask"] or _files(o).any
    return (o["quiet"] or o["list_still"]) and not (written or o["as_json"] or o["rank"])


def _files(o: dict[str, Any]) -> ScanOutputs:
    """Return what is written of each input."""
    from bgsub.motion.outputs import ScanOutputs

    return ScanOutputs(**{f.name: o[f.name] for f in fields(ScanOutputs) if o.get(f.name) is not None})


def _exit(outcomes: Sequence[Outcome]) -> None:
    """End as the whole went."""
    for outcome in outcomes:
        if outcome.state == "interrupted" and outcome.error is not None:
            if isinstance(outcome.error, KeyboardInterrupt):
                sys.exit(130)
            raise outcome.error
    if any(outcome.state == "failed" for outcome in outcomes):
        sys.exit(1)
