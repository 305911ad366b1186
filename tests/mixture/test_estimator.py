"""Bad input is refused in one line that says where; weights, threads and read-only views of the fit."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub import BgsubError, FitWarning, GaussianMixture
from bgsub.threads import usable_threads
from tests.mixture.samples import COVARIANCE_TYPES, blobs

METHODS = ("fit", "fit_predict", "partial_fit", "predict", "predict_proba", "score", "score_samples", "aic", "icl")


class TestRows:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
    def test_the_first_value_that_is_no_number_is_named(self, method, value, word):
        X, _ = blobs()
        model = GaussianMixture(2, random_state=0).fit(X)
        X[[123, 200], [2, 0]] = value
        with pytest.raises(BgsubError, match=rf"Input X contains {word}.* at row 123, column 2; drop") as caught:
            getattr(model, method)(X)
        assert "\n" not in str(caught.value)

    def test_by_its_columns_name(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({"age": [1.0, 2.0, 3.0], "income": [1.0, np.nan, 2.0]})
        with pytest.raises(ValueError, match=r"NaN at row 1, column 1 \('income'\)"):
            GaussianMixture().fit(frame)

    def test_far_down_a_long_table(self):
        X = np.zeros((200_000, 2))
        X[150_000, 1] = np.inf
        with pytest.raises(ValueError, match="at row 150000, column 1"):
            GaussianMixture().fit(X)

    def test_values_whose_sum_overflows_are_numbers(self):
        X = np.array([[1e308], [1e308], [1e308], [-1e308]])
        model = GaussianMixture(means_init=[[0.0]], weights_init=[1.0], precisions_init=[[[1.0]]], max_iter=0)
        assert model.fit(X).n_features_in_ == 1

    @pytest.mark.parametrize(
        ("X", "message"),
        [
            ([[1.0, 2.0]], "Found array with 1 sample"),
            (np.zeros((0, 2)), "Found array with 0 sample"),
            ([1.0, 2.0, 3.0], "Expected 2D array, got 1D array"),
            ([["a", "b"], ["c", "d"]], "could not convert string to float"),
            (np.zeros((3, 0)), r"0 feature\(s\)"),
        ],
    )
    def test_what_is_no_table(self, X, message):
        with pytest.raises(ValueError, match=message):
            GaussianMixture().fit(X)

    def test_another_width(self):
        model = GaussianMixture().fit(blobs()[0])
        with pytest.raises(ValueError, match="X has 2 features, but GaussianMixture is expecting 3 features"):
            model.predict(np.zeros((4, 2)))

    def test_fewer_rows_of_some_weight_than_components(self):
        X, _ = blobs(n=10)
        with pytest.raises(ValueError, match=r"n_components = 4, n_samples = 3"):
            GaussianMixture(4).fit(X, sample_weight=[1, 1, 1, 0, 0, 0, 0, 0, 0, 0])


class TestSingularity:
    @pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
    def test_a_constant_column_without_regularisation_is_named(self, covariance_type):
        X, _ = blobs()
        X[:, 1] = 0.1
        with pytest.raises(
            BgsubError, match=r"ill-defined empirical covariance.*increase reg_covar.*Constant: column 1"
        ):
            GaussianMixture(2, covariance_type=covariance_type, reg_covar=0, random_state=0).fit(X)

    def test_and_with_it_is_told_of(self):
        X, _ = blobs()
        X[:, 1] = 5.0
        with pytest.warns(FitWarning, match="mostly reg_covar in every component for column 1: drop"):
            GaussianMixture(2, random_state=0).fit(X)

    def test_a_collapsed_component_is_told_of(self):
        X = np.vstack([blobs(spread=1.0)[0], np.full((50, 3), 40.0)])
        with pytest.warns(FitWarning) as told:
            model = GaussianMixture(2, random_state=0).fit(X)
        collapsed = model.predict([[40.0] * 3])[0]
        assert str(told[0].message).startswith(f"component {collapsed} has collapsed (a variance that is mostly")

    def test_a_sound_fit_says_nothing(self, recwarn, caplog):
        with caplog.at_level(logging.DEBUG, logger="bgsub"):
            for kind in COVARIANCE_TYPES:
                GaussianMixture(3, covariance_type=kind, random_state=0).fit(blobs()[0])
        assert (caplog.text, list(recwarn)) == ("", [])


class TestWeights:
    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            (np.ones(3), r"sample_weight\.shape == \(3,\), expected \(400,\)"),
            (np.ones((400, 1)), "1D array or scalar, got 2D"),
            (np.full(400, -1.0), r"sample_weight\[0\] is -1\.0: give finite weights"),
            (np.full(400, np.nan), r"sample_weight\[0\] is nan"),
            (np.zeros(400), "every sample_weight is zero"),
        ],
    )
    @pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
    def test_unfit_weights(self, weights, message, method):
        X, _ = blobs()
        model = GaussianMixture(2, random_state=0).fit(X)
        with pytest.raises(BgsubError, match=message):
            getattr(model, method)(X, sample_weight=weights)

    def test_rows_of_no_weight_do_not_count(self):
        X, _ = blobs()
        weights = np.r_[np.ones(300), np.zeros(100)]
        weighted = GaussianMixture(2, random_state=0).fit(X, sample_weight=weights)
        start = {"means_init": X[:2], "weights_init": [0.5, 0.5], "precisions_init": [np.eye(3)] * 2}
        weighted, fewer = (
            GaussianMixture(2, **start).fit(rows, sample_weight=w) for rows, w in ((X, weights), (X[:300], None))
        )
        assert_allclose(weighted.means_, fewer.means_, rtol=1e-12)

    def test_one_number_for_all_changes_nothing(self):
        X, _ = blobs()
        plain = GaussianMixture(3, random_state=0).fit(X)
        scaled = GaussianMixture(3, random_state=0).fit(X, sample_weight=2.5)
        assert_allclose(scaled.means_, plain.means_, rtol=1e-9)
        assert scaled.lower_bound_ == pytest.approx(plain.lower_bound_, rel=1e-12)


class TestSample:
    def test_no_rows_asked_for(self):
        with pytest.raises(ValueError, match="The sampling requires at least one sample"):
            GaussianMixture().fit(blobs()[0]).sample(0)

    def test_a_seed_draws_the_same_rows(self):
        model = GaussianMixture(3, random_state=4).fit(blobs()[0])
        assert_array_equal(model.sample(20)[0], model.sample(20)[0])
        generator = GaussianMixture(3, random_state=np.random.RandomState(4)).fit(blobs()[0])
        assert not np.array_equal(generator.sample(20)[0], generator.sample(20)[0])


class TestThreads:
    def test_none_takes_no_more_than_openmp_may(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        assert usable_threads(None) == 1
        for nonsense in ("", "0", "two", "-1"):
            monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
            assert usable_threads(None) >= 1
        assert usable_threads(7) == 7

    @pytest.mark.parametrize("threads", [0, -1, 1.5])
    def test_out_of_bounds(self, threads):
        with pytest.raises(ValueError, match=re.escape("The 'threads' parameter of GaussianMixture must be")):
            GaussianMixture(threads=threads).fit(blobs()[0])

    def test_rows_are_never_written_to(self):
        X = blobs()[0]
        X.setflags(write=False)
        before = X.copy()
        GaussianMixture(3, random_state=0, n_init=2, threads=2).fit(X).predict_proba(X)
        assert_array_equal(X, before)
