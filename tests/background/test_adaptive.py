"""`bgsub.BackgroundSubtractor`: what holds for every frame, frozen, restarted, with probabilities and known objects."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.errors import ParameterError
from tests.background.adaptive_scenes import PER_PIXEL, calm, mixture, seen, square, walk, wall, with_square
from tests.background.twins import stored
from tests.test_naive import switching_scene

FRAMES = walk(24)


def trained(frames=FRAMES, **parameters):
    model = BackgroundSubtractor(**parameters)
    for frame in frames:
        model.apply(frame)
    return model


# --------------------------------------------------------------------------------------------------------- invariants


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("rates", [(None,), (0.4, None), (0.01,)], ids=str)
def test_weights_and_variances_stay_in_bounds(channels, rates):
    bounds = {"var_min_y": 9.0, "var_min_c": 5.0, "var_max": 30.0, "var_init_y": 20.0, "var_init_c": 12.0}
    model = BackgroundSubtractor(history=15, var_stretch=2.0, **bounds)
    for t, frame in enumerate(switching_scene(40, shape=(7, 9), channels=channels, n_colours=6, seed=2)):
        model.apply(frame, learning_rate=rates[t % len(rates)])
        weights, modes = mixture(model)
        assert (weights >= 0).all()
        assert (weights.sum(1) <= 1 + 1e-5).all()
        assert (np.diff(weights, axis=1) <= 0).all(), "heaviest first"
        alive = weights > 0
        assert alive[:, 0].all()
        highest = 30 * (1 + 2.0 * 0.25)  # flicker is bounded by 1/4
        assert ((modes[..., 0] >= 9) & (modes[..., 0] <= highest))[alive].all()
        if channels == 3:
            assert ((modes[..., 2] >= 5) & (modes[..., 2] <= highest))[alive].all()
    assert (alive.sum(1) > 2).any()


def test_weights_sum_to_1_while_there_is_room_for_every_colour():
    model = BackgroundSubtractor(n_components=16, history=20)
    for frame in switching_scene(40, shape=(5, 9), n_colours=3, seed=3) // 60 * 60:
        model.apply(frame)
        np.testing.assert_allclose(mixture(model)[0].sum(1), 1, atol=1e-5)


def test_evidence_falls_as_a_pixel_nears_the_background():
    model, picture = BackgroundSubtractor(compensate_light=False, **PER_PIXEL), np.full((6, 9), 120, np.uint8)
    for _ in range(30):
        model.apply(picture)
    probability, before = np.zeros((6, 9), np.float32), np.ones((6, 9))
    for distance in (60, 30, 22, 18, 12, 5, 0):
        for sign in (-1, 1):
            model.apply(picture + np.int8(sign * distance).astype(np.uint8), learning_rate=0, probability=probability)
            assert (probability <= before).all()
        before = probability.copy()
    assert probability.max() < 0.01


def test_the_first_frame_has_no_foreground():
    for frame in (FRAMES[20], FRAMES[20][..., 0], np.zeros((1, 1), np.uint8)):
        probability = np.full(frame.shape[:2], 9, np.float32)
        mask = BackgroundSubtractor().apply(frame, probability=probability)
        assert (mask.dtype, mask.shape) == (np.uint8, frame.shape[:2])
        assert not mask.any()
        assert (probability < 0.01).all()


def test_a_square_is_found():
    rng, background = np.random.default_rng(0), wall()
    model = BackgroundSubtractor()
    assert not calm(model, background, 30, rng).any()
    for left in (10, 25, 50):
        truth = square(background.shape, 20, left)
        mask = model.apply(seen(with_square(background, 20, left), rng))
        found = mask == 255
        assert not found[~square(background.shape, 17, left - 3, 20)].any()
        assert np.count_nonzero(found & truth) > 0.8 * np.count_nonzero(truth)


def test_the_background_image_is_the_wall():
    rng, background = np.random.default_rng(0), wall(level=(60, 180))
    model = BackgroundSubtractor()
    calm(model, background, 30, rng)
    model.apply(seen(with_square(background, 20, 30), rng))
    assert np.abs(model.background_image() - background).mean() < 2
    grey = BackgroundSubtractor()
    calm(grey, background[..., 1], 30, rng)
    assert grey.background_image().shape == (60, 80)
    assert np.abs(grey.background_image() - background[..., 1]).mean() < 2


def test_there_is_no_background_image_before_the_first_frame():
    with pytest.raises(ParameterError, match=r"there is no background yet: apply\(\) a frame first"):
        BackgroundSubtractor().background_image()


# -------------------------------------------------------------------------------------------- frozen and restarted


@pytest.mark.parametrize("channels", [1, 3])
def test_a_frozen_model_does_not_change(channels):
    frames = walk(24, channels=channels)
    model = trained(frames[:15])
    before, masks = stored(model), []
    for frame in frames[15:]:
        masks.append(model.apply(frame, learning_rate=0))
        assert stored(model) == before
    again = [model.apply(frame, learning_rate=0) for frame in frames[15:]]
    np.testing.assert_array_equal(again, masks)
    assert (np.stack(masks) == 255).any()


def test_frozen_frames_leave_no_trace():
    model, other = trained(FRAMES[:15]), trained(FRAMES[:15])
    for frame in FRAMES[15:]:
        model.apply(255 - frame, learning_rate=0)
        model.apply(frame, learning_rate=0)
        np.testing.assert_array_equal(model.apply(frame), other.apply(frame))
    assert stored(model) == stored(other)


def swaying(n_frames, shape=(72, 92)):
    rng, background = np.random.default_rng(9), wall((84, 104), seed=9, level=(20, 235))
    for t in range(n_frames):
        y, x = round(6 + 3 * np.sin(1.3 * t)), round(6 + 3 * np.cos(0.9 * t))
        yield seen(background[y : y + shape[0], x : x + shape[1]], rng)


PASTS = {
    "grey": [255 - frame[..., 0] for frame in FRAMES],
    "colour": [255 - frame for frame in FRAMES],
    "a camera that shook": list(swaying(12)),
}


@pytest.mark.parametrize("past", PASTS.values(), ids=PASTS)
def test_rate_1_restarts(past):
    """To the bit: nothing of what was learned before is left."""
    frames = walk(24, past[0].shape[:2], 3 if past[0].ndim == 3 else 1)
    model, new = trained(past), BackgroundSubtractor()
    assert not model.apply(frames[0], learning_rate=1).any()
    new.apply(frames[0])
    assert model.n_frames == 1
    np.testing.assert_array_equal(model.background_image(), new.background_image())
    for frame in frames[1:]:
        np.testing.assert_array_equal(model.apply(frame), new.apply(frame))


def test_rate_0_before_the_first_frame_leaves_nothing_behind():
    model = BackgroundSubtractor()
    assert not model.apply(FRAMES[0], learning_rate=0).any()
    assert (model.shape, model.n_frames) == (None, 0)
    model.apply(FRAMES[0][..., 0])
    assert model.shape == FRAMES[0].shape[:2]


def test_reset_forgets_the_shape_and_keeps_the_parameters():
    model = trained(history=33)
    model.reset()
    assert (model.shape, model.n_frames, model.parameters["history"]) == (None, 0, 33)
    assert stored(trained(history=33)) == stored_after(model, FRAMES)


def stored_after(model, frames):
    for frame in frames:
        model.apply(frame)
    return stored(model)


# -------------------------------------------------------------------------------------------------------- probability


@pytest.mark.parametrize("channels", [1, 3])
def test_the_probability_is_high_on_objects_and_low_elsewhere(channels):
    rng, background = np.random.default_rng(0), wall(channels=channels)
    model, probability = BackgroundSubtractor(), np.full((60, 80), np.nan, np.float32)
    calm(model, background, 30, rng)
    mask = model.apply(seen(with_square(background, 20, 30), rng), probability=probability)
    assert (probability >= 0).all()
    assert (probability <= 1).all()
    assert np.median(probability[22:32, 32:42]) > 0.99
    assert np.median(probability[~square((60, 80), 16, 26, 22)]) < 0.01
    assert (probability[mask == 0] < 0.5).mean() > 0.99


def test_the_probability_does_not_change_the_mask():
    model, other, probability = BackgroundSubtractor(), BackgroundSubtractor(), np.zeros((40, 52), np.float32)
    for frame in FRAMES:
        np.testing.assert_array_equal(model.apply(frame, probability=probability), other.apply(frame))
    assert stored(model) == stored(other)


def test_without_spatial_steps_the_mask_is_where_the_probability_is_above_one_half():
    model, probability = BackgroundSubtractor(detect_shadows=False, **PER_PIXEL), np.zeros((40, 52), np.float32)
    for t, frame in enumerate(FRAMES):
        mask = model.apply(frame, probability=probability)
        if t > 5:
            np.testing.assert_array_equal(mask == 255, probability > 0.5)
    assert (mask == 255).any()


# ---------------------------------------------------------------------------------------------------- known foreground


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_known_foreground_is_marked_and_not_learned(dtype):
    """The rest learns: a neighbour may hear of the known pixels, but the mixture of these stays to the bit."""
    model, known = trained(FRAMES[:12]), np.zeros((40, 52), dtype)
    known[5:20, 10:30] = 1
    inside = known.ravel() != 0
    before = mixture(model)
    for frame in FRAMES[12:]:
        mask = model.apply(255 - frame, known_foreground=known)
        assert (mask[known != 0] == 255).all()
    after = mixture(model)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a[inside], b[inside])
    assert (before[0] != after[0])[~inside].any(1).all()


def test_what_is_known_from_the_first_frame_on_is_background_soon_after():
    rng, background = np.random.default_rng(0), wall()
    model, known = BackgroundSubtractor(), square(background.shape, 20, 30)
    for _ in range(20):
        mask = model.apply(seen(with_square(background, 20, 30), rng), known_foreground=known)
        assert (mask[known] == 255).all()
        assert not mask[~square(background.shape, 17, 27, 20)].any()
    assert not model.background_image()[known].any()
    assert not calm(model, background, 60, rng, learning_rate=0.1).any()


def test_a_frozen_model_marks_what_is_known():
    model, known = trained(), square((40, 52), 3, 3, 6)
    assert (model.apply(FRAMES[0], learning_rate=0, known_foreground=known)[known] == 255).all()


# ---------------------------------------------------------------------------------------------------------- parameters


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match="threshold is -1: give a number above 0"):
        BackgroundSubtractor(threshold=-1)
    with pytest.raises(
        ParameterError, match=r"unknown parameter 'var_threshold': there are n_components, .*rarer ones"
    ):
        BackgroundSubtractor(var_threshold=16)
    with pytest.raises(ParameterError, match="var_min_y is 60, var_max 50: the first must be the smaller"):
        BackgroundSubtractor(var_min_y=60, var_max=50)
    with pytest.raises(ParameterError, match="n_components is 17: give a whole number from 1 to 16"):
        BackgroundSubtractor(n_components=17)


def test_parameters_may_change_between_frames():
    rng, background = np.random.default_rng(0), wall()
    model = BackgroundSubtractor(min_area=20)
    calm(model, background, 30, rng)
    model.set_parameters(min_area=1000)
    assert not model.apply(seen(with_square(background, 20, 30), rng)).any()
    model.set_parameters(min_area=20)
    assert (model.apply(seen(with_square(background, 20, 30), rng)) == 255).any()
    with pytest.raises(ParameterError, match=r"n_components is fixed by the first frame: call reset\(\)"):
        model.set_parameters(n_components=9)


def test_repr_names_what_differs():
    assert repr(BackgroundSubtractor(history=99)) == "BackgroundSubtractor(history=99)"
