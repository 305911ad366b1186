"""The light of a frame beside that of the background, on samples made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.engine import SAMPLES
from bgsub.background.adaptive.light import CHROMA, LUMA, contrast_of, measure_light, median_of, noise_of


def learned(luma, n=100):
    """The luma of the background at each pixel of a sample."""
    return np.full(n, luma, np.float32)


def grey(level, n=100):
    return np.full(n, level, np.float32)


@pytest.mark.parametrize(("level", "gain"), [(100, 1.0), (80, 1.25), (125, 0.8), (50, 2.0), (200, 0.5)])
def test_the_gain_brings_the_frame_to_the_background(level, gain):
    light = measure_light(grey(level), learned(100))
    assert light.gain == pytest.approx(gain, rel=1e-5)
    assert not light.has_colour


@pytest.mark.parametrize(("level", "background"), [(240, 12), (12, 240), (249, 8.5), (8.5, 249)])
def test_the_strongest_changes_that_can_be_seen_are_followed(level, background):
    assert measure_light(grey(level), learned(background)).gain == pytest.approx(background / level)


def test_colour_frames_are_weighed_by_their_luma():
    image = np.tile(np.array([40, 100, 200], np.float32), (100, 1))
    luma = np.dot([40, 100, 200], LUMA)
    light = measure_light(image, learned(luma * 1.3))
    assert light.gain == pytest.approx(1.3, rel=1e-3)
    assert light.has_colour


def test_objects_on_less_than_half_of_the_view_do_not_count():
    image = grey(80)
    image[:45] = np.random.default_rng(0).integers(10, 250, 45)
    assert measure_light(image, learned(100)).gain == pytest.approx(1.25, rel=0.15)
    image[:45] = 240
    image[45:60] = np.arange(60, 90, 2)
    assert 1 < measure_light(image, learned(100)).gain < 1.7


@pytest.mark.parametrize("level", [1000.4, 999.7, 1000])
def test_small_changes_are_left_to_the_mixture(level):
    assert measure_light(grey(level / 10), learned(100)).gain == 1.0


def test_nothing_learned_gives_no_gain():
    assert measure_light(grey(80), learned(0)).gain == 1.0
    for n, gain in ((49, 1.0), (50, 1.25)):
        few = learned(0)
        few[:n] = 100
        assert measure_light(grey(80), few).gain == pytest.approx(gain)


@pytest.mark.parametrize(("level", "background"), [(3, 6), (255, 120), (5, 120), (8, 100), (250, 120), (100, 8)])
def test_darkness_and_clipped_pixels_tell_nothing(level, background):
    assert measure_light(grey(level), learned(background)).gain == 1.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [np.inf, np.nan, 3e38, -np.inf])
def test_means_that_no_frame_has_left_give_some_finite_gain(value):
    gain = measure_light(grey(80), learned(value)).gain
    assert np.isfinite(gain)
    assert gain > 0


def tinted(amount, n=100):
    """Pixels of luma 100 whose R - Y is `amount`, and B - Y 0."""
    red, blue = 100 + amount, 100.0
    green = (100 - LUMA[0] * blue - LUMA[2] * red) / LUMA[1]
    return np.tile(np.array([blue, green, red], np.float32), (n, 1))


def test_colour_is_seen_from_a_mean_chroma_of_one_and_a_half_grey_levels_on():
    limit = 2 * 1.5 / CHROMA[0]
    assert measure_light(tinted(1.05 * limit), learned(100)).has_colour
    assert measure_light(tinted(-1.05 * limit), learned(100)).has_colour
    assert not measure_light(tinted(0.95 * limit), learned(100)).has_colour


def test_the_whole_view_counts():
    """Its upper half in shade does not pass for a change of light, its larger part does."""
    model, shaded = BackgroundSubtractor(structure=1, stabilise=False), np.full((400, 800), 100, np.uint8)
    for _ in range(10):
        model.apply(shaded)
    shaded[:150] = 50
    assert (model.apply(shaded, learning_rate=0) == 255).mean() == pytest.approx(150 / 400, abs=0.01)
    shaded[:250] = 50
    mask = model.apply(shaded, learning_rate=0)
    assert (mask == 255).mean() == pytest.approx(150 / 400, abs=0.01)
    assert not (mask[:200] == 255).any()


# ------------------------------------------------------------------------------------------- contrast and noise


def test_contrast_reaches_from_the_dark_pixels_to_the_bright_ones():
    """Two in a hundred of either kind do not count: a lamp, a hole."""
    levels = np.linspace(99, 201, 103, dtype=np.float32)
    assert contrast_of(levels) == pytest.approx(1 - 101 / 199)
    assert contrast_of(levels / 3) == pytest.approx(1 - 101 / 199)  # in another light
    assert contrast_of(levels / 3 + 160) == pytest.approx(1 - (101 / 3 + 160) / (199 / 3 + 160))  # in fog
    levels[0], levels[-1] = 0, 255
    assert contrast_of(np.random.default_rng(0).permutation(levels)) == pytest.approx(1 - 101 / 199)
    assert contrast_of(grey(77)) == 0
    assert contrast_of(grey(0)) == 1


@pytest.mark.parametrize("deviation", [0.5, 1.5, 4.0])
def test_noise_is_that_of_most_pixels(deviation):
    rng, background = np.random.default_rng(1), np.random.default_rng(2).uniform(40, 200, 600).astype(np.float32)
    seen = background + rng.normal(0, deviation, 600).astype(np.float32)
    assert noise_of(seen, background) == pytest.approx(deviation**2, rel=0.2)
    seen[:60] += 90  # an object
    assert noise_of(seen, background) == pytest.approx(deviation**2, rel=0.5)
    background[300:] = 0  # nothing learned
    assert noise_of(seen, background) == pytest.approx(deviation**2, rel=0.8)


def test_a_change_of_light_is_no_noise():
    background = np.linspace(60, 160, 400, dtype=np.float32)
    light = measure_light(background / 2, background)
    assert light.contrast == pytest.approx(1 - 62 / 158, abs=0.01)
    assert light.noise == pytest.approx(0, abs=1e-6)
    assert measure_light(grey(80, 20), learned(100, 20)).contrast == 1  # too few pixels to tell


# ---------------------------------------------------------------------------------------- what an engine gives


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sample_is_spread_over_the_whole_view(channels):
    """Of a large frame too: its upper part in shade does not pass for a change of light, its larger part does."""
    shape = (400, 500) if channels == 1 else (400, 500, 3)
    background = np.full(shape, 100, np.uint8)
    model = BackgroundSubtractor(stabilise=False)
    model.apply(background)
    for rows, gain in ((180, 1.0), (250, 2.0)):
        frame = background.copy()
        frame[:rows] = 50
        view = model.engine.show(frame, None, None)
        assert SAMPLES <= len(view.pixels) == len(view.background) < 2 * SAMPLES
        np.testing.assert_allclose(view.background, 100, atol=1e-3)
        assert measure_light(view.pixels, view.background).gain == pytest.approx(gain)
        assert view.pixels.shape[1:] == shape[2:]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 50, 511, 512])
@pytest.mark.parametrize("seed", range(4))
def test_the_median_is_numpys(n, seed):
    values = np.random.default_rng(seed).normal(100, 40, n).astype(np.float32)
    before = values.copy()
    assert median_of(values) == float(np.median(values))
    np.testing.assert_array_equal(values, before)
