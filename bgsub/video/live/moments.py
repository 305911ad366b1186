"""From seconds of the clock to the time of the day."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from bgsub.video.live.clock import Clock

_STEP_S = 2.0  # by which the system's clock must have been set to be followed


class Moments:
    """Tells the time of the day of what has a time in seconds of the clock.

    It follows the system's clock when that is set, forward or back; what was told before stays as it was told.

    Parameters
    ----------
    clock : Clock
        Both times.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """Take the time of the day as it is now: a connection begins."""
        with self._lock:
            self._second, self._moment = self._clock.monotonic(), self._clock.now()

    def of(self, time: float) -> datetime:
        """Return the time of the day of a second of the clock, as the system's clock is set now."""
        with self._lock:
            second, now = self._clock.monotonic(), self._clock.now()
            if abs((now - self._moment).total_seconds() - (second - self._second)) > _STEP_S:
                self._second, self._moment = second, now
            return self._moment + timedelta(seconds=time - self._second)
