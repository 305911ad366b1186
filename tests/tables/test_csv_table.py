"""CSV as people have it: separators, quotes, missing values, faults that come late; each fault by row and column."""

import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from tests.tables.files import write_csv

LATE = 330_000  # rows that fill more than the first block of the reader


def read(path, *names, missing="error"):
    with open_table(path) as table:
        return np.concatenate([rows.numbers for rows in read_rows(table, ColumnSelection(names), missing)])


@pytest.fixture(scope="module")
def long_rows():
    rows = [[i, i % 17 + 0.5, "x"] for i in range(LATE)]
    assert sum(len(f"{a},{b},{c}\n") for a, b, c in rows) > 4 << 20
    return rows


def test_quotes_lines_in_quotes_and_blank_lines(tmp_path):
    path = tmp_path / "q.csv"
    path.write_text('"a;b","c"\n"1","two\nlines"\n\n 2.5 ,""\n', encoding="utf-8-sig")
    with open_table(path) as table:
        assert [(c.name, c.kind) for c in table.columns] == [("a;b", "number"), ("c", "category")]
        (rows,) = read_rows(table, ColumnSelection(("a;b",), kept=("c",)))
    assert rows.numbers.ravel().tolist() == [1, 2.5]
    assert rows.kept.column(0).to_pylist()[0] == "two\nlines"


def test_long_numbers_are_kept_to_the_last_digit(tmp_path):
    path = write_csv(tmp_path / "n.csv", [["123456789012345678", 1.5]], names=["id", "a"])
    with open_table(path) as table:
        (rows,) = read_rows(table, ColumnSelection(("a",), kept=("id",)))
    assert rows.kept.column(0).to_pylist() == ["123456789012345678"]


def test_whole_numbers_may_turn_into_real_ones_late(tmp_path, long_rows):
    path = write_csv(tmp_path / "t.csv", [*long_rows, [0.25, 1, "x"]], names="abt")
    assert read(path, "a")[-1, 0] == 0.25


@pytest.mark.parametrize("text", ["", "NA", "nan", "NULL"])
def test_missing_values_are_named_or_marked(tmp_path, text):
    path = write_csv(tmp_path / "t.csv", [[1, 2], [3, text], [5, 6]], names="ab")
    with pytest.raises(
        SourceError,
        match=r"row 2, column 'b' is missing \(NaN\): correct it, or .* with --missing em$",
    ):
        read(path, "a", "b")
    with open_table(path) as table:
        (rows,) = read_rows(table, ColumnSelection(("a", "b")), "drop")
    assert rows.complete.tolist() == [True, False, True]


def test_infinity_is_named(tmp_path):
    path = write_csv(tmp_path / "t.csv", [[1, 2], ["-inf", 4]], names="ab")
    with pytest.raises(SourceError, match="row 2, column 'a' is infinite: "):
        read(path, "a", "b")


@pytest.mark.parametrize("before", [30, LATE])
def test_text_among_numbers_is_named_wherever_it_stands(tmp_path, long_rows, before):
    path = write_csv(tmp_path / "t.csv", [*long_rows[:before], [5, "oops", "x"], *long_rows[:30]], names="abt")
    message = f"row {before + 1}, column 'b' holds the text 'oops', not a number; correct it, leave the column out"
    with pytest.raises(SourceError, match=message):
        read(path, "a", "b")
    assert len(read(path, "a")) == before + 31  # the other columns are as good as before


@pytest.mark.parametrize("before", [30, LATE])
def test_a_row_of_other_length_is_named_wherever_it_stands(tmp_path, long_rows, before):
    path = write_csv(tmp_path / "t.csv", [*long_rows[:before], [5, 6], *long_rows[:30]], names="abt")
    with pytest.raises(SourceError, match=f"row {before + 1} has 2 values where the heading has 3 names; correct"):
        read(path, "a")


def test_a_column_of_text_asked_for_as_numbers(tmp_path):
    path = write_csv(tmp_path / "t.csv", [[1, "red"], [2, "blue"]], names=["a", "colour"])
    with open_table(path) as table:
        assert table.numeric_columns() == ("a",)
    with pytest.raises(SourceError, match="row 1, column 'colour' holds the text 'red', not a number"):
        read(path, "a", "colour")


def test_a_heading_alone_is_an_empty_table(tmp_path):
    with pytest.raises(SourceError, match=r"it has no rows; give a table with some$"):
        read(write_csv(tmp_path / "t.csv", [], names="ab"), "a")


def test_control_characters_stay_out_of_messages(tmp_path):
    path = write_csv(tmp_path / "t.csv", [[1, "\x1b[31mred"]], names=["a", "b"])
    with pytest.raises(SourceError) as raised:
        read(path, "b")
    assert str(raised.value).isprintable()
