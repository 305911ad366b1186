"""How many components, of which covariance type: fit all combinations and compare them by a criterion."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypedDict, Unpack, get_args

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from bgsub.errors import ParameterError
from bgsub.mixture.em.loop import best_run
from bgsub.mixture.em.progress import Progress
from bgsub.mixture.em.rules import Rules
from bgsub.mixture.em.starts import Seeding, check_enough_rows, drawn_seeds, sampled, starts_from
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.estimator import GaussianMixture
from bgsub.mixture.input_checks import check_finite, check_sample_weight
from bgsub.mixture.parameters import COVARIANCE_TYPES, n_parameters
from bgsub.mixture.scikit_learn import ROWS
from bgsub.mixture.settings import CovarianceType, Criterion, InitParams
from bgsub.notebook import counted, html_table
from bgsub.threads import usable_threads

CRITERIA = get_args(Criterion)

_log = logging.getLogger(__name__)


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


class Candidate(NamedTuple):
    """A combination and how it fared; criteria are the lower the better, infinite where the fit failed."""

    n_components: int
    covariance_type: str
    bic: float
    aic: float
    icl: float
    log_likelihood: float
    n_parameters: int
    converged: bool


@dataclass(frozen=True, repr=False)
class ModelSelection:
    """What `select` found.

    Attributes
    ----------
    table : list of Candidate
        A row a combination, by covariance type and number of components; ``pandas.DataFrame(selection.table)`` works.
    criterion : str
        What the best model was chosen by.
    best : GaussianMixture
        The fitted model of the lowest criterion.
    """

    table: list[Candidate]
    criterion: str
    best: GaussianMixture

    def __repr__(self) -> str:
        return f"ModelSelection({self._in_words()})"

    def _repr_html_(self) -> str:
        found = sorted(self.table, key=lambda candidate: getattr(candidate, self.criterion))
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
    n_init: int = 5,
    sample_weight: Any = None,
    random_state: Any = None,
    threads: int | None = None,
    **options: Unpack[MixtureOptions],
) -> ModelSelection:
    """Fit every combination of number of components and covariance type, and choose the best.

    Combinations are fitted side by side. Those of one number of components share what their starts are drawn from, so
    they differ by their covariances and not by luck.

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
    n_init : int, default 5
        Starts of each combination, of which the best counts: with few, a bad start can pass for a bad model.
    sample_weight : array-like, shape (N,), optional
        Weights of the rows.
    random_state : int, RandomState or None
        Where starts are drawn from.
    threads : int, optional
        Threads that share the work, None for all processors; the result does not depend on it.
    **options
        Other parameters of `GaussianMixture`, such as ``reg_covar=1e-4`` or ``acceleration="squarem"``.

    Returns
    -------
    ModelSelection
        The table, and the best model, fitted.

    Raises
    ------
    ValueError
        When a parameter or a row is unfit, or no combination could be fitted.

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
    if criterion not in CRITERIA:
        raise ParameterError(f"criterion is {criterion!r}: give one of {', '.join(CRITERIA)}")
    if not counts or not types:
        raise ParameterError("nothing to try: give at least one n_components and one covariance_type")
    given: Mapping[str, object] = options
    refused = [name for name in ("weights_init", "means_init", "precisions_init") if given.get(name) is not None]
    if refused:
        raise ParameterError(f"{refused[0]} fits one combination only: leave it out, or fit a GaussianMixture")

    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    reference = GaussianMixture(n_init=n_init, random_state=seed, **options)
    for k in counts:
        for kind in types:
            clone(reference).set_params(n_components=k, covariance_type=kind)._validate_params()
    rows = validate_data(reference, X, ensure_min_samples=2, **ROWS)
    check_finite(rows, getattr(reference, "feature_names_in_", None))
    weights = check_sample_weight(sample_weight, len(rows))
    data = RowsInMemory(rows, weights)
    check_enough_rows(data.n_rows, max(counts))
    n_threads = usable_threads(threads)
    side_by_side = min(n_threads, len(counts))
    reference.threads = max(1, n_threads // side_by_side)

    def try_all(k: int) -> list[_Outcome]:
        return _of_every_type(reference, data, _Rows(rows, weights), k, types)

    if side_by_side == 1:
        outcomes = [try_all(k) for k in counts]
    else:
        with ThreadPoolExecutor(side_by_side) as pool:
            outcomes = list(pool.map(try_all, counts))
    in_order = [row[i] for i in range(len(types)) for row in outcomes]
    table = [outcome.candidate for outcome in in_order]
    best = _best(table, criterion)
    if not math.isfinite(getattr(best, criterion)):
        raise ParameterError(f"no combination could be fitted: {in_order[0].failure}")
    model = in_order[table.index(best)].model.set_params(threads=threads, random_state=random_state)
    return ModelSelection(table, criterion, model)


class _Outcome(NamedTuple):
    candidate: Candidate
    model: GaussianMixture
    failure: str


class _Rows(NamedTuple):
    """What the criteria are computed from."""

    X: np.ndarray
    weights: np.ndarray | None


def _of_every_type(
    reference: GaussianMixture, data: RowsInMemory, rows: _Rows, n_components: int, types: Sequence[CovarianceType]
) -> list[_Outcome]:
    """Fit mixtures of one number of components from the same seeds."""
    model = clone(reference).set_params(n_components=n_components)
    seeding = Seeding(n_components, model.n_init, model.init_params, check_random_state(model.random_state))
    starting_rows = sampled(data, seeding)
    drawn = drawn_seeds(*starting_rows, seeding)
    progress = Progress(model.verbose, model.verbose_interval) if model.verbose else None
    outcomes = []
    for kind in types:
        model = clone(model).set_params(covariance_type=kind)
        rules = Rules(kind, model.reg_covar, model.tol, model.max_iter, model.acceleration)
        free = n_parameters(n_components, data.n_features, kind)
        try:
            starts = starts_from(*starting_rows, drawn, None, rules)
            run = best_run(data, starts, rules, model.threads, progress)
        except ValueError as error:  # a covariance that is not positive definite: this combination is out
            failed = Candidate(n_components, kind, math.inf, math.inf, math.inf, -math.inf, free, False)
            _log.warning("%d components, %s: %s", n_components, kind, error)
            outcomes.append(_Outcome(failed, model, str(error)))
            continue
        model.take(run, data.dtype)
        if hasattr(reference, "feature_names_in_"):
            model.feature_names_in_ = reference.feature_names_in_
        found = model.fitted_mixture().criteria(*rows, threads=model.threads)
        candidate = Candidate(n_components, kind, **found, n_parameters=free, converged=model.converged_)
        outcomes.append(_Outcome(candidate, model, ""))
    return outcomes


def _best(table: list[Candidate], criterion: str) -> Candidate:
    """Return the row of the lowest criterion, the one of fewest parameters where several are as low."""
    return min(table, key=lambda candidate: (getattr(candidate, criterion), candidate.n_parameters))
