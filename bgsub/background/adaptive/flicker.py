"""How much the surroundings of a pixel flicker, and how many pixels do: from the bytes that learning leaves."""

from __future__ import annotations

import cv2
import numpy as np

from bgsub.background.adaptive.smoothing import BAND, stretches, with_margin

_RADIUS = 2  # chosen: of the square of pixels over which flicker is averaged
_SQUARE = (2 * _RADIUS + 1, 2 * _RADIUS + 1)


def average_flicker(flicker: np.ndarray, smooth: np.ndarray, lo: int, hi: int) -> None:
    """Write the mean of 5 x 5 pixels, rounded, to the rows of the bands lo to hi - 1; pictures of uint8, (h, w)."""
    for part in stretches(lo, hi, flicker.shape):
        seen = with_margin(part, _RADIUS, len(flicker))
        if flicker[seen].max():
            smooth[part] = cv2.blur(flicker[seen], _SQUARE)[part.start - seen.start :][: part.stop - part.start]
        else:
            smooth[part] = 0


def count_above(flicker: np.ndarray, level: int, counts: np.ndarray, lo: int, hi: int) -> None:
    """Write how many pixels of the bands lo to hi - 1 are above a level: the sum of their counts, (bands,), is that."""
    counts[lo:hi] = 0
    for part in stretches(lo, hi, flicker.shape):
        counts[part.start // BAND] = cv2.countNonZero(cv2.threshold(flicker[part], level, 1, cv2.THRESH_BINARY)[1])
