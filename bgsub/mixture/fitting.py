"""One fit: from rows and options to a mixture, and how EM ended. Nothing here needs scikit-learn.

`GaussianMixture`, `select`, and whoever fits mixtures to tables, frames or colours stand on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.diagnosis import in_words, warn
from bgsub.mixture.em.loop import best_run, is_sound
from bgsub.mixture.em.partitions import scatter_of
from bgsub.mixture.em.progress import Progress
from bgsub.mixture.em.robust_data import LITTLE_NOISE, RobustData, Robustness
from bgsub.mixture.em.rules import EMResult, Rules, Tell
from bgsub.mixture.em.splits import duplicates, starts_from_fewer
from bgsub.mixture.em.starts import (
    Seeding,
    Source,
    check_enough_rows,
    draw_starts,
    drawn_seeds,
    sampled,
    seeding_rows,
    shortlisted,
    starts_from,
)
from bgsub.mixture.em.stepwise import stepwise_update
from bgsub.mixture.em.training_data import RowsInMemory, TrainingData
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.ordering import by_weight
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.settings import (
    STARTS,
    CovarianceType,
    InitParams,
    Missing,
    NoiseRegion,
    Order,
    check_choice,
    check_number,
    check_trim,
    default,
)
from bgsub.threads import usable_threads

_CLOSE = 10.0  # times tol
_TELLING_ROWS = 10_000  # that tell whether a column follows from others


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How a mixture is fitted: `GaussianMixture`'s parameters of the same names, and its defaults.

    Attributes
    ----------
    inits : tuple
        Given weights, means and precisions, each an array or None.
    noise, trim : {"box", "hull"} or None, float
        What becomes of rows that belong to no component: one of both.
    order : {None, "weight"}
        None leaves the components as the best start has them; "weight" puts the largest first (`ordering.by_weight`).
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
    noise: NoiseRegion | None = None
    trim: float = 0.0
    verbose: int = 0
    verbose_interval: int = 10
    missing: Missing = "error"
    order: Order = None

    def __post_init__(self) -> None:
        for name in ("n_components", "n_init", "max_iter", "tol", "reg_covar"):
            check_number(name, getattr(self, name))
        if self.threads is not None:
            check_number("threads", self.threads)
        for name in ("covariance_type", "init_params", "acceleration", "missing", "noise", "order"):
            check_choice(name, getattr(self, name))
        check_trim(self.trim)
        if self.noise and self.trim:
            raise ParameterError("noise and trim do the same in two ways: give one of them")
        if (self.noise or self.trim) and self.acceleration:
            raise ParameterError("acceleration does not go with noise, nor with trim: leave it out")

    def robust(self, data: TrainingData) -> TrainingData:
        """Return data with noise, or with some of their rows left out, if that is wanted; else the data."""
        how = Robustness(self.noise, self.trim)
        return RobustData(data, how, self.n_components) if how else data

    @classmethod
    def for_tables(cls, **given: Any) -> FitOptions:
        """Return options with the defaults of `select` and `bgsub cluster`, and the components ordered by weight.

        Nobody expects scikit-learn's there, which end EM on a plateau, or after 100 steps.
        """
        numbers = {name: default(name, "table") for name in ("n_init", "max_iter", "tol", "reg_covar")}
        whole = {name: int(numbers[name]) for name in ("n_init", "max_iter")}
        return cls(**{"init_params": STARTS["table"], "order": "weight", **numbers, **whole, **given})

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
        return Fit(mixture, self.run._replace(parameters=mixture.whole), self.options)


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
    data = options.robust(data)
    with explained(data):
        starts = starts_of(data, options, random, last=last, tell=tell)
        return _best(data, starts, options, lower_bound)


def fit_types(
    data: TrainingData,
    options: FitOptions,
    covariance_types: Sequence[CovarianceType],
    random: np.random.RandomState,
    *,
    smaller: Sequence[Fit | None] | None = None,
    tell: Tell = warn,
) -> list[Fit | ValueError]:
    """Fit a mixture of each covariance type from the same draws: they differ by their covariances and not by luck.

    Without `smaller` the first is what `fit` returns for the same generator, and so is any other for one in the same
    state.

    Parameters
    ----------
    data, options, random, tell
        As of `fit`.
    covariance_types : sequence of str
        Types, which are fitted side by side.
    smaller : sequence of Fit or None, optional
        For each type the fit of fewer components to the same rows, from which this one starts too: its likelihood is
        not below that one's.

    Returns
    -------
    list
        For each type the fit, or why there is none.
    """
    data = options.robust(data)
    seeding = _seeding(options, random, tell)
    sources = []
    for view in _views(data):
        rows, weights = sampled(view, seeding)
        check_enough_rows(view.n_rows, options.n_components)
        scatter = scatter_of(rows, weights) if options.init_params == "short_runs" else None
        drawn = drawn_seeds(rows, weights, seeding, scatter)
        sources.append(Source(rows, weights, drawn, scatter, len(rows) < view.n_rows))
    n_threads = usable_threads(options.threads)
    side_by_side = min(n_threads, len(covariance_types))
    seeding = seeding._replace(threads=max(1, n_threads // side_by_side))

    def fitted(kind: CovarianceType, fewer: Fit | None) -> Fit | ValueError:
        of_the_type = replace(options, covariance_type=kind, threads=seeding.threads)
        before = None if fewer is None or isinstance(data, RobustData) else fewer
        try:
            with explained(data):
                starts = [start for source in sources for start in _starts(source, seeding, of_the_type, before)]
                found = _best(data, starts, of_the_type)
                return found if before is None else _not_below(before, found, data)
        except ValueError as error:  # a covariance that is not positive definite: this combination is out
            return error

    several = smaller or [None] * len(covariance_types)
    if side_by_side == 1:
        return list(map(fitted, covariance_types, several))
    with ThreadPoolExecutor(side_by_side) as pool:
        return list(pool.map(fitted, covariance_types, several))


def _starts(source: Source, seeding: Seeding, options: FitOptions, fewer: Fit | None) -> list[Parameters]:
    """Return starts from what is drawn, and from a fit of fewer components unless that has collapsed."""
    rules = options.rules()
    starts = starts_from(source.rows, source.weights, source.drawn, None, rules)
    if fewer is not None and source.scatter is not None and is_sound(fewer.run.parameters, rules):
        before, scatter = fewer.run.parameters, source.scatter
        starts += starts_from_fewer(before, options.n_components, source.rows, source.weights, scatter, rules)
    return shortlisted(source, starts, seeding, rules)


def _not_below(smaller: Fit, found: Fit, data: TrainingData) -> Fit:
    """Return a fit whose likelihood is not below that of one of fewer components: the one found, or that one's copy."""
    rules = found.options.rules()
    gained = found.run.lower_bound - smaller.run.lower_bound
    above = smaller.run.converged and gained > _CLOSE * rules.tol  # a fit's likelihood is a step beyond its last bound
    if above or rules.max_iter < 1 or not is_sound(smaller.run.parameters, rules):
        return found
    starts = duplicates(smaller.run.parameters, found.options.n_components, rules.covariance_type)
    copy = _best(data, starts, found.options)
    return max(found, copy, key=lambda fit: fit.run.lower_bound)


