"""Times as they are written."""

import pytest

from bgsub.cli.options import Seconds
from bgsub.times import frame_of_timecode, frame_timecode, timecode, written_time


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
        (25 * 86_400 - 1, 25.0, "23:59:59:24"),
        (25 * 86_400 + 1, 25.0, "00:00:00:01"),
    ],
)
def test_a_timecode_of_frames_counts_them(frame, rate, text):
    assert frame_timecode(frame, rate) == text


def drop_frame_numbers(base, minutes):
    """All timecodes from 0 on, one a frame, with what drop-frame leaves out left out."""
    for minute in range(minutes):
        for second in range(60):
            for frame in range(base):
                if second or frame >= base // 15 or minute % 10 == 0:
                    yield f"{minute // 60:02}:{minute % 60:02}:{second:02};{frame:02}"


@pytest.mark.parametrize(("rate", "base"), [(30000 / 1001, 30), (60000 / 1001, 60)])
def test_drop_frame_leaves_out_numbers_and_no_frame(rate, base):
    for frame, text in enumerate(drop_frame_numbers(base, 23)):
        assert frame_timecode(frame, rate, drop=True) == text
        assert frame_of_timecode(text, rate) == (frame, True)


@pytest.mark.parametrize(
    ("text", "rate", "frame"),
    [
        ("00:00:00:00", 25.0, (0, False)),
        ("10:00:00:00", 25.0, (900_000, False)),
        (" 01:02:03:04\n", 24000 / 1001, (89_356, False)),
        ("01:00:00;00", 30000 / 1001, (107_892, True)),
        ("01:00:00.00", 30000 / 1001, (107_892, True)),
        ("01:00:00:00", 30000 / 1001, (108_000, False)),
        ("01:00:00;00", 25.0, (90_000, False)),  # drops nothing there
        ("00:01:00;00", 30000 / 1001, None),  # is left out
        ("00:00:00:25", 25.0, None),
        ("24:00:00:00", 25.0, None),
        ("00:60:00:00", 25.0, None),
        ("-1:00:00:00", 25.0, None),
        ("12:00", 25.0, None),
        ("", 25.0, None),
    ],
)
def test_a_timecode_is_a_number_of_frames(text, rate, frame):
    assert frame_of_timecode(text, rate) == frame
