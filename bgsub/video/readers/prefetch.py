"""Frames read ahead in a thread."""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Iterator
from typing import NamedTuple

from bgsub.video.frame import Frame
from bgsub.video.source import Source

JOIN_TIMEOUT = 2.0
"""Seconds that closing waits for a thread that is blocked in a read."""

# A wait without a limit cannot be interrupted with Ctrl-C on Windows.
_POLL_S = 0.5
_CHECK_S = 0.1  # how often it is seen whether the oldest frame has become overdue


class Taken(NamedTuple):
    """What `Prefetch.take` found: a frame, or None, the end of the stream."""

    frame: Frame | None


class Prefetch(Source):
    """A source whose frames are read ahead in a daemon thread.

    The thread waits while the queue is full, as long as the source may wait for its reader. Where the source says that
    the oldest frame is overdue, that one is dropped, and counted in ``dropped``. An error in the thread is raised in
    the reader, after the frames before it.

    Parameters
    ----------
    source : Source
        Open; owned, and closed, by this one from now on.
    depth : int
        Most frames read ahead, at least 1.
    """

    def __init__(self, source: Source, depth: int) -> None:
        self._source = source
        self.info = source.info
        self.repeatable = source.repeatable
        self.sound = source.sound
        self._depth = depth
        self._frames: collections.deque[Frame] = collections.deque()
        self._changed = threading.Condition()
        self._taken = 0
        self._ended = False
        self._stopped = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def damaged(self) -> int:  # type: ignore[override]
        """Frames skipped so far because they could not be decoded."""
        return self._source.damaged

    @property
    def reconnects(self) -> int:  # type: ignore[override]
        """How often the source was opened again so far."""
        return self._source.reconnects

    def describe(self) -> dict[str, object]:
        """Return all that is known of the source, in types that JSON has."""
        return self._source.describe()

    def __repr__(self) -> str:
        return repr(self._source)  # that it is read ahead is nothing to look at

    def __iter__(self) -> Iterator[Frame]:
        if self._stopped:
            return
        self._start()
        while (frame := self._next()) is not None:
            yield frame

    def take(self, seconds: float) -> Taken | None:
        """Return the next frame, or the end of the stream; None when neither comes in so many seconds.

        It reads in the place of an iteration, and raises what that would.
        """
        self._start()
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._ended or self._stopped, seconds)
            if not (self._frames or self._ended or self._stopped):
                return None
        return Taken(self._next())

    def _start(self) -> None:
        """Start the thread, once; within the lock, so that who closes meanwhile finds it started or not made."""
        with self._changed:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._read, name=f"read {self.info.name}", daemon=True)
                self._thread.start()

    def _next(self) -> Frame | None:
        """Wait for a frame; None at the end of the stream."""
        with self._changed:
            while not (self._frames or self._ended or self._stopped):
                self._changed.wait(_POLL_S)
            if self._stopped:
                return None
            if self._frames:
                frame = self._frames.popleft()
                self._taken += 1
                if len(self._frames) <= self._depth // 2:  # to wake the thread for each frame costs both time
                    self._changed.notify_all()
                return frame
            error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def _read(self) -> None:
        """Fill the queue until the source ends or the reader closes; the thread's whole life."""
        try:
            # Closed here, in the thread that reads: a container must not be closed under a reading thread.
            with contextlib.closing(self._source):
                for frame in self._source:
                    if not self._put(frame):
                        break
        except Exception as error:  # handed to the reader, who raises it
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, frame: Frame) -> bool:
        """Append a frame when there is room; False once the reader has closed."""
        with self._changed:
            while len(self._frames) >= self._depth and not self._stopped:
                if self._source.is_overdue(self._frames[0], self._taken):
                    self._frames.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait(_CHECK_S)
            if self._stopped:
                return False
            self._frames.append(frame)
            if len(self._frames) == 1:  # the reader waits for none but the first
                self._changed.notify_all()
            return True

    def close(self) -> None:
        """Stop reading and close the source.

        A thread that is blocked in a read (a silent network stream, an idle pipe) is waited for briefly; it
        closes the source itself as soon as the read returns.
        """
        with self._changed:
            self._stopped = True
            self._frames.clear()
            self._changed.notify_all()
        self._source.abandon()
        if self._thread is None:
            self._source.close()
        elif self._thread is not threading.current_thread():
            self._thread.join(JOIN_TIMEOUT)
