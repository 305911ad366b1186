"""Those who are told what cameras' processes say; each at its own pace, so that a slow one holds nobody up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol

from bgsub.live.clock import Clock
from bgsub.live.messages import FromCamera, Status

logger = logging.getLogger(__name__)

_ROOM = 1000  # messages that wait for a listener
_SILENT = 60.0  # seconds between two lines that say that one is too slow, or fails


class Listener(Protocol):
    """Somebody who is told.

    Attributes
    ----------
    name : str
        As the log calls it: ``"index"``.
    """

    name: str

    async def take(self, message: FromCamera, /) -> None:
        """Take a message; however long this takes, nobody else waits for it."""


class Audience:
    """All listeners, each with a queue.

    What comes while a queue is full takes the place of the oldest in it, which is lost to that listener, and counted.

    Parameters
    ----------
    clock : Clock
        For the log's sake.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seats: list[_Seat] = []

    def add(self, listener: Listener, *, statuses: bool = False, room: int = _ROOM) -> None:
        """Let a listener be told from now on, within a running event loop.

        Parameters
        ----------
        listener : Listener
            Who.
        statuses : bool
            Also of each camera's status, every second.
        room : int
            Messages that may wait for it.
        """
        self._seats.append(_Seat(listener, statuses, room, self._clock))

    def tell(self, message: FromCamera) -> None:
        """Tell all, without waiting."""
        for seat in self._seats:
            if seat.statuses or not isinstance(message, Status):
                seat.tell(message)

    @property
    def lost(self) -> dict[str, int]:
        """How many messages each listener has not been told, or failed at."""
        return {seat.listener.name: seat.lost for seat in self._seats}

    async def remove(self, name: str, patience: float = 0.0) -> None:
        """Let listeners of a name be told no more, once they have taken what waits, or the seconds are over."""
        leaving = [seat for seat in self._seats if seat.listener.name == name]
        self._seats = [seat for seat in self._seats if seat not in leaving]
        await asyncio.gather(*(seat.close(patience) for seat in leaving))

    async def close(self, patience: float) -> None:
        """Give all so many seconds to take what waits."""
        await asyncio.gather(*(seat.close(patience) for seat in self._seats))
        self._seats.clear()


class _Seat:
    """A listener, what waits for it, and the task that hands it over."""

    def __init__(self, listener: Listener, statuses: bool, room: int, clock: Clock) -> None:
        self.listener, self.statuses, self.lost = listener, statuses, 0
        self._clock = clock
        self._waiting: asyncio.Queue[FromCamera | None] = asyncio.Queue(room)
        self._said = float("-inf")
        self._task = asyncio.get_running_loop().create_task(self._hand_over(), name=f"bgsub-{listener.name}")

    def tell(self, message: FromCamera | None) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
            self.lost += 1
            self._say(f"{self.listener.name} is too slow: {self.lost} messages did not reach it")
        self._waiting.put_nowait(message)

    async def close(self, patience: float) -> None:
        self.tell(None)
        with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, max(patience, 0.001))

    async def _hand_over(self) -> None:
        while (message := await self._waiting.get()) is not None:
            try:
                await self.listener.take(message)
            except Exception as error:  # whatever it is, the next message may do, and others have nothing to do with it
                self.lost += 1
                self._say(f"{self.listener.name} failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}")

    def _say(self, text: str) -> None:
        """Write a line to the log, not more often than once a minute."""
        if self._clock.monotonic() - self._said >= _SILENT:
            self._said = self._clock.monotonic()
            logger.warning("%s", text)
