"""What comes before and after a pass: the constants of the components, and the M step.

Matrices come as arrays of three axes, whatever the type of covariance: (K, D, D) for full, (1, D, D) for tied,
(K, 1, D) for diagonal and (K, 1, 1) for spherical ones.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bgsub.simd import inline

FULL, TIED, DIAG, SPHERICAL = range(4)
EPS = float(10 * np.finfo(np.float64).eps)  # rows that every component has beside its own, as in scikit-learn
TOO_FAR = float(1e3 * np.finfo(np.float64).eps)  # part of a squared move below which a variance has lost its digits
FAR = 100.0  # of a squared move over the variance before: below, a variance of which nothing is left is gone for good


class Model(NamedTuple):
    """Parameters, their matrices with three axes."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    factors: np.ndarray  # upper triangular U with U U^T the precision


class Moments(NamedTuple):
    """Sums over all rows, as `Statistics` of the passes defines them, `scatter` with three axes."""

    counts: np.ndarray
    shift: np.ndarray
    scatter: np.ndarray


class Spare(NamedTuple):
    """Memory of the M step; kernels allocate none."""

    before: np.ndarray  # as the covariances
    moves: np.ndarray  # (D,)
    root: np.ndarray  # (D, D)


# -------------------------------------------------------------------------------------------------- before the pass


@inline
def prepare(kind, model, components):
    """Fill in the constants of a pass."""
    n_components, n_features = model.means.shape
    for c in range(model.factors.shape[0]):
        at = 0
        for j in range(model.factors.shape[2]):
            for i in range(min(j + 1, model.factors.shape[1])):
                components.factors[c, at] = math.sqrt(0.5) * model.factors[c, i, j]
                at += 1
    for k in range(n_components):
        log_det = 0.0
        for d in range(n_features):
            if kind in (FULL, TIED):
                log_det += math.log(model.factors[k if kind == FULL else 0, d, d])
            else:
                log_det += math.log(model.factors[k, 0, d if kind == DIAG else 0])
        components.constants[k] = math.log(model.weights[k]) + log_det - 0.5 * n_features * math.log(2 * math.pi)
        for d in range(n_features):
            components.means[k, d] = model.means[k, d]
    if kind == TIED:
        _whiten_means(model, components)


@inline
def _whiten_means(model, components):
    """Choose the mean of the mixture for the origin, and whiten the means about it."""
    n_components, n_features = model.means.shape
    for d in range(n_features):
        components.origin[0, d] = 0.0
        for k in range(n_components):
            components.origin[0, d] += model.weights[k] * model.means[k, d]
    for k in range(n_components):
        for j in range(n_features):
            y = 0.0
            for i in range(j + 1):
                y += (model.means[k, i] - components.origin[0, i]) * (math.sqrt(0.5) * model.factors[0, i, j])
            components.centres[k, j] = y


# --------------------------------------------------------------------------------------------------- after the pass


@inline
def _total(eight):
    """Add up eight numbers, and clear them."""
    result = ((eight[0] + eight[4]) + (eight[2] + eight[6])) + ((eight[1] + eight[5]) + (eight[3] + eight[7]))
    for lane in range(8):
        eight[lane] = 0.0
    return result


@inline
def collapse(scratch, sums, totals):
    """Add up the lanes of the sums of a thread, and clear them."""
    for k in range(sums.shape[0]):
        for i in range(sums.shape[1]):
            sums[k, i] = _total(scratch.sums[k, i])
    for i in range(2):
        totals[i] = _total(scratch.totals[i])


@inline
def unpack(kind, sums, rows, columns, components, moments):
    """Fill in the moments from the sums of all blocks; products are those of features rows[i] and columns[i]."""
    n_components, n_features = moments.shift.shape
    for k in range(n_components):
        moments.counts[k] = sums[k, 0]
        for d in range(n_features):
            moments.shift[k, d] = sums[k, 1 + d]
    for m in range(moments.scatter.shape[0]):
        products = sums[n_components if kind == TIED else m, 1 + n_features :]
        if kind in (FULL, TIED):
            for i in range(len(rows)):
                moments.scatter[m, rows[i], columns[i]] = moments.scatter[m, columns[i], rows[i]] = products[i]
        else:
            for i in range(moments.scatter.shape[2]):
                moments.scatter[m, 0, i] = products[i]
    if kind == TIED:
        _move_to_means(components, moments)


@inline
def _move_to_means(components, moments):
    """Make the scatter about the origin one about the means.

    With m = mean_k - origin, r (x - origin)(x - origin)^T sums up to
    ``sum_k scatter_k + shift_k m^T + m shift_k^T + count_k m m^T``.
    """
    n_components, n_features = moments.shift.shape
    scatter = moments.scatter[0]
    for k in range(n_components):
        count, shift = moments.counts[k], moments.shift[k]
        for i in range(n_features):
            m = components.means[k, i] - components.origin[0, i]
            for j in range(n_features):
                o = components.means[k, j] - components.origin[0, j]
                scatter[i, j] -= shift[i] * o + m * (shift[j] + count * o)


