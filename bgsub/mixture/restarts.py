"""The best of several EM runs from different starts, side by side."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from bgsub.mixture.em import EMResult
from bgsub.mixture.given_start import GivenStart, with_given
from bgsub.mixture.initialisation import parameters_of, seeds
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.progress import Progress
from bgsub.mixture.training_data import Rules, TrainingData


class Seeding(NamedTuple):
    """How to start: scikit-learn's parameters of the same names, and where starts are drawn from."""

    n_components: int
    n_init: int
    init_params: str
    random: np.random.RandomState


def drawn_seeds(rows: np.ndarray, weights: np.ndarray, seeding: Seeding) -> list[np.ndarray]:
    """Return `n_init` times responsibilities of shape (n, K), drawn one after another."""
    n_components, n_init, init_params, random = seeding
    return [seeds(rows, weights, n_components, init_params, random) for _ in range(n_init)]


def starts_from(
    rows: np.ndarray, weights: np.ndarray, drawn: list[np.ndarray], given: GivenStart, rules: Rules
) -> list[Parameters]:
    """Return starting parameters for each of the seeds drawn; a single one where all is given."""
    kind = rules.covariance_type
    if given.complete:
        return [with_given(None, given, kind)]
    return [
        with_given(parameters_of(rows, weights, responsibilities, kind, rules.reg_covar), given, kind)
        for responsibilities in drawn
    ]


def best_run(data: TrainingData, starts: list[Parameters], rules: Rules, threads: int, progress: Progress) -> EMResult:
    """Return the run that ends with the highest likelihood, the first of equal ones.

    Starts are taken one after another, so that what they draw does not depend on the number of threads; the runs
    go side by side, unless they are to be shown one by one.
    """
    if progress.shown or threads == 1 or len(starts) == 1:
        results = []
        for i, start in enumerate(starts):
            progress.begin(i, rules.lower_bound)
            results.append(data.run(start, rules, threads, progress.step if progress.shown else None))
            progress.end(results[-1].converged, _bound(results[-1]))
    else:
        side_by_side = min(threads, len(starts))
        with ThreadPoolExecutor(side_by_side) as pool:
            each = max(1, threads // side_by_side)
            results = list(pool.map(lambda start: data.run(start, rules, each, None), starts))
    return max(results, key=_bound)


def _bound(result: EMResult) -> float:
    """Return the last lower bound; without an iteration there is none."""
    return result.lower_bounds[-1] if result.lower_bounds else -math.inf
