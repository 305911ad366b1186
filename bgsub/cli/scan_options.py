"""Kinds of values of ``bgsub scan``, and its settings from files: presets, TOML."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from bgsub.cli.options import FilePath, Word
from bgsub.motion.presets import PRESETS

_LARGEST = 2**20  # bytes of a file of settings
_NOT_KEPT = (
    "sources",
    "config",
    "save_config",
    "preset",
    "as_json",
    "verbose",
    "quiet",
    "list_still",
    "null",
    "scheduler",
)


class Area(click.ParamType):
    """A part of the region, 0.05%, or a number of pixels, 200px."""

    name = "area"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return a share below 1, or pixels from 1."""
        if isinstance(value, float):  # as it was converted before
            return value
        number, unit = re.fullmatch(r"([\d.]*)\s*(.*)", str(value).strip().lower()).groups()  # type: ignore[union-attr]
        try:
            area = float(number) / {"%": 100, "px": 1}[unit]
        except (ValueError, KeyError):
            area = 0.0
        if not (0 < area < 1 if unit == "%" else area >= 1):
            self.fail(f"{value!r} is no area: write a part of the region (0.05%) or pixels (200px)", param, ctx)
        return area


def config_options(command: Callable) -> Callable:
    """Give a command --preset, --config, --save-config: what is typed outdoes the file, and that the preset."""
    for option in (
        click.option("--save-config", type=FilePath(), metavar="FILE", help="Write the settings to a file, and scan."),
        click.option(
            "--config",
            type=FilePath(),
            metavar="FILE",
            is_eager=True,
            callback=_from_file,
            help="Settings from a TOML file: options without their dashes.",
        ),
        click.option(
            "--preset",
            type=Word(PRESETS),
            is_eager=True,
            callback=_from_preset,
            help="Settings for a kind of place.",
        ),
    ):
        command = option(command)
    return command


def _from_preset(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.default_map = {**PRESETS[value], **(ctx.default_map or {})}
    return value


def _from_file(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Take the settings of a file for those that are not typed."""
    if value is None:
        return None
    settings = _read(Path(value))
    known = {p.name: p for p in ctx.command.params if p.name and p.name not in ("sources", "config", "save_config")}
    taken = {}
    for key, setting in settings.items():
        name = {"json": "as_json", "report": "reports"}.get(key, key.replace("-", "_"))
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            told = f"; is it {near[0].replace('_', '-')}?" if near else "; bgsub scan --help lists them"
            raise click.UsageError(f"{value}: there is no option {key!r}{told}", ctx)
        taken[name] = _converted(known[name], setting, f"{value}: {key}", ctx)
    preset = taken.pop("preset", None)
    ctx.default_map = {**PRESETS.get(preset or "", {}), **(ctx.default_map or {}), **taken}
    return value


def _converted(option: click.Parameter, setting: Any, where: str, ctx: click.Context) -> Any:
    """Return a setting, if the option takes it."""
    if not isinstance(setting, (str, int, float, list)) or (isinstance(setting, list) and not _takes_lists(option)):
        raise click.UsageError(f"{where} is one text or number; give it no {type(setting).__name__}", ctx)
    value = [str(setting)] if option.multiple and isinstance(setting, str) else setting
    try:
        option.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise click.UsageError(f"{where}: {error.message}", ctx) from None
    return value


def _takes_lists(option: click.Parameter) -> bool:
    return option.multiple or option.name == "draw"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ValueError("it is too large to be one")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # of TOML and of UTF-8
        raise click.UsageError(f"{path} is no file of settings: {error}") from None


def save_config(ctx: click.Context) -> None:
    """Write what was typed, and what came from a preset or a file, as a file that --config reads.

    Raises
    ------
    OutputError
        When it cannot be written, or is there already.
    """
    from bgsub.files import atomic_write
    from bgsub.outputs import check_output

    path = ctx.params["save_config"]
    check_output(path, suffixes=(".toml",), overwrite=ctx.params["overwrite"])
    default = click.core.ParameterSource.DEFAULT
    lines = [
        f"{_key(option)} = {_toml(_typed(ctx, option))}\n"
        for option in ctx.command.params
        if option.name in ctx.params
        and option.name not in _NOT_KEPT
        and ctx.get_parameter_source(option.name) is not default
    ]
    with atomic_write(path) as file:
        file.write("".join(["# Settings of bgsub scan; bgsub scan --help explains them.\n", *lines]).encode())


def _key(option: click.Parameter) -> str:
    return max(option.opts, key=len).lstrip("-")


def _typed(ctx: click.Context, option: click.Parameter) -> Any:
    """Return an option's value as it can stand in a file."""
    value = ctx.params[str(option.name)]
    if option.name == "min_motion":
        return f"{value * 100:.10g}%" if value < 1 else f"{value:.10g}px"
    return value


def _toml(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text) + '"'


def refuse_contradictions(o: Mapping[str, Any]) -> None:
    """Raise `click.UsageError` where options contradict each other."""
    if o["draw"] and o["clips"] != "exact" and not (o["reel"] or o["overlay_video"]):
        raise click.UsageError(
            "--draw changes pictures, which must be encoded again: add --clips exact, --overlay-video or --reel"
        )
    if o["draw"] and "mask" in o["draw"] and o["reel"]:
        raise click.UsageError("masks are drawn into clips and the overlay, not into a reel: leave out mask, or --reel")
    if o["pieces"] is not None and (
        o["mask_video"] or o["overlay_video"] or (o["clips"] and "mask" in (o["draw"] or ()))
    ):
        raise click.UsageError("masks are made of a video in one go: leave out --pieces, or what shows masks")
    if o["pieces"] is not None and o["max_events"] is not None:
        raise click.UsageError("--max-events stops a video early, --pieces scans all of it at a time: leave one out")
    if o["null"] and not o["list_still"]:
        raise click.UsageError("--null ends the names that --list-still prints: add that")
    if o["list_still"] and o["as_json"]:
        raise click.UsageError("--list-still prints names, --json everything: leave one out")
    if o["min_length"] is not None and o["max_length"] is not None and o["max_length"] <= o["min_length"]:
        raise click.UsageError("--max-length is not longer than --min-length")
