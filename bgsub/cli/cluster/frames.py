"""``bgsub cluster frames``: sort the frames of a video into kinds of scene, and find the unusual ones."""

from __future__ import annotations

import contextlib
import logging
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    closing_options,
    components_option,
    covariance_option,
    fitting_options,
    mixture,
    outputs,
    overwrite_option,
)
from bgsub.cli.cluster.written import as_told, at_place, check_outputs
from bgsub.cli.help import Command, section
from bgsub.cli.inputs import input_options, open_input
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText, needs_plots
from bgsub.cli.progress import progress_bar, waiting
from bgsub.cli.scheduler import scheduler_options
from bgsub.cli.signals import ended_by_signals
from bgsub.errors import SourceError
from bgsub.formats import WRITABLE_FIGURES, WRITABLE_MODELS, WRITABLE_TABLES
from bgsub.mixture.settings import default
from bgsub.outputs import default_output

if TYPE_CHECKING:
    from bgsub.features.collecting import FrameFeatures
    from bgsub.features.kinds import Scenes
    from bgsub.pipeline import Tally
    from bgsub.video.source import Source

logger = logging.getLogger(__name__)

_OUTPUTS = ("sheet", "timeline", "output", "model")
_MOST_KINDS = 100

_EXAMPLES = """
bgsub cluster frames street.mp4
bgsub cluster frames today.mkv --every 10 --components 5 --sheet kinds.png --timeline day.png
bgsub cluster frames night.avi --output frames.csv --model night.bgsub --json
bgsub cluster frames night.avi --features-only night.parquet
bgsub cluster frames 'recordings/*.mp4' --into tables
"""


@click.command(name="frames", cls=Command, examples=_EXAMPLES)
@click.argument("sources", nargs=-1, required=True, metavar="VIDEO...", type=PathText())
@outputs(
    "--sheet",
    type=PATH,
    callback=needs_plots,
    metavar="FILE",
    help="Typical frames of each kind, and unusual: .png, .jpg, .svg, .pdf.",
)
@outputs(
    "--timeline",
    type=PATH,
    callback=needs_plots,
    metavar="FILE",
    help="When each kind is seen, with curves: .png, .jpg, .svg, .pdf.",
)
@outputs(
    "--output",
    type=PATH,
    metavar="FILE",
    help="Table of each frame's label, probabilities and log-density: .csv, .parquet, - for CSV on stdout.",
)
@outputs(
    "--model",
    type=PATH,
    metavar="FILE",
    help="The learned model, for `bgsub cluster predict` on a table of --features-only: .bgsub.",
)
@outputs(
    "--features-only",
    type=PATH,
    metavar="FILE",
    help="Table of the frames' features, for `bgsub cluster fit`, and no more: .csv, .parquet, - for CSV on stdout.",
)
@outputs("--into", type=PATH, metavar="FOLDER", help="Folder of the tables of several videos; default the current one.")
@overwrite_option
@input_options(without={"reconnect"}, scale=320)
@section("Input")("--recursive", is_flag=True, help="Look into the folders below a folder, too.")
@components_option(
    "frames",
    type=click.IntRange(1, _MOST_KINDS),
    help="Number of kinds of scene; by default the one of the lowest BIC, up to 8.",
)
@covariance_option("frames")
@mixture(
    "--blur",
    type=click.FloatRange(0, 10, min_open=True),
    metavar="NUMBER",
    default=default("reg_covar", "frames") ** 0.5,
    show_default=True,
    help="Differences under this do not count (standard deviations): less gives more kinds.",
)
@fitting_options("frames", ("n_init", "seed", "threads"), "Of the starts; the same seed gives the same kinds.")
@scheduler_options
@closing_options
def command(sources: tuple[str, ...], **options: Any) -> None:
    """Sort the frames of VIDEO into kinds of scene, and find the unusual ones.

    VIDEO is anything that `bgsub run` takes. What counts is each frame's colours, brightness, edges, moving objects,
    and principal components as a small picture. With no output named, a contact sheet goes to NAME.scenes.png and a
    timeline to NAME.timeline.png in the current folder. A group of less than 1 % of the frames is not a kind but
    unusual. Ctrl-C ends the reading early; what was read by then is sorted.

    Of several files, a folder of videos or a pattern ('cam_*.mp4') nothing is sorted: each gets a table of its frames'
    features in one folder (--into), for `bgsub cluster fit FOLDER`, and bgsub-frames.jsonl lists what is done: the same
    command goes on where it ended.
    """
    set_verbosity(options["verbose"], options["quiet"])
    from bgsub.cli.cluster.frames_of_many import found_in, write_tables

    found = found_in(sources, options)
    if options["into"] or options["scheduler"] or found.several:
        refused = [*_OUTPUTS, "features_only", "components"]
        if named := [f"--{name.replace('_', '-')}" for name in refused if options[name]]:
            raise click.UsageError(f"of several videos there are tables of features alone: leave out {named[0]}")
        with ended_by_signals():
            write_tables(found.each, options)
        return
    (source,) = sources
    if options["features_only"] and any(options[name] for name in (*_OUTPUTS, "components")):
        raise click.UsageError("--features-only sorts nothing: leave out the other outputs and --components")
    paths = [(options[name], WRITABLE_FIGURES) for name in ("sheet", "timeline")]
    paths += [(options[name], WRITABLE_TABLES) for name in ("output", "features_only")]
    check_outputs([*paths, (options["model"], WRITABLE_MODELS)], [source], options["overwrite"])
    with ended_by_signals():
        _Sorting(source, options).execute()


