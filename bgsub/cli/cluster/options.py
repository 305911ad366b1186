"""What the commands of `bgsub cluster` share: options, kinds of values, names of outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.help import section
from bgsub.cli.options import FilePath, verbosity_options
from bgsub.errors import ParameterError
from bgsub.outputs import check_output

if TYPE_CHECKING:
    from bgsub.tables.learning import Choice

PATH = FilePath()
TABLE_SUFFIXES: tuple[str, ...] = (".csv", ".parquet", ".pq")
PICTURE_SUFFIXES: tuple[str, ...] = (".png", ".jpg", ".svg", ".pdf")
COVARIANCES = ("full", "tied", "diag", "spherical")
MOST_COMPONENTS = 10_000

outputs = section("Outputs")
rows = section("Rows")
mixture = section("Mixture")


class Names(click.ParamType):
    """Names of columns with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names."""
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in str(value).split(","))
        if not all(names):
            self.fail(f"{value!r} has an empty name: write a,b,c", param, ctx)
        return names


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
            rows("--encode", type=Names(), help="Columns of text to use too: a 0 or 1 for each of their values."),
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
        ]
    ):
        command = decorate(command)
    return command


def missing_option(command: Callable) -> Callable:
    """Give a command --missing."""
    return rows(
        "--missing",
        type=click.Choice(["error", "drop"]),
        default="error",
        show_default=True,
        help="Rows with an empty, NaN or infinite value: stop and name the first, or leave them out.",
    )(command)


def mixture_options(command: Callable) -> Callable:
    """Give a command that fits mixtures the options that say how."""
    for decorate in reversed(
        [
            mixture(
                "--n-init",
                type=click.IntRange(1, 10_000),
                metavar="N",
                default=3,
                show_default=True,
                help="Starts; the best is kept.",
            ),
            mixture(
                "--max-iter",
                type=click.IntRange(1, 1_000_000),
                metavar="N",
                default=500,
                show_default=True,
                help="Most EM iterations.",
            ),
            mixture(
                "--tol",
                type=click.FloatRange(0),
                metavar="NUMBER",
                default=1e-4,
                show_default=True,
                help="Stop when the log-likelihood per row gains less (nats).",
            ),
            mixture(
                "--reg-covar",
                type=click.FloatRange(0),
                metavar="NUMBER",
                default=1e-6,
                show_default=True,
                help="Added to every variance, in squared units of the prepared columns.",
            ),
            mixture(
                "--seed",
                type=click.IntRange(0, 2**32 - 1),
                metavar="N",
                default=0,
                show_default=True,
                help="Of the starts; the same seed gives the same clusters.",
            ),
            mixture("--threads", type=click.IntRange(1, 256), metavar="N", help="Threads; by default all processors."),
        ]
    ):
        command = decorate(command)
    return command


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
        logs=options["logs"] or (),
        encode=options["encode"] or (),
        scale=options["scale"],
        pca=options["pca"],
        weights=options["weights"],
        missing=options["missing"],
    )


def check_outputs(paths: Sequence[tuple[str | None, Sequence[str]]], sources: Sequence[str], overwrite: bool) -> None:
    """Raise unless all outputs can be written and differ from each other and from what is read.

    Parameters
    ----------
    paths : sequence of (str or None, sequence of str)
        Each output that was asked for ("-" is standard output), and the extensions that it may have.
    sources : sequence of str
        What is read.
    overwrite : bool
        Let existing files be replaced.

    Raises
    ------
    OutputError, ParameterError
        One line that says which, what is wrong and what to do.
    """
    seen = set()
    for path, suffixes in paths:
        if path is None or path == "-":
            continue
        for source in sources:
            check_output(path, overwrite=overwrite, source=source, suffixes=suffixes)
        name = Path(path).resolve()
        if name in seen:
            raise ParameterError(f"two outputs are named {path}: give each a name of its own")
        seen.add(name)
