"""Passes over rows of many features, with full or tied covariances: chunks of rows that stay in the cache.

For full covariances, most components are ruled out for most rows before their products are made. The first of the
whitened features alone bound the distance from below, ``|U^T d|^2 >= |U_1^T d_1|^2``, and with that l_ik from above;
the exact l_ik of the component that the bound likes best is one of p_i from below; and a component 45 below that has,
to the last digit, no share in p_i. Where few are ruled out the bound is not worth its cost, and chunks do without.

For one covariance of all components rows are whitened once, and compared with the whitened means.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bgsub.mixture.kernels.matrices import (
    add_products,
    add_scatter,
    distances,
    gather,
    scale_rows,
    whitened,
    whitened_norms,
)
from bgsub.mixture.kernels.stages import SHARE, WEIGHT, finish_terms, load_weights, rows_of
from bgsub.simd import inline, kernels_of

kernel = kernels_of(__name__)

FIRST = 16  # whitened features that the bound is made of
NEGLIGIBLE = -45.0  # log of a share in p_i that is below its last digit
NOTHING = math.exp(NEGLIGIBLE)
MOST_ALIVE = 0.6  # part of the components that are left, above which the bound costs more than it saves
PATIENCE = 16  # chunks without the bound before it is tried again


class WideComponents(NamedTuple):
    """The components, ready for a pass: l_k = constant_k - |U_k^T (x - mean_k)|^2 / 2; tied has one U for all."""

    means: np.ndarray  # (K, D)
    factors: np.ndarray  # (K or 1, D, a multiple of 16): U
    first_means: np.ndarray  # full: (K, 16)
    first_factors: np.ndarray  # full: (K, 16, 16), the corner of U
    constants: np.ndarray  # (K,)
    origin: np.ndarray  # tied: (D,)
    centres: np.ndarray  # tied: (K, a multiple of 16): U^T (mean_k - origin)


class Chunk(NamedTuple):
    """Memory of one thread for a chunk of at most n rows."""

    d: np.ndarray  # (n, a multiple of 16): rows less a mean or the origin, columns beyond D zero
    y: np.ndarray  # tied: the same, whitened
    eighths: np.ndarray  # (1, n, 8)
    norms: np.ndarray  # (n,)
    which: np.ndarray  # (n,) intp: numbers of rows
    shares: np.ndarray  # full: (n,): r_ik of these; tied: (n, a multiple of 8)
    best: np.ndarray  # (n,) intp: the component that the bound likes best
    highest: np.ndarray  # (n,): its l_ik
    waiting: np.ndarray  # (1,) int64: chunks before the bound is tried again


class WideSums(NamedTuple):
    """The sums of a pass; products in the order of `matrices.places`."""

    counts: np.ndarray  # (K,): sum of r_ik; without elements where no sums are wanted
    first: np.ndarray  # full: (K, D): sum of r_ik (x_i - mean_k); tied: (blocks, 16, 8): of r_ik (x_i - origin)
    products: np.ndarray  # (K or 1, blocks, 16, 8)


@inline
def _everyone(first, n, which):
    for i in range(n):
        which[i] = first + i


@inline
def _fill_beyond(terms, n):
    """Put something harmless where the last vector has more lanes than rows."""
    for k in range(len(terms)):
        for i in range(n, -(-n // 8) * 8):
            terms[k, i // 8, i % 8] = 0.0


# ---------------------------------------------------------------------------------------------------------- full


@kernel
def bounds(X, first, n, components, chunk, terms):
    """Fill in upper bounds of l_ik, the component of each row's highest, and its exact l_ik; return how many are left.

    Left are those of the others that can have a share in p_i.
    """
    n_components = len(components.constants)
    for i in range(n):
        chunk.best[i] = 0
        chunk.highest[i] = -np.inf
    for k in range(n_components):
        _everyone(first, n, chunk.which)
        gather(X, chunk.which[:n], components.first_means[k], chunk.d)
        whitened_norms(chunk.d, n, components.first_factors[k], chunk.eighths, chunk.norms)
        for i in range(n):
            bound = components.constants[k] - 0.5 * chunk.norms[i]
            terms[k, i // 8, i % 8] = bound
            if bound > chunk.highest[i]:
                chunk.highest[i] = bound
                chunk.best[i] = k
    for k in range(n_components):
        m = 0
        for i in range(n):
            if chunk.best[i] == k:
                chunk.which[m] = first + i
                m += 1
        exact(X, first, m, k, components, chunk, terms)
    left = 0
    for i in range(n):
        chunk.highest[i] = terms[chunk.best[i], i // 8, i % 8]
    for k in range(n_components):
        for i in range(n):
            left += chunk.best[i] != k and terms[k, i // 8, i % 8] > chunk.highest[i] + NEGLIGIBLE
    return left


@kernel
def exact(X, first, m, k, components, chunk, terms):
    """Fill in l_ik of the m rows in ``chunk.which``."""
    if m == 0:
        return
    gather(X, chunk.which[:m], components.means[k], chunk.d)
    whitened_norms(chunk.d, m, components.factors[k], chunk.eighths, chunk.norms)
    for a in range(m):
        i = chunk.which[a] - first
        terms[k, i // 8, i % 8] = components.constants[k] - 0.5 * chunk.norms[a]


@inline
def _full_terms(X, first, n, components, chunk, terms):
    """Fill in l_ik, or -infinity where that is as good."""
    n_components = len(components.constants)
    if chunk.waiting[0] == 0:
        if bounds(X, first, n, components, chunk, terms) <= MOST_ALIVE * n * n_components:
            for k in range(n_components):
                m = 0
                for i in range(n):
                    if chunk.best[i] != k:
                        if terms[k, i // 8, i % 8] > chunk.highest[i] + NEGLIGIBLE:
                            chunk.which[m] = first + i
                            m += 1
                        else:
                            terms[k, i // 8, i % 8] = -np.inf
                exact(X, first, m, k, components, chunk, terms)
            return
        chunk.waiting[0] = PATIENCE
    chunk.waiting[0] -= 1
    for k in range(n_components):
        _everyone(first, n, chunk.which)
        exact(X, first, n, k, components, chunk, terms)


@inline
def _add_full(X, first, n, components, scratch, chunk, sums):
    """Add the rows of a chunk to the sums."""
    for k in range(len(components.constants)):
        m = 0
        for i in range(n):
            r = scratch.terms[k, i // 8, i % 8]
            if r > NOTHING and scratch.rows[WEIGHT, i // 8, i % 8] > 0.0:
                chunk.which[m] = first + i
                chunk.shares[m] = r * scratch.rows[SHARE, i // 8, i % 8]
                m += 1
        if m > 0:
            gather(X, chunk.which[:m], components.means[k], chunk.d)
            sums.counts[k] += scale_rows(chunk.d, chunk.shares[:m], sums.first[k])
            add_scatter(chunk.d, m, sums.products[k])


@kernel
def full(X, weights, start, stop, components, scratch, chunk, outputs, sums):
    """Pass over the rows from start to stop: add to `sums` and the totals of `scratch`, write `outputs`."""
    tile = rows_of(scratch)
    for first in range(start, stop, len(chunk.norms)):
        n = min(len(chunk.norms), stop - first)
        load_weights(weights, first, n, scratch)
        _full_terms(X, first, n, components, chunk, scratch.terms)
        _fill_beyond(scratch.terms, n)
        finish_terms(scratch, tile, -(-n // 8), outputs, first, n)
        if len(sums.counts) > 0:
            _add_full(X, first, n, components, scratch, chunk, sums)


# ---------------------------------------------------------------------------------------------------------- tied


@inline
def _add_tied(n, components, scratch, chunk, sums):
    """Add the rows of a chunk, which are less the origin, to the sums."""
    for k in range(len(components.constants)):
        for i in range(n):
            r = scratch.terms[k, i // 8, i % 8] * scratch.rows[SHARE, i // 8, i % 8]
            chunk.shares[i, k] = r
            sums.counts[k] += r
    add_products(chunk.shares, chunk.d, n, sums.first)
    for i in range(n):
        root = math.sqrt(scratch.rows[WEIGHT, i // 8, i % 8])
        if root != 1.0:
            for j in range(len(components.origin)):
                chunk.d[i, j] *= root
    add_scatter(chunk.d, n, sums.products[0])


@kernel
def tied(X, weights, start, stop, components, scratch, chunk, outputs, sums):
    """Pass over the rows from start to stop: add to `sums` and the totals of `scratch`, write `outputs`."""
    tile = rows_of(scratch)
    for first in range(start, stop, len(chunk.norms)):
        n = min(len(chunk.norms), stop - first)
        load_weights(weights, first, n, scratch)
        _everyone(first, n, chunk.which)
        gather(X, chunk.which[:n], components.origin, chunk.d)
        whitened(chunk.d, n, components.factors[0], chunk.y)
        for k in range(len(components.constants)):
            distances(chunk.y, n, components.centres, k, chunk.norms)
            for i in range(n):
                scratch.terms[k, i // 8, i % 8] = components.constants[k] - 0.5 * chunk.norms[i]
        _fill_beyond(scratch.terms, n)
        finish_terms(scratch, tile, -(-n // 8), outputs, first, n)
        if len(sums.counts) > 0:
            _add_tied(n, components, scratch, chunk, sums)
