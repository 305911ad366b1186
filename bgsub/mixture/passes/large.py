"""Passes over rows of many features with full or tied covariances, in chunks of rows that stay in the cache.

For full covariances, most components are ruled out for most rows before their products are made. The first of the
whitened features alone bound the distance from below, ``|U^T d|^2 >= |U_1^T d_1|^2``, and with that l_ik from above;
the exact l_ik of the component that the bound likes best is one of p_i from below; and a component 45 below that has,
to the last digit, no share in p_i. Where few are ruled out the bound is not worth its cost, and chunks do without.

For one covariance of all components rows are whitened, by matrix products, and spherical ones are left.
"""

from __future__ import annotations

import contextlib
import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from bgsub.mixture.kernels import diagonal, matrices
from bgsub.mixture.kernels.buffers import NO_WEIGHTS, empty_scratch, sizes
from bgsub.mixture.kernels.stages import Components, Outputs
from bgsub.mixture.kernels.steps import SPHERICAL
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.statistics import Statistics, add
from bgsub.simd import zeros
from bgsub.threads import Crew, usable_threads

ROWS = 1024  # of a chunk
FIRST = 16  # whitened features that the bound is made of
PANEL = 32  # columns of U at a time
NEGLIGIBLE = -45.0  # log of a share in p_i that is below its last digit
MOST_ALIVE = 0.6  # part of the components that are left, above which the bound costs more than it saves
PATIENCE = 16  # chunks without the bound before it is tried again
_MOST_BLOCKS, _MOST_BYTES = 16, 1 << 26  # each block of rows has sums of its own


class Chunk(NamedTuple):
    """What an E step says of some rows."""

    density: np.ndarray  # (n,): p_i
    responsibilities: np.ndarray  # (n, K), without weights
    labels: np.ndarray  # (n,)


class Sums(NamedTuple):
    """The sums of an M step, as `Statistics` defines them."""

    counts: np.ndarray
    shift: np.ndarray
    scatter: np.ndarray


