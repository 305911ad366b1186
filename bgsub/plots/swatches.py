"""A palette as a picture: every colour with its name, and a strip of their shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 8  # swatches in a row
_DARK = 0.36  # relative luminance above which black letters are easier to read than white ones


def palette_figure(colours: Sequence[str], shares: Sequence[float]) -> Figure:
    """Draw a palette.

    Parameters
    ----------
    colours : sequence of str
        ``#rrggbb``, in the order in which they are drawn.
    shares : sequence of float
        Of each colour; they sum to 1.

    Returns
    -------
    matplotlib Figure
        For `bgsub.plots.figures.save_figure`.
    """
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(colours))
    rows = -(-len(colours) // columns)
    figure = Figure(figsize=(8.0, 0.55 + 1.0 * rows))
    strip, swatches = figure.subplots(2, 1, height_ratios=[0.4, 1.0 * rows], gridspec_kw={"hspace": 0.06})
    figure.subplots_adjust(left=0.01, right=0.99, top=0.97, bottom=0.03)
    left = 0.0
    for colour, share in zip(colours, shares, strict=True):
        strip.barh(0, share, left=left, color=colour, height=1)
        left += share
    _plain(strip, (0, left or 1), (-0.5, 0.5))
    for number, (colour, share) in enumerate(zip(colours, shares, strict=True)):
        _swatch(swatches, number % columns, -(number // columns), colour, share)
    _plain(swatches, (-0.5, columns - 0.5), (-rows + 0.5, 0.5))
    return figure


def _swatch(axes: Axes, x: int, y: int, colour: str, share: float) -> None:
    """Draw one colour, its name and share."""
    axes.barh(y, 1, left=x - 0.5, color=colour, height=1)
    ink = "#000000" if luminance(colour) > _DARK else "#ffffff"
    axes.text(x, y + 0.1, colour, ha="center", va="center", color=ink, fontsize=10, family="monospace")
    axes.text(x, y - 0.2, f"{share:.1%}", ha="center", va="center", color=ink, fontsize=9)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 to 1 (WCAG 2, with a plain exponent)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2


def _plain(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.set(xlim=x, ylim=y)
    axes.axis("off")
