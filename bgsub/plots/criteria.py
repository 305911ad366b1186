"""Curves over the number of components: how many a table needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bgsub.plots.figures import INK, colours, dashes, markers, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curve = Sequence[tuple[int, float, bool]]
"""Number of components, a criterion, infinite where no mixture could be fitted, and whether that can be the best."""

_LOWEST = 1 / 3  # of the points, which the axis shows in full: the decision lies among them
_ASIDE = 0.13  # components between the crosses of two curves
_FARTHER = 4.0  # times their height that the highest point may lie above the lowest before it is left out


def criterion_figure(panels: Mapping[str, Mapping[str, Curve]], best: tuple[str, str, int]) -> Figure:
    """Draw criteria over the number of components.

    Where the highest values would press the lowest into a line, an axis ends above the lowest third and tells how many
    points lie farther up. Curves have shapes and dashes of their own, so that two that lie on each other are both seen.
    What cannot be the best is a cross on no curve, at the axis' lower end where it lies below what can.

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

    figure = Figure(figsize=(2.4 + 4.2 * len(panels), 4.0), layout="constrained")
    for axes, (criterion, curves) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        _panel(axes, curves)
        axes.set_title(f"{criterion.upper()}: lower is better", fontsize=11)
        _zoom(axes, [value for curve in curves.values() for _, value, sound in curve if sound and math.isfinite(value)])
        _crosses(axes, curves)
        if criterion == best[0]:
            count, value = next((count, value) for count, value, _ in curves[best[1]] if count == best[2])
            axes.scatter([count], [value], s=260, facecolors="none", edgecolors=INK, linewidths=1.8, zorder=9)
            axes.annotate(
                f"{count}, {best[1]}: {value:,.0f}",
                (count, value),
                xytext=(0, -13),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=9,
                fontweight="bold",
            )
        plain_axes(axes)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=9, frameon=False, handlelength=4)
    return figure


def _panel(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Draw the curves of one criterion."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    count = len(curves)
    styles = zip(colours(count), markers(count), dashes(count), strict=True)
    for place, (style, (name, curve)) in enumerate(zip(styles, curves.items(), strict=True)):
        colour, shape, dash = style
        sound = [(count, value if fit and math.isfinite(value) else math.nan) for count, value, fit in curve]
        axes.plot(
            [count for count, _ in sound],
            [value for _, value in sound],
            marker=shape,
            linestyle=dash,
            color=tuple(colour),
            markersize=max(4.5, 10 - 1.6 * place),  # what lies below looks out
            markerfacecolor="none",
            markeredgewidth=1.6,
            linewidth=max(1.2, 2.6 - 0.4 * place),
            label=name,
            zorder=3 + place / 10,
        )
    axes.set_xlabel("components")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _crosses(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Mark what cannot be the best, in the colours of the curves; the axis stays as it is."""
    lowest, highest = axes.get_ylim()
    named = "collapsed: cannot be the best"
    aside = _ASIDE * (np.arange(len(curves)) - (len(curves) - 1) / 2)  # else those at the end would hide each other
    for shift, colour, curve in zip(aside, colours(len(curves)), curves.values(), strict=True):
        crosses = [
            (count + shift, max(value, lowest)) for count, value, sound in curve if not sound and value < highest
        ]
        if crosses:
            axes.plot(*zip(*crosses, strict=True), "x", color=tuple(colour), markersize=6, clip_on=False, zorder=3)
            axes.plot([], [], "x", color=INK, markersize=6, label=named)
            named = ""
    axes.set_ylim(lowest, highest)


def _zoom(axes: Axes, values: list[float]) -> None:
    """Let the axis show the lowest values well, and tell what is left out."""
    ordered = sorted(values)
    if not ordered:
        return
    lowest, highest = ordered[0], ordered[-1]
    height = ordered[math.ceil(_LOWEST * len(ordered)) - 1] - lowest
    if height > 0 and highest - lowest > _FARTHER * height:
        highest = lowest + 1.35 * height
    room = (highest - lowest) or max(1.0, abs(lowest) * 1e-3)
    top = highest + 0.08 * room
    axes.set_ylim(lowest - 0.2 * room, top)
    above = sum(value > top for value in ordered)
    if above:
        axes.set_title(
            f"{axes.get_title()}\n{above} of {len(ordered)} values lie above, up to {ordered[-1]:,.0f}", fontsize=10
        )
