"""`GaussianMixture`: scikit-learn's estimator, on passes over the rows that are compiled and need no N x K array."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from bgsub.mixture import scikit_learn
from bgsub.mixture.criteria import Criteria, warn_of_shortfall
from bgsub.mixture.diagnosis import NOT_CONVERGED, tell_of_collapse
from bgsub.mixture.em.rules import EMResult
from bgsub.mixture.em.training_data import Blocks, RowsInBlocks, RowsInMemory, TrainingData
from bgsub.mixture.fitted import FittedMixture, draw
from bgsub.mixture.fitting import Fit, FitOptions, fit, improve
from bgsub.mixture.given_parameters import FromParameters
from bgsub.mixture.input_checks import check_finite, check_sample_weight
from bgsub.mixture.model_files import load_mixture, save_mixture
from bgsub.mixture.noise import Noise
from bgsub.mixture.parameters import Parameters, separated
from bgsub.mixture.partly_known import PartlyKnown
from bgsub.mixture.settings import CovarianceType, InitParams, Missing, NoiseRegion, Order


class GaussianMixture(FromParameters, PartlyKnown, Criteria, DensityMixin, BaseEstimator):
    """Gaussian mixture fitted by EM, a drop-in for scikit-learn's class of the same name.

    The parameters up to `verbose_interval`, the fitted attributes and the methods are scikit-learn's; given the same
    start, so are the steps. Rows are never copied and no array of N x K numbers is made while fitting. With float32
    rows the sums are made in float64, and the fitted attributes are float32, as in scikit-learn.

    The defaults are scikit-learn's, too, so that fits can be compared. `bgsub.select` and `bgsub cluster` have others,
    which find more: several starts, and a smaller `tol`, since EM can rest on a plateau for a while.

    Parameters
    ----------
    n_components : int, default 1
        Number of Gaussians, K.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}, default 'full'
        A matrix each, one matrix for all, variances each, or one variance each.
    tol, reg_covar : float, default 1e-3 and 1e-6
        EM ends where the mean log-likelihood changes by less than the first; the second, in squared units of the data,
        is added to the diagonal of each covariance.
    max_iter, n_init : int, default 100 and 1
        Most iterations, 0 to leave the start; and starts, run side by side, of which the best end is kept.
    init_params : {'kmeans', 'k-means++', 'random', 'random_from_data', 'short_runs'}, default 'kmeans'
        How starts are drawn: for more than 20,000 rows (200 a component where that is more) from as many rows drawn
        at random, for fewer from all, as in scikit-learn for the same `random_state`. With 'short_runs', the default
        of `select` and of ``bgsub cluster``, they do not depend on the columns' units, all run for some steps, and only
        the two best by each row's likelihood without it go to the end: many cost little. Give it a `tol` of 1e-6.
    weights_init, means_init, precisions_init : array-like, optional
        Given starting parameters, in the shapes of the fitted ones.
    random_state : int, RandomState or None
        Where starts and samples are drawn from.
    warm_start : bool, default False
        Whether the next `fit` goes on from the last parameters.
    verbose, verbose_interval : int, default 0 and 10
        1 prints initialisations and each so many iterations, 2 also times and changes.
    acceleration : {None, 'squarem'}, default None
        'squarem' (Varadhan & Roland 2008) reaches the same likelihood in fewer passes, which `n_iter_` counts.
    threads : int, optional
        That share the work, with the same result; None takes the processors it may use, at most OMP_NUM_THREADS.
    order : {None, 'weight'}, default None
        None leaves the components of a `fit` as the best start has them, as scikit-learn does; 'weight' puts the
        largest first, equal ones (to 1e-6) by their means, column after column: the same for every seed.
    learning_decay : float, default 0.7
        Of `partial_fit`, above 0.5, at most 1: at 1 all rows count alike, lower values forget the first calls sooner.
    missing : {'error', 'em'}, default 'error'
        'em' takes NaN for not known, in all methods: a row counts by its other columns (Little & Rubin 2002, section
        11.2.3), one that holds nothing does not, and gets the label -1. Right where what is missing does not hang on
        its own value.
    noise : {None, 'box', 'hull'}, default None
        'box' and 'hull' (of up to 3 features) add noise, of constant density over the region that the rows take up:
        what is of no component, with the label -1, instead of in its nearest one. Each start is tried three times.
    trim : float, default 0
        Or the share of the rows, the least likely ones, that are left out, with the label -1; at most 0.5. Covariances
        are those of all rows, if what is left out is not wrong but only in the tails. BIC and the like, too, leave out.

    Attributes
    ----------
    weights_, means_ : ndarray, shapes (K,) and (K, D)
        Weights of the components, which sum to 1, less that of the noise, and their means.
    covariances_, precisions_, precisions_cholesky_ : ndarray, shape (K, D, D), (D, D), (K, D) or (K,)
        Their covariances: full, tied, diag, spherical; the inverses; the upper triangular U with precision = U U^T.
    converged_, n_iter_ : bool, int
        Whether the best run ended by `tol`, and after how many iterations.
    lower_bound_, lower_bounds_ : float, list of float
        Mean log-likelihood at the best run's last E step, and at each of them.
    n_batches_ : int
        Calls that the parameters come from: 1 after `fit`, one more with each `partial_fit`.
    noise_, cutoff_ : Noise or None, float or None
        The noise, its ``weight`` and ``region``; the log-density below which rows are left out.
    n_features_in_, feature_names_in_ : int, ndarray of str
        D, and the columns' names, where all have one.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> random = np.random.default_rng(0)
    >>> rows = np.concatenate([random.normal([0, 5], 1, (900, 2)), random.normal([9, 1], 2, (300, 2))])
    >>> mixture = bgsub.GaussianMixture(2, random_state=0).fit(rows)
    >>> np.sort(mixture.weights_).round(2).tolist()
    [0.25, 0.75]
    >>> mixture.predict([[0, 5], [9, 1]]).tolist() == mixture.means_[:, 0].argsort().tolist()
    True
    """

    n_batches_: int
    noise_: Noise | None = None
    cutoff_: float | None = None
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = scikit_learn.CONSTRAINTS

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: CovarianceType = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: InitParams = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        acceleration: Literal["squarem"] | None = None,
        threads: int | None = None,
        learning_decay: float = 0.7,
        order: Order = None,
        missing: Missing = "error",
        noise: NoiseRegion | None = None,
        trim: float = 0.0,
    ) -> None:
        self.n_components, self.covariance_type = n_components, covariance_type
        self.tol, self.reg_covar, self.max_iter, self.n_init = tol, reg_covar, max_iter, n_init
        self.init_params, self.random_state, self.warm_start = init_params, random_state, warm_start
        self.weights_init, self.means_init, self.precisions_init = weights_init, means_init, precisions_init
        self.verbose, self.verbose_interval = verbose, verbose_interval
        self.acceleration, self.threads = acceleration, threads
        self.learning_decay, self.missing, self.noise, self.trim = learning_decay, missing, noise, trim
        self.order = order

    @scikit_learn.fitting
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Estimate the parameters by EM.

        Parameters
        ----------
        X : array-like, shape (N, D)
            The rows, N at least 2 and `n_components`; a `numpy.memmap` is read in each pass and never copied.
        y : ignored
            Present for scikit-learn's conventions.
        sample_weight : array-like, shape (N,), optional
            Weights of the rows, 0 or more; a weight of 2 counts as the row twice.

        Raises
        ------
        ValueError
            When rows or parameters are unfit, or components collapse and `reg_covar` does not prevent it.
        """
        X = scikit_learn.validated(self, X, ensure_min_samples=2)
        check_finite(X, self._names(), missing=self.missing)
        weights = check_sample_weight(sample_weight, len(X))
        warn_of_shortfall(weights)
        return self._fit(RowsInMemory(X, weights, self._names(), self.missing))

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Fit, and return the most probable component of each row: the same as ``fit(X).predict(X)``."""
        return self.fit(X, y, sample_weight).predict(X)

    @scikit_learn.fitting
    def fit_blocks(self, blocks: Blocks) -> Self:
        """Estimate the parameters by EM from blocks of rows, of which only one is in memory: as `fit` on all rows.

        Parameters
        ----------
        blocks : iterable, or function that returns one
            Read once more in each pass, so no iterator or generator, but a list, an object that starts again, or a
            function such as ``lambda: parquet_file.iter_batches(65536)``. Each block is an array of shape (n, D), what
            NumPy makes one of, such as a data frame or a record batch of Arrow, or a pair of that and weights (n,).

        Raises
        ------
        ValueError
            As for `fit`; also when blocks differ in width, or give other rows when read again.
        """

        def checked(block: Any, first: bool) -> np.ndarray:
            return scikit_learn.validated(self, block, reset=first)

        return self._fit(RowsInBlocks(blocks, checked, self._names, self.missing))

    @scikit_learn.fitting
    def fit_data(self, data: TrainingData) -> Self:
        """Estimate the parameters by EM from any `TrainingData`: rows on other machines (`bgsub.distributed`)."""
        return self._fit(data)._named(data.names)

    @scikit_learn.fitting
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Improve the parameters by one step over some more rows, which are not needed afterwards.

        Stepwise EM: the sums that the M step needs are a running average over calls (Cappé & Moulines 2009,
        section 2.2; for batches, Liang & Klein 2009), in which call t counts (1 + t)^-`learning_decay`. The first
        call, unless `fit` was called, draws the start from its rows. Give thousands of rows a call, in random order.

        Parameters
        ----------
        X, sample_weight : array-like, shapes (n, D) and (n,)
            Rows, at the first call at least 2 and `n_components`, later any number, and optional weights.
        y : ignored
            Present for scikit-learn's conventions.

        Raises
        ------
        ValueError
            As for `fit`; also with `trim`, which needs to see all rows.
        """
        first = not hasattr(self, "means_")
        X = scikit_learn.validated(self, X, reset=first, ensure_min_samples=2 if first else 1)
        check_finite(X, self._names(), missing=self.missing)
        data = RowsInMemory(X, check_sample_weight(sample_weight, len(X)), self._names(), self.missing)
        n_batches: int = 0 if first else self.n_batches_
        rate = (1.0 + n_batches) ** -self.learning_decay
        last = None if first else self.fitted_mixture()
        found = improve(
            data, replace(self._options(), n_init=1), check_random_state(self.random_state), last, rate, _warn
        )
        if found is None:  # rows that hold nothing
            return self
        self.take(found, X.dtype if first else self.means_.dtype)
        self.n_batches_ = n_batches + 1
        return self

    def take(self, found: Fit, dtype: Any = np.float64) -> None:
        """Make a fit the fitted attributes, float32 or float64."""
        run = found.run
        weights, means, covariances, cholesky = run.parameters
        full = self.covariance_type in ("full", "tied")
        precisions = cholesky @ np.swapaxes(cholesky, -1, -2) if full else cholesky**2
        self.weights_, self.means_ = weights.astype(dtype), means.astype(dtype)
        self.covariances_, self.precisions_ = covariances.astype(dtype), precisions.astype(dtype)
        self.precisions_cholesky_ = cholesky.astype(dtype)
        self.converged_, self.n_iter_, self.lower_bounds_ = run.converged, len(run.lower_bounds), run.lower_bounds
        self.lower_bound_ = run.lower_bounds[-1] if run.lower_bounds else -math.inf
        self.n_features_in_, self.n_batches_ = means.shape[1], 1
        self.noise_, self.cutoff_ = found.mixture.noise, found.mixture.cutoff

    def _fit(self, data: TrainingData) -> Self:
        """Run EM from each start, keep the best, and tell what is wrong with it."""
        goes_on = self.warm_start and hasattr(self, "converged_")
        found = fit(
            data,
            self._options(),
            check_random_state(self.random_state),
            last=self.fitted_mixture().whole if goes_on else None,
            lower_bound=self.lower_bound_ if goes_on else -math.inf,
            tell=_warn,
        )
        self.take(found, data.dtype)
        if not self.converged_ and self.max_iter > 0:
            warnings.warn(NOT_CONVERGED, ConvergenceWarning, stacklevel=4)
        tell_of_collapse(self._parameters(), self.covariance_type, self.reg_covar, data.names, n_rows=data.n_rows)
        return self

    def _options(self) -> FitOptions:
        names = {field.name for field in fields(FitOptions)} & self.get_params(deep=False).keys()
        inits = (self.weights_init, self.means_init, self.precisions_init)
        return FitOptions(**{name: getattr(self, name) for name in names}, inits=inits)

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the log-density of each row (N, D), shape (N,): float32 where both `X` and the model are."""
        X = scikit_learn.rows_of(self, X)
        return self._in_dtype_of(X, self.fitted_mixture().log_densities(X, missing=self.missing, threads=self.threads))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable component of each row, integers of shape (N,); -1 where none is: see `noise`."""
        X = scikit_learn.rows_of(self, X)
        return self.fitted_mixture().labels(X, missing=self.missing, threads=self.threads)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return each row's probability of belonging to each component, shape (N, n_components).

        A row's sum to 1, less its share of noise, `noise_proba`; those of a row that `trim` leaves out are 0.
        """
        X = scikit_learn.rows_of(self, X)
        found = self.fitted_mixture().responsibilities(X, missing=self.missing, threads=self.threads)
        return self._in_dtype_of(X, found)

    def noise_proba(self, X: Any) -> np.ndarray:
        """Return each row's probability of belonging to no component, shape (N,): 1 less the sum of the others."""
        X = scikit_learn.rows_of(self, X)
        return self._in_dtype_of(X, self.fitted_mixture().noise_shares(X, missing=self.missing, threads=self.threads))

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows (n, D), as scikit-learn does for the same `random_state`, and the components (n,) of each."""
        check_is_fitted(self)
        fitted = Parameters(self.weights_, self.means_, self.covariances_, self.precisions_cholesky_)
        fitted = fitted if self.noise_ is None else self._parameters()
        return draw(fitted, self.covariance_type, n_samples, check_random_state(self.random_state), self.noise_)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a file, whole or not at all; an existing one is replaced. Raises OutputError."""
        check_is_fitted(self)
        save_mixture(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the model of a file of `save`, or of `bgsub cluster fit` where that leaves the columns as they are.

        Raises ModelFileError; files hold no code: all are safe.
        """
        return load_mixture(cls, path)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        shown = super()._repr_mimebundle_(**options)
        if "text/html" in shown and hasattr(self, "means_"):  # scikit-learn's box, and below it what was learned
            shown["text/html"] += self.fitted_mixture().shown(self._names())
        return shown

    @classmethod
    def from_sklearn(cls, model: BaseEstimator) -> Self:
        """Return a copy of scikit-learn's estimator, fitted if that is."""
        return scikit_learn.ours_like(cls, model)

    def to_sklearn(self) -> BaseEstimator:
        """Return a copy of the class `sklearn.mixture.GaussianMixture`, fitted if this is."""
        return scikit_learn.theirs_like(self)

    def fitted_mixture(self) -> FittedMixture:
        """Return the fitted parameters as a plain mixture, float64, which knows nothing of scikit-learn."""
        check_is_fitted(self)
        return FittedMixture(self._parameters(), self.covariance_type, self.noise_, self.cutoff_)

    @classmethod
    def from_mixture(cls, mixture: FittedMixture, **settings: Any) -> Self:
        """Return an estimator, with any other settings, whose fitted attributes are the parameters of `mixture`."""
        model = cls(n_components=mixture.n_components, covariance_type=mixture.covariance_type, **settings)
        if mixture.noise is not None:
            model.set_params(noise=mixture.noise.region.kind)
        model.take(Fit(mixture, EMResult(mixture.whole, [], True), FitOptions()))
        return model

    @classmethod
    def from_fit(cls, found: Fit, names: Sequence[str] | None = None, dtype: Any = np.float64, **settings: Any) -> Self:
        """Return an estimator, with any other settings, of what was fitted to columns of some names."""
        options = found.options
        model = cls(options.n_components, covariance_type=options.covariance_type, **settings)
        model.take(found, dtype)
        return model._named(names)

    def reorder(self, order: Any) -> None:
        """Put the components in another order, int of shape (K,): component ``order[k]`` becomes number k."""
        check_is_fitted(self)
        names = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")
        for name in names[: 2 if self.covariance_type == "tied" else 5]:  # tied: there is one covariance for all
            setattr(self, name, getattr(self, name)[np.asarray(order)])

    def _derived(self, parameters: Parameters, features: np.ndarray) -> Self:
        """Return a mixture of these parameters over some of this one's features."""
        others = {name: getattr(self, name) for name in ("random_state", "reg_covar", "threads", "missing")}
        model = self.from_mixture(FittedMixture(parameters, self.covariance_type), **others)
        names = self._names()
        return model._named(None if names is None else np.asarray(names, dtype=object)[features])

    def _parameters(self) -> Parameters:
        """Return the fitted attributes as the kernels take them."""
        fitted = (self.weights_, self.means_, self.covariances_, self.precisions_cholesky_)
        parameters = Parameters(*(np.ascontiguousarray(values, dtype=np.float64) for values in fitted))
        return parameters if self.noise_ is None else separated(parameters)

    def _names(self) -> Sequence[str] | None:
        return getattr(self, "feature_names_in_", None)

    def _named(self, names: Sequence[str] | None) -> Self:
        self.__dict__.pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = np.asarray(names, dtype=object)
        return self

    def _in_dtype_of(self, X: np.ndarray, result: np.ndarray) -> np.ndarray:
        return result.astype(np.result_type(X.dtype, self.means_.dtype), copy=False)


def _warn(text: str) -> None:
    """Tell what is doubtful about a start as scikit-learn does."""
    warnings.warn(text, ConvergenceWarning, stacklevel=2)
