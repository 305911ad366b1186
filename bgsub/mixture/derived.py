"""Mixtures made from a fitted one: marginals, conditionals, copies in files and in scikit-learn's class."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from bgsub.errors import ParameterError
from bgsub.mixture.conditioning import conditional, marginal, regression
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.input_checks import check_features, check_finite
from bgsub.mixture.model_files import load_mixture, save_mixture
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.reading import ReadingMixture

if TYPE_CHECKING:
    import sklearn.mixture

_SHARED_ATTRIBUTES = (
    "weights_",
    "means_",
    "covariances_",
    "precisions_",
    "precisions_cholesky_",
    "converged_",
    "n_iter_",
    "lower_bound_",
    "lower_bounds_",
    "n_features_in_",
    "feature_names_in_",
)


class DerivedMixtures(ReadingMixture):
    """The part of `GaussianMixture` that makes mixtures from a fitted one."""

    n_batches_: int

    def marginal(self, features: Any) -> Self:
        """Return the mixture of some of the features.

        Parameters
        ----------
        features : index, name, or list of these
            The features to keep, in the order in which the result has them.

        Returns
        -------
        GaussianMixture
            Fitted, with as many components.
        """
        check_is_fitted(self)
        indices = check_features(features, self._names(), self.n_features_in_, "features")
        return self._derived(marginal(self._parameters(), self.covariance_type, indices), indices)

    def conditional(self, given: Mapping[Any, float]) -> Self:
        """Return the mixture of the other features where some are known.

        Parameters
        ----------
        given : mapping
            From the index or name of a known feature to its value: ``model.conditional({"income": 40_000})``.

        Returns
        -------
        GaussianMixture
            Fitted, over the features that are not in `given`, in their order; its weights tell how probable each
            component is given the values.
        """
        check_is_fitted(self)
        indices = self._known(list(given), "given")
        values = np.array([float(value) for value in given.values()])
        if not np.isfinite(values).all():
            raise ParameterError("given holds NaN or infinity: leave unknown features out")
        unknown = np.setdiff1d(np.arange(self.n_features_in_), indices)
        return self._derived(conditional(self._parameters(), self.covariance_type, indices, values), unknown)

    def regress(self, X: Any, given: Any, *, return_cov: bool = False) -> Any:
        """Return the expectation of the other features for rows of known ones: Gaussian mixture regression.

        Parameters
        ----------
        X : array-like, shape (N, number of known features)
            Their values.
        given : index, name, or list of these
            Which features the columns of `X` are.
        return_cov : bool
            Whether to return the covariances, too.

        Returns
        -------
        mean : float64 ndarray, shape (N, D_unknown)
            E[unknown | known], in the features' order.
        covariance : float64 ndarray, shape (N, D_unknown, D_unknown)
            Only with `return_cov`: Cov[unknown | known].
        """
        check_is_fitted(self)
        indices = self._known(given, "given")
        values = check_array(X, dtype=np.float64, ensure_all_finite=False)
        check_finite(values)
        if values.shape[1] != len(indices):
            raise ParameterError(f"X has {values.shape[1]} columns where given names {len(indices)}: give one each")
        result = regression(self._parameters(), self.covariance_type, indices, values)
        return (result.mean, result.covariance) if return_cov else result.mean

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a file, whole or not at all; an existing one is replaced.

        Raises
        ------
        OutputError
            When the file cannot be written.
        """
        check_is_fitted(self)
        save_mixture(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the model of a file written by `save`; files hold no code, so any file is safe to load.

        Raises
        ------
        ModelFileError
            When the file is missing, truncated, altered, of another kind or of another version.
        """
        return load_mixture(cls, path)

    @classmethod
    def from_sklearn(cls, model: sklearn.mixture.GaussianMixture) -> Self:
        """Return a copy of scikit-learn's estimator, fitted if that is."""
        copy = cls(**model.get_params(deep=False))
        _copy_attributes(model, copy)
        if hasattr(copy, "means_"):
            copy.n_batches_ = 1
        return copy

    def to_sklearn(self) -> sklearn.mixture.GaussianMixture:
        """Return a copy of the class `sklearn.mixture.GaussianMixture`, fitted if this is."""
        from sklearn.mixture import GaussianMixture

        names = GaussianMixture().get_params(deep=False)
        copy = GaussianMixture(**{name: value for name, value in self.get_params(deep=False).items() if name in names})
        _copy_attributes(self, copy)
        return copy

    def fitted_mixture(self) -> FittedMixture:
        """Return the fitted parameters as a plain mixture, float64, which knows nothing of scikit-learn."""
        check_is_fitted(self)
        return FittedMixture(self._parameters(), self.covariance_type)

    @classmethod
    def from_mixture(cls, mixture: FittedMixture, **settings: Any) -> Self:
        """Return an estimator whose fitted attributes are the parameters of `mixture`; others as if after `fit`.

        Parameters
        ----------
        mixture : FittedMixture
            Any.
        **settings
            The estimator's other parameters, such as ``threads=2``.
        """
        return cls._of(mixture.parameters, mixture.covariance_type, **settings)

    def reorder(self, order: Any) -> None:
        """Put the components in another order, int of shape (K,): component ``order[k]`` becomes number k."""
        check_is_fitted(self)
        order = np.asarray(order)
        names = ["weights_", "means_"]
        if self.covariance_type != "tied":  # else there is one for all
            names += ["covariances_", "precisions_", "precisions_cholesky_"]
        for name in names:
            setattr(self, name, getattr(self, name)[order])

    @classmethod
    def _of(cls, parameters: Parameters, covariance_type: str, **others: Any) -> Self:
        """Return a fitted mixture of these parameters."""
        model = cls(n_components=len(parameters.weights), covariance_type=covariance_type, **others)
        model._set_parameters(parameters)
        model.n_features_in_ = parameters.means.shape[1]
        model.converged_, model.n_iter_, model.n_batches_ = True, 0, 1
        model.lower_bound_, model.lower_bounds_ = -np.inf, []
        return model

    def _derived(self, parameters: Parameters, features: np.ndarray) -> Self:
        """Return a mixture of these parameters over some of this one's features."""
        others = {"random_state": self.random_state, "reg_covar": self.reg_covar, "threads": self.threads}
        model = self._of(parameters, self.covariance_type, **others)
        names = self._names()
        if names is not None:
            model.feature_names_in_ = np.asarray(names, dtype=object)[features]
        return model

    def _known(self, given: Any, argument: str) -> np.ndarray:
        """Return the indices of features that are given, of which one at least is not."""
        indices = check_features(given, self._names(), self.n_features_in_, argument)
        if len(indices) == self.n_features_in_:
            raise ParameterError(f"{argument} holds every feature: leave out at least one")
        return indices


def _copy_attributes(source: Any, target: Any) -> None:
    for name in _SHARED_ATTRIBUTES:
        if hasattr(source, name):
            value = getattr(source, name)
            setattr(target, name, value.copy() if isinstance(value, (np.ndarray, list)) else value)
