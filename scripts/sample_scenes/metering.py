"""Automatic exposure: a camera that opens up when something dark comes into its view."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from .stage import Stage
from .textures import Array

_RATE = 8.0  # measurements a second
_SMALL = (64, 48)
_SPOT = 0.22  # standard deviation of the metered spot, in halves of the picture


def automatic(
    stage: Stage, seconds: float, base: float, strength: float = 1.0, lag: float = 0.45, most: float = 1.5
) -> Callable[[float], tuple[float, Sequence[float]]]:
    """Return an exposure over time that holds the brightness of a spot in the middle of the picture.

    Parameters
    ----------
    stage : Stage
        What the camera sees; it is drawn eight times a second to measure it.
    seconds : float
        Length of the clip.
    base : float
        Gain for what is seen at first.
    strength : float
        Share of a change of brightness (in stops) that is made up for; above 1 it is overdone, as for a backlit face.
    lag : float
        Seconds in which the control covers two thirds of the way.
    most : float
        Largest gain as a multiple of `base`; and its inverse the smallest.
    """
    times = np.arange(0, seconds + 1 / _RATE, 1 / _RATE)
    middle = _weights()
    seen = np.array([_brightness(stage.compose(time).light, middle) for time in times])
    wanted = np.clip((seen[0] / seen) ** strength, 1 / most, most)
    gain = np.ones(len(times))
    for i in range(1, len(times)):
        gain[i] = gain[i - 1] + (wanted[i - 1] - gain[i - 1]) * (1 - np.exp(-1 / (_RATE * lag)))
    return lambda time: (base * float(np.interp(time, times, gain)), (1.0, 1.0, 1.0))


def _weights() -> Array:
    """Return weights of the picture's parts: a soft spot in its middle."""
    x, y = (np.linspace(-1, 1, size) for size in _SMALL)
    weights = np.exp(-(x[None, :] ** 2 + y[:, None] ** 2) / (2 * _SPOT**2))
    return weights / weights.sum()


def _brightness(light: Array, weights: Array) -> float:
    """Return the weighted brightness of a picture: the meter also knows how bright is what the picture clips."""
    return float((cv2.resize(light.mean(axis=2), _SMALL, interpolation=cv2.INTER_AREA) * weights).sum())
