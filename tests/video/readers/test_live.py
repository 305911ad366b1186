"""What comes at the pace of the world, and what only comes without a length."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import av
import numpy as np
import pytest
from av.container import InputContainer

from bgsub.errors import SourceError
from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from bgsub.video.readers import receiving
from bgsub.video.readers.demuxing import size_of
from tests.video.clips import smooth_pictures, write_clip
from tests.video.readers.senders import camera, chunked, paced, sized, until_closed

X264 = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"x264-params": "bframes=0"}}
Serve = Callable[..., str]


def recording(folder: Path, name: str = "x.ts", count: int = 150) -> bytes:
    options = {"codec": "libvpx", "pix_fmt": "yuv420p"} if name.endswith("webm") else X264
    kind = "h264" if name.endswith("264") else None
    images = list(itertools.islice(itertools.cycle(smooth_pictures(40)), count))
    return write_clip(folder / name, images, container_format=kind, gop=25, **options).read_bytes()


def pieces(data: bytes, size: int = 1316) -> list[bytes]:
    return [data[place : place + size] for place in range(0, len(data), size)]


def pictures_of(path: Path) -> list[bytes]:
    """The packets of a raw stream."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def read(url: str, *, first: float = 0.0, each: float = 0.0, **options: float) -> tuple[list[Frame], int, str]:
    """Read as a model does that takes `first` seconds for its first frame and `each` for the others."""
    frames: list[Frame] = []
    error = ""
    with open_source(url, **options) as source:  # type: ignore[arg-type]
        try:
            for frame in source:
                time.sleep(each if frames else first)
                frames.append(frame)
        except SourceError as broken:
            error = str(broken)
        return frames, source.dropped, error


@pytest.mark.parametrize(
    ("name", "way"),
    [("x.ts", "chunked"), ("x.ts", "closed"), ("x.ts", "sized"), ("x.webm", "chunked"), ("x.264", "closed")],
)
def test_a_recording_of_unknown_length_is_read_whole(tmp_path: Path, serve_http: Serve, name: str, way: str) -> None:
    data = recording(tmp_path, name)
    if way == "chunked":
        url = serve_http(chunked(pieces(data)), name=name)
    elif way == "closed":
        url = serve_http(until_closed(data), version="HTTP/1.0", name=name)
    else:
        url = serve_http(sized(data), name=name)
    frames, dropped, error = read(url, first=0.5, each=0.004)
    assert (len(frames), dropped, error) == (150, 0, "")
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(150)], abs=2e-3)
    with open_source(url) as source:
        assert not source.info.live


def test_a_short_recording_of_unknown_length_is_read_whole(tmp_path: Path, serve_http: Serve) -> None:
    url = serve_http(chunked(pieces(recording(tmp_path, count=30))))
    frames, dropped, error = read(url, first=0.7, each=0.06)
    assert (len(frames), dropped, error) == (30, 0, "")


@pytest.mark.slow
def test_a_recording_that_is_sent_slowly_is_read_whole(tmp_path: Path, serve_http: Serve) -> None:
    data = recording(tmp_path, count=50)
    parts = pieces(data)
    frames, dropped, error = read(serve_http(chunked(paced(parts, len(parts) / 4))))  # at half its pace
    assert (len(frames), dropped, error) == (50, 0, "")
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(50)])


