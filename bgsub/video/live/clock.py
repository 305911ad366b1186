"""What live sources need of a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time of the day, and one that never steps."""

    def monotonic(self) -> float:
        """Return seconds that rise at the world's pace, from an unknown beginning."""

    def now(self) -> datetime:
        """Return the time of the day, with UTC as its zone."""


class SystemClock:
    """The system's own."""

    def monotonic(self) -> float:
        """Return seconds of the system's monotonic clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the system's time of the day."""
        return datetime.now(UTC)
