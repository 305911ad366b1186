"""How many threads, and those that share work: the tiles of a frame, the blocks of a table.

Numba's own thread layer aborts the process when two threads start parallel loops at once, so kernels are serial,
without the GIL, and run here over ranges of tiles: each model has its own number of threads, and models can be used
side by side. Every tile is written by one thread, so masks do not depend on how many there are.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import length_hint
from queue import SimpleQueue
from typing import Any

Range = tuple[int, int]
Work = Callable[[int, int], None]
Results = SimpleQueue[BaseException | None]
_Shared = tuple[Work, Iterator[Range], set[Range], Results]

_RANGES_A_THREAD = 4
_PIXELS_PER_THREAD = 50_000  # fewer are not worth waking another thread for
_PATIENCE = 2.0  # seconds to wait for a range, which takes milliseconds, when a run is interrupted

_calls: SimpleQueue[tuple[_Shared, int]] = SimpleQueue()
_helpers: list[threading.Thread] = []
_hiring = threading.Lock()


_bound: int | None = None


def available_processors() -> int:
    """Return the number of processors that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return count if _bound is None else min(count, _bound)


def bound_processors(most: int) -> None:
    """Let this process count on so many processors: those of a machine are shared by all workers of a cluster there.

    Models and decoders that are not told their threads take no more, nor do OpenCV's functions.
    """
    import cv2

    global _bound
    _bound = most
    cv2.setNumThreads(min(cv2.getNumThreads(), most))


def processor_bound() -> int | None:
    """Return on how many processors this process shall count, or None where nobody has said."""
    return _bound


def usable_threads(threads: int | None) -> int:
    """Return `threads`, or for None the processors that this process may use.

    OMP_NUM_THREADS, which joblib's workers are started with so that they share the processors, limits them.
    """
    if threads is not None:
        return threads
    limit = os.environ.get("OMP_NUM_THREADS", "")
    processors = available_processors()
    return min(processors, int(limit)) if limit.isdecimal() and int(limit) else processors


