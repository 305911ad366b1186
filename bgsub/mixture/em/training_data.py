"""What a mixture is fitted to: rows in memory, in blocks read again in each pass, or wherever passes can be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any, Protocol

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.em.row_sample import RowSample
from bgsub.mixture.input_checks import check_finite, check_sample_weight
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.cpu import expectation, row_pass
from bgsub.mixture.passes.statistics import Pass, Statistics, add

Blocks = Iterable[Any] | Callable[[], Iterable[Any]]

_ROWS_A_BLOCK = 1 << 16  # of rows in memory, while some are drawn


class TrainingData(Protocol):
    """Rows to fit to. `sample` is called before all else is asked for."""

    @property
    def n_rows(self) -> int:
        """Rows of a weight above 0."""

    @property
    def n_features(self) -> int:
        """Columns."""

    @property
    def dtype(self) -> Any:
        """What the fitted attributes become: float32 or float64."""

    @property
    def names(self) -> Sequence[str] | None:
        """The columns' names, or None."""

    def sample(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `size` rows, as a `RowSample` of that seed draws them, and their weights; check all."""

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context with what passes need; what is entered makes one: from parameters to sums over all rows."""

    def ranges(self) -> np.ndarray | None:
        """Return highest less lowest value of each column (D,), for a message; None where that would cost a pass."""


class RowsInMemory:
    """An array of rows, in memory or mapped from a file.

    Parameters
    ----------
    X : float32 or float64 ndarray, shape (N, D)
        The rows, all finite.
    sample_weight : float64 ndarray, shape (N,), optional
        Their weights, checked.
    names : sequence of str, optional
        The columns' names.
    """

    def __init__(
        self, X: np.ndarray, sample_weight: np.ndarray | None = None, names: Sequence[str] | None = None
    ) -> None:
        self._X, self._weights, self.names = X, sample_weight, names
        self.n_features, self.dtype = X.shape[1], X.dtype
        self.n_rows = len(X) if sample_weight is None else int(np.count_nonzero(sample_weight))

    def sample(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `size` rows, drawn without replacement, and their weights."""
        drawn = RowSample(size, seed)
        step = _ROWS_A_BLOCK if len(self._X) > size else size  # all at once where all are kept
        for start in range(0, len(self._X) if size else 0, step):
            chosen = slice(start, start + step)
            drawn.add(self._X[chosen], None if self._weights is None else self._weights[chosen])
        return drawn.result()

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context with what passes need."""
        return row_pass(self._X, n_components, covariance_type, self._weights, threads)

    def ranges(self) -> np.ndarray:
        """Return highest less lowest value of each column (D,)."""
        return np.ptp(self._X, axis=0)


class RowsInBlocks:
    """Blocks of rows that are read again in each pass, of which only one is in memory.

    Parameters
    ----------
    blocks : iterable, or callable that returns one
        Each block is what numpy makes an array of shape (n, D) of, or a pair of that and weights of shape (n,).
    checked : callable
        Called with a block and whether it is the first; returns it as a float32 or float64 array. Only the first pass
        checks blocks with it.
    names : callable
        Returns the names of the columns, or None, once the first block was checked.

    Raises
    ------
    ParameterError
        When the blocks can be read only once.
    """

    def __init__(
        self, blocks: Blocks, checked: Callable[[Any, bool], np.ndarray], names: Callable[[], Sequence[str] | None]
    ) -> None:
        if not callable(blocks) and iter(blocks) is blocks:
            raise ParameterError(
                "blocks is an iterator, which can be read only once: give a list or another iterable, "
                "or a function that returns a new iterator"
            )
        self._blocks, self._checked, self._names = blocks, checked, names
        self._n_read = 0
        self.n_rows, self.n_features, self.dtype = 0, 0, np.dtype(np.float32)

    @property
    def names(self) -> Sequence[str] | None:
        """The columns' names, or None."""
        return self._names()

    def sample(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Read and check all blocks for the first time, and return rows drawn from them with their weights."""
        drawn = RowSample(size, seed)
        dtypes = []
        self.n_rows = self._n_read = 0
        for given in self._blocks() if callable(self._blocks) else self._blocks:
            block, block_weights = _split(given)
            X = self._checked(block, self._n_read == 0)
            check_finite(X, self.names, first_row=self._n_read)
            weights = check_sample_weight(block_weights, len(X)) if block_weights is not None else None
            drawn.add(X, weights)
            dtypes.append(X.dtype)
            self._n_read += len(X)
            self.n_rows += len(X) if weights is None else int(np.count_nonzero(weights))
            self.n_features = X.shape[1]
        if not self._n_read:
            raise ParameterError("blocks holds no rows: check what it is read from")
        self.dtype = np.result_type(*set(dtypes))
        return drawn.result()

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context in which the blocks are read once more for each pass."""

        def one_pass(parameters: Parameters) -> Statistics:
            return reduce(
                add,
                (
                    expectation(X, parameters, covariance_type, sample_weight=weights, threads=threads)
                    for X, weights in self._again()
                ),
            )

        return nullcontext(one_pass)

    def ranges(self) -> None:
        """Return None: blocks would have to be read once more."""

    def _again(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Read the blocks, which were checked in the first pass, once more."""
        n = 0
        for given in self._blocks() if callable(self._blocks) else self._blocks:
            block, weights = _split(given)
            X = np.asarray(block)
            n += len(X)
            if not len(X):
                continue
            if X.dtype not in (np.float32, np.float64):
                X = X.astype(np.float64)
            yield X, None if weights is None else np.asarray(weights, dtype=np.float64)
        if n != self._n_read:
            raise ParameterError(
                f"blocks gave {self._n_read} rows in the first pass and {n} in a later one: "
                "give blocks that can be read again"
            )


def _split(given: Any) -> tuple[Any, Any]:
    """Return a block and its weights or None."""
    return given if isinstance(given, tuple) and len(given) == 2 else (given, None)
