"""One fit: from rows and options to a mixture, and how EM ended. Nothing here needs scikit-learn.

`GaussianMixture`, `select`, and whoever fits mixtures to tables, frames or colours stand on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from bgsub.mixture.diagnosis import in_words, warn
from bgsub.mixture.em.loop import best_run
from bgsub.mixture.em.progress import Progress
from bgsub.mixture.em.rules import EMResult, Rules, Tell
from bgsub.mixture.em.starts import Seeding, check_enough_rows, draw_starts, drawn_seeds, sampled, starts_from
from bgsub.mixture.em.training_data import RowsInMemory, TrainingData
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.settings import CovarianceType, InitParams, Missing, check_choice, check_number, default

_TELLING_ROWS = 10_000  # that tell whether a column follows from others


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How a mixture is fitted: `GaussianMixture`'s parameters of the same names, and its defaults.

    Attributes
    ----------
    inits : tuple
        Given weights, means and precisions, each an array or None.
    """

    n_components: int = int(default("n_components", "estimator"))
    covariance_type: CovarianceType = "full"
    n_init: int = int(default("n_init", "estimator"))
    max_iter: int = int(default("max_iter", "estimator"))
    tol: float = default("tol", "estimator")
    reg_covar: float = default("reg_covar", "estimator")
    init_params: InitParams = "kmeans"
    inits: tuple[Any, Any, Any] = (None, None, None)
    acceleration: Literal["squarem"] | None = None
    threads: int | None = None
    verbose: int = 0
    verbose_interval: int = 10
    missing: Missing = "error"

    def __post_init__(self) -> None:
        for name in ("n_components", "n_init", "max_iter", "tol", "reg_covar"):
            check_number(name, getattr(self, name))
        if self.threads is not None:
            check_number("threads", self.threads)
        for name in ("covariance_type", "init_params", "acceleration", "missing"):
            check_choice(name, getattr(self, name))

    def rules(self, lower_bound: float = -math.inf) -> Rules:
        """Return how to iterate, from a lower bound on where a fit goes on."""
        return Rules(self.covariance_type, self.reg_covar, self.tol, self.max_iter, self.acceleration, lower_bound)

    def progress(self) -> Progress | None:
        """Return what prints the course of a fit, if that is wanted."""
        return Progress(self.verbose, self.verbose_interval) if self.verbose else None


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted mixture, and where it comes from.

    Attributes
    ----------
    mixture : FittedMixture
        The end of the best run.
    run : EMResult
        That run.
    options : FitOptions
        How it was fitted.
    """

    mixture: FittedMixture
    run: EMResult
    options: FitOptions

    def reordered(self, order: np.ndarray) -> Fit:
        """Return the same fit, of which component ``order[k]`` is number k."""
        mixture = self.mixture.reordered(order)
        return Fit(mixture, self.run._replace(parameters=mixture.parameters), self.options)


def fit(
    data: TrainingData,
    options: FitOptions,
    random: np.random.RandomState,
    *,
    last: Parameters | None = None,
    lower_bound: float = -math.inf,
    tell: Tell = warn,
) -> Fit:
    """Run EM from each start, and keep the best run.

    Parameters
    ----------
    data : TrainingData
        Rows to fit to.
    options : FitOptions
        How.
    random : RandomState
        Where starts are drawn from.
    last : Parameters, optional
        Those of a fit that this one goes on from, instead of starts of its own.
    lower_bound : float
        The last one of that fit.
    tell : callable
        Called with a line about a start that is doubtful.

    Raises
    ------
    ParameterError
        When an option is out of its bounds, there are too few rows, or a covariance is not positive definite.
    """
    with explained(data):
        starts = starts_of(data, options, random, last=last, tell=tell)
        return _best(data, starts, options, lower_bound)


def fit_types(
    data: TrainingData,
    options: FitOptions,
    covariance_types: Sequence[CovarianceType],
    random: np.random.RandomState,
    *,
    tell: Tell = warn,
) -> list[Fit | ValueError]:
    """Fit a mixture of each covariance type from the same draws: they differ by their covariances and not by luck.

    The first is what `fit` returns for the same generator, and so is any other for one in the same state.

    Returns
    -------
    list
        For each type the fit, or why there is none.
    """
    seeding = _seeding(options, random, tell)
    rows, weights = sampled(data, seeding)
    check_enough_rows(data.n_rows, options.n_components)
    drawn = drawn_seeds(rows, weights, seeding)
    found: list[Fit | ValueError] = []
    for kind in covariance_types:
        of_the_type = replace(options, covariance_type=kind)
        try:
            with explained(data):
                starts = starts_from(rows, weights, drawn, None, of_the_type.rules())
                found.append(_best(data, starts, of_the_type))
        except ValueError as error:  # a covariance that is not positive definite: this combination is out
            found.append(error)
    return found


def starts_of(
    data: TrainingData,
    options: FitOptions,
    random: np.random.RandomState,
    *,
    last: Parameters | None = None,
    tell: Tell = warn,
) -> list[Parameters]:
    """Return the parameters from which `fit`, with the same arguments, would run EM."""
    return draw_starts(data, _seeding(options, random, tell), options.rules(), options.inits, last)


@contextmanager
def explained(data: TrainingData) -> Iterator[None]:
    """Let the error of a covariance that is not positive definite name the columns at fault, while the block runs."""
    in_memory = isinstance(data, RowsInMemory)  # others would have to be read once more
    try:
        yield
    except ValueError as error:
        rows = partial(_some_rows, data) if in_memory else None
        raise in_words(error, data.ranges, data.names, rows) from None


def _some_rows(data: TrainingData) -> np.ndarray:
    return data.sample(_TELLING_ROWS, 0)[0]


def seed_of(random_state: Any) -> int:
    """Return a seed for scikit-learn's `random_state`: an int itself, or drawn from a generator, None numpy's own.

    Raises
    ------
    ParameterError
        When it is none of these.
    """
    if random_state is None or random_state is np.random:
        return int(np.random.randint(np.iinfo(np.int32).max))  # noqa: NPY002 (what numpy.random.seed sets)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(np.iinfo(np.int32).max))
    check_number("random_state", random_state)
    return int(random_state)


def _seeding(options: FitOptions, random: np.random.RandomState, tell: Tell) -> Seeding:
    return Seeding(options.n_components, options.n_init, options.init_params, random, tell)


def _best(data: TrainingData, starts: list[Parameters], options: FitOptions, lower_bound: float = -math.inf) -> Fit:
    run = best_run(data, starts, options.rules(lower_bound), options.threads, options.progress())
    return Fit(FittedMixture(run.parameters, options.covariance_type), run, options)
