"""Values of a column as numbers and as text, with faults named by row and column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.errors import SourceError
from bgsub.tables.table import is_text, refusal


def is_number(text: str) -> bool:
    """Tell whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def as_numbers(column: pa.Array, table: str, start: int, name: str) -> np.ndarray:
    """Return a column as float64, missing values as NaN.

    Parameters
    ----------
    column : pyarrow.Array
        The values: numbers of any type, truth values, or text that reads as numbers.
    table, name : str
        What messages call the table and the column.
    start : int
        Rows of the table before these.

    Raises
    ------
    SourceError
        When a value is no number; the text names its row, counted from 1 below the heading.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_text(column.type):
        column = pc.utf8_trim_whitespace(column)
    elif pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    try:
        numbers = column.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _first_fault(column, table, start, name) from error
    return numbers.to_numpy(zero_copy_only=False)


def _first_fault(column: pa.Array, table: str, start: int, name: str) -> SourceError:
    """Return the error that names the first value that is no number."""
    if not is_text(column.type):
        return refusal(table, f"column {name!r} holds {column.type}, not numbers; leave it out of --columns")
    for index in range(len(column)):
        try:
            column.slice(index, 1).cast(pa.float64())
        except pa.ArrowInvalid:
            value = column[index].as_py()
            shown = repr(value if len(value) <= 40 else f"{value[:40]}...")
            return refusal(
                table,
                f"row {start + index + 1}, column {name!r} holds the text {shown}, not a number; "
                "correct it, leave the column out of --columns, or name it in --encode",
            )
    raise AssertionError("a column that cannot be cast has a value that cannot be cast")


def as_text(column: pa.Array) -> pa.Array:
    """Return a column of numbers, truth values or text as text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())