def threads_for(n_pixels: int, threads: int | None) -> int:
    """Return how many threads to use for a frame: as many as have enough to do, at most `threads` or all processors."""
    most = available_processors() if threads is None else threads
    return max(1, min(most, n_pixels // _PIXELS_PER_THREAD))


def threads_beside_io(n_pixels: int, processors: int) -> int:
    """Return how many threads a model should take in a run, where decoding and writing need processors too.

    Together they cost about as much as the model, so it gets half of the processors. With more, it slows the others
    down by more than it gains: on two processors a whole run takes 8 % longer.
    """
    return threads_for(n_pixels, processors // 2)


def share(work: Work, n: int, threads: int) -> None:
    """Call ``work(lo, hi)`` for ranges that together are 0 to n, side by side, and wait for all.

    Each thread takes a range when it has done one, so that a busy part of the picture, or of the machine, holds nothing
    up; ranges are long, since a thread that walks straight through memory is faster. The caller works too, and waits
    only for ranges that a helper has taken: one that wakes too late costs nothing.

    Raises
    ------
    BaseException
        What `work` raised, after every range that was begun has ended.
    """
    if threads == 1:
        work(0, n)
        return
    step = -(-n // (threads * _RANGES_A_THREAD))
    ranges = [(lo, min(lo + step, n)) for lo in range(0, n, step)]
    left = iter(ranges)  # shared: `next` gives each range to one thread
    results: Results = SimpleQueue()
    running: set[Range] = set()
    _hire(threads - 1)
    shared = (work, left, running, results)
    _wake(shared, min(threads, len(ranges)) - 1)
    try:
        _take(*shared)
        errors = [error for error in (results.get() for _ in ranges) if error is not None]
    except BaseException:  # Ctrl-C outside `work`: the state must be at rest when it reaches the caller
        _settle(left, running)
        raise
    if errors:
        raise errors[0]


def each_its_own(make: Callable[[], Work]) -> Work:
    """Return work for `share` of which each thread makes its own: for what needs memory that nobody else writes to."""
    free: deque[Work] = deque()

    def work(lo: int, hi: int) -> None:
        try:
            own = free.pop()
        except IndexError:
            own = make()
        own(lo, hi)
        free.append(own)

    return work


class _OpencvBound:
    """OpenCV's number of threads while bounds are in force: the least of them, and the user's own again after the last.

    OpenCV has one number for the whole process. So models that run side by side share it, and calls of OpenCV that
    other threads make in the meantime see it too; a number that the user sets in the meantime stays.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bounds: list[int] = []
        self._own = self._set = 0

    def enter(self, threads: int) -> None:
        """Put a bound in force."""
        import cv2

        with self._lock:
            now = cv2.getNumThreads()
            if not self._bounds or now != self._set:
                self._own = now
            self._bounds.append(threads)
            self._apply()

    def leave(self, threads: int) -> None:
        """Take a bound away."""
        import cv2

        with self._lock:
            if cv2.getNumThreads() != self._set:
                self._own = cv2.getNumThreads()
            self._bounds.remove(threads)
            self._apply()

    def end(self) -> None:
        """Give the user's number back for good, whoever has asked for a bound."""
        if self._bounds:
            import cv2

            cv2.setNumThreads(self._own)

    def _apply(self) -> None:
        import cv2

        self._set = min([self._own, *self._bounds])
        if cv2.getNumThreads() != self._set:
            cv2.setNumThreads(self._set)


_opencv_bound = _OpencvBound()


@contextlib.contextmanager
def opencv_bounded(threads: int | None) -> Iterator[None]:
    """Let OpenCV's functions use no more than so many threads within a block; None leaves them alone.

    OpenCV has one number of threads for the whole process and none for a single call. So while a block runs, calls of
    OpenCV in other threads are bounded too; after the last block the number is the one that the user had set, before
    or in the meantime.
    """
    if threads is None:
        yield
        return
    _opencv_bound.enter(threads)
    try:
        yield
    finally:
        _opencv_bound.leave(threads)


class Crew:
    """Threads of its own, each with some memory, that share numbered pieces of work; for one, the caller's alone.

    For work of which each thread needs large arrays, as passes over tables do; `share` is for frames.

    Parameters
    ----------
    memories : sequence
        What each thread works with.
    """

    def __init__(self, memories: Sequence[Any]) -> None:
        self._memory: SimpleQueue[Any] = SimpleQueue()
        for memory in memories:
            self._memory.put(memory)
        self._pool = ThreadPoolExecutor(len(memories), "bgsub-crew") if len(memories) > 1 else None

    def run(self, work: Callable[[int, Any], None], n: int) -> None:
        """Call ``work(i, memory)`` for i from 0 to n - 1, and wait for all; raise the first error there was."""

        def one(i: int) -> None:
            memory = self._memory.get()
            try:
                work(i, memory)
            finally:
                self._memory.put(memory)

        if self._pool is None:
            for i in range(n):
                one(i)
            return
        futures: list[Future[None]] = [self._pool.submit(one, i) for i in range(n)]
        try:
            for future in futures:
                future.result()
        finally:  # after an error or Ctrl-C nothing must write to arrays that the caller has given up
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled():
                    future.exception()

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()


def _settle(left: Iterator[Range], running: set[Range]) -> None:
    """Let no range begin any more, and wait for those that were begun."""
    for _ in left:
        pass
    deadline = time.monotonic() + _PATIENCE
    while running and time.monotonic() < deadline:
        time.sleep(0.001)


def _take(work: Work, left: Iterator[Range], running: set[Range], results: Results) -> None:
    """Do one range after another while there are any."""
    for lo, hi in left:
        running.add((lo, hi))
        try:
            work(lo, hi)
        except BaseException as error:  # carried to the caller, who waits for a result of every range
            results.put(error)
        else:
            results.put(None)
        finally:
            running.discard((lo, hi))


def _hire(n: int) -> None:
    """See to it that there are at least n helpers."""
    with _hiring:
        while len(_helpers) < n:
            helper = threading.Thread(target=_help, name=f"bgsub-{len(_helpers) + 1}", daemon=True)
            helper.start()
            _helpers.append(helper)


def _wake(shared: _Shared, n: int) -> None:
    """Let n helpers share work: two are woken, who wake the others while the caller works."""
    for part in (n - n // 2, n // 2):
        if part:
            _calls.put((shared, part - 1))


def _help() -> None:
    while True:
        shared, others = _calls.get()
        if length_hint(shared[1]):
            _wake(shared, others)
            _take(*shared)
        del shared  # its arrays


def _forget_helpers() -> None:
    """Start afresh in a forked process: threads do not survive a fork, and a lock may be held by one of them."""
    global _calls, _hiring, _opencv_bound
    _calls, _hiring = SimpleQueue(), threading.Lock()
    before, _opencv_bound = _opencv_bound, _OpencvBound()
    before.end()
    _helpers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)
