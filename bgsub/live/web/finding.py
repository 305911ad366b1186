"""Events and segments by what a path says of them, out of the index alone."""

from __future__ import annotations

from datetime import timedelta

from bgsub.live.layout import moment
from bgsub.live.messages import EventRecord, SegmentRecord
from bgsub.live.web.questions import OfEvent
from bgsub.live.web.routing import Refused
from bgsub.live.web.station import Station


async def find_event(station: Station, place: OfEvent) -> EventRecord:
    """Return an event; raises `Refused` where there is none."""
    record = await station.ask(station.index.event, f"{place.camera}/{place.stamp}")
    if record is None:
        raise Refused(404, "there is no such event, or it has been removed")
    return record


async def find_segment(station: Station, place: OfEvent) -> SegmentRecord:
    """Return a continuous segment; raises `Refused` where there is none."""
    try:
        begins = moment(place.stamp)
    except ValueError:
        raise Refused(404, "there is no such moment") from None
    ends = begins + timedelta(milliseconds=1)
    found = await station.ask(station.index.segments, camera=place.camera, start=begins, end=ends)
    for record in found:
        if record.path.rpartition("/")[2].startswith(place.stamp):
            return record
    raise Refused(404, "there is no such segment, or it has been removed")
