"""The colour in which moving objects are shown where none is asked for: one that the scene lacks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bgsub.video.colors import COLORS, Color

CANDIDATES = ("magenta", "yellow", "cyan", "green", "orange")
"""Those that are chosen from; an earlier one wins where they do nearly alike."""

_SHADOWS = {"cyan": "orange", "blue": "orange"}  # of the others: blue
_BY_A_MARGIN = 1.1
_SAMPLE = 16  # rows and columns of the picture that is looked at: small, so that every pixel meets every other
_DULLEST = 10  # per cent of the picture that the colour may be hard to tell from

# Machado, Oliveira and Fernandes 2009: what those see who lack the red, and the green, receptor; rows and columns are
# linear red, green and blue.
_VISIONS = (
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
)


def shadow_of(color: Color) -> Color:
    """Return the colour for the shadows of objects that are shown in `color`: blue, or orange where that is bluish."""
    names = {value: name for name, value in COLORS.items()}
    if color in names:
        return COLORS[_SHADOWS.get(names[color], "blue")]
    blue, _, red = color
    return COLORS["orange"] if blue > 160 and blue > red else COLORS["blue"]


def lacking_color(image: np.ndarray, opacity: float) -> Color:
    """Return the colour whose tint is the hardest to mistake for anything in a picture.

    Each candidate is laid over every part of the picture, and compared with what any other part looks like, as most
    people see it and, with as much weight, as those do who lack a receptor: whatever moves will be tinted, and stand
    before whatever it may.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        BGR.
    opacity : float
        Share of the colour in what is tinted.

    Returns
    -------
    tuple of int
        BGR, one of the `CANDIDATES`.
    """
    parts = cv2.resize(image, (_SAMPLE, _SAMPLE), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
    scene = [_as_seen(parts, vision) for vision in _VISIONS]
    best, highest = CANDIDATES[0], 0.0
    for name in CANDIDATES:
        tinted = parts * (1 - opacity) + np.array(COLORS[name]) * opacity
        distances = [_distance(_as_seen(tinted, vision), seen) for vision, seen in zip(_VISIONS, scene, strict=True)]
        score = distances[0] + min(distances[1:])
        if score > highest * _BY_A_MARGIN:
            best, highest = name, score
    return COLORS[best]


def _distance(tinted: np.ndarray, scene: np.ndarray) -> float:
    """Return how far tinted parts lie from the scene's nearest: most of them lie farther."""
    squares = (tinted**2).sum(axis=1)[:, None] + (scene**2).sum(axis=1)[None, :] - 2 * tinted @ scene.T
    return float(np.percentile(np.sqrt(np.maximum(squares.min(axis=1), 0)), _DULLEST))


def _as_seen(colors: np.ndarray, vision: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    """Return BGR colours in CIELAB, as a vision sees them."""
    linear = (colors[:, ::-1] / 255) ** 2.2 @ np.asarray(vision).T
    seen = np.clip(linear, 0, 1) ** (1 / 2.2)
    return cv2.cvtColor(seen.astype(np.float32)[None], cv2.COLOR_RGB2Lab)[0].astype(np.float64)
