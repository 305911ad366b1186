"""The kernels against the naive twin, masks and state, and against OpenCV: not one bit may differ."""

from __future__ import annotations

import ast
import copy
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub import MOG2
from bgsub.background.mog2 import kernels
from bgsub.evaluation.scenes import synthetic_scene
from tests.background.twins import assert_same_mixtures, mixtures_of, mixtures_of_naive
from tests.naive import NaiveMOG2
from tests.test_naive import SETTERS, opencv_twin, switching_scene

PARAMETERS = [
    {},
    *({"n_components": n} for n in (1, 2, 3, 7)),
    {"detect_shadows": False},
    {"history": 1},
    {"history": 12},
    {"var_threshold": 4, "var_threshold_gen": 25},
    {"var_threshold": 30.5, "var_threshold_gen": 2.7},
    {"background_ratio": 0.3},
    {"background_ratio": 1.0, "n_components": 3},
    {"var_init": 60, "var_min": 40, "var_max": 41},
    {"var_init": 2, "var_min": 0.5, "var_max": 500},
    {"complexity_prior": 0.0, "history": 30},
    {"complexity_prior": 0.2, "history": 20},
    {"complexity_prior": 0.5, "history": 15, "n_components": 7},
    {"shadow_threshold": 0.2, "shadow_value": 40},
    {"shadow_threshold": 0.9, "background_ratio": 0.99},
]
RATES = [(0.5,), (0.999, None), (0.01, 0.2), (None,) * 9 + (1.0,), (0.003, 0.9, 0.2)]


def assert_same_as_naive(frames, rates=(None,), known=None, **parameters):
    """Run both over the frames; masks are compared in every frame, states in every seventh and the last."""
    model, naive = MOG2(**parameters), NaiveMOG2(**parameters)
    for t, frame in enumerate(frames):
        rate, skip = rates[t % len(rates)], None if known is None else known[t]
        mask = model.apply(frame, learning_rate=rate, known_foreground=skip)
        np.testing.assert_array_equal(mask, naive.apply(frame, rate, skip), f"frame {t}")
        if t % 7 == 0 or t == len(frames) - 1:
            assert_same_mixtures(model, mixtures_of_naive(naive))
    assert model.n_frames == naive.n_frames
    return model, naive


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_masks_and_state_are_those_of_the_naive_twin(parameters, channels):
    frames = switching_scene(60, shape=(5, 9), channels=channels, n_colours=6, seed=3)
    assert_same_as_naive(frames, **parameters)


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_explicit_learning_rates(rates):
    assert_same_as_naive(switching_scene(50, shape=(5, 8), seed=5), rates)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 16), (16, 1), (1, 17), (3, 5), (17, 13), (12, 20)], ids=str)
def test_every_size_of_frame(shape, channels):
    frames = switching_scene(16, shape=shape, channels=channels, seed=6)
    model, _ = assert_same_as_naive(frames, history=8)
    assert model.shape == frames[0].shape


@pytest.mark.parametrize("channels", [1, 3])
def test_a_pruned_mode_lives_on_in_the_middle_of_the_list(channels):
    """A short memory and a strong prior: what `drop_last_instead` is for, and it happens in most tiles."""
    frames = switching_scene(120, shape=(5, 8), channels=channels, n_colours=6, jumps=1, seed=7)
    model, naive = MOG2(history=15, complexity_prior=0.4), NaiveMOG2(history=15, complexity_prior=0.4)
    lived_on = 0
    for frame in frames:
        np.testing.assert_array_equal(model.apply(frame), naive.apply(frame))
        assert_same_mixtures(model, mixtures_of_naive(naive))
        mixtures = mixtures_of(model)
        lived_on += (mixtures.weights == 0).sum() - (mixtures.weights.size - mixtures.n_modes.sum())
    assert lived_on > 100


