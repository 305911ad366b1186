"""A slow, obvious reference of the E step over rows with gaps: one row and one component at a time.

Nothing of bgsub is imported here. Marginals and conditionals are written as Little & Rubin 2002, section 11.2.3, have
them: by the inverse of the observed part of a covariance.
"""

from __future__ import annotations

import numpy as np


def matrices(covariances, covariance_type, n_components, n_features):
    """Covariances of any type as K matrices."""
    identity = np.eye(n_features)
    return {
        "full": lambda: covariances,
        "tied": lambda: np.array([covariances] * n_components),
        "diag": lambda: np.array([np.diag(variances) for variances in covariances]),
        "spherical": lambda: np.array([variance * identity for variance in covariances]),
    }[covariance_type]()


def log_marginal(x, mean, covariance):
    """The log-density of what is observed of a row."""
    o = ~np.isnan(x)
    d = x[o] - mean[o]
    part = covariance[np.ix_(o, o)]
    return -0.5 * (o.sum() * np.log(2 * np.pi) + np.linalg.slogdet(part)[1] + d @ np.linalg.solve(part, d))


def conditional_moments(x, mean, covariance):
    """What is expected of all features, given the observed ones, and their covariance, 0 where one is observed."""
    o = ~np.isnan(x)
    m = ~o
    slopes = covariance[np.ix_(m, o)] @ np.linalg.inv(covariance[np.ix_(o, o)])
    expected, left = x.copy(), np.zeros_like(covariance)
    expected[m] = mean[m] + slopes @ (x[o] - mean[o])
    left[np.ix_(m, m)] = covariance[np.ix_(m, m)] - slopes @ covariance[np.ix_(o, m)]
    return expected, left


def responsibilities(x, weights, means, covariances):
    """Log-density of a row, and what each component's part in it is."""
    terms = np.array([np.log(w) + log_marginal(x, m, s) for w, m, s in zip(weights, means, covariances, strict=True)])
    density = np.logaddexp.reduce(terms)
    return density, np.exp(terms - density)


def expectation(X, parameters, covariance_type, sample_weight=None):
    """What `Statistics` has of a table, in its order; empty rows do not count."""
    weights, means, covariances, _ = parameters
    n_components, n_features = means.shape
    full = matrices(covariances, covariance_type, n_components, n_features)
    likelihood = total = 0.0
    counts, shift = np.zeros(n_components), np.zeros((n_components, n_features))
    scatter = np.zeros((n_components, n_features, n_features))
    for x, w in zip(X, np.ones(len(X)) if sample_weight is None else sample_weight, strict=True):
        if np.isnan(x).all():
            continue
        density, r = responsibilities(x, weights, means, full)
        likelihood, total = likelihood + w * density, total + w
        for k in range(n_components):
            expected, left = conditional_moments(x, means[k], full[k])
            d = expected - means[k]
            counts[k] += w * r[k]
            shift[k] += w * r[k] * d
            scatter[k] += w * r[k] * (np.outer(d, d) + left)
    shaped = {
        "full": lambda: scatter,
        "tied": lambda: scatter.sum(axis=0),
        "diag": lambda: np.einsum("kii->ki", scatter),
        "spherical": lambda: np.einsum("kii->k", scatter),
    }[covariance_type]()
    return likelihood, total, counts, shift, shaped


def imputed(X, parameters, covariance_type):
    """The rows with E[x_m | x_o] in their gaps; of an empty row, the mixture's mean."""
    weights, means, covariances, _ = parameters
    full = matrices(covariances, covariance_type, *means.shape)
    filled = X.copy()
    for x, out in zip(X, filled, strict=True):
        r = weights if np.isnan(x).all() else responsibilities(x, weights, means, full)[1]
        expected = sum(r[k] * conditional_moments(x, means[k], full[k])[0] for k in range(len(means)))
        out[np.isnan(x)] = expected[np.isnan(x)]
    return filled
