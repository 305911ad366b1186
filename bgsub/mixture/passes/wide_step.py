"""The M step for covariances of so many features that LAPACK's Cholesky and inverse are faster than plain loops."""

from __future__ import annotations

import numpy as np

from bgsub.mixture.kernels.steps import EPS, FAR, TOO_FAR
from bgsub.mixture.parameters import Parameters


def wide_maximisation(
    counts: np.ndarray, shift: np.ndarray, scatter: np.ndarray, parameters: Parameters, reg_covar: float
) -> Parameters | None:
    """Return what `kernels.steps.maximise` makes of full or tied covariances; None where they do not allow it.

    Parameters
    ----------
    counts, shift, scatter : ndarray
        The sums over all rows under `parameters`, as `Statistics` has them.
    parameters : Parameters
        Those of the pass.
    reg_covar : float
        Added to the diagonal of each covariance.
    """
    tied = scatter.ndim == 2
    n = counts + EPS
    moves = shift / n[:, None]
    means = parameters.means + moves
    if tied:
        covariances = (scatter / n.sum() - (moves.T * (n / n.sum())) @ moves)[None]
    else:
        covariances = scatter / n[:, None, None]
        covariances -= moves[:, :, None] * moves[:, None, :]
    each = np.arange(means.shape[1])
    covariances[:, each, each] += reg_covar
    far = FAR * np.diagonal(parameters.covariances, axis1=-2, axis2=-1)  # (K, D), or (D,) for tied
    squares = np.where(moves**2 > far, moves**2, 0.0)
    squares = squares.max(axis=0, keepdims=True) if tied else squares
    factors = np.empty_like(covariances)
    old = (parameters.covariances[None], parameters.precisions_cholesky[None]) if tied else parameters[2:]
    for c, covariance in enumerate(covariances):
        factor = inverse_cholesky(covariance, TOO_FAR * squares[c])
        if factor is not None:
            factors[c] = factor
        elif squares[c].any():  # the mean alone: see `maximise`
            covariances[c], factors[c] = old[0][c], old[1][c]
        else:
            return None
    found = (covariances[0], factors[0]) if tied else (covariances, factors)
    return Parameters(n / n.sum(), means, *found)


def inverse_cholesky(covariance: np.ndarray, least: np.ndarray) -> np.ndarray | None:
    """Return U = R^-1 with R upper triangular and R^T R the covariance, (D, D); None unless its pivots exceed `least`.

    SciPy is imported here, as only wide tables need it.
    """
    from scipy.linalg.lapack import dpotrf, dtrtri

    root, fault = dpotrf(covariance, lower=0, clean=1)
    pivots = np.diagonal(root)
    if fault or not (pivots**2 > least).all():  # nor for NaN
        return None
    inverse, fault = dtrtri(root, lower=0)
    return None if fault else inverse
