"""Means and variances of columns while blocks of rows go by, weighted."""

from __future__ import annotations

import numpy as np


class Moments:
    """Means and population variances of F columns, from blocks of rows.

    Each block's moments are exact in themselves and merged into those before (Chan, Golub & LeVeque 1983, equations
    1.5), so that columns far from 0 lose no digits and the result hardly depends on the size of the blocks.

    Parameters
    ----------
    n_columns : int
        F.

    Attributes
    ----------
    mean : float64 ndarray, shape (F,)
        Weighted means.
    """

    def __init__(self, n_columns: int) -> None:
        self._total = 0.0
        self.mean = np.zeros(n_columns)
        self._squares = np.zeros(n_columns)  # weighted squares of the differences from the mean, summed

    @property
    def variance(self) -> np.ndarray:
        """Weighted variances (F,): 0 while there is no row of a weight above 0."""
        return self._squares / self._total if self._total else np.zeros_like(self._squares)

    def add(self, rows: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Let a block of rows (n, F), with weights of 0 or more (n,), go by."""
        total = float(len(rows)) if weights is None else float(weights.sum())
        if not total:
            return
        mean = np.average(rows, axis=0, weights=weights)
        offsets = rows - mean
        w = np.ones(len(rows)) if weights is None else weights
        residue = (w @ offsets) / total  # what rounding left in the mean
        squares = w @ offsets**2 - total * residue**2
        both = self._total + total
        apart = mean + residue - self.mean
        self._squares += squares + apart**2 * (self._total / both * total)
        self.mean = self.mean + apart * (total / both)
        self._total = both
