"""Cameras that send no packets that MP4 takes: MJPEG over HTTP, and webcams; and one that changes without a word."""

from __future__ import annotations

import itertools
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
from bgsub.video.live.clips import PacketClip
from bgsub.video.live.clock import SystemClock
from bgsub.video.live.connecting import Arrived
from bgsub.video.live.packets import Kept, Streams, Template
from bgsub.video.live.receiving import Reception
from bgsub.video.live.source import LiveSource
from bgsub.video.readers.reconnecting import Patience
from tests.video.live.conftest import write_camera_file
from tests.video.live.test_looping import write_reordered
from tests.video.live.test_source import PATIENCE_S, finished, for_seconds, looked_at, packets_of
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


@pytest.mark.parametrize("step", [3600.0, -3600.0, None], ids=["ahead", "back", "standing still"])
def test_a_camera_whose_clock_is_set_while_it_is_recorded_leaves_a_clip_with_even_times(
    camera_file: Path, tmp_path: Path, step: float | None
) -> None:
    with av.open(str(camera_file)) as container:
        template = Template(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]
    streams = Streams(template, None, Fraction(25))

    class Connection:
        shown, has_clock = "rtsp://host/x", True

        def __init__(self) -> None:
            self.streams = streams

        def __iter__(self) -> Iterator[Arrived]:
            began = time.monotonic()
            for index, packet in enumerate(packets):
                seconds = 5000 + index / 25
                if index >= 25:
                    seconds = 5001.0 if step is None else seconds + step
                packet.pts = packet.dts = round(seconds / template.time_base)
                time.sleep(max(0.0, began + index / 25 - time.monotonic()))
                yield Arrived(packet, True, began + index / 25)

        def close(self) -> None:
            pass

    clip = PacketClip(tmp_path / "x.mp4", streams, [], SystemClock(), fsync=False, audio=False)
    reception = Reception(Connection(), SystemClock(), clip.take, None, PATIENCE_S, 1)
    reception.receive(threading.Event())
    clip.close()
    finished(clip)
    with av.open(str(tmp_path / "x.mp4")) as container:
        times = [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.size]
    if step is None:  # until it is noticed, what has one time is taken for one picture
        assert times[-1] == pytest.approx(1.9, abs=0.15)
    else:
        assert len(times) >= len(packets) - 1
        assert times == pytest.approx([index / 25 for index in range(len(times))], abs=0.05)


@pytest.mark.parametrize("painted", [False, True], ids=["copied", "painted"])
def test_a_clip_goes_on_at_the_time_here_where_a_clock_that_has_drifted_for_weeks_is_another_one(
    tmp_path: Path, painted: bool
) -> None:
    """As after a reconnect, or where it is not believed any more; with pictures that the decoder still holds."""
    path = write_camera_file(tmp_path / "camera.mp4", sound=None)
    with av.open(str(path)) as container:
        template = Template(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]
    streams = Streams(template, None, Fraction(25))
    clip = PacketClip(
        tmp_path / "x.mp4",
        streams,
        [],
        SystemClock(),
        fsync=False,
        audio=False,
        paint=(lambda image, _: image) if painted else None,
    )
    for index, packet in enumerate(packets):
        time_here = 1e6 + index / 25 + 3.0 * (index >= 20)  # it was away for three seconds
        zero, seconds = (5.0, 1e6 - 5.0 + index / 25 + 90.0) if index < 20 else (time_here - 7.0 - index / 25, 0.0)
        stamp = round((seconds or 7.0 + index / 25) / template.time_base)
        assert clip.take(Kept(bytes(packet), True, packet.is_keyframe, stamp, stamp, 0, zero, time_here))
    clip.close()
    finished(clip)
    with av.open(str(tmp_path / "x.mp4")) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    assert times == pytest.approx([index / 25 + 3.0 * (index >= 20) for index in range(len(packets))], abs=1e-3)


@pytest.mark.parametrize("step", [1e4, -400.0])
def test_sound_of_a_camera_whose_clock_is_set_goes_on_in_step(camera_file: Path, tmp_path: Path, step: float) -> None:
    """Its sound tells the new time before its pictures do."""
    with av.open(str(camera_file)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        streams = Streams(Template(video), Template(sound), Fraction(25))
        read = [
            (p.stream.type == "video", float(p.dts * p.time_base), p) for p in container.demux(video, sound) if p.size
        ]
        packets = sorted(read, key=lambda one: one[1])

    class Connection:
        shown, has_clock = "rtsp://host/x", True

        def __init__(self) -> None:
            self.streams = streams

        def __iter__(self) -> Iterator[Arrived]:
            began = time.monotonic()
            for is_video, at, packet in packets:
                set_at = 1.0 if is_video else 0.9
                packet.dts = packet.pts = round((5000 + at + step * (at >= set_at)) / packet.time_base)
                time.sleep(max(0.0, began + at - time.monotonic()))
                yield Arrived(packet, is_video, began + at)

        def close(self) -> None:
            pass

    clip = PacketClip(tmp_path / "x.mp4", streams, [], SystemClock(), fsync=False, audio=True)
    reception = Reception(Connection(), SystemClock(), clip.take, None, PATIENCE_S, 1)
    reception.receive(threading.Event())
    clip.close()
    finished(clip)
    for kind, least in (("video", 49), ("audio", 25)):
        times = [float(packet.pts * packet.time_base) for packet in packets_of(tmp_path / "x.mp4", kind)]
        assert len(times) >= least
        assert times[-1] == pytest.approx(1.96, abs=0.2)
        assert all(later - sooner < 0.15 for sooner, later in itertools.pairwise(times))


def test_pictures_that_are_reordered_stay_in_order_where_a_clock_is_not_believed(tmp_path: Path) -> None:
    with av.open(str(write_reordered(tmp_path / "x.mp4"))) as container:
        template = Template(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]
    streams = Streams(template, None, Fraction(25))

    class Connection:
        shown, has_clock = "rtsp://host/x", True

        def __init__(self) -> None:
            self.streams = streams

        def __iter__(self) -> Iterator[Arrived]:
            began = time.monotonic()
            for index, packet in enumerate(packets):
                jump = round((-1) ** index * 1000 / template.time_base)
                packet.dts, packet.pts = packet.dts + jump, packet.pts + jump
                time.sleep(max(0.0, began + index / 25 - time.monotonic()))
                yield Arrived(packet, True, began + index / 25)

        def close(self) -> None:
            pass

    clip = PacketClip(tmp_path / "y.mp4", streams, [], SystemClock(), fsync=False, audio=False)
    reception = Reception(Connection(), SystemClock(), clip.take, None, PATIENCE_S, 1)
    reception.receive(threading.Event())
    clip.close()
    finished(clip)
    with av.open(str(tmp_path / "y.mp4")) as container:
        levels = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    assert len(levels) >= len(packets) - 1
    assert levels[12:] == sorted(levels[12:])
