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


def test_a_cutout_on_a_colour(image):
    moving = MASK == 255
    picture = drawing.cutout(image, MASK, (1, 2, 3))
    np.testing.assert_array_equal(picture[moving], image[moving])
    assert (picture[~moving] == (1, 2, 3)).all()
    assert not drawing.cutout(image, np.zeros_like(MASK)).any()  # the colour before is not kept


@pytest.mark.parametrize(("width", "rim"), [(160, 1), (320, 1), (640, 2), (1280, 3), (1920, 5), (3840, 10)])
def test_outlines_grow_with_the_picture(width, rim):
    mask = np.zeros((width * 9 // 16, width), np.uint8)
    mask[40:60, width // 4 : width // 2] = 255
    picture = drawing.overlay(np.zeros((*mask.shape, 3), np.uint8), mask, (0, 0, 255))
    column = picture[:, width // 3, 2]
    assert np.count_nonzero(column[:40] == 255) == rim


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_any_number_of_channels_is_drawn(channels):
    shape = (60, 80) if channels is None else (60, 80, channels)
    values = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    shown = drawing.to_bgr(values)
    assert shown.shape == (60, 80, 3)
    if channels in (3, 4):
        np.testing.assert_array_equal(shown, values[..., :3])
    else:
        for layer in range(3):
            np.testing.assert_array_equal(shown[..., layer], values.reshape(60, 80, -1)[..., 0])
    assert drawing.overlay(values, MASK).shape == (60, 80, 3)
