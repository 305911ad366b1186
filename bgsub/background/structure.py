"""Is it an object, or the background in another light? The structure of the picture tells.

A lamp that is switched on, a headlight or a cast shadow changes the brightness of a surface and keeps its edges and
texture; an object covers them with its own.
"""

from __future__ import annotations

import cv2
import numpy as np

_FINE = (5, 5)  # pixels; what is coarser than this is light, not structure
_FAINT = 1.5  # grey levels: below it, structure is noise


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
    selected = inside != 0
    fine = (luma - cv2.blur(luma, _FINE))[selected]
    expected = (background - cv2.blur(background, _FINE))[selected]
    energy = float(expected @ expected)
    if energy < _FAINT**2 * len(expected):
        return 0.0
    return float(fine @ expected) / float(np.sqrt(energy * float(fine @ fine) + 1e-6))
