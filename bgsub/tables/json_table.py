"""JSON: an object a line, in blocks of any number; or one array of objects, of a bounded size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from pyarrow import json as arrow_json

from bgsub.tables.damage import damage_named
from bgsub.tables.spooled_table import SpooledTable, block_of
from bgsub.tables.table import refusal

_BLOCK = 4 << 20  # bytes
_LONGEST = 64 << 20  # bytes of a line
_LARGEST_ARRAY = 64 << 20  # bytes of a file; Python's objects take ten times as many
_ARRAY_ROWS = 16_384  # rows of a block
_ADVICE = "write one object a line (.jsonl)"


def open_json(path: Path, name: str) -> SpooledTable:
    """Convert a file of JSON: each object is a row, its names are the columns, in the order of their appearance.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.

    Raises
    ------
    SourceError
        When a line is no object, or an array is too large; the text names the row.
    """
    with damage_named(name, "JSON file"), path.open("rb") as file:
        is_array = re.match(rb"(\xef\xbb\xbf)?\s*\[", file.read(_BLOCK)) is not None
        file.seek(0)
        blocks = _array(file, path.stat().st_size, name) if is_array else _lines(file, name)
        table = SpooledTable(name, blocks)
    if table.n_rows == 1 and all(column.kind == "other" for column in table.columns):
        table.close()
        raise refusal(name, f"it is one object of columns, not of rows; {_ADVICE}, such as by to_json(..., lines=True)")
    return table


def _lines(file: IO[bytes], name: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file with an object a line."""
    rest, row = b"", 0
    while True:
        read = file.read(_BLOCK)
        whole, newline, tail = read.rpartition(b"\n") if read else (b"", b"", b"")
        if read and not newline:
            rest += tail
            if len(rest) > _LONGEST:
                raise refusal(name, f"row {row + 1} is longer than {_LONGEST >> 20} MB; {_ADVICE}")
            continue
        block = (rest + whole).removeprefix(b"\xef\xbb\xbf") if row == 0 else rest + whole
        rest = tail
        if block.strip():
            found = _parsed(block, row, name)
            row += found.num_rows
            yield found
        if not read:
            return


def _parsed(block: bytes, row: int, name: str) -> pa.RecordBatch:
    """Return lines of JSON as columns; those that Arrow does not take one by one: NaN, columns of several kinds."""
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1)
    try:
        table = arrow_json.read_json(pa.BufferReader(block), read_options=options)
        table.validate(full=True)
        (batch,) = table.combine_chunks().to_batches()
        if batch.num_columns and batch.num_rows == block.strip().count(b"\n") + 1:
            return batch
    except (pa.ArrowException, ValueError):
        pass
    lines = (line for line in block.split(b"\n") if line.strip())
    return _columns(_records(lines, row, name))


def _records(lines: Iterable[bytes], row: int, name: str) -> list[dict[str, Any]]:
    """Return the objects of lines."""
    found = []
    for index, line in enumerate(lines, row + 1):
        try:
            record = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            reason = str(error).partition(": line 1 column")[0]
            raise refusal(name, f"row {index} is no JSON ({reason}); {_ADVICE}") from error
        found.append(_checked(record, index, name))
    return found


def _array(file: IO[bytes], size: int, name: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file that is one array of objects."""
    if size > _LARGEST_ARRAY:
        raise refusal(name, f"it is one array of more than {_LARGEST_ARRAY >> 20} MB, read whole; {_ADVICE}")
    try:
        records = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise refusal(name, f"it is no JSON ({error}); {_ADVICE}") from error
    for start in range(0, len(records), _ARRAY_ROWS):
        part = records[start : start + _ARRAY_ROWS]
        yield _columns([_checked(record, index, name) for index, record in enumerate(part, start + 1)])


def _checked(record: object, row: int, name: str) -> dict[str, Any]:
    if isinstance(record, dict):
        return record
    raise refusal(name, f"row {row} is no object, {{...}}; {_ADVICE}")


def _columns(records: list[dict[str, Any]]) -> pa.RecordBatch:
    """Return records as columns."""
    names = dict.fromkeys(name for record in records for name in record)
    return block_of({name: [record.get(name) for record in records] for name in names})
