"""Tuples of vectors: the compiled form, the plain form and matrix algebra agree, on whole numbers to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.simd import blocks, outer, rows
from bgsub.simd.blocks import load, store
from tests.simd.test_operators import assert_same_in_all_forms, compiled

N = 3  # vectors of a block
SIZE = (0,) * N


def whole_numbers(*shape, seed=0):
    """Without 0, which has two signs."""
    random = np.random.default_rng(seed)
    return random.integers(1, 10, shape) * random.choice([-1.0, 1.0], shape)


X = whole_numbers(2, 5, 8)  # rows of vectors; blocks are x[i, 1:4]
TABLE = whole_numbers(20, 7, seed=1)


@compiled
def of_one_block(xs, table, out):
    x, o = rows(xs, 8), rows(out, 8)
    for i in range(len(xs)):
        a = load(x, i, 1, SIZE)
        v = x[i, 0]
        store(o, i, 0, blocks.subtract(a, table, i, 2))
        store(o, i, N, blocks.scale(a, table, i, 2))
        store(o, i, 2 * N, blocks.times(a, v))
        store(o, i, 3 * N, blocks.triangular_product(a, table, i))
        o[i, 4 * N] = blocks.squared_norm(a)


@compiled
def of_two_blocks(xs, out):
    x, o = rows(xs, 8), rows(out, 8)
    for i in range(len(xs)):
        a, b = load(x, i, 1, SIZE), load(x, i, 2, SIZE)
        store(o, i, 0, blocks.plus(a, b))
        store(o, i, 3, blocks.add_times(a, b, x[i, 0]))
        store(o, i, 6, blocks.add_each(a, a, b))
        pairs = blocks.repeated(x[i, 0], blocks.pairs(SIZE))
        store(o, i, 9, blocks.add_triangle(pairs, a, b))
        products = blocks.repeated(x[i, 0], blocks.products(SIZE, SIZE))
        store(o, i, 15, blocks.add_products(products, a, b))


@compiled
def of_scalars(xs, table, out):
    x, o = rows(xs, 8), rows(out, 8)
    for i in range(len(xs)):
        pair = load(x, i, 1, (0, 0))
        sums = blocks.repeated(x[i, 0], (0, 0, 0, 0, 0, 0))
        store(o, i, 0, outer.add_scaled_by_row(sums, table, i, 1, pair))
        store(o, i, 6, outer.add_scaled_by_column(sums, table, i, 1, pair))
        store(o, i, 12, blocks.squared_norms(load(x, i, 1, (0, 0, 0, 0)), (0, 0)))


def test_a_block_and_scalars():
    expected = np.empty((2, 13, 8))
    for i in range(2):
        a, u = X[i, 1:4], np.zeros((N, N))
        u[np.triu_indices(N)] = TABLE[i, [0, 1, 3, 2, 4, 5]]  # packed by columns
        scalars = TABLE[i, 2:5, None]
        expected[i] = np.concatenate([a - scalars, a * scalars, a * X[i, 0], u.T @ a, [np.sum(a * a, axis=0)]])
    assert_same_in_all_forms(of_one_block, expected, X, TABLE)


def test_two_blocks():
    expected = np.empty((2, 24, 8))
    for i in range(2):
        a, b, v = X[i, 1:4], X[i, 2:5], X[i, 0]
        products = v + a[:, None] * b[None]
        expected[i] = np.concatenate(
            [a + b, a + b * v, a + a * b, products[np.triu_indices(N)], products.reshape(-1, 8)]
        )
    assert_same_in_all_forms(of_two_blocks, expected, X)


def test_a_block_times_many_scalars():
    expected = np.empty((2, 14, 8))
    for i in range(2):
        pair, v = X[i, 1:3], X[i, 0]
        by_row = v + TABLE[i, 1:4, None, None] * pair
        by_column = v + TABLE[i : i + 3, 1, None, None] * pair
        norms = (X[i, 1:5] ** 2).reshape(2, 2, 8).sum(axis=1)
        expected[i] = np.concatenate([by_row.reshape(-1, 8), by_column.reshape(-1, 8), norms])
    assert_same_in_all_forms(of_scalars, expected, X, TABLE)


@compiled
def columns(table, size, out):
    store(rows(out, 8), 0, 0, blocks.transposed(table, 2, size))


@pytest.mark.parametrize("n", [1, 3, 4, 5, 7])
def test_columns_of_eight_rows(n):
    """Few columns are shuffled, more are gathered."""
    table = TABLE[:, :n].copy()
    assert_same_in_all_forms(columns, table[2:10].T[None].copy(), table, (0,) * n)
