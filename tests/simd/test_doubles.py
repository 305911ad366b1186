"""Eight float64 lanes: the exponential function and the logarithm to the last digits, and sums of lanes."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.simd import rows
from bgsub.simd.doubles import exp_or_zero, larger, log, multiply_add, total
from tests.simd.test_operators import assert_same_in_all_forms, compiled

LEAST = -708.0


@compiled
def exponentials(xs, out):
    x_rows, out_rows = rows(xs, 8), rows(out, 8)
    for i in range(len(xs)):
        out_rows[i] = exp_or_zero(x_rows[i], LEAST)


@compiled
def logarithms(xs, out):
    x_rows, out_rows = rows(xs, 8), rows(out, 8)
    for i in range(len(xs)):
        out_rows[i] = log(x_rows[i])


@compiled
def maxima(xs, out):
    x_rows, out_rows = rows(xs, 8), rows(out, 8)
    for i in range(len(xs)):
        out_rows[i] = larger(x_rows[i], x_rows[0])


@compiled
def multiples(xs, s, out):
    x_rows, out_rows = rows(xs, 8), rows(out, 8)
    for i in range(len(xs)):
        out_rows[i] = multiply_add(x_rows[i], s, x_rows[0])


@compiled
def totals(xs, out):
    vectors = rows(xs, 8)
    for i in range(len(xs)):
        out[i] = total(vectors[i])


def units_in_the_last_place(found, exact):
    return np.max(np.abs((found - exact) / np.spacing(np.abs(exact.astype(np.float64)))))


def in_both_forms(function, kernel, xs, *arguments):
    """What the kernel makes of rows, and what the plain form of its function does."""
    out = np.empty_like(xs)
    kernel(xs, out)
    with np.errstate(all="ignore"):
        return out, np.stack([function.py_func(x, *arguments) for x in xs])


def test_exp_to_the_last_digit():
    random = np.random.default_rng(0)
    xs = np.concatenate(
        [random.uniform(-700, 700, 4000), random.uniform(-1, 1, 3992), [0, -0.0, 1, -1, 1e-300, 1e-9, 0.5, 2]]
    )
    exact = np.exp(xs.astype(np.longdouble))
    for out in in_both_forms(exp_or_zero, exponentials, xs.reshape(-1, 8), LEAST):
        assert units_in_the_last_place(out.ravel(), exact) < 2
        assert out.ravel()[-8] == 1


@pytest.mark.parametrize("x", [-708.1, -1e5, -1e300, -np.inf])
def test_exp_is_zero_below_the_least(x):
    for out in in_both_forms(exp_or_zero, exponentials, np.full((1, 8), x), LEAST):
        np.testing.assert_array_equal(out, 0)


def test_log_to_the_last_digits():
    random = np.random.default_rng(0)
    xs = np.concatenate(
        [
            np.exp(random.uniform(-600, 600, 4000)),
            random.uniform(0.5, 2, 3992),
            [1, 2, 0.5, 1 + 1e-15, 1e-300, 3, 8, 10],
        ]
    )
    exact = np.log(xs.astype(np.longdouble))
    for out in in_both_forms(log, logarithms, xs.reshape(-1, 8)):
        ones = xs == 1
        assert units_in_the_last_place(out.ravel()[~ones], exact[~ones]) < 2
        np.testing.assert_array_equal(out.ravel()[ones], 0)


def test_the_larger_of_two():
    xs = np.random.default_rng(1).normal(size=(6, 8))
    for out in in_both_forms(larger, maxima, xs, xs[0]):
        np.testing.assert_array_equal(out, np.maximum(xs, xs[0]))


def test_multiply_add():
    """Of whole numbers, which come out exact whether they are rounded once or twice."""
    xs = np.random.default_rng(1).integers(1, 50, (6, 8)).astype(np.float64)
    assert_same_in_all_forms(multiples, xs * 3.0 + xs[0], xs, 3.0)


def test_lanes_are_added_in_one_order():
    xs = np.random.default_rng(2).normal(size=(5, 8)) * 10.0 ** np.arange(8)
    a = xs[:, :4] + xs[:, 4:]
    expected = (a[:, 0] + a[:, 2]) + (a[:, 1] + a[:, 3])
    assert_same_in_all_forms(totals, expected, xs)
