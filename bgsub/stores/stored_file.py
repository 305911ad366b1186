"""The bytes of a file on a store, read through a window; where the store fails for a while, it is asked again."""

from __future__ import annotations

import errno
import io
import logging
import time
from typing import Any

from bgsub.errors import BgsubError
from bgsub.stores.addresses import asking, located, reason_of, without_secrets

log = logging.getLogger(__name__)

WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before a store that failed is asked again, each time; its library may have tried several times by then."""

WINDOW = 1 << 21
"""Bytes that are read ahead of a video: some seconds of a camera's, for a question that takes some hundredths."""

_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, BgsubError)  # asking again helps none of these


class StoredFile(io.RawIOBase):
    """A file on a store, for one reader at a time.

    Each window is a question of its own: nothing is held open on the store.

    Parameters
    ----------
    address : str
        Where it is.
    window : int
        Bytes that are read ahead.
    ends : bool
        Where the store gives up the file ends, for a reader that prints exceptions; who reads asks for `failure` then.
    size : int, optional
        Bytes, where they are known, as from a list of what is there: the store is not asked then.

    Attributes
    ----------
    name : str
        Its address.
    size : int
        Bytes, when it was opened.
    failure : OSError or None
        Why the store gave up, after which nothing more can be read.

    Raises
    ------
    OSError
        When it is not there, or the store does not answer.
    """

    def __init__(self, address: str, window: int = WINDOW, *, ends: bool = False, size: int | None = None) -> None:
        super().__init__()
        from fsspec.caching import ReadAheadCache

        self.name = address
        self.failure: OSError | None = None
        self._ends = ends
        self._shown = without_secrets(address)
        self._place = 0
        self.size = self._asked_size() if size is None else size
        self._ahead: Any = ReadAheadCache(window, self._ask, self.size)

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        if self.closed:
            raise ValueError("read of a closed file")
        end = self.size if size is None or size < 0 else min(self._place + size, self.size)
        if self._ends and self.failure is not None:
            return b""
        try:
            data: bytes = self._ahead._fetch(self._place, end)
        except (OSError, BgsubError):
            if self._ends:
                return b""
            raise
        self._place += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._place = max(0, place + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence])
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def _asked_size(self) -> int:
        with asking(self.name):
            fs, name = located(self.name)
            fs.invalidate_cache()
            info = fs.info(name)
        if info.get("type") == "directory":
            raise IsADirectoryError(errno.EISDIR, "it is a folder", self._shown)
        return int(info["size"])

    def _ask(self, start: int, end: int) -> bytes:
        """Return bytes from the store; where it fails, after a while again."""
        for wait in (*WAITS, None):
            try:
                with asking(self.name):
                    fs, name = located(self.name)
                    data: bytes = fs.cat_file(name, start=start, end=end)
                if len(data) != end - start:
                    raise FileNotFoundError(errno.ENOENT, "it has been changed while it was read", self._shown)
                return data
            except _FINAL as error:
                self.failure = error if isinstance(error, OSError) else OSError(str(error))
                raise
            except OSError as error:
                self.failure = error
                if wait is None:
                    raise
                log.warning("%s: the store fails (%s); asked again in %g s", self._shown, reason_of(error), wait)
                time.sleep(wait)
                self.failure = None
        raise AssertionError("the last attempt returns or raises")
