"""Times as they are written."""

import pytest

from bgsub.cli.options import Seconds
from bgsub.times import frame_timecode, timecode, written_time


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00:00.00"),
        (7.1, "0:00:07.10"),
        (59.994, "0:00:59.99"),
        (59.996, "0:01:00.00"),  # never 60 seconds
        (3599.999, "1:00:00.00"),
        (90_000.5, "25:00:00.50"),
        (-0.001, "0:00:00.00"),
        (-61.25, "-0:01:01.25"),
    ],
)
def test_a_time_is_written(seconds, text):
    assert written_time(seconds) == text
    if seconds > 0:
        assert Seconds().convert(text, None, None) == pytest.approx(seconds, abs=0.005)  # and can be typed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00.000"),
        (7.1, "00:00:07.100"),
        (59.9994, "00:00:59.999"),
        (59.9996, "00:01:00.000"),
        (3599.9999, "01:00:00.000"),
        (360_000.0625, "100:00:00.062"),
        (-0.0001, "00:00:00.000"),
        (-61.25, "-00:01:01.250"),
    ],
)
def test_a_timecode_has_thousandths(seconds, text):
    assert timecode(seconds) == text


@pytest.mark.parametrize(
    ("frame", "rate", "text"),
    [
        (0, 25.0, "00:00:00:00"),
        (24, 25.0, "00:00:00:24"),
        (25, 25.0, "00:00:01:00"),
        (90_000, 25.0, "01:00:00:00"),
        (1800, 30000 / 1001, "00:01:00:00"),  # no number is dropped
        (1798, 24000 / 1001, "00:01:14:22"),
        (119, 120.0, "00:00:00:119"),
        (1, 0.2, "00:00:01:00"),
    ],
)
def test_a_timecode_of_frames_counts_them(frame, rate, text):
    assert frame_timecode(frame, rate) == text
