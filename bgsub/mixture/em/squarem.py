"""SQUAREM: the same likelihood in fewer passes over the data.

Squared extrapolation of a fixed-point map (Varadhan & Roland 2008, Scand. J. Statist. 35, scheme S3): from two
EM steps r = F(t) - t and v = F(F(t)) - F(t) - r it leaps to t - 2 a r + a^2 v with a = -|r|/|v|, and takes an EM
step from there. A leap to a lower likelihood is undone, so the likelihood never falls, as with plain EM.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from bgsub.mixture.em.rules import EMResult, OnStep, Rules
from bgsub.mixture.parameters import Parameters, precisions_cholesky

_FIRST_LONGEST_LEAP = 4.0
_LEAP_GROWTH = 4.0  # the longest leap grows when a leap that long succeeds, and shrinks when one fails
_LARGEST_EXPONENT = 300.0  # of weights and variances while leaping: e^300 is far beyond any data, and finite


Step = Callable[[Parameters], tuple[Parameters, float]]
"""One EM step: from parameters to those after the M step, and the lower bound of the ones given."""


def squarem(step: Step, parameters: Parameters, rules: Rules, on_step: OnStep | None = None) -> EMResult:
    """Run EM with squared extrapolation.

    Parameters
    ----------
    step : callable
        One EM step.
    parameters : Parameters
        Where to start.
    rules : Rules
        How to iterate. The end is where a plain EM step gains less than `tol`, scikit-learn's rule, and the last leap
        changed the likelihood by less, too: where leaps still matter, EM would creep on. `max_iter` counts passes over
        the data.
    on_step : callable, optional
        Called with the number of each pass and its lower bound.

    Returns
    -------
    EMResult
        Its lower bounds, one a pass, repeat the best so far where a leap was undone.
    """
    run = _Run(step, rules, on_step)
    longest = _FIRST_LONGEST_LEAP
    here = parameters
    while True:
        first = run.plain(here)
        second = run.plain(first) if not run.over else first
        if run.over:
            return EMResult(second, run.lower_bounds, run.converged)
        leap = _Leap(here, first, second, rules.covariance_type, longest)
        if leap.length == 1.0:  # as far as the two EM steps themselves
            here, run.leap_change = second, 0.0
            longest = max(longest, _FIRST_LONGEST_LEAP)
            continue
        landed = run.leapt(leap.target())
        if landed is None:
            here, longest = second, max(1.0, longest / _LEAP_GROWTH)
        else:
            here = landed
            if leap.length == longest:
                longest *= _LEAP_GROWTH
        if run.over:
            return EMResult(here, run.lower_bounds, run.converged)


class _Run:
    """The passes so far and whether they end."""

    def __init__(self, step: Step, rules: Rules, on_step: OnStep | None) -> None:
        self._step = step
        self._tol, self._max_iter, self._last = rules.tol, rules.max_iter, rules.lower_bound
        self.leap_change = 0.0  # of the lower bound by the last leap, undone or not
        self._on_step = on_step
        self.lower_bounds: list[float] = []
        self.converged = False

    @property
    def over(self) -> bool:
        return self.converged or len(self.lower_bounds) >= self._max_iter

    def plain(self, parameters: Parameters) -> Parameters:
        """Step from parameters that an EM step led to: the gain tells whether to end."""
        if self.over:
            return parameters
        following, bound = self._step(parameters)
        self.converged = abs(bound - self._last) < self._tol and self.leap_change < self._tol
        self._note(bound)
        return following

    def leapt(self, parameters: Parameters | None) -> Parameters | None:
        """Step from where a leap led to, or return None if it must be undone."""
        if parameters is None:
            return None
        try:
            following, bound = self._step(parameters)
        except ValueError:  # a covariance that is no longer positive definite
            following, bound = parameters, -math.inf
        self.leap_change = abs(bound - self._last)
        if bound >= self._last:
            self._note(bound)
            return following
        self._note(self._last)
        return None

    def _note(self, bound: float) -> None:
        self._last = bound
        self.lower_bounds.append(bound)
        if self._on_step is not None:
            self._on_step(len(self.lower_bounds), bound)


class _Leap:
    """An extrapolation from three successive parameters, in coordinates in which every point is a mixture.

    These are log-weights, means in units of the starting standard deviations, and Cholesky factors of the covariances
    with the logarithm of their diagonals.
    """

    def __init__(
        self, start: Parameters, first: Parameters, second: Parameters, covariance_type: str, longest: float
    ) -> None:
        self._type = covariance_type
        self._shape = start.means.shape
        self._origin = start.means  # far from 0 nothing cancels
        self._scale = _deviations(start, covariance_type)
        points = [self._packed(parameters) for parameters in (start, first, second)]
        self._start = points[0]
        self._r = points[1] - points[0]
        self._v = points[2] - points[1] - self._r
        curvature = float(np.linalg.norm(self._v))
        length = float(np.linalg.norm(self._r)) / curvature if curvature > 0 else 1.0
        self.length = min(max(length, 1.0), longest)

    def target(self) -> Parameters | None:
        """Return the parameters there, or None where they are not those of a mixture."""
        a = -self.length
        return self._unpacked(self._start - 2.0 * a * self._r + a * a * self._v)

    def _packed(self, parameters: Parameters) -> np.ndarray:
        with np.errstate(divide="ignore"):
            log_weights = np.maximum(np.log(parameters.weights), -_LARGEST_EXPONENT)
        return np.concatenate(
            [
                log_weights,
                ((parameters.means - self._origin) / self._scale).ravel(),
                _packed_covariances(parameters.covariances, self._type).ravel(),
            ]
        )

    def _unpacked(self, point: np.ndarray) -> Parameters | None:
        n_components, n_features = self._shape
        weights = np.exp(point[:n_components] - point[:n_components].max())
        weights /= weights.sum()
        end = n_components + n_components * n_features
        means = point[n_components:end].reshape(self._shape) * self._scale + self._origin
        covariances = _unpacked_covariances(point[end:], self._shape, self._type)
        if not (np.isfinite(means).all() and np.isfinite(covariances).all()):
            return None
        try:
            return Parameters(weights, means, covariances, precisions_cholesky(covariances, self._type))
        except ValueError:
            return None


def _deviations(parameters: Parameters, covariance_type: str) -> np.ndarray:
    """Return a standard deviation a feature, shape (D,) or (1,), of the components on average."""
    covariances = parameters.covariances
    if covariance_type == "spherical":
        variances = np.atleast_1d(parameters.weights @ covariances)
    elif covariance_type == "tied":
        variances = np.diagonal(covariances)
    else:
        each = covariances if covariance_type == "diag" else np.diagonal(covariances, axis1=1, axis2=2)
        variances = parameters.weights @ each
    return np.sqrt(variances)


def _packed_covariances(covariances: np.ndarray, covariance_type: str) -> np.ndarray:
    """Return half the log-variances, or the Cholesky factors with logarithms on the diagonal."""
    if covariance_type in ("diag", "spherical"):
        return 0.5 * np.log(covariances)
    factors = np.linalg.cholesky(covariances)
    diagonal = np.arange(factors.shape[-1])
    factors[..., diagonal, diagonal] = np.log(factors[..., diagonal, diagonal])
    return factors


def _unpacked_covariances(packed: np.ndarray, shape: tuple[int, ...], covariance_type: str) -> np.ndarray:
    """Return the covariances that `_packed_covariances` made `packed` of."""
    n_components, n_features = shape
    if covariance_type in ("diag", "spherical"):
        variances = np.exp(np.clip(2.0 * packed, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
        return variances.reshape(shape if covariance_type == "diag" else n_components)
    factors = packed.reshape((n_components if covariance_type == "full" else 1, n_features, n_features)).copy()
    diagonal = np.arange(n_features)
    factors[:, diagonal, diagonal] = np.exp(
        np.clip(factors[:, diagonal, diagonal], -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    )
    covariances = factors @ np.swapaxes(factors, 1, 2)
    return covariances if covariance_type == "full" else covariances[0]
