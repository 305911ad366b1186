"""A camera's clock on the clock here: it drifts, is set, stands still, and its network halts."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest

from bgsub.video.live.moments import Moments
from bgsub.video.live.stamps import StreamClock
from bgsub.video.live.thinning import Thinning


def test_arrivals_that_jitter_leave_times_even() -> None:
    chance = random.Random(1)
    clock = StreamClock()
    placed = [clock.place(7.0 + index / 25, 500.0 + index / 25 + 0.1 * chance.random()) for index in range(2500)]
    steps = [later.time - earlier.time for earlier, later in itertools.pairwise(placed)]
    assert max(abs(step - 0.04) for step in steps[50:]) < 2e-3
    assert len({place.zero for place in placed}) == 1
    assert clock.believed


@pytest.mark.parametrize("drift", [1 - 2e-4, 1 + 2e-4])
def test_a_clock_that_drifts_is_followed(drift: float) -> None:
    clock = StreamClock()
    for index in range(25 * 3600):
        arrival = 100.0 + index / 25
        placed = clock.place(index / 25 * drift, arrival)
    assert placed.time == pytest.approx(arrival, abs=0.05)
    assert clock.n_set == 0


def test_a_network_that_halts_makes_nothing_later() -> None:
    clock = StreamClock()
    for index in range(500):
        arrival = 100.0 + index / 25
        late = 104.0 if 100 < arrival < 104 else arrival  # four seconds come at once
        placed = clock.place(index / 25, late)
        assert placed.time == pytest.approx(arrival, abs=0.1)
    assert clock.n_set == 0


def test_a_clock_of_nearly_the_right_pace_is_followed_closely() -> None:
    """As of a camera that counts 25 pictures a second and sends 24."""
    clock = StreamClock()
    for index in range(25 * 1200):
        arrival = 100.0 + index / 24
        placed = clock.place(index / 25, arrival)
        assert placed.time == pytest.approx(arrival, abs=1.0)
    assert clock.believed
    assert clock.n_set == 0


@pytest.mark.parametrize("pace", [0.3, 0.5, 0.9, 1.1, 2.0])
def test_a_clock_of_quite_another_pace_is_believed_no_more(pace: float) -> None:
    """As of a camera that counts its pictures, and sends fewer by night, or more, than it counts for a second."""
    clock = StreamClock()
    for index in range(1500):
        arrival = 100.0 + index / 20
        placed = clock.place(7.0 + index / 20 * pace, arrival)
        assert index < 600 or placed.time == arrival
    assert not clock.believed


def test_a_network_that_slows_down_for_a_while_makes_nothing_later() -> None:
    """What was sent over six seconds takes nine, and is caught up with over ten."""
    clock = StreamClock()
    for index in range(1500):
        sent = 100.0 + index / 25
        late = max(0.0, 1.5 * (min(sent, 116.0) - 110.0) - max(0.0, sent - 116.0))
        placed = clock.place(index / 25, sent + max(0.0, late))
        assert placed.time == pytest.approx(sent, abs=1.0)
    assert clock.believed
    assert placed.time == pytest.approx(sent, abs=0.1)
    assert clock.n_set == 0


@pytest.mark.parametrize("step", [1e4, -500.0])
@pytest.mark.parametrize("sound_first", [True, False])
def test_sound_goes_on_at_its_arrival_where_its_clock_is_set(step: float, sound_first: bool) -> None:
    clock = StreamClock()
    at = 50.0
    for index in range(100):
        at = 50 + index / 25
        clock.place(10_000 + index / 25, at)
        assert clock.beside(10_000 + index / 25, at).time == pytest.approx(at)
    moved = 10_000 + step + 4
    if not sound_first:
        clock.place(moved, 54.0)
    for index in range(5):
        stamp = (moved if sound_first else 10_004.0) + index / 50
        placed = clock.beside(stamp, 54.0 + index / 50)
        assert placed.time == pytest.approx(54.0 + index / 50)
        assert placed.zero == pytest.approx(54.0 + index / 50 - stamp)
    if sound_first:
        clock.place(moved, 54.1)
    for index in range(5, 10):
        both = 54.0 + index / 50
        picture, sound = clock.place(moved + index / 50, both), clock.beside(moved + index / 50, both)
        assert picture == sound


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_clock_that_is_set_goes_on_at_the_arrival(step: float) -> None:
    clock = StreamClock()
    for index in range(100):
        clock.place(10_000 + index / 25, 50 + index / 25)
    placed = clock.place(10_000 + step + 4, 54.0)
    assert placed.time == pytest.approx(54.0)
    assert placed.zero == pytest.approx(54.0 - 10_004 - step)
    assert clock.place(10_000 + step + 4.04, 54.04).time == pytest.approx(54.04)
    assert (clock.n_set, clock.believed) == (1, True)


def test_a_clock_that_stands_still_or_is_set_all_the_time_is_believed_no_more() -> None:
    stands, jumps = StreamClock(), StreamClock()
    for index in range(100):
        arrival = 50 + index / 25
        still = stands.place(3.0, arrival)
        jumped = jumps.place((-1) ** index * 1000.0 - index, arrival)
    assert not stands.believed
    assert not jumps.believed
    assert still.time == jumped.time == arrival
    assert stands.place(None, 99.0).time == 99.0


def test_what_was_there_before_the_first_wait_came_before_it() -> None:
    clock = StreamClock()
    clock.begin(2.0, 100.0)
    assert [clock.place(index / 10, 100.0).time for index in range(21)] == pytest.approx(
        [98 + index / 10 for index in range(21)], abs=0.06
    )


@pytest.mark.parametrize(
    ("rate", "enough", "wanted"),
    [(25, 12, 12.5), (30, 12, 15), (15, 12, 15), (10, 12, 10), (50, 12, 12.5), (25, 0, 25)],
)
@pytest.mark.parametrize("claimed", [None, 25.0])
def test_as_many_pictures_as_are_enough_are_looked_at(
    rate: int, enough: int, wanted: float, claimed: float | None
) -> None:
    thinning = Thinning(enough, claimed)
    chosen = [index / rate for index in range(60 * rate) if thinning.wants(index / rate)]
    late = [time for time in chosen if time >= 10]
    assert len(late) / 50 == pytest.approx(wanted, rel=0.02)
    steps = {round(later - earlier, 6) for earlier, later in itertools.pairwise(late)}
    assert len(steps) == 1


class SteppedClock:
    def __init__(self) -> None:
        self.seconds, self.day = 100.0, datetime(2026, 10, 25, 0, 59, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.day

    def passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.day += timedelta(seconds=seconds)


def test_moments_follow_the_system_clock_forward_and_back() -> None:
    clock = SteppedClock()
    moments = Moments(clock)
    told = []
    for index in range(300):
        clock.passes(0.1)
        if index == 100:
            clock.day += timedelta(hours=1)
        if index == 200:
            clock.day -= timedelta(hours=2)
        clock.day += timedelta(milliseconds=index % 3)  # which is no setting
        told.append(moments.of(clock.seconds))
    assert (told[150] - told[50]).total_seconds() == pytest.approx(3610, abs=0.5)
    assert (told[250] - told[150]).total_seconds() == pytest.approx(-7190, abs=0.5)
    assert all(later - sooner == timedelta(seconds=0.1) for sooner, later in itertools.pairwise(told[:100]))
    assert moments.of(clock.seconds - 1) == told[-1] - timedelta(seconds=1)
    assert moments.of(clock.seconds) != clock.day
    moments.begin()
    assert moments.of(clock.seconds) == clock.day
