"""Packets become pictures in a thread of their own, which never holds up receiving them."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from typing import NamedTuple

import av
import av.error

from bgsub.video.live.packets import Kept, Template

_MOST_BYTES = 32 << 20
_MOST_BEHIND_S = 3.0
_POLL_S = 0.5
_MOST_HELD = 64  # pictures in a decoder that reorders


class Decoded(NamedTuple):
    """A picture, its time and its arrival, in seconds of the clock."""

    picture: av.VideoFrame
    time: float
    arrived: float


class Decoding:
    """Decodes the pictures of one connection.

    Who is slower than the camera skips to its last key frame.

    Parameters
    ----------
    template : Template
        What is decoded.
    deliver : callable
        Called in the thread with each `Decoded`; what it raises ends nothing and counts as damage.
    threads : int
        Threads of the decoder.

    Attributes
    ----------
    damaged, skipped : int
        Pictures that could not be decoded; packets left out to keep up.
    awaits_key : bool
        Nothing can be decoded before the next key frame.
    """

    def __init__(self, template: Template, deliver: Callable[[Decoded], None], threads: int) -> None:
        self.damaged = self.skipped = 0
        self._context = template.decoder(threads)
        self._tick = template.time_base
        self._deliver = deliver
        self._changed = threading.Condition()
        self._queue: collections.deque[tuple[Kept, float]] = collections.deque()
        self._n_bytes = 0
        self._closed = False
        self.awaits_key = True
        self._has_begun = False
        self._arrivals: collections.OrderedDict[int, float] = collections.OrderedDict()
        self._thread = threading.Thread(target=self._decode, name="decode", daemon=True)
        self._thread.start()

    def put(self, kept: Kept, arrival: float) -> None:
        """Take the next packet of pictures; it never waits."""
        with self._changed:
            if self.awaits_key and not kept.is_key:
                self.skipped += self._has_begun
                return
            self._has_begun = True
            self.awaits_key = False
            self._queue.append((kept, arrival))
            self._n_bytes += len(kept.data)
            if arrival - self._queue[0][1] > _MOST_BEHIND_S or self._n_bytes > _MOST_BYTES:
                self._skip()
            self._changed.notify_all()

    def _skip(self) -> None:
        """Leave out what lies before the last key frame that waits; all, where none does and there is too much."""
        key = next((index for index in range(len(self._queue) - 1, 0, -1) if self._queue[index][0].is_key), None)
        if key is None and self._n_bytes <= _MOST_BYTES:
            return
        for _ in range(len(self._queue) if key is None else key):
            self._n_bytes -= len(self._queue.popleft()[0].data)
            self.skipped += 1
        self.awaits_key = key is None

    def _decode(self) -> None:
        """Decode until it is closed; the thread's whole life."""
        while True:
            with self._changed:
                while not (self._queue or self._closed):
                    self._changed.wait(_POLL_S)
                if self._closed:
                    return
                kept, arrival = self._queue.popleft()
                self._n_bytes -= len(kept.data)
            self._decode_one(kept, arrival)

    def _decode_one(self, kept: Kept, arrival: float) -> None:
        self._arrivals[kept.pts] = arrival
        if len(self._arrivals) > _MOST_HELD:
            self._arrivals.popitem(last=False)
        ahead = kept.time - kept.dts * self._tick.numerator / self._tick.denominator
        try:
            for picture in self._context.decode(kept.as_packet()):
                if picture.is_corrupt:
                    self.damaged += 1
                    continue
                stamp = kept.pts if picture.pts is None else picture.pts
                time = ahead + stamp * self._tick.numerator / self._tick.denominator
                self._deliver(Decoded(picture, time, self._arrivals.pop(stamp, arrival)))
        except Exception:  # mostly FFmpeg's; a header that lies about a picture has many ways to fail
            self.damaged += 1

    def close(self) -> None:
        """Decode no more, and know those no more who were told: they know this one, and their memory is to be free."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()
        self._deliver = _nobody
        if self._thread is not threading.current_thread():
            self._thread.join(_POLL_S)


def _nobody(decoded: Decoded) -> None:
    """Take what comes after the end."""
