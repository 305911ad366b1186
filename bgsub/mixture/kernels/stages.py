"""What all passes do with a tile of rows, and the memory they share.

A *tile* is as many rows as fit in the fastest cache, beside what is computed of them, turned so that eight rows lie in
the lanes of a vector: ``x[t, d]`` is feature d of the rows 8 t to 8 t + 7. Of each tile, with w_i the weight of row i::

    l_ik = log weight_k + log N(x_i | mean_k, covariance_k)
    p_i  = log sum_k exp l_ik                                      with the greatest l_ik taken out
    r_ik = w_i exp(l_ik - p_i)
    sums_k += r_ik (1, d_ik, products of d_ik)                     with d_ik = x_i - mean_k

Sums stay in registers for the length of a tile, one sum a lane, and nothing of size N is written unless it is asked
for. Differences are taken before they are multiplied: nothing cancels however far from the origin the data lie.

Sizes that the code is unrolled for are lengths of tuples: `size` is as long as a row has features; `rest` as long as
the last of the groups of four features, of 1 to 4, that are worked on together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bgsub.simd import DOUBLES, inline, rows, zeros_like
from bgsub.simd.blocks import store, transposed
from bgsub.simd.calls import call_at
from bgsub.simd.doubles import exp_or_zero, larger, log, multiply_add

GROUP = (0, 0, 0, 0)
LEAST = -69.0  # responsibilities below 1e-30 are 0: denormals would slow everything down, and say nothing
WEIGHT, SHARE, DENSITY = 0, 1, 2  # of a row: w_i; w_i / sum_k exp(l_ik - max_k l_ik); p_i


class Components(NamedTuple):
    """The components, ready for a pass: l_k = constant_k - |factor_k (x - mean_k)|^2."""

    means: np.ndarray  # (K, D)
    factors: np.ndarray  # full (K, D(D+1)/2), upper triangles by columns; tied the same of (1, D, D); (K, D); (K, 1)
    constants: np.ndarray  # (K,)
    origin: np.ndarray  # (1, D), for tied: taken off all rows before they are whitened
    centres: np.ndarray  # (K, D), for tied: the whitened means


class Scratch(NamedTuple):
    """Memory of one thread."""

    x: np.ndarray  # (T, D, 8): the tile
    moved: np.ndarray  # (T, D, 8): the tile less a mean, or whitened
    terms: np.ndarray  # (K, T, 8): l_ik, then exp(l_ik - max_k l_ik)
    rows: np.ndarray  # (3, T, 8): WEIGHT, SHARE and DENSITY of each row
    sums: np.ndarray  # (K, width, 8): of each component 1, d and products of d; tied has a row for all components
    totals: np.ndarray  # (2, 8): of w_i p_i, and of w_i


class Outputs(NamedTuple):
    """What is written of each row: arrays without elements where it is not wanted."""

    density: np.ndarray  # (N,): p_i
    responsibilities: np.ndarray  # (N, K): r_ik
    labels: np.ndarray  # (N,) intp


class Stages(NamedTuple):
    """Addresses of the kernels of `tiles`."""

    load_rest: int
    finish: int


class Tile(NamedTuple):
    """Scratch, seen as rows of vectors."""

    x: Any
    moved: Any
    terms: Any
    rows: Any
    sums: Any
    totals: Any


@inline
def rows_of(scratch):
    """Return the scratch arrays as rows of vectors."""
    return Tile(
        rows(scratch.x, DOUBLES),
        rows(scratch.moved, DOUBLES),
        rows(scratch.terms, DOUBLES),
        rows(scratch.rows, DOUBLES),
        rows(scratch.sums, DOUBLES),
        rows(scratch.totals, DOUBLES),
    )


@inline
def load_weights(weights, first, n, scratch):
    """Fill in the weights of n rows, and 0 for those that the last vector has beyond them."""
    for i in range(-(-n // 8) * 8):
        w = 0.0
        if i < n:
            w = 1.0 if weights.size == 0 else weights[first + i]
        scratch.rows[WEIGHT, i // 8, i % 8] = w


@inline
def load_rows(X, first, start, stop, scratch):
    """Turn rows of a tile into columns; its last row stands in for those that the last vector has beyond it."""
    for i in range(start, -(-stop // 8) * 8):
        row = first + min(i, stop - 1)
        for d in range(X.shape[1]):
            scratch.x[i // 8, d, i % 8] = X[row, d]


@inline
def load_tile(X, weights, first, n, scratch, size, stages):
    """Fill in a tile from n rows; unrolled where rows have as many features as `size` is long."""
    whole = n // 8 if X.shape[1] == len(size) else 0
    x = rows(scratch.x, DOUBLES)
    for t in range(whole):
        store(x, t, 0, transposed(X, first + 8 * t, size))
    call_at(stages.load_rest, X, weights, first, 8 * whole, n, scratch)


@inline
def log_sum_exp(tile, n_components, n_vectors):
    """Replace the l_ik by exp(l_ik - max), and find p_i and what makes responsibilities of them."""
    likelihood, weight = tile.totals[0], tile.totals[1]
    for t in range(n_vectors):
        top = tile.terms[0, t]
        for k in range(1, n_components):
            top = larger(tile.terms[k, t], top)
        s = zeros_like(top)
        for k in range(n_components):
            e = exp_or_zero(tile.terms[k, t] - top, LEAST)
            tile.terms[k, t] = e
            s = s + e
        w = tile.rows[WEIGHT, t]
        p = top + log(s)
        tile.rows[SHARE, t] = w / s
        tile.rows[DENSITY, t] = p
        likelihood = multiply_add(w, p, likelihood)
        weight = weight + w
    tile.totals[0] = likelihood
    tile.totals[1] = weight


@inline
def write_labels(outputs, first, n, scratch):
    """Write the component of the greatest l_ik; the first of them, where some are equal."""
    if outputs.labels.size > 0:
        for i in range(n):
            best = 0
            for k in range(1, scratch.terms.shape[0]):
                if scratch.terms[k, i // 8, i % 8] > scratch.terms[best, i // 8, i % 8]:
                    best = k
            outputs.labels[first + i] = best


@inline
def write_densities(outputs, first, n, scratch):
    """Write p_i and r_ik."""
    if outputs.density.size > 0:
        for i in range(n):
            outputs.density[first + i] = scratch.rows[DENSITY, i // 8, i % 8]
    if outputs.responsibilities.size > 0:
        for i in range(n):
            share = scratch.rows[SHARE, i // 8, i % 8]
            for k in range(scratch.terms.shape[0]):
                outputs.responsibilities[first + i, k] = scratch.terms[k, i // 8, i % 8] * share


@inline
def finish_terms(scratch, tile, n_vectors, outputs, first, n):
    """Do what lies between the l_ik and the sums."""
    write_labels(outputs, first, n, scratch)
    log_sum_exp(tile, scratch.terms.shape[0], n_vectors)
    write_densities(outputs, first, n, scratch)
