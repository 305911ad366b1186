"""Noise: rows that belong to no component and lie anywhere in a region, the box or the hull of the rows learned.

Banfield & Raftery 1993 (Biometrics 49): noise is a Poisson process, so that a row of it has the constant density 1/V,
with V the volume of the region. With w_0 the share of noise the density of a row is::

    p(x) = sum_k w_k N(x | mean_k, covariance_k) + w_0 / V        for x in the region; without the last term outside

A row is noise where the last term is the largest. That is asked of rows outside the region, too, as if the region held
them: else the most unusual rows would be the only ones that cannot be noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bgsub.errors import ParameterError
from bgsub.extras import explained
from bgsub.mixture.settings import NoiseRegion

NOISE = -1
"""The label of a row of no component."""

MOST_HULL_FEATURES = 3  # facets, and the time for them, grow with the power of half the features
LEAST_KEPT = 1e-12  # of all weight, for the components, where all is noise: logarithms are taken of weights
_SLACK = 1e-9  # of the region's width: rounding leaves no row outside that was learned


@dataclass(frozen=True, eq=False)
class Region:
    """Where noise lies.

    Attributes
    ----------
    low, high : ndarray, shape (D,)
        The box of the rows.
    vertices : ndarray, shape (M, D)
        Of the convex hull; none where the region is the box.
    """

    low: np.ndarray
    high: np.ndarray
    vertices: np.ndarray

    @property
    def kind(self) -> NoiseRegion:
        """What it is: a box or a hull."""
        return "hull" if len(self.vertices) else "box"

    @property
    def n_features(self) -> int:
        """D."""
        return len(self.low)

    @property
    def is_solid(self) -> bool:
        """Whether it has a volume."""
        return bool((self.high > self.low).all()) and (not len(self.vertices) or _is_solid(self._unit(self.vertices)))

    @cached_property
    def log_volume(self) -> float:
        """Logarithm of the volume: of many features the volume itself may be no number."""
        if len(self.vertices):
            return math.log(_hull(self._unit(self.vertices)).volume) + self._log_box
        return self._log_box

    @property
    def _log_box(self) -> float:
        return float(np.log(self.high - self.low).sum())

    def holds(self, X: np.ndarray) -> np.ndarray:
        """Return which rows of X (N, D) lie in the region, bool (N,)."""
        unit = self._unit(np.asarray(X, np.float64))
        inside = np.abs(unit - 0.5).max(axis=1) <= 0.5 + _SLACK
        if len(self.vertices):
            facets = _hull(self._unit(self.vertices)).equations  # outer normals, and offsets
            inside[inside] = (unit[inside] @ facets[:, :-1].T + facets[:, -1] <= _SLACK).all(axis=1)
        return inside

    def draw(self, n: int, random: np.random.RandomState) -> np.ndarray:
        """Draw n rows (n, D), all places being as probable."""
        if not len(self.vertices):
            return self.low + (self.high - self.low) * random.random_sample((n, self.n_features))
        from scipy.spatial import Delaunay  # here: only hulls need it

        corners = self.vertices[Delaunay(self._unit(self.vertices)).simplices]  # (simplices, D + 1, D)
        sizes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
        of = random.choice(len(corners), n, p=sizes / sizes.sum())
        shares = random.dirichlet(np.ones(corners.shape[1]), n)
        return np.einsum("nc,ncd->nd", shares, corners[of])

    def joined(self, other: Region) -> Region:
        """Return the region of the rows of both."""
        corners = np.concatenate([self.vertices, other.vertices])
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        if not len(corners):
            return Region(low, high, corners)
        return Region(low, high, corners[_hull((corners - low) / (high - low)).vertices])

    def _unit(self, X: np.ndarray) -> np.ndarray:
        """Return rows with the box from 0 to 1: Qhull's tolerances know no units."""
        return (X - self.low) / (self.high - self.low)


