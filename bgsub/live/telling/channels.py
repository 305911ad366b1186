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
from bgsub.live.telling.mqtt import MqttChannel
from bgsub.live.telling.mqtt_listener import MqttListener
from bgsub.live.telling.occasions import Occasion
from bgsub.live.telling.people import PeopleChannel
from bgsub.live.telling.programs import ProgramChannel
from bgsub.live.telling.refusal import Away, Refused
from bgsub.live.telling.steadying import Steadying
from bgsub.live.telling.waiting import Line, Waiting, Waits
from bgsub.live.telling.webhooks import WebhookChannel

PAUSES = (1.0, 5.0, 15.0, 60.0, 120.0)
"""Seconds before each further try."""

PATIENCE = 5.0
"""Seconds that are given at the end to what waits."""

logger = logging.getLogger(__name__)


class Channel(Protocol):
    """A way to tell.

    Attributes
    ----------
    name : str
        As the log calls it; without secrets.
    key : str
        By which what waits for it is found again in the next run; without secrets.
    keeps : float
        Seconds for which it is of use to tell something.
    grace : float
        As of `Steadying`.
    """

    name: str
    key: str
    keeps: float
    grace: float

    async def tell(self, occasion: Occasion) -> None:
        """Tell; raise `OutputError` where that failed, `Refused` where it would again, `Away` where nobody is there."""

    def replaces(self, old: Occasion, new: Occasion) -> bool:
        """Say whether of two that wait the newer one is enough."""

    async def close(self) -> None:
        """Wait for what is under way, not for long."""


class Telling:
    """Tells through a channel what waits for it; lives in a running event loop.

    Taking an occasion takes no time, and waits for nobody.

    Parameters
    ----------
    channel : Channel
        How.
    line : Line
        What waits.
    pauses : sequence of float, optional
        Seconds before each further try of what has failed; where nobody is there, the last one for as long as it takes.

    Attributes
    ----------
    name : str
        That of the channel.
    line : Line
        What waits.
    told : int
        How often it went well.
    """

    def __init__(self, channel: Channel, line: Line, pauses: Sequence[float] = PAUSES) -> None:
        self.name = line.name = channel.name
        line.keeps, line.replaces = channel.keeps, channel.replaces
        self.line = line
        self.told = 0
        self._channel, self._pauses = channel, tuple(pauses)
        self._steadying = Steadying(line, channel.grace)
        self._going, self._is_away = True, False
        self._task = asyncio.get_running_loop().create_task(self._keep_telling(), name=f"bgsub-{self.name}")

    def take(self, message: FromCamera, occasion: Occasion | None) -> None:
        """Have told what a message is the occasion for."""
        if occasion is not None:
            self._steadying.hear(occasion)

    async def close(self, patience: float = PATIENCE) -> None:
        """Give what waits so many seconds; the rest waits for the next run."""
        self._steadying.close()
        self._going = False
        self.line.wake()
        await asyncio.wait([self._task], timeout=patience)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        with contextlib.suppress(TimeoutError, BgsubError):
            async with asyncio.timeout(patience):
                await self._channel.close()

    async def _keep_telling(self) -> None:
        while self._going or self.line.first is not None:
            waits = self.line.first
            if waits is None:
                await self.line.news()
                continue
            try:
                await self._tell(waits)
            except BgsubError as error:
                self._give_up(waits, str(error))
            except Exception as error:  # a fault of ours, or of a library: the next message is another one
                self._give_up(waits, type(error).__name__)

    async def _tell(self, waits: Waits) -> None:
        """Tell; what fails is tried again, and raised when that is given up."""
        failures = 0
        while waits in self.line:
            try:
                await self._channel.tell(waits.occasion)
            except Refused:
                raise
            except Away as error:
                if not self._is_away:
                    self._is_away = True
                    logger.warning("%s: %s; it is tried again, and what waits for it is kept", self.name, error)
                pause = max(self._pauses[min(failures, len(self._pauses) - 1)], error.later or 0.0)
            except OutputError:
                if failures >= len(self._pauses):
                    raise
                pause = self._pauses[failures]
            else:
                self.told += 1
                self.line.drop(waits)
                if self._is_away:
                    self._is_away = False
                    logger.info("%s: messages are taken again", self.name)
                return
            failures += 1
            await asyncio.sleep(pause)
            self.line.first  # noqa: B018 - what is too old by now is given up

    def _give_up(self, waits: Waits, why: str) -> None:
        self.line.give_up(waits)
        logger.warning("%s: %s was not told: %s", self.name, waits.occasion.name, why)


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
    channels += [
        PeopleChannel(address, directory, tell.pause, f"apprise {number}" if len(tell.apprise) > 1 else "apprise")
        for number, address in enumerate(tell.apprise, 1)
    ]
    return channels


def listeners_of(tell: Tell, directory: Path, cameras: Sequence[str], waiting: Waiting) -> list[Telling | MqttListener]:
    """Return a listener for each channel that is asked for, which tells what waits for it, too.

    What waits for channels that are no longer asked for is given up.

    Parameters
    ----------
    tell, directory, cameras
        As of `channels_of`, as are errors.
    waiting : Waiting
        What waits.
    """
    lines: dict[str, Channel] = {}
    for channel in channels_of(tell, directory, cameras):
        number = sum(key.partition("#")[0] == channel.key for key in lines)  # of two alike
        lines[f"{channel.key}#{number}" if number else channel.key] = channel
    waiting.keep(lines)
    return [
        MqttListener(channel, waiting.line(key))
        if isinstance(channel, MqttChannel)
        else Telling(channel, waiting.line(key))
        for key, channel in lines.items()
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
