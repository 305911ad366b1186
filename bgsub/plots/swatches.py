"""A palette as a picture: every colour with its name, and a strip of their shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 8  # swatches in a row
_EDGE = "#8a929c"
_FAINT = 1.5  # contrast with the white page under which a swatch needs an edge


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
        _patch(strip, left, -0.5, share, colour)
        left += share
    _plain(strip, (0, left or 1), (-0.5, 0.5))
    for number, (colour, share) in enumerate(zip(colours, shares, strict=True)):
        _swatch(swatches, number % columns, -(number // columns), colour, share)
    _plain(swatches, (-0.5, columns - 0.5), (-rows + 0.5, 0.5))
    return figure


def _swatch(axes: Axes, x: int, y: int, colour: str, share: float) -> None:
    """Draw one colour, its name and share."""
    _patch(axes, x - 0.5, y - 0.5, 1, colour)
    ink = ink_on(colour)
    axes.text(x, y + 0.1, colour, ha="center", va="center", color=ink, fontsize=10, family="monospace")
    axes.text(x, y - 0.2, f"{share:.1%}", ha="center", va="center", color=ink, fontsize=9)


def _patch(axes: Axes, left: float, bottom: float, width: float, colour: str) -> None:
    """Draw a rectangle, within an edge where it would be lost on the page."""
    from matplotlib.patches import Rectangle

    faint = contrast(colour, "#ffffff") < _FAINT
    edge = {"edgecolor": _EDGE, "linewidth": 0.8} if faint else {"linewidth": 0}
    axes.add_patch(Rectangle((left, bottom), width, 1, facecolor=colour, zorder=2 if faint else 1, **edge))


def ink_on(colour: str) -> str:
    """Return black or white, whichever is easier to read on ``#rrggbb``: the contrast is 4.58 or more."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours ``#rrggbb``, 1 to 21, as WCAG 2 defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 to 1, as WCAG 2 defines it."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _plain(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.set(xlim=x, ylim=y)
    axes.axis("off")
