"""One event being recorded: its clip while it lasts, its files when it is over."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from bgsub.errors import BgsubError
from bgsub.live.layout import CLIP, THUMBNAIL, TRACKS, event_id
from bgsub.live.looking.watching import Over
from bgsub.live.messages import EventClosed, EventOpened, EventRecord, FromCamera
from bgsub.live.recording.event_files import (
    Moment,
    Peak,
    Place,
    shown_seconds,
    write_record,
    write_thumbnail,
    write_tracks,
)
from bgsub.live.settings import Camera
from bgsub.motion.blobs import Box
from bgsub.motion.events import Event

_BEGINS, _LOOKS = 2.0, 100  # seconds within which a clip has its first picture, mostly at once, and looks at it
_UNFINISHED = "its clip was not finished: the folder, or the processor, is too slow"
_EMPTY = "the camera sent nothing that a clip can show"
_ANSWERS = 30.0  # seconds after its end within which a clip is whole; one on a share that is away never is


class Clip(Protocol):
    """A clip that is written by its source; `bgsub.video.live.PacketClip` is one. Times are of `Clock.monotonic`."""

    @property
    def start(self) -> float | None:
        """Time of its first picture; None before it has one."""

    @property
    def end(self) -> float | None:
        """Time of its last picture so far."""

    @property
    def size(self) -> int:
        """Bytes so far."""

    @property
    def error(self) -> str | None:
        """Why it could not be written, or not to its end, in one line."""

    @property
    def why(self) -> str | None:
        """Why it has ended by itself: the camera's stream has changed."""

    @property
    def closed(self) -> bool:
        """Whether its file is finished."""

    @property
    def shows(self) -> bool:
        """Whether its file shows something, whatever happens now."""

    def close(self, until: float | None = None) -> None:
        """End it with what arrived until then; nothing is waited for."""