@pytest.mark.parametrize("channels", [1, 3])
def test_pitch_black_has_no_shadow(channels):
    frames = switching_scene(50, shape=(4, 6), channels=channels, seed=9) // 120 * 6
    assert np.any(frames == 0)
    assert_same_as_naive(frames, var_min=0.5, var_init=1)


@pytest.mark.parametrize("density", [0.02, 0.5, 1.0])
def test_known_foreground_is_neither_learned_nor_looked_at(density):
    """Also from the first frame on: a pixel that was never learned has no modes."""
    frames = switching_scene(40, shape=(5, 9), seed=13)
    known = (np.random.default_rng(0).random((40, 5, 9)) < density) * np.uint8(200)
    known[25:] = 0
    assert_same_as_naive(frames, known=known)
    assert_same_as_naive(frames[..., 1], known=known, rates=(None, 0.3, None, 1.0))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_weight_exactly_at_the_limit_is_kept(channels):
    """At rate 1/2 and prior 1/4 weights are fractions of powers of two, and 1/2 decays to just alpha * prior."""
    colours = np.array([30, 120, 210], np.uint8)
    order = np.random.default_rng(0).integers(0, 3, (40, 5, 8))
    order[:3] = np.array([0, 1, 1])[:, None, None]
    frames = colours[order] if channels == 1 else colours[order][..., None].repeat(3, -1)
    for prior in (0.25, 0.5):
        assert_same_as_naive(frames, rates=(0.5,), complexity_prior=prior, detect_shadows=False)
    model = MOG2(complexity_prior=0.25, detect_shadows=False)
    for frame in frames[:3]:
        model.apply(frame, learning_rate=0.5)
    assert (mixtures_of(model).n_modes == 2).all()


@pytest.mark.parametrize("precision", ["exact", "compact"])
def test_modes_below_exactly_the_background_ratio_are_foreground(precision):
    wall, thing = np.full((3, 7), 60, np.uint8), np.full((3, 7), 200, np.uint8)
    model = MOG2(background_ratio=0.5, complexity_prior=0, detect_shadows=False, precision=precision)
    model.apply(wall)
    model.apply(thing, learning_rate=0.5)
    assert (mixtures_of(model).weights[:, :2] == 0.5).all()  # the later one first
    for image, expected in ((wall, 255), (thing, 0)):
        assert (model.apply(image, learning_rate=0) == expected).all()


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_frozen_masks_are_those_of_the_naive_twin(parameters, channels):
    """Its rate 0 brings the weights to a sum of 1, so each frozen frame is shown to a copy.

    Where they had another sum, a mode having given way to a lighter one, only its shadows are not to be compared.
    """
    frames = switching_scene(40, shape=(5, 9), channels=channels, n_colours=6, seed=8)
    model, naive = MOG2(**parameters), NaiveMOG2(**parameters)
    for t, frame in enumerate(frames[:-1]):
        model.apply(frame)
        naive.apply(frame)
        if t % 6 == 0:
            with np.errstate(invalid="ignore"):  # a mode without weight is moved by 0 / 0 of the way
                expected = copy.deepcopy(naive).apply(frames[t + 1], 0)
            mask = model.apply(frames[t + 1], learning_rate=0)
            np.testing.assert_array_equal(mask == 0, expected == 0, f"frame {t}")
            summed = np.abs(mixtures_of(model).weights.sum(1) - 1).reshape(mask.shape) < 1e-5
            np.testing.assert_array_equal(mask[summed], expected[summed], f"frame {t}")


