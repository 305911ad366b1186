"""Rows of known origin for the mixture's tests."""

from __future__ import annotations

import numpy as np

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")


def blobs(n=400, n_features=3, n_components=4, spread=4.0, seed=0):
    """Rows of Gaussian blobs with unit variances, and the blob of each."""
    random = np.random.default_rng(seed)
    centres = spread * random.normal(size=(n_components, n_features))
    labels = random.integers(0, n_components, n)
    return centres[labels] + random.normal(size=(n, n_features)), labels


def ellipses(n=3000, seed=0):
    """Rows of two long, crossing ellipses of weights 0.3 and 0.7, and their true parameters."""
    random = np.random.default_rng(seed)
    means = np.array([[0.0, 0.0], [6.0, 1.0]])
    covariances = np.array([[[4.0, 1.8], [1.8, 1.0]], [[1.0, -0.8], [-0.8, 2.0]]])
    labels = (random.random(n) < 0.7).astype(int)
    X = np.stack([random.multivariate_normal(means[k], covariances[k]) for k in labels])
    return X, labels, means, covariances


def aligned(means, truth):
    """The order of the components whose means lie nearest to the true ones."""
    return [int(np.argmin(((means - mean) ** 2).sum(axis=1))) for mean in truth]


def given_start(X, n_components, seed=0):
    """Starting weights and means, as keywords; precisions are given by `precisions_of_ones`."""
    random = np.random.default_rng(seed)
    weights = random.dirichlet(np.full(n_components, 5.0))
    return {"weights_init": weights, "means_init": X[random.choice(len(X), n_components, replace=False)]}


def precisions_of_ones(covariance_type, n_components, n_features):
    """Precisions of unit Gaussians in the shape of the type."""
    identity = np.eye(n_features)
    return {
        "full": np.stack([identity] * n_components),
        "tied": identity,
        "diag": np.ones((n_components, n_features)),
        "spherical": np.ones(n_components),
    }[covariance_type]
