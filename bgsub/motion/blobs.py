"""Blobs: the connected pieces of what moves in a mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

Box = tuple[int, int, int, int]
"""Left, top, width and height, in pixels of the source."""

_LEAST_PIXELS = 8.0
_LEAST_SHARE = 1 / 8000  # of the picture
_NEXT, _FIRST_HOLE, _OUTER = 0, 2, 3  # places of what `cv2.findContours` tells of an outline's neighbours


class Blob(NamedTuple):
    """One piece of what moves in a frame, whose pixels touch each other, corners included.

    Attributes
    ----------
    box : (int, int, int, int)
        Left, top, width and height around it, in pixels of the source.
    area : float
        Pixels of the source that it covers.
    center : (float, float)
        Centre of what its outline encloses (x, y), in pixels of the source; (0, 0) is the centre of the top left one.
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

    Notes
    -----
    Blobs are told by their outlines, and counted by Pick's theorem: numbering all pixels takes ten times as long.
    """
    moving = cv2.threshold(mask, 254, 255, cv2.THRESH_BINARY)[1]  # `compare` takes a single pixel for a scalar
    outlines, nesting = cv2.findContours(moving, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    least = max(min_area / factor**2, 1)
    shortest = _shortest(least)
    found = []
    for i, outline in enumerate(outlines):
        if len(outline) < shortest or nesting[0, i, _OUTER] >= 0:  # of hundreds of specks few are left
            continue
        area = _inside(outline)
        hole = nesting[0, i, _FIRST_HOLE]
        while hole >= 0:
            area -= _inside(outlines[hole]) - _along(outlines[hole])
            hole = nesting[0, hole, _NEXT]
        if area >= least:
            found.append((area, outline))
    found.sort(key=lambda one: -one[0])
    likely = _evidence(moving, probability, [outline for _, outline in found]) if probability is not None else None
    return tuple(
        _blob(outline, area, factor, evidence if likely is None else likely[i])
        for i, (area, outline) in enumerate(found)
    )


def _shortest(area: float) -> int:
    """Return how many pixels the outline of a blob of `area` pixels has at least: that of a diamond."""
    return max(1, int(2 * (math.sqrt(2 * area - 1) - 1)))


def _along(outline: np.ndarray) -> int:
    """Return the steps along an outline."""
    return len(outline) if len(outline) > 1 else 0


def _inside(outline: np.ndarray) -> int:
    """Return the pixels within an outline, its own too, by Pick's theorem: area + steps / 2 + 1."""
    return round(cv2.contourArea(outline) + _along(outline) / 2 + 1)


def _blob(outline: np.ndarray, area: int, factor: int, evidence: float) -> Blob:
    x, y, width, height = cv2.boundingRect(outline)
    moments = cv2.moments(outline)
    if moments["m00"] > 0:
        middle = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    else:  # a line of pixels
        middle = x + (width - 1) / 2, y + (height - 1) / 2
    center = (middle[0] + 0.5) * factor - 0.5, (middle[1] + 0.5) * factor - 0.5
    return Blob((x * factor, y * factor, width * factor, height * factor), float(area * factor**2), center, evidence)


def _evidence(moving: np.ndarray, probability: np.ndarray, outlines: Sequence[np.ndarray]) -> list[float]:
    """Return the mean probability of the pixels of each blob."""
    n, labels = cv2.connectedComponents(moving, connectivity=8, ltype=cv2.CV_32S)
    sums, counts = np.bincount(labels.ravel(), probability.ravel(), n), np.bincount(labels.ravel(), minlength=n)
    own = [labels[y, x] for x, y in (outline[0, 0] for outline in outlines)]
    return (sums[own] / counts[own]).tolist()
