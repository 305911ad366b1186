"""Slow, obvious twins: EM with noise of constant density, and EM that leaves out the least likely rows.

Nothing of bgsub is imported. Components are (weights, means, covariance matrices); with noise, weights sum to 1 less
the share of noise.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal


def log_terms(X, weights, means, covariances):
    """Logarithms of weight times density, (N, K)."""
    columns = [
        np.log(w) + np.atleast_1d(multivariate_normal(m, c).logpdf(X))
        for w, m, c in zip(weights, means, covariances, strict=True)
    ]
    return np.column_stack([np.reshape(column, len(X)) for column in columns])


def shaped(matrices, shares, kind):
    """Covariance matrices of a type, from those of each component and the components' shares of the rows."""
    n_features = matrices.shape[1]
    if kind == "tied":
        return np.repeat(np.einsum("k,kij->ij", shares / shares.sum(), matrices)[None], len(matrices), axis=0)
    if kind == "diag":
        return matrices * np.eye(n_features)
    if kind == "spherical":
        return np.trace(matrices, axis1=1, axis2=2)[:, None, None] / n_features * np.eye(n_features)
    return matrices


def maximised(X, r, kind, reg_covar):
    """Shares of the rows, means and covariances from weighted responsibilities (N, K)."""
    counts = r.sum(axis=0)
    means = (r.T @ X) / counts[:, None]
    matrices = []
    for k, mean in enumerate(means):
        apart = X - mean
        matrices.append((r[:, k, None] * apart).T @ apart / counts[k])
    matrices = shaped(np.array(matrices), counts, kind)
    return counts, means, matrices + reg_covar * np.eye(X.shape[1])


def noisy_step(X, w, weights, means, covariances, volume, kind, reg_covar):
    """One EM step with noise: the mean log-likelihood before it, and the parameters after it."""
    noise = 1 - np.sum(weights)
    terms = np.column_stack([log_terms(X, weights, means, covariances), np.full(len(X), np.log(noise / volume))])
    total = np.logaddexp.reduce(terms, axis=1)
    r = np.exp(terms - total[:, None]) * w[:, None]
    counts, means, covariances = maximised(X, r[:, :-1], kind, reg_covar)
    return (w * total).sum() / w.sum(), (counts / w.sum(), means, covariances)


def trimmed_step(X, w, weights, means, covariances, left_out, kind, reg_covar):
    """One EM step without the least likely rows, of a weight `left_out` together."""
    terms = log_terms(X, weights, means, covariances)
    total = np.logaddexp.reduce(terms, axis=1)
    kept, rest = w.astype(float).copy(), left_out
    for i in sorted(range(len(X)), key=lambda i: (total[i], -i)):
        taken = min(rest, kept[i])
        kept[i] -= taken
        rest -= taken
    r = np.exp(terms - total[:, None]) * kept[:, None]
    counts, means, covariances = maximised(X, r, kind, reg_covar)
    return (kept * total).sum() / kept.sum(), (counts / counts.sum(), means, covariances)
