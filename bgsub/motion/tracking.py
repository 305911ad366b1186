"""Tracks: blobs that are the same object, linked over frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bgsub.motion.blobs import Blob, Box
from bgsub.motion.observing import Observation


class Sighting(NamedTuple):
    """An object in one frame.

    Attributes
    ----------
    frame, time : int, float
        Of the frame, as in `Observation`.
    box : (int, int, int, int)
        Left, top, width and height, in pixels of the source.
    area : float
        Pixels of the source.
    center : (float, float)
        In pixels of the source.
    """

    frame: int
    time: float
    box: Box
    area: float
    center: tuple[float, float]


class Crossing(NamedTuple):
    """An object that comes into a zone, leaves it, or goes over a line.

    Attributes
    ----------
    name : str
        Of the zone or line.
    direction : {'in', 'out'}
        Of a line: "in" is from its left to its right, looking from its first point to the last.
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


class Tracker:
    """Links blobs over frames.

    Examples
    --------
    >>> tracker = Tracker()
    >>> for i in range(30):
    ...     blob = Blob((10 + 4 * i, 20, 8, 16), 100.0, (13.5 + 4 * i, 27.5), 1.0)
    ...     ended = tracker.update(Observation(i, i / 25, (blob,)))
    >>> [(track.number, len(track.sightings)) for track in tracker.finish()]
    [(1, 30)]
    """

    def __init__(self) -> None:
        self._open: dict[int, list[Sighting]] = {}
        self._n = 0

    def update(self, seen: Observation) -> list[Track]:
        """Take what a frame shows, and return the tracks that have ended by it."""
        free = dict(self._open)
        for blob in seen.blobs:
            number = next((n for n, track in free.items() if _overlap(track[-1].box, blob.box)), None)
            if number is None:
                self._n = number = self._n + 1
                self._open[number] = []
            free.pop(number, None)
            self._open[number].append(_sighting(seen, blob))
        return self._ended(free)

    def current(self) -> tuple[int, ...]:
        """Return the numbers of the tracks that have not ended."""
        return tuple(self._open)

    def finish(self) -> list[Track]:
        """Return the tracks that have not ended yet: the timeline has."""
        return self._ended(self._open)

    def _ended(self, numbers: Sequence[int] | dict[int, list[Sighting]]) -> list[Track]:
        return [Track(number, tuple(self._open.pop(number))) for number in tuple(numbers)]


def _sighting(seen: Observation, blob: Blob) -> Sighting:
    return Sighting(seen.frame, seen.time, blob.box, blob.area, blob.center)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
