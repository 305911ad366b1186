"""`select`: every combination, and the one that made the rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub import BgsubError, GaussianMixture, select
from bgsub.mixture.parameters import n_parameters
from tests.mixture.samples import COVARIANCE_TYPES, blobs, ellipses


class TestTruth:
    @pytest.mark.parametrize("criterion", ["bic", "icl"])
    def test_four_round_blobs(self, criterion):
        X, truth = blobs(n=800, n_features=2, n_components=4, spread=9.0, seed=2)
        found = select(X, range(1, 7), criterion=criterion, random_state=0)
        assert found.best.n_components == 4
        assert len({(a, b) for a, b in zip(found.best.predict(X), truth, strict=True)}) == 4

    def test_two_ellipses_need_full_covariances(self):
        X = ellipses()[0]
        best = select(X, range(1, 5), random_state=0).best_candidate
        assert (best.n_components, best.covariance_type) == (2, "full")

    def test_the_icl_counts_clusters_where_the_bic_counts_gaussians(self):
        random = np.random.default_rng(0)
        heavy = random.standard_t(3, size=(2500, 1))  # one cluster, not Gaussian
        assert select(heavy, range(1, 5), "full", random_state=0).best.n_components > 1
        assert select(heavy, range(1, 5), "full", criterion="icl", random_state=0).best.n_components == 1


class TestTable:
    def test_a_row_is_what_a_fit_of_its_own_says(self):
        X, _ = blobs(n=300)
        found = select(X, [1, 3], random_state=0)
        assert [(row.covariance_type, row.n_components) for row in found.table] == [
            (kind, k) for kind in COVARIANCE_TYPES for k in (1, 3)
        ]
        for row in found.table:
            assert row.n_parameters == n_parameters(row.n_components, 3, row.covariance_type)
            assert row.bic == pytest.approx(-2 * row.log_likelihood + row.n_parameters * np.log(300))
            assert row.aic == pytest.approx(-2 * row.log_likelihood + row.n_parameters * 2)
            assert row.icl >= row.bic - 1e-9
            assert row.converged
        best = found.best
        assert best.bic(X) == pytest.approx(found.best_candidate.bic)
        assert found.best_candidate.bic == min(row.bic for row in found.table)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_starts_of_one_number_are_those_of_a_fit_with_that_seed(self):
        X, _ = blobs(n=300, spread=0.5)
        options = {"n_init": 4, "max_iter": 3, "tol": 1e-6, "init_params": "short_runs"}
        rows = [row for k in (4, 5) for row in select(X, k, ["full", "diag"], random_state=5, **options).table]
        for row in rows:  # of several numbers each starts from the one before, too
            model = GaussianMixture(row.n_components, covariance_type=row.covariance_type, random_state=5, **options)
            assert model.fit(X).bic(X) == pytest.approx(row.bic, rel=1e-12)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_threads_change_nothing(self):
        X, _ = blobs(n=300, spread=1.0)
        one, three = (select(X, range(1, 5), random_state=0, threads=t, max_iter=20) for t in (1, 3))
        assert one.table == three.table
        assert_array_equal(one.best.means_, three.best.means_)

    def test_pandas_makes_a_frame_of_it(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(blobs(n=100)[0], columns=["a", "b", "c"])
        found = select(frame, [1, 2], "full", random_state=0)
        assert list(pandas.DataFrame(found.table)["n_components"]) == [1, 2]
        assert_array_equal(found.best.feature_names_in_, ["a", "b", "c"])

    def test_weights_count_as_repeated_rows(self):
        X, _ = blobs(n=100)
        weights = np.random.default_rng(0).integers(1, 4, 100)
        weighted = select(X, 1, random_state=0, sample_weight=weights).table
        repeated = select(np.repeat(X, weights, axis=0), 1, random_state=0).table
        assert_allclose([row.bic for row in weighted], [row.bic for row in repeated], rtol=1e-10)

    def test_options_reach_the_models_and_the_best_can_be_fitted_again(self):
        best = select(blobs(n=100)[0], 2, "tied", random_state=3, reg_covar=0.25, threads=2).best
        assert (best.reg_covar, best.random_state, best.threads) == (0.25, 3, 2)
        best.fit(blobs(n=50)[0])

    @pytest.mark.filterwarnings("ignore:1 of 2 combinations was not fitted")
    def test_a_combination_that_cannot_be_fitted_is_out(self):
        X = np.repeat([[0.0, 0.0], [5.0, 1.0], [5.0, 5.0]], 20, axis=0)
        found = select(X, [1, 3], "full", reg_covar=0.0, random_state=0)
        assert found.best.n_components == 1
        assert found.table[1].bic == np.inf
        assert not found.table[1].converged


class TestBadArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"criterion": "r2"}, "criterion is 'r2': give one of bic, aic, icl"),
            ({"n_components": []}, "nothing to try"),
            ({"covariance_type": []}, "nothing to try"),
            ({"n_components": [0]}, "^n_components is 0: give a whole number from 1 up$"),
            ({"n_components": [2.0]}, "^n_components is 2.0: give a whole number from 1 up$"),
            ({"covariance_type": "round"}, "^covariance_type is 'round': give one of full, tied, diag, spherical$"),
            ({"n_components": [1, 200]}, "n_components = 200, n_samples = 100"),
            ({"means_init": [[0.0]]}, "means_init fits one combination only"),
            ({"sample_weight": [1.0]}, "sample_weight.shape"),
            ({"tol": -1}, "^tol is -1: give a number from 0 up$"),
            ({"reg_covar": float("nan")}, "^reg_covar is nan: give a number from 0 up$"),
            ({"init_params": "luck"}, "^init_params is 'luck': give one of kmeans, k-means"),
            ({"random_state": -1}, "^random_state is -1: give a whole number from 0 to 4294967295$"),
            ({"threads": 0}, "^threads is 0: give a whole number from 1 up$"),
        ],
    )
    def test_in_one_line(self, arguments, message):
        with pytest.raises(ValueError, match=message) as caught:
            select(blobs(n=100)[0], **arguments)
        assert "\n" not in str(caught.value)

    def test_nothing_can_be_fitted(self):
        with pytest.raises(BgsubError, match="no combination could be fitted: Fitting the mixture"):
            select(np.ones((10, 2)), [1, 2], "full", reg_covar=0.0)

    def test_a_row_that_is_no_number(self):
        X = blobs(n=100)[0]
        X[5, 1] = np.nan
        with pytest.raises(BgsubError, match="NaN at row 5, column 1"):
            select(X)
