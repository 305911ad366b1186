"""Two columns of a mixture: soft colours, ellipses, densities along the axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bgsub.plots.figures import INK, NOISE_GREY, UNUSUAL_COLOUR, as_drawn, colours, dashes, markers, mixed, plain_axes
from bgsub.plots.histogram import NAMED, cluster_name, draw_densities

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bgsub.plots.shown import ShownMixture, ShownRows

_SHARES = {0.5: 2.1, 0.95: 1.1}  # of a component's rows that an ellipse holds, and how thick it is
_NUMBERED = 12  # components; more numbers than this hide the points
_LAYERS = 6  # in which the groups' points alternate, so that none hides another
_ROOMY = {"*": 22, "^": 19, "v": 19}  # sizes of shapes in which a number would not fit else
_ROUNDING, _NOISE_MARKER = 1e-5, "8"
_POINT: dict[str, Any] = {"linewidths": 0, "alpha": 0.75, "zorder": 2, "rasterized": True}
_RING: dict[str, Any] = {"s": 60, "facecolors": "none", "edgecolors": UNUSUAL_COLOUR, "linewidths": 1.3}


def ellipse(mean: np.ndarray, covariance: np.ndarray, share: float, count: int = 181) -> np.ndarray:
    """Return points (count, 2) of the ellipse that holds a share of a normal distribution over the plane.

    The squared Mahalanobis distance of a row is exponential with mean 2, so the ellipse lies at -2 ln(1 - share).
    """
    values, vectors = np.linalg.eigh(covariance)
    angles = np.linspace(0, 2 * np.pi, count)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radii = np.sqrt(np.maximum(values, 0.0) * -2 * np.log1p(-share))
    return mean + (circle * radii) @ vectors.T


def plane_figure(mixture: ShownMixture, rows: ShownRows) -> Figure:
    """Draw a mixture over two columns; see `bgsub.plots.mixture.mixture_figure`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 6.0) if rows.hard is None else (11.4, 4.8), layout="constrained")
    if rows.hard is None:
        grid = figure.add_gridspec(2, 2, width_ratios=[6, 1], height_ratios=[1, 6], wspace=0.02, hspace=0.02)
        axes = figure.add_subplot(grid[1, 0])
        for column, place in enumerate((grid[0, 0], grid[1, 1])):
            margin = figure.add_subplot(place, **({"sharey": axes} if column else {"sharex": axes}))
            draw_densities(margin, mixture.over(column), rows.points[:, column], upright=not column)
            margin.set_axis_off()
    else:
        cut, axes = figure.subplots(1, 2, sharex=True, sharey=True)
        cut.set_title("k-means: one label a row", fontsize=11)
        axes.set_title("Gaussian mixture: a probability for each cluster", fontsize=11)
        draw_points(cut, mixture, rows.points, np.eye(len(mixture.weights))[rows.hard])
        _name_axes(cut, mixture)
        cut.label_outer()
    draw_plane(axes, mixture, rows)
    axes.label_outer()
    figure.legend(
        handles=legend_of(mixture, rows), loc="outside right upper", fontsize=9, frameon=False, handlelength=3
    )
    return figure


def draw_plane(axes: Axes, mixture: ShownMixture, rows: ShownRows) -> None:
    """Draw rows, ellipses and unusual rows over two columns into axes."""
    draw_points(axes, mixture, rows.points, rows.probabilities)
    _components(axes, mixture)
    if rows.unusual is not None and len(rows.unusual):
        axes.scatter(*mixture.shown(rows.unusual).T, **_RING, zorder=4)
    _name_axes(axes, mixture)


def draw_points(axes: Axes, mixture: ShownMixture, points: np.ndarray, probabilities: np.ndarray) -> None:
    """Draw rows in random order: the shape tells the most probable component, the colour all probabilities."""
    order = np.random.default_rng(0).permutation(len(points))
    size = float(np.clip(30_000 / max(1, len(points)), 3, 24))
    noise = noise_of(probabilities)
    everything = np.column_stack([probabilities, noise])
    shades = mixed(everything, np.vstack([colours(probabilities.shape[1]), np.full(3, NOISE_GREY)]))
    labels, shown = everything.argmax(axis=1), mixture.shown(points)
    shapes = [*markers(probabilities.shape[1]), _NOISE_MARKER]
    for layer in np.array_split(order, _LAYERS):
        for k in np.unique(labels[layer]):
            rows = layer[labels[layer] == k]
            x, y = shown[rows].T
            axes.scatter(x, y, c=shades[rows], s=size, marker=shapes[k], **_POINT)


def noise_of(probabilities: np.ndarray) -> np.ndarray:
    """Return how probably rows belong to no component (n,): what their probabilities lack to 1, but for rounding."""
    lacking = 1.0 - probabilities.sum(axis=1)
    return np.where(lacking > _ROUNDING, lacking, 0.0)


def legend_of(mixture: ShownMixture, rows: ShownRows) -> list[Artist]:
    """Return what a legend explains: clusters, ellipses, rings."""
    from matplotlib.lines import Line2D

    count = len(mixture.weights)
    handles: list[Artist] = []
    if count <= NAMED:
        for k, (colour, dash, shape) in enumerate(zip(colours(count), dashes(count), markers(count), strict=True)):
            style: Any = {"color": tuple(0.8 * colour), "linestyle": dash, "marker": shape, "markersize": 7}
            handles.append(Line2D([], [], label=cluster_name(k, mixture), **style))
    for share, width in _SHARES.items():
        handles.append(Line2D([], [], color=INK, linewidth=width, label=f"holds {share:.0%} of a cluster"))
    if (noise_of(rows.probabilities) > rows.probabilities.max(axis=1, initial=0.0)).any():
        handles.append(Line2D([], [], linestyle="", marker=_NOISE_MARKER, color=str(NOISE_GREY), label="of no cluster"))
    if rows.unusual is not None and len(rows.unusual):
        ring: Any = {"markerfacecolor": "none", "markeredgecolor": UNUSUAL_COLOUR, "markersize": 8}
        handles.append(Line2D([], [], linestyle="", marker="o", label=f"{len(rows.unusual):,} unusual", **ring))
    return handles


def _components(axes: Axes, mixture: ShownMixture) -> None:
    """Draw each component's ellipses, and its number where the mean is."""
    count = len(mixture.weights)
    numbered = count <= _NUMBERED
    for k, (colour, dash, shape) in enumerate(zip(colours(count), dashes(count), markers(count), strict=True)):
        dark = tuple(0.72 * colour)
        for share, width in _SHARES.items():
            outline = mixture.shown(ellipse(mixture.means[k], mixture.covariances[k], share))
            axes.plot(*outline.T, color=dark, linestyle=dash, linewidth=width, zorder=3)
        centre = mixture.shown(mixture.means[k : k + 1])[0]
        size = _ROOMY.get(shape, 14) if numbered else 5
        axes.plot(*centre, shape, color=dark, markersize=size, zorder=5)
        if numbered:
            axes.annotate(
                str(k), centre, zorder=6, ha="center", va="center", color="white", fontsize=8, fontweight="bold"
            )


def _name_axes(axes: Axes, mixture: ShownMixture) -> None:
    """Make the axes logarithmic where the columns are, and name them."""
    axes.set(xlabel=as_drawn(mixture.names[0]), ylabel=as_drawn(mixture.names[1]))
    if mixture.log[0]:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    if mixture.log[1]:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    plain_axes(axes)
