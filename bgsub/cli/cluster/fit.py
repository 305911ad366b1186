"""``bgsub cluster fit``: learn the clusters of a table."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    Names,
    choice_of,
    choice_options,
    closing_options,
    components_option,
    covariance_option,
    outputs,
    overwrite_option,
    reading_of,
    settings_of,
    stages,
    table_fitting_options,
)
from bgsub.cli.cluster.scheduled import check_tables, cluster_for, goes_to_a_cluster, table_place
from bgsub.cli.cluster.written import as_told, at_place
from bgsub.cli.help import Command
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText
from bgsub.cli.progress import counting_bar
from bgsub.cli.scheduler import scheduler_options
from bgsub.cli.signals import ended_by_signals
from bgsub.formats import WRITABLE_MODELS

if TYPE_CHECKING:
    from bgsub.clustering.fitting import FittedTable

logger = logging.getLogger(__name__)

_EXAMPLES = """
bgsub cluster fit customers.csv --columns value,visits --scale --components 3 --model c.bgsub
bgsub cluster fit flowers.parquet --components 3 --columns length,width --output species.csv
bgsub cluster fit features.npy --components 8 --pca 10 --covariance diag --json
zcat rows.csv.gz | bgsub cluster fit - --components 2 --missing drop --output - --keep id
bgsub cluster fit year/ --components 12 --scale --model year.bgsub --scheduler tcp://10.0.0.5:8786
"""


@click.command(name="fit", cls=Command, examples=_EXAMPLES)
@click.argument("table", type=PathText())
@outputs(
    "--model",
    type=PATH,
    metavar="FILE",
    help="The learned model, and how rows are prepared for it: .bgsub.",
)
@outputs(
    "--output",
    type=PATH,
    metavar="FILE",
    help="Table of each row's label, probabilities and log-density: .csv, .parquet, - for CSV on stdout.",
)
@outputs("--keep", type=Names(), help="Columns to copy to --output, a,b,c.")
@overwrite_option
@choice_options
@components_option("table", metavar="K", required=True, help="Number of clusters; `bgsub cluster select` finds one.")
@covariance_option("table")
@table_fitting_options
@scheduler_options
@closing_options
def command(table: str, **options: Any) -> None:
    """Learn the clusters of TABLE: CSV or other text, Excel, Parquet, Arrow, JSON lines, NumPy; - is standard input.

    Prints each cluster's weight, the rows it holds, and mean and standard deviation of each column, in the table's own
    units whatever --scale and --pca do; of a column in --log the median, and the factor of one standard deviation. AIC,
    BIC and ICL compare models of one table: lower is better. A table may be larger than memory.

    With --scheduler, TABLE is Parquet that all workers see, the model that of one machine, and --output a folder of
    Parquet files. Small tables are fitted here all the same.

    Defaults are those of bgsub.select in Python. bgsub.GaussianMixture() has scikit-learn's, whose place it takes:
    fewer starts, which depend on the columns' units, and an end that can come before a small cluster is found.
    """
    set_verbosity(options["verbose"], options["quiet"])
    if options["scheduler"] is None:
        _check_outputs(False, table, options)
    with ended_by_signals():
        facts, lines = _fit(table, options)
    _report(facts, lines, options)


def _fit(name: str, options: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Fit, write the outputs; return what JSON says of it, and what is doubtful about it."""
    from bgsub.clustering.description import advice, describe
    from bgsub.tables.sources import open_table

    kept, quiet = options["keep"] or (), options["quiet"]
    with open_table(name, reading_of(options)) as table:
        table.check_names(kept)
        far = goes_to_a_cluster(options, table, len(options["columns"] or table.numeric_columns()))
        if options["scheduler"] is not None:
            _check_outputs(far, name, options)
        how = {"covariance_type": options["covariance"], "choice": choice_of(options), "settings": settings_of(options)}
        with cluster_for(options, far):
            fit_table, write_labels = _workers(far)
            fitted = fit_table(table, options["components"], **how, stage=stages(quiet))
            if options["output"]:
                with (
                    table_place(far, options["output"]) as place,
                    counting_bar("writing", table.n_rows, quiet, "rows") as on_rows,
                ):
                    told = {"missing": options["missing"], "kept": kept, "on_rows": on_rows}
                    write_labels(place, table, fitted.model, **told)
    if options["model"]:
        with at_place(options["model"]) as here:
            fitted.model.save(here)
    facts = {
        "table": as_told(name),
        "rows": fitted.n_rows,
        "rows_left_out": fitted.n_dropped,
        "notes": table.notes,
        "rows_with_gaps": fitted.n_partial,
        "outputs": [as_told(path) for path in (options["model"], options["output"]) if path and path != "-"],
        **describe(fitted),
    }
    return facts, advice(fitted, options["max_iter"])


def _check_outputs(far: bool, table: str, options: dict[str, Any]) -> None:
    model = (options["model"], WRITABLE_MODELS)
    check_tables(far, options["output"], [table], options["overwrite"], [model])


def _workers(far: bool) -> tuple[Callable[..., FittedTable], Callable[..., Any]]:
    """Return what fits a table, and what writes its labels: on a cluster, or here."""
    if far:
        from bgsub.distributed import labelling, learning

        return learning.fit_table, labelling.write_labels
    from bgsub.clustering import fitting, writing

    return fitting.fit_table, writing.write_labels


def _report(facts: dict[str, Any], lines: list[str], options: dict[str, Any]) -> None:
    """Print the summary: to stderr if the table of labels went to stdout."""
    from bgsub.cli.cluster.printing import print_clusters

    to_stderr = options["output"] == "-"
    if options["as_json"]:
        click.echo(json.dumps({**facts, "advice": lines}), err=to_stderr)
    elif not options["quiet"]:
        print_clusters(facts, to_stderr)
        how = "converged" if facts["converged"] else "ended"
        click.echo(
            f"\n{facts['rows']:,} rows, {facts['covariance_type']} covariance, {how} after {facts['iterations']} "
            f"iterations\nlog-likelihood {facts['log_likelihood_per_row']:.6g} per row, AIC {facts['aic']:,.0f}, "
            f"BIC {facts['bic']:,.0f}, ICL {facts['icl']:,.0f}",
            err=to_stderr,
        )
        for path in facts["outputs"]:
            click.echo(f"  wrote {path}", err=to_stderr)
    for line in lines:
        logger.warning("%s", line)
