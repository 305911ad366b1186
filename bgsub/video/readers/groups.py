"""Groups of whole pictures among the packets of a file: what a copy can be made of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

import av

from bgsub.errors import SourceError
from bgsub.video.readers.packets import PacketSource

NEVER = 1 << 62
"""A time stamp that does not come."""

_IN_SLICES = {"h264", "hevc"}  # a picture of these may come in several packets of one time
_JUMP = 10.0  # as in `timestamps`: a longer step of a clock is one that was set
_MOST_UNTOLD = 64  # pictures


class Group:
    """Whole pictures from a key frame on: those shown before a time stamp, and what they need.

    Attributes
    ----------
    shown : list of int
        Time stamps of the pictures that were given out.
    end : int
        When the last of them ends, once all are.
    """

    def __init__(self, packets: PacketSource, key: int, over: int, rate: Fraction) -> None:
        self._packets = packets
        self._key, self._over = key, over
        self._rate = rate
        self.shown: list[int] = []
        self.end = key

    def __iter__(self) -> Iterator[av.Packet]:
        latest, beyond = self._key, NEVER
        period = _period(self._packets, self._rate)
        for picture in _timed(_whole_pictures(self._packets), self._packets, period):
            stamp = shown_at(picture, self._packets)
            decoded = stamp if picture.dts is None else picture.dts
            over = decoded >= max(self._over, latest)
            if over and stamp > latest:
                beyond = min(beyond, stamp)
            if over and decoded >= min(beyond, latest + _JUMP / self._packets.time_base):
                break
            if stamp < self._key:
                continue  # shown before the key frame, and made of pictures that are not here
            if decoded >= self._over and stamp > latest:
                beyond = min(beyond, stamp)
                continue  # only what is shown between pictures that are here is missing
            latest = max(latest, stamp)
            self.shown.append(stamp)
            yield picture
        # A picture that stays for long, because nothing was recorded, is not waited for.
        self.end = min(beyond, max(latest + period, self._over if beyond < NEVER else 0))


def shown_at(packet: av.Packet, packets: PacketSource) -> int:
    """Return the time stamp at which a picture is shown."""
    if packet.pts is not None:
        return packet.pts
    if packet.dts is None or packets.stream.codec_context.has_b_frames:
        raise SourceError(refusal(packets.name, "it does not tell when its pictures are shown"))
    return packet.dts


def _whole_pictures(packets: PacketSource) -> Iterator[av.Packet]:
    """Yield packets of whole pictures: a stream may come with one of each slice."""
    held: av.Packet | None = None
    joins = packets.codec in _IN_SLICES
    for packet in packets:
        data = packet.data
        if held is not None and joins and data.pts is not None and data.pts == held.pts:
            held = _joined(held, data)
            continue
        if held is not None:
            yield held
        held = data
    if held is not None:
        yield held


def _period(packets: PacketSource, rate: Fraction) -> int:
    return max(1, round(1 / rate / packets.time_base))


def _timed(pictures: Iterator[av.Packet], packets: PacketSource, period: int) -> Iterator[av.Packet]:
    """Give the first pictures after a seek decoding times, which many containers do not tell of them."""
    ahead = []
    for picture in pictures:
        ahead.append(picture)
        if picture.dts is not None or len(ahead) == _MOST_UNTOLD:
            break
    if ahead and ahead[-1].dts is not None:
        for back, picture in enumerate(reversed(ahead)):
            picture.dts = ahead[-1].dts - back * period
    elif packets.stream.codec_context.has_b_frames:
        raise SourceError(refusal(packets.name, "it does not tell when its pictures are decoded"))
    yield from itertools.chain(ahead, pictures)


def _joined(first: av.Packet, second: av.Packet) -> av.Packet:
    joined = av.Packet(bytes(first) + bytes(second))
    joined.pts, joined.dts, joined.time_base = first.pts, first.dts, first.time_base
    joined.duration, joined.is_keyframe = first.duration, first.is_keyframe
    return joined


def where_clock_is_set(packets: PacketSource) -> float | None:
    """Return the time up to which the clock of a file runs; None if it does so to the end."""
    first = before = None
    for packet in packets:
        now = packet.data.dts if packet.data.dts is not None else packet.data.pts
        if now is None:
            continue
        first = now if first is None else first
        if before is not None and not -1.0 <= (now - before) * packets.time_base <= _JUMP:
            return float((before - first) * packets.time_base)
        before = now
    return None


def refusal(name: str, reason: str) -> str:
    """Say that a file cannot be copied, why, and what to do."""
    return f"{name} cannot be copied: {reason}; encode its clips anew"
