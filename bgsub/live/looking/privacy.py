"""What is private is black in each picture that leaves a camera's process: clips, thumbnails, and all that is shown."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bgsub.live.settings import Zone

_MARGIN = 3  # pixels across the outline: neighbours are mixed where a picture is shrunk, or its colours are halved


def hide(picture: np.ndarray, zones: Sequence[Zone]) -> np.ndarray:
    """Black out what is private, in place, and return the picture.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W) or (H, W, 3)
        Grey or BGR, of any size, that of the whole view.
    zones : sequence of Zone
        Of the camera; others than those of kind ``privacy`` are passed over.
    """
    height, width = picture.shape[:2]
    for zone in zones:
        if zone.kind == "privacy":
            corners = np.array([(x * width, y * height) for x, y in zone.polygon]).round().astype(np.int32)
            cv2.fillPoly(picture, [corners], (0, 0, 0))
            cv2.polylines(picture, [corners], True, (0, 0, 0), _MARGIN)
    return picture
