"""How many components, of which covariance type: fit all combinations and compare them by a criterion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal, TypedDict, Unpack

import numpy as np

from bgsub.errors import ParameterError
from bgsub.extras import explained
from bgsub.mixture.comparison import ModelSelection, compare
from bgsub.mixture.fitting import FitOptions, seed_of
from bgsub.mixture.input_checks import check_finite, check_sample_weight
from bgsub.mixture.parameters import COVARIANCE_TYPES
from bgsub.mixture.settings import (
    CovarianceType,
    Criterion,
    InitParams,
    Missing,
    NoiseRegion,
    Order,
    check_choice,
    default,
)

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
    counts, types = combinations(n_components, covariance_type, criterion)
    given: dict[str, Any] = {"n_init": n_init, "threads": threads, **options}
    fit_options = options_of(given)
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
    return told_of(selection, fit_options, {**given, "random_state": random_state})


def told_of(selection: ModelSelection, options: FitOptions, given: Mapping[str, Any]) -> ModelSelection:
    """Return a selection whose best model is told how it was fitted: by these options, of which some were given."""
    return replace(selection, settings={**{name: getattr(options, name) for name in _GIVEN}, **given})


def combinations(
    n_components: int | Iterable[int], covariance_type: CovarianceType | Sequence[CovarianceType], criterion: Criterion
) -> tuple[list[int], list[CovarianceType]]:
    """Return the numbers of components and the covariance types to try; raise if there is nothing to compare."""
    counts = [int(n_components)] if isinstance(n_components, (int, np.integer)) else list(n_components)
    types: list[CovarianceType]
    types = [covariance_type] if isinstance(covariance_type, str) else list(covariance_type)
    check_choice("criterion", criterion)
    if not counts or not types:
        raise ParameterError("nothing to try: give at least one n_components and one covariance_type")
    return counts, types


def options_of(given: Mapping[str, Any]) -> FitOptions:
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
