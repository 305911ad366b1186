"""Passes over rows with gaps (NaN): each row counts by what is observed of it.

Complete rows go through the ordinary pass, the others through the kernels of `gaps`, and both sums are added up. Rows
of which nothing is observed say nothing: they have no part in the sums, the density 1 (of which the logarithm is 0),
the components' weights for probabilities, and the label -1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from bgsub.mixture.kernels import gaps
from bgsub.mixture.kernels.stages import Outputs
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.cpu import log_density, row_pass
from bgsub.mixture.passes.statistics import Pass, Statistics, add
from bgsub.simd import zeros
from bgsub.threads import Crew, usable_threads

NOTHING_KNOWN = -1
"""The label of a row of which nothing is observed."""

_SLAB = 1 << 26  # bytes of rows that are sorted out together: what is copied of them is copied anew in each pass
_BLOCK, _MOST_BLOCKS = 512, 64  # rows of a block at least; each has sums of its own
_NONE = np.empty(0)


def observed_counts(X: np.ndarray) -> np.ndarray:
    """Return how many cells of each row are observed, (N,) intp."""
    return X.shape[1] - np.isnan(X).sum(axis=1)


class Sorted(NamedTuple):
    """Numbers of rows: those in which all is observed, and those in which some is, rows of the same gaps together."""

    complete: np.ndarray
    partial: np.ndarray


def sort_out(X: np.ndarray) -> Sorted:
    """Return which rows are complete, and which are not but hold something."""
    gaps = np.isnan(X)
    counts = gaps.sum(axis=1)
    partial = np.flatnonzero((counts > 0) & (counts < X.shape[1]))
    patterns = np.packbits(gaps[partial], axis=1)
    return Sorted(np.flatnonzero(counts == 0), partial[np.lexsort(patterns.T)])


# ------------------------------------------------------------------------------------------------- rows with gaps alone


class GapPass:
    """Passes over rows each of which has gaps and something observed.

    Parameters
    ----------
    X : float64 ndarray, shape (n, D), C-contiguous
        The rows.
    n_components, covariance_type : int, str
        Of the mixture.
    sample_weight : float64 ndarray, shape (n,), optional
        Weights.
    threads : int, optional
        None for all processors; the result does not depend on it.
    outputs : Outputs, optional
        Where to write what is said of each row.
    """

    def __init__(
        self,
        X: np.ndarray,
        n_components: int,
        covariance_type: str,
        sample_weight: np.ndarray | None,
        threads: int | None,
        outputs: Outputs | None = None,
    ) -> None:
        n, n_features = X.shape
        self._X, self._type, self._n_components = X, covariance_type, n_components
        self._weights = _NONE if sample_weight is None else np.ascontiguousarray(sample_weight, np.float64)
        self._outputs = outputs or Outputs(_NONE, np.empty((0, 0)), np.empty(0, np.intp))
        length = max(_BLOCK, -(-n // _MOST_BLOCKS))
        self._blocks = [(lo, min(lo + length, n)) for lo in range(0, max(n, 1), length)]
        self._sums = [empty_sums(n_components, n_features, covariance_type) for _ in self._blocks]
        most = int(np.isnan(X).sum(axis=1).max(initial=0))
        n_threads = max(min(usable_threads(threads), len(self._blocks)), 1)
        self._crew = Crew([empty_work(n_components, n_features, most) for _ in range(n_threads)])

    def __call__(self, parameters: Parameters) -> Statistics:
        """Pass over all rows."""
        lanes = lanes_of(parameters, self._type)

        def do_block(i: int, work: gaps.Work) -> None:
            for array in self._sums[i]:
                array[...] = 0
            density, shares, labels = self._outputs
            gaps.sum_rows(
                self._X,
                self._weights,
                *self._blocks[i],
                is_diagonal(self._type),
                self._n_components,
                lanes,
                work,
                self._sums[i],
                density,
                shares,
                labels,
            )

        self._crew.run(do_block, len(self._blocks))
        return _statistics(self._sums, self._n_components, self._X.shape[1], self._type)

    def close(self) -> None:
        """Let the threads go."""
        self._crew.close()


def is_diagonal(covariance_type: str) -> bool:
    """Return whether features are independent within a component."""
    return covariance_type in ("diag", "spherical")


def lanes_of(parameters: Parameters, covariance_type: str) -> gaps.Lanes:
    """Return the components as the kernels want them."""
    weights, means, _, factors = parameters
    n_components, n_features = means.shape
    if is_diagonal(covariance_type):
        packed = np.broadcast_to(factors if covariance_type == "diag" else factors[:, None], means.shape)
        logs = np.log(packed)
    else:
        columns, rows = np.tril_indices(n_features)
        packed = np.broadcast_to(factors[..., rows, columns], (n_components, len(rows)))
        logs = np.log(packed[:, rows == columns])
    with np.errstate(divide="ignore"):
        constants = np.log(weights) + (logs - gaps.HALF_LOG_TAU).sum(axis=1)
    return gaps.Lanes(
        _in_lanes(means, 0.0),
        _in_lanes(packed, 1.0),
        _in_lanes(constants[:, None], -np.inf)[:, 0],
        _in_lanes(logs - gaps.HALF_LOG_TAU, 0.0),
    )


def _in_lanes(values: np.ndarray, rest: float) -> np.ndarray:
    """Return values (K, n) as vectors (B, n, 8), those beyond K filled with `rest`."""
    n_vectors = -(-len(values) // 8)
    result = zeros((n_vectors, values.shape[1], 8), np.float64)
    padded = np.full((8 * n_vectors, values.shape[1]), rest)
    padded[: len(values)] = values
    result[...] = padded.reshape(n_vectors, 8, -1).swapaxes(1, 2)
    return result


def empty_work(n_components: int, n_features: int, most_missing: int) -> gaps.Work:
    """Return the memory of one thread, for rows of which so many features are missing at most."""
    n_vectors, m = -(-n_components // 8), max(most_missing, 1)

    def vectors(*shape: int) -> np.ndarray:
        return zeros((*shape, 8), np.float64)

    return gaps.Work(
        vectors(n_vectors, n_features),
        vectors(1, n_features),
        vectors(m, n_features),
        vectors(n_vectors, m * m),
        vectors(n_vectors, m),
        vectors(m, m),
        vectors(n_vectors),
        np.zeros(n_features, np.intp),
        np.zeros(n_features, np.bool_),
    )


def empty_sums(n_components: int, n_features: int, covariance_type: str) -> gaps.GapSums:
    """Return the sums of a block."""
    n_vectors = -(-n_components // 8)
    products = n_features if is_diagonal(covariance_type) else n_features * (n_features + 1) // 2
    return gaps.GapSums(
        zeros((n_vectors, 8), np.float64),
        zeros((n_vectors, n_features, 8), np.float64),
        zeros((n_vectors, products, 8), np.float64),
        np.zeros(2),
    )


def _statistics(blocks: list[gaps.GapSums], n_components: int, n_features: int, covariance_type: str) -> Statistics:
    """Return the sums of all blocks, added up in their order."""
    counts, shift, scatter, totals = (reduce(np.add, arrays) for arrays in zip(*blocks, strict=True))
    shift, packed = (np.swapaxes(array, 1, 2).reshape(-1, array.shape[1])[:n_components] for array in (shift, scatter))
    if covariance_type == "diag":
        scatter = packed
    elif covariance_type == "spherical":
        scatter = packed.sum(axis=1)
    else:
        packed = packed.sum(axis=0, keepdims=True) if covariance_type == "tied" else packed
        columns, rows = np.tril_indices(n_features)
        scatter = np.empty((len(packed), n_features, n_features))
        scatter[:, rows, columns] = scatter[:, columns, rows] = packed
        scatter = scatter[0] if covariance_type == "tied" else scatter
    return Statistics(
        float(totals[0]),
        float(totals[1]),
        counts.ravel()[:n_components].copy(),
        np.ascontiguousarray(shift),
        np.ascontiguousarray(scatter),
    )


# ---------------------------------------------------------------------------------------- rows, some of which have gaps


@contextlib.contextmanager
def gap_pass(
    X: np.ndarray, n_components: int, covariance_type: str, sample_weight: np.ndarray | None, threads: int | None
) -> Iterator[Pass]:
    """Enter all that passes over `X` need, where it may have gaps; as `row_pass` where it has none.

    Parameters
    ----------
    X : ndarray of float64 or float32, shape (N, D)
        Rows of finite numbers and NaN, which stands for what is not known.
    n_components, covariance_type, sample_weight, threads
        As of `row_pass`.

    Yields
    ------
    callable
        One pass. Of rows that hold nothing neither weight nor likelihood counts.
    """
    arguments = (n_components, covariance_type)
    slabs = _slabs(X)
    parts = [sort_out(X[slab]) for slab in slabs]
    with contextlib.ExitStack() as stack:
        if all(len(part.complete) == len(X[slab]) for slab, part in zip(slabs, parts, strict=True)):
            yield stack.enter_context(row_pass(X, *arguments, sample_weight, threads))
            return
        if len(slabs) == 1:  # what was copied can stay
            passes = _passes_of(stack, X, parts[0], arguments, sample_weight, threads)
            yield lambda parameters: reduce(add, (one_pass(parameters) for one_pass in passes))
            return

        def pass_over_slabs(parameters: Parameters) -> Statistics:
            found = []
            for slab, part in zip(slabs, parts, strict=True):
                weights = None if sample_weight is None else sample_weight[slab]
                with contextlib.ExitStack() as of_slab:
                    passes = _passes_of(of_slab, X[slab], part, arguments, weights, threads)
                    found += [one_pass(parameters) for one_pass in passes]
            return reduce(add, found)

        yield pass_over_slabs


def _slabs(X: np.ndarray) -> list[slice]:
    length = max(_SLAB // (8 * X.shape[1]), 1)
    return [slice(lo, lo + length) for lo in range(0, len(X), length)]


def _passes_of(
    stack: contextlib.ExitStack,
    X: np.ndarray,
    part: Sorted,
    arguments: tuple[int, str],
    sample_weight: np.ndarray | None,
    threads: int | None,
) -> list[Any]:
    """Return the passes over complete rows and over the others, of those that there are."""
    passes: list[Any] = []
    for rows, kind in ((part.complete, row_pass), (part.partial, _closing_gap_pass)):
        if len(rows) or (kind is _closing_gap_pass and not passes):  # where there are none, the sums are 0
            weights = None if sample_weight is None else sample_weight[rows]
            passes.append(stack.enter_context(kind(_taken(X, rows), *arguments, weights, threads)))
    return passes


def _closing_gap_pass(*arguments: Any) -> contextlib.closing[GapPass]:
    return contextlib.closing(GapPass(*arguments))


def _taken(X: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return some rows as the kernels read them."""
    return np.ascontiguousarray(X[rows], np.float64)


