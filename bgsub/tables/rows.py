"""Blocks of rows as arrays: the columns that somebody chose, missing values found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.dates import as_days
from bgsub.tables.reading import ReadOptions
from bgsub.tables.table import BLOCK_ROWS, Kind, Table, refusal
from bgsub.tables.values import as_array, as_numbers, as_text

Missing = Literal["error", "drop", "em"]
"""What to do with a row in which a value is missing or NaN: stop, leave it out, or use what it holds. Infinite values
count as missing where rows are left out, and are an error otherwise."""


@dataclass(frozen=True)
class ColumnSelection:
    """The columns to read, by name.

    Attributes
    ----------
    numbers, categories : tuple of str
        Columns to read as numbers, and as text.
    weights : str or None
        The column of the rows' weights.
    kept : tuple of str
        Columns to pass on as they are.
    dates : tuple of str
        Those of `numbers` that are dates, times or durations, to be read as days.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...] = ()
    weights: str | None = None
    kept: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        both = set(self.numbers) & set(self.categories)
        if both:
            raise ParameterError(f"column {min(both)!r} is to be a number and a category: name it once")

    @property
    def wanted(self) -> dict[str, Kind]:
        """The columns, and what to read them as."""
        kinds: dict[str, Kind] = dict.fromkeys(self.kept, "other")
        kinds |= dict.fromkeys(self.categories, "category")
        kinds |= dict.fromkeys(self.numbers, "number")
        kinds |= dict.fromkeys(self.dates, "other")
        if self.weights is not None:
            kinds[self.weights] = "number"
        return kinds


@dataclass(frozen=True)
class Rows:
    """A block of n rows.

    Attributes
    ----------
    start : int
        Rows of the table before these.
    numbers : ndarray (n, D) float64
        The columns of numbers; missing values are NaN.
    categories : list of pyarrow.StringArray
        The columns of text.
    weights : ndarray (n,) float64 or None
        The rows' weights.
    complete : ndarray (n,) bool
        The rows to use: those in which nothing is missing, NaN or infinite; with ``missing="em"`` those that hold
        some value.
    kept : pyarrow.RecordBatch
        The columns to pass on.
    """

    start: int
    numbers: np.ndarray
    categories: list[pa.Array]
    weights: np.ndarray | None
    complete: np.ndarray
    kept: pa.RecordBatch

    def __len__(self) -> int:
        return len(self.numbers)


def read_rows(
    table: Table, selection: ColumnSelection, missing: Missing = "error", on_rows: Callable[[int], None] | None = None
) -> Iterator[Rows]:
    """Read the chosen columns of a table in blocks.

    Parameters
    ----------
    table : Table
        Where from.
    selection : ColumnSelection
        Which columns.
    missing : {"error", "drop", "em"}
        Whether a row with a missing value is an error, only marked in `Rows.complete`, or used: see `Missing`.
    on_rows : callable, optional
        Called with the number of rows read so far.

    Yields
    ------
    Rows
        Blocks of rows, none empty.

    Raises
    ------
    ParameterError
        When the table lacks a column.
    SourceError
        When the table is empty or damaged, a value is no number or a weight negative, or a value is missing
        where it must not be; the text names row (counted from 1 below the heading) and column.
    """
    wanted = selection.wanted
    table.check_names(wanted)
    start = first = table.first_row
    for batch in _even(table.batches(wanted)):
        rows = _converted(batch, table.name, selection, start, table.options)
        if missing == "error" and not rows.complete.all():
            raise _missing_value(rows, table.name, selection, rows.complete)
        if missing == "em":
            sound = _sound(rows)
            if not sound.all():
                raise _missing_value(rows, table.name, selection, sound)
            rows = replace(rows, complete=_holding(rows))
        yield rows
        start += len(rows)
        if on_rows is not None:
            on_rows(start - first)
    if start == first:
        raise refusal(table.name, "it has no rows; give a table with some")


