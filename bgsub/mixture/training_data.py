"""What a mixture is fitted to: rows in memory, or blocks of rows read again in each pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any, NamedTuple, Protocol

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.acceleration import squarem
from bgsub.mixture.em import EMResult, run_em
from bgsub.mixture.input_checks import check_finite, check_sample_weight
from bgsub.mixture.iteration import OnStep, iterate
from bgsub.mixture.maximisation import maximisation
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes import Statistics, add, expectation, row_pass
from bgsub.mixture.subsample import RowSample

Blocks = Iterable[Any] | Callable[[], Iterable[Any]]

_ROWS_A_BLOCK = 1 << 13  # of rows in memory, while some are drawn


class Rules(NamedTuple):
    """How to iterate: scikit-learn's parameters of the same names, and `acceleration`."""

    covariance_type: str
    reg_covar: float
    tol: float
    max_iter: int
    acceleration: str | None = None
    lower_bound: float = -math.inf  # of the iteration before the first, when a fit goes on


class TrainingData(Protocol):
    """Rows to fit to."""

    n_rows: int
    """Rows of a weight above 0."""

    def sample(self, size: int, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `size` rows, drawn without replacement, and their weights."""

    def statistics(self, parameters: Parameters, covariance_type: str, threads: int) -> Statistics:
        """Make an E step."""

    def run(self, parameters: Parameters, rules: Rules, threads: int, on_step: OnStep | None) -> EMResult:
        """Iterate from the given parameters to convergence."""


class RowsInMemory:
    """An array of rows, in memory or mapped from a file.

    Parameters
    ----------
    X : float32 or float64 ndarray, shape (N, D)
        The rows, all finite.
    sample_weight : float64 ndarray, shape (N,), optional
        Their weights, checked.
    """

    def __init__(self, X: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        self._X = X
        self.sample_weight = sample_weight
        self.n_rows = len(X) if sample_weight is None else int(np.count_nonzero(sample_weight))

    def sample(self, size: int, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `size` rows, drawn without replacement, and their weights."""
        drawn = RowSample(size, random)
        step = _ROWS_A_BLOCK if len(self._X) > size else size  # all at once where all are kept
        for start in range(0, len(self._X), step):
            chosen = slice(start, start + step)
            drawn.add(self._X[chosen], None if self.sample_weight is None else self.sample_weight[chosen])
        return drawn.result()

    def statistics(self, parameters: Parameters, covariance_type: str, threads: int) -> Statistics:
        """Make an E step."""
        return expectation(self._X, parameters, covariance_type, sample_weight=self.sample_weight, threads=threads)

    def run(self, parameters: Parameters, rules: Rules, threads: int, on_step: OnStep | None) -> EMResult:
        """Iterate from the given parameters to convergence."""
        if rules.acceleration is not None or rules.lower_bound > -math.inf:
            kind, weights = rules.covariance_type, self.sample_weight
            with row_pass(self._X, len(parameters.weights), kind, weights, threads) as expect:
                return _iterated(expect, parameters, rules, on_step)
        return run_em(
            self._X,
            parameters,
            rules.covariance_type,
            reg_covar=rules.reg_covar,
            tol=rules.tol,
            max_iter=rules.max_iter,
            sample_weight=self.sample_weight,
            threads=threads,
            on_step=on_step,
        )


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
        Returns the names of the columns, or None.

    Raises
    ------
    ParameterError
        When the blocks can be read only once.
    """

    def __init__(self, blocks: Blocks, checked: Callable[[Any, bool], np.ndarray], names: Callable[[], Any]) -> None:
        if not callable(blocks) and iter(blocks) is blocks:
            raise ParameterError(
                "blocks is an iterator, which can be read only once: give a list or another iterable, "
                "or a function that returns a new iterator"
            )
        self._blocks = blocks
        self._checked = checked
        self._names = names
        self._n_read = 0
        self.n_rows = 0

    def sample(self, size: int, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        """Read and check all blocks for the first time, and return rows drawn from them with their weights."""
        drawn = RowSample(size, random)
        self.n_rows = self._n_read = 0
        for given in self._blocks() if callable(self._blocks) else self._blocks:
            block, block_weights = _split(given)
            X = self._checked(block, self._n_read == 0)
            check_finite(X, self._names(), first_row=self._n_read)
            weights = check_sample_weight(block_weights, len(X)) if block_weights is not None else None
            drawn.add(X, weights)
            self._n_read += len(X)
            self.n_rows += len(X) if weights is None else int(np.count_nonzero(weights))
        if not self._n_read:
            raise ParameterError("blocks holds no rows: check what it is read from")
        return drawn.result()

    def statistics(self, parameters: Parameters, covariance_type: str, threads: int) -> Statistics:
        """Make an E step."""
        return reduce(
            add,
            (
                expectation(X, parameters, covariance_type, sample_weight=weights, threads=threads)
                for X, weights in self._again()
            ),
        )

    def run(self, parameters: Parameters, rules: Rules, threads: int, on_step: OnStep | None) -> EMResult:
        """Iterate from the given parameters to convergence."""

        def expect(current: Parameters) -> Statistics:
            return self.statistics(current, rules.covariance_type, threads)

        return _iterated(expect, parameters, rules, on_step)

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


def _iterated(
    expect: Callable[[Parameters], Statistics], parameters: Parameters, rules: Rules, on_step: OnStep | None
) -> EMResult:
    """Iterate step by step, accelerated or not, over E steps made by `expect`."""

    def step(current: Parameters) -> tuple[Parameters, float]:
        statistics = expect(current)
        following = maximisation(statistics, current, rules.covariance_type, rules.reg_covar)
        return following, statistics.log_likelihood / statistics.total_weight

    _, _, tol, max_iter, acceleration, lower_bound = rules
    if acceleration == "squarem":
        return squarem(
            step,
            parameters,
            rules.covariance_type,
            tol=tol,
            max_iter=max_iter,
            lower_bound=lower_bound,
            on_step=on_step,
        )
    return iterate(step, parameters, tol=tol, max_iter=max_iter, lower_bound=lower_bound, on_step=on_step)
