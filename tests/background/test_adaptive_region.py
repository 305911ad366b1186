"""A region of interest in the adaptive model: outside nothing is seen, inside only the box around it counts."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.region import region_mask
from bgsub.errors import ParameterError
from tests.background.adaptive_scenes import arrays_of, mixture, walk

SHAPE = (37, 51)
FRAMES = walk(22, shape=SHAPE)
POLYGONS = [[(3, 2), (46, 5), (25, 35)], [(0, 20), (9, 20), (9, 30)]]


def box(top, left, bottom, right):
    mask = np.zeros(SHAPE, np.uint8)
    mask[top:bottom, left:right] = 3
    return mask


REGIONS = {
    "polygons": POLYGONS,
    "arrays of corners": [np.array(polygon) for polygon in POLYGONS],
    "speckles": np.random.default_rng(0).random(SHAPE) < 0.8,
    "a box": box(7, 11, 30, 45),
    "a row": box(15, 0, 16, 51),
    "the last pixel": box(36, 50, 37, 51),
}


def box_of(plane, inside):
    """Cut the part out of a picture that a region reaches."""
    rows, columns = inside.any(1).nonzero()[0], inside.any(0).nonzero()[0]
    return plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_outside_nothing_is_seen_and_nothing_learned(region, channels):
    inside = region_mask(region, SHAPE) > 0
    frames = FRAMES if channels == 3 else [frame[..., 0] for frame in FRAMES]
    model, probability = BackgroundSubtractor(region=region, min_area=3), np.full(SHAPE, 9, np.float32)
    found = np.zeros(SHAPE, bool)
    for t, frame in enumerate(frames):
        mask = model.apply(frame, probability=probability, learning_rate=0 if t % 6 == 5 else None)
        assert not mask[~inside].any()
        assert not probability[~inside].any()
        assert ((probability >= 0) & (probability <= 1)).all()
        found |= mask == 255
        probability[...] = 9
    assert found[inside].any() or inside.sum() == 1
    np.testing.assert_array_equal(arrays_of(model)["weights"][0] > 0, box_of(inside, inside))
    assert not model.background_image()[~inside].any()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("edges", [(7, 11, 30, 45), (0, 0, 20, 51), (16, 17, 37, 51)], ids=str)
def test_a_box_is_the_frame_cropped_to_it(edges, channels):
    """To the bit: masks, probabilities, background and mixture."""
    top, left, bottom, right = edges
    part = slice(top, bottom), slice(left, right)
    frames = FRAMES if channels == 3 else [frame[..., 0] for frame in FRAMES]
    whole, cropped = BackgroundSubtractor(region=box(*edges)), BackgroundSubtractor()
    soft, cropped_soft = np.zeros(SHAPE, np.float32), np.zeros((bottom - top, right - left), np.float32)
    n = 0
    for t, frame in enumerate(frames):
        rate = {7: 0, 11: 0.2, 15: 1}.get(t)
        expected = cropped.apply(np.ascontiguousarray(frame[part]), learning_rate=rate, probability=cropped_soft)
        mask = whole.apply(frame, learning_rate=rate, probability=soft)
        np.testing.assert_array_equal(mask[part], expected)
        np.testing.assert_array_equal(soft[part], cropped_soft)
        n += np.count_nonzero(expected == 255)
    assert n > 100
    np.testing.assert_array_equal(whole.background_image()[part], cropped.background_image())
    for a, b in zip(mixture(whole), mixture(cropped), strict=True):
        np.testing.assert_array_equal(a, b)


def test_known_foreground_counts_within_the_region_only():
    inside = region_mask(POLYGONS, SHAPE) > 0
    known = np.random.default_rng(0).random(SHAPE) < 0.5
    model = BackgroundSubtractor(region=POLYGONS)
    for frame in FRAMES:
        mask = model.apply(frame, known_foreground=known)
        assert (mask[known & inside] == 255).all()
        assert not mask[~inside].any()
    np.testing.assert_array_equal(arrays_of(model)["weights"][0] > 0, box_of(inside & ~known, inside))


def test_a_strided_mask_takes_a_region_too():
    model, other = BackgroundSubtractor(region=POLYGONS), BackgroundSubtractor(region=POLYGONS)
    out = np.full((2 * SHAPE[0], SHAPE[1]), 9, np.uint8)
    for frame in FRAMES:
        model.apply(frame, out=out[::2])
        np.testing.assert_array_equal(out[::2], other.apply(frame))
    assert (out[1::2] == 9).all()


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (np.ones((9, 9), bool), r"region has shape \(9, 9\), the frames \(37, 51\): give a mask of 51x37 pixels"),
        ([[(100, 100), (105, 100), (105, 105)]], "region lies outside the frame of 51x37"),
        (np.zeros(SHAPE, bool), "region"),
    ],
    ids=["another size", "outside", "empty"],
)
def test_a_region_that_does_not_fit_is_refused_by_the_first_frame(region, message):
    model = BackgroundSubtractor(region=region)
    with pytest.raises(ParameterError, match=message):
        model.apply(FRAMES[0])
    assert (model.shape, model.n_frames) == (None, 0)