def whitened(d: np.ndarray, factor: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Return U^T d for each row d, written into `out`."""
    for lo in range(0, d.shape[1], PANEL):
        hi = min(lo + PANEL, d.shape[1])
        np.matmul(d[:, :hi], factor[:hi, lo:hi], out=out[:, lo:hi])
    return out


def constants(parameters: Parameters, log_det: Any) -> np.ndarray:
    """Return what l_ik is where x_i is the mean of k."""
    with np.errstate(divide="ignore"):
        return np.log(parameters.weights) + log_det - 0.5 * parameters.means.shape[1] * math.log(2 * math.pi)


class FullChunks:
    """Full covariances of any number of features; for the chunks of one block of rows, in their order."""

    def __init__(self, parameters: Parameters) -> None:
        self.means = parameters.means
        n_components, n_features = self.means.shape
        factors = parameters.precisions_cholesky
        self.factors = matrices.padded_factors(factors)
        self.constants = constants(parameters, np.log(np.einsum("kdd->kd", factors)).sum(axis=1))
        self._counts, self._shift = np.zeros(n_components), np.zeros((n_components, n_features))
        self._scatter = np.zeros((n_components, len(matrices.places(n_features)), 16, 8))
        self._d = zeros((matrices.padded(ROWS, 8), self.factors.shape[2]), np.float64)
        self._eighths = zeros((1, matrices.padded(ROWS, 8), 8), np.float64)
        self._without_bound = 0
        self._origin = parameters.weights @ self.means
        first = factors[:, :FIRST, :FIRST]
        self._first_factors = np.ascontiguousarray(first.transpose(1, 0, 2)).reshape(first.shape[1], -1)
        self._first_means = np.einsum("kd,kde->ke", (self.means - self._origin)[:, :FIRST], first).ravel()

    def chunk(self, rows: np.ndarray) -> Chunk:
        """Do the E step for some rows."""
        terms = self._terms(rows)
        labels = terms.argmax(axis=1)
        top = terms[np.arange(len(rows)), labels]
        terms -= top[:, None]
        np.copyto(terms, -np.inf, where=terms < NEGLIGIBLE)
        np.exp(terms, out=terms)
        s = terms.sum(axis=1)
        terms /= s[:, None]
        return Chunk(top + np.log(s), terms, labels)

    @property
    def sums(self) -> Sums:
        """The sums over all rows added so far."""
        return Sums(self._counts, self._shift, matrices.symmetric(self._scatter, self.means.shape[1]))

    def add(self, rows: np.ndarray, chunk: Chunk, weights: np.ndarray | None) -> None:
        """Add some rows to the sums of the M step."""
        for k in range(len(self._counts)):
            r = chunk.responsibilities[:, k]
            if weights is not None:
                r = r * weights
            which = np.flatnonzero(r)
            if len(which):
                matrices.gather(rows, which, self.means[k], self._d)
                self._counts[k] += matrices.scale_rows(self._d, r[which], self._shift[k])
                matrices.add_scatter(self._d, len(which), self._scatter[k])

    def _exact(self, rows: np.ndarray, which: np.ndarray, k: int) -> np.ndarray:
        """Return l_ik of the rows `which`."""
        norms = np.empty(len(which))
        matrices.gather(rows, which, self.means[k], self._d)
        matrices.whitened_norms(self._d, len(which), self.factors[k], self._eighths, norms)
        return self.constants[k] - 0.5 * norms

    def _terms(self, rows: np.ndarray) -> np.ndarray:
        """Return l_ik, or -infinity where that is as good."""
        everyone = np.arange(len(rows))
        if self._without_bound == 0 and self.means.shape[1] > FIRST:
            terms, alive = self._bounds(rows)
            if np.count_nonzero(alive) <= MOST_ALIVE * alive.size:
                for k in range(len(self.constants)):
                    which = np.flatnonzero(alive[:, k])
                    if len(which):
                        terms[which, k] = self._exact(rows, which, k)
                return terms
            self._without_bound = PATIENCE
        self._without_bound -= 1
        terms = np.empty((len(rows), len(self.constants)))
        for k in range(len(self.constants)):
            terms[:, k] = self._exact(rows, everyone, k)
        return terms

    def _bounds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return l_ik of each row's likeliest component, -infinity elsewhere, and where more is to be found out."""
        n_components = len(self.constants)
        y = (rows[:, :FIRST] - self._origin[:FIRST]) @ self._first_factors
        y -= self._first_means
        y = y.reshape(len(rows), n_components, -1)
        bound = self.constants - 0.5 * np.einsum("ikd,ikd->ik", y, y)
        best = bound.argmax(axis=1)
        terms = np.full((len(rows), n_components), -np.inf)
        for k in range(n_components):
            which = np.flatnonzero(best == k)
            if len(which):
                terms[which, k] = self._exact(rows, which, k)
        likeliest = terms[np.arange(len(rows)), best]
        alive = bound > likeliest[:, None] + NEGLIGIBLE
        alive[np.arange(len(rows)), best] = False
        return terms, alive


class TiedChunks:
    """One covariance of any number of features; for the chunks of one block of rows, in their order."""

    def __init__(self, parameters: Parameters) -> None:
        means, factor = parameters.means, parameters.precisions_cholesky
        n_components, n_features = means.shape
        self.factor = factor
        self.origin = parameters.weights @ means
        self.moved_means = means - self.origin
        self.sums = Sums(
            np.zeros(n_components), np.zeros((n_components, n_features)), np.zeros((n_features, n_features))
        )
        self._d, self._y = np.empty((ROWS, n_features)), np.empty((ROWS, n_features))
        none = np.empty((0, 0))
        self._components = Components(
            np.ascontiguousarray(self.moved_means @ factor),
            np.full((n_components, 1), math.sqrt(0.5)),
            constants(parameters, np.log(np.diag(factor)).sum()),
            none,
            none,
        )
        self._scratch = empty_scratch(n_components, n_features, SPHERICAL, ROWS, sums=False)

    def chunk(self, rows: np.ndarray) -> Chunk:
        """Do the E step for some rows: spherical, once they are whitened."""
        n, n_components = len(rows), len(self.moved_means)
        y = whitened(self._moved(rows), self.factor, self._y[:n])
        chunk = Chunk(np.empty(n), np.empty((n, n_components)), np.empty(n, np.intp))
        rest = sizes(y.shape[1])[1]
        diagonal.spherical(y, NO_WEIGHTS, 0, n, self._components, self._scratch, Outputs(*chunk), rest)
        return chunk

    def add(self, rows: np.ndarray, chunk: Chunk, weights: np.ndarray | None) -> None:
        """Add some rows to the sums of the M step."""
        counts, shift, scatter = self.sums
        r = chunk.responsibilities if weights is None else chunk.responsibilities * weights[:, None]
        d, m = self._moved(rows), self.moved_means
        count = r.sum(axis=0)
        of_means = r.T @ d - count[:, None] * m
        counts += count
        shift += of_means
        # About the means, not about the origin as d is: see `unpack` of the kernels.
        crossed = of_means.T @ m
        scatter -= crossed + crossed.T + (count * m.T) @ m
        if weights is not None:
            d *= np.sqrt(weights)[:, None]
        scatter += d.T @ d

    def _moved(self, rows: np.ndarray) -> np.ndarray:
        return np.subtract(rows, self.origin, out=self._d[: len(rows)])


class LargePass:
    """Passes over an array of rows; of the rows' outputs alone, where they are given."""

    def __init__(
        self,
        X: np.ndarray,
        n_components: int,
        covariance_type: str,
        sample_weight: np.ndarray | None,
        threads: int | None,
        outputs: Outputs | None,
    ) -> None:
        self._X, self._outputs = X, outputs
        self._weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        self._kind = FullChunks if covariance_type == "full" else TiedChunks
        matrices = n_components if covariance_type == "full" else 1
        affordable = max(_MOST_BYTES // (8 * matrices * X.shape[1] ** 2), 1)
        n_chunks = -(-len(X) // ROWS)
        length = max(-(-n_chunks // min(affordable, _MOST_BLOCKS)), 1) * ROWS
        self._blocks = [(lo, min(lo + length, len(X))) for lo in range(0, max(len(X), 1), length)]
        self._threads = min(usable_threads(threads), len(self._blocks))
        self._crew = Crew([None] * self._threads)

    def __call__(self, parameters: Parameters) -> Statistics:
        """Pass over all rows."""
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
        for lo in range(*block, ROWS):
            chosen = slice(lo, min(lo + ROWS, block[1]))
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
        """Let the threads go."""
        self._crew.close()


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController  # here: only threads need it

    return ThreadpoolController()


def _one_blas_thread() -> contextlib.AbstractContextManager:
    """Keep matrix products to the thread that asks for them, where rows are shared among threads already."""
    return _blas().limit(limits=1, user_api="blas")
