"""What files of models hold of rows that belong to no component: the noise, or the density below which they lie."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bgsub.errors import ModelFileError
from bgsub.mixture.noise import MOST_HULL_FEATURES, Noise, Region

_MOST_VERTICES = 1 << 20
_UNSOUND = "its noise is not laid out as it should be; fit the model again"


def outlier_arrays(noise: Noise | None, cutoff: float | None) -> dict[str, np.ndarray]:
    """Return the arrays that a file holds: none where every row belongs to a component."""
    arrays = {} if cutoff is None else {"cutoff": np.asarray(cutoff, np.float64)}
    if noise is not None:
        region = noise.region
        arrays |= {"noise_weight": np.asarray(noise.weight, np.float64), "noise_vertices": region.vertices}
        arrays |= {"noise_low": region.low, "noise_high": region.high}
    return arrays


def outliers_from(arrays: Mapping[str, np.ndarray], n_features: int) -> tuple[Noise | None, float | None]:
    """Return noise and cut-off of what a file of D features holds.

    Raises
    ------
    ModelFileError
        When they are not what `outlier_arrays` makes; the clause begins with "its".
    """
    cutoff = arrays.get("cutoff")
    if cutoff is not None and not (cutoff.dtype == np.float64 and cutoff.shape == () and np.isfinite(cutoff)):
        raise ModelFileError("its cut-off is no number; fit the model again")
    if "noise_weight" not in arrays:
        return None, None if cutoff is None else float(cutoff)
    empty = np.empty(0)
    weight, low, high, vertices = (arrays.get(f"noise_{name}", empty) for name in ("weight", "low", "high", "vertices"))
    if not all(array.dtype == np.float64 and np.isfinite(array).all() for array in (weight, low, high, vertices)):
        raise ModelFileError(_UNSOUND)
    shaped = weight.shape == () and low.shape == high.shape == (n_features,)
    if not (shaped and 0 <= weight <= 1 and (low < high).all() and vertices.ndim == 2):
        raise ModelFileError(_UNSOUND)
    count, width = vertices.shape
    if width != n_features or count > _MOST_VERTICES or (count and not _are_vertices(vertices, low, high)):
        raise ModelFileError(_UNSOUND)
    return Noise(float(weight), Region(low, high, vertices)), None if cutoff is None else float(cutoff)


def _are_vertices(vertices: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Return whether these can be the corners of a hull that fills a box."""
    if not 2 <= len(low) <= MOST_HULL_FEATURES:
        return False
    region = Region(low, high, vertices)
    touching = (vertices.min(axis=0) == low).all() and (vertices.max(axis=0) == high).all()
    return bool(touching and region.is_solid)
