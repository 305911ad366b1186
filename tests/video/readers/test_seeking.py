"""A late start gives the frames of a full read: the same indices, times and pictures."""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from bgsub.video.readers import container, seeking
from tests.video.clips import packet_places, write_clip

RATE, COUNT, GOP = 10, 120, 15
X264 = {"codec": "libx264", "pix_fmt": "yuv420p"}
CLOSED = X264 | {"options": {"x264-params": "bframes=3:b-adapt=0:scenecut=0"}}
OPEN = X264 | {"options": {"x264-params": "bframes=3:b-adapt=0:scenecut=0:open-gop=1:b-pyramid=2"}}
HEVC = {"codec": "libx265", "pix_fmt": "yuv420p", "options": {"x265-params": "bframes=3:open-gop=1:log-level=none"}}
PLAIN = {"codec": "mpeg4", "pix_fmt": "yuv420p"}
MPEG2 = {"codec": "mpeg2video", "pix_fmt": "yuv420p", "rate": 25}
VP8 = {"codec": "libvpx", "pix_fmt": "yuv420p", "options": {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k"}}
VP9 = {
    "codec": "libvpx-vp9",
    "pix_fmt": "yuv420p",
    "options": {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"},
}
AV1 = {"codec": "libsvtav1", "pix_fmt": "yuv420p", "options": {"preset": "12", "svtav1-params": "lookahead=8"}}
KINDS: dict[str, dict[str, Any]] = {
    "closed.mp4": CLOSED, "closed.mkv": CLOSED, "closed.ts": CLOSED, "closed.flv": CLOSED, "closed.mov": CLOSED,
    "open.mp4": OPEN, "open.mkv": OPEN, "open.ts": OPEN,
    "hevc.mp4": HEVC, "hevc.mkv": HEVC, "hevc.ts": HEVC,
    "plain.avi": PLAIN, "plain.mp4": PLAIN, "plain.mkv": PLAIN,
    "program.mpg": MPEG2, "transport.ts": MPEG2, "mpeg2.avi": MPEG2,
    "vp8.webm": VP8, "vp9.webm": VP9, "vp8.mkv": VP8,
    "av1.mp4": AV1, "av1.mkv": AV1,
    "intra.mkv": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
}  # fmt: skip
UNEVEN = [*range(0, 2000, 100), *range(2000, 8000, 250), 9000, 9001, *range(9500, 13_000, 47)]


def moving(count: int) -> list[np.ndarray]:
    """A bright box that moves over noise: every picture different, and B-frames worth having."""
    ground = np.random.default_rng(0).integers(60, 120, (48, 64, 3), np.uint8)
    images = []
    for index in range(count):
        image = ground.copy()
        left = index % 52
        image[8 + index % 20 : 24 + index % 20, left : left + 12] = (250, 40, 2 * index % 250)
        images.append(image)
    return images


@functools.cache
def made(folder: Path, name: str) -> tuple[Path, list[Frame]]:
    path = folder / name
    if name.startswith("uneven"):
        options = (
            PLAIN | {"time_base": Fraction(1, 1000)}
            if name.endswith("avi")
            else CLOSED | {"time_base": Fraction(1, 1000)}
        )
        write_clip(path, moving(len(UNEVEN)), pts=UNEVEN, gop=GOP, **options)
    else:
        write_clip(path, moving(COUNT), gop=GOP, **({"rate": RATE} | KINDS[name]))
    with open_source(path, prefetch=0) as source:
        return path, list(source)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


def frames_from(path: Path, **options: Any) -> list[Frame]:
    with open_source(path, prefetch=0, **options) as source:
        return list(source)


def assert_same(frames: list[Frame], expected: list[Frame]) -> None:
    assert [(frame.index, frame.time) for frame in frames] == [(frame.index, frame.time) for frame in expected]
    for frame, original in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.image, original.image)


@pytest.mark.parametrize("name", [*KINDS, "uneven.mp4", "uneven.mkv", "uneven.ts"])
def test_frames_are_those_of_a_full_read(folder: Path, name: str) -> None:
    path, whole = made(folder, name)
    last = whole[-1].time
    for start in (3.0, 3.05, 3.1499, 4.5, last / 2 + 1.3, last - 0.3, last - 0.01):
        for every in (1, 7) if start in (3.0, 4.5) else (1,):
            expected = [f for f in whole if f.time >= start - 1e-6 and f.index % every == 0]
            if start >= 3 and expected:
                assert_same(frames_from(path, start=start, every=every), expected)


@pytest.mark.parametrize(
    "name", [name for name in KINDS if not name.startswith("mpeg2.avi")] + ["uneven.mp4", "uneven.mkv"]
)
def test_most_of_the_beginning_is_not_decoded(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, whole = made(folder, name)
    start = whole[-1].time - 0.2
    found = []

    def remembered(*arguments: Any) -> Any:
        found.append(seeking_find(*arguments))
        return found[-1]

    seeking_find = seeking.find
    monkeypatch.setattr(container.seeking, "find", remembered)
    frames_from(path, start=start)
    (landed,) = found
    assert landed is not None
    by_index = {frame.index: frame for frame in whole}
    at = by_index[landed[1].index]
    assert start - 5 < at.time <= start


def test_packets_too_many_to_keep_are_read_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeking, "_MOST_KEPT", 100)
    path, whole = made(folder, "open.mkv")
    assert_same(frames_from(path, start=7.0), [frame for frame in whole if frame.time >= 7 - 1e-6])


def test_a_recording_without_an_index(folder: Path) -> None:
    """Matroska as it is written to a pipe: no cues, no length."""
    path, whole = made(folder, "closed.mkv")
    data = path.read_bytes()
    assert data.count(b"\x1c\x53\xbb\x6b") >= 1
    blind = folder / "blind.mkv"
    blind.write_bytes(data.replace(b"\x1c\x53\xbb\x6b", b"\x1c\x53\xbb\x6c"))
    assert_same(frames_from(blind, start=6.3), [frame for frame in whole if frame.time >= 6.3 - 1e-6])


def test_a_fragmented_recording(folder: Path) -> None:
    options = KINDS["open.mp4"] | {"rate": RATE}
    path = folder / "fragmented.mp4"
    write_clip(path, moving(COUNT), gop=GOP, muxer={"movflags": "frag_keyframe+empty_moov"}, **options)
    whole = frames_from(path)
    assert len(whole) == COUNT
    assert_same(frames_from(path, start=6.3), [frame for frame in whole if frame.time >= 6.3 - 1e-6])


def test_a_recording_that_begins_amid_a_group_of_pictures(folder: Path) -> None:
    """What cannot be decoded at the beginning has no index, or is counted as damaged; a seek does as a full read."""
    path, _ = made(folder, "open.ts")
    cut = folder / "cut.ts"
    data = path.read_bytes()
    head = data[: 3 * 188]
    cut.write_bytes(head + data[packet_places(path)[7][0] :])
    whole = frames_from(cut)
    assert 90 < len(whole) < COUNT
    for start in (3.2, 6.3, 8.8):
        assert_same(frames_from(cut, start=start), [frame for frame in whole if frame.time >= start - 1e-6])


def test_joined_recordings_are_counted_by_decoding(folder: Path) -> None:
    path, whole = made(folder, "closed.ts")
    joined = folder / "joined.ts"
    joined.write_bytes(path.read_bytes() * 2)
    frames = frames_from(joined)
    assert len(frames) == 2 * len(whole)
    assert_same(frames_from(joined, start=15.0), [frame for frame in frames if frame.time >= 15 - 1e-6])


@pytest.mark.parametrize("name", ["open.mkv", "closed.mp4", "plain.avi", "vp8.webm"])
def test_with_a_rate_that_replaces_the_times(folder: Path, name: str) -> None:
    path, _ = made(folder, name)
    whole = frames_from(path, fps=5)
    assert_same(frames_from(path, start=19.9, fps=5), [frame for frame in whole if frame.time >= 19.9 - 1e-6])


def test_a_damaged_frame_before_the_start_keeps_its_index(folder: Path) -> None:
    path, whole = made(folder, "intra.mkv")
    places = packet_places(path)
    data = bytearray(path.read_bytes())
    for index in (10, 11, 40):
        position, size = places[index]
        place = data.index(b"\xff\xd8", position)
        data[place : place + size] = bytes(size)
    broken = folder / "damaged.mkv"
    broken.write_bytes(data)
    frames = frames_from(broken)
    assert [f.index for f in whole if f.index not in (10, 11, 40)] == [f.index for f in frames]
    assert_same(frames_from(broken, start=6.3), [frame for frame in frames if frame.time >= 6.3 - 1e-6])


def test_interlaced_video_is_counted_by_decoding(folder: Path) -> None:
    path = folder / "interlaced.ts"
    options = X264 | {"options": {"x264-params": "bframes=2:tff=1"}, "rate": RATE}
    whole = frames_from(write_clip(path, moving(COUNT), gop=GOP, **options))
    assert len(whole) == COUNT
    assert_same(frames_from(path, start=6.3), [frame for frame in whole if frame.time >= 6.3 - 1e-6])
