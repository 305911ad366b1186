"""Cameras whose clock is set, drifts, stands still or is not believed: what is recorded has the times here."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from bgsub.video.live.clips import PacketClip
from bgsub.video.live.clock import SystemClock
from bgsub.video.live.connecting import Arrived
from bgsub.video.live.packets import Kept, Streams, Template
from bgsub.video.live.receiving import Reception
from tests.video.live.conftest import write_camera_file
from tests.video.live.test_looping import write_reordered
from tests.video.live.test_source import PATIENCE_S, finished, packets_of

pytestmark = pytest.mark.slow

Sent = tuple[av.Packet, bool, float]
"""A packet, whether it is one of pictures, and after how many seconds it comes."""


class Connection:
    """A camera that sends packets at their time."""

    shown, has_clock = "rtsp://host/x", True

    def __init__(self, streams: Streams, sent: Iterator[Sent]) -> None:
        self.streams, self._sent = streams, sent

    def __iter__(self) -> Iterator[Arrived]:
        began = time.monotonic()
        for packet, is_video, at in self._sent:
            time.sleep(max(0.0, began + at - time.monotonic()))
            yield Arrived(packet, is_video, began + at)

    def close(self) -> None:
        pass


def record(path: Path, streams: Streams, sent: Iterator[Sent], *, audio: bool = False) -> None:
    """Write a clip of all that a camera sends."""
    clip = PacketClip(path, streams, [], SystemClock(), fsync=False, audio=audio)
    Reception(Connection(streams, sent), SystemClock(), clip.take, None, PATIENCE_S, 1).receive(threading.Event())
    clip.close()
    finished(clip)


@pytest.mark.parametrize("step", [3600.0, -3600.0, None], ids=["ahead", "back", "standing still"])
def test_a_camera_whose_clock_is_set_while_it_is_recorded_leaves_a_clip_with_even_times(
    camera_file: Path, tmp_path: Path, step: float | None
) -> None:
    with av.open(str(camera_file)) as container:
        template = Template(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]

    def sent() -> Iterator[Sent]:
        for index, packet in enumerate(packets):
            seconds = 5000 + index / 25
            if index >= 25:
                seconds = 5001.0 if step is None else seconds + step
            packet.pts = packet.dts = round(seconds / template.time_base)
            yield packet, True, index / 25

    record(tmp_path / "x.mp4", Streams(template, None, Fraction(25)), sent())
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

    def sent() -> Iterator[Sent]:
        for is_video, at, packet in packets:
            set_at = 1.0 if is_video else 0.9
            packet.dts = packet.pts = round((5000 + at + step * (at >= set_at)) / packet.time_base)
            yield packet, is_video, at

    record(tmp_path / "x.mp4", streams, sent(), audio=True)
    for kind, least in (("video", 49), ("audio", 25)):
        times = [float(packet.pts * packet.time_base) for packet in packets_of(tmp_path / "x.mp4", kind)]
        assert len(times) >= least
        assert times[-1] == pytest.approx(1.96, abs=0.2)
        assert all(later - sooner < 0.15 for sooner, later in itertools.pairwise(times))


def test_pictures_that_are_reordered_stay_in_order_where_a_clock_is_not_believed(tmp_path: Path) -> None:
    with av.open(str(write_reordered(tmp_path / "x.mp4"))) as container:
        template = Template(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]

    def sent() -> Iterator[Sent]:
        for index, packet in enumerate(packets):
            jump = round((-1) ** index * 1000 / template.time_base)
            packet.dts, packet.pts = packet.dts + jump, packet.pts + jump
            yield packet, True, index / 25

    record(tmp_path / "y.mp4", Streams(template, None, Fraction(25)), sent())
    with av.open(str(tmp_path / "y.mp4")) as container:
        levels = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    assert len(levels) >= len(packets) - 1
    assert levels[12:] == sorted(levels[12:])
