"""Parts of the page that are made here: the list of events and the timeline, as a scan's report has them.

Times are in UTC in ``<time datetime>``; the page's script writes them in the viewer's zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
import numpy as np
from starlette.responses import Response

from bgsub.live.archive.index_questions import MOST, Outage
from bgsub.live.messages import EventRecord
from bgsub.live.web.asking import STEPS, checked_time, event_page
from bgsub.live.web.questions import TimelineAsked
from bgsub.live.web.routing import Call
from bgsub.live.web.station import Station
from bgsub.motion.reports.page_parts import (
    Bar,
    Card,
    choice,
    event_card,
    filter_form,
    is_unusual,
    least_length,
    motion_area,
    shown,
    timeline_axis,
    timeline_row,
    unusual_alone,
)

_MOST_BARS = MOST  # of a camera; of more the graph tells


async def event_list(station: Station, call: Call) -> Response:
    """Answer a page of events as a list."""
    page = await event_page(station, call.query)
    cards = "".join(_card(record) for record in page.events)
    following = "" if page.next is None else f' data-next="{shown(page.next)}"'
    return _html(f'<ul class="events"{following}>{cards}</ul>')


async def timeline(station: Station, call: Call) -> Response:
    """Answer the events and the motion of a stretch of time as one row for each camera."""
    asked = call.query
    checked_time(asked)
    names = [camera.name for camera in station.watch.cameras if asked.camera in (None, camera.name)]
    rows = [await station.ask(_row, station, name, asked) for name in names]
    step = (asked.end - asked.start) / 4
    axis = timeline_axis([_time(asked.start + n * step, "clock") for n in range(5)])
    return _html("".join(rows) + axis)


async def form(station: Station, call: Call) -> Response:
    """Answer the form that filters events."""
    cameras = [camera.name for camera in station.watch.cameras]
    zones = sorted({z.name for c in station.watch.cameras for z in c.zones if z.kind in ("watch", "line")})
    fields = [
        '<label>Day<input type="date" name="day"></label>',
        '<label>From<input type="time" name="from"></label>',
        '<label>Until<input type="time" name="until"></label>',
        choice("source", "Camera", [(name, name) for name in cameras]) if len(cameras) > 1 else "",
        choice("zone", "Zone", [(zone, zone) for zone in zones]) if zones else "",
        least_length(),
        unusual_alone(),
    ]
    return _html(filter_form(fields))


def _row(station: Station, name: str, asked: TimelineAsked) -> str:
    start, end = asked.start, asked.end
    whole = (end - start).total_seconds()
    found = station.index.events(**{**msgspec.structs.asdict(asked), "camera": name, "limit": _MOST_BARS})
    amounts = station.index.amounts(start, end, max(whole / STEPS, 1.0), camera=name)
    places = np.array([(one.start - start).total_seconds() / whole for one in amounts])
    graph = motion_area(places, np.array([one.seconds for one in amounts]))
    away = "".join(_gap(one, start, whole) for one in station.index.outages(camera=name, start=start, end=end))
    n_events = sum(one.events for one in amounts)
    note = f"{n_events} event{'' if n_events == 1 else 's'}"
    if len(found) == _MOST_BARS:
        note += f", the last {_MOST_BARS} drawn"
    now = min(station.clock.now(), end)
    return timeline_row(name, note, [_bar(record, start, whole, now) for record in found], away + graph)


def _bar(record: EventRecord, start: datetime, whole: float, now: datetime) -> Bar:
    length = ((record.end or now) - record.start).total_seconds()
    lasts = f"{length:.1f} s" if record.end else "goes on"
    title = f"{record.kind}, {record.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}, {lasts}"
    odd = is_unusual(record.unusual)
    at = (record.start - start).total_seconds() / whole
    return Bar(at, length / whole, record.id, _link(record), title, odd)


def _gap(outage: Outage, start: datetime, whole: float) -> str:
    """Return a time in which a camera was away as a part of its row's picture."""
    left = max(0.0, (outage.start - start).total_seconds() / whole)
    right = 1.0 if outage.end is None else min(1.0, (outage.end - start).total_seconds() / whole)
    title = f"away since {outage.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}: {outage.why}"
    return (
        f'<g role="img" aria-label="{shown(title)}"><title>{shown(title)}</title><rect class="away" '
        f'x="{left * 1000:.1f}" y="0" width="{max(2.0, (right - left) * 1000):.1f}" height="38"/></g>'
    )


def _card(record: EventRecord) -> str:
    length = None if record.end is None else (record.end - record.start).total_seconds()
    span = f"{_time(record.start, 'moment')} ({'goes on' if length is None else f'{length:.1f} s'})"
    said = []
    crossings = ", ".join(f"{what} {n}" for what, n in record.crossings.items())
    if crossings:
        said.append(f'<p class="soft">{shown(crossings)}</p>')
    if record.gap:
        said.append(f'<p class="soft">the camera was away for {record.gap:.0f} s of it</p>')
    if record.error:
        said.append(f'<p class="wrong">{shown(record.error)}</p>')
    address = f"/api/events/{quote(record.camera)}/{quote(record.id.rpartition('/')[2])}"
    return event_card(
        Card(
            identity=record.id,
            title="Motion" if record.kind == "motion" else record.kind.capitalize(),
            source=record.camera,
            span=span,
            said=said,
            zones=record.zones,
            unusual=record.unusual,
            picture=None if record.thumbnail is None else f"{address}/thumbnail",
            link=_link(record),
            facts={"camera": record.camera},
            offered="Play" if record.clip or record.segments else "More",
        )
    )


def _link(record: EventRecord) -> str:
    return f"#/event/{quote(record.id)}"


def _time(when: datetime, how: str) -> str:
    """Return a time for the page's script to write in the viewer's zone; without it one reads UTC."""
    when = when.astimezone(UTC)
    exact = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'<time datetime="{exact}" data-show="{how}">{when:%Y-%m-%d %H:%M:%S} UTC</time>'


def _html(text: str) -> Response:
    return Response(text, media_type="text/html; charset=utf-8")
