"""scikit-learn's conventions, to the letter."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import sklearn
import sklearn.mixture
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import bgsub
from bgsub import GaussianMixture
from tests.mixture.samples import COVARIANCE_TYPES, blobs

Theirs = sklearn.mixture.GaussianMixture
PEERS = (GaussianMixture, Theirs)
since_1_7 = pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7), reason="scikit-learn is of this mind since 1.7"
)


def words(text):
    """The words of a message, in no order."""
    return sorted(re.findall(r"[\w.]+", text))


@parametrize_with_checks([GaussianMixture(), GaussianMixture(acceleration="squarem", threads=2)])
def test_scikit_learns_estimator_checks_pass(estimator, check):
    check(estimator)


class TestInterface:
    def test_constructor_has_their_parameters_with_their_defaults_first(self):
        ours = list(inspect.signature(GaussianMixture).parameters.values())
        theirs = list(inspect.signature(Theirs).parameters.values())
        assert [(p.name, p.default, p.kind) for p in ours[: len(theirs)]] == [
            (p.name, p.default, p.kind) for p in theirs
        ]
        assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in ours[1:])

    def test_a_fit_sets_all_that_theirs_sets(self):
        X, _ = blobs()
        ours, theirs = (cls(3, random_state=0).fit(X) for cls in PEERS)
        assert set(vars(theirs)) <= set(vars(ours))
        for name, value in vars(theirs).items():
            assert np.shape(getattr(ours, name)) == np.shape(value), name

    def test_all_their_public_methods_exist(self):
        public = {name for name in dir(Theirs) if not name.startswith("_")}
        assert public <= set(dir(GaussianMixture))

    def test_constraints_are_theirs(self):
        ours, theirs = GaussianMixture._parameter_constraints, Theirs._parameter_constraints
        for name, rule in theirs.items():
            written = " ".join(map(str, ours[name])).replace("'short_runs', ", "").replace(", 'short_runs'", "")  # ours
            assert words(written) == words(" ".join(map(str, rule)))

    def test_public_names(self):
        assert bgsub.GaussianMixture is GaussianMixture
        assert bgsub.GaussianMixture.__module__ == "bgsub.mixture.estimator"
        assert callable(bgsub.select)


class TestCompany:
    def test_pipeline_with_scaler_and_pca(self):
        X, truth = blobs(spread=20.0)
        pipeline = make_pipeline(StandardScaler(), PCA(2), GaussianMixture(4, n_init=3, random_state=0))
        labels = pipeline.fit_predict(X)
        pairs = {(a, b) for a, b in zip(labels, truth, strict=True)}
        assert len(pairs) == 4  # one to one
        assert pipeline.score(X) == pipeline[-1].score(pipeline[:-1].transform(X))

    def test_grid_search_finds_the_number_of_blobs(self):
        X, _ = blobs(n=600, n_features=2, n_components=3, spread=10.0, seed=1)
        grid = {"n_components": [1, 2, 3], "covariance_type": ["spherical", "tied"]}
        search = GridSearchCV(GaussianMixture(random_state=0), grid, cv=3).fit(X)
        assert search.best_params_["n_components"] == 3

    def test_clone_copies_parameters_and_no_fit(self):
        model = GaussianMixture(3, covariance_type="tied", acceleration="squarem", threads=1, learning_decay=0.6)
        copied = clone(model.fit(blobs()[0]))
        assert copied.get_params() == model.get_params()
        assert not hasattr(copied, "means_")

    def test_pandas_names(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(blobs()[0], columns=["height", "width", "depth"])
        model = GaussianMixture(2, random_state=0).fit(frame)
        assert_array_equal(model.feature_names_in_, ["height", "width", "depth"])
        assert_array_equal(model.predict(frame), model.predict(frame))
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[["width", "height", "depth"]])
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            model.predict(frame.to_numpy())

    def test_a_copy_predicts_the_same(self):
        X, _ = blobs()
        model = GaussianMixture(3, random_state=0).fit(X)
        for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            assert_array_equal(other.score_samples(X), model.score_samples(X))
            assert other.get_params() == model.get_params()


class TestWords:
    def test_not_fitted(self):
        messages = []
        for cls in PEERS:
            for method in ("predict", "predict_proba", "score_samples", "score", "aic", "bic"):
                with pytest.raises(NotFittedError) as caught:
                    getattr(cls(), method)(np.zeros((3, 2)))
                messages.append(str(caught.value))
            with pytest.raises(NotFittedError):
                cls().sample()
        assert len(set(messages)) == 1

    def test_not_converged(self):
        X, _ = blobs()
        texts = []
        for cls in PEERS:
            with pytest.warns(ConvergenceWarning) as caught:
                cls(4, max_iter=1, random_state=0).fit(X)
            texts.append(str(caught[0].message))
        assert texts[0] == texts[1]

    def test_the_warning_points_at_the_callers_line(self):
        with pytest.warns(ConvergenceWarning) as caught:
            GaussianMixture(4, max_iter=1, random_state=0).fit(blobs()[0])
        assert caught[0].filename == __file__

    def test_fewer_distinct_rows_than_components(self):
        X = np.repeat([[0.0, 0.0], [5.0, 5.0]], 10, axis=0)
        texts = []
        for cls in PEERS:
            with pytest.warns(ConvergenceWarning) as caught:
                cls(10, random_state=0).fit(X)
            texts.append(str(caught[0].message))
        assert texts[0] == texts[1]

    @pytest.mark.parametrize(
        ("parameters", "X"),
        [
            ({"n_components": 5}, np.zeros((4, 2))),
            ({"n_components": 2, "weights_init": [0.5, 0.6]}, None),
            ({"n_components": 2, "weights_init": [1.0]}, None),
            ({"n_components": 2, "means_init": [[0.0, 0.0]]}, None),
            ({"n_components": 2, "precisions_init": np.zeros((2, 3, 3))}, None),
            ({"n_components": 2, "precisions_init": np.ones((2, 2, 3))}, None),
            ({"n_components": 2, "covariance_type": "diag", "precisions_init": -np.ones((2, 3))}, None),
            ({"n_components": 2, "covariance_type": "spherical", "precisions_init": [1.0, 0.0]}, None),
            ({"n_components": 2, "covariance_type": "tied", "precisions_init": np.tri(3)}, None),
            ({"n_components": 0}, None),
            ({"covariance_type": "round"}, None),
            ({"tol": -1.0}, None),
            ({"reg_covar": "big"}, None),
            ({"max_iter": 1.5}, None),
            ({"init_params": "guess"}, None),
            pytest.param(
                {"reg_covar": 0.0, "n_components": 2},
                np.repeat([[0.0, 0.0], [5.0, 5.0]], 10, axis=0),
                marks=since_1_7,
            ),
        ],
    )
    def test_what_they_refuse_is_refused_in_their_words(self, parameters, X):
        X = blobs()[0] if X is None else X
        texts = []
        for cls in PEERS:
            with pytest.raises(ValueError) as caught:
                cls(**parameters).fit(X)
            texts.append(str(caught.value).replace("'short_runs', ", "").replace(", 'short_runs'", ""))  # ours has it
        assert texts[0].startswith(texts[1]) or words(texts[0]) == words(texts[1])  # names in sets, in no order

    def test_weights_out_of_range_are_named_the_right_way_round(self):
        with pytest.raises(ValueError, match=r"in the range \[0, 1\], but got max value 1\.50000, min value -0\.50000"):
            GaussianMixture(2, weights_init=[-0.5, 1.5]).fit(blobs()[0])

    @pytest.mark.parametrize("verbose", [1, 2])
    def test_verbose_prints_their_lines(self, capsys, verbose):
        X, _ = blobs(n_components=3, spread=1.0)
        printed = []
        for cls in PEERS:
            cls(3, n_init=2, verbose=verbose, verbose_interval=2, random_state=0, tol=1e-4, max_iter=300).fit(X)
            printed.append(re.sub(r"time lapse [\d.]+s", "time lapse", capsys.readouterr().out))
        assert printed[0] == printed[1]
        assert "Iteration 4" in printed[0]

    def test_silent_by_default(self, capsys):
        GaussianMixture(3, random_state=0).fit(blobs()[0])
        captured = capsys.readouterr()
        assert captured.out == captured.err == ""


class TestLifecycle:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_two_warm_fits_of_one_iteration_are_one_of_two(self, covariance_type):
        X, _ = blobs(spread=2.0)
        kind = {"covariance_type": covariance_type, "random_state": 0}
        warm = GaussianMixture(4, max_iter=1, warm_start=True, **kind)
        with pytest.warns(ConvergenceWarning):
            warm.fit(X).fit(X)
            once = GaussianMixture(4, max_iter=2, **kind).fit(X)
        assert_allclose(warm.means_, once.means_, rtol=1e-12)
        assert warm.lower_bound_ == pytest.approx(once.lower_bound_, abs=1e-13)

    def test_a_warm_fit_that_had_converged_takes_one_iteration_as_theirs(self):
        X, _ = blobs()
        for cls in PEERS:
            model = cls(4, warm_start=True, random_state=0).fit(X)
            assert model.fit(X).n_iter_ == 1

    def test_a_warm_fit_of_another_width_is_refused(self):
        X, _ = blobs()
        model = GaussianMixture(4, warm_start=True, random_state=0).fit(X)
        with pytest.raises(ValueError, match=r"warm_start cannot go on.*\(4, 3\).*\(4, 2\)"):
            model.fit(X[:, :2])

    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_no_iterations_leave_the_start(self, covariance_type):
        X, _ = blobs()
        ours, theirs = (cls(3, max_iter=0, covariance_type=covariance_type, random_state=0).fit(X) for cls in PEERS)
        assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-10, atol=1e-12)
        assert (ours.n_iter_, ours.lower_bounds_, ours.converged_) == (0, [], False)
        assert ours.lower_bound_ == theirs.lower_bound_ == -np.inf

    def test_parameters_given_to_the_constructor_stay_as_they_are(self):
        X, _ = blobs()
        start = [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
        model = GaussianMixture(2, means_init=start, random_state=0).fit(X)
        assert model.means_init is start


class TestDtypes:
    @since_1_7
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_float32_in_float32_out(self, covariance_type):
        X = blobs()[0].astype(np.float32)
        ours, theirs = (cls(3, covariance_type=covariance_type, random_state=0).fit(X) for cls in PEERS)
        for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
            assert getattr(ours, name).dtype == getattr(theirs, name).dtype == np.float32
        for method in ("predict", "predict_proba", "score_samples"):
            assert getattr(ours, method)(X).dtype == getattr(theirs, method)(X).dtype
        assert [part.dtype for part in ours.sample(3)] == [part.dtype for part in theirs.sample(3)]

    def test_float64_rows_keep_float64_densities_of_a_float32_model(self):
        X = blobs()[0]
        model = GaussianMixture(3, random_state=0).fit(X.astype(np.float32))
        assert model.score_samples(X).dtype == np.float64
        assert_allclose(model.score_samples(X.astype(np.float32)), model.score_samples(X), rtol=1e-4)

    def test_whole_numbers_are_rows_like_others(self):
        X = np.rint(10 * blobs()[0]).astype(int)
        assert_allclose(
            GaussianMixture(3, random_state=0).fit(X).means_,
            GaussianMixture(3, random_state=0).fit(X.astype(float)).means_,
        )


ARRAY_API = """
import array_api_strict as xp, numpy as np, sklearn
sklearn.set_config(array_api_dispatch=True)
from bgsub import GaussianMixture
X = np.random.default_rng(0).normal(size=(200, 3)) + 4 * (np.arange(200) % 2)[:, None]
for dtype in (xp.float64, xp.float32):
    theirs = xp.asarray(X, dtype=dtype)
    mixture, expected = GaussianMixture(2, random_state=0), GaussianMixture(2, random_state=0)
    mixture.fit(theirs), expected.fit(np.asarray(theirs))
    assert type(mixture.means_) is np.ndarray and mixture.means_.dtype == np.asarray(theirs).dtype
    assert np.array_equal(mixture.means_, expected.means_)
    assert np.array_equal(mixture.predict_proba(theirs), expected.predict_proba(np.asarray(theirs)))
    assert mixture.partial_fit(theirs).score(theirs) == expected.partial_fit(np.asarray(theirs)).score(theirs)
"""


def test_arrays_of_other_libraries_become_numpys():
    """Also where scikit-learn dispatches: its tests of that are of a class that computes with such arrays."""
    pytest.importorskip("array_api_strict")
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    program = [sys.executable, "-W", "ignore", "-c", ARRAY_API]
    run = subprocess.run(program, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
