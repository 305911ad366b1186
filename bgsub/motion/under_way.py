"""An object that is being followed: where it was, how fast it goes, and where it will be."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from bgsub.motion.blobs import Box

_MEMORY = 0.5  # seconds from whose ends the speed is taken
_GROWS, _SHRINKS = 0.15, 0.6  # seconds in which its size follows: a mask loses parts, and seldom gains some


class Sighting(NamedTuple):
    """An object in one frame.

    Attributes
    ----------
    frame, time : int, float
        Of the frame, as in `Observation`.
    box : (int, int, int, int)
        Left, top, width and height, in pixels of the source; of all its pieces. Of one that is in one blob with
        another it is where it should be in that.
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


class UnderWay:
    """An object that is being followed.

    Parameters
    ----------
    first : Sighting
        The first one of it.

    Attributes
    ----------
    sightings : list of Sighting
        So far.
    number : int
        Of its track; 0 until that is known to be one, and which.
    ended : bool
        It is not followed any more.
    velocity : (float, float)
        Pixels a second.
    size : (float, float)
        Usual width and height, in pixels.
    shared_for : float
        Seconds for which it has been in one blob with another; alone they pass half as fast.
    """

    def __init__(self, first: Sighting) -> None:
        self.sightings = [first]
        self.number = 0
        self.ended = False
        self.velocity = (0.0, 0.0)
        self.size = (float(first.box[2]), float(first.box[3]))
        self._alone: deque[tuple[float, float, float]] = deque()  # time and middle, while in a blob of its own
        self.shared_for = 0.0
        self._shared_since: float | None = None
        self._remember(first)

    @property
    def seen(self) -> float:
        """Time of the last sighting."""
        return self.sightings[-1].time

    @property
    def age(self) -> float:
        """Seconds from the first sighting to the last."""
        return self.seen - self.sightings[0].time

    @property
    def area(self) -> float:
        """Pixels, when it was last seen."""
        return self.sightings[-1].area

    def predicted(self, time: float) -> tuple[float, float, float, float]:
        """Return left, top, width and height at a time: the middle goes on, the size is the usual one."""
        x, y = _middle(self.sightings[-1].box)
        away = max(0.0, time - self.seen)
        width, height = self.size
        return x + self.velocity[0] * away - width / 2, y + self.velocity[1] * away - height / 2, width, height

    def see(self, sighting: Sighting, n: int, shared: bool) -> None:
        """Take a sighting: of `n` blobs of its own, or in one that it shares."""
        away = sighting.time - self.seen
        if shared:
            if self._shared_since is None:
                self._shared_since = sighting.time
            self.shared_for += away
            self._slow_down(sighting, away)
        else:
            self.shared_for = max(0.0, self.shared_for - away / 2)
            if not self.shared_for:
                self._shared_since = None
            self._resize(sighting.box, away, n)
            self._remember(sighting)
        self.sightings.append(sighting)

    def end_before_meeting(self) -> None:
        """End where it was last seen alone: what came after was the other one's blob."""
        since = self._shared_since
        while since is not None and len(self.sightings) > 1 and self.sightings[-1].time >= since:
            self.sightings.pop()
        self.ended = True

    def anew(self) -> UnderWay:
        """Return the same object with nothing but its last sighting."""
        new = UnderWay(self.sightings.pop())
        new.velocity, new.size, new._alone = self.velocity, self.size, self._alone
        return new

    def _remember(self, sighting: Sighting) -> None:
        time, (x, y) = sighting.time, _middle(sighting.box)
        if self._alone and time - self._alone[-1][0] > 2 * _MEMORY:
            self._alone.clear()
        self._alone.append((time, x, y))
        while time - self._alone[0][0] > _MEMORY and len(self._alone) > 2:
            self._alone.popleft()
        since, from_x, from_y = self._alone[0]
        if time > since:
            self.velocity = (x - from_x) / (time - since), (y - from_y) / (time - since)

    def _resize(self, box: Box, away: float, n: int) -> None:
        def follow(size: float, now: float) -> float:
            if n > 1 and now > size:  # what grows in pieces is several objects that part
                return size
            return now + (size - now) * math.exp(-away / (_GROWS if now > size else _SHRINKS))

        self.size = follow(self.size[0], box[2]), follow(self.size[1], box[3])

    def _slow_down(self, sighting: Sighting, away: float) -> None:
        """Forget a speed that would have carried it out of the blob: who meet stand, or turn."""
        (x, y), (to_x, to_y) = _middle(self.sightings[-1].box), _middle(sighting.box)
        slower = tuple(
            v if abs(now - (was + v * away)) < 1.0 else v * math.exp(-away / _MEMORY)
            for v, was, now in zip(self.velocity, (x, y), (to_x, to_y), strict=True)
        )
        self.velocity = slower[0], slower[1]


def _middle(box: Box) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2
