"""Selections of columns: weights, categories, columns to keep; what contradicts itself."""

import numpy as np
import pyarrow as pa
import pytest

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from tests.tables.files import write_csv


@pytest.fixture
def path(tmp_path):
    rows = [[1.5, "red", 2, "k1"], [2.5, "", 0, "k2"], [3.5, "blue", 1, "k3"]]
    return write_csv(tmp_path / "t.csv", rows, names=["a", "colour", "w", "id"])


def test_all_parts_of_a_selection(path):
    with open_table(path) as table:
        (rows,) = read_rows(table, ColumnSelection(("a",), ("colour",), "w", ("id", "a")), "drop")
    assert rows.numbers.ravel().tolist() == [1.5, 2.5, 3.5]
    assert rows.categories[0].to_pylist() == ["red", None, "blue"]
    assert rows.weights.tolist() == [2, 0, 1]
    assert rows.complete.tolist() == [True, False, True]
    assert rows.kept.to_pydict() == {"id": ["k1", "k2", "k3"], "a": [1.5, 2.5, 3.5]}


def test_a_missing_text_is_named(path):
    with open_table(path) as table, pytest.raises(SourceError, match="row 2, column 'colour' is missing"):
        list(read_rows(table, ColumnSelection(("a",), ("colour",))))


def test_a_missing_weight_is_named(tmp_path):
    path = write_csv(tmp_path / "t.csv", [[1, 1], [2, ""]], names="aw")
    with open_table(path) as table, pytest.raises(SourceError, match="row 2, column 'w' is missing"):
        list(read_rows(table, ColumnSelection(("a",), weights="w")))


def test_a_negative_weight_is_named(tmp_path):
    path = write_csv(tmp_path / "t.csv", [[1, 1], [2, -0.5]], names="aw")
    with open_table(path) as table, pytest.raises(SourceError, match="row 2, column 'w' is a negative weight: give 0"):
        list(read_rows(table, ColumnSelection(("a",), weights="w")))


def test_a_column_cannot_be_two_things():
    with pytest.raises(ParameterError, match="column 'a' is to be a number and a category: name it once"):
        ColumnSelection(("a", "b"), ("a",))


def test_rows_are_counted_while_they_are_read(tmp_path):
    np.save(tmp_path / "n.npy", np.arange(70_000.0))
    seen = []
    with open_table(tmp_path / "n.npy") as table:
        list(read_rows(table, ColumnSelection(("x0",)), on_rows=seen.append))
    assert seen == [65_536, 70_000]


@pytest.mark.parametrize("size", [1, 7, 40, 65_535, 65_536, 65_537, 200_000])
def test_blocks_are_the_same_whatever_those_of_the_file(size):
    n = 140_000 if size > 100 else 300
    values = np.random.default_rng(0).normal(size=n)
    table = pa.table({"x": values, "k": pa.array(["a", "b"] * (n // 2)).dictionary_encode()})
    batches = [batch for start in range(0, n, size) for batch in table[start : start + size].to_batches()]
    with open_table(pa.Table.from_batches([batches[0].slice(0, 0), *batches])) as opened:
        rows = list(read_rows(opened, ColumnSelection(("x",), ("k",))))
    sizes = [len(block) for block in rows]
    assert sizes == ([65_536, 65_536, 8_928] if n > 300 else [300])
    assert np.array_equal(np.concatenate([block.numbers for block in rows]).ravel(), values)
    assert [block.start for block in rows] == np.cumsum([0, *sizes[:-1]]).tolist()
    assert rows[0].categories[0].to_pylist()[:4] == ["a", "b", "a", "b"]
