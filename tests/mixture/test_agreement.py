"""scikit-learn's results: given its start, its steps; and for small data its start, too."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.mixture
from numpy.testing import assert_allclose, assert_array_equal

from bgsub import GaussianMixture
from tests.mixture.samples import COVARIANCE_TYPES, blobs, given_start, precisions_of_ones

PEERS = (GaussianMixture, sklearn.mixture.GaussianMixture)
SHAPES = [(300, 1, 2), (400, 2, 4), (500, 5, 3), (400, 20, 3)]

pytestmark = [pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"), pytest.mark.slow]


def fitted(X, **parameters):
    return [cls(**parameters).fit(X) for cls in PEERS]


def assert_same_fit(ours, theirs, likelihood=1e-9, parameters=1e-7):
    steps = theirs.lower_bounds_ if hasattr(theirs, "lower_bounds_") else [theirs.lower_bound_]  # since 1.7 all of them
    assert_allclose(ours.lower_bounds_[-len(steps) :], steps, rtol=0, atol=likelihood)
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    for name in ("weights_", "means_", "covariances_"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=0, atol=parameters)
    for name in ("precisions_", "precisions_cholesky_"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("n", "n_features", "n_components"), SHAPES)
class TestGivenStart:
    def test_every_step_is_theirs(self, covariance_type, n, n_features, n_components):
        X, _ = blobs(n, n_features, n_components, spread=1.5)
        start = given_start(X, n_components)
        precisions = precisions_of_ones(covariance_type, n_components, n_features)
        ours, theirs = fitted(
            X,
            n_components=n_components,
            covariance_type=covariance_type,
            **start,
            precisions_init=precisions,
            tol=0.0,
            max_iter=30,
        )
        assert_same_fit(ours, theirs)
        assert ours.n_iter_ == 30

    def test_what_the_model_says_is_what_theirs_says(self, covariance_type, n, n_features, n_components):
        X, _ = blobs(n, n_features, n_components, spread=1.5)
        ours, theirs = fitted(X, n_components=n_components, covariance_type=covariance_type, random_state=0)
        others = blobs(200, n_features, n_components, spread=3.0, seed=5)[0]
        assert_allclose(ours.score_samples(others), theirs.score_samples(others), rtol=1e-9, atol=1e-9)
        assert_allclose(ours.predict_proba(others), theirs.predict_proba(others), atol=1e-9)
        assert_array_equal(ours.predict(others), theirs.predict(others))
        for criterion in ("score", "aic", "bic"):
            assert getattr(ours, criterion)(others) == pytest.approx(getattr(theirs, criterion)(others), rel=1e-10)
        for drawn, expected in zip(ours.sample(50), theirs.sample(50), strict=True):
            assert_allclose(drawn, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
class TestDrawnStart:
    @pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
    def test_small_data_start_as_theirs_for_the_same_seed(self, covariance_type, init_params):
        if covariance_type == "tied" and init_params in ("k-means++", "random_from_data"):
            pytest.skip("their tied covariance of single-row seeds grows with the number of rows")
        X, _ = blobs(n=1500, n_features=3, n_components=5, spread=2.0)
        for seed in range(3):
            ours, theirs = fitted(
                X,
                n_components=5,
                covariance_type=covariance_type,
                init_params=init_params,
                random_state=seed,
                n_init=2,
                max_iter=40,
            )
            assert_allclose(ours.lower_bound_, theirs.lower_bound_, atol=1e-9)
            assert_allclose(ours.means_, theirs.means_, atol=1e-7)
            assert ours.n_iter_ == theirs.n_iter_

    def test_a_start_given_in_part_is_drawn_for_the_rest(self, covariance_type):
        X, _ = blobs(spread=2.0)
        start = given_start(X, 3)
        precisions = precisions_of_ones(covariance_type, 3, 3)
        for given in (
            {"weights_init": start["weights_init"]},
            {"means_init": start["means_init"]},
            {"precisions_init": precisions},
            {**start},
            {"weights_init": start["weights_init"], "precisions_init": precisions},
        ):
            ours, theirs = fitted(X, n_components=3, covariance_type=covariance_type, random_state=0, **given)
            assert_same_fit(ours, theirs)

    def test_precisions_that_are_no_multiples_of_ones(self, covariance_type):
        X, _ = blobs(n_features=3, spread=2.0)
        reference = sklearn.mixture.GaussianMixture(2, covariance_type=covariance_type, random_state=1).fit(X)
        given = {"precisions_init": reference.precisions_, "means_init": reference.means_}
        ours, theirs = fitted(X, n_components=2, covariance_type=covariance_type, random_state=0, **given)
        assert_same_fit(ours, theirs)

    def test_float32_rows_agree_as_far_as_their_float32_sums_go(self, covariance_type):
        X = blobs(spread=3.0)[0].astype(np.float32)
        ours, theirs = fitted(X, n_components=4, covariance_type=covariance_type, random_state=0)
        assert_allclose(ours.lower_bound_, theirs.lower_bound_, atol=1e-3)
        assert_allclose(ours.means_, theirs.means_, atol=1e-2)
        exact = GaussianMixture(4, covariance_type=covariance_type, random_state=0).fit(X.astype(float))
        assert_allclose(ours.means_, exact.means_, rtol=1e-6, atol=1e-6)
        assert ours.lower_bound_ == pytest.approx(exact.lower_bound_, abs=1e-12)
