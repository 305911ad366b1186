"""Where smoothed evidence is positive, as runs of pixels, and where most pixels around are shadows.

Evidence is averaged over a Gaussian before it is thresholded: doubt and support of neighbours count, not votes. Most of
a picture has no evidence anywhere near, and is passed over: the kernel looks at cells of `BAND` rows and `CELL` columns
that a tile with evidence reaches. A row of the result is told by its *edges*, the columns at which it changes between
nothing and evidence: background up to the first, evidence from there to the second, and so on.

The average is OpenCV's for bytes (`cv2.GaussianBlur`) to the bit: taps in 256ths that add up to 1, and exact sums,
which float32 holds since they stay below 2**24.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.background.adaptive.codes import SHADOW, SUSPECT, WITNESS, ZERO_BYTE
from bgsub.simd import LANES, any_, inline, kernels_of, rows

kernel = kernels_of(__name__)

BAND = 16  # cost: rows that are worked on at a time; a whole number of tiles, whatever the width is
CELL = 64  # cost: columns that are looked at, or passed over, together

_POSITIVE = np.float32((ZERO_BYTE + 1 - 0.5) * 256**2)  # from here on a sum rounds to more than ZERO_BYTE
_SHADOW_RADIUS = 2  # chosen: of the square of pixels of which most must be shadow
_MOST = np.float32(13)  # of 25


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


def taps_of(sigma: float) -> np.ndarray:
    """Return the weights of a Gaussian, from its middle outwards, in 256ths: float32.

    Each is rounded together with what rounding has left of those farther out, as OpenCV does it; all that is left is
    the middle's.
    """
    radius = radius_of(sigma)
    taps = np.zeros(1 + radius, np.float32)
    left = 0.0
    exact = cv2.getGaussianKernel(2 * radius + 1, sigma).ravel() if radius else np.ones(1)
    for i in range(radius):
        wanted = float(exact[i]) * 256 + left
        taps[radius - i] = round(wanted)
        left = wanted - round(wanted)
    taps[0] = 256 - 2 * taps[1:].sum()
    return taps


def radius_of(sigma: float) -> int:
    """Return how far a Gaussian reaches, in pixels; what lies beyond two sigmas weighs 5 %."""
    return math.ceil(2 * sigma)


def scratch_of(width: int, taps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a thread needs for `find_runs`: lines of pixels with room on both sides, and marks of cells."""
    room = max(len(taps) - 1, _SHADOW_RADIUS)
    return np.zeros((2, width + 2 * room), np.float32), np.zeros(width // CELL + 1, np.uint8)


@inline
def mirrored(i, n):
    """Return the place in 0 to n - 1 that stands for place i beyond the picture's edge: the second last and so on."""
    while n > 1 and (i < 0 or i >= n):
        i = -i if i < 0 else 2 * n - 2 - i
    return i if n > 1 else 0


@inline
def mark_cells(active, shape, top, bottom, reach, cells):
    """Mark the cells of rows top to bottom - 1 that tiles which are `active` come near."""
    height, width = shape
    cells[:] = 0
    for y in range(max(0, top - reach), min(height, bottom + reach)):
        start = y * width
        for t in range(start // LANES, (start + width - 1) // LANES + 1):
            if active[t]:
                left, right = LANES * t - start - reach, LANES * (t + 1) - start + reach
                for c in range(max(0, left) // CELL, (min(width, right) - 1) // CELL + 1):
                    cells[c] |= active[t]


@inline
def extend(line, room, a, b, width, reach):
    """Mirror a line, column x at ``room + x``, at those edges of the picture that its columns a to b - 1 meet."""
    if a == 0:
        for x in range(-reach, 0):
            line[room + x] = line[room + mirrored(x, width)]
    if b == width:
        for x in range(width, width + reach):
            line[room + x] = line[room + mirrored(x, width)]


@inline
def sweep(tap, one, other, out):
    """Add a pair of rows, or of the same row moved, with a weight."""
    for x in range(len(out)):
        out[x] += tap * (np.float32(one[x]) + np.float32(other[x]))


@inline
def average_down(evidence, taps, y, a, b, out):
    """Write the weighted sums of columns a to b - 1 over the rows around y."""
    height = evidence.shape[0]
    out[:] = 0
    sweep(np.float32(0.5) * taps[0], evidence[y, a:b], evidence[y, a:b], out)
    for i in range(1, len(taps)):
        sweep(taps[i], evidence[mirrored(y - i, height), a:b], evidence[mirrored(y + i, height), a:b], out)


@inline
def average_along(line, taps, a, b, out):
    """Write the weighted sums over the columns around each of a to b - 1 of a line."""
    out[:] = 0
    sweep(np.float32(0.5) * taps[0], line[a:b], line[a:b], out)
    for i in range(1, len(taps)):
        sweep(taps[i], line[a - i : b - i], line[a + i : b + i], out)


@inline
def shadow_row(owner, value, y, a, b, room, lines, out):
    """Write `value` where most pixels around are shadow, columns a to b - 1 of row y."""
    height, width = owner.shape
    reach = _SHADOW_RADIUS
    start, end = max(0, a - reach), min(width, b + reach)
    line = lines[0]
    count = line[room + start : room + end]
    count[:] = 0
    for i in range(-reach, reach + 1):
        row = owner[mirrored(y + i, height), start:end]
        for x in range(len(row)):
            count[x] += np.float32(row[x] >= SHADOW)
    extend(line, room, start, end, width, reach)
    row = out[y, a:b]
    left, left_2 = line[room + a - 1 : room + b - 1], line[room + a - 2 : room + b - 2]
    right, right_2 = line[room + a + 1 : room + b + 1], line[room + a + 2 : room + b + 2]
    middle = line[room + a : room + b]
    for x in range(len(row)):
        around = middle[x] + (left[x] + right[x]) + (left_2[x] + right_2[x])
        row[x] = value if around >= _MOST else 0


@inline
def edges_of(sums, a, edges, n):
    """Append the edges of columns a onwards, after n edges of the band; return how many there are then."""
    is_positive = False
    for x in range(len(sums)):
        if (sums[x] >= _POSITIVE) != is_positive:
            is_positive = not is_positive
            edges[n] = a + x
            n += 1
    if is_positive:  # the next cell has nothing, or the picture ends
        edges[n] = a + len(sums)
        n += 1
    return n


@inline
def evidence_row(evidence, taps, y, a, b, room, lines):
    """Write the smoothed evidence of columns a to b - 1 of row y, times 256**2, to the second line."""
    width = evidence.shape[1]
    reach = len(taps) - 1
    start, end = max(0, a - reach), min(width, b + reach)
    line = lines[0]
    average_down(evidence, taps, y, start, end, line[room + start : room + end])
    extend(line, room, start, end, width, reach)
    average_along(line, taps, room + a, room + b, lines[1, : b - a])


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


@inline
def end_of_cells(cells, c, flag):
    """Return the first cell from c on that lacks the flag."""
    while c < len(cells) and cells[c] & flag:
        c += 1
    return c


@kernel
def find_runs(evidence, owner, active, taps, shadow_value, scratch, runs, shadows, lo, hi):
    """Write the runs of the bands lo to hi - 1, and their shadows.

    `evidence` and `owner` are pictures, (h, w), as the kernels write them, `active` is what `mark_active` writes,
    `taps` comes from `taps_of`, `scratch` from `scratch_of`. `shadows` is a picture that receives `shadow_value` or 0.
    """
    height, width = evidence.shape
    lines, cells = scratch
    reach = max(len(taps) - 1, _SHADOW_RADIUS)
    for band in range(lo, hi):
        top, bottom = band * BAND, min(band * BAND + BAND, height)
        mark_cells(active, evidence.shape, top, bottom, reach, cells)
        edges, n = runs.edges[band], 0
        for y in range(top, bottom):
            runs.first[y] = n
            shadows[y] = 0
            for i in range(2 * len(cells)):  # once for each flag: one loop is compiled in half the time of two
                flag, c = (SUSPECT, i) if i < len(cells) else (WITNESS, i - len(cells))
                a, b = CELL * c, min(width, CELL * end_of_cells(cells, c, flag))
                if a >= b or (c > 0 and cells[c - 1] & flag):
                    continue
                if flag == SUSPECT:
                    shadow_row(owner, shadow_value, y, a, b, reach, lines, shadows)
                else:
                    evidence_row(evidence, taps, y, a, b, reach, lines)
                    n = edges_of(lines[1, : b - a], a, edges, n)
            runs.n_edges[y] = n - runs.first[y]
