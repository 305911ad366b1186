"""What of a camera is recorded: one event after another, each with its clip and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from bgsub.live.clock import Clock
from bgsub.live.looking.watching import Over, Seen
from bgsub.live.messages import FromCamera
from bgsub.live.recording.event_files import Moment, Place
from bgsub.live.recording.event_recording import Clip, EventRecording
from bgsub.live.recording.filing import Filing
from bgsub.live.schedule import is_active, parse_schedule
from bgsub.live.settings import Camera
from bgsub.motion.events import Event

_WIDTH = 640  # pixels of a thumbnail
_MORE = 1.15  # times as much as in the picture that is kept must move in one that is kept in its place


class OpenClip(Protocol):
    """Opens clips."""

    def __call__(self, path: Path, *, since: float) -> Clip:
        """Open one that shows all from a second of `Clock.monotonic` on; it may begin before."""


class ColorPicture(Protocol):
    """A picture whose colours can be had."""

    def color(self, width: int | None = None) -> np.ndarray:
        """Return it as BGR, at most so wide."""


class Recorder:
    """Opens and closes the recordings of a camera's events.

    At most two are in work: the event that is open, and the one before, while its clip shows what followed; that ends
    when the next event opens, whose clip begins before it.

    Parameters
    ----------
    camera : Camera
        What is asked for.
    directory : Path
        Of recordings.
    filing : Filing
        Writes the files.
    open_clip : callable
        Opens a clip.
    segments : callable
        Returns names of the continuous segments that show what is between two times of the day.
    send : callable
        Called with what is told, in any thread.
    clock : Clock
        The time.

    Attributes
    ----------
    trouble : str or None
        Why the last event has no clip, or not all of it; None where it has.
    """

    def __init__(
        self,
        camera: Camera,
        directory: Path,
        filing: Filing,
        open_clip: OpenClip,
        segments: Callable[[datetime, datetime], Sequence[str]],
        send: Callable[[FromCamera], None],
        clock: Clock,
    ) -> None:
        self._camera, self._directory, self._filing = camera, directory, filing
        self._open_clip, self._segments, self._send, self._clock = open_clip, segments, send, clock
        self._schedule = parse_schedule(camera.schedule)
        self._current: EventRecording | None = None
        self._ending: list[EventRecording] = []
        self._hung: list[EventRecording] = []  # whose clips were given up
        self.trouble: str | None = None

    @property
    def event(self) -> str | None:
        """Identity of the event that is open."""
        return None if self._current is None else self._current.id

    @property
    def idle(self) -> bool:
        """Whether nothing is in work."""
        return self._current is None and not self._ending

    def update(self, seen: Seen, moment: Moment, size: tuple[int, int], picture: ColorPicture, gap: float) -> None:
        """Take what a picture shows.

        Parameters
        ----------
        seen : Seen
            What it shows.
        moment : Moment
            Of the picture.
        size : (int, int)
            Of the source's pictures, in pixels, which boxes are in.
        picture : ColorPicture
            The picture.
        gap : float
            Seconds for which the camera was away before it.
        """
        if gap and self._current is not None:
            self._current.away(gap)
        self.end(seen.over, moment, size)
        event = seen.event
        if event is None:
            return
        if self._current is None and is_active(self._schedule, moment.day):
            self._begin(event, moment, size, picture, seen)
        elif self._current is not None and seen.now.area > _MORE * self._current.peak_area:
            self._keep(self._current, picture, seen)

    def end(self, over: Sequence[Over], moment: Moment, size: tuple[int, int]) -> None:
        """Take events that are over; one that was not known to be an event before is recorded all the same."""
        for one in over:
            if self._current is None and is_active(self._schedule, moment.of_day(one.event.start)):
                self._begin(one.event, moment, size)
            if self._current is not None:
                self._current.end(one, self._clock.monotonic())
                self._ending.append(self._current)
                self._current = None

    def tick(self) -> None:
        """Close what is done; to be called often."""
        now = self._clock.monotonic()
        self._hung = [one for one in self._hung if one.hangs]
        trouble = self._filing.trouble
        if trouble is not None and self._current is not None:
            self._current.stop_clip(trouble)
        for one in [one for one in self._ending if one.is_done(now)]:
            self._ending.remove(one)
            self._close(one)

    def cut(self) -> None:
        """Let the clips of events that are over end now."""
        for one in self._ending:
            one.cut(self._clock.monotonic())

    def give_up(self) -> None:
        """Close what has ended as far as it has come: all ends, and no clip is waited for any more."""
        for one in self._ending:
            self._close(one)
        self._ending.clear()

    def _begin(
        self,
        event: Event,
        moment: Moment,
        size: tuple[int, int],
        picture: ColorPicture | None = None,
        seen: Seen | None = None,
    ) -> None:
        self.cut()
        self.tick()
        place = Place.of(self._directory, self._camera.name, moment.of_day(event.start))
        wanted = self._camera.record in ("events", "both")
        error = self._obstacle() if wanted else None
        since = event.start - self._camera.before
        open_clip = partial(self._open_clip, since=since) if wanted and error is None else None
        recording = EventRecording(self._camera, place, event, moment, size, open_clip, error, self._send)
        if picture is not None and seen is not None:
            self._keep(recording, picture, seen)
        self._current = recording
        if not self._filing.do(recording.open_files):
            recording.open_without_files()
        self.trouble = error

    def _obstacle(self) -> str | None:
        """Say why no clip can be written."""
        if self._hung:
            return f"{self._directory} does not answer; is the share away?"
        return self._filing.trouble

    def _close(self, one: EventRecording) -> None:
        segments = self._segments(*one.shown) if self._camera.record in ("continuous", "both") else ()
        if one.hangs:
            self._hung.append(one)

        def close() -> None:
            one.close_files(segments)
            self.trouble = one.record.error

        if not self._filing.do(close):
            one.close_without_files(segments, self._filing.trouble or "the folder of recordings does not answer")
            self.trouble = one.record.error

    def _keep(self, recording: EventRecording, picture: ColorPicture, seen: Seen) -> None:
        boxes = tuple(blob.box for blob in seen.now.blobs)
        recording.note(picture.color(_WIDTH), boxes, seen.now.area)
