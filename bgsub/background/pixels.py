"""An image as the kernels want it: contiguous pixels on a scale of 0 to 255, and nothing else let in."""

from __future__ import annotations

from typing import Any

import numpy as np

from bgsub.errors import ParameterError


def as_pixels(image: Any) -> np.ndarray:
    """Return `image` as C-contiguous, writable uint8 or float32 in [0, 255], shape (H, W) or (H, W, 3).

    Parameters
    ----------
    image : ndarray, shape (H, W), (H, W, 1) or (H, W, 3)
        Grey or BGR, any strides: uint8; float32 in [0, 255]; or uint16, of which 65535 is brought to 255
        (divided by 257).

    Raises
    ------
    ParameterError
        When it is no such array, is empty, or float values leave the range.
    """
    if not isinstance(image, np.ndarray):
        raise ParameterError(f"image is a {type(image).__name__}: give a NumPy array")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ParameterError(f"image has shape {image.shape}: give (height, width) or (height, width, 3)")
    if image.size == 0:
        raise ParameterError(f"image has shape {image.shape}: it needs at least one pixel")
    if image.dtype == np.uint16:
        return np.ascontiguousarray(image, np.float32) * np.float32(1 / 257)
    if image.dtype == np.float32:
        if not (image.min() >= 0 and image.max() <= 255):  # false for NaN too
            raise ParameterError("image has values outside 0 to 255, or NaN: scale float32 images to that range")
    elif image.dtype != np.uint8:
        raise ParameterError(f"image has dtype {image.dtype}: convert it to uint8, uint16 or float32 in [0, 255]")
    image = np.ascontiguousarray(image)
    return np.require(image, requirements=["A", "W"])  # kernels are compiled anew for an array that is read-only


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


def check_probability(plane: Any, shape: tuple[int, ...]) -> None:
    """Raise ParameterError unless `plane` is a writable float32 array of the frame's height and width."""
    if not isinstance(plane, np.ndarray) or plane.dtype != np.float32 or plane.shape != shape[:2]:
        given = f"{plane.dtype} of shape {plane.shape}" if isinstance(plane, np.ndarray) else type(plane).__name__
        raise ParameterError(f"probability is {given}: give a float32 array of shape {shape[:2]}")
    if not plane.flags.writeable:
        raise ParameterError("probability cannot be written: give a writable float32 array")
