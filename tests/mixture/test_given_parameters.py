"""Mixtures of known parameters: what may be given, and that they then do all that a fitted one does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from bgsub import GaussianMixture, ParameterError
from tests.mixture.samples import COVARIANCE_TYPES, blobs

WEIGHTS, MEANS = [0.25, 0.75], [[0, 0, 1], [5, 4, 3]]
COVARIANCES = {
    "full": [[[1, 0.5, 0], [0.5, 2, 0], [0, 0, 1]], [[3, 0, 1], [0, 1, 0], [1, 0, 2]]],
    "tied": [[1, 0.5, 0], [0.5, 2, 0], [0, 0, 1]],
    "diag": [[1, 2, 3], [0.5, 1, 4]],
    "spherical": [1, 2],
}


def matrices(kind):
    given = np.array(COVARIANCES[kind], float)
    return {
        "full": lambda: list(given),
        "tied": lambda: [given, given],
        "diag": lambda: [np.diag(row) for row in given],
        "spherical": lambda: [value * np.eye(3) for value in given],
    }[kind]()


@pytest.fixture(params=COVARIANCE_TYPES)
def kind(request):
    return request.param


class TestAMixtureOfKnownParameters:
    def test_its_density_is_scipys(self, kind):
        X = blobs(n=50)[0]
        model = GaussianMixture.from_parameters(WEIGHTS, MEANS, COVARIANCES[kind])
        assert model.covariance_type == kind
        terms = [
            np.log(w) + multivariate_normal(m, c).logpdf(X)
            for w, m, c in zip(WEIGHTS, MEANS, matrices(kind), strict=True)
        ]
        assert_allclose(model.score_samples(X), logsumexp(terms, axis=0), rtol=1e-10)
        assert_array_equal(model.predict(X), np.argmax(terms, axis=0))

    def test_it_is_what_was_fitted_before(self, kind):
        X = blobs()[0]
        fitted = GaussianMixture(3, covariance_type=kind, random_state=0).fit(X)
        given = GaussianMixture.from_parameters(
            fitted.weights_, fitted.means_, fitted.covariances_, covariance_type=kind
        )
        assert_allclose(given.predict_proba(X), fitted.predict_proba(X), atol=1e-9)
        assert_allclose(given.precisions_, fitted.precisions_, rtol=1e-6)
        assert given.converged_ and given.n_iter_ == 0

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, object])
    def test_arrays_of_any_numbers_become_float64_and_are_copied(self, kind, dtype):
        means = np.array(MEANS, dtype)
        model = GaussianMixture.from_parameters(np.array(WEIGHTS, dtype), means, np.array(COVARIANCES[kind], dtype))
        means[:] = 99
        assert_array_equal(model.means_, MEANS)
        assert model.means_.dtype == model.weights_.dtype == model.covariances_.dtype == np.float64

    def test_it_samples_and_is_saved(self, kind, tmp_path):
        model = GaussianMixture.from_parameters(
            WEIGHTS, MEANS, COVARIANCES[kind], feature_names=["a", "b", "c"], random_state=0
        )
        rows, labels = model.sample(20_000)
        assert_allclose(rows[labels == 1].mean(axis=0), MEANS[1], atol=0.1)
        model.save(tmp_path / "m.bgsub")
        loaded = GaussianMixture.load(tmp_path / "m.bgsub")
        assert_array_equal(loaded.score_samples(rows), model.score_samples(rows))
        assert loaded.feature_names_in_.tolist() == ["a", "b", "c"]
        assert model.conditional({"a": 0.0}).n_features_in_ == 2

    def test_it_goes_to_scikit_learn_and_has_criteria(self, kind):
        X = blobs(n=100)[0]
        model = GaussianMixture.from_parameters(WEIGHTS, MEANS, COVARIANCES[kind])
        theirs = model.to_sklearn()
        assert_allclose(theirs.score_samples(X), model.score_samples(X), rtol=1e-9)
        assert model.bic(X) == pytest.approx(theirs.bic(X))

    def test_a_fit_goes_on_from_it(self, kind):
        X = blobs(n_components=2, spread=6.0, seed=1)[0]
        once = GaussianMixture(2, covariance_type=kind, random_state=0, max_iter=300, tol=1e-10).fit(X)
        parameters = (once.weights_, once.means_, once.covariances_)
        again = GaussianMixture.from_parameters(*parameters, covariance_type=kind, warm_start=True, tol=1e-3).fit(X)
        assert again.n_iter_ <= 2
        assert_allclose(again.means_, once.means_, atol=1e-6)
        afresh = GaussianMixture.from_parameters(*parameters, covariance_type=kind, random_state=1)
        assert afresh.fit(X).n_iter_ >= 2  # without warm_start a fit draws its own start

    def test_more_rows_improve_it(self, kind):
        random = np.random.default_rng(0)
        X = np.concatenate([random.normal(0, 1, (500, 3)), random.normal(8, 1, (500, 3))])
        model = GaussianMixture.from_parameters([0.5, 0.5], [[1, 1, 1], [7, 7, 7]], COVARIANCES[kind])
        model.partial_fit(X)
        assert model.n_batches_ == 2
        assert_allclose(model.means_, [[0.38] * 3, [7.62] * 3], atol=0.1)  # 2^-0.7 of the way

    def test_of_one_feature_and_one_component(self):
        model = GaussianMixture.from_parameters([1], [[2]], [4])
        assert model.covariance_type == "spherical"
        assert model.score_samples([[4.0]])[0] == pytest.approx(-0.5 - np.log(2) - 0.5 * np.log(2 * np.pi))

    def test_weights_of_four_digits_are_made_to_sum_to_one(self):
        model = GaussianMixture.from_parameters([0.3333, 0.3333, 0.3333], np.eye(3, 2), [1, 1, 1])
        assert model.weights_.sum() == pytest.approx(1.0, abs=1e-15)

    def test_a_component_of_no_weight_is_no_rows(self):
        model = GaussianMixture.from_parameters([1, 0], [[0, 0], [5, 5]], [1, 1])
        assert model.predict([[5.0, 5.0]]).tolist() == [0]

    def test_rounding_of_float32_is_no_asymmetry(self):
        random = np.random.default_rng(0)
        half = random.normal(size=(4, 4)) * [1, 10, 100, 1000]
        covariance = (half.T @ half + 1e-3 * np.eye(4)).astype(np.float32)
        covariance[0, 3] *= 1 + 3e-7
        model = GaussianMixture.from_parameters([1], np.zeros((1, 4)), covariance[None])
        assert_array_equal(model.covariances_[0], model.covariances_[0].T)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([0.5, 0.6], [[0, 0], [1, 1]], [1, 1]), "weights sum to 1.1: divide them by their sum"),
        (([1.5, -0.5], [[0, 0], [1, 1]], [1, 1]), "the weight of component 1 is -0.5"),
        (([0.5, np.nan], [[0, 0], [1, 1]], [1, 1]), "the weight of component 1 is nan"),
        (([1], [[0, 0], [1, 1]], [1, 1]), r"weights has the shape \(1,\): means has 2 rows"),
        (([0.5, 0.5], [0, 1], [1, 1]), r"means has the shape \(2,\): give a row for each component, \(K, D\)"),
        (([0.5, 0.5], [[0, 0], [1]], [1, 1]), "means is no array of numbers, or its rows differ in length"),
        (([0.5, 0.5], [["a", "b"], ["c", "d"]], [1, 1]), "means is no array of numbers"),
        (([0.5, 0.5], [[0, 0], [1, np.inf]], [1, 1]), "means holds NaN or infinity: the mean of component 1"),
        (
            ([0.5, 0.5], [[0, 0, 0], [1, 1, 1]], np.ones((3, 2))),
            r"covariances has the shape \(3, 2\).*\(2, 3, 3\) \(full\)",
        ),
        (([0.5, 0.5], [[0, 0], [1, 1]], np.eye(2)), r"of the shape \(2, 2\) can be tied or diag: say which"),
        (([0.5, 0.5], [[0, 0], [1, 1]], [1, 0]), "a variance of component 1 is 0: variances are above 0"),
        (([0.5, 0.5], [[0, 0, 0], [1, 1, 1]], [[1, 1, 1], [1, -2, 1]]), "a variance of component 1 is -2"),
        (([0.5, 0.5], [[0, 0], [1, 1]], [1, np.nan]), "the variance of component 1 is no number"),
        (
            ([0.5, 0.5], [[0, 0], [1, 1]], [np.eye(2), [[1, 2], [2, 1]]]),
            "the covariance of component 1 is not positive definite: its smallest eigenvalue is -1",
        ),
        (
            ([0.5, 0.5], [[0, 0], [1, 1]], [np.eye(2), [[1, 0.5], [0.4, 1]]]),
            "the covariance of component 1 is not symmetric",
        ),
        (
            ([0.5, 0.5], [[0, 0], [1, 1]], [[[np.nan, 0], [0, 1]], np.eye(2)]),
            "the covariance of component 0 holds NaN or infinity",
        ),
        (
            ([0.5, 0.5], [[0, 0, 0], [1, 1, 1]], [[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
            "the covariance of all components is not positive definite",
        ),
    ],
)
def test_what_is_no_mixture_is_told_with_its_component(given, message):
    with pytest.raises(ParameterError, match=message):
        GaussianMixture.from_parameters(*given)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"covariance_type": "round"}, "covariance_type is 'round': give one of full, tied, diag, spherical"),
        ({"covariance_type": "full"}, r"covariances has the shape \(2,\): full ones of these means have \(2, 2, 2\)"),
        ({"feature_names": ["a"]}, "give 2 different names"),
        ({"feature_names": ["a", "a"]}, "give 2 different names"),
        ({"tol": -1}, "tol"),
    ],
)
def test_settings_are_checked_too(keywords, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture.from_parameters([0.5, 0.5], [[0, 0], [1, 1]], [1, 1], **keywords)


def test_the_same_shape_of_two_types_is_told_apart_by_the_keyword():
    means, matrix = [[0, 0], [1, 1]], [[1.0, 0.2], [0.2, 1.0]]
    tied = GaussianMixture.from_parameters([0.5, 0.5], means, matrix, covariance_type="tied")
    diag = GaussianMixture.from_parameters([0.5, 0.5], means, matrix, covariance_type="diag")
    assert tied.score_samples([[0.0, 1.0]]) != diag.score_samples([[0.0, 1.0]])
