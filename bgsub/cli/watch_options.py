"""Kinds of values that ``bgsub watch`` takes."""

from __future__ import annotations

from typing import Any

import click

from bgsub.errors import ParameterError

_DRAWN = ("boxes", "mask")


class Amount(click.ParamType):
    """A time or a size with a unit, as in a file of cameras: 30s, 10min, 30d; 500MB, 20GB.

    Parameters
    ----------
    name : {'time', 'size'}
        Which.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | int:
        """Return seconds, or bytes."""
        from bgsub.live.amounts import seconds, size

        if isinstance(value, (int, float)):
            return value
        try:
            return seconds(value) if self.name == "time" else size(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)


class Drawn(click.ParamType):
    """What is drawn into clips, with commas between."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the words."""
        words = value.split(",") if isinstance(value, str) else value
        named = tuple(word.strip().lower() for word in words)
        for word in named:
            if word not in _DRAWN:
                self.fail(f"{word!r} is not drawn; there are {', '.join(_DRAWN)}", param, ctx)
        return named
