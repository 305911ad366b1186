"""One step of stepwise EM, for rows that come a batch at a time and are not kept."""

from __future__ import annotations

import numpy as np

from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.statistics import Statistics, maximisation


def stepwise_update(
    batch: Statistics, parameters: Parameters, covariance_type: str, reg_covar: float, rate: float
) -> Parameters:
    """Return the parameters after a batch.

    The online EM recursion of Cappé & Moulines 2009, section 2.2: the expected sufficient statistics s become
    (1 - rate) s + rate s_batch, and the M step is made from them. Nothing but the parameters need be kept, since the
    M step can be undone: their own statistics, relative to their means, are the weights, no shift, and the covariances
    less `reg_covar`.

    Parameters
    ----------
    batch : Statistics
        Of the batch's rows under `parameters`.
    parameters : Parameters
        Those before.
    covariance_type : str
        One of scikit-learn's four.
    reg_covar : float
        What the M step adds to the diagonals.
    rate : float
        Share of the batch in the average, above 0 and at most 1.
    """
    noise = 1.0 - float(parameters.weights.sum()) if batch.noise > 0 else 0.0
    old = _own_statistics(parameters, covariance_type, reg_covar, noise)
    keep, share = 1.0 - rate, rate / batch.total_weight
    mixed = Statistics(
        0.0,
        1.0,
        keep * old.counts + share * batch.counts,
        share * batch.shift,  # the old means are the reference: no shift of their own
        keep * old.scatter + share * batch.scatter,
        keep * old.noise + share * batch.noise,
    )
    return maximisation(mixed, parameters, covariance_type, reg_covar)


def _own_statistics(parameters: Parameters, covariance_type: str, reg_covar: float, noise: float) -> Statistics:
    """Return the statistics, for a total weight of 1 of which some is noise, that the M step made `parameters` of."""
    weights, means, covariances, _ = parameters
    n_features = means.shape[1]
    if covariance_type == "full":
        scatter = weights[:, None, None] * (covariances - reg_covar * np.eye(n_features))
    elif covariance_type == "tied":
        scatter = (1.0 - noise) * (covariances - reg_covar * np.eye(n_features))
    elif covariance_type == "diag":
        scatter = weights[:, None] * (covariances - reg_covar)
    else:
        scatter = weights * (covariances - reg_covar) * n_features
    return Statistics(0.0, 1.0, weights, np.zeros_like(means), scatter, noise)
