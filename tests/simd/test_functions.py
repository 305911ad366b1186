"""Functions of vectors: the compiled form, the plain form and NumPy give the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from bgsub.simd import all_, any_, clip, convert, none_like, rows, select, splat_like, to_bytes, zeros_like
from tests.simd.test_operators import assert_same_in_all_forms, compiled, floats


@compiled
def selections(xs, ys, s, out):
    x_rows, y_rows, out_rows = rows(xs, 16), rows(ys, 16), rows(out, 16)
    for i in range(len(xs)):
        x, y = x_rows[i], y_rows[i]
        mask = x < y
        out_rows[i, 0] = select(mask, x, y)
        out_rows[i, 1] = select(mask, x, s)
        out_rows[i, 2] = select(mask, s, y)
        out_rows[i, 3] = select(~mask, x, y)
        out_rows[i, 4] = splat_like(x, s)


@compiled
def selections_of_masks(xs, ys, out):
    x_rows, y_rows, out_rows = rows(xs, 16), rows(ys, 16), rows(out, 16)
    for i in range(len(xs)):
        x, y = x_rows[i] > 0, y_rows[i] > 0
        out_rows[i, 0] = to_bytes(select(x_rows[i] > 1, x, y), 255)
        out_rows[i, 1] = to_bytes(x, 127)


@compiled
def clips(xs, low, high, out):
    x_rows, out_rows = rows(xs, 16), rows(out, 16)
    for i in range(len(xs)):
        out_rows[i, 0] = clip(x_rows[i], low, high)
        out_rows[i, 1] = clip(x_rows[i], splat_like(x_rows[i], low), high)


@compiled
def truths(xs, out):
    vectors = rows(xs, 16)
    for i in range(len(xs)):
        out[i, 0] = any_(vectors[i] > 0)
        out[i, 1] = all_(vectors[i] > 0)


@compiled
def nothings(xs, out):
    x_rows, out_rows = rows(xs, 16), rows(out, 16)
    for i in range(len(xs)):
        x = x_rows[i]
        nobody = none_like(x > 0)
        out_rows[i, 0] = zeros_like(x)
        out_rows[i, 1] = select(nobody, x, zeros_like(x))
        out_rows[i, 2] = select(nobody | (x > 0), x, zeros_like(x))


@compiled
def converted(xs, out, dtype):
    x_rows, out_rows = rows(xs, 16), rows(out, 16)
    for i in range(len(xs)):
        out_rows[i] = convert(x_rows[i], dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_no_lanes_and_zeros_whatever_the_values(dtype):
    """Of hard values, too: infinity times 0 would be none."""
    x = floats(dtype)[0] if dtype == np.float32 else np.arange(160, dtype=dtype).reshape(-1, 16)
    expected = np.zeros((len(x), 3, 16), dtype)
    expected[:, 2] = np.where(x > 0, x, 0)
    assert_same_in_all_forms(nothings, expected, x)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_select_takes_one_or_the_other(dtype):
    x, y = floats() if dtype == np.float32 else np.random.default_rng(0).integers(0, 256, (2, 9, 16), dtype)
    s = dtype(77)
    mask = x < y
    expected = [np.where(mask, x, y), np.where(mask, x, s), np.where(mask, s, y), np.where(mask, y, x)]
    expected = np.stack([*expected, np.full_like(x, s)], 1)
    assert_same_in_all_forms(selections, expected, x, y, s)


def test_select_between_masks_and_to_bytes():
    x, y = floats()
    expected = np.stack([np.where(x > 1, x > 0, y > 0) * np.uint8(255), (x > 0) * np.uint8(127)], 1)
    assert_same_in_all_forms(selections_of_masks, expected, x, y)


def test_clip_limits_and_lets_nan_through():
    x, _ = floats()
    low, high = np.float32(-2.5), np.float32(7)
    expected = np.where(x < low, low, np.where(x > high, high, x))
    assert np.isnan(expected).any()
    assert np.nanmax(expected) == 7
    assert_same_in_all_forms(clips, np.stack([expected] * 2, 1), x, low, high)


def test_any_and_all():
    lanes = np.arange(16)
    x = np.zeros((40, 16), np.float32)
    x[:16][lanes, lanes] = 1  # one lane set
    x[16:32] = 1
    x[16:32][lanes, lanes] = np.nan  # one lane not
    x[32] = 1
    assert_same_in_all_forms(truths, np.stack([(x > 0).any(1), (x > 0).all(1)], 1), x)


CONVERSIONS = [
    (np.float32, np.int32),
    (np.float32, np.uint8),
    (np.float32, np.float64),
    (np.float64, np.float32),
    (np.uint8, np.float32),
    (np.uint8, np.int32),
    (np.int8, np.int32),
    (np.int32, np.uint8),
    (np.int32, np.uint32),
    (np.int32, np.float32),
    (np.uint32, np.float32),
    (np.uint16, np.uint16),
]


@pytest.mark.parametrize(("given", "wanted"), CONVERSIONS, ids=lambda dtype: dtype.__name__)
def test_convert(given, wanted):
    rng = np.random.default_rng(2)
    if np.issubdtype(given, np.floating):
        low = 0 if wanted == np.uint8 else -255
        x = rng.uniform(low, 255, (7, 16)).astype(given)
        x[0, :4] = 0.9, 254.9, -0.9, -0.0
    else:
        x = rng.integers(np.iinfo(given).min, np.iinfo(given).max, (7, 16), given, endpoint=True)
    expected = x.astype(wanted)
    for form in (converted, converted.py_func):
        out = np.zeros_like(expected)
        form(x, out, wanted)
        np.testing.assert_array_equal(out, expected)


def test_a_conversion_to_booleans_is_a_typing_error():
    @njit
    def convert_to_mask(array):
        return any_(convert(rows(array, 16)[0], np.bool_))

    with pytest.raises(TypingError, match=r"(?s)No implementation of function .*convert"):
        convert_to_mask(np.ones((1, 16), np.uint8))
