"""Continuous recording: all that a camera shows, in segments into which events point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from bgsub.live.layout import SEGMENT
from bgsub.live.messages import FromCamera, SegmentClosed, SegmentOpened, SegmentRecord
from bgsub.live.recording.event_files import Place, remove_empty, shown_seconds
from bgsub.live.recording.event_recording import Clip
from bgsub.live.recording.filing import Filing

_MOST = 4096  # segments that are remembered, to be pointed at


class Segmented(Protocol):
    """A recording in segments; `bgsub.video.live.segments.Segments` is one."""

    def close(self) -> None:
        """Record no more."""


class Record(Protocol):
    """Begins to record in segments, as `bgsub.video.live.LiveSource.record`; callbacks may not wait."""

    def __call__(
        self,
        path_for: Callable[[float], Path],
        seconds: float,
        *,
        opened: Callable[[Clip], object],
        closed: Callable[[Clip], object],
    ) -> Segmented:
        """Return what records."""


@dataclass
class _Segment:
    """A segment: its clip until that is whole, its file's name, and when it begins (by both clocks) and ends."""

    clip: Clip | None
    place: Place
    began: float
    start: datetime
    end: datetime | None = None
    told: bool = False

    @property
    def name(self) -> str:
        return self.place.name(SEGMENT)


class Continuous:
    """Records a camera without end, as long as there is room.

    Parameters
    ----------
    camera : str
        Its name.
    seconds : float
        Of a segment.
    directory : Path
        Of recordings.
    filing : Filing
        Knows whether there is room.
    record : callable
        Begins to record.
    moment_of : callable
        Returns the time of the day of a second of `Clock.monotonic`.
    send : callable
        Called with what is told, in any thread; it may not wait.

    Attributes
    ----------
    trouble : str or None
        Why the last segment could not be written.
    """

    def __init__(
        self,
        camera: str,
        seconds: float,
        directory: Path,
        filing: Filing,
        record: Record,
        moment_of: Callable[[float], datetime],
        send: Callable[[FromCamera], None],
    ) -> None:
        self._camera, self._seconds, self._directory, self._filing = camera, seconds, directory, filing
        self._record, self._moment_of, self._send = record, moment_of, send
        self._recording: Segmented | None = None
        self._latest: tuple[float, Place, datetime] | None = None  # of the segment that is being opened
        self._segments: list[_Segment] = []  # the oldest first
        self.trouble: str | None = None

    def tick(self) -> None:
        """Begin where there is room, end where there is none, and `follow`; called often."""
        full = self._filing.trouble
        if full is not None and self._recording is not None:
            self.stop()
        elif full is None and self._recording is None:
            self._recording = self._record(self._path_for, self._seconds, opened=self._opened, closed=_nothing)
        self.follow()

    def follow(self) -> None:
        """Tell what has begun and ended."""
        for segment in list(self._segments):
            self._follow(segment)
        while len(self._segments) > _MOST:
            del self._segments[0]

    def stop(self) -> None:
        """Record no more until the next `tick`."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None

    @property
    def idle(self) -> bool:
        """Whether all segments are whole."""
        return all(segment.clip is None for segment in self._segments)

    def names(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """Return the names of the segments that show what is between two times of the day."""
        return tuple(one.name for one in self._segments if one.told and one.start <= end and (one.end or end) >= start)

    def _path_for(self, time: float) -> Path:
        """Return where a segment goes; called in the thread that receives."""
        start = self._moment_of(time)
        place = Place.of(self._directory, self._camera, start)
        self._latest = (time, place, start)
        return place.path(SEGMENT)

    def _opened(self, clip: Clip) -> None:
        assert self._latest is not None  # it was asked for the path
        time, place, start = self._latest
        self._segments.append(_Segment(clip, place, time, start))

    def _follow(self, segment: _Segment) -> None:
        """Tell what has become of a segment."""
        clip = segment.clip
        if clip is None:
            return
        closed = clip.closed
        if not segment.told and clip.shows:
            segment.told = True
            self._send(SegmentOpened(SegmentRecord(camera=self._camera, path=segment.name, start=segment.start)))
        if not closed:
            return
        segment.clip, self.trouble = None, clip.error
        if not segment.told or clip.end is None:
            self._segments.remove(segment)
            self._filing.do(partial(remove_empty, segment.place.path(SEGMENT)))
            return
        segment.end = segment.start + timedelta(seconds=clip.end - segment.began)
        close = partial(self._close, segment, clip)
        if clip.error is None or not self._filing.do(close):
            close()

    def _close(self, segment: _Segment, clip: Clip) -> None:
        """Tell that a segment is over; one that was broken off ends with what its file shows."""
        if clip.error is not None:
            shown = shown_seconds(segment.place.path(SEGMENT))
            segment.end = segment.start + timedelta(seconds=shown)
        record = SegmentRecord(
            camera=self._camera, path=segment.name, start=segment.start, end=segment.end, size=clip.size
        )
        self._send(SegmentClosed(record))


def _nothing(clip: Clip) -> None:
    """Take note of nothing: what has ended is whole only later."""
