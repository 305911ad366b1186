"""Pictures of a Gaussian mixture over two columns: soft colours, ellipses, densities along the axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bgsub.plots.figures import UNUSUAL_COLOUR, colours, mixed, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHARES = (0.5, 0.95)  # of a component's rows, that an ellipse holds
_LABELLED = 12  # components; more labels than this hide the points


@dataclass(frozen=True)
class PlaneMixture:
    """A Gaussian mixture over two columns, the marginal one of a mixture over more.

    Attributes
    ----------
    weights : ndarray (K,)
        The components' weights.
    means : ndarray (K, 2)
        Their means; of columns in `log`, of the logarithms.
    covariances : ndarray (K, 2, 2)
        Their covariances, likewise.
    names : tuple of two str
        The columns' names.
    log : tuple of two bool
        Whether a column is modelled by its natural logarithm; its axis is then logarithmic.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    names: tuple[str, str]
    log: tuple[bool, bool] = (False, False)

    def shown(self, points: np.ndarray) -> np.ndarray:
        """Return points (n, 2) in the columns' units."""
        return np.where(self.log, np.exp(np.where(self.log, points, 0.0)), points)

    def scale(self, axes: Axes) -> None:
        """Make the axes logarithmic where the columns are, and name them."""
        axes.set(xlabel=self.names[0], ylabel=self.names[1])
        if self.log[0]:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
        if self.log[1]:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")


def ellipse(mean: np.ndarray, covariance: np.ndarray, share: float, count: int = 181) -> np.ndarray:
    """Return points (count, 2) of the ellipse that holds a share of a normal distribution over the plane.

    The squared Mahalanobis distance of a row is exponential with mean 2, so the ellipse lies at -2 ln(1 - share).
    """
    values, vectors = np.linalg.eigh(covariance)
    angles = np.linspace(0, 2 * np.pi, count)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radii = np.sqrt(np.maximum(values, 0.0) * -2 * np.log1p(-share))
    return mean + (circle * radii) @ vectors.T


def mixture_figure(
    mixture: PlaneMixture,
    points: np.ndarray,
    probabilities: np.ndarray,
    *,
    anomalies: np.ndarray | None = None,
    hard: np.ndarray | None = None,
) -> Figure:
    """Draw rows and components.

    Each row has the colours of the components mixed by their probabilities. The ellipses hold 50 % and 95 % of a
    component's rows. Along the axes: the rows' histogram, and the components' densities, which sum to it. With `hard`,
    a second picture beside the first shows the same rows cut by other labels.

    Parameters
    ----------
    mixture : PlaneMixture
        The components.
    points : ndarray (n, 2)
        Rows, logarithms where the mixture has them.
    probabilities : ndarray (n, K)
        Each row's, of belonging to each component.
    anomalies : ndarray (m, 2), optional
        Rows to ring.
    hard : ndarray (n,) of int, optional
        Labels of k-means for the same rows.

    Returns
    -------
    matplotlib Figure
        For `bgsub.plots.figures.save_figure`.
    """
    from matplotlib.figure import Figure

    palette = colours(len(mixture.weights))
    figure = Figure(figsize=(7.2, 6.0) if hard is None else (10.4, 4.8), layout="constrained")
    if hard is None:
        grid = figure.add_gridspec(2, 2, width_ratios=[6, 1], height_ratios=[1, 6], wspace=0.02, hspace=0.02)
        axes = figure.add_subplot(grid[1, 0])
        _margins(figure, grid, axes, mixture, points, palette)
    else:
        cut, axes = figure.subplots(1, 2, sharex=True, sharey=True)
        cut.set_title("k-means: one label a row", fontsize=11)
        axes.set_title("Gaussian mixture: a probability for each cluster", fontsize=11)
        _scatter(cut, mixture, points, palette[hard])
        _finish(cut, mixture)
        cut.label_outer()
    _scatter(axes, mixture, points, mixed(probabilities, palette))
    _components(axes, mixture, palette)
    if anomalies is not None and len(anomalies):
        x, y = mixture.shown(anomalies).T
        label = f"{len(anomalies):,} unusual"
        axes.scatter(x, y, s=46, facecolors="none", edgecolors=UNUSUAL_COLOUR, linewidths=1.1, label=label, zorder=4)
    _finish(axes, mixture)
    axes.label_outer()
    if len(palette) <= _LABELLED or anomalies is not None:
        axes.legend(fontsize=9, framealpha=0.9, edgecolor="none", loc="best", markerscale=0.7)
    return figure


def _scatter(axes: Axes, mixture: PlaneMixture, points: np.ndarray, shades: np.ndarray) -> None:
    """Draw rows in random order, so that no component hides another."""
    order = np.random.default_rng(0).permutation(len(points))
    size = float(np.clip(30_000 / max(1, len(points)), 3, 22))
    x, y = mixture.shown(points)[order].T
    axes.scatter(x, y, c=shades[order], s=size, linewidths=0, alpha=0.75, zorder=2, rasterized=True)


def _components(axes: Axes, mixture: PlaneMixture, palette: np.ndarray) -> None:
    """Draw each component's ellipses, and its number where the mean is."""
    labelled = len(palette) <= _LABELLED
    for k, colour in enumerate(palette):
        dark = tuple(0.72 * colour)
        for share, width in zip(_SHARES, (1.9, 1.1), strict=True):
            outline = mixture.shown(ellipse(mixture.means[k], mixture.covariances[k], share))
            axes.plot(*outline.T, color=dark, linewidth=width, zorder=3)
        centre = mixture.shown(mixture.means[k : k + 1])[0]
        label = f"cluster {k}: {mixture.weights[k]:.1%}" if labelled else None
        axes.plot(*centre, "o", color=dark, markersize=11 if labelled else 5, label=label, zorder=5)
        if labelled:
            axes.annotate(
                str(k), centre, zorder=6, ha="center", va="center", color="white", fontsize=8, fontweight="bold"
            )


def _margins(
    figure: Figure, grid: object, axes: Axes, mixture: PlaneMixture, points: np.ndarray, palette: np.ndarray
) -> None:
    """Draw histogram and densities of each column along its axis."""
    from matplotlib.gridspec import GridSpec

    assert isinstance(grid, GridSpec)
    for column, place in enumerate((grid[0, 0], grid[1, 1])):
        margin = figure.add_subplot(place, **({"sharey": axes} if column else {"sharex": axes}))
        low, high = points[:, column].min(), points[:, column].max()
        places = np.linspace(low, high, 400)
        counts, edges = np.histogram(points[:, column], bins=min(60, 10 + len(points) // 20), density=True)
        shown = [mixture.shown(np.stack([values, values], axis=1))[:, column] for values in (places, edges)]
        margin.stairs(counts, shown[1], orientation="horizontal" if column else "vertical", fill=True, color="#d9dde2")
        for k, colour in enumerate(palette):
            density = mixture.weights[k] * _normal(
                places, mixture.means[k, column], mixture.covariances[k, column, column]
            )
            line = (density, shown[0]) if column else (shown[0], density)
            margin.plot(*line, color=colour, linewidth=1.6)
        margin.set_axis_off()


def _normal(values: np.ndarray, mean: float, variance: float) -> np.ndarray:
    variance = max(variance, np.finfo(np.float64).tiny)
    return np.exp(-0.5 * (values - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


def _finish(axes: Axes, mixture: PlaneMixture) -> None:
    mixture.scale(axes)
    plain_axes(axes)
