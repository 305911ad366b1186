"""Objects as pictures: what learning is told of them, and the mask.

What is painted is a table of *spans*: pieces of rows, in the order of rows. Rows that have nothing and had nothing are
left alone.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from bgsub.background.adaptive.codes import FOREGROUND, GHOST
from bgsub.background.adaptive.runs import stretches, with_margin
from bgsub.simd import kernels_of

kernel = kernels_of(__name__)

_AROUND = 3  # chosen: pixels around an object in which changes are no flicker, along rows and along columns
_SQUARE = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)


class Spans(NamedTuple):
    """What learning is told of, each (N, 3) int64: row, first column, and the one after the last."""

    kept: np.ndarray  # foreground
    ghosts: np.ndarray
    large: np.ndarray  # changes around it are no flicker


class Told(NamedTuple):
    """What learning is told, and what is remembered for the next frame: pictures of uint8, (h, w), but `rows`.

    Attributes
    ----------
    rows : ndarray of uint8, shape (h,)
        Remembered: not 0 for the rows in which a plane is not all 0.
    around : ndarray
        Remembered: 1 near what is large, and 2 near what was in the frame before.
    age : ndarray
        Remembered: frames for which a pixel has been within what is large.
    near : ndarray
        Not 0 where changes are no flicker.
    mask : ndarray
        `FOREGROUND` and `GHOST`.
    """

    rows: np.ndarray
    around: np.ndarray
    age: np.ndarray
    near: np.ndarray
    mask: np.ndarray


@kernel
def paint(spans, top, value, out):
    """Write `value` to the pixels of spans; `out` begins with row `top` of the picture that they are in."""
    for i in range(len(spans)):
        for x in range(spans[i, 1], spans[i, 2]):
            out[spans[i, 0] - top, x] = value


@kernel
def grow_old(oldest, inside, beside, age, around, near):
    """Write ages, and where changes are no flicker, of rows of pixels: `inside` what is large, and `beside` it."""
    for i in range(len(age)):
        old = (age[i] + (age[i] < 255)) * (inside[i] != 0)
        seen = (around[i] & 1) * 2 | (beside[i] & 1)
        age[i], around[i], near[i] = old, seen, seen * (old < oldest)


def within_rows(spans: np.ndarray, rows: slice) -> np.ndarray:
    """Return the spans that are in some rows."""
    begin, end = np.searchsorted(spans[:, 0], (rows.start, rows.stop))
    return spans[begin:end]


def tell(spans: Spans, oldest: int, told: Told, lo: int, hi: int) -> None:
    """Write what learning is told of the objects, in the rows of the bands lo to hi - 1.

    Parameters
    ----------
    spans : Spans
        Of the objects of this frame.
    oldest : int
        Frames from which on changes within what is large, or near it, are flicker after all; above 255 for never.
    told : Told
        Of the last frame; receives what is told now.
    lo, hi : int
        Range of bands.
    """
    height = len(told.rows)
    for part in stretches(lo, hi, told.mask.shape):
        wide = with_margin(part, _AROUND, height)
        kept, ghosts = within_rows(spans.kept, part), within_rows(spans.ghosts, part)
        large = within_rows(spans.large, wide)
        ends = [one[[0, -1], 0] for one in (kept, ghosts) if len(one)]
        ends += [large[[0, -1], 0] + (-_AROUND, _AROUND)] if len(large) else []
        had = part.start + np.flatnonzero(told.rows[part])
        ends += [had[[0, -1]]] if len(had) else []
        if not ends:
            continue
        first, last = int(min(end[0] for end in ends)), int(max(end[1] for end in ends))
        busy = slice(max(part.start, first), min(part.stop, last + 1))
        mask = told.mask[busy]
        mask[...] = 0
        paint(kept, busy.start, FOREGROUND, mask)
        paint(ghosts, busy.start, GHOST, mask)
        _tell_of_large(large, busy, oldest, told)
        told.rows[busy] = filled_rows(mask, told.around[busy])


def _tell_of_large(large: np.ndarray, rows: slice, oldest: int, told: Told) -> None:
    """Write ages, and where changes are no flicker, to some rows; `large` are spans in them and around them."""
    wide = with_margin(rows, _AROUND, len(told.rows))
    within = slice(rows.start - wide.start, rows.stop - wide.start)
    inside = np.zeros((wide.stop - wide.start, told.age.shape[1]), np.uint8)
    paint(within_rows(large, wide), wide.start, 255, inside)
    beside = cv2.dilate(inside, _SQUARE)
    pictures = inside[within], beside[within], told.age[rows], told.around[rows], told.near[rows]
    grow_old(oldest, *(picture.reshape(-1) for picture in pictures))


def near_of(age: np.ndarray) -> np.ndarray:
    """Return what `tell` remembers beside the ages: 1 near what was large in the last frame."""
    return cv2.dilate(np.minimum(age, 1), _SQUARE)


def filled_rows(mask: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Return not 0 for the rows in which such planes are not all 0, uint8, (h,); what has an age has what is around."""
    return (mask | around).max(axis=1)
