"""The naive mixture against OpenCV's: equal in every pixel of every mask, or it is no reference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.naive import NaiveMOG2

pytestmark = pytest.mark.slow

SETTERS = {
    "n_components": "setNMixtures",
    "history": "setHistory",
    "var_threshold": "setVarThreshold",
    "background_ratio": "setBackgroundRatio",
    "var_threshold_gen": "setVarThresholdGen",
    "var_init": "setVarInit",
    "var_min": "setVarMin",
    "var_max": "setVarMax",
    "complexity_prior": "setComplexityReductionThreshold",
    "detect_shadows": "setDetectShadows",
    "shadow_value": "setShadowValue",
    "shadow_threshold": "setShadowThreshold",
}


def opencv_twin(**parameters):
    twin = cv2.createBackgroundSubtractorMOG2()
    for name, value in parameters.items():
        getattr(twin, SETTERS[name])(value)
    return twin


def switching_scene(n_frames, *, shape=(8, 10), channels=3, n_colours=5, jumps=0.3, seed=0):
    """Frames whose every pixel jumps between a few noisy colours, now and then dimmed.

    With ``jumps=1`` a colour is drawn anew in every frame, else some are far rarer than others.
    """
    rng = np.random.default_rng(seed)
    colours = rng.integers(15, 240, (n_colours, *shape, channels)).astype(float)
    likely = rng.dirichlet(np.full(n_colours, 0.6)) if jumps < 1 else None
    choice = rng.integers(0, n_colours, shape)
    grid = np.indices(shape)
    frames = np.empty((n_frames, *shape, channels), np.uint8)
    for frame in frames:
        jump = rng.random(shape) < jumps
        choice[jump] = rng.choice(n_colours, jump.sum(), p=likely)
        dimmed = np.where(rng.random((*shape, 1)) < 0.1, 0.75, 1.0)
        image = colours[choice, grid[0], grid[1]] * dimmed + rng.normal(0, 4, (*shape, channels))
        frame[:] = np.rint(image).clip(0, 255)
    return frames if channels == 3 else frames[..., 0]


def assert_same_masks(frames, rates=(None,), **parameters):
    """Run both over the frames, the learning rates in turn; return ours and the count of each mask value."""
    naive, twin = NaiveMOG2(**parameters), opencv_twin(**parameters)
    values = np.zeros(256, int)
    for t, image in enumerate(frames):
        rate = rates[t % len(rates)]
        mask = naive.apply(image, rate)
        expected = twin.apply(image, learningRate=-1 if rate is None else rate)
        assert np.count_nonzero(mask != expected) == 0, f"frame {t}"
        values += np.bincount(mask.ravel(), minlength=256)
    np.testing.assert_array_equal(naive.background_image(), twin.getBackgroundImage())
    return naive, values


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("detect_shadows", [False, True])
def test_defaults(channels, detect_shadows):
    frames = switching_scene(150, channels=channels)
    _, values = assert_same_masks(frames, detect_shadows=detect_shadows)
    assert values[0] > 1000
    assert values[255] > 300
    assert (values[127] > 100) == detect_shadows


@pytest.mark.parametrize(
    "parameters",
    [
        *({"n_components": n} for n in range(1, 8)),
        {"history": 1},
        {"history": 12},
        {"var_threshold": 4, "var_threshold_gen": 25},
        {"var_threshold": 30.5, "var_threshold_gen": 2.7},
        {"background_ratio": 0.3},
        {"background_ratio": 1.0},
        {"var_init": 60, "var_min": 40, "var_max": 41},
        {"var_init": 2, "var_min": 0.5, "var_max": 500},
        {"complexity_prior": 0.0},
        {"complexity_prior": 0.6, "history": 20},
        {"shadow_threshold": 0.2, "shadow_value": 40},
        {"shadow_threshold": 0.8},
    ],
    ids=str,
)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_parameter(parameters, channels):
    frames = switching_scene(100, shape=(5, 8), channels=channels, n_colours=6, seed=3)
    assert_same_masks(frames, **parameters)


@pytest.mark.parametrize(
    "rates", [(0.5,), (0.999, None), (0.01, 0.2, 0.0), (None,) * 9 + (1.0,), (0.003, 2.0)], ids=str
)
def test_explicit_learning_rates(rates):
    naive, _ = assert_same_masks(switching_scene(60, shape=(5, 8), seed=5), rates)
    restarts = [t for t in range(60) if (rates[t % len(rates)] or 0) >= 1]
    assert naive.n_frames == 60 - max(restarts, default=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_pruned_mode_that_lives_on(channels):
    """A short memory and a strong prior: modes of weight 0 stay in the list, and some win again later."""
    frames = switching_scene(200, shape=(5, 8), channels=channels, n_colours=6, jumps=1, seed=7)
    parameters = {"history": 15, "complexity_prior": 0.4, "n_components": 5}
    naive, twin = NaiveMOG2(**parameters), opencv_twin(**parameters)
    lived_on = won_again = 0
    for image in frames:
        before = [mode for row in naive.modes for modes in row for mode in modes if mode.weight == 0]
        np.testing.assert_array_equal(naive.apply(image), twin.apply(image))
        lived_on += len(before)
        won_again += sum(mode.weight > 0 for mode in before)
    assert lived_on > 100
    assert won_again > 10


@pytest.mark.parametrize("channels", [1, 3])
def test_pitch_black_has_no_shadow(channels):
    frames = switching_scene(60, shape=(4, 6), channels=channels, seed=9) // 120 * 6
    assert np.any(frames == 0)
    assert_same_masks(frames, var_min=0.5, var_init=1)


def test_known_foreground_is_left_alone():
    frames = switching_scene(40, shape=(4, 6), seed=13)
    known = np.random.default_rng(0).choice([0, 1, 255], (40, 4, 6)).astype(np.uint8)
    naive, twin = NaiveMOG2(), opencv_twin()
    if "knownForegroundMask" not in twin.apply.__doc__:
        pytest.skip("this OpenCV knows no knownForegroundMask")
    for image, skip in zip(frames, known, strict=True):
        mask = naive.apply(image, known_foreground=skip)
        assert (mask[skip > 0] == 255).all()
        np.testing.assert_array_equal(mask, twin.apply(image, knownForegroundMask=skip))


def test_weights_and_variances_stay_in_bounds():
    naive, _ = assert_same_masks(switching_scene(80, shape=(4, 6), seed=11))
    for modes in (modes for row in naive.modes for modes in row):
        assert 1 <= len(modes) <= 5
        assert sum(mode.weight for mode in modes) == pytest.approx(1, abs=0.05)
        assert all(4 <= mode.variance <= 75 for mode in modes)
