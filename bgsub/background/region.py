"""The region of interest: the part of a frame in which objects are looked for."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np

from bgsub.errors import ParameterError

Polygon = Sequence[tuple[float, float]]
"""Corners (x, y) in pixels, the last joined to the first; (0, 0) is the centre of the top left pixel."""

_FRACTION_BITS = 4  # cv2.fillPoly takes fixed-point corners; sixteenths of a pixel are fine enough
_FARTHEST = 1e6  # pixels; far beyond any frame, and far from where fixed-point corners overflow


def region_mask(region: np.ndarray | Sequence[Polygon], shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of a region of interest.

    Parameters
    ----------
    region : ndarray of bool or uint8, shape (H, W), or sequence of polygons
        A mask, inside wherever it is not 0; or a list of polygons, each of at least 3 corners (x, y) in
        pixels, integers or floats. Their union is inside, the pixels of their outlines included; what reaches
        beyond the frame is cut off.
    shape : (int, int)
        Height and width of the frames, in pixels.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        255 inside, 0 outside; a new array.

    Raises
    ------
    ParameterError
        When a mask has another shape or dtype than asked for, a polygon has fewer than 3 corners, a corner
        that is not a pair of finite numbers, or lies wholly outside the frame, or no pixel is inside.
    """
    mask = _from_array(region, shape) if isinstance(region, np.ndarray) else _from_polygons(region, shape)
    if not mask.any():
        raise ParameterError("region is empty: no pixel is inside it; leave it out to use the whole frame")
    return mask


def scaled_region(
    region: np.ndarray | Sequence[Polygon], before: tuple[int, int], after: tuple[int, int]
) -> np.ndarray | list[list[tuple[float, float]]]:
    """Return the region for frames that were scaled.

    Parameters
    ----------
    region : ndarray of bool or uint8, or sequence of polygons
        In pixels of the frames before. A mask of the size after is taken as it is.
    before, after : (int, int)
        Width and height of the frames, in pixels.

    Returns
    -------
    ndarray of uint8, shape (H, W), or list of polygons
        Of a mask a pixel is inside if half of what it covers is.

    Raises
    ------
    ParameterError
        When the region does not fit the frames before.
    """
    if isinstance(region, np.ndarray) and region.shape == after[::-1]:
        return region_mask(region, region.shape)
    if isinstance(region, np.ndarray) and region.shape != before[::-1]:
        (height, width), sizes = region.shape[:2], " or ".join(f"{w}x{h}" for w, h in (before, after))
        raise ParameterError(
            f"region has {width}x{height} pixels: give a mask of {sizes}, the source's or the scaled size"
        )
    inside = region_mask(region, before[::-1])
    if isinstance(region, np.ndarray):
        return np.where(cv2.resize(inside, after, interpolation=cv2.INTER_AREA) >= 128, np.uint8(255), np.uint8(0))
    along_x, along_y = (new / old for old, new in zip(before, after, strict=True))
    return [[((x + 0.5) * along_x - 0.5, (y + 0.5) * along_y - 0.5) for x, y in polygon] for polygon in region]


class Area:
    """The part of a frame that a region reaches: the box around it, and what of that box lies outside.

    Parameters
    ----------
    region : ndarray or sequence of polygons, or None
        See `region_mask`; None for the whole frame.
    shape : tuple
        Shape of the frames, (H, W) or (H, W, 3).

    Attributes
    ----------
    box : (slice, slice)
        Rows and columns of the frame.
    size : (int, int)
        Height h and width w of the box.
    frame : (int, int)
        Height and width of the frames.
    is_whole : bool
        Whether there is no region.

    Raises
    ------
    ParameterError
        When the region does not fit the frames.
    """

    def __init__(self, region: np.ndarray | Sequence[Polygon] | None, shape: tuple[int, ...]) -> None:
        self.frame = (shape[0], shape[1])
        self.is_whole = region is None
        self._mask = None if region is None else region_mask(region, self.frame)
        whole = (0, 0, shape[1], shape[0])
        x, y, width, height = whole if self._mask is None else cv2.boundingRect(self._mask)
        self.box = (slice(y, y + height), slice(x, x + width))
        self.size = (height, width)

    @cached_property  # a file may ask about a frame that memory does not hold
    def outside(self) -> np.ndarray:
        """Pixels of the box that are not in the region, bool, shape (h, w)."""
        return np.zeros(self.size, bool) if self._mask is None else self._mask[self.box] == 0


