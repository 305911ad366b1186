"""What there is to tell, chosen from what cameras' processes say, and in which words."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bgsub.live.layout import record_file
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    FromCamera,
    Status,
    Trouble,
)
from bgsub.live.settings import Tell

Name = Literal["event_opened", "event_closed", "camera_lost", "camera_found", "trouble", "test"]

_ODD = 0.95  # share of the events that are more usual than one that is called unusual


class Occasion(Struct, frozen=True, kw_only=True):
    """Something to tell.

    Attributes
    ----------
    name : str
        As `Tell.on` has it; ``test`` is none.
    at : datetime
        When.
    camera : str or None
        Whose; None of trouble with all recordings.
    event : EventRecord or None
        Of an event.
    why : str or None
        Of a camera that is lost, or of trouble; None of trouble that is over.
    away : float
        Seconds, of a camera that is found.
    """

    name: Name
    at: datetime
    camera: str | None = None
    event: EventRecord | None = None
    why: str | None = None
    away: float = 0.0

    @property
    def title(self) -> str:
        """A few words."""
        whose = self.camera or "all cameras"
        if self.event is not None:
            lasted = "" if self.event.end is None else f" for {_seconds(self.event)}"
            return f"{whose}: {self.event.kind}{lasted}"
        return {
            "camera_lost": f"{whose} is lost",
            "camera_found": f"{whose} is back",
            "trouble": f"{whose}: {'recording is well again' if self.why is None else 'trouble with recording'}",
        }.get(self.name, "bgsub: a test")

    @property
    def text(self) -> str:
        """A line or two, for people; times are those of the system's zone."""
        if self.event is not None:
            return _described(self.event)
        if self.name == "camera_found":
            return f"after {self.away:.0f} s, at {_clock(self.at)}"
        if self.name == "test":
            return "This is how you will be told."
        return f"{self.why or 'it is over'} ({_clock(self.at)})"


class Occasions:
    """Chooses what is told.

    Parameters
    ----------
    tell : Tell
        What is asked for.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._trouble: dict[str | None, str | None] = {}

    def of(self, message: FromCamera) -> Occasion | None:
        """Return what a message is the occasion to tell; None where it is none, or is not asked for."""
        occasion = self._occasion(message)
        if occasion is None or occasion.name not in self._tell.on:
            return None
        zones = self._tell.zones
        if zones and occasion.event is not None and not set(zones) & set(occasion.event.zones):
            return None
        return occasion

    def _occasion(self, message: FromCamera) -> Occasion | None:
        match message:
            case EventOpened(record):
                return Occasion(name="event_opened", at=record.start, camera=record.camera, event=record)
            case EventClosed(record):
                at = record.end or record.start
                return Occasion(name="event_closed", at=at, camera=record.camera, event=record)
            case CameraLost():
                return Occasion(name="camera_lost", at=message.at, camera=message.camera, why=message.why)
            case CameraFound():
                return Occasion(name="camera_found", at=message.at, camera=message.camera, away=message.away)
            case Status():
                return self._troubled(message.camera, message.at, message.trouble)
            case Trouble():
                return self._troubled(message.camera, message.at, message.why)
        return None

    def _troubled(self, camera: str | None, at: datetime, why: str | None) -> Occasion | None:
        """Return that trouble has begun or ended; other words for the same trouble are no news."""
        before = self._trouble.get(camera)
        self._trouble[camera] = why
        if (why is None) == (before is None):
            return None
        return Occasion(name="trouble", at=at, camera=camera, why=why)


def facts_of(occasion: Occasion, directory: Path) -> dict[str, str]:
    """Return what a program is told, each as text; what is not known is empty.

    Parameters
    ----------
    occasion : Occasion
        What is told.
    directory : Path
        Of recordings; paths are absolute.
    """
    event = occasion.event
    facts = dict.fromkeys(FACTS, "")
    facts |= {
        "occasion": occasion.name,
        "camera": occasion.camera or "",
        "at": _written(occasion.at),
        "title": occasion.title,
        "text": occasion.text,
        "why": occasion.why or "",
    }
    if event is not None:
        facts |= {
            "event": event.id,
            "kind": event.kind,
            "start": _written(event.start),
            "end": "" if event.end is None else _written(event.end),
            "length": "" if event.end is None else f"{_length(event):.3f}",
            "zones": ",".join(event.zones),
            "objects": str(event.objects),
            "unusual": "" if event.unusual is None else f"{event.unusual:.3f}",
            "record": str(directory.absolute() / record_file(event.id)),
        }
        for name in ("clip", "thumbnail", "tracks"):
            value = getattr(event, name)
            facts[name] = "" if value is None else str(directory.absolute() / value)
    return {name: value.replace("\0", "") for name, value in facts.items()}


FACTS = (
    *("occasion", "camera", "at", "title", "text", "why", "event", "kind", "start", "end", "length", "zones"),
    *("objects", "unusual", "record", "clip", "thumbnail", "tracks"),
)
"""What a program may be told."""


def as_json(occasion: Occasion, directory: Path) -> dict[str, Any]:
    """Return what a machine is told: the values of an occasion, its words, and where recordings lie."""
    return {
        "version": 1,
        "occasion": occasion.name,
        "at": _written(occasion.at),
        "camera": occasion.camera,
        "title": occasion.title,
        "text": occasion.text,
        "why": occasion.why,
        "event": msgspec.to_builtins(occasion.event),
        "directory": str(directory.absolute()),
    }


def _described(event: EventRecord) -> str:
    times = _clock(event.start) if event.end is None else f"{_clock(event.start)} to {_clock(event.end)}"
    parts = [
        f"since {times}" if event.end is None else times,
        "in " + ", ".join(event.zones) if event.zones else "",
        ", ".join(f"{name}: {count}" for name, count in event.crossings.items()),
        f"{event.objects} objects" if event.objects > 1 else "",
        "unusual" if event.unusual is not None and event.unusual >= _ODD else "",
        event.error or "",
    ]
    return "; ".join(part for part in parts if part)


def _seconds(event: EventRecord) -> str:
    length = _length(event)
    return f"{length:.0f} s" if length < 120 else f"{length / 60:.0f} min"


def _length(event: EventRecord) -> float:
    return 0.0 if event.end is None else (event.end - event.start) / timedelta(seconds=1)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"


def _written(moment: datetime) -> str:
    return msgspec.to_builtins(moment)
