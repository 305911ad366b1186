"""What a likelihood owes to rows that were seen: against fits without them, and what choosing by it is good for."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.mixture.em.left_out import optimism
from bgsub.mixture.em.loop import best_first
from bgsub.mixture.em.rules import EMResult, Rules
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.fitting import FitOptions, fit
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, precisions_cholesky
from bgsub.mixture.passes.cpu import log_density
from tests.mixture.samples import blobs


def parameters_of(X, shares, kind, reg_covar=0.0):
    """Return weights, means and covariances of rows of given shares (n, K), by the book."""
    counts = shares.sum(axis=0)
    means = (shares.T @ X) / counts[:, None]
    scatters = [(shares[:, k, None] * (X - m)).T @ (X - m) for k, m in enumerate(means)]
    least = reg_covar * np.eye(X.shape[1])
    full = np.array([s / n + least for s, n in zip(scatters, counts, strict=True)])
    covariances = {
        "full": full,
        "tied": sum(scatters) / counts.sum() + least,
        "diag": np.array([np.diagonal(c) for c in full]),
        "spherical": np.array([np.trace(c) / X.shape[1] for c in full]),
    }[kind]
    return Parameters(counts / counts.sum(), means, covariances, precisions_cholesky(covariances, kind))


def shares_of(X, parameters, kind):
    """Return responsibilities (n, K)."""
    each = []
    for k, weight in enumerate(parameters.weights):
        one = slice(k, k + 1)
        covariances = parameters.covariances if kind == "tied" else parameters.covariances[one]
        factors = parameters.precisions_cholesky if kind == "tied" else parameters.precisions_cholesky[one]
        alone = Parameters(np.ones(1), parameters.means[one], covariances, factors)
        each.append(weight * np.exp(log_density(X, alone, kind)))
    densities = np.column_stack(each)
    return densities / densities.sum(axis=1, keepdims=True)


def settled(X, n_components, kind, weights):
    """Return a mixture at which EM stands still, and the rows' responsibilities."""
    shares = np.random.default_rng(0).dirichlet(np.ones(n_components), len(X))
    for _ in range(200):
        parameters = parameters_of(X, shares * weights[:, None], kind)
        shares = shares_of(X, parameters, kind)
    return parameters, shares


class TestOptimism:
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("n_components", [1, 3])
    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_it_is_what_each_row_lacks_where_its_shares_are_taken_out(self, kind, n_components, weighted):
        X = blobs(60, 3, n_components=3, seed=1)[0] * [1.0, 20.0, 0.3] + [0.0, 1e3, -5.0]
        weights = np.random.default_rng(2).integers(1, 4, 60).astype(float) if weighted else np.ones(60)
        parameters, shares = settled(X, n_components, kind, weights)
        lacking = []
        for i in range(60):
            left = weights.copy()
            left[i] -= 1.0
            without = parameters_of(X, shares * left[:, None], kind)
            lacking.append((log_density(X[i : i + 1], parameters, kind) - log_density(X[i : i + 1], without, kind))[0])
        found = optimism(parameters, kind, X, weights if weighted else None)
        nearly = 0.02 if kind == "tied" and n_components > 1 else 1e-6  # a row has shares in the others' scatter, too
        assert found == pytest.approx(np.average(lacking, weights=weights), rel=nearly)
        assert found > 0

    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_weights_of_any_scale_below_rows_count_rows(self, kind):
        X = blobs(80, 2)[0]
        parameters, _ = settled(X, 2, kind, np.ones(80))
        plain = optimism(parameters, kind, X)
        for scale in (1.0, 1e-3, 1 / 80):
            assert optimism(parameters, kind, X, np.full(80, scale)) == pytest.approx(plain, rel=1e-9)
        assert optimism(parameters, kind, np.repeat(X, 3, axis=0)) == pytest.approx(
            optimism(parameters, kind, X, np.full(80, 3.0)), rel=1e-9
        )

    def test_units_do_not_matter(self):
        X = blobs(80, 2)[0]
        parameters, shares = settled(X, 2, "full", np.ones(80))
        units = np.array([[1e-4, 0.0], [3e-4, 1e5]])
        moved = parameters_of(X @ units + 7.0, shares, "full")
        assert optimism(moved, "full", X @ units + 7.0) == pytest.approx(optimism(parameters, "full", X), rel=1e-6)

    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_many_rows_go_in_blocks_and_lack_little(self, kind):
        X = np.random.default_rng(0).normal(size=(90_000, 3))
        one = parameters_of(X, np.ones((len(X), 1)), kind)
        free = {"full": 9, "tied": 9, "diag": 6, "spherical": 4}[kind]
        assert optimism(one, kind, X) == pytest.approx(free / len(X), rel=0.05)  # as Akaike's criterion has it

    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_a_component_of_one_row_or_of_none_is_a_number(self, kind):
        X = np.concatenate([np.random.default_rng(0).normal(size=(30, 2)), [[50.0, 50.0]]])
        shares = np.zeros((31, 3))
        shares[:30, 0] = shares[30, 1] = 1.0
        shares[:, 2] = 1e-300
        lacking = optimism(parameters_of(X, shares, kind, reg_covar=1e-6), kind, X)
        assert np.isfinite(lacking)
        assert lacking > (0.1 if kind == "tied" else 1.0)  # the row alone is nowhere without itself


