"""Who goes over a line, comes into a zone or leaves it: where a track's foot goes.

The foot is the middle of a box's lower edge, where a person or a car stands on the ground that zones and lines are
drawn on. A box trembles, so a side counts once the foot is clear of the border; who steps over it and back was on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.motion.tracking import Crossing, Sighting, Track
from bgsub.motion.zones import Zone, zone_plane

Point = tuple[float, float]

_CLEAR = 0.125  # of the smaller side of its box: so far from the border is clear of it
_LEAST_CLEAR, _MOST_CLEAR = 2.0, 16.0  # pixels


class Count(NamedTuple):
    """How many went over a line, or into a zone and out of it.

    Attributes
    ----------
    came_in, went_out : int
        Numbers of crossings; the direction is as in `Crossing`.
    """

    came_in: int = 0
    went_out: int = 0

    def __str__(self) -> str:
        return f"in {self.came_in}, out {self.went_out}"


def count(zones: Iterable[Zone], tracks: Iterable[Track]) -> dict[str, Count]:
    """Return how many crossed each zone and line, by name, those of nobody too; what is ignored is left out.

    Parameters
    ----------
    zones : iterable of Zone
        Of the scan.
    tracks : iterable of Track
        With their crossings.
    """
    counts = {zone.name: Count() for zone in zones if zone.kind != "ignore"}
    for crossing in (crossing for track in tracks for crossing in track.crossings):
        came_in, went_out = counts.get(crossing.name, Count())
        is_in = crossing.direction == "in"
        counts[crossing.name] = Count(came_in + is_in, went_out + (not is_in))
    return counts


class Borders:
    """Zones and lines that tracks cross.

    Parameters
    ----------
    zones : sequence of Zone
        Those that are ignored have no borders.
    size : (int, int)
        Width and height of the source's pictures, in pixels.

    Examples
    --------
    >>> track = Track(1, tuple(Sighting(i, i / 25, (4 * i, 10, 8, 16), 90.0, (0.0, 0.0)) for i in range(30)))
    >>> borders = Borders([Zone("gate", (((50, 60), (50, 0)),), "line")], (160, 120))
    >>> [(crossing.direction, crossing.frame) for crossing in borders.crossed_by(track).crossings]
    [('in', 12)]
    """

    def __init__(self, zones: Sequence[Zone], size: tuple[int, int]) -> None:
        lines = [zone for zone in zones if zone.kind == "line"]
        self._lines = [(zone.name, line) for zone in lines for line in zone.shape if not isinstance(line, str)]
        self._areas = [_Area(zone.name, zone_plane(zone, size)) for zone in zones if zone.kind == "watch"]

    def crossed_by(self, track: Track) -> Track:
        """Return a track with its crossings, in the order of time."""
        if not (self._lines or self._areas):
            return track
        feet = [_foot(sighting.box) for sighting in track.sightings]
        clear = [_clearance(sighting) for sighting in track.sightings]
        found = [
            *((name, *one) for name, line in self._lines for one in _over(line, feet, clear)),
            *((area.name, *one) for area in self._areas for one in area.crossed(feet, clear)),
        ]
        crossings = []
        for name, i, is_in in sorted(found, key=lambda one: one[1]):
            sighting = track.sightings[i]
            crossings.append(Crossing(name, "in" if is_in else "out", sighting.frame, sighting.time, track.number))
        return replace(track, crossings=tuple(crossings))


class _Area:
    """A zone with a name: where it is, and how far inside is clear of its border."""

    def __init__(self, name: str, plane: np.ndarray) -> None:
        self.name = name
        self._inside = plane != 0
        # of a narrow zone nothing is as far inside as a large object asks for
        self._depth = int(cv2.distanceTransform(np.pad(plane, 1), cv2.DIST_C, 3).max()) // 2

    def crossed(self, feet: Sequence[Point], clear: Sequence[float]) -> Iterator[tuple[int, bool]]:
        """Yield who comes in (True) or leaves, by the number of the first foot on the other side."""
        was: bool | None = None
        since: int | None = None
        for i, (foot, far) in enumerate(zip(feet, clear, strict=True)):
            now, is_clear = self._at(foot, far)
            if was is None or now == was:
                was, since = now, None
                continue
            since = i if since is None else since
            if is_clear:
                yield since, now
                was, since = now, None

    def _at(self, foot: Point, far: float) -> tuple[bool, bool]:
        """Return whether a point is inside, and whether all around it is on the same side."""
        height, width = self._inside.shape
        x, y = (min(max(round(value), 0), most - 1) for value, most in zip(foot, (width, height), strict=True))
        far = min(int(far) + 1, self._depth)
        around = self._inside[max(y - far, 0) : y + far + 1, max(x - far, 0) : x + far + 1]
        inside = bool(self._inside[y, x])
        return inside, bool((around == inside).all())


def _over(line: Sequence[Point], feet: Sequence[Point], clear: Sequence[float]) -> Iterator[tuple[int, bool]]:
    """Yield who goes over a line: the number of the first foot on the other side, and whether to the line's right."""
    net, since = 0, 0
    for i, (foot, following) in enumerate(pairwise(feet), 1):
        for begin, end in pairwise(line):
            way = _way_over(begin, end, foot, following, end == line[-1])
            if way and not net:
                since = i
            net += way
        if net and min(_distance(begin, end, following) for begin, end in pairwise(line)) >= clear[i]:
            yield since, net > 0
            net = 0


def _way_over(begin: Point, end: Point, foot: Point, following: Point, is_last: bool) -> int:
    """Return 1 where a step goes over a stretch of a line to its right, -1 to its left, 0 where it does not."""
    (x, y), along = begin, (end[0] - begin[0], end[1] - begin[1])
    before, after = (along[0] * (p[1] - y) - along[1] * (p[0] - x) for p in (foot, following))
    if (before > 0) == (after > 0):
        return 0
    share = before / (before - after)
    at = [a + share * (b - a) for a, b in zip(foot, following, strict=True)]
    place = (at[0] - x) * along[0] + (at[1] - y) * along[1]
    whole = along[0] ** 2 + along[1] ** 2
    hits = 0 <= place < whole or (is_last and place == whole)  # a corner belongs to one of its stretches
    return (1 if after > 0 else -1) if hits else 0


def _distance(begin: Point, end: Point, foot: Point) -> float:
    """Return the distance of a point from a stretch of a line."""
    along = end[0] - begin[0], end[1] - begin[1]
    whole = along[0] ** 2 + along[1] ** 2
    place = (foot[0] - begin[0]) * along[0] + (foot[1] - begin[1]) * along[1]
    share = min(max(place / whole, 0.0), 1.0) if whole else 0.0
    return math.dist(foot, (begin[0] + share * along[0], begin[1] + share * along[1]))


def _foot(box: tuple[int, int, int, int]) -> Point:
    return box[0] + (box[2] - 1) / 2, float(box[1] + box[3] - 1)


def _clearance(sighting: Sighting) -> float:
    return min(max(_CLEAR * min(sighting.box[2:]), _LEAST_CLEAR), _MOST_CLEAR)
