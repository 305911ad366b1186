"""The mixture in the file of a table's model, and what an estimator can take of such a file."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from bgsub.errors import ModelFileError
from bgsub.files import read_container
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.outlier_files import outliers_from
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, fault

KIND = "mixture of a table"
VERSION = 1


class Outcome(NamedTuple):
    """How a fit ended.

    Attributes
    ----------
    reg_covar : float
        What was added to every variance.
    converged : bool
        Whether the likelihood stood still before the iterations were used up.
    n_iter : int
        Iterations of the best start.
    lower_bound : float
        Mean log-likelihood of a prepared row at its end, in nats.
    """

    reg_covar: float = 0.0
    converged: bool = True
    n_iter: int = 0
    lower_bound: float = -np.inf


UNKNOWN = Outcome()
"""Of a mixture that was not fitted here."""


class Unprepared(NamedTuple):
    """A mixture of a table's columns as they are.

    Attributes
    ----------
    mixture : FittedMixture
        Of these columns.
    outcome : Outcome
        How its fit ended.
    names : list of str or None
        The columns; None where they had no names, and all were used.
    """

    mixture: FittedMixture
    outcome: Outcome
    names: list[str] | None


def read_unprepared(path: str | os.PathLike[str]) -> Unprepared:
    """Read the file of a table's model that leaves its columns as they are.

    Raises
    ------
    ModelFileError
        As `read_container`; also when the rows are prepared, so that the mixture alone is no model of the table.
    """
    meta, arrays = read_container(path, KIND, VERSION)
    try:
        names = _unprepared_names(meta.get("preparation"))
        mixture, outcome = mixture_from(meta, arrays, len(names))
    except ModelFileError as error:
        raise ModelFileError(f"cannot load the model {os.fspath(path)}: {error}") from error
    unnamed = meta.get("width") == len(names) and names == unnamed_columns(len(names))
    return Unprepared(mixture, outcome, None if unnamed else names)


def unnamed_columns(n_columns: int) -> list[str]:
    """Return what the columns of a table without names are called."""
    return [f"x{index}" for index in range(n_columns)]


def _unprepared_names(preparation: Any) -> list[str]:
    """Return the names of the columns of numbers, of which nothing else is made."""
    match preparation:
        case {
            "numbers": list(numbers),
            "logs": list(logs),
            "categories": list(categories),
            "steps": list(steps),
        } if all(isinstance(name, str) for name in numbers):
            asked = {"log": logs, "encode": categories, "dates": preparation.get("dates")}
            done = [name for name, columns in asked.items() if columns]
            done += [step for step in ("scale", "pca") if step in steps]
            if done or steps:
                raise ModelFileError(
                    f"its rows are prepared ({', '.join(done) or 'baseline'}), which an estimator does not do: load it "
                    "with bgsub.TableModel.load"
                )
            return numbers
    raise ModelFileError("its preparation of tables is not laid out as it should be; fit the model again")


def mixture_from(meta: dict[str, Any], arrays: dict[str, np.ndarray], n_features: int) -> tuple[FittedMixture, Outcome]:
    """Return the mixture of a file's metadata and arrays, its numbers checked, and how its fit ended.

    Raises
    ------
    ModelFileError
        When they are no mixture of D features; the clause begins with "its".
    """
    parameters = Parameters(*(arrays.get(name, np.empty(0)) for name in Parameters._fields))
    match meta:
        case {
            "covariance_type": str(covariance_type),
            "reg_covar": float(reg_covar),
            "converged": bool(converged),
            "n_iter": int(n_iter),
            "lower_bound": float(lower_bound),
        } if covariance_type in COVARIANCE_TYPES and all(array.dtype == np.float64 for array in parameters):
            reason = fault(parameters, covariance_type, n_features)
            if reason:
                raise ModelFileError(f"{reason}; fit the model again")
            # With the factors as they were, so that predictions are, to the bit.
            mixture = FittedMixture(parameters, covariance_type, *outliers_from(arrays, n_features))
            return mixture, Outcome(reg_covar, converged, n_iter, lower_bound)
    raise ModelFileError("its mixture is not laid out as it should be; fit the model again")
