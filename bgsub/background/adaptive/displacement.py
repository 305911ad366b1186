"""A frame of a camera that has moved, brought to where the background is, and its mask brought back: by OpenCV."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np


class Displacement(NamedTuple):
    """Where a frame shows the points of the background.

    Attributes
    ----------
    matrix : ndarray of float64, shape (2, 3)
        Takes (x, y, 1) in the background to (x, y) in the frame, pixels.
    shape : (int, int)
        Height and width of both.
    """

    matrix: np.ndarray
    shape: tuple[int, int]

    def to_background(self, picture: np.ndarray, nearest: bool = False) -> np.ndarray:
        """Return a picture of the frame as the background has it; its edges go on beyond it."""
        flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR)
        return self._warped(picture, flags, cv2.BORDER_REPLICATE)

    def to_frame(self, picture: np.ndarray, nearest: bool = False) -> np.ndarray:
        """Return a picture of the background as the frame has it, 0 where the background does not reach."""
        return self._warped(picture, cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)

    def hidden(self) -> np.ndarray:
        """Return which pixels of the background the frame does not show: bool, shape (H, W)."""
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
        return self._warped(np.ones(self.shape, np.uint8), flags, cv2.BORDER_CONSTANT) == 0

    def _warped(self, picture: np.ndarray, flags: int, border: int) -> np.ndarray:
        return cv2.warpAffine(picture, self.matrix, self.shape[::-1], flags=flags, borderMode=border)


def within_frame(matrix: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    """Return a matrix for pixels of the frame, given one for those of an area whose top left is at `corner`, (x, y)."""
    moved = matrix.copy()
    moved[:, 2] += np.array(corner) - matrix[:, :2] @ np.array(corner)
    return moved
