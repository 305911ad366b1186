"""Marginal and conditional mixtures: Gaussian mixtures again, in closed form.

For one Gaussian with blocks a (unknown) and b (known), the conditional of a has mean mu_a + S_ab S_bb^-1 (b - mu_b) and
covariance S_aa - S_ab S_bb^-1 S_ba; in a mixture the weights become proportional to weight_k N(b | mu_b, S_bb)
(Bishop 2006, equations 2.81, 2.82 and exercise 9.10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.input_checks import check_features
from bgsub.mixture.parameters import Parameters, precisions_cholesky
from bgsub.mixture.passes.cpu import log_density


def known_features(given: Any, names: Sequence[str] | None, n_features: int) -> np.ndarray:
    """Return the indices of features that are given by index or name, of which one at least is not.

    Raises
    ------
    ParameterError
        When one is unknown or given twice, or none or every one is given.
    """
    indices = check_features(given, names, n_features, "given")
    if len(indices) == n_features:
        raise ParameterError("given holds every feature: leave out at least one")
    return indices


def known_values(
    given: Mapping[Any, float], names: Sequence[str] | None, n_features: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of features that are given by index or name, and the values that they have.

    Raises
    ------
    ParameterError
        As `known_features`; also when a value is not finite.
    """
    values = np.array([float(value) for value in given.values()])
    indices = known_features(list(given), names, n_features)
    if not np.isfinite(values).all():
        raise ParameterError("given holds NaN or infinity: leave unknown features out")
    return indices, values


def marginal(parameters: Parameters, covariance_type: str, features: np.ndarray) -> Parameters:
    """Return the mixture of some features, in the order given."""
    covariances = parameters.covariances
    if covariance_type in ("full", "tied"):
        covariances = np.ascontiguousarray(covariances[..., features[:, None], features])
    elif covariance_type == "diag":
        covariances = np.ascontiguousarray(covariances[:, features])
    return Parameters(
        parameters.weights,
        np.ascontiguousarray(parameters.means[:, features]),
        covariances,
        precisions_cholesky(covariances, covariance_type),
    )


def conditional(parameters: Parameters, covariance_type: str, given: np.ndarray, values: np.ndarray) -> Parameters:
    """Return the mixture of the other features where those of index `given` have the `values`, shape (len(given),)."""
    shares, means, covariances = _conditionals(parameters, covariance_type, given, values[None, :])
    return Parameters(
        shares[0], np.ascontiguousarray(means[0]), covariances, precisions_cholesky(covariances, covariance_type)
    )


class Regression(NamedTuple):
    """The first two moments of the unknown features, row by row."""

    mean: np.ndarray  # (N, D_unknown)
    covariance: np.ndarray  # (N, D_unknown, D_unknown)


def regression(parameters: Parameters, covariance_type: str, given: np.ndarray, values: np.ndarray) -> Regression:
    """Return mean and covariance of the other features for each row of `values`, shape (N, len(given)).

    Raises
    ------
    ParameterError
        When the rows are of another width.
    """
    if values.shape[1] != len(given):
        raise ParameterError(f"X has {values.shape[1]} columns where given names {len(given)}: give one each")
    shares, means, covariances = _conditionals(parameters, covariance_type, given, values)
    mean = np.einsum("nk,nkd->nd", shares, means)
    n_unknown = means.shape[2]
    if covariance_type == "spherical":
        within = np.einsum("nk,k,de->nde", shares, covariances, np.eye(n_unknown))
    elif covariance_type == "diag":
        within = np.einsum("nk,kd,de->nde", shares, covariances, np.eye(n_unknown))
    elif covariance_type == "tied":
        within = np.broadcast_to(covariances, (len(values), n_unknown, n_unknown))
    else:
        within = np.einsum("nk,kde->nde", shares, covariances)
    apart = means - mean[:, None, :]
    return Regression(mean, within + np.einsum("nk,nkd,nke->nde", shares, apart, apart))


def _conditionals(
    parameters: Parameters, covariance_type: str, given: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights (N, K) and means (N, K, D_unknown) for each row of values, and the covariances, equal for all."""
    known = marginal(parameters, covariance_type, given)
    shares = np.empty((len(values), len(known.weights)))
    log_density(values, known, covariance_type, responsibilities=shares)
    unknown = np.setdiff1d(np.arange(parameters.means.shape[1]), given)
    means = np.broadcast_to(parameters.means[:, unknown], (len(values), *parameters.means[:, unknown].shape))
    covariances = parameters.covariances
    if covariance_type == "spherical":
        return shares, means, covariances
    if covariance_type == "diag":
        return shares, means, np.ascontiguousarray(covariances[:, unknown])
    full = covariances if covariance_type == "full" else covariances[None]
    across = full[:, unknown[:, None], given]  # S_ab, (K or 1, unknown, known)
    root = known.precisions_cholesky if covariance_type == "full" else known.precisions_cholesky[None]
    white = across @ root  # S_ab U with U U^T = S_bb^-1: S_ab S_bb^-1 S_ba = white white^T, symmetric by construction
    slopes = white @ np.swapaxes(root, 1, 2)
    offsets = values[:, None, :] - known.means  # (N, K, known)
    means = means + np.einsum("kab,nkb->nka", np.broadcast_to(slopes, (len(known.means), *slopes.shape[1:])), offsets)
    left = full[:, unknown[:, None], unknown] - white @ np.swapaxes(white, 1, 2)
    return shares, means, np.ascontiguousarray(left if covariance_type == "full" else left[0])
