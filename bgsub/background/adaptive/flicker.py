"""How much the surroundings of a pixel flicker, and how many pixels do: from the bytes that learning leaves."""

from __future__ import annotations

import numpy as np

from bgsub.background.adaptive.runs import BAND, CELL, extend, mirrored
from bgsub.simd import inline, kernels_of

kernel = kernels_of(__name__)

_RADIUS = 2  # chosen: of the square of pixels over which flicker is averaged
_N_AVERAGED = np.float32((2 * _RADIUS + 1) ** 2)
_HALF = np.float32(0.5)


def line_of(width: int) -> np.ndarray:
    """Return what a thread needs for `average_flicker`."""
    return np.zeros(width + 2 * _RADIUS, np.float32)


@inline
def sums_down(flicker, y, line):
    """Write the sum of each column over the rows around y."""
    height, width = flicker.shape
    out = line[_RADIUS : _RADIUS + width]
    above_2, above = flicker[mirrored(y - 2, height)], flicker[mirrored(y - 1, height)]
    below, below_2 = flicker[mirrored(y + 1, height)], flicker[mirrored(y + 2, height)]
    middle = flicker[y]
    for x in range(width):
        near = np.float32(above[x]) + np.float32(middle[x]) + np.float32(below[x])
        out[x] = near + np.float32(above_2[x]) + np.float32(below_2[x])


@kernel
def average_flicker(flicker, smooth, line, lo, hi):
    """Write the mean of 5 x 5 pixels, rounded, to the rows of the bands lo to hi - 1; pictures of uint8, (h, w)."""
    height, width = flicker.shape
    for y in range(lo * BAND, min(hi * BAND, height)):
        sums_down(flicker, y, line)
        extend(line, _RADIUS, 0, width, width, _RADIUS)
        for a in range(0, width, CELL):
            b = min(a + CELL, width)
            out, around = smooth[y, a:b], line[a : b + 2 * _RADIUS]
            most = np.float32(0)
            for x in range(len(around)):
                most = max(most, around[x])
            if most == 0:
                out[:] = 0
                continue
            left_2, left, middle = line[a:b], line[a + 1 : b + 1], line[a + 2 : b + 2]
            right, right_2 = line[a + 3 : b + 3], line[a + 4 : b + 4]
            for x in range(b - a):
                total = left_2[x] + left[x] + middle[x] + right[x] + right_2[x]
                out[x] = np.uint8(total / _N_AVERAGED + _HALF)


@kernel
def count_above(flicker, level, counts, lo, hi):
    """Write how many pixels of each of the bands lo to hi - 1 are above a level."""
    for band in range(lo, hi):
        n = 0
        for y in range(band * BAND, min(band * BAND + BAND, len(flicker))):
            row = flicker[y]
            for x in range(len(row)):
                n += row[x] > level
        counts[band] = n
