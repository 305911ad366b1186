"""Pictures made of a frame and its mask."""

import numpy as np
import pytest

from bgsub.video.writers import drawing

MASK = np.zeros((60, 80), np.uint8)
MASK[20:40, 20:40] = 255
MASK[20:40, 50:60] = 127
MASK[5, 70] = 255  # a speck


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


def test_overlay_tints_objects_and_leaves_the_rest(image):
    before = image.copy()
    picture = drawing.overlay(image, MASK, color=(0, 0, 255), opacity=0.5)
    np.testing.assert_array_equal(image, before)
    tinted = image[23:37, 23:37] * 0.5 + np.array([0, 0, 127.5])
    assert np.abs(picture[23:37, 23:37] - tinted).max() <= 1
    np.testing.assert_array_equal(picture[45:], image[45:])
    np.testing.assert_array_equal(picture[:, :15], image[:, :15])


def test_overlay_outlines_objects_but_not_specks(image):
    picture = drawing.overlay(image, MASK, color=(0, 0, 255), opacity=0.5)
    assert (picture[19, 22:38] == (0, 0, 255)).all()
    assert (picture[22:38, 40] == (0, 0, 255)).all()
    np.testing.assert_array_equal(picture[4, 69:72], image[4, 69:72])
    assert np.abs(picture[5, 70] - (image[5, 70] * 0.5 + [0, 0, 127.5])).max() <= 1


def test_overlay_of_shadows(image):
    np.testing.assert_array_equal(drawing.overlay(image, MASK, shadow_color=None)[20:40, 50:60], image[20:40, 50:60])
    tinted = drawing.overlay(image, MASK, shadow_color=(255, 0, 0))[20:40, 50:60]
    assert (tinted[..., 0].astype(int) >= image[20:40, 50:60, 0]).all()
    assert (tinted[..., 2] <= image[20:40, 50:60, 2]).all()


def test_empty_mask_changes_nothing(image):
    np.testing.assert_array_equal(drawing.overlay(image, np.zeros_like(MASK)), image)
    assert not drawing.cutout(image, np.zeros_like(MASK)).any()
    assert not drawing.transparent_cutout(image, np.zeros_like(MASK)).any()


def test_cutouts(image):
    moving = MASK == 255
    np.testing.assert_array_equal(drawing.cutout(image, MASK), image * moving[..., None])
    transparent = drawing.transparent_cutout(image, MASK)
    np.testing.assert_array_equal(transparent[..., :3], image * moving[..., None])
    np.testing.assert_array_equal(transparent[..., 3], moving * 255)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([[0, 255, 256, 65535]], np.uint16), [0, 0, 1, 255]),
        (np.array([[0, 0.5, 1, 7]], np.float32), [0, 128, 255, 255]),
        (np.array([[-1, np.nan, np.inf, -np.inf]], np.float64), [0, 0, 255, 0]),
        (np.array([[1, 2, 3, 4]], np.uint8), [1, 2, 3, 4]),
    ],
)
def test_any_depth_is_shown(values, shown):
    np.testing.assert_array_equal(drawing.to_uint8(values), [shown])
    np.testing.assert_array_equal(drawing.to_bgr(values), np.repeat(np.array([shown])[..., None], 3, axis=2))