def test_parameters_may_change_between_frames():
    frames = switching_scene(60, shape=(9, 14), seed=17)
    model, twin = MOG2(), opencv_twin()
    changes = [{"var_threshold": 9.0}, {"complexity_prior": 0.3}, {"history": 9}, {"complexity_prior": 0.0}]
    changes += [{"detect_shadows": False}, {"var_max": 20.0, "var_init": 18.0}, {"background_ratio": 0.6}]
    changes += [{"detect_shadows": True, "shadow_value": 99, "shadow_threshold": 0.7}, {"var_threshold_gen": 30.0}]
    for t, frame in enumerate(frames):
        if t % 6 == 5:
            change = changes[t // 6 % len(changes)]
            model.set_parameters(**change)
            for name, value in change.items():
                getattr(twin, SETTERS[name])(value)
        np.testing.assert_array_equal(model.apply(frame), twin.apply(frame), f"frame {t}")


# ------------------------------------------------------------------------------------------------- against OpenCV


def assert_same_as_opencv(frames, rates=(None,), **parameters):
    model, twin = MOG2(**parameters), opencv_twin(**parameters)
    values = np.zeros(256, int)
    for t, frame in enumerate(frames):
        rate = rates[t % len(rates)]
        mask = model.apply(frame, learning_rate=rate)
        expected = twin.apply(frame, learningRate=-1 if rate is None else rate)
        assert np.count_nonzero(mask != expected) == 0, f"frame {t}"
        values += np.bincount(mask.ravel(), minlength=256)
    expected = np.rint(twin.getBackgroundImage()).reshape(frame.shape)  # OpenCV's is float32 for float32 frames
    difference = np.abs(model.background_image() - expected.astype(int))
    assert difference.max() <= 1  # where a mean lies half-way between two grey levels
    assert (difference == 0).mean() > 0.99
    return values


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_masks_are_those_of_opencv(parameters, channels):
    frames = switching_scene(120, shape=(37, 41), channels=channels, n_colours=7, seed=19)
    assert_same_as_opencv(frames, **parameters)


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_masks_are_those_of_opencv_at_explicit_rates(rates):
    assert_same_as_opencv(switching_scene(60, shape=(37, 41), channels=1, seed=20), rates)


@pytest.mark.parametrize("jumps", [0.01, 0.1, 1])
def test_masks_are_those_of_opencv_in_calm_and_in_turmoil(jumps):
    frames = switching_scene(120, shape=(37, 41), n_colours=7, jumps=jumps, seed=21)
    assert_same_as_opencv(frames, history=40)
    assert_same_as_opencv(frames, history=15, complexity_prior=0.4)


@pytest.mark.parametrize("n_components", [3, 5])
def test_masks_are_those_of_opencv_on_footage_like_frames(n_components):
    frames, _ = synthetic_scene(67, 51, 150, seed=1)
    values = assert_same_as_opencv(frames, n_components=n_components)
    assert (values[[0, 127, 255]] > 1000).all()
    assert_same_as_opencv(np.stack([cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames]))


@pytest.mark.parametrize("channels", [1, 3])
def test_masks_of_float_frames_are_those_of_opencv(channels):
    frames = switching_scene(60, shape=(17, 13), channels=channels, seed=22).astype(np.float32)
    frames = np.clip(frames + np.random.default_rng(0).uniform(-0.5, 0.5, frames.shape), 0, 255).astype(np.float32)
    assert_same_as_opencv(frames)


def test_known_foreground_is_that_of_opencv():
    frames = switching_scene(60, shape=(17, 13), seed=23)
    known = np.random.default_rng(0).choice([0, 0, 1, 255], (60, 17, 13)).astype(np.uint8)
    model, twin = MOG2(), opencv_twin()
    if "knownForegroundMask" not in twin.apply.__doc__:
        pytest.skip("this OpenCV knows no knownForegroundMask")
    for frame, skip in zip(frames, known, strict=True):
        expected = twin.apply(frame, knownForegroundMask=skip)
        np.testing.assert_array_equal(model.apply(frame, known_foreground=skip), expected)


def test_kernels_allocate_nothing():
    """Rows do not keep an array alive: one that is made inside a kernel is gone before its rows are used."""
    tree = ast.parse(Path(kernels.__file__).read_text(encoding="utf-8"))
    called = {node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "attr")}
    assert called <= {"float32", "int64", "uint8"}
