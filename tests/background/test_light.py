"""The light of a frame beside that of the background, on samples made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.adaptive.kernels import MEAN_Y
from bgsub.background.adaptive.light import CHROMA, LUMA, measure_light


def learned(luma, n_tiles=100, rows=5):
    """Modes of pixels whose background has a luma each."""
    modes = np.zeros((3, n_tiles, rows, 16), np.float32)
    modes[0, :, MEAN_Y] = np.broadcast_to(luma, (n_tiles, 16))
    modes[1:, :, MEAN_Y] = 17  # lighter modes are not asked
    return modes


def grey(level, n_tiles=100, dtype=np.uint8):
    return np.full(n_tiles * 16, level, dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(("level", "gain"), [(100, 1.0), (80, 1.25), (125, 0.8), (50, 2.0), (200, 0.5)])
def test_the_gain_brings_the_frame_to_the_background(level, gain, dtype):
    light = measure_light(grey(level, dtype=dtype), learned(100, rows=2))
    assert light.gain == pytest.approx(gain, rel=1e-5)
    assert not light.has_colour


def test_colour_frames_are_weighed_by_their_luma():
    image = np.tile(np.array([40, 100, 200], np.uint8), (1600, 1))
    luma = np.dot([40, 100, 200], LUMA)
    light = measure_light(image, learned(luma * 1.3))
    assert light.gain == pytest.approx(1.3, rel=1e-3)
    assert light.has_colour


def test_objects_on_less_than_half_of_the_view_do_not_count():
    image = grey(80).reshape(100, 16)
    image[:45] = np.random.default_rng(0).integers(10, 250, (45, 16))
    assert measure_light(image.ravel(), learned(100, rows=2)).gain == pytest.approx(1.25, rel=0.15)
    image[:45] = 240
    image[45:60] = np.arange(60, 90, 2)[:, None]
    assert 1 < measure_light(image.ravel(), learned(100, rows=2)).gain < 1.7


@pytest.mark.parametrize("level", [1000.4, 999.7, 1000])
def test_small_changes_are_left_to_the_mixture(level):
    assert measure_light(grey(level / 10, dtype=np.float32), learned(100, rows=2)).gain == 1.0


def test_nothing_learned_gives_no_gain():
    assert measure_light(grey(80), learned(0, rows=2)).gain == 1.0
    few = learned(np.where(np.arange(100)[:, None] < 20, 100.0, 0.0), rows=2)
    assert measure_light(grey(80), few).gain == 1.0


@pytest.mark.parametrize(("level", "background"), [(3, 6), (255, 120), (5, 120)])
def test_darkness_and_clipped_pixels_tell_nothing(level, background):
    assert measure_light(grey(level), learned(background, rows=2)).gain == 1.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [np.inf, np.nan, 3e38, -np.inf])
def test_means_that_no_frame_has_left_give_some_finite_gain(value):
    gain = measure_light(grey(80), learned(value, rows=2)).gain
    assert np.isfinite(gain)
    assert gain > 0


def tinted(amount, n_tiles=100):
    """Pixels of luma 100 whose R - Y is `amount`, and B - Y 0."""
    red, blue = 100 + amount, 100.0
    green = (100 - LUMA[0] * blue - LUMA[2] * red) / LUMA[1]
    return np.tile(np.array([blue, green, red], np.float32), (n_tiles * 16, 1))


def test_colour_is_seen_from_a_mean_chroma_of_one_and_a_half_grey_levels_on():
    limit = 2 * 1.5 / CHROMA[0]
    assert measure_light(tinted(1.05 * limit), learned(100)).has_colour
    assert measure_light(tinted(-1.05 * limit), learned(100)).has_colour
    assert not measure_light(tinted(0.95 * limit), learned(100)).has_colour


def test_large_frames_are_sampled():
    """Over the whole view: its upper half in shade does not pass for a change of light, its larger part does."""
    image = grey(100, 40_000).reshape(40_000, 16)
    image[:15_000] = 50
    modes = learned(100, 40_000, rows=2)
    assert measure_light(image.ravel(), modes).gain == 1.0
    image[:25_000] = 50
    assert measure_light(image.ravel(), modes).gain == pytest.approx(2)
