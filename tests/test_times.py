"""Times as they are written."""

import pytest

from bgsub.cli.options import Seconds
from bgsub.times import written_time


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
