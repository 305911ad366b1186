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
from typing import get_args

import pytest

from bgsub.errors import OutputError, ParameterError
from bgsub.live.clock import Clock
from bgsub.live.messages import CameraFound, CameraLost, EventClosed, EventOpened, State, Status
from bgsub.live.settings import Camera, Mqtt, Tell, Watch
from bgsub.live.telling import mqtt_listener as module
from bgsub.live.telling.channels import try_each
from bgsub.live.telling.home_assistant import announcements
from bgsub.live.telling.messengers import Messengers
from bgsub.live.telling.mqtt import MqttChannel
from bgsub.live.telling.mqtt_listener import MqttListener
from bgsub.live.telling.occasions import Occasion, Occasions
from bgsub.live.telling.waiting import Waiting
from bgsub.live.telling.waiting_file import WAITING
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


# What Home Assistant documents for binary_sensor.mqtt and sensor.mqtt, of which a payload must have no other keys
OF_BOTH = {"availability", "availability_mode", "availability_template", "availability_topic", "default_entity_id"}
OF_BOTH |= {"device", "device_class", "enabled_by_default", "encoding", "entity_category", "entity_picture", "icon"}
OF_BOTH |= {"expire_after", "force_update", "json_attributes_template", "json_attributes_topic", "name", "origin"}
OF_BOTH |= {"payload_available", "payload_not_available", "qos", "state_topic", "unique_id", "value_template"}
DOCUMENTED = {
    "binary_sensor": OF_BOTH | {"off_delay", "payload_on", "payload_off"},
    "sensor": OF_BOTH | {"options", "state_class", "suggested_display_precision", "unit_of_measurement"},
}
CLASSES = {"binary_sensor": {"motion", "connectivity", "problem"}, "sensor": {"enum", "timestamp"}}
OF_A_DEVICE = {"configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id"}
OF_A_DEVICE |= {"name", "serial_number", "suggested_area", "sw_version", "via_device"}


def test_home_assistant_is_told_of_each_camera_as_it_documents():
    settings = Mqtt(host="h", topic="home/bgsub")
    configs = {topic: json.loads(payload) for topic, payload in announcements(settings, ("yard", "door")).items()}
    assert len({config["unique_id"] for config in configs.values()}) == len(configs) == 8
    for topic, config in configs.items():
        prefix, kind, node, what, last = topic.split("/")
        assert (prefix, last) == ("homeassistant", "config")
        assert set(config) <= DOCUMENTED[kind]
        assert config["device_class"] in CLASSES[kind]
        assert config["unique_id"] == f"{node}_{what}"
        assert set(config["device"]) <= OF_A_DEVICE
        assert config["device"]["identifiers"] == [node]
        assert set(config["origin"]) <= {"name", "sw_version", "support_url"}
        assert config["state_topic"] == f"home/bgsub/{config['device']['name']}/{what}"
        assert config["availability"][0] == {"topic": "home/bgsub/status"}
        assert config.get("entity_category") in (None, "diagnostic")
        assert ("options" in config) == (config["device_class"] == "enum")
    motion = configs["homeassistant/binary_sensor/home_bgsub_yard/motion/config"]
    assert motion["availability"][1]["topic"] == "home/bgsub/yard/connection"
    assert motion["availability_mode"] == "all"
    state = configs["homeassistant/sensor/home_bgsub_yard/state/config"]
    assert set(state["options"]) == set(get_args(State))
    assert announcements(Mqtt(host="h", discovery=None), ("yard",)) == {}


class Listening:
    """A listener, and what it is told of."""

    def __init__(self, folder, settings, cameras=("yard",), waiting=None):
        self.waiting = waiting or Waiting(None, Clock())
        channel = MqttChannel(settings, folder, cameras)
        self.listener = MqttListener(channel, self.waiting.line(channel.key))
        self.occasions = Occasions(Tell(mqtt=settings))

    async def take(self, message):
        self.listener.take(message, self.occasions.of(message))

    async def close(self):
        await self.listener.close()
        await self.waiting.close()


def test_a_broker_that_is_not_there_is_told_once_and_holds_nobody_up(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "_PAUSES", (0.01,))
    told = Mqtt(host="127.0.0.1", port=1, username="me", password="hidden")

    async def watch():
        listener = Listening(tmp_path, told)
        for _ in range(1200):
            await listener.take(EventClosed(record()))
        await asyncio.sleep(0.5)
        await listener.close()
        return listener.listener.told, listener.listener.line.lost

    assert asyncio.run(watch()) == (0, 200)
    full, line, left = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert full.startswith("mqtt: messages that wait for it are given up, the oldest first: ")
    assert left == "mqtt: what waits is not told any more: 1000"
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
        listener = Listening(tmp_path, Mqtt(host="127.0.0.1", port=broker.port))
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
        listener = Listening(tmp_path, Mqtt(host="127.0.0.1", port=broker.port))
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
        assert listener.listener.line.lost == 0

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
            await heard.until(door__motion="")
            await heard.until_true(
                lambda: not [topic for topic, text in heard.last.items() if "door" in topic and text]
            )
        async with hearing(broker.port) as late:
            await late.until("homeassistant/sensor/bgsub_yard/state/config", status="online", yard__motion="OFF")
            assert not [topic for topic in late.last if "door" in topic]
        await messengers.stop()

    asyncio.run(watch())


