"""Parameters to start EM from, and EM from them, for tests of its parts."""

from __future__ import annotations

import numpy as np

from bgsub.mixture.em import loop
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.parameters import Parameters, precisions_cholesky


def some_parameters(X, n_components, covariance_type, seed=0):
    """Rows of X for means, uneven weights, and covariances somewhat like that of everything."""
    random = np.random.default_rng(seed)
    n_features = X.shape[1]
    X = X.astype(np.float64)
    matrices = np.cov(X.T).reshape(n_features, n_features) * random.uniform(0.3, 1, (n_components, 1, 1))
    matrices += 0.1 * np.eye(n_features)
    covariances = {
        "full": matrices,
        "tied": matrices[0],
        "diag": np.stack([np.diag(matrix) for matrix in matrices]),
        "spherical": np.trace(matrices, axis1=1, axis2=2) / n_features,
    }[covariance_type]
    means = X[random.choice(len(X), n_components, replace=False)]
    weights = random.dirichlet(np.full(n_components, 5.0))
    return Parameters(weights, means, covariances, precisions_cholesky(covariances, covariance_type))


def run_em(X, parameters, covariance_type, *, sample_weight=None, threads=1, on_step=None, **rules):
    """Run EM on rows in memory; `rules` are reg_covar, tol and max_iter."""
    data = RowsInMemory(X, sample_weight)
    return loop.run_em(data, parameters, loop.Rules(covariance_type, **rules), threads, on_step)
