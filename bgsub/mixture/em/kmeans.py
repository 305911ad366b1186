"""k-means on at most some ten thousand rows, from which the mixture's EM starts.

The random draws and the rules are those of scikit-learn's `KMeans(n_init=1)`, so both find the same clusters from the
same `random_state`; but there is no start-up cost of 30 ms, and the result does not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np

from bgsub.mixture.diagnosis import warn
from bgsub.mixture.em.rules import Tell

_MAX_ITER = 300
_BLOCK = 1024  # rows whose distances lie in the cache together
_TOLERANCE = 1e-4  # of the columns' mean variance: k-means ends where the centres move less


def kmeans_labels(
    rows: np.ndarray, weights: np.ndarray, n_clusters: int, random: np.random.RandomState, tell: Tell = warn
) -> np.ndarray:
    """Return the cluster of each row after Lloyd's algorithm from k-means++ seeds.

    Parameters
    ----------
    rows : float64 ndarray, shape (n, D)
        The rows, n at least `n_clusters`.
    weights : float64 ndarray, shape (n,)
        A weight a row, 0 or more.
    n_clusters : int
        Number of clusters.
    random : RandomState
        Where the seeds are drawn from.
    tell : callable
        Called with scikit-learn's line when clusters stay empty.

    Returns
    -------
    int ndarray, shape (n,)
        Labels from 0 to n_clusters - 1; with many equal rows some clusters may be empty.
    """
    centred = rows - rows.mean(axis=0)  # far from the origin |x|^2 - 2 x c + |c|^2 would cancel
    centres = centred[kmeans_plusplus(centred, weights, n_clusters, random)]
    labels = _lloyd(centred, weights, centres)
    n_distinct = np.unique(labels).size
    if n_distinct < n_clusters:
        tell(
            f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({n_clusters}). "
            "Possibly due to duplicate points in X."
        )
    return labels


def kmeans_plusplus(
    rows: np.ndarray, weights: np.ndarray, n_clusters: int, random: np.random.RandomState
) -> np.ndarray:
    """Return the indices of seed rows that lie far apart: greedy k-means++.

    Each seed is the best of 2 + log(n_clusters) rows drawn with a probability proportional to the weighted squared
    distance from the seeds before (Arthur & Vassilvitskii 2007, section 2.2 and its remark on several trials).
    """
    n_trials = 2 + int(np.log(n_clusters))
    norms = np.einsum("ij,ij->i", rows, rows)
    seeds = np.empty(n_clusters, dtype=np.intp)
    seeds[0] = random.choice(len(rows), p=weights / weights.sum())
    nearest = _squared_distances(rows[seeds[:1]], rows, norms)[0]
    potential = nearest @ weights
    for c in range(1, n_clusters):
        drawn = random.uniform(size=n_trials) * potential
        candidates = np.searchsorted(np.cumsum(weights * nearest), drawn)
        candidates = np.minimum(candidates, len(rows) - 1)  # rounding can lead one too far
        distances = np.minimum(nearest, _squared_distances(rows[candidates], rows, norms))
        potentials = distances @ weights
        best = np.argmin(potentials)
        potential, nearest, seeds[c] = potentials[best], distances[best], candidates[best]
    return seeds


def _lloyd(rows: np.ndarray, weights: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Move the centres to the means of their rows until the labels, or nearly the centres, stay."""
    tolerance = _TOLERANCE * rows.var(axis=0).mean()
    extended = np.column_stack([rows, np.ones(len(rows))])
    labels = np.full(len(rows), -1)
    for _ in range(_MAX_ITER):
        previous, labels = labels, _nearest(extended, centres)
        if np.array_equal(labels, previous):
            return labels
        moved = means_of_clusters(rows, weights, labels, centres)
        shift = ((moved - centres) ** 2).sum()
        centres = moved
        if shift <= tolerance:
            break
    return _nearest(extended, centres)


def _nearest(extended: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the index of each row's nearest centre: the lowest |c|^2 - 2 x c, since |x|^2 is the same for all.

    A matrix product with a column of ones added to the rows makes the whole difference, a block at a time.
    """
    factors = np.vstack([-2.0 * centres.T, np.einsum("ij,ij->i", centres, centres)])
    labels = np.empty(len(extended), dtype=np.intp)
    buffer = np.empty((_BLOCK, len(centres)))
    for start in range(0, len(extended), _BLOCK):
        block = extended[start : start + _BLOCK]
        differences = np.matmul(block, factors, out=buffer[: len(block)])
        differences.argmin(axis=1, out=labels[start : start + _BLOCK])
    return labels


def means_of_clusters(rows: np.ndarray, weights: np.ndarray, labels: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the mean of each cluster's rows; an empty cluster takes over one of the rows farthest from theirs."""
    n_clusters = len(centres)
    totals = np.bincount(labels, weights, minlength=n_clusters)
    weighted = rows.T * weights
    sums = np.stack([np.bincount(labels, column, minlength=n_clusters) for column in weighted], axis=1)
    empty = np.flatnonzero(totals == 0)
    if empty.size:
        distances = ((rows - centres[labels]) ** 2).sum(axis=1)
        if distances.max() > 0:
            farthest = np.argpartition(distances, -empty.size)[: -empty.size - 1 : -1]
            for cluster, row in zip(empty, farthest, strict=True):
                sums[labels[row]] -= weighted[:, row]
                totals[labels[row]] -= weights[row]
                sums[cluster], totals[cluster] = weighted[:, row], weights[row]
    filled = totals > 0
    return np.where(filled[:, None], sums / np.where(filled, totals, 1.0)[:, None], centres)


def _squared_distances(points: np.ndarray, rows: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Return |p - x|^2 = |p|^2 - 2 p x + |x|^2, never below 0, as an array of shape (points, rows)."""
    own = np.einsum("ij,ij->i", points, points)
    return np.maximum(own[:, None] - 2.0 * (points @ rows.T) + norms, 0.0)
