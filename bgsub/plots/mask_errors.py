"""A mask laid over its ground truth: every pixel in the colour of what is right or wrong about it."""

from __future__ import annotations

import numpy as np

LEGEND = {
    "found": "#ffffff",
    "missed": "#56b4e9",
    "false alarm": "#d55e00",
    "false alarm in a shadow": "#f0e442",
    "background": "#16181d",
    "does not count": "#6b7280",
}
"""What a pixel can be, with its colour; the colour-blind tell them apart."""

_COLOURS = np.array([[int(colour[i : i + 2], 16) for i in (5, 3, 1)] for colour in LEGEND.values()], np.uint8)


def error_picture(kinds: np.ndarray) -> np.ndarray:
    """Return the picture of a mask's errors.

    Parameters
    ----------
    kinds : ndarray of uint8, shape (H, W)
        What each pixel is: its place in `LEGEND`, from 0.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        BGR, in the colours of `LEGEND`.
    """
    return _COLOURS[kinds]
