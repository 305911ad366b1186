"""The model of a table, in one file: how its rows are prepared, and the mixture of the prepared rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bgsub.errors import ModelFileError, ParameterError
from bgsub.files import read_container, write_container
from bgsub.mixture.estimator import GaussianMixture
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, precisions_cholesky
from bgsub.tables.preparation import Preparation
from bgsub.tables.table import Table

_KIND, _VERSION = "mixture of a table", 1

_LOW_TAIL = np.logspace(-6, -2, 81)
QUANTILES = np.concatenate([[0.0], _LOW_TAIL, np.linspace(0.01, 1, 100)[1:]])
"""The shares of the learned rows of which the log-density is kept: fine where anomalies are looked for."""


@dataclass
class TableModel:
    """A mixture, and how the rows of a table are prepared for it.

    Attributes
    ----------
    preparation : Preparation
        From a table's columns to the mixture's.
    mixture : GaussianMixture
        Fitted.
    densities : ndarray (Q,)
        The log-densities under which the shares `QUANTILES` of the learned rows lie.
    width : int or None
        Columns of the table that was learned, where they had no names, so that another table must have as many.
    """

    preparation: Preparation
    mixture: GaussianMixture
    densities: np.ndarray
    width: int | None = None

    @property
    def n_components(self) -> int:
        """Number of clusters."""
        return len(self.mixture.weights_)

    def threshold(self, share: float) -> float:
        """Return the log-density under which a share of the learned rows lies."""
        return float(np.interp(share, QUANTILES, self.densities))

    def check(self, table: Table) -> None:
        """Raise ParameterError unless a table has the columns that were learned."""
        if not table.named and self.width is not None and len(table.columns) != self.width:
            raise ParameterError(
                f"{table.name} has {len(table.columns)} columns without names, the model learned {self.width}: "
                "give a table of that width"
            )
        features = self.preparation.features
        table.check_names([*features.numbers, *features.categories])

    def means(self) -> np.ndarray:
        """Return the clusters' means (K, F) in the features' units."""
        return self.preparation.restore(self.mixture.means_)

    def covariances(self) -> np.ndarray:
        """Return the clusters' covariances (K, F, F) in the features' units."""
        return self.preparation.restore_covariances(full_covariances(self.mixture))

    def save(self, path: str | Path) -> None:
        """Write all of it to a file.

        Raises
        ------
        OutputError
            When the file cannot be written.
        """
        m = self.mixture
        meta = {
            "preparation": self.preparation.meta(),
            "covariance_type": m.covariance_type,
            "reg_covar": float(m.reg_covar),
            "converged": bool(m.converged_),
            "n_iter": int(m.n_iter_),
            "lower_bound": float(m.lower_bound_),
            "width": self.width,
        }
        arrays = {
            "weights": m.weights_,
            "means": m.means_,
            "covariances": m.covariances_,
            "precisions_cholesky": m.precisions_cholesky_,
            "densities": self.densities,
        }
        write_container(path, _KIND, _VERSION, meta, arrays | self.preparation.arrays())

    @classmethod
    def load(cls, path: str | Path, threads: int | None = None) -> TableModel:
        """Read what `save` wrote.

        Raises
        ------
        ModelFileError
            When the file is missing, damaged, or holds something else.
        """
        meta, arrays = read_container(path, _KIND, _VERSION)
        try:
            preparation = Preparation.from_parts(meta.get("preparation"), arrays)
            mixture = _mixture_from(meta, arrays, preparation.n_outputs)
            densities = arrays.get("densities", np.empty(0))
            width = meta.get("width")
            if not (_are_quantiles(densities) and (width is None or type(width) is int)):
                raise ModelFileError("its log-densities are not laid out as they should be; fit the model again")
        except ModelFileError as error:
            raise ModelFileError(f"cannot load the model {path}: {error}") from error
        mixture.threads = threads
        return cls(preparation, mixture, densities, width)


def full_covariances(mixture: GaussianMixture) -> np.ndarray:
    """Return a mixture's covariances as matrices (K, D, D), whatever its covariance type."""
    n_components, n_features = mixture.means_.shape
    covariances = mixture.covariances_
    if mixture.covariance_type == "full":
        return covariances
    if mixture.covariance_type == "tied":
        return np.broadcast_to(covariances, (n_components, n_features, n_features))
    variances = covariances if mixture.covariance_type == "diag" else covariances[:, None]
    return variances[..., None] * np.eye(n_features)


def largest_first(mixture: GaussianMixture) -> None:
    """Sort the components by their weights, so that the same clusters have the same numbers whatever the start."""
    order = np.argsort(-mixture.weights_, kind="stable")
    names = ["weights_", "means_"]
    if mixture.covariance_type != "tied":
        names += ["covariances_", "precisions_", "precisions_cholesky_"]
    for name in names:
        setattr(mixture, name, getattr(mixture, name)[order])


def _mixture_from(meta: dict[str, Any], arrays: dict[str, np.ndarray], n_features: int) -> GaussianMixture:
    """Return the mixture of a file, its numbers checked."""
    found = [arrays.get(name, np.empty(0)) for name in ("weights", "means", "covariances", "precisions_cholesky")]
    weights, means, covariances, cholesky = found
    n = len(weights) if weights.ndim == 1 else 0
    shapes = {
        "full": (n, n_features, n_features),
        "tied": (n_features, n_features),
        "diag": (n, n_features),
        "spherical": (n,),
    }
    match meta:
        case {
            "covariance_type": str(covariance_type),
            "reg_covar": float(reg_covar),
            "converged": bool(converged),
            "n_iter": int(n_iter),
            "lower_bound": float(lower_bound),
        } if covariance_type in COVARIANCE_TYPES:
            sound = means.shape == (n, n_features) and covariances.shape == cholesky.shape == shapes[covariance_type]
            if (
                n
                and sound
                and _are_finite(found)
                and _are_shares(weights)
                and _agree(covariances, cholesky, covariance_type)
            ):
                parameters = Parameters(*found)  # with the factors as they were, so that predictions are, to the bit
                mixture = GaussianMixture.from_mixture(FittedMixture(parameters, covariance_type), reg_covar=reg_covar)
                mixture.converged_, mixture.n_iter_, mixture.lower_bound_ = converged, n_iter, lower_bound
                return mixture
    raise ModelFileError("its mixture is not laid out as it should be; fit the model again")


def _agree(covariances: np.ndarray, cholesky: np.ndarray, covariance_type: str) -> bool:
    """Tell whether covariances are positive definite, and these are the factors of their inverses."""
    try:
        expected = precisions_cholesky(covariances, covariance_type)
    except ValueError:
        return False
    return np.allclose(cholesky, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def _are_finite(arrays: Iterable[np.ndarray]) -> bool:
    return all(array.dtype == np.float64 and np.isfinite(array).all() for array in arrays)


def _are_quantiles(densities: np.ndarray) -> bool:
    return densities.shape == QUANTILES.shape and _are_finite([densities]) and bool((np.diff(densities) >= 0).all())


def _are_shares(weights: np.ndarray) -> bool:
    return bool((weights >= 0).all()) and abs(float(weights.sum()) - 1) < 1e-6
