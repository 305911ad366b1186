"""What settings must be beyond their types: names that differ, zones that are shapes, addresses that are some."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from bgsub.background.methods import method_of
from bgsub.errors import ParameterError, SourceError
from bgsub.extras import require
from bgsub.live.configuration.passwords import read_hash
from bgsub.live.layout import CAMERA_NAME
from bgsub.live.places import from_home
from bgsub.live.schedule import parse_schedule
from bgsub.live.settings import Camera, Mqtt, Retention, Tell, Watch, Web, Zone
from bgsub.live.telling.mqtt import check_topics
from bgsub.live.telling.programs import check_command
from bgsub.video.addresses import why_no_camera
from bgsub.video.locating import is_device, locate

_MOST_CAMERAS = 256  # each is a process
_SHORTEST_AGE, _SMALLEST = 600.0, 10**6  # seconds; bytes
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def check(watch: Watch) -> None:
    """Raise ParameterError where settings do not do, with one line that says where."""
    if not watch.cameras:
        raise ParameterError("there is no camera: give at least one, [[cameras]] with a name and a source")
    if len(watch.cameras) > _MOST_CAMERAS:
        raise ParameterError(f"{len(watch.cameras)} cameras are too many: give at most {_MOST_CAMERAS}")
    _check_folders(watch)
    _check_retention(watch.retention)
    for number, camera in enumerate(watch.cameras):
        if not CAMERA_NAME.fullmatch(camera.name) or camera.name.lower() in _RESERVED:
            raise ParameterError(
                f"camera {number + 1}: name {camera.name[:64]!r} does not do: give 1 to 64 letters, digits, - and _"
            )
        try:
            _check_camera(camera)
        except ParameterError as error:
            raise ParameterError(f'camera "{camera.name}": {error}') from None
    _check_different("cameras", [camera.name for camera in watch.cameras])
    if watch.listen is not None:
        host_and_port(watch.listen)
    if watch.web is not None:
        try:
            _check_web(watch.web)
        except ParameterError as error:
            raise ParameterError(f"web: {error}") from None
    _check_tell(watch.tell)
    zones = {zone.name for camera in watch.cameras for zone in camera.zones}
    for name in watch.tell.zones:
        if name not in zones:
            raise ParameterError(f"tell, zones: no camera has a zone {name[:64]!r}: give one of {_listed(zones)}")


def _check_folders(watch: Watch) -> None:
    for key in ("directory", "state"):
        folder = getattr(watch, key)
        if folder is not None and not folder.strip():
            raise ParameterError(f"{key} is empty: name a folder")
    if watch.state is not None:
        state, directory = (from_home(name).absolute() for name in (watch.state, watch.directory))
        if state == directory:
            raise ParameterError("state and directory are the same folder: give the index a folder of its own")


def _check_retention(rules: Retention) -> None:
    """Refuse days written as seconds, and gigabytes as bytes: nearly all that was recorded would be removed."""
    age, size = rules.max_age, rules.max_size
    if age is not None and age < _SHORTEST_AGE:
        meant = f"{max(1, round(age))}d"
        raise ParameterError(f"retention, max_age: that is {age:g} seconds: write {meant} for days, or at least 10min")
    if size is not None and size < _SMALLEST:
        raise ParameterError(f"retention, max_size: that is {size} bytes: write {size}GB, or at least 1MB")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "those that cameras have, of which there are none"


def _check_camera(camera: Camera) -> None:
    for key, source in (("source", camera.source), ("detect", camera.detect)):
        if source is not None and not source.strip():
            raise ParameterError(f"{key} is empty: give an address, a webcam's number, or a file")
        located = None if source is None else locate(source)
        why = why_no_camera(located) if isinstance(located, str) else None
        if why is not None:
            raise ParameterError(f"{key}: {why}")
    if camera.loop and not isinstance(locate(camera.source), Path):
        raise ParameterError("loop is for files, and its source is none: leave it out")
    if camera.method is not None:
        method_of(camera.method)
    parse_schedule(camera.schedule)
    for zone in camera.zones:
        _check_zone(zone)
    _check_different("zones", [zone.name for zone in camera.zones])


def _check_zone(zone: Zone) -> None:
    """Raise ParameterError unless a zone is one of those that look at pictures, with corners as fractions."""
    from bgsub.motion.zones import Zone as PlacedZone  # where there are zones: it takes OpenCV

    kind = "ignore" if zone.kind == "privacy" else zone.kind
    PlacedZone(zone.name, (zone.polygon,), kind)
    if zone.loiter and zone.kind != "watch":
        raise ParameterError(f"zone {zone.name}: nothing loiters in one of kind {zone.kind}: leave out loiter")


def _check_different(what: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:  # folders of some systems know no capitals
            raise ParameterError(f"two {what} are called {name}: give each a name of its own")
        seen.add(name.lower())


def host_and_port(text: str) -> tuple[str, int]:
    """Return the host and the port of ``127.0.0.1:8099``, ``[::1]:8099`` or ``:8099``, which is this machine's.

    Raises
    ------
    ParameterError
        When it is none.
    """
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or int(port) > 65535 or "/" in host or " " in host:
        raise ParameterError(f"listen: {text[:64]!r} is no address: write 127.0.0.1:8099, or port 0 for a free one")
    return host or "127.0.0.1", int(port)


def _check_web(web: Web) -> None:
    host, _ = host_and_port(web.listen)
    if not web.access and not is_loopback(host):
        raise ParameterError(
            f"listen: others reach {web.listen}: name who may in [[web.access]], with a hash of bgsub watch "
            "--hash-password, or listen on 127.0.0.1"
        )
    for access in web.access:
        try:
            read_hash(access.hash)
        except ParameterError as error:
            raise ParameterError(f'access "{access.name[:64]}": {error}') from None
    _check_different("of access", [access.name for access in web.access])
    if (web.certificate is None) != (web.key is None):
        raise ParameterError("certificate and key belong together: give both, or neither")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine as only itself sees it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_tell(tell: Tell) -> None:
    for number, webhook in enumerate(tell.webhook):
        try:
            address = urllib.parse.urlsplit(webhook.url)
            good = address.scheme in ("http", "https") and bool(address.hostname)
        except ValueError:
            good = False
        if not good:
            raise ParameterError(f"tell, webhook {number + 1}: url is none: write http://host/path or https://...")
    if tell.command:
        check_command(tell.command)
    if tell.mqtt is not None:
        _check_mqtt(tell.mqtt)
    if tell.apprise:
        require("notify", "apprise, under tell,")


def _check_mqtt(mqtt: Mqtt) -> None:
    check_topics(mqtt)
    if not mqtt.host.strip():
        raise ParameterError("tell, mqtt: host is empty: give the broker's name or address")


def check_sources(watch: Watch) -> None:
    """Refuse what is on this machine and no camera, and cameras of which none can ever be opened.

    A file that is looped as one and away is tried again and again, if it is one of several, as a camera is.

    Raises
    ------
    ParameterError
        When a recording is to be watched once.
    SourceError
        When a source is no camera and not there, or none is.
    """
    looped = [path for camera in watch.cameras if camera.loop and isinstance(path := locate(camera.source), Path)]
    missing = [path for path in looped if not path.exists()]
    if len(missing) == len(watch.cameras):
        raise SourceError(f"cannot open {missing[0]}: no such file or folder; check the path")
    for camera in watch.cameras:
        for source in () if camera.loop else (camera.source, camera.detect):
            located = None if source is None else locate(source)
            if isinstance(located, Path) and not is_device(located):
                _refuse_file(camera.name, located)


def _refuse_file(camera: str, path: Path) -> None:
    """Say what to do where a path, which can be no camera, is given for one."""
    if path.is_file():
        raise ParameterError(
            f'camera "{camera}": {path.name} is a recording: give loop to play it as a camera would, again '
            "and again; bgsub scan finds what moves in recordings"
        )
    if path.exists():
        raise SourceError(f'camera "{camera}": {path} is no camera; give an address, rtsp://..., or a webcam\'s number')
    raise SourceError(
        f"cannot open {path}: no such file or folder; check the path, or, if it is an address, write rtsp:// before it"
    )
