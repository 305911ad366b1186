"""What must hold of any mixture fitted by EM."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2, multivariate_normal

from bgsub import GaussianMixture
from bgsub.mixture import fitted
from tests.mixture.samples import COVARIANCE_TYPES, aligned, blobs, ellipses

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
class TestEveryType:
    @pytest.mark.parametrize("acceleration", [None, "squarem"])
    def test_the_likelihood_never_falls(self, covariance_type, acceleration):
        for seed in range(4):
            X, _ = blobs(n=300, n_components=4, spread=1.0, seed=seed)
            model = GaussianMixture(
                4,
                covariance_type=covariance_type,
                tol=1e-6,
                max_iter=200,
                reg_covar=0.0,
                random_state=seed,
                acceleration=acceleration,
            ).fit(X)
            rises = np.diff(model.lower_bounds_)
            assert model.n_iter_ > 10
            assert (rises > -1e-12).all()

    def test_responsibilities_and_weights_sum_to_one(self, covariance_type):
        X, _ = blobs(spread=1.0)
        model = GaussianMixture(5, covariance_type=covariance_type, random_state=0).fit(X)
        far = np.vstack([X, [[1e6] * 3], [[-1e9, 0.0, 1e9]]])
        assert_allclose(model.predict_proba(far).sum(axis=1), 1.0, rtol=1e-12)
        assert model.weights_.sum() == pytest.approx(1.0, abs=1e-14)

    def test_the_most_probable_component_is_predicted(self, covariance_type):
        X, _ = blobs(spread=1.0)
        model = GaussianMixture(5, covariance_type=covariance_type, random_state=0).fit(X)
        assert_array_equal(model.predict(X), model.predict_proba(X).argmax(axis=1))

    def test_fit_predict_is_fit_and_predict(self, covariance_type):
        for dtype in (np.float64, np.float32):
            X = blobs(spread=0.7)[0].astype(dtype)
            model = GaussianMixture(5, covariance_type=covariance_type, random_state=0, max_iter=7)
            assert_array_equal(model.fit_predict(X), model.fit(X).predict(X))

    def test_the_density_is_that_of_the_parameters(self, covariance_type):
        X, _ = blobs(spread=1.5)
        model = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(X)
        matrices = {
            "full": lambda c, k: c[k],
            "tied": lambda c, k: c,
            "diag": lambda c, k: np.diag(c[k]),
            "spherical": lambda c, k: c[k] * np.eye(3),
        }[covariance_type]
        density = sum(
            w * multivariate_normal(m, matrices(model.covariances_, k)).pdf(X)
            for k, (w, m) in enumerate(zip(model.weights_, model.means_, strict=True))
        )
        assert_allclose(model.score_samples(X), np.log(density), rtol=1e-10)

    def test_draws_have_the_mixtures_moments(self, covariance_type):
        X, _ = blobs(n=1000, n_features=2, n_components=3, spread=8.0)
        model = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(X)
        drawn, components = model.sample(60_000)
        counts = np.bincount(components, minlength=3)
        assert_allclose(counts / len(drawn), model.weights_, atol=0.01)
        assert_allclose(drawn.mean(axis=0), model.weights_ @ model.means_, atol=0.1)
        again = GaussianMixture(3, covariance_type=covariance_type, means_init=model.means_).fit(drawn)
        assert_allclose(again.means_, model.means_, atol=0.1)
        assert_allclose(again.covariances_, model.covariances_, atol=0.1)

    def test_weights_count_as_repeated_rows(self, covariance_type):
        X, _ = blobs(n=200, spread=1.0)
        weights = np.random.default_rng(0).integers(0, 4, len(X))
        start = {"means_init": X[:3], "weights_init": [0.2, 0.3, 0.5], "max_iter": 20, "tol": 0.0}
        precisions = {"full": np.stack([np.eye(3)] * 3), "tied": np.eye(3), "diag": np.ones((3, 3))}
        start["precisions_init"] = precisions.get(covariance_type, np.ones(3))
        weighted = GaussianMixture(3, covariance_type=covariance_type, **start).fit(X, sample_weight=weights)
        rows = np.repeat(X, weights, axis=0)
        repeated = GaussianMixture(3, covariance_type=covariance_type, **start).fit(rows)
        assert_allclose(weighted.means_, repeated.means_, rtol=1e-9)
        assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-9, atol=1e-12)
        assert weighted.score(X, sample_weight=weights) == pytest.approx(repeated.score(rows), rel=1e-12)
        for criterion in ("aic", "bic", "icl"):
            a = getattr(weighted, criterion)(X, sample_weight=weights)
            assert a == pytest.approx(getattr(repeated, criterion)(rows), rel=1e-11)

    def test_weights_count_as_repeated_rows_with_one_component_and_a_drawn_start(self, covariance_type):
        X, _ = blobs(n=100)
        weights = np.random.default_rng(0).integers(0, 4, len(X))
        weighted = GaussianMixture(covariance_type=covariance_type).fit(X, sample_weight=weights)
        repeated = GaussianMixture(covariance_type=covariance_type).fit(np.repeat(X, weights, axis=0))
        assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-10)

    def test_the_result_does_not_depend_on_threads(self, covariance_type):
        X, _ = blobs(n=5000, spread=1.0)
        one, three = (
            GaussianMixture(4, covariance_type=covariance_type, n_init=4, random_state=0, threads=t).fit(X)
            for t in (1, 3)
        )
        assert one.lower_bounds_ == three.lower_bounds_
        assert_array_equal(one.means_, three.means_)
        assert_array_equal(one.covariances_, three.covariances_)
        assert_array_equal(one.predict_proba(X), three.predict_proba(X))

    def test_more_starts_are_never_worse(self, covariance_type):
        X, _ = blobs(n=400, n_components=6, spread=1.5)
        bounds = [
            GaussianMixture(
                6, covariance_type=covariance_type, n_init=n, init_params="random_from_data", random_state=2
            )
            .fit(X)
            .lower_bound_
            for n in (1, 2, 6)
        ]
        assert bounds == sorted(bounds)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_the_best_of_several_starts_is_kept(self, covariance_type, threads):
        X, _ = blobs(n=400, n_components=6, spread=4.0)
        kind = {"covariance_type": covariance_type, "init_params": "random_from_data", "threads": threads}
        gains = [
            GaussianMixture(6, n_init=5, random_state=seed, **kind).fit(X).lower_bound_
            - GaussianMixture(6, random_state=seed, **kind).fit(X).lower_bound_
            for seed in range(5)
        ]
        assert min(gains) >= 0
        assert max(gains) > 0.01

    @pytest.mark.parametrize("order", ["F", "strided"])
    def test_the_layout_of_rows_does_not_matter(self, covariance_type, order):
        X, _ = blobs()
        laid_out = np.asfortranarray(X) if order == "F" else np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
        plain, other = (
            GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(rows) for rows in (X, laid_out)
        )
        assert_allclose(other.means_, plain.means_, rtol=1e-12)


class TestOneDimension:
    def test_all_types_are_one_model_of_one_component(self):
        X = np.random.default_rng(0).normal(size=(100, 1))
        bics = [GaussianMixture(covariance_type=kind).fit(X).bic(X) for kind in COVARIANCE_TYPES]
        assert_allclose(bics, bics[0], rtol=1e-12)

    def test_all_types_with_covariances_of_their_own_are_one_model(self):
        X = np.concatenate(
            [np.random.default_rng(0).normal(size=(80, 1)), 5 + np.random.default_rng(1).normal(size=(80, 1))]
        )
        models = [GaussianMixture(2, covariance_type=kind, random_state=0) for kind in ("full", "diag", "spherical")]
        bics = [model.fit(X).bic(X) for model in models]
        assert_allclose(bics, bics[0], rtol=1e-12)


class TestParametersRecovered:
    @pytest.mark.parametrize("acceleration", [None, "squarem"])
    def test_crossing_ellipses(self, acceleration):
        X, labels, means, covariances = ellipses()
        model = GaussianMixture(2, random_state=0, n_init=2, acceleration=acceleration).fit(X)
        order = aligned(model.means_, means)
        assert sorted(order) == [0, 1]
        assert_allclose(model.weights_[order], [0.3, 0.7], atol=0.02)
        assert_allclose(model.means_[order], means, atol=0.2)
        assert_allclose(model.covariances_[order], covariances, atol=0.25)
        assert np.mean(np.asarray(order)[labels] == model.predict(X)) > 0.98

    def test_a_small_segment_beside_a_large_one(self):
        random = np.random.default_rng(0)
        sizes, centres = [4500, 400, 100], [[0.0, 0.0], [6.0, 0.0], [0.0, 8.0]]
        X = np.concatenate([random.normal(size=(n, 2)) + c for n, c in zip(sizes, centres, strict=True)])
        model = GaussianMixture(3, n_init=5, random_state=0).fit(X)
        assert_allclose(model.weights_[aligned(model.means_, centres)], [0.90, 0.08, 0.02], atol=0.005)


class TestCriteria:
    def test_formulae(self):
        X, _ = blobs(spread=1.0)
        model = GaussianMixture(3, covariance_type="tied", random_state=0).fit(X)
        likelihood, free = model.score_samples(X).sum(), 3 * 3 + 6 + 2
        r = model.predict_proba(X)
        entropy = -(r[r > 0] * np.log(r[r > 0])).sum()
        assert model.aic(X) == pytest.approx(-2 * likelihood + 2 * free)
        assert model.bic(X) == pytest.approx(-2 * likelihood + np.log(len(X)) * free)
        assert model.icl(X) == pytest.approx(model.bic(X) + 2 * entropy)
        assert model.criteria(X) == pytest.approx(
            {"log_likelihood": likelihood, "aic": model.aic(X), "bic": model.bic(X), "icl": model.icl(X)}
        )

    def test_weights_go_with_their_rows_where_rows_are_taken_in_blocks(self, monkeypatch):
        X, _ = blobs(spread=1.0)
        weights = np.random.default_rng(0).random(len(X))
        model = GaussianMixture(3, random_state=0).fit(X)
        whole = model.criteria(X, weights)
        monkeypatch.setattr(fitted, "ROWS_A_BLOCK", 37)
        assert model.criteria(X, weights) == pytest.approx(whole, rel=1e-12)
        assert whole["log_likelihood"] == pytest.approx(weights @ model.score_samples(X), rel=1e-12)

    def test_separate_clusters_have_no_entropy(self):
        X, _ = blobs(spread=100.0)
        model = GaussianMixture(4, n_init=5, random_state=0).fit(X)
        assert model.icl(X) == pytest.approx(model.bic(X))


class TestAnomalies:
    def test_the_share_of_rows_below_the_threshold(self):
        X, _ = blobs(n=4000)
        model = GaussianMixture(4, n_init=3, random_state=0).fit(X)
        for q in (0.01, 0.1, 0.5):
            assert np.mean(model.score_samples(X) < model.anomaly_threshold(q, X)) == pytest.approx(q, abs=1e-3)
            assert np.mean(model.score_samples(X) < model.anomaly_threshold(q)) == pytest.approx(q, abs=0.02)

    def test_one_gaussian_in_closed_form(self):
        X = np.random.default_rng(0).normal(size=(500, 3)) @ np.diag([1.0, 2.0, 3.0])
        model = GaussianMixture().fit(X)
        peak = model.score_samples(model.means_)[0]
        for q in (0.01, 0.2):
            assert model.anomaly_threshold(q) == pytest.approx(peak - 0.5 * chi2(3).isf(q), abs=0.05)

    def test_it_is_the_same_at_each_call(self):
        model = GaussianMixture(2).fit(blobs()[0])
        assert model.anomaly_threshold(0.05) == model.anomaly_threshold(0.05)

    @pytest.mark.parametrize("q", [0, 1, -0.1, 2, float("nan")])
    def test_shares_out_of_bounds(self, q):
        with pytest.raises(ValueError, match="give a share above 0 and below 1"):
            GaussianMixture().fit(blobs()[0]).anomaly_threshold(q)


def test_components_in_another_order_are_the_same_mixture():
    X, _ = blobs()
    model = GaussianMixture(3, random_state=0).fit(X)
    for order in itertools.permutations(range(3)):
        start = {"weights_init": model.weights_, "means_init": model.means_, "precisions_init": model.precisions_}
        start = {name: value[list(order)] for name, value in start.items()}
        other = GaussianMixture(3, max_iter=0, **start).fit(X)
        assert_allclose(other.score_samples(X), model.score_samples(X), rtol=1e-9)