def parse_polygon(text: str) -> list[tuple[float, float]]:
    """Read a polygon or a rectangle written as on the command line.

    Parameters
    ----------
    text : str
        At least 3 corners ``x,y`` in pixels, separated by spaces or semicolons: ``"10,10 200,10 200,150"``; or
        ``x,y,width,height`` of a rectangle of pixels, ``10,10,190,140``.

    Returns
    -------
    list of (float, float)
        The corners (x, y), of a rectangle the centres of its corner pixels.

    Raises
    ------
    ParameterError
        When the text is not written so, or a corner is not finite.
    """
    words = re.sub(r"\s*,\s*", ",", text.replace(";", " ")).split()
    try:
        groups = [[float(number) for number in word.split(",")] for word in words]
        is_rectangle = len(groups) == 1 and len(groups[0]) == 4
        corners = [] if is_rectangle else [(x, y) for x, y in groups]
    except ValueError:
        raise ParameterError(
            f'cannot read the region {text!r}: write x,y in pixels for each corner, as in "10,10 200,10 200,150", '
            "or x,y,width,height"
        ) from None
    return _rectangle(*groups[0]) if is_rectangle else _check_corners(corners)


def _rectangle(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """Return the corners of a rectangle whose first pixel is (x, y)."""
    if not (width >= 1 and height >= 1):
        raise ParameterError(f"rectangle {x:g},{y:g},{width:g},{height:g} is empty: write x,y,width,height in pixels")
    right, bottom = x + width - 1, y + height - 1
    return _check_corners([(x, y), (right, y), (right, bottom), (x, bottom)])


def _from_array(region: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    if region.dtype not in (np.bool_, np.uint8):
        raise ParameterError(f"region has dtype {region.dtype}: give a mask of bool or uint8")
    if region.shape != (height, width):
        raise ParameterError(
            f"region has shape {region.shape}, the frames {(height, width)}: give a mask of {width}x{height} pixels"
        )
    return np.where(region, np.uint8(255), np.uint8(0))


def _from_polygons(polygons: Sequence[Polygon], shape: tuple[int, int]) -> np.ndarray:
    union = np.zeros(shape, np.uint8)
    for polygon in polygons:
        corners = _check_corners(polygon)
        inside = np.zeros(shape, np.uint8)  # one each: drawn together, polygons that overlap would cancel out
        fixed_point = np.rint(np.array(corners) * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillPoly(inside, [fixed_point], 255, shift=_FRACTION_BITS)
        if not inside.any():
            height, width = shape
            raise ParameterError(
                f"region lies outside the frame of {width}x{height}: polygon {_written(corners)} covers no pixel of it"
            )
        union |= inside
    return union


def _check_corners(polygon: Polygon) -> list[tuple[float, float]]:
    """Return the corners as pairs of floats, or raise ParameterError."""
    try:
        corners = [(float(x), float(y)) for x, y in polygon]
    except (TypeError, ValueError):
        shown = " ".join(repr(polygon).split())[:60]
        raise ParameterError(
            f"region has a polygon {shown}: give a list of polygons, each a list of corners (x, y)"
        ) from None
    if len(corners) < 3:
        raise ParameterError(
            f"polygon {_written(corners)!r} has {len(corners)} corners: a region needs at least 3 of them, "
            "or x,y,width,height"
        )
    for corner in corners:
        if not all(math.isfinite(value) and abs(value) <= _FARTHEST for value in corner):
            raise ParameterError(
                f"polygon corner {_written([corner])} is out of range: give finite pixels within +-{_FARTHEST:.0f}"
            )
    return corners


def _written(corners: Sequence[tuple[float, float]]) -> str:
    """Return corners as `parse_polygon` reads them, shortened after the first few."""
    text = " ".join(f"{x:g},{y:g}" for x, y in corners[:6])
    return text + " ..." if len(corners) > 6 else text


def plain_polygons(polygons: Sequence[Polygon] | None) -> list[list[list[float]]] | None:
    """Return polygons, given perhaps as arrays, as JSON can hold them."""
    if polygons is None:
        return None
    return [[[float(value) for value in corner] for corner in polygon] for polygon in polygons]
