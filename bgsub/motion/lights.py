"""Light: a lamp that is switched, a camera's exposure, an infrared filter, a cloud. It changes much, with one sign.

What moves changes few places, some to brighter and some to darker: an object covers ground at its front and uncovers it
at its back. Light changes many places of the view, nearly all of them to one side.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

_CELLS = 32  # along the longer side of the thumbnail; each is the mean of so many pixels that noise does not count
_STEP = 2.0  # grey levels by which the mean of a cell has to change
_SPREAD = 0.15  # share of the cells that change to one side in another light
_OTHER = 0.2  # of these, as many may change to the other side: things move meanwhile
_LOOK_BACK = 0.5  # seconds: slow exposure control takes about as long
_SETTLES = 0.5  # seconds after the last change within which a model may still take places for objects


class LightMeter:
    """Tells whether the light of the scene is changing, or has just done so.

    A pure function of times and pictures: it holds thumbnails of the last half second.
    """

    def __init__(self) -> None:
        self._past: deque[tuple[float, np.ndarray]] = deque()
        self._until = -np.inf

    def update(self, time: float, luma: np.ndarray) -> bool:
        """Take a picture, and return whether what is new in it may be light.

        Parameters
        ----------
        time : float
            Of the frame, in seconds; they rise from frame to frame.
        luma : ndarray of uint8, shape (H, W)
            Grey, of any size.
        """
        thumbnail = _thumbnail(luma)
        while len(self._past) > 1 and self._past[1][0] <= time - _LOOK_BACK:
            self._past.popleft()
        if self._past and (
            has_other_light(self._past[0][1], thumbnail) or has_other_light(self._past[-1][1], thumbnail)
        ):
            self._until = time + _SETTLES
        self._past.append((time, thumbnail))
        return time <= self._until


def has_other_light(before: np.ndarray, after: np.ndarray) -> bool:
    """Return whether two thumbnails, of uint8, differ by light: in much of the view, and nearly all to one side."""
    brighter, darker = (_cells_above(*pair) for pair in ((after, before), (before, after)))
    most = max(brighter, darker)
    return most >= _SPREAD * before.size and min(brighter, darker) <= _OTHER * most


def _cells_above(high: np.ndarray, low: np.ndarray) -> int:
    above = cv2.compare(cv2.subtract(high, low), _STEP, cv2.CMP_GT)  # type: ignore[call-overload]
    return cv2.countNonZero(above)


def _thumbnail(luma: np.ndarray) -> np.ndarray:
    height, width = luma.shape
    scale = _CELLS / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
