"""One pass over the rows: the E step and the sums that the M step needs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from bgsub.mixture.kernels import buffers, diagonal, large, steps
from bgsub.mixture.kernels import full as full_covariances
from bgsub.mixture.kernels import tied as tied_covariance
from bgsub.mixture.kernels.sharing import Crew, blocks
from bgsub.mixture.kernels.stages import Outputs, Scratch
from bgsub.mixture.parameters import Parameters

MOST_UNROLLED = 16  # features; above, full and tied covariances are left to matrix products

_COPIED = 1 << 19  # bytes of rows that are converted at a time, where they cannot be read as they are
_MOST_BLOCKS, _MOST_BYTES = 16, 1 << 26  # of large covariances: each block of rows has sums of its own


class Statistics(NamedTuple):
    """Sums over rows x_i of weight w_i, with r_ik the responsibility of component k under the parameters given.

    `shift` and `scatter` are taken about the means of those parameters, so that nothing cancels far from the origin.
    """

    log_likelihood: float  # sum of w_i log p(x_i)
    total_weight: float  # sum of w_i: the number of rows where no weights are given
    counts: np.ndarray  # (K,): sum of w_i r_ik
    shift: np.ndarray  # (K, D): sum of w_i r_ik (x_i - mean_k)
    scatter: np.ndarray  # sum of w_i r_ik (x_i - mean_k)(x_i - mean_k)^T: (K, D, D); tied (D, D), summed over k;
    # diag (K, D), its diagonals; spherical (K,), its traces


def add(a: Statistics, b: Statistics) -> Statistics:
    """Return the statistics of two blocks of rows together, both under the same parameters."""
    return Statistics(
        a.log_likelihood + b.log_likelihood,
        a.total_weight + b.total_weight,
        a.counts + b.counts,
        a.shift + b.shift,
        a.scatter + b.scatter,
    )


def expectation(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    *,
    sample_weight: np.ndarray | None = None,
    threads: int = 1,
) -> Statistics:
    """Return the sums of one E step over the rows of `X`.

    Responsibilities below 1e-30 (with more than 16 features 3e-20) count as 0. No array with a row for each row of `X`
    is made.

    Parameters
    ----------
    X : ndarray of float64 or float32, shape (N, D)
        Finite; C-contiguous float64 is read in place, all else converted in small pieces.
    parameters : Parameters
        Of the mixture.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of `parameters`.
    sample_weight : ndarray of float64, shape (N,), optional
        Weight of each row, not negative; 1 without.
    threads : int
        Threads that share the rows; the result is the same, bit for bit, for any number.

    Returns
    -------
    Statistics
    """
    with row_pass(X, len(parameters.weights), covariance_type, sample_weight, threads) as run:
        return run(parameters)


def log_density(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    *,
    threads: int = 1,
    responsibilities: np.ndarray | None = None,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Return log p(x) of each row; fill the arrays given with responsibilities and most probable components.

    Parameters
    ----------
    X : ndarray of float64 or float32, shape (N, D)
        Finite rows.
    parameters : Parameters
        Of the mixture.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of `parameters`.
    threads : int
        Threads that share the rows.
    responsibilities : ndarray of float64, shape (N, K), optional
        Filled with the probability of each component for each row; below 1e-30 it is 0.
    labels : ndarray of intp, shape (N,), optional
        Filled with the most probable component of each row.

    Returns
    -------
    ndarray of float64, shape (N,)
    """
    outputs = Outputs(
        np.empty(len(X)),
        np.empty((0, 0)) if responsibilities is None else responsibilities,
        np.empty(0, np.intp) if labels is None else labels,
    )
    if _is_large(X, covariance_type):
        one_pass: Any = _LargePass(X, len(parameters.weights), covariance_type, None, threads, outputs)
    else:
        one_pass = _UnrolledPass(X, len(parameters.weights), covariance_type, None, threads, outputs)
    with contextlib.closing(one_pass):
        one_pass(parameters)
    return outputs.density


@contextlib.contextmanager
def row_pass(
    X: np.ndarray, n_components: int, covariance_type: str, sample_weight: np.ndarray | None, threads: int
) -> Iterator[Callable[[Parameters], Statistics]]:
    """Enter a context with all that passes over `X` need, and get a function that does one: `expectation`."""
    kind = _LargePass if _is_large(X, covariance_type) else _UnrolledPass
    one_pass = kind(X, n_components, covariance_type, sample_weight, threads, None)
    with contextlib.closing(one_pass):
        yield one_pass


def _is_large(X: np.ndarray, covariance_type: str) -> bool:
    return covariance_type in ("full", "tied") and X.shape[1] > MOST_UNROLLED


def is_small(X: np.ndarray, n_components: int, covariance_type: str) -> bool:
    """Return whether all rows are one block for an unrolled kernel."""
    return not _is_large(X, covariance_type) and len(blocks(len(X), n_components, X.shape[1], 8)) == 1


def is_plain(X: np.ndarray) -> bool:
    """Return whether kernels can read an array as it is."""
    return bool(X.dtype == np.float64 and X.flags.c_contiguous and X.flags.writeable and X.flags.aligned)


