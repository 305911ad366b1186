"""A mask laid over its ground truth: every pixel in the colour of what is right or wrong about it."""

from __future__ import annotations

import numpy as np

from bgsub.evaluation.protocol import MOVING, OUTSIDE, SHADOW, UNKNOWN

LEGEND = {
    "found": "#ffffff",
    "missed": "#14b8a6",
    "false alarm": "#e5383b",
    "false alarm in a shadow": "#f59f00",
    "background": "#16181d",
    "does not count": "#6b7280",
}
"""What a pixel can be, with its colour."""


def _bgr(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (5, 3, 1)]


_FOUND, _MISSED, _FALSE, _FALSE_IN_SHADOW, _BACKGROUND, _IGNORED = map(_bgr, LEGEND.values())


def _palette(at_label: dict[int, list[int]], elsewhere: list[int]) -> np.ndarray:
    palette = np.full((256, 3), elsewhere, np.uint8)
    for label, colour in {**at_label, OUTSIDE: _IGNORED, UNKNOWN: _IGNORED}.items():
        palette[label] = colour
    return palette


_PALETTES = np.stack(
    [
        _palette({MOVING: _MISSED}, _BACKGROUND),
        _palette({MOVING: _FOUND, SHADOW: _FALSE_IN_SHADOW}, _FALSE),
    ]
)


def error_picture(truth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the picture of a mask's errors.

    Parameters
    ----------
    truth : ndarray of uint8, shape (H, W)
        Labels as in `bgsub.evaluation.protocol`.
    mask : ndarray of bool, shape (H, W)
        What was taken for foreground.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        BGR, in the colours of `LEGEND`.
    """
    return _PALETTES[mask.astype(np.intp), truth]
