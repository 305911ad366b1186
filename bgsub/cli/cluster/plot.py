"""``bgsub cluster plot``: the rows and the clusters of a table, over two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    Names,
    check_outputs,
    missing_option,
    outputs,
    overwrite_option,
)
from bgsub.cli.help import Command, section
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import needs_plots, verbosity_options
from bgsub.cli.progress import counting_bar
from bgsub.cli.signals import ended_by_signals
from bgsub.formats import WRITABLE_FIGURES

if TYPE_CHECKING:
    from bgsub import TableModel
    from bgsub.clustering.plane import PlaneRows

_picture = section("Picture")

_EXAMPLES = """
bgsub cluster plot customers.bgsub customers.csv --output segments.png
bgsub cluster plot flowers.bgsub flowers.csv --columns length,width --output species.svg
bgsub cluster plot customers.bgsub new.csv --quantile 0.001 --output unusual.png
"""


@click.command(name="plot", cls=Command, examples=_EXAMPLES)
@click.argument("model")
@click.argument("table")
@outputs(
    "--output",
    type=PATH,
    callback=needs_plots,
    metavar="FILE",
    required=True,
    help="The picture: .png, .jpg, .svg, .pdf.",
)
@overwrite_option
@_picture("--columns", type=Names(), help="The two columns to draw, a,b; default the first two of the model.")
@_picture(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="Ring rows that are less likely than all but this share of those that the model learned.",
)
@_picture("--k-means", is_flag=True, help="Beside it, the same rows as k-means cuts them.")
@missing_option
@verbosity_options
def command(model: str, table: str, **options: Any) -> None:
    """Draw the rows of TABLE and the clusters of MODEL over two columns.

    A row's colour is mixed from those of the clusters by its probabilities. The ellipses hold 50 % and 95 % of a
    cluster's rows, whatever the model's other columns say. Along the axes stand the histogram of the rows and the
    clusters' densities. Of more than 20 000 rows so many are drawn, at random.
    """
    from bgsub import TableModel
    from bgsub.clustering.plane import PlaneRows, chosen_columns
    from bgsub.tables.sources import open_table

    set_verbosity(options["verbose"], options["quiet"])
    output = options["output"]
    if output == "-":
        raise click.UsageError("a picture cannot go to standard output: name a file")
    check_outputs([(output, WRITABLE_FIGURES)], [model, table], options["overwrite"])
    learned = TableModel.load(model)
    columns = chosen_columns(learned, options["columns"])
    threshold = None if options["quantile"] is None else learned.threshold(options["quantile"])
    rows = PlaneRows(columns, threshold)
    with ended_by_signals(), open_table(table) as source:
        with counting_bar("reading", source.n_rows, options["quiet"], "rows") as on_rows:
            for block in learned.assign(source, missing=options["missing"], on_rows=on_rows):
                rows.add(block)
        rows.check()
        _draw(learned, columns, rows, options)
    if not options["quiet"]:
        click.echo(f"wrote {output}")


def _draw(model: TableModel, columns: tuple[int, int], rows: PlaneRows, options: dict[str, Any]) -> None:
    """Write the picture."""
    from bgsub.clustering.plane import k_means_labels
    from bgsub.plots.figures import save_figure
    from bgsub.plots.mixture import PlaneMixture, mixture_figure

    features, chosen = model.preparation.features, list(columns)
    plane = PlaneMixture(
        model.mixture.weights,
        model.means()[:, chosen],
        model.covariances()[:, chosen][:, :, chosen],
        (features.names[columns[0]], features.names[columns[1]]),
        (bool(features.is_log[columns[0]]), bool(features.is_log[columns[1]])),
    )
    hard = k_means_labels(model, rows.features) if options["k_means"] else None
    unusual = None if options["quantile"] is None else rows.unusual
    figure = mixture_figure(plane, rows.points, rows.probabilities, anomalies=unusual, hard=hard)
    save_figure(figure, options["output"], few_colours=True)
