"""What came of scanning one timeline, as a value that reports and clips are made of and JSON can keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import numpy as np

from bgsub.motion.events import Event
from bgsub.motion.stored import (
    as_plain,
    damage,
    from_plain,
    packed_numbers,
    packed_picture,
    unpacked_numbers,
    unpacked_picture,
)
from bgsub.motion.stored_tracks import plain_track, stored_track
from bgsub.motion.tracking import Track
from bgsub.pipeline import Tally

FORMAT = 1
"""Of what `Scanned.as_dict` returns; raised where a reader of today would misunderstand it."""


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
    start_time : float
        Seconds by which a player of the file shows a frame later than the timeline says: `VideoInfo.start_time`.
    timecode : str or None
        Timecode of the first frame, where a single file has one: `VideoInfo.timecode`.
    """

    source: tuple[str, ...]
    name: str
    width: int
    height: int
    fps: float | None
    duration: float
    recorded: datetime | None = None
    start_time: float = 0.0
    timecode: str | None = None


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
    source : tuple of str
        Files as they were named, also where they could not be opened.
    """

    facts: SourceFacts | None
    events: tuple[Event, ...] = ()
    tracks: tuple[Track, ...] = ()
    activity: Activity | None = None
    heat: np.ndarray | None = None
    background: np.ndarray | None = None
    tally: Tally = field(default_factory=Tally)
    error: str | None = None
    source: tuple[str, ...] = ()

    @property
    def is_still(self) -> bool:
        """Whether it was read to its end and nothing moved."""
        return self.error is None and not self.events

    def as_dict(self) -> dict[str, Any]:
        """Return all of it in types that JSON has; `from_dict` makes the same of it again, bit for bit."""
        activity = self.activity
        return {
            "format": FORMAT,
            "facts": as_plain(self.facts),
            "events": as_plain(self.events),
            "tracks": [plain_track(track) for track in self.tracks],
            "activity": activity
            and {"times": packed_numbers(activity.times), "shares": packed_numbers(activity.shares)},
            "heat": None if self.heat is None else packed_numbers(self.heat),
            "background": None if self.background is None else packed_picture(self.background),
            "tally": as_plain(self.tally),
            "error": self.error,
            "source": list(self.source),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return what `as_dict` has told.

        Parameters
        ----------
        values : mapping
            Data from outside: everything in it is checked.

        Raises
        ------
        ParameterError
            When it is of another format, or anything in it is not what it should be.
        """
        if not isinstance(values, Mapping) or values.get("format") != FORMAT:
            raise damage("the result", f"is not of format {FORMAT}")
        tracks = values.get("tracks")
        if not isinstance(tracks, list):
            raise damage("tracks", "are no list")
        heat, background, activity = (values.get(name) for name in ("heat", "background", "activity"))
        return cls(
            from_plain(SourceFacts | None, values.get("facts"), "facts"),  # type: ignore[arg-type]
            _checked(from_plain(tuple[Event, ...], values.get("events"), "events")),
            tuple(stored_track(track, f"tracks[{i}]") for i, track in enumerate(tracks)),
            None if activity is None else _activity(activity),
            None if heat is None else unpacked_numbers(heat, np.float32, 2, "heat"),
            None if background is None else unpacked_picture(background, "background"),
            from_plain(Tally, values.get("tally"), "tally"),
            from_plain(str | None, values.get("error"), "error"),  # type: ignore[arg-type]
            from_plain(tuple[str, ...], values.get("source"), "source"),
        )


def _activity(values: Any) -> Activity:
    if not isinstance(values, Mapping):
        raise damage("activity", "is no object")
    times = unpacked_numbers(values.get("times"), np.float64, 1, "activity.times")
    shares = unpacked_numbers(values.get("shares"), np.float32, 1, "activity.shares")
    if times.shape != shares.shape or (np.diff(times) < 0).any():
        raise damage("activity", "has times that fall, or others than shares")
    return Activity(times, shares)


def _checked(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return events, or raise where one ends before it begins."""
    for i, event in enumerate(events):
        if event.end < event.start or event.last < event.first or min(event.box[2:]) < 0:
            raise damage(f"events[{i}]", "ends before it begins, or has a box of negative size")
    return events
