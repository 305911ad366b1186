"""A camera that is switched off, comes back with another size and codec, and freezes, under a running watch."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import av
import pytest

from bgsub.live.camera.loop import CameraLoop
from bgsub.live.messages import CameraFound, CameraLost, EventClosed, EventOpened, FromCamera, Status
from bgsub.live.settings import Camera, Retention, Watch
from bgsub.video.live.source import LiveSource
from bgsub.video.readers.reconnecting import Patience
from tests.rtsp import RtspServer, launch_line

pytestmark = [pytest.mark.slow, pytest.mark.needs_system]
Told = TypeVar("Told", bound=FromCamera)
PATIENCE_S = 60.0
IMPATIENT = Patience(silence=2.0, first_delay=0.2, longest_delay=0.4)
SLACK = timedelta(seconds=1.5)


class Heard:
    """What a camera has told."""

    def __init__(self) -> None:
        self.messages: list[FromCamera] = []
        self._changed = threading.Condition()

    def take(self, message: FromCamera) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def of(self, kind: type[Told]) -> list[Told]:
        return [message for message in self.messages if isinstance(message, kind)]

    def until(self, kind: type[Told], count: int = 1, also: Callable[[Told], bool] = lambda _: True) -> Told:
        """Wait for so many messages of a kind."""
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while len(found := [message for message in self.of(kind) if also(message)]) < count:
                assert self._changed.wait(deadline - time.monotonic()), f"{kind.__name__}: {self.of(Status)[-1:]}"
        return found[count - 1]


def shown(path: Path) -> tuple[tuple[int, int], str, float]:
    """Size, codec and seconds of a clip, all of which can be decoded."""
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context.name
        frames = [frame for frame in container.decode(video=0) if not frame.is_corrupt]
    return (frames[0].width, frames[0].height), codec, float(frames[-1].time)


def test_all_of_it_is_survived_and_times_stay_right(tmp_path: Path) -> None:
    heard, stop = Heard(), threading.Event()
    with RtspServer(launch_line(320, 240, rate=15)) as server:
        camera = Camera(name="yard", source=server.url, before=1, after=1, merge=1)
        watch = Watch(
            cameras=(camera,), directory=str(tmp_path / "kept"), state=str(tmp_path), retention=Retention(min_free=0)
        )
        live = functools.partial(LiveSource, patience=IMPATIENT)
        loop = CameraLoop(camera, watch, heard.take, open_source=live)
        thread = threading.Thread(target=loop.run, args=(stop,))
        thread.start()
        try:
            began = datetime.now(UTC)
            heard.until(EventOpened)
            server.kill()
            off = datetime.now(UTC)
            heard.until(CameraLost)
            server.start(launch_line(480, 320, rate=15, codec="h265", sound="alaw"))
            heard.until(CameraFound)
            on = datetime.now(UTC)
            heard.until(EventOpened, also=lambda message: message.record.start > off)
            server.stop()
            frozen = datetime.now(UTC)
            heard.until(CameraLost, 2)
            server.cont()
            heard.until(CameraFound, 2)
            heard.until(Status, also=lambda told: told.state == "live" and told.at > frozen + timedelta(seconds=5))
        finally:
            stop.set()
            thread.join(PATIENCE_S)
    assert not thread.is_alive()
    records = {message.record.id: message.record for message in heard.of(EventClosed)}
    assert {message.record.id for message in heard.of(EventOpened)} == set(records)
    first, *later = sorted(records.values(), key=lambda record: record.start)
    assert began - SLACK < first.start < off
    lengths = {}
    for record in records.values():
        changed = "the camera changed from 320x240 h264 with aac to 480x320 hevc with pcm_alaw"
        assert record.error == (changed if record.id == first.id else None)
        assert record.clip is not None
        assert record.clip_start is not None
        assert record.clip_end is not None
        size, codec, seconds = shown(tmp_path / "kept" / record.clip)
        lengths[record.id] = (size, codec)
        assert seconds == pytest.approx((record.clip_end - record.clip_start).total_seconds(), abs=1.0)
        assert record.clip_start <= record.start
    assert lengths[first.id] == ((320, 240), "h264")
    assert later
    assert all(lengths[record.id] == ((480, 320), "hevc") for record in later if record.start > on)
    for lost, at in zip(heard.of(CameraLost), (off, frozen + timedelta(seconds=2)), strict=True):
        assert at - SLACK < lost.at < at + timedelta(seconds=15)
    assert all(found.away > 0 for found in heard.of(CameraFound))
