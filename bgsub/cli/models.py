"""The background model that the options of a command ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from bgsub.background.methods import METHODS, Method, method_of_kind
from bgsub.cli.options import given, read_region
from bgsub.errors import ParameterError
from bgsub.files import kind_of

TABLES = {name: method.parameters for name, method in METHODS.items()}
"""Parameters of each method by its name, the default one first."""

_NO_OPTION = ("scale",)  # a run finds the range anyway; `--scale` is the size of the pictures
_CLEANED = ("min_area",)  # an option with every method: masks are cleaned by it, if the model does not know it


def chosen_model(ctx: click.Context) -> dict[str, Any]:
    """Return the model that the options ask for, as keywords of `bgsub.jobs.ModelChoice`.

    Raises
    ------
    click.UsageError
        When an option of another method was typed, or `--method` is not that of the saved model.
    ParameterError
        When something was typed that a saved model fixes, or that is no region.
    """
    o = ctx.params
    method = _method(ctx)
    _refuse_other_methods(ctx, method)
    names: list[str] = sorted(_typed(ctx, method.names), key=method.names.index)
    if o["load_model"] is not None:
        fixed = _typed(ctx, method.fixed)
        if fixed:
            raise ParameterError(f"{_flag(min(fixed))} is fixed in a saved model: leave it out")
    return {
        "method": method.name,
        "parameters": {name: o[name] for name in names},
        "region": read_region(o["region"]),
        "threads": o["threads"],
        "load": o["load_model"],
    }


def _method(ctx: click.Context) -> Method:
    """Return the method: that of the saved model, if one is loaded."""
    asked, path = METHODS[ctx.params["method"]], ctx.params["load_model"]
    saved = None if path is None else method_of_kind(kind_of(path))
    if saved is None:  # a file that holds none of them is refused when it is loaded
        return asked
    if saved is not asked and given(ctx, ["method"]):
        raise click.UsageError(f"{path} holds a model of --method {saved.name}, not {asked.name}: leave out --method")
    return saved


def _refuse_other_methods(ctx: click.Context, method: Method) -> None:
    """Raise if an option was typed that the method does not have."""
    allowed = {*method.names, *_CLEANED}
    for other in METHODS.values():
        foreign = [name for name in other.names if name not in allowed]
        for name in sorted(_typed(ctx, foreign), key=foreign.index):
            if ctx.params["load_model"] is None:
                raise click.UsageError(
                    f"{_flag(name)} belongs to --method {other.name}, not {method.name}: "
                    "choose that method, or leave it out"
                )
            raise click.UsageError(
                f"{_flag(name)} belongs to --method {other.name}, "
                f"but {ctx.params['load_model']} holds a model of {method.name}: leave it out"
            )


def _typed(ctx: click.Context, names: Iterable[str]) -> set[str]:
    """Return those parameters and settings of a model that were typed."""
    return given(ctx, [name for name in names if name not in _NO_OPTION])


def _flag(name: str) -> str:
    return "--range" if name == "value_range" else f"--{name.replace('_', '-')}"
