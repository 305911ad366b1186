"""Choosing frames by time and index, and their size."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bgsub.errors import ParameterError, SourceError
from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from bgsub.video.readers import container
from bgsub.video.readers.packets import PacketSource, open_packets
from tests.video.clips import HEIGHT, WIDTH, pictures, smooth_pictures, write_clip

RATE = 10
COUNT = 80


@pytest.fixture(scope="module", params=["mpeg4.mp4", "b-frames.mp4", "mpeg4.avi", "ffv1.mkv", "varied.mp4", "images"])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of video, in several kinds of containers."""
    path = tmp_path_factory.mktemp("recording") / request.param
    images = smooth_pictures(COUNT // 2) + smooth_pictures(COUNT // 2)[::-1]
    if request.param == "images":
        path.mkdir()
        for number, image in enumerate(images):
            cv2.imwrite(str(path / f"in{number:06d}.png"), image)
    elif request.param == "b-frames.mp4":
        options = {"x264-params": "bframes=3:b-adapt=0:scenecut=0"}
        write_clip(path, images, codec="libx264", pix_fmt="yuv420p", options=options, rate=RATE)
    elif request.param == "varied.mp4":
        pts = [100 * index + 30 * (index % 3) for index in range(COUNT)]
        base = Fraction(1, 1000)
        write_clip(path, images, codec="mpeg4", pix_fmt="yuv420p", pts=pts, time_base=base, rate=RATE)
    else:
        codec = path.stem
        write_clip(path, images, codec=codec, pix_fmt="yuv420p", rate=RATE)
    return path


@pytest.fixture(scope="module")
def whole(recording: Path) -> list[Frame]:
    """All frames of the recording."""
    fps = RATE if recording.is_dir() else None
    with open_source(recording, fps=fps) as source:
        frames = list(source)
    assert len(frames) == COUNT
    return frames


@pytest.mark.parametrize(
    "options",
    [
        {"start": 0.35},
        {"start": 3.0},
        {"start": 4.0, "end": 4.5},
        {"start": 6.2, "duration": 0.7},
        {"start": 7.8},
        {"end": 0.5},
        {"end": 100.0},
        {"duration": 0.05},
        {"every": 7},
        {"start": 5.05, "end": 7.5, "every": 4},
    ],
)
def test_selected_frames_are_those_of_the_whole(recording: Path, whole: list[Frame], options: dict[str, float]) -> None:
    start = options.get("start", 0.0)
    end = options.get("end", start + options.get("duration", math.inf))
    every = int(options.get("every", 1))
    expected = [f for f in whole if start <= round(f.time, 6) < round(end, 6) and f.index % every == 0]
    with open_source(recording, fps=RATE if recording.is_dir() else None, **options) as source:
        frames = list(source)
        told = source.info.frame_count
    assert [(f.index, f.time) for f in frames] == [(f.index, f.time) for f in expected]
    for frame, original in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.image, original.image)
    assert told in (None, len(expected))
    if recording.name in ("images", "mpeg4.avi"):
        assert told == len(expected)


@pytest.mark.parametrize("enough", [0, 1.0, 2, 3, 5, 7, 30])
def test_of_frames_that_come_faster_than_is_enough_every_nth_is_delivered(
    recording: Path, whole: list[Frame], enough: float
) -> None:
    fps = RATE if recording.is_dir() else None
    with open_source(recording, fps=fps) as all_of_it:
        rate = all_of_it.info.fps
    with open_source(recording, fps=fps, enough=enough) as source:
        frames, info = list(source), source.info
    assert rate is not None
    assert info.fps is not None
    every = rate / info.fps
    assert [f.index for f in frames] == [f.index for f in whole if f.index % every == 0]
    if enough:
        assert info.fps >= min(enough, rate)
        assert rate / (every + 1) < enough
    else:
        assert every == 1


def test_enough_and_every_exclude_each_other(recording: Path) -> None:
    with pytest.raises(ParameterError, match="every=2 and enough=5 exclude each other"):
        open_source(recording, every=2, enough=5)
    with pytest.raises(ParameterError, match="enough=-1"):
        open_source(recording, enough=-1)


