"""What an event leaves behind: an object that has stopped, or the place of one that has gone.

The picture before an event and that after it differ where something was left or taken. An object ends in an edge: the
picture that has the edges along the outline of what differs is the one with the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

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
    """Compares the pictures before and after each event.

    Parameters
    ----------
    factor : int
        Pixels of the source along the side of one of the pictures'.
    """

    def __init__(self, factor: int = 1) -> None:
        self._factor = factor
        # Pictures in which nothing moves, with their times: the latest, one for some tenths of a second, and the one
        # before that, in which nothing is yet of what is told late.
        self._last: _Still | None = None
        self._newer: _Still | None = None
        self._older: _Still | None = None
        self._before: _Still | None = None  # the event that is open
        self._was_open = False

    def update(
        self, time: float, luma: np.ndarray, closed: Sequence[Event] = (), *, is_open: bool, moves: bool
    ) -> list[Event]:
        """Take a picture, and return the events that are over with it, with their kinds.

        Parameters
        ----------
        time : float
            Of the frame, in seconds.
        luma : ndarray, shape (h, w)
            The frame, grey; it is kept, and not changed afterwards.
        closed : sequence of Event
            What is over.
        is_open : bool
            An event is open, one that begins with this frame too.
        moves : bool
            Something moves in this frame.
        """
        if not moves:
            self._last = _Still(time, luma)
        told = []
        for event in closed:
            after = self._older if is_open else self._last  # what comes next is in the latest already
            told.append(replace(event, kind=self._kind(event, after)))
            if (
                after is not None and after.time >= event.end
            ):  # else motion goes on, and what it will leave is told then
                self._before, self._was_open = None, False
        if is_open and not self._was_open:
            self._before = self._older
        self._was_open = is_open
        if not moves and (self._newer is None or time - self._newer.time >= _APART):
            self._older, self._newer = self._newer or self._last, self._last
        return told

    def finish(self, closed: Sequence[Event]) -> list[Event]:
        """Return events that are over with the timeline, with their kinds: in the last picture nothing may move."""
        return [replace(event, kind=self._kind(event, self._last)) for event in closed]

    def _kind(self, event: Event, still: _Still | None) -> str:
        """Return what an event was, by a picture after it, in which nothing moves.

        Returns
        -------
        {'motion', 'stopped', 'removed', 'ghost'}
            Nothing has stayed, or nobody can tell; an object has; one that was there has gone; or one that was on its
            way as the timeline began, so that the ground behind it was no background yet.
        """
        if self._before is None or still is None or still.time < event.end:
            return "motion"
        before, after = self._before.luma.astype(np.float32), still.luma.astype(np.float32)
        levels, least = change_between(before, after)
        factor = self._factor
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


class _Still(NamedTuple):
    """A picture in which nothing moves, and its time in seconds."""

    time: float
    luma: np.ndarray


def _edges(image: np.ndarray) -> np.ndarray:
    """Return the length of the gradient at each pixel."""
    smooth = cv2.GaussianBlur(image, (3, 3), 0)
    return cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
