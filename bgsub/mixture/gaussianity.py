r"""Are a mixture's components Gaussian? A test of each one's residuals, for rings, moons, boxes, skew and heavy tails.

Of rows from a mixture, those weighted by their responsibilities for component k have the moments of its Gaussian, to
the letter: :math:`E[r_k h(x)] = \pi_k E_k[h(x)]`, however much the components overlap. So of every component the
weighted third and fourth moments are compared with a Gaussian's of the same mean and covariance:

- the fourth moment of the distance, :math:`\sum_i r_{ik} d_i^4 / n_k`, that is D(D+2) (Mardia 1970),
- the skewness vector :math:`\sum_i r_{ik} d_i^2 z_i / n_k`, that is 0 (Móri, Rohatgi & Székely 1994),
- skewness and kurtosis along each column and along each axis of the component.

Their variances are those of :math:`n_k = \sum_i r_{ik}` Gaussian rows of estimated mean and covariance, which overlap
can only make smaller; quantiles go by the cube roots of Wilson & Hilferty and of Anscombe & Glynn. A departure is told
where it is both beyond chance and large enough to matter, so that a million rows are not blamed for a trifle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bgsub.mixture.fitted import FittedMixture

_MOST_ROWS = 50_000  # that are looked at, drawn evenly
_MOST_PRODUCTS = 4e9  # of rows, components and squared features
_FEWEST_ROWS = 50  # of a component: below it, and below five a feature, anything looks possible
_MOST_TOLD = 3  # components in a line
_SURE = 4.5  # standard deviations: one in 150,000, of some hundred looks at a mixture

_FLAT, _HEAVY = -0.15, 0.25  # relative change of the fourth moment of the distance that matters
_FLAT_AXIS, _HEAVY_AXIS = -0.5, 1.0  # excess kurtosis along an axis; that of a uniform distribution is -1.2
_SKEWED, _SKEWED_AXIS = 0.6, 0.5  # skewness; that of an exponential distribution is 2


class Departure(NamedTuple):
    """A way in which a component's rows are not Gaussian.

    Attributes
    ----------
    kind : {"heavy tails", "flat or hollow", "skewed"}
        What it is.
    value, expected : float
        The kurtosis or the skewness that says so, and a Gaussian's.
    column : int or None
        The column along which it is seen; None if it is in all directions, or along an oblique one.
    """

    kind: str
    value: float
    expected: float
    column: int | None

    def in_words(self, names: Sequence[str] | None = None) -> str:
        """Return it in a few words with a verb, and with the column's name where there is one."""
        where = ""
        if self.column is not None:
            where = f" in column {self.column if names is None else repr(names[self.column])}"
        if self.kind == "skewed":
            return f"is skewed{where} (skewness {self.value:.3g})"
        verb = "has" if self.kind == "heavy tails" else "is"
        return f"{verb} {self.kind}{where} (kurtosis {self.value:.3g}, of a Gaussian {self.expected:.3g})"


class Residuals(NamedTuple):
    """How far the rows of a component are from Gaussian ones.

    Attributes
    ----------
    component : int
        Which one.
    n_rows : float
        The sum of its responsibilities, over the rows that were looked at.
    kurtosis, expected : float
        Mean fourth power of the Mahalanobis distance, and that of a Gaussian, D (D + 2).
    departures : tuple of Departure
        At most one of a kind; empty of a component that may well be Gaussian.
    """

    component: int
    n_rows: float
    kurtosis: float
    expected: float
    departures: tuple[Departure, ...]

    def in_words(self, names: Sequence[str] | None = None) -> str:
        """Return the departures in a few words."""
        return " and ".join(departure.in_words(names) for departure in self.departures)


