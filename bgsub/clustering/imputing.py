"""A table's gaps filled in by a model of it: block by block, observed values as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.errors import ParameterError
from bgsub.mixture.fitted import FittedMixture
from bgsub.tables.dates import from_days
from bgsub.tables.preparation import Preparation
from bgsub.tables.rows import Rows, read_rows
from bgsub.tables.table import Table

DRAW = "draw"
"""The column that numbers the draws of a row, from 1."""


class Filled(NamedTuple):
    """A block of n rows, or of n times M where there are M draws of each.

    Attributes
    ----------
    columns : dict of str to array
        All of the table's, in its order; before them, of draws, `DRAW`.
    n_rows : int
        n.
    gaps : dict of str to int
        By column of the model the cells that were filled in, in each draw.
    """

    columns: dict[str, np.ndarray | pa.Array]
    n_rows: int
    gaps: dict[str, int]


def filled_blocks(
    table: Table,
    preparation: Preparation,
    mixture: FittedMixture,
    *,
    draws: int | None = None,
    seed: int = 0,
    on_rows: Callable[[int], None] | None = None,
    threads: int | None = None,
) -> Iterator[Filled]:
    """Yield the rows of a table with the gaps in a model's columns filled in.

    Parameters
    ----------
    table : Table
        Open; it has the model's columns.
    preparation, mixture
        The model.
    draws : int, optional
        None fills in what the model expects, of a text the likeliest; a number gives each row so many times, its gaps
        drawn.
    seed : int
        0 to 2**32 - 1; the same one gives the same draws.
    on_rows : callable, optional
        Called with the number of rows read so far.
    threads : int, optional
        None for all processors.

    Raises
    ------
    ParameterError
        When the number of draws is not above 0, or the table has a column of that name.
    SourceError
        As `read_rows`.
    """
    names = [column.name for column in table.columns]
    if draws is not None and draws < 1:
        raise ParameterError(f"draws is {draws}: give 1 or more, or None for what the model expects")
    if draws is not None and DRAW in names:
        raise ParameterError(f"the table has a column {DRAW!r}, which numbers the draws in the output: rename it")
    features, random = preparation.features, np.random.RandomState(seed)
    own = {*features.numbers, *features.categories}
    others = [name for name in names if name not in own]
    for rows in read_rows(table, features.selection(kept=others), "em", on_rows):
        prepared = preparation.transform(features.of(rows, table.name))
        found = mixture.impute(prepared, draws, random, threads=threads)
        # Row by row, the draws of each together.
        restored = preparation.restore(found.reshape(draws or 1, *prepared.shape).swapaxes(0, 1))
        guesses = preparation.columns_of(restored.reshape(-1, restored.shape[-1]))
        columns, gaps = _with_guesses(rows, preparation, guesses, draws or 1)
        kept = rows.kept.take(pa.array(np.repeat(np.arange(len(rows)), draws or 1)))
        columns |= dict(zip(kept.schema.names, kept.columns, strict=True))
        numbered = {} if draws is None else {DRAW: np.tile(np.arange(1, draws + 1), len(rows))}
        yield Filled(numbered | {name: columns[name] for name in names}, len(rows), gaps)


def _with_guesses(
    rows: Rows, preparation: Preparation, guesses: dict[str, np.ndarray | pa.Array], times: int
) -> tuple[dict[str, np.ndarray | pa.Array], dict[str, int]]:
    """Return a model's columns, each row `times` times, guesses only where a value is missing; and how many are."""
    features = preparation.features
    columns: dict[str, np.ndarray | pa.Array] = {}
    gaps = {}
    for index, name in enumerate(features.numbers):
        values = np.repeat(rows.numbers[:, index], times)
        missing = np.isnan(values)
        gaps[name] = int(missing.sum()) // times
        if name in features.dates:
            columns[name] = pc.if_else(pa.array(missing), guesses[name], from_days(values))
        else:
            columns[name] = np.where(missing, guesses[name], values)
    for name, texts in zip(features.categories, rows.categories, strict=True):
        gaps[name] = texts.null_count
        columns[name] = pc.coalesce(texts.take(pa.array(np.repeat(np.arange(len(rows)), times))), guesses[name])
    return columns, gaps
