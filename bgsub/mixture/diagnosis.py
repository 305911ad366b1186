"""What is doubtful about covariances, in words: constant columns, collapsed components, columns that depend on others.

A component has collapsed where its variance, in a column or in an oblique direction, is mostly `reg_covar`, or nothing
but rounding where `reg_covar` is 0: it lies on equal values, on too few rows, or on columns of which one follows from
the others. Its likelihood is then that of `reg_covar`, and no criterion can be compared with one of a sound fit.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgsub.errors import FitWarning, ParameterError
from bgsub.mixture.parameters import ILL_DEFINED, Parameters

NOT_CONVERGED = (
    "Best performing initialization did not converge. Try different init parameters, or increase max_iter, tol, or "
    "check for degenerate data."
)

_MOSTLY = 2.0  # times reg_covar: up to it, more than half of a variance is not the data's
_ROUNDING = 1e-24  # of the square of a column's size: a variance below it is rounding
_DEPENDENT = 1e-10  # eigenvalue of a correlation matrix below which columns follow from each other
_TAKES_PART = 0.02  # of the largest: what a column moves along a direction, in its standard deviations
_BETWEEN = (f"{Path(__file__).parents[1]}{os.sep}", f"{os.sep}sklearn{os.sep}")  # a user's line and the warning


class Collapse(NamedTuple):
    """Where a mixture has collapsed.

    Attributes
    ----------
    everywhere : tuple of int
        Columns whose variance is mostly `reg_covar` in every component.
    components : tuple of int
        Components that have collapsed, whatever the way, in other columns or in a direction.
    columns : tuple of int
        Columns, but for those above, whose variance is mostly `reg_covar` in some component.
    dependent : tuple of int
        Columns that take part in a direction, along none of them, in which the variance of a component is.
    short : tuple of int
        Components among these that have too few rows for a covariance matrix.
    """

    everywhere: tuple[int, ...]
    components: tuple[int, ...]
    columns: tuple[int, ...]
    dependent: tuple[int, ...]
    short: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.everywhere or self.components)

    @classmethod
    def none(cls) -> Collapse:
        """Return that nothing has collapsed."""
        return cls((), (), (), (), ())

    @property
    def involved(self) -> tuple[int, ...]:
        """All columns that take part."""
        return tuple(sorted({*self.everywhere, *self.columns, *self.dependent}))

    def where(self, names: Sequence[str] | None = None) -> str:
        """Return where the variance is mostly `reg_covar`: "in column 'b' and in a direction of ..."."""
        parts = [f"in every component for {in_order(self.everywhere, names)}"] * bool(self.everywhere)
        parts += [f"in {in_order(self.columns, names)}"] * bool(self.columns)
        parts += [f"in a direction of {in_order(self.dependent, names)}"] * bool(self.dependent)
        parts += ["with fewer rows than a covariance matrix needs"] * bool(self.short)
        return " and ".join(parts)

    def lines(self, names: Sequence[str] | None = None) -> list[str]:
        """Return what is wrong and what helps, a line a kind; `names` are those of the columns."""
        found = []
        everywhere, others = (
            self._replace(components=(), columns=(), dependent=(), short=()),
            self._replace(everywhere=()),
        )
        if everywhere:
            found.append(f"the variance is mostly reg_covar {everywhere.where(names)}: {everywhere.advice}")
        if others:
            one = len(self.components) == 1
            which = ", ".join(map(str, self.components[:20])) + (", ..." if len(self.components) > 20 else "")
            found.append(
                f"component{'' if one else 's'} {which} {'has' if one else 'have'} collapsed "
                f"(a variance that is mostly reg_covar, {others.where(names)}): {others.advice}"
            )
        return found

    def joined(self, other: Collapse) -> Collapse:
        """Return what has collapsed in this mixture or another of the same columns; components lose their meaning."""
        found = Collapse(*(tuple(sorted({*mine, *theirs})) for mine, theirs in zip(self, other, strict=True)))
        return found._replace(columns=tuple(column for column in found.columns if column not in found.everywhere))

    @property
    def advice(self) -> str:
        """What helps against it."""
        ways = ["drop such columns, scale the data or lower reg_covar"] * bool(self.everywhere)
        ways += ["leave out a column that follows from others"] * bool(self.dependent)
        ways += ["take fewer components or columns"] * bool(self.short)
        ways += ["take diagonal covariances"] * bool(self.dependent or self.short)
        ways += ["take fewer components or a larger reg_covar"] * bool(self.columns)
        return ", or ".join(ways)


def collapse_of(
    parameters: Parameters, covariance_type: str, reg_covar: float, n_rows: float | None = None
) -> Collapse:
    """Return where a mixture has collapsed; of a sound one the result is false.

    Parameters
    ----------
    parameters : Parameters
        Of K components over D features.
    covariance_type : {"full", "tied", "diag", "spherical"}
        What the covariances are.
    reg_covar : float
        What was added to every variance.
    n_rows : float, optional
        How many rows the mixture was fitted to: it tells columns that depend on others from rows that are too few.
    """
    n_features = parameters.means.shape[1]
    least = np.maximum(_MOSTLY * reg_covar, _ROUNDING * _squared_size(parameters, covariance_type))
    variances = _variances(parameters, covariance_type)  # (1 or K, 1 or D)
    flat: np.ndarray = np.less_equal(np.broadcast_to(variances, (len(variances), n_features)), least)
    everywhere = flat.all(axis=0)
    elsewhere = flat & ~everywhere
    collapsed: np.ndarray = np.logical_or.reduce(elsewhere, axis=1)
    rows_each = np.full(len(flat), np.inf)
    if n_rows is not None:
        rows_each = n_rows * (parameters.weights if covariance_type == "full" else np.ones(len(flat)))
    dependent, short = np.zeros(n_features, bool), np.zeros(len(flat), bool)
    oblique = covariance_type in ("full", "tied")
    matrices = parameters.covariances.reshape(-1, n_features, n_features) if oblique else np.empty((0, 0, 0))
    if oblique and (flat.any() or not _all_sound(matrices, reg_covar)):
        for k, matrix in enumerate(matrices):
            sound = np.flatnonzero(~flat[k])
            rest = matrix[np.ix_(sound, sound)]
            if rows_each[k] < n_features + 0.5:  # the mean takes one; which columns take part says nothing
                short[k] = len(sound) > 1 and not _all_sound(rest[None], reg_covar)
                collapsed[k] |= short[k]
                continue
            along = _dependent(rest, reg_covar)
            collapsed[k] |= along.any()
            dependent[sound[along]] = True
    found = (np.flatnonzero(a) for a in (everywhere, collapsed, elsewhere.any(axis=0), dependent, short))
    columns_flat, components, columns, taking_part, few = (tuple(a.tolist()) for a in found)
    if len(collapsed) < len(parameters.weights) and components:  # tied: what one has, all have
        components = tuple(range(len(parameters.weights)))
    return Collapse(columns_flat, components, columns, taking_part, few)


def _all_sound(matrices: np.ndarray, reg_covar: float) -> bool:
    """Return whether `_dependent` finds nothing in any of these covariances (K, d, d), which is quick to see."""
    deviations = np.sqrt(np.diagonal(matrices, axis1=1, axis2=2))
    correlations = matrices / (deviations[:, :, None] * deviations[:, None, :])
    places = np.arange(matrices.shape[1])
    correlations[:, places, places] -= np.maximum(_MOSTLY * reg_covar / deviations**2, _DEPENDENT)
    try:
        np.linalg.cholesky(correlations)
    except np.linalg.LinAlgError:
        return False
    return True


def _dependent(matrix: np.ndarray, reg_covar: float) -> np.ndarray:
    """Return which columns take part in directions of a covariance (d, d) with hardly any variance, bool (d,).

    In standard deviations, c = s z, the covariance C of z is a correlation matrix. A direction w of z is flat where
    w^T C w <= w^T B w, with B = diag(2 reg_covar / s^2), or the rounding of C where that is more.
    """
    if len(matrix) < 2:
        return np.zeros(len(matrix), bool)
    deviations = np.sqrt(np.diagonal(matrix))
    correlation = matrix / deviations[:, None] / deviations
    least = np.maximum(_MOSTLY * reg_covar / deviations**2, _DEPENDENT)
    scale = 1.0 / np.sqrt(least)
    values, vectors = np.linalg.eigh(scale[:, None] * correlation * scale)
    directions = np.abs(scale[:, None] * vectors[:, values <= 1.0])
    if not directions.shape[1]:
        return np.zeros(len(matrix), bool)
    return (directions >= _TAKES_PART * directions.max(axis=0)).any(axis=1)


def _squared_size(parameters: Parameters, covariance_type: str) -> np.ndarray:
    """Return the mean square of each column's values (D,): what rounding is measured by."""
    weights, means = parameters.weights, parameters.means
    variances = _variances(parameters, covariance_type)
    return weights @ (np.broadcast_to(variances, means.shape) + means**2)


