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
        self._total = np.zeros(n_columns)
        self.mean = np.zeros(n_columns)
        self._squares = np.zeros(n_columns)  # weighted squares of the differences from the mean, summed

    @property
    def variance(self) -> np.ndarray:
        """Weighted variances (F,): 0 while there is no row of a weight above 0."""
        return self._squares / np.where(self._total, self._total, 1.0)

    def add(self, rows: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Let a block of rows (n, F), with weights of 0 or more (n,), go by; what is NaN has no part in it."""
        there = ~np.isnan(rows)
        w = np.ones(len(rows)) if weights is None else weights
        total = w @ there
        some = np.where(total, total, 1.0)
        values = np.where(there, rows, 0.0)
        mean = (w @ values) / some
        offsets = np.where(there, rows - mean, 0.0)
        residue = (w @ offsets) / some  # what rounding left in the mean
        squares = w @ offsets**2 - total * residue**2
        self._merge(total, mean + residue, squares)

    def merge(self, other: Moments) -> None:
        """Add the moments of other rows."""
        self._merge(other._total, other.mean, other._squares)

    def _merge(self, total: np.ndarray, mean: np.ndarray, squares: np.ndarray) -> None:
        both = self._total + total
        share = total / np.where(both, both, 1.0)
        apart = mean - self.mean
        self._squares = self._squares + squares + apart**2 * (self._total * share)
        self.mean = self.mean + apart * share
        self._total = both
