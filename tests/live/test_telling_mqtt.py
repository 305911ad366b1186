"""A broker is told what holds and what happens, also one that goes away and comes back."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import socket
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from bgsub.errors import OutputError, ParameterError
from bgsub.live.messages import CameraFound, CameraLost, EventClosed, EventOpened, Status
from bgsub.live.settings import Camera, Mqtt, Tell, Watch
from bgsub.live.telling import mqtt as module
from bgsub.live.telling.channels import listeners_of, try_each
from bgsub.live.telling.messengers import Messengers
from bgsub.live.telling.mqtt import MqttChannel
from bgsub.live.telling.occasions import Occasion
from tests.live.test_telling import START, record

aiomqtt = pytest.importorskip("aiomqtt")
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason="needs a broker: apt-get install mosquitto")


@pytest.mark.parametrize("topic", ["", "a b", "a/#", "+", "/a", "a//b", "$SYS", "ä", "a" * 300])
def test_topics_hold_safe_words_only(tmp_path, topic):
    with pytest.raises(ParameterError, match=r"is no topic: write words of letters, digits, - and _, with / between"):
        MqttChannel(Mqtt(host="h", topic=topic), tmp_path, ())
    with pytest.raises(ParameterError, match="mqtt: discovery "):
        MqttChannel(Mqtt(host="h", discovery=topic), tmp_path, ())


def test_home_assistant_is_told_of_each_camera(tmp_path):
    posts = MqttChannel(Mqtt(host="h", topic="home/bgsub"), tmp_path, ("yard", "door")).announcements()
    assert len(posts) == 8
    configs = {post.topic: json.loads(post.payload) for post in posts}
    motion = configs["homeassistant/binary_sensor/home_bgsub_yard/motion/config"]
    assert motion["device_class"] == "motion"
    assert motion["state_topic"] == "home/bgsub/yard/motion"
    assert motion["availability_topic"] == "home/bgsub/status"
    assert motion["device"]["identifiers"] == ["home_bgsub_yard"]
    assert len({config["unique_id"] for config in configs.values()}) == 8
    assert MqttChannel(Mqtt(host="h", discovery=None), tmp_path, ("yard",)).announcements() == []


def test_a_broker_that_is_not_there_is_told_once_and_holds_nobody_up(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "_PAUSES", (0.01,))
    told = Mqtt(host="127.0.0.1", port=1, username="me", password="hidden")

    async def watch():
        (listener,) = listeners_of(Tell(mqtt=told), tmp_path, ("yard",))
        for _ in range(1200):
            await listener.take(EventClosed(record()))
        await asyncio.sleep(0.5)
        await listener.close()
        return listener.told, listener.lost

    assert asyncio.run(watch()) == (0, 200)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("mqtt: cannot reach the broker 127.0.0.1:1: ")
    assert line.endswith("; check host, port and login")
    assert "hidden" not in caplog.text
    (result,) = asyncio.run(try_each(Tell(mqtt=told), tmp_path, ()))
    assert result.error.startswith("cannot reach the broker 127.0.0.1:1: ")


# With a real broker


class Broker:
    """Mosquitto on a port of loopback, which can be killed and started again."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self.process = None

    async def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", self.settings], stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise AssertionError("no broker")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Heard:
    """What a subscriber has heard: the last of each topic, and all."""

    def __init__(self):
        self.last, self.all = {}, []
        self._news = asyncio.Event()

    async def listen(self, client):
        async for message in client.messages:
            self.last[message.topic.value] = message.payload.decode()
            self.all.append((message.topic.value, message.payload.decode(), message.retain))
            self._news.set()

    async def until(self, *topics, **expected):
        """Wait until each of the topics has said something, and others, with __ for /, something certain."""
        wanted = {f"bgsub/{topic.replace('__', '/')}": payload for topic, payload in expected.items()}
        await self.until_true(lambda: wanted.items() <= self.last.items() and set(topics) <= set(self.last))

    async def until_true(self, holds):
        async with asyncio.timeout(60):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def occasions(self):
        return [json.loads(text) for topic, text, _ in self.all if topic == "bgsub/yard/occasion"]

    def event(self):
        return json.loads(self.last["bgsub/yard/event"])["event"]


@asynccontextmanager
async def hearing(port):
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("#", qos=1)
        heard = Heard()
        task = asyncio.create_task(heard.listen(client))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path)
    yield made
    made.kill()


def status(state, event=None):
    return Status(camera="yard", at=START, since=START, state=state, event=event)


