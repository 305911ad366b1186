"""An RTSP camera: its first seconds, its time stamps, and what it claims."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import pytest

from bgsub.errors import SourceError
from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from tests.video.clips import smooth_pictures, write_clip
from tests.video.readers.rtsp import RtspCamera, access_units

pytestmark = pytest.mark.slow
Opened = Callable[[float, Callable[[int], int], int], str]


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> list[list[bytes]]:
    options = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"x264-params": "bframes=0"}}
    path = tmp_path_factory.mktemp("rtsp") / "x.264"
    return access_units(write_clip(path, smooth_pictures(60) * 2, container_format="h264", gop=10, **options))


@pytest.fixture
def camera(units: list[list[bytes]]) -> Iterator[Opened]:
    cameras = []

    def start(rate: float, stamp: Callable[[int], int], count: int) -> str:
        cameras.append(RtspCamera(units[:count], rate, stamp))
        return cameras[-1].url

    yield start
    for opened in cameras:
        opened.close()


def read(url: str, *, first: float = 0.0, each: float = 0.0) -> tuple[list[Frame], int]:
    frames: list[Frame] = []
    with open_source(url) as source:
        assert source.info.live
        with pytest.raises(SourceError, match=r"broke off after .*: the sender closed it"):
            for frame in source:
                time.sleep(each if frames else first)
                frames.append(frame)
        return frames, source.dropped


def test_the_first_seconds_are_kept_while_a_model_is_compiled(camera: Opened) -> None:
    frames, dropped = read(camera(10, lambda index: 1000 + 9000 * index, 60), first=2.5, each=0.01)
    assert dropped == 0
    assert [frame.index for frame in frames] == list(range(60))
    assert [frame.time for frame in frames] == pytest.approx([index / 10 for index in range(60)], abs=0.05)


@pytest.mark.parametrize("step", [0, 1], ids=["still", "crawling"])
def test_time_stamps_that_stand_still_are_replaced_by_the_worlds_clock(
    camera: Opened, step: int, caplog: pytest.LogCaptureFixture
) -> None:
    frames, dropped = read(camera(10, lambda index: 1000 + step * index, 45))
    assert (len(frames), dropped) == (45, 0)
    assert frames[-1].time == pytest.approx(4.4, abs=0.4)
    assert "the clock stands still at" in caplog.text


def test_time_stamps_that_fall_behind_are_replaced_by_the_worlds_clock(
    camera: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    frames, _ = read(camera(12, lambda index: 1000 + 3000 * index, 70))
    assert frames[-1].time == pytest.approx(69 / 12, abs=0.4)
    assert all(later.time > earlier.time for earlier, later in itertools.pairwise(frames))
    assert "the clock falls behind the world's" in caplog.text


def test_a_rate_that_the_stamps_contradict_is_not_believed(camera: Opened) -> None:
    """The parameter sets claim 25 frames a second."""
    with open_source(camera(8, lambda index: 11_250 * index, 60)) as source:
        assert source.info.fps == pytest.approx(8, rel=0.1)


def test_a_model_that_is_too_slow_loses_the_oldest_frames(camera: Opened) -> None:
    frames, dropped = read(camera(25, lambda index: 3600 * index, 120), each=0.15)
    assert dropped > 10
    assert len(frames) + dropped == 120
    assert [frame.time for frame in frames] == pytest.approx([frame.index / 25 for frame in frames], abs=0.05)
