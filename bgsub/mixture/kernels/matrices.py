"""Products of triangles, for full covariances of many features: half the work of the matrix products that they are.

Rows of the table lie as they are; what lies in the lanes of a vector is eight features. Arrays of differences and of
factors have a multiple of 16 columns, those beyond D zero. Sixteen sums stay in registers: eight by two vectors.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from bgsub.simd import DOUBLES, kernels_of, rows, zeros_like
from bgsub.simd.blocks import load, plus, repeated, squared_norms, store
from bgsub.simd.doubles import multiply_add, total
from bgsub.simd.outer import add_scaled_by_column, add_scaled_by_row

kernel = kernels_of(__name__)

EIGHT, PAIR, SIXTEEN = (0,) * 8, (0,) * 2, (0,) * 16


def padded(n: int, multiple: int) -> int:
    """Return n, or the next multiple."""
    return n + -n % multiple


def padded_factors(factors: np.ndarray) -> np.ndarray:
    """Return matrices of shape (K, D, D) with a multiple of 16 columns, as kernels want them."""
    n_components, n_features, _ = factors.shape
    result = np.zeros((n_components, n_features, padded(n_features, 16)))
    result[:, :, :n_features] = factors
    return result


@kernel
def gather(rows, which, mean, d):
    """Fill in d with the differences of some rows from a mean, and with zeros up to a multiple of eight rows.

    A mean of the first features alone leaves the others out.
    """
    n, n_features = len(which), len(mean)
    for a in range(n):
        i = which[a]
        for j in range(n_features):
            d[a, j] = rows[i, j] - mean[j]
    for a in range(n, -(-n // 8) * 8):
        for j in range(n_features):
            d[a, j] = 0.0


@kernel
def whitened_norms(d, n, factor, sums, out):
    """Fill in |U^T d|^2 for n rows d; `sums` is memory for eight numbers a row, in one row of them."""
    factor8, sums8 = rows(factor.reshape(len(factor), -1, 8), DOUBLES), rows(sums, DOUBLES)
    zero = zeros_like(sums8[0, 0])
    for a in range(-(-n // 8) * 8):
        sums8[0, a] = zero
    for panel in range(factor.shape[1] // 16):
        depth = min(16 * panel + 16, len(factor))  # below, U is zero
        for a in range(0, n, 8):
            y = repeated(zero, SIXTEEN)
            for i in range(depth):
                y = add_scaled_by_column(y, d, a, i, load(factor8, i, 2 * panel, PAIR))
            store(sums8, 0, a, plus(load(sums8, 0, a, EIGHT), squared_norms(y, EIGHT)))
    for a in range(n):
        out[a] = total(sums8[0, a])


@kernel
def whitened(d, n, factor, y):
    """Fill in U^T d for n rows d."""
    factor8, y8 = rows(factor.reshape(len(factor), -1, 8), DOUBLES), rows(y.reshape(len(y), -1, 8), DOUBLES)
    zero = zeros_like(y8[0, 0])
    for panel in range(factor.shape[1] // 16):
        depth = min(16 * panel + 16, len(factor))  # below, U is zero
        for a in range(0, n, 8):
            v = repeated(zero, SIXTEEN)
            for i in range(depth):
                v = add_scaled_by_column(v, d, a, i, load(factor8, i, 2 * panel, PAIR))
            store(y8, a, 2 * panel, v[0:2])
            store(y8, a + 1, 2 * panel, v[2:4])
            store(y8, a + 2, 2 * panel, v[4:6])
            store(y8, a + 3, 2 * panel, v[6:8])
            store(y8, a + 4, 2 * panel, v[8:10])
            store(y8, a + 5, 2 * panel, v[10:12])
            store(y8, a + 6, 2 * panel, v[12:14])
            store(y8, a + 7, 2 * panel, v[14:16])


@kernel
def distances(y, n, centres, k, out):
    """Fill in |y - centre_k|^2 for n rows y."""
    y8, centres8 = rows(y.reshape(len(y), -1, 8), DOUBLES), rows(centres.reshape(len(centres), -1, 8), DOUBLES)
    for a in range(n):
        s = zeros_like(y8[0, 0])
        for j in range(y.shape[1] // 8):
            v = y8[a, j] - centres8[k, j]
            s = multiply_add(v, v, s)
        out[a] = total(s)


@kernel
def scale_rows(d, r, shift):
    """Add sum_a r_a d_a to `shift`, and multiply the rows d by the square roots of r; return sum_a r_a."""
    count = 0.0
    for a in range(len(r)):
        root = math.sqrt(r[a])
        count += r[a]
        for j in range(len(shift)):
            shift[j] += r[a] * d[a, j]
            d[a, j] *= root
    return count


@kernel
def add_scatter(d, n, blocks):
    """Add the sum of d d^T over n rows to `blocks`, in the order of `places`."""
    d8, blocks8 = rows(d.reshape(len(d), -1, 8), DOUBLES), rows(blocks, DOUBLES)
    b = 0
    for i in range(0, d.shape[1], 8):
        for panel in range(i // 16, d.shape[1] // 16):
            s = load(blocks8, b, 0, SIXTEEN)
            for a in range(n):
                s = add_scaled_by_row(s, d, a, i, load(d8, a, 2 * panel, PAIR))
            store(blocks8, b, 0, s)
            b += 1


@kernel
def add_products(shares, d, n, blocks):
    """Add the sum of shares d^T over n rows to `blocks`: of eight shares by sixteen features each, features first."""
    d8, blocks8 = rows(d.reshape(len(d), -1, 8), DOUBLES), rows(blocks, DOUBLES)
    b = 0
    for k in range(0, shares.shape[1], 8):
        for panel in range(d.shape[1] // 16):
            s = load(blocks8, b, 0, SIXTEEN)
            for a in range(n):
                s = add_scaled_by_row(s, shares, a, k, load(d8, a, 2 * panel, PAIR))
            store(blocks8, b, 0, s)
            b += 1


@cache
def places(n_features: int) -> np.ndarray:
    """Return where the products of `add_scatter` stand in a matrix, padded and flat; shape (blocks, 16, 8)."""
    width = padded(n_features, 16)
    corners = [i * width + j for i in range(0, width, 8) for j in range(i // 16 * 16, width, 16)]
    block = np.add.outer(np.arange(8) * width, np.arange(16)).reshape(16, 8)
    return np.add.outer(np.array(corners), block)


def symmetric(blocks: np.ndarray, n_features: int) -> np.ndarray:
    """Return the matrices, of shape (K, D, D), that blocks of shape (K, blocks, 16, 8) are the upper parts of."""
    width = padded(n_features, 16)
    result = np.zeros((len(blocks), width, width))
    result.reshape(len(blocks), -1)[:, places(n_features)] = blocks
    upper = np.triu(result[:, :n_features, :n_features])
    return upper + np.swapaxes(np.triu(upper, 1), 1, 2)


def products_of(blocks: np.ndarray, n_shares: int, n_features: int) -> np.ndarray:
    """Return the products, of shape (shares, D), that blocks made by `add_products` are."""
    panels = padded(n_features, 16) // 16
    tall = blocks.reshape(-1, panels, 8, 16).swapaxes(1, 2)
    return tall.reshape(-1, 16 * panels)[:n_shares, :n_features]
