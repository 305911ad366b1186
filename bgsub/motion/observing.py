"""What is seen in one frame: the step from a mask to an event."""

from __future__ import annotations

from typing import NamedTuple

from bgsub.motion.blobs import Blob, Box

TOLD_LATE = 0.7
"""Seconds at most after which an observation tells since when something has moved."""


class Observation(NamedTuple):
    """What one frame shows.

    Attributes
    ----------
    frame : int
        Number of the frame in its source, from 0.
    time : float
        Seconds from the first frame of the timeline.
    blobs : tuple of Blob
        What moves and is looked at: without what lies in zones that are left out, and without what is light.
    share : float
        Part of the region that moves, 0 to 1.
    light : bool
        The change is one of light (a switch, a step of the camera's exposure), not of objects.
    zones : tuple of str
        Names of the watched zones that hold pixels of the blobs.
    first, since : int or None, float or None
        Number and time of an earlier frame from which some of the blobs are there: it takes some frames to tell noise
        from motion. None where they all begin with this frame, or go on.
    came : tuple of Box
        Where these were then.
    """

    frame: int
    time: float
    blobs: tuple[Blob, ...] = ()
    share: float = 0.0
    light: bool = False
    zones: tuple[str, ...] = ()
    first: int | None = None
    since: float | None = None
    came: tuple[Box, ...] = ()

    @property
    def area(self) -> float:
        """Pixels of the source that move."""
        return sum(blob.area for blob in self.blobs)
