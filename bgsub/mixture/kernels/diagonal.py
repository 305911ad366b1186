"""The passes for diagonal and spherical covariances, of any number of features, in groups of four."""

from __future__ import annotations

from bgsub.mixture.kernels.stages import GROUP, SHARE, load_tile, rows_of
from bgsub.simd import inline, kernels_of
from bgsub.simd.blocks import add_each, load, plus, scale, squared_norm, store, subtract, times
from bgsub.simd.calls import call_at

kernel = kernels_of(__name__)


@inline
def scaled_distance(tile, t, components, k, a, group):
    """Return |factor (x - mean)|^2 over the features of one group, from a on."""
    d = subtract(load(tile.x, t, a, group), components.means, k, a)
    return squared_norm(scale(d, components.factors, k, a))


@inline
def distance(tile, t, components, k, a, group):
    """Return |x - mean|^2 over the features of one group, from a on."""
    return squared_norm(subtract(load(tile.x, t, a, group), components.means, k, a))


@inline
def make_responsibilities(tile, n_vectors, k):
    """Replace the terms of a component by its responsibilities, and sum them up."""
    count = tile.sums[k, 0]
    for t in range(n_vectors):
        r = tile.terms[k, t] * tile.rows[SHARE, t]
        tile.terms[k, t] = r
        count = count + r
    tile.sums[k, 0] = count


@inline
def add_squares(tile, n_vectors, k, means, a, group):
    """Sum up r d and r d^2 for each feature of a group."""
    squares = 1 + means.shape[1] + a
    shift, scatter = load(tile.sums, k, 1 + a, group), load(tile.sums, k, squares, group)
    for t in range(n_vectors):
        d = subtract(load(tile.x, t, a, group), means, k, a)
        weighted = times(d, tile.terms[k, t])
        shift = plus(shift, weighted)
        scatter = add_each(scatter, weighted, d)
    store(tile.sums, k, 1 + a, shift)
    store(tile.sums, k, squares, scatter)


@inline
def add_norm(tile, n_vectors, k, means, a, group):
    """Sum up r d for each feature of a group, and r |d|^2 over all of them."""
    trace = 1 + means.shape[1]
    shift, scatter = load(tile.sums, k, 1 + a, group), tile.sums[k, trace]
    for t in range(n_vectors):
        d = subtract(load(tile.x, t, a, group), means, k, a)
        r = tile.terms[k, t]
        shift = plus(shift, times(d, r))
        scatter = scatter + r * squared_norm(d)
    store(tile.sums, k, 1 + a, shift)
    tile.sums[k, trace] = scatter


@kernel
def diag(X, weights, start, stop, components, scratch, outputs, stages, rest):
    """Pass over the rows from start to stop: add to the sums of `scratch`, write `outputs`."""
    constants, last = components.constants, X.shape[1] - len(rest)
    tile = rows_of(scratch)
    height = 8 * scratch.x.shape[0]
    for first in range(start, stop, height):
        n = min(height, stop - first)
        n_vectors = -(-n // 8)
        load_tile(X, weights, first, n, scratch, rest, stages)
        for k in range(len(constants)):
            for t in range(n_vectors):
                q = scaled_distance(tile, t, components, k, last, rest)
                for a in range(0, last, 4):
                    q = q + scaled_distance(tile, t, components, k, a, GROUP)
                tile.terms[k, t] = constants[k] - q
        call_at(stages.finish, scratch, outputs, first, n)
        for k in range(scratch.sums.shape[0]):
            make_responsibilities(tile, n_vectors, k)
            for a in range(0, last, 4):
                add_squares(tile, n_vectors, k, components.means, a, GROUP)
            add_squares(tile, n_vectors, k, components.means, last, rest)


@kernel
def spherical(X, weights, start, stop, components, scratch, outputs, stages, rest):
    """Pass over the rows from start to stop: add to the sums of `scratch`, write `outputs`."""
    constants, last = components.constants, X.shape[1] - len(rest)
    tile = rows_of(scratch)
    height = 8 * scratch.x.shape[0]
    for first in range(start, stop, height):
        n = min(height, stop - first)
        n_vectors = -(-n // 8)
        load_tile(X, weights, first, n, scratch, rest, stages)
        for k in range(len(constants)):
            factor = components.factors[k, 0]
            for t in range(n_vectors):
                q = distance(tile, t, components, k, last, rest)
                for a in range(0, last, 4):
                    q = q + distance(tile, t, components, k, a, GROUP)
                tile.terms[k, t] = constants[k] - (factor * factor) * q
        call_at(stages.finish, scratch, outputs, first, n)
        for k in range(scratch.sums.shape[0]):
            make_responsibilities(tile, n_vectors, k)
            for a in range(0, last, 4):
                add_norm(tile, n_vectors, k, components.means, a, GROUP)
            add_norm(tile, n_vectors, k, components.means, last, rest)
