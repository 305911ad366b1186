"""Times out of missing, doubled, mislabelled and restarted time stamps."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

import pytest

from bgsub.video.readers.timestamps import Stamped, Timestamps

MS = Fraction(1, 1000)


def times_of(stamps: Iterable[int | None], *, joined: bool = False) -> list[float]:
    """Times of stamps in milliseconds, at 25 frames a second."""
    clock: Timestamps[None] = Timestamps(MS, 0.04, joined=joined)
    return [time for time, _ in clock.times(Stamped(stamp, None) for stamp in stamps)]


def even(count: int, begin: float = 0.0) -> list[float]:
    return [begin + 0.04 * index for index in range(count)]


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0, 40, 80], [0, 0.04, 0.08]),
        ([5000, 5040, 5100], [0, 0.04, 0.1]),  # the first frame is the origin
        ([-80, -40, 0], [0, 0.04, 0.08]),
        ([0, None, None, 120], [0, 0.04, 0.08, 0.12]),  # missing ones advance by the nominal period
        ([None, None, 1000, 1040], [0, 0.04, 0.08, 0.12]),
        ([0, 40, 40, 80], [0, 0.04, 0.06, 0.08]),  # a doubled one lies between its neighbours
        ([0, 40, 20, 80, 120], [0, 0.04, 0.06, 0.08, 0.12]),  # and so does one out of order
        ([0, 40, 39, 80, 120], [0, 0.04, 0.06, 0.08, 0.12]),
        ([0, 40, 60_000, 120, 160], [0, 0.04, 0.08, 0.12, 0.16]),  # one from another world
        ([60_000, 60_040, 0, 60_120], [0, 0.04, 0.08, 0.12]),
        ([0, 40, 5000, 120, 160], [0, 0.04, 0.08, 0.12, 0.16]),
        ([0, 40, 40], [0, 0.04, 0.08]),  # the last one
        ([0, 100, 500, 9000, 9040], [0, 0.1, 0.5, 9, 9.04]),  # a gap is a gap
        ([0, 1000, 2000, 5000, 5500], [0, 1, 2, 5, 5.5]),
    ],
)
def test_times(stamps: list[int | None], times: list[float], joined: bool) -> None:
    assert times_of(stamps, joined=joined) == pytest.approx(times)


@pytest.mark.parametrize("back", [40, 80, 100, 480, 500, 2000, 90_000])
@pytest.mark.parametrize("joined", [False, True])
def test_a_clock_that_was_set_back_goes_on(back: int, joined: bool) -> None:
    before = [100_000 + 40 * index for index in range(25)]
    after = [101_000 - back + 40 * index for index in range(25)]
    if back == 40:  # a doubled stamp is no clock
        assert times_of(before + after, joined=joined)[-1] == pytest.approx(0.04 * 48)
    else:
        assert times_of(before + after, joined=joined) == pytest.approx(even(50))


@pytest.mark.parametrize("ahead", [10_100, 36_000_000, 95_443_000])
def test_a_clock_that_was_set_ahead_goes_on_where_streams_may_be_joined(ahead: int) -> None:
    stamps = [40 * index for index in range(25)] + [1000 + ahead + 40 * index for index in range(25)]
    assert times_of(stamps, joined=True) == pytest.approx(even(50))
    assert times_of(stamps) == pytest.approx(even(25) + even(25, 1 + ahead / 1000))


def test_the_same_part_again_and_again() -> None:
    part = [7000 + 40 * index for index in range(10)]
    assert times_of(part * 20) == pytest.approx(even(200))


def test_stamps_that_stand_still_advance_by_the_period() -> None:
    assert times_of([7] * 50) == pytest.approx(even(50))
    assert times_of([0, 40, 80, *[80] * 20]) == pytest.approx(even(23))
    moving_again = times_of([0, 40, *[40] * 20, *range(80, 800, 40)])
    assert moving_again[:19] == pytest.approx(even(19))
    assert [b - a for a, b in itertools.pairwise(moving_again[22:])] == pytest.approx([0.04] * 17)


def test_uneven_stamps_with_doubled_ones_do_not_drift() -> None:
    stamps = [
        stamp for index in range(100) for stamp in ([100 * index, 100 * index + 33] + [100 * index + 33] * (index % 2))
    ]
    times = times_of(stamps)
    assert times[-1] == pytest.approx(stamps[-2] / 1000, abs=0.08)
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_times_always_increase() -> None:
    stamps = [0, 3600, 3600, None, 7200, -5, 1 << 62, 12, None, 12, -(1 << 62), 0, 0, 3600]
    for joined in (False, True):
        for order in (stamps, stamps[::-1], stamps[::2] * 2, sorted(stamps, key=str)):
            times = times_of(order, joined=joined)
            assert len(times) == len(order)
            assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_it_says_what_the_clock_did() -> None:
    told = []
    clock: Timestamps[str] = Timestamps(MS, 0.04, joined=True, told=lambda *found: told.append(found))
    stamps = [0, 40, 80, 50_000, 50_040, 50_080, 30, 70, 110, *[110] * 9, 0, 40, 80]
    list(clock.times(Stamped(stamp, f"frame {index}") for index, stamp in enumerate(stamps)))
    assert [(what, item) for what, item, _ in told] == [
        ("jumps ahead by 49.9 s", "frame 3"),
        ("steps back by 50.09 s", "frame 6"),
        ("stands still", "frame 9"),
        ("steps back by 0.15 s", "frame 18"),
    ]
    assert [time for _, _, time in told] == pytest.approx([0.12, 0.24, 0.36, 0.72])


def test_of_a_thousand_joins_it_tells_some() -> None:
    told = []
    clock: Timestamps[None] = Timestamps(MS, 0.04, told=lambda *found: told.append(found))
    assert len(list(clock.times(Stamped(stamp, None) for stamp in list(range(0, 400, 40)) * 1000))) == 10_000
    assert 1 <= len(told) <= 10


def test_of_a_live_source_the_world_tells_what_stamps_do_not() -> None:
    clock: Timestamps[None] = Timestamps(MS, 0.04, joined=True)
    arrivals = [10.0, 10.2, 10.4, 10.6, 10.8, 40.0, 40.2, 40.4]
    missing = [time for time, _ in clock.times(Stamped(None, None, arrival) for arrival in arrivals)]
    assert missing == pytest.approx([arrival - 10 for arrival in arrivals])
    stands: Timestamps[None] = Timestamps(MS, 0.04)
    still = [time for time, _ in stands.times(Stamped(5, None, arrival) for arrival in arrivals)]
    assert still == pytest.approx([arrival - 10 for arrival in arrivals])
    gap: Timestamps[None] = Timestamps(MS, 0.04, joined=True)
    stamps = [0, 200, 400, 600, 800, 900_000, 900_200, 900_400]
    restarted = [time for time, _ in gap.times(map(Stamped, stamps, [None] * 8, arrivals))]
    assert restarted == pytest.approx([arrival - 10 for arrival in arrivals])


def test_an_error_comes_after_the_frames_before_it() -> None:
    def frames() -> Iterator[Stamped[None]]:
        yield from (Stamped(stamp, None) for stamp in (0, 40, 80, 5))
        raise ValueError("broken")

    clock: Timestamps[None] = Timestamps(MS, 0.04)
    times: list[float] = []
    with pytest.raises(ValueError, match="broken"):
        times.extend(time for time, _ in clock.times(frames()))
    assert times == pytest.approx(even(4))


def test_a_later_start_counts_from_the_same_first_frame() -> None:
    clock: Timestamps[None] = Timestamps(MS, 0.04)
    clock.start_from(1000)
    assert [time for time, _ in clock.times(Stamped(stamp, None) for stamp in (61_000, 61_040))] == [60, 60.04]


def test_long_recordings_keep_their_precision() -> None:
    a_month = 30 * 86_400 * 90_000
    clock: Timestamps[None] = Timestamps(Fraction(1, 90_000), 1 / 30)
    stamps = (123, 123 + a_month, 126 + a_month)
    times = [time for time, _ in clock.times(Stamped(stamp, None) for stamp in stamps)]
    assert times[1] == 30 * 86_400
    assert times[2] == pytest.approx(30 * 86_400 + 1 / 30_000, abs=1e-9)


@pytest.mark.parametrize("base", [Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 1_000_000_000)])
@pytest.mark.parametrize("origin", [0, -7, 2**40 + 1])
def test_times_are_the_exact_quotients_rounded_once(base: Fraction, origin: int) -> None:
    step = max(1, round(Fraction(1, 30) / base))
    stamps = [origin + i * step + i % 2 * (step > 1) for i in range(300)]
    clock: Timestamps[None] = Timestamps(base, 1 / 30)
    times = [time for time, _ in clock.times(Stamped(stamp, None) for stamp in stamps)]
    assert times == [float((stamp - origin) * base) for stamp in stamps]
