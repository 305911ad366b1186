"""Times out of missing, doubled and restarted time stamps."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from bgsub.video.readers.timestamps import Timestamps


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0, 40, 80], [0, 0.04, 0.08]),
        ([5000, 5040, 5100], [0, 0.04, 0.1]),  # the first frame is the origin
        ([-80, -40, 0], [0, 0.04, 0.08]),
        ([0, None, None, 120], [0, 0.04, 0.08, 0.12]),  # missing ones advance by the nominal period
        ([None, None, 1000, 1040], [0, 0.04, 0.08, 0.12]),
        ([0, 40, 40, 80], [0, 0.04, 0.041, 0.08]),  # a doubled one advances by a tick
        ([0, 40, 20, 80], [0, 0.04, 0.041, 0.08]),  # and so does one out of order
        ([0, 100, None, 110], [0, 0.1, 0.14, 0.141]),
        ([90_000, 90_040, 0, 40, 80], [0, 0.04, 0.08, 0.12, 0.16]),  # the sender was restarted
        ([0, 40, 60_000], [0, 0.04, 60]),  # a gap is a gap
    ],
)
def test_times(stamps: list[int | None], times: list[float]) -> None:
    clock = Timestamps(Fraction(1, 1000), 0.04)
    assert [clock.seconds(stamp) for stamp in stamps] == pytest.approx(times)


def test_times_always_increase() -> None:
    clock = Timestamps(Fraction(1, 90_000), 0.04)
    stamps = [0, 3600, 3600, None, 7200, -5, 1 << 62, 12, None, 12, -(1 << 62), 0, 0, 3600]
    times = [clock.seconds(stamp) for stamp in stamps]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_long_recordings_keep_their_precision() -> None:
    clock = Timestamps(Fraction(1, 90_000), 1 / 30)
    clock.seconds(123)
    a_month = 30 * 86_400 * 90_000
    assert clock.seconds(123 + a_month) == 30 * 86_400
    assert clock.seconds(126 + a_month) == pytest.approx(30 * 86_400 + 1 / 30_000, abs=1e-9)
