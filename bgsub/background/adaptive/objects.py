"""The objects of a frame on the CPU: told in a table, and as spans to be painted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.background.adaptive.codes import FOREGROUND
from bgsub.background.adaptive.components import Components, components_of, with_enclosed
from bgsub.background.adaptive.engine import Objects
from bgsub.background.adaptive.marks import paint, within_rows
from bgsub.background.adaptive.runs import Runs


class Found(NamedTuple):
    """The objects of a frame.

    Attributes
    ----------
    size : (int, int)
        Height h and width w of the picture.
    components : Components
        That the runs make.
    rows : ndarray of int, shape (N,)
        Those that are objects.
    """

    size: tuple[int, int]
    components: Components
    rows: np.ndarray

    def table(self, mask: np.ndarray, compared_area: int) -> Objects:
        """Return the table of the objects; `mask` is what was learned last, (h, w)."""
        area = self.components.area[self.rows]
        held = np.zeros(len(area), np.int64)
        for row in np.flatnonzero(area >= compared_area).tolist():
            held[row] = np.count_nonzero(mask[self.box(row)] == FOREGROUND)
        return Objects(area, held)

    def box(self, row: int, margin: int = 0) -> tuple[slice, slice]:
        """Return rows and columns that an object reaches, and so many more where the picture does."""
        top, bottom, left, right = self.components.box[self.rows[row]].tolist()
        rows = slice(max(0, top - margin), min(self.size[0], bottom + margin))
        return rows, slice(max(0, left - margin), min(self.size[1], right + margin))

    def spans(self, rows: np.ndarray) -> np.ndarray:
        """Return the spans of some objects, with the holes that are filled: int64, (spans, 3), in the order of rows."""
        components = self.components
        chosen = np.zeros(len(components.area), bool)
        chosen[self.rows[rows]] = True
        return components.spans[with_enclosed(chosen, components)[components.of_node]]

    def patch(self, row: int, margin: int = 2) -> tuple[tuple[slice, slice], np.ndarray]:
        """Return the box around an object, and the object's mask there, uint8, not 0 inside."""
        box = self.box(row, margin)
        inside = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.uint8)
        spans = within_rows(self.spans(np.array([row])), box[0])  # a component reaches no further
        paint(spans - (0, box[1].start, box[1].start), box[0].start, 255, inside)
        return box, inside


def objects_of(runs: Runs, size: tuple[int, int], min_area: float, fill_area: float) -> Found:
    """Return the objects that runs make.

    Parameters
    ----------
    runs : Runs
        Of a picture.
    size : (int, int)
        Its height and width.
    min_area, fill_area : float
        Pixels: smaller objects are left out, smaller holes filled.
    """
    components = components_of(runs, size[1], fill_area)
    return Found(size, components, np.flatnonzero(~components.is_gap & (components.area >= min_area)))
