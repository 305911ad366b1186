"""Times of frames that never stand still and never go back."""

from __future__ import annotations

import math
from fractions import Fraction

# A clock that steps back further was restarted (one stream joined to another); less is a mislabelled frame.
_RESTART_S = 1.0


class Timestamps:
    """Presentation times in seconds from the first frame, out of what a container claims.

    Parameters
    ----------
    time_base : Fraction
        Seconds per tick of the claimed time stamps.
    period : float
        Nominal seconds per frame, for frames that have no time stamp.
    """

    def __init__(self, time_base: Fraction, period: float) -> None:
        self._tick = float(time_base)
        self._time_base = time_base
        self._period = period
        self._origin: Fraction | None = None
        self._last = -period

    def seconds(self, pts: int | None) -> float:
        """Return the time of the next frame, always later than that of the frame before.

        Parameters
        ----------
        pts : int or None
            The frame's time stamp in ticks, None where it has none.
        """
        expected = self._last + self._period
        if pts is None:
            time = expected
        else:
            stamp = pts * self._time_base
            if self._origin is None:
                self._origin = stamp - Fraction(expected)
            time = float(stamp - self._origin)
            if time < self._last - _RESTART_S:
                self._origin = stamp - Fraction(expected)
                time = expected
            elif time <= self._last:
                # The tick is lost in rounding where a hostile stamp made the time astronomic.
                time = max(self._last + self._tick, math.nextafter(self._last, math.inf))
        self._last = time
        return time
