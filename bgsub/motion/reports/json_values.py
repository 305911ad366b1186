"""Events as JSON, by DVR-Scan's names where it has them, and as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from bgsub.motion.clips.spans import Clip
from bgsub.motion.events import Event, Rule
from bgsub.motion.reports.moments import GENERATOR, Clips, files_of, moment, shown_span, written_clock
from bgsub.motion.results import Scanned
from bgsub.motion.stored import as_plain
from bgsub.motion.tracking import Track
from bgsub.times import timecode

VERSION = 1


def json_report(results: Sequence[Scanned], rule: Rule, made: datetime, clips: Clips | None = None) -> bytes:
    """Return one JSON object: who made it, the rule, files with what is known of them, events and tracks.

    Parameters
    ----------
    results : sequence of Scanned
        What was scanned.
    rule : Rule
        With which.
    made : datetime
        When.
    clips : mapping, optional
        Those that were written, as of `write_report`.
    """
    rates = {result.facts.fps for result in results if result.facts is not None}
    values = {
        "version": VERSION,
        "generator": GENERATOR,
        "created": made.isoformat(timespec="seconds"),
        "input": {
            "files": [path for result in results for path in files_of(result)],
            "frame_rate": rates.pop() if len(rates) == 1 else None,
        },
        "rule": as_plain(rule),
        "scan": {
            "frames_processed": sum(result.tally.read for result in results),
            "num_events": sum(len(result.events) for result in results),
        },
        "sources": [source_values(result) for result in results],
        "events": [values for i, result in enumerate(results) for values in _events(i, result, rule, clips or {})],
        "tracks": [track_values(i, result, track) for i, result in enumerate(results) for track in result.tracks],
    }
    return json.dumps(values, indent=2, allow_nan=False).encode() + b"\n"


def json_lines_report(results: Sequence[Scanned], rule: Rule, clips: Clips | None = None) -> bytes:
    """Return a line an event, ``"type": "event"``, and after those of a source a line of it, ``"type": "source"``.

    Parameters
    ----------
    results : sequence of Scanned
        What was scanned.
    rule : Rule
        With which.
    clips : mapping, optional
        Those that were written, as of `write_report`.
    """
    lines: list[dict[str, Any]] = []
    for i, result in enumerate(results):
        lines += [{"type": "event", **values} for values in _events(i, result, rule, clips or {})]
        lines.append({"type": "source", **source_values(result)})
    return b"".join(json.dumps(line, allow_nan=False).encode() + b"\n" for line in lines)


def source_values(result: Scanned) -> dict[str, Any]:
    """Return what is known of a source, in types that JSON has."""
    facts = result.facts
    known: dict[str, Any] = {"files": list(files_of(result))}
    if facts is not None:
        known |= {
            "name": facts.name,
            "width": facts.width,
            "height": facts.height,
            "frame_rate": facts.fps,
            "duration": round(facts.duration, 6),
            "recorded": written_clock(facts, 0.0),
        }
    return known | {
        "frames_processed": result.tally.read,
        "num_events": len(result.events),
        "still": result.is_still,
        "error": result.error,
    }


def _events(source: int, result: Scanned, rule: Rule, clips: Clips) -> Iterator[dict[str, Any]]:
    return (event_values(source, result, event, rule, clips.get((source, event.number))) for event in result.events)


def event_values(source: int, result: Scanned, event: Event, rule: Rule, clip: Clip | None = None) -> dict[str, Any]:
    """Return an event in types that JSON has.

    Parameters
    ----------
    source : int
        Number of its source among those of the report, from 0.
    result : Scanned
        Whose event it is.
    event : Event
        The event.
    rule : Rule
        With the padding of its clip.
    clip : Clip, optional
        The one that was written: its real ends, its file, and whether it was copied.
    """
    facts = result.facts
    start, end = shown_span(result, event, rule, clip)
    shown: dict[str, Any] = {"start": round(start, 6), "end": round(end, 6)}
    if clip is not None:
        shown |= {"file": str(clip.path), "copied": clip.copied}
    length = event.length
    return {
        "number": event.number,
        "source": source,
        "files": list(files_of(result)),
        "start": moment(facts, event.first, event.start),
        "end": moment(facts, event.last, event.end),
        "duration": {
            "frame": event.last - event.first + 1,
            "seconds": round(length, 6),
            "timecode": timecode(length),
        },
        "peak": moment(facts, event.peak_frame, event.peak) | {"boxes": as_plain(event.peak_boxes)},
        "clip": shown,
        "box": list(event.box),
        "area": event.area,
        "share": event.share,
        "evidence": event.evidence,
        "frames": event.frames,
        "zones": list(event.zones),
        "tracks": list(event.tracks),
        "kind": event.kind,
        "unusual": event.unusual,
    }


def track_values(source: int, result: Scanned, track: Track) -> dict[str, Any]:
    """Return what a report tells of a track; its places frame by frame are those of ``--tracks``.

    Parameters
    ----------
    source : int
        Number of its source among those of the report, from 0.
    result : Scanned
        Whose track it is.
    track : Track
        The track.
    """
    first, last = track.sightings[0], track.sightings[-1]
    return {
        "number": track.number,
        "source": source,
        "start": moment(result.facts, first.frame, first.time),
        "end": moment(result.facts, last.frame, last.time),
        "from": list(first.center),
        "to": list(last.center),
        "sightings": len(track.sightings),
        "crossings": [crossing._asdict() for crossing in track.crossings],
    }
