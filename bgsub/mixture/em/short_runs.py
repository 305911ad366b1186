"""Many starts for the price of a few: each runs for some steps, and only those that got farthest go on.

Starts differ by much more than the last steps of EM gain, so most can be given up early (Biernacki, Celeux & Govaert
2003: short runs of EM). How far one has got is the likelihood of each row by the mixture without it: the highest
likelihood itself is often that of a component on few rows, which rows that come later do not share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from bgsub.mixture.em.loop import best_first, run_steps
from bgsub.mixture.em.rules import EMResult, Rules, without_failures
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.parameters import Parameters
from bgsub.threads import usable_threads


class Heat(NamedTuple):
    """A round of short runs: until a step gains less than `tol`, or `most` were done; a share of them goes on."""

    tol: float
    most: int
    kept: float
    rows: float  # that it needs for each component


_HEATS = (Heat(1e-2, 30, 0.4, 500), Heat(1e-3, 50, 0.0, math.inf))
_LAST_HEAT = Heat(1e-4, 200, 0.0, math.inf)  # where passes over all rows are dear
_FEWEST_ROWS = 2000

FINALISTS = 2
"""Runs that go to the end."""


def farthest(
    rows: np.ndarray,
    weights: np.ndarray,
    starts: Sequence[Parameters],
    rules: Rules,
    *,
    sampled: bool = False,
    threads: int | None = None,
) -> list[Parameters]:
    """Return what short runs make of the starts that get farthest, the best first.

    Parameters
    ----------
    rows, weights : float64 ndarray, shapes (n, D) and (n,)
        What starts are drawn from.
    starts : sequence of Parameters
        From which to run.
    rules : Rules
        Those of the fit.
    sampled : bool
        Whether these are some of many rows: then only one goes on to all of them.
    threads : int, optional
        Threads that share the starts, None for all processors; the result does not depend on it.

    Raises
    ------
    ValueError
        When all collapse.
    """
    finalists = 1 if sampled else FINALISTS
    if rules.reg_covar == 0:  # who gets farthest may be on the way to collapse, and then nothing holds it
        return list(starts)
    if len(starts) <= finalists or rules.max_iter < 1:
        return list(starts[:finalists])
    parameters = list(starts)
    for i, heat in enumerate((*_HEATS, _LAST_HEAT) if sampled else _HEATS):
        some = _some(rows, weights, heat.rows * len(starts[0].weights))
        short = rules._replace(tol=max(heat.tol, rules.tol), max_iter=min(heat.most, rules.max_iter))
        runs = _runs(RowsInMemory(some[0], _varying(some[1])), parameters, short, threads)
        kept = max(finalists, math.ceil(heat.kept * len(runs)))
        judged = some if i else None  # the first ends far from where components shrink onto few rows
        parameters = [run.parameters for run in best_first(runs, rules, kept, judged)]
    return parameters


def _some(rows: np.ndarray, weights: np.ndarray, count: float) -> tuple[np.ndarray, np.ndarray]:
    """Return some of the rows and their weights, or all where there are not that many."""
    if len(rows) > max(count, _FEWEST_ROWS):
        chosen = np.sort(np.random.RandomState(0).choice(len(rows), int(max(count, _FEWEST_ROWS)), replace=False))
        rows, weights = rows[chosen], weights[chosen]
    return rows, weights


def _varying(weights: np.ndarray) -> np.ndarray | None:
    """Return weights, or None where all are alike."""
    return None if (weights == weights[0]).all() else weights


def _runs(data: RowsInMemory, starts: Sequence[Parameters], rules: Rules, threads: int | None) -> list[EMResult]:
    """Run EM from each start; those that fail are left out."""
    workers = min(usable_threads(threads), len(starts))

    def run_some(which: range) -> list[tuple[int, EMResult | ValueError]]:
        done: list[tuple[int, EMResult | ValueError]] = []
        with data.passes(len(starts[0].weights), rules.covariance_type, 1) as one_pass:
            for i in which:
                try:
                    done.append((i, run_steps(one_pass, starts[i], rules)))
                except ValueError as error:
                    done.append((i, error))
        return done

    shares = [range(worker, len(starts), workers) for worker in range(workers)]
    if workers == 1:
        outcomes = run_some(shares[0])
    else:
        with ThreadPoolExecutor(workers) as pool:
            outcomes = sorted(
                (item for share in pool.map(run_some, shares) for item in share), key=lambda item: item[0]
            )

    def result(outcome: EMResult | ValueError) -> EMResult:
        if isinstance(outcome, ValueError):
            raise outcome
        return outcome

    return without_failures(result, [outcome for _, outcome in outcomes])
