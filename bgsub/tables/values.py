"""Values of a column as numbers and as text, with faults named by row and column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.errors import SourceError
from bgsub.tables.table import is_text, plain_type, refusal, shown

_SPELLINGS = ("True", "TRUE", "False", "FALSE")
"""Of truth values, besides the one that is ours: "true" and "false"."""


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
    column = plain(column)
    if is_text(column.type):
        column = pc.utf8_trim_whitespace(column)
        if _are_truth_values(column):
            column = pc.utf8_lower(column).cast(pa.bool_())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if pa.types.is_float16(column.type):  # which pyarrow casts from version 16 on
        return column.to_numpy(zero_copy_only=False).astype(np.float64)
    try:
        numbers = column.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _first_fault(column, table, start, name) from error
    return as_floats(numbers)


def as_floats(column: pa.DoubleArray) -> np.ndarray:
    """Return a column of float64 as numpy's, missing values as NaN."""
    values = as_array(column)
    return np.where(as_array(column.is_valid()), values, np.nan) if column.null_count else values


def as_array(column: pa.Array) -> np.ndarray:
    """Return a column of float64, int32, int64 or truth values, none missing, as numpy's (read-only).

    pyarrow's own `to_numpy` imports pandas, where that is installed, for half a second of a command's time.
    """
    if pa.types.is_boolean(column.type):
        return as_array(column.cast(pa.uint8())).view(np.bool_)
    dtype = np.dtype(str(column.type))
    if not len(column):
        return np.empty(0, dtype)
    return np.frombuffer(column.buffers()[1], dtype, len(column), column.offset * dtype.itemsize)


def _first_fault(column: pa.Array, table: str, start: int, name: str) -> SourceError:
    """Return the error that names the first value that is no number."""
    if not is_text(column.type):
        return refusal(
            table, f"column {name!r} holds {column.type}, not numbers; leave it out of --columns{_dates(column)}"
        )
    index = first_fault(column)
    assert index is not None, "a column that cannot be cast has a value that cannot be cast"
    return not_a_number(table, start + index, name, column[index].as_py(), False)


def first_fault(texts: pa.Array) -> int | None:
    """Return the place of the first text that is no number."""
    texts = pc.utf8_trim_whitespace(texts)
    try:
        texts.cast(pa.float64())
    except pa.ArrowInvalid:
        for index in range(len(texts)):
            try:
                texts.slice(index, 1).cast(pa.float64())
            except pa.ArrowInvalid:
                return index
    return None


def not_a_number(table: str, row: int, name: str, value: str, is_number: bool, example: str = "") -> SourceError:
    """Return the error that names a value that is no number.

    Parameters
    ----------
    table, name : str
        What messages call the table and the column.
    row : int
        Rows before it.
    value : str
        The value.
    is_number : bool
        Whether the others are numbers.
    example : str
        One of these, where they are written in a way of their own.
    """
    others = f" like {shown(example)}" if example else ""
    what = f"row {row + 1}, column {name!r} holds the text {shown(value)}, not a number{others}; "
    if not is_number:
        return refusal(table, f"{what}correct it, leave the column out of --columns, or name it in --encode")
    below = ", or give --skip-lines if the table begins further down" if row == 0 else ""
    return refusal(
        table,
        f"{what}correct it, leave the column out with --exclude, or take the value for missing with --na{below}",
    )


def _dates(column: pa.Array) -> str:
    """Return the advice for a column of dates."""
    return ", or name it in --dates" if pa.types.is_temporal(column.type) else ""


def as_text(column: pa.Array, table: str = "", name: str = "") -> pa.Array:
    """Return a column of numbers, truth values, dates or text as text; "true" and "false" in small letters.

    Parameters
    ----------
    column : pyarrow.Array
        The values.
    table, name : str
        What messages call the table and the column.

    Raises
    ------
    SourceError
        When the values are lists or the like, or no text.
    """
    column = plain(column)
    try:
        texts = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise refusal(table, f"column {name!r} holds {column.type}, not text; leave it out of --encode") from error
    if is_text(column.type):  # pandas writes True, R TRUE, pyarrow true
        spelled = pc.is_in(texts, value_set=pa.array(_SPELLINGS, pa.string()))
        if pc.any(spelled).as_py():
            texts = pc.if_else(spelled, pc.utf8_lower(texts), texts)
    return texts


def plain(column: pa.Array) -> pa.Array:
    """Return a column without what only says how it is stored: as `plain_type` says of its type."""
    while column.type != (type_ := plain_type(column.type)):
        if isinstance(column.type, pa.BaseExtensionType):
            column = column.storage.cast(type_) if pa.types.is_boolean(type_) else column.storage
        elif pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        elif pa.types.is_run_end_encoded(column.type):
            column = pc.run_end_decode(column)
        else:
            column = column.cast(type_)
    return column


def _are_truth_values(texts: pa.Array) -> bool:
    """Tell whether a column of text has truth values and nothing else; of other columns one value is looked at."""
    present = texts.drop_null()
    known = pa.array([*_SPELLINGS, "true", "false"], present.type)
    return all(len(part) and pc.all(pc.is_in(part, value_set=known)).as_py() for part in (present[:1], present))