def _variances(parameters: Parameters, covariance_type: str) -> np.ndarray:
    """Return variances of shape (K, D), or of the shape that tied and spherical covariances have, (1, D) and (K, 1)."""
    covariances = parameters.covariances
    if covariance_type == "full":
        return np.diagonal(covariances, axis1=1, axis2=2)
    if covariance_type == "tied":
        return np.diagonal(covariances)[None, :]
    return covariances if covariance_type == "diag" else covariances[:, None]


def in_words(
    error: ValueError,
    ranges: Callable[[], np.ndarray | None],
    names: Sequence[str] | None,
    rows: Callable[[], np.ndarray] | None = None,
) -> ValueError:
    """Return the error of a covariance that is not positive definite as one that names columns; others as they are.

    Parameters
    ----------
    error : ValueError
        What a fit raised.
    ranges : callable
        Returns the difference of each column's highest and lowest value, or None; only called where it helps.
    names : sequence of str, optional
        The columns' names.
    rows : callable, optional
        Returns some rows (n, D), which tell whether a column follows from others; only called where it helps.

    Returns
    -------
    ValueError
        A ParameterError whose text begins as scikit-learn's, or `error`.
    """
    if isinstance(error, ParameterError) or not str(error).startswith(ILL_DEFINED):
        return error
    found = ranges()
    constant = np.empty(0, dtype=int) if found is None else np.flatnonzero(found == 0)
    if len(constant):
        return ParameterError(f"{ILL_DEFINED} Constant: {in_order(constant, names)}.")
    dependent = np.empty(0, dtype=int) if rows is None else _dependent_columns(rows())
    if len(dependent):
        return ParameterError(
            f"{ILL_DEFINED} Of {in_order(dependent, names)} one follows from the others: leave it out."
        )
    return ParameterError(ILL_DEFINED)


