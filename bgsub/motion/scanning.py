"""The loop of a scan: frames in, events out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import cv2

from bgsub.errors import SourceError
from bgsub.jobs.execution import make_model
from bgsub.motion.blobs import find_blobs, least_area
from bgsub.motion.crossings import Borders
from bgsub.motion.events import Event, EventFinder
from bgsub.motion.job import ScanJob
from bgsub.motion.results import Scanned, SourceFacts
from bgsub.motion.sifting import Sieve
from bgsub.motion.tracking import Track, Tracker
from bgsub.motion.zones import PlacedZones
from bgsub.pipeline import Tally, tell_frame_rate
from bgsub.video.frame import VideoInfo
from bgsub.video.opening import open_source

OnTally = Callable[[Tally], None]
Opened = Callable[[VideoInfo], contextlib.AbstractContextManager[OnTally | None]]


def scan(source: str, **settings: Any) -> Scan:
    """Find what moves in a video.

    Parameters
    ----------
    source : str, path-like, or sequence of them
        What `bgsub.open_source` takes; several are one timeline.
    **settings
        The fields of `ScanJob`.

    Returns
    -------
    Scan
        Yields each event when it is over; `Scan.result` is what came of all.
    """
    return Scan(ScanJob(source, **settings))


class Scan:
    """A scan: iterating reads the timeline, and yields its events as they close.

    Parameters
    ----------
    job : ScanJob
        What is scanned.
    opened : callable, optional
        Called with what is known of the source when it is open; returns a context manager of what is called with the
        tally after every frame, or of None.
    stop : callable, optional
        Asked after every frame; True ends the scan as the end of the source would.

    Attributes
    ----------
    result : Scanned
        What has come of it so far; whole once the iteration has ended, in whatever way.
    """

    def __init__(self, job: ScanJob, opened: Opened | None = None, stop: Callable[[], bool] | None = None) -> None:
        self.job = job
        self.result = Scanned(None, source=job.sources)
        self._opened = opened or (lambda info: contextlib.nullcontext())
        self._stop = stop

    def __iter__(self) -> Iterator[Event]:
        job, tally = self.job, Tally()
        events: list[Event] = []
        tracks: list[Track] = []
        model = make_model(job.model)
        with open_source(list(job.sources) if len(job.sources) > 1 else job.sources[0], **vars(job.excerpt)) as source:
            info = source.info
            fps = float(info.fps) if info.fps else None
            facts = SourceFacts(job.sources, info.name, info.width, info.height, fps, 0.0, start_time=info.start_time)
            tell_frame_rate(model, info)
            zones = PlacedZones(job.zones, (info.width, info.height))
            sieve = Sieve(float(2**info.bits - 1))
            least = least_area((info.width, info.height)) if job.min_area is None else job.min_area
            finder, tracker = EventFinder(job.rule, zones.n_pixels), Tracker()
            borders = Borders(job.zones, (info.width, info.height))
            step = 1 / float(info.fps or 25)
            last = 0.0
            try:
                with self._opened(info) as told:
                    for frame in source:
                        mask = zones.clear_ignored(model.apply(frame.image))
                        luma = frame.image
                        if luma.ndim == 3:
                            luma = cv2.cvtColor(luma, cv2.COLOR_BGR2GRAY)
                        found = sieve.update(frame.index, frame.time, find_blobs(mask, min_area=least), luma)
                        touched = zones.touched(mask, found.blobs)
                        seen = found.observation(frame.index, frame.time, zones.n_pixels, touched)
                        tracks += map(borders.crossed_by, tracker.update(seen._replace(blobs=found.objects)))
                        last = frame.time
                        tally.read += 1
                        for event in finder.update(seen, tracker.current()):
                            events.append(event)
                            yield event
                        if told is not None:
                            told(tally)
                        if self._stop is not None and self._stop():
                            break
                for event in finder.finish(last + step):
                    events.append(event)
                    yield event
                tracks += map(borders.crossed_by, tracker.finish())
            except SourceError as error:
                self.result = replace(self.result, error=str(error))
            finally:
                self.result = replace(
                    self.result,
                    facts=replace(facts, duration=last + step),
                    events=tuple(events),
                    tracks=tuple(tracks),
                    tally=tally,
                )
