"""Passes over rows in memory: the E step by compiled kernels, on threads that share the rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from bgsub.mixture.kernels import buffers, diagonal, loops
from bgsub.mixture.kernels import full as full_covariances
from bgsub.mixture.kernels import tied as tied_covariance
from bgsub.mixture.kernels.loops import Work
from bgsub.mixture.kernels.stages import Outputs
from bgsub.mixture.parameters import ILL_DEFINED, Parameters
from bgsub.mixture.passes.large import LargePass
from bgsub.mixture.passes.pieces import is_plain, pieces, readable
from bgsub.mixture.passes.statistics import KINDS, MOST_UNROLLED, Statistics, copied, do_part, model_of
from bgsub.mixture.passes.steps import OnePass, em_steps
from bgsub.simd.calls import address_of, with_sizes
from bgsub.threads import Crew, usable_threads

BLOCK_WORK = 1 << 21  # of a block, about half a millisecond: what calling a kernel costs should not count
_MOST_BLOCKS = 64  # each has sums of its own
_KERNELS: dict[str, Any] = {
    "full": full_covariances.full,
    "tied": tied_covariance.tied,
    "diag": diagonal.diag,
    "spherical": diagonal.spherical,
}


def expectation(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    *,
    sample_weight: np.ndarray | None = None,
    threads: int | None = None,
) -> Statistics:
    """Return the sums of one E step over the rows of `X`.

    Responsibilities below 1e-30 (with more than 16 features 3e-20) count as 0. No array with a row for each row of `X`
    is made.

    Parameters
    ----------
    X : ndarray of float64 or float32, shape (N, D)
        Finite; C-contiguous float64 is read in place, all else converted in small pieces.
    parameters : Parameters
        Of the mixture.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of `parameters`.
    sample_weight : ndarray of float64, shape (N,), optional
        Weight of each row, not negative; 1 without.
    threads : int, optional
        Threads that share the rows, None for all processors; the result is the same, bit for bit, for any number.

    Returns
    -------
    Statistics
    """
    with row_pass(X, len(parameters.weights), covariance_type, sample_weight, threads) as run:
        return run(parameters)


def log_density(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    *,
    threads: int | None = None,
    responsibilities: np.ndarray | None = None,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Return log p(x) of each row; fill the arrays given with responsibilities and most probable components.

    Parameters
    ----------
    X : ndarray of float64 or float32, shape (N, D)
        Finite rows.
    parameters : Parameters
        Of the mixture.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of `parameters`.
    threads : int, optional
        Threads that share the rows, None for all processors.
    responsibilities : ndarray of float64, shape (N, K), optional
        Filled with the probability of each component for each row; below 1e-30 it is 0.
    labels : ndarray of intp, shape (N,), optional
        Filled with the most probable component of each row.

    Returns
    -------
    ndarray of float64, shape (N,)
    """
    outputs = Outputs(
        np.empty(len(X)),
        np.empty((0, 0)) if responsibilities is None else responsibilities,
        np.empty(0, np.intp) if labels is None else labels,
    )
    kind = _pass_class(X, covariance_type)
    with contextlib.closing(kind(X, len(parameters.weights), covariance_type, None, threads, outputs)) as one_pass:
        one_pass(parameters)
    return outputs.density


def row_pass(
    X: np.ndarray, n_components: int, covariance_type: str, sample_weight: np.ndarray | None, threads: int | None
) -> contextlib.closing[UnrolledPass | LargePass]:
    """Return a context with all that passes over `X` need; what is entered, called, does one: `expectation`.

    Weights that are float64 and writeable are read anew in each pass: they may change in between.
    """
    kind = _pass_class(X, covariance_type)
    return contextlib.closing(kind(X, n_components, covariance_type, sample_weight, threads, None))


def density_pass(
    X: np.ndarray, n_components: int, covariance_type: str, threads: int | None, density: np.ndarray
) -> contextlib.closing[UnrolledPass | LargePass]:
    """Return a context with all that is needed to fill in log p(x) of each row, `density` (N,), once a call."""
    outputs = Outputs(density, np.empty((0, 0)), np.empty(0, np.intp))
    kind = _pass_class(X, covariance_type)
    return contextlib.closing(kind(X, n_components, covariance_type, None, threads, outputs))


def _pass_class(X: np.ndarray, covariance_type: str) -> type[UnrolledPass | LargePass]:
    return LargePass if covariance_type in ("full", "tied") and X.shape[1] > MOST_UNROLLED else UnrolledPass


