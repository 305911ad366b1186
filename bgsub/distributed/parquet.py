"""Parquet in partitions: each worker reads groups of rows of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bgsub.distributed.partitions import Partitioned
from bgsub.errors import ParameterError
from bgsub.tables.parts import Part, parts_of
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from bgsub.tables.table import Table, listed


@dataclass(frozen=True)
class PartBlock:
    """Columns of numbers of a part of a table.

    Attributes
    ----------
    part : Part
        Where it lies.
    selection : ColumnSelection
        The columns.
    """

    part: Part
    selection: ColumnSelection

    def read(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the rows, and their weights or None."""
        blocks = list(read_rows(self.part.open(), self.selection, "drop"))  # which leaves all rows in their places
        X = np.concatenate([rows.numbers for rows in blocks])
        weights = [rows.weights for rows in blocks if rows.weights is not None]
        return X, np.concatenate(weights) if weights else None


def of_parquet(path: str | os.PathLike[str], weights: Any, columns: Sequence[str] | None) -> Partitioned:
    """Return the partitions of a Parquet file or of a folder of such files; arguments as of `partitioned`."""
    if not (weights is None or isinstance(weights, str)):
        raise ParameterError("sample_weight of Parquet is the name of its column: write the weights into the table")
    with open_table(path) as table:
        names = tuple(columns) if columns is not None else table.numeric_columns(without=[weights] if weights else [])
        _check(table, (*names, *([weights] if weights else [])))
        if not names:
            raise ParameterError(f"{table.name} has no column of numbers: name some with columns")
        parts = parts_of(table, len(names))
    blocks = [PartBlock(part, ColumnSelection(names, weights=weights)) for part in parts]
    partitions: list[Any] = [(block, None) for block in blocks]
    lengths = tuple(part.n_rows for part in parts)
    return Partitioned(partitions, len(names), np.dtype(np.float64), list(names), lengths)


def _check(table: Table, names: Sequence[str]) -> None:
    """Raise ParameterError unless names are those of columns of numbers, each named once."""
    table.check_names(names)
    kinds = {column.name: column.kind for column in table.columns}
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"column {name!r} is named twice: name it once")
        if kinds[name] != "number":
            raise ParameterError(
                f"column {name!r} of {table.name} holds no numbers: give columns of numbers, of which there are "
                f"{listed(table.numeric_columns()) or 'none'}"
            )
