"""Rows of which some are noise or are left out, as training data: EM goes as over any other rows.

Starts are drawn from the denser rows, since a seed on a row far off is a component of its own ever after: by the
distance to the tenth nearest of some rows, the sparsest are left out first. How many is not known. A twentieth is right
where clusters are wide, three tenths where much is noise, none where a cluster is both small and wide: all are tried
(`views`), and the ends are compared, also with that of components which were fitted without noise: a start's noise can
swallow a small cluster that k-means did not find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from bgsub.errors import ParameterError
from bgsub.extras import explained
from bgsub.mixture.em.training_data import RowsInBlocks, RowsInMemory, TrainingData, is_far
from bgsub.mixture.em.trimming import consistent
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.noise import Noise, Region, region_of
from bgsub.mixture.parameters import Parameters, separated
from bgsub.mixture.passes.cpu import log_density
from bgsub.mixture.passes.robust import WeighedRows, noisy_pass, trimmed_pass, weight_left_out, without_least
from bgsub.mixture.passes.statistics import Pass, Statistics
from bgsub.mixture.settings import CovarianceType, Missing, NoiseRegion

LEFT_OUT = (0.05, 0.3, 0.0)
"""Shares of the rows that starts are not drawn from: each is tried."""

FIRST_NOISE = 0.05
"""Share of noise that EM starts from."""

LITTLE_NOISE = 0.002
"""That beside components which were fitted without any."""

_SLACK = 1e-9  # of a log-density: rounding cuts off no row that was kept
_NEIGHBOURS, _REFERENCES = 10, 2000
_DISTANCES = 1 << 20  # that are in memory at once


@dataclass(frozen=True)
class Robustness:
    """How rows that belong to no component are dealt with.

    Attributes
    ----------
    noise : {"box", "hull"} or None
        Where they lie; None without noise.
    trim : float
        Share of the rows that is left out, the least likely ones.
    """

    noise: NoiseRegion | None = None
    trim: float = 0.0

    def __bool__(self) -> bool:
        return self.noise is not None or self.trim > 0


class RobustData:
    """Training data of which some rows are noise, or are left out.

    Parameters
    ----------
    data : TrainingData
        All rows, in memory or in blocks; or `FarData`, where noise lies in a box.
    how : Robustness
        Noise or trimming.
    n_components : int
        Of the mixture.
    left_out : float
        Share of the rows that starts are not drawn from.

    Raises
    ------
    ParameterError
        When the rows are elsewhere and that does not do, or they may have gaps.
    """

    def __init__(self, data: TrainingData, how: Robustness, n_components: int, left_out: float = LEFT_OUT[0]) -> None:
        self._far = data if how.noise != "hull" and is_far(data) else None
        if self._far is None and not isinstance(data, (RowsInMemory, RowsInBlocks)):
            what = "trim" if how.trim else "a hull of noise" if how.noise == "hull" else "noise"
            raise ParameterError(f"{what} needs the rows here: fit to an array, or to blocks of rows")
        if data.missing != "error":
            raise ParameterError("noise and trim need complete rows: leave out missing='em', or the rows with gaps")
        self._data, self._how, self._n_components, self._left_out = data, how, n_components, left_out
        self._region: Region | None = None
        self._left_out_weight = 0.0

    @property
    def n_rows(self) -> int:
        """Rows of a weight above 0."""
        return self._data.n_rows

    @property
    def n_features(self) -> int:
        """Columns."""
        return self._data.n_features

    @property
    def dtype(self) -> Any:
        """What the fitted attributes become."""
        return self._data.dtype

    @property
    def names(self) -> Sequence[str] | None:
        """The columns' names, or None."""
        return self._data.names

    @property
    def missing(self) -> Missing:
        """Nothing is missing."""
        return "error"

    @property
    def region(self) -> Region:
        """Of the noise: that of all rows, found by one pass over them at the first call."""
        if self._region is None:
            assert self._how.noise is not None
            rows = (X for X, _ in self._weighed()) if self._far is None else iter([self._far.box()])
            self._region = region_of(rows, self._how.noise, self.names)
        return self._region

    def widen(self, last: FittedMixture | None) -> None:
        """Let the noise reach as far as that of the rows before, of which a mixture was made."""
        if last is not None and last.noise is not None:
            before = last.noise.region
            joined = [np.stack([before.low, before.high]), before.vertices]
            rows = [X for X, _ in self._weighed()]
            self._region = region_of([*joined, *rows], before.kind, self.names)

    def views(self) -> Iterator[RobustData]:
        """Yield the same rows, with starts from more or less of them."""
        for share in dict.fromkeys(max(share, self._how.trim) for share in LEFT_OUT):
            view = RobustData(self._data, self._how, self._n_components, share)
            view._region = self._region
            yield view

    def sample(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows that starts can be drawn from, and their weights: not the sparsest ones."""
        rows, weights = self._data.sample(size, seed)
        n_left_out = min(int(self._left_out * len(rows)), len(rows) - 2 * self._n_components)
        if n_left_out < 1:
            return rows, weights
        kept = np.sort(np.argsort(sparsity(rows), kind="stable")[: len(rows) - n_left_out])
        return rows[kept], weights[kept]

    def ranges(self) -> np.ndarray | None:
        """Return highest less lowest value of each column (D,), or None."""
        return self._data.ranges()

    def passes(self, n_components: int, covariance_type: str, threads: int | None) -> AbstractContextManager[Pass]:
        """Return a context with what passes need."""
        if self._far is not None and self._how.noise is not None:
            return self._far.noisy_passes(n_components, covariance_type, self.region.log_volume)
        if self._far is not None:
            return self._far.trimmed_passes(n_components, covariance_type, self._how.trim)
        return self._passes(n_components, covariance_type, threads)

    @contextmanager
    def _passes(self, n_components: int, covariance_type: str, threads: int | None) -> Iterator[Pass]:
        with ExitStack() as stack:

            def opened(X: np.ndarray, weights: np.ndarray | None, stack: ExitStack) -> WeighedRows:
                rows = WeighedRows(X, weights, n_components, covariance_type, threads)
                stack.callback(rows.close)
                return rows

            data = self._here()
            if isinstance(data, RowsInMemory):
                in_memory = [opened(*block, stack) for block in data.blocks()]

            def blocks() -> Iterator[WeighedRows]:
                if isinstance(data, RowsInMemory):
                    yield from in_memory
                    return
                for block in data.blocks():
                    with ExitStack() as of_block:
                        yield opened(*block, of_block)

            def one_pass(parameters: Parameters) -> Statistics:
                if self._how.noise is not None:
                    return noisy_pass(blocks, parameters, self.region.log_volume)
                return trimmed_pass(blocks, parameters, self._weight_left_out())

            yield one_pass

    @property
    def plain(self) -> TrainingData:
        """The same rows without noise, and none of them left out."""
        return self._data

    def started(self, start: Parameters, noise: float = FIRST_NOISE) -> Parameters:
        """Return a start with a share of noise, where there is to be some and it has none yet."""
        if self._how.noise is None or start.weights.sum() < 1.0 - 1e-9:
            return start
        return start._replace(weights=start.weights * (1.0 - noise))

    def finished(self, parameters: Parameters, covariance_type: CovarianceType, threads: int | None) -> FittedMixture:
        """Return the mixture at the end of EM: with its noise, or the density below which rows are left out."""
        if self._how.noise is not None:
            weight = max(1.0 - float(parameters.weights.sum()), 0.0)
            return FittedMixture(separated(parameters), covariance_type, Noise(weight, self.region))
        with explained("trim"):
            least = self._least_kept(parameters, covariance_type, threads)
            parameters = consistent(parameters, covariance_type, least)
            least = self._least_kept(parameters, covariance_type, threads)
        return FittedMixture(parameters, covariance_type, cutoff=least - _SLACK * max(abs(least), 1.0))

    def _least_kept(self, parameters: Parameters, covariance_type: str, threads: int | None) -> float:
        """Return the log-density of the least likely row that is not left out."""
        if self._far is not None:
            return self._far.least_kept(parameters, covariance_type, self._how.trim)
        found = [
            (log_density(X, parameters, covariance_type, threads=threads), weights) for X, weights in self._weighed()
        ]
        densities, weights = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return float(densities[without_least(densities, weights, self._weight_left_out()) > 0].min())

    def _weighed(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows that have a weight above 0, and their weights."""
        for X, weights in self._here().blocks():
            if weights is None:
                yield X, np.ones(len(X))
            elif weights.all():
                yield X, weights
            else:
                yield X[weights > 0], weights[weights > 0]

    def _here(self) -> RowsInMemory | RowsInBlocks:
        assert isinstance(self._data, (RowsInMemory, RowsInBlocks))
        return self._data

    def _weight_left_out(self) -> float:
        if not self._left_out_weight:
            weights = np.concatenate([weights for _, weights in self._weighed()])
            self._left_out_weight = weight_left_out(weights, self._how.trim)
        return self._left_out_weight


def sparsity(rows: np.ndarray) -> np.ndarray:
    """Return how far the tenth nearest row is, (n,), among at most 2000 rows evenly spaced over all; in no unit.

    Columns are measured by their quartiles, which what is far off does not change.
    """
    n = len(rows)
    first, median, third = np.percentile(rows, [25, 50, 75], axis=0)
    width = np.where(third > first, third - first, np.abs(rows - median).mean(axis=0))
    unit = (rows - median) / np.where(width > 0, width, 1.0)
    references = unit[:: -(-n // _REFERENCES)]
    nearest = min(_NEIGHBOURS, max(len(references) // 10, 1), len(references) - 1)  # number 0 is the row itself
    squares = (references**2).sum(axis=1)
    found = np.empty(n)
    step = max(_DISTANCES // len(references), 1)
    for start in range(0, n, step):
        part = unit[start : start + step]
        apart = (part**2).sum(axis=1)[:, None] + squares - 2.0 * (part @ references.T)
        found[start : start + step] = np.partition(apart, nearest, axis=1)[:, nearest]
    return found
