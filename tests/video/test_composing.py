"""Overlays and cut-outs from a program: the pictures of the sinks, with every argument checked."""

from __future__ import annotations

import numpy as np
import pytest

import bgsub
from bgsub.errors import ParameterError
from bgsub.video.colors import COLORS
from bgsub.video.writers import drawing

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
MASK = np.zeros((40, 50), np.uint8)
MASK[5:20, 10:30] = 255
MASK[20:25, 10:30] = 127
INSIDE, SHADOW, FAR = (12, 20), (22, 20), (35, 45)


def test_the_overlay_is_that_of_the_sinks():
    picture = bgsub.overlay(IMAGE, MASK)
    np.testing.assert_array_equal(picture, drawing.overlay(IMAGE, MASK))
    assert (picture.dtype, picture.shape) == (np.uint8, (40, 50, 3))
    assert (picture[FAR] == IMAGE[FAR]).all()


def test_colours_and_opacity():
    color, shadow = (255, 0, 10), (0, 90, 0)
    picture = bgsub.overlay(IMAGE, MASK, color=color, shadow_color=shadow, opacity=1.0)
    assert picture[INSIDE].tolist() == [255, 0, 10]
    np.testing.assert_allclose(picture[SHADOW], 0.4 * IMAGE[SHADOW] + 0.6 * np.array(shadow), atol=1)
    half = bgsub.overlay(IMAGE, MASK, color=np.array(color), opacity=0.5)
    np.testing.assert_allclose(half[INSIDE], IMAGE[INSIDE] / 2 + np.array(color) / 2, atol=1)
    assert (bgsub.overlay(IMAGE, MASK, shadow_color=None)[SHADOW] == IMAGE[SHADOW]).all()
    np.testing.assert_array_equal(bgsub.overlay(IMAGE, MASK, opacity=0)[INSIDE], IMAGE[INSIDE])


def test_the_cutout_is_transparent_but_for_objects():
    picture = bgsub.cutout(IMAGE, MASK)
    assert (picture.dtype, picture.shape) == (np.uint8, (40, 50, 4))
    inside = MASK == 255
    np.testing.assert_array_equal(picture[..., 3] == 255, inside)
    np.testing.assert_array_equal(picture[inside][:, :3], IMAGE[inside])
    assert not picture[~inside].any()


@pytest.mark.parametrize("draw", [bgsub.overlay, bgsub.cutout])
def test_images_of_every_layout_and_masks_of_bool(draw):
    grey = IMAGE[..., 0]
    expected = draw(np.repeat(grey[..., None], 3, axis=2), MASK)
    for image in (grey, grey[..., None], np.asfortranarray(grey)):
        np.testing.assert_array_equal(draw(image, MASK), expected)
    flipped = draw(IMAGE[:, ::-1], MASK[:, ::-1])
    np.testing.assert_array_equal(flipped, draw(IMAGE[:, ::-1].copy(), MASK[:, ::-1].copy()))
    np.testing.assert_array_equal(draw(IMAGE, MASK == 255), draw(IMAGE, np.where(MASK == 255, 255, 0).astype(np.uint8)))
    for dtype in (np.uint16, np.int16, np.float32, np.float64, bool):
        assert draw((grey > 99).astype(dtype), MASK).dtype == np.uint8


@pytest.mark.parametrize("draw", [bgsub.overlay, bgsub.cutout])
def test_nothing_that_is_given_is_changed(draw):
    image, mask = IMAGE.copy(), MASK.copy()
    draw(image, mask)[:] = 0
    np.testing.assert_array_equal(image, IMAGE)
    np.testing.assert_array_equal(mask, MASK)
    image.flags.writeable = mask.flags.writeable = False
    draw(image, mask)


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (None, MASK, "image is a NoneType: give a NumPy array"),
        (np.zeros((40, 50, 4), np.uint8), MASK, r"image has shape \(40, 50, 4\): give \(height, width\) or"),
        (np.zeros((0, 50), np.uint8), MASK, r"image has shape \(0, 50\)"),
        (np.zeros((40, 50), complex), MASK, "image has dtype complex128: give numbers, such as uint8"),
        (IMAGE, None, r"mask is NoneType: give a uint8 array of the image's shape, \(40, 50\)"),
        (IMAGE, MASK[1:], r"mask is uint8 of shape \(39, 50\): give a uint8 array of the image's shape, \(40, 50\)"),
        (IMAGE, MASK.astype(float), r"mask is float64 of shape \(40, 50\)"),
        (IMAGE, IMAGE, r"mask is uint8 of shape \(40, 50, 3\)"),
    ],
)
def test_what_cannot_be_drawn_is_told(image, mask, message):
    for draw in (bgsub.overlay, bgsub.cutout):
        with pytest.raises(ParameterError, match=f"^{message}"):
            draw(image, mask)


@pytest.mark.parametrize("color", [(1, 2), (0, 0, 256), (-1, 0, 0), (0.5, 0, 0), None, 7], ids=str)
def test_colours_that_are_none(color):
    with pytest.raises(ParameterError, match=r"color is .*: give blue, green and red, whole numbers from 0 to 255"):
        bgsub.overlay(IMAGE, MASK, color=color)
    if color is not None:
        with pytest.raises(ParameterError, match=r"^shadow_color is "):
            bgsub.overlay(IMAGE, MASK, shadow_color=color)


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_an_opacity_out_of_bounds(opacity):
    with pytest.raises(ParameterError, match=r"^opacity is .*: give a number from 0 to 1"):
        bgsub.overlay(IMAGE, MASK, opacity=opacity)


def test_colours_by_name_and_number():
    def inside(color):
        return bgsub.overlay(IMAGE, MASK, color=color, opacity=1.0)[INSIDE].tolist()

    assert inside("#ff00aa") == inside("f0a") == inside((170, 0, 255)) == [170, 0, 255]
    assert inside("Cyan") == list(COLORS["cyan"])
    np.testing.assert_array_equal(
        bgsub.overlay(IMAGE, MASK), bgsub.overlay(IMAGE, MASK, color="magenta", shadow_color="blue")
    )
    with pytest.raises(ParameterError, match=r"^'mauve' is no colour: give one of magenta, "):
        bgsub.overlay(IMAGE, MASK, color="mauve")
