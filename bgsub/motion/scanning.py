"""The loop of a scan: frames in, events out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bgsub.errors import SourceError
from bgsub.motion.crossings import Borders
from bgsub.motion.events import Event, EventFinder
from bgsub.motion.gathering import ActivityGatherer, HeatGatherer, Timeline
from bgsub.motion.job import ScanJob
from bgsub.motion.looking import Look, open_small
from bgsub.motion.results import Scanned, SourceFacts
from bgsub.motion.standing import Aftermath
from bgsub.motion.tracking import Track, Tracker
from bgsub.pipeline import Tally
from bgsub.threads import opencv_bounded
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.recorded import as_local
from bgsub.video.source import Source

OnTally = Callable[[Tally], None]
Opened = Callable[[VideoInfo], contextlib.AbstractContextManager[OnTally | None]]
OnMask = Callable[[Frame, np.ndarray], None]


def scan(source: str, **settings: Any) -> Scan:
    """Find what moves in a video.

    Parameters
    ----------
    source : str, path-like, or sequence of them
        What `bgsub.open_source` takes; several are one timeline, through one model.
    **settings
        The fields of `bgsub.motion.job.ScanJob`: ``rule``, ``zones``, ``fast``, ``model``, ``excerpt`` and others.

    Returns
    -------
    Scan
        Yields each event when it is over; `Scan.result` is what came of all. Where the source cannot be read to its
        end, the iteration raises `SourceError` after the events before.

    Raises
    ------
    ParameterError
        When a setting is out of its bounds.

    Examples
    --------
    >>> import bgsub
    >>> scan = bgsub.scan("sample_videos/street.mp4")
    >>> for event in scan:
    ...     print(f"event {event.number}")
    event 1
    >>> scan.result.facts.duration
    12.0
    """
    return Scan(ScanJob(source, **settings), raises=True)


class Scan:
    """A scan: iterating reads the timeline, and yields its events as they close.

    Each iteration begins anew. One that is given up closes the source.

    Parameters
    ----------
    job : ScanJob
        What is scanned.
    opened : callable, optional
        Called with what is known of the source when it is open; returns a context manager of what is called with the
        tally after every frame, or of None.
    stop : callable, optional
        Asked after every frame; True ends the scan as the end of the source would.
    seen : callable, optional
        Called with every frame and its mask, both small as they are looked at; it changes neither.
    raises : bool
        Raise the error of a source that cannot be read to its end, after the events before; else it is in the result
        alone.

    Attributes
    ----------
    result : Scanned
        What has come of it so far; whole once the iteration has ended, in whatever way: an event that was open then is
        in it, closed.
    """

    def __init__(
        self,
        job: ScanJob,
        opened: Opened | None = None,
        stop: Callable[[], bool] | None = None,
        *,
        seen: OnMask | None = None,
        raises: bool = False,
    ) -> None:
        self.job = job
        self.result = Scanned(None, source=job.sources)
        self._opened = opened or (lambda info: contextlib.nullcontext())
        self._stop = stop or (lambda: False)
        self._seen, self._raises = seen, raises

    def __iter__(self) -> Iterator[Event]:
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(open_small(self.job))
            under_way = _UnderWay(self.job, source)
            told = stack.enter_context(self._opened(source.info))
            error: SourceError | None = None
            frames = iter(source)
            try:
                while not under_way.has_ended:
                    yield from self._read_on(frames, under_way, told)
            except SourceError as broken:
                error = broken
            finally:  # also when this is given up, or Ctrl-C is pressed, and nobody takes an event any more
                last = under_way.finish()
                self.result = under_way.result(None if error is None else str(error))
        yield from last
        if error is not None and self._raises:
            raise error

    def _read_on(self, frames: Iterator[Frame], under_way: _UnderWay, told: OnTally | None) -> list[Event]:
        """Read until an event is over, or all is, and return it.

        OpenCV is bounded for all of it: its pool of threads would be stopped and started with every frame else.
        """
        with opencv_bounded(under_way.threads):
            for frame in frames:
                closed = under_way.take(frame)
                if self._seen is not None:
                    self._seen(frame, under_way.mask)
                if told is not None:
                    told(under_way.tally)
                under_way.has_ended = under_way.is_full or self._stop()
                if closed or under_way.has_ended:
                    return closed
        under_way.has_ended = True
        return []


class _UnderWay:
    """What has come of a scan so far.

    Attributes
    ----------
    tally : Tally
        Frames and times.
    has_ended : bool
        Nothing more is read.
    """

    def __init__(self, job: ScanJob, source: Source) -> None:
        self.tally, self.has_ended = Tally(), False
        self._job, self._source, self._look = job, source, Look(job, source.info)
        fps = float(source.info.fps) if source.info.fps else None
        self._timeline = Timeline(fps, self._declared_end())
        info = source.info
        recorded = as_local(info.recorded) if job.local_clock else info.recorded
        timecode = info.timecode if len(job.sources) == 1 else None
        size, late = self._look.size, info.start_time
        self._facts = SourceFacts(job.sources, info.name, *size, fps, 0.0, recorded, late, timecode)
        self._aftermath = Aftermath(self._look.factor)
        self._finder = EventFinder(job.rule, self._look.n_pixels)
        self._tracker = Tracker() if job.tracks else None
        self._borders = Borders(job.zones, self._look.size)
        self._activity, self._heat = ActivityGatherer(), HeatGatherer(self._look.mask.shape)
        self._events: list[Event] = []
        self._tracks: list[Track] = []
        self._started = time.perf_counter()

    def _declared_end(self) -> float | None:
        duration = self._source.info.duration
        return None if duration is None else duration + (self._job.excerpt.start or 0.0)

    @property
    def threads(self) -> int | None:
        """Threads of the model."""
        return self._look.threads

    @property
    def is_full(self) -> bool:
        """Whether there are as many events as were asked for."""
        most = self._job.rule.max_events
        return most is not None and len(self._events) >= most

    @property
    def mask(self) -> np.ndarray:
        """Mask of the last frame."""
        return self._look.mask

    def take(self, frame: Frame) -> list[Event]:
        """Look at a frame, and return the events that are over."""
        seen, objects = self._look(frame)
        self._timeline.note(frame)
        self._activity.add(seen.time, seen.share, seen.since)
        self._heat.add(seen.time, self._look.mask, self._look.windows(seen.blobs))
        current: tuple[int, ...] = ()
        if self._tracker is not None:
            ended = self._tracker.update(seen._replace(blobs=objects))
            self._tracks += map(self._borders.crossed_by, ended)
            current = self._tracker.current()
        closed = self._finder.update(seen, current)
        is_open, moves = self._finder.is_open, self._finder.moves
        closed = self._aftermath.update(seen.time, frame.image, closed, is_open=is_open, moves=moves)
        self._events += closed
        self._count(frame, seen.share)
        return closed

    def finish(self) -> list[Event]:
        """Return the event that is open when no frame comes any more."""
        last = [] if self.is_full else self._aftermath.finish(self._finder.finish(self._timeline.end))
        self._events += last
        if self._tracker is not None:
            self._tracks += map(self._borders.crossed_by, self._tracker.finish())
        self._count_losses()
        return last

    def result(self, error: str | None) -> Scanned:
        """Return what has come of it."""
        return Scanned(
            replace(self._facts, duration=self._timeline.end),
            tuple(self._events),
            tuple(self._tracks),
            self._activity.activity(),
            self._heat.finish(self._timeline.end),
            self._look.background(),
            self.tally,
            error,
            source=self._job.sources,
        )

    def _count(self, frame: Frame, share: float) -> None:
        tally = self.tally
        tally.read += 1
        tally.written += 1
        tally.foreground += share
        tally.first_time = frame.time if tally.first_time is None else tally.first_time
        tally.last_time = frame.time
        self._count_losses()

    def _count_losses(self) -> None:
        tally, source = self.tally, self._source
        tally.damaged, tally.dropped, tally.reconnects = source.damaged, source.dropped, source.reconnects
        tally.elapsed = time.perf_counter() - self._started
