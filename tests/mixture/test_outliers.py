"""What a mixture with noise, or of which rows are trimmed, says of rows: against a naive twin, and by example."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from sklearn.base import clone

from bgsub import GaussianMixture, ModelFileError, ParameterError, select
from bgsub.files import read_container, write_container
from bgsub.mixture.model_files import KIND
from tests.mixture.em.test_robust_data import three_clusters, with_a_wrong_value
from tests.mixture.samples import COVARIANCE_TYPES, blobs
from tests.naive_noise import log_terms

HOWS = [{"noise": "box"}, {"noise": "hull"}, {"trim": 0.15}]


@pytest.fixture(params=HOWS, ids=str)
def how(request):
    return request.param


@pytest.fixture(params=COVARIANCE_TYPES)
def kind(request):
    return request.param


def fitted(how, kind="full", X=None, **settings):
    X = three_clusters(0.15)[0] if X is None else X
    return GaussianMixture(3, covariance_type=kind, random_state=0, **how, **settings).fit(X)


class TestWithNoise:
    def test_densities_labels_and_probabilities_are_the_twins(self, kind):
        X = three_clusters(0.15)[0]
        model = fitted({"noise": "box"}, kind)
        noise = model.noise_.weight
        assert model.weights_.sum() + noise == pytest.approx(1)
        terms = log_terms(X, model.weights_, model.means_, model.fitted_mixture().matrices)
        terms = np.column_stack([terms, np.full(len(X), np.log(noise / np.prod(np.ptp(X, axis=0))))])
        total = logsumexp(terms, axis=1)
        shares = np.exp(terms - total[:, None])
        assert_allclose(model.score_samples(X), total, rtol=1e-10)
        assert_allclose(model.predict_proba(X), shares[:, :3], atol=1e-12)
        assert_allclose(model.noise_proba(X), shares[:, 3], atol=1e-12)
        assert_array_equal(model.predict(X), np.where(shares.argmax(axis=1) == 3, -1, shares.argmax(axis=1)))
        assert model.score(X) == pytest.approx(total.mean())
        n_parameters = {"full": 17, "tied": 11, "diag": 14, "spherical": 11}[kind] + 2
        assert model.bic(X) == pytest.approx(-2 * total.sum() + n_parameters * np.log(len(X)))
        assert model.aic(X) == pytest.approx(-2 * total.sum() + 2 * n_parameters)
        entropy = -(shares * np.log(np.maximum(shares, 1e-300))).sum()
        assert model.icl(X) == pytest.approx(model.bic(X) + 2 * entropy)

    def test_a_row_outside_is_noise_too_but_has_no_density_of_it(self):
        model = fitted({"noise": "box"})
        assert model.predict([[1e3, -1e3], [1e9, 0.0]]).tolist() == [-1, -1]
        assert_allclose(model.noise_proba([[1e3, -1e3]]), [1])
        assert model.score_samples([[1e3, -1e3]])[0] < -1e4

    def test_what_is_drawn_has_noise_in_its_share(self):
        model = fitted({"noise": "hull"})
        rows, labels = model.sample(20_000)
        assert (labels == -1).mean() == pytest.approx(model.noise_.weight, abs=0.01)
        assert set(labels.tolist()) == {-1, 0, 1, 2}
        assert model.noise_.region.holds(rows[labels == -1]).all()
        assert (model.predict(rows)[labels == -1] == -1).mean() > 0.8

    def test_ordinary_rows_decide_where_anomalies_begin(self):
        model = fitted({"noise": "box"})
        rows, labels = model.sample(20_000)
        low = model.score_samples(rows) < model.anomaly_threshold(0.01)
        assert low[labels >= 0].mean() == pytest.approx(0.01, abs=0.005)

    def test_more_rows_improve_it_and_widen_its_box(self):
        X = three_clusters(0.15, n=1500)[0]
        model = GaussianMixture(3, noise="box", random_state=0)
        for _ in range(8):
            for block in np.array_split(X, 3):
                model.partial_fit(block)
        whole = fitted({"noise": "box"}, X=X)
        assert model.noise_.weight == pytest.approx(whole.noise_.weight, abs=0.02)
        assert_array_equal(model.noise_.region.low, X.min(axis=0))
        assert_array_equal(model.noise_.region.high, X.max(axis=0))

    def test_marginals_and_conditionals_are_of_the_components_alone(self):
        model = fitted({"noise": "box"})
        part = model.marginal([1])
        assert part.noise_ is None
        assert part.weights_.sum() == pytest.approx(1)
        assert model.conditional({0: 8.0}).weights_.sum() == pytest.approx(1)
        assert model.regress([[8.0]], [0])[0, 0] == pytest.approx(0, abs=0.5)

    def test_select_finds_the_clusters_that_noise_hides(self):
        X = three_clusters(0.15)[0]
        found = select(X, range(1, 5), "full", noise="box", random_state=0)
        without = select(X, range(1, 5), "full", random_state=0)
        assert found.best.n_components == 3
        assert found.best_candidate.n_parameters == 19
        assert found.best_candidate.bic < without.best_candidate.bic - 20  # the same rows: they can be compared
        assert found.best.noise_.weight == pytest.approx(0.14, abs=0.02)
        assert found.best.bic(X) == pytest.approx(found.best_candidate.bic)


class TestTrimmed:
    def test_labels_are_minus_one_of_the_share_that_was_left_out(self, kind):
        X, labels = three_clusters(0.15)
        model = fitted({"trim": 0.15}, kind)
        assert (model.predict(X) == -1).sum() == 75
        assert (model.predict(X)[labels < 0] == -1).mean() > 0.9
        assert_array_equal(model.noise_proba(X), (model.score_samples(X) < model.cutoff_).astype(float))
        assert_allclose(model.predict_proba(X).sum(axis=1), 1 - model.noise_proba(X), atol=1e-12)
        assert model.weights_.sum() == pytest.approx(1)

    def test_criteria_are_those_of_the_rows_that_stay(self):
        X = three_clusters(0.15)[0]
        model = fitted({"trim": 0.15})
        kept = X[model.predict(X) >= 0]
        assert model.bic(X) == pytest.approx(model.bic(kept))
        assert model.criteria(X)["log_likelihood"] == pytest.approx(model.score_samples(kept).sum())

    def test_select_takes_it(self):
        assert select(three_clusters(0.15)[0], range(2, 5), "diag", trim=0.15, random_state=0).best.n_components == 3

    def test_nothing_is_left_out_at_nought(self):
        X = blobs()[0]
        a, b = fitted({"trim": 0.0}, X=X), fitted({}, X=X)
        assert_array_equal(a.means_, b.means_)
        assert a.cutoff_ is None

    def test_a_part_of_the_rows_is_not_enough(self):
        with pytest.raises(ParameterError, match="trim takes all rows at once"):
            GaussianMixture(2, trim=0.1).partial_fit(blobs()[0])


class TestBoth:
    def test_a_wrong_value_changes_nothing(self, how):
        share = {"trim": 0.05} if "trim" in how else how
        for value in (-999.0, 0.0, 1e9):
            X, right = with_a_wrong_value(value)
            model = GaussianMixture(2, random_state=0, **share).fit(X)
            k = model.means_[:, 0].argmin()
            assert np.sqrt(model.covariances_[k, 0, 0]) == pytest.approx(right[:, 0].std(), rel=0.1)
            assert model.predict(X)[2] == -1
            assert (model.predict(X) == -1).sum() == (3 if "trim" in how else 1)

    def test_it_is_saved_as_it_is(self, how, kind, tmp_path):
        X = three_clusters(0.15)[0]
        model = fitted(how, kind)
        model.save(tmp_path / "m.bgsub")
        loaded = GaussianMixture.load(tmp_path / "m.bgsub")
        assert_array_equal(loaded.predict(X), model.predict(X))
        assert_array_equal(loaded.score_samples(X), model.score_samples(X))
        assert_array_equal(loaded.noise_proba(X), model.noise_proba(X))
        assert loaded.get_params() == model.get_params()
        assert (loaded.cutoff_, loaded.noise_ is None) == (model.cutoff_, model.noise_ is None)

    def test_blocks_give_the_same(self, how, kind):
        X = three_clusters(0.15)[0]
        whole = fitted(how, kind)
        parts = GaussianMixture(3, covariance_type=kind, random_state=0, **how).fit_blocks(np.array_split(X, 4))
        for model in (whole, parts):  # of two starts that end alike, rounding decides
            model.reorder(np.argsort(model.means_[:, 0]))
        assert_allclose(parts.means_, whole.means_, atol=1e-8)
        assert_allclose(parts.weights_, whole.weights_, atol=1e-9)
        assert_array_equal(parts.predict(X), whole.predict(X))

    def test_it_goes_on_where_it_was(self, how):
        X = three_clusters(0.15)[0]
        model = fitted(how, warm_start=True)
        before = model.lower_bound_
        model.fit(X)
        assert model.n_iter_ <= 5
        assert model.lower_bound_ == pytest.approx(before, abs=0.01)

    def test_float32_rows_and_frames_are_taken(self, how):
        X = three_clusters(0.15)[0]
        model = fitted(how, X=X.astype(np.float32))
        assert model.noise_proba(X.astype(np.float32)).dtype == np.float32
        named = fitted(how, X=pd.DataFrame(X, columns=["a", "b"]))
        assert_array_equal(named.predict(pd.DataFrame(X, columns=["a", "b"])), fitted(how).predict(X))

    def test_weights_of_two_are_rows_twice(self, how):
        X = three_clusters(0.15)[0]
        w = np.where(np.arange(len(X)) % 2 == 0, 2.0, 1.0)
        start = fitted(how)
        given = {"means_init": start.means_, "weights_init": np.full(3, 1 / 3), "precisions_init": start.precisions_}
        settings = {"tol": 1e-8, "max_iter": 300, **given, **how}
        a = GaussianMixture(3, **settings).fit(X, sample_weight=w)
        b = GaussianMixture(3, **settings).fit(np.repeat(X, w.astype(int), axis=0))
        assert_allclose(a.means_, b.means_, atol=1e-6)

    def test_it_is_the_same_for_any_number_of_threads(self, how):
        X = three_clusters(0.15, n=40_000)[0]
        one, two = (fitted(how, X=X, threads=n) for n in (1, 2))
        assert_array_equal(one.means_, two.means_)
        assert_array_equal(one.predict(X), two.predict(X))

    def test_one_component_of_one_feature(self, how):
        random = np.random.default_rng(0)
        X = np.concatenate([random.normal(0, 1, 300), random.uniform(-60, 60, 40)])[:, None]
        model = GaussianMixture(1, random_state=0, **how).fit(X)
        assert np.sqrt(model.covariances_.ravel()[0]) == pytest.approx(1, abs=0.15)

    def test_what_it_cannot_be_is_told(self, how):
        with pytest.raises(ParameterError, match="scikit-learn's mixture has neither noise nor trim"):
            fitted(how).to_sklearn()
        with pytest.raises(ParameterError, match="acceleration does not go with noise, nor with trim"):
            fitted(how, acceleration="squarem")
        with pytest.raises(ParameterError, match="noise and trim need complete rows"):
            fitted(how, missing="em")
        assert clone(fitted(how)).get_params()["trim"] == how.get("trim", 0.0)

    def test_a_later_fit_without_it_forgets_it(self, how):
        model = fitted(how).set_params(noise=None, trim=0.0).fit(blobs(n_features=2)[0])
        assert (model.noise_, model.cutoff_) == (None, None)
        assert (model.predict(blobs(n_features=2)[0]) >= 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": "ball"}, "noise"),
        ({"trim": 0.7}, "trim"),
        ({"trim": -0.1}, "trim"),
        ({"noise": "box", "trim": 0.1}, "noise and trim do the same in two ways"),
    ],
)
def test_other_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2, **settings).fit(blobs()[0])
    with pytest.raises(ValueError, match=message):
        select(blobs()[0], 2, **settings)


def test_a_constant_column_is_named():
    X = pd.DataFrame({"a": np.arange(20.0), "b": np.ones(20)})
    with pytest.raises(
        ParameterError, match=r"column 1 \('b'\) is constant, so that the region of noise has no volume"
    ):
        GaussianMixture(2, noise="box").fit(X)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise_weight", np.array(1.5)),
        ("noise_weight", np.array([0.1])),
        ("noise_low", np.array([0.0])),
        ("noise_high", np.array([np.nan, 1.0])),
        ("noise_high", np.array([-99.0, 1.0])),
        ("noise_vertices", np.zeros((4, 2))),
        ("noise_vertices", np.zeros((4, 3))),
        ("noise_vertices", np.zeros(4)),
    ],
)
def test_a_file_of_unsound_noise_is_told(name, value, tmp_path):
    fitted({"noise": "hull"}).save(tmp_path / "m.bgsub")
    meta, arrays = read_container(tmp_path / "m.bgsub", KIND, 1)
    write_container(tmp_path / "bad.bgsub", KIND, 1, meta, arrays | {name: value})
    with pytest.raises(ModelFileError, match="its noise is not laid out as it should be"):
        GaussianMixture.load(tmp_path / "bad.bgsub")


def test_noise_swallows_no_small_cluster_that_a_fit_without_it_finds():
    random = np.random.default_rng(0)
    sizes, centres = (4500, 400, 100), ([3.8, 1.8], [2.7, 3.7], [6.4, 0.9])
    X = np.concatenate(
        [random.normal(c, [0.45, 0.5] if n > 400 else 0.3, (n, 2)) for n, c in zip(sizes, centres, strict=True)]
    )
    settings = {"n_init": 3, "tol": 1e-5, "max_iter": 500, "random_state": 0}
    plain, noisy = (GaussianMixture(3, noise=noise, **settings).fit(X) for noise in (None, "box"))
    assert noisy.lower_bound_ > plain.lower_bound_ - 1e-3
    assert noisy.noise_.weight < 0.01
    assert_allclose(np.sort(noisy.weights_), np.array([100, 400, 4500]) / 5000, atol=0.01)
