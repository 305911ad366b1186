"""Starts by short runs: drawn whatever the units, given up early, never worse for a component more."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import bgsub
from bgsub.errors import ParameterError
from bgsub.mixture.em.partitions import Partition, parameters_of_cells, partition, scatter_of
from bgsub.mixture.em.rules import Rules
from bgsub.mixture.em.splits import duplicates, split
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.fitting import FitOptions, fit
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, n_parameters, precisions_cholesky
from bgsub.mixture.passes.cpu import log_density
from tests.mixture.samples import blobs

RULES = {kind: Rules(kind, 1e-6, 1e-6, 1000) for kind in COVARIANCE_TYPES}


def fitted(X, n_components, kind="full", *, seed=0, weights=None, **options):
    how = {"n_init": 12, "tol": 1e-6, "max_iter": 1000, "init_params": "short_runs", "threads": 1, **options}
    options = FitOptions(n_components=n_components, covariance_type=kind, **how)
    return fit(RowsInMemory(X, weights), options, np.random.RandomState(seed), tell=lambda line: None)


def dense_in_broad(n_dense=200, n_broad=5000, n_features=2, deviation=0.1, seed=0):
    random = np.random.RandomState(seed)
    dense = random.randn(n_dense, n_features) * deviation + 1
    return np.concatenate([dense, random.randn(n_broad, n_features)])


def beside_a_wide_column(seed=0):
    """Return two clusters that only the first column tells apart, and which is which."""
    random = np.random.default_rng(seed)
    each = [np.column_stack([random.normal(at, 1, 500), random.normal(0, 10, 500)]) for at in (0, 6)]
    return np.concatenate(each), np.repeat([0, 1], 500)


class TestPartitions:
    @pytest.mark.parametrize("by_density", [False, True])
    def test_each_row_is_in_the_cell_of_the_nearest_drawn_row_in_standard_deviations(self, by_density):
        X = blobs(300, 2)[0] * [1e-3, 1e6]
        scatter = scatter_of(X, np.ones(300))
        cells = partition(scatter, 4, np.random.RandomState(3), by_density=by_density)
        assert cells.labels.shape == (300,)
        assert set(cells.labels) <= set(range(4)) == set(range(cells.n_cells))
        if not by_density:
            chosen = np.random.RandomState(3).choice(300, 4, replace=False)
            scaled = (X - X.mean(axis=0)) / X.std(axis=0)
            distances = ((scaled[:, None] - scaled[chosen]) ** 2).sum(axis=2)
            np.testing.assert_array_equal(cells.labels, distances.argmin(axis=1))

    @pytest.mark.parametrize("by_density", [False, True])
    @pytest.mark.parametrize("units", [(1e-3, 1.0), (1e6, 1e-3), (7.0, 1e6)])
    def test_units_do_not_matter(self, units, by_density):
        X = blobs(500, 2)[0]
        here, there = (
            partition(scatter_of(rows, np.ones(500)), 5, np.random.RandomState(8), by_density=by_density)
            for rows in (X, X * units + 3.0)
        )
        assert np.mean(here.labels == there.labels) > 0.995  # rounding may move a row on a border

    def test_a_small_dense_cluster_becomes_a_cell(self):
        X = dense_in_broad()
        scatter = scatter_of(X, np.ones(len(X)))
        cells = [partition(scatter, 2, np.random.RandomState(s), by_density=True).labels for s in range(12)]
        dense = np.arange(len(X)) < 200
        caught = max(np.mean(dense[c == k]) for c in cells for k in (0, 1) if (c == k).any())
        assert caught > 0.5 > 200 / len(X)

    def test_rows_of_no_weight_are_not_drawn(self):
        X = np.concatenate([np.random.default_rng(0).normal(size=(50, 2)), np.full((50, 2), 40.0)])
        weights = np.repeat([1.0, 0.0], 50)
        scatter = scatter_of(X, weights)
        assert scatter.some.max() < 50
        for s, by_density in itertools.product(range(20), (False, True)):
            labels = partition(scatter, 50, np.random.RandomState(s), by_density=by_density).labels
            assert len(np.unique(labels[:50])) > 5
            assert len(np.unique(labels[50:])) == 1

    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_cells_are_averaged_with_what_is_within_all(self, kind):
        random = np.random.default_rng(5)
        X, labels, weights = random.normal(size=(40, 2)), random.integers(3, size=40), random.uniform(0.5, 2, 40)
        found = parameters_of_cells(X, weights, Partition(labels, 3), RULES[kind])
        counts = np.array([weights[labels == k].sum() for k in range(3)])
        means = np.array([weights[labels == k] @ X[labels == k] for k in range(3)]) / counts[:, None]
        offsets = X - means[labels]
        scatters = [(weights[labels == k] * offsets[labels == k].T) @ offsets[labels == k] for k in range(3)]
        within = sum(scatters) / weights.sum()
        borrowed = 9.0 * weights.mean()
        averaged = [(s + borrowed * within) / (n + borrowed) for s, n in zip(scatters, counts, strict=True)]
        expected = {
            "full": averaged + 1e-6 * np.eye(2),
            "tied": within + 1e-6 * np.eye(2),
            "diag": np.array([np.diagonal(c) for c in averaged]) + 1e-6,
            "spherical": np.array([np.trace(c) / 2 for c in averaged]) + 1e-6,
        }[kind]
        np.testing.assert_allclose(found.weights, counts / counts.sum(), rtol=1e-12)
        np.testing.assert_allclose(found.means, means, rtol=1e-12)
        np.testing.assert_allclose(found.covariances, expected, rtol=1e-9)


class TestFit:
    @pytest.mark.parametrize("kind", ["full", "tied", "diag"])
    def test_clusters_do_not_depend_on_units(self, kind):
        X, truth = beside_a_wide_column()
        for units in ((1.0, 1.0), (1.0, 0.1), (30.0, 1e6), (1.0, 1e-2)):
            labels = fitted(X * units, 2, kind).mixture.labels(X * units)
            assert max(np.mean(labels == truth), np.mean(labels != truth)) > 0.99

    @pytest.mark.parametrize("seed", range(6))
    def test_a_small_dense_cluster_is_found_from_any_seed(self, seed):
        run = fitted(dense_in_broad(), 2, seed=seed).run
        assert run.lower_bound > -2.774  # the plateau is at -2.810
        assert run.parameters.weights.min() == pytest.approx(200 / 5200, abs=0.01)

    def test_it_does_not_end_on_a_plateau(self):
        """Steps of 1e-5 and less, for a hundred of them, lead to another cluster."""
        X = dense_in_broad()
        plain = {"init_params": "kmeans", "n_init": 3}
        assert fitted(X, 2, tol=1e-4, **plain).run.lower_bound < -2.80
        assert fitted(X, 2, **plain).run.lower_bound > -2.774

    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_threads_and_weights_of_one_change_nothing(self, kind):
        X = blobs(400, 2, n_components=4)[0]
        one, *others = [
            fitted(X, 4, kind, **given).run for given in ({}, {"threads": 3}, {"weights": np.ones(400)}, {"threads": 2})
        ]
        for other in others:
            assert other.lower_bounds == one.lower_bounds
            for found, expected in zip(other.parameters, one.parameters, strict=True):
                np.testing.assert_array_equal(found, expected)

    def test_the_scale_of_weights_does_not_matter(self):
        X = blobs(300, 2)[0]
        weights = np.random.default_rng(1).uniform(0.5, 2.0, 300)
        here, there = fitted(X, 3, weights=weights), fitted(X, 3, weights=1e-3 * weights)
        np.testing.assert_allclose(there.run.parameters.means, here.run.parameters.means, rtol=1e-6)

    def test_it_is_at_least_as_good_as_ten_starts_from_random_rows(self):
        """On average over tables and seeds: on each by itself chance decides."""
        gained = []
        for s in range(6):
            X = blobs(400, 2, n_components=6, seed=s)[0]
            ten = fitted(X, 6, seed=s, n_init=10, init_params="random_from_data").run.lower_bound
            gained.append(fitted(X, 6, seed=s).run.lower_bound - ten)
        assert np.mean(gained) > -0.01

    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    @pytest.mark.parametrize(
        "rows",
        [
            np.repeat([[0.0, 0.0], [1.0, 5.0], [2.0, 1.0]], 5, axis=0),
            np.arange(10.0).reshape(5, 2) ** 1.5,
            np.concatenate([np.zeros((30, 2)), np.ones((1, 2))]),
            np.column_stack([np.arange(30) % 2, np.arange(30.0)]),
            np.full((6, 2), 4.0),
        ],
        ids=["3 distinct", "as many components as rows", "one other row", "two values", "all alike"],
    )
    def test_few_distinct_rows_are_no_obstacle(self, rows, kind):
        found = fitted(rows, 5, kind).mixture
        assert found.parameters.weights.sum() == pytest.approx(1.0)
        assert np.isfinite(found.log_densities(rows)).all()

    def test_a_sound_run_is_preferred_to_a_collapsed_one(self):
        X = np.concatenate([np.random.default_rng(0).normal(size=(200, 2)), np.repeat([[0.5, 0.5]], 4, axis=0)])
        variances = [fitted(X, 2, seed=s).run.parameters.covariances.diagonal(0, 1, 2).min() for s in range(8)]
        assert min(variances) > 1e-4  # four equal rows have a likelihood without bound
        plain = fitted(X, 2, seed=0, init_params="random_from_data", n_init=1000).run
        assert plain.parameters.covariances.diagonal(0, 1, 2).min() < 1e-5

    def test_without_reg_covar_more_starts_never_fail_more_often(self):
        X = np.concatenate([np.random.default_rng(1).normal(size=(100, 2)), np.repeat([[2.0, 2.0]], 6, axis=0)])

        def fits(n_init, seed):
            try:
                return np.isfinite(fitted(X, 3, seed=seed, reg_covar=0.0, n_init=n_init).run.lower_bound)
            except ParameterError:
                return False

        one, twelve = ([fits(n, seed) for seed in range(12)] for n in (1, 12))
        assert not all(one)
        assert sum(twelve) > sum(one)
        assert all(many or not single for single, many in zip(one, twelve, strict=True))

    def test_no_steps_leave_a_start(self):
        run = fitted(blobs(100, 2)[0], 3, max_iter=0).run
        assert run.lower_bounds == []
        assert run.parameters.weights.sum() == pytest.approx(1.0)

    def test_more_rows_than_starts_are_drawn_from(self):
        X = blobs(30_000, 2, n_components=3)[0]
        few, all_rows = fitted(X[::10], 3).run, fitted(X, 3).run
        assert all_rows.converged
        assert all_rows.lower_bound == pytest.approx(few.lower_bound, abs=0.05)


class TestSplits:
    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_a_copy_is_as_likely_as_the_mixture(self, kind):
        X = blobs(200, 2)[0]
        parameters = fitted(X, 2, kind).run.parameters
        apart, same = duplicates(parameters, 4, kind)
        assert len(apart.weights) == len(same.weights) == 4
        before = log_density(X, parameters, kind).mean()
        assert log_density(X, same, kind).mean() == pytest.approx(before, abs=1e-12)
        assert log_density(X, apart, kind).mean() == pytest.approx(before, abs=0.01)

    def test_halves_have_the_mean_and_the_covariance_of_the_whole(self):
        matrix = np.array([[[4.0, 1.0], [1.0, 2.0]]])
        whole = Parameters(np.ones(1), np.array([[3.0, -1.0]]), matrix, precisions_cholesky(matrix, "full"))
        halves = split(whole, 0, np.ones(2), "full", 0.7)
        np.testing.assert_allclose(halves.weights, [0.5, 0.5])
        np.testing.assert_allclose(halves.means.mean(axis=0), [3.0, -1.0])
        offsets = halves.means - [3.0, -1.0]
        np.testing.assert_allclose(halves.covariances.mean(axis=0) + offsets.T @ offsets / 2, matrix[0])
        assert np.linalg.norm(offsets[0]) == pytest.approx(0.7 * np.sqrt(np.linalg.eigvalsh(matrix[0])[1]))


def curves(table):
    """Return each covariance type's log-likelihoods by number of components, sound ones only."""
    found = {}
    for c in table:
        if not c.collapsed and np.isfinite(c.bic):
            found.setdefault(c.covariance_type, []).append((c.n_components, c.log_likelihood))
    return found


