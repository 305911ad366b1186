"""Passes over partitions of which the least likely rows are left out: which these are, all densities together tell.

None of them leaves its worker but a few. Each partition first tells some of its densities, evenly spaced in their
order, with the weight up to each: between two neighbours lies the border. Then it tells the weight below and, where
rows of one density are one, the densities between: of n rows about 2 n / `_POINTS`. From these the border is known, to
the row, as if all densities had been sorted in one place (`passes.robust.without_least`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import dask
import numpy as np

from bgsub.distributed.partitions import Partition, Reading
from bgsub.distributed.summing import computed, each, losses_explained, tree_sum
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.cpu import log_density, row_pass
from bgsub.mixture.passes.robust import ROUNDING
from bgsub.mixture.passes.statistics import Statistics, add

_POINTS = 512  # densities that a partition tells first

Held = tuple[np.ndarray, "np.ndarray | None"]
"""The log-densities (n,) of a partition's rows, and their weights or None; it stays with its worker."""


class Between(NamedTuple):
    """What a partition tells of an interval of densities; rows of no weight do not count.

    Attributes
    ----------
    below : float
        The weight of rows at its lower end and below.
    values : ndarray, shape (m,)
        Different densities in it, ascending.
    weights : ndarray, shape (m,)
        The weight of the rows that have each.
    above : float
        The least density beyond it, infinite where there is none.
    """

    below: float
    values: np.ndarray
    weights: np.ndarray
    above: float


class Border(NamedTuple):
    """Where rows begin to be left out.

    Attributes
    ----------
    density : float
        All below are left out.
    shares : list of float
        Of each partition the weight that is left out among rows of this density, the last rows first.
    least : float
        The least density of a row that is not left out, or not wholly.
    """

    density: float
    shares: list[float]
    least: float


class Trimming:
    """Passes over rows in partitions without the least likely ones.

    Parameters
    ----------
    partitions : sequence
        The rows.
    reading : Reading
        How they become arrays.
    covariance_type : str
        Of the mixture.
    left_out : float
        The weight of the rows that are left out.
    """

    def __init__(
        self, partitions: Sequence[Partition], reading: Reading, covariance_type: str, left_out: float
    ) -> None:
        self._partitions, self._reading = partitions, reading
        self._covariance_type, self._left_out = covariance_type, left_out

    def one_pass(self, parameters: Parameters) -> Statistics:
        """Return the sums over the rows that are not left out."""
        held, border = self._border(parameters)
        parts = [(*part, *own) for part, *own in zip(self._partitions, held, border.shares, strict=True)]
        tasks = each(_kept_sums, parts, self._reading, parameters, self._covariance_type, border.density)
        found: Statistics
        (found,) = computed([tree_sum(add, tasks)])
        return found

    def least_kept(self, parameters: Parameters) -> float:
        """Return the log-density of the least likely row that is not left out."""
        return self._border(parameters)[1].least

    def _border(self, parameters: Parameters) -> tuple[Sequence[Any], Border]:
        tasks = each(_densities, self._partitions, self._reading, parameters, self._covariance_type)
        with losses_explained():
            held = dask.persist(*tasks)
        points = computed(each(_points, [(one,) for one in held]))
        interval = interval_of(points, self._left_out)
        return held, border_of(computed(each(_between, [(one,) for one in held], *interval)), self._left_out)


def interval_of(points: Sequence[tuple[np.ndarray, np.ndarray]], left_out: float) -> tuple[float, float]:
    """Return two densities, the first without the border and the second with it, between which the border lies.

    Parameters
    ----------
    points : sequence of (ndarray, ndarray)
        Of each partition some densities, ascending, with the least and the highest, and the weight up to each.
    left_out : float
        The weight below the border.
    """
    points = [point for point in points if len(point[0])]
    known = np.unique(np.concatenate([values for values, _ in points]))
    target = left_out * (1.0 - ROUNDING)

    def at_least(x: float) -> float:
        return sum(float(upto[i - 1]) for values, upto in points if (i := int(values.searchsorted(x, "right"))))

    def at_most(x: float) -> float:
        places = ((int(values.searchsorted(x, "right")), upto) for values, upto in points)
        return sum(float(upto[min(i, len(upto) - 1)]) for i, upto in places)

    high = _first(known, lambda x: at_least(x) >= target)
    low = _first(known, lambda x: at_most(x) >= target)
    return (-np.inf if low == 0 else float(known[low - 1])), float(known[min(high, len(known) - 1)])


