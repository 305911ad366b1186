"""One column of a mixture: the rows' histogram, the components' densities, and their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bgsub.plots.figures import INK, UNUSUAL_COLOUR, as_drawn, colours, dashes, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bgsub.plots.shown import ShownMixture, ShownRows

NAMED = 16
"""Components that a legend names; more would not fit beside the picture."""

_PLACES = 600  # at which densities are drawn


def histogram_figure(mixture: ShownMixture, rows: ShownRows) -> Figure:
    """Draw a mixture over one column; see `bgsub.plots.mixture.mixture_figure`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    draw_densities(axes, mixture, rows.points[:, 0])
    places = _places(rows.points[:, 0], mixture)
    total = mixture.densities(places).sum(axis=0)
    axes.plot(mixture.shown(places[:, None])[:, 0], total, color=INK, linewidth=2.4, alpha=0.75, label="sum", zorder=2)
    if rows.unusual is not None and len(rows.unusual):
        moments = mixture.shown(rows.unusual)[:, 0]
        label = f"{len(moments):,} unusual"
        axes.plot(moments, np.zeros(len(moments)), "|", color=UNUSUAL_COLOUR, markersize=16, label=label, zorder=5)
    if mixture.log[0]:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel=as_drawn(mixture.names[0]), ylabel="density of the logarithm" if mixture.log[0] else "density")
    axes.set_ylim(bottom=0)
    plain_axes(axes)
    figure.legend(loc="outside right upper", fontsize=9, frameon=False, handlelength=3)
    return figure


def draw_densities(axes: Axes, mixture: ShownMixture, values: np.ndarray, *, upright: bool = True) -> None:
    """Draw the histogram of a column's values, in grey, and each component's density times its weight.

    Parameters
    ----------
    axes : matplotlib Axes
        Where.
    mixture : ShownMixture
        Over this column alone.
    values : ndarray (n,)
        The rows' values, logarithms where the mixture has them.
    upright : bool
        Whether the column's axis is the horizontal one.
    """
    counts, edges = np.histogram(values, bins=min(60, 10 + len(values) // 20), density=True)
    edges = mixture.shown(edges[:, None])[:, 0]
    bars: Any = {"fill": True, "color": "#d9dde2", "label": f"{len(values):,} rows", "zorder": 1}
    axes.stairs(counts, edges, orientation="vertical" if upright else "horizontal", **bars)
    places = _places(values, mixture)
    shown = mixture.shown(places[:, None])[:, 0]
    count = len(mixture.weights)
    for k, (density, colour, dash) in enumerate(
        zip(mixture.densities(places), colours(count), dashes(count), strict=True)
    ):
        line = (shown, density) if upright else (density, shown)
        label = cluster_name(k, mixture) if count <= NAMED else None
        axes.plot(*line, color=tuple(colour), linestyle=dash, linewidth=1.8, label=label, zorder=3)


def cluster_name(k: int, mixture: ShownMixture) -> str:
    """Return what a legend calls a component."""
    return f"cluster {k}: {mixture.weights[k]:.1%}"


def _places(values: np.ndarray, mixture: ShownMixture) -> np.ndarray:
    """Return where densities are drawn: over all values, and close together where a component is narrow."""
    low, high = values.min(), values.max()
    spreads = np.sqrt(np.maximum(mixture.covariances[:, 0, 0], 0.0))
    near = mixture.means[:, 0, None] + spreads[:, None] * np.linspace(-4, 4, 41)
    return np.unique(np.concatenate([np.linspace(low, high, _PLACES), near[(near >= low) & (near <= high)]]))
