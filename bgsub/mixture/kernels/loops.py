"""EM steps, or parts of them: what Python calls. For small tables, whole runs of EM in one call.

One function serves all types of covariance and any number of features: it has the address of the pass, which alone is
compiled for each of them. So it is compiled once, and a first fit of another kind of table compiles a pass only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.mixture.kernels.stages import Components, Outputs, Scratch, Stages
from bgsub.mixture.kernels.steps import Model, Moments, Spare, collapse, maximise, prepare, unpack
from bgsub.simd import kernels_of
from bgsub.simd.calls import call_at

kernel = kernels_of(__name__)

PREPARE, PASS, COLLAPSE, UNPACK, MAXIMISE = 1, 2, 4, 8, 16  # parts of a step, to be added up
WHOLE = PREPARE + PASS + COLLAPSE + UNPACK + MAXIMISE


class Work(NamedTuple):
    """All that EM works on."""

    model: Model
    components: Components
    scratch: Scratch
    outputs: Outputs
    sums: np.ndarray
    totals: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    moments: Moments
    spare: Spare
    stages: Stages


@kernel
def em_steps(kind, parts, one_pass, X, weights, start, stop, work, reg_covar, tol, bounds):
    """Do `parts` of a step for each of ``bounds[1:]``, the lower bounds, or fewer; ``bounds[0]`` is of the step before.

    Return after how many the bound changed by less than `tol`, or all were done; -1 where a covariance is not positive
    definite.
    """
    for i in range(1, len(bounds)):
        if parts & PREPARE:
            prepare(kind, work.model, work.components)
        if parts & PASS:
            call_at(one_pass, X, weights, start, stop, work.components, work.scratch, work.outputs, work.stages)
        if parts & COLLAPSE:
            collapse(work.scratch, work.sums, work.totals)
        if parts & UNPACK:
            unpack(kind, work.sums, work.rows, work.columns, work.components, work.moments)
        if parts & MAXIMISE:
            bounds[i] = work.totals[0] / work.totals[1]
            if not maximise(kind, work.moments, reg_covar, work.model, work.spare):
                return -1
            if abs(bounds[i] - bounds[i - 1]) < tol:
                return i
    return len(bounds) - 1
