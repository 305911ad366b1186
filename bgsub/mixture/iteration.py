"""The EM loop over any step: rows in blocks, and fits that go on."""

from __future__ import annotations

import math
from collections.abc import Callable

from bgsub.mixture.em import EMResult
from bgsub.mixture.parameters import Parameters

Step = Callable[[Parameters], tuple[Parameters, float]]
"""One pass over the data: from parameters to those after an EM step, and the lower bound of the ones given."""

OnStep = Callable[[int, float], None]
"""Called with the number of an iteration, from 1, and its lower bound."""


def iterate(
    step: Step,
    parameters: Parameters,
    *,
    tol: float,
    max_iter: int,
    lower_bound: float = -math.inf,
    on_step: OnStep | None = None,
) -> EMResult:
    """Step until the lower bound changes by less than `tol`, at most `max_iter` times.

    `lower_bound` is that of the iteration before the first, when a fit goes on; the other parameters are those of
    `run_em`.
    """
    lower_bounds: list[float] = []
    for iteration in range(1, max_iter + 1):
        parameters, bound = step(parameters)
        lower_bounds.append(bound)
        if on_step is not None:
            on_step(iteration, bound)
        if abs(bound - lower_bound) < tol:
            return EMResult(parameters, lower_bounds, True)
        lower_bound = bound
    return EMResult(parameters, lower_bounds, False)
