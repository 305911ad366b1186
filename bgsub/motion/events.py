"""Events: when something moved. A pure function of times and blobs; it reads and writes nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from bgsub.errors import ParameterError
from bgsub.motion.blobs import Box
from bgsub.motion.observing import TOLD_LATE, Observation


@dataclass(frozen=True)
class Rule:
    """When what moves is an event.

    Attributes
    ----------
    threshold : float
        Least area that moves in a frame of motion: below 1 a share of the region, from 1 on pixels of the source.
    min_length : float
        Seconds from the first frame of motion to the end of the last; what is shorter is no event.
    max_length : float or None
        Seconds after which an event is closed and the next one opened.
    merge : float
        Seconds: motion that follows so soon belongs to the same event.
    before, after : float
        Seconds that clips show before and after an event. They merge nothing.
    max_events : int or None
        No more than so many; the scan ends with the last.

    Raises
    ------
    ParameterError
        When a value is out of its bounds.
    """

    threshold: float = 0.0005
    min_length: float = 0.2
    max_length: float | None = None
    merge: float = 2.0
    before: float = 1.5
    after: float = 2.0
    max_events: int | None = None

    def __post_init__(self) -> None:
        for name in ("min_length", "merge", "before", "after"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ParameterError(f"{name}={value} is out of bounds; give seconds from 0")
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise ParameterError(f"threshold={self.threshold} is out of bounds; give a share below 1, or pixels")
        if self.max_length is not None and not self.max_length > max(self.min_length, 0):
            raise ParameterError(f"max_length={self.max_length} is out of bounds; give more seconds than min_length")
        if self.max_events is not None and self.max_events < 1:
            raise ParameterError(f"max_events={self.max_events} is out of bounds; give 1 or more")


@dataclass(frozen=True)
class Event:
    """Something moved.

    Attributes
    ----------
    number : int
        From 1, in the order of time.
    start, end : float
        Seconds from the first frame of the timeline: the time of the first frame of motion, and that of the first
        still frame after the last one (at the end of a video, when its last frame ends). No padding.
    first, last : int
        Numbers of the first and the last frame of motion.
    peak, peak_frame : float, int
        Time and number of the frame in which most moves.
    box : (int, int, int, int)
        Left, top, width and height around all that moved, in pixels of the source.
    peak_boxes : tuple of (int, int, int, int)
        Boxes of what moves at the peak.
    area : float
        Largest area that moves in a frame, in pixels of the source.
    share : float
        Of the region, in that frame.
    evidence : float
        Mean probability of what moved, 0 to 1, weighted by area.
    frames : int
        Frames of motion.
    zones : tuple of str
        Names of the zones that what moved has touched, in the order of the alphabet.
    tracks : tuple of int
        Numbers of the tracks that were seen in it.
    kind : str
        "motion"; "stopped", "removed" or "ghost" where that is what it turned out to be.
    unusual : float or None
        From 0 to 1: the share of this scan's events that are more usual; None before they were compared.
    """

    number: int
    start: float
    end: float
    first: int
    last: int
    peak: float
    peak_frame: int
    box: Box
    peak_boxes: tuple[Box, ...] = ()
    area: float = 0.0
    share: float = 0.0
    evidence: float = 1.0
    frames: int = 1
    zones: tuple[str, ...] = ()
    tracks: tuple[int, ...] = ()
    kind: str = "motion"
    unusual: float | None = None

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start

    def padded(self, rule: Rule, until: float | None = None) -> tuple[float, float]:
        """Return the seconds that a clip shows, from the timeline's start to its end (`until`) at most."""
        end = self.end + rule.after
        return max(0.0, self.start - rule.before), end if until is None else min(end, until)


