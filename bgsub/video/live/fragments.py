"""MP4 files in fragments of a second: whatever ends the program, what was written up to then plays."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer

OPTIONS = {
    # Hybrid: fragments until the file is closed, then an ordinary MP4.
    "movflags": "frag_keyframe+empty_moov+default_base_moof+hybrid_fragmented",
    "frag_duration": "1000000",  # microseconds: key frames of cameras may lie many seconds apart
    "flush_packets": "1",
    "max_interleave_delta": "500000",  # for which pictures wait for sound that is silent
}
_BUFFER = 1 << 18


class FragmentFile:
    """A file that a container is written to, a fragment at a time.

    Parameters
    ----------
    path : Path
        A file that is not there yet; its folder is made.
    fsync : bool
        Each fragment is on the disk when `settle` returns.

    Attributes
    ----------
    size : int
        Bytes so far.
    shows : bool
        A whole fragment is in it, which is shown whatever happens now.
    """

    def __init__(self, path: Path, *, fsync: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = io.FileIO(path, "x")
        self._fsync = fsync
        self.size = 0
        self.shows = False
        self._settled = 0  # bytes that hold whole fragments
        self._abandoned = False
        if fsync:
            _sync_folder(path.parent)

    def open(self) -> OutputContainer:
        """Return a container that is written to this file."""
        target: Any = self
        return av.open(target, "w", format="mp4", container_options=OPTIONS, buffer_size=_BUFFER)

    # What PyAV asks of a file. An error in them is raised again where the container was written to.

    def write(self, data: bytes) -> int:
        """Write all of it."""
        if self._abandoned:
            return len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]
        self.size = max(self.size, self._file.tell())
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere.

        At its end the file's head is changed to point to an index behind all fragments: that index is on the disk
        before the head is.
        """
        if self._fsync and whence == os.SEEK_SET and offset < self.size and not self._abandoned:
            _sync(self._file.fileno())
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where the next byte goes."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Say that it can be written anywhere."""
        return True

    def settle(self) -> None:
        """Note that there are whole fragments only, now that the container was given a packet; sync new ones."""
        if self.size == self._settled:
            return
        self.shows = self._settled > 0  # what is written first is the head
        self._settled = self.size
        if self._fsync:
            _sync(self._file.fileno())

    def abandon(self) -> None:
        """Cut off what is no whole fragment, and write nothing any more."""
        self._abandoned = True
        os.ftruncate(self._file.fileno(), self._settled)
        self.size = self._settled

    def release(self) -> None:
        """Close it; synced, unless it was abandoned."""
        try:
            if self._fsync and not self._abandoned:
                _sync(self._file.fileno())
        finally:
            self._file.close()


def _sync(descriptor: int) -> None:
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Let the name of a new file outlast a power cut, where folders can be synced."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
