"""The M step against the naive one, and what it does with clusters that have collapsed."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.mixture.parameters import COVARIANCE_TYPES, precisions_cholesky
from bgsub.mixture.passes.cpu import expectation
from bgsub.mixture.passes.statistics import maximisation
from bgsub.mixture.passes.wide_step import wide_maximisation
from tests.mixture.samples import blobs
from tests.mixture.starts import some_parameters
from tests.naive import naive_e_step, naive_m_step


@pytest.mark.parametrize("n_features", [1, 3, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_parameters_are_the_naive_ones(covariance_type, n_features):
    X = blobs(150, n_features)[0]
    w = np.random.default_rng(1).random(150)
    old = some_parameters(X, 3, covariance_type)
    kept = [array.copy() for array in old]
    new = maximisation(expectation(X, old, covariance_type, sample_weight=w), old, covariance_type, 1e-3)
    r = naive_e_step(X, *old[:3], covariance_type)[1]
    for found, expected in zip(new, naive_m_step(X, r, covariance_type, 1e-3, w), strict=False):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(
        new.precisions_cholesky, precisions_cholesky(new.covariances, covariance_type), rtol=1e-9, atol=1e-12
    )
    assert new.weights.sum() == pytest.approx(1, abs=1e-15)
    for array, before in zip(old, kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_duplicates_leave_the_regularisation(covariance_type):
    X = np.repeat([[1.0, 2.0], [-3.0, 5.0]], 20, axis=0)
    old = some_parameters(X, 2, covariance_type)._replace(means=np.array([[1.5, 2.0], [-3.0, 4.0]]))
    new = maximisation(expectation(X, old, covariance_type), old, covariance_type, 1e-6)
    if covariance_type == "tied":
        assert np.linalg.eigvalsh(new.covariances).min() > 0.9e-6
    assert np.all(np.isfinite(new.precisions_cholesky))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_without_regularisation_they_are_refused(covariance_type):
    X = np.full((30, 2), 4.0)
    old = some_parameters(blobs(30, 2)[0], 2, covariance_type)._replace(means=X[:2].copy())
    with pytest.raises(ValueError, match=r"ill-defined empirical covariance .* increase reg_covar, or scale the input"):
        maximisation(expectation(X, old, covariance_type), old, covariance_type, 0.0)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_component_without_rows_stays_where_it_is(covariance_type):
    X = blobs(50, 2)[0]
    old = some_parameters(X, 2, covariance_type)
    old.means[1] = 1e5
    new = maximisation(expectation(X, old, covariance_type), old, covariance_type, 1e-6)
    np.testing.assert_array_equal(new.means[1], old.means[1])
    assert 0 < new.weights[1] < 1e-15
    assert np.all(np.isfinite(new.precisions_cholesky))


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_the_wide_step_is_the_narrow_one(covariance_type):
    """LAPACK's factors, and the plain loops' that narrower tables have."""
    X = blobs(200, 9)[0]
    old = some_parameters(X, 3, covariance_type)
    sums = expectation(X, old, covariance_type)
    wide = wide_maximisation(sums.counts, sums.shift, sums.scatter, old, 1e-4)
    for found, expected in zip(wide, maximisation(sums, old, covariance_type, 1e-4), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n_features", [2, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_mean_that_is_far_away_moves_alone(covariance_type, n_features):
    """Of the scatter about it no digit is left that tells how the rows spread."""
    X = blobs(150, n_features)[0]
    start = some_parameters(X, 1, covariance_type)
    far = start._replace(means=start.means + 1e9)
    first = maximisation(expectation(X, far, covariance_type), far, covariance_type, 0.0)
    np.testing.assert_allclose(first.means[0], X.mean(axis=0), atol=1e-5)
    np.testing.assert_array_equal(first.covariances, start.covariances)
    np.testing.assert_array_equal(first.precisions_cholesky, start.precisions_cholesky)
    second = maximisation(expectation(X, first, covariance_type), first, covariance_type, 0.0)
    near = maximisation(expectation(X, start, covariance_type), start, covariance_type, 0.0)
    np.testing.assert_allclose(second.covariances, near.covariances, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_features", [2, 18])
@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_rows_on_a_line_are_refused_wherever_the_mean_was(covariance_type, n_features):
    x = np.random.default_rng(0).normal(size=100)
    X = x[:, None] * np.arange(1, n_features + 1)
    parameters = some_parameters(np.random.default_rng(1).normal(size=(100, n_features)), 1, covariance_type)
    with pytest.raises(ValueError, match="ill-defined"):
        for _ in range(4):
            parameters = maximisation(expectation(X, parameters, covariance_type), parameters, covariance_type, 0.0)
