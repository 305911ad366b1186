"""Rows in partitions: blocks, each with its weights, and what a worker makes of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.settings import Missing

Partition = tuple[Any, Any]
"""A block of rows, as its worker will have it, and their weights or None."""


@dataclass(frozen=True)
class Partitioned:
    """Rows in partitions.

    Attributes
    ----------
    partitions : list of (Delayed, Delayed or None)
        Blocks of rows and their weights.
    n_features : int
        Columns.
    dtype : dtype
        float32 or float64: what workers make of the rows.
    names : list of str or None
        The columns' names.
    lengths : tuple of int, or None
        Rows of each partition, where that is known.
    """

    partitions: list[Partition]
    n_features: int
    dtype: Any
    names: list[str] | None
    lengths: tuple[int, ...] | None = None


class Block(Protocol):
    """A block of rows that is read where it is worked on."""

    def read(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the rows (n, D), float64, and their weights or None."""


def rows_and_weights(block: Any, weights: Any, dtype: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a block as an array of rows of a dtype, and float64 weights or None; values are not checked.

    What is missing in a frame, or masked, is NaN.

    Raises
    ------
    ParameterError
        When a value is no number, or there are more or fewer weights than rows.
    """
    if isinstance(block, tuple):  # was read before
        return block
    if hasattr(block, "read"):
        of_block: Block = block
        return of_block.read()
    X = _numbers(block, dtype, "X")
    if weights is None:
        return X, None
    found = _numbers(weights, np.float64, "sample_weight")
    if found.shape != X.shape[:1]:
        raise ParameterError(f"there are {len(found)} weights for {len(X)} rows: cut both alike")
    return X, np.ascontiguousarray(found)


def _numbers(block: Any, dtype: Any, name: str) -> np.ndarray:
    try:
        if hasattr(block, "to_numpy"):  # a frame
            return np.asarray(block.to_numpy(dtype=dtype, na_value=np.nan))
        if isinstance(block, np.ma.MaskedArray):
            return np.asarray(np.ma.filled(block.astype(dtype), np.nan))
        return np.asarray(block, dtype=dtype)
    except (TypeError, ValueError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0][:200]
        raise ParameterError(f"{name} holds what is no number ({reason}): give columns of numbers") from error


class Reading(NamedTuple):
    """How a partition becomes rows."""

    n_features: int
    dtype: Any
    missing: Missing
    scale: float = 1.0  # of the weights

    def rows(self, block: Any, weights: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return a partition's rows, checked to be of the right width, and their weights."""
        X, w = rows_and_weights(block, weights, self.dtype)
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise ParameterError(f"it has the shape {X.shape}, where {self.n_features} columns were promised")
        return X, w if w is None or self.scale == 1.0 else w * self.scale