KILLED = """
import asyncio, sys
from pathlib import Path
from bgsub.live.settings import Mqtt
from tests.live.test_telling_mqtt import Listening
async def watch():
    Listening(Path(), Mqtt(host="127.0.0.1", port=int(sys.argv[1])))
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
def test_the_next_run_clears_what_the_one_before_announced_and_tells_what_had_waited(tmp_path, broker):
    async def run_in(cameras, topic="bgsub"):
        waiting = Waiting(tmp_path / WAITING, Clock())
        await waiting.open()
        settings = Mqtt(host="127.0.0.1", port=broker.port, topic=topic)
        return Listening(tmp_path, settings, cameras, waiting)

    async def watch():
        await broker.start()
        first = await run_in(("yard", "door"))
        async with hearing(broker.port) as heard:
            await heard.until(status="online", yard__motion="OFF", door__motion="OFF")
            await first.take(status("live"))
            await heard.until(yard__state="live")
            assert "homeassistant/sensor/bgsub_door/event/config" in heard.last
        broker.kill()  # it forgets all
        for k in range(3):
            await first.take(EventClosed(record(objects=k)))
        await first.close()
        second = await run_in(("yard",))
        await broker.start()
        async with hearing(broker.port) as heard:
            await heard.until(status="online", door__motion="", yard__motion="OFF")
            await heard.until_true(lambda: len(heard.occasions()) == 3)
            assert [one["event"]["objects"] for one in heard.occasions()] == [0, 1, 2]
            assert heard.occasions()[0]["delivery"] == Occasions(Tell()).of(EventClosed(record())).delivery
            await heard.until_true(lambda: heard.event()["objects"] == 2)
        await second.close()
        third = await run_in(("yard",), "home/cameras")
        async with hearing(broker.port) as heard:
            await heard.until(status="", yard__motion="")
            await heard.until_true(lambda: heard.last.get("home/cameras/yard/motion") == "OFF")
            await heard.until_true(lambda: not heard.last.get("homeassistant/sensor/bgsub_yard/state/config", "x"))
            assert heard.last["homeassistant/sensor/home_cameras_yard/state/config"]
        await third.close()

    asyncio.run(watch())


@pytest.mark.needs_system
@needs_broker
def test_home_assistant_that_begins_hears_all_again(tmp_path, broker):
    async def watch():
        await broker.start()
        listener = Listening(tmp_path, Mqtt(host="127.0.0.1", port=broker.port))
        discovered = "homeassistant/binary_sensor/bgsub_yard/motion/config"
        async with hearing(broker.port) as heard, aiomqtt.Client("127.0.0.1", broker.port) as person:
            await heard.until(discovered, status="online", yard__motion="OFF")
            await person.publish(discovered, "", qos=1, retain=True)  # somebody has removed the camera there
            await heard.until_true(lambda: heard.last[discovered] == "")
            await person.publish("homeassistant/status", "online", qos=1)
            await heard.until_true(lambda: heard.last[discovered] != "")
        await listener.close()

    asyncio.run(watch())


@pytest.mark.needs_system
@needs_broker
def test_a_wrong_password_is_told_without_it_and_a_mended_one_is_taken(tmp_path, broker, monkeypatch, caplog):
    monkeypatch.setattr(module, "_PAUSES", (0.05,))
    broker.settings.write_text(broker.settings.read_text().replace("anonymous true", "anonymous false"))
    settings = Mqtt(host="127.0.0.1", port=broker.port, username="me", password="hidden")

    async def watch():
        await broker.start()
        listener = Listening(tmp_path, settings)
        await listener.take(EventClosed(record()))
        async with asyncio.timeout(60):
            while not caplog.messages:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert len(listener.listener.line) == 1
        broker.kill()
        broker.settings.write_text(broker.settings.read_text().replace("anonymous false", "anonymous true"))
        await broker.start()
        async with asyncio.timeout(60):
            while listener.listener.line.first:
                await asyncio.sleep(0.02)
        await listener.close()

    asyncio.run(watch())
    (line,) = [line for line in caplog.messages if "cannot reach" in line]
    assert "uthori" in line
    assert line.endswith("; check host, port and login")
    assert "hidden" not in caplog.text


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