def blocks(n_rows: int, n_components: int, n_features: int, height: int) -> list[tuple[int, int]]:
    """Cut the rows into blocks of whole tiles, whatever the number of threads: sums do not depend on it."""
    work = n_rows * n_components * (n_features * n_features // 8 + n_features + 4)
    n = min(max(work // BLOCK_WORK, 1), _MOST_BLOCKS)
    length = -(-n_rows // n)
    length = max(length + -length % height, height)
    return [(lo, min(lo + length, n_rows)) for lo in range(0, max(n_rows, 1), length)]


@cache
def _pass_of(covariance_type: str, n_features: int) -> OnePass:
    """Return the kernel for a type of covariances and a number of features."""
    size, rest = buffers.sizes(n_features)
    work = buffers.NO_WORK
    arguments = (buffers.NO_ROWS, buffers.NO_WEIGHTS, 0, 0, work.components, work.scratch, work.outputs, work.stages)
    kernel, sizes = _KERNELS[covariance_type], (size, rest) if covariance_type in ("full", "tied") else (rest,)
    return OnePass(address_of(kernel, arguments, sizes), with_sizes(kernel, sizes))


class UnrolledPass:
    """Passes of compiled kernels over an array of rows; of the rows' outputs alone, where they are given."""

    def __init__(
        self,
        X: np.ndarray,
        n_components: int,
        covariance_type: str,
        sample_weight: np.ndarray | None,
        threads: int | None,
        outputs: Outputs | None,
    ) -> None:
        n_rows, n_features = X.shape
        self._X, self._plain = X, is_plain(X)
        self._weights = buffers.NO_WEIGHTS if sample_weight is None else readable(sample_weight)
        self._kind, self._pass = KINDS[covariance_type], _pass_of(covariance_type, n_features)
        self._summing = outputs is None
        shape = (n_components, n_features, self._kind)
        self._work = buffers.empty_work(*shape, n_rows, outputs or buffers.NO_OUTPUTS, sums=self._summing)
        self._height = 8 * self._work.scratch.x.shape[0]
        self._blocks = blocks(n_rows, n_components, n_features, self._height)
        self._crew: Crew | None = None
        if len(self._blocks) > 1:
            others = range(1, min(usable_threads(threads), len(self._blocks)))
            scratches = (buffers.empty_scratch(*shape, n_rows, sums=self._summing) for _ in others)
            self._crew = Crew([self._work, *(self._work._replace(scratch=scratch) for scratch in scratches)])
        self._sums = np.zeros((len(self._blocks), *self._work.sums.shape))
        self._totals = np.zeros((len(self._blocks), 2))

    @property
    def is_one_block(self) -> bool:
        """Whether there is so little to do that `compiled_steps` are worth it."""
        return len(self._blocks) == 1

    def __call__(self, parameters: Parameters) -> Statistics:
        """Pass over all rows."""
        do_part(self._kind, loops.PREPARE, self._work._replace(model=model_of(parameters, self._kind)))
        if self._crew is None:
            self._do_block(0, self._work)
        else:
            self._crew.run(self._do_block, len(self._blocks))
        n_components, n_features = parameters.means.shape
        moments = buffers.empty_moments(n_components, n_features, self._kind)
        if self._summing:
            do_part(self._kind, loops.UNPACK, self._work._replace(sums=self._sums.sum(axis=0), moments=moments))
        likelihood, weight = self._totals.sum(axis=0).tolist()
        scatter = moments.scatter.reshape(parameters.covariances.shape)
        return Statistics(likelihood, weight, moments.counts, moments.shift, scatter)

    def compiled_steps(
        self, start: Parameters, reg_covar: float, tol: float
    ) -> Callable[[float, int], tuple[Parameters, list[float]]]:
        """Return `loop.Steps` that do all they are asked for in one call of a kernel; for one block only."""
        rows = self._X if self._plain else np.array(self._X, np.float64, order="C")
        parameters = copied(start)  # the kernel's to write to
        model = model_of(parameters, self._kind)
        work = self._work._replace(model=model, spare=buffers.empty_spare(model))
        before_bounds = (self._kind, loops.WHOLE, self._pass, rows, self._weights, 0, len(rows), work)

        def steps(before: float, most: int) -> tuple[Parameters, list[float]]:
            bounds = np.empty(most + 1)
            bounds[0] = before
            done = em_steps(*before_bounds, reg_covar, tol, bounds)
            if done < 0:
                raise ValueError(ILL_DEFINED)
            return parameters, bounds[1 : done + 1].tolist()

        return steps

    def _do_block(self, i: int, work: Work) -> None:
        lo, hi = self._blocks[i]
        work = work._replace(sums=self._sums[i], totals=self._totals[i])
        if self._plain:
            self._do(loops.PASS + loops.COLLAPSE, self._X, self._weights, lo, hi, work)
            return
        for a, b, rows in pieces(self._X, lo, hi, self._height):
            piece = work._replace(outputs=Outputs(*(array[a:b] for array in work.outputs)))
            self._do(loops.PASS, rows, self._weights[a:b], 0, b - a, piece)
        do_part(self._kind, loops.COLLAPSE, work)

    def _do(self, parts: int, rows: np.ndarray, weights: np.ndarray, start: int, stop: int, work: Work) -> None:
        em_steps(self._kind, parts, self._pass, rows, weights, start, stop, work)

    def close(self) -> None:
        """Let the threads go."""
        if self._crew is not None:
            self._crew.close()
