"""Tables written in blocks, read back; nothing is left of one that was broken off."""

import io
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
