"""A frame as a small PNG picture, for a notebook."""

from __future__ import annotations

import numpy as np

LARGEST = 480
"""Pixels of a preview's longer side."""

_TAILS = (0.5, 99.5)  # percent of the pixels between which more than 8 bits are stretched


def png_preview(image: np.ndarray) -> bytes | None:
    """Return a picture of an image as a PNG file, at most `LARGEST` pixels long or high.

    Parameters
    ----------
    image : ndarray, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)
        Grey, BGR or BGRA. uint8 is shown as it is, bool in black and white; numbers of any other kind are stretched
        between black and white by what the image holds. What is not finite is black.

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
    small = _in_8_bits(image[:: max(1, height // (2 * LARGEST)), :: max(1, width // (2 * LARGEST))])
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size != (width, height):
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    encoded, data = cv2.imencode(".png", small)
    return data.tobytes() if encoded else None


def _in_8_bits(image: np.ndarray) -> np.ndarray:
    """Return an image of any kind of numbers as uint8."""
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    if image.dtype == np.bool_:
        return image.astype(np.uint8) * 255
    values = image.astype(np.float64)
    finite = np.isfinite(values)
    low, high = np.percentile(values[finite], _TAILS) if finite.any() else (0.0, 0.0)
    if high <= low:  # one value, or nearly so: mid grey
        return np.where(finite, 128, 0).astype(np.uint8)
    scaled = (np.where(finite, values, low) - low) * (255 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
