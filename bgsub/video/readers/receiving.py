"""Packets of a network source, received in a thread of their own: when each came, and whether at the world's pace."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import av
from av.container import InputContainer

from bgsub.video.readers.demuxing import size_of

LIVE_SCHEMES = frozenset({"rtmp", "rtmps", "rtmpt", "rtp", "rtsp", "rtsps", "srt", "srtp", "udp"})
"""Ways to send that are for live streams: a time stamp that does not agree with the world's clock is wrong."""

CLOCKLESS = frozenset(
    {
        "alp", "avs2", "avs3", "cavsvideo", "dirac", "evc", "h261", "h263", "h264", "hevc", "image2pipe", "jpeg_pipe",
        "m4v", "mjpeg", "mjpeg_2000", "mpegvideo", "mpjpeg", "obu", "png_pipe", "rawvideo", "vc1", "vvc",
    }
)  # fmt: skip
"""Formats without time stamps: FFmpeg numbers their pictures, mostly at 25 a second, whatever a camera sends."""

_PLAYLISTS = frozenset({"dash", "hls", "rtsp", "sdp"})  # the size that FFmpeg tells is that of the list

JOIN_TIMEOUT = 1.0
"""Seconds that closing waits for a thread that is blocked in a read."""

_MOST_BYTES = 64 << 20  # received and not yet asked for; beyond, the sender is made to wait
_MOST_PACKETS = 4096
_DRAINED_S = 0.02  # a read that takes longer waits for the sender: what was there already is drained
_MOST_BACKLOG = 512
_WINDOW_S = 10.0
_FASTEST, _SLOWEST, _SLACK_S = 1.05, 0.8, 0.2  # seconds of video a second, and more, that still are the world's pace
_CONNECTING_S = 1.0
_BURST_RATE, _BURST = 240, 24  # so many packets a second, and so many at least, come from no camera
_SET_S = 10.0  # a step of the time stamps that is none of the time
_END_S = 0.25  # in which the end follows on what was there before it was asked for, or a camera's next picture
_BURST_S = 3.0  # and neither so many seconds of video more than have passed
_HALF_LIFE_S = 30.0
_POLL_S = 0.5  # a wait without a limit cannot be interrupted with Ctrl-C on Windows


class Received(NamedTuple):
    """A packet, and when it came.

    Attributes
    ----------
    data : av.Packet
        The packet.
    arrival : float or None
        Seconds of the monotonic clock; None where packets do not come by themselves.
    """

    data: av.Packet
    arrival: float | None


class _Mark(NamedTuple):
    """A packet's arrival beside its own time, in seconds."""

    arrival: float
    stamp: float


def is_recording(container: InputContainer) -> bool:
    """Say whether a network source tells its length, in seconds or in bytes: then it waits for its reader."""
    return container.duration is not None or (
        container.format.name not in _PLAYLISTS and size_of(container) is not None
    )


def _agree(shown: float, passed: float, connecting: float) -> bool:
    """Say whether so many seconds of video came in so many of the world, of which some went into connecting."""
    return _SLOWEST * passed - connecting <= shown <= _FASTEST * passed + _SLACK_S


