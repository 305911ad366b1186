"""Pictures of a Gaussian mixture: how many columns there are to show decides which one."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from bgsub.plots.histogram import histogram_figure
from bgsub.plots.pairs import pairs_figure
from bgsub.plots.plane import plane_figure
from bgsub.plots.shown import ShownMixture, ShownRows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COLUMNS = 5
"""In one picture: 15 panels."""

_LETTERS_AN_INCH = 13  # of a note


def mixture_figure(mixture: ShownMixture, rows: ShownRows, title: str = "", note: str = "") -> Figure:
    """Draw rows and components.

    Of one column its histogram, the components' densities and their sum. Of two, each row in the colours of the
    components mixed by its probabilities, with ellipses that hold 50 % and 95 % of a component's rows, and the
    densities along the axes. Of more, both for every column and every pair of them.

    Parameters
    ----------
    mixture : ShownMixture
        The components, over 1 to `MOST_COLUMNS` columns.
    rows : ShownRows
        What is drawn with them.
    title : str
        Of the whole picture.
    note : str
        What is to be read below it.

    Returns
    -------
    matplotlib Figure
        For `bgsub.plots.figures.save_figure`.
    """
    draw = {1: histogram_figure, 2: plane_figure}.get(len(mixture.names), pairs_figure)
    figure = draw(mixture, rows)
    if title:
        figure.suptitle(title, fontsize=10.5, x=0.01, ha="left")
    if note:
        width = int(figure.get_figwidth() * _LETTERS_AN_INCH)
        figure.supxlabel(textwrap.fill(note, width), fontsize=9, x=0.01, ha="left")
    return figure
