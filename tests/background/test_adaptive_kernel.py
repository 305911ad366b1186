"""The kernels of the adaptive model against their slow twin: evidence, owners, shadows, learning, flicker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from tests.background.adaptive_scenes import PER_PIXEL, arrays_of, mixture
from tests.naive_policy import NaivePolicy
from tests.test_naive import switching_scene

TOLERANCE = {"rtol": 2e-5, "atol": 3e-5}  # of the state: two roundings at 255; evidence may differ by one byte
BASE = {"stabilise": False, "smoothing": 0, "min_area": 2, "history": 20, "flicker_rate": 0.05, "match_distance": 9.0}
PARAMETERS = [
    {},
    *({"n_components": n} for n in (1, 2, 7)),
    {"history": 1},
    {"history": 3, "n_components": 3},
    {"detect_shadows": False},
    {"compensate_light": False},
    {"shadow_threshold": 0.3, "shadow_spread": 5.0, "shadow_doubt": 0.0},
    {"low_weight": 0.3, "weight_span": 0.1, "weight_doubt": 9.0},
    {"threshold": 2.0, "match_distance": 30.0, "early_doubt": 0.0},
    {"flicker_doubt": 300.0, "flicker_still": 0.0, "flicker_lively": 0.0, "restless": 0.02},
    {"restless": 0.25, "taper": 0.0, "absorption_time": 1.0, "frame_rate": 5.0},
    {"var_init_y": 40.0, "var_min_y": 1.0, "var_min_c": 0.5, "var_max": 60.0, "var_stretch": 900.0},
    {"min_area": 0, "large_area": 0.02, "large_still": 0.02, "structure": 1},
    {**PER_PIXEL, "large_area": 1, "large_still": 1, "restless": 0.04, "taper": 0.0, "n_components": 2},
]


class Followed:
    """A model and its twin, who sees the same frames and nothing of the model."""

    def __init__(self, **parameters):
        self.model = BackgroundSubtractor(**{**BASE, **parameters})
        self.twin = NaivePolicy(self.model.parameters)

    def apply(self, image, rate=None, known=None):
        probability = np.zeros(image.shape[:2], np.float32)
        mask = self.model.apply(image, learning_rate=rate, known_foreground=known, probability=probability)
        expected, evidence = self.twin.apply(image, rate, known)
        np.testing.assert_array_equal(mask, expected)
        odds = (evidence - 160.0) / 8
        np.testing.assert_allclose(np.log(probability / (1 - probability)), odds, rtol=0.02, atol=0.13)  # a byte
        assert_same_state(self.model, self.twin.mixture)


def assert_same_state(model, twin):
    weights, modes = mixture(model)
    expected_weights, expected = np.zeros_like(weights), np.zeros_like(modes)
    for i, pixel in enumerate(twin.pixels):
        for k, mode in enumerate(pixel.modes):
            colour = [mode.chroma_variance, *mode.chroma] if mode.chroma else []
            expected_weights[i, k], expected[i, k] = mode.weight, [mode.luma_variance, mode.luma, *colour]
    alive = weights > 0
    np.testing.assert_array_equal(alive, expected_weights > 0)
    np.testing.assert_allclose(weights, expected_weights, **TOLERANCE)
    np.testing.assert_allclose(modes[alive], expected[alive], **TOLERANCE)
    arrays = arrays_of(model)
    np.testing.assert_allclose(arrays["flicker"].ravel(), [pixel.flicker for pixel in twin.pixels], **TOLERANCE)
    np.testing.assert_array_equal(arrays["raw"].ravel() != 0, [pixel.was_positive for pixel in twin.pixels])


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_evidence_owners_and_state_are_those_of_the_naive_twin(parameters, channels):
    followed = Followed(**parameters)
    for frame in switching_scene(24, shape=(5, 9), channels=channels, n_colours=4, seed=3):
        followed.apply(frame)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 16), (16, 1), (1, 17), (3, 5), (9, 7), (8, 12)], ids=str)
def test_every_size_of_frame(shape, channels):
    followed = Followed()
    for frame in switching_scene(10, shape=shape, channels=channels, seed=6):
        followed.apply(frame)


@pytest.mark.parametrize(
    ("rate", "together", "channels"), [(0.03, 1, 3), (0.02, 2, 3), (0.011, 2, 1), (0.01, 4, 1), (0.002, 16, 3)]
)
def test_tiles_at_rest_learn_several_frames_as_one(rate, together, channels):
    """Once the rate is low; four blocks of tiles, in which some pixels switch colours."""
    followed, rng = Followed(flicker_rate=0.6), np.random.default_rng(5)
    background = rng.integers(60, 190, (40, 90, channels))
    paces = []
    for t in range(14 if together < 16 else 20):
        frame = background + rng.integers(-2, 3, background.shape)
        frame[5:9, 10 + t : 20 + t] += 50
        frame = frame.astype(np.uint8) if channels == 3 else frame[..., 0].astype(np.uint8)
        followed.apply(frame, rate=rate if t > 4 else None)
        paces.append(followed.twin.pace)
    assert all((pace == 1).all() for pace in paces[:5])
    resting = np.stack(paces[6:])
    assert set(resting.ravel().tolist()) == ({1} if together == 1 else {0, 1, together})
    if together == 2:
        assert (resting != 1).mean(axis=1).min() > 0.5


def test_tiles_that_show_several_modes_learn_at_most_four_frames_as_one():
    """A stripe blinks every second frame: both of its states are background."""
    followed = Followed(match_distance=13.0)
    dark = np.full((40, 90, 3), 90, np.uint8)
    bright = dark.copy()
    bright[:, :30] = 120
    paces = []
    for t in range(32):
        followed.apply(bright if t % 2 else dark, rate=0.002 if t > 9 else None)
        paces.append(followed.twin.pace.reshape(40, 90))
    paces = np.stack(paces[12:])
    assert set(paces[:, :, :5].ravel().tolist()) == {0, 4, 16}  # 16 while all see the heavier of the two
    assert 16 in paces[:, :, 80:]


@pytest.mark.parametrize("channels", [1, 3])
def test_float_frames(channels):
    followed, rng = Followed(), np.random.default_rng(0)
    for frame in switching_scene(14, shape=(4, 9), channels=channels, seed=7):
        moved = frame + rng.uniform(-0.5, 0.5, frame.shape)
        followed.apply(np.clip(moved, 0, 255).astype(np.float32))


@pytest.mark.parametrize("rates", [(0.5,), (0.999, None), (0.0, None, 0.1), (None,) * 5 + (1.0,)], ids=str)
def test_explicit_learning_rates(rates):
    followed = Followed()
    for t, frame in enumerate(switching_scene(18, shape=(5, 7), seed=8)):
        followed.apply(frame, rates[t % len(rates)] if t else None)


@pytest.mark.parametrize("channels", [1, 3])
def test_known_foreground(channels):
    followed, rng = Followed(), np.random.default_rng(0)
    for t, frame in enumerate(switching_scene(14, shape=(5, 9), channels=channels, seed=9)):
        followed.apply(frame, known=rng.random((5, 9)) < (0.4, 0, 1)[t % 3])


def test_shadows_were_among_what_was_compared():
    followed = Followed(shadow_spread=5.0, shadow_doubt=1.0)
    background = np.random.default_rng(1).integers(60, 200, (6, 8, 3)).astype(np.uint8)
    for t in range(12):
        followed.apply(background if t < 8 else (background * 0.7).astype(np.uint8))
    assert followed.twin.counted["shadow"] > 20


def record(path, channels):
    """Run the model through all its kernels, neighbours too, and write masks and state to `path`."""
    from bgsub.background.adaptive import kernels

    frames = switching_scene(9, shape=(5, 7), channels=channels, n_colours=4, jumps=0.6, seed=71)
    model = BackgroundSubtractor(
        history=10, flicker_rate=0.3, neighbour_radius=1, neighbour_still=0, neighbour_lively=0, min_area=2
    )
    known = np.zeros((5, 7), bool)
    known[1:3, 2:5] = True
    results = {"plain": not hasattr(kernels.update_tiles, "py_func")}
    masks, probability = [], np.zeros((len(frames), 5, 7), np.float32)
    for t, frame in enumerate(frames):
        options = {4: {"learning_rate": 0}, 6: {"known_foreground": known}}.get(t, {})
        masks.append(model.apply(frame, probability=probability[t], **options))
    results |= {"masks": np.stack(masks), "probability": probability, **arrays_of(model)}
    np.savez(path, **results)


@pytest.mark.slow
def test_the_plain_form_gives_the_same_bits(tmp_path):
    """Without the compiler, and with checked indices of all that is no vector."""
    program = "from tests.background.test_adaptive_kernel import record; "
    program += "; ".join(f"record({str(tmp_path / f'plain{channels}.npz')!r}, {channels})" for channels in (1, 3))
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore::RuntimeWarning", "-c", program],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for channels in (1, 3):
        record(tmp_path / "compiled.npz", channels)
        plain, compiled = (dict(np.load(tmp_path / f"{name}.npz")) for name in (f"plain{channels}", "compiled"))
        assert plain.pop("plain")
        assert not compiled.pop("plain")
        assert plain.keys() == compiled.keys()
        assert (compiled["masks"] == 255).any()
        for name, array in compiled.items():
            np.testing.assert_array_equal(plain[name], array, name)