def _even(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield rows in blocks of `BLOCK_ROWS`: then sums over blocks are the same bits whatever a file's blocks are."""
    held: list[pa.RecordBatch] = []
    n_held = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            part = batch.slice(start, BLOCK_ROWS)
            if n_held + part.num_rows >= BLOCK_ROWS:
                split = BLOCK_ROWS - n_held
                yield from _joined([*held, part.slice(0, split)])
                held, n_held, part = [], 0, part.slice(split)
            if part.num_rows:
                held.append(part)
                n_held += part.num_rows
    if held:
        yield from _joined(held)


def _joined(parts: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Return batches as one; as several if they have more than 2 GB of text."""
    return parts if len(parts) == 1 else pa.Table.from_batches(parts).combine_chunks().to_batches()


def _converted(batch: pa.RecordBatch, table: str, selection: ColumnSelection, start: int, options: ReadOptions) -> Rows:
    """Return a batch of Arrow as arrays."""
    column = {name: batch.column(index) for index, name in enumerate(batch.schema.names)}
    numbers = np.empty((batch.num_rows, len(selection.numbers)))
    for index, name in enumerate(selection.numbers):
        read = as_days if name in selection.dates else as_numbers
        numbers[:, index] = read(column[name], table, start, name)
    for value in options.missing_numbers:
        numbers[numbers == value] = np.nan
    categories = [_present(as_text(column[name], table, name), options) for name in selection.categories]
    complete = np.asarray(np.isfinite(numbers).all(axis=1))
    for texts in categories:
        complete = complete & as_array(texts.is_valid())
    weights = None
    if selection.weights is not None:
        weights = as_numbers(column[selection.weights], table, start, selection.weights)
        if (weights < 0).any():
            raise SourceError(
                f"{table}: row {start + int(np.argmax(weights < 0)) + 1}, column {selection.weights!r} is a negative "
                "weight: give 0 or more"
            )
        complete = complete & np.isfinite(weights)
    return Rows(start, numbers, categories, weights, complete, batch.select(list(selection.kept)))


def _present(texts: pa.Array, options: ReadOptions) -> pa.Array:
    """Return texts, those that stand for a missing value as missing."""
    if not options.na:
        return texts
    missing = pc.is_in(texts, value_set=pa.array(sorted(options.missing_texts), pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), texts)


def _sound(rows: Rows) -> np.ndarray:
    """Return the rows with no infinite value, and a weight, (n,) bool: what EM can use."""
    sound = ~np.isinf(rows.numbers).any(axis=1)
    return sound if rows.weights is None else sound & np.isfinite(rows.weights)


def _holding(rows: Rows) -> np.ndarray:
    """Return the rows in which some value is not missing, (n,) bool."""
    holding = ~np.isnan(rows.numbers).all(axis=1) if rows.numbers.shape[1] else np.zeros(len(rows), bool)
    for texts in rows.categories:
        holding |= as_array(texts.is_valid())
    return holding


def _missing_value(rows: Rows, table: str, selection: ColumnSelection, sound: np.ndarray) -> SourceError:
    """Return the error that names the first value of the first row that is not sound."""
    index = int(np.argmin(sound))
    values: dict[str, float] = dict(zip(selection.numbers, rows.numbers[index].tolist(), strict=True))
    if rows.weights is not None:
        values[str(selection.weights)] = float(rows.weights[index])
    for name, texts in zip(selection.categories, rows.categories, strict=True):
        values[name] = 0.0 if texts[index].is_valid else np.nan
    faults = [name for name, value in values.items() if not np.isfinite(value)]
    used = sound is not rows.complete  # what is missing is not why the row is refused
    name = next(name for name in faults if not used or np.isinf(values[name]) or name == selection.weights)
    what = "missing (NaN)" if np.isnan(values[name]) else "infinite"
    return SourceError(
        f"{table}: row {rows.start + index + 1}, column {name!r} is {what}: "
        "correct it, or leave such rows out with --missing drop"
        + (", or use what they hold with --missing em" if what != "infinite" and name != selection.weights else "")
    )
