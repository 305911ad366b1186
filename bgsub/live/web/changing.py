"""Settings that the page changes: zones, and how easily something is an event."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from bgsub.errors import BgsubError, ParameterError
from bgsub.live.configuration.checking import check
from bgsub.live.settings import Camera, Watch, Zone
from bgsub.live.web.file_editing import edited, read_text, write_configuration
from bgsub.live.web.questions import CameraChange, CameraSettings, Changed
from bgsub.live.web.routing import Call, Refused
from bgsub.live.web.station import Station

logger = logging.getLogger(__name__)

_changing = asyncio.Lock()


async def settings(station: Station, call: Call) -> CameraSettings:
    """Answer what is asked of a camera."""
    return _settings(_camera(station, call.place.camera))


async def change(station: Station, call: Call) -> Changed:
    """Change it, in the configuration file where there is one, and let its process begin again with that."""
    async with _changing:
        camera = _camera(station, call.place.camera)
        asked: CameraChange = call.body
        if asked.revision != _revision(camera):
            raise Refused(409, "somebody else has changed this camera meanwhile: load its settings again")
        changed = _changed(camera, asked)
        watch = _with(station.watch, changed)
        try:
            await asyncio.to_thread(check, watch)
        except ParameterError as error:
            raise Refused(400, str(error)) from None
        kept = station.configuration is not None and station.read_again is not None
        if station.configuration is not None and station.read_again is not None:
            watch = await asyncio.to_thread(_kept, station.configuration, changed, station.read_again)
        logger.info("%s changes camera %s", call.who.name if call.who else "somebody", camera.name)
        await station.apply(watch)
        return Changed(kept=kept, settings=_settings(_camera(station, camera.name)))


def _kept(path: Path, camera: Camera, read_again: Callable[[], Watch]) -> Watch:
    """Change the file, and return what it says then; where that does not do it is as it was."""
    try:
        before = read_text(path)
        write_configuration(path, edited(before, camera))
    except BgsubError as error:
        raise Refused(409, str(error)) from None
    try:
        return read_again()
    except BgsubError as error:
        write_configuration(path, before)
        raise Refused(409, f"the file could not be read again, and is as it was: {error}") from None


def _camera(station: Station, name: str) -> Camera:
    camera = station.camera(name)
    if camera is None:
        raise Refused(404, "there is no camera of this name")
    return camera


def _changed(camera: Camera, asked: CameraChange) -> Camera:
    values = {
        key: value for key in ("zones", "sensitivity", "min_length") if (value := getattr(asked, key)) is not None
    }
    if "zones" in values:
        values["zones"] = tuple(_rounded(zone) for zone in values["zones"])
    return msgspec.structs.replace(camera, **values)


def _rounded(zone: Zone) -> Zone:
    """Return a zone with corners as the file has them: a ten-thousandth is less than a pixel."""
    corners = tuple((round(x, 4), round(y, 4)) for x, y in zone.polygon)
    return msgspec.structs.replace(zone, polygon=corners)


def _with(watch: Watch, camera: Camera) -> Watch:
    cameras = tuple(camera if one.name == camera.name else one for one in watch.cameras)
    return msgspec.structs.replace(watch, cameras=cameras)


def _settings(camera: Camera) -> CameraSettings:
    return CameraSettings(
        name=camera.name,
        revision=_revision(camera),
        zones=camera.zones,
        sensitivity=camera.sensitivity,
        min_length=camera.min_length,
        record=camera.record,
    )


def _revision(camera: Camera) -> str:
    known = msgspec.json.encode([camera.zones, camera.sensitivity, camera.min_length])
    return hashlib.sha256(known).hexdigest()[:16]
