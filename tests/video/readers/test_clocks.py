"""Whole files whose clocks jump, step back or begin late."""

from __future__ import annotations

import itertools
import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from bgsub.video.opening import open_source, probe
from tests.video.clips import silence, smooth_pictures, write_clip

B_FRAMES = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"x264-params": "bframes=2:b-adapt=0:scenecut=0"}}
PLAIN = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"x264-params": "bframes=0"}}
MPEG2 = {"codec": "mpeg2video", "pix_fmt": "yuv420p"}
TICKS = Fraction(1, 90_000)
RATE = 25


def part(path: Path, begin: float, count: int = 25, options: dict[str, Any] = PLAIN) -> bytes:
    """A second of video whose first frame has the time `begin`, in seconds."""
    base = Fraction(1, RATE) if options is MPEG2 else TICKS
    pts = [round((begin + index / RATE) / base) for index in range(count)]
    return write_clip(
        path, itertools.islice(itertools.cycle(smooth_pictures(40)), count), pts=pts, time_base=base, **options
    ).read_bytes()


def joined(folder: Path, begins: list[float], suffix: str = ".ts", options: dict[str, Any] = PLAIN) -> Path:
    path = folder / f"joined{suffix}"
    path.write_bytes(b"".join(part(folder / f"{k}{suffix}", begin, options=options) for k, begin in enumerate(begins)))
    return path