def observed_log_density(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    *,
    threads: int | None = None,
    responsibilities: np.ndarray | None = None,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Return the logarithm of the density of what is observed of each row; arguments as of `log_density`.

    Of a row of which nothing is, that is 0, the responsibilities are the weights, and the label is -1.
    """
    wanted = Outputs(
        np.zeros(len(X)),
        np.empty((0, 0)) if responsibilities is None else responsibilities,
        np.empty(0, np.intp) if labels is None else labels,
    )
    wanted.responsibilities[:] = parameters.weights[: wanted.responsibilities.shape[1]]
    wanted.labels[:] = NOTHING_KNOWN
    for slab in _slabs(X):
        part = sort_out(X[slab])
        outputs = Outputs(*(array[slab] for array in wanted))
        if len(part.complete) == len(X[slab]):
            _read_complete(X[slab], parameters, covariance_type, threads, outputs)
            continue
        for chosen, read in ((part.complete, _read_complete), (part.partial, _read_partial)):
            if len(chosen):
                found = Outputs(*(array[: len(chosen)].copy() for array in outputs))
                read(_taken(X[slab], chosen), parameters, covariance_type, threads, found)
                for array, values in zip(outputs, found, strict=True):
                    if array.size:
                        array[chosen] = values
    return wanted.density


def _read_complete(X: np.ndarray, parameters: Parameters, kind: str, threads: int | None, outputs: Outputs) -> None:
    r, labels = (array if array.size else None for array in outputs[1:])
    outputs.density[:] = log_density(X, parameters, kind, threads=threads, responsibilities=r, labels=labels)


def _read_partial(X: np.ndarray, parameters: Parameters, kind: str, threads: int | None, outputs: Outputs) -> None:
    with _closing_gap_pass(X, len(parameters.weights), kind, None, threads, outputs) as one_pass:
        one_pass(parameters)
