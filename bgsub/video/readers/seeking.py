"""Late starts: a keyframe before the first frame that is wanted, whose index is certain, found without decoding."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import av

from bgsub.errors import SourceError
from bgsub.video.readers.packets import Packet, PacketSource

_MARGIN_S = 1.0  # containers index by decoding time, which runs ahead of the time shown
_MOST_LEADING = 32  # pictures that are decoded after a keyframe and shown before it
_MOST_KEPT = 64 << 20  # bytes of packets since a keyframe; where they are more, the file is read twice
_BREAK_S = 10.0  # as in `timestamps`: what may be a clock that was set


@dataclass(frozen=True, slots=True)
class Landing:
    """Where to begin to decode.

    Attributes
    ----------
    index : int
        Of the keyframe's picture, as a reader of the whole file counts.
    stamp : int
        Its time stamp. Pictures with earlier ones, which may come after it, cannot be decoded from here.
    """

    index: int
    stamp: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known of a file's first frame, from which times and indices count.

    Attributes
    ----------
    index : int
        Its index: more than 0 where those before it are damaged.
    stamp : int
        Its time stamp.
    """

    index: int
    stamp: int


def find(
    open_: Callable[[], PacketSource], first: Beginning, start: float, rate: Fraction | None = None
) -> tuple[PacketSource, Landing] | None:
    """Find where to begin to decode for a late start.

    A file with an index of all its frames is sought in. Of others the packets up to the start are read, undecoded, and
    counted: the way to an hour's end takes a second or two.

    Parameters
    ----------
    open_ : callable
        Opens the file at its beginning.
    first : Beginning
        Its first frame.
    start : float
        Seconds from the first frame that must not be passed.
    rate : Fraction or None
        Frames per second that replace the file's times.

    Returns
    -------
    tuple of PacketSource and Landing, or None
        Standing before the keyframe's packet; None where no place is certain, or the beginning is the best one.
    """
    source = open_()
    try:
        landing = None if rate else _jump(source, first, start)
        if landing is None:
            source.close()
            source = open_()
            counting = _Counting(first, start, source, rate)
            for packet in source:
                if not counting.take(packet):
                    break
            landing = counting.landing()
            if landing is not None and counting.kept:
                source.unread(counting.kept)
            elif landing is not None:
                source.close()
                source = open_()
                for packet in source:
                    if packet.index + 1 == counting.ordinal:
                        break
    except BaseException:
        source.close()
        raise
    if landing is None:
        source.close()
        return None
    return source, landing


def _jump(source: PacketSource, first: Beginning, start: float) -> Landing | None:
    """Seek where the container's index tells all frames (mp4, avi); None where the place is not certain."""
    stream = source.stream
    entries = stream.index_entries
    if first.index or len(entries) < 2 or len(entries) != stream.frames:
        return None
    stamps: list[int] = []
    for entry in entries:
        if entry.is_discard or (stamps and entry.timestamp <= stamps[-1]):
            return None
        stamps.append(entry.timestamp)
    begin = next(iter(source), None)
    if begin is None or begin.data.pts != first.stamp:
        return None
    wanted = first.stamp + int((start - _MARGIN_S) / source.time_base)
    try:
        source.seek(wanted)
    except SourceError:
        return None
    packets = list(itertools.islice(source, 1 + _MOST_LEADING))
    landed = packets[0].data if packets else None
    if landed is None or landed.pts is None or landed.dts is None or not landed.is_keyframe or landed.pts > wanted:
        return None
    place = bisect.bisect_left(stamps, landed.dts)
    later = [packet.data.pts for packet in packets[1:]]
    if place == len(stamps) or stamps[place] != landed.dts or None in later:
        return None
    source.unread(packets)
    return Landing(place + sum(pts < landed.pts for pts in later if pts is not None), landed.pts)


class _Counting:
    """Pictures counted from their packets.

    It holds to what is certain: every packet has its time, decoding times rise without a gap that could be a clock
    that was set, no two pictures have the same time, and what is decoded before a keyframe is shown before it.
    """

    def __init__(self, first: Beginning, start: float, source: PacketSource, rate: Fraction | None) -> None:
        self._first = first
        self._wanted = first.stamp + int(start / source.time_base)
        self._gap = int(_BREAK_S / source.time_base)
        self._joined = source.joined
        self._most = int(start * rate) if rate else None
        self._codec = source.codec
        self._pictures = first.index
        self._decoded: int | None = None
        self._latest = -(1 << 63)
        self._shown: set[int] = set()
        self._uncertain = False
        self._landing: Landing | None = None
        self._size = 0
        self.ordinal = 0
        self.kept: list[Packet] = []

    def landing(self) -> Landing | None:
        """Return the last keyframe before the start, if it is certain and not the first."""
        return None if self._uncertain or not self.ordinal else self._landing

    def take(self, packet: Packet) -> bool:
        """Count a packet; False where nothing more is needed, or nothing can be told."""
        pts, dts = packet.data.pts, packet.data.dts
        if pts is None or not self._rises(dts):
            self._uncertain = True
            return False
        if packet.keyframe:
            self._land(packet, pts)
        elif self._landing is not None:
            self._keep(packet)
        if pts >= self._first.stamp and not packet.data.is_discard and not self._is_hidden(packet.data):
            self._uncertain |= pts in self._shown
            self._shown.add(pts)
            self._pictures += 1
            if self._landing is not None and pts < self._landing.stamp:
                self._landing = replace(self._landing, index=self._landing.index + 1)
        self._latest = max(self._latest, pts)
        return not self._uncertain and not self._is_past(pts if dts is None else dts)

    def _rises(self, dts: int | None) -> bool:
        """Say whether the decoding time follows those before it."""
        before, self._decoded = self._decoded, self._decoded if dts is None else dts
        return dts is None or before is None or (before < dts and not (self._joined and dts > before + self._gap))

    def _is_past(self, stamp: int) -> bool:
        if self._most is not None:
            return self._pictures > self._most + _MOST_LEADING
        return stamp > self._wanted + (self._gap if self._decoded is None else 0)

    def _land(self, packet: Packet, pts: int) -> None:
        """Note a keyframe from which the wanted frames can be decoded."""
        self._shown.clear()
        late = pts > self._wanted if self._most is None else self._pictures + _MOST_LEADING > self._most
        if late or pts < self._first.stamp or pts <= self._latest:
            self._keep(packet)
            return
        self._landing = Landing(self._pictures, pts)
        self.ordinal, self._size, self.kept = packet.index, 0, []
        self._keep(packet)

    def _keep(self, packet: Packet) -> None:
        self._size += packet.data.size
        if self._size > _MOST_KEPT:
            self.kept = []
        elif self._landing is not None:
            self.kept.append(packet)

    def _is_hidden(self, data: av.Packet) -> bool:
        """Say whether a packet holds a picture that is only referred to, never shown."""
        return self._codec == "vp8" and not memoryview(data)[0] >> 4 & 1
