"""What stands above foreground is no shadow: a shadow lies on the ground, an object stands on it.

Dark clothes and windscreens before a grey wall have the hue of a shadow on it. But they have the rest of their object
below them in the picture, while below a cast shadow there is only ground. So the evidence L of a pixel that is
explained as a shadow gets what its place tells, too, where q is the share of foreground in a box that hangs down from
the pixel::

    L <- L + g (q - q_0)

A camera that looks straight down sees nothing stand, and loses some shadows to their objects.
"""

from __future__ import annotations

import cv2
import numpy as np

from bgsub.background.adaptive.codes import SHADOW, STEPS, ZERO_BYTE
from bgsub.simd import LANES, any_, kernels_of, rows

kernel = kernels_of(__name__)

_GRID_ROWS = 120  # cost: of larger frames the share of foreground is known at about so many rows: more are no better

_STEPS = np.float32(STEPS)
_WHOLE = np.float32(255)
_HALF = np.float32(0.5)


def share_below(evidence: np.ndarray, reach: float) -> tuple[np.ndarray, int]:
    """Return the share of foreground below each point of a grid, and the grid's spacing in pixels.

    Parameters
    ----------
    evidence : ndarray of uint8, shape (H, W)
        As the kernels write it: above `ZERO_BYTE` is foreground.
    reach : float
        Height of the box in which foreground counts, as a share of H. It is half as wide as high.

    Returns
    -------
    share : ndarray of uint8, shape (h, w)
        255 where all is foreground; what lies beyond the picture is none. Point (i, j) stands for the pixels from
        ``(i * spacing, j * spacing)`` on, as many each way.
    spacing : int
        In pixels.
    """
    height, width = evidence.shape
    spacing = max(1, height // _GRID_ROWS)
    middle = spacing // 2 if min(height, width) > spacing else 0
    sample = np.ascontiguousarray(evidence[middle::spacing, middle::spacing])
    positive = cv2.threshold(sample, ZERO_BYTE, 255, cv2.THRESH_BINARY)[1]
    high = max(1, round(reach * height / spacing))
    wide = max(1, round(reach * height / 2 / spacing))
    share = cv2.boxFilter(positive, -1, (wide, high), anchor=(wide // 2, 0), borderType=cv2.BORDER_CONSTANT)
    return share, spacing


@kernel
def raise_standing(planes, below, spacing, shape, constants, lo, hi):
    """Add what their place tells to the evidence of the shadows in the tiles lo to hi - 1, where it is not closed.

    `below` and `spacing` are what `share_below` gives, `shape` is (height, width) and `constants` a Standing.
    """
    n_pixels, width = shape[0] * shape[1], shape[1]
    owners, evidence, owner, closed = rows(planes.owner, LANES), planes.evidence, planes.owner, planes.closed
    for t in range(lo, hi):
        if not any_(owners[t] >= np.uint8(SHADOW)):
            continue
        first = LANES * t // width  # row of the tile's first pixel: to divide takes long
        i, left = min(first // spacing, below.shape[0] - 1), LANES * t - first * width
        for lane in range(min(LANES, n_pixels - LANES * t)):
            if owner[t, lane] < SHADOW or closed[t, lane]:
                continue
            column = left + lane
            if column >= width:
                row, column = first + column // width, column % width
                i = min(row // spacing, below.shape[0] - 1)
            j = min(column // spacing, below.shape[1] - 1)
            change = constants.standing_gain * (np.float32(below[i, j]) / _WHOLE - constants.standing_share)
            level = np.float32(evidence[t, lane]) + _STEPS * change + _HALF
            evidence[t, lane] = np.uint8(min(max(level, np.float32(0)), _WHOLE))
