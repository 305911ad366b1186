"""What a mixture is fitted to: rows in memory, in blocks read again in each pass, or wherever passes can be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any, Protocol, TypeGuard

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.em.row_sample import RowSample
from bgsub.mixture.input_checks import NO_WEIGHT, check_finite, check_observed, check_sample_weight
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.cpu import row_pass
from bgsub.mixture.passes.missing import gap_pass
from bgsub.mixture.passes.statistics import Pass, Statistics, add
from bgsub.mixture.settings import Missing

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

    @property
    def missing(self) -> Missing:
        """Whether NaN is what is not known, "em", or there is none, "error"."""

    def sample(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `size` rows, as a `RowSample` of that seed draws them, and their weights; check all."""

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context with what passes need; what is entered makes one: from parameters to sums over all rows."""

    def ranges(self) -> np.ndarray | None:
        """Return highest less lowest value of each column (D,), for a message; None where that would cost a pass."""


class FarData(TrainingData, Protocol):
    """Rows elsewhere, of which some can be noise in the box of all, or be left out."""

    def box(self) -> np.ndarray:
        """Return lowest and highest value of each column among rows of a weight above 0, (2, D) float64."""

    def noisy_passes(self, n_components: int, covariance_type: str, log_volume: float) -> AbstractContextManager[Pass]:
        """Return a context with what `passes.robust.noisy_pass` over the rows needs."""

    def trimmed_passes(self, n_components: int, covariance_type: str, share: float) -> AbstractContextManager[Pass]:
        """Return a context with what `passes.robust.trimmed_pass` without a share of the rows needs."""

    def least_kept(self, parameters: Parameters, covariance_type: str, share: float) -> float:
        """Return the log-density of the least likely row that is not left out when a share of them is."""


def is_far(data: TrainingData) -> TypeGuard[FarData]:
    """Say whether data is `FarData`; nothing is asked of them, which may cost a pass."""
    return hasattr(type(data), "noisy_passes")


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
    missing : {"error", "em"}
        With "em" NaN is what is not known; rows of nothing else do not count.
    """

    def __init__(
        self,
        X: np.ndarray,
        sample_weight: np.ndarray | None = None,
        names: Sequence[str] | None = None,
        missing: Missing = "error",
    ) -> None:
        self._X, self._weights, self.names = X, sample_weight, names
        self.n_features, self.dtype = X.shape[1], X.dtype
        self.n_rows = len(X) if sample_weight is None else int(np.count_nonzero(sample_weight))
        self.missing, self._gaps = missing, missing == "em"
        if self._gaps:
            self._observed = np.zeros(self.n_features, np.bool_)
            self.n_rows = sum(
                count_rows(block, weights, self._observed) for block, weights in self._parts(_ROWS_A_BLOCK)
            )

    def sample(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `size` rows, drawn without replacement, and their weights.

        Raises
        ------
        ParameterError
            When a column is missing in every row.
        """
        if self._gaps:
            check_observed(self._observed, self.names)
        drawn = RowSample(size, seed)
        if size:
            for block, weights in self._parts(
                _ROWS_A_BLOCK if len(self._X) > size else size
            ):  # all at once if all stay
                drawn.add(*(telling_rows(block, weights) if self._gaps else (block, weights)))
        return completed_rows(drawn) if self._gaps else drawn.result()

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context with what passes need."""
        kind = gap_pass if self._gaps else row_pass
        return kind(self._X, n_components, covariance_type, self._weights, threads)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Yield the rows and their weights: one block."""
        yield self._X, self._weights

    def ranges(self) -> np.ndarray:
        """Return highest less lowest value of each column (D,)."""
        return np.nanmax(self._X, axis=0) - np.nanmin(self._X, axis=0) if self._gaps else np.ptp(self._X, axis=0)

    def _parts(self, step: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Yield the rows in blocks, with their weights."""
        for start in range(0, len(self._X), step):
            chosen = slice(start, start + step)
            yield self._X[chosen], None if self._weights is None else self._weights[chosen]


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
    missing : {"error", "em"}
        As of `RowsInMemory`.

    Raises
    ------
    ParameterError
        When the blocks can be read only once.
    """

    def __init__(
        self,
        blocks: Blocks,
        checked: Callable[[Any, bool], np.ndarray],
        names: Callable[[], Sequence[str] | None],
        missing: Missing = "error",
    ) -> None:
        if not callable(blocks) and iter(blocks) is blocks:
            raise ParameterError(
                "blocks is an iterator, which can be read only once: give a list or another iterable, "
                "or a function that returns a new iterator"
            )
        self._blocks, self._checked, self._names, self.missing = blocks, checked, names, missing
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
        observed = None
        self.n_rows = self._n_read = 0
        for given in self._blocks() if callable(self._blocks) else self._blocks:
            block, block_weights = _split(given)
            X = self._checked(block, self._n_read == 0)
            check_finite(X, self.names, first_row=self._n_read, missing=self.missing)
            weights = check_sample_weight(block_weights, len(X), part=True) if block_weights is not None else None
            dtypes.append(X.dtype)
            self._n_read += len(X)
            self.n_features = X.shape[1]
            if self.missing == "em":
                observed = np.zeros(X.shape[1], np.bool_) if observed is None else observed
                self.n_rows += count_rows(X, weights, observed)
                drawn.add(*telling_rows(X, weights))
            else:
                self.n_rows += len(X) if weights is None else int(np.count_nonzero(weights))
                drawn.add(X, weights)
        if not self._n_read:
            raise ParameterError("blocks holds no rows: check what it is read from")
        self.dtype = np.result_type(*set(dtypes))
        if observed is not None:
            check_observed(observed, self.names)
        if not self.n_rows:
            raise ParameterError(NO_WEIGHT)
        return drawn.result() if observed is None else completed_rows(drawn)

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context in which the blocks are read once more for each pass."""
        kind = gap_pass if self.missing == "em" else row_pass

        def of_block(X: np.ndarray, weights: np.ndarray | None, parameters: Parameters) -> Statistics:
            with kind(X, n_components, covariance_type, weights, threads) as one_pass:
                return one_pass(parameters)

        return nullcontext(
            lambda parameters: reduce(add, (of_block(X, weights, parameters) for X, weights in self.blocks()))
        )

    def ranges(self) -> None:
        """Return None: blocks would have to be read once more."""

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Read the blocks, which were checked in the first pass, once more."""
        n = 0
        for given in self._blocks() if callable(self._blocks) else self._blocks:
            block, weights = _split(given)
            X = np.asarray(block)
            n += len(X)
            if not len(X):
                continue
            if X.dtype not in (np.float32, np.float64):
                X = self._checked(block, False) if X.dtype == object else X.astype(np.float64)  # object: pandas' NA
            yield X, None if weights is None else np.asarray(weights, dtype=np.float64)
        if n != self._n_read:
            raise ParameterError(
                f"blocks gave {self._n_read} rows in the first pass and {n} in a later one: "
                "give blocks that can be read again"
            )


def count_rows(X: np.ndarray, weights: np.ndarray | None, observed: np.ndarray) -> int:
    """Return how many rows of a weight hold something; note in `observed`, (D,) bool, in which columns they do."""
    there = ~np.isnan(X)
    if weights is not None:
        there &= (weights > 0)[:, None]
    observed |= there.any(axis=0)
    return int(np.count_nonzero(there.any(axis=1)))


def telling_rows(X: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the rows that hold something."""
    tells = ~np.isnan(X).all(axis=1)
    if tells.all():
        return X, weights
    return X[tells], None if weights is None else weights[tells]


def completed_rows(drawn: RowSample) -> tuple[np.ndarray, np.ndarray]:
    """Return what was drawn, its gaps filled in."""
    from bgsub.mixture.em.completion import completed  # here: few fits need it

    rows, weights = drawn.result()
    return completed(rows, weights), weights


def _split(given: Any) -> tuple[Any, Any]:
    """Return a block and its weights or None."""
    return given if isinstance(given, tuple) and len(given) == 2 else (given, None)
