"""Which range the first frames ask for: by what they use, by their noise, and whatever single pixels and frames do."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.arguments import Extremes
from bgsub.background.parameters import check_range
from bgsub.background.value_range import Range, RangeFinder, noise_between, step_between, without_glitches
from bgsub.errors import ParameterError

SHAPE = (40, 60)


def texture(low, high, shape=SHAPE, seed=5):
    """Return a place of blocks of even brightness, which uses all from `low` to `high`."""
    picture = np.random.default_rng(seed).uniform(0, 1, (shape[0] // 4, shape[1] // 4))
    picture = (picture - picture.min()) / (picture.max() - picture.min())
    return low + (high - low) * picture.repeat(4, 0).repeat(4, 1)


def as_dtype(picture, dtype):
    return picture.astype(dtype) if np.dtype(dtype).kind == "f" else np.rint(picture).astype(dtype)


def range_of(frames):
    finder, found = RangeFinder(), None
    for frame in frames:
        found = finder.look(frame, Extremes(float(frame.min()), float(frame.max())))
    return found


def noisy(place, noise, dtype, n=25, seed=0):
    rng = np.random.default_rng(seed)
    return [as_dtype(place + rng.normal(0, noise, place.shape), dtype) for _ in range(n)]


def assert_near(found, expected, share=0.02):
    assert max(abs(found.low - expected.low), abs(found.high - expected.high)) < share * expected.width


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (29_000, 31_000, np.uint16),
        (100, 900, np.uint16),
        (-3000, 1000, np.int16),
        (-30.0, 25.5, np.float32),
        (0.1, 0.9, np.float64),
        (1_000_000, 1_003_000, np.int32),
        (270.0, 320.0, np.float32),
    ],
)
def test_the_range_is_what_the_frames_use_and_a_quarter_of_it_on_both_sides(low, high, dtype):
    found = range_of([as_dtype(texture(low, high), dtype)] * 3)
    used = high - low
    assert found == pytest.approx((low - used / 4, high + used / 4), abs=0.001 * used)


@pytest.mark.parametrize("n", [4, 25])
def test_it_grows_with_what_comes_in_the_first_frames(n):
    frames = noisy(texture(1000, 2000), 0.5, np.uint16, n)
    frames[-1] = as_dtype(texture(1500, 3000), np.uint16)
    assert range_of(frames) == pytest.approx((500, 3500), abs=5)


@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0, 4.0, 30.0, 400.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("place", [np.full(SHAPE, 20_000.0), texture(20_000, 20_040)], ids=["flat", "texture"])
def test_noise_never_comes_to_more_than_one_and_a_half_grey_levels(sigma, seed, place):
    for n in (2, 25):
        found = range_of(noisy(place, sigma, np.uint16, n, seed))
        assert sigma * 255 / found.width <= 1.5
    used = np.ptp(place) + 10 * sigma
    assert found.width < max(1.5 * used, 255 * np.hypot(sigma, 0.3) / 1.1)  # and it is not wider than that asks for


@pytest.mark.parametrize("sigma", [0.001, 0.04, 2.0])
def test_noise_of_floats(sigma):
    for step in (0, sigma / 3, 2 * sigma):  # as measured, or rounded as by a camera that gives hundredths
        frames = noisy(np.full(SHAPE, 21.0), sigma, np.float64)
        frames = [np.rint(frame / step) * step if step else frame for frame in frames]
        assert sigma * 255 / range_of(frames).width <= 1.5


def test_noise_is_measured_beside_what_moves_what_flashes_and_frames_that_are_repeated():
    rng, place = np.random.default_rng(0), np.full(SHAPE, 5000.0)
    frames = []
    for t in range(25):
        frame = place + rng.normal(0, 5, SHAPE) + (300 if t % 2 else 0)
        frame[5:25, 2 * t : 2 * t + 10] += 1000
        frames += [as_dtype(frame, np.uint16)] * (1 + t % 2)
    finder = RangeFinder()
    for frame in frames[:25]:
        finder.look(frame, Extremes(float(frame.min()), float(frame.max())))
    assert np.median(finder.noises) == pytest.approx(5, rel=0.1)
    assert len(finder.noises) < 20


@pytest.mark.parametrize(("step", "sigma"), [(1, 0.0), (1, 0.2), (1, 0.5), (1, 3.0), (64, 20.0), (0.01, 0.004)])
def test_rounding_hides_no_noise(step, sigma):
    rng = np.random.default_rng(0)
    one, other = (np.rint(rng.normal(500 * step, sigma, (200, 200)) / step) * step for _ in range(2))
    found, rounded = noise_between(one, other, step), (one - other).std() / np.sqrt(2)
    assert found == pytest.approx(max(rounded, 0.26 * step), rel=0.15)
    assert found >= sigma * 0.99


def test_how_finely_values_are_measured():
    few, many = np.array([5.0, 5.0, 900.0]), np.sort(np.repeat(np.arange(20) * 0.01, 3))
    assert step_between(np.arange(0, 6400, 64.0), 0.0, whole_numbers=True) == 64
    assert step_between(many, 0.0, whole_numbers=False) == pytest.approx(0.01)
    assert step_between(few, 0.2, whole_numbers=True) == 1  # an object and its background
    assert step_between(few, 0.2, whole_numbers=False) == 0
    assert step_between(few, 0.3, whole_numbers=True) == step_between(few, 0.3, whole_numbers=False) == 895  # noise
    assert step_between(few[:2], 1.0, whole_numbers=True) == 1
    assert step_between(few[:2], 1.0, whole_numbers=False) == 0


@pytest.mark.parametrize("value", [0, 28_000, 30_400, 65_535])
def test_a_dead_and_a_hot_pixel_do_not_count(value):
    frames = noisy(texture(29_000, 29_400), 4, np.uint16)
    expected = range_of(frames)
    for frame in frames:
        frame[3, 7] = value
    assert_near(range_of(frames), expected)
    frames[3][10:20, 10:20] = frames[4][10:20, 10:20] = value  # but an object does
    assert range_of(frames[:5]).width > 1500 + 300


@pytest.mark.parametrize("glitches", [(0,), (4,), (7, 8, 9)])
def test_a_black_frame_or_a_shutter_does_not_count(glitches):
    frames = noisy(texture(29_000, 29_400), 4, np.uint16)
    expected = range_of(frames)
    for t in glitches:
        frames[t] = np.full(SHAPE, 100, np.uint16)
    assert_near(range_of(frames), expected)
    if glitches[0]:
        assert range_of(frames[glitches[0] - 1 : glitches[-1] + 1]).width > 20_000  # it is not alone in being right


def test_what_comes_more_often_is_no_glitch():
    assert without_glitches([5.0] * 20 + [-900.0, -800.0] + [-900.0] * 3, [9.0] * 25) == (5, 9)
    assert without_glitches([5.0] * 25, [9.0] * 20 + [300.0, 90.0, 80.0, 80.0, 80.0]) == (5, 9)
    assert without_glitches([5.0] * 19 + [-900.0] * 6, [9.0] * 25) == (-900, 9)
    assert without_glitches([5.0], [5.0]) == (5, 5)


@pytest.mark.parametrize(
    ("value", "dtype"), [(1000, np.uint16), (0, np.uint16), (-40.0, np.float32), (0.0, np.float64), (1e6, np.float32)]
)
def test_frames_of_one_value_have_a_range_around_it(value, dtype):
    for frames in ([np.full(SHAPE, value, dtype)], [np.full((1, 1), value, dtype)] * 3):
        low, high = range_of(frames)
        assert low < value < high
        assert high - low <= (52 if np.dtype(dtype).kind == "u" else max(2e-5 * abs(value), 1e-8))


WHOLE = [
    (texture(6000, 60_000), np.uint16, (0, 65_535)),
    (texture(10, 230), np.float32, (0, 255)),
    (texture(10, 230), np.float64, (0, 255)),
]


@pytest.mark.parametrize(("place", "dtype", "expected"), WHOLE, ids=["uint16", "float32", "float64"])
def test_frames_that_use_most_of_a_scale_keep_it(place, dtype, expected):
    """So masks of pictures that were brought to more bits are those of 8 bits."""
    used = np.ptp(place)
    assert range_of(noisy(place, 0.01 * used, dtype)) == expected
    assert range_of([as_dtype(0.3 * place, dtype)]).width < 0.7 * expected[1]
    assert range_of([as_dtype(place, np.float32) - 300]).width != expected[1]  # values outside are on another scale


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 2), (3, 3, 3), (700, 900)])
def test_any_shape(shape):
    frames = [np.random.default_rng(t).integers(1000, 2000, shape).astype(np.uint16) for t in range(4)]
    low, high = range_of(frames)
    assert low < min(map(np.min, frames)) <= max(map(np.max, frames)) < high


# ------------------------------------------------------------------------------------------------- what the user gives

WRONG = [(5, 1), (1, 1), (1,), (1, 2, 3), 7, "1,2", "12", (float("nan"), 1), (0, float("inf")), ("a", "b"), (0, 1e300)]


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_what_is_no_range_is_refused(value):
    with pytest.raises(
        ParameterError, match=r"value_range is .*: give \(low, high\), two numbers, the smaller one fir"
    ):
        check_range(value)


def test_what_is_one():
    assert check_range(None) is None
    assert check_range([-5, np.float32(2.5)]) == (-5.0, 2.5)
    assert Range(-5, 2.5).width == 7.5
