"""``bgsub cluster score``: the rows that are unlike those that the model learned."""

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
from bgsub.cli.help import Command, section
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText
from bgsub.cli.progress import counting_bar
from bgsub.cli.scheduler import scheduler_options
from bgsub.cli.signals import ended_by_signals

if TYPE_CHECKING:
    from bgsub import TableModel
    from bgsub.clustering.anomalies import Scored

_anomalies = section("Anomalies")
_QUANTILE = 0.01

_EXAMPLES = """
bgsub cluster score customers.bgsub new.csv
bgsub cluster score customers.bgsub new.csv --quantile 0.001 --output scores.csv --keep customer
bgsub cluster score customers.bgsub new.parquet --threshold -12.5 --top 0 --json
"""


@click.command(name="score", cls=Command, examples=_EXAMPLES)
@click.argument("model", type=PathText())
@click.argument("table", type=PathText())
@_anomalies(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="A row is an anomaly if it is less likely than all but this share of the rows that the model learned; default "
    "0.01. Of a model with noise, if neither is given, if it is more probably noise than not.",
)
@_anomalies("--threshold", type=float, metavar="NUMBER", help="Or if its log-density is below this number (nats).")
@_anomalies(
    "--top",
    type=click.IntRange(0, 10_000),
    metavar="N",
    default=10,
    show_default=True,
    help="Print the N most unusual rows.",
)
@outputs("--output", type=PATH, metavar="FILE", help="Table of each row's log-density, and whether it is an anomaly.")
@outputs("--keep", type=Names(), help="Columns to copy to --output, and to print, a,b,c.")
@overwrite_option
@missing_option
@reading_options
@scheduler_options
@closing_options
def command(model: str, table: str, **options: Any) -> None:
    """Find the rows of TABLE that are unlike those that MODEL learned.

    The log-density of a row says how well MODEL expects it: the lower, the more unusual. It is that of the prepared
    columns, so compare it between rows of one model only.

    With --scheduler, TABLE is Parquet that all workers see, and the output a folder of Parquet files.
    """
    from bgsub import TableModel

    set_verbosity(options["verbose"], options["quiet"])
    if options["scheduler"] is None:
        check_tables(False, options["output"], [model, table], options["overwrite"])
    learned = TableModel.load(model)
    threshold, quantile = options["threshold"], options["quantile"]
    if threshold is None and (quantile is not None or not learned.mixture.has_outliers):
        threshold = learned.threshold(_QUANTILE if quantile is None else quantile)
    with ended_by_signals():
        facts, left_out = _score(learned, model, table, threshold, options)
    to_stderr = options["output"] == "-"
    if options["as_json"]:
        click.echo(json.dumps(facts, default=str), err=to_stderr)
    elif not options["quiet"]:
        _print(facts, left_out, to_stderr)


def _score(
    learned: TableModel, model: str, table: str, threshold: float | None, options: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Write the output; return what JSON says, and lines on the rows that were not scored."""
    from bgsub.tables.sources import open_table

    output, kept = options["output"], options["keep"] or ()
    with open_table(table, reading_of(options)) as source:
        far = goes_to_a_cluster(options, source, len(learned.columns) + len(kept))
        check_tables(far, output, [model, table], options["overwrite"])
        how = {"top": options["top"], "missing": options["missing"], "kept": kept}
        with (
            cluster_for(options, far),
            table_place(far, output) as place,
            counting_bar("scoring", source.n_rows, options["quiet"], "rows") as on_rows,
        ):
            scored = _scorer(far)(source, learned, threshold, output=place or None, **how, on_rows=on_rows)
    facts = {
        "table": as_told(table),
        "rows": scored.rows,
        "mean_log_density": scored.mean_log_density,
        "threshold": threshold,
        "anomalies": scored.anomalies,
        "left_out": scored.left_out.facts(),
        "most_unusual": [row.facts(learned.mixture.has_outliers) for row in scored.most_unusual],
        "notes": source.notes,
        "outputs": [as_told(output)] if output and output != "-" else [],
    }
    return facts, scored.left_out.lines()


def _scorer(far: bool) -> Callable[..., Scored]:
    """Return what scores the rows: workers of a cluster, or this process."""
    from bgsub.clustering import anomalies

    if not far:
        return anomalies.score_table
    from bgsub.distributed import labelling

    return labelling.score_table


def _print(facts: dict[str, Any], left_out: list[str], to_stderr: bool) -> None:
    """Print the most unusual rows, then the figures."""
    from bgsub.cli.tables import print_table

    unusual = facts["most_unusual"]
    if unusual:
        names = list(unusual[0]["values"])
        noise = ["noise"] if "noise" in unusual[0] else []
        print_table(
            ["row", "log-density", *noise, "", *names],
            [
                [
                    *(f"{row['row']:,}", f"{row['log_density']:.4g}", *(f"{row[name]:.1%}" for name in noise)),
                    *("anomaly" if row["anomaly"] else "", *map(_cell, row["values"].values())),
                ]
                for row in unusual
            ],
            to_stderr,
        )
        click.echo(err=to_stderr)
    n_rows, n_anomalies = facts["rows"], facts["anomalies"]
    share = n_anomalies / n_rows if n_rows else 0.0
    threshold = facts["threshold"]
    what = "belong to no cluster" if threshold is None else f"have a log-density below {threshold:.4g}"
    click.echo(f"{n_anomalies:,} of {n_rows:,} rows ({share:.2%}) {what}", err=to_stderr)
    for line in left_out:
        click.echo(f"  {line}", err=to_stderr)
    for path in facts["outputs"]:
        click.echo(f"  wrote {path}", err=to_stderr)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
