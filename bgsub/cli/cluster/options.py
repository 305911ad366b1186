"""What the commands of `bgsub cluster` share: options, kinds of values, names of outputs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.help import section
from bgsub.cli.options import FilePath, Word, verbosity_options
from bgsub.cli.progress import Progress, counting_bar
from bgsub.mixture.settings import COVARIANCE_TYPES, COVARIANCES, MOST_TRIMMED, NOISE_REGIONS, SETTINGS, Use

if TYPE_CHECKING:
    from bgsub.clustering.fitting import FitSettings
    from bgsub.tables.learning import Choice
    from bgsub.tables.reading import ReadOptions

PATH = FilePath()
MOST_COMPONENTS = SETTINGS["n_components"].high or 0

outputs = section("Outputs")
rows = section("Rows")
mixture = section("Mixture")
reading = section("Reading the table")


class Names(click.ParamType):
    """Names of columns with commas between them; one that has a comma stands in quotation marks, as in CSV."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names."""
        if isinstance(value, tuple):
            return value
        try:
            ((*names,),) = csv.reader([str(value)], skipinitialspace=True, strict=True)
        except (csv.Error, ValueError):
            self.fail(f'{value!r} is no list of names: write a,b,c, or "a,b",c of a name with a comma', param, ctx)
        names = [name.strip() for name in names]
        if not all(names):
            self.fail(f"{value!r} has an empty name: write a,b,c", param, ctx)
        return tuple(names)


class Counts(click.ParamType):
    """Numbers of components: ``3``, ``1-9`` or ``1,2,5``."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the numbers, ascending, each once."""
        if isinstance(value, tuple):
            return value
        found: set[int] = set()
        try:
            for part in str(value).split(","):
                low, _, high = part.partition("-")
                last = int(high or low)
                if not 1 <= int(low) <= last <= MOST_COMPONENTS:
                    raise ValueError
                found.update(range(int(low), last + 1))
        except ValueError:
            self.fail(f"{value!r} is no list of numbers from 1 to {MOST_COMPONENTS}: write 1-9 or 1,2,5", param, ctx)
        return tuple(sorted(found))


def choice_options(command: Callable) -> Callable:
    """Give a command that learns from a table the options that say what of it, and how it is prepared."""
    for decorate in reversed(
        [
            rows("--columns", type=Names(), help="Columns of numbers to use, a,b,c; default all columns of numbers."),
            rows("--exclude", type=Names(), help="Columns of numbers to leave out of all those, a,b,c."),
            rows(
                "--encode",
                type=Names(),
                help="Columns of text to use too: a 0 or 1 for each value (but one).",
            ),
            rows("--dates", type=Names(), help="Columns of dates or times to use too: as days (since 1970-01-01)."),
            rows("--log", "logs", type=Names(), help="Columns to take the logarithm of: amounts, counts, durations."),
            rows("--scale", is_flag=True, help="Standardise: mean 0, standard deviation 1 in every column."),
            rows(
                "--pca",
                type=click.IntRange(1),
                metavar="N",
                help="Use the first N principal components of the columns.",
            ),
            rows("--weights", metavar="COLUMN", help="Column that says how many times each row counts (0 or more)."),
            missing_option,
            reading_options,
        ]
    ):
        command = decorate(command)
    return command


def reading_options(command: Callable) -> Callable:
    """Give a command that reads a table the options that say how."""
    for decorate in reversed(
        [
            reading("--na", type=Names(), metavar="VALUES", help="Values that mean missing too, a,b,c, such as -999."),
            reading(
                "--decimal",
                type=Word([".", ","]),
                help="What stands before the fraction of a number in text; default what the whole file fits.",
            ),
            reading("--no-header", is_flag=True, help="Text without names of columns: call them x0, x1, ...."),
            reading(
                "--skip-lines",
                type=click.IntRange(0),
                metavar="N",
                help="Lines of text above the names of columns; default as many as are no table.",
            ),
            reading("--encoding", metavar="NAME", help="Encoding of text, such as latin-1 or utf-16."),
            reading(
                "--sheet", metavar="NAME", help="Sheet of a workbook, by name or number from 1; default the first."
            ),
        ]
    ):
        command = decorate(command)
    return command


def reading_of(options: dict[str, Any]) -> ReadOptions:
    """Return what the options say of how the table is read."""
    from bgsub.tables.reading import ReadOptions

    return ReadOptions(
        na=options["na"] or (),
        decimal=options["decimal"],
        header=not options["no_header"],
        skip_lines=options["skip_lines"],
        encoding=options["encoding"],
        sheet=options["sheet"],
    )


