"""Plain EM from given parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bgsub.mixture.kernels import buffers, loops
from bgsub.mixture.maximisation import maximisation
from bgsub.mixture.parameters import ILL_DEFINED, Parameters
from bgsub.mixture.passes import Statistics, is_plain, is_small, row_pass

Steps = Callable[[int], tuple[Parameters, list[float], bool]]  # parameters, lower bounds, converged or not

_AT_ONCE = 64  # compiled steps between looks at the keyboard: a few milliseconds


class EMResult(NamedTuple):
    """Where EM stopped."""

    parameters: Parameters  # after the last M step
    lower_bounds: list[float]  # mean log-likelihood a unit of weight at each E step, before its M step
    converged: bool


def run_em(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    *,
    reg_covar: float,
    tol: float,
    max_iter: int,
    sample_weight: np.ndarray | None = None,
    threads: int = 1,
    on_step: Callable[[int, float], None] | None = None,
) -> EMResult:
    """Alternate E and M steps until the mean log-likelihood changes by less than `tol`.

    Parameters
    ----------
    X : ndarray of float64 or float32, shape (N, D)
        Finite rows.
    parameters : Parameters
        Where to start.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of `parameters`.
    reg_covar : float
        Added to the diagonal of each covariance.
    tol : float
        Smallest change of the lower bound that is worth another step.
    max_iter : int
        Most steps.
    sample_weight : ndarray of float64, shape (N,), optional
        Weight of each row; 1 without.
    threads : int
        Threads that share the rows; the result does not depend on it.
    on_step : callable, optional
        Called with the number of the step, from 1, and its lower bound.

    Returns
    -------
    EMResult

    Raises
    ------
    ValueError
        When a covariance is not positive definite.
    """
    if max_iter < 1:
        return EMResult(parameters, [], False)
    if is_small(X, len(parameters.weights), covariance_type):
        steps = _compiled_steps(X, parameters, covariance_type, reg_covar, tol, sample_weight)
        return _run(steps, max_iter, on_step, at_once=1 if on_step else _AT_ONCE)
    with row_pass(X, len(parameters.weights), covariance_type, sample_weight, threads) as expectation:
        steps = _separate_steps(expectation, parameters, covariance_type, reg_covar, tol)
        return _run(steps, max_iter, on_step, at_once=1)


def _run(steps: Steps, max_iter: int, on_step: Callable[[int, float], None] | None, at_once: int) -> EMResult:
    lower_bounds: list[float] = []
    converged = False
    parameters = None
    while len(lower_bounds) < max_iter and not converged:
        parameters, found, converged = steps(min(at_once, max_iter - len(lower_bounds)))
        for lower_bound in found:
            lower_bounds.append(lower_bound)
            if on_step is not None:
                on_step(len(lower_bounds), lower_bound)
    assert parameters is not None
    return EMResult(parameters, lower_bounds, converged)


def _separate_steps(
    expectation: Callable[[Parameters], Statistics],
    parameters: Parameters,
    covariance_type: str,
    reg_covar: float,
    tol: float,
) -> Steps:
    """Return a function that does one step, whatever number it is asked for."""
    previous = -np.inf

    def step(n: int) -> tuple[Parameters, list[float], bool]:
        nonlocal parameters, previous
        statistics = expectation(parameters)
        parameters = maximisation(statistics, parameters, covariance_type, reg_covar)
        lower_bound = statistics.log_likelihood / statistics.total_weight
        change, previous = lower_bound - previous, lower_bound
        return parameters, [lower_bound], abs(change) < tol

    return step


def _compiled_steps(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    reg_covar: float,
    tol: float,
    sample_weight: np.ndarray | None,
) -> Steps:
    """Return a function that does as many steps as it is asked for, or fewer, in one call of a kernel."""
    rows = X if is_plain(X) else np.array(X, np.float64, order="C")
    weights = buffers.NO_WEIGHTS if sample_weight is None else np.array(sample_weight, np.float64)
    parameters = buffers.copied(parameters)
    work = loops.new_work(parameters, covariance_type, len(X))
    loop = getattr(loops, covariance_type)
    sizes = buffers.sizes(X.shape[1])
    previous = -np.inf

    def steps(n: int) -> tuple[Parameters, list[float], bool]:
        nonlocal previous
        bounds = np.empty(n + 1)
        bounds[0] = previous
        state, done = loop(rows, weights, work, float(reg_covar), float(tol), bounds, *sizes)
        if state == loops.ILL_DEFINED:
            raise ValueError(ILL_DEFINED)
        previous = bounds[done]
        return parameters, bounds[1 : done + 1].tolist(), state == loops.CONVERGED

    return steps
