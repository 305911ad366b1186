"""A block of a table's rows, and what a model says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bgsub.mixture.fitted import Judged
from bgsub.tables.rows import Rows


@dataclass(frozen=True)
class Assigned:
    """A block of n rows, and what the model says of c of them: those that can be used, and have no unknown category.

    Attributes
    ----------
    rows : Rows
        The rows.
    unseen : ndarray (n,) bool
        Rows that could be used, but for a category that the model has not learned.
    features : ndarray (c, F)
        Their features, NaN where a value is missing.
    probabilities : ndarray (c, K)
        Of belonging to each cluster.
        A row's sum to 1, less its share of noise.
    log_density : ndarray (c,)
        Of the prepared rows, in nats.
    noise : ndarray (c,)
        The probability of belonging to no cluster.
    of_clusters : ndarray (c,)
        The log-density of the clusters alone, without that of the noise.
    """

    rows: Rows
    unseen: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray
    log_density: np.ndarray
    noise: np.ndarray
    of_clusters: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """Which rows the model says something of, (n,) bool."""
        return self.rows.complete & ~self.unseen

    @property
    def labels(self) -> np.ndarray:
        """The most probable cluster of each row that can be judged, (c,) int32; -1 where that is none."""
        judged = Judged(self.probabilities, self.noise, self.log_density, self.of_clusters)
        return judged.labels.astype(np.int32)

    def kept(self) -> dict[str, np.ndarray | pa.Array]:
        """Return the columns to pass on."""
        return dict(zip(self.rows.kept.schema.names, self.rows.kept.columns, strict=True))

    def spread(self, values: np.ndarray) -> np.ma.MaskedArray:
        """Return values (c,) for all rows (n,), the others masked: -2 if a category is unseen, -1 if one is missing."""
        judged = self.judged
        column = np.full(len(judged), -1, values.dtype)
        column[judged] = values
        if values.dtype != np.bool_:
            column[self.unseen] = -2
        return np.ma.MaskedArray(column, mask=~judged)
