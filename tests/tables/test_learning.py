"""What is learned from a table: the same as scikit-learn learns from the matrix; and undone to the last digit."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.learning import MOST_CATEGORIES, Choice, Gathered, features_of, prepared
from bgsub.tables.rows import read_rows
from bgsub.tables.sources import open_table
from tests.tables.files import NAMES, values, write_as, write_csv


def learned(path, **choice):
    """Preparation, matrix, weights, rows left out."""
    with open_table(path) as table, prepared(table, Choice(**choice)) as rows:
        return rows.preparation, np.array(rows.matrix), rows.weights, rows.n_dropped


@pytest.fixture
def path(tmp_path):
    return write_as(".parquet", tmp_path, values())


@pytest.fixture
def colours(tmp_path):
    rows = [[i, i**1.5 + 1, ("red", "blue", "sea green")[i % 3], "yes" if i % 4 else "no"] for i in range(40)]
    return write_csv(tmp_path / "colours.csv", rows, names=["a", "b", "colour", "big"])


def test_as_they_are(path):
    preparation, matrix, weights, n_dropped = learned(path)
    assert np.array_equal(matrix, values())
    assert (weights, n_dropped, preparation.steps) == (None, 0, ())
    assert preparation.features.names == list(NAMES)
    assert np.array_equal(preparation.restore(matrix), values())


def test_scaled_as_by_standard_scaler(path):
    preparation, matrix, *_ = learned(path, scale=True)
    assert np.allclose(matrix, StandardScaler().fit_transform(values()), rtol=1e-12, atol=1e-12)
    assert np.allclose(preparation.restore(matrix), values(), rtol=1e-12)
    assert np.allclose(preparation.transform(values()), matrix, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [True, False])
def test_projected_as_by_pca(path, scale):
    preparation, matrix, *_ = learned(path, scale=scale, pca=2)
    expected = StandardScaler(with_std=scale).fit_transform(values())
    pca = PCA(2, svd_solver="full").fit(expected)
    expected = pca.transform(expected)
    signs = np.sign((matrix * expected).sum(axis=0))
    assert np.allclose(matrix, expected * signs, rtol=1e-7, atol=1e-7)
    assert np.allclose(preparation.transform(values()), matrix, rtol=1e-9, atol=1e-9)
    back = preparation.restore(matrix)  # the nearest rows of the plane that the components span
    assert np.allclose(preparation.transform(back), matrix, rtol=1e-9, atol=1e-9)


def test_far_from_the_origin(tmp_path):
    matrix = values() + 1e9
    np.save(tmp_path / "far.npy", matrix)
    preparation, found, *_ = learned(tmp_path / "far.npy", columns=("x0", "x1"), pca=2, scale=True)
    assert np.allclose(np.cov(found.T, bias=True), np.diag(found.var(axis=0)), atol=1e-9)
    assert found.var(axis=0).sum() == pytest.approx(2, rel=1e-9)
    assert np.allclose(preparation.restore(found), matrix[:, :2], rtol=0, atol=1e-5)


def test_encoded_as_by_one_hot_encoder(colours):
    preparation, matrix, *_ = learned(colours, encode=("colour", "big"))
    table = [[("red", "blue", "sea green")[i % 3], "yes" if i % 4 else "no"] for i in range(40)]
    assert np.array_equal(matrix[:, 2:], OneHotEncoder(sparse_output=False).fit_transform(table))
    names = ["a", "b", "colour=blue", "colour=red", "colour=sea green", "big=no", "big=yes"]
    assert preparation.features.names == names
    columns = preparation.columns_of(preparation.restore(matrix))
    assert columns["colour"].to_pylist() == [row[0] for row in table]
    assert columns["big"].to_pylist() == [row[1] for row in table]


def test_logarithms(colours):
    preparation, matrix, *_ = learned(colours, logs=("b",), scale=True)
    b = np.log(np.arange(40.0) ** 1.5 + 1)
    assert np.allclose(matrix[:, 1], (b - b.mean()) / b.std(), rtol=1e-12, atol=1e-12)
    assert np.allclose(preparation.columns_of(preparation.restore(matrix))["b"], np.exp(b), rtol=1e-12)


def test_weights_count_as_repetitions(tmp_path):
    matrix, weights = values(n=60), np.arange(60) % 4
    rows = np.column_stack([matrix, weights]).tolist()
    path = write_csv(tmp_path / "w.csv", rows, names=[*NAMES, "w"])
    preparation, _, found, _ = learned(path, weights="w", scale=True)
    repeated = StandardScaler().fit(np.repeat(matrix, weights, axis=0))
    assert np.array_equal(found, weights)
    assert preparation.features.numbers == NAMES
    assert np.allclose(preparation.offset, repeated.mean_, rtol=1e-12)
    assert np.allclose(np.diag(preparation.backward), repeated.scale_, rtol=1e-12)


def test_rows_with_missing_values_are_left_out(tmp_path):
    matrix = values(n=50)
    matrix[3, 1], matrix[7, 2] = np.nan, np.inf
    path = write_as(".parquet", tmp_path, matrix)
    _, found, _, n_dropped = learned(path, missing="drop")
    assert n_dropped == 2
    assert np.array_equal(found, np.delete(matrix, [3, 7], axis=0))


def test_one_row_can_be_scaled(tmp_path):
    path = write_csv(tmp_path / "one.csv", [[1, 2]], names="ab")
    assert np.array_equal(learned(path, scale=True)[1], [[0, 0]])


def test_text_is_nothing_without_encode(colours):
    assert learned(colours)[0].features.numbers == ("a", "b")


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ({"columns": ("a", "z")}, ParameterError, "has no column 'z': there are a, b, colour, big$"),
        ({"columns": ("a", "a")}, ParameterError, "--columns names column 'a' twice: name it once"),
        (
            {"logs": ("a",)},
            SourceError,
            "row 1, column 'a' is 0, which has no logarithm: leave the column out of --log",
        ),
        ({"columns": ("a",), "logs": ("b",)}, ParameterError, "--log names 'b', which is not among .*: add it to"),
        (
            {"columns": ("a",), "weights": "a"},
            ParameterError,
            "column 'a' is to be a number and a weight: leave it out",
        ),
        ({"columns": ("a",), "encode": ("a",)}, ParameterError, "column 'a' is to be a number and a category"),
        ({"pca": 3}, ParameterError, "--pca 3 is above the 2 features or rows that there are: give fewer"),
        ({"columns": ("colour",)}, SourceError, "row 1, column 'colour' holds the text 'red', not a number"),
    ],
)
def test_what_cannot_be_learned(colours, choice, error, message):
    with pytest.raises(error, match=message):
        learned(colours, **choice)


def test_constant_columns_are_named(tmp_path):
    path = write_csv(tmp_path / "c.csv", [[i, 3.5, "x"] for i in range(9)], names="abt")
    with pytest.raises(SourceError, match="column 'b' has one value in all rows; leave it out with --columns"):
        learned(path)
    with pytest.raises(SourceError, match="column 't' is 'x' in all rows; leave it out of --encode"):
        learned(path, columns=("a",), encode=("t",))


def test_names_of_things_are_not_encoded(tmp_path):
    path = write_csv(tmp_path / "c.csv", [[i, f"id{i}"] for i in range(MOST_CATEGORIES + 1)], names="at")
    with pytest.raises(ParameterError, match=r"column 't' of .* has more than 100 different values: leave it out"):
        learned(path, encode=("t",))


def test_weights_of_nothing(tmp_path):
    path = write_csv(tmp_path / "w.csv", [[1, 0], [2, 0]], names="aw")
    with pytest.raises(SourceError, match="all weights in column 'w' are 0; give one above 0"):
        learned(path, weights="w")


def test_a_table_of_text_only(tmp_path):
    path = write_csv(tmp_path / "t.csv", [["x"], ["y"]], names="t")
    with pytest.raises(
        SourceError,
        match=r"has no column of numbers \(left out: t, text such as 'x'\): name some with --columns, or",
    ):
        learned(path)


def test_nothing_but_missing_values(tmp_path):
    path = write_csv(tmp_path / "t.csv", [["", 1], [2, ""]], names="ab")
    with pytest.raises(SourceError, match="every row has a missing value; name fewer columns with --columns"):
        learned(path, missing="drop")


def test_the_temporary_file_goes_with_the_block(path, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    learned(path)
    with pytest.raises(SourceError):
        learned(write_csv(tmp_path / "c.csv", [[3], [3]], names="a"))
    assert list(folder.iterdir()) == []


def test_large_and_small_blocks_give_the_same(tmp_path):
    matrix = values(n=70_000)
    np.save(tmp_path / "n.npy", matrix)
    _, found, *_ = learned(tmp_path / "n.npy", scale=True)
    assert np.allclose(found, StandardScaler().fit_transform(matrix), rtol=1e-9, atol=1e-9)
    assert isinstance(pa.array(found[:, 0]), pa.Array)


@pytest.mark.parametrize("weights", [None, "w"])
def test_what_parts_tell_is_together_what_the_whole_tells(tmp_path, weights):
    random = np.random.default_rng(0)
    columns = {"a": random.normal(7, 2, 900), "b": random.exponential(size=900), "w": random.integers(0, 3, 900)}
    columns["a"][random.integers(0, 900, 90)] = np.nan
    choice = Choice(("a", "b"), logs=("b",), weights=weights, missing="drop")
    found = []
    for lengths in ([900], [100, 300, 500]):
        gathered, start = None, 0
        for length in lengths:
            part = pa.table({name: values[start : start + length] for name, values in columns.items()})
            start += length
            with open_table(part) as table:
                one = Gathered(features_of(table, choice), choice)
                for rows in read_rows(table, one.features.selection(weights), "drop"):
                    one.add(rows, table.name)
                if gathered is None:
                    gathered = one
                else:
                    gathered.merge(one)
                gathered.check(table, choice)
        found.append(gathered)
    whole, parts = found
    for name in ("n_kept", "n_dropped", "n_partial", "n_weighted", "weight"):
        assert getattr(parts, name) == getattr(whole, name)
    assert whole.n_kept + whole.n_dropped == 900
    assert np.array_equal(parts.low, whole.low)
    assert np.array_equal(parts.high, whole.high)
    ours, theirs = parts.standardisation(True), whole.standardisation(True)
    np.testing.assert_allclose(ours.offset, theirs.offset, rtol=1e-13)
    np.testing.assert_allclose(ours.forward, theirs.forward, rtol=1e-12)


def test_parts_of_which_one_holds_nothing_are_no_error_but_a_whole_without_rows_is(tmp_path):
    choice = Choice(("a",), missing="drop")
    gathered = None
    for numbers in ([np.nan, np.nan], [1.0, 2.0]):
        with open_table(pa.table({"a": numbers})) as table:
            one = Gathered(features_of(table, choice), choice)
            for rows in read_rows(table, one.features.selection(), "drop"):
                one.add(rows, table.name)
            if gathered is None:
                with pytest.raises(SourceError, match="every row has a missing value"):
                    one.check(table, choice)
                gathered = one
            else:
                gathered.merge(one)
    assert (gathered.n_kept, gathered.n_dropped) == (2, 2)
    assert gathered.moments.mean.tolist() == [1.5]
