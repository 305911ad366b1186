"""The file of a table's model: bgsub's container, its parts checked one by one when they are read."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from bgsub.errors import ModelFileError
from bgsub.files import read_container, write_container
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.outlier_files import outlier_arrays, outliers_from
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, fault
from bgsub.tables.preparation import Preparation

KIND = "mixture of a table"
_VERSION = 1

_LOW_TAIL = np.logspace(-6, -2, 81)
QUANTILES = np.concatenate([[0.0], _LOW_TAIL, np.linspace(0.01, 1, 100)[1:]])
"""The shares of the learned rows of which the log-density is kept: fine where anomalies are looked for."""


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


class Parts(NamedTuple):
    """What the file holds: the fields of a `TableModel`, in their order."""

    preparation: Preparation
    mixture: FittedMixture
    densities: np.ndarray
    outcome: Outcome
    width: int | None


def write(
    path: str | os.PathLike[str],
    preparation: Preparation,
    mixture: FittedMixture,
    densities: np.ndarray,
    outcome: Outcome,
    width: int | None,
) -> None:
    """Write the parts of a model; errors as `write_container`'s."""
    meta = {
        "preparation": preparation.meta(),
        "covariance_type": mixture.covariance_type,
        **outcome._asdict(),
        "width": width,
    }
    arrays = {**mixture.parameters._asdict(), "densities": densities}
    arrays |= outlier_arrays(mixture.noise, mixture.cutoff)
    write_container(path, KIND, _VERSION, meta, arrays | preparation.arrays())


def read(path: str | os.PathLike[str]) -> Parts:
    """Read what `write` wrote, under whatever name: the first versions wrote it to .npz.

    Raises
    ------
    ModelFileError
        When the file is missing, damaged, holds another kind of model, or parts that do not fit together.
    """
    meta, arrays = read_container(path, KIND, _VERSION)
    try:
        preparation = Preparation.from_parts(meta.get("preparation"), arrays)
        mixture, outcome = _mixture_from(meta, arrays, preparation.n_outputs)
        densities, width = arrays.get("densities", np.empty(0)), meta.get("width")
        if not (_are_quantiles(densities) and (width is None or type(width) is int)):
            raise ModelFileError("its log-densities are not laid out as they should be; fit the model again")
    except ModelFileError as error:
        raise ModelFileError(f"cannot load the model {os.fspath(path)}: {error}") from error
    return Parts(preparation, mixture, densities, outcome, width)


def _mixture_from(
    meta: dict[str, Any], arrays: dict[str, np.ndarray], n_features: int
) -> tuple[FittedMixture, Outcome]:
    """Return the mixture of a file, its numbers checked, and how its fit ended."""
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


def _are_quantiles(densities: np.ndarray) -> bool:
    sound = densities.dtype == np.float64 and densities.shape == QUANTILES.shape and np.isfinite(densities).all()
    return bool(sound and (np.diff(densities) >= 0).all())
