"""SQUAREM: fewer passes, the same likelihood or a higher one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bgsub import GaussianMixture
from bgsub.mixture.em.rules import Rules
from bgsub.mixture.em.squarem import squarem
from bgsub.mixture.em.starts import parameters_of, seeds
from bgsub.mixture.passes.cpu import expectation
from bgsub.mixture.passes.statistics import maximisation
from tests.mixture.samples import COVARIANCE_TYPES, blobs
from tests.mixture.starts import run_em

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def start(X, n_components, covariance_type, seed=0):
    responsibilities = seeds(X, np.ones(len(X)), n_components, "kmeans", np.random.RandomState(seed))
    return parameters_of(X, np.ones(len(X)), responsibilities, covariance_type, 1e-6)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
class TestPasses:
    def both(self, X, n_components, covariance_type, tol, **limits):
        fits = {}
        for acceleration in (None, "squarem"):
            fits[acceleration] = GaussianMixture(
                n_components,
                covariance_type=covariance_type,
                tol=tol,
                max_iter=5000,
                random_state=0,
                acceleration=acceleration,
                **limits,
            ).fit(X)
        return fits[None], fits["squarem"]

    @pytest.mark.slow
    def test_overlapping_clusters_need_far_fewer(self, covariance_type):
        X, _ = blobs(n=400, n_features=2, n_components=4, spread=1.0, seed=3)
        plain, fast = self.both(X, 4, covariance_type, tol=1e-7)
        assert plain.converged_
        assert fast.converged_
        assert plain.n_iter_ > 80
        assert fast.n_iter_ < plain.n_iter_ / 2

    @pytest.mark.parametrize("tol", [1e-3, 1e-6])
    def test_the_likelihood_is_not_below_plain_em(self, covariance_type, tol):
        for seed in range(3):
            X, _ = blobs(n=500, n_features=2, n_components=3, spread=2.0, seed=seed)
            plain, fast = self.both(X, 3, covariance_type, tol)
            assert fast.score(X) > plain.score(X) - tol

    def test_the_bounds_never_fall_and_are_those_of_the_passes(self, covariance_type):
        X, _ = blobs(n=300, spread=1.0)
        steps = []

        def step(parameters):
            statistics = expectation(X, parameters, covariance_type)
            steps.append(statistics.log_likelihood / len(X))
            return maximisation(statistics, parameters, covariance_type, 1e-6), steps[-1]

        result = squarem(step, start(X, 4, covariance_type), Rules(covariance_type, 1e-6, 1e-9, 300))
        assert len(steps) == len(result.lower_bounds)
        assert (np.diff(result.lower_bounds) >= -1e-12).all()
        undone = [i for i, bound in enumerate(steps) if bound != result.lower_bounds[i]]
        for i in undone:
            assert steps[i] < result.lower_bounds[i] == result.lower_bounds[i - 1]

    @pytest.mark.parametrize("max_iter", [0, 1, 2, 3, 4, 5])
    def test_no_more_passes_than_allowed(self, covariance_type, max_iter):
        X, _ = blobs(n=300, spread=1.0)
        fit = GaussianMixture(
            4, covariance_type=covariance_type, max_iter=max_iter, tol=0.0, acceleration="squarem", random_state=0
        ).fit(X)
        assert fit.n_iter_ == max_iter

    def test_the_first_two_steps_are_plain(self, covariance_type):
        X, _ = blobs(n=300, spread=1.0)
        first = start(X, 3, covariance_type)

        def step(parameters):
            statistics = expectation(X, parameters, covariance_type)
            return (
                maximisation(statistics, parameters, covariance_type, 1e-6),
                statistics.log_likelihood / statistics.total_weight,
            )

        fast = squarem(step, first, Rules(covariance_type, 1e-6, 0.0, 2))
        plain = run_em(X, first, covariance_type, reg_covar=1e-6, tol=0.0, max_iter=2)
        assert_allclose(fast.lower_bounds, plain.lower_bounds, rtol=1e-12)
        assert_allclose(fast.parameters.means, plain.parameters.means, rtol=1e-9)


def test_a_leap_to_where_no_step_is_possible_is_undone():
    """A step that fails wherever plain EM would not have come leaves plain EM."""
    X, _ = blobs(n=300, spread=1.0)
    first = start(X, 3, "full")
    plain = run_em(X, first, "full", reg_covar=1e-6, tol=0.0, max_iter=40)
    reached = iter(np.array(plain.lower_bounds) + 1e-13)
    expected = next(reached)

    def step(parameters):
        nonlocal expected
        statistics = expectation(X, parameters, "full")
        bound = statistics.log_likelihood / statistics.total_weight
        if abs(bound - expected) > 1e-9:
            raise ValueError("not on the path of plain EM")
        expected = next(reached, np.nan)
        return maximisation(statistics, parameters, "full", 1e-6), bound

    result = squarem(step, first, Rules("full", 1e-6, 0.0, 20))
    distinct = list(dict.fromkeys(result.lower_bounds))
    assert len(distinct) < 20
    assert_allclose(distinct, plain.lower_bounds[: len(distinct)], atol=1e-9)
