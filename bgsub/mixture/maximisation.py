"""The M step: new parameters from the sums of a pass."""

from __future__ import annotations

from bgsub.mixture.kernels.buffers import KINDS, copied, matrices, model_of
from bgsub.mixture.kernels.steps import Moments, maximise
from bgsub.mixture.parameters import ILL_DEFINED, Parameters
from bgsub.mixture.passes import Statistics


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
    new = copied(parameters)
    moments = Moments(statistics.counts, statistics.shift, matrices(statistics.scatter, kind))
    if not maximise(kind, moments, reg_covar, model_of(new, kind)):
        raise ValueError(ILL_DEFINED)
    return new
