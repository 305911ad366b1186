"""Objects among runs: touching runs are one object, what they enclose is a hole.

Runs of evidence touch at corners too, runs of background along edges only. Every run is a *node*, numbered in the order
of rows and columns, so that a row of n edges has n + 1 nodes, background first; node 0 is what lies around the picture.
Nodes that touch are joined to the first of them (union-find), which makes *components*: numbered in order again, a
component comes after the one that encloses it.

Only the joining is compiled, a kernel of plain integers: what the compiler is spared, a first run need not wait for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.background.adaptive.runs import BAND, Runs
from bgsub.simd import kernels_of

kernel = kernels_of(__name__)


class Nodes(NamedTuple):
    """The nodes of a picture, but what is around it: it stands first, with nothing in it."""

    spans: np.ndarray  # (nodes, 3) int64: row, first column, and the one after the last
    is_gap: np.ndarray  # (nodes,) bool: background
    is_outside: np.ndarray  # (nodes,) bool: background that lies around all objects, as far as its own rows tell
    begin: np.ndarray  # (h + 1,) int64: first node of each row, and of the one after


class Components(NamedTuple):
    """The components of a picture, component 0 being what lies around it."""

    spans: np.ndarray  # (nodes, 3) int64: those of the nodes
    of_node: np.ndarray  # (nodes,) int64: component of each node
    around: np.ndarray  # (n,) int64: the component that encloses each, 0 for the outermost ones
    is_gap: np.ndarray  # (n,) bool: background
    is_open: np.ndarray  # (n,) bool: background that is not to be filled
    box: np.ndarray  # (n, 4) int64: top, bottom, left and right, the second and the fourth exclusive
    area: np.ndarray  # (n,) int64: pixels, with all that is enclosed but open holes and what is in them


def components_of(runs: Runs, width: int, fill_area: float) -> Components:
    """Return the components of a picture of `width`, and mark the holes of fewer pixels than `fill_area` as filled."""
    nodes = nodes_of(runs, width)
    own = np.arange(len(nodes.spans))
    roots = np.where(nodes.is_outside, 0, own)
    join_nodes(np.ascontiguousarray(nodes.spans[:, 2]), nodes.begin, width, roots)
    is_first = roots == own
    first, of_node = np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[roots]
    around = of_node[np.maximum(first - 1, 0)]  # what encloses a component is on the left of its first node
    is_gap = nodes.is_gap[first]
    row, left, right = nodes.spans.T
    total = total_of(np.bincount(of_node, right - left).astype(np.int64), around)
    is_open = is_gap & (total >= fill_area)
    is_open[0] = True
    holes = np.flatnonzero(is_open)
    area = total.copy()
    np.subtract.at(area, around[holes[1:]], total[holes[1:]])
    box = np.stack([row, row + 1, left, right], axis=1)[first]
    box[of_node, 1] = row + 1  # the last one counts
    np.minimum.at(box[:, 2], of_node, left)
    np.maximum.at(box[:, 3], of_node, right)
    return Components(nodes.spans, of_node, around, is_gap, is_open, box, area)


def nodes_of(runs: Runs, width: int) -> Nodes:
    """Return the nodes of a picture of `width`."""
    height, rows = len(runs.n_edges), np.flatnonzero(runs.n_edges)
    counts = np.zeros(height + 1, np.int64)
    counts[rows] = runs.n_edges[rows] + 1
    begin = 1 + np.cumsum(counts) - counts
    spans, is_gap, is_outside = np.zeros((begin[-1], 3), np.int64), np.ones(begin[-1], bool), np.ones(begin[-1], bool)
    row = np.repeat(rows, counts[rows])
    nth = np.arange(1, begin[-1]) - begin[row]  # of its row
    right, inner = np.full(len(row), width), np.flatnonzero(nth < runs.n_edges[row])  # the last one has no edge
    start = rows // BAND * runs.edges.shape[1] + runs.first[rows]  # where a row's edges are
    right[inner] = runs.edges.reshape(-1)[(np.repeat(start, counts[rows]) + nth)[inner]]
    left = np.zeros(len(row), np.int64)
    left[1:] = np.where(nth[1:] > 0, right[:-1], 0)
    spans[1:] = np.stack([row, left, right], axis=1)
    is_gap[1:] = nth % 2 == 0
    beside = np.zeros(height + 2, bool)
    beside[1:-1] = runs.n_edges != 0
    alone = ~(beside[:-2] & beside[2:])  # a row of background is next to it, or the end of the picture
    is_outside[1:] = is_gap[1:] & ((left == 0) | (right == width) | alone[row])
    return Nodes(spans, is_gap, is_outside, begin)


@kernel
def join_nodes(right, begin, width, root):
    """Join the nodes that touch: write the first node of each one's component to `root`.

    `right` is where nodes end, `begin` the first node of each row, and `root` the node itself, or 0 for those that are
    known to lie around the picture.
    """
    for y in range(1, len(begin) - 1):
        above, here = begin[y - 1], begin[y]
        a, b = above, here
        while a < here and b < begin[y + 1]:
            end_a, end_b = right[a], right[b]
            odd_a, odd_b = (a - above) & 1, (b - here) & 1
            i, j, alike = a, b, odd_a == odd_b
            if not alike and end_a == end_b and end_a < width:  # two runs that meet at a corner
                i, j, alike = a + 1 - odd_a, b + 1 - odd_b, True
            if alike:
                while root[i] != i:
                    root[i] = root[root[i]]
                    i = root[i]
                while root[j] != j:
                    root[j] = root[root[j]]
                    j = root[j]
                if i < j:
                    root[j] = i
                else:
                    root[i] = j
            if end_a <= end_b:
                a += 1
            if end_b <= end_a:
                b += 1
    for i in range(len(root)):
        root[i] = root[root[i]]  # lies before


def total_of(pixels: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Return the pixels of components, int64, with all that is enclosed; those of component 0 do not count."""
    total, inner = pixels.copy(), np.flatnonzero(around)
    outer = around[inner]
    while len(outer):
        np.add.at(total, outer, pixels[inner])
        outer = around[outer]  # and what encloses that
        inner, outer = inner[outer > 0], outer[outer > 0]
    return total


def with_enclosed(chosen: np.ndarray, components: Components) -> np.ndarray:
    """Return `chosen` components, bool, with filled holes and what lies in them."""
    is_open, around = components.is_open, components.around
    while True:
        more = chosen | (chosen[around] & ~is_open)
        if np.array_equal(more, chosen):
            return more
        chosen = more
