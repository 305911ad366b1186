"""Where smoothed evidence is positive, and where most pixels around are shadows.

Evidence is averaged over a Gaussian before it is thresholded: doubt and support of neighbours count, not votes. Most of
a picture has no evidence anywhere near, and is passed over: of some bands of rows, OpenCV looks at the box around the
tiles with evidence, and as far beyond it as averages reach, so that it finds what it would find in the whole picture.

Nothing here but `mark_active` is compiled: a kernel for the rest was no faster, and took seconds to compile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.background.adaptive.codes import SHADOW, SUSPECT, WITNESS, ZERO_BYTE
from bgsub.background.adaptive.evidence import radius_of, smoothed
from bgsub.background.outlines import Found, find_objects
from bgsub.simd import LANES, any_, kernels_of, rows

kernel = kernels_of(__name__)

BAND = 16  # cost: rows that are worked on at a time; a whole number of tiles, whatever the width is
TOGETHER, PIXELS = 8, 1 << 16  # cost: bands, or pixels, that are looked at together: few stay in the processor's cache

_SHADOW_RADIUS = 2  # chosen: of the square of pixels of which most must be shadow
_MOST = 13  # of 25
_SQUARE = (2 * _SHADOW_RADIUS + 1, 2 * _SHADOW_RADIUS + 1)

Box = tuple[slice, slice]


class Positive(NamedTuple):
    """What is found in a picture of height h and width w."""

    plane: np.ndarray  # (h, w) uint8: 255 where smoothed evidence is positive, else 0
    shadows: np.ndarray  # (h, w) uint8: the value of shadows where most pixels around are some, else 0
    boxes: list[Box | None]  # (bands,): around what is positive, of the bands that were looked at together, or None

    def box(self) -> Box | None:
        """Return the box around all that is positive; None where nothing is."""
        boxes = [box for box in self.boxes if box is not None]
        if not boxes:
            return None
        rows, columns = (
            slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in (0, 1)
        )
        return rows, columns

    def objects(self, min_area: float, fill_area: float) -> list[Found]:
        """Return what touches, but for what is small: see `find_objects`."""
        box = self.box()
        if box is None:
            return []
        return find_objects(self.plane[box], min_area, fill_area, (box[1].start, box[0].start))


def positive_for(size: tuple[int, int]) -> Positive:
    """Return room for what is found in pictures of `size`, (h, w): nothing."""
    plane, shadows = np.zeros((2, *size), np.uint8)
    return Positive(plane, shadows, [None] * n_bands(size))


def n_bands(size: tuple[int, int]) -> int:
    """Return how many bands a picture of `size`, (h, w), has."""
    return -(-size[0] // BAND)


@kernel
def mark_active(planes, active, lo, hi):
    """Write to a byte a tile, for tiles lo to hi - 1, whether a pixel may be a SUSPECT, and a WITNESS then or now.

    A shadow's evidence may be raised afterwards, so it counts as evidence.
    """
    evidence, owners = rows(planes.evidence, LANES), rows(planes.owner, LANES)
    for t in range(lo, hi):
        flags = np.uint8(0)
        if any_(owners[t] >= np.uint8(SHADOW)):
            flags = np.uint8(SUSPECT | WITNESS)
        elif any_(evidence[t] > np.uint8(ZERO_BYTE)):
            flags = np.uint8(WITNESS)
        active[t] = flags


def stretches(lo: int, hi: int, size: tuple[int, ...]) -> Iterator[slice]:
    """Yield the rows of the bands lo to hi - 1 of a picture of `size`, as many at a time as are looked at together."""
    height, width = size
    together = BAND * max(TOGETHER, PIXELS // (BAND * width))
    end = min(hi * BAND, height)
    for row in range(lo * BAND, end, together):
        yield slice(row, min(row + together, end))


def with_margin(part: slice, margin: int, end: int) -> slice:
    """Return a part of 0 to `end`, and so much more on both sides as there is."""
    return slice(max(0, part.start - margin), min(end, part.stop + margin))


def find_positive(
    pictures: tuple[np.ndarray, np.ndarray],
    active: np.ndarray,
    sigma: float,
    shadow_value: int | None,
    found: Positive,
    lo: int,
    hi: int,
) -> None:
    """Write where evidence is positive, and shadows are, of the bands lo to hi - 1.

    Parameters
    ----------
    pictures : (ndarray, ndarray) of uint8, shape (h, w)
        Evidence and owners, as the kernels write them.
    active : ndarray of uint8, shape (tiles,)
        What `mark_active` writes.
    sigma : float
        Of the Gaussian, in pixels.
    shadow_value : int or None
        What shadows are written as; None where there are none.
    found : Positive
        Receives what is found.
    lo, hi : int
        Range of bands.
    """
    evidence, owner = pictures
    found.boxes[lo:hi] = [None] * (hi - lo)
    for part in stretches(lo, hi, evidence.shape):
        found.shadows[part] = found.plane[part] = 0
        near = box_around(active, WITNESS, part, radius_of(sigma), evidence.shape)
        if near is not None:
            wide, inner = _around(near, radius_of(sigma), evidence.shape)
            smooth = smoothed(evidence[wide], sigma)[inner]
            found.plane[near] = cv2.threshold(smooth, ZERO_BYTE, 255, cv2.THRESH_BINARY)[1]
            found.boxes[part.start // BAND] = near
        if shadow_value is None:
            continue
        near = box_around(active, SUSPECT, part, _SHADOW_RADIUS, evidence.shape)
        if near is not None:
            wide, inner = _around(near, _SHADOW_RADIUS, evidence.shape)
            found.shadows[near] = _mostly_shadow(owner[wide], shadow_value)[inner]


def box_around(active: np.ndarray, flag: int, part: slice, reach: int, shape: tuple[int, int]) -> Box | None:
    """Return the box, within the rows `part`, that tiles with a flag come as near as `reach`; None without one."""
    height, width = shape
    seen = with_margin(part, reach, height)
    first = seen.start * width // LANES
    if width % LANES == 0:  # most are: the tiles of a row stand above those of the next one
        return _box_of_grid(
            (active[first : seen.stop * width // LANES] & flag).reshape(-1, width // LANES), part, reach
        )
    start = LANES * (first + ((active[first : -(-seen.stop * width // LANES)] & flag) != 0).nonzero()[0])
    if not len(start):
        return None
    top, bottom = int(start[0]) // width, (int(start[-1]) + LANES - 1) // width + 1
    rows_near = slice(max(part.start, top - reach), min(part.stop, bottom + reach))
    if rows_near.start >= rows_near.stop:  # a tile of the row before the first that counts
        return None
    column = start % width
    right = int(column.max()) + LANES
    left = 0 if right > width else int(column.min())  # a tile that goes on in the next row
    return rows_near, slice(max(0, left - reach), min(width, right + reach))


def _box_of_grid(flags: np.ndarray, part: slice, reach: int) -> Box | None:
    """Return the box of `box_around` by the tiles of the rows from `reach` before a part on, (rows, tiles)."""
    left, top, width, height = cv2.boundingRect(flags)
    if not height:
        return None
    top += max(0, part.start - reach)
    columns = slice(max(0, LANES * left - reach), min(LANES * flags.shape[1], LANES * (left + width) + reach))
    return slice(max(part.start, top - reach), min(part.stop, top + height + reach)), columns


def _around(near: Box, reach: int, shape: tuple[int, int]) -> tuple[Box, Box]:
    """Return a box that reaches farther, as far as there is picture, and where in it the first one is."""
    rows_wide, columns_wide = (with_margin(part, reach, end) for part, end in zip(near, shape, strict=True))
    inner = _within(near[0], rows_wide), _within(near[1], columns_wide)
    return (rows_wide, columns_wide), inner


def _within(inner: slice, outer: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


def _mostly_shadow(owner: np.ndarray, value: int) -> np.ndarray:
    """Return `value` where most pixels around are shadow, else 0."""
    flags = cv2.threshold(owner, SHADOW - 1, 1, cv2.THRESH_BINARY)[1]
    n = cv2.boxFilter(flags, -1, _SQUARE, normalize=False)
    return cv2.threshold(n, _MOST - 1, value, cv2.THRESH_BINARY)[1]
