"""Checks of what `apply` and the constructors of the models are given: images, planes beside them, numbers."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from bgsub.errors import ParameterError

_LARGEST = 1e18  # cost: of a value; its square must fit a float32


class Extremes(NamedTuple):
    """The least and the greatest value of an image."""

    low: float
    high: float


def as_image(image: Any) -> np.ndarray:
    """Return `image` as an array of numbers, shape (H, W) or (H, W, 3), without a copy.

    Parameters
    ----------
    image : ndarray, shape (H, W), (H, W, 1) or (H, W, 3)
        Grey or BGR; bool, or integers or floats of any size. Other numbers of channels are refused: which of them
        matter only the caller knows.

    Raises
    ------
    ParameterError
        When it is no such array, or is empty.
    """
    if not isinstance(image, np.ndarray):
        ended = "; has the video ended? VideoCapture.read gives None then" if image is None else ""
        raise ParameterError(f"image is a {type(image).__name__}: give a NumPy array{ended}")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ParameterError(
            f"image has shape {image.shape}: give (height, width) or (height, width, 3){_advice(image.shape)}"
        )
    if image.size == 0:
        raise ParameterError(f"image has shape {image.shape}: it needs at least one pixel")
    if image.dtype.kind not in "buif" or image.dtype.itemsize > 8:
        raise ParameterError(f"image has dtype {image.dtype}: convert it to uint8, or another type of real numbers")
    return image


def extremes_of(image: np.ndarray) -> Extremes:
    """Return the least and the greatest value of an image.

    Raises
    ------
    ParameterError
        When one of them is not finite, or too large for the models' arithmetic; the text says where.
    """
    low, high = float(image.min()), float(image.max())
    if not (low >= -_LARGEST and high <= _LARGEST):  # true for NaN too
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(image.astype(np.float64)) <= _LARGEST)
        raise ParameterError(f"image is {place_of(image, wrong)}: put a number in its place")
    return Extremes(low, high)


def place_of(image: np.ndarray, wrong: np.ndarray) -> str:
    """Return the first of the values that are `wrong`, and where it is: ``nan in row 3, column 4, channel 1``."""
    place = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    words = (f"{name} {index}" for name, index in zip(("row", "column", "channel"), place, strict=False))
    return f"{image[place]:g} in {', '.join(words)}"


def _advice(shape: tuple[int, ...]) -> str:
    """Return what may be done with an image that has not one or three channels."""
    match shape:
        case (_, _, 4):
            return "; of BGRA give image[..., :3]"
        case (_, _, _):
            return "; give one or three of its channels, or each to a model of its own"
    return ""


# ------------------------------------------------------------------------------------------------ beside the image


def check_plane(name: str, plane: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return `plane`, a mask of bool or uint8 of the frame's height and width.

    Raises
    ------
    ParameterError
        When it is not.
    """
    if not isinstance(plane, np.ndarray) or plane.dtype not in (np.uint8, np.bool_) or plane.shape != shape[:2]:
        given = f"{plane.dtype} of shape {plane.shape}" if isinstance(plane, np.ndarray) else type(plane).__name__
        raise ParameterError(f"{name} is {given}: give a uint8 array of shape {shape[:2]}")
    return plane


def check_out(out: Any, shape: tuple[int, ...]) -> None:
    """Raise ParameterError unless `out` is a writable uint8 array of the frame's height and width."""
    if check_plane("out", out, shape).dtype != np.uint8 or not out.flags.writeable:
        raise ParameterError("out cannot be written: give a writable uint8 array")


def check_probability(plane: Any, shape: tuple[int, ...]) -> None:
    """Raise ParameterError unless `plane` is a writable float32 array of the frame's height and width."""
    if not isinstance(plane, np.ndarray) or plane.dtype != np.float32 or plane.shape != shape[:2]:
        given = f"{plane.dtype} of shape {plane.shape}" if isinstance(plane, np.ndarray) else type(plane).__name__
        raise ParameterError(f"probability is {given}: give a float32 array of shape {shape[:2]}")
    if not plane.flags.writeable:
        raise ParameterError("probability cannot be written: give a writable float32 array")


def checked_threads(threads: int) -> int:
    """Return a number of threads as an int, or raise ParameterError."""
    try:
        whole = operator.index(threads)
    except TypeError:
        whole = 0
    if isinstance(threads, bool) or not 1 <= whole <= 256:
        raise ParameterError(f"threads is {threads!r}: give a whole number from 1 to 256, or None")
    return whole


def checked_rate(learning_rate: float | None) -> float | None:
    """Return the learning rate as a float, None for automatic, or raise ParameterError."""
    if learning_rate is None:
        return None
    try:
        rate = float(learning_rate)
    except (TypeError, ValueError):
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ParameterError(f"learning_rate is {learning_rate!r}: give None (automatic) or a number from 0 to 1")
    return rate
