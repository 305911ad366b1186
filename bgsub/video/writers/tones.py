"""Pictures of more than 8 bits as a screen can show them: by the values that they use, not by those that they could."""

from __future__ import annotations

import math

import numpy as np

_RARE = 0.5  # per cent of the pixels that may be darker than black, and brighter than white, in the first picture
_MARGIN = 0.1  # of that range is left on both sides for what comes later
_MANY = 0.05  # of the pixels beyond the range widen it
_LOOKED_AT = 60  # rows, or columns, about so many of the shorter ones, are looked at for that


class Tones:
    """Brings images of any depth to 8 bits, all of one video in the same way.

    The range is that of the first image's values, without its rarest ones; where they are all alike it is the full
    scale of the type. It is widened when more than a few pixels lie beyond it, and never narrowed.

    Parameters
    ----------
    bounds : tuple of float, optional
        Values of black and of white, which are kept then.
    """

    def __init__(self, bounds: tuple[float, float] | None = None) -> None:
        self._bounds = bounds
        self._fixed = bounds is not None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return an image as uint8 of the same shape; `image` itself where it is uint8. What is no number is black."""
        if image.dtype == np.uint8:
            return image
        if image.dtype == bool:
            return image.astype(np.uint8) * np.uint8(255)
        low, high = self._range(image)
        scaled = (image.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
        return np.clip(np.rint(np.nan_to_num(scaled, nan=0, posinf=255, neginf=0)), 0, 255).astype(np.uint8)

    def _range(self, image: np.ndarray) -> tuple[float, float]:
        """Return the values of black and white, after a look at what the image needs."""
        if self._bounds is None:
            self._bounds = _used(image, _RARE) or _full_scale(image.dtype)
        elif not self._fixed:
            low, high = self._bounds
            step = max(1, min(image.shape[:2]) // _LOOKED_AT)
            sample = image[::step, ::step]
            beyond = np.count_nonzero((sample < low) | (sample > high))
            if beyond > _MANY * sample.size and (used := _used(sample, _RARE)):
                self._bounds = min(low, used[0]), max(high, used[1])
        return self._bounds


def _used(image: np.ndarray, rare: float) -> tuple[float, float] | None:
    """Return the range of an image's values with a margin; None where there is only one."""
    values = image[np.isfinite(image)]
    if not values.size:
        return None
    low, high = (float(value) for value in np.percentile(values, [rare, 100 - rare]))
    if not math.isfinite(high - low) or high <= low:
        return None
    margin = (high - low) * _MARGIN
    if not np.issubdtype(image.dtype, np.integer):
        return low - margin, high + margin
    limits = np.iinfo(image.dtype)
    return max(low - margin, float(limits.min)), min(high + margin, float(limits.max))


def _full_scale(dtype: np.dtype) -> tuple[float, float]:
    if np.issubdtype(dtype, np.integer):
        return 0.0, float(np.iinfo(dtype).max)
    return 0.0, 1.0
