"""Time, from one object: tests and programs with a stepped clock see the same code."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The time of the day, in UTC, and a time that never steps.

    Durations and delays are measured by `monotonic`; `now` is for what people read, and may step when the system's
    clock is set.
    """

    def monotonic(self) -> float:
        """Return seconds that rise at the world's pace, from an unknown beginning."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the time of the day, with UTC as its zone."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        time.sleep(seconds)
