"""A mixture whose parameters somebody knows: from another program, from a paper, from a model fitted elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, covariance_shape, precisions_cholesky
from bgsub.mixture.settings import CovarianceType

_SUM_OF_WEIGHTS = 1e-4  # a difference from 1 that four printed digits, or float32, may leave
_ASYMMETRY = 1e-5  # of a covariance, in units of the standard deviations


class FromParameters:
    """The way into `GaussianMixture` for parameters that were not fitted here."""

    if TYPE_CHECKING:  # the estimator has them
        from_mixture: Callable[..., Self]

        def _validate_params(self) -> None: ...
        def _named(self, names: Sequence[str] | None) -> Self: ...

    @classmethod
    def from_parameters(
        cls,
        weights: Any,
        means: Any,
        covariances: Any,
        *,
        covariance_type: CovarianceType | None = None,
        feature_names: Sequence[str] | None = None,
        **settings: Any,
    ) -> Self:
        """Return a fitted estimator of known parameters, float64.

        With ``warm_start=True`` `fit` goes on from them; `partial_fit` does in any case, and counts them as one call.

        Parameters
        ----------
        weights : array-like, shape (K,)
            From 0 up; they sum to 1, give or take 1e-4, and are made to do so.
        means : array-like, shape (K, D)
            Of the components.
        covariances : array-like, shape (K, D, D), (D, D), (K, D) or (K,)
            Symmetric and positive definite, or variances above 0.
        covariance_type : {'full', 'tied', 'diag', 'spherical'}, optional
            Needed only where the shape of `covariances` fits two types.
        feature_names : sequence of str, optional
            The columns' names.
        **settings
            Other parameters of the class, such as ``random_state=0``.

        Raises
        ------
        ParameterError
            When these are not the parameters of a mixture; it names what is wrong, and of which component.
        """
        parameters, kind = given_parameters(weights, means, covariances, covariance_type)
        names = _checked_names(feature_names, parameters.means.shape[1])
        model = cls.from_mixture(FittedMixture(parameters, kind), **settings)
        model._validate_params()
        return model._named(names)


def given_parameters(
    weights: Any, means: Any, covariances: Any, covariance_type: CovarianceType | None = None
) -> tuple[Parameters, CovarianceType]:
    """Return parameters that a caller gives as lists or arrays of numbers, checked, and the type of the covariances.

    Parameters
    ----------
    weights : array-like, shape (K,)
        From 0 up. They sum to 1, give or take 1e-4, and are made to do so.
    means : array-like, shape (K, D)
        Of the components.
    covariances : array-like, shape (K, D, D), (D, D), (K, D) or (K,)
        Symmetric and positive definite, or variances above 0.
    covariance_type : {"full", "tied", "diag", "spherical"}, optional
        What `covariances` are; needed where their shape leaves two types open.

    Raises
    ------
    ParameterError
        When arrays do not fit together, or one of them, or a component, is no part of a mixture.
    """
    means = _numbers(means, "means")
    if means.ndim != 2 or not means.size:
        raise ParameterError(f"means has the shape {means.shape}: give a row for each component, (K, D)")
    n_components, n_features = means.shape
    _check_components(means, "means", "the mean of component")
    weights = _checked_weights(_numbers(weights, "weights"), n_components)
    covariances = _numbers(covariances, "covariances")
    kind = _type_of(covariances.shape, n_components, n_features) if covariance_type is None else covariance_type
    if kind not in COVARIANCE_TYPES:
        raise ParameterError(f"covariance_type is {kind!r}: give one of {', '.join(COVARIANCE_TYPES)}")
    shape = covariance_shape(kind, n_components, n_features)
    if covariances.shape != shape:
        raise ParameterError(f"covariances has the shape {covariances.shape}: {kind} ones of these means have {shape}")
    if kind == "tied":
        covariances = _checked_matrix(covariances, "the covariance of all components")
    elif kind == "full":
        covariances = np.stack(
            [_checked_matrix(c, f"the covariance of component {k}") for k, c in enumerate(covariances)]
        )
    else:
        _check_components(covariances, "covariances", "the variance of component")
        low = covariances.reshape(n_components, -1).min(axis=1)
        if (low <= 0).any():
            k = int(np.flatnonzero(low <= 0)[0])
            raise ParameterError(f"a variance of component {k} is {low[k]:g}: variances are above 0")
    return Parameters(weights, means, covariances, precisions_cholesky(covariances, kind)), kind


def _numbers(values: Any, name: str) -> np.ndarray:
    """Return values as a float64 array of our own."""
    try:
        return np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise ParameterError(f"{name} is no array of numbers, or its rows differ in length: give one") from None


def _check_components(array: np.ndarray, name: str, what: str) -> None:
    bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
    if bad.size:
        raise ParameterError(f"{name} holds NaN or infinity: {what} {bad[0]} is no number")


def _checked_weights(weights: np.ndarray, n_components: int) -> np.ndarray:
    if weights.shape != (n_components,):
        raise ParameterError(f"weights has the shape {weights.shape}: means has {n_components} rows, give as many")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if bad.size:
        raise ParameterError(f"the weight of component {bad[0]} is {weights[bad[0]]:g}: weights lie between 0 and 1")
    total = weights.sum()
    if abs(total - 1.0) > _SUM_OF_WEIGHTS:
        raise ParameterError(f"weights sum to {total:.6g}: divide them by their sum, so that it is 1")
    return weights if total == 1.0 else weights / total


def _type_of(shape: tuple[int, ...], n_components: int, n_features: int) -> CovarianceType:
    """Return the only type that covariances of a shape can have."""
    of = {kind: covariance_shape(kind, n_components, n_features) for kind in COVARIANCE_TYPES}
    kinds = [kind for kind, its in of.items() if its == shape]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        raise ParameterError(
            f"covariances of the shape {shape} can be {' or '.join(kinds)}: say which, covariance_type="
        )
    listed = ", ".join(f"{its} ({kind})" for kind, its in of.items())
    raise ParameterError(f"covariances has the shape {shape}: with these means it can have {listed}")


def _checked_matrix(matrix: np.ndarray, what: str) -> np.ndarray:
    """Return a covariance, exactly symmetric."""
    if not np.isfinite(matrix).all():
        raise ParameterError(f"{what} holds NaN or infinity: give finite numbers")
    variances = np.diagonal(matrix)
    units = np.sqrt(np.abs(np.outer(variances, variances)))
    if (np.abs(matrix - matrix.T) > _ASYMMETRY * units).any():
        raise ParameterError(f"{what} is not symmetric: give a matrix that is its own transpose")
    symmetric = 0.5 * (matrix + matrix.T)
    try:
        np.linalg.cholesky(symmetric)
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(symmetric)[0]
        raise ParameterError(f"{what} is not positive definite: its smallest eigenvalue is {least:.3g}") from None
    return symmetric


def _checked_names(names: Sequence[str] | None, n_features: int) -> Sequence[str] | None:
    """Return the names of D features, all different, or None for None."""
    if names is None:
        return None
    names = [names] if isinstance(names, str) else list(names)
    if not all(isinstance(name, str) for name in names) or len(set(names)) != n_features or len(names) != n_features:
        raise ParameterError(
            f"feature_names is {names!r}: give {n_features} different names, one for each column of means"
        )
    return names
