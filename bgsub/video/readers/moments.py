"""What a container says of its moments: when it was recorded, and how long a picture is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import av

from bgsub.video.readers.demuxing import Input
from bgsub.video.readers.packets import PacketSource
from bgsub.video.recorded import recorded_at

_LONGEST_TIMECODE = 20


def recorded_in(opened: Input, location: str, late: float) -> datetime | None:
    """Return the wall-clock time of the first frame, which comes so many seconds after the beginning of a file."""
    if opened.kind != "file":
        return None
    began = recorded_at(location, {**opened.stream.metadata, **opened.container.metadata})
    return None if began is None else began + timedelta(seconds=late)


def timecode_in(opened: Input) -> str | None:
    """Return the timecode of the first frame, where a file has one: in its own words, of a track or of the whole."""
    if opened.kind != "file":
        return None
    for tags in (opened.stream.metadata, opened.container.metadata):
        for name, text in tags.items():
            if name.lower() == "timecode":
                return text[:_LONGEST_TIMECODE]
    return None


def shown_for(picture: av.VideoFrame, packets: PacketSource, rate: Fraction | None) -> float | None:
    """Return the seconds for which a picture is shown, where that is known; by a rate that replaces times, if any."""
    if rate:
        return float(1 / rate)
    ticks, unit = packets.time_base.as_integer_ratio()
    seconds = max(picture.duration or 0, 0) * ticks / unit
    return seconds if seconds and packets.clock == "stamps" else None
