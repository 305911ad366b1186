"""The command line: one file a command. `bgsub --help` imports neither Numba nor OpenCV nor PyAV."""

from __future__ import annotations

import sys
from typing import Any

import click

from bgsub import __version__
from bgsub.cli.groups import LazyGroup
from bgsub.errors import BgsubError, ParameterError
from bgsub.extras import explained

_COMMANDS = {
    "run": "Mask moving objects in a video, a camera or a stream.",
    "info": "Tell what a source is: size, rate, frames, codec.",
    "cluster": "Cluster the rows of a table by a Gaussian mixture.",
    "evaluate": "Score masks against ground truth, ours or a peer's.",
    "bench": "Measure this machine's speed against OpenCV's MOG2.",
}


_EXAMPLES = """
bgsub run street.mp4                       street.mask.mkv, street.overlay.mp4
bgsub run street.mp4 --mask masks/         a PNG a frame
bgsub run 0 --show                         the first camera, in a window
bgsub info street.mp4                      size, rate, length, codec
bgsub bench                                how fast this machine is
"""


@click.group(
    cls=LazyGroup,
    package="bgsub.cli",
    lazy_commands=_COMMANDS,
    examples=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version")
def cli() -> None:
    """Mask moving objects in video, live or recorded. `bgsub COMMAND --help` explains a command."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; exit with 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        with explained("this command"):
            cli.main(arguments, prog_name="bgsub", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BgsubError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, ParameterError) else 1)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(130)
