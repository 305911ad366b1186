"""The folder of recordings: whether it is there, and the files in it, none of them reached through a link."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from bgsub.errors import BgsubError, OutputError
from bgsub.files import atomic_write
from bgsub.live.archive.index import Index
from bgsub.live.layout import FILE

MARK = ".bgsub-recordings"
"""A file in the folder by which it is known again: a share that is not mounted has none."""

_MARK_TEXT = re.compile(r"[0-9a-f]{32}\n?", re.ASCII)


def path_of(directory: Path, name: str) -> Path:
    """Return the path of a file of ours below a folder of recordings.

    Raises
    ------
    OutputError
        When it leads out of the folder, by its words or through a link.
    """
    path = directory / name
    if not FILE.fullmatch(name) or path.parent.resolve() != directory.resolve().joinpath(*name.split("/")[:2]):
        raise OutputError(f"{name!r} is left alone: it leads out of {directory}; remove it by hand")
    return path


class Recordings:
    """The folder of recordings, and what an index knows of it.

    Parameters
    ----------
    directory : Path
        The folder.
    index : Index
        Of what is in it.

    Attributes
    ----------
    directory : Path
        The folder.
    """

    def __init__(self, directory: Path, index: Index) -> None:
        self.directory = directory.absolute()
        self._index = index

    def settle(self) -> str | None:
        """Make the folder and its mark where they are missing; to be called before anything is recorded.

        Returns
        -------
        str or None
            A line for the log: the index was of other recordings, and is empty now.

        Raises
        ------
        OutputError
            When the folder is away, or cannot be made.
        """
        away = self.away()
        if away is not None:
            raise OutputError(away)
        known, mark = self._index.fact("recordings"), self._mark()
        told = None
        if known is not None and mark is not None and mark != known:
            self._index.forget_all()
            told = f"the index was of other recordings than those in {self.directory}; it is built again"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            device = str(self.directory.stat().st_dev)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {self.directory}: {error.strerror or error}; choose another directory"
            ) from error
        if mark is None:
            mark = known or secrets.token_hex(16)
            with contextlib.suppress(BgsubError), atomic_write(self.directory / MARK) as file:  # read-only: told later
                file.write(f"{mark}\n".encode())
        self._index.put_fact("recordings", mark)
        self._index.put_fact("device", device)
        return told

    def is_marked(self) -> bool:
        """Say whether the folder has its mark; one that was emptied has none until it is settled again."""
        return self._mark() is not None

    def away(self) -> str | None:
        """Say why the folder is not the one that was recorded into: a share that is not mounted; None if it is.

        A folder that somebody has emptied, or removed, on the same file system, is there: there is nothing in it.
        """
        known, device = self._index.fact("recordings"), self._index.fact("device")
        if known is None or self._mark() is not None:
            return None
        if device == _device_of(self.directory):
            return None
        return (
            f"the recordings in {self.directory} are away: the file system under it is another one; mount the share, "
            f"or, if they are gone, remove {self._index.path}"
        )

    def path(self, name: str) -> Path:
        """Return the path of a file of ours.

        Parameters
        ----------
        name : str
            Relative to the folder, of a record.

        Raises
        ------
        OutputError
            When it leads out of the folder, by its words or through a link.
        """
        return path_of(self.directory, name)

    def remove(self, name: str) -> int:
        """Remove a file of ours, and the folder of its day if that is empty; a missing one is no error.

        Returns
        -------
        int
            Bytes that became free.

        Raises
        ------
        OutputError
            When it cannot be removed, or is none of ours.
        """
        path = self.path(name)
        try:
            size = path.lstat().st_size
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return 0
        except OSError as error:
            raise OutputError(f"cannot remove {path}: {error.strerror or error}; check its permissions") from error
        return size

    def remove_day_if_empty(self, name: str) -> None:
        """Remove the folder of a file's day if nothing is in it."""
        with contextlib.suppress(OSError, BgsubError):
            os.rmdir(self.path(name).parent)  # noqa: PTH106

    def _mark(self) -> str | None:
        try:
            with (self.directory / MARK).open("rb") as file:
                text = file.read(64).decode("ascii", "replace")
        except OSError:
            return None
        return text.strip() if _MARK_TEXT.fullmatch(text) else None


def _device_of(folder: Path) -> str | None:
    """Return the number of the file system of a folder, or of the nearest one above that is there."""
    for path in (folder, *folder.parents):
        with contextlib.suppress(OSError):  # not there, or of a share that has gone stale
            return str(path.stat().st_dev)
    return None
