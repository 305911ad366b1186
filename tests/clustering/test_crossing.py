"""Model files that cross: an estimator's read as the model of tables, and a table's read as an estimator."""

import subprocess
import sys
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub import MOG2, GaussianMixture, ModelFileError, ParameterError, SourceError, TableModel
from bgsub.clustering.fitting import FitSettings, fit_table
from bgsub.clustering.model_file import QUANTILES
from bgsub.files import read_container, write_container
from bgsub.tables.learning import Choice
from tests.mixture.samples import COVARIANCE_TYPES

RANDOM = np.random.RandomState(3)
ROWS = np.concatenate([RANDOM.normal([0, 5], [1, 2], (400, 2)), RANDOM.normal([9, -4], [2, 1], (200, 2))])
TABLE = {"size": ROWS[:, 0], "price": ROWS[:, 1]}
SETTINGS = {"noise": {"noise": "box"}, "hull": {"noise": "hull"}, "trim": {"trim": 0.05}, "neither": {}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.bgsub"


def saved_table(path, choice=None, covariance_type="full", **settings):
    model = fit_table(TABLE, 2, covariance_type=covariance_type, choice=choice, settings=FitSettings(**settings)).model
    model.save(path)
    return model


class TestOfTheTableAsEstimator:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_it_says_the_same(self, path, covariance_type):
        model = saved_table(path, covariance_type=covariance_type)
        loaded = GaussianMixture.load(path)
        frame = pa.table(TABLE).to_pandas()
        assert loaded.feature_names_in_.tolist() == ["size", "price"]
        assert (loaded.n_components, loaded.covariance_type, loaded.n_features_in_) == (2, covariance_type, 2)
        assert (loaded.converged_, loaded.n_iter_) == (model.outcome.converged, model.outcome.n_iter)
        assert (loaded.lower_bound_, loaded.reg_covar) == (model.outcome.lower_bound, model.outcome.reg_covar)
        assert_array_equal(loaded.predict(frame), model.predict(TABLE))
        assert_array_equal(loaded.score_samples(frame), model.score_samples(TABLE))

    @pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
    def test_rows_that_are_of_no_component(self, path, settings):
        model = saved_table(path, **settings)
        loaded = GaussianMixture.load(path)
        far = pa.table({"size": [0.0, 500.0], "price": [5.0, 500.0]})
        assert_array_equal(loaded.predict(far.to_pandas()), model.predict(far))
        assert loaded.noise == settings.get("noise")
        assert (loaded.cutoff_ is not None) == ("trim" in settings)

    def test_it_goes_on_and_is_saved_again(self, path, tmp_path):
        saved_table(path)
        loaded = GaussianMixture.load(path)
        loaded.save(tmp_path / "again")
        again = GaussianMixture.load(tmp_path / "again")
        assert_array_equal(again.means_, loaded.means_)
        assert_array_equal(again.feature_names_in_, loaded.feature_names_in_)
        assert again.set_params(warm_start=True).fit(pa.table(TABLE).to_pandas()).converged_

    def test_columns_without_names(self, path):
        model = fit_table(ROWS, 2).model
        model.save(path)
        loaded = GaussianMixture.load(path)
        assert not hasattr(loaded, "feature_names_in_")
        assert_array_equal(loaded.predict(ROWS), model.predict(ROWS))

    def test_some_of_the_columns_without_names_keep_what_they_are_called(self, path):
        fit_table(ROWS, 2, choice=Choice(columns=("x1",))).model.save(path)
        assert GaussianMixture.load(path).feature_names_in_.tolist() == ["x1"]

    @pytest.mark.parametrize(
        ("choice", "said"),
        [
            (Choice(scale=True), "(scale)"),
            (Choice(pca=1), "pca)"),
            (Choice(columns=("size",), logs=("size",)), "(log)"),
            (Choice(encode=("kind",)), "(encode)"),
            (Choice(columns=("size",), dates=("day",)), "(dates)"),
        ],
    )
    def test_prepared_rows_are_refused_with_what_loads_them(self, path, choice, said):
        days = pa.array(np.arange(600) % 50, pa.int32()).cast(pa.date32())
        table = {"size": np.exp(ROWS[:, 0] / 5), "price": ROWS[:, 1], "kind": ["a", "b", "c"] * 200, "day": days}
        fit_table(pa.table(table), 1, choice=choice).model.save(path)
        with pytest.raises(ModelFileError) as error:
            GaussianMixture.load(path)
        assert said in str(error.value)
        assert str(error.value).endswith("load it with bgsub.TableModel.load")
        assert "\n" not in str(error.value)

    def test_damage_newer_versions_and_forgeries(self, path, tmp_path):
        saved_table(path)
        content = path.read_bytes()
        for altered in (content[:-1], content[:-50] + bytes([content[-50] ^ 1]) + content[-49:], content[:60]):
            (tmp_path / "altered").write_bytes(altered)
            with pytest.raises(ModelFileError, match="cannot load the model"):
                GaussianMixture.load(tmp_path / "altered")
        meta, arrays = read_container(path, "mixture of a table", 1)
        write_container(path, "mixture of a table", 2, meta, arrays)
        with pytest.raises(ModelFileError, match="newer bgsub"):
            GaussianMixture.load(path)
        for preparation in (None, {}, meta["preparation"] | {"numbers": [1, 2]}, meta["preparation"] | {"numbers": []}):
            write_container(path, "mixture of a table", 1, meta | {"preparation": preparation}, arrays)
            with pytest.raises(ModelFileError, match=r"cannot load the model .* fit the model again"):
                GaussianMixture.load(path)


class TestOfTheEstimatorAsModelOfTables:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_it_says_the_same_by_name(self, path, covariance_type, dtype):
        frame = pa.table(TABLE).to_pandas().astype(dtype)
        estimator = GaussianMixture(2, covariance_type=covariance_type, random_state=1).fit(frame)
        estimator.save(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = TableModel.load(path)
        assert (model.columns, model.width) == (("size", "price"), None)
        turned = {"price": TABLE["price"], "other": ["x"] * 600, "size": TABLE["size"]}
        whole = frame.astype(float)
        assert (model.predict(turned) == estimator.predict(whole)).mean() > 0.999
        assert_allclose(model.score_samples(turned), estimator.fitted_mixture().log_densities(ROWS), rtol=1e-12)
        assert model.outcome[1:] == (estimator.converged_, estimator.n_iter_, estimator.lower_bound_)
        assert_allclose(model.means(), estimator.means_)
        model.save(path)
        assert_array_equal(TableModel.load(path).densities, model.densities)

    def test_columns_without_names_are_taken_by_their_place(self, path, tmp_path):
        estimator = GaussianMixture(2, random_state=0).fit(ROWS)
        estimator.save(path)
        model = TableModel.load(path)
        assert (model.columns, model.width) == (("x0", "x1"), 2)
        named = pa.table({"who": ["n"] * 600, "a": TABLE["size"], "b": TABLE["price"]})
        pa.csv.write_csv(named, tmp_path / "t.csv")
        np.save(tmp_path / "t.npy", ROWS)
        for table in (tmp_path / "t.csv", tmp_path / "t.npy", named, ROWS, {"x1": ROWS[:, 1], "x0": ROWS[:, 0]}):
            assert_array_equal(model.predict(table), estimator.predict(ROWS))
        gaps = {"a": [None, 9.0], "b": [5.0, None]}
        filled = model.impute(gaps)
        assert filled.column_names == ["a", "b"]
        expected = GaussianMixture.load(path).set_params(missing="em").impute(np.array([[np.nan, 5], [9, np.nan]]))
        assert_allclose(np.stack([filled["a"], filled["b"]], axis=1), expected)

    def test_another_number_of_columns_is_refused(self, path):
        GaussianMixture(2, random_state=0).fit(ROWS).save(path)
        model = TableModel.load(path)
        with pytest.raises(ParameterError, match=r"learned 2 columns of numbers .* has 3 \(id, a, b\)"):
            model.predict({"id": np.arange(600.0), "a": ROWS[:, 0], "b": ROWS[:, 1]})
        with pytest.raises(ParameterError, match="has none: give"):
            model.predict({"a": ["x", "y"]})
        with pytest.raises(ParameterError, match="has 3 columns without names, the model learned 2"):
            model.predict(np.zeros((5, 3)))

    def test_a_lacking_name_is_named(self, path):
        GaussianMixture(2, random_state=0).fit(pa.table(TABLE).to_pandas()).save(path)
        with pytest.raises(ParameterError, match="has no column 'price'"):
            TableModel.load(path).predict({"size": [1.0], "cost": [2.0]})

    def test_names_that_are_no_strings_are_none(self, path):
        frame = pa.table(TABLE).to_pandas()
        frame.columns = [10, 20]
        estimator = GaussianMixture(2, random_state=0).fit(frame)
        estimator.save(path)
        model = TableModel.load(path)
        assert model.width == 2
        assert_array_equal(model.predict(TABLE), estimator.predict(ROWS))

    def test_one_column(self, path):
        estimator = GaussianMixture(2, random_state=0).fit(ROWS[:, :1])
        estimator.save(path)
        assert_array_equal(TableModel.load(path).predict({"a": ROWS[:, 0]}), estimator.predict(ROWS[:, :1]))

    @pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
    def test_rows_that_are_of_no_component(self, path, settings):
        estimator = GaussianMixture(2, random_state=0, **settings).fit(ROWS)
        estimator.save(path)
        model = TableModel.load(path)
        rows = np.vstack([ROWS, [[400.0, -400.0]]])
        assert_array_equal(model.predict(rows), estimator.predict(rows))
        assert_allclose(model.score_samples(rows), estimator.score_samples(rows))
        assert model.mixture.has_outliers == bool(settings)

    def test_thresholds_are_those_of_drawn_rows(self, path):
        estimator = GaussianMixture.from_parameters([1.0], [[0.0, 0.0]], np.eye(2)[None])
        estimator.save(path)
        model = TableModel.load(path)
        assert_array_equal(model.densities, TableModel.load(path).densities)
        assert model.densities.shape == QUANTILES.shape
        for share in (0.5, 0.1, 0.01):  # of a standard normal of two columns: log(share) - log(2 pi)
            assert model.threshold(share) == pytest.approx(np.log(share) - np.log(2 * np.pi), abs=0.05)

    def test_what_is_none_is_refused(self, path):
        GaussianMixture(2, random_state=0).fit(ROWS).save(path)
        content = path.read_bytes()
        path.write_bytes(content[:-5])
        with pytest.raises(ModelFileError, match="is damaged"):
            TableModel.load(path)
        path.write_bytes(content)
        meta, arrays = read_container(path, "gaussian-mixture", 1)
        write_container(path, "gaussian-mixture", 2, meta, arrays)
        with pytest.raises(ModelFileError, match="newer bgsub"):
            TableModel.load(path)
        write_container(path, "gaussian-mixture", 1, meta, arrays | {"weights_": np.ones(2)})
        with pytest.raises(ModelFileError, match="weights do not sum to 1"):
            TableModel.load(path)
        MOG2().save(path)
        with pytest.raises(ModelFileError, match="holds a model of kind 'mog2'"):
            TableModel.load(path)

    def test_a_missing_value_names_the_tables_own_column(self, path):
        GaussianMixture(2, random_state=0).fit(ROWS).save(path)
        with pytest.raises(SourceError, match="column 'b'"):
            TableModel.load(path).predict({"a": [1.0, 2.0], "b": [1.0, None]})

    def test_scikit_learn_is_not_needed(self, path):
        GaussianMixture(2, random_state=0).fit(ROWS).save(path)
        program = (
            "import sys, bgsub\n"
            "print(bgsub.TableModel.load(sys.argv[1]).predict({'a': [0.0, 9.0], 'b': [5.0, -4.0]}).tolist())\n"
            "assert 'sklearn' not in sys.modules\n"
        )
        done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert sorted(done.stdout.strip()[1:-1].split(", ")) == ["0", "1"]
