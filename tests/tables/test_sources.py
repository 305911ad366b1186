"""Every format gives the same table; names, kinds and numbers survive; what is no table is refused in one line."""

import io
import sys
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from bgsub.tables.table import BLOCK_ROWS, Column
from tests.tables.files import FORMATS, NAMES, csv_text, values, write_as, write_csv


def numbers(table, *names):
    return np.concatenate([rows.numbers for rows in read_rows(table, ColumnSelection(names or NAMES))])


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_numbers(tmp_path, suffix):
    matrix = values()
    with open_table(write_as(suffix, tmp_path, matrix)) as table:
        assert table.columns == tuple(Column(name, "number") for name in NAMES)
        assert table.named
        assert table.n_rows in (None, len(matrix))
        assert np.array_equal(numbers(table), matrix)
        assert np.array_equal(numbers(table, "tilt", "length"), matrix[:, [2, 0]])  # again, in another order


def test_standard_input_can_be_read_twice_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stream = io.TextIOWrapper(io.BytesIO(csv_text(values().tolist()).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    with open_table("-") as table:
        assert table.name == "standard input"
        assert np.array_equal(numbers(table), numbers(table))
        assert np.array_equal(numbers(table), values())
    assert list(tmp_path.iterdir()) == []


def test_an_empty_standard_input_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(SourceError, match=r"^cannot read standard input: it is empty; give a table with"):
        open_table("-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("array", [values(), np.asfortranarray(values()), values().astype(">f4"), values()[:, 0]])
def test_an_array_without_names_has_columns_by_place(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", anything=array)
    matrix = array.reshape(len(array), -1)
    for name in ("a.npy", "a.npz"):
        with open_table(tmp_path / name) as table:
            assert [c.name for c in table.columns] == [f"x{i}" for i in range(matrix.shape[1])]
            assert not table.named
            assert np.array_equal(numbers(table, *(c.name for c in table.columns)), matrix.astype(np.float64))


def test_arrays_of_an_npz_are_columns(tmp_path):
    np.savez(tmp_path / "a.npz", y=np.arange(4), X=np.arange(8).reshape(4, 2), kind=np.array(["a", "b", "a", "c"]))
    with open_table(tmp_path / "a.npz") as table:
        kinds = {c.name: c.kind for c in table.columns}
        assert kinds == {"y": "number", "X0": "number", "X1": "number", "kind": "category"}
        assert numbers(table, "X1").ravel().tolist() == [1, 3, 5, 7]


def test_kinds_of_columns(tmp_path):
    path = tmp_path / "k.parquet"
    columns = {
        "whole": pa.array([1, 2], pa.int8()),
        "real": pa.array([1.5, 2.5], pa.float32()),
        "flag": pa.array([True, False]),
        "text": pa.array(["a", "b"]),
        "coded": pa.array(["a", "b"]).dictionary_encode(),
        "day": pa.array([1, 2], pa.date32()),
        "list": pa.array([[1], [2]]),
    }
    pq.write_table(pa.table(columns), path)
    with open_table(path) as table:
        assert [c.kind for c in table.columns] == ["number", "number", *["category"] * 3, "other", "other"]
        assert table.numeric_columns(without=["whole"]) == ("real",)
        assert numbers(table, "flag").ravel().tolist() == [1, 0]
        with pytest.raises(SourceError, match=r"column 'day' holds date32.*, not numbers; leave it out of --columns"):
            numbers(table, "day")


def test_rows_come_in_blocks(tmp_path):
    np.save(tmp_path / "long.npy", np.arange(2 * BLOCK_ROWS + 5.0))
    with open_table(tmp_path / "long.npy") as table:
        blocks = list(read_rows(table, ColumnSelection(("x0",))))
    assert [len(rows) for rows in blocks] == [BLOCK_ROWS, BLOCK_ROWS, 5]
    assert [rows.start for rows in blocks] == [0, BLOCK_ROWS, 2 * BLOCK_ROWS]
    assert blocks[-1].numbers[-1, 0] == 2 * BLOCK_ROWS + 4


def test_a_heading_of_numbers_is_told(tmp_path, caplog):
    with open_table(write_csv(tmp_path / "t.csv", [[3, 4.5]], names=["1", "2.5"])) as table:
        assert len(numbers(table, "1", "2.5")) == 1
    assert "taken for the names of columns, looks like a row; if it is one, give --no-header" in caplog.text


def test_an_unknown_column_is_told_with_those_that_there_are(tmp_path):
    with (
        open_table(write_as(".parquet", tmp_path, values())) as table,
        pytest.raises(ParameterError, match=r"has no column 'weight': there are length, price, tilt$"),
    ):
        numbers(table, "weight")


def damaged_files(folder):
    (folder / "nothing").mkdir()
    np.save(folder / "whole.npy", values())
    whole = (folder / "whole.npy").read_bytes()
    np.save(folder / "objects.npy", np.array([1, "a", None], dtype=object), allow_pickle=True)
    np.savez(folder / "objects.npz", x=np.array([{}], dtype=object))
    np.save(folder / "cube.npy", np.zeros((2, 2, 2)))
    np.savez(folder / "uneven.npz", a=np.zeros(2), b=np.zeros(3))
    pq.write_table(pa.table({"a": [1.0]}), folder / "whole.parquet")
    for name, content in {
        "short.npy": whole[:-8],
        "huge.npy": whole.replace(b"(500, 3), ", b"(9000000000, 3), ")[: len(whole)],
        "junk.npy": b"hello",
        "junk.npz": b"PK hello",
        "junk.parquet": b"PAR1 hello PAR1",
        "cut.parquet": (folder / "whole.parquet").read_bytes()[:-20],
        "picture.csv": b"\x89PNG\r\n\x1a\n\0\0",
        "empty.csv": b"",
        "blank.csv": b"\n\n\n",
        "table.json": b"{}",
    }.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.csv", "no such file; check the path"),
        ("nothing", "a folder with no .parquet file in it; give a file, or a folder of Parquet files"),
        ("objects.npy", "it holds Python objects, which only pickle can read and pickle can do harm; save numbers"),
        ("objects.npz", "it holds Python objects, which only pickle can read"),
        ("cube.npy", r"an array has shape \(2, 2, 2\); give rows and columns, \(N, D\)"),
        ("uneven.npz", r"its arrays have \[2, 3\] rows; give arrays of one length"),
        ("short.npy", "it is no NPY or NPZ file, or damaged .12120 bytes where its header promises 12128.; copy it"),
        ("huge.npy", "it is no NPY or NPZ file, or damaged"),
        ("junk.npy", "it is no NPY or NPZ file, or damaged .*; copy it again from its source"),
        ("junk.npz", "it is no NPY or NPZ file, or damaged .*; copy it again from its source"),
        ("junk.parquet", "it is no Parquet file, or damaged .*; copy it again from its source"),
        ("cut.parquet", "it is no Parquet file, or damaged .*; copy it again from its source"),
        ("picture.csv", "it is no table that is known; give CSV, Excel, Parquet, Arrow, JSON lines, NPY or NPZ"),
        ("empty.csv", "it is empty; give a table with a heading and rows"),
        ("blank.csv", "it is empty; give a table with a heading and rows"),
        ("table.json", "it has no rows; give a table with some"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, monkeypatch, name, reason):
    monkeypatch.chdir(tmp_path)
    damaged_files(tmp_path)
    with pytest.raises(SourceError, match=f"^cannot read {name}: {reason}") as raised:
        open_table(name)
    assert "\n" not in str(raised.value)


def test_a_compressed_array_that_promises_more_than_it_has_is_refused(tmp_path):
    import zipfile

    np.save(tmp_path / "a.npy", values())
    content = (tmp_path / "a.npy").read_bytes().replace(b"(500, 3), ", b"(500000000, 3), ")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(SourceError, match=r"a.npy has 12\d+ bytes where its header promises 1200000\d+\)"):
        open_table(tmp_path / "bomb.npz")


def test_warnings_are_as_they_were_once_the_files_of_a_folder_there_were_looked_at(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    write_as(".parquet", tmp_path, values())
    (path,) = tmp_path.glob("*.parquet")
    store = fsspec.filesystem("memory")
    for i in range(40):
        store.pipe(f"/year/{i}.parquet", path.read_bytes())
    before = list(warnings.filters)
    with open_table("memory://year") as table:
        assert table.n_rows == 40 * len(values())
    assert warnings.filters == before
    store.rm("/year", recursive=True)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "s3://me:secret@cams/a.parquet?key=secret",
            "cannot open s3://cams/a.parquet: its address holds a password, which would be logged; give it by the "
            "environment or fsspec's configuration",
        ),
        (
            "https://me:secret@there/a.parquet?key=secret",
            "cannot read https://there/a.parquet: tables are read from disks and stores (s3://, ...); copy it to one "
            "of these",
        ),
    ],
)
def test_an_address_is_refused_without_what_may_be_secret(address, message):
    pytest.importorskip("fsspec")
    with pytest.raises(SourceError) as error:
        open_table(address)
    assert str(error.value) == message
