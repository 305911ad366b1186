"""Rows with gaps made whole, for what starts are drawn from: k-means has no use for gaps.

Gaps get what a single Gaussian, fitted by EM to the rows with their gaps, expects of them: near the columns' means
where columns have nothing to do with each other, near the right cluster where they tell clusters apart. The mixture's
own EM then goes by the gaps, not by these values.
"""

from __future__ import annotations

import numpy as np

from bgsub.mixture.imputation import expected
from bgsub.mixture.parameters import Parameters, precisions_cholesky
from bgsub.mixture.passes.missing import gap_pass
from bgsub.mixture.passes.statistics import maximisation

_MOST_ROWS, _MOST_STEPS = 4000, 30  # that the Gaussian is fitted with: it need not be exact
_ENOUGH = 1e-3  # gain of log-likelihood a row below which it is
_RIDGE = 1e-3  # of a column's variance: with fewer rows than columns the Gaussian would know nothing but these rows


def completed(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return rows whose gaps are filled in.

    Parameters
    ----------
    rows : float64 ndarray, shape (n, D)
        Finite numbers and NaN, and something of each row and of each column.
    weights : float64 ndarray, shape (n,)
        Of the rows.
    """
    if not np.isnan(rows).any():
        return rows
    centre, scale = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    scale[scale == 0] = 1.0
    standard = (rows - centre) / scale
    some = slice(None, None, -(-len(rows) // _MOST_ROWS))
    filled = expected(standard, _gaussian_of(standard[some], weights[some]), "full")
    return np.where(np.isnan(rows), centre + scale * filled, rows)


def _gaussian_of(rows: np.ndarray, weights: np.ndarray) -> Parameters:
    """Return the mixture of one Gaussian of greatest likelihood, nearly, of standardised rows."""
    n_features = rows.shape[1]
    covariance = np.eye(n_features)[None]
    gaussian = Parameters(np.ones(1), np.zeros((1, n_features)), covariance, precisions_cholesky(covariance, "full"))
    if not weights.any():
        return gaussian
    before = -np.inf
    with gap_pass(rows, 1, "full", weights, None) as one_pass:
        for _ in range(_MOST_STEPS):
            statistics = one_pass(gaussian)
            gaussian = maximisation(statistics, gaussian, "full", _RIDGE)
            reached = statistics.log_likelihood / statistics.total_weight
            if reached - before < _ENOUGH:
                break
            before = reached
    return gaussian
