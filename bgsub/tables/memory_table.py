"""Tables that are in memory already: of pyarrow, of pandas and others that speak Arrow, dicts of columns, arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from bgsub.tables.numpy_table import NumpyTable, columns_of
from bgsub.tables.table import BLOCK_ROWS, Column, Kind, Table, kind_of, refusal

_NAME = "the table"  # what messages call it


class ArrowTable(Table):
    """A pyarrow Table.

    Parameters
    ----------
    table : pyarrow.Table
        The rows.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        super().__init__(_NAME, [Column(field.name, kind_of(field.type)) for field in table.schema], table.num_rows)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        yield from self._table.select(list(wanted)).to_batches(max_chunksize=BLOCK_ROWS)


def table_in_memory(table: Any) -> Table:
    """Return a table over what is in memory, without copying it where Arrow can share it.

    Parameters
    ----------
    table : pyarrow.Table, pandas.DataFrame, object with Arrow's C interface, mapping of str to column, or ndarray
        A mapping's columns are what `pyarrow.array` takes: arrays, lists. An array (N, D) has columns x0, x1, ..., an
        array of records those of its fields.

    Raises
    ------
    SourceError
        When it is none of these, or its columns are of several lengths.
    """
    if isinstance(table, np.ndarray):
        return NumpyTable(_NAME, columns_of(table, "x", _NAME), named=bool(table.dtype.names))
    try:
        if isinstance(table, pa.Table):
            return ArrowTable(table)
        if type(table).__module__.partition(".")[0] == "pandas":
            return ArrowTable(pa.Table.from_pandas(table, preserve_index=False))
        if isinstance(table, Mapping):
            return ArrowTable(pa.table(dict(table)))
        if hasattr(table, "__arrow_c_stream__"):
            return ArrowTable(pa.table(table))
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0][:200]
        raise refusal(_NAME, f"its columns are not those of a table ({reason}); give columns of one length") from error
    kind = type(table).__name__
    if type(table).__module__.partition(".")[0] == "dask":
        way = "write it with to_parquet and give the path, or give it to bgsub.distributed"
        raise refusal(_NAME, f"it is a Dask {kind}, in partitions; {way}")
    raise refusal(_NAME, f"it is of type {kind}; give a path, a table of pyarrow or pandas, or a dict of columns")
