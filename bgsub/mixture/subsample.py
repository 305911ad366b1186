"""A uniform sample of rows drawn while blocks of rows go by, of which nobody knows yet how many there are."""

from __future__ import annotations

import numpy as np


class RowSample:
    """At most `size` rows, drawn without replacement, a row's chance growing with its weight.

    Each row gets an exponential key divided by its weight, and the rows of the smallest keys stay (Efraimidis and
    Spirakis 2006, algorithm A-Res with keys -log(u)/w). What is drawn depends on the rows' order, not on how they are
    cut into blocks. Nothing is drawn from `random` while all rows fit.

    Parameters
    ----------
    size : int
        Most rows to keep.
    random : RandomState
        Where the keys are drawn from.
    """

    def __init__(self, size: int, random: np.random.RandomState) -> None:
        self._size = size
        self._random = random
        self._rows: np.ndarray | None = None
        self._weights = np.empty(0)
        self._keys: np.ndarray | None = None  # None while every row is kept
        self._count = 0

    def add(self, rows: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Let a block of rows, shape (n, D), with weights of shape (n,), go by."""
        if not self._size or not len(rows):
            return
        given = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
        held, held_weights = self._rows, self._weights
        self._count += len(rows)
        if self._keys is None and self._count <= self._size:
            block = np.array(rows, dtype=np.float64, order="C")
            self._rows = block if held is None else np.concatenate([held, block])
            self._weights = np.concatenate([held_weights, given])
            return
        if self._keys is None:
            self._keys = self._drawn(held_weights)
        keys = np.concatenate([self._keys, self._drawn(given)])
        kept = np.sort(np.argpartition(keys, self._size)[: self._size])  # sorted: in the order in which they came
        old, new = kept[kept < len(held_weights)], kept[kept >= len(held_weights)] - len(held_weights)
        added = np.asarray(rows[new], dtype=np.float64)
        self._rows = added if held is None else np.concatenate([held[old], added])
        self._weights = np.concatenate([held_weights[old], given[new]])
        self._keys = keys[kept]

    def _drawn(self, weights: np.ndarray) -> np.ndarray:
        keys = self._random.exponential(size=len(weights))
        with np.errstate(divide="ignore"):
            return keys / weights

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows, float64 of shape (n, D), and their weights: 1 where the weights chose them already."""
        rows = np.empty((0, 0)) if self._rows is None else self._rows
        if self._keys is None:
            return rows, self._weights
        possible = np.isfinite(self._keys)  # a row of weight 0 stays only for want of others
        return rows[possible], np.ones(int(possible.sum()))
