"""A folder that one program at a time may use: a lock that the system frees when the program ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bgsub.errors import OutputError

_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold a folder while the block runs. On a share that knows no locks nothing is held.

    Parameters
    ----------
    folder : Path
        It is there.
    name : str
        Of the file in it that is locked; it stays when the lock is gone.

    Raises
    ------
    OutputError
        When another program holds it, or it cannot be written to.
    """
    path = folder / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    except OSError as error:
        raise OutputError(
            f"cannot write to {folder}: {error.strerror or error}; choose another folder, or mend this one"
        ) from None
    try:
        if not _lock(descriptor):
            raise OutputError(f"another bgsub watch{_holder(path)} uses {folder}: end it, or choose another folder")
        with contextlib.suppress(OSError):  # a full disk: who holds it is only for the message
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0) if hasattr(os, "pwrite") else None
        yield
    finally:
        os.close(descriptor)


def _holder(path: Path) -> str:
    """Return the number of the process that holds a lock, as the file says."""
    with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
        return f" (process {int(file.read(20))})"
    return ""


def _lock(descriptor: int) -> bool:
    """Return False where another program holds the file's lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # far from what is read
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _BUSY  # else the file system knows no locks
    return True
