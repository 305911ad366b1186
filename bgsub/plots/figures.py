"""What figures share: colours, the look of axes, and files that appear whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.formats import WRITABLE_FIGURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#30343b"
"""Of letters and outlines."""

UNUSUAL_COLOUR = "#d1121f"
"""Of rows and frames that are like no other."""

_COLOURS = (
    "#3b76af",
    "#e8772e",
    "#2f9e6b",
    "#c43b5a",
    "#8b62b8",
    "#b08a1e",
    "#2aa7b8",
    "#d76fb1",
    "#7a7a7a",
    "#5b4636",
)
_DPI, _JPEG_DPI = 160, 130  # who takes JPEG wants a small file
_GRID = "#e4e7eb"


def colours(count: int) -> np.ndarray:
    """Return `count` colours that differ, (count, 3) float64 from 0 to 1 in sRGB."""
    from matplotlib.colors import hsv_to_rgb, to_rgb

    named = [to_rgb(colour) for colour in _COLOURS[:count]]
    rest = count - len(named)
    turned = [hsv_to_rgb((0.618034 * k % 1, 0.45 + 0.25 * (k % 2), 0.6 + 0.25 * (k // 2 % 2))) for k in range(rest)]
    return np.array([*named, *turned]).reshape(count, 3)


def mixed(shares: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return colours (n, 3) mixed from a palette (K, 3) as light mixes, in the given shares (n, K) that sum to 1."""
    return (shares @ palette**2.2).clip(0, 1) ** (1 / 2.2)


def plain_axes(axes: Axes) -> None:
    """Take away what is not needed to read a figure."""
    axes.set_axisbelow(True)
    axes.grid(True, color=_GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b6bec7")
    axes.tick_params(colors=INK, length=0, which="both", labelsize=9)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(INK)


def save_figure(figure: Figure, path: str | os.PathLike[str], *, few_colours: bool = False) -> None:
    """Write a figure to a file.

    Parameters
    ----------
    figure : matplotlib Figure
        What to write.
    path : path-like
        A name in .png, .jpg, .svg or .pdf; an existing file is replaced.
    few_colours : bool
        Write a PNG with the 256 colours that suit it best: a third of the size, and no difference to be seen in a
        drawing. Not for photographs, nor where colours must be exact.

    Raises
    ------
    OutputError
        When the extension is another or the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE_FIGURES:
        raise OutputError(f"cannot write {path}: its extension is none of {', '.join(WRITABLE_FIGURES)}; choose one")
    drawn = io.BytesIO()
    if suffix == ".jpg":
        smaller = {"quality": 75, "optimize": True, "progressive": True}
        figure.savefig(drawn, format="jpg", dpi=_JPEG_DPI, facecolor="white", pil_kwargs=smaller)
    else:
        figure.savefig(drawn, format=suffix[1:], dpi=_DPI, facecolor="white")
    if few_colours and suffix == ".png":
        drawn = _with_few_colours(drawn)
    with atomic_write(path) as file:
        file.write(drawn.getbuffer())


def _with_few_colours(png: io.BytesIO) -> io.BytesIO:
    """Return a PNG of at most 256 colours."""
    from PIL import Image

    smaller = io.BytesIO()
    with Image.open(png) as picture:
        reduced = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        reduced.save(smaller, "PNG", optimize=True, dpi=(_DPI, _DPI))
    return smaller
