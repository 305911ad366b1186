"""The light of a frame beside that of the background, judged by a sparse sample of pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

LUMA = (0.114, 0.587, 0.299)  # physics: shares of B, G and R in Y (ITU-R BT.601)
CHROMA = (0.713, 0.564)  # physics: scales that bring R - Y and B - Y to the range of Y

_FEWEST = 50  # chosen: usable pixels, below which nothing is said
_DARK, _BRIGHT = 8.0, 250.0  # chosen: grey levels: ratios of darker pixels are noise, brighter ones are clipped
_DIMMEST, _LIGHTEST = 0.02, 0.98  # chosen: shares of pixels that are darker: between them lies the contrast
_DEVIATION = 0.6745  # physics: half of a Gaussian's values lie within so many standard deviations
_STRONGEST = 32.0  # chosen: a stronger change of light leaves nothing to compare
_DEAD_ZONE = 0.005  # chosen: smaller changes of light are left to the mixture
_COLOURLESS = 1.5  # chosen: mean |chroma|, in grey levels, of a picture without colour


class Light(NamedTuple):
    """What the sample tells.

    Attributes
    ----------
    gain : float
        Factor that brings the frame to the background's light.
    has_colour : bool
        False for grey pictures, also when they come as BGR: an infrared camera at night.
    contrast : float
        How much darker the dark pixels are than the bright ones, 0 to 1.
    noise : float
        Variance of Y, in the background's light, about that of the background: the camera's noise, and whatever else
        changes all over the view.
    """

    gain: float
    has_colour: bool
    contrast: float = 1.0
    noise: float = 0.0


def measure_light(pixels: np.ndarray, background: np.ndarray) -> Light:
    """Compare a frame with the heaviest mode of its pixels.

    The median of Y / background Y is not moved by objects that cover less than half of the view.

    Parameters
    ----------
    pixels : ndarray of float32, shape (N,) or (N, 3)
        A sample of the frame, grey or BGR.
    background : ndarray of float32, shape (N,)
        Luma of the background there, 0 where nothing has been learned.

    Returns
    -------
    Light
    """
    if pixels.ndim == 1:
        luma, has_colour = pixels, False
    else:
        luma = pixels @ np.array(LUMA, np.float32)
        chroma = (np.abs(pixels[:, 2] - luma) * CHROMA[0] + np.abs(pixels[:, 0] - luma) * CHROMA[1]) / 2
        has_colour = bool(chroma.mean() > _COLOURLESS)
    usable = (luma > _DARK) & (luma < _BRIGHT) & (background > _DARK)
    if np.count_nonzero(usable) < _FEWEST:
        return Light(1.0, has_colour)
    ratio = median_of(luma[usable] / background[usable])
    changed = abs(ratio - 1) > _DEAD_ZONE and 1 / _STRONGEST < ratio < _STRONGEST
    gain = 1 / ratio if changed else 1.0
    return Light(gain, has_colour, contrast_of(luma), noise_of(luma * gain, background))


def contrast_of(luma: np.ndarray) -> float:
    """Return by how much the dark pixels are darker than the bright ones, 0 to 1; a few of either do not count.

    Fog lights the dark ones up; a lack of light leaves them as dark as the bright ones are.
    """
    last = len(luma) - 1
    low, high = int(_DIMMEST * last), math.ceil(_LIGHTEST * last)
    ranked = np.partition(luma, (low, high))
    return 1 - float(ranked[low]) / max(float(ranked[high]), 1.0)


def noise_of(luma: np.ndarray, background: np.ndarray) -> float:
    """Return the variance of luma about the background, by the median: objects on less than half do not count."""
    known = background > 0
    deviation = median_of(np.abs(luma[known] - background[known])) / _DEVIATION
    return deviation * deviation


def median_of(values: np.ndarray) -> float:
    """Return the median of numbers, none of them NaN, as `np.median` does, in a fifth of its time."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    ranked = np.partition(values, (half - 1, half))
    return float((ranked[half - 1] + ranked[half]) / values.dtype.type(2))
