"""The model of a table from Python: every kind of table gives the same answers; files are what they say they are."""

import os
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import bgsub
from bgsub.clustering.fitting import FitSettings, fit_table
from bgsub.clustering.model_file import QUANTILES
from bgsub.errors import ModelFileError, ParameterError, SourceError
from bgsub.files import read_container, write_container
from bgsub.tables.learning import Choice
from tests.clustering.samples import FIRST_VERSION, columns, with_a_gap
from tests.tables.files import NAMES, write_csv

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    return fit_table(columns(), 2, choice=Choice(scale=True), settings=FitSettings(n_init=1)).model


@pytest.fixture
def file(model, tmp_path):
    model.save(tmp_path / "m.bgsub")
    return tmp_path / "m.bgsub"


# --------------------------------------------------------------------------------------------------------- tables


def test_tables_of_every_kind_give_the_same_answers(model, tmp_path):
    table = columns(seed=1)
    matrix = np.stack(list(table.values()), axis=1)
    labels, shares, densities = model.predict(table), model.predict_proba(table), model.score_samples(table)
    assert (labels.dtype, shares.shape, densities.shape) == (np.int32, (120, 2), (120,))
    assert np.array_equal(shares.argmax(axis=1), labels)
    assert np.allclose(shares.sum(axis=1), 1)
    assert labels.tolist() == [0] * 80 + [1] * 40
    assert model.score(table) == pytest.approx(densities.mean())

    write_csv(tmp_path / "t.csv", matrix.tolist())
    backwards = {"id": list("ab" * 60), **{name: table[name] for name in reversed(NAMES)}}
    arrow = pa.table(backwards)
    records = np.rec.fromarrays(list(table.values()), names=",".join(NAMES))
    for other in (str(tmp_path / "t.csv"), tmp_path / "t.csv", backwards, arrow, records):
        assert np.array_equal(model.predict(other), labels)
        assert np.array_equal(model.predict_proba(other), shares)
        assert np.array_equal(model.score_samples(other, threads=1), densities)


def test_tables_of_pandas(model):
    pandas = pytest.importorskip("pandas")
    table = columns(seed=1)
    frame = pandas.DataFrame(table, index=[f"row {i}" for i in range(120)])
    assert np.array_equal(model.score_samples(frame), model.score_samples(table))


def test_what_speaks_arrow_is_a_table(model):
    class Foreign:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.table(columns()).__arrow_c_stream__(requested_schema)

    assert np.array_equal(model.predict(Foreign()), model.predict(columns()))


def test_rows_without_names_are_an_array(model):
    matrix = np.stack(list(columns().values()), axis=1)
    found = fit_table(matrix, 2, choice=Choice(scale=True), settings=FitSettings(n_init=1)).model
    assert found.columns == ("x0", "x1", "x2")
    assert np.array_equal(found.score_samples(matrix), model.score_samples(columns()))
    with pytest.raises(ParameterError, match=r"^the table has 2 columns without names, the model learned 3: give a"):
        found.predict(matrix[:, :2])


def test_long_tables_in_memory(model):
    table = {name: np.tile(column, 1200) for name, column in columns().items()}  # three blocks
    assert np.array_equal(model.predict(table), np.tile(model.predict(columns()), 1200))
    assert np.array_equal(model.predict(pa.table(table)), np.tile(model.predict(columns()), 1200))


