"""A live source that is opened again when it drops: its frames go on as if it had only paused."""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

import numpy as np

from bgsub.errors import SourceError
from bgsub.video.frame import Frame
from bgsub.video.readers.fitting import brought_to, like
from bgsub.video.readers.prefetch import Prefetch
from bgsub.video.selection import Selection
from bgsub.video.source import Source

log = logging.getLogger(__name__)

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what.

    Attributes
    ----------
    silence : float
        Seconds without a decoded picture after which a source counts as dropped.
    first_delay, longest_delay : float
        Seconds before the first attempt to open it again, and the most between two attempts: each waits twice as long
        as the one before. All are shortened by chance, by up to a half, so that a hundred cameras do not all come at
        once.
    settled : float
        Seconds after which a connection counts as good again, and the next delay is the first.
    """

    silence: float = 10.0
    first_delay: float = 1.0
    longest_delay: float = 30.0
    settled: float = 10.0

    def delay(self, failures: int, chance: float) -> float:
        """Return the seconds to wait after so many failures in a row, at least one; `chance` lies in [0, 1)."""
        longest = min(self.longest_delay, self.first_delay * 2.0 ** min(failures - 1, 30))
        return longest * (1 - chance / 2)


class ReconnectingSource(Source):
    """Frames of a live source, opened again whenever it drops.

    It has dropped when it raises `SourceError`, and when no picture was decoded for a while. Times go on by the world's
    clock over the gap, and indices without one; pictures of another size than the first are brought to it, with a
    warning. An end that is no error is the end.

    Parameters
    ----------
    open_ : callable
        Opens the source, whole and in its own size; called here for the first time, and for the later ones in a thread.
    selection : Selection
        Which frames are delivered, and at what size.
    depth : int
        Most frames read ahead, at least 1.
    patience : Patience, optional
        How long is waited for what.
    clock : callable, optional
        Seconds of a monotonic clock.
    sleep : callable, optional
        Waits so many seconds, or until it is of no use any more; by default until the source is closed.

    Attributes
    ----------
    reconnects : int
        How often it was opened again.

    Raises
    ------
    SourceError
        When it cannot be opened the first time, or is a recording, which would begin anew.
    """

    def __init__(
        self,
        open_: Callable[[], Source],
        selection: Selection,
        depth: int,
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._open = open_
        self._selection = selection
        self._depth = depth
        self._patience = patience or Patience()
        self._clock = clock
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._chance = random.Random()
        self._done_damage = self._done_drops = 0
        self._told_shape = False
        self._shape: tuple[int, ...] | None = None
        first = open_()
        if first.repeatable:
            first.close()
            raise SourceError(
                f"cannot reconnect to {first.info.name}: it is a recording, which would begin anew; leave it out"
            )
        self._reading: Prefetch | None = Prefetch(first, depth)
        self._name = first.info.name
        self._selection = selection.thinned(first.info.fps)
        self.info = self._selection.narrowed(first.info, uniform=False)
        self._frames = self._read()

    @property
    def damaged(self) -> int:  # type: ignore[override]
        """Frames skipped so far because they could not be decoded."""
        reading = self._reading
        return self._done_damage + (reading.damaged if reading else 0)

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """Frames skipped so far because the reader was slower than the world."""
        reading = self._reading
        return self._done_drops + (reading.dropped if reading else 0)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def _read(self) -> Iterator[Frame]:
        """Yield the selected frames of all connections."""
        delivered, time = False, 0.0
        for index, time, image in self._timeline():
            if self._selection.over(time):
                break
            if self._selection.wants(index, time):
                yield Frame(index, time, self._selection.resize(self._fitted(image)))
                delivered = True
        if not delivered and not self._closed.is_set():
            raise self._selection.nothing_in(self._name, time)

    def _timeline(self) -> Iterator[tuple[int, float, np.ndarray]]:
        """Yield the frames of all connections, with index and time on one timeline."""
        next_index, failures = 0, 0
        last: float | None = None
        seen = self._clock()
        while self._reading is not None and not self._closed.is_set():
            shift: tuple[int, float] | None = None  # from index and time in this connection to those in the whole
            try:
                for frame in self._watched():
                    now = self._clock()
                    if shift is None:
                        began = now
                        shift = (0, 0.0) if last is None else (next_index - frame.index, last + now - seen - frame.time)
                    failures = 0 if now - began >= self._patience.settled else failures
                    time = frame.time + shift[1]
                    last = time if last is None else max(time, math.nextafter(last, math.inf))
                    next_index, seen = frame.index + shift[0] + 1, now
                    yield next_index - 1, last, frame.image
                return
            except SourceError as error:
                log.warning("%s: it is opened again", str(error).partition(";")[0])  # without what a user could do
                self._leave()
            failures = self._reopen(failures + 1, ends=seen + self._selection.end - (last or 0.0))

    def _watched(self) -> Iterator[Frame]:
        """Yield the frames of this connection; raise `SourceError` when none has come for too long."""
        reading = self._reading
        while reading is not None and not self._closed.is_set():
            waited = 0.0
            while (taken := reading.take(min(_POLL_S, self._patience.silence))) is None:
                waited += min(_POLL_S, self._patience.silence)
                if waited >= self._patience.silence:
                    raise SourceError(f"{self._name} gave no picture for {self._patience.silence:g} s")
            frame = taken.frame
            if frame is None:
                return
            yield frame

    def _reopen(self, failures: int, ends: float) -> int:
        """Open the source again, however often it takes, before the time `ends`; return the failures so far."""
        dropped_at = self._clock()
        while not self._closed.is_set():
            self._sleep(min(self._patience.delay(failures, self._chance.random()), max(ends - self._clock(), 0.0)))
            if self._clock() >= ends:
                return failures
            opening = _Opening(self._open, self._depth)
            while not opening.wait(_POLL_S):
                if self._closed.is_set() or self._clock() >= ends:
                    opening.abandon()
                    return failures
            if opening.opened is not None:
                self._reading = opening.opened
                self.reconnects += 1
                log.warning("%s: opened again, %.1f s after it dropped", self._name, self._clock() - dropped_at)
                return failures
            failures += 1
            log.info("%s: attempt %d: %s", self._name, failures, opening.error)
        return failures

    def _leave(self) -> None:
        """Close this connection."""
        reading, self._reading = self._reading, None
        if reading is not None:
            self._done_damage += reading.damaged
            self._done_drops += reading.dropped
            reading.close()

    def _fitted(self, image: np.ndarray) -> np.ndarray:
        """Return an image in the size and the channels of the first."""
        if self._shape is None:
            self._shape = image.shape
        if image.shape == self._shape:
            return image
        if not self._told_shape:
            self._told_shape = True
            log.warning("%s now has %s: it is brought to %s", self._name, like(image.shape), like(self._shape))
        return brought_to(image, self._shape)

    def describe(self) -> dict[str, object]:
        """Return all that is known of the source, in types that JSON has."""
        return self._reading.describe() if self._reading else super().describe()

    def close(self) -> None:
        """End the iteration, also one that waits for the source to come back."""
        self._closed.set()
        self._leave()


class _Opening:
    """An attempt to open a source, in a daemon thread: an opening cannot be interrupted, but it can be left alone."""

    def __init__(self, open_: Callable[[], Source], depth: int) -> None:
        self._open = open_
        self._depth = depth
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._abandoned = False
        self.opened: Prefetch | None = None
        self.error: Exception | None = None
        threading.Thread(target=self._run, name="reopen", daemon=True).start()

    def _run(self) -> None:
        try:
            source = self._open()
        except Exception as error:  # the next attempt may go better
            self.error = error
        else:
            with self._lock:
                if self._abandoned:
                    source.close()
                else:
                    self.opened = Prefetch(source, self._depth)
        self._done.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the attempt; say whether it has come."""
        return self._done.wait(seconds)

    def abandon(self) -> None:
        """Close what is opened, now or later."""
        with self._lock:
            self._abandoned = True
            if self.opened is not None:
                self.opened.close()
