"""Is it an object, the background in another light, or the place of an object that has gone? Structure tells.

A lamp that is switched on, a headlight or a cast shadow changes the brightness of a surface and keeps its edges and
texture; an object covers them with its own. And an object ends in an edge: where the learned background has one and the
picture has none, it was the background that held an object.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

_FINE = (5, 5)  # pixels; what is coarser than this is light, not structure
_RIM = np.ones((5, 5), np.uint8)
_FAINT = 1.5  # grey levels: below it, structure is noise


OBJECT, LIGHT, LEFT = "object", "light", "left"


class Bounds(NamedTuple):
    """Where the verdicts part.

    Attributes
    ----------
    structure : float
        `correlation` from which something is light on the background; 1 or more for never.
    ghost_ratio, ghost_edges : float
        See `is_ghost`; a ratio of 0 for never.
    """

    structure: float
    ghost_ratio: float
    ghost_edges: float


def judge(luma: np.ndarray, background: np.ndarray, inside: np.ndarray, bounds: Bounds) -> str:
    """Return OBJECT, LIGHT (the background in another light) or LEFT (an object that was learned has gone)."""
    if bounds.ghost_ratio > 0 and is_ghost(luma, background, inside, bounds.ghost_ratio, bounds.ghost_edges):
        return LEFT
    if bounds.structure < 1 and correlation(luma, background, inside) >= bounds.structure:
        return LIGHT
    return OBJECT


def correlation(luma: np.ndarray, background: np.ndarray, inside: np.ndarray) -> float:
    """Return how far a patch of a picture has the fine structure of the background, -1 to 1.

    Normalised cross-correlation of the two pictures less their local mean. Light and shadow leave it near 1, objects
    have it near 0.

    Parameters
    ----------
    luma, background : ndarray of float32, shape (h, w)
        Brightness of the patch and of the background there.
    inside : ndarray of uint8, shape (h, w)
        Not 0 where to compare.

    Returns
    -------
    float
        0 where the background has too little structure to tell.
    """
    within = cv2.erode(inside, _RIM)  # on its outline an object's structure mixes with that around it
    selected = (within if 3 * cv2.countNonZero(within) > cv2.countNonZero(inside) else inside) != 0
    fine = (luma - cv2.blur(luma, _FINE))[selected]
    expected = (background - cv2.blur(background, _FINE))[selected]
    energy = float(expected @ expected)
    if energy < _FAINT**2 * len(expected):
        return 0.0
    return float(fine @ expected) / float(np.sqrt(energy * float(fine @ fine) + 1e-6))


def is_ghost(luma: np.ndarray, background: np.ndarray, inside: np.ndarray, ratio: float, least: float) -> bool:
    """Return whether what differs is ground that an object, learned as background, has left.

    Parameters
    ----------
    luma, background, inside
        As in `correlation`.
    ratio : float
        Of the mean gradients along the outline: those seen must be below this times those learned.
    least : float
        Mean gradient, in grey levels a pixel, that the background must have there.
    """
    outline = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) != 0
    if not outline.any():  # it fills the picture
        return False
    learned = float(_gradient(background)[outline].mean())
    return learned > least and float(_gradient(luma)[outline].mean()) < ratio * learned


def _gradient(picture: np.ndarray) -> np.ndarray:
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=0.25)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=0.25)
    return cv2.magnitude(across, down)
