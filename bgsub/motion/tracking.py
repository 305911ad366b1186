"""Tracks: blobs that are the same object, linked over frames."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from bgsub.errors import ParameterError
from bgsub.motion.blobs import Box
from bgsub.motion.linking import Link, link
from bgsub.motion.observing import Observation
from bgsub.motion.under_way import Sighting, UnderWay

_MOST_BLOBS = 100  # of a frame, the largest: rain and snow must not cost more than the frame itself
_MOST_OPEN = 200  # tracks at a time, for the same reason
_LONGEST = 20_000  # sightings, a quarter of an hour: what moves for days must not fill the memory
_STEPS = 9  # whose median is the time from frame to frame
_SMOOTHING = 0.25  # seconds from point to point of a path whose length is measured: boxes tremble


class Crossing(NamedTuple):
    """An object that comes into a zone, leaves it, or goes over a line.

    Attributes
    ----------
    name : str
        Of the zone or line.
    direction : {'in', 'out'}
        Of a line: "in" is from its left to its right, looking from its first point to the last. What goes is the
        middle of a box's lower edge.
    frame, time : int, float
        Of the first frame that shows it on the other side.
    track : int
        Number of the track.
    """

    name: str
    direction: str
    frame: int
    time: float
    track: int


@dataclass(frozen=True)
class Track:
    """One object, from its first frame to the last.

    Attributes
    ----------
    number : int
        From 1, in the order in which tracks begin.
    sightings : tuple of Sighting
        One a frame, in the order of time; frames in which it was not seen are missing.
    crossings : tuple of Crossing
        In the order of time.
    """

    number: int
    sightings: tuple[Sighting, ...]
    crossings: tuple[Crossing, ...] = ()

    @property
    def start(self) -> float:
        """Time of the first sighting, in seconds."""
        return self.sightings[0].time

    @property
    def end(self) -> float:
        """Time of the last sighting, in seconds."""
        return self.sightings[-1].time

    @property
    def length(self) -> float:
        """Seconds from the first sighting to the last."""
        return self.end - self.start

    @property
    def path(self) -> tuple[tuple[float, float], ...]:
        """Centres of its boxes (x, y), one a quarter of a second and the last."""
        return tuple(_middle(sighting.box) for sighting in self._now_and_then())

    @property
    def distance(self) -> float:
        """Pixels of the source along its path."""
        path = self.path
        return sum(math.dist(a, b) for a, b in pairwise(path))

    @property
    def displacement(self) -> float:
        """Pixels of the source from where it was first to where it was last."""
        return math.dist(_middle(self.sightings[0].box), _middle(self.sightings[-1].box))

    @property
    def speed(self) -> float:
        """Mean, in pixels of the source a second."""
        return self.distance / self.length if self.length > 0 else 0.0

    @property
    def direction(self) -> float | None:
        """Degrees from its first place to the last: 0 to the right, 90 up, -90 down; None where both are one."""
        (x, y), (to_x, to_y) = (_middle(self.sightings[i].box) for i in (0, -1))
        return None if (x, y) == (to_x, to_y) else math.degrees(math.atan2(y - to_y, to_x - x))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its boxes, medians, in pixels of the source."""
        some = tuple(self._now_and_then())
        return float(median(s.box[2] for s in some)), float(median(s.box[3] for s in some))

    def _now_and_then(self) -> Iterator[Sighting]:
        last = -math.inf
        for sighting in self.sightings:
            if sighting.time >= last + _SMOOTHING:
                last = sighting.time
                yield sighting
        if self.end > last:
            yield self.sightings[-1]


