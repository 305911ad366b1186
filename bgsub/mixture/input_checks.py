"""Rows and weights that a mixture can be fitted to, or one line that says which row cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.settings import Missing

_ROUNDED = 1e-6  # of the number of rows, by which a sum of weights in float32 may be too small
_BLOCK = 1 << 14  # rows looked at together

NO_WEIGHT = "every sample_weight is zero: give at least one row a weight above it"
"""What to say where no row counts."""


class Fault(NamedTuple):
    """The first value that a mixture cannot be fitted to: its row and column, and whether it is NaN or an infinity."""

    row: int
    column: int
    is_nan: bool


def check_finite(
    X: np.ndarray, names: Sequence[str] | None = None, *, first_row: int = 0, missing: Missing | None = None
) -> None:
    """Raise an error that names the first NaN or infinity.

    Parameters
    ----------
    X : ndarray, shape (n, D)
        The rows.
    names : sequence of str, optional
        The columns' names.
    first_row : int
        Number of the first row, where X is a block of a longer table.
    missing : {"error", "em"}, optional
        With "em" NaN is allowed; with "error" the text names that way out, which there is.

    Raises
    ------
    ParameterError
        Its text begins as scikit-learn's and goes on with row and column, both counted from 0.
    """
    fault = first_fault(X, missing)
    if fault is not None:
        raise fault_in_words(fault._replace(row=first_row + fault.row), X.dtype, names, missing=missing)


def first_fault(X: np.ndarray, missing: Missing | None = None) -> Fault | None:
    """Return the first NaN, unless `missing` allows it, or infinity of rows (n, D), in the order of the rows."""
    if X.dtype.kind not in "fc":
        return None
    for start in range(0, len(X), _BLOCK):
        block = X[start : start + _BLOCK]
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(block.sum(dtype=np.float64)):  # one infinity or NaN would show in the sum
                continue
        rows, columns = np.nonzero(np.isinf(block) if missing == "em" else ~np.isfinite(block))
        if rows.size:
            row, column = int(rows[0]), int(columns[0])
            return Fault(start + row, column, bool(np.isnan(block[row, column])))
    return None


def fault_in_words(
    fault: Fault, dtype: np.dtype, names: Sequence[str] | None, place: str = "", missing: Missing | None = None
) -> ParameterError:
    """Return the error of `check_finite` for a fault among values of a dtype; `place` says more of where it is."""
    what = "NaN" if fault.is_nan else f"infinity or a value too large for {dtype!r}"
    called = "" if names is None else f" ({names[fault.column]!r})"
    return ParameterError(
        f"Input X contains {what} at row {fault.row}, column {fault.column}{called}{place}; drop or impute such rows"
        + (', or let missing="em" count them by what they hold' if fault.is_nan and missing else "")
    )


def check_observed(observed: np.ndarray, names: Sequence[str] | None = None) -> None:
    """Raise ParameterError unless each column, of which (D,) bool `observed` tells, has a value somewhere."""
    empty = np.flatnonzero(~observed)
    if empty.size:
        shown = ", ".join(str(i) if names is None else f"{i} ({names[i]!r})" for i in empty[:5].tolist())
        more = f" and {empty.size - 5} more" if empty.size > 5 else ""
        raise ParameterError(
            f"column{'s' * (empty.size > 1)} {shown}{more} of X {'are' if empty.size > 1 else 'is'} missing in every "
            "row: leave out what nothing is known of"
        )


def check_sample_weight(sample_weight: object, n: int, *, part: bool = False) -> np.ndarray | None:
    """Return weights as a float64 array of shape (n,), or None for None; those of a part of the rows may all be 0.

    Raises
    ------
    ParameterError
        When the shape is wrong, or a weight is negative or not finite, or all are 0.
    """
    if sample_weight is None:
        return None
    if np.isscalar(sample_weight):
        weights = np.full(n, sample_weight, dtype=np.float64)
    else:
        weights = np.ascontiguousarray(sample_weight, dtype=np.float64)
    if weights.ndim != 1:
        raise ParameterError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array")
    if weights.shape != (n,):
        raise ParameterError(f"sample_weight.shape == {weights.shape}, expected {(n,)}!")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if bad.size:
        raise ParameterError(f"sample_weight[{bad[0]}] is {weights[bad[0]]}: give finite weights from 0 up")
    if n and not part and not weights.any():
        raise ParameterError(NO_WEIGHT)
    return weights


def row_count_shortfall(weights: np.ndarray | None) -> str:
    """Return in words that weights sum to less than the rows that have one, as shares do; "" where they do not.

    Criteria take the sum as the number of rows. Weights that say how many times a row counts sum to no less.
    """
    if weights is None:
        return ""
    return shortfall_in_words(float(weights.sum(dtype=np.float64)), int(np.count_nonzero(weights)))


def shortfall_in_words(total: float, n_rows: int) -> str:
    """Return the same of the sum of the weights and the number of rows that have one."""
    if total >= n_rows * (1.0 - _ROUNDED):
        return ""
    return f"the weights sum to {total:.6g}, less than the {n_rows:,} rows that have one"


def rescaled(weights: np.ndarray) -> np.ndarray:
    """Return weights that sum to the number of rows that have one."""
    return weights * (np.count_nonzero(weights) / weights.sum(dtype=np.float64))


def check_features(features: object, names: Sequence[str] | None, n_features: int, argument: str) -> np.ndarray:
    """Return the indices of features given by index or name, in the order given.

    Raises
    ------
    ParameterError
        When one is unknown or given twice, or none is given.
    """
    given = [features] if isinstance(features, (str, int, np.integer)) else list(features)  # type: ignore[call-overload]
    indices = []
    for feature in given:
        if isinstance(feature, str):
            if names is None or feature not in names:
                known = "the model was fitted without names" if names is None else f"there are {', '.join(names)}"
                raise ParameterError(f"{argument} names the unknown feature {feature!r}: {known}")
            indices.append(list(names).index(feature))
        elif isinstance(feature, (int, np.integer)) and not isinstance(feature, bool) and 0 <= feature < n_features:
            indices.append(int(feature))
        else:
            raise ParameterError(f"{argument} holds {feature!r}: give names, or indices from 0 to {n_features - 1}")
    if not indices:
        raise ParameterError(f"{argument} is empty: give at least one feature")
    if len(set(indices)) < len(indices):
        raise ParameterError(f"{argument} holds a feature twice: give each once")
    return np.array(indices)
