"""Mixtures of several numbers of components and covariance types, fitted to the same rows, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bgsub.extras import explained
from bgsub.mixture.diagnosis import Collapse, warn
from bgsub.mixture.eligibility import Doubts, collapse_of_fit, first_of_each_kind
from bgsub.mixture.em.rules import Tell
from bgsub.mixture.em.starts import check_enough_rows
from bgsub.mixture.em.training_data import RowsInMemory, TrainingData
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.fitting import Fit, FitOptions, fit_types
from bgsub.mixture.input_checks import rescaled, row_count_shortfall
from bgsub.mixture.parameters import n_parameters
from bgsub.mixture.settings import CovarianceType, Criterion, check_choice, check_number
from bgsub.notebook import counted, html_table

if TYPE_CHECKING:
    from bgsub.mixture.estimator import GaussianMixture


class Candidate(NamedTuple):
    """A combination and how it fared; criteria are the lower the better, infinite where the fit failed.

    `collapsed` tells where a variance of the fit is mostly `reg_covar`, such as "in column 'visits'": its
    criteria are then `reg_covar`'s, and it cannot be the best. It is empty of a sound fit.
    """

    n_components: int
    covariance_type: str
    bic: float
    aic: float
    icl: float
    log_likelihood: float
    n_parameters: int
    converged: bool
    collapsed: str = ""

    @property
    def eligible(self) -> bool:
        """Whether it can be the best: it was fitted, and has not collapsed."""
        return math.isfinite(self.bic) and not self.collapsed


@dataclass(frozen=True, eq=False, repr=False)
class ModelSelection:
    """What `select` found.

    Attributes
    ----------
    table : list of Candidate
        A row a combination, by covariance type and number of components; ``pandas.DataFrame(selection.table)`` works.
    criterion : str
        What the best model was chosen by.
    best_fit : Fit
        How the model of the lowest criterion was fitted.
    names : sequence of str or None
        The columns' names, where all have one.
    dtype : dtype
        Of the rows: float32 or float64.
    settings : mapping
        Of `GaussianMixture`, for the best model.
    """

    table: list[Candidate]
    criterion: str
    best_fit: Fit
    names: Sequence[str] | None = None
    dtype: Any = np.float64
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def best_mixture(self) -> FittedMixture:
        """The fitted mixture of the lowest criterion, which needs no scikit-learn."""
        return self.best_fit.mixture

    @cached_property
    def best(self) -> GaussianMixture:
        """The fitted model of the lowest criterion, as scikit-learn's estimator."""
        with explained("the estimator of a selection (`best_mixture` does not)"):
            from bgsub.mixture.estimator import GaussianMixture  # here: the rest does without scikit-learn
        return GaussianMixture.from_fit(self.best_fit, self.names, self.dtype, **self.settings)

    def __repr__(self) -> str:
        return f"ModelSelection({self._in_words()})"

    def _repr_html_(self) -> str:
        found = sorted(self.table, key=partial(_rank, self.criterion))
        header = [name.replace("_", " ") for name in Candidate._fields]
        return html_table(self._in_words(), header, found, bold=[found.index(self.best_candidate)])

    def _in_words(self) -> str:
        best, count = self.best_candidate, len(self.table)
        value = f"{self.criterion.upper()} {getattr(best, self.criterion):.1f}"
        components = counted(best.n_components, "component")
        return f"{components}, {best.covariance_type}: {value}, the lowest of {count}"

    @property
    def best_candidate(self) -> Candidate:
        """The row of the best model."""
        return _best(self.table, self.criterion)


def compare(
    X: np.ndarray,
    counts: Sequence[int],
    types: Sequence[CovarianceType],
    criterion: Criterion,
    options: FitOptions,
    seed: int,
    *,
    weights: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    allow_collapsed: bool = False,
    tell: Tell = warn,
) -> ModelSelection:
    """Do the work of `select`, without scikit-learn.

    Parameters
    ----------
    X : float32 or float64 ndarray, shape (N, D)
        The rows, all finite; with ``options.missing="em"`` NaN is what is not known.
    counts, types : sequence
        Numbers of components and covariance types to try.
    criterion : {'bic', 'aic', 'icl'}
        The best has the lowest.
    options : FitOptions
        How each is fitted; its number of components and its covariance type do not count.
    seed : int
        Of the starts: those drawn for one number of components are a `fit`'s of that seed.
    weights : float64 ndarray, shape (N,), optional
        Of the rows, checked.
    names : sequence of str, optional
        The columns'.
    allow_collapsed : bool
        Do not ask what has collapsed.
    tell : callable
        Called with each line about what is doubtful.
    """
    weights = counted_weights(weights, tell)
    data = RowsInMemory(X, weights, names, options.missing)

    def criteria(mixture: FittedMixture) -> dict[str, float]:
        return mixture.criteria(X, weights, missing=options.missing, threads=options.threads)

    how = (counts, types, criterion, options, seed)
    return compare_data(data, criteria, X, *how, allow_collapsed=allow_collapsed, tell=tell)


