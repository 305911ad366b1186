"""Rows that kernels cannot read as they are, converted a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_COPIED = 1 << 19  # bytes that are converted at a time


def is_plain(X: np.ndarray) -> bool:
    """Return whether kernels can read an array as it is."""
    return bool(X.dtype == np.float64 and X.flags.c_contiguous and X.flags.writeable and X.flags.aligned)


def readable(weights: np.ndarray) -> np.ndarray:
    """Return weights as kernels can read them, the array itself where it is so."""
    return np.require(weights, np.float64, ["C", "A", "W"])


def pieces(X: np.ndarray, lo: int, hi: int, height: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield the rows from lo to hi in pieces, whole tiles of `height` rows: begin, end, and the rows as float64.

    The array is the same for each piece, and longer than the last one.
    """
    step = max(_COPIED // (8 * X.shape[1]) // height, 1) * height
    piece = np.empty((min(step, hi - lo), X.shape[1]))
    for a in range(lo, hi, step):
        b = min(a + step, hi)
        np.copyto(piece[: b - a], X[a:b])
        yield a, b, piece
