"""What requests ask and are answered: values, checked by their types before anything sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from bgsub.live.messages import EventRecord, SegmentRecord, State, View
from bgsub.live.settings import Zone

CameraName = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
Stamp = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$")]
Word = Annotated[str, Meta(max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(max_length=2000)]

# ------------------------------------------------------------------------------------------------------------ asked


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No question."""


class OfCamera(Struct, frozen=True, kw_only=True):
    """A camera in a path."""

    camera: CameraName


class OfEvent(Struct, frozen=True, kw_only=True):
    """An event, or a segment, in a path: the camera, and the stamp of its beginning."""

    camera: CameraName
    stamp: Stamp


class OfFile(Struct, frozen=True, kw_only=True):
    """A file of the page in a path."""

    name: Annotated[str, Meta(pattern="^[a-z_]{1,32}[.](js|css|svg)$")]


class EventsAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which events are wanted, the latest first.

    Attributes
    ----------
    camera, zone : str or None
        Only those of a camera; only those that touched a zone.
    start, end : datetime or None
        Only those that began from here on, and before there.
    min_length : float or None
        Seconds.
    unusual : float or None
        At least so unusual.
    before : str or None
        The page after this event, as `EventPage.next` says it.
    limit : int
        At most so many.
    """

    camera: CameraName | None = None
    zone: Word | None = None
    start: Moment | None = None
    end: Moment | None = None
    min_length: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    unusual: Annotated[float, Meta(ge=0, le=1)] | None = None
    before: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$")] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 24


class TimeAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stretch of time, and perhaps one camera."""

    start: Moment
    end: Moment
    camera: CameraName | None = None


class TimelineAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stretch of time, 32 days at most, and which events of it are drawn."""

    start: Moment
    end: Moment
    camera: CameraName | None = None
    zone: Word | None = None
    min_length: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    unusual: Annotated[float, Meta(ge=0, le=1)] | None = None


class FileAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a file is wanted: 1 offers it to be kept."""

    download: Literal["0", "1"] = "0"


class Login(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody wants in."""

    password: Annotated[str, Meta(max_length=1024)]


class CameraChange(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a camera's settings are to be.

    Attributes
    ----------
    revision : str
        As of `CameraSettings`: that which was changed. If somebody else was faster, nothing is done.
    zones : tuple of Zone or None
        All of them; None leaves them.
    sensitivity, min_length : float or None
        As of `bgsub.live.settings.Camera`; None leaves them.
    """

    revision: Annotated[str, Meta(max_length=128)]
    zones: Annotated[tuple[Zone, ...], Meta(max_length=64)] | None = None
    sensitivity: Annotated[float, Meta(ge=0.25, le=4)] | None = None
    min_length: Annotated[float, Meta(ge=0, le=600)] | None = None


# --------------------------------------------------------------------------------------------------------- answered


class Refusal(Struct, frozen=True):
    """Why something was not done, in one line."""

    error: str


class Session(Struct, frozen=True, kw_only=True):
    """Who asks; without a role nothing else is answered.

    Attributes
    ----------
    name : str or None
        As it is called in the configuration.
    role : {'viewer', 'owner'} or None
        What they may; the first changes nothing.
    needs_password : bool
        Not everybody may in.
    keeps : bool
        Changes of settings are kept in the configuration file; without one they hold until the program ends.
    version : str
        Of the program.
    """

    name: str | None
    role: Literal["viewer", "owner"] | None
    needs_password: bool
    keeps: bool
    version: str


class CameraState(Struct, frozen=True, kw_only=True):
    """How a camera is.

    Attributes
    ----------
    name : str
        Of the camera.
    state : str
        ``starting``, or as of `bgsub.live.messages.Status`, as what follows.
    events, outages : int
        Since the program began.
    last_event : datetime or None
        When the newest began.
    """

    name: str
    state: State | Literal["starting"]
    since: datetime | None = None
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
    events: int = 0
    outages: int = 0
    last_event: datetime | None = None


class Disk(Struct, frozen=True, kw_only=True):
    """Room: bytes of the recordings, free and in all on their disk, and how much is there."""

    recordings: int
    free: int
    total: int
    events: int
    segments: int


class Overview(Struct, frozen=True, kw_only=True):
    """All cameras, the disk, and what is wrong, a line each."""

    at: datetime
    cameras: tuple[CameraState, ...]
    disk: Disk | None
    wrong: dict[str, str]


class CameraSettings(Struct, frozen=True, kw_only=True):
    """What is asked of a camera, as far as the page can change it."""

    name: str
    revision: str
    zones: tuple[Zone, ...]
    sensitivity: float
    min_length: float
    record: str


class Changed(Struct, frozen=True, kw_only=True):
    """A change was made.

    Attributes
    ----------
    kept : bool
        It stands in the configuration file; else it holds until the program ends.
    settings : CameraSettings
        As they are now.
    """

    kept: bool
    settings: CameraSettings


class EventPage(Struct, frozen=True, kw_only=True):
    """Events, the latest first; `next` is what to ask `before` for more, None at the end."""

    events: list[EventRecord]
    next: str | None


class SegmentList(Struct, frozen=True, kw_only=True):
    """Continuous segments, the earliest first."""

    segments: list[SegmentRecord]


class Away(Struct, frozen=True, kw_only=True):
    """When a camera gave no pictures; of a time that lasts the end is None."""

    camera: str
    start: datetime
    end: datetime | None
    why: str


class AwayList(Struct, frozen=True, kw_only=True):
    """Outages, the latest first."""

    outages: list[Away]


class Graph(Struct, frozen=True, kw_only=True):
    """How much moved: `shares` of the picture, one a second, the last at `end`."""

    end: datetime
    shares: list[float]


class Amount(Struct, frozen=True, kw_only=True):
    """How many events began in a step, and seconds of motion in them."""

    start: datetime
    events: int
    seconds: float


class Amounts(Struct, frozen=True, kw_only=True):
    """A stretch of time in steps."""

    amounts: list[Amount]


# ------------------------------------------------------------------------------------------------- on the WebSocket


class Looking(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="looking"):
    """From the page: what it wants to see of which cameras; replaces what it said before."""

    views: Annotated[dict[CameraName, Annotated[tuple[View, ...], Meta(max_length=4)]], Meta(max_length=256)]
    per_second: Annotated[float, Meta(gt=0, le=15)] = 5.0
    width: Annotated[int, Meta(ge=16, le=1920)] = 640


class Drawn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="drawn"):
    """From the page: the bundle of pictures of this number has been drawn."""

    number: Annotated[int, Meta(ge=0)]


class News(Struct, frozen=True, kw_only=True, tag="news"):
    """To the page, each second: how cameras are, and events that opened or closed; a gap in `number` means more."""

    number: int
    at: datetime
    cameras: tuple[CameraState, ...]
    events: tuple[EventRecord, ...]
    wrong: dict[str, str]


class BundledPicture(Struct, frozen=True, kw_only=True):
    """A picture in a bundle, and its bytes."""

    camera: str
    view: View
    at: datetime
    size: int


class Bundle(Struct, frozen=True, kw_only=True, tag="bundle"):
    """To the page: four bytes with the length of this as JSON, this, and then the pictures, JPEG, one after another."""

    number: int
    pictures: tuple[BundledPicture, ...]