class EventFinder:
    """Opens and closes events, from one observation to the next.

    Parameters
    ----------
    rule : Rule
        When motion is an event.
    region : float
        Pixels of the source that are looked at.

    Examples
    --------
    >>> from bgsub.motion.blobs import Blob
    >>> finder = EventFinder(Rule(merge=0.5), region=1000.0)
    >>> events = []
    >>> for i in range(50):
    ...     moving = (Blob((0, 0, 10, 10), 80.0, (4.5, 4.5), 1.0),) if 10 <= i < 30 else ()
    ...     events += finder.update(Observation(i, i / 25, moving))
    >>> [(event.start, event.end, event.first, event.last) for event in events + finder.finish(2.0)]
    [(0.4, 1.2, 10, 29)]
    """

    def __init__(self, rule: Rule, region: float) -> None:
        self.rule = rule
        self._least = rule.threshold * region if rule.threshold < 1 else rule.threshold
        self._region = region
        self._event: Event | None = None
        self._moves = False
        self._end = 0.0  # of the event that is open, as far as is known
        self._weight = 0.0
        self._ended = (-math.inf, 0)  # when the last event did, and the first frame after it
        self._n = 0

    @property
    def is_open(self) -> bool:
        """Whether something moves, or has done so just now."""
        return self._event is not None

    @property
    def event(self) -> Event | None:
        """The event that is open, as far as it is known by now: its number is 0."""
        return self._event and replace(self._event, end=max(self._end, self._event.start))

    @property
    def moves(self) -> bool:
        """Whether the last frame was one of motion."""
        return self._moves

    def update(self, seen: Observation, tracks: tuple[int, ...] = ()) -> list[Event]:
        """Take what a frame shows, and return the events that are closed by it: none or one."""
        closed: list[Event] = []
        if self._moves:
            self._end = seen.time
        moves = not seen.light and seen.area >= self._least
        if self._event is not None:
            begins = seen.time if seen.since is None else max(seen.since, self._end)
            too_late = (begins if moves else seen.time - TOLD_LATE) - self._end > self.rule.merge
            too_long = self.rule.max_length is not None and seen.time - self._event.start >= self.rule.max_length
            if too_late or too_long:
                closed = self._close()
        if moves:
            self._grow(seen, tracks)
        self._moves = moves
        return closed

    def finish(self, end: float) -> list[Event]:
        """Return the event that is open when the timeline ends, at `end`, when its last frame does."""
        if self._moves:
            self._end = end
        return self._close()

    def _grow(self, seen: Observation, tracks: tuple[int, ...]) -> None:
        box, area = _around([*[blob.box for blob in seen.blobs], *seen.came]), seen.area
        evidence = sum([blob.evidence * blob.area for blob in seen.blobs])
        event = self._event
        if event is None:
            start, first = (seen.time, seen.frame) if seen.since is None else (seen.since, seen.first or 0)
            if start < self._ended[0]:
                start, first = self._ended
            event = Event(0, start, seen.time, first, seen.frame, seen.time, seen.frame, box, frames=0)
            self._weight, self._end = 0.0, seen.time
        self._weight += area
        peak: dict[str, Any] = {}
        if area > event.area:
            boxes = tuple(blob.box for blob in seen.blobs)
            peak = {"peak": seen.time, "peak_frame": seen.frame, "peak_boxes": boxes, "area": area}
            peak["share"] = area / self._region
        self._event = replace(
            event,
            last=seen.frame,
            box=_around([event.box, box]),
            evidence=event.evidence + (evidence - event.evidence * area) / self._weight,
            frames=event.frames + 1,
            zones=tuple(sorted({*event.zones, *seen.zones})),
            tracks=tuple(sorted({*event.tracks, *tracks})),
            **peak,
        )

    def _close(self) -> list[Event]:
        event, self._event = self._event and replace(self._event, end=self._end), None
        if event is not None:
            self._ended = (event.end, event.last + 1)
        if event is None or event.length < self.rule.min_length:
            return []
        self._n += 1
        return [replace(event, number=self._n)]


def _around(boxes: list[Box]) -> Box:
    """Return the box around boxes."""
    left, top = min([box[0] for box in boxes]), min([box[1] for box in boxes])
    right, bottom = max([box[0] + box[2] for box in boxes]), max([box[1] + box[3] for box in boxes])
    return left, top, right - left, bottom - top
