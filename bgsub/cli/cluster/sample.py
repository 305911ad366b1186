"""``bgsub cluster sample``: new rows from a model."""

from __future__ import annotations

import click

from bgsub.cli.cluster.options import PATH, outputs, overwrite_option, rows
from bgsub.cli.cluster.written import as_told, at_place, check_outputs
from bgsub.cli.help import Command
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText, verbosity_options
from bgsub.cli.progress import counting_bar
from bgsub.cli.signals import ended_by_signals
from bgsub.formats import WRITABLE_TABLES

_EXAMPLES = """
bgsub cluster sample customers.bgsub -n 1000 --output invented.csv
bgsub cluster sample customers.bgsub -n 5 --seed 7
"""


@click.command(name="sample", cls=Command, examples=_EXAMPLES)
@click.argument("model", type=PathText())
@outputs(
    "--output",
    type=PATH,
    metavar="FILE",
    default="-",
    show_default=True,
    help="Table of the rows: .csv, .parquet, - for CSV on stdout.",
)
@overwrite_option
@rows("-n", "--rows", "n_rows", type=click.IntRange(1), metavar="N", required=True, help="How many rows.")
@rows(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="The same seed gives the same rows.",
)
@verbosity_options
def command(model: str, n_rows: int, seed: int, output: str, overwrite: bool, verbose: bool, quiet: bool) -> None:
    """Draw rows from MODEL, in random order, in the units of the table that it learned.

    The output has that table's columns, and label, the cluster that each row was drawn from. Of a column in --encode
    it has the likeliest value; with --pca rows lie in the space that the principal components span.
    """
    from bgsub import TableModel
    from bgsub.clustering.writing import write_sample

    set_verbosity(verbose, quiet)
    check_outputs([(output, WRITABLE_TABLES)], [model], overwrite)
    learned = TableModel.load(model)
    with ended_by_signals(), counting_bar("drawing", n_rows, quiet, "rows") as on_rows, at_place(output) as here:
        write_sample(here, learned, n_rows, seed=seed, on_rows=on_rows)
    if output != "-" and not quiet:
        click.echo(f"  wrote {as_told(output)}")
