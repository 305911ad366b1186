"""How all is: the newest that each camera said, what is wrong beside it, and whether that is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from bgsub.live.clock import Clock
from bgsub.live.messages import CameraFound, CameraLost, EventClosed, EventOpened, FromCamera, Status

_STALE = 15.0  # seconds after which a status says nothing of now

Trouble = Callable[[], str | None]
"""Says in one line what is wrong now, or None."""


@dataclass
class CameraHealth:
    """What is known of a camera.

    Attributes
    ----------
    status : Status or None
        The newest; None of one that has said nothing yet.
    events, outages : int
        How many there were since the program began.
    last_event : datetime or None
        When the newest began.
    heard : float
        When the status came, on the clock that never steps.
    """

    status: Status | None = None
    events: int = 0
    outages: int = 0
    last_event: datetime | None = None
    heard: float = 0.0


class Health:
    """Takes note of messages at once; asked for by whoever serves it, shows it, or tells it to systemd.

    Parameters
    ----------
    clock : Clock
        The time.

    Attributes
    ----------
    cameras : dict of str to CameraHealth
        By name; `watch` says which there are.
    troubles : dict of str to callable
        What else can be wrong, asked each time: ``{"disk": ...}``.
    """

    def __init__(self, clock: Clock) -> None:
        self.cameras: dict[str, CameraHealth] = {}
        self.troubles: dict[str, Trouble] = {}
        self._clock = clock
        self._began = clock.monotonic()

    def watch(self, names: tuple[str, ...]) -> None:
        """Know of cameras of these names, and of no others."""
        self.cameras = {name: self.cameras.get(name) or CameraHealth() for name in names}

    def note(self, message: FromCamera) -> None:
        """Take note of a message."""
        match message:
            case Status():
                if (known := self.cameras.get(message.camera)) is not None:
                    known.status, known.heard = message, self._clock.monotonic()
            case EventOpened(record) | EventClosed(record):
                if (known := self.cameras.get(record.camera)) is not None:
                    known.last_event = record.start
                    known.events += isinstance(message, EventClosed)
            case CameraLost():
                if (known := self.cameras.get(message.camera)) is not None:
                    known.outages += 1
            case CameraFound():
                pass

    @property
    def uptime(self) -> float:
        """Seconds since the program began."""
        return self._clock.monotonic() - self._began

    def wrong(self) -> dict[str, str]:
        """Return what is wrong, a line for each camera and each other thing; empty where all is well."""
        found = {}
        for name, known in self.cameras.items():
            line = self._wrong_with(known)
            if line is not None:
                found[f"camera {name}"] = line
        for what, trouble in self.troubles.items():
            line = trouble()
            if line is not None:
                found[what] = line
        return found

    def _wrong_with(self, known: CameraHealth) -> str | None:
        status = known.status
        if status is None:
            return "starting"
        if status.state != "live":
            return f"{status.state} since {status.since:%Y-%m-%dT%H:%M:%SZ}" + (f": {status.why}" if status.why else "")
        if self.is_stale(known):
            return "it has said nothing for a while"
        return status.trouble

    def is_stale(self, known: CameraHealth) -> bool:
        """Tell whether what a camera said last is too old to say how it is."""
        return self._clock.monotonic() - known.heard > _STALE

    def report(self) -> dict[str, Any]:
        """Return all that is known, as JSON has it: ``{"well": true, "wrong": {}, "cameras": {...}, ...}``."""
        wrong = self.wrong()
        return {
            "well": not wrong,
            "at": self._clock.now(),
            "uptime": round(self.uptime, 1),
            "wrong": wrong,
            "cameras": {name: self._reported(known) for name, known in self.cameras.items()},
        }

    def _reported(self, known: CameraHealth) -> dict[str, Any]:
        status = {} if known.status is None else msgspec.to_builtins(known.status, builtin_types=(datetime,))
        for key in ("type", "camera"):
            status.pop(key, None)
        return {
            "state": "starting",
            **status,
            "events": known.events,
            "outages": known.outages,
            "last_event": known.last_event,
        }
