"""`GaussianMixture`: scikit-learn's estimator, on passes over the rows that are compiled and need no N x K array."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from bgsub.errors import ParameterError
from bgsub.mixture.derived import DerivedMixtures
from bgsub.mixture.diagnosis import diagnosed, tell_of_collapse
from bgsub.mixture.given_start import check_given
from bgsub.mixture.initialisation import INIT_PARAMS, seeding_rows
from bgsub.mixture.input_checks import check_enough_rows, check_finite, check_sample_weight
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters
from bgsub.mixture.progress import Progress
from bgsub.mixture.restarts import Seeding, best_run, drawn_seeds, starts_from
from bgsub.mixture.stepwise import stepwise_update
from bgsub.mixture.training_data import Blocks, RowsInBlocks, RowsInMemory, Rules, TrainingData
from bgsub.threads import usable_threads

_NOT_CONVERGED = (
    "Best performing initialization did not converge. Try different init parameters, or increase max_iter, tol, or "
    "check for degenerate data."
)


class GaussianMixture(DerivedMixtures):
    """Gaussian mixture fitted by EM, a drop-in for scikit-learn's class of the same name.

    The parameters up to `verbose_interval`, the fitted attributes and the methods are scikit-learn's; given the same
    start, so are the steps. Rows are never copied and no array of N x K numbers is made while fitting. With float32
    rows the sums are made in float64, and the fitted attributes are float32, as in scikit-learn.

    Parameters
    ----------
    n_components : int
        Number of Gaussians, K.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}
        A matrix each, one matrix for all, variances each, or one variance each.
    tol : float
        EM ends where the mean log-likelihood changes by less.
    reg_covar : float
        Added to the diagonal of each covariance, in squared units of the data.
    max_iter : int
        Most iterations; 0 leaves the starting parameters.
    n_init : int
        Number of starts, of which the one that ends with the highest likelihood is kept. They run side by side.
    init_params : {'kmeans', 'k-means++', 'random', 'random_from_data'}
        How starts are drawn: for more than 20,000 rows (200 a component where that is more) from as many rows drawn
        at random, for fewer from all, as in scikit-learn for the same `random_state`.
    weights_init, means_init, precisions_init : array-like, optional
        Given starting parameters, in the shapes of the fitted ones.
    random_state : int, RandomState or None
        Where starts and samples are drawn from.
    warm_start : bool
        Whether the next `fit` goes on from the last parameters.
    verbose : int
        1 prints initialisations and iterations, 2 also times and changes.
    verbose_interval : int
        An iteration is printed each so many.
    acceleration : {None, 'squarem'}
        'squarem' reaches the same likelihood in fewer passes over the data, most of all where clusters overlap
        (Varadhan & Roland 2008); `n_iter_` counts passes.
    threads : int, optional
        Threads that share the work; None takes the processors that the process may use, at most OMP_NUM_THREADS. The
        result does not depend on it.
    learning_decay : float
        For `partial_fit`: call number t (from 0) counts (1 + t)^-learning_decay; above 0.5, at most 1. At 1 all rows
        count alike, lower values forget the first calls sooner.

    Attributes
    ----------
    weights_ : ndarray, shape (K,)
        Weights of the components, which sum to 1.
    means_ : ndarray, shape (K, D)
        Their means.
    covariances_ : ndarray, shape (K, D, D), (D, D), (K, D) or (K,)
        Their covariances: full, tied, diag, spherical.
    precisions_, precisions_cholesky_ : ndarray, the same shape
        Inverses of the covariances, and the upper triangular U with precision = U U^T.
    converged_ : bool
        Whether the best run ended by `tol`.
    n_iter_ : int
        Iterations of the best run.
    lower_bound_ : float
        Mean log-likelihood at the best run's last E step.
    lower_bounds_ : list of float
        That of each of its iterations.
    n_batches_ : int
        Calls that the parameters come from: 1 after `fit`, one more with each `partial_fit`.
    n_features_in_ : int
        D.
    feature_names_in_ : ndarray of str
        The columns' names, where all have one.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions(set(COVARIANCE_TYPES))],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions(set(INIT_PARAMS))],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "acceleration": [StrOptions({"squarem"}), None],
        "threads": [Interval(Integral, 1, None, closed="left"), None],
        "learning_decay": [Interval(Real, 0.5, 1.0, closed="right")],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        acceleration: str | None = None,
        threads: int | None = None,
        learning_decay: float = 0.7,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.acceleration = acceleration
        self.threads = threads
        self.learning_decay = learning_decay

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> GaussianMixture:
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
            When rows or parameters are unfit, or components collapse and `reg_covar` does not prevent it. The text
            says what to do.
        """
        X = self._training_rows(X, reset=True)
        check_enough_rows(len(X), self.n_components)
        data = RowsInMemory(X, check_sample_weight(sample_weight, len(X)))
        with diagnosed(lambda: np.ptp(X, axis=0), self._names()):
            self._fit(data, X.dtype)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Fit, and return the most probable component of each row: the same as ``fit(X).predict(X)``."""
        return self.fit(X, y, sample_weight).predict(X)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_blocks(self, blocks: Blocks) -> GaussianMixture:
        """Estimate the parameters by EM from blocks of rows, of which only one is in memory.

        The result is that of `fit` on all rows together, for the same `random_state`.

        Parameters
        ----------
        blocks : iterable, or function that returns one
            Read once more in each pass, so no iterator or generator, but a list, an object that starts again, or a
            function such as ``lambda: parquet_file.iter_batches(65536)``. Each block is an array of shape (n, D), or
            what NumPy makes one of, such as a data frame or a record batch of Arrow; or a pair of that and weights of
            shape (n,).

        Raises
        ------
        ValueError
            As for `fit`; also when blocks differ in width, or give other rows when read again.
        """
        dtypes = []

        def checked(block: Any, first: bool) -> np.ndarray:
            X = self._training_rows(block, reset=first, finite=False, fewest=1)
            dtypes.append(X.dtype)
            return X

        data = RowsInBlocks(blocks, checked, self._names)
        with diagnosed(None, None):
            self._fit(data, None)
        self._set_parameters(self._parameters(), np.result_type(*set(dtypes)))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> GaussianMixture:
        """Improve the parameters by one step over some more rows, which are not needed afterwards.

        Stepwise EM: the sums that the M step needs are a running average over calls (Cappé & Moulines 2009,
        section 2.2; for batches, Liang & Klein 2009), in which call t counts (1 + t)^-`learning_decay`. The first
        call, unless `fit` was called, draws the start from its rows. Give thousands of rows a call, in random order.

        Parameters
        ----------
        X : array-like, shape (n, D)
            Rows; at the first call at least 2 and `n_components`, later any number.
        y : ignored
            Present for scikit-learn's conventions.
        sample_weight : array-like, shape (n,), optional
            Weights of the rows, relative to each other.
        """
        first = not hasattr(self, "means_")
        X = self._training_rows(X, reset=first, fewest=2 if first else 1)
        data = RowsInMemory(X, check_sample_weight(sample_weight, len(X)))
        rules = self._rules()
        with diagnosed(lambda: np.ptp(X, axis=0), self._names()):
            n_batches = 0 if first else self.n_batches_
            current = self._starts(data, rules, 1, last=False)[0] if first else self._parameters()
            rate = (1.0 + n_batches) ** -self.learning_decay
            statistics = data.statistics(current, self.covariance_type, usable_threads(self.threads))
            parameters = stepwise_update(statistics, current, self.covariance_type, self.reg_covar, rate)
        self._set_parameters(parameters, X.dtype if first else self.means_.dtype)
        self.n_batches_ = n_batches + 1
        self.lower_bound_ = statistics.log_likelihood / statistics.total_weight
        self.lower_bounds_ = [self.lower_bound_]
        self.n_iter_, self.converged_ = 1, False
        return self

    def _fit(self, data: TrainingData, dtype: Any) -> None:
        """Run EM from each start, keep the best, and tell what is wrong with it."""
        goes_on = self.warm_start and hasattr(self, "converged_")
        rules = self._rules(self.lower_bound_ if goes_on else -math.inf)
        starts = self._starts(data, rules, self.n_init, last=goes_on)
        self._fit_from(data, starts, rules, dtype)
        if not self.converged_ and self.max_iter > 0:
            warnings.warn(_NOT_CONVERGED, ConvergenceWarning, stacklevel=4)
        tell_of_collapse(self._parameters(), self.covariance_type, self.reg_covar, self._names())

    def _fit_from(self, data: TrainingData, starts: list[Parameters], rules: Rules, dtype: Any) -> None:
        """Run EM from each start and set the fitted attributes to the best."""
        progress = Progress(self.verbose, self.verbose_interval)
        best = best_run(data, starts, rules, usable_threads(self.threads), progress)
        self._set_parameters(best.parameters, np.float64 if dtype is None else dtype)
        self.converged_ = best.converged
        self.n_iter_ = len(best.lower_bounds)
        self.lower_bounds_ = best.lower_bounds
        self.lower_bound_ = best.lower_bounds[-1] if best.lower_bounds else -math.inf
        self.n_batches_ = 1

    def _starts(self, data: TrainingData, rules: Rules, n_init: int, last: bool) -> list[Parameters]:
        """Return the parameters to start from: the last ones, or given and drawn ones."""
        random = check_random_state(self.random_state)
        inits = (self.weights_init, self.means_init, self.precisions_init)
        nothing_to_draw = last or all(init is not None for init in inits)
        rows, weights = data.sample(0 if nothing_to_draw else seeding_rows(self.n_components), random)
        check_enough_rows(data.n_rows, self.n_components)
        shape = (self.n_components, self.n_features_in_)
        if last:
            if self.means_.shape != shape:
                raise ParameterError(
                    f"warm_start cannot go on: the last fit had n_components, n_features = {self.means_.shape}, this "
                    f"one has {shape}; set warm_start=False"
                )
            return [self._parameters()]
        given = check_given(*inits, shape, self.covariance_type)
        seeding = Seeding(self.n_components, n_init, self.init_params, random)
        drawn = [] if nothing_to_draw else drawn_seeds(rows, weights, seeding)
        return starts_from(rows, weights, drawn, given, rules)

    def _rules(self, lower_bound: float = -math.inf) -> Rules:
        return Rules(self.covariance_type, self.reg_covar, self.tol, self.max_iter, self.acceleration, lower_bound)

    def _training_rows(self, X: Any, *, reset: bool, finite: bool = True, fewest: int = 2) -> np.ndarray:
        """Return rows to fit to as a float array, checked; `reset` takes over their width and names."""
        X = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_min_samples=fewest,
        )
        if finite:
            check_finite(X, self._names())
        return X
