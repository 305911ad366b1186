"""Evidence as a picture: smoothed, and as a probability; on the CPU, by OpenCV."""

from __future__ import annotations

import math

import cv2
import numpy as np

from bgsub.background.adaptive.codes import STEPS, ZERO_BYTE


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
    width = 2 * radius_of(sigma) + 1
    return cv2.GaussianBlur(evidence, (width, width), sigma)


def radius_of(sigma: float) -> int:
    """Return how far a Gaussian reaches, in pixels; what lies beyond two sigmas weighs 5 %."""
    return math.ceil(2 * sigma)


def probability_of(evidence: np.ndarray, out: np.ndarray) -> None:
    """Write the probability of foreground, 1 / (1 + exp(-L)), float32, for evidence given as bytes."""
    cv2.LUT(evidence, _PROBABILITIES, dst=out)


_LEVELS = (np.arange(256) - ZERO_BYTE) / STEPS
_PROBABILITIES = (1 / (1 + np.exp(-_LEVELS))).astype(np.float32)
