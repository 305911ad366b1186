"""Ground that somebody has left who stood there in the first frames: it looks like the ground around it.

What stands in the first frame is learned as background, and where it goes its place is foreground until the ground
there is learned. In the first frames, a pixel with evidence is compared with the pixels around it that have none, of
mean m and deviation s (luma Y)::

    L <- min(L, 0)   where |mu_y - m| > d_0 + 2 s  and  |Y - m| < q_1 |mu_y - m|

both differences averaged over a few pixels: what was learned there stands out from its surroundings, what is seen now
does not. Of large frames a grid is compared.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from bgsub.background.adaptive.codes import ZERO_BYTE
from bgsub.background.adaptive.likeness import luma_of_picture, luma_within

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
_GRID_ROWS = 240  # cost: larger frames are compared at about so many rows
_AROUND = (19, 19)  # chosen: points of the grid that are surroundings
_ENOUGH = 0.1  # chosen: share of them that must have no evidence
_NEAR = (5, 5)  # chosen: points over which differences are averaged
_NEIGHBOURS = np.ones(_NEAR, np.uint8)
_RIM = np.ones((3, 3), np.uint8)  # around evidence nothing is sure
_LEAST = 8.0  # chosen: grey levels, d_0
_DEVIATIONS = 2.0  # chosen


def clear_vacated(evidence: np.ndarray, frame: np.ndarray, modes: np.ndarray, gain: float, ratio: float) -> None:
    """Take the evidence of such pixels away.

    Parameters
    ----------
    evidence : ndarray of uint8, shape (H, W)
        As the kernels write it: above `ZERO_BYTE` is foreground.
    frame : ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
        Grey or BGR.
    modes : ndarray of float32, shape (tiles, rows, 16)
        The heaviest mode of each pixel.
    gain : float
        Brings the frame to the background's light.
    ratio : float
        q_1.
    """
    height, width = evidence.shape
    spacing = max(1, height // _GRID_ROWS)
    middle = spacing // 2 if min(height, width) > spacing else 0
    grid = (slice(middle, None, spacing),) * 2
    sampled = np.ascontiguousarray(evidence[grid])
    if sampled.max() <= ZERO_BYTE:
        return
    box = _box_around(sampled > ZERO_BYTE)
    points = _times(spacing, middle, box[0]), _times(spacing, middle, box[1])
    luma = cv2.convertScaleAbs(luma_of_picture(np.ascontiguousarray(frame[points])), alpha=gain)
    learned = cv2.convertScaleAbs(luma_within(points, modes, width))
    left = vacated(luma, learned, sampled[box], ratio)
    rows, columns = np.divmod(np.flatnonzero(left), left.shape[1])
    rows, columns = rows + box[0].start, columns + box[1].start
    for i, j in itertools.product(range(spacing), repeat=2):  # a point stands for the pixels around it
        at = np.minimum(rows * spacing + i, height - 1), np.minimum(columns * spacing + j, width - 1)
        evidence[at] = np.minimum(evidence[at], ZERO_BYTE)


def vacated(luma: np.ndarray, background: np.ndarray, evidence: np.ndarray, ratio: float) -> np.ndarray:
    """Return where ground is seen that something has left which was learned as background.

    Parameters
    ----------
    luma, background : ndarray of uint8, shape (h, w)
        Y of the frame, in the background's light, and that of the background.
    evidence : ndarray of uint8, shape (h, w)
        As the kernels write it: above `ZERO_BYTE` is foreground.
    ratio : float
        q_1.

    Returns
    -------
    ndarray of bool, shape (h, w)
    """
    found = evidence > ZERO_BYTE
    positive = found.view(np.uint8)
    ground = 1 - cv2.dilate(positive, _RIM)
    lit = luma * ground
    n, total = _sums(ground, _AROUND), _sums(lit, _AROUND)
    around, near = np.zeros_like(luma), np.flatnonzero(cv2.dilate(positive, _NEIGHBOURS).view(bool))
    around.put(near, np.rint(total.take(near) / np.maximum(n.take(near), 1)))
    seen, learned = _sums(cv2.absdiff(luma, around), _NEAR), _sums(cv2.absdiff(background, around), _NEAR)
    asked = np.flatnonzero(found & (n > _ENOUGH * _AROUND[0] * _AROUND[1]))
    asked = asked[seen.take(asked) < ratio * learned.take(asked)]
    asked = asked[learned.take(asked) > _NEAR[0] * _NEAR[1] * _LEAST]
    left = np.zeros(evidence.shape, bool)
    if len(asked):
        n, mean = n.take(asked), total.take(asked) / n.take(asked)
        deviation = np.sqrt(np.maximum(_squares(lit, asked) / n - mean * mean, 0))
        left.put(asked, learned.take(asked) > _NEAR[0] * _NEAR[1] * (_LEAST + _DEVIATIONS * deviation))
    return left


def _squares(picture: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the sum of squares around some pixels, exact; beyond the picture there is nothing."""
    height, width = picture.shape
    reach = _AROUND[0] // 2
    top, bottom = max(0, int(asked[0]) // width - reach), min(height, int(asked[-1]) // width + reach + 1)
    part = picture[top:bottom]
    sums = cv2.sqrBoxFilter(part, cv2.CV_64F, _AROUND, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return sums.take(asked - top * width)


def _box_around(positive: np.ndarray) -> tuple[slice, slice]:
    """Return rows and columns with all that the points in `positive` are compared with; there is one at least."""
    reach = _AROUND[0] // 2 + _NEAR[0] // 2 + 1
    found = (np.flatnonzero(positive.any(axis)) for axis in (1, 0))
    ends = zip(found, positive.shape, strict=True)
    rows, columns = (slice(max(0, int(at[0]) - reach), min(end, int(at[-1]) + reach + 1)) for at, end in ends)
    return rows, columns


def _times(spacing: int, first: int, points: slice) -> slice:
    """Return where in the picture some points of the grid are."""
    return slice(first + spacing * points.start, first + spacing * (points.stop - 1) + 1, spacing)


def _sums(picture: np.ndarray, around: tuple[int, int]) -> np.ndarray:
    """Return the sum around each pixel, int32; beyond the picture there is nothing."""
    return cv2.boxFilter(picture, cv2.CV_32S, around, normalize=False, borderType=cv2.BORDER_CONSTANT)
