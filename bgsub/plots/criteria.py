"""Curves over the number of components: how many a table needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bgsub.plots.figures import INK, colours, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curve = Sequence[tuple[int, float]]
"""Number of components, and a criterion; infinite where no mixture could be fitted."""


def criterion_figure(panels: Mapping[str, Mapping[str, Curve]], best: tuple[str, str, int]) -> Figure:
    """Draw criteria over the number of components.

    Parameters
    ----------
    panels : mapping of str to mapping of str to sequence of (int, float)
        For each criterion, by its name, a curve for each covariance type.
    best : (str, str, int)
        Criterion, covariance type and number of components of the best model, which is marked.

    Returns
    -------
    matplotlib Figure
        For `bgsub.plots.figures.save_figure`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.2 + 4.2 * len(panels), 4.0), layout="constrained")
    for axes, (criterion, curves) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        _panel(axes, curves)
        axes.set_title(f"{criterion.upper()}: lower is better", fontsize=11)
        if criterion == best[0]:
            count, value = next(point for point in curves[best[1]] if point[0] == best[2])
            axes.scatter([count], [value], s=190, facecolors="none", edgecolors=INK, linewidths=1.6, zorder=5)
            axes.annotate(
                f"{count}, {best[1]}",
                (count, value),
                xytext=(0, -14),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=9,
            )
            axes.legend(fontsize=9, framealpha=0.9, edgecolor="none")
        plain_axes(axes)
    return figure


def _panel(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Draw the curves of one criterion."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for colour, (name, curve) in zip(colours(len(curves)), curves.items(), strict=True):
        fitted = [(count, value) for count, value in curve if math.isfinite(value)]
        axes.plot(
            [count for count, _ in fitted],
            [value for _, value in fitted],
            "o-",
            color=tuple(colour),
            markersize=5,
            linewidth=1.8,
            label=name,
        )
    axes.set_xlabel("components")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.margins(y=0.14)
