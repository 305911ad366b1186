"""Stirring: whether something changes where a blob is, from one moment to the next.

What moves changes the picture all the time. An object that has stopped, the hole that an object has left, and ground in
another light differ from the background just as much, and change nothing any more.
"""

from __future__ import annotations

from collections import deque

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
_QUANTILES = (20, 50, 80)  # per cent
_CLEARLY = 0.8  # of the typical difference of two pictures
_MOST_KEPT = 32  # pictures, whatever the frame rate is


class Stirring:
    """Compares pictures with those a moment before, where blobs are."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, np.ndarray]] = deque()
        self._change: np.ndarray | None = None
        self._scale = (1.0, 1.0)
        self._now: np.ndarray | None = None
        self._threshold, self._elsewhere = _LEAST, 0.0

    def update(self, time: float, luma: np.ndarray, factor: int = 1) -> None:
        """Take a picture.

        Parameters
        ----------
        time : float
            Of the frame, in seconds; they rise from frame to frame.
        luma : ndarray of uint8, uint16 or float32, shape (H, W)
            Grey.
        factor : int
            Pixels of the source along the side of a pixel.
        """
        small = _small(luma)
        self._scale = (small.shape[1] / (luma.shape[1] * factor), small.shape[0] / (luma.shape[0] * factor))
        while len(self._past) > 1 and self._past[1][0] <= time - _LAG:
            self._past.popleft()
        if not self._past or time - self._past[-1][0] >= _LAG / _MOST_KEPT:
            self._past.append((time, small))
        before = self._past[0][1]
        if before is small:
            self._change = None
        else:
            self._change, self._threshold = change_between(before, small)
            sampled = self._change[::_SAMPLED, ::_SAMPLED]
            self._elsewhere = float(np.mean(sampled > self._threshold))

    def stirs(self, blob: Blob, light: bool = False) -> bool:
        """Return whether a part of a blob's box has changed within the last moment, and more of it than of the view.

        Parameters
        ----------
        blob : Blob
            In pixels of the source.
        light : bool
            The light is changing: what it changes, beyond what brightness and contrast tell, has to be exceeded.
        """
        return self.share(blob, 2.0 if light else 1.0) >= max(_STIRS, _MORE * self._elsewhere)

    def share(self, blob: Blob, times: float = 1.0) -> float:
        """Return the share of a blob's box that has changed by so many times what a change is, 0 to 1."""
        if self._change is None:
            return 0.0
        x, y, width, height = blob.box
        across, down = self._scale
        left, top = int(x * across), int(y * down)
        right, bottom = int(np.ceil((x + width) * across)), int(np.ceil((y + height) * down))
        changed = self._change[top:bottom, left:right]
        return float(np.count_nonzero(changed > times * self._threshold)) / max(changed.size, 1)


def change_between(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, float]:
    """Return by how many grey levels two pictures differ, but for light, and from how many on that is no noise.

    Brightness and contrast of one are made those of the other, if that makes them clearly more alike: told by a few
    grey levels they are a little wrong, too, which bright objects would show.
    """
    samples = before[::_SAMPLED, ::_SAMPLED], now[::_SAMPLED, ::_SAMPLED]
    gain, offset = _light_between(*samples)
    plain = float(np.median(np.abs(samples[1] - samples[0])))
    lit = float(np.median(np.abs(samples[1] - (samples[0] * gain + offset))))
    if lit < _CLEARLY * plain:
        before, typical = before * gain + offset, lit
    else:
        typical = plain
    # Half of the absolute values of normal noise are below .67 of its standard deviation.
    return np.abs(now - before), max(_LEAST, _NOISES * typical / 0.6745)


def _light_between(before: np.ndarray, now: np.ndarray) -> tuple[np.float32, np.float32]:
    """Return gain and offset from one picture to the other.

    They are told by quantiles: a line of least squares would follow an object that one of the two shows.
    """
    x, y = (np.percentile(picture, _QUANTILES) for picture in (before, now))
    gain = (y[2] - y[0]) / (x[2] - x[0]) if x[2] - x[0] > 1 else 1.0
    gain = min(max(gain, 0.25), 4.0)
    return np.float32(gain), np.float32(y[1] - gain * x[1])


def _small(luma: np.ndarray) -> np.ndarray:
    factor = -(-luma.shape[1] // _WIDEST)
    if factor == 1:
        return luma.astype(np.float32)
    size = (max(1, luma.shape[1] // factor), max(1, luma.shape[0] // factor))
    return cv2.resize(luma[: size[1] * factor, : size[0] * factor], size, interpolation=cv2.INTER_AREA).astype(
        np.float32
    )