@pytest.mark.needs_system
@needs_broker
def test_a_broker_hears_motion_events_and_the_state_of_cameras(tmp_path, broker):
    async def watch():
        await broker.start()
        (listener,) = listeners_of(Tell(mqtt=Mqtt(host="127.0.0.1", port=broker.port)), tmp_path, ("yard",))
        async with hearing(broker.port) as heard:
            await heard.until(status="online", yard__motion="OFF")
            await listener.take(status("connecting"))
            await listener.take(status("live"))
            await heard.until(yard__state="live", yard__connection="ON")
            await listener.take(EventOpened(record(end=None)))
            await heard.until(yard__motion="ON")
            await listener.take(EventClosed(record(zones=("gate",))))
            await heard.until("bgsub/yard/event", yard__motion="OFF")
            await heard.until_true(lambda: heard.event()["zones"] == ["gate"])
            await listener.take(EventOpened(record(end=None)))
            before = record(id="yard/2026-11-27T15-00-00.000Z", zones=("before",))
            await listener.take(EventClosed(before))  # its files are finished while the next one is open
            await heard.until_true(lambda: heard.event()["zones"] == ["before"])
            assert heard.last["bgsub/yard/motion"] == "ON"
            await listener.take(CameraLost(camera="yard", at=START, why="refused"))
            await listener.take(status("lost"))
            await heard.until(yard__connection="OFF", yard__state="lost", yard__motion="OFF")
            await heard.until_true(lambda: len(heard.occasions()) == 5)
            names = [one["occasion"] for one in heard.occasions()]
            assert names == ["event_opened", "event_closed", "event_opened", "event_closed", "camera_lost"]
            await listener.close()
            await heard.until(status="offline")
        async with hearing(broker.port) as late:  # who comes later hears what holds
            discovered = "homeassistant/binary_sensor/bgsub_yard/motion/config"
            await late.until(discovered, "bgsub/yard/event", yard__state="lost", status="offline")
            assert all(retained for _, _, retained in late.all)
            assert "bgsub/yard/occasion" not in late.last

    asyncio.run(watch())


@pytest.mark.needs_system
@needs_broker
def test_a_broker_that_was_away_hears_what_holds_and_what_it_has_missed(tmp_path, broker, monkeypatch, caplog):
    monkeypatch.setattr(module, "_PAUSES", (0.1,))
    caplog.set_level(logging.INFO, "bgsub")

    async def watch():
        await broker.start()
        (listener,) = listeners_of(Tell(mqtt=Mqtt(host="127.0.0.1", port=broker.port)), tmp_path, ("yard",))
        async with hearing(broker.port) as heard:
            await heard.until(status="online", yard__motion="OFF")
        for k in range(2):
            broker.kill()
            await listener.take(status("live"))
            await listener.take(EventOpened(record(end=None, objects=k)))
            await listener.take(CameraFound(camera="yard", at=START, away=1.0))
            await asyncio.sleep(0.5)
            await broker.start()
            async with hearing(broker.port) as heard:
                topics = ("bgsub/yard/event", "homeassistant/sensor/bgsub_yard/state/config")
                await heard.until(
                    *topics, status="online", yard__motion="ON", yard__connection="ON", yard__state="live"
                )
                await heard.until_true(lambda wanted=k: heard.event()["objects"] == wanted)
        await listener.close()
        assert listener.lost == 0

    asyncio.run(watch())
    assert len([line for line in caplog.messages if line.startswith("mqtt: cannot reach the broker")]) <= 2
    assert "mqtt: the broker is back" in caplog.messages


@pytest.mark.needs_system
@needs_broker
def test_a_change_of_cameras_leaves_a_broker_with_those_that_are_watched(tmp_path, broker):
    def asked(*cameras):
        told = Tell(mqtt=Mqtt(host="127.0.0.1", port=broker.port))
        watched = tuple(Camera(name=name, source="0") for name in cameras)
        return Watch(cameras=watched, directory=str(tmp_path), tell=told)

    async def watch():
        await broker.start()
        messengers = Messengers([])
        await messengers.change(asked("yard", "door"))
        async with hearing(broker.port) as heard:
            await heard.until(status="online", yard__motion="OFF", door__motion="OFF")
            await messengers.change(asked("yard"))
            await heard.until(door__motion="", door__state="")
        async with hearing(broker.port) as late:
            await late.until("homeassistant/sensor/bgsub_yard/state/config", status="online", yard__motion="OFF")
            assert not [topic for topic in late.last if "door" in topic]
        await messengers.stop()

    asyncio.run(watch())


KILLED = """
import asyncio, sys
from pathlib import Path
from bgsub.live.settings import Mqtt, Tell
from bgsub.live.telling.channels import listeners_of
async def watch():
    listeners_of(Tell(mqtt=Mqtt(host="127.0.0.1", port=int(sys.argv[1]))), Path(), ("yard",))
    await asyncio.sleep(600)
asyncio.run(watch())
"""


@pytest.mark.needs_system
@needs_broker
def test_the_last_will_of_a_killed_program_is_heard(tmp_path, broker):
    async def watch():
        await broker.start()
        async with hearing(broker.port) as heard:
            program = subprocess.Popen([sys.executable, "-c", KILLED, str(broker.port)])
            await heard.until(status="online")
            program.kill()
            program.wait()
            await heard.until(status="offline")

    asyncio.run(watch())


@pytest.mark.needs_system
@needs_broker
def test_a_broker_is_tried(tmp_path, broker):
    async def watch():
        await broker.start()
        async with hearing(broker.port) as heard:
            settings = Mqtt(host="127.0.0.1", port=broker.port)
            (result,) = await try_each(Tell(mqtt=settings), tmp_path, ("yard",))
            assert result == ("mqtt", None)
            await heard.until("bgsub/test")

    asyncio.run(watch())


def test_a_channel_alone_says_why_it_failed(tmp_path):
    channel = MqttChannel(Mqtt(host="127.0.0.1", port=1), tmp_path, ())
    with pytest.raises(OutputError, match=r"cannot reach the broker 127\.0\.0\.1:1: .*; check host, port and login"):
        asyncio.run(channel.tell(Occasion(name="test", at=START)))
