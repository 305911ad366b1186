"""What the estimator owes to scikit-learn: bounds of its parameters, its checks of rows, copies of its class."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from bgsub.errors import ParameterError
from bgsub.mixture.input_checks import check_finite
from bgsub.mixture.settings import COVARIANCE_TYPES, INIT_PARAMS, MISSING, MOST_TRIMMED, NOISE_REGIONS, Missing

CONSTRAINTS: dict[str, list[Any]] = {
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
    "order": [StrOptions({"weight"}), None],
    "learning_decay": [Interval(Real, 0.5, 1.0, closed="right")],
    "missing": [StrOptions(set(MISSING))],
    "noise": [StrOptions(set(NOISE_REGIONS)), None],
    "trim": [Interval(Real, 0.0, MOST_TRIMMED, closed="both")],
}

_DASK = ("dask", "dask_expr")  # the packages whose types are Dask's: it is known by name, and not imported

_FITTED = (
    *("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"),
    *("converged_", "n_iter_", "lower_bound_", "lower_bounds_", "n_features_in_", "feature_names_in_"),
)


Method = TypeVar("Method", bound=Callable[..., Any])


def fitting(method: Method) -> Method:
    """Make a method of the estimator check the parameters first, as scikit-learn's do; its types stay known."""
    return _fit_context(prefer_skip_nested_validation=True)(method)


def validated(estimator: Any, X: Any, **checks: Any) -> np.ndarray:
    """Return rows as a float32 or float64 array, checked by scikit-learn; whether they are finite is left open.

    Arrays of other libraries become NumPy's, also where scikit-learn is told to leave them what they are: kernels read
    nothing else.

    Raises
    ------
    ParameterError
        When they lie in partitions of Dask: making an array of them would take the memory of all.
    """
    if type(X).__module__.partition(".")[0] in _DASK:
        raise ParameterError(
            f"X is a Dask {type(X).__name__}, which may be larger than memory: give it to bgsub.distributed.fit, "
            "which works on its partitions, or to select, predict or score_samples there; or X.compute() to this"
        )
    X = np.asarray(X) if hasattr(X, "__array_namespace__") else X  # else float32 would become float64
    with config_context(array_api_dispatch=False):
        return validate_data(estimator, X, dtype=[np.float64, np.float32], ensure_all_finite=False, **checks)


def rows_of(estimator: Any, X: Any, missing: Missing | None = None) -> np.ndarray:
    """Return rows of the width that a fitted `estimator` has learned as a float array, checked.

    NaN is allowed where `missing`, or else the estimator's, is "em".
    """
    check_is_fitted(estimator)
    X = validated(estimator, X, reset=False)
    check_finite(X, getattr(estimator, "feature_names_in_", None), missing=missing or estimator.missing)
    return X


def rows_and_names(X: Any) -> tuple[np.ndarray, Any]:
    """Return rows to fit to as a float array, and the names of the columns of a data frame."""
    checked = BaseEstimator()
    rows = validated(checked, X, ensure_min_samples=2)
    return rows, getattr(checked, "feature_names_in_", None)


def theirs_like(estimator: BaseEstimator) -> Any:
    """Return a copy of an estimator as scikit-learn's class, fitted if that is.

    Raises
    ------
    ParameterError
        When it has noise or leaves rows out, of which scikit-learn's class knows nothing.
    """
    given = estimator.get_params(deep=False)
    if given["noise"] is not None or given["trim"] or getattr(estimator, "noise_", None) is not None:
        raise ParameterError("scikit-learn's mixture has neither noise nor trim: fit without them, or keep this class")
    from sklearn.mixture import GaussianMixture  # here: it takes a while

    names = GaussianMixture().get_params(deep=False)
    copy = GaussianMixture(**{name: value for name, value in given.items() if name in names})
    _copy_fitted(estimator, copy)
    return copy


def ours_like(model_class: Any, theirs: BaseEstimator) -> Any:
    """Return a copy of scikit-learn's estimator as a class of ours, fitted if that is."""
    copy = model_class(**theirs.get_params(deep=False))
    _copy_fitted(theirs, copy)
    if hasattr(copy, "means_"):
        copy.n_batches_ = 1
    return copy


def _copy_fitted(source: Any, target: Any) -> None:
    """Copy the fitted attributes that both classes have."""
    for name in _FITTED:
        if hasattr(source, name):
            value = getattr(source, name)
            setattr(target, name, value.copy() if isinstance(value, (np.ndarray, list)) else value)
