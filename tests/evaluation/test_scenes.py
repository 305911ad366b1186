"""The synthetic scene has the statistics it promises, and its ground truth is true."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.evaluation.scenes import synthetic_scene

pytestmark = pytest.mark.slow


def test_shapes_and_values():
    frames, truth = synthetic_scene(64, 48, 5)
    assert (frames.shape, frames.dtype) == ((5, 48, 64, 3), np.uint8)
    assert (truth.shape, truth.dtype) == ((5, 48, 64), np.uint8)
    assert set(np.unique(truth)) == {0, 255}


def test_a_seed_is_a_scene():
    first, second, other = (synthetic_scene(64, 48, 4, seed=seed) for seed in (5, 5, 6))
    for a, b, c in zip(first, second, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.any(a != c)


def test_the_noise_is_normal_with_its_standard_deviation():
    frames, _ = synthetic_scene(64, 48, 100, noise=8, waving=0, objects=0)
    still, _ = synthetic_scene(64, 48, 1, noise=0, waving=0, objects=0)
    deviations = frames.astype(float) - still
    assert abs(deviations.mean()) < 0.1
    assert deviations.std() == pytest.approx(8, rel=0.02)
    assert np.mean(np.abs(deviations) > 16) == pytest.approx(0.0456, abs=0.01)
    assert abs(np.corrcoef(deviations[1:].ravel(), deviations[:-1].ravel())[0, 1]) < 0.01


@pytest.mark.parametrize("waving", [0, 0.2, 0.6, 1])
def test_the_share_that_waves(waving):
    frames, _ = synthetic_scene(96, 80, 40, noise=0, waving=waving, objects=0)
    changes = np.any(frames != frames[0], axis=(0, 3))
    assert changes.mean() == pytest.approx(waving, abs=0.03)
    colours = [len(np.unique(frames[:, y, x], axis=0)) for y, x in np.argwhere(changes)]
    assert len(colours) == 0 or max(colours) == 3


@pytest.mark.parametrize("seed", range(3))
def test_the_truth_is_where_the_objects_are(seed):
    still, nothing = synthetic_scene(160, 120, 1, noise=0, waving=0, objects=0, seed=seed)
    frames, truth = synthetic_scene(160, 120, 60, noise=0, waving=0, seed=seed)
    assert not nothing.any()
    assert (truth > 0).mean() == pytest.approx(0.04, abs=0.01)
    outside = truth == 0
    shaded = outside & np.any(frames != still[0], axis=3)
    assert 0.002 < shaded.mean() < 0.03
    assert np.all(frames[outside] <= np.broadcast_to(still[0], frames.shape)[outside])
    ratio = frames[shaded].sum() / np.broadcast_to(still[0], frames.shape)[shaded].sum()
    assert ratio == pytest.approx(0.7, abs=0.05)
    assert np.mean(np.any(frames != still[0], axis=3)[~outside]) > 0.98
    assert all(np.any(truth[t] != truth[t + 1]) for t in range(59))


def test_the_smallest_and_the_fullest_scene():
    frames, truth = synthetic_scene(32, 32, 50, objects=0.3, noise=30, waving=1)
    assert frames.shape == (50, 32, 32, 3)
    assert 0.1 < (truth > 0).mean() < 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 31}, "width=31: give 32 to 32768"),
        ({"height": 0}, "height=0: give 32 to 32768"),
        ({"n_frames": 0}, "n_frames=0: give 1 or more"),
        ({"noise": -1}, "noise=-1: give 0 to 30"),
        ({"noise": float("nan")}, "noise=nan: give 0 to 30"),
        ({"waving": 1.1}, r"waving=1.1: give 0 to 1"),
        ({"objects": 0.5}, r"objects=0.5: give 0 to 0.3"),
    ],
)
def test_arguments_out_of_bounds(arguments, message):
    with pytest.raises(ParameterError, match=message):
        synthetic_scene(**{"width": 64, "height": 48, "n_frames": 2} | arguments)
