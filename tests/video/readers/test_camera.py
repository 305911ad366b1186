"""Cameras, played by a stand-in for OpenCV's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import ClassVar

import cv2
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.opening import open_source
from bgsub.video.readers import camera, stills


class FakeCapture:
    """Delivers `frames` images, 1, 2, 3, ... in every pixel, then fails."""

    frames = 5
    present = True
    fps = 30.0
    opened: ClassVar[list[tuple[object, int]]]
    released: ClassVar[int]
    asked_fps: ClassVar[float | None]

    def __init__(self, device: int | str, backend: int) -> None:
        type(self).opened.append((device, backend))
        self._count = 0

    def isOpened(self) -> bool:  # OpenCV's name
        return self.present

    def read(self) -> tuple[bool, np.ndarray | None]:
        if self._count == self.frames:
            return False, None
        self._count += 1
        return True, np.full((24, 32, 3), self._count, np.uint8)

    def get(self, name: int) -> float:
        return self.fps if name == cv2.CAP_PROP_FPS else 0.0

    def set(self, name: int, value: float) -> bool:
        if name == cv2.CAP_PROP_FPS:
            type(self).asked_fps = value
        return True

    def release(self) -> None:
        type(self).released += 1


class Clock:
    """A monotonic clock that moves by a quarter of a second each time it is looked at."""

    def __init__(self) -> None:
        self._now = 1000.0

    def monotonic(self) -> float:
        self._now += 0.25
        return self._now


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeCapture]]:
    class Capture(FakeCapture):
        opened: ClassVar[list[tuple[object, int]]] = []
        released = 0
        asked_fps = None

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    monkeypatch.setattr(camera, "time", Clock())
    yield Capture


@pytest.mark.parametrize(
    ("source", "device", "name"),
    [(0, 0, "camera0"), ("1", 1, "camera1"), ("/dev/video77", "/dev/video77", "video77")],
)
def test_camera_by_index_digits_or_device(
    capture: type[FakeCapture], source: int | str, device: object, name: str
) -> None:
    with open_source(source) as opened:
        info = opened.info
        assert not opened.repeatable
    assert capture.opened[0][0] == device
    assert (info.name, info.codec, info.live) == (name, "camera", True)
    assert (info.width, info.height, info.fps) == (32, 24, 30)
    assert (info.frame_count, info.duration) == (None, None)
    assert capture.released == 1


def test_times_are_those_of_a_clock_and_a_stop_is_an_error(capture: type[FakeCapture]) -> None:
    frames = []
    with (
        open_source(0, prefetch=0) as source,
        pytest.raises(SourceError, match=r"camera 0 stopped delivering after 1\.2 s \(5 frames\), check that it"),
    ):
        frames.extend(source)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 3, 4, 5]


def test_selection_of_a_camera(capture: type[FakeCapture]) -> None:
    with open_source(0, start=0.25, end=1.0, every=2, scale=0.5, fps=15, prefetch=0) as source:
        assert (source.info.width, source.info.height) == (16, 12)
        assert capture.asked_fps == 15
        (frame,) = source
    assert (frame.index, frame.image.shape) == (2, (12, 16, 3))


def test_rate_of_a_camera_that_tells_none(capture: type[FakeCapture]) -> None:
    capture.fps = 0.0
    with open_source(0) as source:
        assert source.info.fps is None
    with open_source(0, fps=20) as source:
        assert source.info.fps == 20


def test_slow_reader_gets_the_newest_frames(capture: type[FakeCapture]) -> None:
    capture.frames = 50
    seen = []
    with open_source(0) as source, pytest.raises(SourceError, match="stopped delivering"):
        for frame in source:
            seen.append(frame.index)
            if frame.index < 40:
                _wait_for_the_end(source)
    assert seen[-1] == 49
    assert len(seen) + source.dropped == 50
    assert len(seen) <= 3


def _wait_for_the_end(source: object) -> None:
    """Let the camera deliver all it has before the reader asks again."""
    name = f"read {source.info.name}"  # type: ignore[attr-defined]
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(5)


def test_absent_camera(capture: type[FakeCapture]) -> None:
    capture.present = False
    with pytest.raises(
        SourceError,
        match="cannot open camera 3: no such camera, check that it is plugged in and no other program uses",
    ):
        open_source(3)
    assert capture.released == 1


def test_camera_without_a_picture(capture: type[FakeCapture]) -> None:
    capture.frames = 0
    with pytest.raises(SourceError, match="cannot open camera /dev/video77: it delivers no picture, check"):
        open_source("/dev/video77")
    assert capture.released == 1


def test_opencv_says_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    level = stills.opencv_log.getLogLevel()
    with pytest.raises(SourceError, match="cannot open camera 97"):
        open_source(97)
    assert capfd.readouterr() == ("", "")
    assert stills.opencv_log.getLogLevel() == level


def test_opencv_speaks_again_when_the_last_thread_is_done() -> None:
    level = stills.opencv_log.getLogLevel()

    def hold(begun: threading.Event, end: threading.Event) -> None:
        with stills.quiet():
            begun.set()
            end.wait(10)

    begun, end = threading.Event(), threading.Event()
    thread = threading.Thread(target=hold, args=(begun, end))
    with stills.quiet():
        thread.start()
        assert begun.wait(10)
    assert stills.opencv_log.getLogLevel() == 0
    end.set()
    thread.join(10)
    assert stills.opencv_log.getLogLevel() == level
