"""A list of lines that several runs go on with, one after another: on this machine a file, on a store several.

Nothing can be appended to a file on a store. There each addition is a file of its own beside the list, small and whole;
when a run ends, they become one. Of two runs at a time there nothing is seen.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

from bgsub.errors import OutputError
from bgsub.files import atomic_write, bounded_lines
from bgsub.stores.addresses import ADVICE, reason_of
from bgsub.stores.store_paths import StorePath, shown

LONGEST_LINE = 1 << 16  # bytes
_LARGEST = 1 << 30  # bytes of a list on a store


class Ledger(Protocol):
    """What a list of lines can do; errors are `OutputError`.

    Attributes
    ----------
    is_shared : bool
        Another process may have it open, too.
    """

    is_shared: bool

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, the oldest first; one that is too long comes as an empty one."""

    def append(self, lines: bytes) -> None:
        """Add whole lines; they are safe when this returns."""

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Put other lines in the place of all."""

    def close(self) -> None:
        """Let others have it."""


def ledger_at(path: Path) -> Ledger:
    """Return the list of a name; its folder is there."""
    return StoredLedger(path) if isinstance(path, StorePath) else DiskLedger(path)


class DiskLedger:
    """A file of lines, which one process at a time has open.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    OutputError
        When another process has a list in this folder open.
    """

    is_shared = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _locked(path.parent)
        self._file: IO[bytes] | None = None

    def lines(self) -> Iterator[bytes]:
        """Yield the lines."""
        try:
            facts = self.path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISREG(facts.st_mode):
            raise OutputError(f"cannot use {self.path}: it is no regular file; remove it or choose another folder")
        try:
            with self.path.open("rb") as file:
                yield from bounded_lines(file, LONGEST_LINE)
        except OSError as error:
            raise OutputError(f"cannot read {self.path}: {error.strerror or error}; check its permissions") from error

    def append(self, lines: bytes) -> None:
        """Add whole lines; they are on the disk when this returns."""
        try:
            if self._file is None:
                self._file = _appending(self.path)
            self._file.write(lines)  # unbuffered: one call, and so one piece
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror or error}; make room or choose another folder"
            ) from error

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Put other lines in the place of all: the file is that of before or after."""
        self._end()
        with atomic_write(self.path) as file:
            file.writelines(lines)

    def close(self) -> None:
        """Let others have the folder."""
        self._end()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class StoredLedger:
    """A list on a store: a file, and beside it one for each addition since.

    Parameters
    ----------
    path : StorePath
        The file; additions are called ``NAME.TIME-TOKEN``.
    """

    is_shared = True

    def __init__(self, path: StorePath) -> None:
        self.path = path
        self._additions: list[StorePath] = []

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the list, and then those of its additions."""
        try:
            found = sorted(self.path.parent.iterdir())
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(f"cannot read {shown(self.path)}: {reason_of(error)}; {ADVICE}") from error
        self._additions = [path for path in found if path.name.startswith(f"{self.path.name}.")]
        for path in [*(path for path in found if path.name == self.path.name), *self._additions]:
            try:
                if path.stat().st_size > _LARGEST:
                    raise OutputError(f"cannot use {shown(path)}: it is too large; choose another folder")
                with path.open("rb") as file:
                    yield from bounded_lines(file, LONGEST_LINE)
            except OSError as error:
                raise OutputError(f"cannot read {shown(path)}: {reason_of(error)}; {ADVICE}") from error

    def append(self, lines: bytes) -> None:
        """Add whole lines; they are on the store when this returns."""
        name = f"{self.path.name}.{time.time_ns():020}-{secrets.token_hex(4)}"
        self._additions.append(self._put(self.path.with_name(name), lines))

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Put other lines in the place of all; an addition is removed when it is in the list."""
        self._put(self.path, b"".join(lines))
        for path in self._additions:
            try:
                path.remove()
            except FileNotFoundError:  # another run's, who has removed it
                continue
            except OSError as error:
                raise OutputError(f"cannot remove {shown(path)}: {reason_of(error)}; {ADVICE}") from error
        self._additions = []

    def close(self) -> None:
        """Do nothing: nobody is kept out."""

    def _put(self, path: StorePath, data: bytes) -> StorePath:
        try:
            path.put_bytes(data)
        except OSError as error:
            raise OutputError(f"cannot write {shown(path)}: {reason_of(error)}; {ADVICE}") from error
        return path


def _appending(path: Path) -> IO[bytes]:
    """Open a file for whole lines at its end, through no link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "ab", buffering=0)


def _locked(folder: Path) -> int | None:
    """Keep other processes out of a folder until the descriptor is closed; None where the system cannot."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # whoever writes there says why it cannot
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise OutputError(f"another run works in {folder}: wait for it, or choose another folder") from None
        return None  # a file system without locks
    return descriptor
