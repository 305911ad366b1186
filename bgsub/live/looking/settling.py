"""When pictures are learned before they are believed: at the start, after a gap, and when all has changed at once."""

from __future__ import annotations

import math
from collections import deque

LEARNED_FIRST = 1.5
"""Seconds in which nothing is motion: what has come meanwhile stands still by then."""

_UPSET, _CALM = 0.6, 0.1  # of the picture: so much is foreground all at once where so little was half a second before
_LOOK_BACK = 0.5  # seconds
_OTHER_SCENE = 0.4  # of the picture: where so much is still foreground after it, the camera has been turned


class Settling:
    """Tells whether what a picture shows is believed, by its time and by how much of it is foreground.

    An infrared filter that is switched, a camera that is turned, or a lamp that no model of light explains changes most
    of the picture from one moment to the next; what comes closer until it fills the picture takes longer.

    Attributes
    ----------
    starts_anew : bool
        After the last picture all should be learned anew: the scene is another one.
    upsets : int
        How often most of the picture has changed at once.
    """

    def __init__(self) -> None:
        self._until = math.inf  # the first picture sets it
        self._past: deque[tuple[float, float]] = deque()
        self.starts_anew, self.upsets = False, 0

    def update(self, time: float, gap: float, share: float) -> bool:
        """Take a picture, and return whether it is only learned.

        Parameters
        ----------
        time : float
            Of the picture, in seconds.
        gap : float
            Seconds without pictures before it; 0 where there was none.
        share : float
            Part of it that is foreground, 0 to 1.
        """
        self.starts_anew = False
        while len(self._past) > 1 and self._past[1][0] <= time - _LOOK_BACK:
            self._past.popleft()
        upset = share >= _UPSET and bool(self._past) and min(was for _, was in self._past) < _CALM
        if gap > 0 or self._until == math.inf:
            self._until = time + LEARNED_FIRST
            self._past.clear()
        elif upset:
            self.upsets += time > self._until
            self._until = time + LEARNED_FIRST
            self._past.clear()
        elif -math.inf < self._until <= time:
            self.starts_anew = share >= _OTHER_SCENE
            self._until = time + LEARNED_FIRST if self.starts_anew else -math.inf
        self._past.append((time, share))
        return time < self._until
