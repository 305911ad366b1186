"""A reader that lags behind: it catches up, or frames are left out for it."""

from __future__ import annotations

import collections

import pytest

from bgsub.video.readers.lag import Lag


def played(
    rate: float, reader: float, *, seconds: float = 30.0, late: float = 0.0, silence: float = 0.04
) -> tuple[int, float]:
    """Frames dropped of a source by a reader of so many a second who begins late, and the last one's age."""
    lag, waiting, dropped, age = Lag(), collections.deque[float](), 0, 0.0
    taken, arrived = 0, 0
    for step in range(int(seconds * 100)):
        now = step / 100
        while arrived < now * rate:
            waiting.append(arrived / rate)
            arrived += 1
        if now >= late and taken < (now - late) * reader and waiting:
            age = now - waiting.popleft()
            taken += 1
        if len(waiting) > 8 and taken >= 2 and step % 4 == 0:
            while len(waiting) > 8 and lag.is_too_long(now - waiting[0], silence, now):
                waiting.popleft()
                dropped += 1
    return dropped, age


def test_who_keeps_up_loses_nothing() -> None:
    assert played(25, 30) == (0, pytest.approx(0, abs=0.1))


@pytest.mark.parametrize("late", [1, 5, 10])
def test_who_begins_late_and_is_faster_loses_nothing(late: float) -> None:
    dropped, age = played(25, 60, late=late)
    assert dropped == 0
    assert age < 0.2


@pytest.mark.parametrize("late", [0, 5])
def test_who_is_too_slow_stays_half_a_second_behind(late: float) -> None:
    dropped, age = played(25, 10, late=late)
    assert dropped == pytest.approx(25 * 30 - 10 * (30 - late), rel=0.1)
    assert age < 1.2


def test_what_comes_in_bursts_may_wait_for_as_long_as_a_burst() -> None:
    lag = Lag()
    assert not any(lag.is_too_long(5 + step / 100, 10.0, step / 10) for step in range(50))
    assert any(lag.is_too_long(13 + step / 100, 10.0, step / 10) for step in range(50))
