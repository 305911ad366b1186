"""Passes over rows of many features with full or tied covariances; threads share the rows, and each does whole blocks.

A block is one call of a kernel, without the GIL and without any other library's threads: so a pass falls with every
thread added. Blocks are small, that no thread waits long for the last, and their sums are added up in order: results
do not depend on the number of threads.
"""

from __future__ import annotations

import math
import threading
from typing import Any, NamedTuple

import numpy as np

from bgsub.mixture.kernels import matrices, wide
from bgsub.mixture.kernels.buffers import NO_OUTPUTS, NO_WEIGHTS
from bgsub.mixture.kernels.stages import Outputs, Scratch
from bgsub.mixture.kernels.wide import FIRST, Chunk, WideComponents, WideSums
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.pieces import is_plain, pieces, readable
from bgsub.mixture.passes.statistics import Statistics
from bgsub.simd import zeros
from bgsub.threads import Crew, usable_threads

ROWS, FEWEST_ROWS = 1024, 64  # of a chunk
_CHUNK_BYTES = 1 << 19  # of its differences, which are read again and again
_MOST_BLOCKS = 256
_FEWEST_CHUNKS = 2  # of a block, whose sums are to be added to the others'
BLOCK_WORK = 1 << 22  # products of a block, some milliseconds: what calling a kernel costs should not count
_MOST_BYTES = 1 << 29  # of the sums of all threads together
_KERNELS: dict[str, Any] = {"full": wide.full, "tied": wide.tied}


