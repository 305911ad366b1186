"""When a video has key frames: from its index, or from its packets, undecoded."""

from __future__ import annotations

from bgsub.errors import SourceError
from bgsub.video.opening import open_source
from bgsub.video.readers.container import ContainerSource
from bgsub.video.readers.packets import PacketSource, open_packets


def key_times(source: str, stream: int | None = None) -> list[float]:
    """Return the times of a video's key frames, and of its last packet.

    Parameters
    ----------
    source : str
        A video file, on this machine or on a store.
    stream : int, optional
        Number of the stream of pictures, as of `open_source`.

    Returns
    -------
    list of float
        Seconds from the first frame, rising, the end of the video last; empty where it is no file with times of its
        own, so that it cannot be told, or sought, where it could be cut.

    Raises
    ------
    SourceError
        When it cannot be opened.
    """
    with open_source(source, stream=stream, prefetch=0) as opened:
        if not isinstance(opened, ContainerSource) or opened.origin is None:
            return []
        location, origin = opened.location, opened.origin
    with open_packets(location, stream=stream) as packets:
        if not packets.repeatable or packets.joined:  # a clock that may be set anew leads a seek astray
            return []
        stamps = _indexed(packets) or _demuxed(packets)
        # An index has the times of decoding, some frames before those at which they are shown.
        times = {max(0.0, float(stamp * packets.time_base - origin)) for stamp in stamps}
    return sorted(times)


def _indexed(packets: PacketSource) -> list[int]:
    """Return time stamps from a container's index of all frames; none where it has no such index."""
    entries = packets.stream.index_entries
    if len(entries) < 2 or len(entries) != packets.stream.frames:
        return []
    stamps = [entry.timestamp for entry in entries if entry.is_keyframe]
    return [*stamps, entries[-1].timestamp]


def _demuxed(packets: PacketSource) -> list[int]:
    """Return time stamps from the packets; none where one has no time."""
    stamps: list[int] = []
    last = None
    try:
        for packet in packets:
            if packet.data.pts is None:
                return []
            last = packet.data.pts if last is None else max(last, packet.data.pts)
            if packet.keyframe:
                stamps.append(packet.data.pts)
    except SourceError:  # who scans it says where it breaks off
        return []
    return [] if last is None else [*stamps, last]
