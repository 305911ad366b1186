"""A page served in a thread, of cameras that are played by the test."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.client
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import msgspec

from bgsub.live.archive.index import Index
from bgsub.live.archive.recordings import path_of
from bgsub.live.clock import Clock
from bgsub.live.configuration.reading import read_configuration
from bgsub.live.health.state import Health
from bgsub.live.layout import event_id, stamp
from bgsub.live.messages import EventClosed, EventRecord, SegmentClosed, SegmentRecord, Shown, Status
from bgsub.live.settings import Camera, Watch, Web, Zone
from bgsub.live.web.page_server import PageServer
from bgsub.live.web.station import Station

BEGAN = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
GATE = Zone(name="gate", polygon=((0.1, 0.1), (0.5, 0.1), (0.5, 0.9)))
CAMERAS = (Camera(name="yard", source="rtsp://u:secret@yard/main", zones=(GATE,)), Camera(name="door", source="0"))


def cheap(password):
    """Return a hash of a password as settings have it, that takes no time."""
    salt = b"sixteen bytes ok"
    key = hashlib.scrypt(password.encode(), salt=salt, n=16, r=1, p=1, dklen=32)
    return "scrypt$n=16,r=1,p=1$" + "$".join(base64.b64encode(part).decode() for part in (salt, key))


class SteppedClock(Clock):
    """A clock whose time that never steps can be moved on."""

    def __init__(self):
        self.ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead


class Served:
    """A page, its station, and requests to it."""

    def __init__(self, folder: Path, web: Web = Web(listen="127.0.0.1:0"), configuration: Path | None = None):  # noqa: B008
        self.folder, self.clock, self.sent = folder, SteppedClock(), []
        read = None if configuration is None else (lambda: read_configuration(configuration).watch)
        watch = Watch(cameras=CAMERAS, directory=str(folder / "recordings"), web=web) if read is None else read()
        (folder / "recordings").mkdir(exist_ok=True)
        self.index = Index(folder / "index.sqlite", self.clock)
        self.health = Health(self.clock)
        self.health.watch(tuple(camera.name for camera in watch.cameras))
        self.station = Station(
            watch=watch,
            health=self.health,
            index=self.index,
            path=lambda name: path_of(folder / "recordings", name),
            send=lambda camera, message: self.sent.append((camera, message)) or True,
            apply=self._apply,
            metrics=lambda: b"bgsub_well 1\n",
            configuration=configuration,
            read_again=read,
            clock=self.clock,
        )
        self.server = PageServer(web, self.station)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.address = self.call(self.server.start())
        self.host, self.port = self.address.split("//")[1].strip("/").rsplit(":", 1)
        self.port = int(self.port)

    async def _apply(self, watch):
        self.station.watch = watch

    def call(self, work):
        """Run something in the server's event loop, and return what it does."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def note(self, *messages):
        """Let cameras say something."""

        async def say(message):
            self.health.note(message)
            self.server.note(message)

        for message in messages:
            if isinstance(message, Shown):
                self.server.viewing.show(message)  # in this thread, as in that which hears a camera
            else:
                self.call(say(message))

    def request(self, method, path, body=None, headers=None, *, raw=False, host=None):
        """Ask; return status, headers and what came, decoded if it is JSON."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        about = {"X-Bgsub": "1"} if method not in ("GET", "HEAD") else {}
        about |= {"Content-Type": "application/json"} if body is not None else {}
        about |= {"Host": host} if host is not None else {}
        data = body if isinstance(body, (bytes, type(None))) else msgspec.json.encode(body)
        about |= headers or {}
        connection.request(method, path, data, {key: value for key, value in about.items() if value is not None})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if not raw and answer.getheader("content-type", "").startswith("application/json") and content:
            content = json.loads(content)
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=content)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def close(self):
        self.call(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.station.close()

    # ------------------------------------------------------------------------------------------------ what there is

    def event(self, camera="yard", seconds=0.0, length=4.0, *, clip=b"clip", **values):
        """Put down an event that is over, with its files."""
        start = BEGAN + timedelta(seconds=seconds)
        name = f"{camera}/{start:%Y-%m-%d}/{stamp(start)}"
        (self.folder / "recordings" / name).parent.mkdir(parents=True, exist_ok=True)
        files = {}
        if clip is not None:
            files = {"clip": f"{name}.mp4", "thumbnail": f"{name}.jpg", "tracks": f"{name}.tracks.csv"}
            for file in files.values():
                (self.folder / "recordings" / file).write_bytes(clip)
        record = EventRecord(
            id=event_id(camera, start), camera=camera, start=start, end=start + timedelta(seconds=length),
            **{**files, **values},
        )  # fmt: skip
        self.index.take(EventClosed(record))
        return record

    def segment(self, camera="yard", seconds=0.0, content=b"segment"):
        """Put down a continuous segment with its file."""
        start = BEGAN + timedelta(seconds=seconds)
        path = f"{camera}/{start:%Y-%m-%d}/{stamp(start)}.segment.mp4"
        (self.folder / "recordings" / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / "recordings" / path).write_bytes(content)
        record = SegmentRecord(camera=camera, path=path, start=start, end=start + timedelta(seconds=300))
        self.index.take(SegmentClosed(record))
        return record


def status(camera="yard", **values):
    values = {"state": "live", "since": BEGAN, "frames": 10, **values}
    return Status(camera=camera, at=BEGAN, **values)