def test_a_recording_that_ends_before_its_length_is_broken_off(tmp_path: Path, serve_http: Serve) -> None:
    data = recording(tmp_path)
    frames, _, error = read(serve_http(sized(data, cut=len(data) // 2)))
    assert 50 < len(frames) < 100
    assert "broke off after" in error


def test_a_recording_that_ends_before_its_duration_is_cut_off(
    tmp_path: Path, serve_http: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    data = recording(tmp_path, "x.webm")
    frames, _, _ = read(serve_http(chunked(pieces(data[: len(data) // 2]))))
    assert 30 < len(frames) < 120
    assert [record.getMessage() for record in caplog.records if "of 6.0 s: it is cut off" in record.getMessage()]


@pytest.mark.parametrize(("told", "size"), [(None, None), (-38, None), (0, None), (1, 1)])
def test_a_sender_that_tells_no_size_has_none(told: int | None, size: int | None) -> None:
    assert size_of(cast(InputContainer, SimpleNamespace(size=told))) == size  # as PyAV 19 does, and those before


@pytest.mark.parametrize("rate", [8, 50])
def test_a_camera_without_time_stamps_is_timed_by_the_world(serve_http: Serve, rate: int) -> None:
    count = 2 * rate
    frames, dropped, error = read(serve_http(camera(rate, count)))
    assert (len(frames), dropped) == (count, 0)
    assert "broke off after" in error
    assert "the sender closed it" in error
    assert frames[0].time == 0
    assert frames[-1].time == pytest.approx((count - 1) / rate, abs=0.3)
    assert np.median(np.diff([frame.time for frame in frames])) == pytest.approx(1 / rate, rel=0.25)


@pytest.mark.parametrize("count", [12, 80])
def test_pictures_that_a_server_sends_at_once_are_a_recording(serve_http: Serve, count: int) -> None:
    frames, dropped, error = read(serve_http(camera(1e6, count)), each=0.01)
    assert (len(frames), dropped, error) == (count, 0, "")
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(count)])


def test_a_short_recording_without_time_stamps(tmp_path: Path, serve_http: Serve) -> None:
    frames, dropped, error = read(serve_http(chunked(pieces(recording(tmp_path, "x.264", 12)))), each=0.01)
    assert (len(frames), dropped, error) == (12, 0, "")
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(12)])


def test_two_seconds_of_such_a_camera_are_two_seconds_of_the_world(serve_http: Serve) -> None:
    frames, _, error = read(serve_http(camera(8, 60)), duration=2)
    assert len(frames) == pytest.approx(16, abs=2)
    assert error == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.264", "x.hevc"])
def test_raw_video_of_a_camera_is_timed_by_the_world(tmp_path: Path, serve: Serve, name: str) -> None:
    hevc = {"codec": "libx265", "pix_fmt": "yuv420p", "options": {"x265-params": "bframes=0:log-level=none"}}
    options = hevc if name == "x.hevc" else X264
    path = tmp_path / name
    write_clip(path, smooth_pictures(40) * 2, container_format=name[2:].replace("264", "h264"), **options)
    frames, dropped, error = read(serve(paced(pictures_of(path), 10)))
    assert len(frames) == pytest.approx(80, abs=1)
    assert dropped == 0
    assert "the sender closed it" in error
    assert frames[-1].time == pytest.approx(7.9, abs=0.4)


def test_a_raw_file_has_the_rate_that_is_told(tmp_path: Path) -> None:
    recording(tmp_path, "x.264", 40)
    for fps, rate in ((None, 25), (10, 10)):
        with open_source(tmp_path / "x.264", fps=fps) as source:
            assert [frame.time for frame in source] == pytest.approx([index / rate for index in range(40)])


def live(folder: Path, count: int) -> list[bytes]:
    """A transport stream in as many parts as it has pictures."""
    data = recording(folder, count=count)
    return pieces(data, max(188, len(data) // count // 188 * 188))


@pytest.mark.slow
def test_a_live_stream_that_the_reader_keeps_up_with_loses_nothing(tmp_path: Path, serve_http: Serve) -> None:
    parts = live(tmp_path, 75)
    frames, dropped, error = read(serve_http(chunked(paced(parts, len(parts) / 3))), first=1.5)
    assert dropped == 0
    assert [frame.index for frame in frames] == list(range(75))
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(75)])
    assert "the sender closed it" in error


@pytest.mark.slow
def test_a_reader_that_is_too_slow_for_a_live_stream_loses_the_oldest(tmp_path: Path, serve_http: Serve) -> None:
    parts = live(tmp_path, 125)
    frames, dropped, _ = read(serve_http(chunked(paced(parts, len(parts) / 5))), each=0.12)
    assert dropped > 10
    assert len(frames) + dropped == 125
    assert frames[-1].index == 124
    assert [frame.time for frame in frames] == pytest.approx([frame.index / 25 for frame in frames])


@pytest.mark.slow
def test_a_reader_that_is_too_slow_for_a_camera_loses_the_oldest(serve_http: Serve) -> None:
    frames, dropped, _ = read(serve_http(camera(30, 120)), each=0.12)
    assert dropped > 10
    assert len(frames) + dropped == 120
    assert frames[-1].time == pytest.approx(119 / 30, abs=0.4)


def test_a_sender_that_is_faster_than_the_world_waits_for_its_reader(tmp_path: Path, serve: Serve) -> None:
    frames, dropped, _ = read(serve(pieces(recording(tmp_path))), each=0.005)
    assert (len(frames), dropped) == (150, 0)


def test_what_is_received_ahead_has_a_bound(tmp_path: Path, serve_http: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_MOST_PACKETS", 20)
    frames, dropped, error = read(serve_http(chunked(pieces(recording(tmp_path)))), first=0.5, each=0.01)
    assert (len(frames), dropped, error) == (150, 0, "")


def test_closing_does_not_wait_for_a_silent_sender(tmp_path: Path, serve: Serve) -> None:
    url = serve(recording(tmp_path, count=50), silent=True)
    with open_source(url, prefetch=0) as source:
        assert next(iter(source)).index == 0
    assert list(source) == []
