"""Single frames of a video, read again once it is known which ones are wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import numpy as np

from bgsub.errors import SourceError
from bgsub.video.source import Source

_PATIENCE = 10.0  # seconds that jumping to every frame may take; otherwise the video is read through
_TOLERANCE = 1e-6  # seconds; far below any frame period


def pictures_at(open_from: Callable[[float], Source], times: Collection[float]) -> dict[float, np.ndarray]:
    """Return the images of the frames at given times.

    Jumping to each frame takes milliseconds where the source can seek, and decodes everything before it where it
    cannot (frames of uneven length). The last frame is fetched first, and how long that took decides.

    Parameters
    ----------
    open_from : callable
        Opens the source from a time in seconds on, as ``lambda start: bgsub.open_source("a.mp4", start=start)`` does.
    times : collection of float
        Times of frames, as `Frame.time` tells them.

    Returns
    -------
    dict of float to ndarray
        The images by their times.

    Raises
    ------
    SourceError
        When the source has no frame at such a time any more.
    """
    wanted = sorted(set(times))
    if not wanted:
        return {}
    started = time.perf_counter()
    found = _read(open_from, wanted[-1:])
    cost = time.perf_counter() - started
    if cost * (len(wanted) - 1) <= _PATIENCE:
        for moment in wanted[:-1]:
            found |= _read(open_from, [moment])
    elif len(wanted) > 1:
        found |= _read(open_from, wanted[:-1])
    return found


def _read(open_from: Callable[[float], Source], wanted: list[float]) -> dict[float, np.ndarray]:
    """Return the images at ascending times, in one pass from the first to the last."""
    found: dict[float, np.ndarray] = {}
    with open_from(wanted[0]) as source:
        for frame in source:
            moment = wanted[len(found)]
            if frame.time > moment + _TOLERANCE:
                break
            if frame.time >= moment - _TOLERANCE:
                found[moment] = frame.image
                if len(found) == len(wanted):
                    return found
        name = source.info.name
    raise SourceError(f"{name} has no frame at {wanted[len(found)]:.3f} s any more: it changed while it was read")