def compare_data(
    data: TrainingData,
    criteria: Callable[[FittedMixture], dict[str, float]],
    some_rows: np.ndarray,
    counts: Sequence[int],
    types: Sequence[CovarianceType],
    criterion: Criterion,
    options: FitOptions,
    seed: int,
    *,
    allow_collapsed: bool = False,
    tell: Tell = warn,
) -> ModelSelection:
    """Do the work of `compare` for rows that may lie elsewhere, and have been looked at.

    Parameters
    ----------
    data : TrainingData
        The rows.
    criteria : callable
        Returns `FittedMixture.criteria` of a mixture on these rows.
    some_rows : ndarray, shape (n, D)
        All rows or some, among which columns of few values are looked for where something has collapsed.
    counts, types, criterion, options, seed, allow_collapsed, tell
        As of `compare`.
    """
    for k in counts:
        check_number("n_components", k)
    for kind in types:
        check_choice("covariance_type", kind)
    check_enough_rows(data.n_rows, max(counts))
    of_every_type = partial(_of_every_type, data, criteria, options, types, seed, allow_collapsed)
    by_count: dict[int, list[_Outcome]] = {}
    smaller: list[Fit | None] = [None] * len(types)
    for k in sorted(set(counts)):  # each number's fits start from those of the number before, too
        by_count[k] = of_every_type(k, smaller)
        smaller = [
            before if isinstance(outcome.fit, ValueError) else outcome.fit
            for before, outcome in zip(smaller, by_count[k], strict=True)
        ]
    outcomes = [by_count[k] for k in counts]
    in_order = [row[i] for i in range(len(types)) for row in outcomes]
    table = [outcome.candidate for outcome in in_order]
    collapsed = [outcome.collapse for outcome in in_order if outcome.collapse]
    doubts = Doubts(len(table), collapsed, [str(o.fit) for o in in_order if isinstance(o.fit, ValueError)])
    best = _best(table, criterion)
    found = in_order[table.index(best)].fit
    if isinstance(found, ValueError) or not best.eligible:
        raise doubts.error(some_rows, data.names)
    for line in first_of_each_kind([line for row in outcomes for outcome in row for line in outcome.told]):
        tell(line)  # by the thread that asked for it
    for line in doubts.lines(some_rows, data.names):
        tell(line)
    return ModelSelection(table, criterion, found, data.names, data.dtype, {"random_state": seed})


def counted_weights(weights: np.ndarray | None, tell: Tell) -> np.ndarray | None:
    """Return weights whose sum is a number of rows: scaled, and told, where they sum to less than there are."""
    shortfall = row_count_shortfall(weights)
    if weights is None or not shortfall:
        return weights
    tell(f"{shortfall}: they are scaled to sum to that number, which the criteria count")
    return rescaled(weights)


class _Outcome(NamedTuple):
    candidate: Candidate
    fit: Fit | ValueError
    collapse: Collapse
    told: Sequence[str]


def _of_every_type(
    data: TrainingData,
    criteria_of: Callable[[FittedMixture], dict[str, float]],
    options: FitOptions,
    types: Sequence[CovarianceType],
    seed: int,
    allow_collapsed: bool,
    n_components: int,
    smaller: Sequence[Fit | None],
) -> list[_Outcome]:
    """Fit mixtures of one number of components from the same seeds, and from those of a smaller number."""
    options = replace(options, n_components=n_components)
    outcomes = []
    told: list[str] = []
    random = np.random.RandomState(seed)
    fits = fit_types(data, options, types, random, smaller=smaller, tell=told.append)
    for kind, found in zip(types, fits, strict=True):
        free = n_parameters(n_components, data.n_features, kind) + (2 if options.noise else 0)
        collapse = Collapse.none()
        if isinstance(found, ValueError):
            candidate = Candidate(n_components, kind, math.inf, math.inf, math.inf, -math.inf, free, False)
        else:
            if not allow_collapsed:
                collapse = collapse_of_fit(found, data.n_rows)
            criteria = criteria_of(found.mixture)
            bic, aic, icl, likelihood = (criteria[name] for name in ("bic", "aic", "icl", "log_likelihood"))
            ended = found.run.converged, collapse.where(data.names)
            candidate = Candidate(n_components, kind, bic, aic, icl, likelihood, free, *ended)
        outcomes.append(_Outcome(candidate, found, collapse, told))
    return outcomes


def _best(table: list[Candidate], criterion: str) -> Candidate:
    """Return the row of the best combination."""
    return min(table, key=partial(_rank, criterion))


def _rank(criterion: str, candidate: Candidate) -> tuple[bool, float, int]:
    """Return what combinations are ordered by: the lowest criterion first, then the fewest parameters."""
    return not candidate.eligible, getattr(candidate, criterion), candidate.n_parameters
