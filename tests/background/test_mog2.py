"""`MOG2` itself: what it learns, forgets, keeps and copies."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from bgsub import MOG2
from bgsub.errors import ParameterError
from tests.background.twins import assert_same_mixtures, mixtures_of, stored
from tests.test_naive import switching_scene


def masks_of(model, frames, **options):
    return np.stack([model.apply(frame, **options) for frame in frames])


def trained(frames, **parameters):
    model = MOG2(**parameters)
    masks_of(model, frames)
    return model


FRAMES = switching_scene(30, shape=(12, 20), seed=1)
GREY = switching_scene(30, shape=(17, 13), channels=1, seed=2)


@pytest.mark.parametrize(("detect_shadows", "value"), [(True, 127), (False, 255)])
def test_the_first_frame_becomes_the_background(detect_shadows, value):
    """Nothing was known when it came: all of it is marked, as a shadow of itself where shadows are looked for."""
    model = MOG2(detect_shadows=detect_shadows)
    assert (model.apply(FRAMES[0]) == value).all()
    mixtures = mixtures_of(model)
    assert (mixtures.n_modes == 1).all()
    np.testing.assert_array_equal(mixtures.weights[:, 0], 1)
    np.testing.assert_array_equal(mixtures.variances[:, 0], 15)
    np.testing.assert_array_equal(mixtures.means[:, 0], FRAMES[0].reshape(-1, 3))
    assert (model.apply(FRAMES[0]) == 0).all()
    np.testing.assert_array_equal(model.background_image(), FRAMES[0])


def test_the_mask_goes_to_out():
    whole = np.full((24, 22), 9, np.uint8)
    outs = [np.full((12, 20), 9, np.uint8), whole[::2, 2:], np.full((20, 12), 9, np.uint8).T]
    for out in outs:
        model, other = trained(FRAMES[:20]), trained(FRAMES[:20])
        assert model.apply(FRAMES[20], out=out) is out
        np.testing.assert_array_equal(out, other.apply(FRAMES[20]))
    assert (whole[1::2] == 9).all()
    assert (whole[:, :2] == 9).all()


def test_each_mask_is_a_new_array():
    model = MOG2()
    masks = [model.apply(frame) for frame in FRAMES[:3]]
    assert not any(np.shares_memory(masks[0], mask) for mask in masks[1:])
    assert all(mask.dtype == np.uint8 and mask.flags.c_contiguous for mask in masks)


def test_rate_0_changes_nothing_and_gives_the_mask_of_the_next_frame():
    model = trained(FRAMES[:20])
    before = stored(model)
    frozen = [model.apply(frame, learning_rate=0) for frame in FRAMES[20:]]
    assert stored(model) == before
    np.testing.assert_array_equal(frozen, masks_of(model, FRAMES[20:], learning_rate=0))
    assert {0, 255} <= set(np.unique(frozen))
    next_mask = model.apply(FRAMES[20], learning_rate=1e-7)  # next to nothing: decided by the same modes
    np.testing.assert_array_equal(frozen[0], next_mask)


def test_rate_0_before_the_first_frame():
    model = MOG2()
    assert (model.apply(FRAMES[0], learning_rate=0) == 255).all()
    assert (model.shape, model.n_frames) == (None, 0)
    np.testing.assert_array_equal(masks_of(model, GREY), masks_of(MOG2(), GREY))


def test_rate_1_starts_again_with_this_frame():
    model, fresh = trained(FRAMES[:20]), MOG2()
    np.testing.assert_array_equal(model.apply(FRAMES[20], learning_rate=1), fresh.apply(FRAMES[20]))
    assert model.n_frames == 1
    assert_same_mixtures(model, fresh)
    np.testing.assert_array_equal(masks_of(model, FRAMES[21:]), masks_of(fresh, FRAMES[21:]))
    assert_same_mixtures(model, fresh)


def test_the_automatic_rate_is_one_over_twice_the_frames_up_to_history():
    automatic, explicit = MOG2(history=20), MOG2(history=20)
    for n, frame in enumerate(FRAMES, 1):
        rate = 1 / min(2 * n, 20)
        np.testing.assert_array_equal(automatic.apply(frame), explicit.apply(frame, learning_rate=rate))
    assert_same_mixtures(automatic, explicit)


def test_reset_forgets_all_but_the_parameters():
    model = trained(FRAMES, var_threshold=25.0, n_components=3)
    model.reset()
    assert (model.shape, model.n_frames) == (None, 0)
    with pytest.raises(ParameterError, match=r"there is no background yet: apply\(\) a frame first"):
        model.background_image()
    fresh = MOG2(var_threshold=25.0, n_components=3)
    np.testing.assert_array_equal(masks_of(model, GREY), masks_of(fresh, GREY))


def test_cropping_before_is_cropping_after():
    whole = masks_of(MOG2(), FRAMES)
    np.testing.assert_array_equal(masks_of(MOG2(), FRAMES[:, 3:11, 2:19]), whole[:, 3:11, 2:19])


@pytest.mark.parametrize("complexity_prior", [0.0, 0.05, 0.4])
def test_weights_and_variances_stay_in_bounds(complexity_prior):
    model = MOG2(complexity_prior=complexity_prior, history=25, var_min=6.0, var_init=20.0, var_max=40.0)
    for frame in switching_scene(80, shape=(12, 20), seed=4):
        model.apply(frame)
        n_modes, weights, variances, means = mixtures_of(model)
        listed = np.arange(5) < n_modes[:, None]
        assert (n_modes >= 1).all()
        total = weights.sum(1)
        np.testing.assert_allclose(total[n_modes < 5], 1, atol=1e-5)
        assert (total <= 1 + 1e-5).all()
        assert (total >= 1 - 1 / 5).all()  # the lightest of five may have given way to one of less weight
        assert (weights >= 0).all()
        assert ((variances >= 6) & (variances <= 40))[listed].all()
        assert ((means >= 0) & (means <= 255)).all()
    assert (n_modes > 1).any()


def test_weights_are_sorted_when_no_mode_lives_on_without_weight():
    model = trained(switching_scene(80, shape=(12, 20), seed=4), complexity_prior=0.0)
    _, weights, _, _ = mixtures_of(model)
    assert (np.diff(weights, axis=1) <= 0).all()


# ------------------------------------------------------------------------------------------------------------- copies


def unpickled(model):
    return pickle.loads(pickle.dumps(model))


COPIES = {"copy": MOG2.copy, "deepcopy": copy.deepcopy, "pickle": unpickled}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("precision", ["exact", "compact"])
def test_a_copy_goes_on_like_the_original_and_apart_from_it(copied, precision):
    model = trained(FRAMES[:20], history=30, n_components=4, precision=precision, threads=2)
    twin = copied(model)
    assert (twin.parameters, twin.precision, twin.threads) == (model.parameters, precision, 2)
    assert stored(twin) == stored(model)
    before = stored(model)
    masks = masks_of(twin, FRAMES[20:])
    assert stored(model) == before
    np.testing.assert_array_equal(masks_of(model, FRAMES[20:]), masks)
    assert stored(twin) == stored(model)
    twin.set_parameters(var_threshold=50.0)
    assert model.parameters["var_threshold"] == 16


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_of_an_unused_model(copied):
    twin = copied(MOG2(var_threshold=25.0, region=[[(0, 0), (9, 0), (9, 9)]]))
    assert twin.shape is None
    expected = MOG2(var_threshold=25.0, region=[[(0, 0), (9, 0), (9, 9)]])
    np.testing.assert_array_equal(masks_of(twin, FRAMES), masks_of(expected, FRAMES))


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(MOG2()) == "MOG2()"
    assert repr(MOG2(history=100, detect_shadows=False)) == "MOG2(history=100, detect_shadows=False)"
