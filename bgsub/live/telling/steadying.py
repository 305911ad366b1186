"""A camera that comes and goes is no news each time: it is told as lost once it has been for a while."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable

from bgsub.live.telling.occasions import Occasion

GRACE = 10.0
"""Seconds for which a camera must be lost before people are told."""

_OF_LATE = 3600.0  # seconds
_LONGEST = 6  # doublings of the grace: 640 s


class Steadying:
    """Holds back that cameras are lost; lives in a running event loop.

    Each time that a camera was told as lost within the last hour doubles the time it must be lost to be told again, up
    to eleven minutes: one that drops every minute is told a few times, and one that stays away is told always.

    Parameters
    ----------
    pass_on : callable
        Called with each occasion that is to be told.
    grace : float
        Seconds; 0 holds nothing back.
    """

    def __init__(self, pass_on: Callable[[Occasion], None], grace: float = GRACE) -> None:
        self._pass_on, self._grace = pass_on, grace
        self._held: dict[str | None, asyncio.TimerHandle] = {}
        self._told: dict[str | None, deque[float]] = defaultdict(lambda: deque(maxlen=_LONGEST))

    def hear(self, occasion: Occasion) -> None:
        """Pass an occasion on, now or later, or never."""
        if not self._grace or occasion.name not in ("camera_lost", "camera_found"):
            self._pass_on(occasion)
            return
        held = self._held.pop(occasion.camera, None)
        if held is not None:
            held.cancel()
        if occasion.name == "camera_lost":
            loop, told = asyncio.get_running_loop(), self._told[occasion.camera]
            often = sum(loop.time() - at < _OF_LATE for at in told)
            self._held[occasion.camera] = loop.call_later(self._grace * 2**often, self._tell_lost, occasion)
        elif held is None:
            self._pass_on(occasion)

    def close(self) -> None:
        """Tell nothing that is held back."""
        for held in self._held.values():
            held.cancel()
        self._held.clear()

    def _tell_lost(self, occasion: Occasion) -> None:
        del self._held[occasion.camera]
        self._told[occasion.camera].append(asyncio.get_running_loop().time())
        self._pass_on(occasion)
