"""``bgsub cluster colors``: the few colours that a picture or a video is made of."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    closing_options,
    components_option,
    covariance_option,
    fitting_options,
    outputs,
    overwrite_option,
)
from bgsub.cli.cluster.written import as_told, at_place, check_outputs
from bgsub.cli.help import Command
from bgsub.cli.inputs import input_options, open_input
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText, needs_plots
from bgsub.cli.progress import counting_bar, waiting
from bgsub.cli.signals import ended_by_signals
from bgsub.errors import SourceError
from bgsub.formats import READABLE_IMAGES, WRITABLE_FIGURES, WRITABLE_IMAGES, WRITABLE_VIDEOS
from bgsub.outputs import default_output
from bgsub.stores.store_paths import as_path

if TYPE_CHECKING:
    from bgsub.features.palette import Palette, PixelSample
    from bgsub.video.source import Source

_MOST_COLOURS = 256

_EXAMPLES = """
bgsub cluster colors photo.jpg
bgsub cluster colors photo.jpg --components 16 --soft --output poster.png --palette palette.png
bgsub cluster colors street.mp4 --every 10 --components 5 --json
bgsub cluster colors street.mp4 --components 6 --output poster.mp4
"""


@click.command(name="colors", cls=Command, examples=_EXAMPLES)
@click.argument("source", metavar="IMAGE_OR_VIDEO", type=PathText())
@outputs(
    "--output",
    type=PATH,
    metavar="FILE",
    help="The picture in these colours: .png, .jpg, .webp, ...; of a video .mp4, .mkv, .webm.",
)
@outputs(
    "--palette",
    type=PATH,
    callback=needs_plots,
    metavar="FILE",
    help="The colours as a picture: .png, .jpg, .svg, .pdf.",
)
@outputs("--soft", is_flag=True, help="Mix the colours by their probabilities: smooth where they meet.")
@overwrite_option
@input_options(without={"fps", "reconnect"})
@components_option("colors", type=click.IntRange(1, _MOST_COLOURS), metavar="K", help="Number of colours.")
@covariance_option("colors", "Shape of a colour's cluster: any ellipse; one for all; along the axes; circles.")
@fitting_options(
    "colors",
    ("n_init", "seed", "threads"),
    "Of the starts and of the pixels drawn; the same seed gives the same colours.",
)
@closing_options
def command(source: str, **options: Any) -> None:
    """Find the few colours that IMAGE_OR_VIDEO is made of, and draw it in them.

    Prints the palette, the most frequent colour first. A mixture of Gaussians is fitted to pixels in CIE Lab, where
    equal distances look equally different; of more than 100,000 pixels, to so many drawn at random. With no output
    named, the palette goes to NAME.palette.png and an image in its colours to NAME.quantised.png in the current folder.
    """
    set_verbosity(options["verbose"], options["quiet"])
    job = _Quantisation(source, options)
    check_outputs(
        [(options["output"], job.suffixes), (options["palette"], WRITABLE_FIGURES)], [source], options["overwrite"]
    )
    with ended_by_signals():
        job.execute()


@dataclass
class _Quantisation:
    """One call of ``bgsub cluster colors``: from the source to palette and pictures."""

    source: str
    options: dict[str, Any]
    written: list[str] = field(default_factory=list)

    @property
    def is_image(self) -> bool:
        """Whether the source is a single image."""
        path = as_path(self.source)
        return path.suffix.lower() in READABLE_IMAGES and path.is_file()

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Extensions that the quantised picture or video may have."""
        return WRITABLE_IMAGES if self.is_image else WRITABLE_VIDEOS

    def execute(self) -> None:
        """Learn the palette, write what was asked for, print."""
        from bgsub.features.palette import learn_palette

        o = self.options
        sample = self._sample()
        with waiting("fitting", o["quiet"]):
            palette = learn_palette(
                sample.pixels(),
                o["components"],
                covariance_type=o["covariance"],
                n_init=o["n_init"],
                seed=o["seed"],
                threads=o["threads"],
            )
        if o["palette"]:
            from bgsub.plots.figures import save_figure
            from bgsub.plots.swatches import palette_figure

            with at_place(o["palette"]) as here:
                save_figure(palette_figure(palette.hexadecimal(), palette.shares.tolist()), here)
            self.written.append(as_told(o["palette"]))
        interrupted = False
        if o["output"]:
            with at_place(o["output"]) as here:
                interrupted = self._draw(palette, here)
        self._report(palette)
        if interrupted:
            sys.exit(130)

    def _sample(self) -> PixelSample:
        """Draw pixels of all frames."""
        from bgsub.features.palette import PixelSample

        o = self.options
        sample = PixelSample(o["seed"], single=self.is_image)
        with open_input(self.source, self.options) as source:
            if not (o["output"] or o["palette"]):
                o["palette"] = str(default_output(source.info.name, ".palette.png"))
                if self.is_image:
                    o["output"] = str(default_output(source.info.name, ".quantised.png"))
            if o["output"] and not source.repeatable:
                raise SourceError(f"{source.info.name} cannot be read twice, as --output needs: leave it out")
            count = 0
            with counting_bar("reading", source.info.expected_frame_count, o["quiet"], "frames") as show:
                for count, frame in enumerate(source, 1):
                    sample.add(frame.image)
                    if show is not None:
                        show(count)
        if not count:
            raise SourceError(f"{self.source} gave no frame: check --start, --end and --duration")
        return sample

    def _draw(self, palette: Palette, output: str) -> bool:
        """Write the image or video in the palette's colours; tell whether Ctrl-C ended it early."""
        soft = self.options["soft"]
        with open_input(self.source, self.options) as source:
            if self.is_image:
                from bgsub.video.writers.stills import write_image

                for frame in source:
                    write_image(Path(output), palette.quantised(frame.image, soft=soft), [])
                self.written.append(as_told(self.options["output"]))
                return False
            return self._draw_video(source, palette, output)

    def _draw_video(self, source: Source, palette: Palette, output: str) -> bool:
        """Write the video; tell whether Ctrl-C ended it early, which leaves a shorter video."""
        from bgsub.video.frame import Frame
        from bgsub.video.writers.videos import frames_sink

        o, count = self.options, 0
        try:
            with (
                frames_sink(output, source.info, overwrite=o["overwrite"], source=self.source) as sink,
                counting_bar("drawing", source.info.expected_frame_count, o["quiet"], "frames") as show,
            ):
                for count, frame in enumerate(source, 1):
                    sink.write(Frame(frame.index, frame.time, palette.quantised(frame.image, soft=o["soft"])))
                    if show is not None:
                        show(count)
        except KeyboardInterrupt:
            if not count:
                raise
            return True
        finally:
            if Path(output).exists():
                self.written.append(as_told(o["output"]))
        return False

    def _report(self, palette: Palette) -> None:
        """Print the palette."""
        o = self.options
        names, shares = palette.hexadecimal(), palette.shares.tolist()
        if o["as_json"]:
            colours = [
                {"hex": name, "rgb": bgr[::-1], "share": share}
                for name, bgr, share in zip(names, palette.colours.tolist(), shares, strict=True)
            ]
            click.echo(json.dumps({"source": as_told(self.source), "palette": colours, "outputs": self.written}))
            return
        if o["quiet"]:
            return
        for name, (blue, green, red), share in zip(names, palette.colours.tolist(), shares, strict=True):
            click.echo(f"{name}  {red:3} {green:3} {blue:3}  {share:6.1%}")
        for path in self.written:
            click.echo(f"  wrote {path}")
