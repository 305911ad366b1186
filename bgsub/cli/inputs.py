"""What of a video is read: the options of every command that reads one, and the source that they open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.help import section
from bgsub.cli.options import Scale, Seconds

if TYPE_CHECKING:
    from bgsub.video.source import Source

_TIME = Seconds()

_OPTIONS: dict[str, dict[str, Any]] = {
    "start": {"type": _TIME, "help": "Begin here: 90, 1m30s, 1:30 or 0:01:30.5."},
    "end": {"type": _TIME, "help": "Stop before this time."},
    "duration": {"type": _TIME, "help": "Stop after so long, instead of --end."},
    "every": {
        "type": click.IntRange(1),
        "metavar": "N",
        "default": 1,
        "show_default": True,
        "help": "Use every N-th frame.",
    },
    "scale": {"type": Scale(), "metavar": "SIZE", "help": "Shrink: 50%, 0.5, or a width in pixels (640)."},
    "fps": {
        "type": float,
        "metavar": "NUMBER",
        "help": "Frames per second of images (25), or in place of a file's.",
    },
    "stream": {
        "type": click.IntRange(0),
        "metavar": "N",
        "help": "Read this stream, as bgsub info counts them.",
    },
    "size": {
        "metavar": "WxH",
        "help": "Size of pictures without a header (.yuv).",
    },
    "pixel_format": {
        "metavar": "NAME",
        "help": "Of such pictures: nv12, gray16le ...",
    },
    "reconnect": {
        "is_flag": True,
        "help": "Open a stream or camera again when it drops.",
    },
}


def input_options(
    *, without: Collection[str] = (), rare: Collection[str] = (), **defaults: Any
) -> Callable[[Callable], Callable]:
    """Return a decorator that gives a command --start, --end, --every, --scale, --fps and so on.

    Parameters
    ----------
    without : collection of str
        Those that it does not get: ``{"fps"}``.
    rare : collection of str
        Those that stand beside the options of the models in its help.
    **defaults
        Defaults of its own by the option's name, which its help shows: ``scale=320``.
    """

    def decorate(command: Callable) -> Callable:
        for name, settings in reversed(_OPTIONS.items()):
            if name not in without:
                own = {"default": defaults[name], "show_default": True} if name in defaults else {}
                command = section("Input")(f"--{name.replace('_', '-')}", rare=name in rare, **(settings | own))(
                    command
                )
        return command

    return decorate


def open_input(source: str, options: Mapping[str, Any], **others: Any) -> Source:
    """Open the source of a command with what its `input_options` say.

    Parameters
    ----------
    source : str
        What `bgsub.open_source` takes.
    options : mapping
        The command's options; those of other kinds are left alone.
    **others
        What takes the options' place, as None does for no limit: ``start=2.0, end=None, duration=None``.

    Raises
    ------
    SourceError, ParameterError
        As `bgsub.open_source`.
    """
    from bgsub import open_source

    return open_source(source, **({name: options[name] for name in _OPTIONS if name in options} | others))
