"""Covariances that are too small for want of the rows that were left out are put right."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.fitting import FitOptions, fit
from tests.mixture.samples import COVARIANCE_TYPES


def fitted(X, n_components, kind, trim):
    options = FitOptions(n_components=n_components, covariance_type=kind, trim=trim, tol=1e-8, max_iter=500)
    return fit(RowsInMemory(X), options, np.random.RandomState(0)).mixture


@pytest.mark.parametrize(("n_features", "trim"), [(1, 0.2), (2, 0.05), (20, 0.2)])
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_of_gaussian_rows_the_covariance_is_that_of_all(n_features, trim, kind):
    X = np.random.default_rng(0).normal(size=(40_000 if n_features == 1 else 8_000, n_features))
    found = fitted(X, 1, kind, trim)
    assert_allclose(found.deviations[0], np.ones(n_features), atol=0.05)


@pytest.mark.parametrize("kind", ["full", "spherical"])
def test_of_two_clusters_too_and_so_are_the_weights(kind):
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(0, 1, (16_000, 2)), random.normal(30, 3, (4_000, 2))])
    found = fitted(X, 2, kind, 0.1)
    order = np.argsort(found.means[:, 0])
    assert_allclose(found.weights[order], [0.8, 0.2], atol=0.01)
    assert_allclose(found.deviations[order], [[1, 1], [3, 3]], rtol=0.05)
    assert (found.labels(X) < 0).mean() == pytest.approx(0.1, abs=1e-4)


def test_where_what_is_left_out_was_wrong_nothing_is_put_right():
    random = np.random.default_rng(0)
    right, wrong = random.normal(0, 1, (900, 2)), random.uniform(50, 90, (100, 2))
    found = fitted(np.concatenate([right, wrong]), 1, "full", 0.1)
    assert_allclose(found.covariances[0], np.cov(right.T, bias=True), rtol=0.05, atol=0.01)
    assert found.labels(wrong).tolist() == [-1] * 100
    assert (found.labels(right) == 0).all()
