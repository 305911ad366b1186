"""Why covariances are singular, in words: constant columns, collapsed components."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.parameters import ILL_DEFINED, Parameters

NOT_CONVERGED = (
    "Best performing initialization did not converge. Try different init parameters, or increase max_iter, tol, or "
    "check for degenerate data."
)
_log = logging.getLogger(__name__)


def in_words(error: ValueError, ranges: Callable[[], np.ndarray | None], names: Sequence[str] | None) -> ValueError:
    """Return the error of a covariance that is not positive definite as one that names constant columns; others as is.

    Parameters
    ----------
    error : ValueError
        What a fit raised.
    ranges : callable
        Returns the difference of each column's highest and lowest value, or None; only called where it helps.
    names : sequence of str, optional
        The columns' names.

    Returns
    -------
    ValueError
        A ParameterError whose text begins as scikit-learn's, or `error`.
    """
    if isinstance(error, ParameterError) or not str(error).startswith(ILL_DEFINED):
        return error
    found = ranges()
    constant = np.empty(0, dtype=int) if found is None else np.flatnonzero(found == 0)
    return ParameterError(ILL_DEFINED + (f" Constant: {_columns(constant, names)}." if len(constant) else ""))


def tell_of_collapse(
    parameters: Parameters, covariance_type: str, reg_covar: float, names: Sequence[str] | None
) -> None:
    """Log a warning where `reg_covar` is more than half of a variance: it then hides what the data say."""
    variances = _variances(parameters, covariance_type)
    collapsed = variances <= 2.0 * reg_covar
    everywhere = np.flatnonzero(collapsed.all(axis=0))
    elsewhere = np.delete(collapsed, everywhere, axis=1)
    advice = "drop such columns, scale the data or lower reg_covar"
    if everywhere.size:
        _log.warning(
            "the variance is mostly reg_covar in every component for %s: %s", _columns(everywhere, names), advice
        )
    components = np.flatnonzero(elsewhere.any(axis=1))
    if components.size:
        _log.warning(
            "components %s have collapsed (a variance that is mostly reg_covar): take fewer components or a larger "
            "reg_covar",
            ", ".join(map(str, components)),
        )


def _variances(parameters: Parameters, covariance_type: str) -> np.ndarray:
    """Return variances of shape (K, D), or of the shape that tied and spherical covariances have, (1, D) and (K, 1)."""
    covariances = parameters.covariances
    if covariance_type == "full":
        return np.diagonal(covariances, axis1=1, axis2=2)
    if covariance_type == "tied":
        return np.diagonal(covariances)[None, :]
    return covariances if covariance_type == "diag" else covariances[:, None]


def _columns(indices: Sequence[int] | np.ndarray, names: Sequence[str] | None) -> str:
    shown = [str(i) if names is None else f"{i} ({names[i]!r})" for i in indices[:5]]
    more = f" and {len(indices) - 5} more" if len(indices) > 5 else ""
    return f"column{'s' if len(indices) > 1 else ''} {', '.join(shown)}{more}"
