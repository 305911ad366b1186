"""What each kind of scene looks like: a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bgsub.plots.figures import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

_SHEET_WIDTH, _LABEL_WIDTH = 9.0, 1.6  # inches: the longest detail fits


@dataclass(frozen=True)
class SheetRow:
    """A row of a contact sheet.

    Attributes
    ----------
    title : str
        What is beside the pictures, in large letters.
    details : str
        What is below the title, lines and all.
    colour : str or tuple of float
        Of title and frames.
    pictures : sequence of ndarray of uint8, shape (H, W, 3) or (H, W)
        BGR or grey, all of one size.
    captions : sequence of str
        One below each picture.
    boxes : sequence of ndarray of int, shape (n, 4)
        What to frame in each picture: left, top, width and height in its pixels. None by default.
    """

    title: str
    details: str
    colour: object
    pictures: Sequence[np.ndarray]
    captions: Sequence[str]
    boxes: Sequence[np.ndarray] = ()


def sheet_figure(rows: Sequence[SheetRow]) -> Figure:
    """Draw a contact sheet: a row of pictures for each kind of scene."""
    from matplotlib.figure import Figure

    columns = max(len(row.pictures) for row in rows)
    height, width = rows[0].pictures[0].shape[:2]
    picture_width = (_SHEET_WIDTH - _LABEL_WIDTH) / columns
    row_height = picture_width * min(height / width, 1.6) + 0.24
    figure = Figure(figsize=(_SHEET_WIDTH, row_height * len(rows) + 0.1))
    grid = figure.add_gridspec(
        len(rows),
        1 + columns,
        width_ratios=[_LABEL_WIDTH, *[picture_width] * columns],
        left=0.012,
        right=0.995,
        top=1 - 0.06 / (row_height * len(rows) + 0.1),
        bottom=0.22 / (row_height * len(rows) + 0.1),
        wspace=0.03,
        hspace=0.24 / (row_height - 0.24),
    )
    for number, row in enumerate(rows):
        _sheet_row(figure, grid, number, row)
    return figure


def _sheet_row(figure: Figure, grid: GridSpec, number: int, row: SheetRow) -> None:
    """Draw a row: title, details, pictures."""
    label = figure.add_subplot(grid[number, 0])
    label.axis("off")
    label.text(0, 1, row.title, color=row.colour, fontsize=14, fontweight="bold", va="top")
    label.annotate(row.details, (0, 1), xytext=(0, -21), textcoords="offset points", color=INK, fontsize=8.5, va="top")
    for column, (picture, caption) in enumerate(zip(row.pictures, row.captions, strict=True)):
        axes = figure.add_subplot(grid[number, 1 + column])
        if picture.ndim == 2:
            axes.imshow(picture, cmap="gray", vmin=0, vmax=np.iinfo(picture.dtype).max, interpolation="lanczos")
        else:
            axes.imshow(picture[:, :, ::-1], interpolation="lanczos")
        axes.set(xticks=[], yticks=[])
        if row.boxes:
            _frame(axes, row.boxes[column])
        for spine in axes.spines.values():
            spine.set(color=row.colour, linewidth=2.2)
        axes.set_xlabel(caption, fontsize=8.5, color=INK, labelpad=2)


def _frame(axes: Axes, boxes: np.ndarray) -> None:
    """Draw boxes, white within black: to be seen on any picture."""
    from matplotlib.patches import Rectangle

    for left, top, width, height in boxes.tolist():
        for colour, thickness in (("#000000", 2.2), ("#ffffff", 1.0)):
            corner = (left - 0.5, top - 0.5)  # of the pixel, whose centre is a whole number
            axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=thickness))
