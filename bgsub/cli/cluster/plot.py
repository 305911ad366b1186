"""``bgsub cluster plot``: the rows and the clusters of a table, over two columns."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.cluster.options import (
    PATH,
    PICTURE_SUFFIXES,
    Names,
    check_outputs,
    missing_option,
    outputs,
    overwrite_option,
)
from bgsub.cli.help import Command, section
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import verbosity_options
from bgsub.cli.progress import counting_bar
from bgsub.cli.signals import ended_by_signals
from bgsub.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

    from bgsub.cli.cluster.assignment import Assigned
    from bgsub.cli.cluster.model_file import TableModel
    from bgsub.plots.mixture import PlaneMixture

logger = logging.getLogger(__name__)

_MOST_POINTS = 20_000
_MOST_ANOMALIES = 500

_picture = section("Picture")

_EXAMPLES = """
bgsub cluster plot customers.bgsub customers.csv --output segments.png
bgsub cluster plot flowers.bgsub flowers.csv --columns length,width --output species.svg
bgsub cluster plot customers.bgsub new.csv --quantile 0.001 --output unusual.png
"""


@click.command(name="plot", cls=Command, examples=_EXAMPLES)
@click.argument("model")
@click.argument("table")
@outputs("--output", type=PATH, metavar="FILE", required=True, help="The picture: .png, .jpg, .svg, .pdf.")
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
    from bgsub.cli.cluster.assignment import assign
    from bgsub.cli.cluster.model_file import TableModel
    from bgsub.tables.sources import open_table

    set_verbosity(options["verbose"], options["quiet"])
    output = options["output"]
    if output == "-":
        raise click.UsageError("a picture cannot go to standard output: name a file")
    check_outputs([(output, PICTURE_SUFFIXES)], [model, table], options["overwrite"])
    learned = TableModel.load(model)
    plane, columns = _plane(learned, options["columns"])
    threshold = None if options["quantile"] is None else learned.threshold(options["quantile"])
    with ended_by_signals(), open_table(table) as source:
        drawn = _Drawn(columns, threshold)
        with counting_bar("reading", source.n_rows, options["quiet"], "rows") as on_rows:
            for block in assign(source, learned, missing=options["missing"], on_rows=on_rows):
                drawn.add(block)
        _draw(plane, drawn, learned, output, options["k_means"])
    if not options["quiet"]:
        click.echo(f"wrote {output}")


def _plane(model: TableModel, names: tuple[str, ...] | None) -> tuple[PlaneMixture, list[int]]:
    """Return the mixture over two columns, and which features they are."""
    from bgsub.plots.mixture import PlaneMixture
    from bgsub.tables.table import listed

    features = model.preparation.features
    known = features.names
    if names is None:
        if len(known) < 2:
            raise ParameterError(f"the model has one column, {known[0]}, and a picture needs two")
        names = tuple(known[:2])
    if len(names) != 2 or names[0] == names[1]:
        raise ParameterError(f"--columns names {listed(names)}: name two columns, a,b")
    for name in names:
        if name not in known:
            raise ParameterError(f"the model has no column {name!r}: there are {listed(known)}")
    chosen = [known.index(name) for name in names]
    log = tuple(bool(features.is_log[index]) for index in chosen)
    covariances = model.covariances()[:, chosen][:, :, chosen]
    plane = PlaneMixture(
        model.mixture.weights_, model.means()[:, chosen], covariances, (names[0], names[1]), (log[0], log[1])
    )
    return plane, chosen


@dataclass
class _Drawn:
    """Rows drawn at random from all blocks, and the most unusual ones.

    Attributes
    ----------
    columns : list of int
        The two features to draw.
    threshold : float or None
        The log-density below which a row is unusual.
    """

    columns: list[int]
    threshold: float | None
    keys: np.ndarray | None = None
    features: np.ndarray = field(init=False)
    probabilities: np.ndarray = field(init=False)
    densities: np.ndarray = field(init=False)
    unusual: np.ndarray = field(init=False)

    def add(self, block: Assigned) -> None:
        """Take a block's rows: those of the lowest random keys so far are kept."""
        import numpy as np

        random = np.random.default_rng(block.rows.start)
        if self.keys is None:
            self.keys = np.empty(0)
            self.features, self.probabilities = block.features[:0], block.probabilities[:0]
            self.densities, self.unusual = np.empty(0), np.empty((0, 2))
        keys = np.concatenate([self.keys, random.random(len(block.features))])
        kept = np.argsort(keys, kind="stable")[:_MOST_POINTS]
        self.keys = keys[kept]
        self.features = np.concatenate([self.features, block.features])[kept]
        self.probabilities = np.concatenate([self.probabilities, block.probabilities])[kept]
        if self.threshold is not None:
            low = block.log_density < self.threshold
            densities = np.concatenate([self.densities, block.log_density[low]])
            unusual = np.concatenate([self.unusual, block.features[low][:, self.columns]])
            order = np.argsort(densities, kind="stable")[:_MOST_ANOMALIES]
            self.densities, self.unusual = densities[order], unusual[order]


def _draw(plane: PlaneMixture, drawn: _Drawn, model: TableModel, output: str, k_means: bool) -> None:
    """Write the picture."""
    from bgsub.errors import SourceError
    from bgsub.plots.figures import save_figure
    from bgsub.plots.mixture import mixture_figure

    if drawn.keys is None or not len(drawn.keys):
        raise SourceError("every row of the table has a missing value: there is nothing to draw")
    hard = _k_means_labels(model, drawn.features) if k_means else None
    unusual = None if drawn.threshold is None else drawn.unusual
    points = drawn.features[:, drawn.columns]
    figure = mixture_figure(plane, points, drawn.probabilities, anomalies=unusual, hard=hard)
    save_figure(figure, output, few_colours=True)


def _k_means_labels(model: TableModel, features: np.ndarray) -> np.ndarray:
    """Return k-means' labels of prepared rows, each cluster numbered as the component that its centre is nearest to."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment
    from sklearn.cluster import KMeans

    if len(features) < model.n_components:
        raise ParameterError(f"--k-means needs {model.n_components} rows or more: leave it out")
    k_means = KMeans(model.n_components, n_init=10, random_state=0).fit(model.preparation.transform(features))
    apart = np.linalg.norm(k_means.cluster_centers_[:, None] - model.mixture.means_[None], axis=2)
    return linear_sum_assignment(apart)[1][k_means.labels_]
