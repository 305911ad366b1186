"""What one connection sends: timed, made whole, handed on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction

import av

from bgsub.errors import SourceError
from bgsub.video.live.clock import Clock
from bgsub.video.live.connecting import Arrived, Connection
from bgsub.video.live.decoding import Decoded, Decoding
from bgsub.video.live.halves import Halves
from bgsub.video.live.packets import Kept
from bgsub.video.live.stamps import StreamClock

_DRAINED_S = 0.02  # a read that takes longer waits for the camera: what was there already is drained
_MOST_FIRST = 512
_ASSUMED_RATE = 25
_LONGEST_REORDERED_S = 2
_LONGEST_GOP_S = 60.0  # that a camera may take to its next key frame


class Reception:
    """Receives packets of one connection.

    Parameters
    ----------
    connection : Connection
        Open; not closed here.
    clock : Clock
        Tells when packets arrive.
    keep : callable
        Called with each packet, from the first key frame on.
    deliver : callable or None
        Called with each decoded picture; None decodes none.
    silence : float
        Seconds without a picture after which the connection is no good.
    threads : int
        Threads that decode.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        keep: Callable[[Kept], None],
        deliver: Callable[[Decoded], None] | None,
        silence: float,
        threads: int,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._keep = keep
        self._silence = silence
        streams = connection.streams
        self._tick = streams.video.time_base
        self._sound_tick = streams.audio.time_base if streams.audio else self._tick
        self._stream_clock = StreamClock(believed=connection.has_clock)
        self._halves = Halves()
        self._unstamped: av.Packet | None = None
        self._awaits_key = True
        self._began = self._latest = clock.monotonic()  # the latter is of a picture
        self._size: tuple[int, int] | None = None
        self._other_size: tuple[int, int] | None = None
        self._deliver = deliver
        self._decoding = Decoding(streams.video, self._decoded, threads) if deliver else None

    @property
    def damaged(self) -> int:
        """Pictures that could not be decoded."""
        return self._decoding.damaged if self._decoding else 0

    @property
    def skipped(self) -> int:
        """Pictures that were not decoded, because decoding was slower than the camera."""
        return self._decoding.skipped if self._decoding else 0

    def _decoded(self, decoded: Decoded) -> None:
        """Take a picture, in the thread that decodes."""
        self._latest = self._clock.monotonic()
        size = decoded.picture.width, decoded.picture.height
        self._size = self._size or size
        if size != self._size:
            self._other_size = size  # what is recorded has to end
            return
        if self._deliver is not None:
            self._deliver(decoded)

    def receive(self, closed: threading.Event) -> None:
        """Receive until the source is closed.

        Raises
        ------
        SourceError
            When the connection is no good any more.
        """
        first: list[Arrived] | None = []
        before = self._clock.monotonic()
        for arrived in self._connection:
            if closed.is_set():
                return
            if first is not None:
                if arrived.arrival - before < _DRAINED_S and len(first) < _MOST_FIRST:
                    first.append(arrived)
                    before = self._clock.monotonic()
                    continue
                self._take_first([*first, arrived])
                first = None
            else:
                self._take(arrived)
            before = self._clock.monotonic()
            self._check(before)

    def _check(self, now: float) -> None:
        """Raise where a picture is overdue."""
        awaits_key = self._decoding.awaits_key if self._decoding else self._awaits_key
        if awaits_key and now - self._began < _LONGEST_GOP_S:
            self._latest = now  # packets come, but none yet with which decoding could begin
        if self._size and self._other_size:
            (width, height), (wide, high) = self._size, self._other_size
            raise SourceError(f"{self._connection.shown} changed its pictures from {width}x{height} to {wide}x{high}")
        if now - self._latest > self._silence:
            raise SourceError(f"{self._connection.shown} gave no picture for {self._silence:g} s")

    def _take_first(self, first: list[Arrived]) -> None:
        """Take what was there before the first wait: it came over the time before, not now."""
        newest = next((a for a in reversed(first) if a.is_video and _stamp(a) is not None), None)
        if newest is not None and self._stream_clock.believed:
            self._stream_clock.begin(float(_stamp(newest) * self._tick), newest.arrival)  # type: ignore[operator]
        for arrived in first:
            self._take(arrived)

    def _take(self, arrived: Arrived) -> None:
        """Time a packet, and hand it on."""
        packet, is_video, arrival = arrived
        tick = self._tick if is_video else self._sound_tick
        stamp = _stamp(arrived)
        if is_video and self._stream_clock.believed:
            if stamp is None:
                self._unstamped = packet if packet.is_keyframe else None
                return
            if self._unstamped is not None:
                self._take_unstamped(packet, stamp, arrival)
        seconds = None if stamp is None else stamp * tick.numerator / tick.denominator
        place = self._stream_clock.place if is_video else self._stream_clock.beside
        zero, time = place(seconds, arrival)
        if not self._stream_clock.believed or stamp is None:
            dts = round(Fraction(time) / tick)
            pts = dts + _reordered(packet, tick)
            zero, duration = 0.0, 0
        else:
            dts = stamp
            pts = packet.pts if packet.pts is not None else stamp
            duration = max(packet.duration or 0, 0)
        kept = Kept(bytes(packet), is_video, packet.is_keyframe, pts, dts, duration, zero, time)
        if is_video:
            self._take_picture(kept, arrival)
        elif not self._awaits_key:
            self._keep(kept)

    def _take_unstamped(self, following: av.Packet, stamp: int, arrival: float) -> None:
        """Take the first picture, or its first half, to which FFmpeg gives no time."""
        first, self._unstamped = self._unstamped, None
        assert first is not None
        step = first.duration or round((1 / (self._connection.streams.fps or _ASSUMED_RATE)) / self._tick)
        first.pts = first.dts = stamp if following.is_keyframe else stamp - step
        self._halves.seen |= following.is_keyframe
        self._take(Arrived(first, True, arrival))

    def _take_picture(self, kept: Kept, arrival: float) -> None:
        """Take a packet of pictures, which may be a part of one."""
        whole = self._halves.put(kept)
        if self._decoding is not None:
            if not self._halves.seen:
                self._decoding.put(kept, arrival)  # at once
            elif whole is not None:
                self._decoding.put(whole, arrival)
        if whole is not None and (whole.is_key or not self._awaits_key):
            self._awaits_key = False
            if self._decoding is None:
                self._latest = arrival
            self._keep(whole)

    def close(self) -> None:
        """Decode no more."""
        if self._decoding is not None:
            self._decoding.close()


def _reordered(packet: av.Packet, tick: Fraction) -> int:
    """Return by how many ticks a packet is shown later than decoded; that is right also where its clock is not."""
    if packet.pts is None or packet.dts is None or packet.time_base is None:
        return 0
    later = (packet.pts - packet.dts) * packet.time_base
    return round(later / tick) if 0 < later < _LONGEST_REORDERED_S else 0


def _stamp(arrived: Arrived) -> int | None:
    packet = arrived.packet
    return packet.dts if packet.dts is not None else packet.pts