def test_a_late_start_does_not_decode_from_the_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "x.mp4", smooth_pictures(60), codec="mpeg4", pix_fmt="yuv420p", rate=RATE)
    opened = []

    def remembered(location: str, **options: Any) -> PacketSource:
        opened.append(open_packets(location, **options))
        return opened[-1]

    monkeypatch.setattr(container, "open_packets", remembered)
    with open_source(path, start=5.5, prefetch=0) as source:
        assert [frame.index for frame in source] == [55, 56, 57, 58, 59]
    assert 5 <= sum(packets.count for packets in opened) < 30


def test_reading_stops_at_the_end(tmp_path: Path) -> None:
    """What comes after the end is not even looked at: here it is of another size."""
    options = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container_format": "mjpeg"}
    first = write_clip(tmp_path / "a.mjpeg", smooth_pictures(10), **options)
    second = write_clip(tmp_path / "b.mjpeg", smooth_pictures(9, 64, 48), **options)
    joined = tmp_path / "joined.mjpeg"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with open_source(joined, fps=RATE, end=1.0) as source:
        assert len(list(source)) == 10


def test_sums_of_times_do_not_let_a_frame_in(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.avi", pictures(6), rate=10)
    with open_source(path, start=0.1, duration=0.2) as source:
        assert 0.1 + 0.2 > 0.3
        assert [frame.index for frame in source] == [1, 2]


def test_start_after_the_last_frame_is_an_error(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.avi", pictures(6), rate=10)
    folder = tmp_path / "images"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), pictures(1)[0])
    for name in (path, folder):
        for start in (2.0, 50.0):
            with (
                open_source(name, start=start) as source,
                pytest.raises(SourceError, match=f"start={start:g} s.* choose an earlier start"),
            ):
                list(source)


@pytest.mark.parametrize(
    ("scale", "size"),
    [(0.5, (16, 12)), (1, (32, 24)), (16, (16, 12)), (0.01, (1, 1)), (500, (32, 24)), (20, (20, 15))],
)
def test_scale_by_factor_or_width(tmp_path: Path, scale: float, size: tuple[int, int]) -> None:
    path = write_clip(tmp_path / "x.avi", pictures(2))
    with open_source(path, scale=scale) as source:
        assert (source.info.width, source.info.height) == size
        for frame in source:
            assert frame.image.shape == (size[1], size[0], 3)


def test_scaled_pixels_are_means_of_their_area(tmp_path: Path) -> None:
    images = pictures(2)
    with open_source(write_clip(tmp_path / "x.avi", images), scale=0.25) as source:
        for frame, image in zip(source, images, strict=True):
            blocks = image.reshape(HEIGHT // 4, 4, WIDTH // 4, 4, 3).astype(float)
            np.testing.assert_allclose(frame.image, blocks.mean(axis=(1, 3)), atol=0.5)


def test_info_tells_rate_and_length_of_what_is_delivered(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.avi", pictures(40), rate=10)
    with open_source(path, start=1, end=3, every=2) as source:
        assert source.info.fps == 5
        assert source.info.duration == pytest.approx(2)
        assert source.info.frame_count in (None, 10)
    with open_source(path, every=3) as source:
        assert source.info.frame_count == len(list(source)) == 14


@pytest.mark.parametrize(("scale", "size", "before"), [(None, (WIDTH, HEIGHT), None), (0.5, (16, 12), (WIDTH, HEIGHT))])
def test_the_size_before_scaling_is_kept(
    tmp_path: Path, scale: float | None, size: tuple[int, int], before: tuple[int, int] | None
) -> None:
    write_clip(tmp_path / "clip.mkv", pictures(3))
    (tmp_path / "shots").mkdir()
    cv2.imwrite(str(tmp_path / "shots" / "1.png"), pictures(1)[0])
    for name in ("clip.mkv", "shots"):
        with open_source(tmp_path / name, scale=scale) as source:
            assert ((source.info.width, source.info.height), source.info.source_size) == (size, before)
    with open_source(tmp_path / "clip.mkv", scale=1000) as source:  # narrower already
        assert source.info.source_size is None
