"""What a fitted mixture tells about rows: densities, components, criteria, samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bgsub.errors import ParameterError
from bgsub.mixture.input_checks import check_finite, check_sample_weight
from bgsub.mixture.parameters import Parameters, n_parameters
from bgsub.mixture.passes import log_density
from bgsub.threads import usable_threads

_ROWS_A_BLOCK = 1 << 14  # whose responsibilities are in memory together
_DRAWS = 100_000  # for the distribution of the density, where no rows are given


class ReadingMixture(DensityMixin, BaseEstimator):
    """The half of `GaussianMixture` that reads parameters and changes none."""

    n_components: int
    covariance_type: str
    random_state: Any
    threads: int | None

    weights_: np.ndarray
    means_: np.ndarray
    covariances_: np.ndarray
    precisions_: np.ndarray
    precisions_cholesky_: np.ndarray
    n_features_in_: int

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the log-density of each row.

        Parameters
        ----------
        X : array-like, shape (N, D)
            The rows.

        Returns
        -------
        ndarray, shape (N,)
            log p(x); float32 where both `X` and the model are, else float64.
        """
        X = self._rows(X)
        return self._in_dtype_of(X, log_density(X, self._parameters(), self.covariance_type, threads=self._threads))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean log-density of the rows, weighted if weights are given.

        Parameters
        ----------
        X : array-like, shape (N, D)
            The rows.
        y : ignored
            Present for scikit-learn's conventions.
        sample_weight : array-like, shape (N,), optional
            Weights of the rows, 0 or more; a weight of 2 counts as the row twice.
        """
        densities = self.score_samples(X)
        return float(np.average(densities, weights=check_sample_weight(sample_weight, len(densities))))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable component of each row, integers of shape (N,)."""
        X = self._rows(X)
        labels = np.empty(len(X), dtype=np.intp)
        log_density(X, self._parameters(), self.covariance_type, threads=self._threads, labels=labels)
        return labels

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return each row's probability of belonging to each component, shape (N, n_components)."""
        X = self._rows(X)
        shares = np.empty((len(X), len(self.weights_)))
        log_density(X, self._parameters(), self.covariance_type, threads=self._threads, responsibilities=shares)
        return self._in_dtype_of(X, shares)

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows from the mixture, the same ones as scikit-learn for the same `random_state`.

        Parameters
        ----------
        n_samples : int
            How many rows.

        Returns
        -------
        X : float64 ndarray, shape (n_samples, D)
            The rows, component by component.
        y : int64 ndarray, shape (n_samples,)
            The component each was drawn from.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ParameterError(
                f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one sample."
            )
        random = check_random_state(self.random_state)
        counts = random.multinomial(n_samples, np.asarray(self.weights_, dtype=np.float64))
        tied = self.covariance_type == "tied"
        covariances = [self.covariances_] * len(counts) if tied else self.covariances_
        parts = []
        for mean, covariance, count in zip(self.means_, covariances, counts, strict=True):
            if self.covariance_type in ("full", "tied"):
                parts.append(random.multivariate_normal(mean, covariance, int(count)))
            else:
                parts.append(mean + random.standard_normal(size=(count, len(mean))) * np.sqrt(covariance))
        return np.vstack(parts).astype(np.float64), np.repeat(np.arange(len(counts), dtype=np.int64), counts)

    def aic(self, X: Any, sample_weight: Any = None) -> float:
        """Return Akaike's information criterion on the rows: the lower the better."""
        log_likelihood, _ = self._likelihood(X, sample_weight)
        return -2.0 * log_likelihood + 2.0 * self._n_parameters()

    def bic(self, X: Any, sample_weight: Any = None) -> float:
        """Return the Bayesian information criterion on the rows: the lower the better."""
        log_likelihood, total = self._likelihood(X, sample_weight)
        return -2.0 * log_likelihood + self._n_parameters() * math.log(total)

    def icl(self, X: Any, sample_weight: Any = None) -> float:
        """Return the integrated completed likelihood criterion on the rows: the lower the better.

        The BIC plus twice the entropy of the responsibilities, so that it counts clusters where the BIC counts the
        Gaussians that a density needs (Biernacki, Celeux & Govaert 2000; McLachlan & Peel 2000, section 6.10.3).
        """
        return self.criteria(X, sample_weight)["icl"]

    def criteria(self, X: Any, sample_weight: Any = None) -> dict[str, float]:
        """Return 'log_likelihood' (the sum over rows), 'aic', 'bic' and 'icl' from one pass over the rows."""
        X = self._rows(X)
        return self._criteria(X, check_sample_weight(sample_weight, len(X)))

    def _criteria(self, X: np.ndarray, weights: np.ndarray | None) -> dict[str, float]:
        """Do the work of `criteria` for rows and weights that are checked."""
        parameters, threads = self._parameters(), self._threads
        buffer = np.empty((min(_ROWS_A_BLOCK, len(X)), len(self.weights_)))
        log_likelihood = entropy = 0.0
        for start in range(0, len(X), _ROWS_A_BLOCK):
            rows = X[start : start + _ROWS_A_BLOCK]
            r = buffer[: len(rows)]
            densities = log_density(rows, parameters, self.covariance_type, threads=threads, responsibilities=r)
            uncertainty = -(r * np.log(np.maximum(r, np.finfo(np.float64).tiny))).sum(axis=1)
            w = np.ones(len(rows)) if weights is None else weights[start : start + len(rows)]
            log_likelihood += float(w @ densities)
            entropy += float(w @ uncertainty)
        free, total = self._n_parameters(), float(len(X) if weights is None else weights.sum())
        bic = -2.0 * log_likelihood + free * math.log(total)
        aic = -2.0 * log_likelihood + 2.0 * free
        return {"log_likelihood": log_likelihood, "aic": aic, "bic": bic, "icl": bic + 2.0 * entropy}

    def anomaly_threshold(self, q: float, X: Any = None) -> float:
        """Return the log-density under which a share `q` of the rows lies.

        Rows with `score_samples` below it are the anomalies: ``X[model.score_samples(X) < threshold]``.

        Parameters
        ----------
        q : float
            The share of ordinary rows that may be taken for anomalies, above 0 and below 1.
        X : array-like, shape (N, D), optional
            Ordinary rows; without, rows drawn from the mixture itself, the same at each call.
        """
        check_is_fitted(self)
        if not 0 < q < 1:
            raise ParameterError(f"q is {q!r}: give a share above 0 and below 1")
        if X is None:
            drawn = self.__class__._of(self._parameters(), self.covariance_type, random_state=0).sample(_DRAWS)[0]
            densities = log_density(drawn, self._parameters(), self.covariance_type, threads=self._threads)
        else:
            densities = self.score_samples(X)
        return float(np.quantile(densities, q))

    def _likelihood(self, X: Any, sample_weight: Any) -> tuple[float, float]:
        """Return the rows' log-likelihood and their total weight."""
        densities = self.score_samples(X)
        weights = check_sample_weight(sample_weight, len(densities))
        total = float(len(densities) if weights is None else weights.sum())
        return float(np.average(densities, weights=weights)) * total, total

    def _n_parameters(self) -> int:
        """Return the number of free parameters."""
        return n_parameters(self.means_.shape[0], self.means_.shape[1], self.covariance_type)

    @property
    def _threads(self) -> int:
        return usable_threads(self.threads)

    def _parameters(self) -> Parameters:
        """Return the fitted attributes as the kernels take them."""
        fitted = (self.weights_, self.means_, self.covariances_, self.precisions_cholesky_)
        return Parameters(*(np.ascontiguousarray(values, dtype=np.float64) for values in fitted))

    def _names(self) -> Sequence[str] | None:
        """Return the features' names, if they have any."""
        return getattr(self, "feature_names_in_", None)

    def _set_parameters(self, parameters: Parameters, dtype: Any = np.float64) -> None:
        """Make `parameters` the fitted ones, in the dtype of the rows they came from."""
        cholesky = parameters.precisions_cholesky
        full = self.covariance_type in ("full", "tied")
        precisions = cholesky @ np.swapaxes(cholesky, -1, -2) if full else cholesky**2
        self.weights_ = parameters.weights.astype(dtype)
        self.means_ = parameters.means.astype(dtype)
        self.covariances_ = parameters.covariances.astype(dtype)
        self.precisions_cholesky_ = cholesky.astype(dtype)
        self.precisions_ = precisions.astype(dtype)

    def _rows(self, X: Any) -> np.ndarray:
        """Return rows of the model's width, checked."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32], ensure_all_finite=False)
        check_finite(X, self._names())
        return X

    def _in_dtype_of(self, X: np.ndarray, result: np.ndarray) -> np.ndarray:
        return result.astype(np.result_type(X.dtype, self.means_.dtype), copy=False)
