"""From evidence to objects: smoothing before the threshold, specks dropped, holes filled."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bgsub.background.adaptive_kernel import ZERO_BYTE
from bgsub.background.cleanup import drawn, pixels_within


def smoothed(evidence: np.ndarray, sigma: float) -> np.ndarray:
    """Return evidence averaged over a Gaussian of `sigma` pixels: doubt and support of neighbours count, not votes.

    Parameters
    ----------
    evidence : ndarray of uint8, shape (H, W)
        As the kernels write it.
    sigma : float
        In pixels; 0 leaves the evidence as it is.
    """
    return cv2.GaussianBlur(evidence, (0, 0), sigma) if sigma > 0 else evidence


def probability_of(evidence: np.ndarray, out: np.ndarray) -> None:
    """Write the probability of foreground, 1 / (1 + exp(-L)), float32, for evidence given as bytes."""
    cv2.LUT(evidence, _PROBABILITIES, dst=out)


def objects_in(
    evidence: np.ndarray, min_area: float, fill_area: float, large_area: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask of the objects, and that of the large ones.

    Parameters
    ----------
    evidence : ndarray of uint8, shape (H, W)
        Smoothed; positive evidence is foreground.
    min_area, fill_area, large_area : float
        Pixels: smaller objects are dropped, smaller holes filled, and objects from the last on are large.

    Returns
    -------
    (ndarray, ndarray) of uint8, shape (H, W)
        255 inside objects, 0 elsewhere.
    """
    _, positive = cv2.threshold(evidence, ZERO_BYTE, 255, cv2.THRESH_BINARY)
    outlines, hierarchy = cv2.findContours(positive, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return positive, positive.copy()
    areas = [pixels_within(outline) for outline in outlines]
    kept: list[np.ndarray] = []
    large: list[np.ndarray] = []
    for i, (_, _, first_hole, parent) in enumerate(hierarchy[0].tolist()):
        if parent >= 0:
            continue
        holes = _holes_of(outlines, areas, hierarchy[0], first_hole, fill_area)
        area = areas[i] - sum(hole_area for _, hole_area in holes)
        if area >= min_area:
            parts = [outlines[i], *(outline for outline, _ in holes)]
            kept += parts
            if area >= large_area:
                large += parts
    return drawn(kept, evidence.shape), drawn(large, evidence.shape)


def _holes_of(
    outlines: Sequence[np.ndarray], areas: Sequence[int], hierarchy: np.ndarray, first: int, fill_area: float
) -> list[tuple[np.ndarray, int]]:
    """Return outline and area of each hole of an object that is not to be filled."""
    holes = []
    while first >= 0:
        area = areas[first] - len(outlines[first])  # a hole's outline runs on pixels of the object
        if area >= fill_area:
            holes.append((outlines[first], area))
        first = int(hierarchy[first, 0])
    return holes


_LEVELS = (np.arange(256) - ZERO_BYTE) / 8
_PROBABILITIES = (1 / (1 + np.exp(-_LEVELS))).astype(np.float32)
