"""A mask of what moves all the time and goes nowhere: flags, trees, water."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import cv2
import numpy as np

from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.files import atomic_write
from bgsub.motion.results import Scanned
from bgsub.motion.tracking import Sighting, Track

_LEAST = 20.0  # seconds that say what is usual
_TRAVELS = 2.0, 0.1  # times its size, and of the picture's mean side: who gets so far is no flag
_LONGEST_STEP = 1.0  # seconds that a sighting stands for at most


def learn_mask(results: Sequence[Scanned], *, share: float = 0.1) -> np.ndarray:
    """Return where something moves all the time and goes nowhere, as a mask for a zone that is ignored.

    Of the time in which a pixel moves that is left out in which a track covers it that travels: a busy road and
    somebody who stops for long are no flags.

    Parameters
    ----------
    results : sequence of Scanned
        Of one camera, all of the same size; those without a heat map say nothing.
    share : float
        Of the time, above 0 and at most 1: what moves for longer is masked.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        In pixels of the source: 255 where it is to be ignored, 0 elsewhere; all 0 where nothing is.

    Raises
    ------
    ParameterError
        When `share` is out of its bounds.
    SourceError
        When the sizes differ, or less than 20 seconds were scanned.
    """
    if not 0 < share <= 1:
        raise ParameterError(f"share={share} is out of bounds; give more than 0 and at most 1")
    scanned = [(result, result.facts, result.heat) for result in results if result.facts and result.heat is not None]
    sizes = sorted({(facts.width, facts.height) for _, facts, _ in scanned})
    if len(sizes) > 1:
        named = " and ".join(f"{width}x{height}" for width, height in sizes[:2])
        raise SourceError(f"a mask cannot be learned from videos of {named} pixels: give those of one camera")
    seconds = sum(facts.duration for _, facts, _ in scanned)
    if seconds < _LEAST:
        raise SourceError(
            f"a mask cannot be learned from {seconds:.0f} seconds of video: give {_LEAST:.0f} seconds or more"
        )
    size = sizes[0]
    total = np.zeros((size[1], size[0]), np.float32)
    for result, _, heat in scanned:
        moved = heat.astype(np.float32) - _travelled(result.tracks, heat.shape, size)
        total += cv2.resize(np.maximum(moved, 0), size, interpolation=cv2.INTER_NEAREST)
    return _rounded(total > share * seconds)


def write_mask(path: str | os.PathLike[str], mask: np.ndarray) -> None:
    """Write a mask as a PNG, which ``Zone(name, path, "ignore")`` takes; it takes its name once it is whole.

    Parameters
    ----------
    path : path-like
        File to write, replaced if it exists.
    mask : ndarray of uint8, shape (H, W)
        As `learn_mask` returns it.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    done, content = cv2.imencode(".png", mask)
    if not done:
        raise OutputError(f"cannot write {os.fspath(path)}: a mask of shape {mask.shape} is no picture")
    with atomic_write(path) as file:
        file.write(content.tobytes())


def _travelled(tracks: Sequence[Track], shape: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
    """Return the seconds for which each pixel of a heat map was covered by what gets somewhere."""
    seconds = np.zeros(shape, np.float32)
    scale = shape[1] / size[0], shape[0] / size[1]
    for track in tracks:
        if track.displacement < max(_TRAVELS[0] * max(track.size), _TRAVELS[1] * sum(size) / 2):
            continue
        for sighting, following in zip(track.sightings, (*track.sightings[1:], track.sightings[-1]), strict=True):
            step = min(following.time - sighting.time, _LONGEST_STEP)
            seconds[_window(sighting, scale)] += max(step, 0.0)
    return seconds


def _window(sighting: Sighting, scale: tuple[float, float]) -> tuple[slice, slice]:
    left, top, width, height = sighting.box
    across = slice(max(math.floor(left * scale[0]), 0), max(math.ceil((left + width) * scale[0]), 0))
    return slice(max(math.floor(top * scale[1]), 0), max(math.ceil((top + height) * scale[1]), 0)), across


def _rounded(moves: np.ndarray) -> np.ndarray:
    """Return a mask without holes and a little larger: where a flag waves seldom it waves too."""
    radius = max(2, round(0.01 * sum(moves.shape) / 2))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    closed = cv2.morphologyEx(moves.astype(np.uint8) * 255, cv2.MORPH_CLOSE, disk)
    return np.asarray(cv2.dilate(closed, disk))
