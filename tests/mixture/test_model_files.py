"""Saved mixtures: what comes back is what was saved, and nothing else is accepted."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.mixture
from numpy.testing import assert_array_equal

from bgsub import MOG2, GaussianMixture, ModelFileError, OutputError, ParameterError
from bgsub.files import read_container, write_container
from tests.mixture.samples import COVARIANCE_TYPES, blobs

FITTED = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")


@pytest.fixture
def saved(tmp_path):
    """A fitted model and the file it was saved to."""
    model = GaussianMixture(3, random_state=0).fit(blobs()[0])
    path = tmp_path / "mixture.model"
    model.save(path)
    return model, path


class TestRoundTrip:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_everything_comes_back(self, tmp_path, covariance_type, dtype):
        X = blobs()[0].astype(dtype)
        start = X[:3].astype(float)
        model = GaussianMixture(3, covariance_type=covariance_type, means_init=start, random_state=7, threads=2).fit(X)
        model.save(tmp_path / "m")
        loaded = GaussianMixture.load(tmp_path / "m")
        for name in FITTED:
            assert_array_equal(getattr(loaded, name), getattr(model, name), strict=True)
        for name in ("converged_", "n_iter_", "lower_bound_", "lower_bounds_", "n_features_in_", "n_batches_"):
            assert getattr(loaded, name) == getattr(model, name)
        ours, theirs = model.get_params(), loaded.get_params()
        assert_array_equal(theirs.pop("means_init"), ours.pop("means_init"))
        assert theirs == ours
        assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
        assert_array_equal(loaded.sample(5)[0], model.sample(5)[0])

    def test_a_fit_goes_on_where_it_was_saved(self, tmp_path):
        X, _ = blobs(n=800)
        model = GaussianMixture(3, random_state=0).partial_fit(X[:400])
        model.save(tmp_path / "m")
        loaded = GaussianMixture.load(tmp_path / "m").partial_fit(X[400:])
        assert_array_equal(loaded.means_, model.partial_fit(X[400:]).means_)

    def test_names_of_columns(self, tmp_path):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(blobs()[0], columns=["größe", "b", "c"])
        GaussianMixture(2).fit(frame).save(tmp_path / "m")
        loaded = GaussianMixture.load(tmp_path / "m")
        assert_array_equal(loaded.feature_names_in_, ["größe", "b", "c"])
        loaded.predict(frame)

    def test_without_an_iteration(self, tmp_path):
        model = GaussianMixture(2, max_iter=0, random_state=0).fit(blobs()[0])
        model.save(tmp_path / "m")
        assert GaussianMixture.load(tmp_path / "m").lower_bound_ == -np.inf

    def test_numpy_numbers_as_parameters(self, tmp_path):
        GaussianMixture(np.int64(2), tol=np.float64(1e-4), random_state=np.int32(3)).fit(blobs()[0]).save(
            tmp_path / "m"
        )
        assert GaussianMixture.load(tmp_path / "m").get_params()["n_components"] == 2


class TestRefusals:
    def test_a_model_that_is_not_fitted(self, tmp_path):
        with pytest.raises(ValueError, match="not fitted yet"):
            GaussianMixture().save(tmp_path / "m")
        assert list(tmp_path.iterdir()) == []

    def test_a_generator_as_random_state(self, tmp_path):
        model = GaussianMixture(random_state=np.random.RandomState(0)).fit(blobs()[0])
        with pytest.raises(ParameterError, match="random_state is a generator"):
            model.save(tmp_path / "m")

    def test_a_folder_that_is_not_there(self, saved, tmp_path):
        with pytest.raises(OutputError, match="cannot write"):
            saved[0].save(tmp_path / "missing" / "m")

    def test_no_file(self, tmp_path):
        with pytest.raises(ModelFileError, match="no such file"):
            GaussianMixture.load(tmp_path / "m")

    def test_truncated_anywhere(self, saved, tmp_path):
        content = saved[1].read_bytes()
        for size in (0, 10, 100, len(content) // 2, len(content) - 1):
            (tmp_path / "short").write_bytes(content[:size])
            with pytest.raises(ModelFileError, match="cannot load the model"):
                GaussianMixture.load(tmp_path / "short")

    def test_altered_anywhere(self, saved, tmp_path):
        content = saved[1].read_bytes()
        for position in range(0, len(content), 97):
            altered = bytearray(content)
            altered[position] ^= 1
            (tmp_path / "altered").write_bytes(altered)
            with pytest.raises(ModelFileError, match="cannot load the model"):
                GaussianMixture.load(tmp_path / "altered")

    def test_the_other_kind_of_model(self, tmp_path):
        subtractor = MOG2()
        subtractor.apply(np.zeros((32, 32), np.uint8))
        subtractor.save(tmp_path / "video.model")
        with pytest.raises(ModelFileError, match="kind 'mog2', not 'gaussian-mixture'"):
            GaussianMixture.load(tmp_path / "video.model")


def changed(content, name, value):
    """Metadata and arrays of a file with one thing changed."""
    meta, arrays = content
    if name in arrays:
        arrays[name] = value
    elif name in meta:
        meta[name] = value
    else:
        meta["parameters"][name] = value


class TestForgeries:
    """Files with a right checksum that hold no valid mixture."""

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("means_", np.zeros((2, 3)), r"means has the shape \(2, 3\) where \(3, 3\) belongs"),
            ("means_", np.zeros(3), "lacks a part"),
            ("means_", np.full((3, 3), np.nan), "not finite numbers"),
            ("means_", np.zeros((3, 3), np.int64), "not finite numbers"),
            ("weights_", np.ones(3), "weights do not sum to 1"),
            ("weights_", np.array([2.0, -1.0, 0.0]), "weights do not sum to 1"),
            ("precisions_cholesky_", np.zeros((3, 3)), "has the shape"),
            ("precisions_", np.zeros((3, 3)), "precisions_ has the shape"),
            ("precisions_", np.full((3, 3, 3), np.inf), "not finite numbers"),
            ("lower_bound_", np.zeros(2), "has the shape"),
            ("covariance_type", "round", "description of the mixture is incomplete"),
            ("covariance_type", "diag", "has the shape"),
            ("n_components", 5, "has the shape"),
            ("n_components", "3", "description of the mixture is incomplete"),
            ("parameters", {}, "description of the mixture is incomplete"),
            ("converged", "yes", "description of the mixture is incomplete"),
            ("feature_names", ["a"], "names 1 features and has 3"),
            ("feature_names", [1, 2, 3], "names 3 features"),
            ("tol", -1.0, "parameters are not those of a mixture"),
            ("random_state", "x", "parameters are not those of a mixture"),
            ("os.system", "ls", "parameters are not those of a mixture"),
        ],
    )
    def test_one_thing_wrong(self, saved, tmp_path, name, value, message):
        content = read_container(saved[1], "gaussian-mixture", 1)
        changed(content, name, value)
        write_container(tmp_path / "forged", "gaussian-mixture", 1, *content)
        with pytest.raises(ModelFileError, match=message) as caught:
            GaussianMixture.load(tmp_path / "forged")
        assert "\n" not in str(caught.value)

    def test_a_part_missing(self, saved, tmp_path):
        for name in (*FITTED, "lower_bound_", "lower_bounds_"):
            meta, arrays = read_container(saved[1], "gaussian-mixture", 1)
            del arrays[name]
            write_container(tmp_path / "forged", "gaussian-mixture", 1, meta, arrays)
            with pytest.raises(ModelFileError, match="lacks a part"):
                GaussianMixture.load(tmp_path / "forged")


class TestScikitLearn:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_there_and_back(self, covariance_type):
        X, _ = blobs()
        ours = GaussianMixture(3, covariance_type=covariance_type, random_state=0, acceleration="squarem").fit(X)
        theirs = ours.to_sklearn()
        assert type(theirs) is sklearn.mixture.GaussianMixture
        np.testing.assert_allclose(theirs.score_samples(X), ours.score_samples(X), rtol=1e-9)
        back = GaussianMixture.from_sklearn(theirs)
        for name in FITTED:
            assert_array_equal(getattr(back, name), getattr(ours, name))
        assert back.bic(X) == ours.bic(X)
        back.partial_fit(X)
        assert_array_equal(theirs.means_, ours.means_)  # a copy, not a view

    def test_not_fitted_stays_not_fitted(self):
        ours = GaussianMixture.from_sklearn(sklearn.mixture.GaussianMixture(4, tol=0.5))
        assert (ours.n_components, ours.tol) == (4, 0.5)
        assert not hasattr(ours, "means_")
        assert ours.to_sklearn().get_params() == sklearn.mixture.GaussianMixture(4, tol=0.5).get_params()
