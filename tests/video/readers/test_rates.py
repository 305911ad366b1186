"""Frames per second: those that a container states, and those that its time stamps show."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.video.opening import open_source, probe
from bgsub.video.readers.rates import measured_rate
from tests.video.clips import smooth_pictures, write_clip

MS = Fraction(1, 1000)


def without_rate(path: Path) -> Path:
    """Void the DefaultDuration of a Matroska or WebM file, as browsers write it."""
    data = bytearray(path.read_bytes())
    place = data.index(b"\x23\xe3\x83")
    length = data[place + 3] & 127
    data[place : place + 2] = bytes([0xEC, 0x80 | (2 + length)])
    path.write_bytes(data)
    return path


def uneven(count: int, step: float, jitter: int, seed: int = 0) -> list[int]:
    rng = np.random.default_rng(seed)
    return [0, *np.cumsum([round(step) + int(j) for j in rng.integers(-jitter, jitter + 1, count - 1)]).tolist()]


@pytest.mark.parametrize(
    ("step", "jitter", "rate"), [(33.3, 9, 30), (66.7, 20, 15), (40, 0, 25), (16.67, 5, 59), (1000, 0, 1), (200, 30, 5)]
)
def test_a_browsers_recording_has_the_rate_of_its_stamps(tmp_path: Path, step: float, jitter: int, rate: int) -> None:
    stamps = uneven(120, step, jitter)
    path = write_clip(
        tmp_path / "x.webm", smooth_pictures(60) * 2, codec="libvpx", pix_fmt="yuv420p", rate=1000, pts=stamps,
        time_base=MS,
    )  # fmt: skip
    without_rate(path)
    with open_source(path) as source:
        assert source.info.fps == pytest.approx(rate, rel=0.04)
        times = [frame.time for frame in source]
    assert times == pytest.approx([stamp / 1000 for stamp in stamps[: len(times)]])
    assert len(times) == 120


def test_a_container_that_claims_its_clock_for_its_rate_is_not_believed(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.mkv", smooth_pictures(60), rate=1000, pts=uneven(60, 40, 3), time_base=MS)
    assert probe(path)["fps"] == pytest.approx(25, rel=0.04)


def test_of_few_frames_too(tmp_path: Path) -> None:
    for count, rate in ((1, None), (2, 20.0), (3, 20.0)):
        path = tmp_path / f"{count}.mkv"
        write_clip(path, smooth_pictures(count), rate=1000, pts=[50 * k for k in range(count)], time_base=MS)
        assert probe(without_rate(path))["fps"] == rate


@pytest.mark.parametrize(
    ("suffix", "rate"), [(".mp4", 1000), (".mp4", 2000), (".mov", 5000), (".avi", 1000), (".nut", 2000)]
)
def test_a_high_rate_that_the_container_counts_is_true(tmp_path: Path, suffix: str, rate: int) -> None:
    path = write_clip(tmp_path / f"x{suffix}", smooth_pictures(40), codec="mjpeg", pix_fmt="yuvj420p", rate=rate)
    with open_source(path) as source:
        assert source.info.fps == rate
        assert [frame.time for frame in source] == pytest.approx([index / rate for index in range(40)])


@pytest.mark.parametrize("rate", [2000, 5000])
def test_more_frames_than_milliseconds(tmp_path: Path, rate: int) -> None:
    """Matroska counts milliseconds: several frames have one time stamp, and lie between it and the next."""
    path = write_clip(tmp_path / "x.mkv", smooth_pictures(60), rate=rate)
    with open_source(path) as source:
        assert source.info.fps == rate
        times = [frame.time for frame in source]
    assert len(times) == 60
    assert times == pytest.approx([index / rate for index in range(60)], abs=2.1e-3)
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_a_true_thousand_frames_per_second_in_matroska(tmp_path: Path) -> None:
    assert probe(write_clip(tmp_path / "x.mkv", smooth_pictures(60), rate=1000))["fps"] == 1000


@pytest.mark.parametrize(
    "rate", [Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(25), Fraction(60), Fraction(7)]
)
@pytest.mark.parametrize("name", ["x.mkv", "x.mp4", "x.ts", "x.avi"])
def test_ordinary_rates_are_those_stated(tmp_path: Path, rate: Fraction, name: str) -> None:
    options = {"codec": "mpeg4", "pix_fmt": "yuv420p"}
    with open_source(write_clip(tmp_path / name, smooth_pictures(40), rate=rate, **options)) as source:
        assert source.info.fps == pytest.approx(rate, rel=1e-3)
        assert len(list(source)) == 40


def test_a_variable_rate_keeps_the_mean_that_is_counted(tmp_path: Path) -> None:
    stamps = [*range(0, 1000, 40), *range(1000, 11_000, 400)]
    path = write_clip(
        tmp_path / "x.mp4", smooth_pictures(50), codec="mpeg4", pix_fmt="yuv420p", pts=stamps, time_base=MS
    )
    assert probe(path)["fps"] == pytest.approx(50 / 11, rel=0.05)


@pytest.mark.parametrize(
    ("stamps", "rate"),
    [
        ([], None),
        ([5], None),
        ([5, 5, None], None),
        ([None, None], None),
        ([0, 40, 80, 120], Fraction(25)),
        ([120, 0, 80, 40], Fraction(25)),  # B-frames
        ([0, 33, 67, 100, 133, 167, 200], Fraction(30)),
        ([0, 40, 80, 36_000_000, 36_000_040], Fraction(25)),  # the clock was set
        ([0, 2000, 4000, 6000], Fraction(1, 2)),
        ([index // 2 for index in range(101)], Fraction(2000)),
        ([0, 100_000, 200_000], Fraction(1, 100)),
        ([round(index * 1001 / 30) for index in range(250)], Fraction(30_000, 1001)),
    ],
)
def test_what_stamps_show(stamps: list[int | None], rate: Fraction | None) -> None:
    assert measured_rate(stamps, MS) == rate


def test_packets_that_were_looked_at_are_read_once_and_in_order(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.mkv", smooth_pictures(60) * 6)
    with av.open(str(path)) as container:
        assert len([packet for packet in container.demux(video=0) if packet.size]) == 360
    with open_source(path, prefetch=0) as source:
        assert [frame.index for frame in source] == list(range(360))
