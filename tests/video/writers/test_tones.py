"""Pictures of more than 8 bits are shown by the values that they use."""

import numpy as np
import pytest

from bgsub.video.writers.painting import Painter
from bgsub.video.writers.tones import Tones


def ramp(low, high, dtype):
    return np.linspace(low, high, 64 * 48).reshape(48, 64).astype(dtype)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (29_000, 31_000, np.uint16),
        (0, 1023, np.uint16),
        (-500, 900, np.int16),
        (290.1, 305.7, np.float32),
        (0, 1, np.float64),
        (-1e6, 1e6, np.float32),
        (0, 100_000, np.int32),
    ],
)
def test_the_range_in_use_fills_the_screen(low, high, dtype):
    shown = Tones()(ramp(low, high, dtype))
    assert shown.dtype == np.uint8
    assert shown.min() < 30 and shown.max() > 225
    assert (np.diff(shown.ravel().astype(int)) >= 0).all()
    assert np.unique(shown).size > 180


def test_8_bits_are_left_alone():
    image = np.random.default_rng(0).integers(100, 110, (4, 5), np.uint8)
    assert Tones()(image) is image


@pytest.mark.parametrize(("full", "dtype"), [(65535, np.uint16), (32767, np.int16), (1, np.float32)])
def test_one_value_is_shown_on_the_full_scale(full, dtype):
    shown = Tones()(np.full((5, 5), 0.8 * full).astype(dtype))
    assert abs(int(shown[0, 0]) - 204) <= 1


def test_what_is_no_number_is_black():
    image = ramp(0, 1, np.float32)
    image[0, :3] = np.nan, np.inf, -np.inf
    assert Tones()(image)[0, :3].tolist() == [0, 255, 0]
    assert not Tones()(np.full((3, 3), np.nan, np.float32)).any()


def test_a_video_keeps_its_tones():
    tones = Tones()
    first = tones(ramp(29_000, 31_000, np.uint16))
    warmer = ramp(29_000, 31_000, np.uint16)
    warmer[0, :20] = 60_000
    np.testing.assert_array_equal(tones(warmer)[1:], first[1:])
    assert (tones(warmer)[0, :20] == 255).all()


def test_a_range_that_does_not_do_is_widened_and_never_narrowed():
    tones = Tones()
    tones(ramp(29_000, 31_000, np.uint16))
    hot = tones(ramp(29_000, 40_000, np.uint16))
    assert np.count_nonzero(hot == 255) < 0.02 * hot.size
    dull = tones(ramp(29_000, 31_000, np.uint16))
    assert dull.max() < 100


def test_bounds_that_are_given_stay():
    tones = Tones((0.0, 100.0))
    assert tones(np.float32([[0, 50, 100, 400]])).tolist() == [[0, 128, 255, 255]]
    assert tones(np.full((100, 100), 400, np.float32)).min() == 255
    assert tones(np.float32([[50]])).tolist() == [[128]]


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32, np.float64, bool])
def test_everything_is_drawn_of_any_depth(dtype):
    image = ramp(0, 1 if dtype is bool else 900, dtype)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 10:30] = 255
    painter = Painter()
    assert painter.picture(image).shape == (48, 64, 3)
    assert painter.overlay(image, mask).dtype == np.uint8
    assert (painter.cutout(image, mask)[0, 0] == 128).all()
    assert painter.transparent_cutout(image, mask)[0, 0].tolist() == [0, 0, 0, 0]
    np.testing.assert_array_equal(painter.cutout(image, mask)[15, 15], painter.picture(image)[15, 15])
