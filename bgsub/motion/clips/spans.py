"""What clips show, and what they are called."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgsub.errors import OutputError
from bgsub.motion.events import Event, Rule
from bgsub.motion.results import Scanned
from bgsub.outputs import check_output, safe_name

_DENSE = 15.0  # seconds between two clips that are rather read than sought over


@dataclass(frozen=True)
class Clip:
    """A clip of an event.

    Attributes
    ----------
    event : Event
        What it shows.
    start, end : float
        Seconds of the timeline: of its first frame, and when its last ends. Before it is written: what is wanted.
    path : Path
        Where it is.
    copied : bool
        Its packets are those of the source: it begins with a key frame.
    """

    event: Event
    start: float
    end: float
    path: Path
    copied: bool = False


def reach(clips: Sequence[Clip], rule: Rule, duration: float) -> tuple[float, float]:
    """Return by how many seconds clips show more than their events with padding: the most before, and the most after.

    Those that are copied begin with a key frame.
    """
    before = after = 0.0
    for clip in clips:
        start, end = clip.event.padded(rule, duration)
        before, after = max(before, start - clip.start), max(after, clip.end - end)
    return before, after


def plan_clips(result: Scanned, rule: Rule, folder: str | os.PathLike[str], suffix: str, name: str = "") -> list[Clip]:
    """Return the clips of a timeline's events, each with its padding: those of neighbours may show the same frames."""
    if result.facts is None:
        return []
    plain = safe_name(name or result.facts.name)
    digits = max(3, len(str(len(result.events))))
    clips = []
    for event in result.events:
        start, end = event.padded(rule, result.facts.duration)
        path = Path(folder) / f"{plain}.event-{event.number:0{digits}}{suffix}"
        clips.append(Clip(event, start, max(end, start + 1e-3), path))
    return clips


def check_clips(clips: Sequence[Clip], *, overwrite: bool, sources: Sequence[str]) -> None:
    """Make the folder, and raise `OutputError` unless all clips can be written, before any is."""
    for folder in {clip.path.parent for clip in clips}:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write clips to {folder}: {error.strerror}; choose another folder") from error
    for clip in clips:
        for source in sources or ("",):
            check_output(clip.path, overwrite=overwrite, source=source or None)


def passages(clips: Sequence[Clip]) -> Iterator[list[Clip]]:
    """Yield clips, in the order of time, that are read in one go: what lies between them is short."""
    together: list[Clip] = []
    end = 0.0
    for clip in sorted(clips, key=lambda clip: clip.start):
        if together and clip.start - end > _DENSE:
            yield together
            together = []
        end = max(end, clip.end) if together else clip.end
        together.append(clip)
    if together:
        yield together
