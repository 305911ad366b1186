"""The seconds between the frames that the adaptive model learns, by which it counts how long an object has stood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from bgsub.errors import ParameterError

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
_ROUNDING = 0.001001  # physics: seconds by which two times rounded to the millisecond may miss their distance
_LONGEST = 1.0  # chosen: seconds of a gap that count: what stood before it may be another thing than what stands after


class Tick(NamedTuple):
    """What a frame's time means.

    Attributes
    ----------
    seconds : float or None
        Since the frame before; None where that is one frame at the nominal rate, as far as the times are exact.
    start : float or None
        Time of the frame from which on all frames kept to the nominal rate; None while there was no time.
    elapsed : float
        Seconds from it to this frame by that rate: apart, since times of day leave no digits for small steps.
    last : float or None
        Latest time that the caller gave.
    """

    seconds: float | None = None
    start: float | None = None
    elapsed: float = 0.0
    last: float | None = None


class Clock:
    """Counts the seconds of frames with times, and of those without one by the nominal rate.

    Times of a constant rate are rounded, to a millisecond in many files. While they keep to the nominal rate within
    that rounding the clock does so exactly, so that masks do not depend on the container; where they depart from it,
    they are right.

    Attributes
    ----------
    now : Tick
        Of the last frame learned.
    """

    def __init__(self) -> None:
        self.now = Tick()

    def tick(self, time: float | None, frame_rate: float) -> Tick:
        """Return what the time of the next frame means; `now` stays until the frame has been learned.

        Parameters
        ----------
        time : float or None
            Seconds, later than any before; None for one frame at the nominal rate after the last. A time that frames
            without one have overtaken counts as no seconds.
        frame_rate : float
            Nominal frames a second.

        Raises
        ------
        ParameterError
            When it is no number, or does not rise.
        """
        _, start, elapsed, last = self.now
        expected = elapsed + 1 / frame_rate
        if time is None:
            return Tick(None, start, expected, last)
        given = _finite(time)
        if last is not None and given <= last:
            raise ParameterError(
                f"time is {given:g}, the last frame's was {last:g}: "
                "give seconds that rise, or call restart_clock() where another video begins"
            )
        if start is None:
            return Tick(None, given, 0.0, given)
        if abs(given - start - expected) <= _ROUNDING:
            return Tick(None, start, expected, given)
        seconds = min(max(given - start - elapsed, 0.0), max(_LONGEST, 1 / frame_rate))
        return Tick(seconds, given, 0.0, given)

    # ---------------------------------------------------------------------------------------------- persistence

    def progress(self) -> dict[str, Any]:
        """Return where the clock stands, as plain values."""
        return {"start": self.now.start, "elapsed": self.now.elapsed, "last": self.now.last}

    def set_progress(self, values: Mapping[str, Any]) -> None:
        """Take over what `progress` returned, or raise ValueError about a value that it cannot have."""
        start, elapsed, last = values["start"], values["elapsed"], values["last"]
        if not all(type(value) is float and math.isfinite(value) for value in (start or 0.0, elapsed, last or 0.0)):
            raise ValueError(f"a clock that stands at {start!r}, {elapsed!r}, {last!r}")
        self.now = Tick(None, start, elapsed, last)


def _finite(time: Any) -> float:
    """Return a time as a float, or raise ParameterError."""
    try:
        given = float(time)
    except (TypeError, ValueError, OverflowError):
        given = math.nan
    if not math.isfinite(given):
        raise ParameterError(f"time is {time!r}: give seconds as a number, or None for one frame at frame_rate")
    return given
