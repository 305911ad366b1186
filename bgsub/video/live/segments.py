"""Continuous recording: one clip after the other, without a picture between them or in both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bgsub.video.live.clips import PacketClip
from bgsub.video.live.packets import Kept

OpenClip = Callable[[Path, list[Kept]], PacketClip]
"""Opens a clip at a path, that begins with a key frame."""


class Segments:
    """A recording in segments, cut at key frames; `LiveSource.record` makes them.

    The callbacks are called in the thread that receives: they may not wait.

    Parameters
    ----------
    path_for : callable
        Returns the path of a segment that begins at a time, in seconds of the clock.
    seconds : float
        Least length of a segment: the next key frame begins another.
    open_clip : callable
        See `OpenClip`.
    opened, closed : callable
        Called with the `PacketClip` of each segment when it begins, and when it has been told to end: its `closed`
        says when it is whole.

    Attributes
    ----------
    current, last : PacketClip or None
        The segment that is being written; the one that was begun last.
    """

    def __init__(
        self,
        path_for: Callable[[float], Path],
        seconds: float,
        open_clip: OpenClip,
        opened: Callable[[PacketClip], object],
        closed: Callable[[PacketClip], object],
    ) -> None:
        self.current: PacketClip | None = None
        self.last: PacketClip | None = None
        self._path_for = path_for
        self._seconds = seconds
        self._open_clip = open_clip
        self._opened, self._closed = opened, closed
        self._began = 0.0
        self._is_over = False

    def take(self, kept: Kept) -> bool:
        """Take the next packet; False when no more is wanted."""
        if self._is_over:
            return False
        if kept.is_video and kept.is_key and (self.current is None or self._is_full(kept.time)):
            self._leave()
            self._began = kept.time
            self.current = self.last = self._open_clip(self._path_for(kept.time), [kept])
            self._opened(self.current)
        elif self.current is not None and not self.current.take(kept):
            self._leave()  # it could not be written; the next key frame begins another
        return True

    def _is_full(self, time: float) -> bool:
        return time - self._began >= self._seconds

    def _leave(self) -> None:
        """End the segment that is being written."""
        clip, self.current = self.current, None
        if clip is not None:
            clip.close()
            self._closed(clip)

    def tell_gap(self, seconds: float) -> None:
        """Note that the camera was away."""
        if self.current is not None:
            self.current.tell_gap(seconds)

    def end_with(self, why: str) -> None:
        """End the segment: what comes now does not fit."""
        if self.current is not None:
            self.current.end_with(why)
            self._leave()

    def close(self) -> None:
        """Record no more; the last segment ends with what has come."""
        self._is_over = True
        self._leave()

    def wait(self, seconds: float) -> bool:
        """Wait until the last segment is whole, so many seconds at most; say whether it is."""
        return self.last is None or self.last.wait(seconds)
