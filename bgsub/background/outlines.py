"""Objects of a mask by their outlines: areas, holes, boxes, and pictures of them.

Finding outlines (`cv2.findContours`) costs a small part of labelling every pixel (`cv2.connectedComponentsWithStats`),
and areas follow from them exactly, by Pick's theorem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

    def paint(self, value: int, plane: np.ndarray, corner: tuple[int, int] = (0, 0)) -> None:
        """Write `value` to the object's pixels in a plane of uint8 whose top left is at `corner`, (x, y)."""
        cv2.fillPoly(plane, self.outlines, value, offset=(-corner[0], -corner[1]))

    def patch(self, shape: tuple[int, int], margin: int = 2) -> tuple[tuple[slice, slice], np.ndarray]:
        """Return rows and columns of the box around the object in a picture of `shape`, and its mask there.

        The box reaches `margin` pixels beyond the object where the picture does; the mask is uint8, not 0 inside.
        """
        rows, columns = self.box
        left, top = max(0, columns.start - margin), max(0, rows.start - margin)
        right, bottom = min(shape[1], columns.stop + margin), min(shape[0], rows.stop + margin)
        inside = np.zeros((bottom - top, right - left), np.uint8)
        self.paint(255, inside, (left, top))
        return (slice(top, bottom), slice(left, right)), inside


def find_objects(plane: np.ndarray, min_area: float, fill_area: float, corner: tuple[int, int] = (0, 0)) -> list[Found]:
    """Return the sets of touching pixels that are not 0; they touch at corners too.

    Parameters
    ----------
    plane : ndarray of uint8, shape (H, W)
        0 where there is nothing.
    min_area, fill_area : float
        Pixels: smaller objects are left out, smaller holes filled. A hole counts with all that is in it.
    corner : (int, int)
        Where the plane's top left is in the picture in which the objects are told, (x, y).
    """
    outlines, hierarchy = cv2.findContours(plane, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=corner)
    found = []
    nesting = hierarchy[0].tolist() if outlines else []  # of each: the next beside it, the last, its first hole, parent
    for outline, (_, _, first_hole, parent) in zip(outlines, nesting, strict=True):
        if parent >= 0:
            continue
        area, edges = pixels_within(outline), [outline]
        for hole in _holes_of(nesting, first_hole) if area >= min_area else ():
            hole_area = pixels_within(outlines[hole]) - len(outlines[hole])  # it runs on pixels of the object
            if hole_area >= fill_area:
                area -= hole_area
                edges.append(outlines[hole])
        if area >= min_area:
            x, y, width, height = cv2.boundingRect(outline)
            found.append(Found(edges, area, (slice(y, y + height), slice(x, x + width))))
    return found


def mask_of(objects: Sequence[Found], shape: tuple[int, ...]) -> np.ndarray:
    """Return the mask of objects: uint8, 255 inside, 0 elsewhere."""
    return drawn([outline for found in objects for outline in found.outlines], shape)


def _holes_of(nesting: Sequence[Sequence[int]], first: int) -> Iterator[int]:
    """Yield the numbers of an object's holes; `first` is that of one, or below 0."""
    while first >= 0:
        yield first
        first = nesting[first][0]


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
