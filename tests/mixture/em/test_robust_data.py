"""EM over rows of which some are noise or are left out: it climbs, and it starts where it should."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from bgsub import ParameterError
from bgsub.mixture.em.loop import best_run, run_em
from bgsub.mixture.em.robust_data import RobustData, Robustness, sparsity
from bgsub.mixture.em.rules import Rules
from bgsub.mixture.em.starts import Seeding, draw_starts
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.parameters import separated
from tests.mixture.samples import COVARIANCE_TYPES

CENTRES = np.array([[0.0, 0.0], [8.0, 0.0], [4.0, 7.0]])
HOWS = [Robustness("box"), Robustness("hull"), Robustness(trim=0.1)]


def three_clusters(noise, n=500, seed=0):
    """Rows of three clusters, of which a share is anywhere, and the cluster of each; -1 anywhere."""
    random = np.random.default_rng(seed)
    labels = np.where(random.random(n) < noise, -1, random.choice(3, n, p=[0.5, 0.3, 0.2]))
    rows = CENTRES[labels] + random.normal(size=(n, 2)) * np.array([[1, 0.5], [0.7, 1.2], [0.5, 0.5]])[labels]
    return np.where(labels[:, None] < 0, random.uniform(-15, 20, (n, 2)), rows), labels


def fit(X, n_components, how, kind="full", tol=1e-8, seed=0, weights=None, reg_covar=1e-6):
    data = RobustData(RowsInMemory(X, weights), how, n_components)
    rules = Rules(kind, reg_covar, tol, 500)
    seeding = Seeding(n_components, 1, "kmeans", np.random.RandomState(seed))
    starts = [
        data.started(start) for view in data.views() for start in draw_starts(view, seeding, rules, (None,) * 3, None)
    ]
    return best_run(data, starts, rules), data


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("how", HOWS)
def test_the_likelihood_never_falls(kind, how):
    X = three_clusters(0.15)[0]
    bad = CENTRES[::-1] + np.array([3.0, 2.0])  # a start far from any end
    start = draw_starts(
        RowsInMemory(X),
        Seeding(3, 1, "random", np.random.RandomState(1)),
        Rules(kind, 1e-6, 0, 1),
        (None, bad, None),
        None,
    )[0]
    data = RobustData(RowsInMemory(X), how, 3)
    for at in (data.started(start), fit(X, 3, how, kind)[0].parameters):
        bounds = run_em(data, at, Rules(kind, 0.0, 0.0, 60)).lower_bounds
        assert len(bounds) == 60
        assert np.diff(bounds).min() > -1e-10


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("region", ["box", "hull"])
def test_as_much_noise_is_found_as_there_is(share, region):
    for seed in range(3):
        X, labels = three_clusters(share, seed=seed)
        run, _ = fit(X, 3, Robustness(region), seed=seed)
        assert 1 - run.parameters.weights.sum() == pytest.approx((labels < 0).mean(), abs=0.02)
        apart = np.linalg.norm(run.parameters.means[:, None] - CENTRES, axis=2)
        assert sorted(apart.argmin(axis=1).tolist()) == [0, 1, 2]
        assert apart.min(axis=1).max() < 0.4


def with_a_wrong_value(value, seed=0):
    """Sixty rows of two clusters, in one of which a value is wrong, and those of that cluster that are right."""
    random = np.random.default_rng(seed)
    X = np.concatenate([random.normal([1200, 3], [12, 0.2], (30, 2)), random.normal([2500, 4], [60, 0.2], (30, 2))])
    X[2, 0] = value
    return X, np.delete(X[:30], 2, axis=0)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("value", [-999.0, 0.0, 1e6, 1e9])
def test_a_wrong_value_does_not_widen_its_cluster(how, value):
    for seed in range(3):
        X, right = with_a_wrong_value(value, seed)
        run, _ = fit(X, 2, how, seed=seed)
        k = run.parameters.means[:, 0].argmin()
        assert run.parameters.means[k, 0] == pytest.approx(right[:, 0].mean(), abs=6)
        limit = 0.05 if how.noise else 0.25  # six rows are left out; `fit` makes up for it
        assert np.sqrt(run.parameters.covariances[k, 0, 0]) == pytest.approx(right[:, 0].std(), rel=limit)


@pytest.mark.parametrize("how", HOWS)
def test_one_wide_cluster_beside_a_narrow_one_is_no_noise(how):
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(0, 0.1, (375, 2)), random.normal([6, 0], 2, (125, 2))])
    run, _ = fit(X, 2, how)
    assert separated(run.parameters).weights.min() > 0.15


def test_where_all_is_noise_the_components_have_next_to_nothing():
    X = np.random.default_rng(0).uniform(0, 1, (400, 2))
    run, _ = fit(X, 1, Robustness("box"))
    assert np.isfinite(run.lower_bound)
    assert run.lower_bound >= -1e-6  # uniform noise of the box alone has 0


def test_sparse_rows_are_those_with_few_near_whatever_the_units():
    X, labels = three_clusters(0.05, n=3000)
    for units in (1.0, np.array([1e-6, 1e5])):
        order = np.argsort(sparsity(X * units))
        assert (labels[order[-100:]] < 0).mean() > 0.9


@pytest.mark.parametrize("n", [1, 2, 3, 12])
def test_sparsity_of_few_or_equal_rows(n):
    assert sparsity(np.ones((n, 2))).tolist() == [0.0] * n
    assert np.isfinite(sparsity(np.arange(2.0 * n).reshape(n, 2))).all()


def test_enough_rows_are_left_for_a_start():
    X = np.random.default_rng(0).normal(size=(10, 2))
    rows, weights = RobustData(RowsInMemory(X), Robustness("box"), 4, 0.3).sample(100, 0)
    assert len(rows) == len(weights) == 8
    rows, _ = RobustData(RowsInMemory(X), Robustness("box"), 8, 0.3).sample(100, 0)
    assert_array_equal(rows, X)


def test_rows_elsewhere_are_refused():
    for how, what in (
        (Robustness("box"), "noise"),
        (Robustness("hull"), "a hull of noise"),
        (Robustness(trim=0.1), "trim"),
    ):
        with pytest.raises(ParameterError, match=f"^{what} needs the rows here"):
            RobustData(object(), how, 2)


def test_rows_with_gaps_are_refused():
    with pytest.raises(ParameterError, match="noise and trim need complete rows"):
        RobustData(RowsInMemory(np.eye(3), missing="em"), Robustness("box"), 2)


def test_a_small_wide_cluster_is_no_noise():
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(0, 1, (4500, 2)), random.normal([12, 12], 1.5, (90, 2))])
    run, _ = fit(X, 2, Robustness("box"))
    assert sorted(run.parameters.weights) == pytest.approx([90 / 4590, 4500 / 4590], abs=0.004)
