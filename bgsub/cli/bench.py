"""``bgsub bench``: this machine's speed against OpenCV's MOG2, and whether MOG2's masks agree."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.help import Command
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText, verbosity_options

if TYPE_CHECKING:
    from bgsub.evaluation.speed import SpeedResult


class _Size(click.ParamType):
    """A frame size such as 640x480."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return width and height."""
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(value))
        if match is None or not (32 <= int(match[1]) <= 8192 and 32 <= int(match[2]) <= 8192):
            self.fail(f"{value!r} is no size: write 640x480, each side from 32 to 8192", param, ctx)
        return int(match[1]), int(match[2])


_EXAMPLES = """
bgsub bench
bgsub bench --size 1280x720 --threads 1 --rounds 40
bgsub bench --video street.mp4 --json
"""


@click.command(name="bench", cls=Command, examples=_EXAMPLES)
@click.option(
    "--size", "sizes", type=_Size(), multiple=True, help="Frame size, repeatable; default 640x480, 1280x720, 1920x1080."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    metavar="N",
    multiple=True,
    help="Threads for each, repeatable; default 1 and 2.",
)
@click.option(
    "--rounds",
    type=click.IntRange(2, 1000),
    metavar="N",
    default=20,
    show_default=True,
    help="Rounds of 6 frames each.",
)
@click.option("--video", type=PathText(), metavar="FILE", help="Measure on this video instead of a synthetic scene.")
@click.option("--shadows/--no-shadows", default=True, help="With or without shadow detection.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity_options
def command(
    sizes: tuple[tuple[int, int], ...],
    threads: tuple[int, ...],
    rounds: int,
    video: str | None,
    shadows: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Measure bgsub's models against OpenCV's MOG2 on this machine.

    All get the same frames in turn, in blocks of 6 frames and in shuffled order. The figures are medians; a ratio of
    5 means a fifth of OpenCV's time. "exact" and "compact" are MOG2 in both precisions; beside each stands the share
    of mask pixels on which it differs from OpenCV's. "adaptive" is the model of better masks, which are others.
    Close other programs first: a busy machine slows OpenCV more and flatters us.
    """
    from bgsub.evaluation.speed import SIZES, compare

    if video is not None and sizes:
        raise click.UsageError("--video has a size of its own: leave out --size")
    set_verbosity(verbose, quiet)
    frames = None if video is None else _frames_of(video)
    results = compare(
        sizes=list(sizes) or SIZES,
        threads=threads or (1, 2),
        rounds=rounds,
        shadows=shadows,
        frames=frames,
        on_result=None if quiet or as_json else _say,
    )
    if as_json:
        click.echo(json.dumps([result.as_dict() for result in results]))
    else:
        _print_table(results)


def _frames_of(video: str, count: int = 60, skip: int = 100) -> list[Any]:
    """Return frames of a video, from beyond its beginning where it is long enough."""
    from collections import deque
    from itertools import islice

    from bgsub.video.opening import open_source

    with open_source(video) as source:
        return list(deque((frame.image for frame in islice(source, skip + count)), maxlen=count))


def _say(result: SpeedResult) -> None:
    click.echo(f"{result.width}x{result.height}, threads {result.threads}: done", err=True)


def _print_table(results: list[SpeedResult]) -> None:
    """Print a row a measurement."""
    from bgsub.cli.tables import print_table

    mog2, adaptive = ("exact", "ratio", "differing", "compact", "ratio", "differing"), ("adaptive", "ratio")
    rows = []
    for r in results:
        cells = [f"{r.width}x{r.height}", str(r.threads), f"{r.milliseconds['opencv']:.2f} ms"]
        for name, speedup in r.speedup.items():
            cells += [f"{r.milliseconds[name]:.2f} ms", f"{speedup.median:.1f}x"]
            if name in r.differing:
                cells.append(f"{r.differing[name]:.4%}")
        rows.append(cells)
    print_table(["size", "threads", "OpenCV", *mog2, *adaptive], rows)
