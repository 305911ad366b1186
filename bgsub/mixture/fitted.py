"""A mixture of which all parameters are known, and what it says of rows: densities, components, criteria, samples.

Nothing here is fitted, and nothing needs scikit-learn: who only applies a mixture imports this file and no other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.input_checks import check_sample_weight
from bgsub.mixture.parameters import Parameters, matrices_of, n_parameters
from bgsub.mixture.passes.cpu import log_density
from bgsub.mixture.passes.missing import observed_counts, observed_log_density
from bgsub.mixture.settings import CovarianceType, Missing
from bgsub.notebook import MOST_ROWS, counted, html_table

_DRAWS = 100_000  # for the distribution of the density, where no rows are given
ROWS_A_BLOCK = 1 << 14  # whose responsibilities are in memory together


@dataclass(frozen=True, eq=False, repr=False)
class FittedMixture:
    """A mixture of K Gaussians over D features.

    Rows are float32 or float64 arrays of shape (N, D). Their width is checked, their values are not: what is not
    finite gives what is not finite. With ``missing="em"`` NaN is what is not known, and a row counts by
    what it holds. `threads` is the number of threads that share the rows, None for all that the
    process may use; no result depends on it.

    Attributes
    ----------
    parameters : Parameters
        Weights, means, covariances and factors of the precisions, float64.
    covariance_type : {"full", "tied", "diag", "spherical"}
        What the covariances are.
    """

    parameters: Parameters
    covariance_type: CovarianceType

    def __repr__(self) -> str:
        components = counted(self.n_components, "component")
        return f"FittedMixture({components}, {counted(self.n_features, 'feature')}, {self.covariance_type})"

    def _repr_html_(self) -> str:
        return self.shown()

    def shown(self, names: Sequence[str] | None = None) -> str:
        """Return the components as a small table of HTML, for a notebook; `names` are those of the features."""
        names = [f"feature {i}" for i in range(self.n_features)] if names is None else names
        return components_table(repr(self), names, self.weights, self.means, self.deviations)

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.parameters.weights)

    @property
    def n_features(self) -> int:
        """D."""
        return self.parameters.means.shape[1]

    @property
    def n_parameters(self) -> int:
        """Number of free parameters."""
        return n_parameters(self.n_components, self.n_features, self.covariance_type)

    @property
    def weights(self) -> np.ndarray:
        """Weights (K,) of the components, which sum to 1."""
        return self.parameters.weights

    @property
    def means(self) -> np.ndarray:
        """Their means (K, D)."""
        return self.parameters.means

    @property
    def covariances(self) -> np.ndarray:
        """Their covariances, in the shape of the type."""
        return self.parameters.covariances

    @property
    def precisions_cholesky(self) -> np.ndarray:
        """Factors U of the precisions U U^T, in the shape of the type."""
        return self.parameters.precisions_cholesky

    @property
    def matrices(self) -> np.ndarray:
        """Their covariances as matrices (K, D, D), whatever the type."""
        return matrices_of(self.covariances, self.covariance_type, self.n_components, self.n_features)

    @property
    def deviations(self) -> np.ndarray:
        """Standard deviations (K, D) of the features in each component."""
        variances = self.covariances
        if self.covariance_type in ("full", "tied"):
            variances = np.diagonal(variances, axis1=-2, axis2=-1)
        elif self.covariance_type == "spherical":
            variances = variances[:, None]
        return np.broadcast_to(np.sqrt(variances), self.means.shape)

    def log_densities(self, X: np.ndarray, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return log p(x) of each row, float64 of shape (N,); of a row that holds nothing 0."""
        return self._read(X, missing, threads)

    def labels(self, X: np.ndarray, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return the most probable component of each row, intp of shape (N,); of a row that holds nothing -1."""
        found = np.empty(len(X), np.intp)
        self._read(X, missing, threads, labels=found)
        return found

    def responsibilities(self, X: np.ndarray, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return each row's probability of belonging to each component, float64 of shape (N, K)."""
        found = np.empty((len(X), self.n_components))
        self._read(X, missing, threads, responsibilities=found)
        return found

    def score(
        self, X: np.ndarray, sample_weight: object = None, *, missing: Missing = "error", threads: int | None = None
    ) -> float:
        """Return the mean log-density of the rows, weighted by `sample_weight` (N,) where that is given."""
        weights = counting_weights(X, check_sample_weight(sample_weight, len(X)), missing)
        return float(np.average(self.log_densities(X, missing=missing, threads=threads), weights=weights))

    def criteria(
        self, X: np.ndarray, sample_weight: object = None, *, missing: Missing = "error", threads: int | None = None
    ) -> dict[str, float]:
        """Return 'log_likelihood' (the sum over rows), 'aic', 'bic' and 'icl' from one pass over the rows.

        The ICL, the integrated completed likelihood, is the BIC plus twice the entropy of the responsibilities, so that
        it counts clusters where the BIC counts the Gaussians that a density needs (Biernacki, Celeux & Govaert 2000;
        McLachlan & Peel 2000, section 6.10.3). Of all three, the lower the better. A row with gaps counts as a row,
        one that holds nothing does not.
        """
        weights = check_sample_weight(sample_weight, len(X))
        log_likelihood = entropy = total = 0.0
        for start in range(0, len(X), ROWS_A_BLOCK):
            rows = X[start : start + ROWS_A_BLOCK]
            r = np.empty((len(rows), self.n_components))
            densities = self._read(rows, missing, threads, responsibilities=r)
            uncertainty = -(r * np.log(np.maximum(r, np.finfo(np.float64).tiny))).sum(axis=1)
            w = counting_weights(rows, None if weights is None else weights[start : start + len(rows)], missing)
            w = np.ones(len(rows)) if w is None else w
            log_likelihood += float(w @ densities)
            entropy += float(w @ uncertainty)
            total += float(w.sum())
        bic = -2.0 * log_likelihood + self.n_parameters * math.log(total)
        aic = -2.0 * log_likelihood + 2.0 * self.n_parameters
        return {"log_likelihood": log_likelihood, "aic": aic, "bic": bic, "icl": bic + 2.0 * entropy}

    def impute(
        self,
        X: np.ndarray,
        n_imputations: int | None = None,
        random: np.random.RandomState | None = None,
        *,
        threads: int | None = None,
    ) -> np.ndarray:
        """Return rows of which the gaps are filled in, of the type of `X`: `GaussianMixture.impute`.

        Raises
        ------
        ParameterError
            When the rows are of another width, or no table is asked for.
        """
        from bgsub.mixture.imputation import drawn, expected  # here: few need it

        self._check_width(X)
        if n_imputations is None:
            return expected(X, self.parameters, self.covariance_type, threads=threads)
        random = np.random.RandomState() if random is None else random
        return drawn(X, self.parameters, self.covariance_type, n_imputations, random, threads=threads)

    def sample(self, n_samples: int, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, float64 of shape (n, D), component by component, and the component of each, int64 of shape (n,).

        Raises
        ------
        ParameterError
            When no row is asked for.
        """
        return draw(self.parameters, self.covariance_type, n_samples, random)

    def reordered(self, order: np.ndarray) -> FittedMixture:
        """Return the same mixture, of which component ``order[k]`` is number k."""
        weights, means, covariances, factors = self.parameters
        if self.covariance_type != "tied":  # else there is one for all
            covariances, factors = covariances[order], factors[order]
        return FittedMixture(Parameters(weights[order], means[order], covariances, factors), self.covariance_type)

    def _read(self, X: np.ndarray, missing: Missing, threads: int | None, **outputs: np.ndarray) -> np.ndarray:
        self._check_width(X)
        read = observed_log_density if missing == "em" else log_density
        return read(X, self.parameters, self.covariance_type, threads=threads, **outputs)

    def _check_width(self, X: np.ndarray) -> None:
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise ParameterError(
                f"rows have the shape {X.shape}, the mixture {self.n_features} features: give rows of that width"
            )


def counting_weights(X: np.ndarray, weights: np.ndarray | None, missing: Missing) -> np.ndarray | None:
    """Return weights (N,) with 0 for rows that hold nothing; None where every row counts as 1."""
    if missing == "error":
        return weights
    holds = observed_counts(X) > 0
    if holds.all():
        return weights
    return holds.astype(np.float64) if weights is None else weights * holds


def draw(
    parameters: Parameters, covariance_type: str, n_samples: int, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Do the work of `FittedMixture.sample`, for parameters of any floating type: scikit-learn's rows, to the bit."""
    weights, means, covariances, _ = parameters
    if n_samples < 1:
        raise ParameterError(f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one sample.")
    counts = random.multinomial(n_samples, np.asarray(weights, dtype=np.float64))
    parts = []
    for k, count in enumerate(counts):
        covariance = covariances if covariance_type == "tied" else covariances[k]
        if covariance_type in ("full", "tied"):
            parts.append(random.multivariate_normal(means[k], covariance, int(count)))
        else:
            parts.append(means[k] + random.standard_normal(size=(count, means.shape[1])) * np.sqrt(covariance))
    return np.vstack(parts).astype(np.float64), np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def anomaly_threshold(
    mixture: FittedMixture, q: float, densities: np.ndarray | None = None, *, threads: int | None = None
) -> float:
    """Return the log-density under which a share `q` of rows lies: of those of some densities, or drawn ones.

    Raises
    ------
    ParameterError
        When `q` is not above 0 and below 1.
    """
    if not 0 < q < 1:
        raise ParameterError(f"q is {q!r}: give a share above 0 and below 1")
    if densities is None:
        densities = mixture.log_densities(mixture.sample(_DRAWS, np.random.RandomState(0))[0], threads=threads)
    return float(np.quantile(densities, q))


def components_table(
    caption: str, names: Sequence[str], weights: np.ndarray, means: np.ndarray, deviations: np.ndarray
) -> str:
    """Return components for a notebook: of each its weight and, of each feature, mean and standard deviation.

    Parameters
    ----------
    caption : str
        A line above the table.
    names : sequence of str
        Of the features.
    weights, means, deviations : ndarray, shapes (K,), (K, D) and (K, D)
        Of the components, in the units to be shown.
    """

    def row(k: int) -> list[object]:
        figures = zip(means[k].tolist(), deviations[k].tolist(), strict=True)
        return [
            k,
            f"{weights[k]:.1%}",
            *(f"{mean:.4g} \N{PLUS-MINUS SIGN} {deviation:.2g}" for mean, deviation in figures),
        ]

    rows = [row(k) if k < MOST_ROWS else [] for k in range(len(weights))]
    return html_table(caption, ["component", "weight", *names], rows)
