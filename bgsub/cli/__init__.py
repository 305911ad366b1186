"""The command line: one file a command. `bgsub --help` imports neither Numba nor OpenCV nor PyAV."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from bgsub import __version__
from bgsub.cli.groups import LazyGroup
from bgsub.errors import BgsubError, ParameterError
from bgsub.extras import explained
from bgsub.formats import READABLE_IMAGES, READABLE_VIDEOS

_COMMANDS = {
    "run": "Mask moving objects in a video, a camera or a stream.",
    "scan": "Find when something moves in recordings: events, clips, reports.",
    "watch": "Watch cameras, record what moves, for as long as nobody says stop.",
    "info": "Tell what a source is: size, rate, frames, codec.",
    "cluster": "Cluster the rows of a table by a Gaussian mixture.",
    "evaluate": "Score masks against ground truth, ours or a peer's.",
    "bench": "Measure this machine's speed against OpenCV's MOG2.",
}


_EXAMPLES = """
bgsub run street.mp4                       street.mask.mkv, street.overlay.mp4
bgsub run street.mp4 --mask masks/         a PNG a frame
bgsub run 0 --show                         the first camera, in a window
bgsub scan recordings/                     when something moves, file by file
bgsub watch rtsp://10.0.0.7/main           a camera, watched and recorded
bgsub info street.mp4                      size, rate, length, codec
bgsub cluster select customers.csv         how many kinds of customers
bgsub cluster frames street.mp4            kinds of scene, and odd moments
bgsub evaluate sample_videos               how good the masks are
bgsub bench                                how fast this machine is
"""


class Program(LazyGroup):
    """All commands. Where a source stands in the place of a command it is run: ``bgsub street.mp4``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line up to the command's name."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            text = f"No such option '{error.option_name}' before a command: is it `bgsub run {error.option_name}`?"
            raise click.NoSuchOption(error.option_name, text, ctx=ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called, `run` where the name is a source."""
        if args[0] not in self.lazy_commands and _is_source(args[0]):
            return "run", self.get_command(ctx, "run"), args
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Let the shell complete names of commands, and of files where there is no such command."""
        return super().shell_complete(ctx, incomplete) or [CompletionItem(incomplete, type="file")]


def _is_source(word: str) -> bool:
    """Tell whether a word looks like something to mask: also a pattern, or a path that was pasted with its quotes."""
    from bgsub.stores.addresses import is_stored
    from bgsub.video.locating import locate, readings

    found = locate(word) if word else Path()
    return (
        not isinstance(found, Path)
        or is_stored(found)
        or os.path.lexists(found)
        or any(text.lower().endswith((*READABLE_VIDEOS, *READABLE_IMAGES)) or "*" in text for text in readings(word))
    )


@click.group(
    cls=Program,
    package="bgsub.cli",
    lazy_commands=_COMMANDS,
    examples=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version")
def cli() -> None:
    """Mask moving objects in video, live or recorded; cluster tables. `bgsub COMMAND --help` explains a command."""


def _spelt(words: list[str]) -> list[str]:
    """Return ``help run`` and ``version`` as the options that they are elsewhere."""
    if words[:1] == ["help"]:
        return [*words[1:], "--help"]
    return ["--version"] if words == ["version"] else words


_COLLECTED_AFTER = 50_000  # objects; Python's 700 let a start of a million objects look for rubbish a thousand times


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; exit with 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    gc.set_threshold(_COLLECTED_AFTER)
    try:
        with explained("this command"):
            cli.main(_spelt(sys.argv[1:] if arguments is None else arguments), prog_name="bgsub", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BgsubError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, ParameterError) else 1)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(130)
