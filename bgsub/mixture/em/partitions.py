"""Starts that are partitions: each row goes to the nearest of K rows drawn at random.

Distances are those of columns in standard deviations, so that units do not matter; EM itself works in the columns' own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bgsub.mixture.em.rules import Rules
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.statistics import Statistics, maximisation

_BLOCK = 4096  # rows whose distances are in memory together
_DRAWS = 10  # of a row, until it differs from those before
_REFERENCES = 600  # rows of which it is asked how dense they lie
_NEIGHBOURS = 8
_SMALLEST_RADIUS = 1e-3  # standard deviations: equal rows have neighbours at no distance
_TICKETS = 16  # rows of which the densest is taken
_BORROWED = 3.0  # times D + 1: rows of the covariance within all cells that each cell's is averaged with


def in_deviations(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return rows about their mean, each column in its standard deviations; a constant one is 0."""
    centred = rows - np.average(rows, axis=0, weights=weights)
    deviations = np.sqrt(np.average(centred**2, axis=0, weights=weights))
    return np.divide(centred, deviations, out=centred, where=deviations > 0)


class Partition(NamedTuple):
    """The cell of each row, intp (n,), and how many cells there are."""

    labels: np.ndarray
    n_cells: int


class Scatter(NamedTuple):
    """Rows to draw partitions from.

    Attributes
    ----------
    scaled : ndarray, shape (n, D)
        The rows in standard deviations.
    chances : ndarray, shape (n,), or None
        With what probability each is drawn; None where all are alike.
    some : intp ndarray, shape (m,)
        Those of which it is known how dense they lie.
    radius : ndarray, shape (m,)
        How far the nearest others are, on average over the columns.
    excess : ndarray, shape (m,)
        The logarithm of their density over that of one Gaussian of all rows, but for a constant.
    """

    scaled: np.ndarray
    chances: np.ndarray | None
    some: np.ndarray
    radius: np.ndarray
    excess: np.ndarray


def scatter_of(rows: np.ndarray, weights: np.ndarray) -> Scatter:
    """Return what partitions of the rows are drawn from."""
    scaled = in_deviations(rows, weights)
    chances = None if (weights == weights[0]).all() else weights / weights.sum()
    size = min(len(scaled) if chances is None else int(np.count_nonzero(weights)), _REFERENCES)
    some = np.sort(np.random.RandomState(0).choice(len(scaled), size, replace=False, p=chances))
    radius = neighbour_distance(scaled[some])
    excess = 0.5 * np.einsum("ij,ij->i", scaled[some], scaled[some]) - rows.shape[1] * np.log(radius)
    return Scatter(scaled, chances, some, radius, excess)


def neighbour_distance(points: np.ndarray) -> np.ndarray:
    """Return the distance of each point from its nearest ones, above 0, shape (m,)."""
    squares = np.einsum("ij,ij->i", points, points)
    k = min(_NEIGHBOURS, len(points) - 1)
    nearest = []
    for i in range(0, len(points), _REFERENCES):
        block = slice(i, i + _REFERENCES)
        distances = squares[block, None] - 2.0 * (points[block] @ points.T) + squares
        distances.partition(k, axis=1)
        nearest.append(distances[:, k])
    found: np.ndarray = np.sqrt(np.maximum(np.concatenate(nearest), 0.0) / points.shape[1])
    return np.maximum(found, _SMALLEST_RADIUS)


def partition(scatter: Scatter, n_components: int, random: np.random.RandomState, *, by_density: bool) -> Partition:
    """Return for each row the nearest of K rows that are drawn.

    Rows that are equal to one drawn before are drawn again some times: where few differ, cells may be empty.

    Parameters
    ----------
    scatter : Scatter
        The rows.
    n_components : int
        K.
    random : RandomState
        Where they are drawn from.
    by_density : bool
        Whether about half are drawn where rows lie denser than in one Gaussian, and all have a reach that is the
        smaller the denser: small dense clusters become cells of their own.
    """
    scaled, n = scatter.scaled, len(scatter.scaled)
    if by_density:
        tickets = random.randint(len(scatter.some), size=(n_components, _TICKETS))
        best = tickets[np.arange(n_components), scatter.excess[tickets].argmax(axis=1)]
        drawn = np.where(random.uniform(size=n_components) < 0.5, best, tickets[:, 0])
        centres, variances = scaled[scatter.some[drawn]], scatter.radius[drawn] ** 2
    else:
        centres = scaled[random.choice(n, n_components, replace=False, p=scatter.chances)]
        variances = np.ones(n_components)
    for _ in range(_DRAWS):
        first: dict[bytes, int] = {}
        again = [k for k, centre in enumerate(centres) if first.setdefault(centre.tobytes(), k) != k]
        if not again:
            break
        centres[again] = scaled[random.choice(n, len(again), p=scatter.chances)]
    factors = np.concatenate([-2.0 * centres.T, np.ones((1, n_components))]) / variances
    constants = np.einsum("ij,ij->i", centres, centres) / variances + scaled.shape[1] * np.log(variances)
    labels = []
    for i in range(0, n, _BLOCK):
        block = scaled[i : i + _BLOCK]
        squares = np.einsum("ij,ij->i", block, block)
        labels.append((np.column_stack([block, squares]) @ factors + constants).argmin(axis=1))
    return Partition(np.concatenate(labels), n_components)


def parameters_of_cells(rows: np.ndarray, weights: np.ndarray, cells: Partition, rules: Rules) -> Parameters:
    """Return weights, means and covariances of the cells of a partition.

    A cell of few rows has hardly a covariance of its own: each is averaged with that within all cells, as if some more
    rows than columns came from there.

    Raises
    ------
    ValueError
        When a covariance is not positive definite.
    """
    kind, n_features = rules.covariance_type, rows.shape[1]
    labels, n_components = cells
    order = np.argsort(labels, kind="stable")
    centre = np.average(rows, axis=0, weights=weights)
    rows, weights = rows[order] - centre, weights[order]
    ends = np.cumsum(np.bincount(labels, minlength=n_components))
    one_row = weights.sum() / np.count_nonzero(weights)
    counts, means, scatters = np.full(n_components, one_row), np.zeros((n_components, n_features)), []
    for k, (begin, end) in enumerate(pairwise([0, *ends])):
        cell, own = rows[begin:end], weights[begin:end]
        total = own.sum()
        if total > 0:  # an empty one stays at the centre
            counts[k], means[k] = total, own @ cell / total
        scatters.append(_scatter(cell - means[k], own, kind))
    scatter = np.array(scatters)
    within = scatter.sum(axis=0) / weights.sum()
    if kind == "tied":
        scatter = within * counts.sum()
    else:
        borrowed = _BORROWED * (n_features + 1) * one_row
        share = (counts / (counts + borrowed)).reshape(-1, *[1] * within.ndim)
        scatter = share * (scatter + borrowed * within)
    statistics = Statistics(0.0, float(counts.sum()), counts, np.zeros_like(means), scatter)
    reference = Parameters(counts, centre + means, scatter, scatter)  # the M step asks it for the means only
    return maximisation(statistics, reference, kind, rules.reg_covar)


def _scatter(offsets: np.ndarray, weights: np.ndarray, covariance_type: str) -> np.ndarray:
    """Return sum_i w_i o_i o_i^T; its diagonal, or its trace, for the types that have no more."""
    if covariance_type in ("full", "tied"):
        return (weights * offsets.T) @ offsets
    diagonal: np.ndarray = weights @ offsets**2
    return diagonal if covariance_type == "diag" else diagonal.sum()
