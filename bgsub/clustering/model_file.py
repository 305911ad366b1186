"""The file of a table's model: bgsub's container, its parts checked one by one when they are read."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from bgsub.errors import ModelFileError
from bgsub.files import kind_of, read_container, write_container
from bgsub.mixture import model_files
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.outlier_files import outlier_arrays
from bgsub.mixture.table_files import KIND as KIND
from bgsub.mixture.table_files import UNKNOWN as UNKNOWN
from bgsub.mixture.table_files import VERSION, Outcome, mixture_from, unnamed_columns
from bgsub.tables.preparation import Features, Preparation

_DRAWN_ROWS, _DRAWN_AT_ONCE = 100_000, 10_000
_LOW_TAIL = np.logspace(-6, -2, 81)
QUANTILES = np.concatenate([[0.0], _LOW_TAIL, np.linspace(0.01, 1, 100)[1:]])
"""The shares of the learned rows of which the log-density is kept: fine where anomalies are looked for."""


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
    write_container(path, KIND, VERSION, meta, arrays | preparation.arrays())


def read(path: str | os.PathLike[str]) -> Parts:
    """Read what `write` wrote, under whatever name: the first versions wrote it to .npz; or an estimator's file.

    Raises
    ------
    ModelFileError
        When the file is missing, damaged, holds another kind of model, or parts that do not fit together.
    """
    if kind_of(path) == model_files.KIND:
        return _of_estimator(model_files.read_mixture(path))
    meta, arrays = read_container(path, KIND, VERSION)
    try:
        preparation = Preparation.from_parts(meta.get("preparation"), arrays)
        mixture, outcome = mixture_from(meta, arrays, preparation.n_outputs)
        densities, width = arrays.get("densities", np.empty(0)), meta.get("width")
        if not (_are_quantiles(densities) and (width is None or type(width) is int)):
            raise ModelFileError("its log-densities are not laid out as they should be; fit the model again")
    except ModelFileError as error:
        raise ModelFileError(f"cannot load the model {os.fspath(path)}: {error}") from error
    return Parts(preparation, mixture, densities, outcome, width)


def _are_quantiles(densities: np.ndarray) -> bool:
    sound = densities.dtype == np.float64 and densities.shape == QUANTILES.shape and np.isfinite(densities).all()
    return bool(sound and (np.diff(densities) >= 0).all())


def _of_estimator(saved: model_files.SavedMixture) -> Parts:
    """Return the model of tables that an estimator's mixture is: of named columns, or of as many in their order.

    What the estimator's rows were nobody knows any more, so densities are those of rows that are drawn from it.
    """
    mixture = saved.mixture
    named = bool(saved.names) and len(set(saved.names)) == mixture.n_features  # no table has a name twice
    names = saved.names if named else unnamed_columns(mixture.n_features)
    preparation = Preparation.identity(Features(tuple(names), (), {}))
    random, densities = np.random.RandomState(0), []
    for _ in range(0, _DRAWN_ROWS, _DRAWN_AT_ONCE):
        densities.append(mixture.log_densities(mixture.sample(_DRAWN_AT_ONCE, random)[0]))
    quantiles = np.quantile(np.concatenate(densities), QUANTILES)
    return Parts(preparation, mixture, quantiles, saved.outcome, None if named else mixture.n_features)