class Receiver:
    """Receives packets ahead in a daemon thread, and watches their pace.

    What was already there at the beginning (FFmpeg gathers packets to find out what a stream is) is taken to have come
    evenly since the connection was begun.

    Parameters
    ----------
    packets : iterator of av.Packet
        Read in the thread, and nowhere else.
    close : callable
        Closes what the packets come from; called once, when the thread reads no more and the receiver is closed.
    began : float
        When the connection was begun, by the monotonic clock.
    seconds_per_tick : float
        Of the packets' time stamps.

    Attributes
    ----------
    backlog : int
        Packets that were there before the first wait: when each came is not known.
    """

    def __init__(
        self, packets: Iterator[av.Packet], close: Callable[[], None], began: float, seconds_per_tick: float
    ) -> None:
        self._packets = packets
        self._close = close
        self._began = began
        self._tick = seconds_per_tick
        self._changed = threading.Condition()
        self._queue: collections.deque[Received] = collections.deque()
        self._size = 0
        self._count = 0
        self._drained = False
        self.backlog = 0
        self._reading_since = time.monotonic()
        self._marks: collections.deque[_Mark] = collections.deque()
        self._first: _Mark | None = None
        self._last_arrival: float | None = None
        self._held_until = 0.0
        self._silence = 0.0
        self._ended = self._stopped = self._closed = self._interrupted = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._receive, name="receive", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Received]:
        """Yield the packets as they come; raise what reading them raised."""
        while (received := self.next()) is not None:
            yield received

    def next(self) -> Received | None:
        """Wait for the next packet; None at the end."""
        self._await_drained()
        with self._changed:
            while not (self._queue or self._ended or self._stopped or self._interrupted):
                self._changed.wait(_POLL_S)
            if self._interrupted:
                return None
            if self._queue and not self._stopped:
                received = self._queue.popleft()
                self._size -= received.data.size
                self._changed.notify_all()
                return received
            error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def waiting(self) -> list[av.Packet]:
        """Return the packets that were there from the beginning, and leave them to be read."""
        self._await_drained()
        with self._changed:
            return [received.data for received in self._queue]

    # ------------------------------------------------------------------------------------------------ its pace

    def is_burst(self, *, clockless: bool) -> bool:
        """Say whether more came since the connection was begun than any camera sends: it is a recording.

        Parameters
        ----------
        clockless : bool
            The format has no time stamps: what came whole before it was asked for is a recording too, however short.
        """
        self._await_drained()
        with self._changed:
            if clockless:
                self._changed.wait_for(lambda: self._ended or self._count > self.backlog, _END_S)
                if self._ended and self._count == self.backlog:
                    return True
            took = max((self._last_arrival or 0.0) - self._began, 1e-3)
            shown = self._marks[-1].stamp - self._first.stamp if self._first and not clockless else 0.0
            return shown > _BURST_S + 2 * took or (self._count >= _BURST and self._count > _BURST_RATE * took)

    @property
    def rate(self) -> float | None:
        """Packets per second so far, None where they are too few."""
        self._await_drained()
        with self._changed:
            took = (self._last_arrival or 0.0) - self._began
            return (self._count - 1) / took if self._count >= 3 and took > 0 else None

    @property
    def is_paced(self) -> bool:
        """Packets come as fast as their time stamps say, by the world's clock, as far as can be seen."""
        with self._changed:
            first, marks = self._first, self._marks
            if first is None or self._held_until > marks[0].arrival:
                return False
            last, oldest = marks[-1], marks[0]
            if _agree(last.stamp - first.stamp, last.arrival - self._began, _CONNECTING_S):
                return True
            in_window = last.arrival - oldest.arrival
            return in_window >= _WINDOW_S / 2 and _agree(last.stamp - oldest.stamp, in_window, _SLACK_S)

    @property
    def has_ended(self) -> bool:
        """Nothing more will come."""
        with self._changed:
            return self._ended

    @property
    def silence(self) -> float:
        """Longest seconds between two packets, those long ago counting less."""
        with self._changed:
            return self._silence

    # ------------------------------------------------------------------------------------------------ its thread

    def _receive(self) -> None:
        """Read packets until they end or the receiver is closed; the thread's whole life."""
        try:
            for data in self._packets:
                if not self._put(data):
                    break
        except Exception as error:  # handed to the reader, who raises it
            self._error = error
        with self._changed:
            self._ended = True
            self._drain()
            self._changed.notify_all()
        self._close_once()

    def _put(self, data: av.Packet) -> bool:
        """Append a packet; wait while there are too many; False once the receiver is closed."""
        now = time.monotonic()
        with self._changed:
            if now - self._reading_since > _DRAINED_S or self._count >= _MOST_BACKLOG:
                self._drain()
            self._queue.append(Received(data, now))
            self._size += data.size
            self._count += 1
            self._note(now, data.pts if data.pts is not None else data.dts)
            self._changed.notify_all()
            while (self._size > _MOST_BYTES or len(self._queue) > _MOST_PACKETS) and not self._stopped:
                self._drain()
                self._changed.wait(_POLL_S)
                self._held_until = time.monotonic()
            self._reading_since = time.monotonic()
            return not self._stopped

    def _note(self, now: float, stamp: int | None) -> None:
        """Remember when a packet came."""
        gap = now - (now if self._last_arrival is None else self._last_arrival)
        self._silence = max(gap, self._silence * 0.5 ** (gap / _HALF_LIFE_S))
        self._last_arrival = now
        if stamp is None:
            return
        mark = _Mark(now, stamp * self._tick)
        if self._marks and not -_SET_S < mark.stamp - self._marks[-1].stamp < _SET_S:
            self._marks.clear()
            self._first, self._began = None, now
        self._first = self._first or mark
        self._marks.append(mark)
        while now - self._marks[0].arrival > _WINDOW_S or len(self._marks) > _MOST_PACKETS:
            self._marks.popleft()

    def _await_drained(self) -> None:
        """Wait until what was there from the beginning has been read, so that it is known how much that was."""
        with self._changed:
            while not (self._drained or self._stopped or self._interrupted):
                if self._count and time.monotonic() - self._reading_since > _DRAINED_S:
                    self._drain()
                else:
                    self._changed.wait(_DRAINED_S)

    def _drain(self) -> None:
        """Spread what came before now over the time since the connection was begun."""
        if self._drained:
            return
        self._drained = True
        self.backlog = self._count
        waiting = list(self._queue)
        step = (self._reading_since - self._began) / max(len(waiting) - 1, 1)
        self._queue = collections.deque(
            Received(received.data, self._began + index * step) for index, received in enumerate(waiting)
        )
        self._changed.notify_all()

    # ------------------------------------------------------------------------------------------------ its end

    def interrupt(self) -> None:
        """Let who waits for a packet wait no longer; may be called in any thread."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Receive no more. A thread that is blocked in a read closes the source as soon as that returns."""
        with self._changed:
            self._stopped = True
            self._queue.clear()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(JOIN_TIMEOUT)
        self._close_once()

    def _close_once(self) -> None:
        with self._changed:
            if not (self._ended and self._stopped) or self._closed:
                return
            self._closed = True
        self._close()
