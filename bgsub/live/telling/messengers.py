"""Who is told, as a service of a watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from bgsub.live.clock import Clock
from bgsub.live.health.metrics import Other
from bgsub.live.messages import FromCamera
from bgsub.live.settings import Tell, Watch
from bgsub.live.supervising.running import Running
from bgsub.live.telling.channels import Telling, channels_of, listeners_of
from bgsub.live.telling.mqtt_listener import MqttListener
from bgsub.live.telling.occasions import Occasions
from bgsub.live.telling.waiting import Waiting
from bgsub.live.telling.waiting_file import WAITING

_TROUBLE = "trouble"  # name of the fact


class Messengers:
    """Hands what happens to all channels that are asked for, and changes them when others are.

    It is to be started before what may have trouble to tell of, and so stopped after it. What waits to be told survives
    a kill and a power cut, in the folder of the state.

    Parameters
    ----------
    others : list of Other
        Gets the numbers that `/metrics` tells.
    """

    name = "telling"

    def __init__(self, others: list[Other]) -> None:
        self._others = others
        self._listeners: list[Telling | MqttListener] = []
        self._changing = asyncio.Lock()
        self._asked: tuple[Tell, str, tuple[str, ...]] | None = None
        self._waiting = Waiting(None, Clock())
        self._occasions = Occasions(Tell())
        self._known_trouble: dict[str, str] = {}

    async def start(self, running: Running) -> None:
        """Begin to tell.

        Raises
        ------
        BgsubError
            When an address is none, or a library is missing.
        """
        state = running.watch.state
        channels_of(running.watch.tell, Path(running.watch.directory), ())  # whether that is of use at all
        self._waiting = Waiting(None if state is None else Path(state) / WAITING, running.clock)
        await self._waiting.open()
        self._known_trouble = _trouble_of(self._waiting)
        self._occasions = Occasions(Tell(), self._known_trouble)
        self._others += [
            Other("told", "Messages that a channel took.", "channel", self._amounts(lambda one: one.told), counts=True),
            Other(
                *("not_told", "Messages that were lost.", "channel", self._amounts(lambda one: one.line.lost)),
                counts=True,
            ),
            Other(
                *("waiting", "Messages that wait for a channel.", "channel"),
                self._amounts(lambda one: len(one.line) + len(one.line.held)),
            ),
        ]
        await self.change(running.watch)
        running.health.troubles["telling"] = lambda: self._waiting.trouble
        running.audience.add(self, statuses=True)

    async def take(self, message: FromCamera) -> None:
        """Hand a message to all; that takes no time, but while others take over."""
        async with self._changing:
            occasion = self._occasions.of(message)
            for listener in self._listeners:
                listener.take(message, occasion)
            if self._occasions.trouble != self._known_trouble:
                self._known_trouble = dict(self._occasions.trouble)
                self._waiting.put_fact(_TROUBLE, msgspec.json.encode(self._known_trouble).decode())

    async def change(self, watch: Watch) -> None:
        """Tell others, where others are asked for; what waits for those before is given some seconds.

        Raises
        ------
        BgsubError
            When that is no use; those before are told on.
        """
        asked = (watch.tell, watch.directory, tuple(camera.name for camera in watch.cameras))
        if asked == self._asked:
            return
        tell, directory, cameras = asked
        channels_of(tell, Path(directory), cameras)  # whether that is of use, before those of now end
        async with self._changing:
            await self._close_all()  # first: a broker would take their leave for that of those who come
            self._listeners = listeners_of(tell, Path(directory), cameras, self._waiting)
            self._occasions.ask(tell, cameras)
            self._asked = asked

    async def stop(self) -> None:
        """Give what waits some seconds, and end; the rest is told by the next run."""
        await self._close_all()
        await self._waiting.close()

    async def _close_all(self) -> None:
        await asyncio.gather(*(listener.close() for listener in self._listeners))

    def _amounts(self, of: Callable[[Telling | MqttListener], int]) -> Callable[[], dict[str, float]]:
        return lambda: {listener.name: float(of(listener)) for listener in self._listeners}


def _trouble_of(waiting: Waiting) -> dict[str, str]:
    """Return what trouble there was when the run before ended."""
    try:
        return msgspec.json.decode(waiting.facts.get(_TROUBLE, "{}"), type=dict[str, str])
    except (msgspec.DecodeError, RecursionError):
        return {}
