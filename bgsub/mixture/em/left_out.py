"""How much of a mixture's likelihood it owes to having seen the rows: what rows that it has not seen will lack.

The fit of the highest likelihood is often one with a component on a few rows that happen to lie in a plane or on a
line; rows that it has not seen pay for that. Leaving a row out of all covariances it has a share in needs no other fit:
they change by a matrix of rank one.
"""

from __future__ import annotations

import numpy as np

from bgsub.mixture.parameters import Parameters

_AT_ONCE = 1 << 18  # squared offsets of a block of rows from all means
_NOTHING = 1e-12  # what is left of a component when all of it was left out


def optimism(
    parameters: Parameters, covariance_type: str, rows: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Return by how much the mean log-likelihood of rows falls when each is judged by a mixture without it.

    Responsibilities stay as they are. With r the share of row i in component k, r_ik / n_k, d its offset from the mean
    and m = d^T S^-1 d, what is left has the mean mu - r / (1 - r) d and the covariance (S - r / (1 - r) d d^T) /
    (1 - r). By its determinant and inverse (Sherman and Morrison) the row's squared distance from there is
    m / ((1 - r) (1 - r m / (1 - r))).

    Parameters
    ----------
    parameters : Parameters
        Of the mixture, which was fitted to these rows.
    covariance_type : {"full", "tied", "diag", "spherical"}
        What its covariances are.
    rows : float64 ndarray, shape (n, D)
        The rows.
    weights : float64 ndarray, shape (n,), optional
        Theirs: one is left out of rows that count for more.
    """
    shares = np.ones(len(rows)) if weights is None else weights
    total = float(shares.sum())
    out = np.minimum(shares, min(1.0, total / np.count_nonzero(shares)))
    centre = parameters.means[parameters.weights.argmax()]  # offsets are differences of products
    step = max(1, _AT_ONCE // parameters.means.size)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        losses = [
            _losses(parameters, covariance_type, rows[i : i + step] - centre, centre, out[i : i + step], total)
            for i in range(0, len(rows), step)
        ]
    return float(shares @ np.concatenate(losses)) / total


def _losses(
    parameters: Parameters, covariance_type: str, rows: np.ndarray, centre: np.ndarray, out: np.ndarray, total: float
) -> np.ndarray:
    """Return what each row's log-density (n,) falls by when `out` (n,) of its weight is left out."""
    n_features = rows.shape[1]
    squares = _squared_offsets(parameters, covariance_type, rows, centre)
    distances = squares if squares.ndim == 2 else squares.sum(axis=2)
    constants = np.log(parameters.weights) + _log_determinants(parameters, covariance_type)
    responsibilities, before = _shares_and_sum(constants - 0.5 * distances)
    taken = responsibilities * out[:, None]
    counts = total * parameters.weights + np.finfo(float).tiny
    left = np.maximum(1.0 - taken / counts, _NOTHING)  # of each component
    if covariance_type == "tied":  # of which a row has another share than of the mean
        of_all = 1.0 - out[:, None] / total
        shrunk = np.maximum(1.0 - taken / (total * left) * distances, _NOTHING)
        far = of_all * distances / (left**2 * shrunk)
        determinants = np.log(shrunk) - n_features * np.log(of_all)
    else:
        ratio = taken / (counts * left)
        if covariance_type == "diag":
            each = np.maximum(1.0 - ratio[:, :, None] * squares, _NOTHING)
            far, determinants = (squares / each).sum(axis=2) / left, np.log(each).sum(axis=2)
        else:
            axes = n_features if covariance_type == "spherical" else 1
            shrunk = np.maximum(1.0 - ratio / axes * distances, _NOTHING)
            far, determinants = distances / (left * shrunk), axes * np.log(shrunk)
        determinants -= n_features * np.log(left)
    _, after = _shares_and_sum(constants + np.log(left) - 0.5 * (far + determinants))
    return before - after + np.log1p(-out / total)


def _shares_and_sum(logarithms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's numbers (n, K), given by their logarithms, as shares of their sum, and that's logarithm."""
    highest = np.maximum(logarithms.max(axis=1), -np.finfo(float).max)  # a number, whatever they are
    numbers = np.exp(logarithms - highest[:, None])
    sums = numbers.sum(axis=1)
    return numbers / sums[:, None], highest + np.log(sums)


def _squared_offsets(parameters: Parameters, covariance_type: str, rows: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return squared offsets of rows from means in standard deviations: (n, K), of "diag" by axis, (n, K, D)."""
    means, factors = parameters.means - centre, parameters.precisions_cholesky
    n_components, n_features = means.shape
    if covariance_type == "diag":
        offsets = rows[:, None] - means
        offsets *= factors
        return np.square(offsets, out=offsets)
    if covariance_type == "spherical":
        offsets = rows[:, None] - means
        return np.einsum("nkd,nkd->nk", offsets, offsets) * factors**2
    if covariance_type == "tied":
        offsets = (rows @ factors)[:, None] - means @ factors
    else:
        by_component = factors.transpose(1, 0, 2).reshape(n_features, -1)
        offsets = (rows @ by_component).reshape(len(rows), n_components, n_features)
        offsets -= (means[:, None] @ factors)[:, 0]
    return np.einsum("nkd,nkd->nk", offsets, offsets)


def _log_determinants(parameters: Parameters, covariance_type: str) -> np.ndarray:
    """Return half the logarithm of the determinant of each precision, (K,), or of the one for all."""
    factors = parameters.precisions_cholesky
    if covariance_type == "spherical":
        return parameters.means.shape[1] * np.log(factors)
    if covariance_type == "diag":
        return np.log(factors).sum(axis=1)
    found: np.ndarray = np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1)
    return found
