"""Cameras that send no packets that MP4 takes: MJPEG over HTTP, and webcams; and one that changes without a word."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.live import address
from bgsub.video.live.clock import SystemClock
from bgsub.video.live.connecting import Arrived
from bgsub.video.live.packets import Streams, Template
from bgsub.video.live.receiving import Reception
from bgsub.video.live.source import LiveSource
from bgsub.video.readers.reconnecting import Patience
from tests.video.live.conftest import write_camera_file
from tests.video.live.test_source import PATIENCE_S, finished, for_seconds, looked_at
from tests.video.readers.senders import camera, sized

pytestmark = pytest.mark.slow


@pytest.fixture
def mjpeg() -> Iterator[str]:
    """Address of a camera that sends ten pictures a second without a clock."""
    answer = camera(10, 10_000)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://user:secret@127.0.0.1:{server.server_port}/x"
    server.shutdown()
    server.server_close()


def test_an_address_of_one_picture_is_told_from_a_recording() -> None:
    """As snapshots of cameras are."""
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sized(picture)(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with LiveSource(f"http://127.0.0.1:{server.server_port}/snapshot.jpg") as source:
            deadline = time.monotonic() + PATIENCE_S
            while source.state != "lost" and time.monotonic() < deadline:
                time.sleep(0.02)
            assert source.why is not None
            assert source.why.endswith("it is one picture; give the address of the camera's stream")
    finally:
        server.shutdown()
        server.server_close()


class Webcam:
    """What OpenCV opens in place of a webcam: 20 pictures a second."""

    def __init__(self, *_: object) -> None:
        self._count = 0

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray]:
        time.sleep(0.05)
        self._count += 1
        return True, np.full((48, 64, 3), 50 + self._count % 100, np.uint8)

    def get(self, _: int) -> float:
        return 20.0

    def set(self, *_: object) -> bool:
        return True

    def release(self) -> None:
        pass


def recorded(source: LiveSource, path: Path) -> list[av.VideoFrame]:
    """Pictures of a clip of about two seconds, which is H.264 whatever came."""
    since = looked_at(source, for_seconds(1.5))[-1].time
    clip = source.open_clip(path, since - 1.0)
    clip.close(until=looked_at(source, for_seconds(1.0))[-1].time)
    finished(clip)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        return list(container.decode(video=0))


def test_pictures_without_a_clock_are_timed_by_their_arrival_and_recorded(mjpeg: str, tmp_path: Path) -> None:
    with LiveSource(mjpeg, enough=12) as source:
        assert source.shown == mjpeg.replace("user:secret@", "")
        frames = recorded(source, tmp_path / "x.mp4")
    assert len(frames) >= 15
    assert float(frames[-1].time) == pytest.approx((len(frames) - 1) / 10, rel=0.2)
    assert_finely_timed(frames)


def test_a_webcam_is_looked_at_and_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Webcam)
    with LiveSource(0, enough=12, shrink=2) as source:
        frames = recorded(source, tmp_path / "x.mp4")
        assert source.info is not None
        assert (source.info.width, source.info.height, source.info.source_size) == (32, 24, (64, 48))
    assert len(frames) >= 25
    seen = [float(frame.to_ndarray(format="gray").mean()) for frame in frames]
    assert len({round(value) for value in seen}) > 10
    assert float(frames[-1].time) == pytest.approx((len(frames) - 1) / 20, rel=0.3)
    assert_finely_timed(frames)


def assert_finely_timed(frames: list[av.VideoFrame]) -> None:
    """Arrivals lie where they lie, not in steps of the 25 pictures a second that FFmpeg takes for granted."""
    parts = [float(frame.time) * 25 % 1 for frame in frames]
    assert any(0.02 < part < 0.98 for part in parts)


def test_a_webcam_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Webcam):
        def isOpened(self) -> bool:
            return False

    monkeypatch.setattr(cv2, "VideoCapture", Gone)
    with LiveSource(3, patience=Patience(first_delay=0.1, longest_delay=0.1)) as source:
        deadline = time.monotonic() + PATIENCE_S
        while source.state != "lost" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert source.why is not None
        assert source.why.startswith("cannot open camera 3: no such camera, check that it is plugged in")


def test_a_camera_that_changes_its_size_without_a_word_is_connected_anew(tmp_path: Path) -> None:
    """In one connection, as where somebody changes its settings."""
    files = [write_camera_file(tmp_path / f"{w}.mp4", sound=None, width=w, height=64) for w in (96, 128)]
    packets, templates = [], []
    for file in files:
        with av.open(str(file)) as container:
            templates.append(Template(container.streams.video[0]))
            annex_b = av.BitStreamFilterContext("h264_mp4toannexb", container.streams.video[0])
            packets += [p for packet in container.demux(video=0) for p in annex_b.filter(packet) if p.size]

    class Connection:
        streams, shown, has_clock = Streams(templates[0], None, Fraction(25)), "rtsp://host/x", True

        def __iter__(self) -> Iterator[Arrived]:
            for index, packet in enumerate(packets * 4):
                packet.pts = packet.dts = round(index / 25 / templates[0].time_base)
                time.sleep(0.03)
                yield Arrived(packet, True, time.monotonic())

        def close(self) -> None:
            pass

    sizes: list[tuple[int, int]] = []
    reception = Reception(
        Connection(),
        SystemClock(),
        keep=lambda kept: None,
        deliver=lambda decoded: sizes.append((decoded.picture.width, decoded.picture.height)),
        silence=PATIENCE_S,
        threads=1,
    )
    with pytest.raises(SourceError, match="rtsp://host/x changed its pictures from 96x64 to 128x64"):
        reception.receive(threading.Event())
    reception.close()
    assert set(sizes) == {(96, 64)}


def test_a_short_look_that_does_not_tell_the_size_is_followed_by_a_long_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of cameras that send their parameters with key frames alone."""
    looks: list[bool] = []

    def opened(url: str, *, timeout: float, quick: bool = False) -> object:
        looks.append(quick)
        context = SimpleNamespace(width=0 if quick else 640)
        return SimpleNamespace(stream=SimpleNamespace(codec_context=context), close=lambda: None)

    monkeypatch.setattr(address, "open_input", opened)
    url = "rtsp://127.0.0.1/x"
    place = address.Address(url, loop=False, audio=True, timeout=PATIENCE_S)
    place._reached(url).close()
    place._reached(url).close()
    assert looks == [True, False, False]