@dataclass
class _Sorting:
    """One call of ``bgsub cluster frames``: from the source to what is written of it."""

    source: str
    options: dict[str, Any]
    written: list[str] = field(default_factory=list)
    interrupted: bool = False
    broken: SourceError | None = None

    def execute(self) -> None:
        """Read, sort, write, report; then report what ended the reading early."""
        from bgsub.cli.cluster.scene_report import report

        features = self._read()
        o = self.options
        if o["features_only"]:
            from bgsub.tables.writing import write_table

            with at_place(o["features_only"]) as here:
                write_table(here, features.columns())
            self._wrote("features_only")
            report(self._facts(features), None, o)
        else:
            scenes = self._sort(features)
            self._write(scenes)
            report(self._facts(features), scenes, o)
        if self.interrupted:
            sys.exit(130)
        if self.broken is not None:
            raise self.broken

    # -------------------------------------------------------------------------------------------------- steps

    def _read(self) -> FrameFeatures:
        """Return the features of the frames, as far as the source, or the user's patience, goes."""
        from bgsub.features.collecting import FeatureCollector
        from bgsub.features.videos import look_through
        from bgsub.pipeline import Tally

        tally = Tally()
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(open_input(self.source, self.options))
            self._choose_outputs(source)
            collector = stack.enter_context(FeatureCollector())
            bar = stack.enter_context(progress_bar("reading", source.info.expected_frame_count, self.options["quiet"]))
            try:
                look_through(source, collector, tally, threads=self.options["threads"], progress=bar)
            except KeyboardInterrupt:
                self.interrupted = True
                if tally.read <= max(2, self.options["components"] or 0):  # too few to sort, and the last one is lost
                    raise
            except SourceError as error:
                self.broken = error
                if not tally.read:
                    raise
            if not tally.read:
                raise SourceError(f"{self.source} gave no frame: check --start, --end and --duration")
            self._tell_of_losses(tally)
            return collector.features()

    def _sort(self, features: FrameFeatures) -> Scenes:
        from bgsub.features.kinds import Settings, find_scenes

        o = self.options
        settings = Settings(
            o["components"], o["covariance"], o["blur"] ** 2, n_init=o["n_init"], seed=o["seed"], threads=o["threads"]
        )
        with waiting("sorting", o["quiet"]):
            return find_scenes(features, settings)

    def _write(self, scenes: Scenes) -> None:
        """Write what was asked for."""
        o = self.options
        if o["sheet"] or o["timeline"]:
            from bgsub.cli.cluster.scene_report import write_sheet, write_timeline

            with waiting("drawing", o["quiet"]):
                if o["timeline"]:
                    with at_place(o["timeline"]) as here:
                        write_timeline(here, scenes)
                    self._wrote("timeline")
                if o["sheet"]:
                    with at_place(o["sheet"]) as here:
                        write_sheet(here, scenes, self._open_from)
                    self._wrote("sheet")
        if o["output"]:
            from bgsub.tables.writing import write_table

            with at_place(o["output"]) as here:
                write_table(here, scenes.columns())
            self._wrote("output")
        if o["model"]:
            from bgsub.clustering.fitting import model_of_projection
            from bgsub.features.collecting import FEATURES

            projection = (scenes.offset, scenes.forward, scenes.backward)
            with at_place(o["model"]) as here:
                model_of_projection(FEATURES, projection, scenes.fit, scenes.log_density).save(here)
            self._wrote("model")

    # ------------------------------------------------------------------------------------------------- details

    def _open_from(self, start: float) -> Source:
        """Open the source once more, from one of the frames that were read."""
        return open_input(self.source, self.options, start=start, end=None, duration=None)

    def _choose_outputs(self, source: Source) -> None:
        """Name the default outputs where none was asked for; refuse what the source cannot give."""
        o = self.options
        if o["sheet"] and not source.repeatable:
            raise SourceError(f"{source.info.name} cannot be read twice, as --sheet needs: leave it out")
        if not any(o[name] for name in (*_OUTPUTS, "features_only")):
            o["timeline"] = str(default_output(source.info.name, ".timeline.png"))
            if source.repeatable:
                o["sheet"] = str(default_output(source.info.name, ".scenes.png"))
            else:
                logger.info("%s cannot be read twice: there will be no contact sheet", source.info.name)

    def _tell_of_losses(self, tally: Tally) -> None:
        if tally.damaged:
            logger.warning("%d damaged frames were skipped", tally.damaged)
        if tally.dropped:
            logger.warning("%d frames were dropped to keep up with the source", tally.dropped)

    def _facts(self, features: FrameFeatures) -> dict[str, Any]:
        """Return what the summary begins with."""
        how = "interrupted" if self.interrupted else "done" if self.broken is None else "broken off"
        return {"result": how, "source": as_told(self.source), "frames": len(features), "outputs": self.written}

    def _wrote(self, name: str) -> None:
        if self.options[name] != "-":
            self.written.append(as_told(self.options[name]))
