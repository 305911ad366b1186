"""What of a mixture and of its rows is shown: the columns that were chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ShownMixture:
    """A Gaussian mixture over the C columns to show, the marginal one of a mixture over more.

    Attributes
    ----------
    weights : ndarray (K,)
        The components' weights.
    means : ndarray (K, C)
        Their means; of columns in `log`, of the logarithms.
    covariances : ndarray (K, C, C)
        Their covariances, likewise.
    names : tuple of str
        The columns' names.
    log : tuple of bool
        Whether a column is modelled by its natural logarithm; its axis is then logarithmic.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    names: tuple[str, ...]
    log: tuple[bool, ...]

    def over(self, *columns: int) -> ShownMixture:
        """Return the marginal mixture over some of the columns."""
        kept = list(columns)
        return ShownMixture(
            self.weights,
            self.means[:, kept],
            self.covariances[:, kept][:, :, kept],
            tuple(self.names[column] for column in kept),
            tuple(self.log[column] for column in kept),
        )

    def shown(self, points: np.ndarray) -> np.ndarray:
        """Return points (n, C) in the columns' units."""
        return np.where(self.log, np.exp(np.where(self.log, points, 0.0)), points)

    def densities(self, places: np.ndarray) -> np.ndarray:
        """Return each component's weighted density (K, n) at places (n,) of the only column; of logarithms in `log`."""
        variances = np.maximum(self.covariances[:, 0, :], np.finfo(np.float64).tiny)
        distances = (places - self.means) ** 2 / variances
        return self.weights[:, None] * np.exp(-0.5 * distances) / np.sqrt(2 * np.pi * variances)


@dataclass(frozen=True)
class ShownRows:
    """The rows to show.

    Attributes
    ----------
    points : ndarray (n, C)
        Rows, logarithms where the mixture has them.
    probabilities : ndarray (n, K)
        Each row's, of belonging to each component.
    unusual : ndarray (m, C) or None
        Rows to mark; None where none were looked for.
    hard : ndarray (n,) of int or None
        Labels of k-means for the same rows, which a second picture of two columns shows.
    """

    points: np.ndarray
    probabilities: np.ndarray
    unusual: np.ndarray | None = None
    hard: np.ndarray | None = None

    def over(self, *columns: int) -> ShownRows:
        """Return the rows' values of some of the columns."""
        kept = list(columns)
        unusual = None if self.unusual is None else self.unusual[:, kept]
        return ShownRows(self.points[:, kept], self.probabilities, unusual, self.hard)