def _first(known: np.ndarray, holds: Any) -> int:
    """Return the place of the first of ascending numbers for which something holds that holds for all after it."""
    low, high = 0, len(known)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(known[middle]) else (middle + 1, high)
    return low


def border_of(parts: Sequence[Between], left_out: float) -> Border:
    """Return the border between rows that are left out, of a weight of `left_out`, and the others."""
    values, places = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
    weights = np.bincount(places, np.concatenate([part.weights for part in parts]), minlength=len(values))
    beyond = sum(part.below for part in parts) + np.cumsum(weights)
    i = min(int(np.searchsorted(beyond, left_out * (1.0 - ROUNDING))), len(values) - 1)
    density, rest = float(values[i]), float(beyond[i]) - left_out
    shares = [float(part.weights[part.values == density].sum()) for part in parts]
    if rest <= ROUNDING * left_out:
        after = [*values[i + 1 : i + 2].tolist(), *(part.above for part in parts)]
        return Border(density, shares, min(after))
    removed = float(weights[i]) - rest
    for number in reversed(range(len(parts))):
        shares[number] = min(shares[number], removed)
        removed -= shares[number]
    return Border(density, shares, density)


# ------------------------------------------------------------------------------------------------------- on a worker


def _densities(block: Any, weights: Any, reading: Reading, parameters: Parameters, covariance_type: str) -> Held:
    X, w = reading.rows(block, weights)
    return (log_density(X, parameters, covariance_type, threads=1) if len(X) else np.empty(0)), w


def _points(held: Held) -> tuple[np.ndarray, np.ndarray]:
    density, weights = held
    if weights is None:
        values, upto = np.sort(density), np.arange(1.0, len(density) + 1)
    else:
        density, weights = density[weights > 0], weights[weights > 0]
        order = np.argsort(density, kind="stable")
        values, upto = density[order], np.cumsum(weights[order])
    places = np.unique(np.linspace(0, len(values) - 1, min(len(values), _POINTS)).astype(np.intp))
    return values[places], upto[places]


def _between(held: Held, low: float, high: float) -> Between:
    density, weights = held
    if weights is None:
        weights = np.ones(len(density))
    else:
        density, weights = density[weights > 0], weights[weights > 0]
    inside, above = (density > low) & (density <= high), density[density > high]
    values, places = np.unique(density[inside], return_inverse=True)
    sums = np.bincount(places, weights[inside], minlength=len(values))
    return Between(float(weights[density <= low].sum()), values, sums, float(above.min()) if len(above) else np.inf)


def _kept_sums(
    block: Any,
    weights: Any,
    held: Held,
    share: float,
    reading: Reading,
    parameters: Parameters,
    covariance_type: str,
    border: float,
) -> Statistics | None:
    """Return the sums of a partition without the rows below a density, and a weight of those at it."""
    X, _ = reading.rows(block, weights)
    if not len(X):
        return None
    with row_pass(X, len(parameters.weights), covariance_type, kept_weights(held, share, border), 1) as one_pass:
        return one_pass(parameters)


def kept_weights(held: Held, share: float, border: float) -> np.ndarray:
    """Return the weights (n,) of rows when those below a density have none, and of those at it a weight is left out."""
    density, weights = held
    kept = np.where(density < border, 0.0, 1.0 if weights is None else weights)
    ties = np.flatnonzero(density == border)[::-1]
    upto = np.cumsum(kept[ties])
    if len(ties):
        all_go = share >= upto[-1] * (1.0 - ROUNDING)
        kept[ties] = 0.0 if all_go else np.clip(upto - share, 0.0, kept[ties])
    return kept
