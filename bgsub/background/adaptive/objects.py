"""From evidence to objects: smoothing before the threshold, specks dropped, holes filled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.background.adaptive.kernels import ZERO_BYTE
from bgsub.background.cleanup import drawn, pixels_within


def smoothed(evidence: np.ndarray, sigma: float) -> np.ndarray:
    """Return evidence averaged over a Gaussian of `sigma` pixels: doubt and support of neighbours count, not votes.

    Parameters
    ----------
    evidence : ndarray of uint8, shape (H, W)
        As the kernels write it.
    sigma : float
        In pixels; 0 leaves the evidence as it is.
    """
    if sigma <= 0:
        return evidence
    width = 2 * math.ceil(2 * sigma) + 1  # what lies beyond two sigmas weighs 5 %
    return cv2.GaussianBlur(evidence, (width, width), sigma)


def probability_of(evidence: np.ndarray, out: np.ndarray) -> None:
    """Write the probability of foreground, 1 / (1 + exp(-L)), float32, for evidence given as bytes."""
    cv2.LUT(evidence, _PROBABILITIES, dst=out)


class Found(NamedTuple):
    """An object.

    Attributes
    ----------
    outlines : list of ndarray
        Its outline and those of its holes, as `cv2.findContours` gives them.
    area : int
        Pixels, holes not counted.
    """

    outlines: list[np.ndarray]
    area: int

    def box(self) -> tuple[slice, slice]:
        """Return the rows and columns that the object reaches."""
        x, y, width, height = cv2.boundingRect(self.outlines[0])
        return slice(y, y + height), slice(x, x + width)

    def patch(self, shape: tuple[int, int], margin: int = 2) -> tuple[tuple[slice, slice], np.ndarray]:
        """Return rows and columns of the box around the object in a picture of `shape`, and its mask there.

        The box reaches `margin` pixels beyond the object where the picture does; the mask is uint8, not 0 inside.
        """
        rows, columns = self.box()
        left, top = max(0, columns.start - margin), max(0, rows.start - margin)
        right, bottom = min(shape[1], columns.stop + margin), min(shape[0], rows.stop + margin)
        inside = np.zeros((bottom - top, right - left), np.uint8)
        cv2.drawContours(inside, self.outlines, -1, 255, cv2.FILLED, offset=(-left, -top))
        return (slice(top, bottom), slice(left, right)), inside


def find_objects(evidence: np.ndarray, min_area: float, fill_area: float) -> list[Found]:
    """Return the sets of touching pixels with positive evidence.

    Parameters
    ----------
    evidence : ndarray of uint8, shape (H, W)
        Smoothed; above `ZERO_BYTE` is foreground.
    min_area, fill_area : float
        Pixels: smaller objects are left out, smaller holes filled.
    """
    _, positive = cv2.threshold(evidence, ZERO_BYTE, 255, cv2.THRESH_BINARY)
    outlines, hierarchy = cv2.findContours(positive, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return []
    areas = [pixels_within(outline) for outline in outlines]
    found = []
    for i, (_, _, first_hole, parent) in enumerate(hierarchy[0].tolist()):
        if parent >= 0 or areas[i] < min_area:
            continue
        holes = _holes_of(outlines, areas, hierarchy[0], first_hole, fill_area)
        area = areas[i] - sum(hole_area for _, hole_area in holes)
        if area >= min_area:
            found.append(Found([outlines[i], *(outline for outline, _ in holes)], area))
    return found


def mask_of(objects: Sequence[Found], shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of objects: uint8, 255 inside, 0 elsewhere."""
    return drawn([outline for found in objects for outline in found.outlines], shape)


def _holes_of(
    outlines: Sequence[np.ndarray], areas: Sequence[int], hierarchy: np.ndarray, first: int, fill_area: float
) -> list[tuple[np.ndarray, int]]:
    """Return outline and area of each hole of an object that is not to be filled."""
    holes = []
    while first >= 0:
        area = areas[first] - len(outlines[first])  # a hole's outline runs on pixels of the object
        if area >= fill_area:
            holes.append((outlines[first], area))
        first = int(hierarchy[first, 0])
    return holes


_LEVELS = (np.arange(256) - ZERO_BYTE) / 8
_PROBABILITIES = (1 / (1 + np.exp(-_LEVELS))).astype(np.float32)
