"""Objects of a mask by their outlines: areas, holes, boxes, and pictures of them.

Finding outlines (`cv2.findContours`) costs a small part of labelling every pixel (`cv2.connectedComponentsWithStats`),
and areas follow from them exactly, by Pick's theorem.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.masks import FOREGROUND


class Found(NamedTuple):
    """An object.

    Attributes
    ----------
    outlines : list of ndarray
        Its outline and those of its holes, as `cv2.findContours` gives them.
    area : int
        Pixels, holes not counted.
    box : (slice, slice)
        Rows and columns that it reaches.
    """

    outlines: list[np.ndarray]
    area: int
    box: tuple[slice, slice]

    def patch(self, shape: tuple[int, int], margin: int = 2) -> tuple[tuple[slice, slice], np.ndarray]:
        """Return rows and columns of the box around the object in a picture of `shape`, and its mask there.

        The box reaches `margin` pixels beyond the object where the picture does; the mask is uint8, not 0 inside.
        """
        rows, columns = self.box
        left, top = max(0, columns.start - margin), max(0, rows.start - margin)
        right, bottom = min(shape[1], columns.stop + margin), min(shape[0], rows.stop + margin)
        inside = np.zeros((bottom - top, right - left), np.uint8)
        cv2.drawContours(inside, self.outlines, -1, 255, cv2.FILLED, offset=(-left, -top))
        return (slice(top, bottom), slice(left, right)), inside


def find_objects(plane: np.ndarray, min_area: float, fill_area: float) -> list[Found]:
    """Return the sets of touching pixels that are not 0; they touch at corners too.

    Parameters
    ----------
    plane : ndarray of uint8, shape (H, W)
        0 where there is nothing.
    min_area, fill_area : float
        Pixels: smaller objects are left out, smaller holes filled.
    """
    outlines, hierarchy = cv2.findContours(plane, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
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
            x, y, width, height = cv2.boundingRect(outlines[i])
            box = (slice(y, y + height), slice(x, x + width))
            found.append(Found([outlines[i], *(outline for outline, _ in holes)], area, box))
    return found


def mask_of(objects: Sequence[Found], shape: tuple[int, ...]) -> np.ndarray:
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


def pixels_within(outline: np.ndarray) -> int:
    """Return the number of pixels within and on an outline given by all its pixels.

    Pick's theorem: a polygon of area A whose border is a walk of B steps from pixel to neighbouring pixel
    covers A + B / 2 + 1 of them. It holds for lines too, there and back: A = 0.
    """
    steps = len(outline)
    return round(cv2.contourArea(outline) + steps / 2 + 1) if steps > 1 else 1


def drawn(outlines: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Return the plane of what lies within an odd number of outlines, or on one."""
    plane = np.zeros(shape, np.uint8)
    cv2.drawContours(plane, outlines, -1, FOREGROUND, cv2.FILLED)
    return plane
