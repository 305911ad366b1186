"""The pass for full covariances, unrolled for the number of features."""

from __future__ import annotations

from bgsub.mixture.kernels.moments import add_moments
from bgsub.mixture.kernels.stages import SHARE, load_tile, rows_of
from bgsub.simd import kernels_of
from bgsub.simd.blocks import load, squared_norm, subtract, triangular_product
from bgsub.simd.calls import call_at

kernel = kernels_of(__name__)


@kernel
def full(X, weights, start, stop, components, scratch, outputs, stages, size, rest):
    """Pass over the rows from start to stop: add to the sums of `scratch`, write `outputs`."""
    means, factors, constants = components.means, components.factors, components.constants
    tile = rows_of(scratch)
    height = 8 * scratch.x.shape[0]
    for first in range(start, stop, height):
        n = min(height, stop - first)
        n_vectors = -(-n // 8)
        load_tile(X, weights, first, n, scratch, size, stages)
        for k in range(len(constants)):
            constant = constants[k]
            for t in range(n_vectors):
                d = subtract(load(tile.x, t, 0, size), means, k, 0)
                tile.terms[k, t] = constant - squared_norm(triangular_product(d, factors, k))
        call_at(stages.finish, scratch, outputs, first, n)
        for k in range(scratch.sums.shape[0]):
            add_moments(tile, n_vectors, k, SHARE, means, k, k, size, rest)
