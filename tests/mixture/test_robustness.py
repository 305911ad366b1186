"""Data on which others stumble: far from the origin, duplicates, nearly singular clusters, outliers, odd widths."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.mixture
from numpy.testing import assert_allclose

from bgsub import GaussianMixture
from tests.mixture.samples import COVARIANCE_TYPES, blobs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

INIT_PARAMS = ("kmeans", "k-means++", "random", "random_from_data")


def fixed_point(X):
    """Rows that stay what they are when 1e8 is added: multiples of 2^-20."""
    return np.rint(X * 2**20) / 2**20


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
class TestFarFromTheOrigin:
    @pytest.mark.parametrize("offset", [1e6, 1e8])
    @pytest.mark.parametrize("acceleration", [None, "squarem"])
    def test_the_fit_only_moves(self, covariance_type, offset, acceleration):
        X = fixed_point(blobs(spread=1.5)[0])
        near, far = (
            GaussianMixture(
                4, covariance_type=covariance_type, acceleration=acceleration, random_state=0, tol=1e-5
            ).fit(rows)
            for rows in (X, X + offset)
        )
        assert near.n_iter_ == far.n_iter_
        assert far.lower_bound_ == pytest.approx(near.lower_bound_, abs=1e-7)
        assert_allclose(far.means_ - offset, near.means_, atol=1e-5)
        assert_allclose(far.covariances_, near.covariances_, atol=1e-5)
        assert_allclose(far.predict_proba(X + offset), near.predict_proba(X), atol=1e-5)

    @pytest.mark.parametrize("init_params", INIT_PARAMS)
    def test_every_way_to_start(self, covariance_type, init_params):
        X = fixed_point(blobs(spread=8.0)[0])
        near, far = (
            GaussianMixture(4, covariance_type=covariance_type, init_params=init_params, random_state=1).fit(rows)
            for rows in (X, X + 1e8)
        )
        assert far.lower_bound_ == pytest.approx(near.lower_bound_, abs=1e-5)

    def test_partial_fit(self, covariance_type):
        X = fixed_point(blobs(n=900, spread=3.0)[0])
        near, far = (GaussianMixture(3, covariance_type=covariance_type, random_state=0) for _ in range(2))
        for part in np.split(X, 3):
            near.partial_fit(part)
            far.partial_fit(part + 1e8)
        assert_allclose(far.covariances_, near.covariances_, atol=1e-5)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("init_params", INIT_PARAMS)
class TestFewDistinctRows:
    def test_ten_components_on_two_points(self, covariance_type, init_params):
        X = np.repeat([[0.0, 0.0], [7.0, 3.0]], 20, axis=0)
        model = GaussianMixture(10, covariance_type=covariance_type, init_params=init_params, random_state=0).fit(X)
        assert np.isfinite(model.means_).all()
        assert model.weights_.sum() == pytest.approx(1.0)
        assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
        if init_params == "kmeans":
            assert len(set(model.predict(X))) == 2

    def test_one_point_many_times(self, covariance_type, init_params):
        X = np.full((30, 2), 3.0)
        model = GaussianMixture(3, covariance_type=covariance_type, init_params=init_params, random_state=0).fit(X)
        assert_allclose(model.weights_ @ model.means_, [3.0, 3.0], rtol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
class TestHardShapes:
    def test_a_cluster_that_is_almost_a_line(self, covariance_type):
        random = np.random.default_rng(0)
        along = random.normal(size=(300, 1))
        line = np.hstack([along, along]) + 1e-5 * random.normal(size=(300, 2))
        X = np.vstack([line, random.normal(loc=[10.0, -10.0], size=(300, 2))])
        model = GaussianMixture(2, covariance_type=covariance_type, random_state=0, reg_covar=1e-10).fit(X)
        assert_allclose(sorted(model.weights_), [0.5, 0.5], atol=0.01)
        assert np.isfinite(model.score_samples(X)).all()

    def test_one_outlier_far_away(self, covariance_type):
        X = np.vstack([blobs()[0], [[1e7, -1e7, 1e7]]])
        model = GaussianMixture(3, covariance_type=covariance_type, random_state=0, max_iter=20).fit(X)
        assert np.isfinite(model.lower_bounds_).all()
        assert np.isfinite(model.predict_proba(X)).all()

    def test_columns_of_very_different_scales(self, covariance_type):
        X, truth = blobs(n=600, n_components=2, spread=20.0)
        scaled = X * [1e-3, 1.0, 1e4]
        model = GaussianMixture(2, covariance_type=covariance_type, random_state=0, reg_covar=1e-12).fit(scaled)
        assert np.isfinite(model.score_samples(scaled)).all()
        if covariance_type in ("full", "diag"):
            labels = model.predict(scaled)
            assert max(np.mean(labels == truth), np.mean(labels != truth)) == 1.0

    def test_as_many_components_as_rows(self, covariance_type):
        X = blobs(n=6)[0]
        model = GaussianMixture(6, covariance_type=covariance_type, random_state=0).fit(X)
        assert_allclose(model.weights_, 1 / 6, atol=1e-6)

    def test_more_columns_than_rows(self, covariance_type):
        X = np.random.default_rng(0).normal(size=(10, 40))
        model = GaussianMixture(2, covariance_type=covariance_type, random_state=0, reg_covar=1e-3).fit(X)
        assert np.isfinite(model.score(X))

    def test_a_given_weight_of_zero_stays_zero(self, covariance_type):
        X, _ = blobs()
        model = GaussianMixture(
            3, covariance_type=covariance_type, weights_init=[0.5, 0.5, 0.0], random_state=0, max_iter=5
        ).fit(X)
        assert model.weights_[2] < 1e-15
        assert np.isfinite(model.means_).all()
        assert np.isfinite(model.lower_bounds_).all()


@pytest.mark.parametrize("distance", [1e4, 1e7, 1e10])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_start_that_is_far_from_the_rows_ends_where_scikit_learn_does(covariance_type, distance):
    X = np.random.default_rng(0).normal(3, 0.05, size=(200, 4))
    given = {"covariance_type": covariance_type, "means_init": X[:1] + distance}
    ours, theirs = GaussianMixture(1, **given).fit(X), sklearn.mixture.GaussianMixture(1, **given).fit(X)
    assert ours.score(X) == pytest.approx(theirs.score(X), abs=1e-9)
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_batch_that_is_far_from_all_before_is_learned(covariance_type):
    X = np.random.default_rng(0).normal(size=(500, 3))
    mixture = GaussianMixture(2, covariance_type=covariance_type, random_state=0).partial_fit(X)
    for _ in range(5):
        mixture.partial_fit(X + 1e8)
    assert np.isfinite(mixture.score(X + 1e8))
    assert mixture.score(X + 1e8) > GaussianMixture(1).fit(X).score(X + 1e8)