def missing_option(command: Callable) -> Callable:
    """Give a command --missing."""
    return rows(
        "--missing",
        type=Word(["error", "drop", "em"]),
        default="error",
        show_default=True,
        help="Rows with an empty or NaN value: stop and name the first, leave them out, or use what they hold.",
    )(command)


def mixture_option(name: str, use: Use, flag: str = "", **changes: Any) -> Callable[[Callable], Callable]:
    """Return a decorator that gives a command the option of a setting, with the bounds and the default of the table.

    Parameters
    ----------
    name : str
        The setting: a key of `SETTINGS`.
    use : str
        Whose default the option has.
    flag : str, optional
        The option's name, where it is not the setting's.
    **changes
        What `click.option` is to be told in place of what the table says: ``help``, ``required``.
    """
    setting = SETTINGS[name]
    default = setting.defaults[use]
    whole = setting.high is not None
    told = {
        "type": click.IntRange(setting.low, setting.high) if whole else click.FloatRange(setting.low),
        "metavar": "N" if whole else "NUMBER",
        "help": setting.help,
        **({} if default is None else {"default": default, "show_default": True}),
    }
    return mixture(flag or f"--{name.replace('_', '-')}", **(told | changes))


def fitting_options(use: Use, names: Sequence[str], seed: str) -> Callable[[Callable], Callable]:
    """Return a decorator that gives a command the options that say how mixtures are fitted.

    Parameters
    ----------
    use : str
        Whose defaults they have.
    names : sequence of str
        Which settings, in the order of the help.
    seed : str
        What the help says of --seed.
    """

    def decorate(command: Callable) -> Callable:
        for name in reversed(names):
            command = mixture_option(name, use, **({"help": seed} if name == "seed" else {}))(command)
        return command

    return decorate


class NoiseRegionOf(Word):
    """Where noise lies; said without a value it is the box."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the region."""
        value = str(value).lower()
        if value not in NOISE_REGIONS:
            self.fail(f"{value!r} is no region of noise: write --noise box, --noise hull, or --noise last", param, ctx)
        return value


def table_fitting_options(command: Callable) -> Callable:
    """Give a command that fits mixtures to tables the options that say how."""
    told = "Of the starts; the same seed gives the same clusters."
    command = fitting_options("table", ("n_init", "max_iter", "tol", "reg_covar", "seed", "threads"), told)(command)
    command = mixture(
        "--trim",
        type=click.FloatRange(0, MOST_TRIMMED),
        metavar="SHARE",
        default=0.0,
        help="Leave out this share of the rows, the least likely ones, with the label -1: 0.05.",
    )(command)
    return mixture(
        "--noise",
        type=NoiseRegionOf(NOISE_REGIONS),
        is_flag=False,
        flag_value="box",
        help="Let rows that belong to no cluster be noise, with the label -1: spread evenly over the rows' box, or "
        "their hull (up to 3 columns).",
    )(command)


def components_option(use: Use, **changes: Any) -> Callable[[Callable], Callable]:
    """Return a decorator that gives a command --components, one number."""
    return mixture_option("n_components", use, "--components", **changes)


def covariance_option(use: Use, help: str = "Shape: any ellipse; one for all; along the axes; circles.") -> Callable:
    """Return a decorator that gives a command --covariance, one type."""
    return mixture("--covariance", type=Word(COVARIANCE_TYPES), default=COVARIANCES[use], show_default=True, help=help)


def overwrite_option(command: Callable) -> Callable:
    """Give a command --overwrite."""
    return outputs("--overwrite", is_flag=True, help="Replace outputs that exist.")(command)


def closing_options(command: Callable) -> Callable:
    """Give a command --json, -q and -v."""
    return click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")(
        verbosity_options(command)
    )


def choice_of(options: dict[str, Any]) -> Choice:
    """Return what the options say of the table."""
    from bgsub.tables.learning import Choice

    return Choice(
        columns=options["columns"] or (),
        exclude=options["exclude"] or (),
        logs=options["logs"] or (),
        encode=options["encode"] or (),
        dates=options["dates"] or (),
        scale=options["scale"],
        pca=options["pca"],
        weights=options["weights"],
        missing=options["missing"],
    )


def settings_of(options: dict[str, Any]) -> FitSettings:
    """Return what the options say of the fit."""
    from bgsub.clustering.fitting import FitSettings

    return FitSettings(**{name: options[name] for name in FitSettings.__dataclass_fields__})


def stages(quiet: bool) -> Callable[[str, int | None], AbstractContextManager[Progress | None]]:
    """Return what shows a bar for each stage of a fit: of its rows, or of its time where those are not counted."""
    return lambda title, n_rows: counting_bar(title, n_rows, quiet, "rows")