class EventRecording:
    """Records one event, of which everything is told and written as it comes to be known.

    Parameters
    ----------
    camera : Camera
        What is asked for.
    place : Place
        Of its files.
    event : Event
        As far as it is known.
    moment : Moment
        Of the picture with which it is known to be one: its times go by that, also where the clock is set meanwhile.
    size : (int, int)
        Of the source's pictures, in pixels.
    open_clip : callable or None
        Opens its clip at a path, in the thread that files.
    error : str or None
        Why there is none.
    send : callable
        Called with what is told, in any thread.

    Attributes
    ----------
    record : EventRecord
        As far as it is known.
    start : float
        As of the event.
    peak_area : float
        What moves in the picture that is kept for its thumbnail.
    """

    def __init__(
        self,
        camera: Camera,
        place: Place,
        event: Event,
        moment: Moment,
        size: tuple[int, int],
        open_clip: Callable[[Path], Clip] | None,
        error: str | None,
        send: Callable[[FromCamera], None],
    ) -> None:
        self.start, self.peak_area = event.start, 0.0
        self._camera, self._place, self._size, self._send = camera, place, size, send
        self._open_clip = open_clip
        self._clip: Clip | None = None
        self._peak: Peak | None = None
        self._over: Over | None = None
        self._moment, self._gap = moment, 0.0
        self._until: float | None = None
        self._ended = False  # its clip was told to
        self._stopped: str | None = None
        self._is_given_up = False
        self.record = EventRecord(
            id=event_id(camera.name, moment.of_day(event.start)),
            camera=camera.name,
            start=moment.of_day(event.start),
            error=error,
            **_facts(event, size),
        )

    @property
    def id(self) -> str:
        """Identity of the event."""
        return self.record.id

    @property
    def is_over(self) -> bool:
        """Whether nothing moves any more; its clip may go on for what is shown after it."""
        return self._over is not None

    def note(self, picture: np.ndarray, boxes: tuple[Box, ...], area: float) -> None:
        """Keep the picture in which most moves so far, BGR."""
        self._peak, self.peak_area = Peak(picture, boxes, self._size, area), area

    def away(self, gap: float) -> None:
        """Take note of seconds for which the camera was away."""
        self._gap += gap

    def open_files(self) -> None:
        """Write the record and a first picture, and tell that the event is open; in the thread that files."""
        if self._is_given_up:  # the folder did not answer until it was all over
            return
        self._begin_clip()
        self.record = msgspec.structs.replace(self.record, thumbnail=self._thumbnail(self._peak))
        self._write()
        self._send(EventOpened(self.record))

    def open_without_files(self) -> None:
        """Tell that the event is open, where nothing can be written."""
        self._send(EventOpened(self.record))

    def end(self, over: Over, now: float) -> None:
        """Nothing moves any more; what follows for some seconds is still recorded."""
        self._over = over
        self._until = max(now, over.event.end + self._camera.after)

    def cut(self, now: float) -> None:
        """Record no more: the next event has begun, with what was before it, or all ends."""
        if self._until is not None:
            self._until = min(self._until, now)

    def stop_clip(self, why: str) -> None:
        """End the clip, and say why: there is no room for more."""
        if self._clip is not None and not self._ended:
            self._ended = True
            self._clip.close()
            self._stopped = why

    def is_done(self, now: float) -> bool:
        """Return whether its clip is finished, or has no hope to be, so that its files can be closed."""
        if self._until is None or now < self._until:
            return False
        if self._clip is None:
            return self._open_clip is None or now > self._until + _ANSWERS
        if not self._ended:
            self._ended = True
            self._clip.close(self._until)
        return self._clip.closed or now > self._until + _ANSWERS

    @property
    def hangs(self) -> bool:
        """Whether its clip was given up without an end."""
        return self._clip is not None and not self._clip.closed

    def close_files(self, segments: Sequence[str]) -> None:
        """Write what is left to be, and tell that the event is over; in the thread that files."""
        assert self._over is not None  # `is_done` was asked
        record = self._checked(self._known(segments))
        record = msgspec.structs.replace(record, thumbnail=self._thumbnail(self._peak) or record.thumbnail)
        tracks, error = None, record.error or self.record.error
        if self._over.tracks:
            try:
                write_tracks(self._place, self._over.tracks, self._size, self._moment)
                tracks = self._place.name(TRACKS)
            except (BgsubError, OSError) as failure:
                error = error or str(failure)
        size = self._place.size()
        self.record = msgspec.structs.replace(record, tracks=tracks, size=size, error=error)
        self._write()
        self._send(EventClosed(self.record))

    def close_without_files(self, segments: Sequence[str], error: str) -> None:
        """Tell that the event is over, where nothing can be written."""
        self._is_given_up = True
        record = self._known(segments)
        self.record = msgspec.structs.replace(record, error=record.error or error)
        self._send(EventClosed(self.record))

    @property
    def shown(self) -> tuple[datetime, datetime]:
        """From when to when it is worth being seen."""
        before, after = timedelta(seconds=self._camera.before), timedelta(seconds=self._camera.after)
        end = self._moment.day if self._over is None else self._moment.of_day(self._over.event.end)
        return self.record.start - before, end + after

    def _known(self, segments: Sequence[str]) -> EventRecord:
        """Return the record with all that is known of the event and of its clip."""
        assert self._over is not None  # `is_done` was asked
        event, clip = self._over.event, self._clip
        crossings = Counter(f"{c.name} {c.direction}" for track in self._over.tracks for c in track.crossings)
        record = msgspec.structs.replace(
            self.record,
            end=max(self.record.start, self._moment.of_day(event.end)),
            segments=tuple(segments),
            crossings=dict(crossings),
            gap=round(self._gap, 3),
            **_facts(event, self._size),
        )
        if clip is None:
            return record
        error = record.error or clip.error or clip.why or self._stopped or (None if clip.closed else _UNFINISHED)
        if clip.start is None or clip.end is None:
            return msgspec.structs.replace(
                record, clip=None, error=error or "the camera sent nothing that can be shown"
            )
        start, end = (self._moment.of_day(at) for at in (clip.start, clip.end))
        name = self._place.name(CLIP)
        return msgspec.structs.replace(record, clip=name, clip_start=start, clip_end=end, error=error)

    def _checked(self, record: EventRecord) -> EventRecord:
        """Return a record whose clip was broken off, or given up, as the file has it; what shows nothing is removed."""
        clip = self._clip
        if record.clip is None or record.clip_start is None or clip is None or (clip.closed and clip.error is None):
            return record
        shown = shown_seconds(self._place.path(CLIP))
        if shown > 0:
            return msgspec.structs.replace(record, clip_end=record.clip_start + timedelta(seconds=shown))
        if not clip.closed:  # it may still come to show something
            return record
        with contextlib.suppress(OSError):
            self._place.path(CLIP).unlink()
        return msgspec.structs.replace(record, clip=None, clip_start=None, clip_end=None)

    def _begin_clip(self) -> None:
        """Open the clip, and wait for its first picture: an event is told with a clip that is there."""
        error: str | None = None
        try:
            self._place.path(CLIP).parent.mkdir(parents=True, exist_ok=True)
            if self._open_clip is not None:
                self._clip = self._open_clip(self._place.path(CLIP))
        except OSError as failure:
            error = f"cannot make the folder {self._place.folder}: {failure.strerror or failure}; make room for it"
        except BgsubError as failure:
            error = str(failure)
        self._open_clip = None
        if (clip := self._clip) is not None:
            for _ in range(_LOOKS):
                if clip.start is not None or clip.closed:
                    break
                time.sleep(_BEGINS / _LOOKS)
            error = clip.error
            if clip.start is not None:
                start = self._moment.of_day(clip.start)
                self.record = msgspec.structs.replace(self.record, clip=self._place.name(CLIP), clip_start=start)
        if error is not None:
            self.record = msgspec.structs.replace(self.record, error=self.record.error or error)

    def _thumbnail(self, peak: Peak | None) -> str | None:
        if peak is None:
            return None
        try:
            write_thumbnail(self._place, peak, self._camera.zones)
        except (BgsubError, OSError) as error:
            self.record = msgspec.structs.replace(self.record, error=self.record.error or str(error))
            return None
        return self._place.name(THUMBNAIL)

    def _write(self) -> None:
        try:
            write_record(self._place, self.record)
        except (BgsubError, OSError) as error:
            self.record = msgspec.structs.replace(self.record, error=self.record.error or str(error))


def _facts(event: Event, size: tuple[int, int]) -> dict[str, Any]:
    """Return what is known of an event as its record has it."""
    (left, top, width, height), (across, down) = event.box, size
    box = (left / across, top / down, width / across, height / down)
    return {
        "kind": event.kind,
        "zones": event.zones,
        "area": event.area,
        "share": round(event.share, 6),
        "evidence": round(event.evidence, 4),
        "box": tuple(round(value, 4) for value in box),
        "objects": len(event.tracks),
    }
