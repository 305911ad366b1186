"""``bgsub cluster sample``: new rows from a model."""

from __future__ import annotations

import click

from bgsub.cli.cluster.options import PATH, TABLE_SUFFIXES, check_outputs, outputs, overwrite_option
from bgsub.cli.help import Command
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import verbosity_options
from bgsub.cli.progress import counting_bar
from bgsub.cli.signals import ended_by_signals

_EXAMPLES = """
bgsub cluster sample customers.bgsub -n 1000 --output invented.csv
bgsub cluster sample customers.bgsub -n 5 --seed 7
"""


@click.command(name="sample", cls=Command, examples=_EXAMPLES)
@click.argument("model")
@click.option("-n", "--rows", "n_rows", type=click.IntRange(1), metavar="N", required=True, help="How many rows.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="The same seed gives the same rows.",
)
@outputs(
    "--output",
    type=PATH,
    metavar="FILE",
    default="-",
    show_default=True,
    help="Table of the rows: .csv, .parquet, - for CSV on stdout.",
)
@overwrite_option
@verbosity_options
def command(model: str, n_rows: int, seed: int, output: str, overwrite: bool, verbose: bool, quiet: bool) -> None:
    """Draw rows from MODEL, in random order, in the units of the table that it learned.

    The output has that table's columns, and label, the cluster that each row was drawn from. Of a column in --encode
    it has the likeliest value; with --pca rows lie in the space that the principal components span.
    """
    import numpy as np

    from bgsub.cli.cluster.model_file import TableModel
    from bgsub.tables.table import BLOCK_ROWS
    from bgsub.tables.writing import table_writer

    set_verbosity(verbose, quiet)
    check_outputs([(output, TABLE_SUFFIXES)], [model], overwrite)
    learned = TableModel.load(model)
    random = np.random.RandomState(seed)  # the estimator takes no Generator
    learned.mixture.set_params(random_state=random)
    with ended_by_signals(), counting_bar("drawing", n_rows, quiet, "rows") as on_rows, table_writer(output) as write:
        for start in range(0, n_rows, BLOCK_ROWS):
            drawn, labels = learned.mixture.sample(min(BLOCK_ROWS, n_rows - start))
            order = random.permutation(len(drawn))  # they come cluster by cluster
            columns = learned.preparation.columns_of(learned.preparation.restore(drawn[order]))
            write(columns | {"label": labels[order].astype(np.int32)})
            if on_rows is not None:
                on_rows(start + len(drawn))
    if output != "-" and not quiet:
        click.echo(f"wrote {n_rows:,} rows to {output}")
