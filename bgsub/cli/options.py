"""What commands share: kinds of values, and options made from the tables of parameters."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from bgsub.background.parameters import Parameter
from bgsub.cli.help import section
from bgsub.errors import ParameterError
from bgsub.extras import require
from bgsub.formats import QUALITY
from bgsub.outputs import is_extension, is_folder
from bgsub.video.colors import parse_color

_QUALITIES = {"small": 30, "normal": QUALITY, "high": 75}
_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


_WITH_UNITS = re.compile(
    r"(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+(?:\.\d+)?)\s*m(?:in)?(?!s))?\s*(?:(\d*\.?\d+)\s*s(?:ec)?)?\s*(?:(\d*\.?\d+)\s*ms)?"
)
_LENGTHS = (3600, 60, 1, 0.001)


class Seconds(click.ParamType):
    """A time: seconds; hours, minutes and seconds with colons; or with units, 1h, 2m, 1m30s, 500ms."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the time in seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        text = str(value).strip().lower()
        units = _WITH_UNITS.fullmatch(text)
        if units is not None and any(units.groups()):
            return sum(float(n) * length for n, length in zip(units.groups(), _LENGTHS, strict=True) if n)
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3 or not all(0 <= n < float("inf") for n in numbers):
            self.fail(f"{value!r} is no time: write seconds (90), or 1:30, or 1m30s", param, ctx)
        return sum(n * 60**power for power, n in enumerate(reversed(numbers)))


class Scale(click.ParamType):
    """How much smaller frames are to be: a factor, a percentage, or a width in pixels."""

    name = "scale"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return a factor up to 1, or a width; its bounds are checked where it is used."""
        number, _, rest = str(value).strip().partition("%")
        try:
            if rest or not math.isfinite(float(number)):
                raise ValueError
            percent = "%" in str(value)
            if percent and not 0 < float(number) <= 100:
                raise ValueError
            return float(number) / 100 if percent else float(number)
        except ValueError:
            self.fail(f"{value!r} is no scale: write 50% or 0.5, or a width in pixels (640)", param, ctx)


class Word(click.Choice):
    """One of some words, in capitals or not."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(list(words), case_sensitive=False)


class Drawn(click.ParamType):
    """Some of the things that are drawn into clips, with commas between them.

    Parameters
    ----------
    known : sequence of str
        What there is.
    """

    name = "list"

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the words."""
        words = value.split(",") if isinstance(value, str) else value
        named = tuple(word.strip().lower() for word in words)
        for word in named:
            if word not in self._known:
                self.fail(f"{word!r} is not drawn; there are {', '.join(self._known)}", param, ctx)
        return named


class Span(click.ParamType):
    """Two numbers with a comma between them, the smaller one first."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Return the two numbers."""
        try:
            low, high = map(float, value.split(",")) if isinstance(value, str) else value
        except ValueError:
            low = high = float("nan")
        if not (low < high and high - low < float("inf")):
            self.fail(f"{value!r} is no range: write two numbers, the smaller one first, like 28000,32000", param, ctx)
        return low, high


class FilePath(click.Path):
    """Name of a file or folder; an empty one, as of a shell variable that is not set, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if not value:
            self.fail("the name is empty", param, ctx)
        return super().convert(value, param, ctx)


class FolderOrFile(FilePath):
    """Name of an output that may be a folder: new ones end in a slash, so that a forgotten extension makes none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        name = super().convert(value, param, ctx)
        plain = name != "-" and not is_extension(name)
        if plain and is_folder(name) and not (name.endswith(_SLASHES) or Path(name).is_dir()):
            self.fail(
                f"{name} has no extension: write {name}.mkv for a video, {name}/ for a folder of images", param, ctx
            )
        return name


class PathText(click.ParamType):
    """A text that may be the name of a file, which a shell completes: a source, a table, a region."""

    name = "text"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Let the shell complete the name."""
        return [CompletionItem(incomplete, type="file")]


_NUMBERS = re.compile(r"[\d\s.,;:+eE-]+")


class ColorText(click.ParamType):
    """A colour by its name, or as in HTML."""

    name = "color"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text, if it is one."""
        try:
            parse_color(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)
        return value


class Quality(click.ParamType):
    """Of lossy pictures: a number from 1 to 100, or a word for one."""

    name = "quality"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        if isinstance(value, int):
            return value
        text = value.strip().lower()
        number = _QUALITIES.get(text) or (int(text) if text.isdecimal() else 0)
        if not 1 <= number <= 100:
            self.fail(f"{value!r} is no quality: write {', '.join(_QUALITIES)}, or a number from 1 to 100", param, ctx)
        return number


