"""What figures share: colours, the look of axes, and files that appear whole or not at all."""

from __future__ import annotations

import io
import logging
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.formats import WRITABLE_FIGURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

INK = "#30343b"
"""Of letters and outlines."""

UNUSUAL_COLOUR = "#000000"
"""Of rows and frames that are like no other: the one colour that no group has."""

NOISE_GREY = 0.62
"""Of rows that belong to no group, from 0 black to 1 white."""

_COLOURS = (  # of Okabe and Ito, told apart by the colour-blind; grey for their yellow, which white swallows
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#4d4d4d",
)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")  # one more than colours: 56 pairs differ
_DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.2, 1.2), (5, 1.6, 1.2, 1.6), (8, 2, 3, 2))
_EASTERN = 0x0900  # letters from here on may not be in matplotlib's font
_EASTERN_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Nirmala UI",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
)
_NO_GLYPH = r"Glyph \d+ .* missing from"
_DPI, _JPEG_DPI = 160, 130  # who takes JPEG wants a small file
_GRID = "#e4e7eb"


def colours(count: int) -> np.ndarray:
    """Return `count` colours that differ, (count, 3) float64 from 0 to 1 in sRGB.

    Seven are told apart by the colour-blind, too; after them they come again, darker and lighter. With the `markers` of
    the same places, groups differ clearly far beyond that.
    """
    from matplotlib.colors import to_rgb

    named = np.array([to_rgb(colour) for colour in _COLOURS])
    shades = []
    for turn in range(-(-count // len(named))):
        strength = 0.6 ** ((turn + 1) // 2)
        shades.append(named * strength if turn % 2 else 1 - (1 - named) * strength)
    return np.concatenate([np.empty((0, 3)), *shades])[:count]


def markers(count: int) -> list[str]:
    """Return `count` shapes of points, for groups that must not differ by colour alone."""
    return [_MARKERS[i % len(_MARKERS)] for i in range(count)]


def dashes(count: int) -> list[Any]:
    """Return `count` styles of lines, likewise: what matplotlib calls a line style."""
    return [(0, _DASHES[i % len(_DASHES)] or None) for i in range(count)]


def mixed(shares: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return colours (n, 3) mixed from a palette (K, 3) as light mixes, in the given shares (n, K) that sum to 1."""
    return (shares @ palette**2.2).clip(0, 1) ** (1 / 2.2)


def as_drawn(name: str, longest: int = 60) -> str:
    """Return a name from outside as it is drawn: to the letter (dollars begin no formula), shortened in its middle."""
    if len(name) > longest:
        name = f"{name[: longest // 2]}…{name[-(longest // 2 - 1) :]}"
    return name.replace("$", r"\$")


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
    options: dict[str, Any] = {"format": suffix[1:], "dpi": _DPI}
    if suffix == ".jpg":
        options |= {"dpi": _JPEG_DPI, "pil_kwargs": {"quality": 75, "optimize": True, "progressive": True}}
    _choose_fonts(figure)
    with warnings.catch_warnings(record=True) as told:
        warnings.filterwarnings("always", _NO_GLYPH, UserWarning)
        figure.savefig(drawn, facecolor="white", **options)
    if any(re.match(_NO_GLYPH, str(one.message)) for one in told):
        logger.warning("%s: no font here has all letters of its names; those it lacks are boxes", path)
    if few_colours and suffix == ".png":
        drawn = _with_few_colours(drawn)
    with atomic_write(path) as file:
        file.write(drawn.getbuffer())


def _choose_fonts(figure: Figure) -> None:
    """Let letters that matplotlib's own font lacks come from a font of the system, where one is known to have them."""
    from matplotlib.font_manager import get_font_names
    from matplotlib.text import Text

    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    if all(ord(letter) < _EASTERN for text in texts for letter in text.get_text()):
        return
    installed = set(get_font_names())
    families = ["DejaVu Sans", *(name for name in _EASTERN_FONTS if name in installed)]
    for text in texts:
        text.set_fontfamily(families)


def _with_few_colours(png: io.BytesIO) -> io.BytesIO:
    """Return a PNG of at most 256 colours."""
    from PIL import Image

    smaller = io.BytesIO()
    with Image.open(png) as picture:
        reduced = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        reduced.save(smaller, "PNG", optimize=True, dpi=(_DPI, _DPI))
    return smaller
