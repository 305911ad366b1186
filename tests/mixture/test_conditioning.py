"""Marginals and conditionals against scipy and numeric integration."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad

from bgsub import GaussianMixture
from tests.mixture.samples import COVARIANCE_TYPES, blobs

NAMES = ["a", "b", "c"]


@pytest.fixture(params=COVARIANCE_TYPES)
def model(request):
    """A mixture with correlated features."""
    X = blobs(n=600, spread=2.0)[0] @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, -0.6], [0.0, 0.0, 1.0]])
    return GaussianMixture(3, covariance_type=request.param, random_state=0).fit(X)


def density(model, *columns):
    return np.exp(model.score_samples(np.column_stack(np.broadcast_arrays(*columns))))


class TestMarginal:
    def test_it_is_the_integral_over_the_others(self, model):
        pair = model.marginal([2, 0])
        for a, c in [(0.0, 0.0), (1.5, -2.0), (-3.0, 1.0)]:
            integral = quad(lambda b, a=a, c=c: density(model, a, b, c)[0], -40, 40, limit=200)[0]
            assert density(pair, c, a)[0] == pytest.approx(integral, rel=1e-6)

    def test_of_all_features_it_is_the_mixture(self, model):
        X = blobs(n=50)[0]
        assert_allclose(model.marginal([0, 1, 2]).score_samples(X), model.score_samples(X), rtol=1e-9)

    def test_one_feature_by_its_index(self, model):
        assert model.marginal(1).means_.shape == (3, 1)
        assert model.marginal(1).covariance_type == model.covariance_type


class TestConditional:
    def test_joint_is_conditional_times_marginal(self, model):
        X = blobs(n=20, spread=2.0, seed=3)[0]
        for known in ([0], [1, 2], [2, 0]):
            unknown = [i for i in range(3) if i not in known]
            for row in X:
                conditional = model.conditional({i: row[i] for i in known})
                joint = model.score_samples(row[None])[0]
                part = model.marginal(known).score_samples(row[known][None])[0]
                assert conditional.score_samples(row[unknown][None])[0] == pytest.approx(
                    joint - part, rel=1e-8, abs=1e-8
                )

    def test_it_integrates_to_one(self, model):
        conditional = model.conditional({0: 1.0, 2: -0.5})
        assert quad(lambda b: density(conditional, b)[0], -40, 40, limit=200)[0] == pytest.approx(1.0, abs=1e-6)

    def test_it_is_a_fitted_model(self, model):
        conditional = model.conditional({1: 0.3})
        rows, components = conditional.sample(10)
        assert rows.shape == (10, 2)
        assert conditional.predict_proba(rows).shape == (10, 3)
        assert conditional.weights_.sum() == pytest.approx(1.0)
        assert components.max() < 3

    def test_known_far_from_every_component(self, model):
        conditional = model.conditional({1: 1e4})
        assert np.isfinite(conditional.means_).all()
        assert conditional.weights_.sum() == pytest.approx(1.0)


class TestRegression:
    def test_moments_are_those_of_the_conditional_mixture(self, model):
        X = blobs(n=15, spread=2.0, seed=4)[0]
        for known in ([1], [2, 0]):
            mean, covariance = model.regress(X[:, known], known, return_cov=True)
            for i, row in enumerate(X):
                conditional = model.conditional(dict(zip(known, row[known], strict=True)))
                w, m = conditional.weights_, conditional.means_
                assert_allclose(mean[i], w @ m, rtol=1e-9)
                matrices = {
                    "full": lambda c: c,
                    "tied": lambda c: np.stack([c] * 3),
                    "diag": lambda c: np.stack([np.diag(v) for v in c]),
                    "spherical": lambda c, d=m.shape[1]: np.stack([v * np.eye(d) for v in c]),
                }[model.covariance_type](conditional.covariances_)
                spread = np.einsum("k,kd,ke->de", w, m - w @ m, m - w @ m)
                assert_allclose(covariance[i], np.tensordot(w, matrices, 1) + spread, rtol=1e-8, atol=1e-10)

    def test_a_curve_is_found_again(self):
        random = np.random.default_rng(0)
        x = random.uniform(-3, 3, 4000)
        X = np.column_stack([x, np.sin(x) + 0.05 * random.normal(size=4000)])
        model = GaussianMixture(12, random_state=0, n_init=2, max_iter=300).fit(X)
        grid = np.linspace(-2.8, 2.8, 50)
        assert_allclose(model.regress(grid[:, None], 0)[:, 0], np.sin(grid), atol=0.05)


class TestNames:
    def test_features_by_name(self):
        pandas = pytest.importorskip("pandas")
        model = GaussianMixture(2, random_state=0).fit(pandas.DataFrame(blobs()[0], columns=NAMES))
        marginal = model.marginal(["c", "a"])
        assert_array_equal(marginal.feature_names_in_, ["c", "a"])
        assert_allclose(marginal.means_, model.means_[:, [2, 0]])
        conditional = model.conditional({"b": 1.0})
        assert_array_equal(conditional.feature_names_in_, ["a", "c"])
        assert_allclose(conditional.means_, model.conditional({1: 1.0}).means_)
        with pytest.raises(ValueError, match="unknown feature 'd': there are a, b, c"):
            model.marginal(["d"])

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda m: m.marginal([]), "features is empty"),
            (lambda m: m.marginal([0, 0]), "holds a feature twice"),
            (lambda m: m.marginal([3]), "features holds 3: give names, or indices from 0 to 2"),
            (lambda m: m.marginal([-1]), "features holds -1"),
            (lambda m: m.marginal("a"), "unknown feature 'a': the model was fitted without names"),
            (lambda m: m.conditional({}), "given is empty"),
            (lambda m: m.conditional({0: 1, 1: 1, 2: 1}), "given holds every feature"),
            (lambda m: m.conditional({0: float("nan")}), "given holds NaN or infinity"),
            (lambda m: m.regress([[1.0]], [0, 1]), "X has 1 columns where given names 2"),
            (lambda m: m.regress([[np.nan]], [0]), "NaN at row 0, column 0"),
        ],
    )
    def test_bad_arguments(self, call, message):
        model = GaussianMixture(2, random_state=0).fit(blobs()[0])
        with pytest.raises(ValueError, match=message):
            call(model)
