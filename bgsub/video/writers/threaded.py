"""The thread that writes while the model works."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Sequence
from types import TracebackType

import numpy as np

from bgsub.video.frame import Frame
from bgsub.video.sink import Sink

logger = logging.getLogger(__name__)


class ThreadedSink(Sink):
    """Feeds sinks from one thread of its own, so that encoding overlaps with whatever makes the masks.

    Parameters
    ----------
    sinks : sequence of Sink
        They belong to this one from now on and are closed with it, each of them even if another fails.
    depth : int
        Frames that may wait; `write` blocks while that many do.

    Notes
    -----
    An error of a sink ends that sink and is raised by the next `write`, or by `close`, as it was raised
    there; the other sinks get every frame that was taken. Leaving the block, also on Ctrl-C, first writes
    what waits; a second Ctrl-C drops that, and still finishes every output.
    """

    def __init__(self, sinks: Sequence[Sink], depth: int = 8) -> None:
        self.sinks = tuple(sinks)
        self.lossy = any(sink.lossy for sink in self.sinks)
        self._queue: queue.Queue[tuple[Frame, np.ndarray] | None] = queue.Queue(depth)
        self._thread: threading.Thread | None = None
        self._drop = threading.Event()
        self._failure: Exception | None = None
        self._reported = False
        self._closed = False

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Hand a frame and its mask to the thread; wait while the queue is full."""
        if self._closed:
            raise ValueError("write to a closed sink")
        if self._failure is not None:
            self._reported = True
            raise self._failure
        if self._thread is None:
            self._thread = threading.Thread(target=self._feed, name="bgsub-sinks", daemon=True)
            self._thread.start()
        self._queue.put((frame, mask))

    def close(self) -> None:
        """Write what waits, and finish every sink."""
        self.__exit__(None, None, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._closed:
            return
        self._closed = True
        if kind is not None:
            self._let_go()
        with contextlib.ExitStack() as stack:
            for sink in reversed(self.sinks):
                # Each sink learns what ended the block: some write only where nothing went wrong.
                stack.callback(sink.__exit__, kind, error, trace)
            self._drain()
        if self._failure is None or self._reported:
            return
        if kind is None:
            raise self._failure
        logger.error("%s", self._failure)  # something else is already on its way up

    def _drain(self) -> None:
        """Wait until the thread has written everything."""
        if self._thread is None:
            return
        try:
            self._queue.put(None)
            self._thread.join()
        except BaseException:
            self._let_go()
            self._drop.set()
            self._queue.put(None)
            self._thread.join()
            raise

    def _let_go(self) -> None:
        """Have no sink wait for somebody who looks at it."""
        for sink in self.sinks:
            sink.let_go()

    def _feed(self) -> None:
        """Write every queued frame to every sink that has not failed. Runs in the thread."""
        working = list(self.sinks)
        while (item := self._queue.get()) is not None:
            if self._drop.is_set():
                continue
            for sink in tuple(working):
                try:
                    sink.write(*item)
                except Exception as error:  # carried over to the caller's thread, whatever it is
                    working.remove(sink)
                    if self._failure is None:
                        self._failure = error
                    else:
                        logger.error("%s", error)
