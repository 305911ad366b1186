"""Which columns of a table a model reads: those of the names it learned or, where it learned none, by their place."""

from __future__ import annotations

from dataclasses import replace

from bgsub.errors import ParameterError
from bgsub.mixture.table_files import unnamed_columns
from bgsub.tables.preparation import Features, Preparation
from bgsub.tables.table import Table, listed


def placed(preparation: Preparation, width: int | None, table: Table) -> Preparation:
    """Return a model's preparation with the columns as a table names them.

    Parameters
    ----------
    preparation : Preparation
        The model's.
    width : int or None
        Columns of the table that it learned, where they had no names.
    table : Table
        Open.

    Raises
    ------
    ParameterError
        When the table lacks a column, or has more or fewer columns than the model learned without names.
    """
    features = preparation.features
    if width is not None and not table.named and len(table.columns) != width:
        raise ParameterError(
            f"{table.name} has {len(table.columns)} columns without names, the model learned {width}: "
            "give a table of that width"
        )
    present, unnamed = {column.name for column in table.columns}, unnamed_columns(width or 0)
    of_numbers = not features.categories and set(features.numbers) <= set(unnamed)
    if width is None or not table.named or not of_numbers or present.issuperset(features.numbers):
        table.check_names((*features.numbers, *features.categories))
        return preparation
    numbers = table.numeric_columns()
    if len(numbers) != width:
        there = f"{len(numbers)} ({listed(numbers)})" if numbers else "none"
        raise ParameterError(
            f"the model learned {width} columns of numbers without names, and {table.name} has {there}: "
            "give a table with these alone, in their order"
        )
    table.note(f"took the columns by their place, as the model learned no names: {listed(numbers)}")
    names = dict(zip(unnamed, numbers, strict=True))
    renamed = Features(
        tuple(names[name] for name in features.numbers),
        tuple(names[name] for name in features.logs),
        {},
        tuple(names[name] for name in features.dates),
    )
    return replace(preparation, features=renamed)
