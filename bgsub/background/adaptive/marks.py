"""Objects as pictures: what learning is told of them, and the mask.

Of components, `marks` says what each is to be painted as; a picture is painted row by row, run by run, and rows that
have nothing and had nothing are left alone.
"""

from __future__ import annotations

import cv2
import numpy as np

from bgsub.background.adaptive.codes import FOREGROUND, GHOST
from bgsub.background.adaptive.runs import BAND
from bgsub.simd import inline, kernels_of

kernel = kernels_of(__name__)

KEPT, GONE, LARGE = 1, 2, 4  # marks of components: foreground; ghosts; changes around them are no flicker

_AROUND = 3  # chosen: pixels around an object in which changes are no flicker, along rows and along columns
_HAS_MASK, _HAS_NEAR, _HAS_AGE = 1, 2, 4  # flags of rows in which a plane is not all 0


@inline
def paint(runs, base, component, marks, mark, y, value, reach, out):
    """Write `value` to a row where components with the mark are, in row y, and `reach` columns around them."""
    edges = runs.edges[y // BAND, runs.first[y] : runs.first[y] + runs.n_edges[y]]
    width, painted = len(out), False
    for j in range(len(edges) + 1):
        if len(edges) and marks[component[base[y] + j]] & mark:
            left, right = edges[j - 1] if j else 0, edges[j] if j < len(edges) else width
            if left < right:
                out[max(0, left - reach) : min(width, right + reach)] = value
                painted = True
    return painted


@inline
def grow_old(runs, base, component, marks, y, age):
    """Add a frame to the ages of a row within what is large, and set them to 0 elsewhere."""
    edges, old = runs.edges[y // BAND, runs.first[y] : runs.first[y] + runs.n_edges[y]], False
    for j in range(len(edges) + 1):
        left, right = edges[j - 1] if j else 0, edges[j] if j < len(edges) else len(age)
        part = age[left:right]
        if len(edges) and marks[component[base[y] + j]] & LARGE:
            old = True
            for x in range(len(part)):
                part[x] = min(part[x], np.uint8(254)) + 1
        else:
            part[:] = 0
    return old


@inline
def near_row(runs, base, component, marks, oldest, y, around, age, near):
    """Write where changes in row y are no flicker, now or in the last frame; return whether there is any.

    `around` remembers: 1 near what is large now, 2 near what was in the last frame.
    """
    height, width = around.shape
    row = around[y]
    for x in range(width):
        row[x] = (row[x] & 1) << 1
    there = False
    line = near[y]
    line[:] = 0
    for other in range(max(0, y - _AROUND), min(height, y + _AROUND + 1)):
        there |= paint(runs, base, component, marks, LARGE, other, np.uint8(1), _AROUND, line)
    ages = age[y]
    for x in range(width):
        row[x] |= line[x]
        line[x] = row[x] if ages[x] < oldest else 0
    return there


@kernel
def mark_rows(runs, base, component, marks, oldest, rows, around, age, near, mask, lo, hi):
    """Write what learning is told of the objects, in the rows of the bands lo to hi - 1.

    `rows` has flags of rows, `around` and `age` remember. `mask` gets FOREGROUND and GHOST, `near` what is not 0 near a
    large object, now or in the last frame, unless it is `oldest` frames old.
    """
    height = len(rows)
    for y in range(lo * BAND, min(hi * BAND, height)):
        had, has = rows[y], 0
        if had & _HAS_MASK:
            mask[y] = 0
        if paint(runs, base, component, marks, KEPT, y, np.uint8(FOREGROUND), 0, mask[y]):
            has |= _HAS_MASK
        if paint(runs, base, component, marks, GONE, y, np.uint8(GHOST), 0, mask[y]):
            has |= _HAS_MASK
        if (had & _HAS_AGE or runs.n_edges[y]) and grow_old(runs, base, component, marks, y, age[y]):
            has |= _HAS_AGE
        comes = False
        for other in range(max(0, y - _AROUND), min(height, y + _AROUND + 1)):
            comes |= runs.n_edges[other] > 0
        if had & _HAS_NEAR or comes:
            near_row(runs, base, component, marks, oldest, y, around, age, near)
            for x in range(near.shape[1]):
                if around[y, x]:
                    has |= _HAS_NEAR
                    break
        rows[y] = has


@kernel
def write_mask(runs, base, component, marks, shadows, out, lo, hi):
    """Write the foreground, and shadows elsewhere, to the rows of the bands lo to hi - 1 of a mask."""
    for y in range(lo * BAND, min(hi * BAND, len(out))):
        row, shadow = out[y], shadows[y]
        for x in range(len(row)):
            row[x] = shadow[x]
        paint(runs, base, component, marks, KEPT, y, np.uint8(FOREGROUND), 0, row)


@kernel
def paint_one(runs, base, component, marks, top, left, out):
    """Paint the components that are marked at all to a picture of the box whose top left is given: 255."""
    height, width = out.shape
    for row in range(height):
        y = top + row
        edges = runs.edges[y // BAND, runs.first[y] : runs.first[y] + runs.n_edges[y]]
        for j in range(len(edges) + 1):
            if len(edges) and marks[component[base[y] + j]]:
                a = max(edges[j - 1] if j else 0, left) - left
                b = min(edges[j] if j < len(edges) else left + width, left + width) - left
                if a < b:
                    out[row, a:b] = 255


def near_of(age: np.ndarray) -> np.ndarray:
    """Return what `mark_rows` remembers beside the ages: 1 near what was large in the last frame."""
    return cv2.dilate(np.minimum(age, 1), np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8))


def marked_rows(mask: np.ndarray, around: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Return the flags of rows that go with such planes: uint8, (h,)."""
    flags = np.zeros(len(mask), np.uint8)
    for plane, flag in ((mask, _HAS_MASK), (around, _HAS_NEAR), (age, _HAS_AGE)):
        flags[plane.any(axis=1)] |= flag
    return flags
