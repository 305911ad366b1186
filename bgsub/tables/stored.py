"""Files of tables on stores, as pyarrow reads them: what it asks for, where they lie."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
from pyarrow import fs

from bgsub.stores.addresses import ADVICE, reason_of, without_secrets
from bgsub.stores.store_paths import StorePath
from bgsub.stores.stored_file import StoredFile
from bgsub.tables.table import refusal

_WINDOW = 1 << 16  # bytes that are read ahead: pyarrow asks for a column of a group of rows at once


class StoredTable(StoredFile):
    """A file on a store, which is read through a window; where the store gives up, the error names the table.

    Parameters
    ----------
    path : StorePath
        Where it is.
    name : str
        What messages call the table.

    Raises
    ------
    SourceError
        When it is not there, or the store does not answer.
    """

    def __init__(self, path: StorePath, name: str) -> None:
        self._table = name
        with store_explained(name):
            super().__init__(str(path), _WINDOW, size=path.known_size)

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        with store_explained(self._table):
            return super().read(size)


@contextlib.contextmanager
def store_explained(name: str) -> Iterator[None]:
    """Let what a store says no to be the line of a table that cannot be read, while the block runs."""
    try:
        yield
    except FileNotFoundError as error:
        raise refusal(name, f"{error.strerror or error}; check the address") from error
    except OSError as error:
        raise refusal(name, f"{reason_of(error)}; {ADVICE}") from error


def readable(path: Path, name: str) -> Any:
    """Return a file as pyarrow opens it: its path, or what reads it from a store."""
    return StoredTable(path, name) if isinstance(path, StorePath) else path


def filesystem_of(path: Path) -> fs.FileSystem | None:
    """Return what pyarrow is to find files with, by their `place`: None for those on this machine."""
    if not isinstance(path, StorePath):
        return None
    return fs.PyFileSystem(_Store(str(path).partition("://")[0]))


def place(path: Path) -> str:
    """Return the name of a file or a folder for pyarrow: its path, or its address without the kind of store."""
    return str(path).partition("://")[2] if isinstance(path, StorePath) else str(path)


class _Store(fs.FileSystemHandler):
    """A store, of which pyarrow reads files that are known to be there.

    Parameters
    ----------
    scheme : str
        What addresses on it begin with.
    """

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme

    def get_type_name(self) -> str:
        return self._scheme

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        return [fs.FileInfo(path, fs.FileType.File) for path in paths]

    def open_input_file(self, path: str) -> pa.PythonFile:
        address = f"{self._scheme}://{path}"
        return pa.PythonFile(StoredTable(StorePath(address), without_secrets(address)), "r")

    open_input_stream = open_input_file

    def _refused(self, *_: Any) -> NoReturn:
        raise NotImplementedError("tables on stores are only read here")

    get_file_info_selector = create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = _refused
    delete_file = move = copy_file = open_output_stream = open_append_stream = _refused
