"""The pass over rows with gaps: the marginal density of what is there, the moments of what is not.

For a row x with observed features o and missing ones m (NaN), and a component of mean mu and precision U U^T, let d be
x - mu with 0 where x is missing, and A the columns of U^T of the missing features. What the component expects of them,
``E[x_m | x_o] - mu_m``, is the least-squares solution

    d_m = argmin |U^T d + A d_m|^2

and the least value is the squared Mahalanobis distance of x_o; ``A^T A = P_mm``, the missing part of the precision, is
the inverse of Cov[x_m | x_o], and ``log det S_oo = log det S + log det P_mm`` (Little & Rubin 2002, section 11.2.3;
Ghahramani & Jordan 1994). Solved by Gram-Schmidt on [A | U^T d], which squares no condition number, without square
roots: ``A = Q R`` with R unit upper triangular and Q^T Q = diag(norms). So with r the responsibility

    sums += r (1, d, d d^T + C)        d with d_m filled in, C = R^-1 diag(1 / norms) R^-T in the missing part

The eight lanes of a vector are eight components: rows have gaps each its own, so rows cannot share a vector.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from bgsub.simd import DOUBLES, any_, inline, kernels_of, rows, splat_like, zeros_like
from bgsub.simd.doubles import exp_or_zero, log, multiply_add, total

kernel = kernels_of(__name__)

LEAST = -69.0  # as in `stages`: responsibilities below 1e-30 are 0
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Lanes(NamedTuple):
    """The components, eight a vector; B vectors are as many as hold K components, and the last ones weigh nothing."""

    means: np.ndarray  # (B, D, 8)
    factors: np.ndarray  # (B, D(D+1)/2, 8): U by columns; (B, D, 8): 1 / deviation, where covariances are diagonal
    constants: np.ndarray  # (B, 8): log weight + log det U - D log(2 pi) / 2
    cells: np.ndarray  # (B, D, 8), diagonal: log(1 / deviation) - log(2 pi) / 2, of which a missing cell takes one off


class Work(NamedTuple):
    """Memory of one thread."""

    filled: np.ndarray  # (B, D, 8): d, with d_m filled in
    white: np.ndarray  # (1, D, 8): U^T d, then what Gram-Schmidt leaves of it
    span: np.ndarray  # (D, D, 8): A, then Q, a column each
    ratios: np.ndarray  # (B, D * D, 8): R, row by row of as many as are missing
    norms: np.ndarray  # (B, D, 8)
    inverse: np.ndarray  # (D, D, 8): R^-1
    terms: np.ndarray  # (B, 8): l_k, then r_k
    missing: np.ndarray  # (D,) intp: the missing features, the last one first
    observed: np.ndarray  # (D,) bool


class GapSums(NamedTuple):
    """The sums over some rows."""

    counts: np.ndarray  # (B, 8)
    shift: np.ndarray  # (B, D, 8)
    scatter: np.ndarray  # (B, D(D+1)/2, 8), or diagonal: (B, D, 8)
    totals: np.ndarray  # (2,): of w_i p_i, and of w_i


class Vectors(NamedTuple):
    """Constants and memory, seen as rows of vectors."""

    means: Any
    factors: Any
    constants: Any
    cells: Any
    filled: Any
    white: Any
    span: Any
    ratios: Any
    norms: Any
    inverse: Any
    terms: Any


@inline
def vectors_of(lanes, work):
    """Return constants and memory as rows of vectors."""
    return Vectors(
        rows(lanes.means, DOUBLES),
        rows(lanes.factors, DOUBLES),
        rows(lanes.constants, DOUBLES),
        rows(lanes.cells, DOUBLES),
        rows(work.filled, DOUBLES),
        rows(work.white, DOUBLES),
        rows(work.span, DOUBLES),
        rows(work.ratios, DOUBLES),
        rows(work.norms, DOUBLES),
        rows(work.inverse, DOUBLES),
        rows(work.terms, DOUBLES),
    )


@inline
def find_gaps(X, i, work):
    """Note which features of row i are missing; return how many."""
    n = 0
    for j in range(X.shape[1] - 1, -1, -1):
        work.observed[j] = not math.isnan(X[i, j])
        if not work.observed[j]:
            work.missing[n] = j
            n += 1
    return n


# --------------------------------------------------------------------------------------- what components say of a row


@inline
def subtract_means(X, i, v, work, b):
    """Make d, 0 where the row has gaps."""
    for j in range(X.shape[1]):
        mean = v.means[b, j]
        v.filled[b, j] = splat_like(mean, X[i, j]) - mean if work.observed[j] else zeros_like(mean)


@inline
def whiten(n_features, v, b):
    """Make U^T d."""
    at = 0
    for j in range(n_features):
        y = v.factors[b, at] * v.filled[b, 0]
        for i in range(1, j + 1):
            y = multiply_add(v.factors[b, at + i], v.filled[b, i], y)
        v.white[0, j] = y
        at += j + 1


@inline
def take_out(n_features, n_missing, v, missing, b):
    """Do Gram-Schmidt on A, its shortest column first, and on U^T d; return the sum of the logarithms of the norms."""
    zero = zeros_like(v.constants[b])
    log_det = zero
    for g in range(n_missing):
        first = missing[g]
        for j in range(first, n_features):
            v.span[g, j] = v.factors[b, j * (j + 1) // 2 + first]
    for g in range(n_missing):
        first = missing[g]
        norm, product = zero, zero
        for j in range(first, n_features):
            norm = multiply_add(v.span[g, j], v.span[g, j], norm)
            product = multiply_add(v.span[g, j], v.white[0, j], product)
        share = product / norm
        for j in range(first, n_features):
            v.white[0, j] = v.white[0, j] - share * v.span[g, j]
        for h in range(g + 1, n_missing):  # longer ones
            product = zero
            for j in range(first, n_features):
                product = multiply_add(v.span[g, j], v.span[h, j], product)
            ratio = product / norm
            for j in range(first, n_features):
                v.span[h, j] = v.span[h, j] - ratio * v.span[g, j]
            v.ratios[b, g * n_missing + h] = ratio
        v.filled[b, first] = -share
        v.norms[b, g] = norm
        log_det = log_det + log(norm)
    return log_det


@inline
def solve(n_missing, v, missing, b):
    """Make d_m of -R d_m by back substitution."""
    for g in range(n_missing - 2, -1, -1):
        d = v.filled[b, missing[g]]
        for h in range(g + 1, n_missing):
            d = d - v.ratios[b, g * n_missing + h] * v.filled[b, missing[h]]
        v.filled[b, missing[g]] = d


@inline
def full_term(n_features, n_missing, v, work, b):
    """Return l_k, and fill in d."""
    whiten(n_features, v, b)
    log_det = take_out(n_features, n_missing, v, work.missing, b)
    solve(n_missing, v, work.missing, b)
    q = v.white[0, 0] * v.white[0, 0]
    for j in range(1, n_features):
        q = multiply_add(v.white[0, j], v.white[0, j], q)
    return v.constants[b] + (n_missing * HALF_LOG_TAU) - 0.5 * (log_det + q)


@inline
def diagonal_term(n_features, n_missing, v, work, b):
    """Return l_k; d_m is 0."""
    q = zeros_like(v.constants[b])
    for j in range(n_features):
        scaled = v.factors[b, j] * v.filled[b, j]
        q = multiply_add(scaled, scaled, q)
    term = v.constants[b] - 0.5 * q
    for g in range(n_missing):
        term = term - v.cells[b, work.missing[g]]
    return term


@inline
def explain(X, i, diagonal, v, work):
    """Make l_k and d for every component; return how many features are missing."""
    n_features = X.shape[1]
    n_missing = find_gaps(X, i, work)
    for b in range(work.terms.shape[0]):
        subtract_means(X, i, v, work, b)
        if diagonal:
            v.terms[b] = diagonal_term(n_features, n_missing, v, work, b)
        else:
            v.terms[b] = full_term(n_features, n_missing, v, work, b)
    return n_missing


@inline
def likeliest(terms, n_components):
    """Return the component of the greatest l_k, the first of equal ones."""
    best = 0
    for k in range(1, n_components):
        if terms[k // 8, k % 8] > terms[best // 8, best % 8]:
            best = k
    return best


@inline
def share_out(v, terms, top):
    """Replace l_k by exp(l_k - top); return the sum."""
    s = 0.0
    for b in range(terms.shape[0]):
        e = exp_or_zero(v.terms[b] - top, LEAST)
        v.terms[b] = e
        s += total(e)
    return s


# ------------------------------------------------------------------------------------------------------------- sums


@inline
def add_products(n_features, v, shift, scatter, r, b):
    """Add r (d, d d^T)."""
    at = 0
    for j in range(n_features):
        weighted = r * v.filled[b, j]
        shift[b, j] = shift[b, j] + weighted
        for i in range(j + 1):
            scatter[b, at + i] = multiply_add(weighted, v.filled[b, i], scatter[b, at + i])
        at += j + 1


@inline
def invert_ratios(n_missing, v, b):
    """Make R^-1, unit upper triangular."""
    one = splat_like(v.constants[b], 1.0)
    for h in range(n_missing):
        v.inverse[h, h] = one
        for g in range(h - 1, -1, -1):
            x = v.ratios[b, g * n_missing + h]
            for c in range(g + 1, h):
                x = x + v.ratios[b, g * n_missing + c] * v.inverse[c, h]
            v.inverse[g, h] = -x


@inline
def add_uncertainty(n_missing, v, missing, scatter, r, b):
    """Add r C."""
    invert_ratios(n_missing, v, b)
    for h in range(n_missing):
        v.norms[b, h] = r / v.norms[b, h]
    for g in range(n_missing):
        row = missing[g]  # the larger index of the two
        for c in range(g, n_missing):
            s = zeros_like(r)
            for h in range(c, n_missing):
                s = s + v.inverse[g, h] * v.norms[b, h] * v.inverse[c, h]
            at = row * (row + 1) // 2 + missing[c]
            scatter[b, at] = scatter[b, at] + s


@inline
def add_squares(n_features, n_missing, v, missing, shift, scatter, r, b):
    """Add r (d, d^2), and r times the variance where d is missing."""
    for j in range(n_features):
        weighted = r * v.filled[b, j]
        shift[b, j] = shift[b, j] + weighted
        scatter[b, j] = multiply_add(weighted, v.filled[b, j], scatter[b, j])
    for g in range(n_missing):
        j = missing[g]
        scatter[b, j] = scatter[b, j] + r / (v.factors[b, j] * v.factors[b, j])


@kernel
def sum_rows(X, weights, start, stop, diagonal, n_components, lanes, work, sums, density, shares, labels):
    """Pass over the rows from start to stop: add to `sums`; write the outputs that have elements."""
    v = vectors_of(lanes, work)
    counts, shift, scatter = rows(sums.counts, DOUBLES), rows(sums.shift, DOUBLES), rows(sums.scatter, DOUBLES)
    n_features = X.shape[1]
    for i in range(start, stop):
        n_missing = explain(X, i, diagonal, v, work)
        best = likeliest(work.terms, n_components)
        top = work.terms[best // 8, best % 8]
        s = share_out(v, work.terms, top)
        w = 1.0 if weights.size == 0 else weights[i]
        sums.totals[0] += w * (top + math.log(s))
        sums.totals[1] += w
        if density.size > 0:
            density[i] = top + math.log(s)
        if labels.size > 0:
            labels[i] = best
        for k in range(shares.shape[1]):
            shares[i, k] = work.terms[k // 8, k % 8] / s
        for b in range(sums.counts.shape[0]):
            r = v.terms[b] * (w / s)
            if any_(r > 0.0):
                counts[b] = counts[b] + r
                if diagonal:
                    add_squares(n_features, n_missing, v, work.missing, shift, scatter, r, b)
                else:
                    add_products(n_features, v, shift, scatter, r, b)
                    add_uncertainty(n_missing, v, work.missing, scatter, r, b)


# ----------------------------------------------------------------------------------------------------------- filling


@inline
def expected_value(v, terms, j):
    """Return the mean over components of what they expect of feature j, times the sum of `terms`."""
    x = 0.0
    for b in range(terms.shape[0]):
        x += total(v.terms[b] * (v.means[b, j] + v.filled[b, j]))
    return x


@inline
def draw_gaps(n_missing, diagonal, lanes, work, k, noise, out):
    """Draw the missing features from component k: d_m + R^-1 diag(norms)^-1/2 noise."""
    b, lane = k // 8, k % 8
    for g in range(n_missing - 1, -1, -1):
        j = work.missing[g]
        if diagonal:
            x = noise[j] / lanes.factors[b, j, lane]
        else:
            x = noise[j] / math.sqrt(work.norms[b, g, lane])
            for h in range(g + 1, n_missing):
                x -= work.ratios[b, g * n_missing + h, lane] * work.inverse[h, 0, lane]
            work.inverse[g, 0, lane] = x
        out[j] = lanes.means[b, j, lane] + work.filled[b, j, lane] + x


@kernel
def fill_rows(X, start, stop, diagonal, n_components, lanes, work, chance, noise, out):
    """Fill in the gaps of the rows from start to stop, in `out`.

    By their expectation where `noise` has no elements. Else by a draw: of a component by `chance`, from 0 to 1 a row,
    and of the features by `noise`, standard normal numbers.
    """
    v = vectors_of(lanes, work)
    for i in range(start, stop):
        n_missing = explain(X, i, diagonal, v, work)
        best = likeliest(work.terms, n_components)
        s = share_out(v, work.terms, work.terms[best // 8, best % 8])
        if noise.size == 0:
            for g in range(n_missing):
                j = work.missing[g]
                out[i, j] = expected_value(v, work.terms, j) / s
            continue
        k, left = best, chance[i] * s
        for c in range(n_components):
            left -= work.terms[c // 8, c % 8]
            if left < 0.0:
                k = c
                break
        draw_gaps(n_missing, diagonal, lanes, work, k, noise[i], out[i])
