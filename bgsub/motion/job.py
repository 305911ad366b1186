"""The description of a scan, in plain values: what is read, how motion is found in it, and when it is an event."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from bgsub.errors import ParameterError
from bgsub.jobs import Excerpt, ModelChoice
from bgsub.motion.events import Rule
from bgsub.motion.zones import Zone

ENOUGH = 12.0
"""Frames a second that are enough by default: of 202 events 122 are found right, with all frames 129."""


@dataclass(frozen=True)
class ScanJob:
    """One scan: a timeline through one background model to events.

    Attributes
    ----------
    source : str, or sequence of them
        What `bgsub.open_source` takes; several are one timeline, through one model.
    excerpt : Excerpt
        What of it is read. Times and frames are those of a full read.
    model : ModelChoice
        What masks it. Its region is the part that is looked at, in pixels of the source.
    rule : Rule
        When what moves is an event.
    zones : sequence of Zone
        Parts with names, parts that are left out, and lines.
    fast : bool
        Prefer speed: a smaller picture and the quicker model; small or pale objects may be missed.
    shrink : int or None
        Pixels of the source along the side of a pixel that is looked at; None chooses by the width, 1 is all.
    looks : float or None
        Frames a second that are enough: of a video with twice as many every second one is looked at, and so on. None,
        or an `excerpt` with `every`: all that the excerpt gives.
    min_area : float or None
        Blobs of fewer pixels of the source are noise; None chooses by the size of the picture.
    tracks : bool
        Link blobs to tracks.
    read_ahead : bool
        Decode in threads of their own, beside the model. Of many scans at a time each does better without.
    local_clock : bool
        Dates of files that say UTC are local times, as many cameras write them.
    """

    source: str | Sequence[str]
    excerpt: Excerpt = field(default_factory=Excerpt)
    model: ModelChoice = field(default_factory=ModelChoice)
    rule: Rule = field(default_factory=Rule)
    zones: Sequence[Zone] = ()
    fast: bool = False
    shrink: int | None = None
    looks: float | None = ENOUGH
    min_area: float | None = None
    tracks: bool = True
    read_ahead: bool = True
    local_clock: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.source, os.PathLike):
            object.__setattr__(self, "source", os.fspath(self.source))
        if self.shrink is not None and self.shrink < 1:
            raise ParameterError(f"shrink={self.shrink} is out of bounds; give 1 (the whole picture), 2, 4 or 8")

    @property
    def sources(self) -> tuple[str, ...]:
        """What is read, one after another: mostly one."""
        return (self.source,) if isinstance(self.source, str) else tuple(map(str, self.source))