@dataclass(frozen=True, eq=False)
class Noise:
    """The noise of a mixture.

    Attributes
    ----------
    weight : float
        Share of noise among all rows, w_0.
    region : Region
        Where it lies.
    """

    weight: float
    region: Region

    @property
    def log_term(self) -> float:
        """Logarithm of w_0 / V, of any row's."""
        return (math.log(self.weight) if self.weight > 0 else -math.inf) - self.region.log_volume

    @property
    def log_rest(self) -> float:
        """Logarithm of 1 - w_0, the components' share."""
        return math.log1p(-min(self.weight, 1.0 - LEAST_KEPT))

    def shares(self, log_densities: np.ndarray) -> np.ndarray:
        """Return the probability of being noise (N,) of rows of these densities under the components alone."""
        if self.weight <= 0:
            return np.zeros(len(log_densities))
        with np.errstate(over="ignore", under="ignore"):
            return 1.0 / (1.0 + np.exp(log_densities + self.log_rest - self.log_term))

    def total(self, log_densities: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Return log p(x), (N,), of rows X (N, D) of these densities under the components alone."""
        rest = log_densities + self.log_rest
        return np.where(self.region.holds(X), np.logaddexp(rest, self.log_term), rest)


def region_of(blocks: Iterable[np.ndarray], kind: NoiseRegion, names: Sequence[str] | None = None) -> Region:
    """Return the region of rows that come in blocks (n, D), of which only one is looked at at a time.

    Parameters
    ----------
    blocks : iterable of ndarray
        The rows, finite.
    kind : {"box", "hull"}
        Which region.
    names : sequence of str, optional
        The columns' names, for the error.

    Raises
    ------
    ParameterError
        When the region has no volume, as a column is constant or rows lie in a plane, or is a hull of many features.
    """
    low: Any = np.inf
    high: Any = -np.inf
    corners = np.empty((0, 0))
    for block in blocks:
        rows = np.asarray(block, np.float64)
        if not len(rows):
            continue
        low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
        if kind == "hull" and rows.shape[1] <= MOST_HULL_FEATURES:
            corners = _corners(np.concatenate([corners.reshape(-1, rows.shape[1]), rows]))
    constant = np.flatnonzero(~(high > low))
    if constant.size:
        column = int(constant[0])
        called = "" if names is None else f" ({names[column]!r})"
        raise ParameterError(
            f"column {column}{called} is constant, so that the region of noise has no volume: leave the column out, or "
            "the noise"
        )
    if kind == "box" or len(low) == 1:
        return Region(low, high, np.empty((0, len(low))))
    if len(low) > MOST_HULL_FEATURES:
        raise ParameterError(
            f"the hull of {len(low)} columns takes too long: give noise='box' above {MOST_HULL_FEATURES}"
        )
    if not _is_solid((corners - low) / (high - low)):
        raise ParameterError("the rows lie in a plane or on a line, so that their hull has no volume: give noise='box'")
    return Region(low, high, corners)


def _corners(rows: np.ndarray) -> np.ndarray:
    """Return the vertices of the hull of rows (n, D); all of them, where they have no volume."""
    low, width = rows.min(axis=0), np.ptp(rows, axis=0)
    unit = (rows - low) / np.where(width > 0, width, 1.0)
    if rows.shape[1] < 2 or not _is_solid(unit):
        return rows[[]] if rows.shape[1] < 2 else np.unique(rows, axis=0)
    return rows[_hull(unit).vertices]


def _is_solid(unit: np.ndarray) -> bool:
    """Return whether rows in a box from 0 to 1 span a volume."""
    return bool(np.linalg.matrix_rank(unit - unit.mean(axis=0), tol=_SLACK * math.sqrt(len(unit))) == unit.shape[1])


def _hull(unit: np.ndarray) -> Any:
    with explained("the hull of the noise"):
        from scipy.spatial import ConvexHull  # here: only hulls need it

    return ConvexHull(unit)
