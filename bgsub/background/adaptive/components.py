"""Objects among runs: touching runs are one object, what they enclose is a hole.

Runs of evidence touch at corners too, runs of background along edges only. Every run is a *node*, numbered in the order
of rows and columns, so that a row of n edges has n + 1 nodes, background first; node 0 is what lies around the picture.
Nodes that touch are joined to the first of them (union-find), which makes *components*: numbered in order again, a
component comes after the one that encloses it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.background.adaptive.runs import BAND, Runs
from bgsub.simd import inline, kernels_of

kernel = kernels_of(__name__)


class Components(NamedTuple):
    """The components of a picture, `component` 0 being what lies around it."""

    base: np.ndarray  # (h,) int32: first node of a row; not defined for a row without edges
    of_node: np.ndarray  # (nodes,) int32: component of each node
    around: np.ndarray  # (n,) int32: the component that encloses each, 0 for the outermost ones
    is_gap: np.ndarray  # (n,) bool: background
    is_open: np.ndarray  # (n,) bool: background that is not to be filled
    box: np.ndarray  # (n, 4) int32: top, bottom, left and right, the second and the fourth exclusive
    area: np.ndarray  # (n,) int64: pixels, with all that is enclosed but open holes and what is in them


def components_of(runs: Runs, width: int, fill_area: float) -> Components:
    """Return the components of a picture of `width`, and mark the holes of fewer pixels than `fill_area` as filled."""
    n_nodes = 1 + int(runs.n_edges.sum()) + int(np.count_nonzero(runs.n_edges))
    base = np.zeros(len(runs.n_edges), np.int32)
    parent, of_node = np.zeros((2, n_nodes), np.int32)
    n = join_nodes(runs, width, base, parent, of_node)
    around, box = np.zeros(n, np.int32), np.zeros((n, 4), np.int32)
    is_gap, total = np.zeros(n, bool), np.zeros(n, np.int64)
    survey(runs, width, base, of_node, around, is_gap, box, total)
    is_open = is_gap & (total >= fill_area)
    is_open[0] = True
    holes = np.flatnonzero(is_open)
    area = total.copy()
    np.subtract.at(area, around[holes[1:]], total[holes[1:]])
    return Components(base, of_node, around, is_gap, is_open, box, area)


@inline
def root_of(parent, i):
    """Return the first node that node i has been joined to."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@inline
def join(parent, i, j):
    """Make nodes i and j one component."""
    i, j = root_of(parent, i), root_of(parent, j)
    if i < j:
        parent[j] = i
    else:
        parent[i] = j


@inline
def join_rows(parent, above, here, base_above, base, width):
    """Join the nodes of a row with those of the row above: `above` and `here` are their edges."""
    a = b = 0
    while True:
        end_a = above[a] if a < len(above) else width
        end_b = here[b] if b < len(here) else width
        i, j, alike = a, b, (a ^ b) & 1 == 0
        if not alike and end_a == end_b:  # two runs that meet at a corner
            i, j, alike = a + 1 - (a & 1), b + 1 - (b & 1), end_a < width
        if alike:
            join(parent, base_above + i, base + j)
        if end_a == end_b == width:
            return
        a, b = a + (end_a <= end_b), b + (end_b <= end_a)


@inline
def join_outside(parent, edges, base, width, whole_row):
    """Join the background of a row with what lies around the picture: that at its ends, or all."""
    for j in range(0, len(edges) + 1, 2):
        if whole_row or j == 0 or j == len(edges) or edges[j] == width:
            join(parent, 0, base + j)


@kernel
def join_nodes(runs, width, base, parent, component):
    """Write the first node of each row, and the component of each node; return how many components there are."""
    height, n = len(runs.n_edges), 1
    parent[0] = 0
    for y in range(height):
        if runs.n_edges[y] == 0:
            continue
        edges = runs.edges[y // BAND, runs.first[y] : runs.first[y] + runs.n_edges[y]]
        base[y] = n
        for j in range(len(edges) + 1):
            parent[n + j] = n + j
        alone = y == 0 or y == height - 1 or runs.n_edges[y - 1] == 0 or runs.n_edges[y + 1] == 0
        join_outside(parent, edges, n, width, alone)
        if y > 0 and runs.n_edges[y - 1]:
            above = runs.edges[(y - 1) // BAND, runs.first[y - 1] : runs.first[y - 1] + runs.n_edges[y - 1]]
            join_rows(parent, above, edges, base[y - 1], n, width)
        n += len(edges) + 1
    n_components = 0
    for i in range(n):
        if parent[i] == i:
            component[i] = n_components
            n_components += 1
        else:
            component[i] = component[parent[i]]  # lies before
    return n_components


@kernel
def survey(runs, width, base, component, around, is_gap, box, total):
    """Write what the components are and what is around them; `total` is pixels, all that is enclosed with them."""
    is_gap[0] = True
    for y in range(len(runs.n_edges)):
        if runs.n_edges[y] == 0:
            continue
        edges = runs.edges[y // BAND, runs.first[y] : runs.first[y] + runs.n_edges[y]]
        for j in range(len(edges) + 1):
            left, right = edges[j - 1] if j else 0, edges[j] if j < len(edges) else width
            c = component[base[y] + j]
            if c > 0 and box[c, 1] == 0:  # its first node, which has what encloses it on the left
                around[c], is_gap[c] = component[base[y] + j - 1], j & 1 == 0
                box[c, 0], box[c, 2], box[c, 3] = y, left, right
            box[c, 1], box[c, 2], box[c, 3] = y + 1, min(box[c, 2], left), max(box[c, 3], right)
            total[c] += right - left
    for c in range(len(total) - 1, 0, -1):
        total[around[c]] += total[c]


@kernel
def inherit(around, is_gap, is_open, marks):
    """Let filled holes, and what lies in them, have the marks of what is around them; `marks` is uint8, (n,)."""
    for c in range(1, len(marks)):
        if not is_gap[c]:
            marks[c] |= marks[around[c]]
        else:
            marks[c] = 0 if is_open[c] else marks[around[c]]
