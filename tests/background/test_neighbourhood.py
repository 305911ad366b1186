"""Moved background: what a neighbour explains, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.codes import ZERO_BYTE
from tests.background.adaptive_scenes import PER_PIXEL, evidence_of, wall, with_flicker

SHAPE = (20, 37)
NEW = np.array([20, 240, 230])


def flickering_model(channels, radius=1, flicker=200, **parameters):
    """A model of a still wall, told how much it flickers, in 1024ths; that asks for no evidence: bytes compare."""
    background = np.rint(wall(SHAPE, channels, seed=4, level=(40, 215))).clip(0, 255).astype(np.uint8)
    parameters = {**PER_PIXEL, "neighbour_radius": radius, "flicker_doubt": 0, "detect_shadows": False, **parameters}
    model = BackgroundSubtractor(compensate_light=False, stabilise=False, **parameters)
    for _ in range(30):
        model.apply(background)
    return with_flicker(model, np.divide(flicker, 1024)), background


def shifted(picture, y, x):
    """Move a picture; the edge is repeated."""
    padded = np.pad(picture, ((2, 2), (2, 2), *[(0, 0)] * (picture.ndim - 2)), mode="edge")
    return np.ascontiguousarray(padded[2 - y : 2 - y + SHAPE[0], 2 - x : 2 - x + SHAPE[1]])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("move", [(0, 1), (1, 0), (-1, -1), (1, -1)], ids=str)
def test_background_that_moved_by_a_pixel_is_explained(channels, move):
    model, background = flickering_model(channels)
    frame = shifted(background, *move)
    alone, _ = flickering_model(channels, radius=0)
    assert (alone.apply(frame, learning_rate=0) == 255).mean() > 0.1
    assert not model.apply(frame, learning_rate=0).any()


@pytest.mark.parametrize("radius", [1, 2])
def test_the_reach_is_that_of_the_radius(radius):
    model, background = flickering_model(3, radius)
    foreground = (model.apply(shifted(background, 0, 2), learning_rate=0) == 255).mean()
    assert foreground > 0.02 if radius == 1 else foreground == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_a_new_colour_is_not_explained(channels):
    model, background = flickering_model(channels, radius=2)
    frame = background.copy()
    frame[5:15, 9:25] = 255 if channels == 1 else NEW
    expected = np.zeros(SHAPE, np.uint8)
    expected[5:15, 9:25] = 255
    np.testing.assert_array_equal(model.apply(frame, learning_rate=0), expected)


def test_where_nothing_flickers_neighbours_are_not_asked():
    """Flicker is averaged over 5 rows, so between those with none and those with all there are 4 of each kind."""
    flicker = np.zeros(SHAPE)
    flicker[12:] = 200
    model, background = flickering_model(3, flicker=flicker)
    alone, _ = flickering_model(3, radius=0)
    frame = shifted(background, 0, 1)
    mask, expected = model.apply(frame, learning_rate=0), alone.apply(frame, learning_rate=0)
    np.testing.assert_array_equal(mask[:10], expected[:10])
    assert (expected[:10] == 255).any()
    assert not mask[14:].any()


@pytest.mark.parametrize(("flicker", "asked"), [(117, False), (118, True)])
def test_neighbours_are_asked_from_the_flicker_told(flicker, asked):
    """In a calm scene, which none with more than 30 1024ths of flicker is but by parameter: 0.115 are 117.8."""
    calm = {"liveliness_low": 0.9999, "liveliness_high": 1.0, "neighbour_lively": 0.115}
    model, background = flickering_model(3, flicker=flicker, **calm)
    alone, _ = flickering_model(3, radius=0)
    frame = shifted(background, 0, 1)
    assert (model.apply(frame, learning_rate=0) != alone.apply(frame, learning_rate=0)).any() == asked


@pytest.mark.parametrize("channels", [1, 3])
def test_evidence_is_the_least_over_the_neighbours(channels):
    """Against a plain search: never more than before, and what the best neighbour leaves plus its penalty."""
    penalty = 0.75
    model, background = flickering_model(channels, neighbour_doubt=penalty, early_doubt=0)
    alone, _ = flickering_model(channels, radius=0, early_doubt=0)
    frame = np.random.default_rng(0).permutation(background.reshape(-1, channels)).reshape(background.shape)
    frame[4:9] = shifted(background, 0, 1)[4:9]
    ours, before = (evidence_of(m, frame) for m in (model, alone))
    # The same frames seen by its neighbours: each pixel's value, tried at every place around it.
    least = np.full(SHAPE, 255.0)
    for y in (-1, 0, 1):
        for x in (-1, 0, 1):
            tried = evidence_of(alone, shifted(frame, y, x)).astype(float)
            least = np.minimum(least, shifted(tried, -y, -x))
    expected = np.where(before > ZERO_BYTE, np.minimum(before, least + 8 * penalty), before)
    inner = slice(1, -1), slice(1, -1)
    enough = ZERO_BYTE - 8 * 4  # an explanation that leaves less ends the search
    assert np.abs(np.maximum(ours, enough) - np.maximum(expected, enough))[inner].max() <= 1
    assert ((ours < before).any(1))[4:9].all()


def test_the_edges_of_the_frame_have_fewer_neighbours():
    """Without wrapping: the left edge does not know the right one, of the row above."""
    model, background = flickering_model(3)
    frame = background.copy()
    frame[1:, 0] = background[:-1, -1]
    alone, _ = flickering_model(3, radius=0)
    asked = alone.apply(frame, learning_rate=0)[2:, 0] == 255
    assert asked.any()
    assert (model.apply(frame, learning_rate=0)[2:, 0] == 255).sum() > 0.5 * asked.sum()


def test_nothing_outside_the_region_explains_anything():
    region = np.zeros(SHAPE, bool)
    region[:, :18] = True
    background = np.full((*SHAPE, 3), (40, 60, 80), np.uint8)
    background[:, 18:] = NEW
    model = BackgroundSubtractor(region=region, compensate_light=False, **{**PER_PIXEL, "neighbour_radius": 2})
    for _ in range(30):
        model.apply(background)
    model = with_flicker(model, 50 / 1024)
    frame = background.copy()
    frame[4:12, 10:18] = NEW
    assert (model.apply(frame, learning_rate=0)[4:12, 10:18] == 255).all()
