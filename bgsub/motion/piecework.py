"""A piece of a recording is looked at: frame by frame what it shows, with a model that has learned before the piece."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import replace

from bgsub.errors import SourceError
from bgsub.motion.events import EventFinder
from bgsub.motion.gathering import HeatGatherer, Timeline
from bgsub.motion.job import ScanJob
from bgsub.motion.looking import Look, open_small
from bgsub.motion.pieces import Ending, Glance, Part, Piece
from bgsub.motion.results import SourceFacts
from bgsub.motion.standing import Aftermath
from bgsub.pipeline import Tally
from bgsub.threads import opencv_bounded
from bgsub.video.frame import Frame
from bgsub.video.recorded import as_local
from bgsub.video.source import Source


def look_at(
    job: ScanJob,
    piece: Piece,
    told: Callable[[int, int | None], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Part:
    """Look at a piece of a recording.

    Parameters
    ----------
    job : ScanJob
        How the whole is scanned.
    piece : Piece
        What of it.
    told : callable, optional
        Called after every frame with the frames read so far, those that are only learned too, and those to expect.
    stop : callable, optional
        Asked after every frame; True interrupts.

    Raises
    ------
    SourceError
        When it cannot be opened, or gives no frame.
    KeyboardInterrupt
        When it was stopped.
    """
    # One frame more than its own, up to which the last one's motion lasts.
    end = span_of(job)[1] if math.isinf(piece.end) else math.inf
    excerpt = replace(job.excerpt, start=piece.begin, end=None if math.isinf(end) else end, duration=None)
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_small(replace(job, excerpt=excerpt)))
        looking = _Looking(job, piece, source)
        stack.enter_context(opencv_bounded(looking.look.threads))
        total = None if source.info.fps is None else _frames_in(piece, source)
        error: str | None = None
        try:
            for count, frame in enumerate(source, 1):
                if not looking.take(frame):
                    break
                if told is not None:
                    told(count, total)
                if stop is not None and stop():
                    raise KeyboardInterrupt
        except SourceError as broken:
            if not looking.glances:
                raise
            error = str(broken)
        return looking.part(error)


def span_of(job: ScanJob) -> tuple[float, float]:
    """Return from when to when a recording is scanned, in seconds from its first frame; infinite is to its end."""
    excerpt = job.excerpt
    start = excerpt.start or 0.0
    if excerpt.duration is not None:
        return start, start + excerpt.duration
    return start, math.inf if excerpt.end is None else excerpt.end


def _frames_in(piece: Piece, source: Source) -> int | None:
    if math.isinf(piece.end):
        return source.info.expected_frame_count
    return round((piece.end - piece.begin) * float(source.info.fps or 0)) or None


class _Looking:
    """What has come of a piece so far."""

    def __init__(self, job: ScanJob, piece: Piece, source: Source) -> None:
        info = source.info
        self.look = Look(job, info)
        self.glances: list[Glance] = []
        self._piece, self._source, self._tally = piece, source, Tally()
        fps = float(info.fps) if info.fps else None
        ends = info.duration is not None and math.isinf(piece.end)
        self._timeline = Timeline(fps, piece.begin + info.duration if ends and info.duration is not None else None)
        recorded = as_local(info.recorded) if job.local_clock else info.recorded
        self._facts = SourceFacts(
            job.sources, info.name, *self.look.size, fps, 0.0, recorded, info.start_time, info.timecode
        )
        self._heat = HeatGatherer(self.look.mask.shape)
        self._finder = EventFinder(job.rule, self.look.n_pixels)
        self._aftermath = Aftermath(self.look.factor)
        self._endings: list[Ending] = []
        self._end: float | None = None  # where the piece's frames end, once the frame after the last has come
        self._damaged = 0  # frames before the piece
        self._started = time.perf_counter()

    def take(self, frame: Frame) -> bool:
        """Look at a frame; False where it is the first one after the piece."""
        if frame.time >= self._piece.end:
            self._end = frame.time
            return False
        seen, objects = self.look(frame)
        closed = self._finder.update(seen)
        is_open, moves = self._finder.is_open, self._finder.moves
        closed = self._aftermath.update(seen.time, frame.image, closed, is_open=is_open, moves=moves)
        if frame.time < self._piece.start:
            self._damaged = self._source.damaged
            return True
        self._endings += [Ending(event.end, event.start, event.kind) for event in closed]
        self.glances.append(Glance(seen, objects))
        self._timeline.note(frame)
        self._heat.add(seen.time, self.look.mask, self.look.windows(seen.blobs))
        tally = self._tally
        tally.read += 1
        tally.written += 1
        tally.foreground += seen.share
        tally.first_time = frame.time if tally.first_time is None else tally.first_time
        tally.last_time = frame.time
        return True

    def part(self, error: str | None) -> Part:
        """Return what has come of it."""
        end = self._timeline.end if self._end is None else self._end
        if math.isinf(self._piece.end):
            last = self._aftermath.finish(self._finder.finish(end))
            self._endings += [Ending(event.end, event.start, event.kind) for event in last]
        self._tally.damaged = self._source.damaged - self._damaged
        self._tally.elapsed = time.perf_counter() - self._started
        return Part(
            self._piece,
            replace(self._facts, duration=end),
            self.look.n_pixels,
            tuple(self.glances),
            tuple(self._endings),
            self._heat.finish(end),
            self.look.background(),
            self._tally,
            error,
        )
