"""Starts: k-means as scikit-learn's, parameters of seeds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans

from bgsub import GaussianMixture
from bgsub.mixture.em.kmeans import kmeans_labels, kmeans_plusplus, means_of_clusters
from bgsub.mixture.em.starts import parameters_of, seeding_rows, seeds
from tests.mixture.samples import COVARIANCE_TYPES, blobs


class TestKMeans:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize(("n", "n_features", "n_components"), [(50, 1, 3), (400, 2, 4), (1000, 8, 10), (30, 3, 30)])
    def test_the_labels_are_scikit_learns(self, n, n_features, n_components, seed):
        X, _ = blobs(n, n_features, n_components, spread=1.0, seed=seed)
        theirs = KMeans(n_components, n_init=1, random_state=np.random.RandomState(seed)).fit(X).labels_
        assert_array_equal(kmeans_labels(X, np.ones(n), n_components, np.random.RandomState(seed)), theirs)

    @pytest.mark.parametrize("seed", range(3))
    def test_with_weights(self, seed):
        X, _ = blobs(300, 2, 4, spread=1.0)
        weights = np.random.default_rng(seed).random(300)
        theirs = KMeans(4, n_init=1, random_state=np.random.RandomState(seed)).fit(X, sample_weight=weights).labels_
        assert_array_equal(kmeans_labels(X, weights, 4, np.random.RandomState(seed)), theirs)

    def test_the_generator_is_left_where_scikit_learn_leaves_it(self):
        X, _ = blobs()
        ours, theirs = np.random.RandomState(0), np.random.RandomState(0)
        kmeans_labels(X, np.ones(len(X)), 4, ours)
        KMeans(4, n_init=1, random_state=theirs).fit(X)
        assert ours.random_sample() == theirs.random_sample()

    def test_an_emptied_cluster_takes_a_far_row(self):
        """Seeds that put two centres on one point leave a cluster empty; it must not stay so."""
        X = np.concatenate([np.zeros((20, 1)), [[10.0], [10.1], [30.0]]])
        for seed in range(20):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                labels = kmeans_labels(X, np.ones(len(X)), 4, np.random.RandomState(seed))
            assert len(set(labels)) == 4

    def test_the_means_of_clusters_of_which_one_is_empty(self):
        rows = np.array([[0.0], [1.0], [2.0], [10.0]])
        weights = np.array([1.0, 1.0, 2.0, 3.0])
        centres = np.array([[1.0], [50.0]])
        means = means_of_clusters(rows, weights, np.zeros(4, dtype=int), centres)
        assert_allclose(means, [[(1.0 + 4.0) / 4.0], [10.0]])  # the far row is the empty cluster's now

    def test_seeds_lie_in_separate_clusters(self):
        X, truth = blobs(spread=100.0)
        for seed in range(10):
            chosen = kmeans_plusplus(X, np.ones(len(X)), 4, np.random.RandomState(seed))
            assert len(set(truth[chosen])) == 4


class TestSeeds:
    @pytest.mark.parametrize("init_params", ["k-means++", "random_from_data"])
    def test_one_row_a_component(self, init_params):
        X, _ = blobs()
        responsibilities = seeds(X, np.ones(len(X)), 5, init_params, np.random.RandomState(0))
        assert_array_equal(responsibilities.sum(axis=0), np.ones(5))
        assert (responsibilities.sum(axis=1) <= 1).all()

    @pytest.mark.parametrize("init_params", ["kmeans", "random"])
    def test_every_row_is_shared_out(self, init_params):
        X, _ = blobs()
        responsibilities = seeds(X, np.ones(len(X)), 5, init_params, np.random.RandomState(0))
        assert_allclose(responsibilities.sum(axis=1), 1.0)

    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_parameters_of_hard_clusters_are_their_moments(self, covariance_type):
        X, truth = blobs()
        weights = np.random.default_rng(0).random(len(X))
        parameters = parameters_of(X, weights, np.eye(4)[truth], covariance_type, 0.5)
        share = np.array([weights[truth == k].sum() for k in range(4)])
        assert_allclose(parameters.weights, share / share.sum())
        each = np.stack([np.cov(X[truth == k].T, aweights=weights[truth == k], ddof=0) for k in range(4)])
        expected = {
            "full": each + 0.5 * np.eye(3),
            "tied": np.average(each, axis=0, weights=share) + 0.5 * np.eye(3),
            "diag": np.diagonal(each, axis1=1, axis2=2) + 0.5,
            "spherical": np.diagonal(each, axis1=1, axis2=2).mean(axis=1) + 0.5,
        }[covariance_type]
        assert_allclose(parameters.covariances, expected)

    def test_an_empty_component_stays_in_the_middle(self):
        X = blobs()[0] + 1e6
        responsibilities = np.zeros((len(X), 2))
        responsibilities[:, 0] = 1.0
        parameters = parameters_of(X, np.ones(len(X)), responsibilities, "full", 1e-6)
        assert_allclose(parameters.means[1], X.mean(axis=0))
        assert parameters.weights[1] < 1e-15


class TestLargeData:
    def test_the_start_is_drawn_from_some_rows_and_is_as_good(self):
        X, truth = blobs(n=seeding_rows(4) + 10_000, n_features=2, spread=20.0)
        model = GaussianMixture(4, max_iter=0, random_state=0, n_init=1).fit(X)
        nearest = [np.abs(model.means_ - X[truth == k].mean(axis=0)).sum(axis=1).min() for k in range(4)]
        assert max(nearest) < 0.1
        assert_allclose(model.weights_, 0.25, atol=0.02)

    def test_the_number_of_rows_grows_with_the_components(self):
        assert seeding_rows(2) == 20_000
        assert seeding_rows(1000) == 200_000
