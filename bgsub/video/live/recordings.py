"""Where a camera's packets go: into its ring, and to all that is being recorded."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TypeVar

from bgsub.errors import SourceError
from bgsub.video.live.clips import PacketClip
from bgsub.video.live.clock import Clock
from bgsub.video.live.packets import Kept, Streams
from bgsub.video.live.painting import Paint
from bgsub.video.live.ring import Ring
from bgsub.video.live.segments import Segments

log = logging.getLogger(__name__)

Recording = TypeVar("Recording", PacketClip, Segments)


class Recordings:
    """The ring and the recordings of one camera; its methods may be called in any thread.

    Parameters
    ----------
    shown : str
        What messages call the camera.
    ring : Ring
        Its own.
    clock : Clock
        Tells the time.
    """

    def __init__(self, shown: str, ring: Ring, clock: Clock) -> None:
        self._shown = shown
        self._ring = ring
        self._clock = clock
        self._lock = threading.RLock()
        self._open: list[PacketClip | Segments] = []
        self._streams: Streams | None = None
        self._latest: float | None = None  # time of the last packet

    def keep(self, kept: Kept) -> None:
        """Take the next packet."""
        with self._lock:
            self._latest = kept.time if self._latest is None else max(self._latest, kept.time)
            self._ring.push(kept)
            self._open = [recording for recording in self._open if self._is_taken(recording, kept)]

    def _is_taken(self, recording: PacketClip | Segments, kept: Kept) -> bool:
        """Give a recording a packet; one whose owner's callbacks fail gets no more, and the camera goes on."""
        try:
            return recording.take(kept)
        except Exception:
            log.exception("%s: a recording ends", self._shown)
            return False

    def begin(self, streams: Streams) -> bool:
        """Prepare for the packets of a new connection; say whether there was one before.

        What is recorded goes on after the gap, or ends where the new packets do not fit.
        """
        with self._lock:
            before, self._streams = self._streams, streams
            if before is None:
                return False
            now = self._clock.monotonic()
            gap = max(0.0, now - (now if self._latest is None else self._latest))
            fits = streams.goes_on_from(before)
            if not fits:
                self._ring.clear()
            for recording in self._open:
                if fits:
                    recording.tell_gap(gap)
                else:
                    recording.end_with(f"the camera changed from {before} to {streams}")
            return True

    def add(self, recording: Recording) -> Recording:
        """Let a recording have the packets that come from now on."""
        with self._lock:
            self._open.append(recording)
        return recording

    def open_clip(self, path: Path, since: float, *, fsync: bool, audio: bool, paint: Paint | None) -> PacketClip:
        """Begin a clip with the last key frame at or before a time; see `LiveSource.open_clip`."""
        with self._lock:
            return self.add(self.begin_clip(path, self._ring.since(since), fsync=fsync, audio=audio, paint=paint))

    def begin_clip(
        self, path: Path, waiting: list[Kept], *, fsync: bool, audio: bool, paint: Paint | None
    ) -> PacketClip:
        """Begin a clip with these packets, which is given all others by its caller."""
        if self._streams is None:
            raise SourceError(f"cannot record {self._shown}: it has not been reached yet")
        return PacketClip(path, self._streams, waiting, self._clock, fsync=fsync, audio=audio, paint=paint)

    def close(self, seconds: float) -> None:
        """End all that is recorded, and wait for it, so many seconds at most for each."""
        with self._lock:
            recordings, self._open = self._open, []
        for recording in recordings:
            recording.close()
        for recording in recordings:
            recording.wait(seconds)
