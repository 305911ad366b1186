"""Starts of K components from a mixture of fewer: one is split, or one is put where rows lie too dense for the others.

A mixture of K components can always do as well as one of K - 1. Starts from the latter's see to it that EM's does.
"""

from __future__ import annotations

import numpy as np

from bgsub.mixture.em.partitions import Scatter
from bgsub.mixture.em.rules import Rules
from bgsub.mixture.em.short_runs import farthest
from bgsub.mixture.parameters import Parameters, matrices_of, precisions_cholesky
from bgsub.mixture.passes.cpu import log_density

_APART = 0.7  # standard deviations of a component from its mean to those of its halves
_A_LITTLE = 0.05
_PLACES = 3  # where a new component is tried
_WIDTH = 2.0  # distances to the nearest neighbours that its standard deviations are at first
_MOST_SPLITS = 8


def starts_from_fewer(
    parameters: Parameters, n_components: int, rows: np.ndarray, weights: np.ndarray, scatter: Scatter, rules: Rules
) -> list[Parameters]:
    """Return starts of K components from a mixture of fewer; where these are fewer by more than one, it grows first.

    Parameters
    ----------
    parameters : Parameters
        Of the mixture.
    n_components : int
        K.
    rows, weights : float64 ndarray, shapes (n, D) and (n,)
        The rows that starts are drawn from.
    scatter : Scatter
        How dense they lie.
    rules : Rules
        Those of the fit.
    """
    starts = _with_one_more(parameters, rows, scatter, rules)
    for _ in range(len(parameters.weights) + 1, n_components):
        best = farthest(rows, weights, starts, rules, sampled=True)[0]
        starts = _with_one_more(best, rows, scatter, rules)
    return starts


def _with_one_more(parameters: Parameters, rows: np.ndarray, scatter: Scatter, rules: Rules) -> list[Parameters]:
    """Return starts of one more component than a mixture has."""
    kind, n_features = rules.covariance_type, rows.shape[1]
    densities = log_density(rows[scatter.some], parameters, kind, threads=1)
    deviations = rows[scatter.some].std(axis=0)
    deviations[deviations == 0] = 1.0
    largest = np.argsort(-parameters.weights, kind="stable")[:_MOST_SPLITS]
    starts = [split(parameters, k, deviations, kind, _APART) for k in largest]
    missed = -n_features * np.log(scatter.radius) - densities  # of each row: how much denser it lies than the mixture
    for _ in range(_PLACES):
        if not np.isfinite(missed).any():
            break
        i = int(np.argmax(missed))
        centre = rows[scatter.some[i]]
        variances = (_WIDTH * scatter.radius[i] * deviations) ** 2 + rules.reg_covar
        starts.append(_joined(parameters, centre, variances, kind))
        nearby = (((rows[scatter.some] - centre) / deviations) ** 2).mean(axis=1) < (
            2 * _WIDTH * scatter.radius[i]
        ) ** 2
        missed = np.where(nearby, -np.inf, missed)
    return starts


def split(parameters: Parameters, k: int, deviations: np.ndarray, covariance_type: str, apart: float) -> Parameters:
    """Return the mixture with component k in two halves, some of its standard deviations from its mean.

    They lie along its longest axis, with columns in `deviations` (D,). With `apart` 0 the mixture is the same.
    """
    n_components, n_features = parameters.means.shape
    matrix = matrices_of(parameters.covariances, covariance_type, n_components, n_features)[k]
    _, vectors = np.linalg.eigh(matrix / deviations[:, None] / deviations)
    axis = vectors[:, -1] / deviations
    axis *= np.sign(axis[np.abs(vectors[:, -1]).argmax()])  # else the sign is chance
    move = apart * (matrix @ axis) / np.sqrt(axis @ matrix @ axis)
    weights = np.append(parameters.weights, parameters.weights[k] / 2)
    weights[k] /= 2
    means = np.concatenate([parameters.means, parameters.means[k : k + 1] - move])
    means[k] += move
    covariances = parameters.covariances
    if covariance_type != "tied":
        covariances = np.concatenate([covariances, covariances[k : k + 1]])
    if covariance_type == "full":  # what the halves' distance takes over
        covariances[[k, -1]] = matrix - np.outer(move, move)
    return Parameters(weights, means, covariances, precisions_cholesky(covariances, covariance_type))


def _joined(parameters: Parameters, mean: np.ndarray, variances: np.ndarray, covariance_type: str) -> Parameters:
    """Return the mixture with one more component, of mean and variances (D,)."""
    share = 0.5 / (len(parameters.weights) + 1)
    weights = np.append(parameters.weights * (1 - share), share)
    means = np.concatenate([parameters.means, mean[None]])
    covariances = parameters.covariances
    if covariance_type != "tied":
        own = {"full": np.diag(variances), "diag": variances, "spherical": variances.mean()}[covariance_type]
        covariances = np.concatenate([covariances, [own]])
    return Parameters(weights, means, covariances, precisions_cholesky(covariances, covariance_type))


def duplicates(parameters: Parameters, n_components: int, covariance_type: str) -> list[Parameters]:
    """Return two starts as likely as a mixture of fewer components, or nearly so: its largest is there several times.

    In one all copies are the same, and stay so; in the other they lie a little apart.
    """
    found = []
    for apart in (_A_LITTLE, 0.0):
        longer = parameters
        while len(longer.weights) < n_components:
            longer = split(
                longer, int(np.argmax(longer.weights)), np.ones(longer.means.shape[1]), covariance_type, apart
            )
        found.append(longer)
    return found
