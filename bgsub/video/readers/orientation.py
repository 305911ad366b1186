"""How a picture that was stored turned or mirrored is set upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np


@dataclass(frozen=True, slots=True)
class Orientation:
    """What sets a stored picture upright: first the mirror, then the turns.

    Attributes
    ----------
    mirrored : bool
        Left and right are exchanged.
    turns : int
        Quarter turns counterclockwise after that, 0 to 3.
    """

    mirrored: bool = False
    turns: int = 0

    @classmethod
    def of_matrix(cls, matrix: np.ndarray) -> Orientation:
        """Return the nearest of the eight orientations to a display matrix.

        Parameters
        ----------
        matrix : ndarray of int, shape (3, 3)
            A stored pixel (x, y, 1) is shown at (x, y, 1) @ matrix, as FFmpeg and MP4 have it; y points down.
        """
        (a, b), (c, d) = matrix[:2, :2].astype(float)
        mirrored = a * d - b * c < 0
        if mirrored:
            a, b = -a, -b  # what is left is the turn of the mirrored picture
        # A turn by t counterclockwise, with y down, is [[cos t, -sin t], [sin t, cos t]].
        return cls(bool(mirrored), round(np.degrees(np.arctan2(c - b, a + d)) / 90) % 4)

    @classmethod
    def of_picture(cls, picture: av.VideoFrame) -> Orientation:
        """Return that of a decoded picture."""
        try:
            beside: Any = picture.side_data
            matrix: Any = beside.get("DISPLAYMATRIX") if len(beside) else None  # asked of every frame
        except ValueError:  # it carries something beside that PyAV has no name for; the angle is known all the same
            return cls(turns=round(picture.rotation / 90) % 4)
        if matrix is None:
            return cls()
        return cls.of_matrix(np.frombuffer(matrix, np.int32, 9).reshape(3, 3))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height after turning; also those before, from those after."""
        return (height, width) if self.turns % 2 else (width, height)

    def upright(self, pixels: np.ndarray) -> np.ndarray:
        """Return the picture upright, in memory of its own if anything had to be done."""
        import cv2  # np.rot90 and a copy take ten times as long

        if self.mirrored:
            pixels = cv2.flip(np.ascontiguousarray(pixels), 1)
        if self.turns:
            codes = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
            pixels = cv2.rotate(np.ascontiguousarray(pixels), codes[self.turns])
        return pixels


class Orientations:
    """Those of a stream's pictures; what lies beside a picture is read only where it is turned otherwise than the last.

    Reading it makes a picture of PyAV's and what lies beside it refer to each other: their memory is free only when
    Python looks for such circles, after thousands of pictures.
    """

    def __init__(self) -> None:
        self._last: tuple[float, Orientation] | None = None

    def of(self, picture: av.VideoFrame) -> Orientation:
        """Return that of a decoded picture."""
        angle, last = picture.rotation, self._last
        if last is None or last[0] != angle:
            last = self._last = angle, Orientation.of_picture(picture)
        return last[1]
