"""Vectors from arrays and back: strides, fixed point, interleaved pixels, aligned memory."""

from __future__ import annotations

import gc
import os

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from bgsub.simd import LANES, fixed_point, load_pixels, prefetch, rows, select, splat_like, zeros
from tests.simd.test_operators import compiled

SCALE = np.float32(256)
STEP = 1 / 256


@compiled
def double_rows(array, out):
    vectors, out_rows = rows(array, 16), rows(out, 16)
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            x = vectors[i, j]
            out_rows[i, j] = x + x


@compiled
def copy_rows(array, out):
    vectors, out_rows = rows(array, 16), rows(out, 16)
    for i in range(len(array)):
        out_rows[i] = vectors[i]


@compiled
def raise_rows(out, least):
    vectors = rows(out, 16)
    for i in range(len(out)):
        vectors[i] = select(vectors[i] < least, splat_like(vectors[i], least), vectors[i])


@compiled
def fill_rows(out, value):
    vectors = rows(out, 16)
    for i in range(len(out)):
        vectors[i] = value


@compiled
def store_fixed(values, stored, scale):
    vectors, stored_rows = rows(values, 16), fixed_point(stored, scale, 16)
    for i in range(len(values)):
        stored_rows[i] = vectors[i]


@compiled
def load_fixed(stored, values, scale):
    vectors, stored_rows = rows(values, 16), fixed_point(stored, scale, 16)
    for i in range(len(values)):
        vectors[i] = stored_rows[i]


@compiled
def store_fixed_scalar(stored, scale, value):
    fixed_point(stored, scale, 16)[0] = value


@compiled
def load_grey(image, out):
    vectors = rows(out, 16)
    for t in range(len(out)):
        vectors[t, 0] = load_pixels(image, t)[0]


@compiled
def load_bgr(image, out):
    vectors = rows(out, 16)
    for t in range(len(out)):
        b, g, r = load_pixels(image, t)
        vectors[t, 0] = b
        vectors[t, 1] = g
        vectors[t, 2] = r


@compiled
def prefetch_all(array, beyond):
    vectors = rows(array, 16)
    for i in range(array.shape[0] + beyond):
        prefetch(vectors, (i, 0))


def forms(function):
    return pytest.mark.parametrize("form", [function, function.py_func], ids=["compiled", "plain"])


def views(dtype):
    """Arrays (4, 3, 16) whose last axis only is contiguous, by name."""
    whole = np.arange(8 * 6 * 32).reshape(8, 6, 32).astype(dtype)
    return {
        "contiguous": whole[:4, :3, :16].copy(),
        "every other": whole[::2, ::2, :16],
        "backwards": whole[3::-1, 2::-1, 16:],
        "transposed": whole[:3, :4, :16].transpose(1, 0, 2),
        "repeated": np.broadcast_to(whole[:1, :3, 5:21], (4, 3, 16)),
    }


@forms(double_rows)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("name", views(int))
def test_rows_of_strided_arrays(form, dtype, name):
    view = views(dtype)[name]
    out = np.zeros((4, 3, 16), dtype)
    form(view, out)
    np.testing.assert_array_equal(out, view + view)


@forms(double_rows)
def test_writing_to_a_strided_view_changes_it_and_nothing_else(form):
    whole = np.zeros((8, 7, 40), np.float32)
    view = whole[6::-2, 1::2, 3:19]  # not aligned for vectors either
    values = np.arange(view.size, dtype=np.float32).reshape(view.shape) + 1
    form(values, view)
    np.testing.assert_array_equal(view, values * 2)
    assert np.count_nonzero(whole) == values.size


@forms(raise_rows)
def test_what_is_selected_is_stored(form):
    array = np.arange(48, dtype=np.float32).reshape(3, 16)
    form(array, np.float32(20.5))
    np.testing.assert_array_equal(array, np.maximum(np.arange(48), 20.5).reshape(3, 16))


