"""The order of a mixture's components, which chance decides otherwise."""

from __future__ import annotations

import numpy as np

from bgsub.mixture.estimator import GaussianMixture


def reorder(mixture: GaussianMixture, order: np.ndarray) -> None:
    """Put the components of a fitted mixture in another order, (K,) of int: component `order[k]` becomes k."""
    names = ["weights_", "means_"]
    if mixture.covariance_type != "tied":  # else there is one for all
        names += ["covariances_", "precisions_", "precisions_cholesky_"]
    for name in names:
        setattr(mixture, name, getattr(mixture, name)[order])
