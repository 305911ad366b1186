"""What there is to tell, chosen from what cameras' processes say, and in which words."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
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
    SegmentClosed,
    Status,
    Trouble,
)
from bgsub.live.settings import Tell

Name = Literal["event_opened", "event_closed", "camera_lost", "camera_found", "trouble", "test"]

_TODAY = timedelta(hours=12)
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
    def delivery(self) -> str:
        """What tells it from all others: who is told it twice, after a kill perhaps, can leave the second out."""
        event = "" if self.event is None else self.event.id
        at = self.at.astimezone(UTC).isoformat()
        words = (self.name, self.camera or "", event, "" if self.event is not None else at, self.why or "")
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]

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
    trouble : mapping of str to str, optional
        What there was before, by camera, the empty one for all: that it is over is told, and not that it began.

    Attributes
    ----------
    trouble : dict of str to str
        What there is.
    """

    def __init__(self, tell: Tell, trouble: Mapping[str, str] | None = None) -> None:
        self._tell = tell
        self.trouble = dict(trouble or {})
        self._unsure = set(self.trouble) - {""}  # cameras whose process is another one than that which was in trouble

    def ask(self, tell: Tell, cameras: Collection[str]) -> None:
        """Choose from now on what is asked for now, of these cameras."""
        self._tell = tell
        self.trouble = {camera: why for camera, why in self.trouble.items() if not camera or camera in cameras}

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
        if isinstance(message, EventOpened | EventClosed) and message.record.error is None:
            self._unsure.discard(message.record.camera)
        if isinstance(message, SegmentClosed):
            self._unsure.discard(message.record.camera)
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
                return self._troubled_by(message)
            case Trouble():
                return self._troubled(message.camera, message.at, message.why)
        return None

    def _troubled_by(self, status: Status) -> Occasion | None:
        """Return that a camera's trouble has begun or ended: a process that has just begun knows of none yet."""
        camera = status.camera
        if status.state == "broken":
            self._unsure |= {camera} & set(self.trouble)
            return None
        if status.trouble is None and camera in self._unsure:
            return None
        self._unsure.discard(camera)
        return self._troubled(camera, status.at, status.trouble)

    def _troubled(self, camera: str | None, at: datetime, why: str | None) -> Occasion | None:
        """Return that trouble has begun or ended; other words for the same trouble are no news."""
        before = self.trouble.pop(camera or "", None)
        if why is not None:
            self.trouble[camera or ""] = why if before is None else before
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
        "delivery": occasion.delivery,
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
    *("occasion", "camera", "at", "title", "text", "why", "event", "kind", "start", "end", "length"),
    *("zones", "objects", "unusual", "record", "clip", "thumbnail", "tracks", "delivery"),
)
"""What a program may be told."""


def as_json(occasion: Occasion, directory: Path) -> dict[str, Any]:
    """Return what a machine is told: the values of an occasion, its words, and where recordings lie."""
    return {
        "version": 1,
        "occasion": occasion.name,
        "delivery": occasion.delivery,
        "at": _written(occasion.at),
        "camera": occasion.camera,
        "title": occasion.title,
        "text": occasion.text,
        "why": occasion.why,
        "event": msgspec.to_builtins(occasion.event),
        "directory": os.fsencode(directory.absolute()).decode("utf-8", "backslashreplace"),
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
    """Return a time of the day, with its date where it was long ago: what is told may have waited."""
    here = moment.astimezone()
    return f"{here:%H:%M:%S}" if abs(datetime.now(UTC) - moment) < _TODAY else f"{here:%Y-%m-%d %H:%M:%S}"


def _written(moment: datetime) -> str:
    return msgspec.to_builtins(moment)
