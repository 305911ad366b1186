"""The colour of objects is one that the scene lacks."""

import cv2
import numpy as np
import pytest

from bgsub.video.colors import COLORS
from bgsub.video.writers.contrast import CANDIDATES, lacking_color, shadow_of
from bgsub.video.writers.painting import Painter


def scene(hue, spread=8, shape=(60, 80)):
    """A picture of one hue (of 180) in all its shades."""
    rng = np.random.default_rng(0)
    hsv = rng.integers(40, 256, (*shape, 3), np.uint8)
    hsv[..., 0] = (hue + rng.integers(-spread, spread + 1, shape)) % 180
    return cv2.cvtColor(cv2.resize(hsv[::6, ::6], shape[::-1], interpolation=cv2.INTER_NEAREST), cv2.COLOR_HSV2BGR)


def hue_of(color):
    return int(cv2.cvtColor(np.uint8([[color]]), cv2.COLOR_BGR2HSV)[0, 0, 0])


@pytest.mark.parametrize("hue", range(0, 180, 15))
def test_it_is_far_from_a_scene_of_one_hue(hue):
    apart = abs(hue_of(lacking_color(scene(hue), 0.45)) - hue) % 180
    assert min(apart, 180 - apart) > 25  # of 90


def test_it_is_not_the_same_for_all_scenes():
    assert len({lacking_color(scene(hue), 0.45) for hue in range(0, 180, 15)}) > 1


@pytest.mark.parametrize("level", [0, 30, 128, 255])
def test_a_plain_picture_gets_one_of_them(level):
    color = lacking_color(np.full((20, 30, 3), level, np.uint8), 0.45)
    assert color in [COLORS[name] for name in CANDIDATES]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (700, 1, 3)])
def test_any_size_will_do(shape):
    assert lacking_color(np.full(shape, 90, np.uint8), 0.45) in COLORS.values()


@pytest.mark.parametrize("color", [*COLORS.values(), (250, 160, 20), (20, 160, 250)])
def test_shadows_have_another_colour(color):
    assert np.abs(np.subtract(shadow_of(color), color)).max() > 100


def test_the_colour_is_that_of_the_first_picture():
    mask = np.full((60, 80), 255, np.uint8)
    painter = Painter()
    first = painter.overlay(scene(150), mask)
    again = Painter(lacking_color(scene(150), 0.45)).overlay(scene(60), mask)
    np.testing.assert_array_equal(painter.overlay(scene(60), mask), again)
    assert (Painter((1, 2, 3)).overlay(scene(150), mask) != first).any()
