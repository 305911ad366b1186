"""What leaving out the least likely rows does to components of Gaussian rows, undone.

Rows of component k below a density t lie beyond a squared Mahalanobis distance r_k^2. Left without them, the covariance
is c(r_k^2) times the true one, with F_D the distribution of chi-squared of D degrees of freedom and::

    c(q) = F_(D+2)(q) / F_D(q)

(Croux & Haesbroeck 1999, Journal of Multivariate Analysis 71, for one component), and its rows are F_D(r_k^2) of all.
Where what is left out was wrong, t is far below what the components' own rows have, and c is 1.
"""

from __future__ import annotations

import math

import numpy as np

from bgsub.mixture.parameters import Parameters, precisions_cholesky

_LARGEST_FACTOR = 4.0  # of a variance: beyond, hardly anything of a component is left to judge by
_HALVINGS = 50


def consistent(parameters: Parameters, covariance_type: str, log_density: float) -> Parameters:
    """Return parameters as all rows would give them, from those of the rows above a density.

    Components are taken to be Gaussian and well apart.

    Parameters
    ----------
    parameters : Parameters
        Fitted to the rows that were not left out.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of the parameters.
    log_density : float
        Of the least likely of these rows.
    """
    weights, means, covariances, factors = parameters
    n_features = means.shape[1]
    peaks = np.log(weights) + _log_determinants(factors, covariance_type, n_features)
    squared = 2.0 * (peaks - 0.5 * n_features * math.log(2 * math.pi) - log_density)
    found = [_kept(value, n_features) for value in squared]
    factor, share = np.array([1.0 / c for c, _ in found]), np.array([share for _, share in found])
    weights = weights / share
    weights /= weights.sum()
    if covariance_type == "tied":
        covariances = covariances * float(1.0 / (parameters.weights @ (1.0 / factor)))
    else:
        covariances = covariances * factor.reshape(-1, *[1] * (covariances.ndim - 1))
    return Parameters(weights, means, covariances, precisions_cholesky(covariances, covariance_type))


def _log_determinants(factors: np.ndarray, covariance_type: str, n_features: int) -> np.ndarray:
    """Return the logarithms of the determinants of U, (K,) or (1,)."""
    if covariance_type in ("full", "tied"):
        return np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1, keepdims=covariance_type == "tied")
    return np.log(factors).sum(axis=1) if covariance_type == "diag" else n_features * np.log(factors)


def _kept(squared: float, n_features: int) -> tuple[float, float]:
    """Return c and the share of rows within a squared distance, measured with the covariance that is too small.

    With the right one the distance q is less: q = c(q) times the one measured, and q / c(q) grows with q.
    """
    from scipy.special import gammainc  # here: only trimming needs it

    def within(q: float, degrees: int) -> float:
        return float(gammainc(0.5 * degrees, 0.5 * q))

    def factor(q: float) -> float:
        return within(q, n_features + 2) / within(q, n_features)

    low, high = 1e-6, max(squared, 1e-6)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle < factor(middle) * squared else (low, middle)
    c = factor(high)
    return (c, within(high, n_features)) if c > 1.0 / _LARGEST_FACTOR else (1.0 / _LARGEST_FACTOR, 1.0)
