"""What both models do with the modes of sixteen pixels at once.

A pixel has up to K Gaussians ("modes"), heaviest first; a *tile* is 16 consecutive pixels, one a lane. Of a tile t,
``s.weights[t, i]`` are the weights of mode i and ``s.modes[i, t, f]`` row f of what else there is of it, its means and
variances. A weight of exactly 0 means that there is no such mode; the modes that there are come first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bgsub.simd import any_, inline, prefetch, select

ZERO = np.float32(0)
ONE = np.float32(1)


class MixtureRows(NamedTuple):
    """Weights and modes of a state, seen as rows of vectors: arrays in a tuple would be counted at every use."""

    weights: Any  # (tiles, K)
    modes: Any  # (K, tiles, rows)


@inline
def fetch(s, t, n_weights, n_modes, n_rows):
    """Ask for the memory of tile t: of so many weights, and of so many modes of so many rows."""
    for i in range(n_weights):
        prefetch(s.weights, (t, i))
    for i in range(n_modes):
        for f in range(n_rows):
            prefetch(s.modes, (i, t, f))


@inline
def exchange(vectors, a, b, where):
    """Exchange the rows at the indices a and b, in the lanes `where`."""
    one, other = vectors[a], vectors[b]
    vectors[a], vectors[b] = select(where, other, one), select(where, one, other)


@inline
def rise(s, t, i, rising, n_rows, past_equals):
    """Move mode i up past every lighter mode, with `past_equals` past those as heavy too, in the lanes `rising`."""
    for j in range(i, 0, -1):
        weight, above = s.weights[t, j], s.weights[t, j - 1]
        rising = rising & (~(weight < above) if past_equals else weight > above)
        if not any_(rising):
            break
        exchange(s.weights, (t, j), (t, j - 1), rising)
        for f in range(n_rows):
            exchange(s.modes, (j, t, f), (j - 1, t, f), rising)


@inline
def with_room(waiting, weight, i, last):
    """Return the lanes of `waiting` whose new mode goes to place i: the first free one, or else the last."""
    return waiting if i == last else waiting & (weight == ZERO)


@inline
def start_mode(s, t, i, here, values, past_equals):
    """Start mode i, whose weight is set, with a vector a row in the lanes `here`, and move it to where it belongs."""
    for f in range(len(values)):
        s.modes[i, t, f] = select(here, values[f], s.modes[i, t, f])
    rise(s, t, i, here, len(values), past_equals)
