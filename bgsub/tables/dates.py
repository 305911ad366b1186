"""Dates, times and durations as numbers: days, since the first of January 1970 where they are dates."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.errors import SourceError
from bgsub.tables.table import is_text, refusal
from bgsub.tables.values import as_array, plain

_A_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_READINGS = (("", pa.timestamp("us")), ("", pa.timestamp("us", "UTC")), ("1970-01-01 ", pa.timestamp("us")))  # of text
_LONGEST = 40  # characters of a value in a message


def as_days(column: pa.Array, table: str, start: int, name: str) -> np.ndarray:
    """Return a column of dates as days since 1970-01-01 in UTC, of times and durations as days; missing ones as NaN.

    Parameters
    ----------
    column : pyarrow.Array
        Dates, timestamps, times, durations; or text of ISO 8601: 2024-01-05, 2024-01-05 12:30, 12:30:15.
    table, name : str
        What messages call the table and the column.
    start : int
        Rows of the table before these.

    Raises
    ------
    SourceError
        When it holds something else; of text the message names the row.
    """
    column = plain(column)
    if is_text(column.type):
        column = _parsed(column, table, start, name)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not pa.types.is_temporal(column.type) or pa.types.is_interval(column.type):
        raise refusal(table, f"column {name!r} holds {column.type}, no dates or times; leave it out of --dates")
    whole = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    per_day = 1 if pa.types.is_date32(column.type) else _A_DAY[getattr(column.type, "unit", "ms")]  # date64 is in ms
    days = as_array(whole) / per_day
    days[~as_array(column.is_valid())] = np.nan
    return days


def from_days(days: np.ndarray) -> pa.Array:
    """Return days since 1970-01-01 as timestamps, to a microsecond; of NaN as missing."""
    missing = np.isnan(days)
    whole = np.round(np.where(missing, 0.0, days) * _A_DAY["us"]).astype(np.int64)
    return pa.array(whole, mask=missing).cast(pa.timestamp("us"))


def _parsed(texts: pa.Array, table: str, start: int, name: str) -> pa.Array:
    """Return texts as the timestamps that all of them are, times as those of the first day."""
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    for reading in _READINGS:
        if (found := _read(texts, *reading)) is not None:
            return found
    raise _first_fault(texts, table, start, name)


def _read(texts: pa.Array, day: str, type_: pa.DataType) -> pa.Array | None:
    """Return texts after a day as timestamps; None if one is none."""
    try:
        return pc.binary_join_element_wise(pa.scalar(day), texts, "").cast(type_)
    except pa.ArrowInvalid:
        return None


def _first_fault(texts: pa.Array, table: str, start: int, name: str) -> SourceError:
    """Return the error that names the first text that does not go on as the column began."""
    left = list(_READINGS)
    for index, value in enumerate(texts.to_pylist()):
        left = [reading for reading in left if _read(texts.slice(index, 1), *reading) is not None]
        if not left:
            shown = repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}...")
            return refusal(
                table,
                f"row {start + index + 1}, column {name!r} holds {shown}, which is no date like 2024-01-05 or "
                "2024-01-05 12:30, or not like those before; write it so, or leave the column out of --dates",
            )
    raise AssertionError("a column that cannot be read has a value that cannot be read")
