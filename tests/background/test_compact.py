"""The compact state: half the memory, and nearly the masks of the exact one."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import MOG2
from bgsub.background.mog2.step import MODE_SCALE, WEIGHT_SCALE
from bgsub.evaluation.scenes import synthetic_scene
from tests.background.twins import mixtures_of


def drifting_scene(n_frames, drift, shape=(40, 56)):
    """A textured wall that grows brighter by `drift` grey levels a frame, and a block that crosses it."""
    rng = np.random.default_rng(0)
    wall = rng.uniform(40, 160, (*shape, 3))
    for t in range(n_frames):
        image = wall + drift * t + rng.normal(0, 2.5, wall.shape)
        image[10:22, t % 56 : t % 56 + 9] = 250
        yield np.rint(image).clip(0, 255).astype(np.uint8)


def agreement(frames, **parameters):
    """Share of mask pixels that exact and compact states decide alike."""
    exact, compact = MOG2(**parameters), MOG2(precision="compact", **parameters)
    same = [np.mean(exact.apply(frame) == compact.apply(frame)) for frame in frames]
    return np.mean(same), exact, compact


@pytest.mark.parametrize("detect_shadows", [False, True])
def test_masks_agree_on_footage_like_frames(detect_shadows):
    frames, _ = synthetic_scene(96, 64, 300, seed=2)
    share, exact, compact = agreement(frames, detect_shadows=detect_shadows)
    assert share > 0.999
    background = exact.background_image().astype(int) - compact.background_image()
    assert np.mean(np.abs(background) <= 1) > 0.999


@pytest.mark.parametrize("drift", [0.02, 0.1, -0.05])
def test_masks_agree_while_the_light_changes_slowly(drift):
    """Steps of alpha (x - mean) are far smaller than a step of the fixed point: rounded, they would be lost."""
    share, exact, compact = agreement(drifting_scene(500, drift), history=500)
    assert share > 0.999
    means = [mixtures_of(model).means[:, 0] for model in (exact, compact)]
    assert abs(np.mean(means[0] - means[1])) < 0.05


def test_the_state_takes_half_the_memory():
    n_bytes = []
    for precision in ("exact", "compact"):
        model = MOG2(precision=precision)
        model.apply(np.zeros((48, 64, 3), np.uint8))
        n_bytes.append(model.engine.state.weights.nbytes + model.engine.state.modes.nbytes)
    assert n_bytes[1] == n_bytes[0] / 2


def test_shares_that_are_compared_come_back_exactly():
    """A weight equal to background_ratio must stay equal, or masks would differ in whole regions at once."""
    for share in np.float32([1, 0.9, 0.75, 0.5]):
        kept = np.rint(share * WEIGHT_SCALE).astype(np.uint16)
        assert np.float32(kept) * (np.float32(1) / WEIGHT_SCALE) == share


def test_values_stay_in_bounds_at_the_ends_of_the_scale():
    """White, black and var_max = 255: nothing wraps round."""
    rng = np.random.default_rng(1)
    model = MOG2(precision="compact", var_init=255, var_max=255, history=20)
    for _ in range(60):
        image = np.where(rng.random((7, 9, 3)) < 0.5, rng.integers(0, 3), rng.integers(253, 256)).astype(np.uint8)
        model.apply(image)
        n_modes, weights, variances, means = mixtures_of(model)
        assert (weights.sum(1) <= 1.001).all()
        assert ((means >= 0) & (means <= 255.01)).all()
        assert (variances[np.arange(5) < n_modes[:, None]] >= 4).all()
    white = np.full((7, 9, 3), 255, np.uint8)
    for _ in range(200):
        model.apply(white)
    np.testing.assert_array_equal(model.background_image(), white)
    assert model.background_image().dtype == np.uint8
    assert np.abs(mixtures_of(model).means[:, 0] - 255).max() <= 1 / MODE_SCALE


def test_rate_0_changes_nothing():
    frames, _ = synthetic_scene(64, 48, 20, seed=3)
    model = MOG2(precision="compact")
    for frame in frames:
        model.apply(frame)
    before = [array.tobytes() for array in model.engine.saved().values()]
    for frame in frames:
        model.apply(frame, learning_rate=0)
    assert [array.tobytes() for array in model.engine.saved().values()] == before
