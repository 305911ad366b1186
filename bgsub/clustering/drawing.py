"""A model and rows of a table over a few of its columns: what a picture of them shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgsub.clustering.assigned import Assigned
from bgsub.clustering.model import TableModel
from bgsub.errors import ParameterError, SourceError
from bgsub.tables.table import listed

_MOST_POINTS = 20_000
_MOST_ANOMALIES = 500


def chosen_columns(model: TableModel, names: Sequence[str] | None, most: int) -> list[int]:
    """Return which of a model's features a picture shows.

    Parameters
    ----------
    model : TableModel
        What is drawn.
    names : sequence of str or None
        The columns asked for. None takes all or, of more than `most`, those that tell the clusters apart most: by the
        part of a column's variance that lies between the clusters.
    most : int
        How many a picture can show.

    Returns
    -------
    list of int
        Places among the features; without names in the model's order.

    Raises
    ------
    ParameterError
        When these are not 1 to `most` different columns of the model.
    """
    known = model.preparation.features.names
    if names is None:
        telling = np.argsort(-_between(model), kind="stable")[:most]
        return sorted(telling.tolist())
    if not 1 <= len(names) <= most or len(set(names)) < len(names):
        raise ParameterError(f"--columns names {listed(names)}: name 1 to {most} different columns, a,b")
    for name in names:
        if name not in known:
            raise ParameterError(f"the model has no column {name!r}: there are {listed(known)}")
    return [known.index(name) for name in names]


def _between(model: TableModel) -> np.ndarray:
    """Return the share of each feature's variance that lies between the clusters, (F,)."""
    weights, means = model.mixture.parameters.weights[:, None], model.means()
    within = (weights * np.diagonal(model.covariances(), axis1=1, axis2=2)).sum(axis=0)
    between = (weights * (means - (weights * means).sum(axis=0)) ** 2).sum(axis=0)
    return between / np.maximum(within + between, np.finfo(np.float64).tiny)


class DrawnRows:
    """Rows drawn at random from all blocks of a table, and the most unusual ones.

    Parameters
    ----------
    columns : sequence of int
        The C features to show.
    threshold : float or None
        The log-density below which a row is unusual.

    Attributes
    ----------
    features : ndarray (n, F)
        All features of the rows drawn, at most 20 000.
    probabilities : ndarray (n, K)
        Theirs, of belonging to each cluster.
    unusual : ndarray (m, C)
        The features to show of at most 500 rows below the threshold, the least likely first.
    n_hidden : int
        Rows that lack one of the features to show, and are not among the others.
    """

    def __init__(self, columns: Sequence[int], threshold: float | None) -> None:
        self._columns = list(columns)
        self.n_hidden = 0
        self._threshold = threshold
        self._keys = np.empty(0)
        self._densities = np.empty(0)
        self.features = np.empty((0, 0))
        self.probabilities = np.empty((0, 0))
        self.unusual = np.empty((0, len(columns)))

    @property
    def points(self) -> np.ndarray:
        """The features to show of the rows drawn, (n, C)."""
        return self.features[:, self._columns]

    def add(self, block: Assigned) -> None:
        """Take a block's rows: those of the lowest random keys so far are kept."""
        random = np.random.default_rng(block.rows.start)
        shown = ~np.isnan(block.features[:, self._columns]).any(axis=1)
        self.n_hidden += int((~shown).sum())
        features, probabilities = block.features[shown], block.probabilities[shown]
        if not len(self._keys):
            self.features, self.probabilities = features[:0], probabilities[:0]
        keys = np.concatenate([self._keys, random.random(len(features))])
        kept = np.argsort(keys, kind="stable")[:_MOST_POINTS]
        self._keys = keys[kept]
        self.features = np.concatenate([self.features, features])[kept]
        self.probabilities = np.concatenate([self.probabilities, probabilities])[kept]
        if self._threshold is not None:
            low = shown & (block.log_density < self._threshold)
            densities = np.concatenate([self._densities, block.log_density[low]])
            unusual = np.concatenate([self.unusual, block.features[low][:, self._columns]])
            order = np.argsort(densities, kind="stable")[:_MOST_ANOMALIES]
            self._densities, self.unusual = densities[order], unusual[order]

    def check(self) -> None:
        """Raise SourceError if no row can be drawn."""
        if not len(self._keys):
            raise SourceError(
                "every row of the table has a missing value, or a category that the model has not seen: "
                "there is nothing to draw"
            )


def k_means_labels(model: TableModel, features: np.ndarray) -> np.ndarray:
    """Return k-means' labels of rows, each cluster numbered as the model's that its centre is nearest to.

    Parameters
    ----------
    model : TableModel
        Its preparation and its number of clusters are k-means' too.
    features : ndarray (n, F)
        The rows; gaps are filled in with what the model expects.

    Raises
    ------
    ParameterError
        When there are fewer rows than clusters.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.cluster import KMeans

    if len(features) < model.n_components:
        raise ParameterError(f"--k-means needs {model.n_components} rows or more: leave it out")
    rows = model.mixture.impute(model.preparation.transform(features))
    k_means = KMeans(model.n_components, n_init=10, random_state=0).fit(rows)
    apart = np.linalg.norm(k_means.cluster_centers_[:, None] - model.mixture.means[None], axis=2)
    return linear_sum_assignment(apart)[1][k_means.labels_]
