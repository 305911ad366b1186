"""Reading ahead: order, errors, and every way to stop early."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.readers import prefetch
from bgsub.video.readers.prefetch import Prefetch
from bgsub.video.source import Source


class Scripted(Source):
    """Yields numbered frames; calls `before(index)` ahead of each."""

    def __init__(self, count: int, before: Callable[[int], None] = lambda index: None, *, live: bool = False):
        self.info = VideoInfo("scripted", 4, 4, None, None, "script", None, live=live)
        self.closed_in: list[str] = []
        self.produced = 0
        self._count = count
        self._before = before

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._count):
            self._before(index)
            self.produced += 1
            yield Frame(index, index / 10, np.zeros((4, 4), np.uint8))

    def close(self) -> None:
        self.closed_in.append(threading.current_thread().name)


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read scripted"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    for thread in reading_threads():
        thread.join(5)
    assert reading_threads() == []


@pytest.mark.parametrize("depth", [1, 3, 100])
def test_all_frames_in_order(depth: int) -> None:
    inner = Scripted(20)
    with Prefetch(inner, depth) as source:
        assert [frame.index for frame in source] == list(range(20))
        assert list(source) == []
    assert inner.closed_in == ["read scripted"]


def test_never_more_than_depth_frames_ahead() -> None:
    ahead = []
    taken = 0

    def note(index: int) -> None:
        ahead.append(index - taken)

    with Prefetch(Scripted(30, note), 4) as source:
        for frame in source:
            taken = frame.index + 1
    # one in the hands of the thread, one just taken and not yet counted
    assert max(ahead) <= 4 + 2


def test_errors_keep_type_and_place() -> None:
    def fail(index: int) -> None:
        if index == 7:
            raise SourceError("it broke")

    frames = []
    with Prefetch(Scripted(20, fail), 3) as source:
        with pytest.raises(SourceError, match="it broke"):
            frames.extend(source)
        assert list(source) == []
    assert [frame.index for frame in frames] == list(range(7))


def test_close_while_the_queue_is_full() -> None:
    inner = Scripted(1000)
    source = Prefetch(inner, 2)
    assert next(iter(source)).index == 0
    source.close()
    assert reading_threads() == []
    assert inner.closed_in == ["read scripted"]
    assert inner.produced <= 5
    assert list(source) == []
    source.close()


def test_close_without_a_frame_read() -> None:
    inner = Scripted(3)
    source = Prefetch(inner, 2)
    source.close()
    assert list(source) == []
    assert inner.produced == 0
    assert inner.closed_in == ["MainThread"]


def test_close_while_the_source_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "JOIN_TIMEOUT", 0.05)
    blocked, free = threading.Event(), threading.Event()

    def block(index: int) -> None:
        if index == 2:
            blocked.set()
            assert free.wait(5)

    inner = Scripted(10, block)
    source = Prefetch(inner, 8)
    assert next(iter(source)).index == 0
    assert blocked.wait(5)
    source.close()
    # A container must not be closed while its thread reads: the thread does it when it can.
    assert inner.closed_in == []
    free.set()
    for thread in reading_threads():
        thread.join(5)
    assert inner.closed_in == ["read scripted"]
    assert list(source) == []


def test_close_from_another_thread_ends_a_waiting_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "JOIN_TIMEOUT", 0.05)
    free = threading.Event()
    source = Prefetch(Scripted(1, lambda index: free.wait(5) and None), 2)
    closer = threading.Timer(0.05, source.close)
    closer.start()
    assert list(source) == []
    closer.join()
    free.set()


def test_live_source_drops_the_oldest() -> None:
    done = threading.Event()

    def end(index: int) -> None:
        if index == 19:
            done.set()

    inner = Scripted(20, end, live=True)
    with Prefetch(inner, 3) as source:
        frames = iter(source)
        first = next(frames)
        assert done.wait(5)
        for thread in reading_threads():
            thread.join(5)
        rest = [frame.index for frame in frames]
    # The queue held the newest three, unless the reader took one of them.
    assert rest in ([17, 18, 19], [18, 19])
    assert first.index <= 17
    assert 1 + len(rest) + source.dropped == 20


def test_recorded_source_drops_nothing() -> None:
    with Prefetch(Scripted(50), 1) as source:
        assert len(list(source)) == 50
        assert source.dropped == 0


def test_damaged_frames_of_the_source_are_told() -> None:
    inner = Scripted(1)
    with Prefetch(inner, 1) as source:
        inner.damaged = 4
        assert source.damaged == 4


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill does not send Ctrl-C there")
def test_ctrl_c_while_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "JOIN_TIMEOUT", 0.05)
    free = threading.Event()
    interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    with (
        pytest.raises(KeyboardInterrupt),
        Prefetch(Scripted(1, lambda index: free.wait(5) and None), 1) as source,
    ):
        interrupt.start()
        list(source)
    interrupt.join()
    free.set()


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
def test_a_queue_that_empties_is_filled_again(depth: int) -> None:
    """Without waiting for the next look at the clock, which is made to be far away."""
    ready = threading.Semaphore(0)
    inner = Scripted(40, lambda index: ready.release())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefetch, "_CHECK_S", 1000.0)
        patch.setattr(prefetch, "_POLL_S", 1000.0)
        with Prefetch(inner, depth) as source:
            taken = []
            for frame in source:
                taken.append(frame.index)
                if len(taken) == 1:  # the queue fills up, and the thread goes to sleep
                    for _ in range(depth + 1):
                        assert ready.acquire(timeout=10)
            assert taken == list(range(40))
