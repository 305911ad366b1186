"""The pass over rows with gaps: its naive twin, the ordinary pass where there are none, and what gaps cannot change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bgsub.mixture.parameters import Parameters, precisions_cholesky
from bgsub.mixture.passes import missing
from bgsub.mixture.passes.cpu import expectation, log_density
from bgsub.mixture.passes.missing import gap_pass, observed_log_density
from bgsub.mixture.passes.statistics import maximisation
from tests import naive_missing as naive
from tests.mixture.samples import COVARIANCE_TYPES

SHAPES = [(120, 5, 3), (90, 4, 9), (60, 18, 2), (40, 1, 2), (50, 2, 1)]


def mixture_of(covariance_type, n_features, n_components, seed=0):
    """Parameters of a mixture of unlike covariances."""
    random = np.random.default_rng(seed)
    roots = np.eye(n_features) + random.normal(size=(n_components, n_features, n_features)) / np.sqrt(n_features)
    full = roots @ roots.swapaxes(1, 2)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.einsum("kii->ki", full).copy(),
        "spherical": np.einsum("kii->k", full) / n_features,
    }[covariance_type]
    return Parameters(
        random.dirichlet(np.full(n_components, 5.0)),
        2 * random.normal(size=(n_components, n_features)),
        covariances,
        precisions_cholesky(covariances, covariance_type),
    )


def rows_with_gaps(n, parameters, share=0.3, seed=1):
    """Rows about the means, of which a share of the cells is missing; the first row is empty, the second complete."""
    random = np.random.default_rng(seed)
    n_components, n_features = parameters.means.shape
    X = parameters.means[random.integers(n_components, size=n)] + random.normal(size=(n, n_features))
    X[random.random(X.shape) < share] = np.nan
    X[0], X[1] = np.nan, parameters.means[0]
    return X


def one_pass(X, parameters, covariance_type, sample_weight=None, threads=1):
    with gap_pass(X, len(parameters.weights), covariance_type, sample_weight, threads) as do:
        return do(parameters)


def assert_equal(found, expected, tolerance):
    assert found.noise == 0
    for a, b in zip(found, expected, strict=False):  # the twin knows of no noise
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_sums_are_those_of_the_naive_twin(covariance_type, shape, weighted):
    n, n_features, n_components = shape
    parameters = mixture_of(covariance_type, n_features, n_components)
    X = rows_with_gaps(n, parameters)
    weights = np.random.default_rng(2).uniform(0, 3, n) if weighted else None
    found = one_pass(X, parameters, covariance_type, weights)
    assert_equal(found, naive.expectation(X, parameters, covariance_type, weights), 1e-10)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("n_features", [3, 18])
def test_rows_without_gaps_give_the_ordinary_pass_bit_for_bit(covariance_type, n_features):
    parameters = mixture_of(covariance_type, n_features, 3)
    X = np.nan_to_num(rows_with_gaps(500, parameters), nan=0.5)
    assert_equal(one_pass(X, parameters, covariance_type), expectation(X, parameters, covariance_type), 0)
    np.testing.assert_array_equal(
        observed_log_density(X, parameters, covariance_type), log_density(X, parameters, covariance_type)
    )


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_neither_threads_nor_slabs_change_what_comes_out(covariance_type, monkeypatch):
    parameters = mixture_of(covariance_type, 4, 3)
    X = rows_with_gaps(5000, parameters)
    weights = np.random.default_rng(3).integers(0, 3, len(X)).astype(float)
    expected = one_pass(X, parameters, covariance_type, weights)
    for threads in (2, 5):
        assert_equal(one_pass(X, parameters, covariance_type, weights, threads), expected, 0)
    density = observed_log_density(X, parameters, covariance_type)
    monkeypatch.setattr(missing, "_SLAB", 8 * 4 * 700)
    assert_equal(one_pass(X, parameters, covariance_type, weights), expected, 1e-12)
    np.testing.assert_allclose(observed_log_density(X, parameters, covariance_type), density, rtol=1e-12)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_densities_responsibilities_and_labels_are_those_of_what_is_observed(covariance_type):
    parameters = mixture_of(covariance_type, 4, 9)
    X = rows_with_gaps(80, parameters)
    shares, labels = np.empty((80, 9)), np.empty(80, np.intp)
    found = observed_log_density(X, parameters, covariance_type, responsibilities=shares, labels=labels)
    full = naive.matrices(parameters.covariances, covariance_type, 9, 4)
    for i in range(1, 80):
        if np.isnan(X[i]).all():
            continue
        density, r = naive.responsibilities(X[i], parameters.weights, parameters.means, full)
        np.testing.assert_allclose(found[i], density, rtol=1e-10)
        np.testing.assert_allclose(shares[i], r, rtol=1e-8, atol=1e-25)
        assert labels[i] == r.argmax()


def test_a_row_that_holds_nothing_says_nothing():
    parameters = mixture_of("full", 3, 2)
    X = rows_with_gaps(50, parameters)
    shares, labels = np.empty((50, 2)), np.empty(50, np.intp)
    density = observed_log_density(X, parameters, "full", responsibilities=shares, labels=labels)
    assert (density[0], labels[0], shares[0].tolist()) == (0.0, -1, parameters.weights.tolist())
    assert_equal(one_pass(X, parameters, "full"), one_pass(X[1:], parameters, "full"), 1e-13)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_likelihood_never_falls(covariance_type):
    parameters = mixture_of(covariance_type, 3, 3, seed=5)
    X = rows_with_gaps(400, mixture_of(covariance_type, 3, 3), share=0.35)
    likelihoods = []
    for _ in range(60):
        statistics = one_pass(X, parameters, covariance_type)
        likelihoods.append(statistics.log_likelihood)
        parameters = maximisation(statistics, parameters, covariance_type, 0.0)
    assert (np.diff(likelihoods) > -1e-9).all()
    assert likelihoods[-1] > likelihoods[0] + 1


def test_columns_that_nearly_repeat_each_other_lose_no_digits():
    """The observed part is well-conditioned, whatever the whole is: a naive inverse of the precision loses it all."""
    base = np.array([[1.0, 0.3], [0.3, 2.0]])
    copies = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    covariance = (copies @ base @ copies.T + 1e-9 * np.eye(3))[None]
    parameters = Parameters(np.ones(1), np.zeros((1, 3)), covariance, precisions_cholesky(covariance, "full"))
    X = np.array([[0.7, np.nan, np.nan], [np.nan, 0.4, 0.7], [0.7, -1.0, np.nan]])
    expected = [naive.log_marginal(x, parameters.means[0], covariance[0]) for x in X]
    np.testing.assert_allclose(observed_log_density(X, parameters, "full"), expected, rtol=1e-7)


def test_values_far_from_the_origin_lose_no_digits():
    parameters = mixture_of("full", 3, 2)
    X = rows_with_gaps(200, parameters)
    far = parameters._replace(means=parameters.means + 2.0**27)
    assert_equal(one_pass(X + 2.0**27, far, "full"), one_pass(X, parameters, "full"), 1e-5)


def test_float32_rows_and_views_are_read_as_they_are():
    parameters = mixture_of("full", 3, 2)
    X = rows_with_gaps(200, parameters).astype(np.float32)
    expected = one_pass(X.astype(np.float64), parameters, "full")
    assert_equal(one_pass(X, parameters, "full"), expected, 0)
    assert_equal(one_pass(np.asfortranarray(X), parameters, "full"), expected, 0)
    X.flags.writeable = False
    assert_equal(one_pass(X, parameters, "full"), expected, 0)


@pytest.mark.slow
def test_the_kernels_say_the_same_without_the_compiler():
    """Every index is checked then."""
    code = (
        "import tests.mixture.passes.test_missing as t\n"
        "for kind in t.COVARIANCE_TYPES:\n"
        "    t.test_the_sums_are_those_of_the_naive_twin(kind, (12, 4, 9), True)\n"
        "print('same')"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.strip() == "same", done.stderr
