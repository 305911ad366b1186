"""Every decision of the adaptive model against its slow twin: the same frames, the same masks, to the pixel."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from tests.background.adaptive_scenes import in_light, mixture, seen, wall, with_square
from tests.naive_policy import NaivePolicy

SHAPE = (24, 36)
SMALL = {  # areas and times for pictures of 24 x 36 pixels and clips of 70 frames
    "stabilise": False,
    "min_area": 6,
    "fill_area": 0.012,
    "lively_area": 0.004,
    "structure_area": 20,
    "large_still": 0.015,
    "large_area": 0.05,
    "large_early": 8,
    "lively_age": 4.0,
    "flicker_rate": 0.1,
    "history": 50,
    "frame_rate": 1.0,
    "absorption_time": 30.0,
    "liveliness_low": 0.06,
    "liveliness_high": 0.24,
}


def scene(n_frames=70, channels=3, water=8, seed=0, fog=0.0):
    """Frames in which everything happens that the model decides about.

    A box stands from the first frame on and is taken away; a ring walks, with a shadow before it, and stops; the light
    of the whole scene changes and a lamp lights a part of it; the lowest rows, `water` of them, sway. `fog` is its
    share of the light.
    """
    rng, background = np.random.default_rng(seed), wall(SHAPE, channels, seed + 1, level=(90, 150))
    box = wall((9, 11), channels, seed + 2, level=(20, 250))
    for t in range(n_frames):
        picture = background.copy()
        if water:
            picture[-water:] = np.roll(background, rng.integers(-2, 3) if t % 2 else 0, 1)[-water:]
        if t < 18:
            picture[2:11, 24:35] = box
        if t >= 10:
            left = min(t - 10, 12) if t < 46 else t - 34
            picture[8:12, left + 10 : left + 15] *= 0.7
            hole = picture[8:11, left + 4 : left + 7].copy()
            picture = with_square(picture, 4, left, 10)
            picture[8:11, left + 4 : left + 7] = hole
        if 24 <= t < 34:
            picture = picture * 1.2
        if t >= 48:
            picture = in_light(picture, 1.5, 0, 0, 16)
        yield seen((1 - fog) * picture + fog * 220, rng)


def followed(frames, parameters, rates):
    """Show frames to the model and to its twin; both must say the same. Return what the twin has counted."""
    model = BackgroundSubtractor(**{**SMALL, **parameters})
    twin = NaivePolicy(model.parameters)
    for t, frame in enumerate(frames):
        probability, rate = np.zeros(SHAPE, np.float32), rates[t % len(rates)] if t else None
        mask = model.apply(frame, learning_rate=rate, probability=probability)
        expected, evidence = twin.apply(frame, rate)
        np.testing.assert_array_equal(mask, expected, f"frame {t}")
        np.testing.assert_allclose(
            probability, 1 / (1 + np.exp((160.0 - evidence) / 8)), rtol=1e-5, err_msg=f"frame {t}"
        )
    weights, modes = mixture(model)
    np.testing.assert_allclose(modes[:, 0, 1], twin.background().ravel(), rtol=1e-4)
    np.testing.assert_allclose(weights[:, 0], [pixel.modes[0].weight for pixel in twin.mixture.pixels], rtol=1e-4)
    return twin.counted


OFTEN = {"small", "filled", "object", "known", "large", "not large", "another light", "between calm and lively"}
CLIPS = {
    "a calm scene": (
        {"water": 3, "n_frames": 60},
        {},
        (None,),
        {*OFTEN, "calm", "stood for long", "rests", "moved background", "shadow", "stands", "left", "vacated"}
        - {"filled"},
    ),
    "a scene in motion": (
        {"water": 12, "n_frames": 60, "seed": 3},
        {"n_components": 2, "shadow_value": 90, "ghost_ratio": 0.7, "standing_reach": 0.3},
        (None,),
        {*OFTEN, "lively", "stood for long", "rests", "moved background", "shadow", "stands", "left", "light"},
    ),
    "without colour": (
        {"channels": 1, "water": 5, "n_frames": 60},
        {"history": 20, "smoothing": 1.0, "neighbour_radius": 1},
        (None,),
        {*OFTEN, "calm", "lively", "moved background", "light"},
    ),
    "learned at other rates, and not at all": (
        {"water": 5, "n_frames": 48, "seed": 5},
        {"smoothing": 0.8, "early_doubt": 3.0, "structure": 0.3, "large_early": 3, "taper": 20.0, "vacated_frames": 0},
        (None, 0.05, None, 0, None, 0.015, 0),
        {*OFTEN, "calm", "lively", "stood for long", "rests", "moved background", "shadow", "stands", "left"},
    ),
    "in fog": (
        {"water": 5, "n_frames": 40, "seed": 12, "fog": 0.7},
        {"noise_margin": 1.0},
        (None,),
        {"fog", "object", "large", "moved background", "shadow", "stands"},
    ),
    "most stages off": (
        {"water": 5, "n_frames": 36, "seed": 7},
        {
            "detect_shadows": False,
            "compensate_light": False,
            "structure": 1,
            "ghost_ratio": 0,
            "neighbour_radius": 0,
            "smoothing": 0,
            "min_area": 0,
            "fill_area": 0,
        },
        (None,),
        {"small", "object", "known", "large", "not large", "stood for long", "another light"},
    ),
    "other stages off": (
        {"water": 8, "n_frames": 36, "seed": 9},
        {
            "standing_gain": 0,
            "structure_area": 10**6,
            "restless": 0.25,
            "flicker_doubt": 20.0,
            "absorption_time": 3.0,
            "taper": 0.0,
            "lively_age": 1.0,
        },
        (None,),
        {*OFTEN, "lively", "stood for long", "moved background", "shadow"} - {"known"},
    ),
}
CASES = [
    pytest.param(*clip, id=name, marks=[] if clip is CLIPS["a calm scene"] else pytest.mark.slow)
    for name, clip in CLIPS.items()
]


@pytest.mark.parametrize(("scenery", "parameters", "rates", "decisions"), CASES)
def test_masks_are_those_of_the_naive_twin(scenery, parameters, rates, decisions):
    """And each of `decisions` came up, so that the comparison says something of it."""
    counted = followed(scene(**scenery), parameters, rates)
    assert decisions <= {name for name, times in counted.items() if times}, counted


@pytest.mark.slow
def test_known_foreground_is_that_of_the_naive_twin():
    """Rows of sixteen that are known whole are not even looked at."""
    rng, known = np.random.default_rng(0), np.zeros(SHAPE, bool)
    model = BackgroundSubtractor(**SMALL)
    twin = NaivePolicy(model.parameters)
    for t, frame in enumerate(scene(30, water=3)):
        known[...] = rng.random(SHAPE) < 0.05
        known[5 + t % 9 : 9 + t % 9, 3:32] = t % 4 > 0
        np.testing.assert_array_equal(
            model.apply(frame, known_foreground=known), twin.apply(frame, known=known)[0], f"frame {t}"
        )
    assert twin.counted["shadow"] > 100