class TestSelect:
    @pytest.mark.parametrize("seed", [0, 1])
    @pytest.mark.parametrize("table", ["ten clusters", "no clusters", "dense in broad", "few values", "weighted"])
    def test_a_components_more_never_costs_likelihood(self, table, seed):
        random = np.random.default_rng(4)
        X = {
            "ten clusters": lambda: blobs(600, 2, n_components=10, seed=2)[0],
            "no clusters": lambda: random.normal(size=(250, 2)),
            "dense in broad": lambda: dense_in_broad(100, 1500),
            "few values": lambda: np.column_stack([random.poisson(6, 300), random.normal(size=300)]),
            "weighted": lambda: random.gamma(2.0, size=(200, 2)),
        }[table]()
        weights = random.uniform(0.5, 3, len(X)) if table == "weighted" else None
        with pytest.warns() if table == "few values" else np.errstate():
            found = bgsub.select(X, range(1, 9), sample_weight=weights, random_state=seed).table
        compared = 0
        for curve in curves(found).values():
            for (_, before), (_, after) in itertools.pairwise(curve):
                assert after >= before - 1e-9 * abs(before)
                compared += 1
        assert compared >= 8

    @pytest.mark.parametrize("counts", [[1, 4, 7], [7, 1, 4], [4, 4]])
    def test_numbers_may_have_gaps_and_any_order(self, counts):
        X = blobs(300, 2, n_components=5)[0]
        table = bgsub.select(X, counts, ["full", "tied"], random_state=0).table
        assert [c.n_components for c in table] == counts * 2
        assert [c.n_parameters for c in table] == [n_parameters(k, 2, t) for t in ("full", "tied") for k in counts]
        for curve in curves(table).values():
            bounds = [bound for _, bound in sorted(curve)]
            assert bounds == sorted(bounds)

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("n_features", [1, 2])
    def test_a_small_dense_cluster_is_counted(self, n_features, seed):
        X = dense_in_broad(n_features=n_features)
        assert bgsub.select(X, range(1, 4), ["full", "diag"], random_state=seed).best.n_components == 2

    def test_threads_change_nothing(self):
        X = blobs(300, 2, n_components=4)[0]
        tables = [bgsub.select(X, range(1, 6), random_state=3, threads=n).table for n in (1, 2, 5)]
        assert tables[0] == tables[1] == tables[2]

    def test_the_estimator_of_the_best_has_the_same_settings(self):
        best = bgsub.select(blobs(200, 2)[0], [2], "full", random_state=0).best
        assert (best.init_params, best.tol, best.n_init, best.max_iter) == ("short_runs", 1e-6, 12, 1000)
        assert bgsub.GaussianMixture().get_params()["tol"] == 1e-3
