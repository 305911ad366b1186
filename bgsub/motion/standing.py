"""What an event leaves behind: an object that has stopped, or the place of one that has gone.

The picture before an event and that after it differ where something was left or taken. An object ends in an edge: the
picture that has the edges along the outline of what differs is the one with the object.
"""

from __future__ import annotations

import cv2
import numpy as np

from bgsub.motion.events import Event
from bgsub.motion.stirring import change_between

_APART = 0.3  # seconds at least from the picture before an event to its first frame
_BEGINNING = 5.0  # seconds of a timeline within which who goes was on his way when it began
_LEAST_SHARE = 0.1  # of the largest area that moved: what differs less is noise, or leaves in the wind
_BAND = np.ones((5, 5), np.uint8)  # an outline reaches two pixels to either side
_FAINTER = 0.6  # edges of one picture over those of the other, below which the object is in the other


class Aftermath:
    """Compares the pictures before and after each event."""

    def __init__(self) -> None:
        self._before: tuple[float, np.ndarray] | None = None
        self._newer: tuple[float, np.ndarray] | None = None
        self._last: np.ndarray | None = None

    def update(self, time: float, luma: np.ndarray, quiet: bool) -> None:
        """Take a picture, which is kept, and whether no event is open."""
        self._last = luma
        if not quiet:
            return
        if self._before is None or self._newer is None:
            self._before = self._newer = (time, luma)
        elif time - self._newer[0] >= _APART:
            self._before, self._newer = self._newer, (time, luma)

    def kind(self, event: Event, factor: int = 1) -> str:
        """Return what an event was that is over, and after which nothing moves.

        Parameters
        ----------
        event : Event
            Its boxes in pixels of the source.
        factor : int
            Pixels of the source along the side of one of the pictures'.

        Returns
        -------
        {'motion', 'stopped', 'removed', 'ghost'}
            Nothing has stayed; an object has; one that was there has gone; or one that was on its way as the timeline
            began, so that the ground behind it was no background yet.
        """
        if self._before is None or self._last is None:
            return "motion"
        before, after = self._before[1].astype(np.float32), self._last.astype(np.float32)
        self._before = self._newer = None
        levels, least = change_between(before, after)
        x, y, width, height = (int(v) // factor for v in event.box)
        part = (slice(y, y + height + 1), slice(x, x + width + 1))
        differs = cv2.medianBlur((levels[part] > least).astype(np.uint8), 3)
        n, labels, stats, _ = cv2.connectedComponentsWithStats(differs, connectivity=8)
        if n < 2:
            return "motion"
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        if stats[largest, cv2.CC_STAT_AREA] * factor**2 < max(_LEAST_SHARE * event.area, 8 * factor**2):
            return "motion"
        place = (labels == largest).astype(np.uint8)
        outline = cv2.dilate(place, _BAND) != cv2.erode(place, _BAND)
        was, now = (float(_edges(picture[part])[outline].sum()) for picture in (before, after))
        if was < _FAINTER * now:
            return "stopped"
        if now < _FAINTER * was:
            return "ghost" if event.start < _BEGINNING else "removed"
        return "motion"


def _edges(image: np.ndarray) -> np.ndarray:
    """Return the length of the gradient at each pixel."""
    smooth = cv2.GaussianBlur(image, (3, 3), 0)
    return cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
