"""Objects in hand-made planes, with areas counted on paper."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.outlines import find_objects, mask_of

PICTURE = """
........................
.###....#######.........
.###....#.....#....#....
.###....#.###.#.........
........#.###.#....##...
........#.###.#...##....
..#.....#.....#.........
.#......#######.......##
......................##
"""
PLANE = np.array([[255 * (c == "#") for c in row] for row in PICTURE.split()], np.uint8)
SHAPE = PLANE.shape
# Areas: a block of 9; a ring of 24 with a hole of 25, in which lies a block of 9; specks of 1, 4, 2 (touching by
# corners) and 4.


def areas(min_area, fill_area):
    return sorted(found.area for found in find_objects(PLANE, min_area, fill_area))


def test_areas_are_those_counted():
    assert areas(0, 0) == [1, 2, 4, 4, 9, 9, 24]
    assert np.count_nonzero(PLANE) == 53


@pytest.mark.parametrize(
    ("least", "left"), [(1, 7), (2, 6), (3, 5), (4, 5), (5, 3), (9, 3), (9.5, 1), (24, 1), (25, 0)]
)
def test_objects_below_the_least_area_are_dropped(least, left):
    found = find_objects(PLANE, least, 0)
    assert len(found) == left
    assert all(one.area >= least for one in found)
    assert np.count_nonzero(mask_of(found, SHAPE)) == sum(one.area for one in found)


def test_without_limits_the_mask_is_the_plane():
    mask = mask_of(find_objects(PLANE, 0, 0), SHAPE)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, PLANE)


@pytest.mark.parametrize(("fill_area", "filled"), [(0, False), (25, False), (25.5, True), (100, True)])
def test_holes_below_the_limit_are_filled_and_count_as_area(fill_area, filled):
    """The block within the hole is an object of its own while the hole is open."""
    found = find_objects(PLANE, 10, fill_area)
    assert [one.area for one in found] == [49 if filled else 24]
    mask = mask_of(found, SHAPE)
    assert np.count_nonzero(mask) == (49 if filled else 24)
    assert (mask[1:8, 8:15] == 255).all() == filled


def test_a_hole_that_is_filled_makes_an_object_large_enough():
    assert len(find_objects(PLANE, 49, 30)) == 1
    assert len(find_objects(PLANE, 49, 0)) == 0


def test_the_patch_of_an_object_is_its_mask_in_its_box():
    for one in find_objects(PLANE, 0, 0):
        (rows, columns), inside = one.patch(SHAPE, margin=0)
        whole = np.zeros(SHAPE, np.uint8)
        whole[rows, columns] = inside
        np.testing.assert_array_equal(whole != 0, mask_of([one], SHAPE) != 0)
        assert np.count_nonzero(inside) == one.area
        assert inside.any(0).all()
        assert inside.any(1).all()


def test_a_patch_reaches_beyond_its_object_as_far_as_the_picture_does():
    corner = np.zeros((9, 12), np.uint8)
    corner[:4, 5:8] = 255
    (found,) = find_objects(corner, 0, 0)
    (rows, columns), inside = found.patch(corner.shape, margin=2)
    assert (rows, columns) == (slice(0, 6), slice(3, 10))
    np.testing.assert_array_equal(inside, corner[rows, columns])


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 5)], ids=str)
def test_all_or_nothing(shape):
    assert find_objects(np.zeros(shape, np.uint8), 0, 0) == []
    assert not mask_of([], shape).any()
    (found,) = find_objects(np.full(shape, 255, np.uint8), 0, 0)
    assert found.area == shape[0] * shape[1]
    assert (mask_of([found], shape) == 255).all()


def test_random_plane_against_counting():
    """Without limits nothing is lost; with one, exactly the smaller connected sets."""
    rng = np.random.default_rng(0)
    for share in (0.2, 0.5, 0.8):
        positive = rng.random((30, 40)) < share
        plane = positive.astype(np.uint8)
        np.testing.assert_array_equal(mask_of(find_objects(plane, 0, 0), (30, 40)) != 0, positive)
        sets = connected(positive)
        kept = np.zeros_like(positive)
        for pixels in sets:
            if len(pixels) >= 6:
                kept[tuple(np.transpose(pixels))] = True
        np.testing.assert_array_equal(mask_of(find_objects(plane, 6, 0), (30, 40)) != 0, kept)


def connected(positive):
    """Return lists of pixels that touch, by side or corner."""
    left, sets = {tuple(pixel) for pixel in np.argwhere(positive).tolist()}, []
    while left:
        front = [left.pop()]
        pixels = []
        while front:
            y, x = front.pop()
            pixels.append((y, x))
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            front += near
        sets.append(pixels)
    return sets
