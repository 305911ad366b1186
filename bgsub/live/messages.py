"""What a camera's process tells its supervisor, and what it is told: values, sent as MessagePack.

All times of the day are in UTC. The record of an event is also the JSON beside its clip, from which the index can be
built again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

State = Literal["connecting", "live", "lost", "broken"]


class EventRecord(Struct, frozen=True, kw_only=True):
    """An event, as it is kept beside its clip.

    Attributes
    ----------
    id : str
        Unlike all others: camera, ``/`` and the stamp of its beginning.
    camera : str
        Name of the camera.
    start, end : datetime
        When motion began and ended; of one that goes on the second is None.
    clip, thumbnail, tracks : str or None
        Files, relative to the directory of recordings, with ``/``.
    clip_start, clip_end : datetime or None
        What the clip shows.
    segments : tuple of str
        Continuous segments that show it.
    kind : str
        As of `bgsub.motion.events.Event`.
    zones : tuple of str
        Names of the zones that were touched.
    crossings : dict of str to int
        How many went over each line, and in or out: ``{"gate in": 2}``.
    area, share, evidence : float
        As of `Event`; the first in pixels of the stream that is looked at.
    box : tuple of four float or None
        Left, top, width and height around all that moved, as fractions of the picture.
    objects : int
        Tracks seen in it.
    unusual : float or None
        As of `Event`.
    gap : float
        Seconds of it in which the camera was away.
    size : int
        Bytes of its files.
    error : str or None
        Why there is no clip, or a short one.
    version : int
        Of this record.
    """

    id: str
    camera: str
    start: datetime
    end: datetime | None = None
    clip: str | None = None
    thumbnail: str | None = None
    tracks: str | None = None
    clip_start: datetime | None = None
    clip_end: datetime | None = None
    segments: tuple[str, ...] = ()
    kind: str = "motion"
    zones: tuple[str, ...] = ()
    crossings: dict[str, int] = {}
    area: float = 0.0
    share: float = 0.0
    evidence: float = 1.0
    box: tuple[float, float, float, float] | None = None
    objects: int = 0
    unusual: float | None = None
    gap: float = 0.0
    size: int = 0
    error: str | None = None
    version: int = 1


class SegmentRecord(Struct, frozen=True, kw_only=True):
    """A continuous segment: its file, relative to the directory of recordings, what it shows, and its bytes."""

    camera: str
    path: str
    start: datetime
    end: datetime | None = None
    size: int = 0


class Status(Struct, frozen=True, kw_only=True, tag=True):
    """How a camera is; sent every second.

    Attributes
    ----------
    state : {'connecting', 'live', 'lost', 'broken'}
        The last is that its process died, or cannot begin.
    since : datetime
        Since when.
    why : str or None
        One line, of one that is lost or broken.
    frames_per_second : float
        Looked at, over the last seconds.
    frames, dropped, damaged, reconnects : int
        So far.
    delay : float
        Seconds from a picture's arrival until it has been looked at.
    moving : float
        Share of the picture that moves.
    event : str or None
        Identity of the one that is open.
    trouble : str or None
        What else is wrong: the disk is full.
    """

    camera: str
    at: datetime
    state: State
    since: datetime
    why: str | None = None
    width: int = 0
    height: int = 0
    frames_per_second: float = 0.0
    frames: int = 0
    dropped: int = 0
    damaged: int = 0
    reconnects: int = 0
    delay: float = 0.0
    moving: float = 0.0
    event: str | None = None
    trouble: str | None = None


class EventOpened(Struct, frozen=True, tag=True):
    """Motion has become an event; its clip is open, unless its record says why not."""

    record: EventRecord


class EventClosed(Struct, frozen=True, tag=True):
    """An event is over, and its files are whole."""

    record: EventRecord


class SegmentOpened(Struct, frozen=True, tag=True):
    """A continuous segment has been begun."""

    record: SegmentRecord


class SegmentClosed(Struct, frozen=True, tag=True):
    """A continuous segment is whole."""

    record: SegmentRecord


class CameraLost(Struct, frozen=True, kw_only=True, tag=True):
    """A camera gives no pictures any more."""

    camera: str
    at: datetime
    why: str


class CameraFound(Struct, frozen=True, kw_only=True, tag=True):
    """A camera is back, after so many seconds."""

    camera: str
    at: datetime
    away: float


class Note(Struct, frozen=True, kw_only=True, tag=True):
    """A line for the log.

    Attributes
    ----------
    level : int
        As of `logging`.
    """

    camera: str
    at: datetime
    level: int
    text: str


class Trouble(Struct, frozen=True, kw_only=True, tag=True):
    """Something else than a camera is wrong, the disk for one, or is well again.

    Attributes
    ----------
    camera : str or None
        Whose recording suffers; None: that of all.
    why : str or None
        One line; None when it is over.
    """

    at: datetime
    why: str | None
    camera: str | None = None


View = Literal["picture", "overlay", "mask", "background"]
"""What can be seen of a camera: its picture, that with what moves drawn in, what moves alone, what was learned."""


class Shown(Struct, frozen=True, kw_only=True, tag=True):
    """A picture for somebody who looks, with what is private blacked out.

    It goes past the `Audience`, straight to who shows it.

    Attributes
    ----------
    view : str
        What it is.
    at : datetime
        Of the picture.
    jpeg : bytes
        The picture.
    """

    camera: str
    view: View
    at: datetime
    jpeg: bytes


FromCamera = (
    Status
    | EventOpened
    | EventClosed
    | SegmentOpened
    | SegmentClosed
    | CameraLost
    | CameraFound
    | Trouble
    | Note
    | Shown
)
"""What a camera's process sends."""


class Stop(Struct, frozen=True, tag=True):
    """End in order: close what is open, save the model."""


SHOWN_FOR = 10.0
"""Seconds for which pictures are sent after a `Show`."""


class Show(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody looks: send `Shown` for the next `SHOWN_FOR` seconds; it is sent again for as long as somebody does.

    Each replaces the one before; one without views ends it.

    Attributes
    ----------
    views : tuple of str
        What is looked at.
    per_second : float
        At most so many pictures of each.
    width : int
        Of the pictures, in pixels, at most.
    """

    views: tuple[View, ...]
    per_second: Annotated[float, Meta(gt=0, le=30)] = 5.0
    width: Annotated[int, Meta(ge=16, le=1920)] = 640


class Hold(Struct, frozen=True, tag=True):
    """Record nothing, and why; None: record again. What goes on is ended; events are told without clips.

    Sent where the keeper of recordings finds no room, or their share away, and where it finds them again.

    Attributes
    ----------
    why : str or None
        One line.
    away : bool
        The share is away: what is there in its place is another folder, into which nothing at all is written.
    """

    why: str | None = None
    away: bool = False


ToCamera = Stop | Show | Hold
"""What a camera's process is sent."""

_encoder = msgspec.msgpack.Encoder()
_from_camera = msgspec.msgpack.Decoder(FromCamera)
_to_camera = msgspec.msgpack.Decoder(ToCamera)


def encode(message: FromCamera | ToCamera) -> bytes:
    """Return a message as bytes."""
    return _encoder.encode(message)


def as_json(message: FromCamera) -> str:
    """Return a message as a line of JSON."""
    return msgspec.json.encode(message).decode()


def from_camera(data: bytes) -> FromCamera:
    """Return the message that a camera's process sent as these bytes."""
    return _from_camera.decode(data)


def to_camera(data: bytes) -> ToCamera:
    """Return the message that a camera's process was sent as these bytes."""
    return _to_camera.decode(data)
