"""Tables written in blocks, read back; nothing is left of one that was broken off."""

import io
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from bgsub.errors import OutputError
from bgsub.tables.table import BLOCK_ROWS
from bgsub.tables.writing import table_writer, write_table

BLOCKS = [
    {
        "label": np.array([1, -1], np.int32),
        "p": np.ma.MaskedArray([0.1, 0.2], [False, True]),
        "t": pa.array(["a", "b"]),
    },
    {"label": np.array([7], np.int32), "p": np.array([1 / 3]), "t": pa.array([None], pa.string())},
]
EXPECTED = {"label": [1, -1, 7], "p": [0.1, None, 1 / 3], "t": ["a", "b", None]}


def write(path):
    with table_writer(path) as add:
        for block in BLOCKS:
            add(block)


def read(path):
    table = pyarrow.csv.read_csv(path) if str(path).endswith(".csv") else pq.read_table(path)
    return {name: [value or None for value in column] for name, column in table.to_pydict().items()}


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.pq"])
def test_a_file_holds_all_blocks(tmp_path, name):
    write(tmp_path / name)
    assert read(tmp_path / name) == EXPECTED
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_standard_output_is_csv(tmp_path, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stream)
    write("-")
    (tmp_path / "copy.csv").write_bytes(stream.buffer.getvalue())
    assert read(tmp_path / "copy.csv") == EXPECTED


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_nothing_is_left_when_it_breaks_off(tmp_path, name):
    (tmp_path / name).write_text("old")
    with pytest.raises(KeyError), table_writer(tmp_path / name) as add:
        add(BLOCKS[0])
        raise KeyError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "old")]


def test_another_extension_is_refused(tmp_path):
    with (
        pytest.raises(OutputError, match=r"t.xls: its extension is none of .csv, .parquet, .pq; choose one$"),
        table_writer(tmp_path / "t.xls"),
    ):
        pass


def test_whole_columns_are_written_in_blocks(tmp_path):
    numbers = np.arange(BLOCK_ROWS + 3)
    write_table(tmp_path / "t.parquet", {"n": numbers, "half": numbers / 2})
    assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups == 2
    found = pq.read_table(tmp_path / "t.parquet")
    assert np.array_equal(found["n"], numbers) and np.array_equal(found["half"], numbers / 2)


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.int32, np.uint64, np.float16, np.float32, np.float64, ">f8", "<i2"]
)
@pytest.mark.parametrize("n", [1, 7, 8, 9, 1000])
def test_values_of_every_type_are_written(tmp_path, dtype, n):
    values = np.arange(n).astype(dtype)
    mask = np.arange(n) % 3 == 1
    write_table(tmp_path / "t.parquet", {"v": values[::-1], "m": np.ma.MaskedArray(values, mask=mask)})
    found = pq.read_table(tmp_path / "t.parquet")
    assert found["v"].to_pylist() == values[::-1].tolist()
    assert found["m"].to_pylist() == [
        None if gone else value for value, gone in zip(values.tolist(), mask, strict=True)
    ]
    assert found["v"].type == pa.array(np.empty(0, np.dtype(dtype).newbyteorder("="))).type


def test_reading_and_writing_numbers_imports_no_pandas(tmp_path):
    program = f"""
import sys
import numpy as np
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from bgsub.tables.writing import write_table
for name in ("t.csv", "t.parquet"):
    masked = np.ma.MaskedArray([1, 2, 3], mask=[0, 1, 0])
    write_table({str(tmp_path)!r} + "/" + name, {{"a": np.arange(3.0), "b": masked}})
    with open_table({str(tmp_path)!r} + "/" + name) as table:
        (rows,) = read_rows(table, ColumnSelection(("a", "b")), "drop")
        print(np.nan_to_num(rows.numbers, nan=-1).tolist())
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    rows = "[[0.0, 1.0], [1.0, -1.0], [2.0, 3.0]]\n"
    assert done.stdout == f"{rows}{rows}False\n", done.stderr
