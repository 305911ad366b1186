"""Tables that are in memory are read as files are: names, kinds, blocks; what is no table is refused."""

import numpy as np
import pyarrow as pa
import pytest

from bgsub.errors import SourceError
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from bgsub.tables.table import BLOCK_ROWS, Column
from tests.tables.files import NAMES, values

COLUMNS = dict(zip(NAMES, values().T, strict=True))


@pytest.mark.parametrize(
    "table",
    [
        COLUMNS,
        {name: column.tolist() for name, column in COLUMNS.items()},
        pa.table(COLUMNS),
        np.rec.fromarrays(list(COLUMNS.values()), names=",".join(NAMES)),
    ],
    ids=["arrays", "lists", "pyarrow", "records"],
)
def test_every_kind_gives_the_same_numbers(table):
    with open_table(table) as opened:
        assert opened.columns == tuple(Column(name, "number") for name in NAMES)
        assert (opened.named, opened.n_rows) == (True, len(values()))
        for _ in range(2):
            rows = np.concatenate([rows.numbers for rows in read_rows(opened, ColumnSelection(NAMES))])
            assert np.array_equal(rows, values())


def test_kinds_of_columns():
    chosen = {"n": [1, None], "t": ["a", "b"], "b": [True, False], "other": [[1], [2]]}
    with open_table(chosen) as table:
        assert [column.kind for column in table.columns] == ["number", "category", "category", "other"]


def test_long_tables_come_in_blocks():
    with open_table(pa.table({"x": np.arange(2 * BLOCK_ROWS + 1)})) as table:
        blocks = list(read_rows(table, ColumnSelection(("x",))))
    assert [len(rows) for rows in blocks] == [BLOCK_ROWS, BLOCK_ROWS, 1]
    assert [rows.start for rows in blocks] == [0, BLOCK_ROWS, 2 * BLOCK_ROWS]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "it is of type NoneType; give a path, a table of pyarrow or pandas, or a dict of columns"),
        ([[1, 2]], "it is of type list; give a path"),
        ({"a": [1], "b": [1, 2]}, "its columns are not those of a table"),
        ({"a": 1}, "its columns are not those of a table"),
    ],
)
def test_what_is_no_table(table, message):
    with pytest.raises(SourceError, match=f"^cannot read the table: {message}") as refusal:
        open_table(table)
    assert "\n" not in str(refusal.value)


def test_what_lies_in_partitions_is_told_where_it_can_go():
    da = pytest.importorskip("dask.array")
    for given, kind in ((da.ones((4, 2)), "Array"), (da.ones((4, 2)).to_dask_dataframe(), "DataFrame")):
        with pytest.raises(SourceError, match=f"it is a Dask {kind}, in partitions; write it with to_parquet and give"):
            open_table(given)
