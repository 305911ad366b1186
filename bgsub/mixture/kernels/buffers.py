"""The memory that kernels work in, made to measure: how many rows a tile has, how wide the sums are."""

from __future__ import annotations

import numpy as np

from bgsub.mixture.kernels.stages import Components, Outputs, Scratch
from bgsub.mixture.kernels.steps import DIAG, FULL, TIED, Moments
from bgsub.simd import zeros

_CACHE = 45_000  # bytes: what of a tile is used together should fit in the fastest cache


def sizes(n_features: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return `size` and `rest` as the kernels want them."""
    return (0,) * n_features, (0,) * (n_features - (n_features - 1) // 4 * 4)


def empty_components(n_components: int, n_features: int, kind: int) -> Components:
    """Return memory for the constants of a pass."""
    packed = n_features * (n_features + 1) // 2
    factors = {FULL: (n_components, packed), TIED: (1, packed), DIAG: (n_components, n_features)}
    return Components(
        np.empty((n_components, n_features)),
        np.empty(factors.get(kind, (n_components, 1))),
        np.empty(n_components),
        np.empty((1, n_features)),
        np.empty((n_components if kind == TIED else 0, n_features)),
    )


def empty_moments(n_components: int, n_features: int, kind: int) -> Moments:
    """Return memory for the sums over all rows, as the M step wants them."""
    shapes = {
        FULL: (n_components, n_features, n_features),
        TIED: (1, n_features, n_features),
        DIAG: (n_components, 1, n_features),
    }
    scatter = np.empty(shapes.get(kind, (n_components, 1, 1)))
    return Moments(np.empty(n_components), np.empty((n_components, n_features)), scatter)


def sums_shape(n_components: int, n_features: int, kind: int) -> tuple[int, int]:
    """Return how many rows of sums a pass makes, and how long they are."""
    products = {FULL: n_features * (n_features + 1) // 2, TIED: n_features * (n_features + 1) // 2, DIAG: n_features}
    return n_components + (kind == TIED), 1 + n_features + products.get(kind, 1)


def product_places(n_features: int, kind: int) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column of each product of `moments`, in the order of the sums; none where they are in order."""
    if kind not in (FULL, TIED):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    last = (n_features - 1) // 4 * 4
    found = [(i, j) for i in range(last, n_features) for j in range(i, n_features)]
    for a in range(0, last, 4):
        found += [(i, j) for i in range(a, a + 4) for j in range(i, a + 4)]
        for b in range(a + 4, n_features, 4):
            found += [(i, j) for i in range(a, a + 4) for j in range(b, min(b + 4, n_features))]
    rows, columns = np.array(found, np.intp).T
    return rows.copy(), columns.copy()


def empty_scratch(n_components: int, n_features: int, kind: int, n_rows: int, *, sums: bool = True) -> Scratch:
    """Return the memory of one thread for tiles of `n_rows` at most; without `sums` none are made."""
    a_vector = 64 * (2 * n_features + n_components + 3)
    height = min(max(_CACHE // a_vector, 8), 64, max(-(-n_rows // 8), 1))
    n_sums, width = sums_shape(n_components, n_features, kind)
    return Scratch(
        zeros((height, n_features, 8), np.float64),
        zeros((height if kind in (FULL, TIED) else 0, n_features, 8), np.float64),
        zeros((n_components, height, 8), np.float64),
        zeros((3, height, 8), np.float64),
        zeros((n_sums if sums else 0, width, 8), np.float64),
        zeros((2, 8), np.float64),
    )


NO_OUTPUTS = Outputs(np.empty(0), np.empty((0, 0)), np.empty(0, np.intp))
NO_WEIGHTS = np.empty(0)
