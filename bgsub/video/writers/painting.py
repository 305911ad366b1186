"""What a run shows of its frames: the same colour and the same tones from the first to the last."""

from __future__ import annotations

import numpy as np

from bgsub.video.colors import Color
from bgsub.video.writers import drawing
from bgsub.video.writers.contrast import lacking_color, shadow_of
from bgsub.video.writers.tones import Tones


class Painter:
    """Draws overlays and cut-outs of one video.

    Parameters
    ----------
    color : tuple of int, optional
        BGR of moving objects; by default the one that the first picture lacks the most, see `lacking_color`.
    bounds : tuple of float, optional
        Values of black and white in images of more than 8 bits; by default those in use, see `Tones`.
    """

    def __init__(self, color: Color | None = None, bounds: tuple[float, float] | None = None) -> None:
        self._color = color
        self._tones = Tones(bounds)

    def picture(self, image: np.ndarray) -> np.ndarray:
        """Return an image of any depth, grey or colour, as BGR uint8."""
        return drawing.to_bgr(self._tones(image))

    def overlay(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the picture with its moving objects tinted and outlined, BGR uint8."""
        picture = self.picture(image)
        if self._color is None:
            self._color = lacking_color(picture, drawing.OPACITY)
        return drawing.overlay(picture, mask, self._color, shadow_of(self._color))

    def cutout(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the moving objects on grey, which hides neither black clothes nor white cars; BGR uint8."""
        return drawing.cutout(self.picture(image), mask, drawing.GREY)

    def transparent_cutout(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the moving objects on transparent black, BGRA uint8."""
        return drawing.transparent_cutout(self.picture(image), mask)
