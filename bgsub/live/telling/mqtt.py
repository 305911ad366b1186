"""A broker: how it is spoken to, and its topics."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bgsub.errors import OutputError, ParameterError
from bgsub.extras import explained
from bgsub.live.settings import Mqtt
from bgsub.live.telling.home_assistant import announcements
from bgsub.live.telling.occasions import Occasion, as_json
from bgsub.live.telling.waiting import FOR_MACHINES

_of_client = logging.getLogger(f"{__name__}.client")
_of_client.setLevel(logging.CRITICAL)  # what breaks is told here, once

TOPIC = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
"""Words of which no broker makes anything else."""

PATIENCE = 10.0
"""Seconds for the broker to answer."""

_CLEARER = {"Disconnected during message iteration": "it has closed the connection", "TimeoutError": "no answer"}
_LONGEST_TOPIC = 200  # characters
_REMEMBERED = ("motion", "connection", "state", "event")  # of each camera


def check_topics(settings: Mqtt) -> None:
    """Raise where topics would hold more than letters, digits, ``-``, ``_`` and ``/`` between words.

    Raises
    ------
    ParameterError
        One line that names the topic.
    """
    for key, topic in (("topic", settings.topic), ("discovery", settings.discovery)):
        if topic is not None and not (TOPIC.fullmatch(topic) and len(topic) <= _LONGEST_TOPIC):
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
    keeps, grace = FOR_MACHINES, 0.0

    def __init__(self, settings: Mqtt, directory: Path, cameras: Sequence[str]) -> None:
        check_topics(settings)
        with explained("mqtt, under tell,"):
            import aiomqtt  # noqa: F401 - to say at once that it is missing
        self.settings, self.directory, self.cameras = settings, directory, tuple(cameras)
        self.key = f"mqtt {settings.host}:{settings.port}"

    async def tell(self, occasion: Occasion) -> None:
        """Connect, say one thing, and leave; for a test.

        Raises
        ------
        OutputError
            When that failed.
        """
        import aiomqtt

        try:
            async with asyncio.timeout(2 * PATIENCE), self.client(will=False) as client:
                body = msgspec.json.encode(as_json(occasion, self.directory))
                await client.publish(f"{self.settings.topic}/test", body, qos=1)
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            raise OutputError(self.fault(error)) from None

    def replaces(self, old: Occasion, new: Occasion) -> bool:
        """Say that each is told."""
        return False

    async def close(self) -> None:
        """Do nothing: nothing is under way."""

    def topics(self) -> set[str]:
        """Return the topics that the broker is to remember."""
        base = self.settings.topic
        own = {f"{base}/{camera}/{what}" for camera in self.cameras for what in _REMEMBERED}
        return {f"{base}/status", *own, *announcements(self.settings, self.cameras)}

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
            timeout=PATIENCE,
            tls_context=ssl.create_default_context() if told.tls else None,
        )

    def fault(self, error: BaseException) -> str:
        """Return what is wrong with the broker in a line."""
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        reason = _CLEARER.get(reason, reason)
        return (
            f"cannot reach the broker {self.settings.host}:{self.settings.port}: {reason}; check host, port and login"
        )
