"""The channels that are asked for, and a listener that tells through one, again and again where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from bgsub.errors import BgsubError, OutputError
from bgsub.live.audience import Listener
from bgsub.live.messages import FromCamera
from bgsub.live.settings import Tell
from bgsub.live.telling.mqtt import MqttChannel
from bgsub.live.telling.occasions import Occasion, Occasions
from bgsub.live.telling.people import PeopleChannel
from bgsub.live.telling.programs import ProgramChannel
from bgsub.live.telling.refusal import Refused
from bgsub.live.telling.webhooks import WebhookChannel

PAUSES = (1.0, 5.0, 15.0, 60.0, 120.0)
"""Seconds before each further try."""

Sleep = Callable[[float], Awaitable[None]]


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
    """A listener that tells through a channel what is asked for.

    Parameters
    ----------
    channel : Channel
        How.
    tell : Tell
        What.
    sleep : callable, optional
        Waits; for tests.

    Attributes
    ----------
    name : str
        That of the channel.
    told, lost : int
        How often it went well, and how often it was given up.
    """

    def __init__(self, channel: Channel, tell: Tell, sleep: Sleep = asyncio.sleep) -> None:
        self.name = channel.name
        self.told = self.lost = 0
        self._channel, self._occasions, self._sleep = channel, Occasions(tell), sleep

    async def take(self, message: FromCamera) -> None:
        """Tell what a message is the occasion for; what fails is tried again five times.

        Raises
        ------
        OutputError
            When it is given up.
        """
        occasion = self._occasions.of(message)
        if occasion is None:
            return
        for pause in (*PAUSES, None):
            try:
                await self._channel.tell(occasion)
            except OutputError as error:
                if pause is None or isinstance(error, Refused):
                    self.lost += 1
                    raise
                await self._sleep(pause)
            else:
                self.told += 1
                return

    async def close(self) -> None:
        """Wait for what is under way, not for long."""
        await self._channel.close()


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


def listeners_of(tell: Tell, directory: Path, cameras: Sequence[str]) -> list[Listener]:
    """Return a listener for each channel that is asked for; they want statuses, too, for the trouble in them.

    Each has `close`, to be awaited at the end. Parameters and errors are those of `channels_of`.
    """
    channels = channels_of(tell, directory, cameras)
    return [one.listener(tell) if isinstance(one, MqttChannel) else Telling(one, tell) for one in channels]


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
