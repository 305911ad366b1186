"""What was scanned as parts of a page: timelines, events and paths."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from bgsub.motion.events import Event
from bgsub.motion.reports.moments import clock, one_line, short_name
from bgsub.motion.reports.page_parts import Bar, Card, event_card, is_unusual, motion_area, timeline_row
from bgsub.motion.results import Scanned
from bgsub.motion.thumbnails import as_jpeg
from bgsub.motion.tracking import Track
from bgsub.times import timecode

_PLACES, _PATHS = 60, 400  # of a path at most, and of a map


def scanned_row(source: int, result: Scanned, longest: float) -> str:
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
    whole = max(longest, 1e-9)
    bars = [_bar(source, event, whole) for event in result.events]
    began = clock(result.facts, 0.0)
    activity = result.activity
    graph = "" if activity is None else motion_area(np.asarray(activity.times) / whole, np.asarray(activity.shares))
    return timeline_row(short_name(result), f"{began:%Y-%m-%d %H:%M:%S}" if began else "", bars, graph)


def _bar(source: int, event: Event, whole: float) -> Bar:
    title = f"{_title(event)}, {timecode(event.start)} to {timecode(event.end)}"
    identity = _identity(source, event)
    odd = is_unusual(event.unusual)
    return Bar(event.start / whole, event.length / whole, identity, f"#{identity}", title, odd)


def scanned_card(
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
        Address of its clip.
    """
    when = clock(result.facts, event.start)
    said = [] if when is None else [f'<p class="figures soft">{when:%Y-%m-%d %H:%M:%S}</p>']
    said.append(f'<p class="soft">{event.share:.1%} of the region moves at its peak</p>')
    facts = {
        "source": str(source),
        "zones": " ".join(str(zones.index(zone)) for zone in event.zones),
        "kind": event.kind,
        "length": f"{event.length:.3f}",
        "area": f"{event.area:.0f}",
        "unusual": f"{event.unusual or 0:.3f}",
    }
    return event_card(
        Card(
            identity=_identity(source, event),
            title=_title(event),
            source=short_name(result),
            span=f"{timecode(event.start)} – {timecode(event.end)} ({event.length:.1f} s)",
            said=said,
            zones=event.zones,
            unusual=event.unusual,
            picture=None if picture is None else data_url(as_jpeg(picture, 75)),
            link=clip,
            facts=facts,
        )
    )


def _identity(source: int, event: Event) -> str:
    return f"e{source}-{event.number}"


def _title(event: Event) -> str:
    return f"Event {event.number}" if event.kind == "motion" else f"Event {event.number}, {one_line(event.kind)}"


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
