"""EM from given parameters, and the best of several runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bgsub.mixture.diagnosis import collapse_of
from bgsub.mixture.em.left_out import optimism
from bgsub.mixture.em.progress import Progress
from bgsub.mixture.em.rules import EMResult, OnStep, Rules, without_failures
from bgsub.mixture.em.training_data import TrainingData
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.cpu import UnrolledPass
from bgsub.mixture.passes.statistics import Pass, maximisation
from bgsub.threads import usable_threads

Steps = Callable[[float, int], tuple[Parameters, list[float]]]
"""EM steps, which go on from those before: from the last lower bound and the most steps to do, the parameters after
them and the lower bound of each. At least one is done, and none after one that changes the lower bound by less than
`tol`."""

_SOUND = 2.0  # times reg_covar: a component whose variances are all above it is sound
_ROUNDING = 1e-10  # of the largest variance: so are correlations above it
_AT_ONCE = 64  # compiled steps between looks at the keyboard: a few milliseconds


def run_em(
    data: TrainingData, start: Parameters, rules: Rules, threads: int | None = None, on_step: OnStep | None = None
) -> EMResult:
    """Alternate E and M steps until the mean log-likelihood changes by less than `tol`.

    Parameters
    ----------
    data : TrainingData
        Rows to fit to.
    start : Parameters
        Where to start.
    rules : Rules
        How to iterate.
    threads : int, optional
        Threads that share the rows, None for all processors; the result does not depend on it.
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
    if rules.max_iter < 1:
        return EMResult(start, [], False)
    with data.passes(len(start.weights), rules.covariance_type, threads) as one_pass:
        return run_steps(one_pass, start, rules, on_step)


def run_steps(one_pass: Pass, start: Parameters, rules: Rules, on_step: OnStep | None = None) -> EMResult:
    """Do what `run_em` does by passes that are there already: preparing them takes as long as a short run."""
    if rules.acceleration == "squarem":
        from bgsub.mixture.em.squarem import squarem  # few fits need it

        return squarem(lambda parameters: _em_step(one_pass, parameters, rules), start, rules, on_step)
    if isinstance(one_pass, UnrolledPass) and one_pass.is_one_block:
        steps, at_once = one_pass.compiled_steps(start, rules.reg_covar, rules.tol), 1 if on_step else _AT_ONCE
    else:
        steps, at_once = _steps_one_by_one(one_pass, start, rules), 1
    parameters, before, change = start, rules.lower_bound, math.inf
    lower_bounds: list[float] = []
    while len(lower_bounds) < rules.max_iter and not abs(change) < rules.tol:
        parameters, found = steps(before, min(at_once, rules.max_iter - len(lower_bounds)))
        for bound in found:
            change, before = bound - before, bound
            lower_bounds.append(bound)
            if on_step is not None:
                on_step(len(lower_bounds), bound)
    return EMResult(parameters, lower_bounds, abs(change) < rules.tol)


def _steps_one_by_one(one_pass: Pass, parameters: Parameters, rules: Rules) -> Steps:
    """Return steps of which each is a pass and an M step."""

    def steps(before: float, most: int) -> tuple[Parameters, list[float]]:
        nonlocal parameters
        parameters, bound = _em_step(one_pass, parameters, rules)
        return parameters, [bound]

    return steps


def _em_step(one_pass: Pass, parameters: Parameters, rules: Rules) -> tuple[Parameters, float]:
    """Return the parameters after an EM step, and the lower bound of those before it."""
    statistics = one_pass(parameters)
    following = maximisation(statistics, parameters, rules.covariance_type, rules.reg_covar)
    return following, statistics.log_likelihood / statistics.total_weight


def best_run(
    data: TrainingData,
    starts: list[Parameters],
    rules: Rules,
    threads: int | None = None,
    progress: Progress | None = None,
    sound_first: bool = False,
    rows: tuple[np.ndarray, np.ndarray] | None = None,
) -> EMResult:
    """Return the run that ends with the highest likelihood, the first of equal ones.

    The runs go side by side, unless `progress` is to show them one by one. Those whose components collapse are left
    out; where all do, the first one's error is raised. With `sound_first` it is `best_first` of them: a run that
    `reg_covar` has saved from collapsing is the best only where all are such, and `rows`, with their weights, tell
    what a likelihood is worth.
    """
    n_threads = usable_threads(threads)
    side_by_side = 1 if progress is not None else min(n_threads, len(starts))
    each = max(1, n_threads // side_by_side)

    def run(i: int) -> EMResult:
        if progress is None:
            return run_em(data, starts[i], rules, each)
        progress.begin(i, rules.lower_bound)
        result = run_em(data, starts[i], rules, each, progress.step)
        progress.end(result.converged, result.lower_bound)
        return result

    if side_by_side == 1:
        results = without_failures(run, range(len(starts)))
    else:
        with ThreadPoolExecutor(side_by_side) as pool:
            futures = [pool.submit(run, i) for i in range(len(starts))]
            results = without_failures(lambda future: future.result(), futures)
    return (
        best_first(results, rules, 1, rows)[0] if sound_first else max(results, key=lambda result: result.lower_bound)
    )


def best_first(
    runs: Sequence[EMResult], rules: Rules, count: int, rows: tuple[np.ndarray, np.ndarray] | None = None
) -> list[EMResult]:
    """Return the runs of highest likelihood, the first of equal ones first; collapsed ones after all others.

    Of rows and weights that the runs were fitted to, the likelihood is that of each row by the mixture without it.
    """
    sound: list[tuple[float, EMResult]] = []
    collapsed = []
    for run in sorted(runs, key=lambda run: -run.lower_bound):
        if len(sound) >= count and sound[count - 1][0] >= run.lower_bound:
            break  # nor can those that follow be better
        if not is_sound(run.parameters, rules):
            collapsed.append(run)
            continue
        loss = 0.0 if rows is None else max(0.0, optimism(run.parameters, rules.covariance_type, *rows))
        sound.append((run.lower_bound - loss, run))
        sound.sort(key=lambda item: -item[0])
    return [*(run for _, run in sound), *collapsed][:count]


def is_sound(parameters: Parameters, rules: Rules) -> bool:
    """Return whether nothing has collapsed; most mixtures show it by the traces of their precisions, at no cost."""
    factors, covariances = parameters.precisions_cholesky, parameters.covariances
    if rules.reg_covar > 0 and (factors**2).sum() * max(_SOUND * rules.reg_covar, _ROUNDING * covariances.max()) < 1.0:
        return True
    return not collapse_of(parameters, rules.covariance_type, rules.reg_covar)
