"""A mixture of which all parameters are known, and what it says of rows: densities, components, criteria, samples.

Nothing here is fitted, and nothing needs scikit-learn: who only applies a mixture imports this file and no other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.input_checks import check_sample_weight
from bgsub.mixture.noise import NOISE, Noise
from bgsub.mixture.parameters import Parameters, matrices_of, n_parameters
from bgsub.mixture.passes.cpu import log_density
from bgsub.mixture.passes.missing import observed_counts, observed_log_density
from bgsub.mixture.settings import CovarianceType, Missing
from bgsub.notebook import MOST_ROWS, counted, html_table

_DRAWS = 100_000  # for the distribution of the density, where no rows are given
ROWS_A_BLOCK = 1 << 14  # whose responsibilities are in memory together


class Judged(NamedTuple):
    """What a mixture says of rows.

    Attributes
    ----------
    responsibilities : ndarray, shape (N, K)
        Of each component; a row's sum to 1, less its share of noise.
    noise : ndarray, shape (N,)
        The probability of belonging to no component.
    log_densities : ndarray, shape (N,)
        Of the whole mixture.
    of_components : ndarray, shape (N,)
        Of the components alone: lower in the order in which rows are unusual, where noise has one density everywhere.
    """

    responsibilities: np.ndarray
    noise: np.ndarray
    log_densities: np.ndarray
    of_components: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """The most probable component (N,), -1 where that is none."""
        best = self.responsibilities.argmax(axis=1)
        return np.where(self.noise > self.responsibilities.max(axis=1, initial=0.0), NOISE, best)


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
        The weights sum to 1, whatever noise there is.
    covariance_type : {"full", "tied", "diag", "spherical"}
        What the covariances are.
    noise : Noise or None
        What a row belongs to that is of no component; not together with ``missing="em"``.
    cutoff : float or None
        The log-density below which a row is of no component.
    """

    parameters: Parameters
    covariance_type: CovarianceType
    noise: Noise | None = None
    cutoff: float | None = None

    def __repr__(self) -> str:
        components = counted(self.n_components, "component")
        noise = ", noise" * (self.noise is not None) + ", trimmed" * (self.cutoff is not None)
        return f"FittedMixture({components}, {counted(self.n_features, 'feature')}, {self.covariance_type}{noise})"

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
        """Number of free parameters; noise has two, its weight and its volume, as mclust counts."""
        of_components = n_parameters(self.n_components, self.n_features, self.covariance_type)
        return of_components + (2 if self.noise is not None else 0)

    @property
    def weights(self) -> np.ndarray:
        """Weights (K,) of the components, which sum to 1, less that of the noise."""
        weights = self.parameters.weights
        return weights if self.noise is None else weights * (1.0 - self.noise.weight)

    @property
    def whole(self) -> Parameters:
        """The parameters with these weights, which tell of the noise too: where EM with noise goes on."""
        return self.parameters if self.noise is None else self.parameters._replace(weights=self.weights)

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
        found = self._read(X, missing, threads)
        return found if self.noise is None else self.noise.total(found, X)

    def labels(self, X: np.ndarray, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return the most probable component of each row, intp of shape (N,).

        -1 is a row that is most probably noise, or below the `cutoff`, or holds nothing.
        """
        found = np.empty(len(X), np.intp)
        if self.noise is None:
            densities = self._read(X, missing, threads, labels=found)
            if self.cutoff is not None:
                found[densities < self.cutoff] = NOISE
            return found
        for start in range(0, len(X), ROWS_A_BLOCK):
            rows = slice(start, start + ROWS_A_BLOCK)
            found[rows] = self.judge(X[rows], missing=missing, threads=threads).labels
        return found

    def responsibilities(self, X: np.ndarray, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return each row's probability of belonging to each component, float64 of shape (N, K).

        A row's sum to 1, less its share of noise; those of a row below the `cutoff` are 0.
        """
        return self.judge(X, missing=missing, threads=threads).responsibilities

    def noise_shares(self, X: np.ndarray, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return each row's probability of belonging to no component, (N,); 1 or 0 where a `cutoff` decides."""
        return self._noise_of(self._read(X, missing, threads))

    def judge(self, X: np.ndarray, *, missing: Missing = "error", threads: int | None = None) -> Judged:
        """Return all that is said of rows, from one pass over them."""
        found = np.empty((len(X), self.n_components))
        of_components = self._read(X, missing, threads, responsibilities=found)
        noise = self._noise_of(of_components)
        if self.has_outliers:
            found *= (1.0 - noise)[:, None]
        whole = of_components if self.noise is None else self.noise.total(of_components, X)
        return Judged(found, noise, whole, of_components)

    @property
    def has_outliers(self) -> bool:
        """Whether a row can belong to no component."""
        return self.noise is not None or self.cutoff is not None

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
        one that holds nothing does not, and neither does one below the `cutoff`.
        """
        weights = check_sample_weight(sample_weight, len(X))
        return self.criteria_of(self.criterion_sums(X, weights, missing=missing, threads=threads))

    def criterion_sums(
        self, X: np.ndarray, weights: np.ndarray | None, *, missing: Missing = "error", threads: int | None = None
    ) -> np.ndarray:
        """Return what `criteria` are made of, and what adds up over parts of the rows: likelihood, entropy, weight."""
        sums = np.zeros(3)
        for start in range(0, len(X), ROWS_A_BLOCK):
            rows = X[start : start + ROWS_A_BLOCK]
            r = np.empty((len(rows), self.n_components))
            densities = self._read(rows, missing, threads, responsibilities=r)
            noise = self._noise_of(densities)
            if self.noise is not None:
                r *= (1.0 - noise)[:, None]
                r, densities = np.column_stack([r, noise]), self.noise.total(densities, rows)
            uncertainty = -(r * np.log(np.maximum(r, np.finfo(np.float64).tiny))).sum(axis=1)
            w = counting_weights(rows, None if weights is None else weights[start : start + len(rows)], missing)
            w = np.ones(len(rows)) if w is None else w
            if self.cutoff is not None:
                w, densities = w * (noise == 0), np.maximum(densities, self.cutoff)  # 0 times -inf would be NaN
            sums += w @ densities, w @ uncertainty, w.sum()
        return sums

    def criteria_of(self, sums: np.ndarray) -> dict[str, float]:
        """Return the `criteria` of rows of which these are the `criterion_sums`."""
        log_likelihood, entropy, total = sums.tolist()
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

        Noise comes last, with the label -1.

        Raises
        ------
        ParameterError
            When no row is asked for.
        """
        return draw(self.parameters, self.covariance_type, n_samples, random, self.noise)

    def reordered(self, order: np.ndarray) -> FittedMixture:
        """Return the same mixture, of which component ``order[k]`` is number k."""
        weights, means, covariances, factors = self.parameters
        if self.covariance_type != "tied":  # else there is one for all
            covariances, factors = covariances[order], factors[order]
        return replace(self, parameters=Parameters(weights[order], means[order], covariances, factors))

    def _noise_of(self, log_densities: np.ndarray) -> np.ndarray:
        """Return the share of noise (N,) of rows of these densities under the components alone."""
        if self.noise is not None:
            return self.noise.shares(log_densities)
        return np.zeros(len(log_densities)) if self.cutoff is None else (log_densities < self.cutoff).astype(np.float64)

    def _read(self, X: np.ndarray, missing: Missing, threads: int | None, **outputs: np.ndarray) -> np.ndarray:
        self._check_width(X)
        if missing == "em" and self.noise is not None:
            raise ParameterError("a mixture with noise needs complete rows: leave out missing='em'")
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
    parameters: Parameters,
    covariance_type: str,
    n_samples: int,
    random: np.random.RandomState,
    noise: Noise | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Do the work of `FittedMixture.sample`, for parameters of any floating type: scikit-learn's rows, to the bit."""
    weights, means, covariances, _ = parameters
    if n_samples < 1:
        raise ParameterError(f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one sample.")
    shares = np.asarray(weights, dtype=np.float64)
    n_noise = 0 if noise is None else int(random.binomial(n_samples, noise.weight))
    counts = random.multinomial(n_samples - n_noise, shares)
    parts = []
    for k, count in enumerate(counts):
        covariance = covariances if covariance_type == "tied" else covariances[k]
        if covariance_type in ("full", "tied"):
            parts.append(random.multivariate_normal(means[k], covariance, int(count)))
        else:
            parts.append(means[k] + random.standard_normal(size=(count, means.shape[1])) * np.sqrt(covariance))
    labels = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    if noise is not None:
        parts.append(noise.region.draw(n_noise, random))
        labels = np.append(labels, np.full(n_noise, NOISE))
    return np.vstack(parts).astype(np.float64), labels


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
        ordinary = draw(mixture.parameters, mixture.covariance_type, _DRAWS, np.random.RandomState(0))[0]
        densities = mixture.log_densities(ordinary, threads=threads)
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
