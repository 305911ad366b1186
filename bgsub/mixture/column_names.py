"""The names that the columns of a table in memory have: a data frame's, an Arrow table's or record batch's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bgsub.errors import ParameterError


def column_names(X: Any) -> list[str] | None:
    """Return the names of the columns of a frame (pandas, Polars) or of Arrow's tables; None where they have none.

    As in scikit-learn, columns are named where all of their names are texts.
    """
    found = getattr(X, "column_names", None)  # Arrow's; the `columns` of these are the data
    if found is None:
        found = getattr(X, "columns", None)
    names = list(found) if isinstance(found, Iterable) else []
    return names if names and all(isinstance(name, str) for name in names) else None


def in_order_of(wanted: Sequence[str], found: Sequence[str]) -> np.ndarray:
    """Return which of the columns `found` are those `wanted`, in that order.

    Raises
    ------
    ParameterError
        When they are not the same names: it lists which are missing and which are too many.
    """
    lacking = [name for name in wanted if name not in found]
    beyond = [name for name in found if name not in wanted]
    if lacking or beyond or len(found) != len(wanted):
        faults = [f"lacks {_listed(lacking)}"] * bool(lacking) + [f"has {_listed(beyond)} beside"] * bool(beyond)
        said = " and ".join(faults) or "has a name twice"
        raise ParameterError(f"X {said}: give the columns that given names, {_listed(list(wanted))}, in any order")
    return np.array([list(found).index(name) for name in wanted], dtype=np.intp)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
