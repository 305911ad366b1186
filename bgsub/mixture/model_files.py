"""Saved mixtures: bgsub's container of arrays and JSON, of which nothing is ever executed."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from bgsub.errors import ModelFileError, ParameterError
from bgsub.files import kind_of, read_container, write_container
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.outlier_files import outlier_arrays, outliers_from
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, covariance_shape, layout_fault, separated
from bgsub.mixture.table_files import KIND as TABLE_KIND
from bgsub.mixture.table_files import Outcome, read_unprepared

KIND = "gaussian-mixture"
_VERSION = 1
_FITTED = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")
_GIVEN = ("weights_init", "means_init", "precisions_init")


def save_mixture(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted `GaussianMixture` to a file.

    Raises
    ------
    ParameterError
        When `random_state` is a generator object: its state is no part of the model.
    OutputError
        When the file cannot be written.
    """
    parameters = model.get_params(deep=False)
    arrays = {name: getattr(model, name) for name in _FITTED}
    for name in _GIVEN:
        given = parameters.pop(name)
        if given is not None:
            arrays[name] = np.asarray(given)
    if not isinstance(parameters["random_state"], (int, np.integer, type(None))):
        raise ParameterError("random_state is a generator, which a model file does not hold: set an integer or None")
    arrays["lower_bounds_"] = np.asarray(model.lower_bounds_, dtype=np.float64)
    arrays |= outlier_arrays(model.noise_, model.cutoff_)
    arrays["lower_bound_"] = np.asarray(model.lower_bound_, dtype=np.float64)
    meta = {
        "parameters": {name: _plain(value) for name, value in parameters.items()},
        "converged": bool(model.converged_),
        "n_iter": int(model.n_iter_),
        "n_batches": int(model.n_batches_),
        "feature_names": [str(name) for name in getattr(model, "feature_names_in_", [])],
    }
    write_container(path, KIND, _VERSION, meta, arrays)


class SavedMixture(NamedTuple):
    """What an estimator's file holds, checked.

    Attributes
    ----------
    meta, arrays : dict
        All of it, as `save_mixture` lays it out.
    mixture : FittedMixture
        The fitted parameters, float64.
    outcome : Outcome
        How the fit ended.
    names : list of str
        Of the columns; empty where they have none.
    """

    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]
    mixture: FittedMixture
    outcome: Outcome
    names: list[str]


def read_mixture(path: str | os.PathLike[str]) -> SavedMixture:
    """Read what `save_mixture` wrote, without scikit-learn; the settings of the estimator are not looked at.

    Raises
    ------
    ModelFileError
        When the file is missing, truncated, altered, of another kind or version, or holds no valid mixture.
    """
    meta, arrays = read_container(path, KIND, _VERSION)
    fault = _fault(meta, arrays)
    try:
        noise, cutoff = (None, None) if fault else outliers_from(arrays, arrays["means_"].shape[1])
    except ModelFileError as error:
        fault = str(error)
    if fault:
        raise ModelFileError(
            f"cannot load the model {os.fspath(path)}: {fault}; copy it again from its source, or fit the model again"
        )
    fitted = (arrays[f"{name}_"] for name in Parameters._fields)
    parameters = Parameters(*(np.ascontiguousarray(values, dtype=np.float64) for values in fitted))
    if noise is not None:
        parameters = separated(parameters)
    settings = meta["parameters"]
    mixture = FittedMixture(parameters, settings["covariance_type"], noise, cutoff)
    reg_covar = settings.get("reg_covar", 0.0)
    added = float(reg_covar) if isinstance(reg_covar, (int, float)) else 0.0
    outcome = Outcome(added, meta["converged"], meta["n_iter"], float(arrays["lower_bound_"]))
    return SavedMixture(meta, arrays, mixture, outcome, meta["feature_names"])


def load_mixture(model_class: Any, path: str | os.PathLike[str]) -> Any:
    """Read back what `save_mixture` wrote, or the model of a table of which the columns are used as they are.

    Raises
    ------
    ModelFileError
        As `read_mixture` and `read_unprepared`; also when the settings are not those of an estimator.
    """
    if kind_of(path) == TABLE_KIND:
        return _of_table(model_class, path)
    saved = read_mixture(path)
    meta, arrays = saved.meta, saved.arrays
    given = {name: arrays[name] for name in _GIVEN if name in arrays}
    try:
        model = model_class(**meta["parameters"], **given)
        model._validate_params()
    except (TypeError, ValueError) as error:  # a parameter unknown or out of its bounds
        raise ModelFileError(
            f"cannot load the model {os.fspath(path)}: its parameters are not those of a mixture "
            f"({str(error).splitlines()[0][:200]}); fit the model again"
        ) from error
    for name in _FITTED:
        setattr(model, name, arrays[name])
    model.lower_bounds_ = arrays["lower_bounds_"].tolist()
    model.lower_bound_ = saved.outcome.lower_bound
    model.converged_, model.n_iter_, model.n_batches_ = meta["converged"], meta["n_iter"], meta["n_batches"]
    model.n_features_in_ = arrays["means_"].shape[1]
    model.noise_, model.cutoff_ = saved.mixture.noise, saved.mixture.cutoff
    if saved.names:
        model.feature_names_in_ = np.array(saved.names, dtype=object)
    return model


def _of_table(model_class: Any, path: str | os.PathLike[str]) -> Any:
    """Return an estimator of what ``bgsub cluster`` fitted; the lower bounds before the last one are not kept."""
    mixture, outcome, names = read_unprepared(path)
    model = model_class.from_mixture(mixture, reg_covar=outcome.reg_covar)
    model.converged_, model.n_iter_, model.lower_bound_ = outcome.converged, outcome.n_iter, outcome.lower_bound
    if names is not None:
        model.feature_names_in_ = np.array(names, dtype=object)
    return model


def _plain(value: Any) -> Any:
    """Return a parameter as JSON has it."""
    return value.item() if isinstance(value, np.generic) else value


def _fault(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """Return what keeps metadata and arrays from being a mixture, or ""."""
    match meta:
        case {
            "parameters": {"covariance_type": str(kind), "n_components": int(n_components)},
            "converged": bool(),
            "n_iter": int(),
            "n_batches": int(),
            "feature_names": list(names),
        } if kind in COVARIANCE_TYPES:
            pass
        case _:
            return "its description of the mixture is incomplete"
    if not {*_FITTED, "lower_bounds_", "lower_bound_"} <= arrays.keys() or arrays["means_"].ndim != 2:
        return "it lacks a part of the mixture"
    n_features = arrays["means_"].shape[1]
    parameters = Parameters(*(arrays[f"{name}_"] for name in Parameters._fields))
    if "noise_weight" in arrays and (parameters.weights > 0).all():  # which the others and its own sum to 1 with
        parameters = separated(parameters)
    shapes = {"precisions_": covariance_shape(kind, n_components, n_features), "lower_bound_": ()}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            return f"{name} has the shape {arrays[name].shape} where {shape} belongs"
    found = layout_fault(parameters, kind, n_components, n_features)
    if found:
        return found
    precisions = arrays["precisions_"]
    if precisions.dtype.kind != "f" or not np.isfinite(precisions).all():
        return "its parameters are not finite numbers"
    if names and (len(names) != n_features or not all(isinstance(name, str) for name in names)):
        return f"it names {len(names)} features and has {n_features}"
    return ""
