"""A model and rows of a table over two of its columns: what a picture of them shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgsub.clustering.model import Assigned, TableModel
from bgsub.errors import ParameterError, SourceError
from bgsub.tables.table import listed

_MOST_POINTS = 20_000
_MOST_ANOMALIES = 500


def chosen_columns(model: TableModel, names: Sequence[str] | None) -> tuple[int, int]:
    """Return which of a model's features two columns are; those of the first two without names.

    Raises
    ------
    ParameterError
        When these are not two columns of the model.
    """
    known = model.preparation.features.names
    if names is None:
        if len(known) < 2:
            raise ParameterError(f"the model has one column, {known[0]}, and a picture needs two")
        names = known[:2]
    if len(names) != 2 or names[0] == names[1]:
        raise ParameterError(f"--columns names {listed(names)}: name two columns, a,b")
    for name in names:
        if name not in known:
            raise ParameterError(f"the model has no column {name!r}: there are {listed(known)}")
    return known.index(names[0]), known.index(names[1])


class PlaneRows:
    """Rows drawn at random from all blocks of a table, and the most unusual ones.

    Parameters
    ----------
    columns : (int, int)
        The two features to show.
    threshold : float or None
        The log-density below which a row is unusual.

    Attributes
    ----------
    features : ndarray (n, F)
        All features of the rows drawn, at most 20 000.
    probabilities : ndarray (n, K)
        Theirs, of belonging to each cluster.
    unusual : ndarray (m, 2)
        The two features of at most 500 rows below the threshold, the least likely first.
    """

    def __init__(self, columns: tuple[int, int], threshold: float | None) -> None:
        self._columns = list(columns)
        self._threshold = threshold
        self._keys = np.empty(0)
        self._densities = np.empty(0)
        self.features = np.empty((0, 0))
        self.probabilities = np.empty((0, 0))
        self.unusual = np.empty((0, 2))

    @property
    def points(self) -> np.ndarray:
        """The two features of the rows drawn, (n, 2)."""
        return self.features[:, self._columns]

    def add(self, block: Assigned) -> None:
        """Take a block's rows: those of the lowest random keys so far are kept."""
        random = np.random.default_rng(block.rows.start)
        if not len(self._keys):
            self.features, self.probabilities = block.features[:0], block.probabilities[:0]
        keys = np.concatenate([self._keys, random.random(len(block.features))])
        kept = np.argsort(keys, kind="stable")[:_MOST_POINTS]
        self._keys = keys[kept]
        self.features = np.concatenate([self.features, block.features])[kept]
        self.probabilities = np.concatenate([self.probabilities, block.probabilities])[kept]
        if self._threshold is not None:
            low = block.log_density < self._threshold
            densities = np.concatenate([self._densities, block.log_density[low]])
            unusual = np.concatenate([self.unusual, block.features[low][:, self._columns]])
            order = np.argsort(densities, kind="stable")[:_MOST_ANOMALIES]
            self._densities, self.unusual = densities[order], unusual[order]

    def check(self) -> None:
        """Raise SourceError if no row was complete."""
        if not len(self._keys):
            raise SourceError("every row of the table has a missing value: there is nothing to draw")


def k_means_labels(model: TableModel, features: np.ndarray) -> np.ndarray:
    """Return k-means' labels of rows, each cluster numbered as the model's that its centre is nearest to.

    Parameters
    ----------
    model : TableModel
        Its preparation and its number of clusters are k-means' too.
    features : ndarray (n, F)
        The rows.

    Raises
    ------
    ParameterError
        When there are fewer rows than clusters.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.cluster import KMeans

    if len(features) < model.n_components:
        raise ParameterError(f"--k-means needs {model.n_components} rows or more: leave it out")
    k_means = KMeans(model.n_components, n_init=10, random_state=0).fit(model.preparation.transform(features))
    apart = np.linalg.norm(k_means.cluster_centers_[:, None] - model.mixture.means[None], axis=2)
    return linear_sum_assignment(apart)[1][k_means.labels_]
