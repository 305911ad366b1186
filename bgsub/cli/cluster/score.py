"""``bgsub cluster score``: the rows that are unlike those that the model learned."""

from __future__ import annotations

import contextlib
import heapq
import json
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    TABLE_SUFFIXES,
    Names,
    check_outputs,
    closing_options,
    missing_option,
    outputs,
    overwrite_option,
)
from bgsub.cli.help import Command, section
from bgsub.cli.logs import set_verbosity
from bgsub.cli.progress import counting_bar
from bgsub.cli.signals import ended_by_signals

if TYPE_CHECKING:
    from bgsub.cli.cluster.assignment import Assigned
    from bgsub.cli.cluster.model_file import TableModel

_anomalies = section("Anomalies")

_EXAMPLES = """
bgsub cluster score customers.bgsub new.csv
bgsub cluster score customers.bgsub new.csv --quantile 0.001 --output scores.csv --keep customer
bgsub cluster score customers.bgsub new.parquet --threshold -12.5 --top 0 --json
"""


@click.command(name="score", cls=Command, examples=_EXAMPLES)
@click.argument("model")
@click.argument("table")
@_anomalies(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    default=0.01,
    show_default=True,
    help="A row is an anomaly if it is less likely than all but this share of the rows that the model learned.",
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
@closing_options
def command(model: str, table: str, **options: Any) -> None:
    """Find the rows of TABLE that are unlike those that MODEL learned.

    The log-density of a row says how well MODEL expects it: the lower, the more unusual. It is that of the prepared
    columns, so compare it between rows of one model only.
    """
    from bgsub.cli.cluster.model_file import TableModel

    set_verbosity(options["verbose"], options["quiet"])
    check_outputs([(options["output"], TABLE_SUFFIXES)], [model, table], options["overwrite"])
    learned = TableModel.load(model)
    threshold = options["threshold"]
    if threshold is None:
        threshold = learned.threshold(options["quantile"])
    with ended_by_signals():
        facts = _score(learned, table, threshold, options)
    to_stderr = options["output"] == "-"
    if options["as_json"]:
        click.echo(json.dumps(facts, default=str), err=to_stderr)
    elif not options["quiet"]:
        _print(facts, to_stderr)


def _score(learned: TableModel, table: str, threshold: float, options: dict[str, Any]) -> dict[str, Any]:
    """Write the output; return what JSON says."""
    from bgsub.cli.cluster.assignment import assign, check_kept
    from bgsub.tables.sources import open_table
    from bgsub.tables.writing import table_writer

    kept, output = options["keep"] or (), options["output"]
    check_kept(kept, ["log_density", "anomaly"])
    n_rows = n_anomalies = 0
    total = 0.0
    unusual: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_table(table))
        on_rows = stack.enter_context(counting_bar("scoring", source.n_rows, options["quiet"], "rows"))
        write = stack.enter_context(table_writer(output)) if output else None
        for block in assign(source, learned, missing=options["missing"], kept=kept, on_rows=on_rows):
            anomalies = block.log_density < threshold
            if write is not None:
                columns = {"log_density": block.spread(block.log_density), "anomaly": block.spread(anomalies)}
                write(block.kept() | columns)
            n_rows, n_anomalies = n_rows + len(anomalies), n_anomalies + int(anomalies.sum())
            total += float(block.log_density.sum())
            unusual = _most_unusual([*unusual, *_lowest(block, learned, options["top"])], options["top"])
    return {
        "table": table,
        "rows": n_rows,
        "mean_log_density": total / n_rows if n_rows else None,
        "threshold": threshold,
        "anomalies": n_anomalies,
        "most_unusual": unusual,
        "outputs": [output] if output and output != "-" else [],
    }


def _lowest(block: Assigned, learned: TableModel, count: int) -> list[dict[str, Any]]:
    """Return the `count` most unusual rows of a block, with the columns kept and those that the model sees."""
    order = block.log_density.argsort(kind="stable")[:count]
    places = block.rows.complete.nonzero()[0][order]
    features, rows = learned.preparation.features, block.rows
    kept = rows.kept.take(places).to_pylist()
    found = []
    for index, place, others in zip(order, places, kept, strict=True):
        numbers = dict(zip(features.numbers, rows.numbers[place].tolist(), strict=True))
        texts = {name: column[place].as_py() for name, column in zip(features.categories, rows.categories, strict=True)}
        found.append(
            {
                "row": rows.start + int(place) + 1,
                "log_density": float(block.log_density[index]),
                "values": {**others, **numbers, **texts},
            }
        )
    return found


def _most_unusual(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return the `count` rows of the lowest log-density, the earlier of equal ones first."""
    return heapq.nsmallest(count, rows, key=lambda row: (row["log_density"], row["row"]))


def _print(facts: dict[str, Any], to_stderr: bool) -> None:
    """Print the most unusual rows, then the figures."""
    from bgsub.cli.cluster.summary import print_table

    unusual = facts["most_unusual"]
    if unusual:
        names = list(unusual[0]["values"])
        marks = ["anomaly" if row["log_density"] < facts["threshold"] else "" for row in unusual]
        print_table(
            ["row", "log-density", "", *names],
            [
                [f"{row['row']:,}", f"{row['log_density']:.4g}", mark, *map(_cell, row["values"].values())]
                for row, mark in zip(unusual, marks, strict=True)
            ],
            to_stderr,
        )
        click.echo(err=to_stderr)
    n_rows, n_anomalies = facts["rows"], facts["anomalies"]
    share = n_anomalies / n_rows if n_rows else 0.0
    click.echo(
        f"{n_anomalies:,} of {n_rows:,} rows ({share:.2%}) have a log-density below {facts['threshold']:.4g}",
        err=to_stderr,
    )
    for path in facts["outputs"]:
        click.echo(f"  wrote {path}", err=to_stderr)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
