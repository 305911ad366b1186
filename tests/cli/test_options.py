"""Kinds of values that commands share."""

import click
import pytest

from bgsub.cli.options import Seconds, read_region
from bgsub.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("2.5", 2.5), ("1:30", 90), ("1:30.25", 90.25), ("1:02:03.5", 3723.5), ("0:90", 90)],
)
def test_times(text, seconds):
    assert Seconds().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "x", "1:", "1:x", "1:2:3:4", "-1", "1:-1", "nan", "inf"])
def test_what_is_no_time(text):
    with pytest.raises(click.BadParameter, match="is no time: write seconds"):
        Seconds().convert(text, None, None)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00:00.00"), (90.5, "0:01:30.50"), (3723.25, "1:02:03.25")])
def test_times_are_written_as_they_can_be_typed(seconds, text):
    assert Seconds.written(seconds) == text
    assert Seconds().convert(text, None, None) == seconds


def test_a_rounded_time_carries_over():
    assert Seconds.written(3599.999) == "1:00:00.00"


def test_regions():
    assert read_region(()) is None
    assert read_region(("1,2 3,4 5,6", "0,0 9,0 9,9.5")) == [[(1, 2), (3, 4), (5, 6)], [(0, 0), (9, 0), (9, 9.5)]]
    with pytest.raises(ParameterError, match="not both"):
        read_region(("1,2 3,4 5,6", "mask.png"))
