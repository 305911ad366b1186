"""A frame as a small PNG picture, for a notebook."""

from __future__ import annotations

import numpy as np

from bgsub.video.writers.tones import Tones

LARGEST = 480
"""Pixels of a preview's longer side."""


def png_preview(image: np.ndarray) -> bytes | None:
    """Return a picture of an image as a PNG file, at most `LARGEST` pixels long or high.

    Parameters
    ----------
    image : ndarray, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)
        Grey, BGR or BGRA. uint8 is shown as it is, bool in black and white, and numbers of any other kind by the range
        that they use, see `Tones`.

    Returns
    -------
    bytes or None
        None where it is no such image.
    """
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3) or image.size == 0:
        return None
    if image.dtype.kind not in "buif" or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        return None
    import cv2  # a name of a video is shown without it

    height, width = image.shape[:2]
    factor = min(1.0, LARGEST / max(height, width))
    small = Tones()(image[:: max(1, height // (2 * LARGEST)), :: max(1, width // (2 * LARGEST))])
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size != (width, height):
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    encoded, data = cv2.imencode(".png", small)
    return data.tobytes() if encoded else None