@inline
def maximise(kind, moments, reg_covar, model, spare):
    """Replace the parameters by those of greatest expected likelihood; return whether covariances allow it.

    Where a mean moves millions of times as far as its rows spread, their scatter about the old mean says nothing of
    that spread: then the mean moves alone, which raises the likelihood, too (Meng & Rubin 1993), and the covariance is
    left to the next step.
    """
    n_components, n_features = model.means.shape
    for c in range(model.covariances.shape[0]):
        for i in range(model.covariances.shape[1]):
            for j in range(model.covariances.shape[2]):
                spare.before[c, i, j] = model.covariances[c, i, j]
    everything = 0.0
    for k in range(n_components):
        everything += moments.counts[k] + EPS
    if kind == TIED:
        for i in range(n_features):
            for j in range(n_features):
                model.covariances[0, i, j] = moments.scatter[0, i, j] / everything
    for k in range(n_components):
        n = moments.counts[k] + EPS
        model.weights[k] = n / everything
        if kind == FULL:
            _full_covariance(moments.scatter[k], moments.shift[k], n, model.covariances[k])
        elif kind == TIED:
            _subtract_move(moments.shift[k], n, n / everything, model.covariances[0])
        else:
            _variances(kind, moments.scatter[k, 0], moments.shift[k], n, model.covariances[k, 0])
        for d in range(n_features):
            model.means[k, d] += moments.shift[k, d] / n
    return _factorise(kind, reg_covar, moments, model, spare)


@inline
def _full_covariance(scatter, shift, n, covariance):
    """Fill in scatter / n - d d^T, with d = shift / n."""
    for i in range(len(shift)):
        for j in range(len(shift)):
            covariance[i, j] = scatter[i, j] / n
    _subtract_move(shift, n, 1.0, covariance)


@inline
def _subtract_move(shift, n, share, covariance):
    """Take share d d^T off a covariance, with d = shift / n."""
    for i in range(len(shift)):
        for j in range(len(shift)):
            covariance[i, j] -= share * (shift[i] / n) * (shift[j] / n)


@inline
def _variances(kind, scatter, shift, n, variances):
    """Fill in scatter / n - d^2, with d = shift / n; of spherical covariances the mean over features."""
    if kind == DIAG:
        for i in range(len(shift)):
            variances[i] = max(scatter[i] / n - (shift[i] / n) * (shift[i] / n), 0.0)
    else:
        squares = 0.0
        for i in range(len(shift)):
            squares += (shift[i] / n) * (shift[i] / n)
        variances[0] = max(scatter[0] / n - squares, 0.0) / len(shift)


@inline
def _factorise(kind, reg_covar, moments, model, spare):
    """Add `reg_covar` to the variances, and find the factors of the precisions; see `maximise` of what is too far."""
    moves = spare.moves
    for c in range(model.covariances.shape[0]):
        _find_moves(kind, moments, spare.before[c], c, moves)
        covariance, factor = model.covariances[c], model.factors[c]
        for i in range(covariance.shape[1]):
            covariance[i if kind in (FULL, TIED) else 0, i] += reg_covar
        if kind in (FULL, TIED):
            proper = _inverse_cholesky(covariance, moves, spare.root, factor)
        else:
            proper = _inverse_deviations(covariance[0], moves, factor[0])
        if not proper:
            if not _moved(moves):
                return False
            for i in range(covariance.shape[0]):
                for j in range(covariance.shape[1]):
                    covariance[i, j] = spare.before[c, i, j]
    return True


@inline
def _find_moves(kind, moments, before, c, moves):
    """Fill in the square of each feature's longest move, of the components of covariance c; 0 where none is far."""
    for d in range(len(moves)):
        row = d if kind in (FULL, TIED) else 0
        far = FAR * before[row, d if before.shape[1] > 1 else 0]
        moves[d] = 0.0
        for k in range(len(moments.counts)):
            if kind == TIED or k == c:
                move = moments.shift[k, d] / (moments.counts[k] + EPS)
                if move * move > far:
                    moves[d] = max(moves[d], move * move)


@inline
def _moved(moves):
    """Tell whether any is above 0: without `any`, for which even loading this would import Numba's array methods."""
    found = False
    for move in moves:
        found = found or move > 0.0
    return found


@inline
def _inverse_deviations(variances, moves, factor):
    """Fill in one over the standard deviations; return whether all are proper, without which nothing is filled in."""
    for i in range(len(moves)):
        v = variances[i if len(variances) > 1 else 0]
        if not (v > 0.0 and v > TOO_FAR * moves[i]):
            return False
    for i in range(len(variances)):
        factor[i] = 1.0 / math.sqrt(variances[i])
    return True


@inline
def _inverse_cholesky(covariance, moves, r, factor):
    """Fill in U = R^-1 with R upper triangular and R^T R the covariance.

    Return whether it is positive definite, and its pivots more than what is lost of them to the moves; else nothing is
    filled in.
    """
    n = len(covariance)
    for i in range(n):
        for j in range(n):
            r[i, j] = covariance[i, j]
    for j in range(n):
        if not (r[j, j] > 0.0 and r[j, j] > TOO_FAR * moves[j]):  # nor for NaN
            return False
        pivot = math.sqrt(r[j, j])
        r[j, j] = pivot
        for i in range(j + 1, n):
            r[j, i] /= pivot
        for i in range(j + 1, n):
            x = r[j, i]
            for m in range(i, n):
                r[i, m] -= x * r[j, m]
    for i in range(n - 1, -1, -1):
        for j in range(n):
            factor[i, j] = 0.0
        factor[i, i] = 1.0
        for j in range(i + 1, n):
            x = r[i, j]
            for m in range(j, n):
                factor[i, m] -= x * factor[j, m]
        for m in range(i, n):
            factor[i, m] /= r[i, i]
    return True
