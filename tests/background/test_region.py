"""Regions of interest: which pixels are inside, and what is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub.background.region import parse_polygon, region_mask, scaled_region
from bgsub.errors import ParameterError

SHAPE = (30, 40)


def box(x0, y0, x1, y1):
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def box_mask(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, np.uint8)
    mask[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1] = 255
    return mask


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_an_array_is_inside_where_it_is_not_zero(dtype):
    given = np.zeros(SHAPE, dtype)
    given[3:5, 6:9] = 1
    before = given.copy()
    mask = region_mask(given, SHAPE)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, box_mask(6, 3, 8, 4))
    mask[:] = 0
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("corners", [(5, 7, 12, 20), (-10, -10, 12, 20), (5, 7, 90, 90), (-1e6, -1e6, 1e6, 1e6)])
def test_a_box_includes_its_outline_and_is_cut_at_the_frame(corners):
    expected = box_mask(*(int(c) for c in corners))
    np.testing.assert_array_equal(region_mask([box(*corners)], SHAPE), expected)
    np.testing.assert_array_equal(region_mask([np.array(box(*corners))], SHAPE), expected)


def test_corners_between_pixels_reach_to_the_nearest_ones():
    np.testing.assert_array_equal(region_mask([box(4.6, 6.7, 12.4, 20.3)], SHAPE), box_mask(5, 7, 12, 20))


def test_a_triangle_has_the_pixels_of_its_half_planes():
    mask = region_mask([[(0, 0), (20, 20), (0, 20)]], SHAPE)
    y, x = np.indices(SHAPE)
    np.testing.assert_array_equal(mask > 0, (x <= y) & (y <= 20))


def test_overlapping_polygons_are_united():
    first, second = (2, 2, 20, 20), (10, 10, 30, 25)
    expected = box_mask(*first) | box_mask(*second)
    np.testing.assert_array_equal(region_mask([box(*first), box(*second)], SHAPE), expected)
    np.testing.assert_array_equal(region_mask([box(*first), box(*first)], SHAPE), box_mask(*first))


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (
            np.ones((40, 30), bool),
            r"region has shape \(40, 30\), the frames \(30, 40\): give a mask of 40x30 pixels",
        ),
        (np.ones((30, 40, 3), np.uint8), r"region has shape \(30, 40, 3\)"),
        (np.ones(SHAPE, np.float32), "region has dtype float32: give a mask of bool or uint8"),
        (np.zeros(SHAPE, bool), "region is empty: no pixel is inside"),
        ([], "region is empty: no pixel is inside"),
        (
            [box(50, 5, 60, 10)],
            "region lies outside the frame of 40x30: polygon 50,5 60,5 60,10 50,10 covers no",
        ),
        ([box(1, 1, 5, 5), box(-9, -9, -1, -1)], "region lies outside the frame of 40x30: polygon -9,-9"),
        (
            [[(45, 29), (45, 45), (20, 45)]],
            "region lies outside the frame of 40x30",
        ),  # only its bounding box meets it
        ([[(1, 1), (5, 5)]], "polygon '1,1 5,5' has 2 corners: a region needs at least 3"),
        ([[]], "polygon '' has 0 corners"),
        ([[(1, 1), (5, float("nan")), (5, 9)]], "polygon corner 5,nan is out of range"),
        ([[(1, 1), (5, float("inf")), (5, 9)]], "polygon corner 5,inf is out of range"),
        ([[(1, 1), (5, 1e7), (5, 9)]], r"polygon corner 5,1e\+07 is out of range: give finite pixels within"),
        (box(1, 1, 5, 5), r"polygon \(1, 1\): give a list of polygons, each a list of corners"),
        ([[(1, 1, 1), (5, 5, 1), (9, 9, 1)]], "give a list of polygons, each a list of corners"),
        ([[("a", 1), (5, 5), (9, 9)]], "give a list of polygons, each a list of corners"),
        ([7], "give a list of polygons"),
    ],
)
def test_what_is_no_region_is_refused(region, message):
    with pytest.raises(ParameterError, match=message):
        region_mask(region, SHAPE)


def test_parse_polygon():
    assert parse_polygon("10,10 200,10 200,150") == [(10, 10), (200, 10), (200, 150)]
    assert parse_polygon("  -1.5,2e1\t3,4\n5,6 ") == [(-1.5, 20), (3, 4), (5, 6)]
    assert parse_polygon("1, 2 3 ,4 5,6") == parse_polygon("1,2;3,4; 5,6") == [(1, 2), (3, 4), (5, 6)]


@pytest.mark.parametrize("text", ["3,5,4,2", " 3, 5, 4, 2 ", "3,5,4,2;"])
def test_a_rectangle_holds_as_many_pixels_as_it_says(text):
    inside = region_mask([parse_polygon(text)], SHAPE)
    assert np.argwhere(inside).min(axis=0).tolist() == [5, 3]
    assert np.argwhere(inside).max(axis=0).tolist() == [6, 6]
    assert np.count_nonzero(inside) == 8


def test_a_rectangle_of_one_pixel():
    assert np.argwhere(region_mask([parse_polygon("3,5,1,1")], SHAPE)).tolist() == [[5, 3]]


@pytest.mark.parametrize(("before", "after"), [((64, 48), (32, 24)), ((64, 48), (16, 12)), ((63, 47), (20, 15))])
def test_a_region_is_scaled_with_the_frames(before, after):
    """A polygon, and the mask of it, cover what the picture of the region, scaled as frames are, shows white."""
    polygon = [(8.0, 8.0), (55.0, 8.0), (55.0, 39.0), (8.0, 39.0)]
    whole = region_mask([polygon], before[::-1])
    seen = cv2.resize(whole, after, interpolation=cv2.INTER_AREA)
    from_mask = scaled_region(whole, before, after)
    np.testing.assert_array_equal(from_mask, np.where(seen >= 128, 255, 0))
    from_polygon = region_mask(scaled_region([polygon], before, after), after[::-1])
    assert (from_polygon[seen == 255] == 255).all()
    assert not from_polygon[seen == 0].any()
    np.testing.assert_array_equal(scaled_region(from_mask, before, after), from_mask)  # it has the frames' size already


def test_a_scaled_region_that_does_not_fit():
    with pytest.raises(ParameterError, match="region has 9x8 pixels: give a mask of 64x48 or 32x24, the source's or"):
        scaled_region(np.ones((8, 9), np.uint8), (64, 48), (32, 24))
    with pytest.raises(ParameterError, match="outside the frame of 64x48: polygon 70,5 90,5 90,9"):
        scaled_region([[(70, 5), (90, 5), (90, 9)]], (64, 48), (32, 24))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "polygon '' has 0 corners"),
        ("1,2 3,4", "polygon '1,2 3,4' has 2 corners: a region needs at least 3"),
        (
            "1,2 3 4,5",
            "cannot read the region '1,2 3 4,5': write x,y in pixels for each corner, as in \"10,10",
        ),
        ("1,2 3,4,5 6,7", "cannot read the region"),
        ("0 120 384 288", "cannot read the region '0 120 384 288': write x,y in pixels .*, or x,y,width,height"),
        ("10:10:50:50", "cannot read the region"),
        ("50x50+10+10", "cannot read the region"),
        ("1,2,3", "cannot read the region"),
        ("1,2,3,4,5", "cannot read the region"),
        ("10,10,0,5", "rectangle 10,10,0,5 is empty: write x,y,width,height"),
        ("10,10,5,-5", "rectangle 10,10,5,-5 is empty"),
        ("10,10,nan,5", "rectangle 10,10,nan,5 is empty"),
        ("inf,10,4,5", "polygon corner inf,10 is out of range"),
        ("a,b c,d e,f", "cannot read the region"),
        ("1,2 3,nan 5,6", "polygon corner 3,nan is out of range"),
    ],
)
def test_parse_polygon_refuses(text, message):
    with pytest.raises(ParameterError, match=message):
        parse_polygon(text)
