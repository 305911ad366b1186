"""Paths on stores: what is asked of a path (is it there, what is in it, its bytes) a `StorePath` answers too.

So files and folders on a store are looked for and read as those on a disk are.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self

from bgsub.stores.addresses import asking, is_stored, located, without_secrets
from bgsub.stores.stored_file import StoredFile

if sys.platform == "win32":
    from pathlib import WindowsPath as _Path
else:
    from pathlib import PosixPath as _Path

_FIRST_PART = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/(?!/)")
_SMALL = 1 << 16  # bytes read at a time by who only looks at the head of a file
_CHANGED = ("LastModified", "mtime", "last_modified", "updated", "modified", "created")
_WITH_FOLDERS = frozenset({"sftp", "ssh", "smb", "ftp", "hdfs", "webhdfs", "webdav"})  # which have to be made


def as_path(name: str | os.PathLike[str]) -> Path:
    """Return a name as a path: on a store, or on this machine."""
    if isinstance(name, StorePath):
        return name
    return StorePath(name) if is_stored(name) else Path(name)


def shown(path: Path) -> str:
    """Return a path as it can be told."""
    return without_secrets(str(path)) if isinstance(path, StorePath) else str(path)


class StorePath(_Path):
    """A path on a store; ``str`` is its address.

    What would change something on this machine's disk is not for it; who writes to a store does it by `put` and
    `remove`. Questions raise `OSError` as those of other paths do, whatever the store's library raises.
    """

    _known: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return _FIRST_PART.sub(r"\1://", super().__str__().replace("\\", "/"))

    def __fspath__(self) -> str:
        return str(self)

    @property
    def shown(self) -> str:
        """The address as it can be told."""
        return without_secrets(str(self))

    def info(self) -> Mapping[str, Any]:
        """Return what the store tells of it, afresh."""
        with asking(str(self)):
            fs, name = located(str(self))
            fs.invalidate_cache()
            told: Mapping[str, Any] = fs.info(name)
        return told

    def put(self, local: Path) -> None:
        """Put a file of this machine here; it appears whole."""
        with asking(str(self)):
            fs, name = located(str(self))
            fs.put_file(str(local), name)

    def put_bytes(self, data: bytes) -> None:
        """Put some bytes here; they appear whole."""
        with asking(str(self)):
            fs, name = located(str(self))
            if str(self).partition("://")[0] in _WITH_FOLDERS:
                fs.makedirs(fs._parent(name), exist_ok=True)
            fs.pipe_file(name, data)

    def copy_to(self, other: StorePath) -> None:
        """Let the store itself copy the file to another place on it, where it appears whole."""
        with asking(str(other)):
            fs, name = located(str(self))
            fs.cp_file(name, located(str(other))[1])

    def remove(self) -> None:
        """Remove the file."""
        with asking(str(self)):
            fs, name = located(str(self))
            fs.rm_file(name)
            fs.invalidate_cache()

    @property
    def known_size(self) -> int | None:
        """Bytes of the file, where it was found in a list of what is there; the store is not asked."""
        size = None if self._known is None else self._known.get("size")
        return None if size is None else int(size)

    def open_stored(self, block: int = _SMALL) -> StoredFile:
        """Open the file to be read through a window of so many bytes, which tries again where the store fails."""
        return StoredFile(str(self), block)

    # ------------------------------------------------------------------------------------------------ as a path

    def open(self, mode: str = "r", *_: Any, **__: Any) -> IO[Any]:  # type: ignore[override]
        """Open the file to read its bytes."""
        if mode != "rb":
            raise OSError(errno.EROFS, f"what lies on a store is only read here, not opened as {mode!r}", self.shown)
        return io.BufferedReader(self.open_stored(), _SMALL)

    def read_bytes(self) -> bytes:
        """Return all bytes."""
        with self.open_stored() as file:
            return file.read()

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return kind, size and time of the last change."""
        info = self.info() if self._known is None else self._known
        is_folder = info.get("type") == "directory"
        size, changed = int(info.get("size") or 0), _changed(info)
        mode = stat.S_IFDIR | 0o755 if is_folder else stat.S_IFREG | 0o644
        times: dict[str, float] = {f"st_{kind}_ns": round(changed * 1e9) for kind in ("atime", "mtime", "ctime")}
        times |= {f"st_{kind}": changed for kind in ("atime", "mtime", "ctime")}
        return os.stat_result((mode, 0, 0, 1, 0, 0, size, *[int(changed)] * 3), times)

    def lstat(self) -> os.stat_result:
        """Return `stat`: there are no links."""
        return self.stat()

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Say whether there is such a file or folder."""
        return self._mode() is not None

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Say whether it is a file."""
        mode = self._mode()
        return mode is not None and stat.S_ISREG(mode)

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Say whether it is a folder: there are files whose names begin so."""
        mode = self._mode()
        return mode is not None and stat.S_ISDIR(mode)

    def is_symlink(self) -> bool:
        """Say no."""
        return False

    def iterdir(self) -> Generator[Self, None, None]:
        """Yield what is in a folder; each knows what it is without another question."""
        with asking(str(self)):
            fs, name = located(str(self))
            fs.invalidate_cache()
            found = fs.ls(name, detail=True)
        for info in found:
            own = str(info["name"]).rstrip("/").rpartition("/")[2]
            if own and str(info["name"]).strip("/") != name.strip("/"):  # a folder may be an object of its own
                child = self / own
                child._known = info
                yield child

    def matching(self, pattern: str) -> Iterator[Self]:
        """Yield what a pattern with ``*``, ``?``, ``[...]`` and ``**`` meets, from this folder on."""
        with asking(str(self)):
            fs, name = located(str(self))
            fs.invalidate_cache()
            found: Mapping[str, Any] = fs.glob(f"{name.rstrip('/')}/{pattern}", detail=True)
        yield from self._children(name, found)

    def files_below(self) -> Iterator[Self]:
        """Yield the files in a folder and in the folders in it; each knows what it is without another question."""
        with asking(str(self)):
            fs, name = located(str(self))
            fs.invalidate_cache()
            found: Mapping[str, Any] = fs.find(name, detail=True)
        yield from self._children(name, found)

    def _children(self, name: str, found: Mapping[str, Any]) -> Iterator[Self]:
        for met, info in found.items():
            below = met.strip("/")[len(name.strip("/")) :].strip("/")
            if below:
                child = self / below
                child._known = info
                yield child

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: on a store a folder is there when something is in it."""

    def absolute(self) -> Self:
        """Return itself: an address begins at the root."""
        return self

    def resolve(self, strict: bool = False) -> Self:
        """Return itself: there are no links."""
        return self

    def samefile(self, other_path: str | os.PathLike[str]) -> bool:
        """Say whether another address is the same."""
        return os.fspath(other_path) == str(self)

    def _mode(self) -> int | None:
        try:
            return self.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None


def _changed(info: Mapping[str, Any]) -> float:
    """Return when a file was last changed, in seconds since 1970, as its store tells; 0 where it does not."""
    told = next((info[name] for name in _CHANGED if info.get(name) is not None), 0.0)
    if isinstance(told, str):
        try:
            told = datetime.fromisoformat(told)
        except ValueError:
            return 0.0
    if isinstance(told, datetime):
        return told.timestamp()
    return float(told) if isinstance(told, (int, float)) else 0.0
