"""What all reports say alike: moments, names of sources, who made it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bgsub import __version__
from bgsub.motion.clips.spans import Clip
from bgsub.motion.events import Event, Rule
from bgsub.motion.results import Scanned, SourceFacts
from bgsub.times import frame_of_timecode, timecode

Clips = Mapping[tuple[int, int], Clip]
"""Of an event, by the number of its result from 0 and its own, the clip that was written."""

GENERATOR = f"bgsub {__version__}"

ASSUMED_RATE = 25.0
"""Frames per second of a source that has none."""


def clock(facts: SourceFacts | None, seconds: float) -> datetime | None:
    """Return the wall-clock time of a moment of a timeline, where its file tells when it was recorded."""
    if facts is None or facts.recorded is None:
        return None
    try:
        return facts.recorded + timedelta(seconds=seconds)
    except OverflowError:
        return None


def written_clock(facts: SourceFacts | None, seconds: float) -> str | None:
    """Return that in ISO 8601, to the millisecond."""
    when = clock(facts, seconds)
    return None if when is None else when.isoformat(timespec="milliseconds")


def moment(facts: SourceFacts | None, frame: int, seconds: float) -> dict[str, Any]:
    """Return a moment as DVR-Scan's JSON has it, and the clock's time where it is known."""
    values: dict[str, Any] = {"frame": frame, "seconds": round(seconds, 6), "timecode": timecode(seconds)}
    when = written_clock(facts, seconds)
    return values if when is None else {**values, "clock": when}


def clips_among(written: Sequence[Sequence[Clip]]) -> dict[tuple[int, int], Clip]:
    """Return the clips that were written of each result as reports take them."""
    return {(i, clip.event.number): clip for i, clips in enumerate(written) for clip in clips}


def shown_span(result: Scanned, event: Event, rule: Rule, clip: Clip | None) -> tuple[float, float]:
    """Return from when to when an event is shown: by its clip, which may reach over; without, the event with padding.

    Parameters
    ----------
    result : Scanned
        Whose event it is.
    event : Event
        The event.
    rule : Rule
        With the padding.
    clip : Clip or None
        Of the event, if one was written.
    """
    if clip is not None:
        return clip.start, clip.end
    return event.padded(rule, None if result.facts is None else result.facts.duration)


def files_of(result: Scanned) -> tuple[str, ...]:
    """Return the files of a timeline as they were named."""
    return result.source or (result.facts.source if result.facts else ())


def named(result: Scanned) -> str:
    """Return how the source of a result is called: as it was given, several parts joined by `` + ``."""
    return " + ".join(files_of(result))


def short_name(result: Scanned) -> str:
    """Return the last part of its path, for headings."""
    files = files_of(result)
    if not files:
        return "?"
    name = Path(files[0]).name or files[0]
    return f"{name} and {len(files) - 1} more" if len(files) > 1 else name


def one_line(text: str) -> str:
    """Return a text from outside without line breaks and other controls."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def frame_span(result: Scanned, span: tuple[float, float]) -> tuple[int, int]:
    """Return the frames from the first of a clip to the one after its last, at the source's nominal rate.

    Parameters
    ----------
    result : Scanned
        With the rate.
    span : (float, float)
        Seconds from start to end.
    """
    rate = rate_of(result)
    first, after = (math.floor(seconds * rate + 0.5) for seconds in span)  # halves all to one side: lengths are kept
    return first, max(first + 1, after)


def start_of(result: Scanned) -> tuple[int, bool]:
    """Return at which number of frames the timecode of a source begins, and whether it is drop-frame: mostly 0."""
    told = result.facts.timecode if result.facts else None
    return (frame_of_timecode(told, rate_of(result)) if told else None) or (0, False)


def rate_of(result: Scanned) -> float:
    """Return the nominal frames per second of a source."""
    return (result.facts.fps if result.facts else None) or ASSUMED_RATE
