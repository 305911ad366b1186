"""Who is told, as a service of a watch: all are, others when others are asked for, and the last words are heard."""

from __future__ import annotations

import asyncio
import json

import pytest

from bgsub.errors import ParameterError
from bgsub.live.health.metrics import Metrics
from bgsub.live.health.state import Health
from bgsub.live.messages import CameraFound, CameraLost, EventClosed, Trouble
from bgsub.live.settings import Camera, Mqtt, Tell, Watch, Webhook
from bgsub.live.supervising.audience import Audience
from bgsub.live.supervising.running import Running
from bgsub.live.telling.messengers import Messengers
from tests.live.recordings_made import SteppedClock
from tests.live.test_telling import START, record, server


def watch(tmp_path, *addresses, **tell):
    webhooks = tuple(Webhook(url=address) for address in addresses)
    camera = Camera(name="yard", source="0")
    return Watch(cameras=(camera,), directory=str(tmp_path), tell=Tell(webhook=webhooks, **tell))


def told(got):
    return [json.loads(body)["occasion"] for _, _, body in got]


def test_all_are_told_and_others_when_others_are_asked_for(tmp_path):
    async def live(first, second):
        clock, numbers = SteppedClock(), []
        health, audience = Health(clock), Audience(clock)
        messengers = Messengers(numbers)
        asked = watch(tmp_path, first, second)
        await messengers.start(Running(asked, clock, health, audience, None, None))
        audience.tell(CameraLost(camera="yard", at=START, why="refused"))
        audience.tell(EventClosed(record()))
        await asyncio.sleep(0.05)  # so that the audience has handed them over
        await messengers.change(asked)  # nothing else is asked for
        await messengers.change(watch(tmp_path, second, on=("camera_found",)))
        with pytest.raises(ParameterError, match="is no address"):
            await messengers.change(watch(tmp_path, "http://"))
        audience.tell(Trouble(at=START, why="full"))
        audience.tell(CameraFound(camera="yard", at=START, away=3.0))
        await audience.close(30.0)
        await messengers.stop()
        return Metrics(health, numbers).text().decode()

    with server(200) as (first, got_first), server(200) as (second, got_second):
        text = asyncio.run(live(first, second))
    assert told(got_first) == ["camera_lost", "event_closed"]
    assert told(got_second) == ["camera_lost", "event_closed", "camera_found"]
    assert 'bgsub_told_total{channel="webhook"} 1.0' in text
    assert 'bgsub_not_told_total{channel="webhook"} 0.0' in text


def test_a_wrong_topic_ends_the_watch_before_it_begins(tmp_path):
    async def live():
        clock = SteppedClock()
        asked = watch(tmp_path, mqtt=Mqtt(host="h", topic="#"))
        await Messengers([]).start(Running(asked, clock, Health(clock), Audience(clock), None, None))

    with pytest.raises(ParameterError, match=r"tell, mqtt: topic '#' is no topic"):
        asyncio.run(live())
