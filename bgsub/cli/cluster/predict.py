"""``bgsub cluster predict``: which cluster each row belongs to, and how surely."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    Names,
    closing_options,
    missing_option,
    outputs,
    overwrite_option,
    reading_of,
    reading_options,
)
from bgsub.cli.cluster.scheduled import check_tables, cluster_for, goes_to_a_cluster, table_place
from bgsub.cli.cluster.written import as_told
from bgsub.cli.help import Command
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText
from bgsub.cli.progress import counting_bar
from bgsub.cli.scheduler import scheduler_options
from bgsub.cli.signals import ended_by_signals

if TYPE_CHECKING:
    from bgsub.clustering.writing import Labelled

_EXAMPLES = """
bgsub cluster predict customers.bgsub customers.csv --output segments.csv --keep customer
bgsub cluster predict customers.bgsub new.parquet --output segments.parquet
bgsub cluster predict customers.bgsub - --missing drop
bgsub cluster predict year.bgsub year/ --output labels.parquet --scheduler tcp://10.0.0.5:8786
"""


@click.command(name="predict", cls=Command, examples=_EXAMPLES)
@click.argument("model", type=PathText())
@click.argument("table", type=PathText())
@outputs(
    "--output",
    type=PATH,
    metavar="FILE",
    default="-",
    show_default=True,
    help="Table of each row's label, probabilities and log-density: .csv, .parquet, - for CSV on stdout.",
)
@outputs("--keep", type=Names(), help="Columns to copy to --output, a,b,c.")
@overwrite_option
@missing_option
@reading_options
@scheduler_options
@closing_options
def command(model: str, table: str, **options: Any) -> None:
    """Tell for each row of TABLE which cluster of MODEL it belongs to, and how surely.

    MODEL is what `bgsub cluster fit --model` or `bgsub.GaussianMixture.save` wrote; TABLE has the columns that it was
    learned from, in any order, or if these had no names as many columns of numbers, in their order.

    The output has a row for each row of TABLE: label (clusters from 0), probability_0, probability_1, ..., which sum to
    1, and log_density (nats; of the prepared columns). A row left out by --missing drop has label -1 and no more; with
    --missing em only one that holds nothing has, and a density is that of what a row holds. A row with a category
    that MODEL has not learned stays in its place, with nothing in these columns.

    Where MODEL was fitted with --noise or --trim, label -1 is a row that belongs to no cluster; the column noise says
    how probably it does not, and the other probabilities sum to 1 less that. A row left out has an empty label then.

    With --scheduler, TABLE is Parquet that all workers see, and the output a folder of Parquet files.
    """
    from bgsub import TableModel
    from bgsub.tables.sources import open_table

    set_verbosity(options["verbose"], options["quiet"])
    output, kept = options["output"], options["keep"] or ()
    if options["scheduler"] is None:
        check_tables(False, output, [model, table], options["overwrite"])
    learned = TableModel.load(model)
    with ended_by_signals(), open_table(table, reading_of(options)) as source:
        far = goes_to_a_cluster(options, source, len(learned.columns) + len(kept))
        check_tables(far, output, [model, table], options["overwrite"])
        with (
            cluster_for(options, far),
            table_place(far, output) as place,
            counting_bar("writing", source.n_rows, options["quiet"], "rows") as on_rows,
        ):
            counts, left_out, n_noise = _writer(far)(
                place, source, learned, missing=options["missing"], kept=kept, on_rows=on_rows
            )
    sizes, noisy = counts.tolist(), learned.mixture.has_outliers
    n_rows = sum(sizes) + n_noise

    to_stderr = options["output"] == "-"
    if options["as_json"]:
        outputs = [] if to_stderr else [as_told(options["output"])]
        facts = {"rows": n_rows, "sizes": sizes, "left_out": left_out.facts()} | ({"noise": n_noise} if noisy else {})
        facts |= {"notes": source.notes, "outputs": outputs}
        click.echo(json.dumps(facts), err=to_stderr)
    elif not options["quiet"]:
        groups = [*enumerate(sizes), *[("noise", n_noise)] * noisy]
        shares = ", ".join(f"{name}: {size:,} ({size / max(1, n_rows):.1%})" for name, size in groups)
        click.echo(f"{n_rows:,} rows; by cluster {shares}", err=to_stderr)
        for line in left_out.lines():
            click.echo(f"  {line}", err=to_stderr)
        if not to_stderr:
            click.echo(f"  wrote {as_told(options['output'])}")


def _writer(far: bool) -> Callable[..., Labelled]:
    """Return what writes the labels: workers of a cluster, or this process."""
    from bgsub.clustering import writing

    if not far:
        return writing.write_labels
    from bgsub.distributed import labelling

    return labelling.write_labels
