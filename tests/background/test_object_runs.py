"""Runs of smoothed evidence, the objects that they make, and how these are painted: beside OpenCV's pictures."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.codes import FOREGROUND, GHOST, NOBODY, SHADOW, ZERO_BYTE
from bgsub.background.adaptive.flicker import average_flicker, count_above
from bgsub.background.adaptive.kernels import Planes
from bgsub.background.adaptive.marks import Spans, Told, filled_rows, near_of, paint, tell
from bgsub.background.adaptive.objects import objects_of
from bgsub.background.adaptive.runs import find_runs, mark_active, n_bands, runs_for
from bgsub.background.outlines import find_objects, mask_of

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


def runs_of(evidence, sigma=0.0, owner=0, value=127):
    """The runs of a picture of evidence, and its shadows."""
    planes, pictures = planes_with(evidence, owner)
    active = np.zeros(len(planes.evidence), np.uint8)
    mark_active(planes, active, 0, len(active))
    runs, shadows = runs_for(evidence.shape), np.full(evidence.shape, 9, np.uint8)
    frame = (pictures.evidence, pictures.owner), active, sigma, value
    for band in reversed(range(n_bands(evidence.shape))):
        find_runs(*frame, runs, shadows, band, band + 1)
    return runs, shadows


def painted(found, rows):
    """The mask of some objects."""
    mask = np.zeros(found.size, np.uint8)
    paint(found.spans(rows), 0, 255, mask)
    return mask


def evidence_of(plane):
    return np.where(plane, ZERO_BYTE + 30, ZERO_BYTE - 40).astype(np.uint8)


def found_in(plane, min_area=0, fill_area=0):
    return objects_of(runs_of(evidence_of(plane))[0], plane.shape, min_area, fill_area)


def spots(shape, seed, share=0.02, size=7):
    """A plane with spots of some pixels, some of which touch the picture's edges, and noise in one corner."""
    rng = np.random.default_rng(seed)
    plane = cv2.dilate((rng.random(shape) < share).astype(np.uint8), np.ones((size, size // 2 + 1), np.uint8))
    plane[: shape[0] // 3, : shape[1] // 3] ^= (rng.random((shape[0] // 3, shape[1] // 3)) < 0.5).astype(np.uint8)
    return plane


@pytest.mark.parametrize("sigma", [0, 0.3, 0.8, 1.0, 1.5, 2.2, 3.0, 7.7, 20.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_runs_are_where_the_smoothed_picture_is_positive(shape, sigma):
    rng = np.random.default_rng(shape[1])
    evidence = np.where(spots(shape, 0, 0.05), rng.integers(100, 256, shape), rng.integers(0, 170, shape))
    evidence = evidence.astype(np.uint8)
    width = 2 * int(np.ceil(2 * sigma)) + 1
    smooth = cv2.GaussianBlur(evidence, (width, width), sigma) if sigma else evidence
    found = objects_of(runs_of(evidence, sigma)[0], shape, 0, 0)
    np.testing.assert_array_equal(painted(found, np.arange(len(found.rows))) == 255, smooth > ZERO_BYTE)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shadows_are_where_most_pixels_around_are_some(shape):
    owner = np.where(spots(shape, 3, 0.1, 5), SHADOW + 1, 3).astype(np.uint8)
    _, shadows = runs_of(np.zeros(shape, np.uint8), owner=owner, value=99)
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
        _, shadows = runs_of(np.zeros(owner.shape, np.uint8), owner=owner, value=value)
        assert shadows[5, 5] == expected
        assert not shadows[0, 0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("min_area", "fill_area"), [(0, 0), (6, 0), (12, 9), (3, 1e9)])
def test_objects_are_those_of_their_outlines(seed, min_area, fill_area):
    shape = (37 + seed, 90)
    plane = spots(shape, seed, 0.004 * (1 + seed % 4), 3 + seed)
    if seed % 3 == 0:
        plane = 1 - plane
    found = found_in(plane, min_area, fill_area)
    table = found.table(np.zeros(shape, np.uint8), 0)
    expected = find_objects(plane, min_area, fill_area)
    assert sorted(table.area.tolist()) == sorted(one.area for one in expected)
    boxes = sorted((found.box(row) for row in range(len(found.rows))), key=str)
    assert boxes == sorted((one.box for one in expected), key=str)
    union = np.zeros(shape, np.uint8)
    for one in expected:
        union |= mask_of([one], shape)
    np.testing.assert_array_equal(painted(found, np.ones(len(found.rows), bool)), union)


def test_an_object_in_a_hole_is_counted_and_painted_with_what_fills_the_hole():
    plane = np.array([[character == "#" for character in row] for row in ISLAND.split()])
    open_ring, filled = found_in(plane, 4, 10), found_in(plane, 4, 36)
    assert sorted(open_ring.components.area[open_ring.rows].tolist()) == [15, 32]  # and the speck of 1 is left out
    assert sorted(filled.components.area[filled.rows].tolist()) == [15, 67]
    ring = int(np.argmax(filled.components.area[filled.rows]))
    island = 1 - ring
    whole = painted(filled, np.arange(2)) == 255
    assert whole[1:8, 1:10].all()
    np.testing.assert_array_equal(painted(filled, np.array([ring])) == 255, whole)
    np.testing.assert_array_equal(np.argwhere(painted(filled, np.array([island]))).min(axis=0), [3, 3])
    assert np.count_nonzero(painted(filled, np.array([island]))) == 15
    assert np.count_nonzero(painted(open_ring, np.array([ring]))) == 32
    box, inside = filled.patch(ring, margin=1)
    assert box == (slice(0, 8), slice(0, 13))
    np.testing.assert_array_equal(inside == 255, whole[box])


def test_a_bay_at_the_edge_of_the_picture_is_no_hole():
    plane = np.ones((9, 20), bool)
    plane[3:5, :4] = plane[:2, 10] = plane[8, 15] = plane[2:4, 19] = False
    plane[4, 9] = False
    found = found_in(plane, 0, 1e9)
    assert found.components.area[found.rows].tolist() == [180 - 8 - 2 - 1 - 2]
    assert painted(found, np.array([0]))[4, 9] == 255


def nested(n):
    """Rings around one another, so far apart that they do not touch, and a dot."""
    size = 4 * n + 1
    distance = np.abs(np.arange(size) - size // 2)
    return np.maximum(distance[:, None], distance) % 2 == 0


@pytest.mark.parametrize("n", [1, 2, 9])
def test_rings_in_rings_are_counted_and_painted_with_all_that_is_in_them(n):
    plane = np.pad(nested(n), 1)
    open_rings, filled = found_in(plane, 0, 0), found_in(plane, 0, 1e9)
    sides = 4 * np.arange(2 * n, -1, -2) // 2 + 1  # outermost first
    assert filled.components.area[filled.rows].tolist() == (sides**2).tolist()
    assert open_rings.components.area[open_rings.rows].tolist() == [max(1, 4 * side - 4) for side in sides.tolist()]
    for row, side in enumerate(sides.tolist()):
        assert np.count_nonzero(painted(filled, np.array([row]))) == side**2
        assert np.count_nonzero(painted(open_rings, np.array([row]))) == max(1, 4 * side - 4)


def test_a_spiral_is_one_object_and_its_inside_is_no_hole():
    plane, row, column = np.zeros((21, 21), bool), 10, 10
    for i, length in enumerate(sorted([*range(2, 20, 2)] * 2)):
        for _ in range(length):
            plane[row, column] = True
            row, column = row + (0, 1, 0, -1)[i % 4], column + (1, 0, -1, 0)[i % 4]
    found = found_in(plane, 0, 1e9)
    assert found.components.area[found.rows].tolist() == [np.count_nonzero(plane)]
    np.testing.assert_array_equal(painted(found, np.array([0])) != 0, plane)


def test_of_runs_that_reach_both_ends_of_a_row_only_those_that_touch_are_one():
    plane = np.zeros((4, 6), bool)
    plane[0, 4:] = plane[1, :4] = True  # at a corner
    plane[2, 5] = plane[3, :4] = True  # beside nothing
    found = found_in(plane)
    assert sorted(found.components.area[found.rows].tolist()) == [1, 4, 6]


def test_held_counts_what_was_foreground_in_the_box():
    plane = np.zeros((30, 40), bool)
    plane[4:12, 5:20] = plane[20:23, 30:33] = True
    mask = np.zeros(plane.shape, np.uint8)
    mask[10:, :] = FOREGROUND
    mask[10, 5:8] = GHOST
    assert found_in(plane).table(mask, 10).held.tolist() == [2 * 15 - 3, 0]


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
    rows[...] = filled_rows(mask, around)
    told, n = Told(rows, around, age, near, mask), n_bands(shape)
    for frame in range(8):
        plane = spots(shape, 20 + frame // 3, 0.006) if frame != 5 else np.zeros(shape, np.uint8)
        found = found_in(plane, 3)
        kept, large, gone = (rng.random(len(found.rows)) < share for share in (0.8, 0.6, 0.3))
        large &= kept
        spans = Spans(*map(found.spans, (kept, gone, large)))
        for lo, hi in reversed(list(itertools.pairwise([*range(0, n, step), n]))):
            tell(spans, oldest, told, lo, hi)
        big = painted(found, large)
        expected = cv2.dilate(big | before, np.ones((7, 7), np.uint8)) != 0
        before = np.where(big, np.minimum(before, 254) + 1, 0).astype(np.uint8)
        np.testing.assert_array_equal(age, before)
        np.testing.assert_array_equal(near != 0, expected & (before < oldest))
        ghosts = painted(found, gone) != 0
        np.testing.assert_array_equal(mask, np.where(ghosts, GHOST, painted(found, kept)))
        np.testing.assert_array_equal(rows != 0, (mask | around).any(axis=1))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_flicker_is_averaged_and_counted(shape):
    rng = np.random.default_rng(1)
    flicker = np.where(spots(shape, 7, 0.01), rng.integers(1, 256, shape), 0).astype(np.uint8)
    smooth, counts = np.full(shape, 9, np.uint8), np.full(n_bands(shape), -1, np.int64)
    average_flicker(flicker, smooth, 0, n_bands(shape))
    np.testing.assert_array_equal(smooth, cv2.blur(flicker, (5, 5)))
    count_above(flicker, 30, counts, 0, n_bands(shape))
    assert counts.sum() == np.count_nonzero(flicker > 30)
