"""Parts of Parquet: together all rows, with their numbers in the whole table, cut by what the table is alone."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from bgsub.errors import ParameterError, SourceError
from bgsub.tables import parts
from bgsub.tables.parts import parts_of
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table

SELECTION = ColumnSelection(("x", "y"), ("kind",))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "_FEWEST_CELLS", 500)  # 250 rows of two columns


def table_of(n, start=0):
    x = np.arange(start, start + n, dtype=float)
    return pa.table({"x": x, "y": -x, "kind": [f"k{i % 3}" for i in range(start, start + n)]})


def one_file(path, n=1000, group=100):
    parquet.write_table(table_of(n), path, row_group_size=group)
    return path


def folder(path):
    """Two years, of which the second has a file more, and one without rows."""
    for name, start, n in (("2023", 0, 400), ("2024", 400, 350)):
        (path / f"year={name}").mkdir(parents=True)
        parquet.write_table(table_of(n, start), path / f"year={name}" / "a.parquet", row_group_size=150)
    parquet.write_table(table_of(0), path / "year=2024" / "b.parquet")
    parquet.write_table(table_of(250, 750), path / "year=2024" / "c.parquet")
    return path


@pytest.mark.parametrize(("make", "lengths"), [(one_file, [200] * 5), (folder, [150, 250, 150, 200, 250])])
def test_parts_are_the_whole(tmp_path, make, lengths):
    path = make(tmp_path / "t.parquet")
    with open_table(path) as table:
        found = parts_of(table, 2)
        whole = next(read_rows(table, SELECTION))
    assert [part.n_rows for part in found] == lengths
    start = 0
    for part in found:
        (rows,) = read_rows(part.open(), SELECTION)
        assert rows.start == part.first_row == start
        assert (rows.numbers == whole.numbers[start : start + len(rows)]).all()
        assert rows.categories[0].equals(whole.categories[0][start : start + len(rows)])
        start += len(rows)
    assert start == len(whole) == 1000


def test_what_names_of_folders_tell_is_a_column_of_each_part(tmp_path):
    with open_table(folder(tmp_path / "t")) as table:
        found = parts_of(table, 1)
    years = [next(read_rows(part.open(), ColumnSelection(("year",)))).numbers for part in found]
    assert np.concatenate(years)[:, 0].tolist() == [2023] * 400 + [2024] * 600


def test_columns_that_some_files_lack_are_missing_there(tmp_path):
    (tmp_path / "t").mkdir()
    parquet.write_table(table_of(10), tmp_path / "t" / "a.parquet")
    parquet.write_table(table_of(10).drop_columns("y"), tmp_path / "t" / "b.parquet")
    with open_table(tmp_path / "t") as table:
        found = parts_of(table, 2000)
    assert [part.n_rows for part in found] == [10, 10]
    rows = next(read_rows(found[1].open(), ColumnSelection(("x", "y")), "drop"))
    assert np.isnan(rows.numbers[:, 1]).all()
    assert not np.isnan(rows.numbers[:, 0]).any()


def test_messages_have_the_number_in_the_whole_table(tmp_path):
    table = table_of(1000).set_column(1, "y", pa.array([1.0] * 730 + [None] + [1.0] * 269))
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=100)
    with open_table(tmp_path / "t.parquet") as whole:
        found = parts_of(whole, 2)
    with pytest.raises(SourceError, match=r"t\.parquet: row 731, column 'y' is missing"):
        list(read_rows(found[3].open(), SELECTION))


def test_progress_counts_the_rows_of_the_part(tmp_path):
    with open_table(one_file(tmp_path / "t.parquet")) as table:
        last = parts_of(table, 2)[-1]
    told = []
    list(read_rows(last.open(), SELECTION, on_rows=told.append))
    assert told == [200]


def test_a_part_survives_being_sent(tmp_path):
    import pickle

    with open_table(folder(tmp_path / "t")) as table:
        part = parts_of(table, 2)[1]
    assert pickle.loads(pickle.dumps(part)) == part


@pytest.mark.parametrize("make", [one_file, folder])
def test_a_table_that_became_another_is_refused(tmp_path, make):
    path = make(tmp_path / "t.parquet")
    with open_table(path) as table:
        found = parts_of(table, 2)
    other = path if path.is_file() else path / "year=2023" / "a.parquet"
    parquet.write_table(table_of(140), other, row_group_size=40)
    with pytest.raises(SourceError, match="it is another file than when the work began"):
        list(read_rows(found[0].open(), SELECTION))
    other.unlink()
    with pytest.raises(SourceError, match=r"a worker sees no file .*\.parquet; put it where all of them do"):
        list(read_rows(found[0].open(), SELECTION))


def test_of_many_files_the_damaged_one_is_named(tmp_path):
    path = folder(tmp_path / "t")
    bad = path / "year=2024" / "a.parquet"
    content = bytearray(bad.read_bytes())
    content[4:1500] = bytes(1496)  # rows, and not what tells of them
    bad.write_bytes(content)
    line = f"cannot read {bad}: it is no Parquet file, or damaged ("
    with open_table(path) as table:
        with pytest.raises(SourceError) as error:
            list(read_rows(table, SELECTION))
        assert str(error.value).startswith(line)
        found = parts_of(table, 2)
    wrong = []
    for part in found:
        try:
            list(read_rows(part.open(), SELECTION))
        except SourceError as error:
            wrong.append(str(error))
    assert wrong
    assert all(one.startswith(line) for one in wrong)


def test_only_parquet_has_parts_and_needs_rows(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n")
    with (
        open_table(tmp_path / "t.csv") as table,
        pytest.raises(ParameterError, match=r"t\.csv is not Parquet, of which"),
    ):
        parts_of(table, 2)
    parquet.write_table(table_of(0), tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet") as table, pytest.raises(SourceError, match="it has no rows"):
        parts_of(table, 2)
