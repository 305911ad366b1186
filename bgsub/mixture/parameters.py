"""The parameters of a mixture, as plain arrays in scikit-learn's shapes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")

ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for instance "
    "caused by singleton or collapsed samples). Try to decrease the number of components, increase reg_covar, or "
    "scale the input data."
)


class Parameters(NamedTuple):
    """A mixture of K Gaussians over D features; float64, C-contiguous.

    The last two are of shape (K, D, D) for ``"full"``, (D, D) for ``"tied"``, (K, D) for ``"diag"`` and (K,) for
    ``"spherical"`` covariances.
    """

    weights: np.ndarray  # (K,), summing to 1
    means: np.ndarray  # (K, D)
    covariances: np.ndarray
    precisions_cholesky: np.ndarray  # upper triangular U with precision = U U^T; 1 / standard deviation without D x D


def precisions_cholesky(covariances: np.ndarray, covariance_type: str) -> np.ndarray:
    """Return the upper triangular factors U of the precisions, ``inverse(covariance) = U U^T``.

    Parameters
    ----------
    covariances : ndarray, shape (K, D, D), (D, D), (K, D) or (K,)
        As `covariance_type` has them.
    covariance_type : {"full", "tied", "diag", "spherical"}
        For the last two, the factor is one over the standard deviation.

    Returns
    -------
    ndarray of the shape of `covariances`

    Raises
    ------
    ValueError
        When a covariance is not positive definite; the text is scikit-learn's.
    """
    covariances = np.asarray(covariances, np.float64)
    if covariance_type in ("diag", "spherical"):
        if not np.all(covariances > 0):
            raise ValueError(ILL_DEFINED)
        return 1.0 / np.sqrt(covariances)
    try:
        lower = np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        raise ValueError(ILL_DEFINED) from None
    if not np.isfinite(lower).all():  # LAPACK lets NaN through
        raise ValueError(ILL_DEFINED)
    inverse = np.linalg.solve(lower, np.broadcast_to(np.eye(lower.shape[-1]), lower.shape))
    return np.ascontiguousarray(np.triu(np.swapaxes(inverse, -1, -2)))


def n_parameters(n_components: int, n_features: int, covariance_type: str) -> int:
    """Return the number of free parameters: of the covariances, the means and the weights, which sum to 1."""
    a_matrix = n_features * (n_features + 1) // 2
    of_covariances = {
        "full": n_components * a_matrix,
        "tied": a_matrix,
        "diag": n_components * n_features,
        "spherical": n_components,
    }[covariance_type]
    return of_covariances + n_components * n_features + n_components - 1
