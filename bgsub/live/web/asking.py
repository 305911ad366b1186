"""What can be asked: how cameras are, what was recorded, and how much moved."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from starlette.responses import Response

from bgsub.live.health.state import CameraHealth
from bgsub.live.messages import EventRecord
from bgsub.live.web import questions
from bgsub.live.web.finding import find_event
from bgsub.live.web.questions import CameraState, Disk, EventPage, EventsAsked, News, Overview, TimeAsked
from bgsub.live.web.routing import Call, Refused
from bgsub.live.web.station import Station
from bgsub.live.web.viewing import Viewing

_LONGEST = timedelta(days=32)
_DISK_PATIENCE = 2.0  # seconds
STEPS = 288
"""Of a stretch of time: five minutes of a day."""

_SHARED = tuple(set(CameraState.__struct_fields__) - {"name", "events", "outages", "last_event"})


def camera_state(name: str, known: CameraHealth) -> CameraState:
    """Return how a camera is."""
    counts: dict[str, Any] = {"events": known.events, "outages": known.outages, "last_event": known.last_event}
    if known.status is None:
        return CameraState(name=name, state="starting", **counts)
    said: dict[str, Any] = {key: getattr(known.status, key) for key in _SHARED}
    return CameraState(name=name, **said, **counts)


def camera_states(station: Station) -> tuple[CameraState, ...]:
    """Return how all cameras are."""
    return tuple(camera_state(name, known) for name, known in station.health.cameras.items())


def news(station: Station, number: int, events: tuple[EventRecord, ...]) -> News:
    """Return what pages are told each second."""
    return News(
        number=number,
        at=station.clock.now(),
        cameras=camera_states(station),
        events=events,
        wrong=station.health.wrong(),
    )


async def overview(station: Station, call: Call) -> Overview:
    """Answer how all is."""
    return Overview(
        at=station.clock.now(),
        cameras=camera_states(station),
        disk=await _disk(station),
        wrong=station.health.wrong(),
    )


async def _disk(station: Station) -> Disk | None:
    """Return how much room there is; None where the disk is away, or does not answer."""
    counts = await station.ask(station.index.counts)
    try:
        async with asyncio.timeout(_DISK_PATIENCE):
            room = await station.read(shutil.disk_usage, Path(station.watch.directory))
    except OSError:  # of the disk, or since it took too long
        return None
    return Disk(
        recordings=counts.size, free=room.free, total=room.total, events=counts.events, segments=counts.segments
    )


async def camera(station: Station, call: Call) -> CameraState:
    """Answer how a camera is."""
    return camera_state(call.place.camera, known_camera(station, call.place.camera))


def known_camera(station: Station, name: str) -> CameraHealth:
    """Return what is known of a camera; raises `Refused` where there is none."""
    known = station.health.cameras.get(name)
    if known is None:
        raise Refused(404, "there is no camera of this name")
    return known


async def graph(viewing: Viewing, station: Station, call: Call) -> questions.Graph:
    """Answer how much moved before a camera, second by second."""
    known_camera(station, call.place.camera)
    return questions.Graph(end=station.clock.now(), shares=viewing.moved(call.place.camera))


async def events(station: Station, call: Call) -> EventPage:
    """Answer a page of events."""
    return await event_page(station, call.query)


async def event_page(station: Station, asked: EventsAsked) -> EventPage:
    """Return a page of events."""
    values = msgspec.structs.asdict(asked)
    values["limit"] += 1
    found = await station.ask(station.index.events, **values)
    more = len(found) > asked.limit
    page = found[: asked.limit]
    return EventPage(events=page, next=page[-1].id if more else None)


async def event(station: Station, call: Call) -> EventRecord:
    """Answer an event."""
    return await find_event(station, call.place)


async def segments(station: Station, call: Call) -> questions.SegmentList:
    """Answer the continuous segments of a stretch of time."""
    asked = checked_time(call.query)
    found = await station.ask(station.index.segments, camera=asked.camera, start=asked.start, end=asked.end)
    return questions.SegmentList(segments=found[:2000])


async def outages(station: Station, call: Call) -> questions.AwayList:
    """Answer when cameras gave no pictures."""
    asked = checked_time(call.query)
    found = await station.ask(station.index.outages, camera=asked.camera, start=asked.start, end=asked.end)
    return questions.AwayList(outages=[questions.Away(**one._asdict()) for one in found])


async def amounts(station: Station, call: Call) -> questions.Amounts:
    """Answer how much happened when."""
    asked = checked_time(call.query)
    step = max((asked.end - asked.start).total_seconds() / STEPS, 1.0)
    found = await station.ask(station.index.amounts, asked.start, asked.end, step, camera=asked.camera)
    return questions.Amounts(amounts=[questions.Amount(**one._asdict()) for one in found])


def checked_time(asked: TimeAsked) -> TimeAsked:
    """Return a stretch of time; raises `Refused` where it is none, or longer than a month."""
    if not timedelta(0) < asked.end - asked.start <= _LONGEST:
        raise Refused(400, f"give a start before an end, {_LONGEST.days} days apart at most")
    return asked


async def health(station: Station, call: Call) -> Response:
    """Answer how all is: 503 where something is wrong."""
    report = station.health.report()
    return Response(msgspec.json.encode(report), 200 if report["well"] else 503, media_type="application/json")


async def metrics(station: Station, call: Call) -> Response:
    """Answer the numbers as Prometheus reads them."""
    return Response(station.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
