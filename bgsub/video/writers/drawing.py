"""Pictures made of a frame and its mask. Pure functions: nothing here changes what it is given."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from bgsub.masks import BACKGROUND, FOREGROUND
from bgsub.video.colors import COLORS, Color
from bgsub.video.writers.tones import Tones

MAGENTA, BLUE = COLORS["magenta"], COLORS["blue"]
GREY: Color = (128, 128, 128)
BLACK: Color = (0, 0, 0)
OPACITY = 0.45
"""Share of the colour in what is tinted."""

_OUTLINE = 1 / 400  # of the picture's longer side is the width of the rim around objects


def to_bgr(image: np.ndarray) -> np.ndarray:
    """Return an image of any depth and number of channels as BGR uint8 of shape (H, W, 3).

    Of more than 8 bits it is the range in use that is shown, see `Tones`; alpha is left out, and of two channels the
    second.
    """
    image = Tones()(image)
    if image.ndim == 2 or image.shape[2] <= 2:
        grey = image if image.ndim == 2 else np.ascontiguousarray(image[..., 0])
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    return image if image.shape[2] == 3 else np.ascontiguousarray(image[..., :3])


def foreground_only(mask: np.ndarray) -> np.ndarray:
    """Return a mask with its shadows made background."""
    return cv2.threshold(mask, FOREGROUND - 1, FOREGROUND, cv2.THRESH_BINARY)[1]


def overlay(
    image: np.ndarray,
    mask: np.ndarray,
    color: Color = MAGENTA,
    shadow_color: Color | None = BLUE,
    opacity: float = OPACITY,
) -> np.ndarray:
    """Tint and outline the moving objects.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (H, W, 3)
        Grey or BGR, of any depth.
    mask : ndarray of uint8, shape (H, W)
        0 background, 255 foreground, anything else shadow.
    color, shadow_color : tuple of int
        BGR of objects and of their shadows; None leaves shadows as they are.
    opacity : float
        Share of the colour in what is tinted, from 0 to 1.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        BGR.
    """
    image = to_bgr(image)
    picture = image.copy()
    objects = foreground_only(mask)
    if shadow_color is not None:
        shadow = cv2.subtract(cv2.threshold(mask, BACKGROUND, FOREGROUND, cv2.THRESH_BINARY)[1], objects)
        cv2.copyTo(_tinted(image, shadow_color, opacity * 0.6), shadow, picture)
    cv2.copyTo(_tinted(image, color, opacity), objects, picture)
    return cv2.copyTo(_plain(image.shape, color), _outline(objects), picture)


def _tinted(image: np.ndarray, color: Color, opacity: float) -> np.ndarray:
    """Return `image` blended with a colour."""
    return cv2.addWeighted(image, 1 - opacity, _plain(image.shape, color), opacity, 0)


@functools.lru_cache(maxsize=6)
def _plain(shape: tuple[int, int, int], color: Color) -> np.ndarray:
    """Return an image of one colour; filling it takes longer than all the rest, hence the cache."""
    return np.full(shape, color, np.uint8)


def _outline(objects: np.ndarray) -> np.ndarray:
    """Return the rim around every object, as a mask; specks, which would drown the picture, get none."""
    width = max(1, round(max(objects.shape) * _OUTLINE))
    solid = cv2.morphologyEx(objects, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3)))
    size = 2 * width + 1
    grown = cv2.dilate(solid, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return cv2.subtract(grown, solid)


def cutout(image: np.ndarray, mask: np.ndarray, backdrop: Color = BLACK) -> np.ndarray:
    """Return the foreground's pixels on one colour, BGR uint8 of shape (H, W, 3)."""
    image = to_bgr(image)
    return cv2.copyTo(image, foreground_only(mask), _plain(image.shape, backdrop).copy())


def transparent_cutout(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the foreground's pixels on transparent black, BGRA uint8 of shape (H, W, 4)."""
    opaque = cv2.cvtColor(to_bgr(image), cv2.COLOR_BGR2BGRA)
    return cv2.copyTo(opaque, foreground_only(mask), np.zeros_like(opaque))