def _dependent_columns(rows: np.ndarray) -> np.ndarray:
    """Return the columns of some rows of which one follows from the others, for all rows alike."""
    rows = rows[np.isfinite(rows).all(axis=1)].astype(np.float64)
    if len(rows) <= rows.shape[1] or not np.ptp(rows, axis=0).all():
        return np.empty(0, dtype=int)
    return np.flatnonzero(_dependent(np.cov((rows - rows.mean(axis=0)).T).reshape(rows.shape[1], -1), 0.0))


def tell_of_collapse(
    parameters: Parameters,
    covariance_type: str,
    reg_covar: float,
    names: Sequence[str] | None,
    tell: Callable[[str], None] | None = None,
    n_rows: float | None = None,
) -> None:
    """Tell, a line a kind, where a mixture has collapsed: by default as a `FitWarning`.

    Parameters
    ----------
    parameters, covariance_type, reg_covar, n_rows
        As of `collapse_of`.
    names : sequence of str or None
        The columns' names.
    tell : callable, optional
        Called with each line.
    """
    for line in collapse_of(parameters, covariance_type, reg_covar, n_rows).lines(names):
        (tell or warn)(line)


def warn(text: str) -> None:
    """Issue a `FitWarning` that points at the line which called into bgsub."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and any(place in frame.f_code.co_filename for place in _BETWEEN):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, FitWarning, stacklevel=level + 1)


def in_order(indices: Sequence[int] | np.ndarray, names: Sequence[str] | None) -> str:
    """Return columns in words, by their names where they have some: ``columns 'a', 'b'``."""
    shown = [str(i) if names is None else repr(str(names[i])) for i in indices[:5]]
    more = f" and {len(indices) - 5} more" if len(indices) > 5 else ""
    return f"column{'s' if len(indices) > 1 else ''} {', '.join(shown)}{more}"
