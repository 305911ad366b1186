"""What commands share: kinds of values, and options made from the tables of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from bgsub.background.parameters import Parameter
from bgsub.cli.help import section
from bgsub.errors import ParameterError


class Seconds(click.ParamType):
    """A time: seconds, or hours, minutes and seconds with colons."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the time in seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        parts = str(value).split(":")
        try:
            numbers = [float(part) for part in parts]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3 or not all(0 <= n < float("inf") for n in numbers):
            self.fail(f"{value!r} is no time: write seconds (90), or 1:30, or 0:01:30.5", param, ctx)
        return sum(n * 60**power for power, n in enumerate(reversed(numbers)))

    @staticmethod
    def written(seconds: float) -> str:
        """Return a time as it can be typed: ``0:01:30.50``."""
        minutes, rest = divmod(round(seconds, 2), 60)
        return f"{int(minutes // 60)}:{int(minutes % 60):02}:{rest:05.2f}"


class FilePath(click.Path):
    """Name of a file or folder; an empty one, as of a shell variable that is not set, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if not value:
            self.fail("the name is empty", param, ctx)
        return super().convert(value, param, ctx)


class FromTable(click.ParamType):
    """A value that the table of parameters checks, with the table's message."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.name = "integer" if isinstance(parameter.default, int) else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value, in bounds."""
        try:
            return self.parameter.check(type(self.parameter.default)(value))
        except ValueError:  # ParameterError is one
            self.fail(f"{value} is out of bounds: give {self.parameter.bounds}", param, ctx)


def model_options(parameters: Iterable[Parameter]) -> Callable[[Callable], Callable]:
    """Return a decorator that gives a command an option for each parameter."""
    model_option = section("Model")

    def decorate(command: Callable) -> Callable:
        for p in reversed(list(parameters)):
            name, switch = f"--{p.name.replace('_', '-')}", isinstance(p.default, bool)
            flags = f"{name}/--no-{name[2:]}" if switch else name
            text = p.description[0].upper() + p.description[1:]
            if not switch:
                text += (f" ({p.unit})" if p.unit else "") + f"; {p.bounds}"
            kind = None if switch else FromTable(p)
            command = model_option(flags, p.name, type=kind, default=p.default, show_default=True, help=f"{text}.")(
                command
            )
        return command

    return decorate


def verbosity_options(command: Callable) -> Callable:
    """Give a command -q and -v."""
    command = click.option("-q", "--quiet", is_flag=True, help="Only errors; no progress, no summary.")(command)
    return click.option("-v", "--verbose", is_flag=True, help="Say more of what is going on.")(command)


def read_region(texts: tuple[str, ...]) -> Any:
    """Return the region that ``--region`` names: an image file as a mask, or polygons; None for the whole frame.

    Raises
    ------
    ParameterError
        When a text is neither, or a mask stands beside other regions.
    """
    from bgsub.background.region import parse_polygon
    from bgsub.video.images import read_mask

    if not texts:
        return None
    files = [text for text in texts if "," not in text or Path(text).exists()]
    if not files:
        return [parse_polygon(text) for text in texts]
    if len(texts) > 1:
        raise ParameterError("--region: give one mask image, or any number of polygons, not both")
    return read_mask(Path(files[0]))


def given(ctx: click.Context, names: Iterable[str]) -> set[str]:
    """Return those of the options that were typed, not left at their defaults."""
    return {name for name in names if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
