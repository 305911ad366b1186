"""A long recording in pieces: where it is cut, and how what was seen in them becomes one result.

A piece has a model of its own, which begins some time before the cut and has learned the scene when it gets there. What
its frames show is told frame by frame; events, tracks and counts are found in the frames of all pieces together, as in
an uncut scan, so an event that is open at a cut is one event, and a track goes on.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.motion.blobs import Blob
from bgsub.motion.crossings import Borders
from bgsub.motion.events import Event, EventFinder
from bgsub.motion.gathering import ActivityGatherer
from bgsub.motion.job import ScanJob
from bgsub.motion.observing import Observation
from bgsub.motion.results import Scanned, SourceFacts
from bgsub.motion.tracking import Track, Tracker
from bgsub.pipeline import Tally

WARM_UP = 60.0
"""Seconds that a model learns before its piece: more than a history, after which events are those of an uncut scan."""

SHORTEST = 1.0
"""Seconds of a piece at least."""

_SAME = 1.0  # seconds between beginnings, and ends, of one event as the pieces and the whole tell it


@dataclass(frozen=True)
class Piece:
    """A part of a recording.

    Attributes
    ----------
    number : int
        From 0.
    start, end : float
        Seconds from the first frame of the timeline; frames with ``start <= time < end`` are its own. The last one's
        end is infinite.
    begin : float
        Where reading begins: the frames before the start are learned.
    count : int
        Pieces of the recording.
    """

    number: int
    start: float
    end: float
    begin: float
    count: int = 1


class Glance(NamedTuple):
    """What one frame shows.

    Attributes
    ----------
    seen : Observation
        What moves.
    objects : tuple of Blob
        What tracks are made of.
    """

    seen: Observation
    objects: tuple[Blob, ...]


class Ending(NamedTuple):
    """What an event turned out to be, by the pictures that a piece has seen.

    Attributes
    ----------
    end, start : float
        Of the event, in seconds. One that was under way as the piece's reading began is there with another start, and
        nobody knows what was before it.
    kind : str
        `Event.kind`.
    """

    end: float
    start: float
    kind: str


@dataclass(frozen=True)
class Part:
    """What came of a piece.

    Attributes
    ----------
    piece : Piece
        Which it is.
    facts : SourceFacts
        Of the recording; the duration is where the piece's frames end.
    n_pixels : float
        Pixels of the source that are looked at.
    glances : tuple of Glance
        Of the piece's own frames.
    endings : tuple of Ending
        Of the events that were over in the piece's own time.
    heat : ndarray of float32, shape (h, w)
        Seconds for which each pixel moved.
    background : ndarray of uint8, shape (h, w), or None
        The learned background at the end.
    tally : Tally
        Of the piece's own frames.
    error : str or None
        Why it could not be read to its end.
    """

    piece: Piece
    facts: SourceFacts
    n_pixels: float
    glances: tuple[Glance, ...]
    endings: tuple[Ending, ...]
    heat: np.ndarray
    background: np.ndarray | None
    tally: Tally
    error: str | None = None


def plan_pieces(
    key_times: Sequence[float],
    length: float,
    *,
    start: float = 0.0,
    end: float = math.inf,
    warm_up: float = WARM_UP,
) -> list[Piece]:
    """Cut a recording at key frames into pieces of about a length.

    Parameters
    ----------
    key_times : sequence of float
        Seconds at which there are key frames, rising, and the end of the recording.
    length : float
        Seconds of a piece, `SHORTEST` at least; it is longer up to the next key frame, and the last one up to half as
        long again.
    start, end : float
        What of the recording is scanned.
    warm_up : float
        Seconds that a model learns before its piece.

    Returns
    -------
    list of Piece
        One where it is too short, or has no key frames between.

    Raises
    ------
    ParameterError
        When a length is out of its bounds.

    Examples
    --------
    >>> [(piece.begin, piece.start, piece.end) for piece in plan_pieces([0, 10, 20, 30, 45], 20, warm_up=5)]
    [(0.0, 0.0, 20.0), (15.0, 20.0, inf)]
    """
    if not (math.isfinite(length) and length >= SHORTEST):
        raise ParameterError(f"a piece of {length:g} s is out of bounds; give {SHORTEST:g} s or more")
    if not (math.isfinite(warm_up) and warm_up >= 0):
        raise ParameterError(f"warm_up={warm_up:g} is out of bounds; give seconds from 0")
    until = min(end, key_times[-1] if key_times else start)
    cuts = [float(start)]
    while cuts[-1] + 1.5 * length <= until:
        place = bisect.bisect_left(key_times, cuts[-1] + length)
        if place >= len(key_times) - 1 or key_times[place] >= until:
            break
        cuts.append(float(key_times[place]))
    ends = [*cuts[1:], math.inf]
    return [
        Piece(i, first, after, max(float(start), first - warm_up), len(cuts))
        for i, (first, after) in enumerate(zip(cuts, ends, strict=True))
    ]


def join_parts(job: ScanJob, parts: Iterable[Part]) -> Scanned:
    """Return what an uncut scan would have found.

    Parameters
    ----------
    job : ScanJob
        How the recording was scanned.
    parts : iterable of Part
        Of its pieces; from the first one that is missing, or was not read to its end, on nothing counts.
    """
    whole = _unbroken(parts)
    first = whole[0]
    joining = _Joining(job, first.facts, first.n_pixels)
    for part in whole:
        for glance in part.glances:
            joining.take(glance)
    end = max(part.facts.duration for part in whole)
    events = joining.finish(end)
    endings = sorted(ending for part in whole for ending in part.endings)
    heat = first.heat.copy()
    for part in whole[1:]:
        heat += part.heat
    return Scanned(
        replace(first.facts, duration=end),
        tuple(replace(event, kind=_kind(event, endings)) for event in events),
        tuple(joining.tracks),
        joining.activity.activity(),
        heat,
        whole[-1].background,
        _added([part.tally for part in whole]),
        _error(whole),
        source=job.sources,
    )


def _unbroken(parts: Iterable[Part]) -> list[Part]:
    """Return parts from the first one up to the first that broke off."""
    whole: list[Part] = []
    for part in sorted(parts, key=lambda part: part.piece.number):
        if part.piece.number != len(whole):
            break
        whole.append(part)
        if part.error is not None:
            break
    return whole


def _error(whole: Sequence[Part]) -> str | None:
    last = whole[-1]
    if last.error is None and last.piece.number + 1 < last.piece.count:
        return f"{last.facts.name} was scanned up to {last.piece.end:.1f} s only: a piece is missing; scan it again"
    return last.error


class _Joining:
    """Finds events, tracks and activity in the frames of all pieces, as an uncut scan does."""

    def __init__(self, job: ScanJob, facts: SourceFacts, n_pixels: float) -> None:
        self._finder = EventFinder(job.rule, n_pixels)
        self._tracker = Tracker() if job.tracks else None
        self._borders = Borders(job.zones, (facts.width, facts.height))
        self._events: list[Event] = []
        self.tracks: list[Track] = []
        self.activity = ActivityGatherer()

    def take(self, glance: Glance) -> None:
        """Take what a frame shows."""
        seen = glance.seen
        self.activity.add(seen.time, seen.share, seen.since)
        current: tuple[int, ...] = ()
        if self._tracker is not None:
            self.tracks += map(self._borders.crossed_by, self._tracker.update(seen._replace(blobs=glance.objects)))
            current = self._tracker.current()
        self._events += self._finder.update(seen, current)

    def finish(self, end: float) -> list[Event]:
        """Return all events; the timeline ends then."""
        if self._tracker is not None:
            self.tracks += map(self._borders.crossed_by, self._tracker.finish())
        return self._events + self._finder.finish(end)


def _kind(event: Event, endings: Sequence[Ending]) -> str:
    """Return what an event turned out to be in the piece in which it was over, if that has seen all of it."""
    place = bisect.bisect_left(endings, (event.end - _SAME,))
    near = endings[place : bisect.bisect_right(endings, (event.end + _SAME,))]
    seen = [ending for ending in near if abs(ending.start - event.start) <= _SAME]
    return min(seen, key=lambda ending: abs(ending.end - event.end)).kind if seen else "motion"


def _added(tallies: Sequence[Tally]) -> Tally:
    """Return the tally of all, which runs from the first frame to the last."""
    total = Tally()
    for field in fields(Tally):
        if field.name not in ("first_time", "last_time"):
            setattr(total, field.name, sum(getattr(tally, field.name) for tally in tallies))
    times = [time for tally in tallies for time in (tally.first_time, tally.last_time) if time is not None]
    total.first_time, total.last_time = (min(times), max(times)) if times else (None, None)
    return total
