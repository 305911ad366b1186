"""Parquet, read in blocks by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from bgsub.tables.table import BLOCK_ROWS, Column, Kind, Table, kind_of, refusal


class ParquetTable(Table):
    """A Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = parquet.ParquetFile(path)
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damage(str(path), error) from error
        columns = [Column(field.name, kind_of(field.type)) for field in schema]
        super().__init__(str(path), columns, self._file.metadata.num_rows)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        names = list(wanted)
        try:
            for batch in self._file.iter_batches(BLOCK_ROWS, columns=names, use_threads=False):
                yield batch.select(names)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damage(self.name, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _damage(name: str, error: Exception) -> Exception:
    reason = (str(error).splitlines() or ["no reason given"])[0][:200]
    return refusal(name, f"it is no Parquet file, or damaged ({reason}); copy it again from its source")
