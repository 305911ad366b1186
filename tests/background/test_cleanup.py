"""Mask clean-up: properties on random masks, exact areas against labelled pixels, and bad input."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub.background.cleanup import Cleanup, clean
from bgsub.errors import ParameterError

STEPS = [
    {"open": 2},
    {"open": 3},
    {"open": 6},
    {"close": 2},
    {"close": 5},
    {"min_area": 7},
    {"fill": True},
    {"fill": True, "min_area": 12},
    {"shadows": False},
]


def random_masks(n=40, seed=0):
    """Masks of many sizes and densities, from specks to a full frame with holes, some of shadow."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        height, width = rng.integers(1, 40, 2)
        coarse = rng.random((height // 3 + 1, width // 3 + 1)) < rng.uniform(0.1, 0.9)
        plane = np.kron(coarse, np.ones((3, 3), bool))[:height, :width]
        plane ^= rng.random((height, width)) < rng.uniform(0, 0.4)
        shadow = rng.random((height, width)) < 0.2
        yield np.where(plane, np.where(shadow, 127, 255), 0).astype(np.uint8)


def labelled(mask):
    """Return each foreground pixel's object (0 for none) and each object's number of pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((mask == 255).astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return labels, areas


def with_holes_filled(mask):
    """Foreground and all background that cannot be reached from outside by steps along rows and columns."""
    outside = np.pad((mask != 255).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(outside, None, (0, 0), 2, flags=4)
    return np.where(outside[1:-1, 1:-1] == 2, 0, 255).astype(np.uint8)


def drawing(*rows):
    return np.array([[{"#": 255, "+": 127, ".": 0}[pixel] for pixel in row] for row in rows], np.uint8)


@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_cleaning_twice_is_cleaning_once(steps):
    for mask in random_masks():
        before = mask.copy()
        once = clean(mask, **steps)
        np.testing.assert_array_equal(mask, before)
        assert (once.dtype, once.shape) == (np.uint8, mask.shape)
        assert not np.shares_memory(once, mask)
        np.testing.assert_array_equal(clean(once, **steps), once)


@pytest.mark.parametrize("diameter", range(2, 8))
def test_opening_only_takes_and_closing_only_gives(diameter):
    for mask in random_masks():
        foreground = mask == 255
        opened = clean(mask, open=diameter, shadows=False) == 255
        closed = clean(mask, close=diameter, shadows=False) == 255
        assert not np.any(opened & ~foreground)
        assert not np.any(foreground & ~closed)


def test_opening_removes_what_is_narrower_and_keeps_what_is_not():
    mask = np.zeros((40, 40), np.uint8)
    mask[3:7, 3:30] = 255
    mask[15:30, 10:30] = 255
    for diameter, lines_left in [(3, 4), (4, 4), (5, 0), (6, 0)]:
        opened = clean(mask, open=diameter)
        assert np.any(opened[:10], axis=1).sum() == lines_left
        assert opened[15:30, 20].all()


def test_closing_joins_what_is_nearer():
    mask = np.zeros((20, 40), np.uint8)
    mask[5:15, 5:15] = mask[5:15, 18:30] = 255  # a gap of 3 columns
    assert not clean(mask, close=3)[10, 15:18].any()
    assert clean(mask, close=5)[10, 15:18].all()


@pytest.mark.parametrize("min_area", [2, 3, 10, 40])
def test_min_area_counts_pixels_exactly(min_area):
    for mask in random_masks(120, seed=min_area):
        labels, areas = labelled(mask)
        expected = np.where(areas[labels] >= min_area, 255, 0)
        np.testing.assert_array_equal(clean(mask, min_area=min_area, shadows=False), expected)


def test_min_area_by_hand():
    mask = drawing(
        "##...####.",
        "......##..",  # 6 pixels
        "#.........",
        ".#...####.",
        "..#..#..#.",  # a ring of 10 around a hole of 2
        ".....####.",
    )
    sizes = {2: (0, 0), 6: (0, 5), 3: (2, 0), 10: (3, 5)}
    for min_area in range(12):
        cleaned = clean(mask, min_area=min_area)
        for size, corner in sizes.items():
            assert (cleaned[corner] == 255) == (size >= min_area), (min_area, size)
        assert not cleaned[4, 6]
    assert clean(mask, fill=True, min_area=12)[4, 5:9].all()
    assert not clean(mask, fill=True, min_area=13).any()


def test_a_large_object_in_the_hole_of_a_thin_ring_outlives_it():
    mask = np.zeros((30, 30), np.uint8)
    cv2.rectangle(mask, (2, 2), (27, 27), 255, 1)  # 100 pixels
    mask[8:22, 8:22] = 255  # 196 pixels
    expected = mask.copy()
    cv2.rectangle(expected, (2, 2), (27, 27), 0, 1)
    np.testing.assert_array_equal(clean(mask, min_area=100), mask)
    np.testing.assert_array_equal(clean(mask, min_area=101), expected)
    assert not clean(mask, min_area=197).any()


def test_fill_fills_every_hole_and_keeps_the_objects():
    for mask in random_masks(120, seed=1):
        np.testing.assert_array_equal(clean(mask, fill=True, shadows=False), with_holes_filled(mask))


def test_the_steps_come_in_order():
    for mask in random_masks(60, seed=2):
        in_turn = mask
        for step in ({"open": 3}, {"close": 4}, {"fill": True}, {"min_area": 9}):
            in_turn = clean(in_turn, shadows=False, **step)
        both = clean(mask, open=3, close=4, fill=True, min_area=9, shadows=False)
        np.testing.assert_array_equal(both, in_turn)


@pytest.mark.parametrize("steps", STEPS[:-1], ids=str)
def test_shadows_are_kept_where_there_is_room_and_never_seen(steps):
    for mask in random_masks():
        foreground = np.where(mask == 255, mask, 0)
        alone = clean(foreground, **steps)
        expected = np.where(alone == 255, 255, np.where(mask == 127, 127, 0))
        np.testing.assert_array_equal(clean(mask, **steps), expected)
        np.testing.assert_array_equal(clean(mask, shadows=False, **steps), alone)


def test_a_frame_of_one_pixel():
    every_step = Cleanup(open=9, close=9, min_area=1, fill=True)
    for value in (0, 127, 255):
        assert every_step(np.full((1, 1), value, np.uint8)) == value
    assert clean(np.full((1, 1), 255, np.uint8), min_area=2) == 0


def test_strided_views_and_read_only_masks():
    mask = next(random_masks(1, seed=4)).repeat(2, 0).repeat(2, 1)
    view = mask[::2, ::-2]
    view.flags.writeable = False
    np.testing.assert_array_equal(clean(view, open=3), clean(view.copy(), open=3))


def test_is_identity():
    assert Cleanup().is_identity
    assert Cleanup(open=1, close=1, min_area=1).is_identity
    for step in STEPS:
        assert not Cleanup(**step).is_identity
    mask = next(random_masks(1))
    np.testing.assert_array_equal(Cleanup()(mask), mask)
    assert not np.shares_memory(Cleanup()(mask), mask)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"open": -1}, "open=-1: give a whole number of pixels, 0 to 255"),
        ({"open": 256}, "open=256: give a whole number of pixels, 0 to 255"),
        ({"close": 2.5}, "close=2.5: give a whole number of pixels"),
        ({"close": True}, "close=True: give a whole number"),
        ({"min_area": -3}, "min_area=-3: give a whole number of pixels, 0 or more"),
        ({"min_area": "9"}, "min_area='9': give"),
    ],
)
def test_parameters_out_of_bounds(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Cleanup(**parameters)
    with pytest.raises(ParameterError, match=message):
        clean(np.zeros((3, 3), np.uint8), **parameters)


@pytest.mark.parametrize("mask", [np.zeros((3, 3), bool), np.zeros((3, 3, 3), np.uint8), np.zeros((0, 3), np.uint8)])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ParameterError, match=r"cannot clean a mask of shape .* give one of uint8"):
        clean(mask, open=3)
