"""The start that the caller gives: scikit-learn's weights_init, means_init and precisions_init."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.parameters import Parameters, covariance_shape


class GivenStart(NamedTuple):
    """What the caller knows of the start; None where it is to be drawn."""

    weights: np.ndarray | None = None
    means: np.ndarray | None = None
    precisions: np.ndarray | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left to draw."""
        return self.weights is not None and self.means is not None and self.precisions is not None


def with_given(drawn: Parameters | None, given: GivenStart, covariance_type: str) -> Parameters:
    """Return the drawn parameters, those that are given in their place; `drawn` may be None where all are given."""
    weights, means = given.weights, given.means
    if drawn is not None:
        weights = drawn.weights if weights is None else weights
        means = drawn.means if means is None else means
        if given.precisions is None:
            return drawn._replace(weights=weights, means=means)
    assert weights is not None and means is not None and given.precisions is not None
    cholesky = cholesky_of_precisions(given.precisions, covariance_type)
    return Parameters(weights, means, _inverse(given.precisions, covariance_type), cholesky)


def cholesky_of_precisions(precisions: np.ndarray, covariance_type: str) -> np.ndarray:
    """Return the upper triangular U of each precision matrix U U^T; square roots for diag and spherical.

    U is the lower Cholesky factor of the matrix with rows and columns in reverse order, put back in order.
    """
    if covariance_type in ("diag", "spherical"):
        return np.sqrt(precisions)
    reverse = (..., slice(None, None, -1), slice(None, None, -1))
    return np.ascontiguousarray(np.linalg.cholesky(precisions[reverse])[reverse])


def _inverse(precisions: np.ndarray, covariance_type: str) -> np.ndarray:
    return 1.0 / precisions if covariance_type in ("diag", "spherical") else np.linalg.inv(precisions)


def check_given(
    weights: object, means: object, precisions: object, shape: tuple[int, int], covariance_type: str
) -> GivenStart:
    """Return the start that the caller gave, as float64 arrays of the right shapes.

    Parameters
    ----------
    weights, means, precisions : array-like or None
        As scikit-learn's weights_init, means_init and precisions_init.
    shape : (int, int)
        n_components and n_features.
    covariance_type : str
        One of scikit-learn's four.

    Raises
    ------
    ParameterError
        With scikit-learn's text when a shape is wrong, weights do not sum to 1 or a precision is not positive.
    """
    n_components, n_features = shape
    return GivenStart(
        None if weights is None else _checked_weights(weights, n_components),
        None if means is None else _checked(means, (n_components, n_features), "means"),
        None if precisions is None else _checked_precisions(precisions, shape, covariance_type),
    )


def _checked(values: object, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        raise ParameterError(f"The parameter '{name}' should be finite numbers: it holds NaN, infinity or none")
    if array.shape != shape:
        raise ParameterError(f"The parameter '{name}' should have the shape of {shape}, but got {array.shape}")
    return np.ascontiguousarray(array, dtype=np.float64)


def _checked_weights(values: object, n_components: int) -> np.ndarray:
    weights = _checked(values, (n_components,), "weights")
    if (weights < 0).any() or (weights > 1).any():
        raise ParameterError(
            "The parameter 'weights' should be in the range [0, 1], "
            f"but got max value {weights.max():.5f}, min value {weights.min():.5f}"
        )
    tolerance = 1e-6 if getattr(values, "dtype", None) == np.float32 else 1e-8
    if abs(1.0 - weights.sum()) > tolerance:
        raise ParameterError(
            f"The parameter 'weights' should be normalized, but got sum(weights) = {weights.sum():.5f}"
        )
    return weights


def _checked_precisions(values: object, shape: tuple[int, int], covariance_type: str) -> np.ndarray:
    precisions = _checked(values, covariance_shape(covariance_type, *shape), f"{covariance_type} precision")
    if covariance_type in ("diag", "spherical"):
        if (precisions <= 0).any():
            raise ParameterError(f"'{covariance_type} precision' should be positive")
        return precisions
    transposed = np.swapaxes(precisions, -1, -2)
    if not (np.isclose(precisions, transposed).all() and (np.linalg.eigvalsh(precisions) > 0).all()):
        raise ParameterError(f"'{covariance_type} precision' should be symmetric, positive-definite")
    return precisions
