"""Compressed files and archives of one table, unpacked to a temporary file, with a bound on what they unpack to."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa

from bgsub.errors import OutputError
from bgsub.tables.damage import damage_named
from bgsub.tables.table import printable, refusal

ALWAYS = 256 << 20
"""Bytes that any file may unpack to."""

MOST_TIMES = 200
"""How many times its size a larger one may unpack to: tables reach 5 to 50 times, bombs a thousand and more."""

MOST = 64 << 30
"""Bytes that no file may exceed."""

_CHUNK = 1 << 20
_SHOWN_NAMES = 5
_LOCKED = 1  # bit of a ZIP member's flags


def _zstandard(path: Path) -> Any:
    return pa.input_stream(str(path), compression="zstd")


COMPRESSIONS: dict[str, Callable[[Path], Any]] = {
    "gzip": gzip.open,
    "bzip2": bz2.open,
    "xz": lzma.open,
    "Zstandard": _zstandard,
}
"""What opens a file of each kind of compression."""


def decompressed(path: Path, kind: str, name: str, stack: contextlib.ExitStack) -> Path:
    """Return a temporary file with what is in a compressed one.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        A key of `COMPRESSIONS`.
    name : str
        What messages call it.
    stack : ExitStack
        Deletes the temporary file.

    Raises
    ------
    SourceError
        When it is damaged, or unpacks to more than the bound.
    OutputError
        When the disk is full.
    """
    what = f"{kind} file"
    with damage_named(name, what), COMPRESSIONS[kind](path) as source:
        return _kept(source, path.stat().st_size, name, stack)


def only_member(path: Path, name: str) -> zipfile.ZipInfo:
    """Return what is in an archive of one file, besides folders and the notes of operating systems.

    Raises
    ------
    SourceError
        When the archive is damaged or locked, or holds no file or several; the text lists their names.
    """
    found = [info for info in members(path, name) if not _is_note(info)]
    if len(found) != 1:
        shown = ", ".join(printable(info.filename) for info in found[:_SHOWN_NAMES])
        more = f" and {len(found) - _SHOWN_NAMES} more" if len(found) > _SHOWN_NAMES else ""
        holds = f"{len(found)} files ({shown}{more})" if found else "no file"
        raise refusal(name, f"the archive holds {holds}; give an archive of one table, or unpack it first")
    return found[0]


def members(path: Path, name: str, what: str = "ZIP archive") -> list[zipfile.ZipInfo]:
    """Return the files in an archive, called `what` by messages; errors as of `only_member`."""
    with damage_named(name, what), zipfile.ZipFile(path) as archive:
        found = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.flag_bits & _LOCKED for info in found):
        raise refusal(name, "the archive is locked with a password; unpack it first")
    return found


def unpacked(path: Path, member: zipfile.ZipInfo, name: str, stack: contextlib.ExitStack) -> Path:
    """Return a temporary file with what is in a file of an archive; arguments and errors as of `decompressed`."""
    with damage_named(name, "ZIP archive"), zipfile.ZipFile(path) as archive:
        try:
            source = archive.open(member)
        except NotImplementedError as error:
            raise refusal(
                name, f"the archive is packed in a way that is not known ({error}); unpack it first"
            ) from error
        with source:
            return _kept(source, path.stat().st_size, name, stack)


def check_unpacked_size(total: int, packed: int, name: str) -> None:
    """Raise SourceError if a file of `packed` bytes that unpacks to `total` is over the bound."""
    if total > min(MOST, max(ALWAYS, MOST_TIMES * packed)):
        size = f"{MOST >> 30} GB" if total > MOST else f"{ALWAYS >> 20} MB and {MOST_TIMES} times its size"
        raise refusal(name, f"it unpacks to more than {size}; if that is meant, unpack it first and give what is in it")


def _kept(source: IO[bytes], packed: int, name: str, stack: contextlib.ExitStack) -> Path:
    """Copy a stream to a temporary file, up to the bound."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bgsub-"))
    path, done = Path(folder) / "table", 0
    with path.open("wb") as target:
        while chunk := source.read(_CHUNK):
            done += len(chunk)
            check_unpacked_size(done, packed, name)
            try:
                target.write(chunk)
            except OSError as error:
                raise no_room(error) from error
    return path


def no_room(error: OSError) -> OutputError:
    """Return the error that says that a temporary file cannot be written."""
    return OutputError(
        f"cannot keep the table in {tempfile.gettempdir()}: {error.strerror or error}; make room, or let TMPDIR name a "
        "folder on a larger disk"
    )


def _is_note(info: zipfile.ZipInfo) -> bool:
    """Tell whether a member is what an operating system leaves beside the files."""
    path = PurePosixPath(info.filename)
    return path.parts[:1] == ("__MACOSX",) or path.name in {".DS_Store", "Thumbs.db", "desktop.ini"}
