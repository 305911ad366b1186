"""``bgsub cluster plot``: the rows and the clusters of a table, over a few columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    Names,
    missing_option,
    outputs,
    overwrite_option,
    reading_of,
    reading_options,
)
from bgsub.cli.cluster.written import as_told, at_place, check_outputs
from bgsub.cli.help import Command, section
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import PathText, needs_plots, verbosity_options
from bgsub.cli.progress import counting_bar
from bgsub.cli.signals import ended_by_signals
from bgsub.errors import ParameterError
from bgsub.formats import WRITABLE_FIGURES

if TYPE_CHECKING:
    from bgsub import TableModel
    from bgsub.clustering.drawing import DrawnRows

_picture = section("Picture")

_EXAMPLES = """
bgsub cluster plot customers.bgsub customers.csv --output segments.png
bgsub cluster plot flowers.bgsub flowers.csv --columns length,width --output species.svg
bgsub cluster plot customers.bgsub new.csv --quantile 0.001 --output unusual.png
"""


@click.command(name="plot", cls=Command, examples=_EXAMPLES)
@click.argument("model", type=PathText())
@click.argument("table", type=PathText())
@outputs(
    "--output",
    type=PATH,
    callback=needs_plots,
    metavar="FILE",
    required=True,
    help="The picture: .png, .jpg, .svg, .pdf.",
)
@overwrite_option
@_picture(
    "--columns",
    type=Names(),
    help="The columns to draw, up to 5, a,b,c; by default all, of more than 5 those that tell the clusters apart most.",
)
@_picture(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="Ring rows that are less likely than all but this share of those that the model learned.",
)
@_picture("--k-means", is_flag=True, help="Beside it, the same rows as k-means cuts them.")
@missing_option
@reading_options
@verbosity_options
def command(model: str, table: str, **options: Any) -> None:
    """Draw the rows of TABLE and the clusters of MODEL over one column or more.

    One column becomes a histogram with the clusters' densities and their sum; two become a picture of points with the
    densities along the axes; more a panel for every column and every pair. A row's colour is mixed from those of the
    clusters by its probabilities. The ellipses hold 50 % (thick) and 95 % (thin) of a cluster's rows, whatever the
    model's other columns say. Of more than 20 000 rows so many are drawn, at random. Below stands which clusters are
    not Gaussian, if that shows: heavy tails, flat or hollow, skewed.
    """
    from bgsub import TableModel
    from bgsub.clustering.drawing import DrawnRows, chosen_columns
    from bgsub.clustering.left_out import LeftOut
    from bgsub.plots.mixture import MOST_COLUMNS
    from bgsub.tables.sources import open_table

    set_verbosity(options["verbose"], options["quiet"])
    output = options["output"]
    if output == "-":
        raise click.UsageError("a picture cannot go to standard output: name a file")
    check_outputs([(output, WRITABLE_FIGURES)], [model, table], options["overwrite"])
    learned = TableModel.load(model)
    columns = chosen_columns(learned, options["columns"], 2 if options["k_means"] else MOST_COLUMNS)
    if options["k_means"] and len(columns) < 2:
        raise ParameterError("--k-means is drawn over two columns: leave it out, or name two with --columns")
    threshold = None if options["quantile"] is None else learned.threshold(options["quantile"])
    rows, left_out = DrawnRows(columns, threshold), LeftOut()
    with ended_by_signals(), open_table(table, reading_of(options)) as source:
        with counting_bar("reading", source.n_rows, options["quiet"], "rows") as on_rows:
            for block in learned.assign(source, missing=options["missing"], on_rows=on_rows):
                rows.add(block)
                left_out.add(block, learned.preparation.features)
        rows.check()
        _draw(learned, columns, rows, options)
    if not options["quiet"]:
        click.echo(f"  wrote {as_told(output)}")
        for line in left_out.lines():
            click.echo(f"  {line}")
        if rows.n_hidden:
            click.echo(f"  {rows.n_hidden:,} of the rows lack a column that is shown, and are not drawn")


def _draw(model: TableModel, columns: list[int], rows: DrawnRows, options: dict[str, Any]) -> None:
    """Write the picture."""
    from bgsub.clustering.description import shape_advice
    from bgsub.clustering.drawing import k_means_labels
    from bgsub.mixture.gaussianity import gaussianity
    from bgsub.plots.figures import save_figure
    from bgsub.plots.mixture import mixture_figure
    from bgsub.plots.shown import ShownMixture, ShownRows

    features = model.preparation.features
    log = tuple(bool(is_log) for is_log in features.is_log)
    whole = ShownMixture(model.mixture.weights, model.means(), model.covariances(), tuple(features.names), log)
    hard = k_means_labels(model, rows.features) if options["k_means"] else None
    unusual = None if options["quantile"] is None else rows.unusual
    title = ""
    if len(columns) < len(features.names):
        title = f"{len(columns)} of the model's {len(features.names)} columns"
        if options["columns"] is None:
            title += ", those that tell the clusters apart most (--columns names others)"
    note = shape_advice(model, gaussianity(model.mixture, model.preparation.transform(rows.features)))
    shown = ShownRows(rows.points, rows.probabilities, unusual, hard)
    figure = mixture_figure(whole.over(*columns), shown, title, note)
    with at_place(options["output"]) as here:
        save_figure(figure, here, few_colours=True)
