"""The memory that kernels work in, made to measure: how many rows a tile has, how wide the sums are."""

from __future__ import annotations

from functools import cache

import numpy as np

from bgsub.mixture.kernels import tiles
from bgsub.mixture.kernels.loops import Work
from bgsub.mixture.kernels.stages import Components, Outputs, Scratch, Stages
from bgsub.mixture.kernels.steps import DIAG, FULL, TIED, Model, Moments, Spare
from bgsub.simd import zeros
from bgsub.simd.calls import Size, address_of, size_of

_CACHE = 45_000  # bytes: what of a tile is used together should fit in the fastest cache


def sizes(n_features: int) -> tuple[Size, Size]:
    """Return `size` and `rest` as the kernels want them."""
    return size_of(n_features), size_of((n_features - 1) % 4 + 1)


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


def empty_spare(model: Model) -> Spare:
    """Return memory for the M step that makes a model."""
    n_features, covariances = model.means.shape[1], model.covariances
    return Spare(np.empty(covariances.shape), np.empty(n_features), np.empty((n_features, n_features)))


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


@cache
def stages() -> Stages:
    """Return where the stages lie that passes of all widths share."""
    scratch, outputs = NO_WORK.scratch, NO_OUTPUTS
    return Stages(
        address_of(tiles.load_rest, (NO_ROWS, NO_WEIGHTS, 0, 0, 0, scratch), ()),
        address_of(tiles.finish, (scratch, outputs, 0, 0), ()),
    )


def empty_work(
    n_components: int, n_features: int, kind: int, n_rows: int, outputs: Outputs, *, sums: bool = True
) -> Work:
    """Return the memory of one thread for steps with `n_rows` at most; model and spare memory are to be put in."""
    scratch = empty_scratch(n_components, n_features, kind, n_rows, sums=sums)
    return Work(
        NO_WORK.model,
        empty_components(n_components, n_features, kind),
        scratch,
        outputs,
        np.zeros(scratch.sums.shape[:2]),
        np.zeros(2),
        *product_places(n_features, kind),
        empty_moments(n_components, n_features, kind),
        NO_WORK.spare,
        stages(),
    )


def _nothing(n_axes: int) -> np.ndarray:
    return np.empty((0,) * n_axes)


NO_ROWS, NO_WEIGHTS = _nothing(2), _nothing(1)
NO_OUTPUTS = Outputs(_nothing(1), _nothing(2), np.empty(0, np.intp))
NO_WORK = Work(  # of the types of all work
    Model(*map(_nothing, (1, 2, 3, 3))),
    Components(*map(_nothing, (2, 2, 1, 2, 2))),
    Scratch(*map(_nothing, (3, 3, 3, 3, 3, 2))),
    NO_OUTPUTS,
    _nothing(2),
    np.ones(2),
    np.empty(0, np.intp),
    np.empty(0, np.intp),
    Moments(*map(_nothing, (1, 2, 3))),
    Spare(*map(_nothing, (3, 1, 2))),
    Stages(0, 0),
)
