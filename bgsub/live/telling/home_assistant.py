"""What Home Assistant must know to show cameras, as its discovery by MQTT has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from bgsub import __version__
from bgsub.live.messages import State
from bgsub.live.settings import Mqtt


def announcements(settings: Mqtt, cameras: Sequence[str]) -> dict[str, str]:
    """Return what is to be announced, by topic: four entities of a device for each camera.

    Parameters
    ----------
    settings : Mqtt
        Topics.
    cameras : sequence of str
        Names of the cameras.
    """
    return {topic: payload for camera in cameras for topic, payload in _announced(settings, camera).items()}


def _announced(settings: Mqtt, camera: str) -> dict[str, str]:
    if settings.discovery is None:
        return {}
    base = settings.topic
    node = f"{base.replace('/', '_')}_{camera}"
    is_there = {"topic": f"{base}/status"}
    is_live = {"topic": f"{base}/{camera}/connection", "payload_available": "ON", "payload_not_available": "OFF"}
    shared = {
        "device": {"identifiers": [node], "name": camera, "manufacturer": "bgsub", "sw_version": __version__},
        "origin": {"name": "bgsub", "sw_version": __version__},
    }
    things: list[tuple[str, str, dict[str, Any]]] = [
        (
            *("binary_sensor", "motion"),
            {
                "name": "Motion",
                "device_class": "motion",
                "availability": [is_there, is_live],  # who cannot see must not say that nothing moves
                "availability_mode": "all",
            },
        ),
        (
            *("binary_sensor", "connection"),
            {"name": "Connection", "device_class": "connectivity", "entity_category": "diagnostic"},
        ),
        (
            *("sensor", "state"),
            {
                "name": "State",
                "device_class": "enum",
                "options": list(get_args(State)),
                "icon": "mdi:cctv",
                "entity_category": "diagnostic",
            },
        ),
        (
            *("sensor", "event"),
            {
                "name": "Last event",
                "device_class": "timestamp",
                "value_template": "{{ value_json.event.start }}",
                "json_attributes_topic": f"{base}/{camera}/event",
                "json_attributes_template": "{{ value_json.event | tojson }}",
            },
        ),
    ]
    return {
        f"{settings.discovery}/{kind}/{node}/{what}/config": msgspec.json.encode(
            {
                "availability": [is_there],
                **shared,
                **more,
                "unique_id": f"{node}_{what}",
                "state_topic": f"{base}/{camera}/{what}",
            }
        ).decode()
        for kind, what, more in things
    }
