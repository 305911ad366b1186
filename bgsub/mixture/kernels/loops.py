"""Whole EM for tables so small that calling a kernel would take longer than running it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.mixture.kernels import diagonal
from bgsub.mixture.kernels import full as full_covariances
from bgsub.mixture.kernels import tied as tied_covariance
from bgsub.mixture.kernels.stages import Components, Outputs, Scratch
from bgsub.mixture.kernels.steps import DIAG, FULL, SPHERICAL, TIED, Model, Moments, collapse, maximise, prepare, unpack
from bgsub.simd import inline, kernels_of

kernel = kernels_of(__name__)


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


@inline
def em_steps(kind, one_pass, X, weights, work, reg_covar, tol, bounds, sizes):
    """Do a step for each of ``bounds[1:]``, the lower bounds, or fewer; ``bounds[0]`` is that of the step before.

    Return after how many the bound changed by less than `tol`, or all were done; -1 where a covariance is not positive
    definite.
    """
    for i in range(len(bounds) - 1):
        prepare(kind, work.model, work.components)
        one_pass(X, weights, 0, len(X), work.components, work.scratch, work.outputs, *sizes)
        collapse(work.scratch, work.sums, work.totals)
        unpack(kind, work.sums, work.rows, work.columns, work.components, work.moments)
        bounds[i + 1] = work.totals[0] / work.totals[1]
        if not maximise(kind, work.moments, reg_covar, work.model):
            return -1
        if abs(bounds[i + 1] - bounds[i]) < tol:
            return i + 1
    return len(bounds) - 1


@kernel
def full(X, weights, work, reg_covar, tol, bounds, sizes):
    """Do `em_steps` with full covariances."""
    return em_steps(FULL, full_covariances.full, X, weights, work, reg_covar, tol, bounds, sizes)


@kernel
def tied(X, weights, work, reg_covar, tol, bounds, sizes):
    """Do `em_steps` with one covariance for all components."""
    return em_steps(TIED, tied_covariance.tied, X, weights, work, reg_covar, tol, bounds, sizes)


@kernel
def diag(X, weights, work, reg_covar, tol, bounds, sizes):
    """Do `em_steps` with diagonal covariances."""
    return em_steps(DIAG, diagonal.diag, X, weights, work, reg_covar, tol, bounds, sizes)


@kernel
def spherical(X, weights, work, reg_covar, tol, bounds, sizes):
    """Do `em_steps` with spherical covariances."""
    return em_steps(SPHERICAL, diagonal.spherical, X, weights, work, reg_covar, tol, bounds, sizes)
