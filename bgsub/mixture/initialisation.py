"""The parameters that EM starts from, drawn from the data.

Starting from some ten thousand rows is as good as from millions and costs less than a few EM iterations. Up to
`seeding_rows` rows all are used, and then the start is scikit-learn's own for the same `random_state`, but for two
quirks of it: a component without rows stays at the data's mean instead of going to the origin, and a tied covariance
of single-row seeds does not depend on the number of rows.
"""

from __future__ import annotations

import numpy as np

from bgsub.mixture.kmeans import kmeans_labels, kmeans_plusplus
from bgsub.mixture.maximisation import maximisation
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes import Statistics

INIT_PARAMS = ("kmeans", "k-means++", "random", "random_from_data")

_FEWEST_SEEDING_ROWS = 20_000
_SEEDING_ROWS_A_COMPONENT = 200


def seeding_rows(n_components: int) -> int:
    """Return from how many rows at most a start is drawn."""
    return max(_FEWEST_SEEDING_ROWS, _SEEDING_ROWS_A_COMPONENT * n_components)


def seeds(
    rows: np.ndarray, weights: np.ndarray, n_components: int, init_params: str, random: np.random.RandomState
) -> np.ndarray:
    """Return responsibilities, shape (n, K), from which the first M step is made.

    Parameters
    ----------
    rows : float64 ndarray, shape (n, D)
        The rows, n at least K.
    weights : float64 ndarray, shape (n,)
        Their weights.
    n_components : int
        K.
    init_params : {'kmeans', 'k-means++', 'random', 'random_from_data'}
        As in scikit-learn. A row that is no component's seed gets a row of zeros.
    random : RandomState
        Where everything is drawn from, in scikit-learn's order.
    """
    n = len(rows)
    if init_params == "random":
        responsibilities = random.uniform(size=(n, n_components))
        responsibilities /= responsibilities.sum(axis=1)[:, None]
        return responsibilities
    responsibilities = np.zeros((n, n_components), dtype=bool)  # all or nothing: an eighth of the memory
    if init_params == "kmeans":
        responsibilities[np.arange(n), kmeans_labels(rows, weights, n_components, random)] = True
    else:
        if init_params == "k-means++":
            chosen = kmeans_plusplus(rows - rows.mean(axis=0), weights, n_components, random)
        else:
            chosen = random.choice(n, size=n_components, replace=False)
        responsibilities[chosen, np.arange(n_components)] = True
    return responsibilities


def parameters_of(
    rows: np.ndarray, weights: np.ndarray, responsibilities: np.ndarray, covariance_type: str, reg_covar: float
) -> Parameters:
    """Return the M step's parameters for rows of given responsibilities, shape (n, K).

    Raises
    ------
    ValueError
        When a covariance is not positive definite.
    """
    shared = responsibilities * weights[:, None]
    counts = shared.sum(axis=0)
    centre = np.average(rows, axis=0, weights=weights)
    centred = rows - centre
    filled = counts > 0
    offsets = (shared.T @ centred) / np.where(filled, counts, 1.0)[:, None]  # an empty component stays at the centre
    means = centre + offsets
    scatter = _scatter(centred, shared, offsets, covariance_type)
    statistics = Statistics(0.0, float(counts.sum()), counts, np.zeros_like(means), scatter)
    reference = Parameters(counts, means, scatter, scatter)  # the M step asks it for the means only
    return maximisation(statistics, reference, covariance_type, reg_covar)


def _scatter(rows: np.ndarray, shared: np.ndarray, means: np.ndarray, covariance_type: str) -> np.ndarray:
    """Return sum_i r_ik (x_i - mu_k)(x_i - mu_k)^T in the shape of the covariance type."""
    n_components, n_features = means.shape
    if covariance_type in ("full", "tied"):
        scatter = np.empty((n_components, n_features, n_features))
        for k, mean in enumerate(means):
            offset = rows - mean
            scatter[k] = (shared[:, k] * offset.T) @ offset
        return scatter if covariance_type == "full" else scatter.sum(axis=0)
    diagonal = np.stack([shared[:, k] @ (rows - mean) ** 2 for k, mean in enumerate(means)])
    return diagonal if covariance_type == "diag" else diagonal.sum(axis=1)
