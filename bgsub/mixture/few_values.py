"""Columns of few different values, such as counts and grades: a Gaussian can shrink onto one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bgsub.mixture.diagnosis import in_order

FEW = 12
"""Different values of a column that is named in any case."""

MANY = 200
"""Most different values of a column that is named where something has collapsed onto one."""

_MOST_LINES = 3
_REPEATED = 4  # rows a value, on average: else few values only mean few rows
_GLANCE = 1000  # rows, among which most columns show that they have many values
_BLOCK = 1 << 16  # rows whose values are sorted together


def few_values(X: np.ndarray, columns: Iterable[int], most: int = FEW) -> dict[int, int]:
    """Return which of some columns have at most `most` different values that repeat, and how many.

    Parameters
    ----------
    X : ndarray, shape (N, D)
        The rows; what is NaN does not count. They are read in blocks, and of a column no more than it takes.
    columns : iterable of int
        Those in question.
    most : int
        The highest number that is few.
    """
    return {column: count for column in columns if (count := _different(X, column, most)) and count > 1}


def in_words(found: dict[int, int], names: Sequence[str] | None) -> list[str]:
    """Return a line for each column of few values, or one for many: what about it, and what to do."""
    if len(found) > _MOST_LINES:
        told = ", ".join(f"{count} in {in_order([column], names)}" for column, count in list(found.items())[:5])
        more = f" and others in {len(found) - 5} more" if len(found) > 5 else ""
        return [
            f"there are few different values, {told}{more}, and a component can shrink onto one of them: "
            "leave such columns out, or take few components"
        ]
    return [
        f"{in_order([column], names)} has only {count} different values, and a component can shrink onto one of them: "
        "leave the column out, or take few components"
        for column, count in found.items()
    ]


def _different(X: np.ndarray, column: int, most: int) -> int:
    """Return the number of different values in a column, 0 if there are more than `most` or they hardly repeat."""
    found = np.empty(0, X.dtype)
    start, step = 0, _GLANCE
    while start < len(X):
        values = X[start : start + step, column]
        found = np.unique(np.concatenate([found, values[~np.isnan(values)]]))
        if len(found) > most:
            return 0
        start, step = start + step, _BLOCK
    return len(found) if len(X) >= _REPEATED * len(found) else 0
