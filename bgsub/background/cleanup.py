"""Cleaning a foreground mask: specks out, gaps and holes closed, small objects dropped."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import cv2
import numpy as np

from bgsub.background.outlines import drawn, find_objects, mask_of, pixels_within
from bgsub.errors import ParameterError
from bgsub.masks import FOREGROUND

_LARGEST_KERNEL = 255  # pixels; a larger one would reach across most of a frame and take seconds


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What to do to each mask, in this order; called with a mask it does so.

    Parameters
    ----------
    open : int, default=0
        Diameter in pixels, 0 to 255, of the ellipse with which the foreground is opened: what is narrower
        goes. 0 and 1 do nothing.
    close : int, default=0
        Diameter in pixels, 0 to 255, of the ellipse with which it is closed: gaps that are narrower are
        filled. 0 and 1 do nothing.
    min_area : int, default=0
        Objects of fewer pixels than this are dropped. An object is a set of foreground pixels that touch, at
        corners too; its holes do not count as its pixels, unless `fill` has filled them.
    fill : bool, default=False
        Fill the holes of objects: background from which no path of steps along rows and columns leads out of
        the frame.
    shadows : bool, default=True
        Keep shadow pixels where the cleaned foreground leaves room; False makes them background. The steps
        above see the foreground alone, never shadows.

    Raises
    ------
    ParameterError
        When a value is out of its bounds.
    """

    open: int = 0
    close: int = 0
    min_area: int = 0
    fill: bool = False
    shadows: bool = True

    def __post_init__(self) -> None:
        _check_integer("open", self.open, _LARGEST_KERNEL)
        _check_integer("close", self.close, _LARGEST_KERNEL)
        _check_integer("min_area", self.min_area, None)

    @property
    def is_identity(self) -> bool:
        """Whether every mask comes out as it went in."""
        return self.open < 2 and self.close < 2 and self.min_area < 2 and not self.fill and self.shadows

    def __call__(self, mask: np.ndarray) -> np.ndarray:
        """Return a cleaned copy of a mask.

        Parameters
        ----------
        mask : ndarray of uint8, shape (H, W)
            0 background, 255 foreground, anything between them (127 as a rule) shadow.

        Returns
        -------
        ndarray of uint8, shape (H, W)

        Raises
        ------
        ParameterError
            When the mask has another dtype or number of dimensions.
        """
        if mask.dtype != np.uint8 or mask.ndim != 2 or mask.size == 0:
            raise ParameterError(
                f"cannot clean a mask of shape {mask.shape} and dtype {mask.dtype}: give one of uint8, (H, W)"
            )
        if self.is_identity:
            return mask.copy()
        _, foreground = cv2.threshold(mask, FOREGROUND - 1, FOREGROUND, cv2.THRESH_BINARY)
        if self.open > 1:
            foreground = _dilate(_erode(foreground, self.open), self.open)
        if self.close > 1:
            foreground = _erode(_dilate(foreground, self.close), self.close)
        if self.fill:
            foreground = _filled_objects(foreground, self.min_area)
        elif self.min_area > 1:
            foreground = _large_objects(foreground, self.min_area)
        if not self.shadows:
            return foreground
        _, shadow = cv2.threshold(mask, FOREGROUND - 1, 0, cv2.THRESH_TOZERO_INV)
        return np.maximum(foreground, shadow, out=foreground)


def clean(
    mask: np.ndarray,
    *,
    open: int = 0,
    close: int = 0,
    min_area: int = 0,
    fill: bool = False,
    shadows: bool = True,
) -> np.ndarray:
    """Return a cleaned copy of a mask; see `Cleanup` for the parameters, the result and the errors."""
    return Cleanup(open, close, min_area, fill, shadows)(mask)


def _check_integer(name: str, value: int, largest: int | None) -> None:
    bounds = "0 or more" if largest is None else f"0 to {largest}"
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if number < 0 or (largest is not None and number > largest):
        raise ParameterError(f"{name}={value!r}: give a whole number of pixels, {bounds}")


def _erode(plane: np.ndarray, diameter: int) -> np.ndarray:
    return cv2.erode(plane, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)))


def _dilate(plane: np.ndarray, diameter: int) -> np.ndarray:
    # An ellipse of even diameter has no centre pixel. Turned by half a circle here, it undoes the half-pixel
    # shift of `_erode`; cv2.morphologyEx would move every object by a pixel.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))[::-1, ::-1]
    centre = (diameter - 1) // 2
    return cv2.dilate(plane, np.ascontiguousarray(kernel), anchor=(centre, centre))


def _filled_objects(plane: np.ndarray, min_area: int) -> np.ndarray:
    """Return the objects with their holes filled, those of `min_area` pixels or more."""
    outlines, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    kept = [outline for outline in outlines if min_area < 2 or pixels_within(outline) >= min_area]
    return drawn(kept, plane.shape)


def _large_objects(plane: np.ndarray, min_area: int) -> np.ndarray:
    """Return the objects of `min_area` pixels or more, holes not counted, with their holes."""
    return mask_of(find_objects(plane, min_area, fill_area=0), plane.shape)