class _UnrolledPass:
    """Passes of compiled kernels; of the rows' outputs alone, where they are given."""

    def __init__(
        self,
        X: np.ndarray,
        n_components: int,
        covariance_type: str,
        sample_weight: np.ndarray | None,
        threads: int,
        outputs: Outputs | None,
    ) -> None:
        n_rows, n_features = X.shape
        self._X, self._plain = X, is_plain(X)
        self._weights = buffers.NO_WEIGHTS if sample_weight is None else np.array(sample_weight, np.float64)
        self._kind = kind = buffers.KINDS[covariance_type]
        self._outputs, self._summing = outputs or buffers.NO_OUTPUTS, outputs is None
        self._mixture = buffers.empty_mixture(n_components, n_features, kind)
        self._kernel = {
            steps.FULL: full_covariances.full,
            steps.TIED: tied_covariance.tied,
            steps.DIAG: diagonal.diag,
            steps.SPHERICAL: diagonal.spherical,
        }[kind]
        size, rest = buffers.sizes(n_features)
        self._sizes = (size, rest) if kind in (steps.FULL, steps.TIED) else (rest,)

        def memory() -> Scratch:
            return buffers.empty_scratch(n_components, n_features, kind, n_rows, sums=self._summing)

        first = memory()
        self._height = 8 * first.x.shape[0]
        self._blocks = blocks(n_rows, n_components, n_features, self._height)
        self._crew = Crew(min(threads, len(self._blocks)), memory)
        self._sums = np.zeros((len(self._blocks), *first.sums.shape[:2]))
        self._totals = np.zeros((len(self._blocks), 2))
        self._places = buffers.product_places(n_features, kind)

    def __call__(self, parameters: Parameters) -> Statistics:
        steps.prepare(self._kind, buffers.model_of(parameters, self._kind), self._mixture)
        self._crew.run(self._do_block, len(self._blocks))
        n_components, n_features = parameters.means.shape
        moments = buffers.empty_moments(n_components, n_features, self._kind)
        if self._summing:
            sums = self._sums.sum(axis=0)
            steps.unpack(self._kind, sums, *self._places, self._mixture, moments)
        likelihood, weight = self._totals.sum(axis=0).tolist()
        scatter = moments.scatter.reshape(parameters.covariances.shape)
        return Statistics(likelihood, weight, moments.counts, moments.shift, scatter)

    def _do_block(self, i: int, scratch: Scratch) -> None:
        lo, hi = self._blocks[i]
        if self._plain:
            self._kernel(self._X, self._weights, lo, hi, self._mixture, scratch, self._outputs, *self._sizes)
        else:
            for a, b, rows, weights, outputs in self._pieces(lo, hi):
                self._kernel(rows, weights, 0, b - a, self._mixture, scratch, outputs, *self._sizes)
        steps.collapse(scratch, self._sums[i], self._totals[i])

    def _pieces(self, lo: int, hi: int) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, Outputs]]:
        """Yield rows converted to what kernels read, in whole tiles."""
        step = max(_COPIED // (8 * self._X.shape[1]) // self._height, 1) * self._height
        piece = np.empty((min(step, hi - lo), self._X.shape[1]))
        for a in range(lo, hi, step):
            b = min(a + step, hi)
            np.copyto(piece[: b - a], self._X[a:b])
            yield a, b, piece, self._weights[a:b], Outputs(*(array[a:b] for array in self._outputs))

    def close(self) -> None:
        self._crew.close()


class _LargePass:
    """Passes of matrix products; of the rows' outputs alone, where they are given."""

    def __init__(
        self,
        X: np.ndarray,
        n_components: int,
        covariance_type: str,
        sample_weight: np.ndarray | None,
        threads: int,
        outputs: Outputs | None,
    ) -> None:
        self._X, self._outputs = X, outputs
        self._weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        self._kind = large.FullPass if covariance_type == "full" else large.TiedPass
        matrices = n_components if covariance_type == "full" else 1
        affordable = max(_MOST_BYTES // (8 * matrices * X.shape[1] ** 2), 1)
        n_chunks = -(-len(X) // large.ROWS)
        length = max(-(-n_chunks // min(affordable, _MOST_BLOCKS)), 1) * large.ROWS
        self._blocks = [(lo, min(lo + length, len(X))) for lo in range(0, max(len(X), 1), length)]
        self._threads = min(threads, len(self._blocks))
        self._crew = Crew(self._threads, lambda: None)

    def __call__(self, parameters: Parameters) -> Statistics:
        found: list[Any] = [None] * len(self._blocks)

        def do_block(i: int, memory: None) -> None:
            found[i] = self._block(self._blocks[i], self._kind(parameters))

        with _one_blas_thread() if self._threads > 1 else contextlib.nullcontext():
            self._crew.run(do_block, len(found))
        result = found[0]
        for statistics in found[1:]:
            result = add(result, statistics)
        return result

    def _block(self, block: tuple[int, int], one_pass: Any) -> Statistics:
        likelihood = weight = 0.0
        for lo in range(*block, large.ROWS):
            chosen = slice(lo, min(lo + large.ROWS, block[1]))
            rows = np.ascontiguousarray(self._X[chosen], np.float64)
            chunk = one_pass.chunk(rows)
            if self._outputs is not None:
                for array, values in zip(self._outputs, chunk, strict=True):
                    if array.size:
                        array[chosen] = values
                continue
            w = None if self._weights is None else self._weights[chosen]
            likelihood += float(chunk.density.sum() if w is None else w @ chunk.density)
            weight += float(len(rows) if w is None else w.sum())
            one_pass.add(rows, chunk, w)
        return Statistics(likelihood, weight, *one_pass.sums)

    def close(self) -> None:
        self._crew.close()


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController  # here: only threads need it

    return ThreadpoolController()


def _one_blas_thread() -> contextlib.AbstractContextManager:
    """Keep matrix products to the thread that asks for them, where rows are shared among threads already."""
    return _blas().limit(limits=1, user_api="blas")
