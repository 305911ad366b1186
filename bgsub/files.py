"""Files that appear whole or not at all, and the container in which all kinds of model are kept.

A container is one binary file: a line that says what it is; one line of JSON with kind, version, metadata and
each array's name, dtype and shape; the arrays' bytes one after another, in C order and little-endian; and the
SHA-256 of all that. Nothing in it is ever executed, and nothing is allocated that the size of the file does
not bear out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from bgsub.errors import ModelFileError, OutputError, ParameterError
from bgsub.stores.addresses import ADVICE, is_stored
from bgsub.stores.putting import put_when_whole
from bgsub.stores.store_paths import StorePath, as_path, shown

_FIRST_LINE = b"bgsub model, container 1\n"
_NEWER_FIRST_LINE = re.compile(rb"bgsub model, container ([2-9]|[1-9]\d{1,8})\n")
_LONGEST_HEADER = 1 << 20  # bytes
_CHUNK = 1 << 20  # bytes; hashed while they are still in the processor's cache
_DTYPES = frozenset(["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"])
_DOORS = {  # what loads which kind
    "adaptive": "bgsub.BackgroundSubtractor.load",
    "mog2": "bgsub.MOG2.load",
    "gaussian-mixture": "bgsub.GaussianMixture.load",
    "mixture of a table": "bgsub.TableModel.load",
}
_LONGEST_EXTENSION = 16
_DIGEST_SIZE = hashlib.sha256().digest_size


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name `path` only once the block has ended without an error.

    The bytes go to a temporary file in the same folder, reach the disk, and are then renamed; a crash at any
    moment leaves either the old file or the new one.

    Parameters
    ----------
    path : path-like
        Final name. Its folder must exist.

    Yields
    ------
    file object
        Open for writing in binary mode.

    Raises
    ------
    OutputError
        When the folder is missing or cannot be written, the name is that of a folder or a device, or the disk
        is full.
    """
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            yield file
            file.flush()
    except OSError as error:
        reason = f"{error.strerror or error}; make room or choose another folder"
        raise OutputError(f"cannot write {_shown(Path(path))}: {reason}") from error


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, keep_mode: bool = False) -> Iterator[Path]:
    """Lend a name beside `path` for a file that takes its place once the block has ended without an error.

    For what a library writes by name; `atomic_write` is for bytes. The file reaches the disk before it is renamed, and
    an error takes the unfinished one along. What goes to a store lies in a temporary folder, and is put when whole.

    Parameters
    ----------
    path : path-like
        Final name. Its folder must exist.
    keep_mode : bool
        Who may read and write a file that is there may, and nobody else.

    Yields
    ------
    Path
        Of an empty file in the same folder, with the same extension, hidden where names with a dot are.

    Raises
    ------
    OutputError
        When the folder is missing or cannot be written, or the name is that of a folder or a device.
    """
    if is_stored(path):
        with put_when_whole(StorePath(path)) as temporary:
            yield temporary
        return
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # a rename onto /dev/null would replace the device
            raise OutputError(f"cannot write {_shown(path)}: it is no regular file; choose another name")
        # A library tells by the extension what to write; a very long one is none.
        ending = path.suffix if len(path.suffix) <= _LONGEST_EXTENSION else ""
        descriptor, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}.", suffix=f".part{ending}", dir=path.parent)
        os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {_shown(path)}: {reason}; choose a folder you can write to") from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("r+b") as file:  # Windows syncs no file that is open for reading alone
            os.fsync(file.fileno())
        temporary.chmod(stat.S_IMODE(path.stat().st_mode) if keep_mode and path.exists() else 0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def bounded_lines(file: IO[bytes], longest: int) -> Iterator[bytes]:
    """Yield the lines of a binary file; one of more than `longest` bytes is passed over, and comes as an empty line."""
    while line := file.readline(longest + 1):
        if len(line) > longest:
            while line and not line.endswith(b"\n"):
                line = file.readline(longest)
            line = b"\n"
        yield line


def write_container(
    path: str | os.PathLike[str],
    kind: str,
    version: int,
    meta: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Write metadata and arrays to a file that `read_container` reads back and verifies.

    Parameters
    ----------
    path : path-like
        File to write, replaced if it exists.
    kind : str
        What the content is; only a reader that asks for the same kind gets it.
    version : int
        Version of the layout of `meta` and `arrays` for that kind.
    meta : mapping
        What JSON can hold, under 1 MiB of it; tuples come back as lists.
    arrays : mapping of str to ndarray
        Arrays of booleans, integers or floats of 16 to 64 bits, of any shape.

    Raises
    ------
    ParameterError
        When an array has another dtype, or `meta` is too long.
    OutputError
        When the file cannot be written.
    """
    stored = {
        name: np.asarray(array, dtype=np.asarray(array).dtype.newbyteorder("<"), order="C")
        for name, array in arrays.items()
    }
    for name, array in stored.items():
        if array.dtype.str not in _DTYPES:
            raise ParameterError(
                f"cannot store array {name!r} of dtype {array.dtype}: give booleans, integers or floats"
            )
    entries = [{"name": name, "dtype": array.dtype.str, "shape": array.shape} for name, array in stored.items()]
    header = json.dumps({"kind": kind, "version": version, "meta": dict(meta), "arrays": entries}).encode() + b"\n"
    if len(header) > _LONGEST_HEADER:
        raise ParameterError(
            f"cannot store {len(header)} bytes of metadata, over {_LONGEST_HEADER}: move some of it to arrays"
        )

    digest = hashlib.sha256()
    with atomic_write(path) as file:
        for line in (_FIRST_LINE, header):
            digest.update(line)
            file.write(line)
        for array in stored.values():
            for chunk in _chunks(array):
                digest.update(chunk)
                file.write(chunk)
        file.write(digest.digest())


def is_model_file(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins as models do, of this version of the container or a newer one; nothing is raised."""
    path = as_path(path)
    try:
        if not path.is_file():  # opening a pipe would wait
            return False
        with path.open("rb") as file:
            line = file.readline(len(_FIRST_LINE) + 9)
    except (OSError, ValueError):
        return False
    return line == _FIRST_LINE or _NEWER_FIRST_LINE.fullmatch(line) is not None


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """Return what kind of model a file claims to hold, from its first two lines alone.

    Nothing is verified beyond them: `read_container` does that. No pipe is waited for, and no more than 1 MiB is read.

    Returns
    -------
    str or None
        None where the file is missing, is no regular file, cannot be read, or is no container.
    """
    path = as_path(path)
    try:
        if not path.is_file():  # opening a pipe would wait
            return None
        with path.open("rb") as file:
            if file.readline(len(_FIRST_LINE)) != _FIRST_LINE:
                return None
            return _parsed(file.readline(_LONGEST_HEADER), path)["kind"]
    except (OSError, ValueError, ModelFileError):
        return None


def read_container(
    path: str | os.PathLike[str], kind: str, version: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read back what `write_container` wrote, and verify every byte of it.

    Parameters
    ----------
    path : path-like
        File to read.
    kind : str
        Kind asked for.
    version : int
        Version asked for, the only one that is read.

    Returns
    -------
    meta : dict
        The metadata.
    arrays : dict of str to ndarray
        The arrays, writable, with the dtype and shape they had.

    Raises
    ------
    ModelFileError
        When the file is missing, is no container, is truncated or altered anywhere, or holds another kind or
        version.
    """
    content = read_versions(path, kind, version, version)
    return content.meta, content.arrays


class Content(NamedTuple):
    """What a container holds.

    Attributes
    ----------
    version : int
        Version of the layout of the rest.
    meta : dict
        The metadata.
    arrays : dict of str to ndarray
        The arrays, writable, with the dtype and shape they had.
    """

    version: int
    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]


def read_versions(path: str | os.PathLike[str], kind: str, oldest: int, newest: int) -> Content:
    """Read a container of any version from `oldest` to `newest`; else like `read_container`."""
    path = as_path(path)
    try:
        if not path.is_file():
            reason = "not a file" if path.exists() else "no such file"
            raise _refusal(path, f"{reason}; check the path")
        with path.open("rb") as file:
            header, arrays = _read_verified(file, path)
    except OSError as error:
        advice = ADVICE if isinstance(path, StorePath) else "check the file and its permissions"
        raise _refusal(path, f"{error.strerror or error}; {advice}") from error

    if header["kind"] != kind:
        raise _other_kind(path, header["kind"], kind)
    if not oldest <= header["version"] <= newest:
        raise _other_version(path, header["version"], newest)
    return Content(header["version"], header["meta"], arrays)


def _read_verified(file: IO[bytes], path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return header and arrays of a container whose checksum is right."""
    first_line = file.readline(len(_FIRST_LINE) + 9)
    if first_line != _FIRST_LINE:
        newer = _NEWER_FIRST_LINE.fullmatch(first_line)
        if newer:
            raise _other_version(path, int(newer[1]), 1)
        raise _refusal(path, "it is no model file of bgsub; give one that bgsub has written")
    header_line = file.readline(_LONGEST_HEADER)
    header = _parsed(header_line, path)

    start = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(start)
    promised = start + sum(_n_bytes(entry) for entry in header["arrays"]) + _DIGEST_SIZE
    if size != promised:
        raise _damage(path, f"it has {size} bytes where its header promises {promised}")

    digest = hashlib.sha256(first_line + header_line)
    arrays = {}
    for entry in header["arrays"]:
        try:
            array = np.empty(entry["shape"], entry["dtype"])
        except ValueError as error:  # no bytes at all, but a shape that numpy cannot count
            raise _damage(path, f"an array of shape {entry['shape']}") from error
        for chunk in _chunks(array):
            if file.readinto(chunk) != len(chunk):  # type: ignore[attr-defined]
                raise _damage(path, "it became shorter while it was read")
            digest.update(chunk)
        arrays[entry["name"]] = array
    if file.read() != digest.digest():
        raise _damage(path, "its checksum does not match")
    return header, arrays


def _parsed(header_line: bytes, path: Path) -> dict[str, Any]:
    """Return the header, its structure and types checked, or raise ModelFileError."""
    try:
        header = json.loads(header_line)
    except (ValueError, RecursionError) as error:
        raise _damage(path, "its header cannot be read") from error
    match header:
        case {"kind": str(), "version": int(), "meta": dict(), "arrays": list(entries)}:
            names = {entry["name"] for entry in entries if _is_entry(entry)}
            if header_line.endswith(b"\n") and len(names) == len(entries):
                return header
    raise _damage(path, "its header is not laid out as it should be")


def _is_entry(entry: object) -> bool:
    """Tell whether an array's entry in the header is one: a name, a harmless dtype, a shape."""
    match entry:
        case {"name": str(), "dtype": str(dtype), "shape": list(shape)}:
            return dtype in _DTYPES and len(shape) <= 32 and all(type(n) is int and 0 <= n < 2**63 for n in shape)
    return False


def _n_bytes(entry: dict[str, Any]) -> int:
    return math.prod(entry["shape"]) * np.dtype(entry["dtype"]).itemsize


def _chunks(array: np.ndarray) -> Iterator[memoryview]:
    """Yield the bytes of an array in C order, as views of at most `_CHUNK` bytes."""
    flat = array.reshape(-1).view(np.uint8)
    for start in range(0, flat.size, _CHUNK):
        yield flat[start : start + _CHUNK].data


def _refusal(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(f"cannot load the model {_shown(path)}: {reason}")


def _damage(path: Path, evidence: str) -> ModelFileError:
    return _refusal(path, f"it is damaged ({evidence}); copy it again from its source, or train the model again")


def _other_kind(path: Path, found: str, wanted: str) -> ModelFileError:
    door = f", or load this one with {_DOORS[found]}" if found in _DOORS else ""
    return _refusal(path, f"it holds a model of kind {found[:40]!r}, not {wanted!r}; give one of that kind{door}")


def _other_version(path: Path, found: int, read: int) -> ModelFileError:
    if found > read:
        return _refusal(path, f"it was written by a newer bgsub (format {found}, this one reads {read}): upgrade bgsub")
    return _refusal(
        path,
        f"it was written by an older bgsub (format {found}, this one reads {read}): train the model again",
    )


def _shown(path: Path) -> str:
    """Return a path as it can stand in a message of one line, whatever characters its name has."""
    text = shown(path)
    return text if text.isprintable() else ascii(text)


def _umask() -> int:
    """Return the process's umask (which can only be read by setting it)."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
