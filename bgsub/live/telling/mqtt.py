"""A broker: what cameras do and how they are, for home automation, with Home Assistant's discovery."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bgsub import __version__
from bgsub.errors import OutputError, ParameterError
from bgsub.extras import explained
from bgsub.live.messages import CameraFound, CameraLost, EventClosed, EventOpened, FromCamera, Status
from bgsub.live.settings import Mqtt, Tell
from bgsub.live.telling.occasions import Occasion, Occasions, as_json

logger = logging.getLogger(__name__)
_of_client = logging.getLogger(f"{__name__}.client")
_of_client.setLevel(logging.CRITICAL)  # what breaks is told here, once

_WORDS = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds before the broker is tried again, the last one for ever
_SETTLED = 30.0  # seconds of a connection, after which a break is a new one, and told
_PATIENCE = 10.0  # seconds for the broker to answer
_CLEARER = {"Disconnected during message iteration": "it has closed the connection", "TimeoutError": "no answer"}
_LONGEST_TOPIC = 200  # characters
_MOST = 1000  # messages that wait for the broker


class Post(NamedTuple):
    """A message for the broker; one that is retained is what a topic says from now on."""

    topic: str
    payload: str
    retain: bool = True


def check_topics(settings: Mqtt) -> None:
    """Raise where topics would hold more than letters, digits, ``-``, ``_`` and ``/`` between words.

    Raises
    ------
    ParameterError
        One line that names the topic.
    """
    for key, topic in (("topic", settings.topic), ("discovery", settings.discovery)):
        if topic is not None and not (_WORDS.fullmatch(topic) and len(topic) <= _LONGEST_TOPIC):
            raise ParameterError(
                f"tell, mqtt: {key} {topic[:64]!r} is no topic: write words of letters, digits, - and _, with / between"
            )


class MqttChannel:
    """How a broker is spoken to.

    Topics, below `Mqtt.topic`: ``status`` (online, offline: the last will), and of each camera ``CAMERA/motion`` (ON,
    OFF), ``CAMERA/connection`` (ON, OFF), ``CAMERA/state``, ``CAMERA/event`` (the last event as JSON), and
    ``CAMERA/occasion`` (each occasion as JSON, not retained).

    Parameters
    ----------
    settings : Mqtt
        Broker and topics.
    directory : Path
        Of recordings.
    cameras : sequence of str
        Names of the cameras.

    Raises
    ------
    ParameterError
        When a topic is none.
    """

    name = "mqtt"

    def __init__(self, settings: Mqtt, directory: Path, cameras: Sequence[str]) -> None:
        check_topics(settings)
        with explained("mqtt, under tell,"):
            import aiomqtt  # noqa: F401 - to say at once that it is missing
        self.settings, self.directory, self.cameras = settings, directory, tuple(cameras)

    async def tell(self, occasion: Occasion) -> None:
        """Connect, say one thing, and leave; for a test.

        Raises
        ------
        OutputError
            When that failed.
        """
        import aiomqtt

        try:
            async with asyncio.timeout(2 * _PATIENCE), self.client(will=False) as client:
                body = msgspec.json.encode(as_json(occasion, self.directory))
                await client.publish(f"{self.settings.topic}/test", body, qos=1)
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            raise OutputError(self.fault(error)) from None

    async def close(self) -> None:
        """Do nothing: nothing is under way."""

    def listener(self, tell: Tell) -> MqttListener:
        """Return who tells the broker as things happen; within a running event loop."""
        return MqttListener(self, tell)

    def client(self, *, will: bool = True) -> Any:
        """Return a connection to the broker, to be entered."""
        import aiomqtt

        told = self.settings
        last = aiomqtt.Will(f"{told.topic}/status", "offline", qos=1, retain=True)
        return aiomqtt.Client(
            told.host,
            told.port,
            username=told.username,
            password=told.password,
            will=last if will else None,
            logger=_of_client,
            keepalive=30,
            timeout=_PATIENCE,
            tls_context=ssl.create_default_context() if told.tls else None,
        )

    def fault(self, error: BaseException) -> str:
        """Return what is wrong with the broker in a line."""
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        reason = _CLEARER.get(reason, reason)
        return (
            f"cannot reach the broker {self.settings.host}:{self.settings.port}: {reason}; check host, port and login"
        )

    def announcements(self) -> list[Post]:
        """Return what Home Assistant must know to show each camera."""
        return [post for camera in self.cameras for post in self.announced(camera)]

    def announced(self, camera: str) -> list[Post]:
        """Return what Home Assistant must know to show a camera."""
        if self.settings.discovery is None:
            return []
        base, prefix = self.settings.topic, self.settings.discovery
        node = f"{base.replace('/', '_')}_{camera}"
        shared = {
            "availability_topic": f"{base}/status",
            "device": {"identifiers": [node], "name": camera, "manufacturer": "bgsub", "sw_version": __version__},
            "origin": {"name": "bgsub", "sw_version": __version__},
        }
        things: list[tuple[str, str, dict[str, Any]]] = [
            ("binary_sensor", "motion", {"name": "Motion", "device_class": "motion"}),
            ("binary_sensor", "connection", {"name": "Connection", "device_class": "connectivity"}),
            ("sensor", "state", {"name": "State", "icon": "mdi:cctv"}),
            (
                *("sensor", "event"),
                {
                    "name": "Last event",
                    "device_class": "timestamp",
                    "value_template": "{{ value_json.event.start }}",
                    "json_attributes_topic": f"{base}/{camera}/event",
                },
            ),
        ]
        return [
            Post(
                f"{prefix}/{kind}/{node}/{what}/config",
                msgspec.json.encode(
                    {**shared, **more, "unique_id": f"{node}_{what}", "state_topic": f"{base}/{camera}/{what}"}
                ).decode(),
            )
            for kind, what, more in things
        ]


class MqttListener:
    """Tells a broker as things happen; a broker that is away is tried again for ever, and told what holds by then.

    It wants statuses, too.

    Parameters
    ----------
    channel : MqttChannel
        The broker.
    tell : Tell
        Which occasions are told; how cameras are is told in any case.

    Attributes
    ----------
    name : str
        ``"mqtt"``.
    told, lost : int
        Messages that the broker has, and those that were given up as too many waited.
    """

    name = "mqtt"

    def __init__(self, channel: MqttChannel, tell: Tell) -> None:
        self.told = self.lost = 0
        self._channel, self._occasions = channel, Occasions(tell)
        self._holds: dict[str, str] = {post.topic: post.payload for post in channel.announcements()}
        base = channel.settings.topic
        self._holds |= {f"{base}/{camera}/motion": "OFF" for camera in channel.cameras}
        self._open: dict[str, str] = {}  # identities of events, by camera
        self._changed = dict.fromkeys(self._holds)  # topics, in the order in which they changed
        self._passing: deque[Post] = deque()
        self._news = asyncio.Event()
        self._going = True
        self._task = asyncio.get_running_loop().create_task(self._keep_telling(), name="bgsub-mqtt")

    async def take(self, message: FromCamera) -> None:
        """Take a message; whether the broker is there or not, this takes no time."""
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
        occasion = self._occasions.of(message)
        if occasion is not None:
            self._pass_on(occasion)

    def forget(self, cameras: Sequence[str]) -> None:
        """Have the broker forget cameras that are no longer watched, and Home Assistant take them away."""
        base = self._channel.settings.topic
        for camera in cameras:
            topics = [post.topic for post in self._channel.announced(camera)]
            for topic in [*topics, *(f"{base}/{camera}/{what}" for what in ("motion", "connection", "state", "event"))]:
                self._hold(topic, "")  # what is retained and empty is forgotten

    async def close(self) -> None:
        """Say that nobody watches any more, and leave the broker; after some seconds without that."""
        self._going = False
        self._news.set()
        await asyncio.wait([self._task], timeout=_PATIENCE)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _hold(self, topic: str, payload: str) -> None:
        """Let a topic say something from now on."""
        if self._holds.get(topic) != payload:
            self._holds[topic] = payload
            self._changed[topic] = None
            self._news.set()

    def _pass_on(self, occasion: Occasion) -> None:
        payload = msgspec.json.encode(as_json(occasion, self._channel.directory)).decode()
        whose = f"{self._channel.settings.topic}/{occasion.camera}" if occasion.camera else self._channel.settings.topic
        if occasion.event is not None:
            self._hold(f"{whose}/event", payload)
        self._passing.append(Post(f"{whose}/occasion", payload, retain=False))
        if len(self._passing) > _MOST:
            self._passing.popleft()
            self.lost += 1
        self._news.set()

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
            self._news.clear()
            await self._news.wait()

    async def _speak(self, client: Any) -> None:
        """Tell a broker what holds, and then what happens, until the connection breaks or the end."""
        speaking = asyncio.ensure_future(self._speak_on(client))
        broken = asyncio.ensure_future(_until_broken(client))  # else a message waits for an answer that cannot come
        try:
            await asyncio.wait([speaking, broken], return_when=asyncio.FIRST_COMPLETED)
            (speaking if speaking.done() else broken).result()
        finally:
            for task in (speaking, broken):
                task.cancel()
            await asyncio.gather(speaking, broken, return_exceptions=True)

    async def _speak_on(self, client: Any) -> None:
        status = f"{self._channel.settings.topic}/status"
        await client.publish(status, "online", qos=1, retain=True)
        while True:
            self._news.clear()
            await self._say_all(client)
            if not self._going:
                break
            await self._news.wait()
        await client.publish(status, "offline", qos=1, retain=True)  # a will is only for those who die

    async def _say_all(self, client: Any) -> None:
        while self._changed:
            topic = next(iter(self._changed))
            payload = self._holds[topic]
            await client.publish(topic, payload, qos=1, retain=True)
            self.told += 1
            if self._holds[topic] == payload:
                self._changed.pop(topic, None)
        while self._passing:
            post = self._passing[0]
            await client.publish(post.topic, post.payload, qos=1)
            self.told += 1
            if self._passing and self._passing[0] is post:
                self._passing.popleft()


async def _until_broken(client: Any) -> None:
    """Wait for messages, of which there are none, until the connection breaks: that is an error of aiomqtt."""
    async for _ in client.messages:
        pass
