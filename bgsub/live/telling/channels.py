"""The channels that are asked for, and a listener that tells through one, again and again where it fails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from bgsub.errors import BgsubError, OutputError
from bgsub.live.messages import FromCamera
from bgsub.live.settings import Tell
from bgsub.live.telling.mqtt import MqttChannel, MqttListener
from bgsub.live.telling.occasions import Occasion, Occasions
from bgsub.live.telling.people import PeopleChannel
from bgsub.live.telling.programs import ProgramChannel
from bgsub.live.telling.refusal import Refused
from bgsub.live.telling.steadying import GRACE, Steadying
from bgsub.live.telling.webhooks import WebhookChannel

PAUSES = (1.0, 5.0, 15.0, 60.0, 120.0)
"""Seconds before each further try."""

PATIENCE = 5.0
"""Seconds that are given at the end to what waits."""

logger = logging.getLogger(__name__)

_ROOM = 1000  # occasions that wait for a channel


class Channel(Protocol):
    """A way to tell.

    Attributes
    ----------
    name : str
        As the log calls it; without secrets.
    """

    name: str

    async def tell(self, occasion: Occasion) -> None:
        """Tell; raise `OutputError` where that failed, and `Refused` where it would fail again."""

    async def close(self) -> None:
        """Wait for what is under way, not for long."""


class Telling:
    """A listener that tells through a channel what is asked for; lives in a running event loop.

    It has a queue of its own, so that taking a message takes no time, and waits for nobody.

    Parameters
    ----------
    channel : Channel
        How.
    tell : Tell
        What.
    pauses : sequence of float, optional
        Seconds before each further try of what has failed.
    grace : float, optional
        As of `Steadying`.

    Attributes
    ----------
    name : str
        That of the channel.
    told, lost : int
        How often it went well, and how often it was given up, or too many waited.
    """

    def __init__(self, channel: Channel, tell: Tell, pauses: Sequence[float] = PAUSES, grace: float = 0.0) -> None:
        self.name = channel.name
        self.told = self.lost = 0
        self._channel, self._occasions, self._pauses = channel, Occasions(tell), pauses
        self._waiting: asyncio.Queue[Occasion | None] = asyncio.Queue(_ROOM)
        self._steadying = Steadying(self._put, grace)
        self._task = asyncio.get_running_loop().create_task(self._keep_telling(), name=f"bgsub-{self.name}")

    async def take(self, message: FromCamera) -> None:
        """Have told what a message is the occasion for; where too many wait, the oldest is lost."""
        occasion = self._occasions.of(message)
        if occasion is not None:
            self._steadying.hear(occasion)

    async def close(self, patience: float = PATIENCE) -> None:
        """Give what waits so many seconds; the rest is lost, and that is logged."""
        self._steadying.close()
        self._put(None)
        await asyncio.wait([self._task], timeout=patience)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
            logger.warning("%s: %d messages were not told any more", self.name, self._waiting.qsize())
        with contextlib.suppress(TimeoutError, BgsubError):
            async with asyncio.timeout(patience):
                await self._channel.close()

    def _put(self, occasion: Occasion | None) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
            self.lost += 1
            if self.lost % _ROOM == 1:
                logger.warning("%s is too slow: %d messages were lost to it", self.name, self.lost)
        self._waiting.put_nowait(occasion)

    async def _keep_telling(self) -> None:
        while (occasion := await self._waiting.get()) is not None:
            try:
                await self._tell(occasion)
                self.told += 1
            except BgsubError as error:
                self.lost += 1
                logger.warning("%s: %s was not told: %s", self.name, occasion.name, error)
            except Exception as error:  # a fault of ours, or of a library: the next message is another one
                self.lost += 1
                logger.warning("%s: %s was not told: %s", self.name, occasion.name, type(error).__name__)

    async def _tell(self, occasion: Occasion) -> None:
        """Tell; what fails is tried again, and raised when that is given up."""
        for pause in self._pauses:
            try:
                return await self._channel.tell(occasion)
            except Refused:
                raise
            except OutputError:
                await asyncio.sleep(pause)
        return await self._channel.tell(occasion)


class Result(NamedTuple):
    """How a channel was tried: its name, and what went wrong in a line, or None."""

    name: str
    error: str | None


def channels_of(tell: Tell, directory: Path, cameras: Sequence[str]) -> list[Channel]:
    """Return the channels that are asked for.

    Parameters
    ----------
    tell : Tell
        What is asked for, with secrets as they are, not where they are found.
    directory : Path
        Of recordings.
    cameras : sequence of str
        Names of the cameras.

    Raises
    ------
    BgsubError
        When an address is none, or a library is missing.
    """
    channels: list[Channel] = []
    if tell.command:
        channels.append(ProgramChannel(tell.command, directory))
    channels += [
        WebhookChannel(webhook, directory, f"webhook {number}" if len(tell.webhook) > 1 else "webhook")
        for number, webhook in enumerate(tell.webhook, 1)
    ]
    if tell.mqtt is not None:
        channels.append(MqttChannel(tell.mqtt, directory, cameras))
    if tell.apprise:
        channels.append(PeopleChannel(tell.apprise, directory, tell.pause))
    return channels


def listeners_of(tell: Tell, directory: Path, cameras: Sequence[str]) -> list[Telling | MqttListener]:
    """Return a listener for each channel that is asked for; they want statuses, too, for the trouble in them.

    Parameters and errors are those of `channels_of`.
    """
    channels = channels_of(tell, directory, cameras)
    return [
        one.listener(tell)
        if isinstance(one, MqttChannel)
        else Telling(one, tell, grace=GRACE if isinstance(one, PeopleChannel) else 0.0)
        for one in channels
    ]


async def try_each(tell: Tell, directory: Path, cameras: Sequence[str]) -> list[Result]:
    """Tell a test through each channel once, and return how that went.

    Parameters
    ----------
    tell, directory, cameras
        As of `channels_of`.
    """
    results = []
    for channel in channels_of(tell, directory, cameras):
        try:
            await channel.tell(Occasion(name="test", at=datetime.now(UTC)))
            await channel.close()
        except BgsubError as error:
            results.append(Result(channel.name, str(error)))
        else:
            results.append(Result(channel.name, None))
    return results
