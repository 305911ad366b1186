"""A kernel with its arguments: what Numba would run, found out once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from bgsub.simd import bound, kernels_of

kernel = kernels_of(__name__)


class Pair(NamedTuple):
    values: np.ndarray
    out: np.ndarray


@kernel
def scale(pair, by, lo, hi):
    for i in range(lo, hi):
        pair.out[i] = pair.values[i] * by


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64])
def test_each_kind_of_argument_runs_its_own_code(dtype, plain):
    """Values whose bytes mean other numbers to code for another type."""
    pair = Pair(np.arange(1, 9, dtype=dtype), np.zeros(8, dtype))
    for by in (dtype(3), np.float64(2.5), 2):
        call = bound(scale.py_func if plain else scale, pair, by)
        pair.out[:] = 0
        call(2, 5)
        call(5, 7)
        np.testing.assert_array_equal(pair.out, [0, 0, *(pair.values[2:7] * by).astype(dtype), 0])


@pytest.mark.parametrize("plain", [False, True])
def test_a_kind_that_the_caller_tells_has_its_own_code(plain):
    kernel = scale.py_func if plain else scale
    for dtype in (np.float32, np.int64, np.float32, np.int64):
        for factor in (2, 3):
            pair = Pair(np.arange(1, 9, dtype=dtype), np.zeros(8, dtype))
            bound(kernel, pair, dtype(factor), kind=np.dtype(dtype))(1, 8)
            np.testing.assert_array_equal(pair.out, [0, *pair.values[1:] * factor])


def test_arrays_keep_their_memory():
    pair = Pair(np.ones(4), np.zeros(4))
    call = bound(scale, pair, 2.0)
    pair.values[:] = 5
    call(0, 4)
    assert pair.out.tolist() == [10] * 4


def test_shapes_of_another_order_are_another_kind():
    whole = np.arange(32.0).reshape(4, 8)
    for values in (whole[0], whole[:, 3], whole[::2, 1]):
        pair = Pair(values, np.zeros(len(values)))
        bound(scale, pair, 1.0)(0, len(values))
        np.testing.assert_array_equal(pair.out, values)
