"""The background models of ``bgsub run``: which there are, and the one that its options ask for."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub.background.parameters import ADAPTIVE_PARAMETERS, MOG2_PARAMETERS
from bgsub.cli.options import given, read_region
from bgsub.errors import ParameterError

if TYPE_CHECKING:
    from bgsub.background.adaptive.model import BackgroundSubtractor
    from bgsub.background.mog2.model import MOG2
    from bgsub.video.frame import VideoInfo

    Model = BackgroundSubtractor | MOG2

METHODS = {"adaptive": ADAPTIVE_PARAMETERS, "mog2": MOG2_PARAMETERS}
"""Parameters of each method by its name, which is also the kind of its model files; the first is the default."""

_CLASSES = {
    "adaptive": ("bgsub.background.adaptive.model", "BackgroundSubtractor"),
    "mog2": ("bgsub.background.mog2.model", "MOG2"),
}
_SETTINGS: dict[str, tuple[str, ...]] = {"adaptive": (), "mog2": ("precision",)}  # keywords besides the parameters
_SHARED = ("min_area",)  # cleans the masks of a model that has no such parameter
_FIXED = ("n_components", "precision", "region")  # when a model is made


def make_model(ctx: click.Context) -> Model:
    """Return the model that the options ask for: a new one, or a saved one with the parameters that were typed.

    Raises
    ------
    click.UsageError
        When an option of another method was typed, or `--method` is not that of the saved model.
    ParameterError
        When a value is out of bounds, or fixed in a saved model.
    ModelFileError
        When the saved model cannot be read.
    """
    o = ctx.params
    method = _method(ctx)
    _refuse_other_methods(ctx, method)
    parameters = {name: o[name] for name in given(ctx, METHODS[method])}
    if o["load_model"] is None:
        settings = {name: o[name] for name in _SETTINGS[method]}
        return _class(method)(**parameters, **settings, region=read_region(o["region"]), threads=o["threads"])
    fixed = given(ctx, _FIXED)
    if fixed:
        raise ParameterError(f"{_flag(min(fixed))} is fixed in a saved model: leave it out")
    model = _class(method).load(o["load_model"], threads=o["threads"])
    model.set_parameters(**parameters)
    return model


def tell_frame_rate(model: Model, info: VideoInfo) -> None:
    """Let a model that counts in seconds know how many frames it will see in one, if the source knows."""
    if "frame_rate" in model.parameters and info.fps:
        model.set_parameters(frame_rate=float(info.fps))


def _method(ctx: click.Context) -> str:
    """Return the method: that of the saved model, if one is loaded."""
    method, path = ctx.params["method"], ctx.params["load_model"]
    saved = None if path is None else _kind_of(Path(path))
    if saved not in METHODS:  # a file that holds none of them is refused when it is loaded
        return method
    if saved != method and given(ctx, ["method"]):
        raise click.UsageError(f"{path} holds a model of --method {saved}, not {method}: leave out --method")
    return saved


def _kind_of(path: Path) -> str | None:
    """Return what kind of model a file claims to hold; None where it cannot be told."""
    if not path.is_file():  # opening a pipe would wait
        return None
    try:
        with path.open("rb") as file:
            file.readline(100)
            kind = json.loads(file.readline(1 << 20))["kind"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return kind if isinstance(kind, str) else None


def _refuse_other_methods(ctx: click.Context, method: str) -> None:
    """Raise if an option was typed that the method does not have."""
    allowed = {*METHODS[method], *_SETTINGS[method], *_SHARED}
    for other, table in METHODS.items():
        foreign = [name for name in (*table, *_SETTINGS[other]) if name not in allowed]
        for name in sorted(given(ctx, foreign), key=foreign.index):
            if ctx.params["load_model"] is None:
                raise click.UsageError(
                    f"{_flag(name)} belongs to --method {other}, not {method}: choose that method, or leave it out"
                )
            raise click.UsageError(
                f"{_flag(name)} belongs to --method {other}, "
                f"but {ctx.params['load_model']} holds a model of {method}: leave it out"
            )


def _class(method: str) -> Any:
    module, name = _CLASSES[method]
    return getattr(importlib.import_module(module), name)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
