"""What is watched, as it may be shown: without secrets."""

from __future__ import annotations

from typing import Any

import msgspec

from bgsub.live.configuration.hiding import shown
from bgsub.live.settings import Watch


def described(watch: Watch) -> dict[str, Any]:
    """Return what is watched as JSON has it, without secrets; who is told is named alone."""
    cameras = []
    for camera in watch.cameras:
        told = msgspec.to_builtins(camera)
        told["source"], told["privacy"] = shown(camera.source), camera.has_privacy
        told["detect"] = None if camera.detect is None else shown(camera.detect)
        cameras.append(told)
    told = {name: value for name, value in msgspec.to_builtins(watch).items() if name not in ("cameras", "tell", "web")}
    web = watch.web and {"listen": watch.web.listen, "access": [access.name for access in watch.web.access]}
    return {**told, "web": web, "cameras": cameras, "tell": _told(watch)}


def _told(watch: Watch) -> list[str]:
    """Return who is told, without secrets: an address of Apprise's is one altogether."""
    tell = watch.tell
    return [
        *([f"command {tell.command[0]}"] if tell.command else []),
        *(f"webhook {shown(webhook.url)}" for webhook in tell.webhook),
        *([f"mqtt {tell.mqtt.host}:{tell.mqtt.port}"] if tell.mqtt else []),
        *(f"apprise {address.partition('://')[0]}" for address in tell.apprise),
    ]
