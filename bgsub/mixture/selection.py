"""How many components, of which covariance type: fit all combinations and compare them by a criterion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, Unpack

import numpy as np

from bgsub.errors import ParameterError
from bgsub.extras import explained
from bgsub.mixture.diagnosis import Collapse, warn
from bgsub.mixture.eligibility import Doubts, collapse_of_fit, first_of_each_kind
from bgsub.mixture.em.rules import Tell
from bgsub.mixture.em.starts import check_enough_rows
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.fitting import Fit, FitOptions, fit_types, seed_of
from bgsub.mixture.input_checks import check_finite, check_sample_weight, rescaled, row_count_shortfall
from bgsub.mixture.parameters import COVARIANCE_TYPES, n_parameters
from bgsub.mixture.settings import (
    CovarianceType,
    Criterion,
    InitParams,
    Missing,
    NoiseRegion,
    Order,
    check_choice,
    check_number,
    default,
)
from bgsub.notebook import counted, html_table

if TYPE_CHECKING:
    from bgsub.mixture.estimator import GaussianMixture


_GIVEN = ("n_init", "max_iter", "tol", "reg_covar", "init_params", "order")  # what the best model is told of a fit


class MixtureOptions(TypedDict, total=False):
    """The parameters of `GaussianMixture` that `select` passes on."""

    tol: float
    reg_covar: float
    max_iter: int
    init_params: InitParams
    warm_start: bool
    verbose: int
    verbose_interval: int
    acceleration: Literal["squarem"] | None
    learning_decay: float
    missing: Missing
    noise: NoiseRegion | None
    trim: float
    order: Order


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


def select(
    X: Any,
    n_components: int | Iterable[int] = range(1, 10),
    covariance_type: CovarianceType | Sequence[CovarianceType] = COVARIANCE_TYPES,
    criterion: Criterion = "bic",
    *,
    n_init: int = int(default("n_init", "table")),
    sample_weight: Any = None,
    random_state: Any = None,
    threads: int | None = None,
    allow_collapsed: bool = False,
    **options: Unpack[MixtureOptions],
) -> ModelSelection:
    """Fit every combination of number of components and covariance type, and choose the best.

    Those of one number of components share what their starts are drawn from, so they differ by their covariances and
    not by luck; each also starts from the fit of the number before, so that the likelihood of a covariance type never
    falls as components are added, collapsed fits aside. Of several fits of a combination that counts which makes rows
    likeliest that are left out of it, one by one, and not the highest likelihood, unless that would be less than with
    fewer components. What has collapsed, onto a value of a count, say, or because a
    column follows from others, is marked in the table and cannot be the best: a `FitWarning` says where.

    Parameters
    ----------
    X : array-like, shape (N, D)
        The rows.
    n_components : int or iterable of int, default 1 to 9
        Numbers of components to try, each at least 1 and at most N.
    covariance_type : {'full', 'tied', 'diag', 'spherical'} or sequence of these, default all
        Types to try.
    criterion : {'bic', 'aic', 'icl'}, default 'bic'
        'bic' asks how many Gaussians the density needs, 'icl' how many separate clusters there are, 'aic' takes more
        components than either.
    n_init : int, default 12
        Starts that are drawn for each combination, of which the best counts: with few, a bad start can pass for a bad
        model.
    sample_weight : array-like, shape (N,), optional
        Weights of the rows. Where they sum to less than the number of rows of a weight above 0, as shares do, they are
        scaled to that number, which the criteria count, and a `FitWarning` says so.
    random_state : int, RandomState or None
        Where starts are drawn from.
    threads : int, optional
        Threads that share the work, None for all processors; the result does not depend on it.
    allow_collapsed : bool, default False
        Whether a collapsed fit can be the best, too: where `reg_covar` is the least variance that matters.
    **options
        Other parameters of `GaussianMixture`, such as ``reg_covar=1e-4`` or ``acceleration="squarem"``. Defaults are
        those of `bgsub cluster`, ``init_params="short_runs", tol=1e-6, max_iter=1000``: here nobody expects
        scikit-learn's, which end EM on plateaus, and after 100 steps. The components of a model come in the order of
        their weights, the largest first.

    Returns
    -------
    ModelSelection
        The table, and the best model, fitted.

    Raises
    ------
    ValueError
        When a parameter or a row is unfit, or no combination could be fitted without collapse.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> random = np.random.default_rng(0)
    >>> rows = np.concatenate([random.normal([0, 5], 1, (900, 2)), random.normal([9, 1], 2, (300, 2))])
    >>> selection = bgsub.select(rows, range(1, 4), ["full", "spherical"], random_state=0)
    >>> selection.best.n_components, selection.best.covariance_type, len(selection.table)
    (2, 'spherical', 6)
    """
    counts = [n_components] if isinstance(n_components, (int, np.integer)) else list(n_components)
    types = [covariance_type] if isinstance(covariance_type, str) else list(covariance_type)
    check_choice("criterion", criterion)
    if not counts or not types:
        raise ParameterError("nothing to try: give at least one n_components and one covariance_type")
    given: dict[str, Any] = {"n_init": n_init, "threads": threads, **options}
    fit_options = _options(given)
    rows, names = _rows(X)
    check_finite(rows, names, missing=fit_options.missing)
    weights = check_sample_weight(sample_weight, len(rows))
    seed = seed_of(random_state)
    selection = compare(
        *(rows, counts, types, criterion, fit_options, seed),
        weights=weights,
        names=names,
        allow_collapsed=allow_collapsed,
    )
    chosen = {name: getattr(fit_options, name) for name in _GIVEN}
    return replace(selection, settings={**chosen, **given, "random_state": random_state})


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
    for k in counts:
        check_number("n_components", k)
    for kind in types:
        check_choice("covariance_type", kind)
    weights = counted_weights(weights, tell)
    data = RowsInMemory(X, weights, names, options.missing)
    check_enough_rows(data.n_rows, max(counts))
    of_every_type = partial(_of_every_type, data, _Rows(X, weights, names), options, types, seed, allow_collapsed)
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
        raise doubts.error(X, names)
    for line in first_of_each_kind([line for row in outcomes for outcome in row for line in outcome.told]):
        tell(line)  # by the thread that asked for it
    for line in doubts.lines(X, names):
        tell(line)
    return ModelSelection(table, criterion, found, names, X.dtype, {"random_state": seed})


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


class _Rows(NamedTuple):
    """What the criteria are computed from."""

    X: np.ndarray
    weights: np.ndarray | None
    names: Sequence[str] | None


def _options(given: Mapping[str, Any]) -> FitOptions:
    """Return how each combination is fitted; raise if an option is unknown, or not for several combinations."""
    refused = [name for name in ("weights_init", "means_init", "precisions_init") if given.get(name) is not None]
    if refused:
        raise ParameterError(f"{refused[0]} fits one combination only: leave it out, or fit a GaussianMixture")
    known = {field.name for field in fields(FitOptions)}
    unknown = given.keys() - known - MixtureOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"select() got an unexpected keyword argument {min(unknown)!r}")
    return FitOptions.for_tables(**{name: value for name, value in given.items() if name in known})


def _rows(X: Any) -> tuple[np.ndarray, Sequence[str] | None]:
    """Return rows as a float array, and the columns' names; what is no plain array of numbers needs scikit-learn."""
    if type(X) in (np.ndarray, np.memmap) and X.ndim == 2 and X.dtype.kind in "fiub" and len(X) > 1 and X.shape[1]:
        return np.asarray(X, X.dtype if X.dtype in (np.float32, np.float64) else np.float64), None
    with explained("bgsub.select of anything but a numpy array"):
        from bgsub.mixture.scikit_learn import rows_and_names
    return rows_and_names(X)


def _of_every_type(
    data: RowsInMemory,
    rows: _Rows,
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
            criteria = found.mixture.criteria(rows.X, rows.weights, missing=options.missing, threads=options.threads)
            bic, aic, icl, likelihood = (criteria[name] for name in ("bic", "aic", "icl", "log_likelihood"))
            ended = found.run.converged, collapse.where(rows.names)
            candidate = Candidate(n_components, kind, bic, aic, icl, likelihood, free, *ended)
        outcomes.append(_Outcome(candidate, found, collapse, told))
    return outcomes


def _best(table: list[Candidate], criterion: str) -> Candidate:
    """Return the row of the best combination."""
    return min(table, key=partial(_rank, criterion))


def _rank(criterion: str, candidate: Candidate) -> tuple[bool, float, int]:
    """Return what combinations are ordered by: the lowest criterion first, then the fewest parameters."""
    return not candidate.eligible, getattr(candidate, criterion), candidate.n_parameters
