"""Arrow's own files (.arrow, .feather) and streams (.arrows), read batch by batch from the file's pages."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pyarrow import feather, ipc

from bgsub.tables.damage import damage_named, undamaged
from bgsub.tables.table import BLOCK_ROWS, Column, Kind, Table, kind_of

_FIRST_FEATHER = "Feather file"


class _ArrowTable(Table):
    """What Arrow writes, mapped into memory and read anew each time.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    """

    _what: ClassVar[str]
    _open: ClassVar[Callable[..., Any]]

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with damage_named(name, self._what), pa.memory_map(str(path)) as source, self._open(source) as reader:
            self._schema = reader.schema
            columns = columns_of(self._schema)
        super().__init__(name, columns, None)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        yield from undamaged(self._read(list(wanted)), self.name, self._what)

    def _read(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        options = _only(names, self._schema)
        with pa.memory_map(str(self._path)) as source, self._open(source, options=options) as reader:
            for batch in self._batches_of(reader):
                yield from _blocks(batch, names)

    @staticmethod
    @abc.abstractmethod
    def _batches_of(reader: Any) -> Iterable[pa.RecordBatch]:
        """Return the batches of an open file, one after another."""


class ArrowFile(_ArrowTable):
    """An Arrow file, which is also what Feather writes."""

    _what, _open = "Arrow file", staticmethod(ipc.open_file)

    @staticmethod
    def _batches_of(reader: Any) -> Iterable[pa.RecordBatch]:
        return (reader.get_batch(index) for index in range(reader.num_record_batches))


class ArrowStream(_ArrowTable):
    """An Arrow stream."""

    _what, _open = "Arrow stream", staticmethod(ipc.open_stream)

    @staticmethod
    def _batches_of(reader: Any) -> Iterable[pa.RecordBatch]:
        return reader


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
