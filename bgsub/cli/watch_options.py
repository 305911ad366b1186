"""Kinds of values that ``bgsub watch`` takes."""

from __future__ import annotations

from typing import Any

import click

from bgsub.errors import ParameterError


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
        from bgsub.live.configuration.amounts import seconds, size

        if isinstance(value, (int, float)):
            return value
        try:
            return seconds(value) if self.name == "time" else size(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)
