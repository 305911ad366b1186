"""A live source that drops and comes back."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bgsub.errors import ParameterError, SourceError
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.opening import open_source
from bgsub.video.readers.reconnecting import Patience, ReconnectingSource
from bgsub.video.selection import Selection
from bgsub.video.source import Source
from tests.video.clips import smooth_pictures, write_clip
from tests.video.readers.senders import camera, sized

QUICK = Patience(silence=10, first_delay=0.01, longest_delay=0.02)


class Camera(Source):
    """Gives so many frames, ten a second of its own, and then drops, falls silent or ends."""

    def __init__(self, count: int, end: str, size: tuple[int, int] = (4, 6), colour: int = 0) -> None:
        self.info = VideoInfo("door", size[1], size[0], None, None, "script", None, live=True)
        self.closed = threading.Event()
        self.damaged = 1
        self._count, self._end, self._size, self._colour = count, end, size, colour

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._count):
            yield Frame(index, index / 10, np.full((*self._size, 3), self._colour, np.uint8))
        if self._end == "silent":
            self.closed.wait(20)
        elif self._end == "drop":
            raise SourceError("door broke off: the sender closed it")

    def abandon(self) -> None:
        self.closed.set()

    def close(self) -> None:
        self.closed.set()


class World:
    """A clock that only sleeping moves, and the sources that are opened one after another; an error is a failure."""

    def __init__(self, *opened: Source | SourceError) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        self._opened = iter(opened)

    def open(self) -> Source:
        source = next(self._opened)
        if isinstance(source, SourceError):
            raise source
        return source

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def source(self, selection: Selection | None = None, silence: float = 10.0) -> ReconnectingSource:
        patience = Patience(silence=silence)
        return ReconnectingSource(
            self.open, selection or Selection(), 8, patience=patience, clock=self.clock, sleep=self.sleep
        )


REFUSED = SourceError("cannot open door: refused")


def test_frames_go_on_after_a_drop_by_the_worlds_clock(caplog: pytest.LogCaptureFixture) -> None:
    world = World(Camera(5, "drop"), REFUSED, REFUSED, Camera(5, "drop"), Camera(3, "end"))
    with world.source() as source:
        frames = list(source)
        assert source.reconnects == 2
        assert source.damaged == 3
    assert [frame.index for frame in frames] == list(range(13))
    assert [frame.time for frame in frames[:5]] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    gap = sum(world.sleeps[:3])
    assert frames[5].time == pytest.approx(0.4 + gap)
    assert frames[9].time == pytest.approx(0.8 + gap)
    assert all(later.time > earlier.time for earlier, later in itertools.pairwise(frames))
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [line for line in warned if line == "door broke off: the sender closed it: it is opened again"]
    assert len([line for line in warned if line.startswith("door: opened again, ")]) == 2


def test_delays_double_up_to_a_bound_and_are_shortened_by_chance() -> None:
    world = World(Camera(1, "drop"), *[REFUSED] * 9, Camera(1, "end"))
    with world.source() as source:
        assert len(list(source)) == 2
    assert len(world.sleeps) == 10
    for delay, longest in zip(world.sleeps, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30], strict=True):
        assert longest / 2 <= delay <= longest
    assert (
        len(
            {
                round(delay / longest, 9)
                for delay, longest in zip(world.sleeps, [1, 2, 4, 8, 16] + [30] * 5, strict=True)
            }
        )
        > 5
    )


def test_a_connection_that_drops_at_once_is_not_hammered() -> None:
    world = World(*[Camera(1, "drop") for _ in range(6)], Camera(1, "end"))
    with world.source() as source:
        assert len(list(source)) == 7
    assert [delay >= bound / 2 for delay, bound in zip(world.sleeps, [1, 2, 4, 8, 16, 30], strict=True)] == [True] * 6


def test_silence_counts_as_a_drop(caplog: pytest.LogCaptureFixture) -> None:
    silent = Camera(3, "silent")
    world = World(silent, Camera(2, "end"))
    with world.source(silence=1.5) as source:
        assert [frame.index for frame in source] == [0, 1, 2, 3, 4]
    assert silent.closed.is_set()
    assert "door gave no picture for 1.5 s: it is opened again" in caplog.text


def test_pictures_of_another_size_are_brought_to_the_first(caplog: pytest.LogCaptureFixture) -> None:
    world = World(Camera(2, "drop"), Camera(2, "drop", (8, 12), 200), Camera(2, "end", (8, 12), 90))
    with world.source(Selection(scale=3)) as source:
        assert (source.info.width, source.info.height) == (3, 2)
        frames = list(source)
    assert [frame.image.shape for frame in frames] == [(2, 3, 3)] * 6
    assert [int(frame.image.mean()) for frame in frames] == [0, 0, 200, 200, 90, 90]
    assert caplog.text.count("door now has 12x8 pixels in colour: it is brought to 6x4 pixels in colour") == 1


def test_selected_frames_are_those_of_the_whole_timeline() -> None:
    world = World(Camera(5, "drop"), Camera(5, "drop"), Camera(5, "end"))
    with world.source(Selection(every=4)) as source:
        assert [frame.index for frame in source] == [0, 4, 8, 12]


def test_the_end_comes_by_the_worlds_clock_while_it_is_away() -> None:
    world = World(Camera(5, "drop"), *[REFUSED] * 50)
    with world.source(Selection(end=20.0)) as source:
        assert len(list(source)) == 5
    assert 19 <= world.now - 1000 <= 21


def test_a_first_opening_that_fails_is_an_error() -> None:
    with pytest.raises(SourceError, match="cannot open door: refused"):
        World(REFUSED).source()


def test_closing_ends_the_waiting() -> None:
    world = World(Camera(1, "drop"))
    waiting = threading.Event()

    def forever() -> Source:
        if not waiting.is_set():
            waiting.set()
            return world.open()
        time.sleep(3)
        raise REFUSED

    source = ReconnectingSource(forever, Selection(), 8, patience=Patience(first_delay=60, longest_delay=60))
    frames = iter(source)
    assert next(frames).index == 0
    waits = threading.Thread(target=lambda: list(frames), daemon=True)
    waits.start()
    waits.join(0.3)
    source.close()
    waits.join(20)
    assert not waits.is_alive()
    assert source.reconnects == 0


def test_an_opening_that_comes_too_late_is_closed() -> None:
    late = Camera(1, "end")
    release = threading.Event()
    world = World(Camera(1, "drop"), late)

    def slow() -> Source:
        source = world.open()
        if source is late:
            release.wait(5)
        return source

    source = ReconnectingSource(slow, Selection(), 8, patience=QUICK)
    frames = iter(source)
    next(frames)
    threading.Timer(0.3, source.close).start()
    assert list(frames) == []
    release.set()
    assert late.closed.wait(5)


@pytest.mark.slow
def test_a_network_camera_that_is_switched_off_and_on(serve_http: Callable[..., str]) -> None:
    """Each connection gets twelve frames and is closed."""
    with open_source(serve_http(camera(12, 12)), reconnect=True, duration=5) as source:
        frames = list(source)
    assert 1 <= source.reconnects <= 4
    assert len(frames) == pytest.approx(12 * (1 + source.reconnects), abs=12)
    assert all(later.time > earlier.time for earlier, later in itertools.pairwise(frames))
    assert [frame.index for frame in frames] == list(range(len(frames)))
    gaps = [later.time - earlier.time for earlier, later in itertools.pairwise(frames)]
    assert max(gaps) > 0.4


def test_a_recording_is_not_reconnected_to(tmp_path: Path, serve_http: Callable[..., str]) -> None:
    path = write_clip(tmp_path / "x.ts", smooth_pictures(30), codec="mpeg2video", pix_fmt="yuv420p")
    with pytest.raises(SourceError, match=r"cannot reconnect to .*: it is a recording"):
        open_source(serve_http(sized(path.read_bytes())), reconnect=True)
    for source in (path, "-", tmp_path, path.as_uri()):
        with pytest.raises(ParameterError, match=r"reconnect is for network streams and cameras, .* leave it out"):
            open_source(source, reconnect=True)