@pytest.mark.parametrize("options", [PLAIN, B_FRAMES], ids=["plain", "b-frames"])
@pytest.mark.parametrize(
    "begins",
    [
        [1, 36_001],  # ahead by ten hours
        [36_001, 1],  # the older part last
        [1, 1.5],  # back by half a second
        [1, 1.8],
        [1, 1],  # the same part twice
        [1, 5000, 2, 9000, 9001],
    ],
)
def test_joined_parts_follow_on_each_other(
    tmp_path: Path, begins: list[float], options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    path = joined(tmp_path, begins, options=options)
    count = 25 * len(begins)
    with open_source(path) as source:
        frames = list(source)
        assert source.damaged == 0
    assert len(frames) == count
    assert [frame.time for frame in frames] == pytest.approx([index / RATE for index in range(count)], abs=0.021)
    assert frames[-1].time == pytest.approx((count - 1) / RATE, abs=0.021)
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert all("the clock" in line and "joined.ts" in line for line in told), told
    assert any("at 1.00 s (frame 25)" in line for line in told)
    with open_source(path, duration=1.5) as source:
        assert len(list(source)) == pytest.approx(38, abs=1)


@pytest.mark.parametrize("begins", [[1, 36_001], [36_001, 1], [1, 1.5], [1, 1]])
def test_the_length_of_joined_parts_is_that_of_what_they_hold(tmp_path: Path, begins: list[float]) -> None:
    path = joined(tmp_path, begins)
    with open_source(path) as source:
        assert source.info.duration == pytest.approx(2, abs=0.05)
        assert source.info.expected_frame_count == pytest.approx(50, abs=1)


def test_a_length_that_cannot_be_is_not_told(tmp_path: Path) -> None:
    first, second = (part(tmp_path / f"{begin}.ts", begin, 300) for begin in (1, 36_001))
    path = tmp_path / "joined.ts"
    path.write_bytes(first + second)
    with open_source(path) as source:
        assert source.info.duration is None
        assert source.info.expected_frame_count is None
    path.write_bytes(first)
    assert probe(path)["duration"] == pytest.approx(12, abs=0.1)


def test_joined_program_streams(tmp_path: Path) -> None:
    path = joined(tmp_path, [1, 7000], suffix=".mpg", options=MPEG2)
    with open_source(path) as source:
        times = [frame.time for frame in source]
    assert len(times) == 50
    assert times[-1] == pytest.approx(49 / RATE, abs=0.05)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_pause_of_a_camera_that_records_motion_is_kept(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    stamps = [*range(0, 1000, 40), *range(700_000, 701_000, 40)]
    options = {"codec": "mpeg4", "pix_fmt": "yuv420p", "time_base": Fraction(1, 1000)}
    path = write_clip(tmp_path / f"x{suffix}", smooth_pictures(50), pts=stamps, **options)
    with open_source(path) as source:
        assert [frame.time for frame in source] == pytest.approx([stamp / 1000 for stamp in stamps])
    assert not caplog.records


@pytest.mark.parametrize("step", [5, 60])
@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
def test_a_time_lapse_keeps_its_times(tmp_path: Path, suffix: str, step: int, caplog: pytest.LogCaptureFixture) -> None:
    pts = [90_000 * step * index for index in range(12)]
    path = write_clip(tmp_path / f"x{suffix}", smooth_pictures(12), pts=pts, time_base=TICKS, **PLAIN)
    with open_source(path) as source:
        assert source.info.fps == Fraction(1, step)
        assert source.info.duration == pytest.approx(12 * step, rel=0.1)
        assert [frame.time for frame in source] == pytest.approx([step * index for index in range(12)])
    assert not caplog.records


@pytest.mark.parametrize("name", ["x.mkv", "x.nut"])
def test_stamps_of_a_file_that_stand_still_advance_by_the_rate(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    moving, still = write_clip(tmp_path / "moving.mkv", smooth_pictures(20)), tmp_path / name
    with av.open(str(moving)) as source, av.open(str(still), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts = packet.dts = 0
                packet.stream = stream
                copy.mux(packet)
    with open_source(still) as opened:
        assert [frame.time for frame in opened] == pytest.approx([index / RATE for index in range(20)])
    assert "the clock stands still at 0.04 s (frame 1)" in caplog.text


def test_a_short_gap_in_a_transport_stream_is_kept(tmp_path: Path) -> None:
    path = joined(tmp_path, [1, 7])
    with open_source(path) as source:
        times = [frame.time for frame in source]
    assert times[:25] + times[25:] == pytest.approx(
        [index / RATE for index in range(25)] + [6 + k / RATE for k in range(25)]
    )


def test_the_clock_of_33_bits_may_wrap(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "wrap.ts"
    path.write_bytes(part(path, 2**33 / 90_000 - 0.5, 50))
    with open_source(path) as source:
        assert [frame.time for frame in source] == pytest.approx([index / RATE for index in range(50)], abs=1e-4)
    assert not caplog.records


def late(path: Path, seconds: float) -> Path:
    """Sound from the beginning, video so many seconds later."""
    with av.open(str(path), "w") as container:
        sound, video = container.add_stream("mp2" if path.suffix == ".ts" else "aac", rate=48_000), None
        video = container.add_stream("mpeg4" if path.suffix != ".ts" else "mpeg2video", rate=RATE)
        video.width, video.height, video.pix_fmt = 32, 24, "yuv420p"
        for index, image in enumerate(smooth_pictures(25)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = round(seconds * RATE) + index, Fraction(1, RATE)
            container.mux(video.encode(frame))
        for index in range(20):
            quiet = silence()
            quiet.sample_rate, quiet.pts, quiet.time_base = 48_000, 1600 * index, Fraction(1, 48_000)
            container.mux(sound.encode(quiet))
        container.mux(sound.encode())
        container.mux(video.encode())
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("seconds", [0, 2.0, 0.4])
def test_a_late_video_says_by_how_much(tmp_path: Path, suffix: str, seconds: float) -> None:
    path = late(tmp_path / f"late{suffix}", seconds)
    with open_source(path) as source:
        assert source.info.start_time == pytest.approx(seconds, abs=0.03)
        times = [frame.time for frame in source]
    assert times == pytest.approx([index / RATE for index in range(25)], abs=1e-3)
    assert probe(path)["start_time"] == pytest.approx(seconds, abs=0.03)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_of_video_alone_the_first_frame_is_the_beginning(tmp_path: Path, suffix: str) -> None:
    options = MPEG2 if suffix == ".avi" else B_FRAMES
    path = write_clip(tmp_path / f"x{suffix}", smooth_pictures(30), **options)
    with open_source(path) as source:
        assert source.info.start_time == 0
        times = [frame.time for frame in source]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