def run(bound, parameters):
    return EMResult(parameters, [bound], True)


class TestBestFirst:
    RULES = Rules("full", 1e-6, 1e-6, 1000)

    def test_a_likelihood_of_few_rows_is_worth_less(self):
        X = np.random.default_rng(3).normal(size=(60, 5))
        thin, broad = np.zeros((60, 2)), np.zeros((60, 2))
        thin[:8, 0] = thin[8:, 1] = broad[:30, 0] = broad[30:, 1] = 1.0
        thin, broad = (parameters_of(X, shares, "full") for shares in (thin, broad))
        runs = [run(float(log_density(X, p, "full").mean()), p) for p in (broad, thin)]
        assert runs[1].lower_bound > runs[0].lower_bound
        assert best_first(runs, self.RULES, 2) == [runs[1], runs[0]]
        assert best_first(runs, self.RULES, 2, (X, np.ones(60))) == [runs[0], runs[1]]
        assert best_first(runs, self.RULES, 1, (X, np.ones(60))) == [runs[0]]

    def test_equal_ones_keep_their_order_and_collapsed_ones_come_last(self):
        X = np.random.default_rng(3).normal(size=(60, 2))
        sound = parameters_of(X, np.ones((60, 1)), "full")
        flat = np.array([[[1.0, 0.0], [0.0, 1e-6]]])
        collapsed = sound._replace(covariances=flat, precisions_cholesky=precisions_cholesky(flat, "full"))
        runs = [run(9.0, collapsed), run(-3.0, sound), run(-3.0, sound), run(-2.0, sound)]
        for rows in (None, (X, np.ones(60))):
            found = best_first(runs, self.RULES, 4, rows)
            assert [id(r) for r in found] == [id(runs[i]) for i in (3, 1, 2, 0)]


class TestFit:
    @pytest.mark.parametrize(("n_rows", "n_features", "n_components"), [(120, 6, 3), (120, 10, 4), (100, 8, 4)])
    def test_rows_held_out_are_likelier_than_by_the_highest_likelihood(
        self, n_rows, n_features, n_components, monkeypatch
    ):
        """On average over tables: on each by itself chance decides."""
        how = {"n_init": 12, "init_params": "short_runs", "tol": 1e-6, "max_iter": 1000, "threads": 1}
        gained = []
        for seed in range(10):
            random = np.random.default_rng(seed)
            centres = random.normal(scale=2.0, size=(n_components, n_features))
            X = centres[random.integers(n_components, size=n_rows + 2000)]
            X = X + random.normal(size=X.shape)
            data, options = RowsInMemory(X[:n_rows]), FitOptions(n_components=n_components, **how)

            def held_out(data=data, options=options, unseen=X[n_rows:], seed=seed):
                mixture = fit(data, options, np.random.RandomState(seed), tell=lambda line: None).mixture
                return mixture.log_densities(unseen).mean()

            with monkeypatch.context() as patched:
                patched.setattr("bgsub.mixture.em.loop.optimism", lambda *_: 0.0)
                by_likelihood = held_out()
            gained.append(held_out() - by_likelihood)
        assert np.mean(gained) > 0.02
