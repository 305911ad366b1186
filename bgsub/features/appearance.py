"""What a frame looks like, in sixteen numbers: brightness, contrast, tones, colours, directions of edges.

Every histogram is soft: a pixel between the centres of two bins counts for both, in proportion. With hard bins the
noise of pixels at a border would make a still scene's histogram jump.
"""

from __future__ import annotations

import cv2
import numpy as np

TONES = ("black", "dark", "medium", "light", "white")
"""Bins of lightness, centred on 0, 25, 50, 75 and 100 % of CIE L*."""

COLOURS = ("red", "orange", "green", "teal", "blue")
"""Bins of the hue angle of CIE Lab, centred on 0, 72, 144, 216 and 288 degrees."""

EDGES = ("vertical_edges", "rising_edges", "horizontal_edges", "falling_edges")
"""Bins of an edge's direction: of a mast, a slash, the horizon, a backslash."""

APPEARANCE = ("brightness", "contrast", *TONES, *COLOURS, *EDGES)
"""Names of what `appearance` returns, in its order."""

_WIDTH = 96  # pixels that frames are reduced to: histograms need no more, and noise averages out


def appearance(image: np.ndarray) -> np.ndarray:
    """Describe what an image looks like.

    Parameters
    ----------
    image : ndarray of uint8 or uint16, shape (H, W, 3) or (H, W)
        BGR or grey.

    Returns
    -------
    ndarray of float64, shape (16,)
        In the order of `APPEARANCE`: mean and standard deviation of lightness, 0 to 100; the share of pixels of each
        tone, in %; the mean chroma (0 to about 130) that lies in each hue; the mean gradient of lightness over a
        hundredth of the picture's width that lies in each direction.
    """
    lab = cv2.cvtColor(_small_colour(image), cv2.COLOR_BGR2Lab)
    lightness, a, b = cv2.split(lab)
    chroma, hue = cv2.cartToPolar(a, b)
    tones = soft_histogram(lightness * ((len(TONES) - 1) / 100), np.ones_like(lightness), len(TONES), circular=False)
    colours = soft_histogram(hue * (len(COLOURS) / (2 * np.pi)), chroma, len(COLOURS), circular=True)
    return np.array([lightness.mean(), lightness.std(), *(100 * tones), *colours, *_edges(lightness)], np.float64)


def soft_histogram(position: np.ndarray, weight: np.ndarray, n_bins: int, *, circular: bool) -> np.ndarray:
    """Return how much weight lies in each bin, as a share of the number of elements.

    Parameters
    ----------
    position : ndarray of float, 0 or more
        Where each element lies: k is the centre of bin k, k + 0.25 counts for a quarter in bin k + 1.
    weight : ndarray of float, the same shape
        What each element counts.
    n_bins : int
        Number of bins.
    circular : bool
        Whether bin 0 follows the last one, as for angles; otherwise what lies beyond the last belongs to it.

    Returns
    -------
    ndarray of float64, shape (n_bins,)
        The sum is the mean weight.
    """
    lower = np.floor(position)
    share = position - lower
    first = lower.astype(np.intp)
    second = first + 1
    if circular:
        first, second = first % n_bins, second % n_bins
    else:
        first, second = np.minimum(first, n_bins - 1), np.minimum(second, n_bins - 1)
    counts = np.bincount(first.ravel(), (weight * (1 - share)).ravel(), n_bins)
    counts += np.bincount(second.ravel(), (weight * share).ravel(), n_bins)
    return counts / position.size


def _edges(lightness: np.ndarray) -> np.ndarray:
    """Return the mean gradient that lies in each direction of `EDGES`."""
    smooth = cv2.GaussianBlur(lightness, (3, 3), 0)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    strength, angle = cv2.cartToPolar(across, down)  # of the gradient, at right angles to the edge
    position = (angle % np.pi) * (len(EDGES) / np.pi)  # an edge from dark to bright is one from bright to dark, too
    return soft_histogram(position, strength, len(EDGES), circular=True) * (lightness.shape[1] / 100)


def _small_colour(image: np.ndarray) -> np.ndarray:
    """Return the image at most `_WIDTH` wide, float32 BGR in [0, 1], (h, w, 3)."""
    height, width = image.shape[:2]
    if width > _WIDTH:
        image = cv2.resize(image, (_WIDTH, max(1, round(height * _WIDTH / width))), interpolation=cv2.INTER_AREA)
    scaled = image.astype(np.float32) * np.float32(1 / np.iinfo(image.dtype).max)
    return cv2.cvtColor(scaled, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else scaled
