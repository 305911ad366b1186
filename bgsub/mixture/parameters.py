"""The parameters of a mixture, as plain arrays in scikit-learn's shapes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.mixture.settings import COVARIANCE_TYPES as COVARIANCE_TYPES

ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for instance "
    "caused by singleton or collapsed samples). Try to decrease the number of components, increase reg_covar, or "
    "scale the input data."
)


_SUM_OF_WEIGHTS = 1e-4  # a difference from 1 that float32 may have
_FACTORS = 1e-3  # relative difference that a factor made elsewhere may have from ours


class Parameters(NamedTuple):
    """A mixture of K Gaussians over D features; float64, C-contiguous.

    The last two are of shape (K, D, D) for ``"full"``, (D, D) for ``"tied"``, (K, D) for ``"diag"`` and (K,) for
    ``"spherical"`` covariances.
    """

    weights: np.ndarray  # (K,), summing to 1
    means: np.ndarray  # (K, D)
    covariances: np.ndarray
    precisions_cholesky: np.ndarray  # upper triangular U with precision = U U^T; 1 / standard deviation without D x D


def covariance_shape(covariance_type: str, n_components: int, n_features: int) -> tuple[int, ...]:
    """Return the shape that covariances, precisions and their factors have: scikit-learn's."""
    return {
        "full": (n_components, n_features, n_features),
        "tied": (n_features, n_features),
        "diag": (n_components, n_features),
        "spherical": (n_components,),
    }[covariance_type]


def matrices_of(covariances: np.ndarray, covariance_type: str, n_components: int, n_features: int) -> np.ndarray:
    """Return covariances as matrices (K, D, D), whatever their type; those of ``"tied"`` are one, seen K times."""
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return np.broadcast_to(covariances, (n_components, n_features, n_features))
    variances = covariances if covariance_type == "diag" else covariances[:, None]
    return variances[..., None] * np.eye(n_features)


def fault(parameters: Parameters, covariance_type: str, n_features: int) -> str:
    """Return what keeps arrays of unknown origin from being a mixture of D features, or ``""``.

    Parameters
    ----------
    parameters : Parameters
        Arrays of any shape and dtype; float32 and float64 can be a mixture.
    covariance_type : {"full", "tied", "diag", "spherical"}
        What they are to be.
    n_features : int
        D.

    Returns
    -------
    str
        A clause without a full stop, such as ``"its weights do not sum to 1"``.
    """
    weights, _, covariances, factors = parameters
    found = layout_fault(parameters, covariance_type, len(weights) if weights.ndim == 1 else 0, n_features)
    if found:
        return found
    try:
        expected = precisions_cholesky(covariances, covariance_type)
    except ValueError:
        return "its covariances are not positive definite"
    if not np.allclose(factors, expected, rtol=_FACTORS, atol=_FACTORS * np.abs(expected).max()):
        return "its precisions are not those of its covariances"
    return ""


def layout_fault(parameters: Parameters, covariance_type: str, n_components: int, n_features: int) -> str:
    """Return the first part of `fault`, for K components: what is wrong with shapes, dtypes, numbers and weights.

    Whether covariances are positive definite is left open: rounded to float32 they may no longer be, and the factors
    that were made before are what counts.
    """
    matrix = covariance_shape(covariance_type, n_components, n_features)
    shapes = ((n_components,), (n_components, n_features), matrix, matrix)
    for name, array, shape in zip(Parameters._fields, parameters, shapes, strict=True):
        if array.shape != shape:
            return f"{name} has the shape {array.shape} where {shape} belongs"
    if not all(array.dtype.kind == "f" and np.isfinite(array).all() for array in parameters):
        return "its parameters are not finite numbers"
    weights = parameters.weights
    if n_components < 1 or (weights < 0).any() or not np.isclose(weights.sum(), 1.0, atol=_SUM_OF_WEIGHTS):
        return "its weights do not sum to 1"
    return ""


def separated(parameters: Parameters) -> Parameters:
    """Return the components by themselves: their weights sum to 1, whatever the share of noise beside them was."""
    return parameters._replace(weights=parameters.weights / parameters.weights.sum())


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
