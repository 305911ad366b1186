"""Palettes of pictures whose colours are known."""

import cv2
import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.features import palette as module
from bgsub.features.palette import PixelSample, learn_palette

FLAG = np.array([[40, 30, 200], [240, 240, 235], [150, 60, 20]], np.uint8)  # red, white, blue; BGR
SHARES = (0.5, 0.3, 0.2)


def flag(noise=0, height=60, width=100, seed=0):
    """Stripes of 50, 30 and 20 columns."""
    columns = np.repeat([0, 1, 2], [50, 30, 20])
    image = np.tile(FLAG[columns], (height, 1, 1)).astype(int)[:, :width]
    return (image + np.random.default_rng(seed).integers(-noise, noise + 1, image.shape)).clip(0, 255).astype(np.uint8)


def learned(image, k=3, **options):
    sample = PixelSample(single=True)
    sample.add(image)
    return learn_palette(sample.pixels(), k, **options)


@pytest.mark.slow
@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("noise", [0, 8])
def test_colours_and_shares(covariance, noise):
    found = learned(flag(noise), covariance_type=covariance)
    assert np.abs(found.colours.astype(int) - FLAG).max() <= 3
    assert np.allclose(found.shares, SHARES, atol=1e-12)
    assert found.hexadecimal() == [f"#{r:02x}{g:02x}{b:02x}" for b, g, r in found.colours]


def test_quantised_picture():
    image = flag(8)
    found = learned(image)
    quantised = found.quantised(image)
    assert quantised.dtype == np.uint8 and quantised.shape == image.shape
    columns = np.repeat([0, 1, 2], [50, 30, 20])
    assert np.array_equal(quantised, np.tile(found.colours[columns], (60, 1, 1)))
    assert np.abs(quantised.astype(int) - image).max() <= 12


def test_blocks_of_pixels_do_not_count(monkeypatch):
    image = cv2.GaussianBlur(flag(8), (21, 21), 0)
    found = learned(image)
    expected = [found.quantised(image, soft=soft) for soft in (False, True)]
    monkeypatch.setattr(module, "_BLOCK", 997)
    for soft, whole in zip((False, True), expected, strict=True):
        assert np.array_equal(found.quantised(image, soft=soft), whole)


def test_soft_is_the_expected_colour():
    image = cv2.GaussianBlur(flag(8), (21, 21), 0)
    found = learned(image)
    soft = found.quantised(image, soft=True)
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2Lab).reshape(-1, 3)
    expected = found.mixture.responsibilities(lab.astype(float)) @ found.mixture.means
    back = cv2.cvtColor(expected.astype(np.float32).reshape(image.shape), cv2.COLOR_Lab2BGR)
    assert np.abs(soft - 255 * back).max() <= 1
    assert len(np.unique(soft.reshape(-1, 3), axis=0)) > 3
    assert len(np.unique(found.quantised(image).reshape(-1, 3), axis=0)) == 3


def test_grey_pictures_of_8_and_16_bits():
    grey = np.repeat([[30] * 70 + [200] * 30], 40, axis=0).astype(np.uint8)
    for image in (grey, grey.astype(np.uint16) * 257):
        found = learned(image, 2)
        assert np.abs(found.colours.astype(int) - [[30] * 3, [200] * 3]).max() <= 1
        assert np.allclose(found.shares, [0.7, 0.3])
        assert found.quantised(image).shape == (40, 100, 3)


@pytest.mark.parametrize(
    ("image", "k", "message"),
    [
        (np.full((9, 9, 3), 70, np.uint8), 2, "only 1 colour, fewer than the 2 asked for: give at most 1$"),
        (flag(), 8, "only 3 colours, fewer than the 8 asked for: give at most 3$"),
    ],
)
def test_too_few_colours(image, k, message):
    with pytest.raises(ParameterError, match=message):
        learned(image, k)


def test_one_colour():
    found = learned(np.full((9, 9, 3), (10, 100, 220), np.uint8), 1)
    assert np.abs(found.colours.astype(int) - (10, 100, 220)).max() <= 1
    assert found.shares.tolist() == [1.0]


def test_memory_of_a_sample_is_bounded_and_every_frame_has_its_chance(monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 1000)
    monkeypatch.setattr(module, "_PER_FRAME", 300)
    sample = PixelSample(seed=1)
    for level in range(40):
        sample.add(np.full((20, 20), level, np.uint8))
        assert len(sample._keys) == len(sample._pixels) <= 2000 + 300
    pixels = sample.pixels()
    counts = np.bincount(pixels[:, 0], minlength=40)
    assert pixels.shape == (1000, 3)
    assert counts.min() > 5 and counts.max() < 55  # 25 each, give or take


def test_a_small_picture_is_used_whole():
    sample = PixelSample(single=True)
    sample.add(flag(8))
    assert np.array_equal(np.sort(sample.pixels(), axis=0), np.sort(flag(8).reshape(-1, 3), axis=0))


def test_same_seed_same_palette():
    image = cv2.GaussianBlur(flag(8), (21, 21), 0)
    first, second = learned(image, 6, seed=2), learned(image, 6, seed=2)
    assert np.array_equal(first.colours, second.colours)
    assert (np.diff(first.shares) <= 0).all()


@pytest.mark.parametrize(("dtype", "low", "step"), [(np.uint16, 29_000, 1), (np.float32, 295.0, 0.01)])
def test_a_grey_picture_of_more_than_8_bits_has_the_colours_of_the_values_in_use(dtype, low, step):
    image = (low + step * np.repeat([0, 255], [300, 700]).reshape(20, 50)).astype(dtype)
    sample = PixelSample()
    sample.add(image)
    palette = learn_palette(sample.pixels(), 2)
    bright, dark = palette.colours.tolist()
    assert palette.shares.tolist() == [0.7, 0.3]
    assert min(bright) > 200 and max(dark) < 50
