"""Events as an OpenTimelineIO timeline: plain JSON, with links to the recordings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bgsub.motion.events import Event, Rule
from bgsub.motion.reports.json_values import event_values
from bgsub.motion.reports.moments import files_of, frame_span, rate_of, short_name, start_of
from bgsub.motion.results import Scanned


def otio_report(results: Sequence[Scanned], rule: Rule) -> bytes:
    """Return a timeline of a video track with a clip an event, padding included, and a marker at its peak.

    Times of a recording begin with its own timecode, where it has one, and those of the timeline with the first one's.

    Parameters
    ----------
    results : sequence of Scanned
        Their events.
    rule : Rule
        With the padding.
    """
    first = next((result for result in results if result.events), None)
    begin = _moment(start_of(first)[0], rate_of(first)) if first is not None and start_of(first)[0] else None
    clips = [_clip(i, result, event, rule) for i, result in enumerate(results) for event in result.events]
    track = {"OTIO_SCHEMA": "Track.1", "name": "events", "kind": "Video", "children": clips}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]}
    timeline = {"OTIO_SCHEMA": "Timeline.1", "name": "motion", "global_start_time": begin, "tracks": stack}
    return json.dumps(timeline, indent=2, allow_nan=False).encode() + b"\n"


def _clip(source: int, result: Scanned, event: Event, rule: Rule) -> dict[str, Any]:
    rate = rate_of(result)
    until = result.facts.duration if result.facts else None
    start = start_of(result)[0]
    first, after = (start + frame for frame in frame_span(result, event.padded(rule, until)))
    peak = {
        "OTIO_SCHEMA": "Marker.2",
        "name": "peak",
        "color": "RED",
        "marked_range": _range(start + round(event.peak * rate), 1, rate),
    }
    media: dict[str, Any] = {"OTIO_SCHEMA": "MissingReference.1"}
    files = files_of(result)
    if len(files) == 1:  # of a joined timeline nobody can say in which file a frame lies
        whole = max(after - start, frame_span(result, (0.0, until or 0.0))[1])
        media = {
            "OTIO_SCHEMA": "ExternalReference.1",
            "target_url": _address(files[0]),
            "available_range": _range(start, whole, rate),
        }
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": f"{short_name(result)} event {event.number}",
        "source_range": _range(first, after - first, rate),
        "markers": [peak],
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
        "metadata": {"bgsub": event_values(source, result, event, rule)},
    }


def _range(first: int, length: int, rate: float) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _moment(first, rate),
        "duration": _moment(length, rate),
    }


def _moment(frames: int, rate: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(frames)}


def _address(source: str) -> str:
    """Return the URL of a file; one that is a URL already, or a device, stays as it is."""
    if "://" in source or source == "-" or source.isdecimal():
        return source
    try:
        return Path(source).absolute().as_uri()
    except (OSError, ValueError):
        return source
