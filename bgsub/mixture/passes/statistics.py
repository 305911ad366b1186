"""The sums that an E step makes over rows, and the M step: new parameters from the sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bgsub.mixture.kernels import loops
from bgsub.mixture.kernels.buffers import NO_ROWS, NO_WEIGHTS, NO_WORK, empty_spare
from bgsub.mixture.kernels.steps import DIAG, FULL, SPHERICAL, TIED, Model, Moments
from bgsub.mixture.noise import LEAST_KEPT
from bgsub.mixture.parameters import ILL_DEFINED, Parameters
from bgsub.mixture.passes.pieces import readable
from bgsub.mixture.passes.steps import NO_PASS, em_steps

MOST_UNROLLED = 16
"""Features; with more, full and tied covariances are left to kernels and an M step of their own."""

KINDS = {"full": FULL, "tied": TIED, "diag": DIAG, "spherical": SPHERICAL}


class Statistics(NamedTuple):
    """Sums over rows x_i of weight w_i, with r_ik the responsibility of component k under the parameters given.

    `shift` and `scatter` are taken about the means of those parameters, so that nothing cancels far from the origin.
    """

    log_likelihood: float  # sum of w_i log p(x_i)
    total_weight: float  # sum of w_i: the number of rows where no weights are given
    counts: np.ndarray  # (K,): sum of w_i r_ik
    shift: np.ndarray  # (K, D): sum of w_i r_ik (x_i - mean_k)
    scatter: np.ndarray  # sum of w_i r_ik (x_i - mean_k)(x_i - mean_k)^T: (K, D, D); tied (D, D), summed over k;
    # diag (K, D), its diagonals; spherical (K,), its traces
    noise: float = 0.0  # what of the total weight is noise, and in none of the sums after it


Pass = Callable[[Parameters], Statistics]
"""One pass over all rows."""


def add(a: Statistics, b: Statistics) -> Statistics:
    """Return the statistics of two parts of the rows together, both under the same parameters."""
    return Statistics(
        a.log_likelihood + b.log_likelihood,
        a.total_weight + b.total_weight,
        a.counts + b.counts,
        a.shift + b.shift,
        a.scatter + b.scatter,
        a.noise + b.noise,
    )


def maximisation(statistics: Statistics, parameters: Parameters, covariance_type: str, reg_covar: float) -> Parameters:
    """Return the parameters of greatest expected likelihood, as scikit-learn computes them.

    With ``n = counts + 10 eps`` and ``d = shift / n``, the mean moves by d, and the covariance is
    ``scatter / n - d d^T`` (the scatter is about the old mean) with `reg_covar` on its diagonal. A component without
    rows stays where it is.

    Parameters
    ----------
    statistics : Statistics
        Of all rows, under `parameters`.
    parameters : Parameters
        Those of the pass.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of both.
    reg_covar : float
        Added to the diagonal of each covariance.

    Returns
    -------
    new : Parameters

    Raises
    ------
    ValueError
        When a covariance is not positive definite; the text is scikit-learn's.
    """
    kind = KINDS[covariance_type]
    new: Parameters | None
    sums = (statistics.counts, statistics.shift, statistics.scatter)
    if kind in (FULL, TIED) and parameters.means.shape[1] > MOST_UNROLLED:
        from bgsub.mixture.passes.wide_step import wide_maximisation  # here: only wide tables need it

        new = wide_maximisation(*sums, parameters, reg_covar)
    else:
        counts, shift, scatter = (readable(array) for array in sums)
        new = copied(parameters)
        model, moments = model_of(new, kind), Moments(counts, shift, _three_axes(scatter, kind))
        work = NO_WORK._replace(model=model, moments=moments, spare=empty_spare(model))
        new = new if do_part(kind, loops.MAXIMISE, work, reg_covar) >= 0 else None
    if new is None:
        raise ValueError(ILL_DEFINED)
    if statistics.noise > 0:  # the weights of these sums alone sum to 1
        new = new._replace(weights=new.weights * max(1.0 - statistics.noise / statistics.total_weight, LEAST_KEPT))
    return new


def do_part(kind: int, part: int, work: loops.Work, reg_covar: float = 0.0) -> int:
    """Do a part of a step that is no pass; return a negative number where a covariance is not positive definite."""
    return em_steps(kind, part, NO_PASS, NO_ROWS, NO_WEIGHTS, 0, 0, work, reg_covar)


def copied(parameters: Parameters) -> Parameters:
    """Return parameters that a kernel may write to."""
    return Parameters(*(np.array(array, np.float64, order="C") for array in parameters))


def model_of(parameters: Parameters, kind: int) -> Model:
    """Return parameters as kernels read them; what they write arrives where the parameters were `copied`."""
    weights, means, covariances, factors = (readable(array) for array in parameters)
    return Model(weights, means, _three_axes(covariances, kind), _three_axes(factors, kind))


def _three_axes(array: np.ndarray, kind: int) -> np.ndarray:
    """View covariances, or what is of their shape, as kernels want them."""
    if kind == FULL:
        return array
    if kind == TIED:
        return array[None]
    return array[:, None] if kind == DIAG else array[:, None, None]
