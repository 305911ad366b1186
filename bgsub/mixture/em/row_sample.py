"""A uniform sample of rows drawn while rows go by, of which nobody knows yet how many there are.

What decides over a row depends on a seed and the row's number alone, so that whoever has a part of the rows can sample
it alone: samples of parts, merged, are the sample of the whole.
"""

from __future__ import annotations

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: SplitMix64's step


class RowSample:
    """At most `size` rows, drawn without replacement, a row's chance growing with its weight.

    Each row gets an exponential key divided by its weight, and the rows of the smallest keys stay (Efraimidis and
    Spirakis 2006, algorithm A-Res with keys -log(u)/w). While all rows fit, all are kept.

    Parameters
    ----------
    size : int
        Most rows to keep.
    seed : int
        What is drawn depends on it, from 0 to 2^64 - 1.
    first_row : int
        Number of the first row that `add` gets: 0, or how many rows lie before this part of them.
    """

    def __init__(self, size: int, seed: int, first_row: int = 0) -> None:
        self._size, self._seed, self._next = size, seed, first_row
        self._count = 0
        self._rows = np.empty((0, 0))
        self._weights, self._numbers = np.empty(0), np.empty(0, np.uint64)
        self._keys: np.ndarray | None = None  # None while every row is kept

    def add(self, rows: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Let a block of rows, shape (n, D), with weights of shape (n,), go by."""
        if not self._size or not len(rows):
            return
        numbers = np.arange(self._next, self._next + len(rows), dtype=np.uint64)
        self._next += len(rows)
        given = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
        self._take(rows, given, numbers, len(rows))

    def merge(self, other: RowSample) -> None:
        """Add what a sample of other rows, drawn with the same size and seed, has kept of them."""
        if other._count:
            self._take(other._rows, other._weights, other._numbers, other._count)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows, float64 of shape (n, D), by their numbers, and their weights: 1 where these chose them."""
        order = np.argsort(self._numbers)
        if np.array_equal(order, np.arange(len(order))):  # no copy of what may be all rows
            return self._rows, self._weights if self._keys is None else np.ones(len(order))
        return self._rows[order], self._weights[order] if self._keys is None else np.ones(len(order))

    def _take(self, rows: np.ndarray, weights: np.ndarray, numbers: np.ndarray, count: int) -> None:
        """Keep what is to be kept of those held and some more, which `count` rows were."""
        self._count += count
        n_held = len(self._numbers)
        all_weights = np.concatenate([self._weights, weights])
        all_numbers = np.concatenate([self._numbers, numbers])
        if self._count <= self._size:
            block = np.array(rows, dtype=np.float64, order="C")
            self._rows = np.concatenate([self._rows, block]) if n_held else block
            self._weights, self._numbers = all_weights, all_numbers
            return
        held_keys = _keys(self._seed, self._numbers, self._weights) if self._keys is None else self._keys
        keys = np.concatenate([held_keys, _keys(self._seed, numbers, weights)])
        kept = np.flatnonzero(np.isfinite(keys))  # no row of weight 0
        if len(kept) > self._size:
            kept = np.sort(kept[np.argpartition(keys[kept], self._size)[: self._size]])
        old, new = kept[kept < n_held], kept[kept >= n_held] - n_held
        added = np.asarray(rows[new], dtype=np.float64)
        self._rows = np.concatenate([self._rows[old], added]) if n_held else added
        self._weights, self._numbers, self._keys = all_weights[kept], all_numbers[kept], keys[kept]


def _keys(seed: int, numbers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return -log(u) / w for rows of these numbers, infinite for a weight of 0; u from SplitMix64 (Steele et al. 2014).

    Number i gets output i of the generator of that seed, which needs none of those before it.
    """
    z = np.uint64(seed) + (numbers + np.uint64(1)) * _GOLDEN  # all modulo 2^64
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    u = ((z >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52  # exact: above 0, below 1
    with np.errstate(divide="ignore"):
        return -np.log(u) / weights