def needs_plots(_context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Say what to install for an option that draws, before any work is done: an option's callback."""
    if value not in (None, False):
        require("plots", option.opts[0])
    return value


class FromTable(click.ParamType):
    """A value that the table of parameters checks, with the table's message.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        The parameter of each method that has it. What one of them takes is taken here; the model knows which it is.
    """

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        self.bounds = _by_method({method: p.bounds for method, p in parameters.items()})
        self.name = "integer" if all(isinstance(p.default, int) for p in parameters.values()) else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value, in bounds."""
        for parameter in self.parameters.values():
            try:
                number = Seconds().convert(value, param, ctx) if parameter.unit == "s" else value
                return parameter.check(type(parameter.default)(number))
            except ValueError:  # ParameterError is one
                continue
        return self.fail(f"{value} is out of bounds: give {self.bounds}", param, ctx)


_COMMON = {
    "threshold": "Higher finds less.",
    "absorption_time": "What stands so long is background.",
}
"""What the general help says of parameters."""

_REMARKS = {
    "detect_shadows": " and --shadows has nothing to choose",
    "shadow_value": ", where --shadows keeps them",
}
"""What to add to the descriptions of parameters that have to do with other options."""


def model_options(
    methods: Mapping[str, Mapping[str, Parameter]], *, without: Collection[str] = ()
) -> Callable[[Callable], Callable]:
    """Return a decorator that gives a command an option for each parameter of some models, None unless it is typed.

    They stand in the help of the models; those in `_COMMON` in the general help too, in fewer words.

    Parameters
    ----------
    methods : mapping of str to mapping of str to Parameter
        The models' tables by the name of the method, the default one first.
    without : collection of str
        Parameters that get no option here.
    """
    wanted = [p for table in methods.values() for p in table.values() if p.name not in without]
    names = dict.fromkeys(p.name for p in sorted(wanted, key=lambda p: p.advanced))

    def decorate(command: Callable) -> Callable:
        for name in reversed(names):
            parameters = {method: table[name] for method, table in methods.items() if name in table}
            command = _parameter_option(parameters, shared=len(methods))(command)
        return command

    return decorate


def _parameter_option(parameters: Mapping[str, Parameter], shared: int) -> Callable[[Callable], Callable]:
    """Return a decorator that makes a parameter an option; one of `shared` methods stands under the common heading.

    The help speaks of the methods in which the parameter is not an advanced one.
    """
    shown = {method: p for method, p in parameters.items() if not p.advanced}
    told = shown or parameters
    first = next(iter(told.values()))
    flag, switch = first.name.replace("_", "-"), isinstance(first.default, bool)
    text = first.description[0].upper() + first.description[1:]
    if not switch:
        bounds = _by_method({method: p.bounds for method, p in told.items()})
        text += (f" ({first.unit})" if first.unit else "") + f"; {bounds}"
    default = _by_method({method: _default(p) for method, p in told.items()})
    text += _REMARKS.get(first.name, "")
    common = _COMMON.get(first.name, "")
    return section("Model" if len(told) == shared else f"Method {min(told)}")(
        f"--{flag}/--no-{flag}" if switch else f"--{flag}",
        first.name,
        type=None if switch else FromTable(parameters),
        metavar="TIME" if first.unit == "s" else None,
        default=None,
        hidden=not shown,
        rare=not common,
        short=common and f"{common} [default: {default}]",
        help=f"{text}. [default: {default}]",
    )


def _default(parameter: Parameter) -> str:
    """Return a default as it would be typed."""
    if isinstance(parameter.default, bool):
        return ("" if parameter.default else "no-") + parameter.name.replace("_", "-")
    return f"{parameter.default:g}"


def _by_method(texts: Mapping[str, str]) -> str:
    """Return the text of the first method, and those of others where they differ: ``4; mog2 5``."""
    first, *others = texts
    return "; ".join([texts[first], *(f"{name} {texts[name]}" for name in others if texts[name] != texts[first])])


def verbosity_options(command: Callable) -> Callable:
    """Give a command -q and -v."""
    command = click.option("-q", "--quiet", is_flag=True, help="Only errors; no progress, no summary.")(command)
    return click.option("-v", "--verbose", is_flag=True, help="Say more of what is going on.")(command)


def read_region(texts: tuple[str, ...]) -> Any:
    """Return the region that ``--region`` names: path of a mask image, or polygons; None for the whole frame.

    What consists of numbers is a polygon or a rectangle, unless there is a file of this name.

    Raises
    ------
    ParameterError
        When a text is neither, or a mask stands beside other regions.
    """
    from bgsub.background.region import parse_polygon

    if not texts:
        return None
    files = [text for text in texts if Path(text).exists() or not ("," in text or _NUMBERS.fullmatch(text))]
    if not files:
        return [parse_polygon(text) for text in texts]
    if len(texts) > 1:
        raise ParameterError("--region: give one mask image, or any number of polygons and rectangles, not both")
    return files[0]


def given(ctx: click.Context, names: Iterable[str]) -> set[str]:
    """Return those of the options that were typed, or stand in a file of settings, not left at their defaults."""
    told = (click.core.ParameterSource.COMMANDLINE, click.core.ParameterSource.DEFAULT_MAP)
    return {name for name in names if ctx.get_parameter_source(name) in told}
