"""Whole EM for tables so small that calling a kernel would take longer than running it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.mixture.kernels import buffers, diagonal
from bgsub.mixture.kernels import full as full_covariances
from bgsub.mixture.kernels import tied as tied_covariance
from bgsub.mixture.kernels.stages import Mixture, Outputs, Scratch
from bgsub.mixture.kernels.steps import DIAG, FULL, SPHERICAL, TIED, Model, Moments, collapse, maximise, prepare, unpack
from bgsub.mixture.parameters import Parameters
from bgsub.simd import inline, kernels_of

kernel = kernels_of(__name__)

GOING_ON, CONVERGED, ILL_DEFINED = range(3)


class Work(NamedTuple):
    """All that EM works on."""

    model: Model
    mixture: Mixture
    scratch: Scratch
    outputs: Outputs
    sums: np.ndarray
    totals: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    moments: Moments


def new_work(parameters: Parameters, covariance_type: str, n_rows: int) -> Work:
    """Return work on parameters, which change as it is done."""
    kind = buffers.KINDS[covariance_type]
    n_components, n_features = parameters.means.shape
    scratch = buffers.empty_scratch(n_components, n_features, kind, n_rows)
    return Work(
        buffers.model_of(parameters, kind),
        buffers.empty_mixture(n_components, n_features, kind),
        scratch,
        buffers.NO_OUTPUTS,
        np.zeros(scratch.sums.shape[:2]),
        np.zeros(2),
        *buffers.product_places(n_features, kind),
        buffers.empty_moments(n_components, n_features, kind),
    )


@inline
def after_pass(kind, work, reg_covar, tol, bounds, i):
    """Do the M step and record the lower bound; return whether to go on."""
    collapse(work.scratch, work.sums, work.totals)
    unpack(kind, work.sums, work.rows, work.columns, work.mixture, work.moments)
    bounds[i + 1] = work.totals[0] / work.totals[1]
    if not maximise(kind, work.moments, reg_covar, work.model):
        return ILL_DEFINED
    return CONVERGED if abs(bounds[i + 1] - bounds[i]) < tol else GOING_ON


@kernel
def full(X, weights, work, reg_covar, tol, bounds, size, rest):
    """Do a step for each of ``bounds[1:]``, the lower bounds, or fewer; return how it ended, and after how many."""
    for i in range(len(bounds) - 1):
        prepare(FULL, work.model, work.mixture)
        full_covariances.full(X, weights, 0, len(X), work.mixture, work.scratch, work.outputs, size, rest)
        state = after_pass(FULL, work, reg_covar, tol, bounds, i)
        if state != GOING_ON:
            return state, i + 1
    return GOING_ON, len(bounds) - 1


@kernel
def tied(X, weights, work, reg_covar, tol, bounds, size, rest):
    """Do a step for each of ``bounds[1:]``, the lower bounds, or fewer; return how it ended, and after how many."""
    for i in range(len(bounds) - 1):
        prepare(TIED, work.model, work.mixture)
        tied_covariance.tied(X, weights, 0, len(X), work.mixture, work.scratch, work.outputs, size, rest)
        state = after_pass(TIED, work, reg_covar, tol, bounds, i)
        if state != GOING_ON:
            return state, i + 1
    return GOING_ON, len(bounds) - 1


@kernel
def diag(X, weights, work, reg_covar, tol, bounds, size, rest):
    """Do a step for each of ``bounds[1:]``, the lower bounds, or fewer; return how it ended, and after how many."""
    for i in range(len(bounds) - 1):
        prepare(DIAG, work.model, work.mixture)
        diagonal.diag(X, weights, 0, len(X), work.mixture, work.scratch, work.outputs, rest)
        state = after_pass(DIAG, work, reg_covar, tol, bounds, i)
        if state != GOING_ON:
            return state, i + 1
    return GOING_ON, len(bounds) - 1


@kernel
def spherical(X, weights, work, reg_covar, tol, bounds, size, rest):
    """Do a step for each of ``bounds[1:]``, the lower bounds, or fewer; return how it ended, and after how many."""
    for i in range(len(bounds) - 1):
        prepare(SPHERICAL, work.model, work.mixture)
        diagonal.spherical(X, weights, 0, len(X), work.mixture, work.scratch, work.outputs, rest)
        state = after_pass(SPHERICAL, work, reg_covar, tol, bounds, i)
        if state != GOING_ON:
            return state, i + 1
    return GOING_ON, len(bounds) - 1
