"""Rows on Dask as training data: each pass is a task a partition, whose sums are added up in a fixed order.

A worker holds one partition at a time for each of its threads, and a kernel runs on the one thread of its task: what
comes out does not depend on how many workers or threads there are.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from bgsub.distributed.partitions import Partitioned, Reading
from bgsub.distributed.summing import computed, each, tree_sum
from bgsub.distributed.trimming import Trimming
from bgsub.errors import ParameterError
from bgsub.mixture.em.row_sample import RowSample
from bgsub.mixture.em.training_data import completed_rows, count_rows, telling_rows
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.input_checks import (
    NO_WEIGHT,
    Fault,
    check_observed,
    check_sample_weight,
    fault_in_words,
    first_fault,
    shortfall_in_words,
)
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.cpu import row_pass
from bgsub.mixture.passes.missing import gap_pass
from bgsub.mixture.passes.robust import WeighedRows, noisy_sums, weight_of_share
from bgsub.mixture.passes.statistics import Pass, Statistics, add
from bgsub.mixture.settings import Missing


class Looked(NamedTuple):
    """What is known of a partition once it was read."""

    length: int
    n_rows: int  # that count: of a weight, and with gaps of some value
    n_telling: int  # that may be drawn
    weight: float
    weighted: int  # rows of a weight
    observed: np.ndarray  # (D,) bool: the columns with a value
    low: np.ndarray  # (D,)
    high: np.ndarray
    fault: Fault | None = None
    refusal: str = ""  # why it cannot be used at all
    least: float = np.inf  # weight above 0


class RowsOnDask:
    """Rows in partitions, for `GaussianMixture.fit_data`.

    Parameters
    ----------
    data : Partitioned
        The rows.
    missing : {"error", "em"}
        With "em" NaN is what is not known; rows of nothing else do not count.
    """

    def __init__(self, data: Partitioned, missing: Missing = "error") -> None:
        self.names: Sequence[str] | None = data.names
        self.n_features, self.dtype, self.missing = data.n_features, data.dtype, missing
        self._partitions = data.partitions
        self._reading = Reading(data.n_features, data.dtype, missing)

    @cached_property
    def looked(self) -> list[Looked]:
        """What is known of each partition, found by one pass; raises ParameterError where one cannot be fitted to."""
        found: list[Looked] = computed(each(_look, self._partitions, self._reading))
        start = 0
        for number, partition in enumerate(found):
            where = f" (partition {number} of {len(found)})"
            if partition.refusal:
                raise ParameterError(f"partition {number} of {len(found)}: {partition.refusal}")
            if partition.fault is not None:
                fault = partition.fault._replace(row=start + partition.fault.row)
                raise fault_in_words(fault, self.dtype, self.names, where, self.missing)
            start += partition.length
        if not start:
            raise ParameterError("X holds no rows: check what it is read from")
        if self.missing == "em":
            check_observed(np.any([partition.observed for partition in found], axis=0), self.names)
        if not any(partition.n_rows for partition in found):
            raise ParameterError(NO_WEIGHT)
        return found

    @property
    def n_rows(self) -> int:
        """Rows of a weight above 0."""
        return sum(partition.n_rows for partition in self.looked)

    def shortfall(self) -> str:
        """Return in words that weights sum to less than the rows that have one; "" where they do not."""
        return shortfall_in_words(*self._weights())

    def rescaled(self) -> None:
        """Let weights sum to the number of rows that have one."""
        total, n_rows = self._weights()
        self._reading = self._reading._replace(scale=n_rows / total)

    def _weights(self) -> tuple[float, int]:
        return sum(part.weight for part in self.looked), sum(part.weighted for part in self.looked)

    def ranges(self) -> np.ndarray:
        """Return highest less lowest value of each column (D,)."""
        low, high = (np.array([getattr(part, name) for part in self.looked]) for name in ("low", "high"))
        return high.max(axis=0) - low.min(axis=0)

    def sample(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `size` rows, those that `RowsInMemory` would draw of all, and their weights."""
        if not size:
            self.looked  # noqa: B018 (which checks all)
            return np.empty((0, self.n_features)), np.empty(0)
        drawn = self._drawn(size, seed)
        return completed_rows(drawn) if self.missing == "em" else drawn.result()

    def some_rows(self, size: int) -> np.ndarray:
        """Return at most so many rows (n, D), drawn evenly, with their gaps."""
        return self._drawn(size, 0).result()[0]

    def _drawn(self, size: int, seed: int) -> RowSample:
        lengths = [partition.n_telling for partition in self.looked]
        firsts = [sum(lengths[:i]) for i in range(len(lengths))]
        partitions = [(*part, first) for part, first in zip(self._partitions, firsts, strict=True)]
        drawn: RowSample
        (drawn,) = computed([tree_sum(_merged, each(_draw, partitions, self._reading, size, seed))])
        return drawn

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context with what passes need; `threads` are those of this process, which has no part in them."""

        def one_pass(parameters: Parameters) -> Statistics:
            tasks = each(e_step, self._partitions, self._reading, parameters, covariance_type)
            (found,) = computed([tree_sum(add, tasks)])
            return found

        return nullcontext(one_pass)

    def box(self) -> np.ndarray:
        """Return lowest and highest value of each column among rows of a weight above 0, (2, D)."""
        return self._box

    @cached_property
    def _box(self) -> np.ndarray:
        found = [box for box in computed(each(_box, self._partitions, self._reading)) if box is not None]
        return np.array([np.min([low for low, _ in found], axis=0), np.max([high for _, high in found], axis=0)])

    def noisy_passes(self, n_components: int, covariance_type: str, log_volume: float) -> AbstractContextManager[Pass]:
        """Return a context with what passes need over rows of which some are noise in a region of that volume."""

        def one_pass(parameters: Parameters) -> Statistics:
            tasks = each(noisy_e_step, self._partitions, self._reading, parameters, covariance_type, log_volume)
            (found,) = computed([tree_sum(add, tasks)])
            return found

        return nullcontext(one_pass)

    def trimmed_passes(self, n_components: int, covariance_type: str, share: float) -> AbstractContextManager[Pass]:
        """Return a context with what passes need without that share of the rows, the least likely ones."""
        return nullcontext(self._trimming(covariance_type, share).one_pass)

    def least_kept(self, parameters: Parameters, covariance_type: str, share: float) -> float:
        """Return the log-density of the least likely row when that share of them is left out."""
        return self._trimming(covariance_type, share).least_kept(parameters)

    def _trimming(self, covariance_type: str, share: float) -> Trimming:
        scale, total = self._reading.scale, self._weights()[0]
        left_out = weight_of_share(min(part.least for part in self.looked) * scale, total * scale, share)
        return Trimming(self._partitions, self._reading, covariance_type, left_out)

    def each(self, work: Callable[..., Any], per_partition: Sequence[tuple[Any, ...]], *told: Any) -> list[Any]:
        """Return what some work says of each partition, called with its rows, its weights, its own and what is told."""
        partitions = [(*part, *own) for part, own in zip(self._partitions, per_partition, strict=True)]
        return computed(each(_on_rows, partitions, work, self._reading, told))

    def criteria(self, mixture: FittedMixture) -> dict[str, float]:
        """Return `FittedMixture.criteria` of all rows."""
        tasks = each(_criterion_sums, self._partitions, self._reading, mixture)
        (sums,) = computed([tree_sum(np.add, tasks)])
        return mixture.criteria_of(sums)


# ------------------------------------------------------------------------------------------------------- on a worker


def _look(block: Any, weights: Any, reading: Reading) -> Looked:
    nothing = np.zeros(reading.n_features, np.bool_)
    empty = (nothing, np.full(reading.n_features, np.inf), np.full(reading.n_features, -np.inf))
    try:
        X, w = reading.rows(block, weights)
        check_sample_weight(w, len(X), part=True)
    except ParameterError as error:
        return Looked(0, 0, 0, 0.0, 0, *empty, refusal=str(error))
    n, total = len(X), float(len(X)) if w is None else float(w.sum())
    n_weighted = n if w is None else int(np.count_nonzero(w))
    fault = first_fault(X, reading.missing)
    if fault is not None or not n:
        return Looked(n, n_weighted, n, total, n_weighted, *empty, fault)
    n_rows = n_telling = n
    observed = ~nothing
    if reading.missing == "em":
        observed, n_telling = nothing.copy(), len(telling_rows(X, w)[0])
        n_rows = count_rows(X, w, observed)
    else:
        n_rows = n_weighted
    low, high = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
    return Looked(
        *(n, n_rows, n_telling, total, n_weighted, observed),
        np.where(np.isnan(low), np.inf, low.astype(np.float64)),
        np.where(np.isnan(high), -np.inf, high.astype(np.float64)),
        least=1.0 if w is None else float(np.min(w, where=w > 0, initial=np.inf)),
    )


def _on_rows(block: Any, weights: Any, *rest: Any) -> Any:
    *own, work, reading, told = rest
    return work(*reading.rows(block, weights), *own, *told)


def _draw(block: Any, weights: Any, first: int, reading: Reading, size: int, seed: int) -> RowSample:
    drawn = RowSample(size, seed, first)
    X, w = reading.rows(block, weights)
    drawn.add(*(telling_rows(X, w) if reading.missing == "em" else (X, w)))
    return drawn


def _merged(one: RowSample, other: RowSample) -> RowSample:
    """Return the sample of both; the one is left as it is, since it may be asked for again when a worker is lost."""
    both = copy.copy(one)
    both.merge(other)
    return both


def e_step(
    block: Any, weights: Any, reading: Reading, parameters: Parameters, covariance_type: str
) -> Statistics | None:
    """Return the sums of a partition, None of an empty one."""
    X, w = reading.rows(block, weights)
    if not len(X):
        return None
    kind = gap_pass if reading.missing == "em" else row_pass
    with kind(X, len(parameters.weights), covariance_type, w, 1) as one_pass:
        return one_pass(parameters)


def noisy_e_step(
    block: Any, weights: Any, reading: Reading, parameters: Parameters, covariance_type: str, log_volume: float
) -> Statistics | None:
    """Return the sums of a partition of which some rows are noise, None of an empty one."""
    X, w = reading.rows(block, weights)
    if not len(X):
        return None
    with contextlib.closing(WeighedRows(X, w, len(parameters.weights), covariance_type, 1)) as rows:
        return noisy_sums(rows, parameters, log_volume)


def _box(block: Any, weights: Any, reading: Reading) -> tuple[np.ndarray, np.ndarray] | None:
    X, w = reading.rows(block, weights)
    rows = np.asarray(X if w is None else X[w > 0], np.float64)
    return (rows.min(axis=0), rows.max(axis=0)) if len(rows) else None


def _criterion_sums(block: Any, weights: Any, reading: Reading, mixture: FittedMixture) -> np.ndarray | None:
    X, w = reading.rows(block, weights)
    return mixture.criterion_sums(X, w, missing=reading.missing, threads=1) if len(X) else None


def labels(block: Any, weights: Any, reading: Reading, mixture: FittedMixture) -> np.ndarray:
    """Return the most probable component of each row of a partition."""
    return mixture.labels(checked(block, reading), missing=reading.missing, threads=1)


def log_densities(block: Any, weights: Any, reading: Reading, mixture: FittedMixture, dtype: Any) -> np.ndarray:
    """Return the log-density of each row of a partition."""
    found = mixture.log_densities(checked(block, reading), missing=reading.missing, threads=1)
    return found.astype(dtype, copy=False)


def checked(block: Any, reading: Reading) -> np.ndarray:
    """Return the rows of a partition that was not looked at before."""
    X, _ = reading.rows(block, None)
    fault = first_fault(X, reading.missing)
    if fault is not None:
        raise fault_in_words(fault, X.dtype, None, " of a partition", reading.missing)
    return X
