"""Times of frames: the nominal rate while they keep to it, the truth where they do not, and what is refused."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction
from itertools import takewhile

import numpy as np
import pytest

from bgsub import MOG2, BackgroundSubtractor, ModelFileError, ParameterError
from bgsub.background.adaptive.clock import Clock, Tick
from bgsub.files import read_versions, write_container
from tests.background.adaptive_scenes import seen, wall, with_square
from tests.background.twins import stored

RATES = [Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(50), Fraction(5)]
STAMPS = {
    "exact": float,
    "rounded to milliseconds": lambda t: round(t * 1000) / 1000,
    "cut to milliseconds": lambda t: int(t * 1000) / 1000,
    "ticks of 1/90000": lambda t: round(t * 90_000) / 90_000,
}


def ticks_of(times, rate):
    clock = Clock()
    for time in times:
        clock.now = clock.tick(time, float(rate))
        yield clock.now


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("stamp", STAMPS.values(), ids=STAMPS)
@pytest.mark.parametrize("first", [0, Fraction(1, 3), 1_700_000_000])
def test_a_constant_rate_is_the_nominal_one_however_its_stamps_are_rounded(rate, stamp, first):
    """For minutes: each frame is one at the nominal rate, for which `seconds` is None."""
    minutes = 5 if first else 1
    times = (stamp(first + n / rate) for n in range(int(60 * minutes * rate)))
    assert {tick.seconds for tick in ticks_of(times, rate)} == {None}


@pytest.mark.parametrize(
    ("nominal", "real"), [(25, 30), (1000, 30), (30, 29.97), (25, 24.9), (30, 5), (25, 0.9), (5, 1000)], ids=str
)
@pytest.mark.parametrize("stamp", STAMPS.values(), ids=STAMPS)
def test_where_the_rate_is_another_one_the_seconds_are_those_of_the_times(nominal, real, stamp):
    """None is lost and none counted twice, up to what the rounding allows; gaps stay below 1 s only with the first."""
    times = [stamp(n / real) for n in range(1, 400)]
    if times[0] == times[1]:
        pytest.skip("stamps this coarse do not rise")
    counted = sum(1 / nominal if tick.seconds is None else tick.seconds for tick in list(ticks_of(times, nominal))[1:])
    expected = 398 * 1.0 if real < 1 else times[-1] - times[0]
    assert counted == pytest.approx(expected, abs=0.002)


def test_a_variable_rate():
    times = [0, 0.04, 0.08, 0.5, 0.54, 0.9, 7.0, 7.04]
    expected = [None, None, None, 0.42, None, 0.36, 1.0, None]
    assert [tick.seconds for tick in ticks_of(times, 25)] == pytest.approx(expected)


def test_a_gap_counts_as_a_second_unless_frames_are_farther_apart_anyway():
    assert [tick.seconds for tick in ticks_of([0, 3600], 25)][1] == 1
    assert [tick.seconds for tick in ticks_of([0, 10, 20, 30], 0.1)] == [None] * 4
    assert [tick.seconds for tick in ticks_of([0, 3600], 0.1)][1] == 10


def test_frames_without_a_time_come_one_nominal_distance_after_the_last():
    times = [None, None, 5.0, None, None, 5.12, 5.5, None, 5.54 + 0.1]
    expected = [None, None, None, None, None, None, 0.38, None, 0.1]
    assert [tick.seconds for tick in ticks_of(times, 25)] == pytest.approx(expected)


def test_a_time_that_frames_without_one_have_overtaken_counts_nothing():
    times = [0.0, *[None] * 10, 0.1, 0.3]
    assert [tick.seconds for tick in ticks_of(times, 25)][-2:] == pytest.approx([0.0, 0.2])


WRONG = [
    (float("nan"), "time is nan: give seconds as a number, or None"),
    (float("inf"), "time is inf: give seconds"),
    ("now", "time is 'now': give seconds"),
    ([1.0, 2.0], r"time is \[1.0, 2.0\]: give seconds"),
    (np.zeros(2), "time is array"),
    (2.0, r"time is 2, the last frame's was 2: give seconds that rise, or call restart_clock\(\) where another video"),
    (1.5, "time is 1.5, the last frame's was 2: give seconds that rise"),
]


@pytest.mark.parametrize(("time", "message"), WRONG, ids=str)
@pytest.mark.parametrize("rate", [None, 0])
def test_wrong_times_are_refused_and_change_nothing(time, message, rate):
    model, frame = BackgroundSubtractor(), np.full((20, 30, 3), 90, np.uint8)
    model.apply(frame, time=1.96)
    model.apply(frame, time=2.0)
    before = stored(model)
    with pytest.raises(ParameterError, match=message):
        model.apply(frame, time=time, learning_rate=rate)
    assert stored(model) == before
    assert model.apply(frame, time=2.04).shape == (20, 30)


def test_another_video_may_begin_anywhere():
    frame = np.full((20, 30, 3), 90, np.uint8)
    for again in (
        lambda model: model.restart_clock() or model.apply(frame, time=0.5),
        lambda model: model.reset() or model.apply(frame, time=0.5),
        lambda model: model.apply(frame, time=0.5, learning_rate=1),
    ):
        model = BackgroundSubtractor()
        model.apply(frame, time=2.0)
        again(model)
        with pytest.raises(ParameterError, match=r"the last frame's was 0.5"):
            model.apply(frame, time=0.5)


def test_frames_that_are_only_classified_leave_the_clock_alone():
    frame, model = np.full((20, 30, 3), 90, np.uint8), BackgroundSubtractor()
    model.apply(frame, time=9.0, learning_rate=0)  # nothing has been learned
    model.apply(frame, time=1.0)
    for time in (5.0, 4.0):
        model.apply(frame, time=time, learning_rate=0)
    model.apply(frame, time=1.04)


def test_mog2_never_looks_at_the_time():
    rng, model, other = np.random.default_rng(0), MOG2(history=20), MOG2(history=20)
    for time in (3.0, 2.0, float("nan"), None, "later"):
        frame = rng.integers(0, 255, (12, 20, 3), np.uint8)
        np.testing.assert_array_equal(model.apply(frame, time=time), other.apply(frame))


# ------------------------------------------------------------------------------------------------ what it is good for

SHAPE = (40, 60)
COUNTED = {"history": 50, "taper": 0, "min_area": 5}


def scene(n, rng, stops=40):
    """Yield a wall; from the frame `stops` on a square stands on it."""
    background = wall(SHAPE)
    thing = with_square(background, 10, 20, 18)
    for t in range(n):
        yield seen(thing if t >= stops else background, rng)


def absorbed_after(times, seconds, frame_rate, stop=4.0):
    """Return the seconds from the stop of an object until half of it is background."""
    rng, model = (
        np.random.default_rng(0),
        BackgroundSubtractor(absorption_time=seconds, frame_rate=frame_rate, **COUNTED),
    )
    background = wall(SHAPE)
    thing = with_square(background, 10, 20, 18)
    for _ in range(60):  # before the clock begins
        model.apply(seen(background, rng))
    for time in takewhile(lambda time: time < stop + 2 * seconds, times):
        mask = model.apply(seen(thing if time >= stop else background, rng), time=time)
        if time > stop + seconds / 3 and (mask[14:24, 24:34] == 255).mean() < 0.5:
            return time - stop
    return None


def uneven(rng, mean):
    """Yield times of a rate that wanders."""
    time = 0.0
    while True:
        yield time
        time += rng.uniform(0.2, 1.8) * mean


CLOCKS = {
    "5/s": (lambda: (n / 5 for n in range(10_000)), 5.0),
    "25/s": (lambda: (n / 25 for n in range(10_000)), 25.0),
    "30/s in milliseconds": (lambda: (round(n / 30, 3) for n in range(10_000)), 30.0),
    "30/s that claims 1000/s": (lambda: (round(n / 30, 3) for n in range(10_000)), 1000.0),
    "5/s that claims 25/s": (lambda: (n / 5 for n in range(10_000)), 25.0),
    "variable": (lambda: uneven(np.random.default_rng(1), 0.05), 25.0),
}


@pytest.mark.slow
@pytest.mark.parametrize(("clock", "claimed"), CLOCKS.values(), ids=CLOCKS)
def test_what_stands_is_absorbed_in_the_same_seconds_at_any_rate(clock, claimed):
    """12 s by the formula, less for pixels that vary as these do; the same at each rate within 10 %."""
    assert absorbed_after(clock(), 12.0, claimed) == pytest.approx(7.5, rel=0.1)


@pytest.mark.slow
def test_without_the_times_a_rate_that_is_claimed_counts():
    """So the test above shows something."""
    assert absorbed_after((n / 5 for n in range(400)), 12.0, 5.0) is not None
    rng, model = np.random.default_rng(0), BackgroundSubtractor(absorption_time=12.0, frame_rate=1000.0, **COUNTED)
    for frame in scene(400, rng, stops=60):
        mask = model.apply(frame)
    assert (mask[14:24, 24:34] == 255).all()


@pytest.mark.parametrize("rate", [25, 30, Fraction(30000, 1001)], ids=str)
@pytest.mark.parametrize("stamp", STAMPS.values(), ids=STAMPS)
def test_masks_of_a_constant_rate_are_the_same_bits_with_and_without_times(rate, stamp):
    options = {"absorption_time": 2.0, "frame_rate": float(rate), **COUNTED}
    told, untold, found = BackgroundSubtractor(**options), BackgroundSubtractor(**options), 0
    for n, frame in enumerate(scene(100, np.random.default_rng(0))):
        mask = told.apply(frame, time=stamp(n / rate))
        np.testing.assert_array_equal(mask, untold.apply(frame))
        found += np.count_nonzero(mask)
    assert found > 1000
    assert stored(told) == stored(untold)


# --------------------------------------------------------------------------------------------------- copies and files


def through_a_file(model, path):
    model.save(path)
    return BackgroundSubtractor.load(path)


WAYS = {
    "copy": lambda model, _: model.copy(),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "file": through_a_file,
}


def timed(n, rng):
    """Yield frames with uneven times."""
    return zip(scene(n, rng, stops=20), (t + 0.3 * (t % 3 == 0) for t in range(1, 10_000)), strict=False)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_twin_goes_on_at_the_same_time(way, tmp_path):
    model = BackgroundSubtractor(absorption_time=20, **COUNTED)
    frames = list(timed(50, np.random.default_rng(0)))
    for frame, time in frames[:25]:
        model.apply(frame, time=time)
    twin = way(model, tmp_path / "m.bgsub")
    with pytest.raises(ParameterError, match="give seconds that rise"):
        twin.apply(frames[24][0], time=frames[24][1])
    for frame, time in frames[25:]:
        np.testing.assert_array_equal(twin.apply(frame, time=time), model.apply(frame, time=time))
    assert stored(twin) == stored(model)


def test_a_file_from_before_there_was_a_clock(tmp_path):
    model = BackgroundSubtractor(**COUNTED)
    for frame in scene(8, np.random.default_rng(0)):
        model.apply(frame)
    model.save(tmp_path / "m.bgsub")
    content = read_versions(tmp_path / "m.bgsub", "adaptive", 2, 2)
    del content.meta["clock"]
    write_container(tmp_path / "old.bgsub", "adaptive", 2, content.meta, content.arrays)
    old = BackgroundSubtractor.load(tmp_path / "old.bgsub")
    for frame in scene(8, np.random.default_rng(1)):
        np.testing.assert_array_equal(old.apply(frame), model.apply(frame))
    assert stored(old) == stored(model)


CLOCKS_THAT_CANNOT_BE = [
    {"start": "x", "elapsed": 0.0, "last": None},
    {"start": 1.0, "elapsed": None, "last": 2.0},
    {"start": 1.0, "elapsed": 0.0, "last": 2},
    {"start": 1e999, "elapsed": 0.0, "last": 2.0},
    {"start": 1.0, "elapsed": 0.0},
    7,
]


@pytest.mark.parametrize("clock", CLOCKS_THAT_CANNOT_BE)
def test_a_clock_that_cannot_be_is_refused(clock, tmp_path):
    model = BackgroundSubtractor()
    model.apply(np.zeros((20, 30, 3), np.uint8), time=1.0)
    model.save(tmp_path / "m.bgsub")
    content = read_versions(tmp_path / "m.bgsub", "adaptive", 2, 2)
    write_container(tmp_path / "bad.bgsub", "adaptive", 2, {**content.meta, "clock": clock}, content.arrays)
    with pytest.raises(ModelFileError, match="it describes no BackgroundSubtractor model"):
        BackgroundSubtractor.load(tmp_path / "bad.bgsub")


def test_what_a_tick_is_before_any_time():
    assert Clock().now == Tick(None, None, 0.0, None)
