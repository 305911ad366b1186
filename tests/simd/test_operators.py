"""Operators on vectors: the compiled form, the plain form and NumPy give the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from bgsub.simd import any_, rows, select, to_bytes

HARD = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38, 0.1, 1 / 3, -2.5, 255.0, 16777216.0, 1e-30, 7.0]


def compiled(function):
    return njit(error_model="numpy")(function)


def floats(dtype=np.float32):
    """Three pairs of rows: random numbers, then every hard value beside every other in turn."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 300, (2, 16)), np.tile(HARD, (16, 1))])
    y = np.concatenate([rng.normal(0, 3, (2, 16)), [np.roll(HARD, n) for n in range(16)]])
    return x.astype(dtype), y.astype(dtype)


def integers(dtype):
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(1)
    return tuple(rng.integers(limits.min, limits.max, (12, 16), dtype, endpoint=True) for _ in range(2))


def assert_same_bits(a, b):
    """As assert_array_equal, but 0 is not -0. Of a NaN, IEEE leaves sign and payload open."""
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    if a.dtype.kind == "f":
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        bits = f"u{a.itemsize}"
        a, b = np.where(np.isnan(a), 0, a).view(bits), np.where(np.isnan(b), 0, b).view(bits)
    np.testing.assert_array_equal(a, b)


def assert_same_in_all_forms(function, expected, *arguments):
    """Run ``function(*arguments, out)`` compiled and as plain Python and compare both with `expected`."""
    for form in (function, function.py_func):
        out = np.zeros_like(expected)
        with np.errstate(all="ignore"):
            form(*arguments, out)
        assert_same_bits(out, expected)


@compiled
def arithmetic(xs, ys, s, out):
    x_rows, y_rows, out_rows = rows(xs, 16), rows(ys, 16), rows(out, 16)
    for i in range(len(xs)):
        x, y = x_rows[i], y_rows[i]
        out_rows[i, 0] = x + y
        out_rows[i, 1] = x - y
        out_rows[i, 2] = x * y
        out_rows[i, 3] = -x
        out_rows[i, 4] = x + s
        out_rows[i, 5] = s - x
        out_rows[i, 6] = x * s
        total = x
        total += y
        total -= s
        total *= y
        out_rows[i, 7] = total


@compiled
def division(xs, ys, s, out):
    x_rows, y_rows, out_rows = rows(xs, 16), rows(ys, 16), rows(out, 16)
    for i in range(len(xs)):
        x, y = x_rows[i], y_rows[i]
        out_rows[i, 0] = x / y
        out_rows[i, 1] = s / x
        out_rows[i, 2] = x / s
        x /= y
        out_rows[i, 3] = x


@compiled
def comparisons(xs, ys, s, out):
    x_rows, y_rows, out_rows = rows(xs, 16), rows(ys, 16), rows(out, 16)
    for i in range(len(xs)):
        x, y = x_rows[i], y_rows[i]
        out_rows[i, 0] = to_bytes(x < y, 1)
        out_rows[i, 1] = to_bytes(x <= y, 1)
        out_rows[i, 2] = to_bytes(x > y, 1)
        out_rows[i, 3] = to_bytes(x >= y, 1)
        out_rows[i, 4] = to_bytes(x == y, 1)
        out_rows[i, 5] = to_bytes(x != y, 1)
        out_rows[i, 6] = to_bytes(x < s, 1)
        out_rows[i, 7] = to_bytes(s < x, 1)
        out_rows[i, 8] = to_bytes(s == x, 1)


@compiled
def bitwise(xs, ys, s, out):
    x_rows, y_rows, out_rows = rows(xs, 16), rows(ys, 16), rows(out, 16)
    for i in range(len(xs)):
        x, y = x_rows[i], y_rows[i]
        out_rows[i, 0] = x & y
        out_rows[i, 1] = x | y
        out_rows[i, 2] = x ^ y
        out_rows[i, 3] = ~x
        out_rows[i, 4] = x & s
        both = x
        both &= y
        both |= s
        both ^= y
        out_rows[i, 5] = both


@compiled
def masks(xs, ys, flag, out):
    x_rows, y_rows, out_rows = rows(xs, 16), rows(ys, 16), rows(out, 16)
    for i in range(len(xs)):
        x, y = x_rows[i] > 0, y_rows[i] > 0
        out_rows[i, 0] = to_bytes(x & y, 1)
        out_rows[i, 1] = to_bytes(x | y, 1)
        out_rows[i, 2] = to_bytes(x ^ y, 1)
        out_rows[i, 3] = to_bytes(~x, 1)
        out_rows[i, 4] = to_bytes(x & flag, 1)
        out_rows[i, 5] = to_bytes(flag | x, 1)
        out_rows[i, 6] = to_bytes(x == y, 1)
        out_rows[i, 7] = to_bytes(x != y, 1)
        both = x
        both &= y
        both |= flag
        both ^= y
        out_rows[i, 8] = to_bytes(both, 1)


