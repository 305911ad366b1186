"""A broker is told as things happen: what holds is remembered there, what happens is told once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import msgspec

from bgsub.live.messages import CameraFound, CameraLost, EventClosed, EventOpened, FromCamera, Status
from bgsub.live.telling.home_assistant import announcements
from bgsub.live.telling.mqtt import PATIENCE, TOPIC, MqttChannel
from bgsub.live.telling.occasions import Occasion, as_json
from bgsub.live.telling.waiting import Line

logger = logging.getLogger(__name__)

_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds before the broker is tried again, the last one for ever
_SETTLED = 30.0  # seconds of a connection, after which a break is a new one, and told


class MqttListener:
    """Tells a broker as things happen; one that is away is tried again for ever, and told what holds by then.

    It wants statuses, too. Topics that it has told a broker to remember, in this run or one before, and that are of no
    use any more, of a camera that is gone, are forgotten there.

    Parameters
    ----------
    channel : MqttChannel
        The broker.
    line : Line
        Occasions that wait.

    Attributes
    ----------
    name : str
        ``"mqtt"``.
    line : Line
        What waits.
    told : int
        Messages that the broker has.
    """

    def __init__(self, channel: MqttChannel, line: Line) -> None:
        self.name = line.name = channel.name
        line.keeps = channel.keeps
        self.told, self.line = 0, line
        self._channel = channel
        base = channel.settings.topic
        self._holds = announcements(channel.settings, channel.cameras)
        self._holds |= {f"{base}/{camera}/motion": "OFF" for camera in channel.cameras}
        self._holds |= {topic: "" for topic in line.topics - channel.topics() if TOPIC.fullmatch(topic)}
        self._open: dict[str, str] = {}  # identities of events, by camera
        self._changed = dict.fromkeys(self._holds)  # topics, in the order in which they changed
        for waits in line:
            self._hold_event(waits.occasion)
        self._going = True
        self._task = asyncio.get_running_loop().create_task(self._keep_telling(), name="bgsub-mqtt")

    def take(self, message: FromCamera, occasion: Occasion | None) -> None:
        """Take a message, and what it is the occasion for; whether the broker is there or not, this takes no time."""
        base = self._channel.settings.topic
        match message:
            case Status():
                self._hold(f"{base}/{message.camera}/state", message.state)
                if message.state != "connecting":
                    self._hold(f"{base}/{message.camera}/connection", "ON" if message.state == "live" else "OFF")
                if message.event is None and message.state != "live":
                    self._hold(f"{base}/{message.camera}/motion", "OFF")
            case CameraLost() | CameraFound():
                self._hold(f"{base}/{message.camera}/connection", "OFF" if isinstance(message, CameraLost) else "ON")
            case EventOpened(record):
                self._open[record.camera] = record.id
                self._hold(f"{base}/{record.camera}/motion", "ON")
            case EventClosed(record):  # the files of one may be finished when the next is open
                if self._open.get(record.camera) in (record.id, None):
                    self._open.pop(record.camera, None)
                    self._hold(f"{base}/{record.camera}/motion", "OFF")
        if occasion is not None:
            self._hold_event(occasion)
            self.line.put(occasion)

    async def close(self) -> None:
        """Say that nobody watches any more, and leave the broker; after some seconds without that."""
        self._going = False
        self.line.wake()
        await asyncio.wait([self._task], timeout=PATIENCE)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _hold(self, topic: str, payload: str) -> None:
        """Let a topic say something from now on."""
        if self._holds.get(topic) != payload:
            self._holds[topic] = payload
            self._changed[topic] = None
            self.line.wake()

    def _hold_event(self, occasion: Occasion) -> None:
        if occasion.event is not None and occasion.camera in self._channel.cameras:
            self._hold(f"{self._channel.settings.topic}/{occasion.camera}/event", self._payload(occasion))

    def _payload(self, occasion: Occasion) -> str:
        return msgspec.json.encode(as_json(occasion, self._channel.directory)).decode()

    async def _keep_telling(self) -> None:
        tries = 0
        while self._going:
            began = asyncio.get_running_loop().time()
            try:
                async with self._channel.client() as client:
                    if tries:
                        logger.info("mqtt: the broker is back")
                    await self._speak(client)
            except Exception as error:  # whatever it is: a broker is tried for ever
                if asyncio.get_running_loop().time() - began > _SETTLED:
                    tries = 0
                if not tries:
                    logger.warning("mqtt: %s", self._channel.fault(error))
                self._changed = dict.fromkeys(self._holds)  # a broker that was started anew knows nothing
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._until_close(), _PAUSES[min(tries, len(_PAUSES) - 1)])
                tries += 1

    async def _until_close(self) -> None:
        while self._going:
            await self.line.news()

    async def _speak(self, client: Any) -> None:
        """Tell a broker what holds, and then what happens, until the connection breaks or the end."""
        speaking = asyncio.ensure_future(self._speak_on(client))
        broken = asyncio.ensure_future(self._hear(client))  # else a message waits for an answer that cannot come
        try:
            await asyncio.wait([speaking, broken], return_when=asyncio.FIRST_COMPLETED)
            (speaking if speaking.done() else broken).result()
        finally:
            for task in (speaking, broken):
                task.cancel()
            await asyncio.gather(speaking, broken, return_exceptions=True)

    async def _hear(self, client: Any) -> None:
        """Tell all anew whenever Home Assistant says that it has begun, until the connection breaks: that is an error.

        What is remembered it hears anyway; not so what somebody has removed there.
        """
        if self._channel.settings.discovery is not None:
            await client.subscribe(f"{self._channel.settings.discovery}/status", qos=1)
        async for message in client.messages:
            if message.payload == b"online":
                self._changed = dict.fromkeys(self._holds)
                self.line.wake()

    async def _speak_on(self, client: Any) -> None:
        status = f"{self._channel.settings.topic}/status"
        self.line.remember(status)
        await client.publish(status, "online", qos=1, retain=True)
        while True:
            await self._say_all(client)
            if not self._going:
                break
            await self.line.news()
        await client.publish(status, "offline", qos=1, retain=True)  # a will is only for those who die

    async def _say_all(self, client: Any) -> None:
        while self._changed:
            topic = next(iter(self._changed))
            payload = self._holds[topic]
            if payload:
                self.line.remember(topic)
            await client.publish(topic, payload, qos=1, retain=True)
            self.told += 1
            if not payload:  # what is empty is forgotten
                self.line.forget(topic)
            if self._holds[topic] == payload:
                self._changed.pop(topic, None)
        while (waits := self.line.first) is not None:
            occasion = waits.occasion
            base = self._channel.settings.topic
            topic = f"{base}/{occasion.camera}/occasion" if occasion.camera else f"{base}/occasion"
            await client.publish(topic, self._payload(occasion), qos=1)
            self.told += 1
            self.line.drop(waits)
