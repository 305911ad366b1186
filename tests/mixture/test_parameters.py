"""Parameters as plain arrays: factors of precisions, and how many numbers are free."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from bgsub.mixture.parameters import COVARIANCE_TYPES, n_parameters, precisions_cholesky
from tests.mixture.samples import blobs


@pytest.mark.parametrize("shape", [(2, 2), (3, 4, 4), (2, 1, 1), (1, 20, 20)])
def test_a_factor_times_its_transpose_is_the_precision(shape):
    a = np.random.default_rng(0).normal(size=shape)
    covariances = a @ np.swapaxes(a, -1, -2) + np.eye(shape[-1])
    factors = precisions_cholesky(covariances, "full" if len(shape) == 3 else "tied")
    assert factors.flags.c_contiguous
    np.testing.assert_array_equal(factors, np.triu(factors))
    np.testing.assert_allclose(
        factors @ np.swapaxes(factors, -1, -2) @ covariances, np.eye(shape[-1]) + 0 * a, atol=1e-9
    )


@pytest.mark.parametrize("covariance_type", ["diag", "spherical"])
def test_without_correlation_a_factor_is_one_over_the_standard_deviation(covariance_type):
    covariances = np.array([4.0, 0.25]) if covariance_type == "spherical" else np.array([[4.0, 0.25], [1.0, 16.0]])
    np.testing.assert_array_equal(precisions_cholesky(covariances, covariance_type), 1 / np.sqrt(covariances))


@pytest.mark.parametrize(
    ("covariances", "covariance_type"),
    [
        (np.array([np.eye(2), [[1.0, 1.0], [1.0, 1.0]]]), "full"),
        (np.full((2, 2), np.nan), "tied"),
        (np.array([[1.0, 0.0]]), "diag"),
        (np.array([1.0, -1.0]), "spherical"),
        (np.array([1.0, np.nan]), "spherical"),
    ],
)
def test_covariances_that_are_not_positive_definite_are_refused(covariances, covariance_type):
    with pytest.raises(
        ValueError, match=r"ill-defined empirical covariance .* Try to decrease the number of components"
    ):
        precisions_cholesky(covariances, covariance_type)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_as_many_free_parameters_as_scikit_learn_counts(covariance_type):
    X = blobs(50, n_features=3)[0]
    model = GaussianMixture(2, covariance_type=covariance_type, max_iter=1, tol=100).fit(X)
    assert n_parameters(2, 3, covariance_type) == model._n_parameters()


def test_in_one_dimension_all_types_but_tied_have_as_many():
    assert {n_parameters(5, 1, t) for t in ("full", "diag", "spherical")} == {5 + 5 + 4}
    assert n_parameters(5, 1, "tied") == 1 + 5 + 4
