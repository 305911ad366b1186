"""From a name, or what is in memory, to a table: the one place that knows which reader takes what."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bgsub.tables.csv_table import CsvTable
from bgsub.tables.memory_table import table_in_memory
from bgsub.tables.numpy_table import open_npy, open_npz
from bgsub.tables.parquet_table import ParquetTable
from bgsub.tables.reading import DEFAULTS, ReadOptions
from bgsub.tables.table import Table, refusal

logger = logging.getLogger(__name__)

_CSV_SUFFIXES = (".csv", ".tsv", ".txt")
_COMPRESSED = (".gz", ".bz2", ".zst")
_READERS: dict[str, Callable[[Path], Table]] = {
    **dict.fromkeys(_CSV_SUFFIXES, CsvTable),
    **dict.fromkeys((".parquet", ".pq"), ParquetTable),
    ".npy": open_npy,
    ".npz": open_npz,
}


TableLike = str | os.PathLike[str] | Any
"""What `open_table` takes."""


def open_table(source: TableLike, options: ReadOptions = DEFAULTS) -> Table:
    """Open a table by its name, or one that is in memory.

    Parameters
    ----------
    source : path-like, pyarrow.Table, pandas.DataFrame, mapping of str to column, or ndarray
        A file, its format told by its extension: .csv, .tsv, .txt (also with .gz, .bz2 or .zst), .parquet, .pq,
        .npy, .npz; "-" is CSV on standard input, which is copied to a temporary file first. What is in memory is as
        `bgsub.tables.memory_table.table_in_memory` takes it.
    options : ReadOptions, optional
        What is to be known of the table, where the file does not tell; of tables that are not text only `na` counts.

    Returns
    -------
    Table
        A context manager.

    Raises
    ------
    SourceError
        When there is no such file, or it is no table; one line that says what to do.
    """
    table = _opened(source, options)
    table.options = options
    return table


def _opened(source: TableLike, options: ReadOptions) -> Table:
    if not isinstance(source, (str, os.PathLike)):
        return table_in_memory(source)
    if os.fspath(source) == "-":
        return _StandardInput(options)
    path = Path(source)
    if not path.is_file():
        raise refusal(str(path), f"{'not a file' if path.exists() else 'no such file'}; check the path")
    if not os.access(path, os.R_OK):
        raise refusal(str(path), "no permission; change it with chmod")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] and suffixes[-1] in _COMPRESSED and suffixes[-2:-1] and suffixes[-2] in _CSV_SUFFIXES:
        suffixes.pop()
    reader = _READERS.get(suffixes[-1] if suffixes else "")
    if reader is None:
        known = ", ".join(_READERS)
        raise refusal(str(path), f"its extension is none of {known}; give a table of one of these kinds")
    if reader is CsvTable:
        return _warned(CsvTable(path, options=options))
    return reader(path)


class _StandardInput(CsvTable):
    """CSV on standard input, kept in a temporary file so that it can be read more than once."""

    def __init__(self, options: ReadOptions) -> None:
        self._stack = contextlib.ExitStack()
        with self._stack:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bgsub-"))
            path = Path(folder) / "standard-input.csv"
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            super().__init__(path, "standard input", options)
            _warned(self)
            self._stack = self._stack.pop_all()

    def close(self) -> None:
        """Delete the temporary file."""
        self._stack.close()


def _warned(table: Table) -> Table:
    """Say so if the heading looks like a row of data."""
    if isinstance(table, CsvTable) and table.heading_is_numbers:
        logger.warning("%s: the first line has only numbers and was taken for the names of columns", table.name)
    return table
