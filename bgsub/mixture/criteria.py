"""How well a fitted estimator explains rows, in one number: likelihood, criteria, and where anomalies begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bgsub.mixture.diagnosis import warn
from bgsub.mixture.fitted import FittedMixture, anomaly_threshold, counting_weights
from bgsub.mixture.gaussianity import Gaussianity, gaussianity
from bgsub.mixture.input_checks import check_sample_weight, row_count_shortfall
from bgsub.mixture.scikit_learn import rows_of


class Criteria:
    """The methods of `GaussianMixture` that sum up rows."""

    if TYPE_CHECKING:  # the estimator has them
        missing: Any
        threads: int | None

        def fitted_mixture(self) -> FittedMixture:  # noqa: D102 (the estimator's says it)
            ...

        def score_samples(self, X: Any) -> np.ndarray:  # noqa: D102
            ...

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean log-density of the rows (N, D), weighted if weights (N,) are given; `y` is ignored."""
        log_likelihood, total = self._likelihood(X, sample_weight)
        return log_likelihood / total

    def aic(self, X: Any, sample_weight: Any = None) -> float:
        """Return Akaike's information criterion on the rows: the lower the better."""
        return self.criteria(X, sample_weight)["aic"]

    def bic(self, X: Any, sample_weight: Any = None) -> float:
        """Return the Bayesian information criterion on the rows: the lower the better."""
        return self.criteria(X, sample_weight)["bic"]

    def icl(self, X: Any, sample_weight: Any = None) -> float:
        """Return the integrated completed likelihood (`FittedMixture.criteria`) on the rows: the lower the better."""
        return self.criteria(X, sample_weight)["icl"]

    def criteria(self, X: Any, sample_weight: Any = None) -> dict[str, float]:
        """Return 'log_likelihood' (the sum over rows), 'aic', 'bic' and 'icl' from one pass over the rows."""
        X = rows_of(self, X)
        warn_of_shortfall(check_sample_weight(sample_weight, len(X)))
        return self.fitted_mixture().criteria(X, sample_weight, missing=self.missing, threads=self.threads)

    def gaussianity(self, X: Any, sample_weight: Any = None) -> Gaussianity:
        """Return how far the rows (N, D) of each component are from Gaussian: see `bgsub.mixture.gaussianity`."""
        X = rows_of(self, X)
        weights = check_sample_weight(sample_weight, len(X))
        return gaussianity(self.fitted_mixture(), X, weights, threads=self.threads)

    def anomaly_threshold(self, q: float, X: Any = None) -> float:
        """Return the log-density under which a share `q` of the rows lies.

        Rows with `score_samples` below it are the anomalies. The share `q`, above 0 and below 1, is of ordinary rows
        that may be taken for anomalies: of `X` (N, D), or else of rows drawn from the mixture, the same at each call.
        """
        densities = None if X is None else self.score_samples(X)
        return anomaly_threshold(self.fitted_mixture(), q, densities, threads=self.threads)

    def _likelihood(self, X: Any, sample_weight: Any) -> tuple[float, float]:
        """Return the rows' log-likelihood and their total weight."""
        X = rows_of(self, X)
        weights = counting_weights(X, check_sample_weight(sample_weight, len(X)), self.missing)
        total = float(len(X) if weights is None else weights.sum())
        densities = self.fitted_mixture().log_densities(X, missing=self.missing, threads=self.threads)
        return float(np.average(densities, weights=weights)) * total, total


def warn_of_shortfall(weights: np.ndarray | None) -> None:
    """Warn where criteria would take weights for fewer rows than there are."""
    shortfall = row_count_shortfall(weights)
    if shortfall:
        warn(f"{shortfall}: criteria take the sum as the number of rows; scale the weights to sum to that number")
