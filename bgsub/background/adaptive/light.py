"""The light of a frame beside that of the background, judged by a sparse sample of pixels."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from bgsub.background.adaptive.kernels import MEAN_Y
from bgsub.simd import LANES

LUMA = (0.114, 0.587, 0.299)  # shares of B, G and R in Y (ITU-R BT.601)
CHROMA = (0.713, 0.564)  # scales that bring R - Y and B - Y to the range of Y

_LANE = 7  # one pixel of a tile stands for it
_SAMPLES = 512
_FEWEST = 50
_DARK, _BRIGHT = 8.0, 250.0  # grey levels: ratios of darker pixels are noise, brighter ones are clipped
_STRONGEST = 32.0  # a stronger change of light leaves nothing to compare
_DEAD_ZONE = 0.005  # smaller changes of light are left to the mixture
_COLOURLESS = 1.5  # mean |chroma|, in grey levels, of a picture without colour


def luma_of_picture(picture: np.ndarray) -> np.ndarray:
    """Return Y of a picture, shape (h, w) or (h, w, 3), as float32."""
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return picture.astype(np.float32, copy=False)


class Light(NamedTuple):
    """What the sample tells.

    Attributes
    ----------
    gain : float
        Factor that brings the frame to the background's light.
    has_colour : bool
        False for grey pictures, also when they come as BGR: an infrared camera at night.
    """

    gain: float
    has_colour: bool


def measure_light(image: np.ndarray, modes: np.ndarray) -> Light:
    """Compare a frame with the heaviest mode of its pixels.

    The median of Y / background Y is not moved by objects that cover less than half of the view.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (N,) or (N, 3)
        Pixels, N a multiple of 16.
    modes : ndarray of float32, shape (K, N / 16, 2 or 5, 16)
        As in `State`; nothing has been learned where a mean is 0.

    Returns
    -------
    Light
    """
    tiles = image.reshape(-1, LANES, *image.shape[1:])
    step = max(1, len(tiles) // _SAMPLES)
    sample = tiles[::step, _LANE].astype(np.float32)
    background = modes[0, ::step, MEAN_Y, _LANE]
    if sample.ndim == 1:
        luma, has_colour = sample, False
    else:
        luma = sample @ np.array(LUMA, np.float32)
        chroma = (np.abs(sample[:, 2] - luma) * CHROMA[0] + np.abs(sample[:, 0] - luma) * CHROMA[1]) / 2
        has_colour = bool(chroma.mean() > _COLOURLESS)
    usable = (luma > _DARK) & (luma < _BRIGHT) & (background > _DARK)
    if np.count_nonzero(usable) < _FEWEST:
        return Light(1.0, has_colour)
    ratio = float(np.median(luma[usable] / background[usable]))
    changed = abs(ratio - 1) > _DEAD_ZONE and 1 / _STRONGEST < ratio < _STRONGEST
    return Light(1 / ratio if changed else 1.0, has_colour)
