"""The values of a foreground mask, OpenCV's: every model writes them, and all that reads a mask goes by them."""

from __future__ import annotations

import numpy as np

BACKGROUND = 0
"""Nothing moves."""

SHADOW = 127
"""The shadow of something that moves. Any value between the two others is read as this one (`shadow_value`)."""

FOREGROUND = 255
"""Something moves. No other value counts as that."""


def foreground_share(mask: np.ndarray) -> float:
    """Return the share of pixels that are foreground, 0 to 1.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, W)
        Foreground mask; shadows do not count.
    """
    return np.count_nonzero(mask == FOREGROUND) / mask.size
