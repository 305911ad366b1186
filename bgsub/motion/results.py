"""What came of scanning one timeline, as a value that reports and clips are made of and JSON can keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from bgsub.motion.events import Event
from bgsub.motion.tracking import Track
from bgsub.pipeline import Tally


@dataclass(frozen=True)
class SourceFacts:
    """What is known of a scanned timeline without opening it again.

    Attributes
    ----------
    source : tuple of str
        Files as they were named; several are one timeline.
    name : str
        Short, for naming outputs.
    width, height : int
        Of the source's pictures, in pixels.
    fps : float or None
        Nominal frames per second.
    duration : float
        Seconds that were scanned, to the end of the last frame.
    recorded : datetime or None
        Wall-clock time of the first frame, with its zone, where the file tells it.
    """

    source: tuple[str, ...]
    name: str
    width: int
    height: int
    fps: float | None
    duration: float
    recorded: datetime | None = None


@dataclass(frozen=True)
class Activity:
    """How much moves over time: the motion graph, of a bounded number of points.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        Seconds at which each stretch begins.
    shares : ndarray of float32, shape (n,)
        Largest share of the region that moves within it, 0 to 1.
    """

    times: np.ndarray
    shares: np.ndarray


@dataclass(frozen=True)
class Scanned:
    """What came of scanning one timeline.

    Attributes
    ----------
    facts : SourceFacts or None
        None where it could not be opened.
    events : tuple of Event
        In the order of time.
    tracks : tuple of Track
        In the order in which they begin.
    activity : Activity or None
        The motion graph.
    heat : ndarray of float32, shape (h, w), or None
        Seconds that each pixel moved; its pixels may be larger than those of the source.
    background : ndarray of uint8, shape (h, w) or (h, w, 3), or None
        The learned background at the end, for pictures.
    tally : Tally
        Frames and times.
    error : str or None
        Why it could not be read, or not to its end; the events before that are whole.
    """

    facts: SourceFacts | None
    events: tuple[Event, ...] = ()
    tracks: tuple[Track, ...] = ()
    activity: Activity | None = None
    heat: np.ndarray | None = None
    background: np.ndarray | None = None
    tally: Tally = field(default_factory=Tally)
    error: str | None = None

    @property
    def is_still(self) -> bool:
        """Whether it was read to its end and nothing moved."""
        return self.error is None and not self.events