INTEGERS = [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, *INTEGERS])
def test_arithmetic(dtype):
    x, y = integers(dtype) if np.issubdtype(dtype, np.integer) else floats(dtype)
    s = dtype(3)
    with np.errstate(all="ignore"):
        expected = [x + y, x - y, x * y, -x, x + s, s - x, x * s, (x + y - s) * y]
    assert_same_in_all_forms(arithmetic, np.stack(expected, 1), x, y, s)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_division_is_that_of_ieee(dtype):
    x, y = floats(dtype)
    s = dtype(7)
    with np.errstate(all="ignore"):
        expected = np.stack([x / y, s / x, x / s, x / y], 1)
    assert np.isinf(expected).any()
    assert_same_in_all_forms(division, expected, x, y, s)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, *INTEGERS])
def test_comparisons(dtype):
    x, y = integers(dtype) if np.issubdtype(dtype, np.integer) else floats(dtype)
    y[::3] = x[::3]
    s = x[-1, 7]
    expected = [x < y, x <= y, x > y, x >= y, x == y, x != y, x < s, s < x, s == x]
    assert_same_in_all_forms(comparisons, np.stack(expected, 1).astype(np.uint8), x, y, s)


def test_nothing_but_unequal_is_true_of_nan():
    x, y = np.full((1, 16), np.nan, np.float32), np.arange(16, dtype=np.float32)[None]
    y[0, ::2] = np.nan
    out = np.empty((1, 9, 16), np.uint8)
    for a, b in ((x, y), (y, x)):
        comparisons(a, b, np.float32(np.nan), out)
        np.testing.assert_array_equal(out[0, :, 0], [0, 0, 0, 0, 0, 1, 0, 0, 0])
        np.testing.assert_array_equal(out[0, :6, 1], [0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_bitwise_operators_on_integers(dtype):
    x, y = integers(dtype)
    s = dtype(0x35)
    expected = np.stack([x & y, x | y, x ^ y, ~x, x & s, ((x & y) | s) ^ y], 1)
    assert_same_in_all_forms(bitwise, expected, x, y, s)


@pytest.mark.parametrize("flag", [False, True])
def test_operators_on_masks(flag):
    x, y = floats()
    a, b = x > 0, y > 0
    expected = [a & b, a | b, a ^ b, ~a, a & flag, flag | a, a == b, a != b, ((a & b) | flag) ^ b]
    assert_same_in_all_forms(masks, np.stack(expected, 1).astype(np.uint8), x, y, flag)


NONSENSE = {
    "mask and mask": lambda x: any_((x > 1) and (x > 2)),
    "mask or mask": lambda x: any_((x > 1) or (x > 2)),
    "a < vector < b": lambda x: any_(1 < x < 3),
    "if mask": lambda x: 1 if x > 1 else 0,
    "vector + list": lambda x: any_(x + [1, 2] > x),  # noqa: RUF005
    "vector + tuple": lambda x: any_(x + (1, 2) > x),  # noqa: RUF005
    "mask + mask": lambda x: any_((x > 1) + (x > 2)),
    "mask - mask": lambda x: any_((x > 1) - (x > 2)),
    "-mask": lambda x: any_(-(x > 1)),
    "float & float": lambda x: any_((x & x) > 1),
    "~float": lambda x: any_(~x > 1),
    "vector // vector": lambda x: any_(x // x > 1),
    "vector % vector": lambda x: any_(x % x > 1),
    "vector + mask": lambda x: any_(x + (x > 1) > 1),
    "mask & vector": lambda x: any_((x > 1) & x),
    "any_ of numbers": lambda x: any_(x),
    "select by numbers": lambda x: any_(select(x, x, x) > 1),
    "bytes of numbers": lambda x: any_(to_bytes(x, 1) > 0),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_a_typing_error(nonsense):
    inner = njit(nonsense)

    @njit
    def outer(array):
        return inner(rows(array, 16)[0])

    with pytest.raises(TypingError):
        outer(np.ones((1, 16), np.float32))


def test_the_message_says_what_has_no_implementation():
    @njit
    def both(array):
        x = rows(array, 16)[0]
        return any_((x > 1) and (x > 2))

    with pytest.raises(TypingError, match=r"(?s)No implementation of function .*bool.*Vec\(bool, 16\)"):
        both(np.ones((1, 16), np.float32))


def test_integer_division_is_a_typing_error():
    @njit
    def divide(array):
        return any_(rows(array, 16)[0] / rows(array, 16)[1] > 0)

    with pytest.raises(TypingError, match="truediv"):
        divide(np.ones((2, 16), np.int32))
