"""Tables written block by block: CSV or Parquet, whole or not at all, or CSV to standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.formats import WRITABLE_TABLES
from bgsub.tables.table import BLOCK_ROWS

Columns = Mapping[str, "np.ndarray | pa.Array"]


@contextlib.contextmanager
def table_writer(path: str | os.PathLike[str]) -> Iterator[Callable[[Columns], None]]:
    """Write a table in blocks of rows; the file appears once the block has ended without an error.

    Parameters
    ----------
    path : path-like
        A name in .csv, .parquet or .pq, or "-" for CSV on standard output.

    Yields
    ------
    callable
        To be called with the columns of each block of rows, always the same ones. Masked values of numpy's masked
        arrays are written as missing.

    Raises
    ------
    OutputError
        When the file cannot be written, or its extension is another.
    """
    if os.fspath(path) == "-":
        with _format_writer(sys.stdout.buffer, csv.CSVWriter) as write:
            yield write
        sys.stdout.buffer.flush()
        return
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE_TABLES:
        raise OutputError(f"cannot write {path}: its extension is none of {', '.join(WRITABLE_TABLES)}; choose one")
    make = csv.CSVWriter if suffix == ".csv" else parquet.ParquetWriter
    with atomic_write(path) as file, _format_writer(file, make) as write:
        yield write


def write_table(path: str | os.PathLike[str], columns: Columns) -> None:
    """Write a table of which all columns are there, of one length; names and errors as of `table_writer`."""
    n_rows = max(map(len, columns.values()), default=0)
    with table_writer(path) as write:
        for start in range(0, n_rows, BLOCK_ROWS):
            write({name: values[start : start + BLOCK_ROWS] for name, values in columns.items()})


@contextlib.contextmanager
def _format_writer(file: Any, make: Callable[..., Any]) -> Iterator[Callable[[Columns], None]]:
    """Write blocks to an open file; the first one decides names and types."""
    with contextlib.ExitStack() as stack:
        writer: Any = None

        def write(columns: Columns) -> None:
            nonlocal writer
            batch = pa.RecordBatch.from_arrays([arrow_of(c) for c in columns.values()], names=list(columns))
            if writer is None:
                writer = stack.enter_context(make(file, batch.schema))
            writer.write_batch(batch)

        yield write


def arrow_of(values: np.ndarray | pa.Array) -> pa.Array:
    """Return values as Arrow's; masked ones as missing."""
    if isinstance(values, pa.Array):
        return values
    if values.dtype.kind not in "biuf":
        return pa.array(np.ascontiguousarray(values))
    # By their bytes: pa.array imports pandas, where that is installed, for half a second of a command's time.
    present = _bits(~np.ma.getmaskarray(values)) if isinstance(values, np.ma.MaskedArray) else None
    data = np.ascontiguousarray(np.ma.getdata(values), values.dtype.newbyteorder("="))
    held = _bits(data) if data.dtype.kind == "b" else pa.py_buffer(data)
    return pa.Array.from_buffers(pa.from_numpy_dtype(data.dtype), len(data), [present, held])


def _bits(flags: np.ndarray) -> pa.Buffer:
    """Return truth values as Arrow keeps them, eight a byte."""
    return pa.py_buffer(np.packbits(flags, bitorder="little"))
