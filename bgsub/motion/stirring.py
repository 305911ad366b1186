"""Stirring: whether something changes where a blob is, from one moment to the next.

What moves changes the picture all the time. An object that has stopped, the hole that an object has left, and ground in
another light differ from the background just as much, and change nothing any more.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.motion.blobs import Blob

_WIDEST = 320  # pixels of the pictures that are compared: halving takes half of the noise, and most of the cost
_LAG = 0.3  # seconds between two pictures that are compared: slow walkers move by more than a pixel
_STIRS = 0.04  # share of a box that changes when something moves in it
_MORE = 2.0  # and so many times the share of the view that changes
_NOISES = 5.0  # a pixel has changed from so many standard deviations of the noise on
_LEAST = 5.0  # and from so many grey levels on
_SAMPLED = 4  # every so many pixels one tells the noise
_QUANTILES = (0.2, 0.5, 0.8)
_CLEARLY = 0.8  # of the typical difference of two pictures
_MOST_KEPT = 32  # pictures, whatever the frame rate is


class Stirring:
    """Compares pictures with those a moment before, where blobs are.

    Nothing is compared before a blob asks: of most recordings most frames show none.
    """

    def __init__(self) -> None:
        self._past: deque[tuple[float, np.ndarray]] = deque()
        self._now: np.ndarray | None = None
        self._scale = (1.0, 1.0)
        self._change: Change | None = None
        self._elsewhere = 0.0
        self._changed: dict[float, np.ndarray] = {}  # where, by how many times what a change is

    def update(self, time: float, small: np.ndarray, size: tuple[int, int]) -> None:
        """Take a picture.

        Parameters
        ----------
        time : float
            Of the frame, in seconds; they rise from frame to frame.
        small : ndarray of uint8, shape (h, w)
            Grey, of `small_picture`; not changed afterwards.
        size : (int, int)
            Width and height in pixels of the source, which boxes are in.
        """
        self._scale = (small.shape[1] / size[0], small.shape[0] / size[1])
        while len(self._past) > 1 and self._past[1][0] <= time - _LAG:
            self._past.popleft()
        if not self._past or time - self._past[-1][0] >= _LAG / _MOST_KEPT:
            self._past.append((time, small))
        self._now, self._change = small, None

    def stirs(self, blob: Blob, light: bool = False) -> bool:
        """Return whether a part of a blob's box has changed within the last moment, and more of it than of the view.

        Parameters
        ----------
        blob : Blob
            In pixels of the source.
        light : bool
            The light is changing: what it changes, beyond what brightness and contrast tell, has to be exceeded.
        """
        share = self.share(blob, 2.0 if light else 1.0)  # which compares the pictures
        return share >= max(_STIRS, _MORE * self._elsewhere)

    def share(self, blob: Blob, times: float = 1.0) -> float:
        """Return the share of a blob's box that has changed by so many times what a change is, 0 to 1."""
        if self._change is None and not self._compare():
            return 0.0
        changed = self._changed.get(times)
        if changed is None:
            changed = self._changed[times] = self._where(times)
        x, y, width, height = blob.box
        across, down = self._scale
        left, top = int(x * across), int(y * down)
        right, bottom = math.ceil((x + width) * across), math.ceil((y + height) * down)
        part = changed[top:bottom, left:right]
        return cv2.countNonZero(part) / part.size if part.size else 0.0

    def _compare(self) -> bool:
        """Compare the picture with the oldest one; return whether there is one."""
        if self._now is None or self._past[0][1] is self._now:
            return False
        self._change = change = change_between(self._past[0][1], self._now)
        self._changed = {}
        self._elsewhere = float(np.count_nonzero(sampled(change.levels) > change.least)) / sampled(change.levels).size
        return True

    def _where(self, times: float) -> np.ndarray:
        assert self._change is not None  # `share` sees to it
        return cv2.compare(self._change.levels, times * self._change.least, cv2.CMP_GT)  # type: ignore[call-overload]


class Change(NamedTuple):
    """How two pictures differ, but for light.

    Attributes
    ----------
    levels : ndarray of uint8 or float32, shape (h, w)
        Grey levels.
    least : float
        From more levels on that is no noise.
    """

    levels: np.ndarray
    least: float


def change_between(before: np.ndarray, now: np.ndarray) -> Change:
    """Return by how many grey levels two pictures differ, but for light, and from how many on that is no noise.

    Brightness and contrast of one are made those of the other, if that makes them clearly more alike: told by a few
    grey levels they are a little wrong, too, which bright objects would show.

    Parameters
    ----------
    before, now : ndarray of uint8 or float32, shape (h, w)
        Grey.
    """
    a, b = sampled(before), sampled(now)
    levels = cv2.absdiff(before, now)
    typical = _median(sampled(levels))
    gain, offset = _light_between(a, b)
    if typical > 0 and (gain != 1 or offset != 0):
        lit = _median(np.abs(b - (a * gain + offset)))
        if lit < _CLEARLY * typical:
            levels, typical = np.abs(now - (before * gain + offset)), lit
    # Half of the absolute values of normal noise are below .67 of its standard deviation.
    return Change(levels, max(_LEAST, _NOISES * typical / 0.6745))


def sampled(picture: np.ndarray) -> np.ndarray:
    """Return the pixels that tell the noise."""
    return picture[::_SAMPLED, ::_SAMPLED]


def _light_between(before: np.ndarray, now: np.ndarray) -> tuple[np.float32, np.float32]:
    """Return gain and offset from one picture to the other.

    They are told by quantiles: a line of least squares would follow an object that one of the two shows.
    """
    x, y = (_at_ranks(picture, *_QUANTILES) for picture in (before, now))
    gain = (y[2] - y[0]) / (x[2] - x[0]) if x[2] - x[0] > 1 else 1.0
    gain = min(max(gain, 0.25), 4.0)
    return np.float32(gain), np.float32(y[1] - gain * x[1])


def _median(values: np.ndarray) -> float:
    return _at_ranks(values, 0.5)[0]


def _at_ranks(values: np.ndarray, *shares: float) -> list[float]:
    """Return the values below which so large shares lie, the nearest there are: `numpy.quantile` costs ten times it."""
    flat = values.ravel()
    ranks = [round(share * (flat.size - 1)) for share in shares]
    return [float(value) for value in np.partition(flat, ranks)[ranks]]


def small_picture(luma: np.ndarray) -> np.ndarray:
    """Return a grey picture of at most 320 pixels across, a whole number of times smaller."""
    factor = -(-luma.shape[1] // _WIDEST)
    if factor == 1:
        return luma
    size = (max(1, luma.shape[1] // factor), max(1, luma.shape[0] // factor))
    return cv2.resize(luma[: size[1] * factor, : size[0] * factor], size, interpolation=cv2.INTER_AREA)
