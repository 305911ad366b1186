"""``bgsub cluster impute``: a table's gaps filled in by a model of it."""

from __future__ import annotations

import json
from typing import Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    closing_options,
    outputs,
    overwrite_option,
    reading_of,
    reading_options,
    rows,
)
from bgsub.cli.cluster.written import as_told, at_place, check_outputs
from bgsub.cli.help import Command
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText
from bgsub.cli.progress import counting_bar
from bgsub.cli.signals import ended_by_signals
from bgsub.formats import WRITABLE_TABLES

_EXAMPLES = """
bgsub cluster fit birds.csv --components 3 --scale --missing em --model birds.bgsub
bgsub cluster impute birds.bgsub birds.csv --output whole.csv
bgsub cluster impute birds.bgsub birds.csv --draws 20 --output draws.parquet
"""


@click.command(name="impute", cls=Command, examples=_EXAMPLES)
@click.argument("model", type=PathText())
@click.argument("table", type=PathText())
@outputs(
    "--output",
    type=PATH,
    metavar="FILE",
    default="-",
    show_default=True,
    help="The table, its gaps filled in: .csv, .parquet, - for CSV on stdout.",
)
@overwrite_option
@rows(
    "--draws",
    type=click.IntRange(1, 10_000),
    metavar="M",
    help="Write each row M times, its gaps drawn by chance: what differs is not known.",
)
@rows(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="The same seed gives the same draws.",
)
@reading_options
@closing_options
def command(model: str, table: str, **options: Any) -> None:
    """Fill in the gaps that TABLE has in the columns of MODEL, by what each row holds.

    A gap gets what MODEL expects, given the other columns of its row: the best single guess; of a column in --encode
    the likeliest value, of one in --log the median. All other cells and columns stay. With --draws the output has each
    row M times, numbered in a column draw: repeat an analysis for each number, and see how much of it hangs on the
    gaps.
    """
    from bgsub import TableModel
    from bgsub.clustering.writing import write_imputed
    from bgsub.tables.sources import open_table

    set_verbosity(options["verbose"], options["quiet"])
    check_outputs([(options["output"], WRITABLE_TABLES)], [model, table], options["overwrite"])
    learned = TableModel.load(model)
    with (
        ended_by_signals(),
        open_table(table, reading_of(options)) as source,
        at_place(options["output"]) as here,
        counting_bar("writing", source.n_rows, options["quiet"], "rows") as on_rows,
    ):
        n_rows, gaps = write_imputed(
            here, source, learned, draws=options["draws"], seed=options["seed"], on_rows=on_rows
        )
    to_stderr = options["output"] == "-"
    written = [] if to_stderr else [as_told(options["output"])]
    if options["as_json"]:
        facts = {"rows": n_rows, "draws": options["draws"], "filled": gaps, "outputs": written}
        click.echo(json.dumps(facts), err=to_stderr)
    elif not options["quiet"]:
        click.echo(_summary(n_rows, gaps, options["draws"]), err=to_stderr)
        for path in written:
            click.echo(f"  wrote {path}")


def _summary(n_rows: int, gaps: dict[str, int], draws: int | None) -> str:
    """Return how many cells were filled in, in one line."""
    by_column = ", ".join(f"{name} {count:,}" for name, count in gaps.items() if count)
    drawn = "" if draws is None else f", {draws:,} times" if draws > 1 else ", by a draw"
    return f"{n_rows:,} rows, {sum(gaps.values()):,} gaps filled in{drawn}{': ' if by_column else ''}{by_column}"
