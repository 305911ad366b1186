"""Kinds of scene: frames sorted by a Gaussian mixture of their features, and the frames that are like no other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgsub.errors import SourceError
from bgsub.features.appearance import COLOURS, EDGES, TONES
from bgsub.features.collecting import FEATURES, N_EMBEDDING, FrameFeatures
from bgsub.mixture.comparison import compare
from bgsub.mixture.fitting import Fit, FitOptions
from bgsub.mixture.settings import COVARIANCES, CovarianceType, default

MOST_CHOSEN = 8
"""Most kinds that are tried where their number is left to the BIC."""

_LEAST = np.array(
    [1.0, 1.0, *[2.0] * len(TONES), *[0.5] * len(COLOURS), *[0.1] * len(EDGES), 0.5, 1.0, 0.5, 0.3, 5.0]
    + [4.0] * N_EMBEDDING
)
"""A spread of each feature (in its unit) below which frames do not differ by it: noise must not be blown up."""

_EXPLAINED, _MOST_DIMENSIONS = 0.9, 6  # of the features' variance by the principal components, and how many at most
_SMALLEST = 0.01  # of the frames: a smaller group is no kind of scene
_MOST_SET_ASIDE = 0.05  # of the frames


@dataclass(frozen=True)
class Settings:
    """How frames are sorted.

    Attributes
    ----------
    n_components : int or None
        Number of kinds; None tries 1 to `MOST_CHOSEN` and takes that of the lowest BIC.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}
        Shape of the kinds.
    reg_covar : float
        Added to every variance. Features are in standard deviations: 0.25 blurs differences under a half of one.
    n_init : int
        Starts, of which the best is kept.
    seed : int
        Of the starts.
    threads : int or None
        Threads; None for all processors.
    """

    n_components: int | None = None
    covariance_type: CovarianceType = COVARIANCES["frames"]
    reg_covar: float = default("reg_covar", "frames")
    n_init: int = int(default("n_init", "frames"))
    seed: int = int(default("seed", "frames"))
    threads: int | None = None


@dataclass(frozen=True)
class Scenes:
    """Frames sorted into K kinds of scene, the most frequent first.

    Attributes
    ----------
    fit : Fit
        Of a mixture to the prepared features, (x - offset) @ forward.
    offset : ndarray of float64, shape (F,)
        The features' values that become 0.
    forward, backward : ndarray of float64, shape (F, D) and (D, F)
        Standardise and project on principal components, and back.
    features : FrameFeatures
        The N frames.
    labels : ndarray of int, shape (N,)
        The most probable kind of each frame.
    probabilities : ndarray of float64, shape (N, K)
        Of each kind.
    log_density : ndarray of float64, shape (N,)
        How usual each frame is, in nats.
    learned : ndarray of bool, shape (N,)
        Frames that the kinds were learned from; the others were too few of a kind to be one.
    """

    fit: Fit
    offset: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    features: FrameFeatures
    labels: np.ndarray
    probabilities: np.ndarray
    log_density: np.ndarray
    learned: np.ndarray

    @property
    def n_kinds(self) -> int:
        """Number of kinds of scene."""
        return self.probabilities.shape[1]

    def columns(self) -> dict[str, np.ndarray]:
        """Return what a table of the frames has by column: frame, time, label, probabilities, log-density."""
        probabilities = {f"probability_{k}": column for k, column in enumerate(self.probabilities.T)}
        labels = {"label": self.labels.astype(np.int32)}
        frames = {"frame": self.features.indices, "time": self.features.times}
        return {**frames, **labels, **probabilities, "log_density": self.log_density}

    def segments(self) -> list[tuple[int, int, int]]:
        """Return first frame, frame after the last, and kind of each run of frames of one kind; rows, not indices."""
        borders = np.flatnonzero(np.diff(self.labels)) + 1
        first, after = [0, *borders.tolist()], [*borders.tolist(), len(self.labels)]
        return [(i, j, int(self.labels[i])) for i, j in zip(first, after, strict=True)]

    def seconds(self) -> np.ndarray:
        """Return how long each kind is seen, shape (K,); a frame lasts until the next, the last one as the median."""
        steps = np.diff(self.features.times)
        lasting = np.append(steps, np.median(steps) if len(steps) else 0.0)
        return np.bincount(self.labels, lasting, self.n_kinds)

    def typical(self, kind: int, count: int) -> list[int]:
        """Return the rows of up to `count` typical frames of a kind, far apart in time, in their order.

        They are the densest under that kind's Gaussian of those that lie apart.
        """
        rows = np.flatnonzero((self.labels == kind) & self.learned)
        with np.errstate(divide="ignore"):
            typicality = self.log_density[rows] + np.log(self.probabilities[rows, kind])
        return sorted(rows[_apart(-typicality, count, len(rows) // (2 * count))].tolist())

    def unusual(self, count: int) -> list[int]:
        """Return the rows of the `count` least likely frames, the least likely first, no two of one moment."""
        return _apart(self.log_density, count, len(self.labels) // (8 * count)).tolist()

    def striking(self, kind: int, count: int = 2) -> list[tuple[str, float]]:
        """Return the features by which a kind differs most from all frames, in standard deviations.

        The embedding, which has no name that tells anything, is left out.
        """
        values = self.features.values[:, : len(FEATURES) - N_EMBEDDING]
        spread = np.maximum(values.std(axis=0), _LEAST[: values.shape[1]])
        apart = (values[self.labels == kind].mean(axis=0) - values.mean(axis=0)) / spread
        order = np.argsort(-np.abs(apart), kind="stable")[:count]
        return [(FEATURES[i], float(apart[i])) for i in order if abs(apart[i]) >= 0.5]


def find_scenes(features: FrameFeatures, settings: Settings | None = None) -> Scenes:
    """Sort frames into kinds of scene.

    Features are divided by their standard deviation (never by less than differences that can be seen), the embedding
    as a whole by that of its first component, and projected on the principal components that hold 90 % of the
    variance, at most 6. A mixture of Gaussians is fitted to them. A group of less than 1 % of the frames is no kind of
    scene: its frames are set aside, at most 5 % of all, and the mixture is fitted again without them. So a single
    strange frame does not become a kind of its own, in which it would be quite usual.

    Parameters
    ----------
    features : FrameFeatures
        At least 2 frames, and as many as kinds.
    settings : Settings, optional
        How.

    Raises
    ------
    SourceError
        When there are too few frames.
    ValueError
        When a setting is out of its bounds.
    """
    settings = settings or Settings()
    n = len(features)
    fewest = max(2, settings.n_components or 2)
    if n < fewest:
        kinds = "" if settings.n_components is None else f" for {settings.n_components} kinds of scene"
        count = "1 frame is" if n == 1 else f"{n} frames are"
        raise SourceError(f"{count} too few{kinds}: give {fewest} or more")
    learned = np.ones(n, bool)
    while True:
        offset, forward, backward = _preparation(features.values[learned])
        prepared = (features.values - offset) @ forward
        found = _fitted(prepared, learned, settings)
        labels = found.mixture.labels(prepared, threads=settings.threads)
        strays = _strays(labels, learned)
        if not strays.any():
            break
        learned &= ~strays
    sizes = np.bincount(labels, minlength=found.mixture.n_components)
    found = found.reordered(np.argsort(-sizes, kind="stable"))
    probabilities = found.mixture.responsibilities(prepared, threads=settings.threads)
    density = found.mixture.log_densities(prepared, threads=settings.threads)
    labels = probabilities.argmax(axis=1)
    return Scenes(found, offset, forward, backward, features, labels, probabilities, density, learned)


def _preparation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return offset (F,), forward (F, D) and backward (D, F) of the map described in `find_scenes`."""
    offset, spread = values.mean(axis=0), values.std(axis=0)
    spread[-N_EMBEDDING:] = spread[-N_EMBEDDING:].max()  # its components keep their proportions
    scale = np.maximum(spread, _LEAST)
    variances, vectors = np.linalg.eigh(np.cov(((values - offset) / scale).T, bias=True))
    shares = np.cumsum(variances[::-1]) / max(variances.sum(), np.finfo(np.float64).tiny)
    dimensions = min(int(np.searchsorted(shares, _EXPLAINED)) + 1, _MOST_DIMENSIONS, len(variances))
    axes = vectors[:, : -dimensions - 1 : -1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)])  # else the sign is chance
    return offset, axes / scale[:, None], axes.T * scale


