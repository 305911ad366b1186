"""Evidence as a picture: smoothed, as a probability, and where a shadow explained it; on the CPU, by OpenCV."""

from __future__ import annotations

import math

import cv2
import numpy as np

from bgsub.background.adaptive.codes import SHADOW, STEPS, ZERO_BYTE

_SHADOW_AROUND = (5, 5)  # chosen: pixels of a shadow that must agree


def smoothed(evidence: np.ndarray, sigma: float) -> np.ndarray:
    """Return evidence averaged over a Gaussian of `sigma` pixels: doubt and support of neighbours count, not votes.

    Parameters
    ----------
    evidence : ndarray of uint8, shape (H, W)
        As the kernels write it.
    sigma : float
        In pixels; 0 leaves the evidence as it is.
    """
    if sigma <= 0:
        return evidence
    width = 2 * math.ceil(2 * sigma) + 1  # what lies beyond two sigmas weighs 5 %
    return cv2.GaussianBlur(evidence, (width, width), sigma)


def probability_of(evidence: np.ndarray, out: np.ndarray) -> None:
    """Write the probability of foreground, 1 / (1 + exp(-L)), float32, for evidence given as bytes."""
    cv2.LUT(evidence, _PROBABILITIES, dst=out)


def shadows_of(owner: np.ndarray, value: int) -> np.ndarray:
    """Return the mask of shadows: where most pixels around were explained as one, since noise is too.

    Parameters
    ----------
    owner : ndarray of uint8, shape (H, W)
        As the kernels write it, with the flag `SHADOW`.
    value : int
        Of shadows in the mask, 0 to 255.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        `value` or 0.
    """
    _, flags = cv2.threshold(owner, SHADOW - 1, 255, cv2.THRESH_BINARY)
    return cv2.threshold(cv2.blur(flags, _SHADOW_AROUND), 127, value, cv2.THRESH_BINARY)[1]


_LEVELS = (np.arange(256) - ZERO_BYTE) / STEPS
_PROBABILITIES = (1 / (1 + np.exp(-_LEVELS))).astype(np.float32)
