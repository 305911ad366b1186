"""EM steps with noise, and without the least likely rows, against naive twins."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub.mixture.em.robust_data import RobustData, Robustness
from bgsub.mixture.em.training_data import RowsInBlocks, RowsInMemory
from bgsub.mixture.parameters import Parameters, matrices_of, precisions_cholesky
from bgsub.mixture.passes.robust import weight_left_out, without_least
from bgsub.mixture.passes.statistics import maximisation
from tests.mixture.samples import COVARIANCE_TYPES, blobs
from tests.naive_noise import noisy_step, trimmed_step

REG = 1e-4


def contaminated(n=300, n_features=3, seed=0):
    """Rows of three blobs, and some anywhere."""
    random = np.random.default_rng(seed)
    return np.concatenate([blobs(n, n_features, 3, seed=seed)[0], random.uniform(-20, 20, (n // 10, n_features))])


def a_start(X, kind, total=1.0):
    """Components about three of the rows, whose weights have a sum."""
    n_features = X.shape[1]
    base = np.array([np.eye(n_features) * s + 0.3 for s in (2.0, 3.0, 5.0)])
    covariances = {
        "full": base,
        "tied": base[0],
        "diag": np.einsum("kdd->kd", base) + np.arange(n_features),
        "spherical": np.array([2.0, 3.0, 4.0]),
    }[kind]
    weights = total * np.array([0.5, 0.3, 0.2])
    return Parameters(weights, X[:3].copy(), covariances, precisions_cholesky(covariances, kind))


def step(X, start, kind, how, weights=None, threads=None, blocks=None):
    data = RowsInMemory(X, weights)
    if blocks is not None:
        cuts = [
            (part, None if weights is None else w)
            for part, w in zip(
                np.array_split(X, blocks),
                np.array_split(np.ones(len(X)) if weights is None else weights, blocks),
                strict=True,
            )
        ]
        data = RowsInBlocks([part if w is None else (part, w) for part, w in cuts], lambda b, first: b, lambda: None)
        data.sample(10, 0)
    robust = RobustData(data, how, len(start.weights))
    with robust.passes(len(start.weights), kind, threads) as one_pass:
        statistics = one_pass(start)
    return statistics, maximisation(statistics, start, kind, REG)


def check_step(statistics, after, naive, kind):
    bound, (weights, means, covariances) = naive
    assert statistics.log_likelihood / statistics.total_weight == pytest.approx(bound, rel=1e-10)
    assert_allclose(after.weights, weights, rtol=1e-9, atol=1e-14)
    assert_allclose(after.means, means, rtol=1e-9, atol=1e-10)
    assert_allclose(matrices_of(after.covariances, kind, *means.shape), covariances, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("blocks", [None, 4])
class TestAStep:
    def rows(self, weighted, n_features=3):
        X = contaminated(n_features=n_features)
        return X, np.random.default_rng(1).uniform(0.5, 3, len(X)) if weighted else None

    def test_with_noise(self, kind, weighted, blocks):
        X, w = self.rows(weighted)
        start = a_start(X, kind, 0.9)
        result = step(X, start, kind, Robustness("box"), w, blocks=blocks)
        volume = np.prod(np.ptp(X, axis=0))
        matrices = matrices_of(start.covariances, kind, 3, 3)
        ones = np.ones(len(X)) if w is None else w
        check_step(*result, noisy_step(X, ones, start.weights, start.means, matrices, volume, kind, REG), kind)

    def test_trimmed(self, kind, weighted, blocks):
        X, w = self.rows(weighted)
        start = a_start(X, kind)
        result = step(X, start, kind, Robustness(trim=0.1), w, blocks=blocks)
        matrices = matrices_of(start.covariances, kind, 3, 3)
        ones = np.ones(len(X)) if w is None else w
        left_out = weight_left_out(ones, 0.1)
        check_step(*result, trimmed_step(X, ones, start.weights, start.means, matrices, left_out, kind, REG), kind)


@pytest.mark.parametrize("how", [Robustness("box"), Robustness(trim=0.07)])
class TestPasses:
    def test_of_one_feature(self, how):
        X = contaminated(n_features=1)
        start = a_start(X, "full", 0.9 if how.noise else 1.0)
        statistics, after = step(X, start, "full", how)
        assert after.weights.sum() == pytest.approx(1 - statistics.noise / statistics.total_weight)
        assert (statistics.noise > 0) == (how.noise is not None)

    @pytest.mark.parametrize("kind", ["full", "tied"])
    def test_of_many_features(self, how, kind):
        X = contaminated(n_features=20)
        start = a_start(X, kind, 0.9 if how.noise else 1.0)
        matrices = matrices_of(start.covariances, kind, 3, 20)
        ones = np.ones(len(X))
        if how.noise:
            naive = noisy_step(X, ones, start.weights, start.means, matrices, np.prod(np.ptp(X, axis=0)), kind, REG)
        else:
            naive = trimmed_step(X, ones, start.weights, start.means, matrices, np.ceil(0.07 * len(X)), kind, REG)
        check_step(*step(X, start, kind, how), naive, kind)

    def test_are_the_same_for_any_number_of_threads(self, how):
        X = contaminated(n=60_000)
        start = a_start(X, "full", 0.9 if how.noise else 1.0)
        one, three = (step(X, start, "full", how, threads=n)[1] for n in (1, 3))
        for a, b in zip(one, three, strict=True):
            assert_array_equal(a, b)

    def test_of_float32(self, how):
        X = contaminated().astype(np.float32)
        start = a_start(X.astype(np.float64), "full", 0.9 if how.noise else 1.0)
        for a, b in zip(step(X, start, "full", how)[1], step(X.astype(np.float64), start, "full", how)[1], strict=True):
            assert_allclose(a, b, rtol=1e-9)

    def test_a_weight_of_two_is_the_row_twice(self, how):
        X = contaminated()
        w = np.where(np.arange(len(X)) % 3 == 0, 2.0, 1.0)
        start = a_start(X, "full", 0.9 if how.noise else 1.0)
        twice = np.repeat(X, w.astype(int), axis=0)
        for a, b in zip(step(X, start, "full", how, w)[1], step(twice, start, "full", how)[1], strict=True):
            assert_allclose(a, b, rtol=1e-8)

    def test_a_row_of_no_weight_says_nothing(self, how):
        X = contaminated()
        start = a_start(X, "full", 0.9 if how.noise else 1.0)
        more, w = np.concatenate([X, [[1e6, 0, 0]]]), np.append(np.ones(len(X)), 0.0)
        for a, b in zip(step(more, start, "full", how, w)[1], step(X, start, "full", how)[1], strict=True):
            assert_allclose(a, b, rtol=1e-9)


class TestLeavingOut:
    def test_the_least_likely_rows_lose_their_weight(self):
        kept = without_least(np.array([3.0, 1.0, 2.0, 5.0]), np.ones(4), 2.0)
        assert kept.tolist() == [1, 0, 0, 1]

    def test_the_row_on_the_border_keeps_a_part(self):
        kept = without_least(np.array([3.0, 1.0, 2.0, 5.0]), np.array([1.0, 2.0, 4.0, 1.0]), 3.0)
        assert kept.tolist() == [1, 0, 3, 1]

    def test_of_equal_rows_the_last_goes(self):
        assert without_least(np.zeros(4), np.ones(4), 1.0).tolist() == [1, 1, 1, 0]

    @pytest.mark.parametrize(
        ("n", "share", "expected"), [(60, 0.05, 3), (60, 0.01, 1), (100, 0.07, 7), (1000, 0.3, 300), (7, 0.5, 4)]
    )
    def test_whole_rows_are_left_out(self, n, share, expected):
        assert weight_left_out(np.ones(n), share) == expected
        assert weight_left_out(np.full(n, 1 / n), share) == pytest.approx(expected / n)
