"""Three columns of a mixture and more: each by itself, and each with every other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bgsub.plots.figures import as_drawn, plain_axes
from bgsub.plots.histogram import draw_densities
from bgsub.plots.plane import draw_plane, legend_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bgsub.plots.shown import ShownMixture, ShownRows

_PANEL = 2.5  # inches
_LONGEST = 24  # letters of a name that fit a panel
_IN_THE_CORNER = 8  # clusters whose names fit above the diagonal


def pairs_figure(mixture: ShownMixture, rows: ShownRows) -> Figure:
    """Draw a mixture over several columns; see `bgsub.plots.mixture.mixture_figure`."""
    from matplotlib.figure import Figure

    count = len(mixture.names)
    figure = Figure(figsize=(_PANEL * count, _PANEL * count), layout="constrained")
    grid = figure.add_gridspec(count, count)
    columns: list[Axes] = []
    for down in range(count):
        left = None
        for across in range(down):
            axes = figure.add_subplot(grid[down, across], sharex=columns[across], **({"sharey": left} if left else {}))
            left = left or axes
            draw_plane(axes, mixture.over(across, down), rows.over(across, down))
            axes.set(xlabel=as_drawn(mixture.names[across], _LONGEST), ylabel=as_drawn(mixture.names[down], _LONGEST))
            axes.label_outer()
        columns.append(figure.add_subplot(grid[down, down]))
        _alone(columns[-1], mixture.over(down), rows.over(down), named=down == count - 1)
    place: Any = "upper right" if len(mixture.weights) <= _IN_THE_CORNER else "outside right upper"
    figure.legend(handles=legend_of(mixture, rows), loc=place, fontsize=10, frameon=False, handlelength=3)
    return figure


def _alone(axes: Axes, mixture: ShownMixture, rows: ShownRows, *, named: bool) -> None:
    """Draw a column by itself; the name stands below the last one, elsewhere in its corner."""
    draw_densities(axes, mixture, rows.points[:, 0])
    if mixture.log[0]:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.set(yticks=[])
    axes.set_title(as_drawn(mixture.names[0], _LONGEST), fontsize=10)
    plain_axes(axes)
    if named:
        axes.set_xlabel(as_drawn(mixture.names[0], _LONGEST))
    else:
        axes.tick_params(labelbottom=False)
