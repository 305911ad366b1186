"""What a fitted estimator says of features when others are known, or of some features alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted

from bgsub.errors import ParameterError
from bgsub.mixture.column_names import column_names, in_order_of
from bgsub.mixture.conditioning import conditional, known_features, known_values, marginal, regression
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.input_checks import check_features, check_finite
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.scikit_learn import rows_of


class PartlyKnown:
    """The methods of `GaussianMixture` that are about some of its features."""

    if TYPE_CHECKING:  # the estimator has them
        covariance_type: Any
        n_features_in_: int
        missing: Any
        random_state: Any
        threads: int | None

        def fitted_mixture(self) -> FittedMixture:  # noqa: D102 (the estimator's says it)
            ...

        def _parameters(self) -> Parameters: ...
        def _names(self) -> Sequence[str] | None: ...
        def _derived(self, parameters: Parameters, features: np.ndarray) -> Self: ...

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = self.missing == "em"
        return tags

    def impute(self, X: Any, n_imputations: int | None = None, random_state: Any = None) -> np.ndarray:
        """Return rows of which the gaps, NaN, are filled in, given what is observed of each row.

        Parameters
        ----------
        X : array-like, shape (N, D)
            The rows, whatever `missing` is.
        n_imputations : int, optional
            None fills in expectations, E[missing | observed]: the best single guess. A number gives as many tables of
            draws, which keep the spread that a guess loses. They do not tell how sure the parameters are.
        random_state : int, RandomState or None
            Where draws come from; None is the model's own.

        Returns
        -------
        ndarray, shape (N, D) or (n_imputations, N, D), float32 or float64 as `X`
            Observed values are the same bits. A row that holds nothing gets the mixture's mean, or a draw of it.
        """
        X = rows_of(self, X, "em")
        random = check_random_state(self.random_state if random_state is None else random_state)
        return self.fitted_mixture().impute(X, n_imputations, random, threads=self.threads)

    def marginal(self, features: Any) -> Self:
        """Return the mixture of some features, given by index or name, alone or in a list, and in its order."""
        check_is_fitted(self)
        indices = check_features(features, self._names(), self.n_features_in_, "features")
        return self._derived(marginal(self._parameters(), self.covariance_type, indices), indices)

    def conditional(self, given: Mapping[Any, float]) -> Self:
        """Return the mixture of the other features, in their order, where some are known.

        `given` maps a known feature's index or name to its value: ``model.conditional({"income": 40_000})``. The
        weights of the result tell how probable each component is given the values.
        """
        check_is_fitted(self)
        known, values = known_values(given, self._names(), self.n_features_in_)
        unknown = np.setdiff1d(np.arange(self.n_features_in_), known)
        return self._derived(conditional(self._parameters(), self.covariance_type, known, values), unknown)

    def regress(self, X: Any, given: Any = None, *, return_cov: bool = False) -> Any:
        """Return the expectation of the other features for rows of known ones: Gaussian mixture regression.

        Parameters
        ----------
        X : array-like, shape (N, number of known features)
            Their values. Where columns have names, as in a data frame or an Arrow table, and the mixture learned
            names, columns are found by name, in any order; else by their place.
        given : index, name, or list of these, optional
            Which features the columns of `X` are; None for those of its columns' names.
        return_cov : bool
            Whether to return the covariances, too.

        Returns
        -------
        float64 ndarray (N, D_unknown), or a pair of that and one of shape (N, D_unknown, D_unknown)
            E[unknown | known], in the features' order, and Cov[unknown | known].

        Raises
        ------
        ParameterError
            When `X` has other columns than `given` says, or these are not some of the features.
        """
        check_is_fitted(self)
        names, found = self._names(), column_names(X)
        if given is None:
            if found is None:
                raise ParameterError("X has no names of columns: say with given which features its columns are")
            given = found
        indices = known_features(given, names, self.n_features_in_)
        order: Any = slice(None)
        if found is not None and names is not None:
            order = in_order_of([names[i] for i in indices], found)
        values = check_array(X, dtype=np.float64, ensure_all_finite=False)[:, order]
        check_finite(values, None if names is None else [names[i] for i in indices])
        result = regression(self._parameters(), self.covariance_type, indices, values)
        return (result.mean, result.covariance) if return_cov else result.mean
