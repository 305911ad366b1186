"""Blobs: the connected pieces of what moves in a mask."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

Box = tuple[int, int, int, int]
"""Left, top, width and height, in pixels of the source."""

_LEAST_PIXELS = 8.0
_LEAST_SHARE = 1 / 8000  # of the picture


class Blob(NamedTuple):
    """One piece of what moves in a frame, whose pixels touch each other, corners included.

    Attributes
    ----------
    box : (int, int, int, int)
        Left, top, width and height around it, in pixels of the source.
    area : float
        Pixels of the source that it covers.
    center : (float, float)
        Centre of its pixels (x, y), in pixels of the source; (0, 0) is the centre of the top left one.
    evidence : float
        Mean probability that its pixels are foreground, 0 to 1; or that of what moved when it was measured last.
    """

    box: Box
    area: float
    center: tuple[float, float]
    evidence: float


def least_area(size: tuple[int, int]) -> float:
    """Return how many pixels of the source a blob has at least that is no noise, by width and height of the picture.

    A walker who takes a twelfth of the picture's height is about so large.
    """
    width, height = size
    return max(_LEAST_PIXELS, width * height * _LEAST_SHARE)


def find_blobs(
    mask: np.ndarray,
    probability: np.ndarray | None = None,
    *,
    min_area: float = 0.0,
    factor: int = 1,
    evidence: float = 1.0,
) -> tuple[Blob, ...]:
    """Return the blobs of a mask, the largest first.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, W)
        255 is foreground, all else is not.
    probability : ndarray of float32, shape (H, W), optional
        That a pixel is foreground, 0 to 1.
    min_area : float
        In pixels of the source; smaller ones are left out.
    factor : int
        Pixels of the source along the side of one pixel of the mask.
    evidence : float
        Of every blob, where there are no probabilities.
    """
    moving = (mask == 255).view(np.uint8)
    if not moving.any():
        return ()
    n, labels, stats, centers = cv2.connectedComponentsWithStats(moving, connectivity=8, ltype=cv2.CV_32S)
    areas = stats[:, cv2.CC_STAT_AREA] * float(factor * factor)
    sums = None if probability is None else np.bincount(labels.ravel(), probability.ravel(), n)
    blobs = []
    areas[0] = 0  # the ground
    kept = np.flatnonzero(areas >= max(min_area, 1))  # of hundreds of specks few
    for i in kept[np.argsort(-areas[kept], kind="stable")]:
        x, y, width, height = (int(v) * factor for v in stats[i, :4])
        center = tuple(float((c + 0.5) * factor - 0.5) for c in centers[i])
        likely = evidence if sums is None else float(sums[i] / stats[i, cv2.CC_STAT_AREA])
        blobs.append(Blob((x, y, width, height), float(areas[i]), (center[0], center[1]), likely))
    return tuple(blobs)