class _Memory(NamedTuple):
    """What a thread works with."""

    scratch: Scratch
    chunk: Chunk
    sums: WideSums


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
        self._X, self._type = X, covariance_type
        self._outputs, self._summing = outputs or NO_OUTPUTS, outputs is None
        self._weights = NO_WEIGHTS if sample_weight is None else readable(sample_weight)
        self._blocks = blocks(len(X), n_components, X.shape[1], covariance_type)
        self._height = height(X.shape[1])
        sums = empty_sums(n_components, X.shape[1], covariance_type)
        affordable = max(_MOST_BYTES // (2 * sum(array.nbytes for array in sums)), 1)
        self._threads = min(usable_threads(threads), len(self._blocks), affordable)
        self._crew = Crew([self._memory(n_components) for _ in range(self._threads)])

    def __call__(self, parameters: Parameters) -> Statistics:
        """Pass over all rows."""
        components = components_of(parameters, self._type)
        total = _InOrder()
        left = iter(range(len(self._blocks)))  # shared: `next` gives each block to one thread

        def work(_: int, memory: _Memory) -> None:
            for i in left:
                total.add(i, self._block(*self._blocks[i], components, memory))

        self._crew.run(work, self._threads)
        return statistics_of(total.arrays, components, self._type) if self._summing else _nothing(parameters)

    def _memory(self, n_components: int) -> _Memory:
        n_features = self._X.shape[1]
        sums = empty_sums(n_components if self._summing else 0, n_features, self._type)
        return _Memory(*empty_memory(n_components, n_features, self._type), sums)

    def _block(self, lo: int, hi: int, components: WideComponents, memory: _Memory) -> list[np.ndarray]:
        """Pass over some rows; return log-likelihood and weight, and the sums."""
        scratch, chunk, sums = memory
        for array in (scratch.totals, chunk.waiting, *sums):
            array[...] = 0
        kernel = _KERNELS[self._type]
        if is_plain(self._X):
            kernel(self._X, self._weights, lo, hi, components, scratch, chunk, self._outputs, sums)
        else:
            for a, b, rows in pieces(self._X, lo, hi, self._height):
                outputs = Outputs(*(array[a:b] for array in self._outputs))
                kernel(rows, self._weights[a:b], 0, b - a, components, scratch, chunk, outputs, sums)
        return [scratch.totals.sum(axis=1), *(array.copy() for array in sums)]

    def close(self) -> None:
        """Let the threads go."""
        self._crew.close()


def height(n_features: int) -> int:
    """Return the rows of a chunk, a multiple of eight: as many as stay in the cache."""
    affordable = _CHUNK_BYTES // (8 * matrices.padded(n_features, 16)) // 8 * 8
    return min(ROWS, max(affordable, FEWEST_ROWS))


def blocks(n_rows: int, n_components: int, n_features: int, covariance_type: str) -> list[tuple[int, int]]:
    """Cut the rows into blocks of whole chunks, whatever the number of threads: sums do not depend on it."""
    of_matrix, of_mean = n_features * n_features // 8, n_features + 4
    of_row = (
        n_components * (of_matrix + of_mean) if covariance_type == "full" else of_matrix + n_components * of_mean // 8
    )
    rows = height(n_features)
    n_chunks = -(-n_rows // rows)
    length = rows * max(-(-n_chunks // _MOST_BLOCKS), -(-BLOCK_WORK // (of_row * rows)), _FEWEST_CHUNKS)
    return [(lo, min(lo + length, n_rows)) for lo in range(0, max(n_rows, 1), length)]


class _InOrder:
    """The sum of what threads find of numbered blocks, added up in the order of the numbers."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._lock = threading.Lock()
        self._next = 0
        self._early: dict[int, list[np.ndarray]] = {}

    def add(self, i: int, arrays: list[np.ndarray]) -> None:
        """Add block i, or keep it until those before it are there."""
        with self._lock:
            self._early[i] = arrays
            while self._next in self._early:
                found = self._early.pop(self._next)
                if self._next == 0:
                    self.arrays = found
                else:
                    for total, array in zip(self.arrays, found, strict=True):
                        total += array
                self._next += 1


def components_of(parameters: Parameters, covariance_type: str) -> WideComponents:
    """Return the components as kernels want them."""
    weights, means, _, factors = parameters
    full = covariance_type == "full"
    factors = factors if full else factors[None]
    log_det = np.log(np.einsum("kdd->kd", factors)).sum(axis=1)
    with np.errstate(divide="ignore"):
        constants = np.log(weights) + log_det - 0.5 * means.shape[1] * math.log(2 * math.pi)
    origin = np.zeros(means.shape[1]) if full else weights @ means
    padded = matrices.padded_factors(factors)
    centres = zeros((0 if full else len(means), padded.shape[2]), np.float64)
    if not full:
        centres[:, : means.shape[1]] = (means - origin) @ factors[0]
    first = np.ascontiguousarray(factors[:, :FIRST, :FIRST])
    return WideComponents(
        np.ascontiguousarray(means), padded, np.ascontiguousarray(means[:, :FIRST]), first, constants, origin, centres
    )


def empty_memory(n_components: int, n_features: int, covariance_type: str) -> tuple[Scratch, Chunk]:
    """Return the memory of one thread."""
    width, full = matrices.padded(n_features, 16), covariance_type == "full"
    rows = height(n_features)
    none = zeros((0, 1, 8), np.float64)
    scratch = Scratch(
        none,
        none,
        zeros((n_components, rows // 8, 8), np.float64),
        zeros((3, rows // 8, 8), np.float64),
        none,
        zeros((2, 8), np.float64),
    )
    chunk = Chunk(
        zeros((rows, width), np.float64),
        zeros((0 if full else rows, width), np.float64),
        zeros((1, rows, 8), np.float64),
        np.zeros(rows),
        np.zeros(rows, np.intp),
        np.zeros(rows) if full else np.zeros((rows, matrices.padded(n_components, 8))),
        np.zeros(rows, np.intp),
        np.zeros(rows),
        np.zeros(1, np.int64),
    )
    return scratch, chunk


def empty_sums(n_components: int, n_features: int, covariance_type: str) -> WideSums:
    """Return the sums of a pass, all 0; for no components none are made."""
    full = covariance_type == "full"
    blocks = len(matrices.places(n_features))
    products = zeros((n_components if full else 1, blocks if n_components else 0, 16, 8), np.float64)
    if full:
        first = np.zeros((n_components, n_features))
    else:
        first = zeros(
            (matrices.padded(n_components, 8) // 8 * (matrices.padded(n_features, 16) // 16), 16, 8), np.float64
        )
    return WideSums(np.zeros(n_components), first, products)


def statistics_of(found: list[np.ndarray], components: WideComponents, covariance_type: str) -> Statistics:
    """Return the sums of all blocks as `Statistics` defines them."""
    (likelihood, weight), counts, first, products = found
    n_components, n_features = components.means.shape
    scatter = matrices.symmetric(products, n_features)
    if covariance_type == "full":
        return Statistics(float(likelihood), float(weight), counts, first, scatter)
    m = components.means - components.origin
    shift = matrices.products_of(first, n_components, n_features) - counts[:, None] * m
    # About the means, not about the origin: see `unpack` of the kernels.
    crossed = shift.T @ m
    scatter = scatter[0] - (crossed + crossed.T + (counts * m.T) @ m)
    return Statistics(float(likelihood), float(weight), counts, shift, scatter)


def _nothing(parameters: Parameters) -> Statistics:
    """Return the statistics of no rows."""
    empty = np.zeros_like
    return Statistics(0.0, 0.0, empty(parameters.weights), empty(parameters.means), empty(parameters.covariances))
