"""Who is told, as a service of a watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bgsub.live.health.metrics import Other
from bgsub.live.messages import FromCamera
from bgsub.live.settings import Tell, Watch
from bgsub.live.supervising.running import Running
from bgsub.live.telling.channels import Telling, channels_of, listeners_of
from bgsub.live.telling.mqtt import MqttListener


class Messengers:
    """Hands what happens to all channels that are asked for, and changes them when others are.

    It is to be started before what may have trouble to tell of, and so stopped after it.

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

    async def start(self, running: Running) -> None:
        """Begin to tell.

        Raises
        ------
        BgsubError
            When an address is none, or a library is missing.
        """
        self._others += [
            Other("told", "Messages that a channel took.", "channel", self._amounts(lambda one: one.told), counts=True),
            Other("not_told", "Messages that were lost.", "channel", self._amounts(lambda one: one.lost), counts=True),
        ]
        await self.change(running.watch)
        running.audience.add(self, statuses=True)

    async def take(self, message: FromCamera) -> None:
        """Hand a message to all; that takes no time, but while others take over."""
        async with self._changing:
            for listener in self._listeners:
                await listener.take(message)

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
            await self.stop()  # first: a broker would take their leave for that of those who come
            self._listeners = listeners_of(tell, Path(directory), cameras)
            gone = set(self._asked[2] if self._asked else ()) - set(cameras)
            for listener in self._listeners:
                if isinstance(listener, MqttListener):
                    listener.forget(sorted(gone))
            self._asked = asked

    async def stop(self) -> None:
        """Give what waits some seconds, and end."""
        await asyncio.gather(*(listener.close() for listener in self._listeners))

    def _amounts(self, of: Callable[[Telling | MqttListener], int]) -> Callable[[], dict[str, float]]:
        return lambda: {listener.name: float(of(listener)) for listener in self._listeners}