def test_what_is_selected_is_stored_whole():
    """Stores through a mask take some processors with AVX2 a dozen times as long."""
    raise_rows(np.zeros((1, 16), np.float32), np.float32(1))
    (assembly,) = raise_rows.inspect_asm().values()
    assert "maskmov" not in assembly


@forms(copy_rows)
def test_what_was_read_does_not_change_with_the_array(form):
    array = np.arange(48, dtype=np.float32).reshape(3, 16)
    form(array, array[::-1])
    np.testing.assert_array_equal(array[:, 0], [0, 16, 0])

    @compiled
    def swap(a):
        vectors = rows(a, 16)
        first, second = vectors[0], vectors[1]
        vectors[0] = second
        vectors[1] = first

    for swapped in (swap, swap.py_func):
        pair = np.stack([np.zeros(16), np.ones(16)]).astype(np.float32)
        swapped(pair)
        np.testing.assert_array_equal(pair[:, 5], [1, 0])


@forms(fill_rows)
@pytest.mark.parametrize("value", [3, 2.0, np.float32(0.1)])
def test_a_scalar_is_stored_in_every_lane(form, value):
    out = np.zeros((2, 16), np.float32)
    form(out, value)
    np.testing.assert_array_equal(out, np.full((2, 16), value, np.float32))


def test_rows_of_booleans_are_a_typing_error():
    @njit
    def read(array):
        rows(array, 16)[0]

    with pytest.raises(TypingError, match=r"(?s)No implementation of function .*rows"):
        read(np.zeros((1, 16), bool))


def test_lanes_that_are_not_known_when_compiled_are_a_typing_error():
    @njit
    def read(array, lanes):
        return rows(array, lanes)[0] > 0

    with pytest.raises(TypingError, match=r"(?s)No implementation of function .*rows"):
        read(np.zeros((1, 16), np.float32), 16)


@pytest.mark.parametrize("lanes", [4, 8, 32])
def test_any_number_of_lanes(lanes):
    @compiled
    def double(array):
        vectors = rows(array, lanes)
        vectors[1] = vectors[0] + vectors[0]

    for form in (double, double.py_func):
        array = np.stack([np.arange(lanes, dtype=np.float32), np.zeros(lanes, np.float32)])
        form(array)
        np.testing.assert_array_equal(array[1], 2 * np.arange(lanes))


def test_rows_of_another_length_are_refused_where_python_runs():
    with pytest.raises(
        ValueError, match=r"^an array of shape \(2, 8\) has no rows of 16: its last axis must be as long$"
    ):
        rows(np.zeros((2, 8), np.float32), 16)


@pytest.mark.parametrize("index", [(0,), (0, 0, 0)], ids=str)
def test_a_wrong_number_of_indices_is_a_typing_error(index):
    @njit
    def read(array):
        rows(array, 16)[index]

    with pytest.raises(TypingError):
        read(np.zeros((2, 2, 16), np.float32))


@forms(store_fixed)
@pytest.mark.parametrize("scale", [256.0, 65040.0, 1.0])
def test_fixed_point_is_within_half_a_step(form, scale):
    scale = np.float32(scale)
    values = np.random.default_rng(0).uniform(0, 65535 / scale, (9, 16)).astype(np.float32)
    stored, back = np.zeros((9, 16), np.uint16), np.zeros((9, 16), np.float32)
    form(values, stored, scale)
    np.testing.assert_array_equal(stored, np.rint(values * scale))
    (load_fixed if form is store_fixed else load_fixed.py_func)(stored, back, scale)
    assert np.abs(back - values).max() <= 0.5001 / scale
    assert np.abs(back - values).max() > 0.4 / scale


def test_every_fixed_point_number_is_stored_as_it_was_read():
    every = np.arange(65536, dtype=np.uint16).reshape(-1, 16)
    for scale in np.float32([256, 65040]):
        by_form = []
        for store, load in ((store_fixed, load_fixed), (store_fixed.py_func, load_fixed.py_func)):
            values, stored = np.zeros(every.shape, np.float32), np.zeros_like(every)
            load(every, values, scale)
            store(values, stored, scale)
            np.testing.assert_array_equal(stored, every)
            by_form.append(values)
        np.testing.assert_array_equal(*by_form)


