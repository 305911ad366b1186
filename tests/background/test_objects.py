"""Smoothed evidence, the objects in it, and what learning is told of them: beside the same by plain pictures."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.codes import FOREGROUND, GHOST, NOBODY, SHADOW, ZERO_BYTE
from bgsub.background.adaptive.flicker import average_flicker, count_above
from bgsub.background.adaptive.kernels import Planes
from bgsub.background.adaptive.marks import Told, drawn_of, forget_rows, near_of, table_of, tell, with_ghosts
from bgsub.background.adaptive.smoothing import box_around, find_positive, mark_active, n_bands, positive_for
from bgsub.background.outlines import find_objects

SHAPES = [(1, 1), (1, 90), (90, 1), (2, 3), (16, 16), (17, 64), (40, 65), (50, 200), (33, 131)]
ISLAND = """
.............
.#########...
.#.......#...
.#.#####.#..#
.#.#####.#...
.#.#####.#.##
.#.......###.
.#########...
"""


def planes_with(evidence, owner):
    """Planes of tiles, and the same as pictures."""
    n = evidence.size
    planes = Planes(*(np.zeros((-(-n // 16), 16), np.uint8) for _ in Planes._fields))
    pictures = Planes(*(plane.reshape(-1)[:n].reshape(evidence.shape) for plane in planes))
    pictures.evidence[...], pictures.owner[...] = evidence, owner
    return planes, pictures


def positive_of(evidence, sigma=0.0, owner=0, value=127):
    """Where a picture of evidence is positive, and its shadows."""
    planes, pictures = planes_with(evidence, owner)
    active = np.zeros(len(planes.evidence), np.uint8)
    mark_active(planes, active, 0, len(active))
    found = positive_for(evidence.shape)
    for plane in (found.plane, found.shadows):
        plane[...] = 9
    frame = (pictures.evidence, pictures.owner), active, sigma, value
    for band in reversed(range(n_bands(evidence.shape))):
        find_positive(*frame, found, band, band + 1)
    return found


def painted(objects, chosen, shape):
    """The mask of some objects."""
    mask = np.zeros(shape, np.uint8)
    for one in itertools.compress(objects, chosen):
        one.paint(255, mask)
    return mask


def filled_by_labels(plane, min_area, fill_area):
    """Area and mask of each object, by numbering all pixels; what does not reach the frame is a hole."""
    n, labels = cv2.connectedComponents(plane.astype(np.uint8), connectivity=8)
    found = []
    for i in range(1, n):
        own = np.pad(labels == i, 1)
        count, beside, stats, _ = cv2.connectedComponentsWithStats((~own).astype(np.uint8), connectivity=4)
        around = beside[0, 0]
        for k in range(1, count):
            if k != around and stats[k, cv2.CC_STAT_AREA] < fill_area:
                own |= beside == k
        if np.count_nonzero(own) >= min_area:
            found.append((np.count_nonzero(own), own[1:-1, 1:-1]))
    return found


def spots(shape, seed, share=0.02, size=7):
    """A plane with spots of some pixels, some of which touch the picture's edges, and noise in one corner."""
    rng = np.random.default_rng(seed)
    plane = cv2.dilate((rng.random(shape) < share).astype(np.uint8), np.ones((size, size // 2 + 1), np.uint8))
    plane[: shape[0] // 3, : shape[1] // 3] ^= (rng.random((shape[0] // 3, shape[1] // 3)) < 0.5).astype(np.uint8)
    return plane


@pytest.mark.parametrize("sigma", [0, 0.3, 0.8, 1.0, 1.5, 2.2, 3.0, 7.7, 20.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_evidence_is_positive_where_the_smoothed_picture_is(shape, sigma):
    rng = np.random.default_rng(shape[1])
    evidence = np.where(spots(shape, 0, 0.05), rng.integers(100, 256, shape), rng.integers(0, 170, shape))
    evidence = evidence.astype(np.uint8)
    width = 2 * int(np.ceil(2 * sigma)) + 1
    smooth = cv2.GaussianBlur(evidence, (width, width), sigma) if sigma else evidence
    found = positive_of(evidence, sigma)
    np.testing.assert_array_equal(found.plane, np.where(smooth > ZERO_BYTE, 255, 0))
    box = found.box()
    outside = found.plane.copy()
    if box is not None:
        outside[box] = 0
    assert not outside.any()


@pytest.mark.parametrize("size", [(40, 64), (40, 65), (3, 16), (70, 33)], ids=str)
@pytest.mark.parametrize("reach", [0, 2, 9])
def test_the_box_is_around_all_that_tiles_with_a_flag_can_reach(size, reach):
    rng = np.random.default_rng(size[1])
    height, width = size
    for share in (0, 0.004, 0.05, 0.5):
        active = np.where(rng.random(-(-height * width // 16)) < share, 1, 2).astype(np.uint8)
        near = np.repeat(active == 1, 16)[: height * width].reshape(size)
        near = cv2.dilate(near.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        for part in (slice(0, height), slice(height // 3, height // 2 + 1), slice(height - 1, height)):
            box = box_around(active, 1, part, reach, size)
            left = near[part].copy()
            if box is not None:
                assert part.start <= box[0].start < box[0].stop <= part.stop
                left[box[0].start - part.start : box[0].stop - part.start, box[1]] = 0
            assert not left.any()
            assert near[part].any() or box is None


def test_where_nothing_is_positive_there_is_no_box():
    evidence = np.full((40, 50), ZERO_BYTE - 5, np.uint8)
    assert positive_of(evidence, 1.5).box() is None
    evidence[20, 7] = 255
    rows, columns = positive_of(evidence, 1.5).box()
    assert rows.start <= 20 < rows.stop
    assert columns.start <= 7 < columns.stop
    assert rows.stop - rows.start < 40


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shadows_are_where_most_pixels_around_are_some(shape):
    owner = np.where(spots(shape, 3, 0.1, 5), SHADOW + 1, 3).astype(np.uint8)
    shadows = positive_of(np.zeros(shape, np.uint8), owner=owner, value=99).shadows
    around = cv2.blur(np.where(owner >= SHADOW, np.uint8(255), np.uint8(0)), (5, 5))
    np.testing.assert_array_equal(shadows, np.where(around > 127, 99, 0))


@pytest.mark.parametrize("value", [1, 90, 255])
def test_shadows_are_where_most_pixels_around_were_explained_as_one(value):
    """Of 5 x 5: 13 are enough, though the one in the middle is none; 12 are not, though it is one."""
    rng = np.random.default_rng(0)
    others = [place for place in np.ndindex(5, 5) if place != (2, 2)]
    for places, expected in ((rng.permutation(others)[:13], value), ([*rng.permutation(others)[:11], (2, 2)], 0)):
        owner = np.full((11, 11), NOBODY, np.uint8)
        for i, (row, column) in enumerate(places):
            owner[3 + row, 3 + column] = SHADOW + i % 3  # which mode it was does not matter
        shadows = positive_of(np.zeros(owner.shape, np.uint8), owner=owner, value=value).shadows
        assert shadows[5, 5] == expected
        assert not shadows[0, 0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("min_area", "fill_area"), [(0, 0), (6, 0), (12, 9), (3, 1e9)])
def test_objects_are_those_of_numbered_pixels(seed, min_area, fill_area):
    shape = (37 + seed, 90)
    plane = spots(shape, seed, 0.004 * (1 + seed % 4), 3 + seed)
    if seed % 3 == 0:
        plane = 1 - plane
    expected = filled_by_labels(plane, min_area, fill_area)
    whole = np.pad(plane, ((3, 4), (5, 6)))
    box = np.s_[3 : 3 + shape[0], 5 : 5 + shape[1]]
    objects = find_objects(whole[box], min_area, fill_area, (5, 3))
    assert sorted(one.area for one in objects) == sorted(area for area, _ in expected)
    masks = {}
    for one in objects:
        mask = painted([one], [True], whole.shape)
        assert np.count_nonzero(mask) == np.count_nonzero(mask[one.box]) == one.area
        corner, inside = one.patch(whole.shape, margin=1)
        np.testing.assert_array_equal(inside, mask[corner])
        masks[mask[box].tobytes()] = one
    assert masks.keys() == {np.where(mask, np.uint8(255), np.uint8(0)).tobytes() for _, mask in expected}


def test_an_object_in_a_hole_is_counted_and_painted_with_what_fills_the_hole():
    plane = np.array([[255 * (character == "#") for character in row] for row in ISLAND.split()], np.uint8)
    open_ring, filled = find_objects(plane, 4, 10), find_objects(plane, 4, 36)
    assert sorted(one.area for one in open_ring) == [15, 32]  # and the speck of 1 is left out
    assert sorted(one.area for one in filled) == [15, 67]
    island, ring = sorted(filled, key=lambda one: one.area)
    whole = painted(filled, [True, True], plane.shape) == 255
    assert whole[1:8, 1:10].all()
    np.testing.assert_array_equal(painted([ring], [True], plane.shape) == 255, whole)
    np.testing.assert_array_equal(np.argwhere(painted([island], [True], plane.shape)).min(axis=0), [3, 3])
    assert np.count_nonzero(painted([island], [True], plane.shape)) == 15
    box, inside = ring.patch(plane.shape, margin=1)
    assert box == (slice(0, 8), slice(0, 13))
    np.testing.assert_array_equal(inside == 255, whole[box])


def test_a_bay_at_the_edge_of_the_picture_is_no_hole():
    plane = np.ones((9, 20), np.uint8)
    plane[3:5, :4] = plane[:2, 10] = plane[8, 15] = plane[2:4, 19] = 0
    plane[4, 9] = 0
    (found,) = find_objects(plane, 0, 1e9)
    assert found.area == 180 - 8 - 2 - 1 - 2
    assert painted([found], [True], plane.shape)[4, 9] == 255


def nested(n):
    """Rings around one another, so far apart that they do not touch, and a dot."""
    size = 4 * n + 1
    distance = np.abs(np.arange(size) - size // 2)
    return np.maximum(distance[:, None], distance) % 2 == 0


@pytest.mark.parametrize("n", [1, 2, 9])
def test_rings_in_rings_are_counted_and_painted_with_all_that_is_in_them(n):
    plane = np.pad(nested(n), 1).astype(np.uint8)
    sides = 2 * np.arange(2 * n, -1, -2) + 1  # outermost first
    rims = [max(1, 4 * side - 4) for side in sides.tolist()]
    for objects, expected in ((find_objects(plane, 0, 1e9), sides**2), (find_objects(plane, 0, 0), rims)):
        assert sorted(one.area for one in objects) == sorted(expected)
        for one in objects:
            assert np.count_nonzero(painted([one], [True], plane.shape)) == one.area


def test_a_spiral_is_one_object_and_its_inside_is_no_hole():
    plane, row, column = np.zeros((21, 21), np.uint8), 10, 10
    for i, length in enumerate(sorted([*range(2, 20, 2)] * 2)):
        for _ in range(length):
            plane[row, column] = 1
            row, column = row + (0, 1, 0, -1)[i % 4], column + (1, 0, -1, 0)[i % 4]
    (found,) = find_objects(plane, 0, 1e9)
    assert found.area == np.count_nonzero(plane)
    np.testing.assert_array_equal(painted([found], [True], plane.shape) != 0, plane != 0)


def test_held_counts_what_was_foreground_in_the_box():
    plane = np.zeros((30, 40), np.uint8)
    plane[4:12, 5:20] = plane[20:23, 30:33] = 1
    mask = np.zeros(plane.shape, np.uint8)
    mask[10:, :] = FOREGROUND
    mask[10, 5:8] = GHOST
    table = table_of(find_objects(plane, 0, 0), mask, 10)
    assert sorted(zip(table.area.tolist(), table.held.tolist(), strict=True)) == [(9, 0), (120, 2 * 15 - 3)]
    assert table_of([], mask, 10).area.tolist() == []


@pytest.mark.parametrize("shape", [(1, 1), (40, 65), (33, 131), (150, 40)], ids=str)
@pytest.mark.parametrize("oldest", [3, 256])
@pytest.mark.parametrize("step", [1, 20], ids=["each band", "all bands"])
def test_what_learning_is_told_of_objects_over_some_frames(shape, oldest, step):
    """Beside the same by pictures: dilation of what is large now, or was in the last frame."""
    rng = np.random.default_rng(4)
    age, rows = np.zeros(shape, np.uint8), np.zeros(shape[0], np.uint8)
    age[shape[0] // 2, shape[1] // 3 :] = 254
    near, mask, before = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), age.copy()
    around = near_of(age)
    forget_rows(rows)
    told, n = Told(rows, around, age, near, mask), n_bands(shape)
    for frame in range(14):
        nothing = 5 <= frame < 9
        plane = np.zeros(shape, np.uint8) if nothing else spots(shape, 20 + frame // 3, 0.006)
        objects = find_objects(plane, 3, 0)
        kept, large, gone = (rng.random(len(objects)) < share for share in (0.8, 0.6, 0.3))
        kept, large, gone = kept & ~gone, large & kept & ~gone, gone
        drawn = drawn_of(objects, kept, large, shape)
        np.testing.assert_array_equal(drawn.kept, painted(objects, kept, shape))
        if gone.any():
            drawn = with_ghosts(drawn, list(itertools.compress(objects, gone)))
        for lo, hi in reversed(list(itertools.pairwise([*range(0, n, step), n]))):
            tell(drawn, oldest, told, lo, hi)
        big = painted(objects, large, shape)
        expected = cv2.dilate(big | before, np.ones((7, 7), np.uint8)) != 0
        before = np.where(big, np.minimum(before, 254) + 1, 0).astype(np.uint8)
        np.testing.assert_array_equal(age, before)
        np.testing.assert_array_equal(near != 0, expected & (before < oldest))
        ghosts = painted(objects, gone, shape) != 0
        np.testing.assert_array_equal(mask, np.where(ghosts, GHOST, painted(objects, kept, shape)))
        assert not (mask | around | near)[rows == 0].any()
    assert rows.any() == bool(plane.any())


@pytest.mark.parametrize("seed", range(4))
def test_objects_are_painted_the_same_by_any_number_of_threads(seed):
    shape = (700, 900)
    plane = spots(shape, seed, 0.001, 21)
    objects = find_objects(plane, 0, 40)
    kept = np.random.default_rng(seed).random(len(objects)) < 0.7
    assert sum(len(one.outlines[0]) for one in itertools.compress(objects, kept)) > 8000  # enough to share
    for large in (kept, kept & (np.arange(len(objects)) % 3 == 0), np.zeros_like(kept)):
        alone, shared = (drawn_of(objects, kept, large, shape, threads) for threads in (1, 4))
        for one, other in ((alone.kept, shared.kept), (alone.large, shared.large), (alone.rows, shared.rows)):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(shared.kept, painted(objects, kept, shape))
        np.testing.assert_array_equal(shared.large, painted(objects, large, shape))


def test_rows_in_which_nothing_is_left_are_left_alone():
    """Two frames after an object its rows are empty: what somebody writes there then stays."""
    shape = (64, 40)
    told = Told(np.zeros(shape[0], np.uint8), *np.zeros((4, *shape), np.uint8))
    plane = np.zeros(shape, np.uint8)
    plane[20:30, 10:20] = 1
    objects = find_objects(plane, 0, 0)
    drawn = drawn_of(objects, np.array([True]), np.array([True]), shape)
    empty = drawn_of([], np.zeros(0, bool), np.zeros(0, bool), shape)
    for one, rows, near in ((drawn, 16, 256), (empty, 16, 256), (empty, 0, 0), (empty, 0, 0)):
        tell(one, 256, told, 0, n_bands(shape))
        assert np.count_nonzero(told.rows) == rows
        assert np.count_nonzero(told.near) == near
    told.near[25] = 7
    tell(empty, 256, told, 0, n_bands(shape))
    assert (told.near[25] == 7).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_flicker_is_averaged_and_counted(shape):
    rng = np.random.default_rng(1)
    flicker = np.where(spots(shape, 7, 0.01), rng.integers(1, 256, shape), 0).astype(np.uint8)
    smooth, counts = np.full(shape, 9, np.uint8), np.full(n_bands(shape), -1, np.int64)
    average_flicker(flicker, smooth, 0, n_bands(shape))
    np.testing.assert_array_equal(smooth, cv2.blur(flicker, (5, 5)))
    count_above(flicker, 30, counts, 0, n_bands(shape))
    assert counts.sum() == np.count_nonzero(flicker > 30)
