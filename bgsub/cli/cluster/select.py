"""``bgsub cluster select``: how many clusters a table has, and of what shape."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    Counts,
    choice_of,
    choice_options,
    closing_options,
    mixture,
    outputs,
    overwrite_option,
    reading_of,
    settings_of,
    stages,
    table_fitting_options,
)
from bgsub.cli.cluster.scheduled import cluster_for, goes_to_a_cluster
from bgsub.cli.cluster.written import as_told, at_place, check_outputs
from bgsub.cli.help import Command
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText, Word, needs_plots
from bgsub.cli.scheduler import scheduler_options
from bgsub.cli.signals import ended_by_signals
from bgsub.formats import WRITABLE_FIGURES, WRITABLE_MODELS
from bgsub.mixture.settings import COVARIANCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bgsub.clustering.model import TableModel
    from bgsub.mixture.comparison import ModelSelection

_CRITERIA = ("bic", "aic", "icl")

_EXAMPLES = """
bgsub cluster select customers.csv --scale
bgsub cluster select customers.csv --components 1-6 --covariance full --plot bic.png
bgsub cluster select features.npy --pca 10 --components 2,4,8 --criterion icl --model best.bgsub
bgsub cluster select year/ --components 4-12 --scale --scheduler tcp://10.0.0.5:8786
"""


@click.command(name="select", cls=Command, examples=_EXAMPLES)
@click.argument("table", type=PathText())
@outputs(
    "--plot",
    type=PATH,
    callback=needs_plots,
    metavar="FILE",
    help="Curves of BIC and AIC (or ICL): .png, .jpg, .svg, .pdf.",
)
@outputs(
    "--model",
    type=PATH,
    metavar="FILE",
    help="The best model, as `bgsub cluster fit --model` writes it: .bgsub.",
)
@overwrite_option
@choice_options
@mixture(
    "--components", type=Counts(), default="1-9", show_default=True, help="Numbers of clusters to try: 1-9, 1,2,5."
)
@mixture(
    "--covariance",
    type=Word(COVARIANCE_TYPES),
    multiple=True,
    help="Shape to try, repeatable; default all: any ellipse; one for all; along the axes; circles.",
)
@mixture(
    "--criterion",
    type=Word(_CRITERIA),
    default="bic",
    show_default=True,
    help="The best has the lowest. bic: what the density needs; icl: what is apart; aic: more than either.",
)
@table_fitting_options
@scheduler_options
@closing_options
def command(table: str, **options: Any) -> None:
    """Find how many clusters TABLE has, and of what shape: fit all combinations, and compare them.

    TABLE is as of `bgsub cluster fit`, which the best combination, marked in the table, can be given to; --model keeps
    it. bgsub.select in Python finds the same; bgsub.GaussianMixture() has other defaults, scikit-learn's. A fit that
    has collapsed, onto one value of a count or because a column follows from others, is marked and cannot be the best:
    its likelihood is that of --reg-covar.

    With --scheduler, TABLE is Parquet that all workers see. Small tables stay here all the same.
    """
    set_verbosity(options["verbose"], options["quiet"])
    check_outputs(
        [(options["plot"], WRITABLE_FIGURES), (options["model"], WRITABLE_MODELS)], [table], options["overwrite"]
    )
    with ended_by_signals():
        selection, notes = _select(table, options)
    best = selection.best_candidate
    written = [as_told(path) for path in (options["plot"], options["model"]) if path]
    if options["as_json"]:
        rows = [{name: _finite(value) for name, value in row._asdict().items()} for row in selection.table]
        click.echo(json.dumps({"table": rows, "best": best._asdict(), "notes": notes, "outputs": written}))
    elif not options["quiet"]:
        _print(selection)
        for path in written:
            click.echo(f"  wrote {path}")


def _select(name: str, options: dict[str, Any]) -> tuple[ModelSelection, list[str]]:
    """Try all combinations, and write the outputs; return them, and what was found out of the table."""
    from bgsub.tables.sources import open_table

    with open_table(name, reading_of(options)) as table:
        far = goes_to_a_cluster(options, table, len(options["columns"] or table.numeric_columns()))
        with cluster_for(options, far):
            selection, model = _worker(far)(
                table,
                options["components"],
                options["covariance"] or COVARIANCE_TYPES,
                criterion=options["criterion"],
                choice=choice_of(options),
                settings=settings_of(options),
                stage=stages(options["quiet"]),
            )
    if options["plot"]:
        with at_place(options["plot"]) as here:
            _draw(selection, here)
    if options["model"]:
        with at_place(options["model"]) as here:
            model.save(here)
    return selection, table.notes


def _worker(far: bool) -> Callable[..., tuple[ModelSelection, TableModel]]:
    """Return what tries all combinations: on a cluster, or here."""
    if far:
        from bgsub.distributed import learning

        return learning.select_table
    from bgsub.clustering import fitting

    return fitting.select_table


def _draw(selection: ModelSelection, path: str) -> None:
    """Draw the curves of the criterion and of the one that it is best compared with."""
    from bgsub.plots.figures import save_figure
    from bgsub.plots.fitted import plot_selection

    save_figure(plot_selection(selection), path, few_colours=True)


def _print(selection: ModelSelection) -> None:
    """Print a row a number of components, a column a covariance type, the best one marked."""
    from bgsub.cli.tables import print_table

    best = selection.best_candidate
    types = list(dict.fromkeys(row.covariance_type for row in selection.table))
    counts = list(dict.fromkeys(row.n_components for row in selection.table))
    found = {(row.n_components, row.covariance_type): row for row in selection.table}
    cells = []
    for count in counts:
        line = [str(count)]
        for kind in types:
            row = found[count, kind]
            value = getattr(row, selection.criterion)
            if not math.isfinite(value):
                line.append("failed  ")
                continue
            mark = "*" if row is best else "x" if row.collapsed else " "
            line.append(f"{value:,.0f}{mark}{' ' if row.converged else '?'}")
        cells.append(line)
    print_table(["components", *(f"{kind}  " for kind in types)], cells, to_stderr=False)
    name = selection.criterion.upper()
    click.echo(f"\n* the lowest {name}: {best.n_components} components, {best.covariance_type} covariance")
    collapsed = list(dict.fromkeys(row.collapsed for row in selection.table if row.collapsed))
    if collapsed:
        more = f" and {len(collapsed) - 1} more such" if len(collapsed) > 1 else ""
        click.echo(f"x has collapsed, cannot be the best: a variance is mostly --reg-covar {collapsed[0]}{more}")
    if not all(row.converged for row in selection.table if math.isfinite(getattr(row, selection.criterion))):
        click.echo("? did not converge: raise --max-iter, or --tol")


def _finite(value: Any) -> Any:
    """Return a value as JSON has it: null for what is infinite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
