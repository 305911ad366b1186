"""A region of interest in a model: outside nothing is seen and nothing learned; inside nothing else happens."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import MOG2
from bgsub.background.region import region_mask
from bgsub.errors import ParameterError
from tests.background.twins import Mixtures, assert_same_mixtures, mixtures_of
from tests.test_naive import switching_scene

SHAPE = (13, 21)  # its rows begin and end within tiles
FRAMES = switching_scene(40, shape=SHAPE, seed=31)
POLYGONS = [[(2, 1), (18, 3), (12, 11)], [(0, 8), (4, 8), (4, 12)]]


def speckles():
    return np.random.default_rng(0).random(SHAPE) < 0.4


def one_tile_and_a_half():
    mask = np.zeros(SHAPE, np.uint8)
    mask.ravel()[32:56] = 7
    return mask


def last_pixel():
    mask = np.zeros(SHAPE, np.uint8)
    mask[-1, -1] = 1
    return mask


REGIONS = {
    "speckles": speckles(),
    "one tile and a half": one_tile_and_a_half(),
    "the last pixel": last_pixel(),
    "polygons": POLYGONS,
    "arrays of corners": [np.array(polygon) for polygon in POLYGONS],
}


def within(mixtures, inside):
    return Mixtures(*(field[inside.ravel()] for field in mixtures))


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
@pytest.mark.parametrize("precision", ["exact", "compact"])
@pytest.mark.parametrize("channels", [1, 3])
def test_inside_masks_and_state_are_those_of_the_whole_frame_and_outside_nothing_is(region, precision, channels):
    inside = region_mask(region, SHAPE) > 0
    frames = FRAMES if channels == 3 else FRAMES[..., 0]
    whole, part = MOG2(precision=precision), MOG2(precision=precision, region=region)
    for frame in frames:
        np.testing.assert_array_equal(part.apply(frame), np.where(inside, whole.apply(frame), 0))
    for frame in frames[:5]:
        frozen = whole.apply(frame, learning_rate=0)
        np.testing.assert_array_equal(part.apply(frame, learning_rate=0), np.where(inside, frozen, 0))
    assert_same_mixtures(within(mixtures_of(part), inside), within(mixtures_of(whole), inside))
    outside = within(mixtures_of(part), ~inside)
    assert not any(field.any() for field in outside)
    expected = np.where(inside if channels == 1 else inside[..., None], whole.background_image(), 0)
    np.testing.assert_array_equal(part.background_image(), expected)


@pytest.mark.parametrize("rate", [None, 0.0, 0.3, 1.0])
def test_region_and_known_foreground_and_learning_rate_together(rate):
    inside = region_mask(POLYGONS, SHAPE) > 0
    rng = np.random.default_rng(1)
    whole, part = MOG2(), MOG2(region=POLYGONS)
    for t, frame in enumerate(FRAMES):
        known = rng.random(SHAPE) < 0.3
        options = {"learning_rate": rate if t % 3 == 2 else None, "known_foreground": known if t % 2 else None}
        mask = part.apply(frame, **options)
        np.testing.assert_array_equal(mask, np.where(inside, whole.apply(frame, **options), 0), f"frame {t}")
        if t % 2:
            assert (mask[inside & known] == 255).all()
    assert_same_mixtures(within(mixtures_of(part), inside), within(mixtures_of(whole), inside))
    assert not within(mixtures_of(part), ~inside).n_modes.any()


def test_known_foreground_keeps_the_state_of_its_pixels():
    model = MOG2()
    for frame in FRAMES[:20]:
        model.apply(frame)
    for precision in ("bool", "uint8"):
        known = np.random.default_rng(2).random(SHAPE) < 0.5
        before = mixtures_of(model)
        model.apply(FRAMES[20], known_foreground=known.astype(precision))
        after = mixtures_of(model)
        assert_same_mixtures(within(before, known), within(after, known))
        assert np.any(within(before, ~known).weights != within(after, ~known).weights)


def test_known_foreground_of_all_pixels_changes_no_pixel_but_counts_the_frame():
    model = MOG2()
    model.apply(FRAMES[0])
    before = mixtures_of(model)
    assert (model.apply(FRAMES[1], known_foreground=np.ones(SHAPE, bool)) == 255).all()
    assert_same_mixtures(model, before)
    assert model.n_frames == 2


def test_the_given_region_is_copied():
    region = speckles()
    model = MOG2(region=region)
    expected = region.copy()
    region[:] = True
    np.testing.assert_array_equal(model.region, expected)
    assert not model.apply(FRAMES[0])[~expected].any()


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (np.ones((21, 13), bool), r"region has shape \(21, 13\), the frames \(13, 21\)"),
        (np.zeros(SHAPE, bool), "region is empty"),
        ([[(50, 5), (60, 5), (60, 10)]], "region lies outside the frame of 21x13"),
        ([(1, 1), (5, 5), (9, 9)], "give a list of polygons"),
    ],
)
def test_a_region_that_does_not_fit_leaves_the_model_unused(region, message):
    model = MOG2(region=region)
    with pytest.raises(ParameterError, match=message):
        model.apply(FRAMES[0])
    assert (model.shape, model.n_frames) == (None, 0)
    with pytest.raises(ParameterError, match="there is no background yet"):
        model.background_image()
    with pytest.raises(ParameterError, match=message):
        model.apply(FRAMES[0])


def test_a_region_that_fits_the_next_frames_is_used():
    model = MOG2(region=np.ones(SHAPE, bool))
    with pytest.raises(ParameterError, match="region has shape"):
        model.apply(FRAMES[0][:5])
    np.testing.assert_array_equal(model.apply(FRAMES[0]), MOG2().apply(FRAMES[0]))
