"""Parquet, read in blocks by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from bgsub.tables.arrow_table import columns_of
from bgsub.tables.damage import damage_named, undamaged
from bgsub.tables.stored import readable
from bgsub.tables.table import BLOCK_ROWS, Kind, Table

_FILE = "Parquet file"


class ParquetTable(Table):
    """A Parquet file.

    Parameters
    ----------
    path : Path
        The file; on a store it is read where it lies.
    name : str, optional
        What messages call it.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self._path = path
        with damage_named(name or str(path), _FILE):
            self._file = parquet.ParquetFile(readable(path, name or str(path)))
            self.schema = self._file.schema_arrow
            columns = columns_of(self.schema)
        super().__init__(name or str(path), columns, self._file.metadata.num_rows)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        yield from undamaged(_blocks(self._file, list(wanted)), self.name, _FILE)

    def groups(self) -> Iterator[tuple[str, int, int]]:
        """Yield the groups of rows that the file has: its path, their numbers, and how many rows."""
        for number in range(self._file.metadata.num_row_groups):
            yield str(self._path.absolute()), number, self._file.metadata.row_group(number).num_rows

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _blocks(file: parquet.ParquetFile, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows."""
    for batch in file.iter_batches(BLOCK_ROWS, columns=names, use_threads=False):
        batch.validate(full=True)
        yield batch.select(names)