def improve(
    data: TrainingData,
    options: FitOptions,
    random: np.random.RandomState,
    last: FittedMixture | None,
    rate: float,
    tell: Tell = warn,
) -> Fit | None:
    """Do one step of stepwise EM over some rows, which count by a rate; from a first start without a last mixture.

    Returns
    -------
    Fit or None
        None where rows hold nothing.

    Raises
    ------
    ParameterError
        As `fit`; also when rows are to be trimmed, which takes all of them.
    """
    if options.trim:
        raise ParameterError("trim takes all rows at once: give them to fit or fit_blocks, or fit with noise instead")
    data, kind = options.robust(data), options.covariance_type
    with explained(data):
        current = starts_of(data, options, random, tell=tell)[0] if last is None else last.whole
        if isinstance(data, RobustData):
            current = data.started(current)
            data.widen(last)
        with data.passes(options.n_components, kind, options.threads) as one_pass:
            statistics = one_pass(current)
        if not statistics.total_weight:
            return None
        parameters = stepwise_update(statistics, current, kind, options.reg_covar, rate)
    mixture = FittedMixture(parameters, kind)
    if isinstance(data, RobustData):
        mixture = data.finished(parameters, kind, options.threads)
    bounds = [statistics.log_likelihood / statistics.total_weight]
    return Fit(mixture, EMResult(mixture.whole, bounds, False), options)


def starts_of(
    data: TrainingData,
    options: FitOptions,
    random: np.random.RandomState,
    *,
    last: Parameters | None = None,
    tell: Tell = warn,
) -> list[Parameters]:
    """Return the parameters from which `fit`, with the same arguments, would run EM."""
    seeding, drawing = _seeding(options, random, tell), last is None and any(init is None for init in options.inits)
    views = _views(data)[: None if drawing else 1]
    return [start for view in views for start in draw_starts(view, seeding, options.rules(), options.inits, last)]


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
    return Seeding(options.n_components, options.n_init, options.init_params, random, tell, options.threads)


def _without_noise(data: RobustData, starts: list[Parameters], options: FitOptions) -> list[Parameters]:
    """Return the end of EM without noise, and a little of it: with noise no fit need end below."""
    try:
        run = best_run(data.plain, starts, options.rules(), options.threads)
    except ValueError:  # all collapsed: the other starts may do better
        return []
    return [data.started(run.parameters, LITTLE_NOISE)]


def _views(data: TrainingData) -> Sequence[TrainingData]:
    """Return the rows that starts are drawn from: once, or with more and with fewer of them left out."""
    return list(data.views()) if isinstance(data, RobustData) else [data]


def _best(data: TrainingData, starts: list[Parameters], options: FitOptions, lower_bound: float = -math.inf) -> Fit:
    rules, sound_first = options.rules(lower_bound), options.init_params == "short_runs"  # others as scikit-learn
    if isinstance(data, RobustData):
        without = _without_noise(data, starts[-options.n_init :], options) if options.noise else []
        starts, sound_first = [data.started(start) for start in starts] + without, False
    judged = _judged(data, options) if sound_first and len(starts) > 1 else None
    run = best_run(data, starts, rules, options.threads, options.progress(), sound_first, judged)
    found = Fit(FittedMixture(run.parameters, options.covariance_type), run, options)
    if isinstance(data, RobustData):
        mixture = data.finished(run.parameters, options.covariance_type, options.threads)
        found = Fit(mixture, run._replace(parameters=mixture.whole), options)
    return found if options.order is None else found.reordered(by_weight(found.mixture.parameters))


def _judged(data: TrainingData, options: FitOptions) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the rows that tell what likelihoods are worth, and their weights; of many, where all are alike, None."""
    size = seeding_rows(options.n_components)
    return None if data.n_rows > size else data.sample(size, 0)
