"""Passes in which rows are noise to some share, or are left out: an ordinary pass with other weights of the rows.

Both need the rows' densities first, so that each pass goes over the rows twice: once for the densities under the
parameters given, and once for the sums, row i with the weight

- w_i (1 - its share of noise), where there is noise. `Statistics.noise` is the rest, and log p(x) that of the whole
  mixture. Parameters then have weights whose sum is 1 less the share of noise, as those of the M step have.
- w_i, or 0 if it is among the least likely rows, where rows are trimmed (Neykov et al. 2007, Computational Statistics
  & Data Analysis 52). The row on the border keeps a part of its weight, so that the weight left out is always the same
  and the mean log-likelihood of the others never falls.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable
from functools import reduce

import numpy as np

from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.cpu import density_pass, row_pass
from bgsub.mixture.passes.statistics import Statistics, add

ROUNDING = 1e-12
"""Of a weight that is left out: sums of weights that differ by less are one, in whatever order they were added up."""


class WeighedRows:
    """Rows of which the densities are asked first, and then the sums with weights that depend on them.

    Parameters
    ----------
    X : ndarray, shape (N, D)
        The rows.
    weights : float64 ndarray, shape (N,), optional
        Theirs; 1 without.
    n_components, covariance_type, threads
        As of a pass.
    """

    def __init__(
        self, X: np.ndarray, weights: np.ndarray | None, n_components: int, covariance_type: str, threads: int | None
    ) -> None:
        self.weights = np.ones(len(X)) if weights is None else weights
        self._density, self._kept = np.empty(len(X)), np.empty(len(X))
        self._stack = contextlib.ExitStack()
        make = (X, n_components, covariance_type)
        self._densities = self._stack.enter_context(density_pass(*make, threads, self._density))
        self._sums = self._stack.enter_context(row_pass(*make, self._kept, threads))

    def densities(self, parameters: Parameters) -> np.ndarray:
        """Return log p(x) of each row, in an array that the next call fills anew."""
        self._densities(parameters)
        return self._density

    def sums(self, parameters: Parameters, kept: np.ndarray) -> Statistics:
        """Return the sums over rows of these weights (N,)."""
        np.copyto(self._kept, kept)
        return self._sums(parameters)

    def close(self) -> None:
        """Let threads and memory go."""
        self._stack.close()


Blocks = Callable[[], Iterable[WeighedRows]]
"""Returns all rows, in one block or in several, which may be gone when the next one comes."""


def noisy_pass(blocks: Blocks, parameters: Parameters, log_volume: float) -> Statistics:
    """Pass over all rows, of which some are noise; arguments as of `noisy_sums`."""
    return reduce(add, (noisy_sums(rows, parameters, log_volume) for rows in blocks()))


def noisy_sums(rows: WeighedRows, parameters: Parameters, log_volume: float) -> Statistics:
    """Return the sums over a block of rows of which some are noise.

    Parameters
    ----------
    rows : WeighedRows
        The block.
    parameters : Parameters
        Of the components; their weights sum to 1 less that of the noise.
    log_volume : float
        Of the region of the noise.
    """
    noise = 1.0 - float(parameters.weights.sum())
    log_term = (math.log(noise) if noise > 0 else -math.inf) - log_volume
    others = rows.densities(parameters)
    total = np.logaddexp(others, log_term)
    kept = rows.weights * np.exp(others - total)
    found = rows.sums(parameters, kept)
    return found._replace(
        log_likelihood=float((rows.weights * total).sum()),
        total_weight=float(rows.weights.sum()),
        noise=float((rows.weights * np.exp(log_term - total)).sum()),
    )


def trimmed_pass(blocks: Blocks, parameters: Parameters, left_out: float) -> Statistics:
    """Pass over all rows but the least likely ones, which have a weight of `left_out` together."""
    found = [(rows.densities(parameters).copy(), rows.weights) for rows in blocks()]
    densities, weights = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    kept = without_least(densities, weights, left_out)
    statistics, start = [], 0
    for rows in blocks():
        part = kept[start : start + len(rows.weights)]
        statistics.append(rows.sums(parameters, part))
        start += len(part)
    return reduce(add, statistics)


def without_least(densities: np.ndarray, weights: np.ndarray, left_out: float) -> np.ndarray:
    """Return the weights (N,) of rows when the least likely ones, of a weight of `left_out` together, have none.

    The row on the border has a part of its weight. Of rows that are equally likely those after are left out.
    """
    kept = weights.copy()
    order = np.argsort(densities[::-1], kind="stable")
    order = len(densities) - 1 - order
    beyond = np.cumsum(weights[order])
    border = min(int(np.searchsorted(beyond, left_out * (1.0 - ROUNDING))), len(order) - 1)
    rest = beyond[border] - left_out
    kept[order[:border]] = 0.0
    kept[order[border]] = min(rest, weights[order[border]]) if rest > ROUNDING * left_out else 0.0
    return kept


def weight_left_out(weights: np.ndarray, share: float) -> float:
    """Return the `weight_of_share` of rows of these weights (N,)."""
    return weight_of_share(float(weights[weights > 0].min()), float(weights.sum()), share)


def weight_of_share(unit: float, total: float, share: float) -> float:
    """Return the weight that a share of rows is: whole rows where these have no weights, rounded up.

    `unit` is the least weight above 0, `total` the sum of all. A share of .01 of 60 rows is one row: the only one that
    is wrong must not stay by two fifths. Rows of weights count in units of the least of these, so that a weight of 2 is
    the row twice, and a weight of 1/N is no weight.
    """
    return min(math.ceil(share * total / unit * (1.0 - 1e-12)) * unit, share * total + unit)
