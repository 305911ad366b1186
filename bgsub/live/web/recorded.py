"""Recorded files over HTTP: found by what the index says, opened through no link, sent in parts where asked for."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import stat
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bgsub.live.web.finding import find_event, find_segment
from bgsub.live.web.routing import Call, Refused
from bgsub.live.web.station import Station

logger = logging.getLogger(__name__)

_CHUNK = 256 * 1024  # bytes
_STUCK = 60.0  # seconds; who takes nothing for so long gets no more
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


_Read = Callable[..., Awaitable[bytes]]


class _Open(NamedTuple):
    descriptor: int
    size: int
    changed: int


class RecordedFile(Response):
    """A file as an answer, all of it or one part; read as it is sent, in threads, so that a slow disk holds nobody up.

    Parameters
    ----------
    read : callable
        Reads where that may take long, as `Station.read`.
    opened : tuple
        Its descriptor, which is closed when all is sent, size, and when it changed.
    media_type : str
        Its kind.
    name : str
        What it is called where it is kept.
    download : bool
        It is to be kept, not shown.
    """

    def __init__(self, read: _Read, opened: _Open, media_type: str, name: str, *, download: bool) -> None:
        super().__init__(media_type=media_type)
        self._read, self._opened = read, opened
        self._tag = f'"{opened.size:x}-{opened.changed:x}"'
        kind = "attachment" if download else "inline"
        self._about = {
            "content-type": media_type,
            "content-disposition": f'{kind}; filename="{name}"',
            "accept-ranges": "bytes",
            "cache-control": "private, no-cache",
            "etag": self._tag,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await self._send(scope, send)
        except TimeoutError:
            logger.info("a recording was not taken to its end")  # the server closes the connection
        finally:
            os.close(self._opened.descriptor)

    async def _send(self, scope: Scope, send: Send) -> None:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        size = self._opened.size
        status, part = 200, range(size)
        about = dict(self._about)
        if headers.get("if-none-match") == self._tag:
            status, part = 304, range(0)
        elif "range" in headers and headers.get("if-range", self._tag) == self._tag:
            found = asked_part(headers["range"], size)
            if found is not None:
                status, part = (206, found) if len(found) else (416, range(0))
                about["content-range"] = f"bytes {part[0]}-{part[-1]}/{size}" if len(part) else f"bytes */{size}"
        if status != 304:
            about["content-length"] = str(len(part))
        raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in about.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        at, end = (part.start, part.stop) if scope["method"] != "HEAD" else (0, 0)
        while at < end:
            data = await self._read(_read, self._opened.descriptor, min(_CHUNK, end - at), at)
            if not data:  # it was cut while it was read
                break
            at += len(data)
            async with asyncio.timeout(_STUCK):
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def asked_part(text: str, size: int) -> range | None:
    """Return the part of a file that a header ``Range`` asks for: empty where there is none; None asks for all.

    Several parts at once are not sent: all is, as the standard allows.

    Examples
    --------
    >>> asked_part("bytes=2-", 10), asked_part("bytes=-3", 10), asked_part("bytes=0-1,4-5", 10)
    (range(2, 10), range(7, 10), None)
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return range(max(0, size - int(found[2])), size)
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return None
    return range(first, last + 1) if first <= last else range(0)


def _read(descriptor: int, n_bytes: int, at: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, n_bytes, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, n_bytes)


def _opened(station: Station, name: str) -> _Open:
    """Open a recorded file by its name in a record; nothing but a file, and through no link."""
    path = station.path(name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        raise Refused(404, "this file is not there any more, or its disk is away") from None
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise Refused(404, "this is no file")
    return _Open(descriptor, about.st_size, about.st_mtime_ns)


async def _sent(station: Station, call: Call, name: str | None, media_type: str, what: str) -> Response:
    if name is None:
        raise Refused(404, f"this event has no {what}")
    opened = await station.read(_opened, station, name)
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", f"{name.split('/')[0]}-{name.rpartition('/')[2]}")
    download = getattr(call.query, "download", "0") == "1"
    return RecordedFile(station.read, opened, media_type, plain, download=download)


async def clip(station: Station, call: Call) -> Response:
    """Answer with an event's clip."""
    return await _sent(station, call, (await find_event(station, call.place)).clip, "video/mp4", "clip")


async def thumbnail(station: Station, call: Call) -> Response:
    """Answer with an event's picture."""
    return await _sent(station, call, (await find_event(station, call.place)).thumbnail, "image/jpeg", "picture")


async def tracks(station: Station, call: Call) -> Response:
    """Answer with the places of what moved in an event."""
    return await _sent(
        station, call, (await find_event(station, call.place)).tracks, "text/csv; charset=utf-8", "tracks"
    )


async def segment(station: Station, call: Call) -> Response:
    """Answer with a continuous segment."""
    return await _sent(station, call, (await find_segment(station, call.place)).path, "video/mp4", "segment")