def _fitted(prepared: np.ndarray, learned: np.ndarray, settings: Settings) -> Fit:
    """Return the fit of a mixture to the learned rows, of a given or the best number of components."""
    options = FitOptions(
        reg_covar=settings.reg_covar,
        n_init=settings.n_init,
        max_iter=int(default("max_iter", "frames")),
        threads=settings.threads,
    )
    weights = None if learned.all() else learned.astype(np.float64)
    most = min(MOST_CHOSEN, max(1, int(learned.sum()) // 4))
    counts = list(range(1, most + 1)) if settings.n_components is None else [settings.n_components]
    types = [settings.covariance_type]
    found = compare(
        *(prepared, counts, types, "bic", options, settings.seed),
        weights=weights,
        allow_collapsed=True,  # nearer than reg_covar is the same kind
        tell=_say_nothing,
    )
    return found.best_fit


def _say_nothing(text: str) -> None:
    """Let pass that k-means cannot start from several points: frames of a still scene are one."""


def _strays(labels: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """Return which frames belong to groups too small to be kinds, the smallest groups first, (N,) bool."""
    n = len(labels)
    sizes = np.bincount(labels[learned])
    may_go = math.floor(_MOST_SET_ASIDE * n) - np.count_nonzero(~learned)
    strays = np.zeros(n, bool)
    for kind in np.argsort(sizes, kind="stable"):
        if not 0 < sizes[kind] < max(3, _SMALLEST * n):
            continue
        may_go -= sizes[kind]
        if may_go < 0:
            break
        strays |= learned & (labels == kind)
    return strays


def _apart(badness: np.ndarray, count: int, distance: int) -> np.ndarray:
    """Return the places of up to `count` lowest values, the lowest first, more than `distance` places apart."""
    free = np.ones(len(badness), bool)
    chosen: Sequence[int] = []
    for place in np.argsort(badness, kind="stable"):
        if len(chosen) == count:
            break
        if free[place]:
            chosen = [*chosen, int(place)]
            free[max(0, place - distance) : place + distance + 1] = False
    return np.array(chosen, int)
