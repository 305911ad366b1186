"""What a scan keeps of all frames, however many there are: how much moved when, how long where, and the time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bgsub.motion.results import Activity
from bgsub.video.frame import Frame

_MOST_POINTS = 4096
_FIRST_STRETCH_S = 0.1
_LONGEST_LAST = 10  # a last frame is not longer than so many others, whatever the file says


class ActivityGatherer:
    """The motion graph of a timeline: stretches of equal length, which double when there are too many.

    Parameters
    ----------
    most : int
        Points.
    """

    def __init__(self, most: int = _MOST_POINTS) -> None:
        self._most = most
        self._width = _FIRST_STRETCH_S
        self._shares: list[float] = []
        self._first = 0.0

    def add(self, time: float, share: float, since: float | None = None) -> None:
        """Take note of a frame, and since when some of what moves in it has done so, which may be told late."""
        if not self._shares:
            self._first = time
        while (position := int((time - self._first) / self._width + 1e-6)) >= self._most:
            pairs = range(0, len(self._shares), 2)
            self._shares = [max(self._shares[i : i + 2]) for i in pairs]
            self._width *= 2
        self._shares += [0.0] * (position + 1 - len(self._shares))
        self._shares[position] = max(self._shares[position], share)
        earlier = position if since is None else int((since - self._first) / self._width + 1e-6)
        for i in range(max(0, earlier), position):
            self._shares[i] = self._shares[i] or share

    def activity(self) -> Activity:
        """Return what was gathered."""
        times = self._first + np.arange(len(self._shares)) * self._width
        return Activity(times, np.array(self._shares, np.float32))


class HeatGatherer:
    """How long each pixel moved.

    Parameters
    ----------
    shape : (int, int)
        Of the masks.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._seconds = np.zeros(shape, np.float32)
        self._before: tuple[float, list[tuple[slice, slice]], np.ndarray] | None = None

    def add(self, time: float, mask: np.ndarray, windows: Sequence[tuple[slice, slice]]) -> None:
        """Take note of a frame, whose motion lasts until the next.

        Parameters
        ----------
        time : float
            Of the frame.
        mask : ndarray of uint8, shape (h, w)
            255 is foreground; not changed afterwards.
        windows : sequence of (slice, slice)
            Rows and columns in which it is motion.
        """
        self.finish(time)
        if windows:
            self._before = (time, list(windows), mask)

    def finish(self, end: float) -> np.ndarray:
        """Let the motion of the last frame end, and return the seconds so far."""
        if self._before is not None:
            time, windows, mask = self._before
            top, left = (min(window[axis].start for window in windows) for axis in (0, 1))
            bottom, right = (max(window[axis].stop for window in windows) for axis in (0, 1))
            moving = np.zeros((bottom - top, right - left), np.bool_)
            for rows, columns in windows:  # they may overlap, and what is in two of them counts once
                part = moving[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
                part[:] = mask[rows, columns] == 255
            seconds = self._seconds[top:bottom, left:right]
            np.add(seconds, np.float32(max(0.0, end - time)), out=seconds, where=moving)
            self._before = None
        return self._seconds


class Timeline:
    """Where the last frame ends: as its source tells, else like the one before it.

    Parameters
    ----------
    fps : float or None
        Nominal frames per second.
    until : float, optional
        Seconds at which the source says that it ends: the last frames may not have been looked at.
    """

    def __init__(self, fps: float | None, until: float | None = None) -> None:
        self._nominal, self._until = 1 / (fps or 25), until
        self._last: Frame | None = None
        self._step = 0.0

    def note(self, frame: Frame) -> None:
        """Take note of a frame."""
        if self._last is not None:
            self._step = frame.time - self._last.time
        self._last = frame

    @property
    def end(self) -> float:
        """Seconds at which the last frame ends; 0 before the first."""
        if self._last is None:
            return 0.0
        told, usual = self._last.duration, self._step if self._step > 0 else self._nominal
        if told is None or not 0 < told < math.inf:
            return self._last.time + usual
        end = self._last.time + min(told, _LONGEST_LAST * max(usual, self._nominal))
        if self._until is not None and end < self._until < self._last.time + 1.5 * usual:
            end = max(end, min(self._until, self._last.time + usual))
        return end