class Gaussianity(tuple[Residuals, ...]):
    """The residuals of those components of a mixture that have rows enough."""

    def in_words(self, names: Sequence[str] | None = None, thing: str = "cluster") -> str:
        """Return in a line which components are not Gaussian, and how; an empty text if all may well be.

        Parameters
        ----------
        names : sequence of str, optional
            The columns' names.
        thing : str
            What a component is called.
        """
        strange = [residuals for residuals in self if residuals.departures]
        if not strange:
            return ""
        told = "; ".join(f"{thing} {found.component} {found.in_words(names)}" for found in strange[:_MOST_TOLD])
        rest = len(strange) - _MOST_TOLD
        return f"not Gaussian: {told}" + (f"; and {rest} more" if rest > 0 else "")

    @property
    def kinds(self) -> set[str]:
        """The kinds of departures that some component has."""
        return {departure.kind for residuals in self for departure in residuals.departures}

    @property
    def skewed(self) -> list[int]:
        """The columns in which some component is skewed to the right, ascending."""
        found = (departure for residuals in self for departure in residuals.departures)
        return sorted({d.column for d in found if d.kind == "skewed" and d.column is not None and d.value > 0})


def gaussianity(
    mixture: FittedMixture, X: np.ndarray, sample_weight: np.ndarray | None = None, *, threads: int | None = None
) -> Gaussianity:
    """Return, of each component that has rows enough, how far they are from Gaussian.

    Parameters
    ----------
    mixture : FittedMixture
        Of K components over D features.
    X : float ndarray, shape (N, D)
        The rows that it was fitted to, or others; those with a value that is not finite do not count.
    sample_weight : ndarray, shape (N,), optional
        Their weights.
    threads : int, optional
        Threads that share the work.

    Returns
    -------
    Gaussianity
        A tuple of `Residuals` in the order of the components, without those of less than 50 rows or 5 a feature, and
        those that lie in fewer dimensions.
    """
    places = drawn_places(len(X), mixture)
    weights = np.ones(len(places)) if sample_weight is None else np.asarray(sample_weight, np.float64)[places]
    return gaussianity_of_drawn(mixture, np.asarray(X[places], np.float64), weights, threads=threads)


def drawn_places(n: int, mixture: FittedMixture) -> np.ndarray:
    """Return which of n rows are looked at, ascending: all or, of many, one at random from each of many stretches."""
    most = int(min(_MOST_ROWS, _MOST_PRODUCTS / (mixture.n_components * mixture.n_features**2)))
    if n <= most:
        return np.arange(n)
    places = ((np.arange(most) + np.random.default_rng(0).random(most)) * (n / most)).astype(np.intp)
    return np.minimum(places, n - 1)


def gaussianity_of_drawn(
    mixture: FittedMixture, rows: np.ndarray, weights: np.ndarray, *, threads: int | None = None
) -> Gaussianity:
    """Return `gaussianity`, from the float64 rows (n, D) that were drawn, and their weights (n,)."""
    kept = np.isfinite(rows).all(axis=1) & (weights > 0)
    rows, weights = rows[kept], weights[kept]
    if not len(rows):
        return Gaussianity()
    weights = weights / weights.mean()
    responsibilities = mixture.responsibilities(rows, threads=threads)
    found = (_residuals(k, rows, responsibilities[:, k] * weights, weights) for k in range(mixture.n_components))
    return Gaussianity(residuals for residuals in found if residuals is not None)


def _residuals(component: int, rows: np.ndarray, shares: np.ndarray, weights: np.ndarray) -> Residuals | None:
    """Return what is known of a component's rows from the part of each that belongs to it."""
    width = rows.shape[1]
    total = float(shares.sum())
    n = total**2 / float(shares @ weights) if total > 0 else 0.0  # rows of unequal weights are worth fewer
    if n < max(_FEWEST_ROWS, 5 * width):
        return None
    shares = shares / total
    centred = rows - shares @ rows
    deviations = np.sqrt(shares @ centred**2)
    if not (deviations > 0).all():
        return None
    along_columns = centred / deviations
    values, axes = np.linalg.eigh((shares[:, None] * along_columns).T @ along_columns)
    if values[0] < 1e-10 * width:
        return None
    along_axes = along_columns @ (axes / np.sqrt(values))
    squared = np.einsum("nd,nd->n", along_axes, along_axes)
    expected = width * (width + 2.0)
    kurtosis = float(shares @ squared**2)
    vector = (shares * squared) @ along_axes
    both = np.hstack([along_columns, along_axes]) if width > 1 else along_columns
    tails = _of_tails(kurtosis, shares @ both**4, n, width)
    found = [*tails, _of_skewness(vector, shares @ both**3, n, width)]
    return Residuals(component, total, kurtosis, expected, tuple(departure for departure in found if departure))


