"""The constants of a frame against those that the twin makes of the same parameters."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bgsub.background.adaptive.constants import (
    NEVER,
    Moment,
    large_area_of,
    learning_rates,
    liveliness_of,
    neighbourhood_of,
    oldest_of,
    search_of,
    shadow_of,
    standing_of,
    step_of,
    together_at,
    turn_at,
)
from bgsub.background.adaptive.light import Light
from bgsub.background.adaptive.tone import Tone
from bgsub.background.parameters import ADAPTIVE_PARAMETERS, check_adaptive
from tests.naive_adaptive import constants_of
from tests.naive_shadows import shadow_constants_of

DEFAULTS = check_adaptive({})
TWINS = {  # of the kernels' names those that differ
    "match_distance": "match",
    "threshold": "offset",
    "weight_doubt": "prior",
    "doubt_slope": "prior_slope",
    "flicker_doubt": "steadiness",
    "flicker_rate": "blink_rate",
}
FRAMES = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 30, 48, 49, 50, 51, 499, 500, 501, 10_000]
RATES = [None, 0, 0.019, 0.02, 0.021, 0.3, 1]


def assert_same_constants(parameters, n_frames=100, rate=None, gain=1.0, liveliness=0.0, colour=True, seconds=None):
    light = Light(gain, colour, contrast=0.3, noise=3.0)
    step = step_of(parameters, Moment(n_frames, rate, light, liveliness, seconds), colour)
    p = parameters
    allowed = p["var_min_y"] / (p["noise_margin"] * 3)
    acuity = max(1, min((p["low_contrast"] / 0.3) ** 4, allowed, 8))
    expected = constants_of(parameters, n_frames, rate, gain, liveliness, colour, seconds, acuity)
    for name, value in step._asdict().items():
        twin = expected.n_components - 1 if name == "last" else getattr(expected, TWINS.get(name, name))
        if name == "luma":
            twin = (*twin, 0, 0)[:3]
        np.testing.assert_allclose(value, twin, rtol=2e-6, atol=1e-6, err_msg=name)
        if name not in ("together", "turn", "few", "few_turn", "last"):
            assert {np.asarray(one).dtype for one in (value if isinstance(value, tuple) else [value])} == {
                np.dtype(np.float32)
            }, name


def random_parameters(seed):
    """Every parameter at another value than its default, within its bounds."""
    rng = np.random.default_rng(seed)
    values = {}
    for name, p in ADAPTIVE_PARAMETERS.items():
        if isinstance(p.default, bool):
            values[name] = bool(rng.integers(2))
            continue
        value = min(max(p.default * rng.uniform(0.3, 2.5), p.low), p.high)
        values[name] = round(value) if isinstance(p.default, int) else value
    values["var_max"] += max(values["var_min_y"], values["var_min_c"])
    values["liveliness_high"] += values["liveliness_low"]
    values["uneven_spread"] += values["even_spread"]
    return check_adaptive(values)


@pytest.mark.parametrize("n_frames", FRAMES)
@pytest.mark.parametrize("history", [1, 7, 500])
def test_of_every_age_and_rate(n_frames, history):
    for rate, settled in itertools.product(RATES, [1e-3, 180.0]):
        if rate == 1 and n_frames:
            continue  # forgets all first
        assert_same_constants({**DEFAULTS, "history": history, "absorption_time": settled}, n_frames, rate)


@pytest.mark.parametrize("n_frames", FRAMES)
@pytest.mark.parametrize("seconds", [0.0, 0.001, 1 / 30, 0.2, 1.0])
def test_of_every_time_between_frames(n_frames, seconds):
    for settled in (1e-3, 3.0, 180.0):
        assert_same_constants({**DEFAULTS, "absorption_time": settled}, n_frames, None, seconds=seconds)


@pytest.mark.parametrize("liveliness", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("gain", [1.0, 0.6, 1.7])
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "grey"])
def test_of_every_scene(liveliness, gain, colour):
    for n_frames, compensate in itertools.product((1, 3, 7, 300), (True, False)):
        parameters = {**DEFAULTS, "compensate_light": compensate}
        assert_same_constants(parameters, n_frames, None, gain, liveliness, colour)


@pytest.mark.parametrize("seed", range(40))
def test_of_other_parameters(seed):
    rng = np.random.default_rng(1000 + seed)
    for n_frames in (0, 2, 3, 6, 20, 400):
        rate = None if rng.random() < 0.5 else rng.uniform(0, 0.5)
        assert_same_constants(random_parameters(seed), n_frames, rate, rng.uniform(0.5, 2), rng.random(), seed % 2 == 0)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("tone", [(0.5, 0.0), (0.73, 0.4), (0.41, 1.0)])
def test_of_shadows(seed, tone):
    for changes in ({}, {"shadow_threshold": 0.0}, {"even_depth": 1.0}):
        p = {**random_parameters(seed), **changes}
        found, expected = shadow_of(p, Tone(*tone), 2.5), shadow_constants_of(p, *tone, 2.5)
        for name, value in found._asdict().items():
            np.testing.assert_allclose(value, getattr(expected, name), rtol=2e-6, err_msg=name)
            assert np.isfinite(value)
            assert value.dtype == np.float32


# ------------------------------------------------------------------------------------------- what the numbers mean


def rates_of(n_frames, **parameters):
    step = step_of({**DEFAULTS, **parameters}, Moment(n_frames, None, Light(1.0, True), 0.0), True)
    return step.alpha, step.slow, step.fast


def test_a_stopped_object_gains_the_weight_of_background_in_the_time_told():
    """It counts as background at .186; by 1 - (1 - a)^n, n the frames of `absorption_time`."""
    _, slow, _ = rates_of(5000, absorption_time=40.0, frame_rate=25.0)
    assert 1 - (1 - float(slow)) ** 1000 == pytest.approx(0.186, rel=0.1)


@pytest.mark.parametrize("seconds", [1 / 5, 1 / 25, 1 / 30])
def test_the_seconds_between_frames_take_the_place_of_the_nominal_rate(seconds):
    parameters = {**DEFAULTS, "absorption_time": 600.0}
    told = learning_rates({**parameters, "frame_rate": 1000.0}, Moment(5000, None, Light(1.0, True), 0.0, seconds))
    assert told == pytest.approx(
        learning_rates({**parameters, "frame_rate": 1 / seconds}, Moment(5000, None, Light(1.0, True), 0.0))
    )
    assert told[1] == pytest.approx(0.186 * seconds / 600, rel=0.01)


@pytest.mark.parametrize(
    ("rate", "together"),
    [(1, 1), (0.041, 1), (0.021, 1), (0.02, 2), (0.01, 4), (0.006, 4), (0.005, 8), (0.0025, 16), (1e-9, 16)],
)
def test_what_rests_learns_as_many_frames_as_one_as_come_to_4_percent_of_its_memory(rate, together):
    assert together_at(rate) == together
    steps = [step_of(DEFAULTS, Moment(n, rate, Light(1.0, True), 0.0), True) for n in range(100, 132)]
    assert {step.together for step in steps} == {together}
    assert [step.turn for step in steps] == [n % together for n in range(100, 132)]
    few = min(together, 4)
    assert {step.few for step in steps} == {few}
    turns = np.array([step.few_turn for step in steps]).reshape(-1, few)
    np.testing.assert_array_equal(np.sort(turns), np.tile(np.arange(few), (len(turns), 1)))


@pytest.mark.parametrize("together", [2, 4])
@pytest.mark.parametrize("period", [2, 3, 4])
def test_where_several_modes_are_seen_every_state_of_what_blinks_is_learned(together, period):
    """A lamp, or interlaced fields, may go through their states in step with the frames."""
    for block in range(together):
        seen = [n % period for n in range(3000) if turn_at(n, together) == block]
        shares = np.bincount(seen, minlength=period) / len(seen)
        np.testing.assert_allclose(shares, 1 / period, atol=0.07)


def test_ground_that_an_object_has_left_is_learned_faster_than_anything_and_an_object_slowest():
    for n_frames in (50, 5000):
        alpha, slow, fast = rates_of(n_frames)
        assert slow < 0.3 * alpha
        assert fast == np.float32(0.2) > 5 * alpha
    assert rates_of(1)[2] == rates_of(1)[0] == 0.5  # in the first frames everything is learned faster than that


def test_lively_scenes_are_asked_for_evidence_from_less_flicker_on():
    """And their neighbours are asked from less flicker on."""
    step, near = {}, {}
    for liveliness in (0.0, 0.5, 1.0):
        step[liveliness] = step_of(DEFAULTS, Moment(100, None, Light(1.0, True), liveliness), True).dead_zone
        near[liveliness] = neighbourhood_of(DEFAULTS, liveliness).least_flicker
    assert list(step.values()) == pytest.approx([1024 * 0.07, 1024 * 0.045, 1024 * 0.02])
    assert list(near.values()) == [118, 67, 16]  # 1024 times 0.115, 0.065, 0.015, rounded up


@pytest.mark.parametrize("seed", range(5))
def test_constants_of_the_other_kernels(seed):
    p = random_parameters(seed)
    near, standing = neighbourhood_of(p, 0.3), standing_of(p)
    assert near.neighbour_radius == p["neighbour_radius"]
    assert near.least_flicker == np.ceil(1024 * (0.3 * p["neighbour_lively"] + 0.7 * p["neighbour_still"]))
    expected = {
        "low_weight": p["low_weight"],
        "doubt_slope": p["weight_doubt"] / p["weight_span"],
        "neighbour_doubt": p["neighbour_doubt"],
        "explained": -4,
    }
    assert {name: getattr(near, name) for name in expected} == pytest.approx(expected)
    assert standing == pytest.approx((p["standing_gain"], p["standing_share"]))


# ---------------------------------------------------------------------------------------- what the scene decides


def moment_of(n_frames=100, liveliness=0.0, colour=True):
    return Moment(n_frames, None, Light(1.0, colour), liveliness)


@pytest.mark.parametrize(
    ("flickering", "liveliness"), [(0, 0), (0.05, 0), (0.06, 0.2), (0.075, 0.5), (0.1, 1), (0.3, 1)]
)
def test_a_scene_is_lively_by_the_share_of_its_pixels_that_flicker(flickering, liveliness):
    assert liveliness_of(DEFAULTS, 100, flickering) == pytest.approx(liveliness)
    assert liveliness_of(DEFAULTS, 6, flickering) == pytest.approx(liveliness)
    assert liveliness_of(DEFAULTS, 5, flickering) == 1  # nobody knows yet


@pytest.mark.parametrize(("liveliness", "oldest"), [(0, NEVER), (0.01, NEVER), (0.3, 27), (0.5, 16), (1, 8)])
def test_the_older_what_stands_in_a_lively_scene_the_more_it_is_flicker(liveliness, oldest):
    assert oldest_of(DEFAULTS, moment_of(liveliness=liveliness)) == oldest
    assert NEVER > 255  # the greatest age that is counted


def test_what_counts_as_large_grows_with_the_motion_of_the_scene_but_not_in_the_first_frames():
    p = {**DEFAULTS, "large_area": 0.01, "large_still": 0.002, "large_early": 5}
    assert [large_area_of(p, moment_of(n, 1.0), 10_000) for n in range(8)] == pytest.approx([20] * 6 + [100] * 2)
    assert [large_area_of(p, moment_of(9, x), 10_000) for x in (0, 0.5)] == pytest.approx([20, 60])


@pytest.mark.parametrize("seed", range(5))
def test_how_objects_are_looked_for(seed):
    p = random_parameters(seed)
    search = search_of(p, moment_of(liveliness=0.4), 1000)
    assert search.min_area == pytest.approx(p["min_area"] + 400 * p["lively_area"])
    assert search.fill_area == pytest.approx(1000 * p["fill_area"])
    names = {"shadow_value": "shadow_value", "smoothing": "smoothing", "standing_reach": "standing_reach"}
    for field, name in {**names, "compared_area": "structure_area"}.items():
        assert getattr(search, field) == p[name]
    assert search.neighbourhood == neighbourhood_of(p, 0.4)
    assert search.standing == standing_of(p)
    assert search_of({**p, "vacated_frames": 101}, moment_of(), 1000).vacated_ratio == p["vacated_ratio"]
    assert search_of({**p, "vacated_frames": 100}, moment_of(), 1000).vacated_ratio == 0
    assert search_of({**p, "standing_gain": 0}, moment_of(), 1000).standing is None
    for detect, colour in itertools.product((True, False), repeat=2):
        found = search_of({**p, "detect_shadows": detect}, moment_of(colour=colour), 1000)
        assert (found.shadow is not None) == (detect and colour)
