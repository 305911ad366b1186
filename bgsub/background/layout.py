"""The arrays of a saved model, pixel by pixel, and the tiles of sixteen pixels in which the CPU's kernels keep them.

Files hold planes of (..., H, W), so that any engine can load them, whatever its own layout is. A tile is 16 consecutive
pixels of the flat picture; the last one is filled up with pixels that are not there, whose values are 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bgsub.simd import LANES

Layout = dict[str, tuple[tuple[int, ...], np.dtype]]
"""Shape and dtype of each saved array, by its name."""


def n_tiles(size: tuple[int, ...]) -> int:
    """Return how many tiles a picture of `size`, (H, W), takes."""
    return -(-size[0] * size[1] // LANES)


def to_pixels(tiles: np.ndarray, size: tuple[int, ...], axis: int = 0) -> np.ndarray:
    """Return an array of tiles as planes of pixels.

    Parameters
    ----------
    tiles : ndarray, shape (..., tiles, ..., 16)
        Any dtype; `axis` counts the tiles.
    size : (int, int)
        Height H and width W of the picture.

    Returns
    -------
    ndarray, shape (..., H, W)
        A copy, C-contiguous.
    """
    rows = np.moveaxis(tiles, axis, -2)
    flat = np.ascontiguousarray(rows).reshape(*rows.shape[:-2], -1)
    return np.ascontiguousarray(flat[..., : size[0] * size[1]]).reshape(*rows.shape[:-2], *size[:2])


def fill_tiles(tiles: np.ndarray, planes: np.ndarray, axis: int = 0) -> None:
    """Write planes of pixels to an array of tiles, as `to_pixels` reads them; pixels that are not there become 0."""
    rows = np.moveaxis(tiles, axis, -2)  # a view
    flat = np.zeros((*rows.shape[:-2], rows.shape[-2] * LANES), tiles.dtype)
    flat[..., : planes.shape[-2] * planes.shape[-1]] = planes.reshape(*planes.shape[:-2], -1)
    rows[...] = flat.reshape(rows.shape)


def alive(weights: np.ndarray) -> np.ndarray:
    """Return how many modes of each pixel are alive: those up to the last that has a weight.

    Parameters
    ----------
    weights : ndarray, shape (K, H, W)
        0 where there is no such mode.

    Returns
    -------
    ndarray of uint8, shape (H, W)
    """
    count = np.zeros(weights.shape[1:], np.uint8)
    for k, plane in enumerate(weights):
        count[plane > 0] = k + 1
    return count


def check_frames(shape: tuple[Any, ...], n_frames: Any) -> None:
    """Raise ValueError unless a file's shape and number of frames can be those of a model."""
    if not all(type(n) is int and n > 0 for n in shape) or not (len(shape) == 2 or shape[2:] == (3,)):
        raise ValueError(f"frames of shape {shape}")
    if type(n_frames) is not int or not 0 <= n_frames < 2**63:
        raise ValueError(f"{n_frames!r} frames")


def check_arrays(arrays: Mapping[str, np.ndarray], layout: Layout) -> None:
    """Raise ValueError unless saved arrays are of this layout; KeyError where one is missing."""
    for name, (shape, dtype) in layout.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(f"{name} of shape {array.shape} and dtype {array.dtype}, not {shape} and {dtype}")


def check_modes(arrays: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError unless ``n_modes`` is what `alive` makes of ``weights``: kernels go through that many."""
    if not np.array_equal(arrays["n_modes"], alive(arrays["weights"])):
        raise ValueError("numbers of Gaussians that do not fit their weights")


# --------------------------------------------------------------------------------------------- files of version 1


def from_version_1(arrays: Mapping[str, np.ndarray], layout: Layout) -> dict[str, np.ndarray]:
    """Return the arrays of a file of version 1, which held tiles, in the layout of today.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As the file has them: ``weights`` (tiles, K, 16), ``modes`` (K, tiles, rows, 16), ``n_modes`` (tiles,), planes
        (tiles, 16).
    layout : Layout
        What is wanted.

    Raises
    ------
    ValueError, KeyError
        When they are not of that layout, or cannot be trusted.
    """
    size = layout["n_modes"][0]
    check_arrays(arrays, _layout_1(layout))
    n_modes, k = arrays["n_modes"], layout["weights"][0][0]
    if not 1 <= int(n_modes.min()) <= int(n_modes.max()) <= k:
        raise ValueError("numbers of Gaussians out of bounds")
    listed = (np.arange(k) < n_modes[:, None])[:, :, None]  # what lies beyond was no part of the model
    converted = dict(arrays)
    for name in layout:
        if name in _TILED:
            tiles = np.where(listed, arrays[name], 0) if name == "weights" else arrays[name]
            converted[name] = to_pixels(tiles.astype(arrays[name].dtype, copy=False), size, _axis(name))
    converted["n_modes"] = alive(converted["weights"])
    return converted


_TILED = ("weights", "modes", "flicker", "raw", "age", "mask")


def _axis(name: str) -> int:
    """Return the axis that counts the tiles."""
    return 1 if name == "modes" else 0


def _layout_1(layout: Layout) -> Layout:
    """Return the layout of version 1 that belongs to one of today."""
    size = layout["n_modes"][0]
    tiles = n_tiles(size)
    old: Layout = {}
    for name, (shape, dtype) in layout.items():
        if name in _TILED:
            axis, others = _axis(name), shape[:-2]
            shape = (*others[:axis], tiles, *others[axis:], LANES)
        old[name] = (shape, dtype)
    old["n_modes"] = ((tiles,), np.dtype(np.uint8))
    return old
