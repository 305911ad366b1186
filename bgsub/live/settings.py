"""What is asked for: cameras, what is recorded of them and for how long, and who is told.

Times are in seconds, sizes in bytes, places in fractions of the picture from its upper left corner, so that they hold
for a camera's main stream and for its small one. How they are written in a file, and what a wrong one is told, stands
in `configuration`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Point = tuple[Share, Share]


class Zone(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A named part of the picture.

    Attributes
    ----------
    name : str
        As of `bgsub.motion.zones.Zone`.
    polygon : tuple of (float, float)
        Corners, as fractions of width and height; of a line two points or more.
    kind : {'watch', 'ignore', 'line', 'privacy'}
        The last is blacked out in all that is recorded and shown, and not looked at.
    loiter : float
        Seconds that something must be in a watched zone before its event is named by it.
    """

    name: str
    polygon: tuple[Point, ...]
    kind: Literal["watch", "ignore", "line", "privacy"] = "watch"
    loiter: Seconds = 0.0


class Camera(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One camera.

    Attributes
    ----------
    name : str
        1 to 64 letters, digits, ``-`` and ``_``.
    source : str
        Address of the stream that is recorded, number or device of a webcam, or a file.
    detect : str or None
        Address of a smaller stream of the same camera, that is looked at in its place.
    loop : bool
        A file is read at its own pace, again and again, as a camera would send it; for trials.
    record : {'events', 'continuous', 'both', 'none'}
        Clips of events; all, in segments, into which events point; both; nothing but events' data and pictures.
    before, after : float
        Seconds that a clip shows before and after its event.
    longest : float
        Seconds after which a clip ends and the next one goes on.
    merge : float
        Seconds: motion that follows so soon belongs to the same event.
    segment : float
        Seconds of a continuous segment.
    min_length : float
        Seconds: what moves for less is no event.
    sensitivity : float
        From 0.25 to 4: twice as much finds things of half the area.
    zones : tuple of Zone
        Parts of the picture.
    schedule : tuple of str
        When events are told and recorded, in the system's zone: ``"mon-fri 18:00-06:00"``; always if empty.
    draw : tuple of str
        ``boxes``, ``mask``: clips are encoded anew, with these drawn into them.
    method : str or None
        Background model; None is the default one.
    audio : bool
        Sound is recorded.
    """

    name: str
    source: str
    detect: str | None = None
    loop: bool = False
    record: Literal["events", "continuous", "both", "none"] = "events"
    before: Annotated[float, Meta(ge=0, le=300)] = 5.0
    after: Annotated[float, Meta(ge=0, le=300)] = 5.0
    longest: Annotated[float, Meta(ge=5, le=7200)] = 600.0
    merge: Annotated[float, Meta(ge=0, le=600)] = 4.0
    segment: Annotated[float, Meta(ge=5, le=7200)] = 300.0
    min_length: Annotated[float, Meta(ge=0, le=600)] = 0.4
    sensitivity: Annotated[float, Meta(ge=0.25, le=4)] = 1.0
    zones: tuple[Zone, ...] = ()
    schedule: tuple[str, ...] = ()
    draw: tuple[Literal["boxes", "mask"], ...] = ()
    method: str | None = None
    audio: bool = True

    @property
    def has_privacy(self) -> bool:
        """Whether parts of its picture are never recorded or shown, so that no packet is copied."""
        return any(zone.kind == "privacy" for zone in self.zones)


class Retention(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For how long recordings are kept: the oldest and least interesting go first.

    Attributes
    ----------
    max_age : float or None
        Seconds.
    max_size : int or None
        Bytes of all recordings.
    min_free : int
        Bytes that stay free on the disk.
    """

    max_age: Seconds | None = None
    max_size: Annotated[int, Meta(ge=1)] | None = None
    min_free: Annotated[int, Meta(ge=0)] = 2 * 1024**3


class Mqtt(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A broker that is told of events, with Home Assistant's discovery.

    Attributes
    ----------
    host, port : str, int
        The broker.
    username, password : str or None
        For it.
    tls : bool
        The connection is encrypted, the broker's certificate checked.
    topic : str
        What topics begin with.
    discovery : str or None
        Home Assistant's prefix; None announces nothing.
    """

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 1883
    username: str | None = None
    password: str | None = None
    tls: bool = False
    topic: str = "bgsub"
    discovery: str | None = "homeassistant"


class Webhook(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An address that gets JSON.

    Attributes
    ----------
    url : str
        ``http://`` or ``https://``.
    secret : str or None
        Signs timestamp, a dot, and body: HMAC-SHA256, in hexadecimal digits, in the header ``X-Bgsub-Signature`` after
        ``sha256=``.
    """

    url: str
    secret: str | None = None


Occasion = Literal["event_opened", "event_closed", "camera_lost", "camera_found", "trouble"]
"""What there is to tell."""


class Tell(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is told of events, and of cameras that are lost and found.

    Attributes
    ----------
    command : tuple of str
        A program and its arguments, each passed as it stands: ``{camera}``, ``{kind}``, ``{clip}`` ... are filled in
        where they are a whole argument or part of one; no shell reads them.
    webhook : tuple of Webhook
        Addresses.
    mqtt : Mqtt or None
        A broker.
    apprise : tuple of str
        Addresses of Apprise's services; needs ``bgsub[notify]``.
    on : tuple of str
        What is told: ``event_opened``, ``event_closed``, ``camera_lost``, ``camera_found``, ``trouble``.
    zones : tuple of str
        Only events that touched one of these are told; all if empty.
    pause : float
        Seconds in which people are told, through Apprise, of one event of a camera at most; the next one says how many
        there were.
    """

    command: tuple[str, ...] = ()
    webhook: tuple[Webhook, ...] = ()
    mqtt: Mqtt | None = None
    apprise: tuple[str, ...] = ()
    on: tuple[Occasion, ...] = ("event_opened", "event_closed", "camera_lost", "camera_found", "trouble")
    zones: tuple[str, ...] = ()
    pause: Annotated[float, Meta(ge=0, le=86400)] = 60.0


class Access(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody who may see the page.

    Attributes
    ----------
    name : str
        Who, as the log says it.
    hash : str
        Of a password, or of a token that a program sends as ``Authorization: Bearer ...``: what
        ``bgsub watch --hash-password`` prints.
    role : {'owner', 'viewer'}
        The second sees everything and changes nothing.
    """

    name: str
    hash: str
    role: Literal["owner", "viewer"] = "owner"


class Web(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The page to see the cameras on.

    Attributes
    ----------
    listen : str
        Host and port. Any host but this machine's own address demands somebody in `access`.
    access : tuple of Access
        Who may see it; where nobody is named, everybody on this machine.
    names : tuple of str
        Names of hosts under which it is reached, if they are others than this machine's.
    certificate, key : str or None
        Files for TLS, in PEM.
    """

    listen: str = "127.0.0.1:8080"
    access: Annotated[tuple[Access, ...], Meta(max_length=16)] = ()
    names: tuple[str, ...] = ()
    certificate: str | None = None
    key: str | None = None


class Watch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that is watched.

    Attributes
    ----------
    cameras : tuple of Camera
        Their names differ.
    directory : str
        Where recordings lie.
    state : str or None
        Where index and models lie; None is the user's state folder. Never on a network share.
    retention : Retention
        For how long recordings are kept.
    tell : Tell
        Who is told.
    fsync : bool
        What is recorded is on the disk after each second, for power cuts.
    listen : str or None
        Host and port of ``/metrics`` and ``/health``; None: they are not served.
    web : Web or None
        The page; None: there is none.
    """

    cameras: tuple[Camera, ...]
    directory: str = "recordings"
    state: str | None = None
    retention: Retention = Retention()
    tell: Tell = Tell()
    fsync: bool = True
    listen: str | None = "127.0.0.1:8099"
    web: Web | None = None
