"""The pass for one covariance of all components, unrolled for the number of features.

Rows are whitened once, ``y = U^T (x - origin)``, and compared with the whitened means. Of the products only the sum
over all components is wanted, which does not depend on responsibilities: it is made once a row, about the origin.
"""

from __future__ import annotations

from bgsub.mixture.kernels.moments import add_moments
from bgsub.mixture.kernels.stages import SHARE, WEIGHT, load_tile, rows_of
from bgsub.simd import inline, kernels_of, splat_like
from bgsub.simd.blocks import add_times, load, squared_norm, store, subtract, triangular_product
from bgsub.simd.calls import call_at

kernel = kernels_of(__name__)


@inline
def add_first_moments(tile, n_vectors, k, means, size):
    """Sum up r_ik and r_ik d_ik."""
    count = tile.sums[k, 0]
    shift = load(tile.sums, k, 1, size)
    for t in range(n_vectors):
        r = tile.terms[k, t] * tile.rows[SHARE, t]
        count = count + r
        shift = add_times(shift, subtract(load(tile.x, t, 0, size), means, k, 0), r)
    tile.sums[k, 0] = count
    store(tile.sums, k, 1, shift)


@kernel
def tied(X, weights, start, stop, components, scratch, outputs, stages, size, rest):
    """Pass over the rows from start to stop: add to the sums of `scratch`, write `outputs`."""
    means, factors, constants = components.means, components.factors, components.constants
    origin, centres = components.origin, components.centres
    n_components = len(constants)
    tile = rows_of(scratch)
    height = 8 * scratch.x.shape[0]
    for first in range(start, stop, height):
        n = min(height, stop - first)
        n_vectors = -(-n // 8)
        load_tile(X, weights, first, n, scratch, size, stages)
        for t in range(n_vectors):
            d = subtract(load(tile.x, t, 0, size), origin, 0, 0)
            store(tile.moved, t, 0, triangular_product(d, factors, 0))
        for k in range(n_components):
            for t in range(n_vectors):
                y = subtract(load(tile.moved, t, 0, size), centres, k, 0)
                tile.terms[k, t] = constants[k] - squared_norm(y)
        call_at(stages.finish, scratch, outputs, first, n)
        if len(scratch.sums) > 0:
            for k in range(n_components):
                add_first_moments(tile, n_vectors, k, means, size)
            for t in range(n_vectors):  # one more sum, with the weights of the rows for responsibilities
                tile.terms[0, t] = splat_like(tile.terms[0, t], 1.0)
            add_moments(tile, n_vectors, 0, WEIGHT, origin, 0, n_components, size, rest)
