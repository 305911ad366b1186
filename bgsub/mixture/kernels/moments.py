"""Sums of products of features: a triangle of them, by groups of four features.

The sums of a row of `Scratch.sums` are 1, then a sum for each feature, then the products in the order of
`product_places`.
"""

from __future__ import annotations

from bgsub.mixture.kernels.stages import GROUP
from bgsub.simd import inline
from bgsub.simd.blocks import add_products, add_triangle, load, pairs, plus, products, store, subtract, times


@inline
def add_moments(tile, n_vectors, k, share, centres, row, into, size, rest):
    """Add r (1, d, d d^T), with r = terms[k] * share and d = x - centres[row], to the sums number `into`."""
    last = len(size) - len(rest)
    at = _add_last_group(tile, n_vectors, k, share, centres, row, into, size, rest)
    for a in range(0, last, 4):
        at = _add_group(tile, n_vectors, k, into, a, at)
        for b in range(a + 4, last, 4):
            at = _add_two_groups(tile, n_vectors, k, into, a, b, GROUP, at)
        at = _add_two_groups(tile, n_vectors, k, into, a, last, rest, at)


@inline
def _add_last_group(tile, n_vectors, k, share, centres, row, into, size, rest):
    """Sum up r, and the moments of the last group; leave r and d of all features for the other groups."""
    last, at = len(size) - len(rest), 1 + len(size)
    count = tile.sums[into, 0]
    shift = load(tile.sums, into, 1 + last, rest)
    scatter = load(tile.sums, into, at, pairs(rest))
    for t in range(n_vectors):
        r = tile.terms[k, t] * tile.rows[share, t]
        tile.terms[k, t] = r
        d = subtract(load(tile.x, t, last, rest), centres, row, last)
        if last > 0:
            store(tile.moved, t, 0, subtract(load(tile.x, t, 0, size), centres, row, 0))
        weighted = times(d, r)
        count = count + r
        shift = plus(shift, weighted)
        scatter = add_triangle(scatter, weighted, d)
    tile.sums[into, 0] = count
    store(tile.sums, into, 1 + last, shift)
    store(tile.sums, into, at, scatter)
    return at + len(scatter)


@inline
def _add_group(tile, n_vectors, k, into, a, at):
    """Sum up the moments of the four features from a on."""
    shift = load(tile.sums, into, 1 + a, GROUP)
    scatter = load(tile.sums, into, at, pairs(GROUP))
    for t in range(n_vectors):
        d = load(tile.moved, t, a, GROUP)
        weighted = times(d, tile.terms[k, t])
        shift = plus(shift, weighted)
        scatter = add_triangle(scatter, weighted, d)
    store(tile.sums, into, 1 + a, shift)
    store(tile.sums, into, at, scatter)
    return at + len(scatter)


@inline
def _add_two_groups(tile, n_vectors, k, into, a, b, other, at):
    """Sum up the products of the four features from a on with those from b on, as many as `other` is long."""
    scatter = load(tile.sums, into, at, products(GROUP, other))
    for t in range(n_vectors):
        weighted = times(load(tile.moved, t, a, GROUP), tile.terms[k, t])
        scatter = add_products(scatter, weighted, load(tile.moved, t, b, other))
    store(tile.sums, into, at, scatter)
    return at + len(scatter)
