"""What moves in a frame, in five numbers: how much, in how many pieces, of what size, how far apart."""

from __future__ import annotations

import cv2
import numpy as np

from bgsub.background.cleanup import clean

MOVEMENT = ("foreground", "objects", "largest_object", "mean_object", "objects_apart")
"""Names of what `movement` returns, in its order."""

BOXES = 8
"""Objects of a frame whose places are kept, the largest ones."""

_LEAST = 5e-4  # of the picture: smaller objects are noise


def movement(mask: np.ndarray) -> np.ndarray:
    """Describe what moves.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, W)
        Foreground mask: 255 is foreground, all else is not.

    Returns
    -------
    ndarray of float64, shape (5,)
        In the order of `MOVEMENT`: the share of the picture that is foreground, in %; the number of objects; the
        share of the picture that the largest and the mean object cover, in %; how far the objects' centres lie from
        their common centre, in % of the picture's diagonal (root mean square). Specks thinner than 3 pixels and
        objects of less than 0.05 % of the picture are left out.
    """
    return movement_and_boxes(mask)[0]


def movement_and_boxes(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what `movement` does, and where the largest objects are.

    Returns
    -------
    ndarray of float64, shape (5,)
        As `movement` returns it.
    ndarray of uint16, shape (BOXES, 4)
        Left, top, width and height of each object in pixels, the largest first; 0 where there is none.
    """
    objects = clean(mask, open=3, min_area=max(1, round(_LEAST * mask.size)), shadows=False)
    count, _, stats, centres = cv2.connectedComponentsWithStats(objects, connectivity=8)
    boxes = np.zeros((BOXES, 4), np.uint16)
    if count < 2:  # the first is the background
        return np.zeros(len(MOVEMENT)), boxes
    pixels = stats[1:, cv2.CC_STAT_AREA]
    largest = np.argsort(-pixels, kind="stable")[:BOXES]
    boxes[: len(largest)] = stats[1:][largest, : cv2.CC_STAT_AREA]
    areas = pixels * (100 / mask.size)
    distances = centres[1:] - centres[1:].mean(axis=0)
    apart = np.sqrt((distances**2).sum(axis=1).mean()) * (100 / np.hypot(*mask.shape))
    return np.array([areas.sum(), count - 1, areas.max(), areas.mean(), apart]), boxes
