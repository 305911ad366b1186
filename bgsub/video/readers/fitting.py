"""Images of one source brought to the size and the channels of its first."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def brought_to(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return an image in another size, and as colour or grey."""
    height, width = shape[:2]
    if image.shape[:2] != (height, width):
        smaller = image.shape[0] > height or image.shape[1] > width
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    if image.ndim != len(shape):
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if len(shape) == 3 else cv2.COLOR_BGR2GRAY)
    return image


def like(shape: Sequence[int]) -> str:
    """Return what images of a shape are, in words."""
    return f"{shape[1]}x{shape[0]} pixels in {'colour' if len(shape) == 3 else 'grey'}"
