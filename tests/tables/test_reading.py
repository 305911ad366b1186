"""What a reader is told: values that mean missing, columns to leave out, bounds of the options; in every format."""

import numpy as np
import pytest

from bgsub.clustering.fitting import fit_table
from bgsub.errors import ParameterError
from bgsub.tables.learning import Choice, prepared
from bgsub.tables.reading import ReadOptions
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from tests.tables.files import FORMATS, NAMES, values, write_as, write_csv


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_number_that_means_missing_does_so_in_every_format_and_notation(tmp_path, suffix):
    matrix = values()
    matrix[3, 1] = -999
    with open_table(write_as(suffix, tmp_path, matrix), ReadOptions(na=("-999.00",))) as table:
        (rows,) = read_rows(table, ColumnSelection(NAMES), "drop")
    assert np.flatnonzero(~rows.complete).tolist() == [3]
    assert np.isnan(rows.numbers[3, 1])


def test_a_text_that_means_missing_does_so_among_numbers_and_among_texts(tmp_path):
    path = write_csv(tmp_path / "t.csv", [[1, "x"], ["gone", "y"], [3, "gone"], [4, "-1"]], names=["a", "kind"])
    with open_table(path, ReadOptions(na=("gone", -1))) as table:
        (rows,) = read_rows(table, ColumnSelection(("a",), ("kind",)), "drop")
    assert rows.complete.tolist() == [True, False, False, False]
    assert rows.categories[0].to_pylist() == ["x", "y", None, None]


def test_columns_to_exclude_are_not_learned(tmp_path):
    path = write_as(".parquet", tmp_path, values())
    with open_table(path) as table, prepared(table, Choice(exclude=("price",))) as rows:
        assert rows.preparation.features.numbers == ("length", "tilt")
    assert fit_table(path, 2, choice=Choice(exclude=("tilt", "length"))).model.columns == ("price",)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(exclude=("weight",)), "has no column 'weight': there are length, price, tilt"),
        (Choice(exclude=("tilt", "tilt")), "--exclude names column 'tilt' twice"),
        (Choice(("tilt", "price"), exclude=("tilt",)), "column 'tilt' is named in --exclude and in --columns: name it"),
        (Choice(weights="price", exclude=("price",)), "column 'price' is named in --exclude and in --weights"),
        (Choice(logs=("price",), exclude=("price",)), "column 'price' is named in --exclude and in --log"),
    ],
)
def test_columns_cannot_be_excluded_and_used(tmp_path, choice, message):
    with (
        open_table(write_as(".csv", tmp_path, values())) as table,
        pytest.raises(ParameterError, match=message),
        prepared(table, choice),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, "decimal is ';': give '.' or ','"),
        ({"skip_lines": -1}, "skip_lines is -1: give 0 or more"),
        ({"encoding": "latin-99"}, "encoding 'latin-99' is not known: give one such as latin-1"),
        ({"encoding": "base64"}, "encoding 'base64' is not known"),
    ],
)
def test_options_out_of_their_bounds(options, message):
    with pytest.raises(ParameterError, match=message):
        ReadOptions(**options)


def test_a_model_takes_an_open_table(tmp_path):
    path = write_as(".csv", tmp_path, values())
    model = fit_table(path, 2).model
    with open_table(path, ReadOptions(na=(0,))) as table:
        assert np.array_equal(model.predict(table), model.predict(path))
        assert np.array_equal(model.predict_proba(table), model.predict_proba(path))  # still open
