"""A table whose blocks were converted once and lie in a temporary file: for formats that are slow to read again."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa
from pyarrow import ipc

from bgsub.tables.table import BLOCK_ROWS, Column, Kind, Table, kind_of, refusal
from bgsub.tables.unpacking import no_room
from bgsub.tables.values import is_number

_MIXED = b"numbers and text"  # in a field's metadata
_PROBED = 1000  # values that decide whether a column of numbers and text is one of numbers with faults in it
_NUMBERS_OF_A_NUMBER_COLUMN = 0.5


class SpooledTable(Table):
    """A table of blocks that need not agree: a column may be missing in one, whole in the next, then real, then text.

    A column in which only the numbers' types differ is one of numbers. One with numbers and text is one of numbers if
    most of its first 1000 values are: then the others are reported as faults.

    Parameters
    ----------
    name : str
        What messages call it.
    blocks : iterable of pyarrow.RecordBatch
        The rows; they are used up.
    names : sequence of str, optional
        The columns, where they are known before.
    """

    def __init__(self, name: str, blocks: Iterable[pa.RecordBatch], names: Iterable[str] = ()) -> None:
        types: dict[str, list[pa.DataType]] = {column: [] for column in names}
        with contextlib.ExitStack() as stack:
            self._file = stack.enter_context(tempfile.TemporaryFile(prefix="bgsub-"))
            self._starts: list[int] = []
            n_rows, mixed = 0, set()
            for block in blocks:
                self._starts.append(self._file.tell())
                _append(self._file, block)
                n_rows += block.num_rows
                for field in block.schema:
                    if (field.metadata or {}).get(_MIXED):
                        mixed.add(field.name)
                    known = types.setdefault(field.name, [])
                    if field.type not in known:
                        known.append(field.type)
            if not n_rows:
                raise refusal(name, "it has no rows; give a table with some")
            self._mixed = mixed
            self._types = {column: common_type(found) for column, found in types.items()}
            kinds = [Column(column, self._kind(column, found)) for column, found in types.items()]
            super().__init__(name, kinds, n_rows)
            self.keep(stack.pop_all())

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        for block in self._blocks():
            columns = [
                as_type(block.column(column), self._types[column])
                if column in block.schema.names
                else pa.nulls(block.num_rows, self._types[column])
                for column in wanted
            ]
            whole = pa.RecordBatch.from_arrays(columns, names=list(wanted))
            for start in range(0, block.num_rows, BLOCK_ROWS):
                yield whole.slice(start, BLOCK_ROWS)

    def _blocks(self) -> Iterator[pa.RecordBatch]:
        for start in self._starts:
            self._file.seek(start)
            with ipc.open_stream(self._file) as reader:
                block = reader.read_next_batch()
            yield block

    def _kind(self, name: str, types: list[pa.DataType]) -> Kind:
        """Return what a column holds."""
        kind = kind_of(self._types[name])
        if kind != "category" or not (name in self._mixed or any(kind_of(type_) == "number" for type_ in types)):
            return kind
        columns = (block.column(name) for block in self._blocks() if name in block.schema.names)
        texts = (as_type(column, pa.string()).drop_null().to_pylist() for column in columns)
        probed = list(itertools.islice(itertools.chain.from_iterable(texts), _PROBED))
        return "number" if sum(map(is_number, probed)) > _NUMBERS_OF_A_NUMBER_COLUMN * len(probed) else "category"


def common_type(types: Iterable[pa.DataType]) -> pa.DataType:
    """Return the type that takes all values of some: the only one, float64 for numbers, else text."""
    found = [type_ for type_ in types if not pa.types.is_null(type_)]
    if len(found) <= 1:
        return found[0] if found else pa.null()
    return pa.float64() if all(kind_of(type_) == "number" for type_ in found) else pa.string()


def as_type(column: pa.Array, type_: pa.DataType) -> pa.Array:
    """Return a column as the common type of its own and others."""
    if column.type == type_:
        return column
    if pa.types.is_nested(column.type):
        values = (None if value is None else json.dumps(value, default=str) for value in column.to_pylist())
        return pa.array(values, pa.string())
    return column.cast(type_, safe=False)


def _append(file: IO[bytes], block: pa.RecordBatch) -> None:
    """Write a block as a stream of its own."""
    try:
        with ipc.new_stream(file, block.schema) as writer:
            writer.write_batch(block)
    except OSError as error:
        raise no_room(error) from error


def block_of(columns: Mapping[str, Sequence[Any]]) -> pa.RecordBatch:
    """Return columns of Python's values as a block; one of numbers and text is marked as such."""
    arrays = [_column_of(values) for values in columns.values()]
    fields = []
    for (name, values), array in zip(columns.items(), arrays, strict=True):
        is_mixed = pa.types.is_string(array.type) and any(map(_is_number, values))
        fields.append(pa.field(name, array.type, metadata={_MIXED: b"1"} if is_mixed else None))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _column_of(values: Sequence[Any]) -> pa.Array:
    """Return Python's values as a column: of their type, of float64 for numbers of several, else as text."""
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    if all(value is None or _is_number(value) for value in values):
        return pa.array([None if value is None else _real(value) for value in values], pa.float64())
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _real(value: float) -> float:
    """Return a number as a float; one that has more digits than any float as infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _text(value: object) -> str:
    """Return a value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str)
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)
