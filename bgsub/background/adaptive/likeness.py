"""The sums by which the structure of a frame is compared with that of the background, on the CPU, by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from bgsub.background.adaptive.codes import MEAN_Y
from bgsub.background.adaptive.engine import Likeness
from bgsub.simd import LANES

_FINE = (5, 5)  # chosen: pixels; what is coarser than this is light, not structure
_RIM = np.ones((5, 5), np.uint8)
_OUTLINE = np.ones((3, 3), np.uint8)
_WIDE = 8  # cost: of a box of more than this part of the width, whole rows are copied, not pixels picked


def measure(patch: np.ndarray, background: np.ndarray, inside: np.ndarray) -> Likeness:
    """Return what tells an object from light and from a ghost.

    Parameters
    ----------
    patch : ndarray of uint8 or float32, shape (h, w) or (h, w, 3)
        Of the frame: grey or BGR.
    background : ndarray of float32, shape (h, w)
        Brightness of the background there.
    inside : ndarray of uint8, shape (h, w)
        Not 0 within the object.
    """
    luma = luma_of_picture(patch)
    outline = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, _OUTLINE) != 0
    seen_edges = learned_edges = 0.0
    if outline.any():  # else it fills the picture
        seen_edges, learned_edges = (float(_gradient(picture)[outline].mean()) for picture in (luma, background))
    within = cv2.erode(inside, _RIM)  # on its outline an object's structure mixes with that around it
    selected = (within if 3 * cv2.countNonZero(within) > cv2.countNonZero(inside) else inside) != 0
    fine = (luma - cv2.blur(luma, _FINE))[selected]
    expected = (background - cv2.blur(background, _FINE))[selected]
    return Likeness(
        seen_edges=seen_edges,
        learned_edges=learned_edges,
        product=float(fine @ expected),
        seen_energy=float(fine @ fine),
        learned_energy=float(expected @ expected),
        n_pixels=len(expected),
    )


def _gradient(picture: np.ndarray) -> np.ndarray:
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=0.25)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=0.25)
    return cv2.magnitude(across, down)


def luma_of_picture(picture: np.ndarray) -> np.ndarray:
    """Return Y of a picture, shape (h, w) or (h, w, 3), as float32."""
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return picture.astype(np.float32, copy=False)


def luma_within(box: tuple[slice, slice], modes: np.ndarray, width: int) -> np.ndarray:
    """Return Y of the background, float32, for each pixel of a box, or of a grid.

    Parameters
    ----------
    box : (slice, slice)
        Rows and columns; with a step, so many pixels apart.
    modes : ndarray of float32, shape (tiles, rows, 16)
        The heaviest mode of each pixel.
    width : int
        Of the picture that the tiles make, in pixels.
    """
    rows, columns = box
    if rows.step in (None, 1) and _WIDE * (columns.stop - columns.start) > width:
        first = rows.start * width // LANES
        luma = modes[first : -(-rows.stop * width // LANES), MEAN_Y].reshape(-1)
        before, height = rows.start * width - first * LANES, rows.stop - rows.start
        return luma[before : before + height * width].reshape(height, width)[:, columns]
    pixel = np.arange(rows.start, rows.stop, rows.step)[:, None] * width
    pixel = pixel + np.arange(columns.start, columns.stop, columns.step)
    return modes.reshape(-1).take(pixel + pixel // LANES * (LANES * (modes.shape[1] - 1)) + LANES * MEAN_Y)
