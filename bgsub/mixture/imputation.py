"""Gaps filled in by a mixture of known parameters: by what it expects of them, or by draws.

Given what is observed of a row, its missing features have a mixture of Gaussians for distribution (see `conditioning`).
Its mean is the best single guess. Draws keep what a guess loses, the spread: several tables of draws, each analysed by
itself, show how much of a result hangs on what is not known (Rubin 1987). They are draws at the fitted parameters,
whose own uncertainty they leave out.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.kernels import gaps
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.missing import empty_work, is_diagonal, lanes_of
from bgsub.threads import Crew, usable_threads

_TOGETHER, _BLOCK = 1 << 16, 1 << 11  # rows that are copied together, and that a thread fills in


def expected(X: np.ndarray, parameters: Parameters, covariance_type: str, *, threads: int | None = None) -> np.ndarray:
    """Return rows with the expectation of what is missing in its place, given what is observed of each.

    Parameters
    ----------
    X : ndarray of float64 or float32, shape (N, D)
        Rows of finite numbers and NaN.
    parameters : Parameters
        Of the mixture.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of `parameters`.
    threads : int, optional
        None for all processors; the result does not depend on it.

    Returns
    -------
    ndarray of the shape and type of X
        A copy; observed values are the same bits. A row of which nothing is observed gets the mixture's mean.
    """
    filled = np.array(X)
    _fill(X, filled, parameters, covariance_type, None, threads)
    return filled


def drawn(
    X: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    n_imputations: int,
    random: np.random.RandomState,
    *,
    threads: int | None = None,
) -> np.ndarray:
    """Return tables in which what is missing was drawn, given what is observed of each row.

    Parameters
    ----------
    X, parameters, covariance_type, threads
        As of `expected`.
    n_imputations : int
        How many tables, at least 1.
    random : RandomState
        Where draws come from.

    Returns
    -------
    ndarray of the type of X, shape (n_imputations, N, D)

    Raises
    ------
    ParameterError
        When no table is asked for.
    """
    if n_imputations < 1:
        raise ParameterError(f"n_imputations is {n_imputations}: give 1 or more, or None for expectations")
    tables = np.repeat(X[None], n_imputations, axis=0)
    for filled in tables:
        _fill(X, filled, parameters, covariance_type, random, threads)
    return tables


def _fill(
    X: np.ndarray,
    filled: np.ndarray,
    parameters: Parameters,
    covariance_type: str,
    random: np.random.RandomState | None,
    threads: int | None,
) -> None:
    """Fill in the gaps, which X has, in `filled`."""
    lanes = lanes_of(parameters, covariance_type)
    for start in range(0, len(X), _TOGETHER):  # draws do not depend on the number of threads
        lacking = start + np.flatnonzero(np.isnan(X[start : start + _TOGETHER]).any(axis=1))
        if len(lacking):
            rows = np.ascontiguousarray(X[lacking], np.float64)
            dice = NO_DICE if random is None else _Dice(random.uniform(size=len(rows)), random.normal(size=rows.shape))
            found = _filled(rows, lanes, parameters.means.shape, is_diagonal(covariance_type), dice, threads)
            filled[lacking] = np.where(np.isnan(rows), found, X[lacking])


class _Dice(NamedTuple):
    """What decides over draws, or nothing."""

    chance: np.ndarray  # (n,), from 0 to 1
    noise: np.ndarray  # (n, D), standard normal


NO_DICE = _Dice(np.empty(0), np.empty((0, 0)))


def _filled(
    rows: np.ndarray, lanes: gaps.Lanes, shape: tuple[int, ...], diagonal: bool, dice: _Dice, threads: int | None
) -> np.ndarray:
    """Return rows, all of which have gaps, filled in."""
    out = rows.copy()
    n_components, n_features = shape

    def do_block(i: int, work: gaps.Work) -> None:
        stop = min((i + 1) * _BLOCK, len(rows))
        gaps.fill_rows(rows, i * _BLOCK, stop, diagonal, n_components, lanes, work, *dice, out)

    most, n_blocks = int(np.isnan(rows).sum(axis=1).max()), -(-len(rows) // _BLOCK)
    n_threads = min(usable_threads(threads), n_blocks)
    with contextlib.closing(Crew([empty_work(n_components, n_features, most) for _ in range(n_threads)])) as crew:
        crew.run(do_block, n_blocks)
    return out