def _of_tails(radial: float, along: np.ndarray, n: float, width: int) -> list[Departure]:
    """Return what fourth moments say: of the distance, and along columns and axes (D or 2 D,)."""
    expected = width * (width + 2.0)
    relative, heaviest, flattest = radial / expected - 1.0, int(along.argmax()), int(along.argmin())
    found = []
    if relative > _HEAVY and _kurtosis_score(relative, n, width) > _SURE:
        found.append(Departure("heavy tails", radial, expected, None))
    elif along[heaviest] - 3.0 > _HEAVY_AXIS and _kurtosis_score(along[heaviest] / 3.0 - 1.0, n, 1) > _SURE:
        found.append(Departure("heavy tails", float(along[heaviest]), 3.0, _column(heaviest, width)))
    if relative < _FLAT and _kurtosis_score(relative, n, width) < -_SURE:
        found.append(Departure("flat or hollow", radial, expected, None))
    elif along[flattest] - 3.0 < _FLAT_AXIS and _kurtosis_score(along[flattest] / 3.0 - 1.0, n, 1) < -_SURE:
        found.append(Departure("flat or hollow", float(along[flattest]), 3.0, _column(flattest, width)))
    return found


def _of_skewness(vector: np.ndarray, along: np.ndarray, n: float, width: int) -> Departure | None:
    """Return what third moments say: along columns and axes (D or 2 D,), and of the skewness vector (D,)."""
    most = int(np.abs(along).argmax())
    noticed = max(_SKEWED_AXIS, _SURE * math.sqrt(6.0 / n))
    in_columns = int(np.abs(along[:width]).argmax())
    if abs(along[in_columns]) > noticed:
        most = in_columns  # what has a name is better to know
    if abs(along[most]) > noticed:
        return Departure("skewed", float(along[most]), 0.0, _column(most, width))
    length = math.sqrt(float(vector @ vector))
    quotient = n * length**2 / (2.0 * (width + 2.0)) / width  # chi-squared over its degrees of freedom
    spread = 2.0 / (9.0 * width)
    score = (quotient ** (1.0 / 3.0) - (1.0 - spread)) / math.sqrt(spread)
    return Departure("skewed", length, 0.0, None) if length > _SKEWED and score > _SURE else None


def _column(place: int, width: int) -> int | None:
    """Return the column of a place among columns and axes; None of an axis."""
    return place if place < width else None


def _kurtosis_score(relative: float, n: float, width: int) -> float:
    """Return a relative change of Mardia's kurtosis of n rows as a standard normal deviate (Anscombe & Glynn 1983)."""
    expected = width * (width + 2.0)
    x = (relative + 2.0 / (n + 1.0)) / math.sqrt(8.0 / (n * expected))
    skewness = _laguerre_skewness(width) / math.sqrt(n)
    a = 6.0 + 8.0 / skewness * (2.0 / skewness + math.sqrt(1.0 + 4.0 / skewness**2))
    below = 1.0 + x * math.sqrt(2.0 / (a - 4.0))
    if below <= 0:  # fewer than any Gaussian sample has
        return -math.inf
    return ((1.0 - 2.0 / (9.0 * a)) - ((1.0 - 2.0 / a) / below) ** (1.0 / 3.0)) / math.sqrt(2.0 / (9.0 * a))


def _laguerre_skewness(width: int) -> float:
    r"""Return the skewness of :math:`L = t^2 - 2 (D + 2) t + D (D + 2)`, t chi-squared with D degrees of freedom.

    The mean of L over rows is what Mardia's kurtosis differs by from its expectation, the covariance being estimated.
    """
    moments = np.cumprod([1.0, *(width + 2.0 * i for i in range(6))])
    polynomial = np.array([width * (width + 2.0), -2.0 * (width + 2.0), 1.0])
    cubed = np.convolve(np.convolve(polynomial, polynomial), polynomial)
    return float(cubed @ moments) / (8.0 * width * (width + 2.0)) ** 1.5