@dataclass(frozen=True)
class TrackRule:
    """What is a track.

    Attributes
    ----------
    sightings : int
        Least frames in which it is seen; what is seen in fewer is noise and gets no number.
    length : float
        Least seconds from the first of them to the last.
    gap : float
        Seconds for which it may be out of sight, behind a tree, say.
    meeting : float
        Seconds for which two objects that are one blob keep both their numbers.

    Raises
    ------
    ParameterError
        When a value is out of its bounds.
    """

    sightings: int = 4
    length: float = 0.2
    gap: float = 1.0
    meeting: float = 3.0

    def __post_init__(self) -> None:
        if self.sightings < 1:
            raise ParameterError(f"sightings={self.sightings} is out of bounds; give 1 or more")
        for name in ("length", "gap", "meeting"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ParameterError(f"{name}={value} is out of bounds; give seconds from 0")


class Tracker:
    """Links blobs over frames, by their times.

    An object that breaks into pieces stays one track, one that is hidden for a while goes on, and two that become one
    blob keep their numbers when they part. What is seen too shortly is noise. At most 200 objects are followed at a
    time, by the 100 largest blobs of a frame; a track of 20 000 sightings ends, and goes on under another number.

    Parameters
    ----------
    rule : TrackRule
        What is a track.

    Examples
    --------
    >>> from bgsub.motion.blobs import Blob
    >>> tracker = Tracker()
    >>> for i in range(30):
    ...     blob = Blob((10 + 4 * i, 20, 8, 16), 100.0, (13.5 + 4 * i, 27.5), 1.0)
    ...     ended = tracker.update(Observation(i, i / 25, (blob,)))
    >>> [(track.number, len(track.sightings)) for track in tracker.finish()]
    [(1, 30)]
    """

    def __init__(self, rule: TrackRule | None = None) -> None:
        self.rule = rule or TrackRule()
        self._paths: list[UnderWay] = []  # in the order in which they begin; ended ones wait for their turn
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._time: float | None = None
        self._n = 0

    def update(self, seen: Observation) -> list[Track]:
        """Take what a frame shows, and return the tracks that have ended by it, and whose numbers are settled."""
        self._end_the_lost(seen.time)
        blobs = seen.blobs[:_MOST_BLOBS]
        paths = [path for path in self._paths if not path.ended]
        if blobs:
            links = link(paths, blobs, seen.time)
            for path, found in links.found:
                self._see(path, found, seen)
            for path in links.swallowed:
                path.ended = True
            for blob in links.new[: max(0, _MOST_OPEN - len(paths))]:
                self._paths.append(UnderWay(Sighting(seen.frame, seen.time, blob.box, blob.area, blob.center)))
        return self._settle()

    def current(self) -> tuple[int, ...]:
        """Return the numbers of the tracks that the last frame shows."""
        return tuple(path.number for path in self._paths if self._is_in_sight(path))

    def now(self) -> dict[int, Sighting]:
        """Return where the last frame shows the tracks that are in it, by number."""
        return {path.number: path.sightings[-1] for path in self._paths if self._is_in_sight(path)}

    def so_far(self) -> list[Track]:
        """Return the tracks that have not ended, as far as they have come."""
        return [Track(path.number, tuple(path.sightings)) for path in self._paths if path.number]

    def finish(self) -> list[Track]:
        """Return the tracks that have not ended yet: the timeline has."""
        for path in self._paths:
            path.ended = True
        return self._settle()

    def _end_the_lost(self, now: float) -> None:
        if self._time is not None and now > self._time:
            self._steps.append(now - self._time)
        self._time = now
        step = median(self._steps) if self._steps else 0.0
        for path in self._paths:
            patience = self.rule.gap if self._is_track(path) else min(self.rule.gap, 0.25)
            away = now - path.seen
            path.ended |= away > max(patience, 2.5 * step) or away < 0  # a clock that is set back begins anew

    def _see(self, path: UnderWay, found: Link, seen: Observation) -> None:
        if found.shared and path.shared_for > self.rule.meeting and not found.keeps:
            path.end_before_meeting()
            return
        path.see(Sighting(seen.frame, seen.time, found.box, found.area, found.center), found.n, found.shared)
        if len(path.sightings) >= _LONGEST:
            path.ended = True
            self._paths.append(path.anew())

    def _is_track(self, path: UnderWay) -> bool:
        rule = self.rule
        return len(path.sightings) >= rule.sightings and path.age >= rule.length - 1e-9

    def _is_in_sight(self, path: UnderWay) -> bool:
        return path.number > 0 and path.seen == self._time and not path.ended

    def _settle(self) -> list[Track]:
        """Give numbers in the order of beginning, and hand out what has one and has ended."""
        kept, tracks, may_come_first = [], [], False
        for path in self._paths:
            ripe = path.number or self._is_track(path)
            if not ripe and path.ended:
                continue
            may_come_first |= not ripe
            if not path.number and not may_come_first:
                self._n += 1
                path.number = self._n
            if path.number and path.ended:
                tracks.append(Track(path.number, tuple(path.sightings)))
            else:
                kept.append(path)
        self._paths = kept
        return tracks


def _middle(box: Box) -> tuple[float, float]:
    return box[0] + (box[2] - 1) / 2, box[1] + (box[3] - 1) / 2
