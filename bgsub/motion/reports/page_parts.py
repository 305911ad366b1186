"""Parts of a page about events, as HTML: they come from values alone, so that a live page can show the same."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from bgsub.motion.events import Event
from bgsub.motion.reports.moments import clock, one_line, short_name
from bgsub.motion.results import Scanned
from bgsub.motion.thumbnails import as_jpeg
from bgsub.motion.tracking import Track
from bgsub.times import timecode

UNUSUAL = 0.9
"""Share of events that must be more usual for one to be marked; the page's script has the same."""

_COLUMNS = 1000  # of a timeline's picture
_PLACES, _PATHS = 60, 400  # of a path at most, and of a map


def shown(text: str) -> str:
    """Return a text from outside as HTML that says it, in one line, whatever is in it."""
    return escape(one_line(text).encode("utf-8", "backslashreplace").decode())


def event_id(source: int, event: Event) -> str:
    """Return by which name an event is found on the page."""
    return f"e{source}-{event.number}"


def timeline_row(source: int, result: Scanned, longest: float) -> str:
    """Return a source's name, and its events and motion graph over time.

    Parameters
    ----------
    source : int
        Its number on the page.
    result : Scanned
        What was found in it.
    longest : float
        Seconds that the whole width is.
    """
    scale = _COLUMNS / max(longest, 1e-9)
    bars = "".join(_bar(source, result, event, scale) for event in result.events)
    began = clock(result.facts, 0.0)
    when = f'<br><span class="soft">{began:%Y-%m-%d %H:%M:%S}</span>' if began else ""
    return (
        f'<div class="row"><div class="name">{shown(short_name(result))}{when}</div>'
        f'<svg viewBox="0 0 {_COLUMNS} 38" preserveAspectRatio="none" role="group" '
        f'aria-label="Events of {shown(short_name(result))}">{_graph(result, scale)}{bars}</svg></div>'
    )


def _bar(source: int, result: Scanned, event: Event, scale: float) -> str:
    left, width = event.start * scale, max(3.0, event.length * scale)
    title = f"{title_of(event)}, {timecode(event.start)} to {timecode(event.end)}"
    odd = " odd" if is_unusual(event) else ""
    return (
        f'<a href="#{event_id(source, event)}" data-event="{event_id(source, event)}" aria-label="{shown(title)}">'
        f'<title>{shown(title)}</title><rect class="bar{odd}" x="{left:.1f}" y="2" width="{width:.1f}" height="34" '
        'rx="2"/></a>'
    )


def _graph(result: Scanned, scale: float) -> str:
    """Return the motion graph as an area, by the root of the share that moves."""
    activity = result.activity
    if activity is None or len(activity.times) < 2 or not float(activity.shares.max()) > 0:
        return ""
    step = -(-len(activity.times) // _COLUMNS)
    starts = np.arange(0, len(activity.times), step)
    heights = 36 * np.sqrt(np.maximum.reduceat(activity.shares, starts) / float(activity.shares.max()))
    places = [f"{t * scale:.1f},{38 - h:.1f}" for t, h in zip(activity.times[starts], heights, strict=True)]
    first, last = places[0].split(",")[0], places[-1].split(",")[0]
    return f'<polygon class="graph" points="{first},38 {" ".join(places)} {last},38"/>'


def title_of(event: Event) -> str:
    """Return what an event is called on the page."""
    return f"Event {event.number}" if event.kind == "motion" else f"Event {event.number}, {one_line(event.kind)}"


def is_unusual(event: Event) -> bool:
    """Whether an event is marked as unlike the others."""
    return event.unusual is not None and event.unusual >= UNUSUAL


def event_card(
    source: int, result: Scanned, event: Event, zones: Sequence[str], picture: np.ndarray | None, clip: str | None
) -> str:
    """Return an item of the list of events.

    Parameters
    ----------
    source : int
        Number of its source on the page.
    result : Scanned
        Whose event it is.
    event : Event
        The event.
    zones : sequence of str
        All zones of the page; the item says by number which it has.
    picture : ndarray of uint8, or None
        Of its peak.
    clip : str or None
        Address of its clip, ready for HTML once escaped.
    """
    link = f' <a href="{escape(clip)}">Clip</a>' if clip else ""
    image = '<div class="nothing">no picture</div>'
    if picture is not None:
        image = f'<img src="{data_url(as_jpeg(picture, 75))}" alt="Peak of {shown(title_of(event))}">'
        image = f'<a href="{escape(clip)}">{image}</a>' if clip else image
    marks = [f'<span class="mark">{shown(zone)}</span>' for zone in event.zones]
    if is_unusual(event):
        marks.append(f'<span class="mark odd">unusual, more so than {event.unusual:.0%}</span>')
    when = clock(result.facts, event.start)
    said = [f'<h3>{shown(title_of(event))} <span class="soft">{shown(short_name(result))}</span></h3>']
    said.append(f'<p class="figures">{timecode(event.start)} – {timecode(event.end)} ({event.length:.1f} s){link}</p>')
    if when is not None:
        said.append(f'<p class="figures soft">{when:%Y-%m-%d %H:%M:%S}</p>')
    said.append(f'<p class="soft">{event.share:.1%} of the region moves at its peak</p>')
    said.append(f"<p>{' '.join(marks)}</p>" if marks else "")
    numbers = " ".join(str(zones.index(zone)) for zone in event.zones)
    return (
        f'<li class="event" id="{event_id(source, event)}" data-source="{source}" data-zones="{numbers}" '
        f'data-kind="{shown(event.kind)}" data-length="{event.length:.3f}" data-area="{event.area:.0f}" '
        f'data-unusual="{event.unusual or 0:.3f}">{image}<div class="said">{"".join(said)}</div></li>'
    )


def data_url(jpeg: bytes) -> str:
    """Return a picture as an address that needs no file."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def paths_of(result: Scanned) -> str:
    """Return the paths of tracks, the longest first where there are too many, as SVG over the source's picture."""
    if result.facts is None:
        return ""
    kept = sorted(result.tracks, key=lambda track: -len(track.sightings))[:_PATHS]
    lines = "".join(f'<polyline class="path" points="{_places(track)}"/>' for track in kept)
    size = f"0 0 {result.facts.width} {result.facts.height}"
    return f'<svg viewBox="{size}" preserveAspectRatio="none" aria-hidden="true">{lines}</svg>'


def _places(track: Track) -> str:
    step = -(-len(track.sightings) // _PLACES)
    kept = [*track.sightings[::step], track.sightings[-1]]
    return " ".join(f"{s.center[0]:.0f},{s.center[1]:.0f}" for s in kept)
