"""Where smoothed evidence is positive, as runs of pixels, and where most pixels around are shadows.

Evidence is averaged over a Gaussian before it is thresholded: doubt and support of neighbours count, not votes. Most of
a picture has no evidence anywhere near, and is passed over: of some bands of rows, OpenCV and NumPy look at the box
around the tiles with evidence, and as far beyond it as averages reach, so that what they find is what they find in the
whole picture. A row of the result is told by its *edges*, the columns at which it changes between nothing and evidence:
background up to the first, evidence from there to the second, and so on.

Nothing here but `mark_active` is compiled: a kernel for the rest was no faster, and took seconds to compile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.background.adaptive.codes import SHADOW, SUSPECT, WITNESS, ZERO_BYTE
from bgsub.background.adaptive.evidence import radius_of, smoothed
from bgsub.simd import LANES, any_, kernels_of, rows

kernel = kernels_of(__name__)

BAND = 16  # cost: rows that are worked on at a time; a whole number of tiles, whatever the width is
TOGETHER, PIXELS = 8, 1 << 16  # cost: bands, or pixels, that are looked at together: few stay in the processor's cache

_SHADOW_RADIUS = 2  # chosen: of the square of pixels of which most must be shadow
_MOST = 13  # of 25
_SQUARE = (2 * _SHADOW_RADIUS + 1, 2 * _SHADOW_RADIUS + 1)

Box = tuple[slice, slice]


class Runs(NamedTuple):
    """The runs of a picture of height h and width w."""

    edges: np.ndarray  # (bands, BAND * (w + 1)) int32: columns, rising within each row
    first: np.ndarray  # (h,) int32: where a row's edges begin in those of its band
    n_edges: np.ndarray  # (h,) int32: how many it has, an even number


def runs_for(size: tuple[int, int]) -> Runs:
    """Return room for the runs of pictures of `size`, (h, w); memory is taken as it is needed."""
    height, width = size
    edges = np.empty((n_bands(size), BAND * (width + 1)), np.int32)
    return Runs(edges, np.zeros(height, np.int32), np.zeros(height, np.int32))


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


def find_runs(
    pictures: tuple[np.ndarray, np.ndarray],
    active: np.ndarray,
    sigma: float,
    shadow_value: int,
    runs: Runs,
    shadows: np.ndarray,
    lo: int,
    hi: int,
) -> None:
    """Write the runs of the bands lo to hi - 1, and their shadows.

    Parameters
    ----------
    pictures : (ndarray, ndarray) of uint8, shape (h, w)
        Evidence and owners, as the kernels write them.
    active : ndarray of uint8, shape (tiles,)
        What `mark_active` writes.
    sigma : float
        Of the Gaussian, in pixels.
    shadow_value : int
        What shadows are written as.
    runs, shadows : Runs, ndarray of uint8 of shape (h, w)
        Receive what is found; of shadows, 0 elsewhere.
    lo, hi : int
        Range of bands.
    """
    evidence, owner = pictures
    for part in stretches(lo, hi, evidence.shape):
        shadows[part] = runs.n_edges[part] = 0
        for flag, reach in ((SUSPECT, _SHADOW_RADIUS), (WITNESS, radius_of(sigma))):
            near = box_around(active, flag, part, reach, evidence.shape)
            if near is None:
                continue
            wide = with_margin(near[0], reach, evidence.shape[0]), with_margin(near[1], reach, evidence.shape[1])
            inner = _within(near[0], wide[0]), _within(near[1], wide[1])
            if flag == SUSPECT:
                shadows[near] = _mostly_shadow(owner[wide], shadow_value)[inner]
            else:
                _write_edges(smoothed(evidence[wide], sigma)[inner] > ZERO_BYTE, near, runs)


def box_around(active: np.ndarray, flag: int, part: slice, reach: int, shape: tuple[int, int]) -> Box | None:
    """Return the box, within the rows `part`, that tiles with a flag come as near as `reach`; None without one."""
    height, width = shape
    seen = with_margin(part, reach, height)
    first = seen.start * width // LANES
    start = LANES * (first + np.flatnonzero((active[first : -(-seen.stop * width // LANES)] & flag) != 0))
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


def _within(inner: slice, outer: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


def _mostly_shadow(owner: np.ndarray, value: int) -> np.ndarray:
    """Return `value` where most pixels around are shadow, else 0."""
    flags = cv2.threshold(owner, SHADOW - 1, 1, cv2.THRESH_BINARY)[1]
    n = cv2.boxFilter(flags, -1, _SQUARE, normalize=False)
    return cv2.threshold(n, _MOST - 1, value, cv2.THRESH_BINARY)[1]


def _write_edges(positive: np.ndarray, box: Box, runs: Runs) -> None:
    """Write the edges of the rows of a box, beyond which nothing is positive in these rows."""
    height, width = positive.shape
    room = -(-(width + 2) // 8) * 8  # whole words: few of them have an edge
    framed = np.zeros(height * room + 8, bool)  # nothing on either side
    framed[:-8].reshape(height, room)[:, 1 : width + 1] = positive
    changes = framed[1:-7] != framed[:-8]  # at x, between x - 1 and x
    words = np.flatnonzero(changes.view(np.uint64) != 0)
    within = np.flatnonzero(changes.reshape(-1, 8)[words])
    y, x = np.divmod(8 * words[within // 8] + within % 8, room)
    y, x = y + box[0].start, x + box[1].start
    runs.n_edges[box[0]] = np.bincount(y - box[0].start, minlength=height)
    for band in range(box[0].start // BAND, -(-box[0].stop // BAND)):
        part = slice(max(band * BAND, box[0].start), min(band * BAND + BAND, box[0].stop))
        begin, end = np.searchsorted(y, (part.start, part.stop))
        runs.edges[band, : end - begin] = x[begin:end]
        counts = runs.n_edges[part]
        runs.first[part] = np.cumsum(counts) - counts
