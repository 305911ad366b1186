"""Objects in a table, and as pictures: what the model is told of them, and learning.

Rows in which nothing is drawn, and nothing is left of the last frames, are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.background.adaptive.codes import FOREGROUND, GHOST
from bgsub.background.adaptive.engine import Objects
from bgsub.background.adaptive.smoothing import stretches, with_margin
from bgsub.background.outlines import Found
from bgsub.threads import share

_AROUND = 3  # chosen: pixels around an object in which changes are no flicker, along rows and along columns
_SQUARE = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)
_CORNERS = 2000  # cost: of outlines to be painted, that are worth another thread
_LEFT = 2  # frames after which nothing is left of what was drawn


class Drawn(NamedTuple):
    """What learning is told of, pictures of uint8, (h, w), 0 elsewhere."""

    kept: np.ndarray  # FOREGROUND, also in masks
    ghosts: np.ndarray | None  # GHOST; None without any
    large: np.ndarray  # FOREGROUND too; changes around it are no flicker
    rows: np.ndarray  # (h,) uint8: 1 for the rows in which, or near which, something is drawn


class Told(NamedTuple):
    """What learning is told, and what is remembered for the next frame: pictures of uint8, (h, w), but `rows`.

    Attributes
    ----------
    rows : ndarray of uint8, shape (h,)
        Remembered: for how many frames more something may be left in a row, at most `_LEFT`.
    around : ndarray
        Remembered: not 0 near what was large in the last frame.
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


def table_of(objects: Sequence[Found], mask: np.ndarray, compared_area: int) -> Objects:
    """Return the table of some objects; `mask` is what was learned last, (h, w), see `Objects` and `Search`."""
    held = (np.count_nonzero(mask[one.box] == FOREGROUND) if one.area >= compared_area else 0 for one in objects)
    return Objects(np.array([one.area for one in objects], np.int64), np.fromiter(held, np.int64))


def drawn_of(
    objects: Sequence[Found], kept: np.ndarray, large: np.ndarray, size: tuple[int, int], threads: int = 1
) -> Drawn:
    """Return a picture, (h, w), of the objects that are `kept`, and one of those of them that are `large`."""
    rows, inside = np.zeros(size[0], np.uint8), np.zeros(size, np.uint8)
    mask = np.zeros(size, np.uint8) if (kept & ~large).any() else inside
    painted = list(compress(zip(objects, [inside if is_large else mask for is_large in large], strict=True), kept))

    def work(lo: int, hi: int) -> None:
        for one, picture in painted[lo:hi]:
            one.paint(FOREGROUND, picture)

    n_corners = sum(len(one.outlines[0]) for one, _ in painted) if threads > 1 else 0
    share(work, len(painted), min(threads, 1 + n_corners // _CORNERS))
    for one, _ in painted:
        _mark_rows(one, rows)
    if mask is not inside:
        np.bitwise_or(mask, inside, out=mask)
    return Drawn(mask, None, inside, rows)


def with_ghosts(drawn: Drawn, objects: Sequence[Found]) -> Drawn:
    """Return pictures with objects that have gone."""
    gone, rows = np.zeros_like(drawn.kept), drawn.rows.copy()
    for one in objects:
        one.paint(GHOST, gone)
        _mark_rows(one, rows)
    return drawn._replace(ghosts=gone, rows=rows)


def _mark_rows(one: Found, rows: np.ndarray) -> None:
    """Write 1 for the rows in which an object is, and those near it."""
    rows[max(0, one.box[0].start - _AROUND) : one.box[0].stop + _AROUND] = 1


def tell(drawn: Drawn, oldest: int, told: Told, lo: int, hi: int) -> None:
    """Write what learning is told of the objects, in the rows of the bands lo to hi - 1.

    Parameters
    ----------
    drawn : Drawn
        The objects of this frame.
    oldest : int
        Frames from which on changes within what is large, or near it, are flicker after all; above 255 for never.
    told : Told
        Of the last frame; receives what is told now.
    lo, hi : int
        Range of bands.
    """
    for part in stretches(lo, hi, told.mask.shape):
        (busy,) = (drawn.rows[part] | told.rows[part]).nonzero()
        if not len(busy):
            continue
        rows = slice(part.start + int(busy[0]), part.start + int(busy[-1]) + 1)
        told.mask[rows] = drawn.kept[rows]
        if drawn.ghosts is not None:
            np.copyto(told.mask[rows], GHOST, where=drawn.ghosts[rows] != 0)
        wide = with_margin(rows, _AROUND, len(told.rows))
        beside = cv2.dilate(drawn.large[wide], _SQUARE)[rows.start - wide.start :][: rows.stop - rows.start]
        _grow_old(oldest, drawn.large[rows], beside, told.age[rows], told.around[rows], told.near[rows])
        told.rows[rows] = np.maximum(_LEFT * drawn.rows[rows], np.maximum(told.rows[rows], 1) - 1)


def _grow_old(
    oldest: int, inside: np.ndarray, beside: np.ndarray, age: np.ndarray, around: np.ndarray, near: np.ndarray
) -> None:
    """Write ages, and where changes are no flicker, of some rows: `inside` what is large, and `beside` it."""
    age += age < 255
    np.bitwise_and(age, inside, out=age)
    np.bitwise_or(around, beside, out=near)
    around[...] = beside
    if oldest <= 255:
        np.multiply(near, age < oldest, out=near)


def near_of(age: np.ndarray) -> np.ndarray:
    """Return what `tell` remembers beside the ages: not 0 near what was large in the last frame."""
    return cv2.dilate(np.minimum(age, 1), _SQUARE)


def forget_rows(told_rows: np.ndarray) -> None:
    """Let `tell` look at every row, as after pictures have been replaced."""
    told_rows[...] = _LEFT
