"""One camera's process at a time looks at its first pictures: it may compile what looks, which the others load."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

_LOOKS = 3  # after so many all that looks has been compiled


class FirstLook:
    """A turn that processes take; one that dies gives it back.

    Without it all would compile the same: a dozen cameras for a dozen times as long, each with the memory it takes.

    Parameters
    ----------
    path : Path
        Of a file that all of them know; its folder is made. Where there can be none, and on Windows, nobody waits.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._left = _LOOKS

    def is_mine(self) -> bool:
        """Return whether it is this process's turn, or needs none any more; nothing is waited for."""
        if self._left <= 0 or self._file is not None or sys.platform == "win32":
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("ab")
        except OSError:
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        except OSError:  # a file system without locks
            file.close()
            return True
        self._file = file
        return True

    def looked(self) -> None:
        """Take note of a look; after the first ones it is the next process's turn."""
        self._left -= 1
        if self._left <= 0 and self._file is not None:
            self._file.close()  # which ends the lock
            self._file = None
