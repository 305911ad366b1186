"""Gaps filled in: by expectations, which are the naive twin's, and by draws, whose moments are known."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.mixture.conditioning import regression
from bgsub.mixture.fitted import FittedMixture
from tests import naive_missing as naive
from tests.mixture.passes.test_missing import mixture_of, rows_with_gaps
from tests.mixture.samples import COVARIANCE_TYPES


def fitted(covariance_type, n_features=4, n_components=3):
    return FittedMixture(mixture_of(covariance_type, n_features, n_components), covariance_type)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("n_components", [1, 3, 11])
def test_expectations_are_those_of_the_naive_twin(covariance_type, n_components):
    mixture = fitted(covariance_type, 5, n_components)
    X = rows_with_gaps(60, mixture.parameters, share=0.4)
    found = mixture.impute(X)
    np.testing.assert_allclose(found, naive.imputed(X, mixture.parameters, covariance_type), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found[0], mixture.weights @ mixture.means, rtol=1e-9)  # of which nothing is observed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_imputations", [None, 3])
def test_what_is_observed_keeps_its_bits_and_nothing_stays_missing(dtype, n_imputations):
    mixture = fitted("full")
    X = rows_with_gaps(300, mixture.parameters).astype(dtype)
    before = X.copy()
    found = mixture.impute(X, n_imputations, np.random.RandomState(0))
    assert found.dtype == dtype
    assert found.shape == (X.shape if n_imputations is None else (3, *X.shape))
    seen = ~np.isnan(X)
    for table in found.reshape(-1, *X.shape):
        assert table[seen].tobytes() == X[seen].tobytes()
        assert np.isfinite(table).all()
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("known", [[], [1], [0, 3], [0, 1, 2]])
def test_draws_have_the_conditional_mean_and_covariance(covariance_type, known):
    mixture = fitted(covariance_type)
    row = np.full((1, 4), np.nan)
    row[0, known] = mixture.means[0, known] + 0.3
    draws = mixture.impute(np.repeat(row, 20_000, axis=0), 1, np.random.RandomState(3))[0]
    unknown = [i for i in range(4) if i not in known]
    if known:
        mean, covariance = regression(mixture.parameters, covariance_type, np.array(known), row[:, known])
        mean, covariance = mean[0], covariance[0]
    else:
        mean = mixture.weights @ mixture.means
        apart = mixture.means - mean
        covariance = np.einsum("k,kde->de", mixture.weights, mixture.matrices + apart[:, :, None] * apart[:, None, :])
    deviations = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(draws[:, unknown].mean(axis=0), mean, atol=5 * deviations.max() / np.sqrt(20_000))
    found = np.cov(draws[:, unknown].T).reshape(covariance.shape)
    np.testing.assert_allclose(found, covariance, atol=0.06 * np.outer(deviations, deviations).max())


def test_draws_of_several_tables_differ_and_average_to_the_expectation():
    mixture = fitted("full", 3, 2)
    X = rows_with_gaps(40, mixture.parameters)
    tables = mixture.impute(X, 4000, np.random.RandomState(0))
    gaps = np.isnan(X)
    assert (tables[:, gaps].std(axis=0) > 0.05).all()
    error = (tables.mean(axis=0) - mixture.impute(X))[gaps] / tables[:, gaps].std(axis=0)
    assert np.abs(error).max() < 5 / np.sqrt(4000)


def test_the_same_generator_gives_the_same_draws_whatever_the_number_of_threads():
    mixture = fitted("tied")
    X = rows_with_gaps(6000, mixture.parameters)
    one = mixture.impute(X, 2, np.random.RandomState(7), threads=1)
    three = mixture.impute(X, 2, np.random.RandomState(7), threads=3)
    np.testing.assert_array_equal(one, three)
    np.testing.assert_array_equal(mixture.impute(X, threads=1), mixture.impute(X, threads=3))
    assert (mixture.impute(X, 2, np.random.RandomState(8)) != one).any()


def test_a_table_without_gaps_comes_back_as_it_is():
    mixture = fitted("diag")
    X = np.nan_to_num(rows_with_gaps(20, mixture.parameters))
    np.testing.assert_array_equal(mixture.impute(X), X)
    assert mixture.impute(X[:0]).shape == (0, 4)


def test_what_cannot_be_filled_is_one_line():
    mixture = fitted("full")
    with pytest.raises(ParameterError, match=r"rows have the shape \(2, 3\), the mixture 4 features"):
        mixture.impute(np.zeros((2, 3)))
    with pytest.raises(ParameterError, match="n_imputations is 0: give 1 or more, or None for expectations"):
        mixture.impute(np.zeros((2, 4)), 0)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_criteria_count_rows_that_hold_something(covariance_type):
    mixture = fitted(covariance_type)
    X = rows_with_gaps(100, mixture.parameters, share=0.2)
    n = 100 - np.isnan(X).all(axis=1).sum()
    assert n < 100
    found = mixture.criteria(X, missing="em")
    assert found == pytest.approx(mixture.criteria(X[1:], missing="em"), rel=1e-12)
    likelihood = naive.expectation(X, mixture.parameters, covariance_type)[0]
    assert found["log_likelihood"] == pytest.approx(likelihood, rel=1e-10)
    assert found["bic"] == pytest.approx(-2 * likelihood + mixture.n_parameters * np.log(n), rel=1e-10)
    assert mixture.score(X, missing="em") == pytest.approx(likelihood / n, rel=1e-10)
    weights = np.arange(100.0)
    weighted = naive.expectation(X, mixture.parameters, covariance_type, weights)
    assert mixture.score(X, weights, missing="em") == pytest.approx(weighted[0] / weighted[1], rel=1e-10)
