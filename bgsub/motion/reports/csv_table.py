"""Events as CSV: DVR-Scan's columns first, by its names and in its order, then what it does not have."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from bgsub.motion.clips.spans import Clip
from bgsub.motion.events import Event, Rule
from bgsub.motion.reports.moments import Clips, named, shown_span, written_clock
from bgsub.motion.results import Scanned
from bgsub.times import timecode

COLUMNS = (
    *("Event", "Start Time", "End Time", "Duration", "Start Frame", "End Frame", "Start (Seconds)", "End (Seconds)"),
    *("Source", "Recorded", "Clip Start (Seconds)", "Clip End (Seconds)", "Peak (Seconds)", "Peak Frame", "Frames"),
    *("Left", "Top", "Width", "Height", "Area", "Share", "Evidence", "Zones", "Tracks", "Kind", "Unusual"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_report(results: Sequence[Scanned], rule: Rule, clips: Clips | None = None) -> bytes:
    """Return a table of a row an event, in UTF-8, for programs and spreadsheets.

    Frames count from 0, and the end frame is the last one of motion; times are from the first frame of motion to the
    end of the last, without padding. The columns of the clip have it; where one was written, its real ends.

    Parameters
    ----------
    results : sequence of Scanned
        Their events.
    rule : Rule
        With the padding.
    clips : mapping, optional
        Those that were written, as of `write_report`.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    written = clips or {}
    for i, result in enumerate(results):
        table.writerows(_row(result, event, rule, written.get((i, event.number))) for event in result.events)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _row(result: Scanned, event: Event, rule: Rule, clip: Clip | None) -> list[Any]:
    shown = shown_span(result, event, rule, clip)
    return [
        event.number,
        *(timecode(seconds) for seconds in (event.start, event.end, event.length)),
        event.first,
        event.last,
        *(f"{seconds:.3f}" for seconds in (event.start, event.end)),
        _harmless_path(named(result)),
        written_clock(result.facts, event.start),
        *(f"{seconds:.3f}" for seconds in (*shown, event.peak)),
        event.peak_frame,
        event.frames,
        *event.box,
        round(event.area),
        f"{event.share:.6f}",
        f"{event.evidence:.3f}",
        _harmless("; ".join(event.zones)),
        "; ".join(map(str, event.tracks)),
        event.kind,
        None if event.unusual is None else f"{event.unusual:.3f}",
    ]


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _harmless_path(path: str) -> str:
    """Return a path that no spreadsheet takes for a formula, and that still is the same path."""
    return f"./{path}" if path.startswith(_FORMULA) else path