def test_missing_values(model):
    table = with_a_gap(columns())
    with pytest.raises(SourceError, match=r"^the table: row 3, column 'price' is missing \(NaN\)"):
        model.predict(table)
    kept = np.arange(120) != 2
    assert model.predict(table, missing="drop")[2] == -1
    for method in (model.predict, model.predict_proba, model.score_samples):
        found = method(table, missing="drop")
        assert np.array_equal(found[kept], method(columns())[kept])
        assert found[2] == -1 if found.dtype == np.int32 else np.isnan(found[2]).all()
    assert model.score(table, missing="drop") == pytest.approx(model.score_samples(columns())[kept].mean())


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({"length": [1.0]}, ParameterError, "the table has no column 'price': there are length"),
        (
            {"length": [1.0, 2.0], "price": [1.0]},
            SourceError,
            "cannot read the table: its columns are not those of a t",
        ),
        ({}, SourceError, "cannot read the table: it has no columns; give a table with at least one"),
        (
            {"length": ["a"], "price": ["b"], "tilt": ["c"]},
            SourceError,
            "cannot read the table: row 1, column 'length'",
        ),
        (7, SourceError, "cannot read the table: it is of type int; give a path, a table of pyarrow or pandas"),
        (np.zeros((2, 2, 2)), SourceError, "cannot read the table: an array has shape (2, 2, 2); give rows and col"),
        ("gone.csv", SourceError, "cannot read gone.csv: no such file; check the path"),
    ],
)
def test_what_is_no_table_for_the_model(model, table, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        model.predict(table)


# --------------------------------------------------------------------------------------------------------- sample


def test_samples_have_the_columns_and_the_clusters(model):
    rows, labels = model.sample(20_000, random_state=3)
    assert rows.column_names == list(NAMES)
    assert np.bincount(labels) / 20_000 == pytest.approx(model.mixture.weights, abs=0.01)
    matrix = np.stack([column.to_numpy() for column in rows.columns], axis=1)
    for k in range(2):
        assert matrix[labels == k].mean(axis=0) == pytest.approx(model.means()[k], rel=0.05)
    assert (model.predict(rows) == labels).mean() > 0.99
    again, _ = model.sample(20_000, random_state=3)
    assert again.equals(rows)
    assert (np.diff(labels) != 0).mean() > 0.2  # in random order
    with pytest.raises(ParameterError, match="n_samples is 0: give 1 or more"):
        model.sample(0)


def test_thresholds_are_quantiles_of_the_learned_rows():
    densities = np.random.default_rng(0).normal(size=50_000)
    model = bgsub.TableModel(None, None, np.quantile(densities, QUANTILES))
    for share in (1e-4, 0.003, 0.01, 0.055, 0.5, 0.99):
        assert (densities < model.threshold(share)).mean() == pytest.approx(share, rel=0.08)


# ---------------------------------------------------------------------------------------------------------- files


def test_a_saved_model_says_the_same(model, file):
    loaded = bgsub.TableModel.load(file)
    assert np.array_equal(loaded.predict_proba(columns()), model.predict_proba(columns()))
    assert np.array_equal(loaded.score_samples(columns()), model.score_samples(columns()))
    assert loaded.outcome == model.outcome and model.outcome.n_iter > 0
    assert loaded.threshold(0.01) == model.threshold(0.01)
    loaded.save(file.with_name("again.bgsub"))
    assert file.with_name("again.bgsub").read_bytes() == file.read_bytes()


def test_files_of_the_first_version_are_read_under_their_old_name(tmp_path):
    model = bgsub.TableModel.load(FIRST_VERSION / "model.npz")
    expected = pyarrow.csv.read_csv(FIRST_VERSION / "labels.csv")
    table = FIRST_VERSION / "rows.csv"
    assert model.columns == ("value", "visits", "kind")
    assert np.array_equal(model.predict(table), expected["label"].to_numpy())
    for k, column in enumerate(model.predict_proba(table).T):
        assert np.allclose(column, expected[f"probability_{k}"].to_numpy(), rtol=1e-12)
    assert np.allclose(model.score_samples(table), expected["log_density"].to_numpy(), rtol=1e-12)
    model.save(tmp_path / "new.bgsub")
    assert (tmp_path / "new.bgsub").read_bytes() == (FIRST_VERSION / "model.npz").read_bytes()


def test_an_estimator_takes_no_rows_that_must_be_prepared(file):
    with pytest.raises(ModelFileError, match=r"rows are prepared \(scale\), .*: load it with bgsub\.TableModel\.load$"):
        bgsub.GaussianMixture.load(file)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("weights", np.array([0.7, 0.7])),
        ("weights", np.array([1.0])),
        ("means", np.zeros((2, 2))),
        ("means", np.full((2, 3), np.nan)),
        ("means", np.zeros((2, 3), np.float32)),
        ("covariances", np.zeros((2, 3, 3))),
        ("covariances", np.eye(3)),
        ("covariances", np.stack([-np.eye(3), np.eye(3)])),
        ("precisions_cholesky", np.stack([np.eye(3), 99 * np.eye(3)])),
        ("densities", np.zeros(3)),
        ("forward", np.zeros((2, 2))),
        ("covariance_type", "round"),
        ("converged", "yes"),
        ("preparation", None),
        ("width", "3"),
    ],
)
def test_forged_files(file, part, value):
    """A file whose checksum is right and whose parts do not fit together."""
    meta, arrays = read_container(file, "mixture of a table", 1)
    (arrays if isinstance(value, np.ndarray) else meta)[part] = value
    write_container(file, "mixture of a table", 1, meta, arrays)
    with pytest.raises(
        ModelFileError, match=rf"^cannot load the model {re.escape(str(file))}: .*; fit the model again$"
    ):
        bgsub.TableModel.load(file)


def test_a_model_is_used_without_scikit_learn_and_pandas(file):
    program = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "sklearn"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
import bgsub
model = bgsub.TableModel.load({str(file)!r})
rows, _ = model.sample(50)
model.predict(rows), model.predict_proba(rows), model.score_samples(rows), model.score(rows)
model.save({str(file.with_name("again.bgsub"))!r})
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"cv2", "av", "click", "matplotlib"}}))
"""
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert (process.returncode, process.stdout, process.stderr) == (0, "[]\n", "")


def test_it_shows_its_clusters(model):
    names = ", ".join(model.columns)
    assert repr(model) == f"TableModel(2 clusters of {names})"
    html = model._repr_html_()
    for name, mean in zip(model.preparation.features.names, model.preparation.in_units(model.means())[0], strict=True):
        assert f"<th>{name}" in html
        assert f">{mean:.4g} \N{PLUS-MINUS SIGN} " in html
    wide = fit_table(np.random.default_rng(0).normal(size=(60, 11)), 1, settings=FitSettings(n_init=1)).model
    assert repr(wide).endswith(" and 3 more columns)")
