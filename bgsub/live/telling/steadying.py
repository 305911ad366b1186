"""A camera that comes and goes is no news each time: it is told as lost once it has been for a while."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque

from bgsub.live.telling.occasions import Occasion
from bgsub.live.telling.waiting import Line, Waits

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
    line : Line
        What waits. A loss that it ends with, of the run before, is held back once more.
    grace : float
        Seconds; 0 holds nothing back.
    """

    def __init__(self, line: Line, grace: float = GRACE) -> None:
        self._line, self._grace = line, grace
        self._held: dict[str | None, tuple[Waits, asyncio.TimerHandle]] = {}
        self._told: dict[str | None, deque[float]] = defaultdict(lambda: deque(maxlen=_LONGEST))
        if grace:
            last = {one.occasion.camera: one for one in line if one.occasion.name in ("camera_lost", "camera_found")}
            for waits in last.values():
                if waits.occasion.name == "camera_lost":
                    line.hold_back(waits)
        for waits in line.held:
            self._hold(waits)

    def hear(self, occasion: Occasion) -> None:
        """Let an occasion be told, now or later, or never."""
        if not self._grace or occasion.name not in ("camera_lost", "camera_found"):
            self._line.put(occasion)
            return
        held = self._held.pop(occasion.camera, None)
        if held is not None:
            held[1].cancel()
            self._line.drop(held[0])
        if occasion.name == "camera_lost":
            self._hold(self._line.hold(occasion))
        elif held is None:
            self._line.put(occasion)

    def close(self) -> None:
        """Let nothing that is held back be told; it waits for the next run."""
        for _, timer in self._held.values():
            timer.cancel()
        self._held.clear()

    def _hold(self, waits: Waits) -> None:
        loop, camera = asyncio.get_running_loop(), waits.occasion.camera
        often = sum(loop.time() - at < _OF_LATE for at in self._told[camera])
        self._held[camera] = (waits, loop.call_later(self._grace * 2**often, self._tell_lost, waits))

    def _tell_lost(self, waits: Waits) -> None:
        camera = waits.occasion.camera
        del self._held[camera]
        self._told[camera].append(asyncio.get_running_loop().time())
        self._line.release(waits)