@forms(store_fixed)
def test_ties_go_to_the_even_neighbour(form):
    values = ((np.arange(16) + 0.5) * STEP).astype(np.float32)[None]
    stored = np.zeros((1, 16), np.uint16)
    form(values, stored, SCALE)
    np.testing.assert_array_equal(stored[0], [0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14, 16])


def test_fixed_point_wraps_round_beyond_its_range():
    values = np.full((1, 16), 256, np.float32)
    values[0, 1:4] = 256 + STEP, 300, -STEP
    stored = np.full((1, 16), 7, np.uint16)
    store_fixed(values, stored, SCALE)
    np.testing.assert_array_equal(stored[0, :5], [0, 1, 44 * 256, 65535, 0])


def test_fixed_point_of_a_float_array_is_the_array():
    values = np.random.default_rng(1).normal(0, 1e9, (3, 16)).astype(np.float32)
    for store, load in ((store_fixed, load_fixed), (store_fixed.py_func, load_fixed.py_func)):
        stored, back = np.zeros_like(values), np.zeros_like(values)
        store(values, stored, SCALE)
        np.testing.assert_array_equal(stored, values)
        load(stored, back, SCALE)
        np.testing.assert_array_equal(back, values)


@forms(store_fixed_scalar)
def test_a_scalar_becomes_fixed_point(form):
    stored = np.zeros((1, 16), np.uint16)
    form(stored, SCALE, np.float32(1.5))
    np.testing.assert_array_equal(stored, np.full((1, 16), 384))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_load_pixels(dtype, channels):
    rng = np.random.default_rng(3)
    shape = (5 * LANES, 3) if channels == 3 else (5 * LANES,)
    image = rng.integers(0, 256, shape).astype(dtype)
    if dtype == np.float32:
        image += rng.random(shape, np.float32)
    expected = image.astype(np.float32).reshape(5, LANES, channels).transpose(0, 2, 1)
    load = load_bgr if channels == 3 else load_grey
    for form in (load, load.py_func):
        out = np.zeros((5, channels, LANES), np.float32)
        form(image, out)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    "image", [np.zeros((32, 2), np.uint8)[:, :1], np.zeros(32, np.float64), np.zeros((64, 3), np.uint8)[::2]]
)
def test_pixels_that_are_not_laid_out_for_it_are_a_typing_error(image):
    load = njit(lambda image: load_pixels(image, 0)[0] > 0)

    @njit
    def read(image):
        load(image)

    with pytest.raises(TypingError):
        read(image)


def test_prefetch_changes_nothing_wherever_it_points():
    array = np.arange(4 * 2 * 16, dtype=np.float32).reshape(4, 2, 16)
    before = array.copy()
    for form in (prefetch_all, prefetch_all.py_func):
        form(array, 1 << 20)  # far beyond the end, as a kernel's look ahead may be
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 16), np.float32),
        ((7, 5, 16), np.uint16),
        ((3, 11, 4, 16), np.float32),
        ((1 << 15, 16), np.float32),  # exactly a huge page
        ((9000, 5, 16), np.float32),
    ],
    ids=str,
)
def test_zeros(shape, dtype):
    for _ in range(3):  # memory that comes back used would show
        array = zeros(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.ctypes.data % 64 == 0
        assert not array.any()
        array[...] = 1


def test_zeros_are_independent_and_outlive_their_maker():
    first, second = zeros((70000, 16), np.float32), zeros((70000, 16), np.float32)
    assert not np.shares_memory(first, second)
    first[...] = 1
    assert not second.any()
    part = second[-1]
    del first, second
    gc.collect()
    part += 1
    assert (part == 1).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("rows", [10, 70000])
def test_a_child_process_has_its_own_copy(rows):
    array = zeros((rows, 16), np.float32)
    child = os.fork()
    if child == 0:
        array[...] = 1
        os._exit(0)
    os.waitpid(child, 0)
    assert not array.any()
