"""From seconds of the clock to the time of the day."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from bgsub.video.live.clock import Clock

_STEP_S = 2.0  # by which the system's clock must have been set to be followed


class Moments:
    """Tells the time of the day of what has a time in seconds of the clock.

    It follows the system's clock when that is set forward, within a connection never back.

    Parameters
    ----------
    clock : Clock
        Both times.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: datetime | None = None
        self.begin()

    def begin(self) -> None:
        """Take the time of the day as it is now: a connection begins."""
        with self._lock:
            self._second, self._moment = self._clock.monotonic(), self._clock.now()
            self._latest = None

    def of(self, time: float) -> datetime:
        """Return the time of the day of a second of the clock."""
        with self._lock:
            return self._moment + timedelta(seconds=time - self._second)

    def of_picture(self, time: float) -> datetime:
        """Return that of the next picture, which is not before that of the last."""
        second, now = self._clock.monotonic(), self._clock.now()
        if (now - self.of(second)).total_seconds() > _STEP_S:
            with self._lock:
                self._second, self._moment = second, now
        moment = self.of(time)
        self._latest = moment if self._latest is None else max(moment, self._latest)
        return self._latest
