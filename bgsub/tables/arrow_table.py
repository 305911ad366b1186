"""Arrow's own files (.arrow, .feather) and streams (.arrows), read batch by batch from the file's pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import feather, ipc

from bgsub.tables.damage import damage_named, undamaged
from bgsub.tables.table import BLOCK_ROWS, Column, Kind, Table, kind_of

_FILE, _STREAM, _FIRST_FEATHER = "Arrow file", "Arrow stream", "Feather file"


class ArrowFile(Table):
    """An Arrow file, which is also what Feather writes.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with damage_named(name, _FILE), pa.memory_map(str(path)) as source, ipc.open_file(source) as reader:
            self._schema = reader.schema
            columns = columns_of(self._schema)
        super().__init__(name, columns, None)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        yield from undamaged(self._read(list(wanted)), self.name, _FILE)

    def _read(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        options = _only(names, self._schema)
        with pa.memory_map(str(self._path)) as source, ipc.open_file(source, options=options) as reader:
            for index in range(reader.num_record_batches):
                yield from _blocks(reader.get_batch(index), names)


class ArrowStream(Table):
    """An Arrow stream, read anew each time.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with damage_named(name, _STREAM), pa.memory_map(str(path)) as source, ipc.open_stream(source) as reader:
            self._schema = reader.schema
            columns = columns_of(self._schema)
        super().__init__(name, columns, None)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        yield from undamaged(self._read(list(wanted)), self.name, _STREAM)

    def _read(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        options = _only(names, self._schema)
        with pa.memory_map(str(self._path)) as source, ipc.open_stream(source, options=options) as reader:
            for batch in reader:
                yield from _blocks(batch, names)


class FirstFeather(Table):
    """A Feather file of the first version, of which the columns wanted are read whole.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with damage_named(name, _FIRST_FEATHER):
            table = feather.read_table(path, memory_map=True)
            columns = columns_of(table.schema)
        super().__init__(name, columns, table.num_rows)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        names = list(wanted)
        with damage_named(self.name, _FIRST_FEATHER):
            table = feather.read_table(self._path, columns=names, memory_map=True)
            table.validate(full=True)
        yield from table.select(names).to_batches(max_chunksize=BLOCK_ROWS)


def columns_of(schema: pa.Schema) -> list[Column]:
    """Return the columns of an Arrow schema."""
    return [Column(field.name, kind_of(field.type)) for field in schema]


def _only(names: list[str], schema: pa.Schema) -> ipc.IpcReadOptions:
    """Return what makes a reader pass over all other columns."""
    return ipc.IpcReadOptions(included_fields=[schema.get_field_index(name) for name in names], use_threads=False)


def _blocks(batch: pa.RecordBatch, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield a batch in blocks, checked: damaged offsets would lead out of the file."""
    batch.validate(full=True)
    for start in range(0, batch.num_rows, BLOCK_ROWS):
        yield batch.slice(start, BLOCK_ROWS).select(names)
