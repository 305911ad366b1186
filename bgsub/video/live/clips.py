"""A clip that is recorded while a camera goes on: a file, its thread, and the packets that wait for it."""

from __future__ import annotations

import collections
import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import av.error
import numpy as np

from bgsub.video.live.clock import Clock
from bgsub.video.live.copying import COPIED, CopiedFilm
from bgsub.video.live.fragments import FragmentFile
from bgsub.video.live.packets import Kept, Streams
from bgsub.video.live.painting import Paint, PaintedFilm
from bgsub.video.writers.encode import explain_error

_MOST_BYTES = 48 << 20  # that wait for a disk
_POLL_S = 0.25
_SOUND_LATE_S = 0.3  # by which sound may come after the pictures that it belongs to
_CAMERA_LATE_S = 2.0


class PacketClip:
    """A clip that is open; `LiveSource.open_clip` makes them.

    Its file is written in a thread of its own: a disk that is slow, full or gone holds up neither the camera nor other
    clips. Where it cannot be written, the file ends after its last whole second, and `error` says why.

    Attributes
    ----------
    path : Path
        The file.
    start, end : float or None
        Seconds of the clock that it shows so far; None before its first picture.
    size : int
        Bytes so far.
    pictures, missing : int
        Packets of pictures that were written; that were left out because writing was slower than the camera.
    gap : float
        Seconds in it for which the camera was away.
    error : str or None
        Why it could not be written, or not to its end, in one line.
    why : str or None
        Why it has ended, where `close` was not called: the camera's stream has changed.
    closed : bool
        The file is finished, well or not.
    """

    def __init__(
        self,
        path: Path,
        streams: Streams,
        waiting: Sequence[Kept],
        clock: Clock,
        *,
        fsync: bool,
        audio: bool,
        paint: Paint | None = None,
    ) -> None:
        self.path = path
        self.start: float | None = None
        self.end: float | None = None
        self.size = self.pictures = self.missing = 0
        self.gap = 0.0
        self.error: str | None = None
        self.why: str | None = None
        self._streams = streams
        self._clock = clock
        self._fsync = fsync
        self._audio = audio
        self._paint = paint or (None if streams.video.codec in COPIED else _as_it_is)
        self._changed = threading.Condition()
        self._queue: collections.deque[Kept] = collections.deque(waiting)
        self._n_bytes = 0  # of what came since it was opened: what came before is in the ring anyway
        self._before = len(self._queue)
        self._until = math.inf
        self._ended = False  # nothing more is taken
        self._skipping = False
        self._done = threading.Event()
        self._film: CopiedFilm | None = None
        threading.Thread(target=self._record, name="record", daemon=True).start()

    @property
    def closed(self) -> bool:
        """Whether the file is finished."""
        return self._done.is_set()

    @property
    def shows(self) -> bool:
        """Whether its file shows something: the first second is whole, or all."""
        film = self._film
        return film is not None and (film.shows or (self.closed and self.error is None))

    # ------------------------------------------------------------------------------------- the camera's side

    def take(self, kept: Kept) -> bool:
        """Take the next packet, without waiting; False when no more is wanted."""
        with self._changed:
            if self._ended:
                return False
            if kept.time > self._until:
                if kept.is_video and kept.time > self._until + _SOUND_LATE_S:
                    self._finish()
                    return False
                return True
            if self._is_left_out(kept):
                self.missing += kept.is_video
                return True
            self._queue.append(kept)
            self._n_bytes += len(kept.data)
            self._changed.notify_all()
            return True

    def _is_left_out(self, kept: Kept) -> bool:
        """Say whether there is no room for a packet; after such a one the next that is taken is a key frame."""
        if self._n_bytes + len(kept.data) > _MOST_BYTES:
            self._skipping = True
        elif self._skipping and kept.is_video and kept.is_key and self._n_bytes < _MOST_BYTES // 2:
            self._skipping = False
        return self._skipping

    def tell_gap(self, seconds: float) -> None:
        """Note that the camera was away."""
        self.gap += seconds

    def end_with(self, why: str) -> None:
        """End it with what has come; what comes now does not fit."""
        with self._changed:
            self.why = self.why or why
            self._finish()

    def _finish(self) -> None:
        self._ended = True
        self._changed.notify_all()

    # ------------------------------------------------------------------------------------- its owner's side

    def close(self, until: float | None = None) -> None:
        """End it, soon: `closed` tells when.

        Parameters
        ----------
        until : float, optional
            Seconds of the clock of the last packets in it, which may not have come yet; unless told, those are its
            last that have.
        """
        with self._changed:
            if until is None:
                self._finish()
            else:
                self._until = min(self._until, until)
                self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until it is closed, so many seconds at most; say whether it is."""
        return self._done.wait(seconds)

    # ------------------------------------------------------------------------------------- its thread

    def _record(self) -> None:
        """Write what comes until it ends; the thread's whole life."""
        try:
            while (kept := self._next()) is not None:
                self._write(kept)
            if self._film is not None:
                self._film.close()
                self.size = self._film.size
        except Exception as error:  # of the disk mostly, but also of what a camera claims
            self._fail(error)
        finally:
            with self._changed:
                self._finish()
                self._queue.clear()
            if self.missing and self.error is None:
                self.error = f"{self.missing} pictures of {self.path.name} are missing: writing was too slow"
            self._done.set()

    def _next(self) -> Kept | None:
        """Wait for a packet; None at the end."""
        with self._changed:
            while True:
                while self._queue:
                    kept = self._queue.popleft()
                    if self._before:
                        self._before -= 1
                    else:
                        self._n_bytes -= len(kept.data)
                    if kept.time <= self._until:
                        return kept
                if self._ended:
                    return None
                if self._clock.monotonic() > self._until + _CAMERA_LATE_S:
                    self._ended = True  # the camera is away, and no packet will tell that the time has come
                self._changed.wait(_POLL_S)

    def _write(self, kept: Kept) -> None:
        if self._film is None:
            if not (kept.is_video and kept.is_key):
                return
            self._film = self._begun(kept)
            self.start = kept.time
        self._film.write(kept)
        self.size = self._film.size
        if kept.is_video:
            self.pictures += 1
            self.end = kept.time if self.end is None else max(self.end, kept.time)

    def _begun(self, first: Kept) -> CopiedFilm:
        """Make the file."""
        file = FragmentFile(self.path, fsync=self._fsync)
        try:
            if self._paint is not None:
                return PaintedFilm(file, self._streams, first, audio=self._audio, paint=self._paint)
            return CopiedFilm(file, self._streams, first, audio=self._audio)
        except BaseException:
            file.release()
            raise

    def _fail(self, error: Exception) -> None:
        """Keep what is whole, and say why there is no more."""
        if isinstance(error, FileExistsError):
            self.error = f"cannot write {self.path}: it exists already; move it away"
            return
        if isinstance(error, (OSError, av.error.FFmpegError)):
            reason, advice = explain_error(error)
            self.error = f"cannot write {self.path}: {reason}; {advice}"
        else:
            self.error = f"cannot write {self.path}: {' '.join(str(error).split()) or type(error).__name__}"
        if self._film is not None:
            with suppress(Exception):  # what went wrong is known
                self._film.abandon()
            self.size = self._film.size


def _as_it_is(image: np.ndarray, time: float) -> np.ndarray:
    return image
