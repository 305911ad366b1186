"""What the passes do alike with a tile, whatever the number of features: compiled once, and called by address."""

from __future__ import annotations

from bgsub.mixture.kernels.stages import finish_terms, load_rows, load_weights, rows_of
from bgsub.simd import kernels_of

kernel = kernels_of(__name__)


@kernel
def load_rest(X, weights, first, done, n, scratch):
    """Fill in a tile from n rows, from the row `first` on; the first `done` are there, but for their weights."""
    load_weights(weights, first, n, scratch)
    load_rows(X, first, done, n, scratch)


@kernel
def finish(scratch, outputs, first, n):
    """Do what lies between the l_ik of a tile and the sums."""
    finish_terms(scratch, rows_of(scratch), -(-n // 8), outputs, first, n)
